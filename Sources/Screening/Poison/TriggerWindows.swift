/// Counts of items in the last accepted batches of a supplier.
struct TriggerWindows {
    /// Whether these rows are part of the baseline.
    let isInBaseline: Bool
    private let items: ItemIndex
    /// Labels and one more: the first is for rows without a label of the batch.
    private let width: Int
    /// By level and label, the number of rows.
    private var rows: [Int]
    /// By item, level and label, the number of rows.
    private var found: [Int32]

    /// - Parameter labels: the number of each label, from 1.
    init(_ recent: ItemRows, _ items: ItemIndex, labels: [UInt64: Int], isInBaseline: Bool) {
        (self.isInBaseline, self.items, width) = (isInBaseline, items, labels.count + 1)
        let (width, levels) = (width, RecentRows.levels + 1)
        rows = Array(repeating: 0, count: levels * width)
        var found = [Int32](repeating: 0, count: items.count * levels * width)
        for row in 0..<recent.count where recent.levels[row] > 0 {
            let at = recent.levels[row] * width + (labels[recent.labels[row]] ?? 0)
            rows[at] += 1
            recent.forEach(row) { item in
                let place = items.find(item)
                if place >= 0 { found[place &* levels &* width &+ at] &+= 1 }
            }
        }
        self.found = found
    }

    /// Rows of the windows up to a level.
    func rows(upTo level: Int) -> Int { rows[..<((level + 1) * width)].reduce(0, +) }

    /// Rows of the windows up to a level, with a label.
    ///
    /// - Parameter label: the label's index, from 0.
    func rows(with label: Int, upTo level: Int) -> Int {
        (0...level).reduce(0) { $0 + rows[$1 * width + label + 1] }
    }

    /// Rows with an item up to a level, and those of them with a label.
    func count(_ item: UInt64, _ label: Int, upTo level: Int) -> (count: Int, pure: Int) {
        let place = items.find(item)
        if place < 0 { return (0, 0) }
        let first = place * (RecentRows.levels + 1) * width
        let own = found[first..<first + (level + 1) * width]
        return (own.total, (0...level).reduce(0) { $0 + Int(own[first + $1 * width + label + 1]) })
    }
}
