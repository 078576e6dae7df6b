import Tabular
import Testing

/// The packed values that the stages pass on.
struct BatchTests {
    @Test func `a cell keeps its kind and extents up to 2^28`() {
        let last = 1 << 28 - 1
        for raw in 0...7 as ClosedRange<UInt8> {
            guard let kind = CellKind(rawValue: raw) else { continue }
            let cell = Cell(kind: kind, start: 3, end: last, rawStart: 2, rawEnd: last)
            #expect(cell.kind == kind && cell.range == 3..<last && cell.rawEnd == last && cell.rawStart == 2)
            #expect(cell.isNothing == (kind == .absent || kind == .null))
            #expect(cell.isText == (kind == .bare || kind == .quoted))
            #expect(cell.isQuoted == (kind == .quoted))
            #expect(cell.isNumber == (kind == .number))
            #expect(cell.isBoolean == (kind == .boolean))
        }
        #expect(MemoryLayout<Cell>.size == 16)
    }

    @Test func `findings of a batch name row and range, and selections skip bad rows`() {
        let layout = Layout(format: .csv, columns: ["a"], fieldOfColumn: [0], columnOfField: [0], header: [])
        let rows = RowBlock.Rows(
            cells: [.absent, .absent], records: [RecordRange(start: 0, end: 1), RecordRange(start: 2, end: 4)],
            isWellFormed: [false, true], findings: [])
        let batch = RowBlock(
            layout: layout, bytes: Array("x\nyy\n".utf8), rows: rows, origin: .init(firstRow: 10, baseOffset: 100))
        let finding = batch.finding(.typeError, outcome: .rejected, at: 1, field: 0)
        #expect(finding.location == .cell(row: 11, field: 0) && finding.bytes == 102..<104)
        #expect(finding.byteOffset == 102 && finding.byteLength == 2 && batch.index(of: finding) == 1)
        #expect(batch.finding(.typeError, outcome: .rejected, at: 0).location == .row(10))
        #expect(RowSelection(wellFormed: batch).rows == [1])
    }

    @Test func `a location names its row and field, and the whole comes before its parts`() {
        let all: [Finding.Location] = [.batch, .column(0), .column(2), .row(1), .cell(row: 1, field: 0), .row(2)]
        #expect(all.map(\.row) == [nil, nil, nil, 1, 1, 2])
        #expect(all.map(\.field) == [nil, 0, 2, nil, 0, nil])
        #expect(all.reversed().sorted() == all)
        #expect(all.allSatisfy { Finding.Location(row: $0.row, field: $0.field) == $0 })
        let finding = Finding(.tooFewRows, outcome: .quarantined, at: .batch)
        #expect(finding.bytes == nil && finding.byteOffset == 0 && finding.byteLength == 0)
    }

    @Test func `a field's name, where there is such a field`() {
        let names = ["a", "b"]
        #expect(names.name(ofField: 1) == "b")
        #expect(names.name(ofField: nil) == nil && names.name(ofField: 2) == nil)
    }

    @Test func `outcomes are ordered by severity and only mild ones are released`() {
        #expect(Outcome.allCases == Outcome.allCases.sorted())
        #expect(Outcome.allCases.filter(\.isReleased) == [.accepted, .flagged])
    }
}
