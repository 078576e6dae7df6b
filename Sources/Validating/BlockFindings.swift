import Tabular

/// Collects the findings about one block, and which of its rows are still valid.
struct BlockFindings {
    let batch: RowBlock
    /// In the order in which they were made, the reader's first.
    private(set) var all: [Finding]
    /// For each row, whether no finding rejects it.
    private(set) var isValid: [Bool]

    /// Starts with the reader's findings.
    init(_ batch: RowBlock) {
        self.batch = batch
        all = batch.findings
        isValid = batch.isWellFormed
    }

    /// Adds a finding; one that rejects makes the row invalid.
    ///
    /// - Parameters:
    ///   - code: the finding.
    ///   - outcome: the outcome for the row.
    ///   - row: the row's index in the block.
    ///   - field: the contract's field; nil for the whole row.
    ///   - rule: details, without values.
    mutating func add(
        _ code: FindingCode, _ outcome: Outcome, at row: Int, field: Int? = nil, rule: String? = nil
    ) {
        var finding = batch.finding(code, outcome: outcome, at: row, field: field)
        finding.rule = rule
        add(finding, at: row)
    }

    /// Adds a finding about the row with index `row` in the block.
    mutating func add(_ finding: Finding, at row: Int) {
        all.append(finding)
        if finding.outcome == .rejected { isValid[row] = false }
    }

    /// Rejects a row.
    mutating func reject(_ row: Int, for code: FindingCode, field: Int? = nil) {
        add(code, .rejected, at: row, field: field)
    }

    /// The findings by row, then field, code and rule. A counting sort by row comes first, since a row has few.
    func ordered() -> [Finding] {
        let findings = all
        func isBefore(_ left: Int, _ right: Int) -> Bool {
            let (a, b) = (findings[left], findings[right])
            return (a.location, a.code, a.rule ?? "", left) < (b.location, b.code, b.rule ?? "", right)
        }
        // The first finding of each row.
        var starts = [Int](repeating: 0, count: batch.count + 1)
        for finding in findings { starts[batch.index(of: finding) + 1] += 1 }
        for row in 0..<batch.count { starts[row + 1] += starts[row] }
        var places = [Int](repeating: 0, count: findings.count)
        var next = starts
        for (index, finding) in findings.enumerated() {
            let row = batch.index(of: finding)
            places[next[row]] = index
            next[row] += 1
        }
        for row in 0..<batch.count where starts[row + 1] - starts[row] > 1 {
            places[starts[row]..<starts[row + 1]].sort(by: isBefore)
        }
        return places.map { findings[$0] }
    }
}
