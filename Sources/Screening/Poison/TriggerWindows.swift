/// Counts of items in the last accepted batches of a supplier.
struct TriggerWindows {
    /// Whether these rows are part of the baseline.
    let isInBaseline: Bool
    /// By level: number of rows, and of rows by label.
    private var rows = [Int](repeating: 0, count: RecentRows.levels + 1)
    private var byLabel: [[UInt64: Int]] = Array(repeating: [:], count: RecentRows.levels + 1)
    /// By item and label, the number of rows at each level.
    private var found: [UInt64: [(label: UInt64, counts: [Int32])]] = [:]

    init(_ recent: ItemRows, _ items: Set<UInt64>, isInBaseline: Bool) {
        self.isInBaseline = isInBaseline
        for row in 0..<recent.count where recent.levels[row] > 0 {
            let (level, label) = (recent.levels[row], recent.labels[row])
            rows[level] += 1
            byLabel[level][label, default: 0] += 1
            recent.forEach(row) { item in
                guard items.contains(item) else { return }
                var all = found[item] ?? []
                let place = all.firstIndex { $0.label == label } ?? all.count
                if place == all.count { all.append((label, Array(repeating: 0, count: RecentRows.levels + 1))) }
                all[place].counts[level] += 1
                found[item] = all
            }
        }
    }

    func rows(upTo level: Int) -> Int { rows[...level].reduce(0, +) }
    func rows(with label: UInt64, upTo level: Int) -> Int {
        byLabel[...level].reduce(0) { $0 + ($1[label] ?? 0) }
    }
    func count(_ item: UInt64, _ label: UInt64, upTo level: Int) -> (count: Int, pure: Int) {
        var (count, pure) = (0, 0)
        for one in found[item] ?? [] {
            let part = one.counts[...level].reduce(0) { $0 + Int($1) }
            count += part
            if one.label == label { pure += part }
        }
        return (count, pure)
    }
}
