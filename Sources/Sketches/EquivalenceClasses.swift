package import Tabular

/// The classes of rows that are equal in all quasi-identifiers, with their sizes and numbers of sensitive values.
/// k-anonymity (Sweeney, 2002) and distinct l-diversity (Machanavajjhala and others, 2007) are computed from them.
///
/// The memory is bounded, and counts of kept classes are exact: beyond `limit` classes, only those whose hash is below
/// a bound are kept, and the bound halves each time. Whether a class is kept depends on its hash alone, so the result
/// does not depend on how the rows are cut or merged.
package struct EquivalenceClasses: Sendable, Equatable {
    private struct Class: Equatable, WireValue {
        var count = 0
        /// One bit for each sensitive value, by its hash. A collision makes l smaller, never larger.
        var values: UInt64 = 0

        init() {}

        func write(to wire: inout WireWriter) {
            wire.append(count)
            wire.append(values)
        }

        init(from wire: inout WireReader) throws(WireError) { (count, values) = (try wire.read(), try wire.read()) }
    }

    private let limit: Int
    private var classes: [UInt64: Class] = [:]
    /// The number of times that the bound was halved.
    private var halvings: UInt64 = 0
    /// Rows that were added, whether or not their class is kept.
    package private(set) var rows = 0

    /// No rows yet.
    package init(limit: Int = 1 << 18) { self.limit = limit }

    private func isKept(_ hash: UInt64) -> Bool { hash.leadingZeroBitCount >= Int(halvings) }

    /// Adds a row by the hash of its quasi-identifiers and that of its sensitive value.
    package mutating func add(_ hash: UInt64, sensitive: UInt32) {
        rows += 1
        guard isKept(hash) else { return }
        let bit: UInt64 = 1 << UInt64(sensitive & 63)
        let add = { (own: inout Class) in
            own.count += 1
            own.values |= bit
        }
        add(&classes[hash, default: Class()])
        thin()
    }

    /// Adds other rows' classes.
    package mutating func merge(_ other: EquivalenceClasses) {
        rows += other.rows
        let before = halvings
        halvings = max(halvings, other.halvings)
        for (hash, more) in other.classes where isKept(hash) {
            let add = { (own: inout Class) in
                own.count += more.count
                own.values |= more.values
            }
            add(&classes[hash, default: Class()])
        }
        if other.halvings > before { classes = classes.filter { isKept($0.key) } }
        thin()
    }

    private mutating func thin() {
        while classes.count > limit {
            halvings += 1
            classes = classes.filter { isKept($0.key) }
        }
    }

    /// The figures of all classes.
    package struct Summary: Sendable, Equatable {
        /// Number of classes, estimated if not all are kept.
        package var classes: Int
        /// The size of the smallest class: k.
        package var smallest: Int
        /// Share of rows in classes smaller than the wanted k.
        package var shareBelow: Double
        /// The fewest different sensitive values of a class, at most 64: l; nil when there is no sensitive field.
        package var fewest: Int?
        /// The share of the classes that the figures are computed from.
        package var sampled: Double
    }

    /// k, l, and the share of rows in classes smaller than `wanted`; nil when no row was added.
    package func summary(wanted: Int, hasSensitive: Bool) -> Summary? {
        guard !classes.isEmpty else { return nil }
        let kept = classes.values.reduce(0) { $0 + $1.count }
        let below = classes.values.reduce(0) { $0 + ($1.count < wanted ? $1.count : 0) }
        return Summary(
            classes: classes.count << Int(halvings), smallest: classes.values.map(\.count).min() ?? 0,
            shareBelow: Double(below) / Double(max(kept, 1)),
            fewest: hasSensitive ? classes.values.map(\.values.nonzeroBitCount).min() : nil,
            sampled: 1 / Double(1 << halvings))
    }
}

extension EquivalenceClasses: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(limit)
        wire.append(halvings)
        wire.append(rows)
        wire.append(classes)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self.init(limit: try wire.read())
        halvings = try wire.read()
        rows = try wire.read()
        classes = try wire.read()
        guard limit > 0, halvings <= 64, classes.count <= limit else { throw WireError() }
    }
}
