import Reading
import Tabular
import Testing

/// Columns without a label, and fields that name a column by position.
@Suite struct `labels of a header` {
    private func head(
        _ text: String, _ fields: [String], rejects: Bool = false, _ change: (inout ReadingPlan) -> Void = { _ in }
    ) throws -> SourceHead {
        var plan = ReadingPlan(format: .csv, fieldNames: fields, rejectsUnknown: rejects)
        change(&plan)
        return try #require(try readHead(Array(text.utf8).span, isWhole: true, plan: plan))
    }

    @Test func `a blank label is named by its position, a double by a number, both with a remark`() throws {
        let found = try head(",id,x,x, \n", ["id"])
        #expect(found.layout?.columns == ["column 1", "id", "x", "x 2", "column 5"])
        #expect(found.findings.map(\.code) == [.blankLabel, .duplicateLabel])
        #expect(found.findings.allSatisfy { $0.outcome == .flagged })
        #expect(found.findings.map(\.rule) == ["columns 1, 5", "column 4"])
        #expect(found.layout.map { String(decoding: $0.header, as: UTF8.self) } == "column 1,id,x,x 2,column 5\n")
        #expect(found.unlabelled == [0, 3, 4] && found.lastIsBlank)
        // A label that exists already is not given to another column.
        let taken = try head("x,x 2,x,,column 4\n", [])
        #expect(taken.layout?.columns == ["x", "x 2", "x 3", "column 4 (2)", "column 4"])
    }

    @Test func `a field that goes by a label of two columns is refused, unless it says which`() throws {
        let both = try head("a,a\n", ["a"])
        #expect(both.layout == nil && both.findings.map(\.code) == [.duplicateLabel])
        let second = try head("a,a\n", ["a"]) { $0.places.ofFields = [2] }
        #expect(second.layout?.columnOfField == [1])
        let each = try head("a,a\n", ["p", "q"], rejects: true) { $0.places.ofFields = [1, 2] }
        #expect(each.layout?.fieldOfColumn == [0, 1] && each.findings.isEmpty)
    }

    @Test func `fields by position, dropped columns and a trailing delimiter`() throws {
        let placed = try head(",b,c\n", ["row", "c"], rejects: true) {
            $0.places.ofFields = [1, nil]
            $0.places.dropped = [2]
        }
        #expect(placed.layout?.columnOfField == [0, 2] && placed.layout?.dropped == [1] && placed.findings.isEmpty)
        let few = try head("a\n", ["x"]) { $0.places.ofFields = [3] }
        #expect(few.findings.map(\.code) == [.missingLabel] && few.findings[0].rule?.contains("3") == true)
        let trailing = try head("a,b,\n1,2,\n", ["a", "b"], rejects: true) { $0.places.hasTrailingDelimiter = true }
        #expect(trailing.layout?.dropped == [2] && trailing.layout?.hasEmptyLast == true && trailing.findings.isEmpty)
        let none = try head("1,2,\n", ["a", "b"]) {
            $0.dialect.headerRows = []
            $0.places.hasTrailingDelimiter = true
        }
        #expect(none.layout?.columnOfField == [0, 1] && none.layout?.columns == ["a", "b", "column 3"])
    }

    @Test func `a row with a value behind the trailing delimiter has a cell too many`() throws {
        var plan = ReadingPlan(format: .csv, fieldNames: ["a", "b"])
        plan.places.hasTrailingDelimiter = true
        let text = Array("a,b,\n1,2,\n3,4,5\n6,7,\n".utf8)
        let layout = try #require(try readHead(text.span, isWhole: true, plan: plan)?.layout)
        let rest = Array(text[5...])
        var reader = SliceReader(
            SourceSlice(ordinal: 0, offset: 5, length: UInt64(rest.count), firstRow: 1, rowCount: 3, bytes: rest),
            layout: layout, plan: plan)
        let next = reader.next()
        let batch = try #require(next)
        #expect(batch.isWellFormed == [true, false, true])
        #expect(batch.findings.map(\.code) == [.extraCell] && batch.findings[0].row == 2)
    }

    @Test func `labels are compared in normal form, and near misses are named with what helps`() throws {
        #expect(try head("pre\u{301}nom\n", ["pr\u{E9}nom"]).layout?.columnOfField == [0])
        func reason(_ label: String) throws -> String { try head("\(label),x\n", ["id"]).findings[0].rule ?? "" }
        #expect(try reason("ID").contains("caseSensitiveHeader: false"))
        for label in ["id ", " id", "\u{A0}id", "\u{2009}id"] {
            #expect(try reason(label).contains("trimLabels: true"))
        }
        #expect(try reason("Id ").contains("caseSensitiveHeader: false") && reason("Id ").contains("trimLabels: true"))
        #expect(try head("code,x\n", ["id"]).findings[0].rule == nil)
        let trimmed = try head(" id\u{A0},x\n", ["id", "x"]) { $0.places.trimsLabels = true }
        #expect(trimmed.layout?.columnOfField == [0, 1])
        let folded = try head("ID ,x\n", ["id"]) {
            $0.places.trimsLabels = true
            $0.dialect.caseSensitiveHeader = false
        }
        #expect(folded.layout?.columnOfField == [0])
    }

    @Test func `members of JSON are compared in normal form too`() throws {
        let plan = ReadingPlan(format: .jsonl, fieldNames: ["pr\u{E9}nom"])
        let text = Array("{\"pre\u{301}nom\": \"Ann\"}\n".utf8)
        let layout = try #require(try readHead(text.span, isWhole: true, plan: plan)?.layout)
        var reader = SliceReader(
            SourceSlice(ordinal: 0, offset: 0, length: UInt64(text.count), firstRow: 1, rowCount: 1, bytes: text),
            layout: layout, plan: plan)
        let next = reader.next()
        let batch = try #require(next)
        #expect(batch.isWellFormed == [true] && batch.cells[0].kind == .quoted)
    }
}
