import Sketches

/// Rows with their items and their label.
struct ItemRows {
    /// One code a row; 0 for none.
    var labels: [UInt64]
    /// Calls the closure with each item of a row, each once.
    var forEach: (_ row: Int, _ body: (UInt64) -> Void) -> Void

    /// Rows.
    var count: Int { labels.count }
    /// For each row, how many batches ago it was accepted, as in `RecentRows.levels`; empty if that is not needed.
    var levels: [Int] = []
}

extension ItemRows {
    /// Rows of a sample with the items of their numbers and codes.
    ///
    /// - Parameter covered: rows that get no items.
    init(_ sample: RowSample, label: Int, _ items: RowItems, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            items.forEach(sample.numbers(of: row), sample.codes(of: row)) { body($0.hash) }
        }
    }

    /// Rows of a sample with the items of their text.
    init(tokensOf sample: RowSample, label: Int, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            for token in sample.tokens(of: row) { body(Self.item(token)) }
        }
    }

    /// The item of a token, without the bit that distinguishes words from phrases, which older baselines lack.
    static func item(_ token: UInt32, isTagged: Bool = true) -> UInt64 {
        SplitMix64.mix(UInt64(isTagged ? token >> 1 : token))
    }
}
