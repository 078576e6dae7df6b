import Schemas
import Tabular

extension JSONSchemaCheck {
    /// The subject of a judgement: the values of a field, or whole records with these fields.
    enum Subject {
        case field(Int)
        case records(of: [Field])

        /// The field; nil for whole records.
        var field: Int? { if case .field(let index) = self { index } else { nil } }
    }

    /// Judges the rows with these indices. A row that violates the schema is rejected, and the finding names the first
    /// violated keyword.
    ///
    /// - Parameters:
    ///   - rows: the rows' indices.
    ///   - batch: the block.
    ///   - subject: the field, or whole records.
    ///   - session: the state across values.
    ///   - findings: gets the findings.
    func judge(
        _ rows: [UInt32], of batch: RowBlock, as subject: Subject, _ session: Session = Session(),
        into findings: inout BlockFindings
    ) {
        let bytes = batch.bytes.span
        let field = subject.field
        let column = field.flatMap { batch.layout.columnOfField[$0] }
        var tape = JSONTape()
        for row in rows {
            let index = Int(row)
            let record = batch.records[index]
            let range =
                column.map { batch.cells[index * batch.width + $0].range } ?? Int(record.start)..<Int(record.end)
            var verdict = Validity.invalid
            if (try? tape.read(bytes, range)) != nil { verdict = self.verdict(tape, session) }
            if verdict == .valid { continue }
            var finding = batch.finding(
                verdict == .invalid ? .jsonSchemaError : .jsonSchemaBudget, outcome: .rejected, at: index, field: field)
            // A text that is not JSON violates the schema as a whole, and no keyword can be named.
            if verdict == .invalid, let first = (try? violations(tape, limit: 1))?.first {
                finding.keyword = first.absoluteKeywordLocation
                // Of a record, the violated field, if the contract has it.
                if case .records(let fields) = subject,
                    let member = first.instanceLocation.split(separator: "/").first
                {
                    let field = fields.firstIndex { $0.name == member }
                    finding.location = Finding.Location(row: finding.row, field: field)
                }
            }
            findings.add(finding, at: index)
        }
    }
}

extension Validator {
    /// Judges whole records by the contract's JSON Schema: by column where possible, and then one by one only those
    /// that may violate it.
    func judgeRecords(
        _ rows: [UInt32], of batch: RowBlock, by check: JSONSchemaCheck, into findings: inout BlockFindings
    ) {
        let session = JSONSchemaCheck.Session()
        var rows = rows
        if batch.layout.format == .jsonl, let recordColumns {
            rows = check.suspects(among: rows, of: batch, by: recordColumns, session)
        }
        check.judge(rows, of: batch, as: .records(of: schema.fields), session, into: &findings)
    }
}
