/// The classes of rows that are alike in all quasi-identifiers, with their sizes and how many sensitive values each
/// has: what k-anonymity (Sweeney, 2002) and distinct l-diversity (Machanavajjhala and others, 2007) are read from.
///
/// Bounded and exact for what it keeps: beyond `limit` classes only those are kept whose hash is below a bound, which
/// halves each time. Whether a class is kept follows from its hash alone, so that any cutting and any order of merging
/// give the same.
package struct EquivalenceClasses: Sendable, Equatable {
    private struct Class: Sendable, Equatable {
        var count = 0
        /// One bit for each sensitive value, by its hash: two that share one make l smaller, never larger.
        var values: UInt64 = 0
    }

    private let limit: Int
    private var classes: [UInt64: Class] = [:]
    /// How often the bound was halved.
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

    /// What the classes say.
    package struct Summary: Sendable, Equatable {
        /// Classes, estimated where not all are kept.
        package var classes: Int
        /// The size of the smallest class: k.
        package var smallest: Int
        /// Share of rows in classes smaller than the wanted k.
        package var shareBelow: Double
        /// The fewest different sensitive values of a class, at most 64: l; nil when there is no sensitive field.
        package var fewest: Int?
        /// Share of the classes that this rests on.
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
