import Cryptography
import Masking
import Reading
import Recognition
package import Schemas
import Storage
package import Tabular

/// Makes a first contract from a file's own rows, all of them: one that knew only the first rows would refuse later ones.
///
/// - Returns: the inference, which writes itself as a contract or as a commented document.
package func inferSchema(
    _ path: String, options: BatchOptions, showsValues: Bool = false
) throws(IngestionError) -> SchemaInference {
    guard let format = options.format ?? Corridor.format(of: path) else {
        throw IngestionError(
            .usage, "\(path): the name does not say whether it is CSV or JSON Lines; add --input-format csv or jsonl")
    }
    let dialect = options.dialect(nil, ofFile: path)
    var names: [String] = []
    if format == .jsonl, !dialect.hasArrayItems { names = try memberNames(path, options, dialect) }
    var plan = ReadingPlan(
        format: format, fieldNames: names, rejectsUnknown: false, engine: options.engine)
    plan.dialect = dialect
    plan.coding.encoding = options.encoding ?? .utf8
    plan.coding.mayBeArray = format == .jsonl
    if format == .jsonl {
        (plan.coding.property, plan.coding.hasArrayItems) = (dialect.property, dialect.hasArrayItems)
        plan.coding.isList = Corridor.isList(path)
    }
    let cutter = try SliceCutter(Source(path), plan: plan, sliceBytes: options.sliceBytes)
    guard let layout = cutter.head.layout else {
        let reasons = cutter.head.findings.map { finding in
            finding.code.rawValue + (finding.field >= 0 ? " in column \(finding.field + 1)" : "")
        }
        throw IngestionError(
            .unreadableData,
            "\(path): no contract can be made from this header: \(reasons.joined(separator: ", ")); every column needs a "
                + "label of its own")
    }
    if let place = layout.columns.firstIndex(where: isData) {
        throw IngestionError(
            .unreadableData,
            format == .csv
                ? "\(path): the label of column \(place + 1) looks like data, so the header line seems to be missing; "
                    + "add one, or write a contract"
                : "\(path): the key of member \(place + 1) looks like data, and keys go into the ledger; write a contract"
        )
    }
    var inference = SchemaInference(columns: layout.columns, isJSON: format == .jsonl)
    inference.encoding = plan.coding.encoding
    if format == .csv || dialect.concernsJSON { inference.dialect = plan.dialect }
    inference.showsValues = showsValues
    var left = personalDataRows
    let scanners = layout.columns.map { TextScanner(entities: Entity.usual, columnName: $0) }
    while let slice = try cutter.next() {
        var reader = SliceReader(slice, layout: layout, plan: plan)
        while let batch = reader.next() {
            let bytes = batch.bytes.span
            for row in 0..<batch.count where batch.isWellFormed[row] {
                for column in 0..<batch.width {
                    let cell = batch.cells[row * batch.width + column]
                    inference.add(column: column, kind: cell.kind, bytes: bytes, range: cell.range)
                    if left > 0, cell.isText, !cell.range.isEmpty {
                        search(scanners[column], bytes, cell.range, column, &inference)
                    }
                }
                left -= 1
                inference.endRow()
            }
        }
    }
    return inference
}

/// Rows whose texts are searched for personal data: enough to tell what a column is.
private let personalDataRows = 10_000

/// Looks what personal data a value is, or has in it.
private func search(
    _ scanner: TextScanner, _ bytes: Span<UInt8>, _ range: Range<Int>, _ column: Int, _ inference: inout SchemaInference
) {
    var matches: [EntityMatch] = []
    scanner.scan(bytes, range: range, into: &matches)
    let whole = matches.first { $0.range == range }
    inference.note(
        column: column, whole: whole?.entity.name, inside: whole == nil ? matches.map(\.entity.name) : [])
}

/// Whether a column's label looks like a value: a number, a date, an address. Labels go into the contract and the ledger.
private func isData(_ label: String) -> Bool {
    let bytes = Array(label.utf8)
    let letters = bytes.count { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x80 }
    return !bytes.isEmpty && (letters == 0 || bytes.contains(0x40))
}

/// The member names of all objects, in the order they first appear.
private func memberNames(_ path: String, _ options: BatchOptions, _ dialect: Dialect) throws(IngestionError) -> [String]
{
    if !dialect.itemKeys.isEmpty { return dialect.itemKeys }
    var names: [String] = []
    func plan() -> ReadingPlan {
        var plan = ReadingPlan(format: .jsonl, fieldNames: names, rejectsUnknown: false, notesUnknown: true)
        plan.coding.encoding = options.encoding ?? .utf8
        plan.coding.mayBeArray = true
        plan.coding.property = dialect.property
        return plan
    }
    // A small first piece: once its names are known, only new ones are told of.
    let cutter = try SliceCutter(Source(path), plan: plan(), sliceBytes: min(options.sliceBytes, 1 << 20))
    while let slice = try cutter.next() {
        let layout = Layout(jsonMembers: names)
        var seen = Set<String>()
        var reader = SliceReader(slice, layout: layout, plan: plan())
        while let batch = reader.next() {
            for extra in batch.extras {
                var end = extra.start + 1
                while batch.bytes[end] != 0x22 { end += batch.bytes[end] == 0x5C ? 2 : 1 }
                guard let name = try? JSONValue.parse(Array(batch.bytes[extra.start...end])).text else { continue }
                if seen.insert(name).inserted, !names.contains(name) { names.append(name) }
            }
        }
    }
    return names
}

extension Schema {
    /// An inferred contract with a digest of all that was inferred, in the words of a contract.
    package static func digested(_ inference: SchemaInference) -> (schema: Schema, document: JSONValue) {
        var schema = inference.schema()
        let document = JSONValue.object([
            "inferred": .bool(true),
            "fields": .array(
                schema.fields.map { field in
                    var members: [String: JSONValue] = ["name": .string(field.name), "type": .string(field.type.name)]
                    if let format = field.type.format { members["format"] = .string(format) }
                    if let missing = field.missingValues {
                        members["missingValues"] = .array(missing.map { .string($0) })
                    }
                    return .object(members)
                }),
        ])
        schema.digest = SHA256.hash(document.canonicalBytes())
        return (schema, document)
    }
}
