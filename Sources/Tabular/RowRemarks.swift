/// The reader's remarks apart from rows and cells: lines that it skipped, and quoted values that may contain rows.
package struct RowRemarks: Sendable, Equatable {
    /// Blank lines and comments, which are not rows.
    package struct Skipped: Sendable, Equatable {
        /// Data record number of the row that follows them.
        package let row: Int
        /// The number of lines.
        package let lines: Int
    }

    /// A quoted value with lines in it that look like rows.
    package struct Swallowed: Sendable, Equatable {
        /// Data record number.
        package let row: Int
        /// The number of its lines that have as many cells as a row.
        package let lines: Int
    }

    /// The skipped lines, in order.
    package private(set) var skipped: [Skipped] = []
    /// The number of all skipped lines.
    package private(set) var skippedLines = 0
    /// The first such values, in order.
    package private(set) var swallowed: [Swallowed] = []

    private static let skippedMax = 1 << 20, swallowedMax = 8

    /// No remarks.
    package init() {}

    /// Adds skipped lines before a row.
    package mutating func skip(_ lines: Int, before row: Int) {
        skippedLines += lines
        if skipped.count < Self.skippedMax { skipped.append(Skipped(row: row, lines: lines)) }
    }

    /// Adds a quoted value.
    package mutating func swallow(_ lines: Int, in row: Int) {
        if swallowed.count < Self.swallowedMax { swallowed.append(Swallowed(row: row, lines: lines)) }
    }

    /// Adds the remarks of other rows.
    package mutating func merge(_ other: RowRemarks) {
        skippedLines += other.skippedLines
        if !other.skipped.isEmpty {
            skipped = Array((skipped + other.skipped).sorted { $0.row < $1.row }.prefix(Self.skippedMax))
        }
        if !other.swallowed.isEmpty {
            swallowed = Array(
                (swallowed + other.swallowed).sorted { $0.row < $1.row }.prefix(Self.swallowedMax))
        }
    }

    /// The number of lines skipped before a row.
    package func lines(before row: Int) -> Int {
        skipped.prefix { $0.row <= row }.reduce(0) { $0 + $1.lines }
    }
}

extension RowRemarks: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(skipped.flatMap { [$0.row, $0.lines] })
        wire.append(skippedLines)
        wire.append(swallowed.flatMap { [$0.row, $0.lines] })
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        func pairs() throws(WireError) -> [(row: Int, lines: Int)] {
            let words = try wire.read([Int].self)
            guard words.count.isMultiple(of: 2) else { throw WireError() }
            return stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) }
        }
        skipped = try pairs().map { Skipped(row: $0.row, lines: $0.lines) }
        skippedLines = try wire.read()
        swallowed = try pairs().map { Swallowed(row: $0.row, lines: $0.lines) }
    }
}
