import Tabular

/// Finds the header of a sample: leading rows whose cells, over all columns, differ in form from the values below.
struct HeaderEvidence {
    /// The header rows, from 0, and the rows above them that are titles or notes.
    private(set) var header: [Int] = []
    private(set) var above: [Int] = []
    /// The reason, without values.
    private(set) var reason = ""
    private let rows: [SniffedTable.Row]
    private let width: Int

    /// Most rows of a header.
    private static let most = 3

    init(_ table: SniffedTable) {
        rows = table.body
        width = table.width
        if rows.isEmpty { return }
        let top = titleRows()
        let extent = headerRows(from: top)
        if extent > 1 {
            (header, above) = (Array(top..<top + extent), Array(0..<top))
            reason = "\(extent) rows have words where those below have numbers"
        } else if top > 0 {
            (header, above) = ([top], Array(0..<top))
            reason = "the row below \(top == 1 ? "a title" : "titles") has words where the rows below it have values"
        } else {
            judgeFirst()
        }
    }

    /// The form that nearly all values of a column have from a row on; nil when they differ.
    private func form(_ column: Int, from first: Int, allBut share: Double = 0.1) -> CellForm? {
        var counts: [CellForm: Int] = [:]
        var values = 0
        for row in rows.dropFirst(first) {
            let form = row.cells[column].form
            if form == .empty || form == .missing { continue }
            values += 1
            counts[form, default: 0] += 1
        }
        guard let best = counts.max(by: { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }) else {
            return nil
        }
        return Double(best.value) >= (1 - share) * Double(values) ? best.key : .text
    }

    /// Number of title rows: at most one filled cell each, above a filled row that differs from the rows below it.
    private func titleRows() -> Int {
        guard width > 1 else { return 0 }
        var top = 0
        while top < min(rows.count, SniffedTable.leadingMax), rows[top].filled <= 1 {
            if rows[top].filled == 1, rows[top].cells[0].form != .text { return 0 }
            top += 1
        }
        guard top > 0, top + 1 < rows.count, rows[top].filled == width, isWords(top) else { return 0 }
        // Below mostly blank labels, data rows would look the same. So a title must be a phrase, or have an empty row
        // below it.
        let isPhrase = (0..<top).contains { rows[$0].filled == 0 || rows[$0].cells[0].text.contains(0x20) }
        let hasTellingForm = (0..<width).contains { form($0, from: top + 1)?.isTelling == true }
        guard hasTellingForm || isPhrase else { return 0 }
        let full = rows[(top + 1)...].count { 2 * $0.filled > width }
        return 2 * full >= rows.count - top - 1 ? top : 0
    }

    /// Number of header rows from `top` on: rows without data in the columns of numbers or dates. More than 1 needs two
    /// such columns.
    private func headerRows(from top: Int) -> Int {
        for extent in stride(from: Self.most, to: 1, by: -1) where top + extent + 2 < rows.count {
            let typed = (0..<width).filter {
                let form = form($0, from: top + extent, allBut: 0)
                return form == .number || form == .moment
            }
            guard typed.count >= 2 else { continue }
            let last = rows[top + extent - 1]
            let isHeader = (top..<top + extent).allSatisfy { row in
                typed.allSatisfy { isLabel(rows[row].cells[$0], isLast: row == top + extent - 1) }
                    && rows[row].filled * 2 >= (row == top ? 1 : width)
            }
            guard isHeader, typed.count(where: { last.cells[$0].form == .text }) >= 2 else { continue }
            // The same word in all columns stands for a missing value.
            let words = Set(typed.map { last.cells[$0].hash })
            if words.count == 1, (last.cells[typed[0]].text.count) > 3 { continue }
            if rows[top..<top + extent].dropLast().allSatisfy({ $0.filled == 0 }) { continue }
            return extent
        }
        return 1
    }

    /// Whether a cell may be a label; years may stand above labels.
    private func isLabel(_ cell: SniffedTable.Cell, isLast: Bool) -> Bool {
        switch cell.form {
        case .text, .empty, .truth: true
        case .number: !isLast && isYear(cell)
        default: false
        }
    }

    private func isYear(_ cell: SniffedTable.Cell) -> Bool {
        guard let year = Int(String(decoding: cell.text, as: UTF8.self)) else { return false }
        return (1800...2200).contains(year)
    }

    /// Whether the values of a column are years.
    private func holdsYears(_ column: Int) -> Bool {
        2 * rows.dropFirst().count { isYear($0.cells[column]) } > rows.count - 1
    }

    private func isWords(_ row: Int) -> Bool {
        rows[row].cells.contains { $0.form == .text }
            && rows[row].cells.allSatisfy { $0.form == .text || $0.form == .empty || $0.form == .truth || isYear($0) }
    }

    /// Decides whether the first row is a header, if no other row can be one.
    private mutating func judgeFirst() {
        let first = rows[0].cells
        var (pro, con) = (0, 0)
        var hasNumber = false
        let wholes = first.map { cell in
            cell.form == .number ? Int(String(decoding: cell.text, as: UTF8.self)) : nil
        }
        let numbers = first.filter { $0.form == .number }.count
        let areYears = first.indices.allSatisfy { first[$0].form != .number || isYear(first[$0]) && !holdsYears($0) }
        let known = wholes.compactMap(\.self)
        let countOn =
            numbers > 2 && known.count == numbers && (0...1).contains(known[0])
            && zip(known, known.dropFirst()).allSatisfy { $0 + 1 == $1 }
        for (column, cell) in first.enumerated() {
            let below = form(column, from: 1)
            switch cell.form {
            case .empty, .missing,
                .truth where below != .truth:
                continue
            case .number where areYears || countOn: continue
            case .number, .moment, .address, .truth:
                hasNumber = true
                con += below == nil || below == cell.form ? 2 : 1
            case .text:
                if below?.isTelling == true {
                    pro += 1
                } else if isRepeated(cell, column) {
                    con += 1
                } else if isSentence(cell), below == .text {
                    con += 1
                }
            }
        }
        if con == 0, pro > 0 {
            header = [0]
            reason = "the first row has words where the rows below it have numbers or dates"
        } else if pro > con {
            header = [0]
            reason = "most of the first row is unlike the rows below it"
        } else if con > 0 {
            reason =
                hasNumber
                ? "the first row has a number or a date as the rows below it"
                : "the first row is like the rows below it"
        } else if numbers == first.count || first.allSatisfy({ $0.form == .empty || $0.form == .missing }) {
            reason = "the first row has a number or a date as the rows below it"
        } else {
            header = [0]
            reason = "the first row has distinct words, so it is taken for one"
        }
    }

    /// Whether values below repeat the label, as in a small vocabulary.
    private func isRepeated(_ cell: SniffedTable.Cell, _ column: Int) -> Bool {
        let again = rows.dropFirst().count { $0.cells[column].hash == cell.hash }
        // A header repeated further down is not a value.
        guard again > 0 else { return false }
        let whole = rows.dropFirst().count { row in zip(row.cells, rows[0].cells).allSatisfy { $0.hash == $1.hash } }
        return again > whole
    }

    private func isSentence(_ cell: SniffedTable.Cell) -> Bool {
        let words = cell.text.split(separator: 0x20).count
        guard let last = cell.text.last else { return false }
        return words >= 5 || words >= 3 && (last == 0x2E || last == 0x21 || last == 0x3F)
    }
}
