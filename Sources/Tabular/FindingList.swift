/// A compact list of findings: code, outcome, field and rule are stored once for all findings that share them; each
/// further finding takes 32 bytes.
package struct FindingList: Sendable, RandomAccessCollection {
    /// The parts that findings of one kind share.
    private struct Kind: Sendable, Hashable {
        var code: FindingCode
        var outcome: Outcome
        var field: Int?
        var keyword: String?
        var rule: String?
        /// Whether they are about rows, and whether it is known where those lie in the source.
        var hasRow: Bool, hasBytes: Bool
    }

    /// The parts that only statistical findings have.
    private struct Detail: Sendable {
        var statistic: Double?
        var threshold: Double?
        var contributors: [Int]
    }

    private struct Entry: Sendable {
        /// The row, and where it lies in the source; 0 where the kind has none. Optionals would take twice the memory.
        var row: Int
        var byteOffset: UInt64
        var byteLength: UInt64
        /// Its index in `kinds`.
        var kind: UInt32
        /// Its index in `details`, from 1; 0 for none.
        var detail: UInt32
    }

    private var entries: [Entry] = []
    private var kinds: [Kind] = []
    private var placeOfKind: [Kind: UInt32] = [:]
    private var details: [Detail] = []

    /// No findings.
    package init() {}

    /// The first index, 0.
    package var startIndex: Int { 0 }
    /// The number of findings.
    package var endIndex: Int { entries.count }

    /// The finding at an index, restored in full.
    package subscript(position: Int) -> Finding {
        let entry = entries[position]
        let kind = kinds[Int(entry.kind)]
        var finding = Finding(
            kind.code, outcome: kind.outcome,
            at: Finding.Location(row: kind.hasRow ? entry.row : nil, field: kind.field),
            bytes: kind.hasBytes ? entry.byteOffset..<entry.byteOffset + entry.byteLength : nil)
        (finding.keyword, finding.rule) = (kind.keyword, kind.rule)
        if entry.detail > 0 {
            let detail = details[Int(entry.detail) - 1]
            (finding.statistic, finding.threshold) = (detail.statistic, detail.threshold)
            finding.contributors = detail.contributors
        }
        return finding
    }

    /// The offset of the first byte of a finding's row, without the rest; nil where it is not known.
    package func byteOffset(of position: Int) -> UInt64? {
        let entry = entries[position]
        return kinds[Int(entry.kind)].hasBytes ? entry.byteOffset : nil
    }

    /// Adds a finding.
    package mutating func append(_ finding: Finding) {
        let kind = Kind(
            code: finding.code, outcome: finding.outcome, field: finding.field, keyword: finding.keyword,
            rule: finding.rule, hasRow: finding.row != nil, hasBytes: finding.bytes != nil)
        var place = placeOfKind[kind]
        if place == nil {
            place = UInt32(kinds.count)
            placeOfKind[kind] = place
            kinds.append(kind)
        }
        let hasDetail = finding.statistic != nil || finding.threshold != nil || !finding.contributors.isEmpty
        if hasDetail {
            details.append(
                Detail(
                    statistic: finding.statistic, threshold: finding.threshold, contributors: finding.contributors))
        }
        entries.append(
            Entry(
                row: finding.row ?? 0, byteOffset: finding.byteOffset, byteLength: finding.byteLength,
                kind: place ?? 0, detail: hasDetail ? UInt32(details.count) : 0))
    }

    /// Adds findings.
    package mutating func append(contentsOf findings: some Sequence<Finding>) {
        for finding in findings { append(finding) }
    }

    /// Sorts by row and field, stably, and keeps the first `count`.
    package mutating func sort(keeping count: Int = .max) {
        // The standard library's sort is stable in fact, but does not promise it.
        let isSorted = entries.indices.dropFirst().allSatisfy { !precedes(entries[$0], entries[$0 - 1]) }
        if !isSorted {
            let order = entries.indices.sorted { left, right in
                if precedes(entries[left], entries[right]) { return true }
                return left < right && !precedes(entries[right], entries[left])
            }
            entries = order.prefix(count).map { entries[$0] }
        } else if entries.count > count {
            entries.removeLast(entries.count - count)
        }
    }

    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.row != right.row { return left.row < right.row }
        return (kinds[Int(left.kind)].field ?? -1) < (kinds[Int(right.kind)].field ?? -1)
    }
}
