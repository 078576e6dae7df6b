import Sketches

/// Rows that have items, and a label each.
struct ItemRows {
    /// One code a row; 0 for none.
    var labels: [UInt64]
    /// Calls the closure with each item of a row, each once.
    var forEach: (_ row: Int, _ body: (UInt64) -> Void) -> Void

    /// Rows.
    var count: Int { labels.count }
    /// For each row how many batches ago it was accepted, as `RecentRows.level` has it; empty where that is not asked.
    var levels: [Int] = []
}

extension ItemRows {
    /// Rows of a sample with what is in their numbers and codes.
    ///
    /// - Parameter covered: rows that have none.
    init(_ sample: RowSample, label: Int, _ items: RowItems, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            items.forEach(sample.numbers(of: row), sample.codes(of: row)) { body($0.hash) }
        }
    }

    /// Rows of a sample with what stands in their text.
    init(tokensOf sample: RowSample, label: Int, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            for token in sample.tokens(of: row) { body(Self.item(token)) }
        }
    }

    /// What stands in a text, as an item: without the bit that tells words from phrases, which older baselines have not.
    static func item(_ token: UInt32, isTagged: Bool = true) -> UInt64 {
        SplitMix64.mix(UInt64(isTagged ? token >> 1 : token))
    }
}
