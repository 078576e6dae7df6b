import Reading
import Schemas
import Sketches
import Tabular
import Testing
import Validating

/// A hash with a fixed key, so that every run gives the same result.
let testHash = KeyedHash(key: (0..<32).map { UInt8($0 * 7 + 1) })

/// The blocks that the real reader makes from a text.
func blocks(_ text: String, _ schema: Schema, _ format: SourceFormat, blockRows: Int = 2048) throws -> [RowBlock] {
    var plan = ReadingPlan(
        format: format, fieldNames: schema.fields.map(\.name), rejectsUnknown: schema.unknownFields == .reject,
        notesUnknown: schema.unknownFields == .drop || schema.recordSchema != nil,
        limits: ScanLimits(blockRows: blockRows))
    if schema.fieldsMatch?.allowsMissing == true { plan.optionalFields = Set(schema.fields.indices) }
    let bytes = Array(text.utf8)
    let head = try #require(try readHead(bytes.span, isWhole: true, plan: plan))
    let layout = try #require(head.layout, "\(head.findings)")
    let body = Array(bytes[head.length...])
    let slice = SourceSlice(
        ordinal: 0, offset: UInt64(head.length), length: UInt64(body.count), firstRow: 1, rowCount: 0, bytes: body)
    var reader = SliceReader(slice, layout: layout, plan: plan)
    var batches: [RowBlock] = []
    while let batch = reader.next() { batches.append(batch) }
    return batches
}

/// A contract from YAML.
func contract(_ text: String) throws -> Schema { try Schema.load(Array(text.utf8), name: "test.yaml").schema }

/// A contract with one field `v` of the given lines, and another column.
func fieldContract(_ lines: String, _ more: String = "") throws -> Schema {
    let body = lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    return try contract("fields:\n  - name: v\n\(body)\n  - name: z\n    type: any\n\(more)")
}

/// For each row of a text, the codes of its findings that reject it; `ok` if there are none.
func verdicts(_ schema: Schema, _ text: String, _ format: SourceFormat) throws -> [String] {
    let validator = try Validator(schema, hash: testHash)
    var out: [String] = []
    for batch in try blocks(text, schema, format) {
        let checked = validator.validate(batch)
        for row in 0..<batch.count {
            let codes = checked.findings.filter { $0.row == batch.firstRow + row && $0.outcome == .rejected }
                .map(\.code.rawValue)
            #expect(checked.isValid[row] == codes.isEmpty)
            out.append(codes.isEmpty ? "ok" : codes.joined(separator: " "))
        }
    }
    return out
}

/// The verdicts of CSV cells under field `v`; a cell is quoted if necessary, or with `isQuoted`.
func csv(_ schema: Schema, _ cells: [String], isQuoted: Bool = false) throws -> [String] {
    let rows = cells.map { cell -> String in
        let needsQuotes = isQuoted || cell.contains { ",\"\n\r".contains($0) }
        return (needsQuotes ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell) + ",z\n"
    }
    return try verdicts(schema, "v,z\n" + rows.joined(), .csv)
}

/// The verdicts of JSON tokens under field `v`.
func json(_ schema: Schema, _ tokens: [String]) throws -> [String] {
    try verdicts(schema, tokens.map { "{\"v\":\($0),\"z\":1}\n" }.joined(), .jsonl)
}

/// Checks cells and tokens of one field against expected results.
func expectCells(
    _ lines: String, csv cells: KeyValuePairs<String, String> = [:], json tokens: KeyValuePairs<String, String> = [:],
    _ more: String = "", location: SourceLocation = #_sourceLocation
) throws {
    let schema = try fieldContract(lines, more)
    for isQuoted in [false, true] {
        let found = try csv(schema, cells.map(\.key), isQuoted: isQuoted)
        #expect(found.count == cells.count, sourceLocation: location)
        for (cell, verdict) in zip(cells, found) {
            #expect(verdict == cell.value, "CSV \(cell.key.prefix(60))", sourceLocation: location)
        }
    }
    let found = try json(schema, tokens.map(\.key))
    #expect(found.count == tokens.count, sourceLocation: location)
    for (token, verdict) in zip(tokens, found) {
        #expect(verdict == token.value, "JSON \(token.key.prefix(60))", sourceLocation: location)
    }
}
