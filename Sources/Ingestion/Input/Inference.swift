import Cryptography
import Masking
import Reading
import Recognition
package import Schemas
import Screening
import Storage
package import Tabular

/// Infers a contract from all rows of a file. A contract inferred from the first rows alone would refuse later ones.
///
/// - Parameters:
///   - input: the file or files.
///   - options: how they are read.
///   - showsValues: whether the commented document may quote values of the file.
/// - Returns: the inference, which writes itself as a contract or as a commented document.
/// - Throws: `unreadableData` when the header cannot serve: missing, ambiguous, too wide, or with personal data in it.
package func inferSchema(
    _ input: BatchInput, options: BatchOptions, showsValues: Bool = false
) throws(IngestionError) -> SchemaInference {
    let path = input.name
    let format = try options.format(ofFile: input.files[0])
    let dialect = options.dialect(nil, ofFile: input.files[0])
    let source = try SourceFiles(input)
    var names: [String] = []
    if format == .jsonl, !dialect.hasArrayItems { names = try memberNames(source, options, dialect) }
    var plan = ReadingPlan(
        format: format, fieldNames: names, rejectsUnknown: false, engine: options.engine)
    plan.dialect = dialect
    plan.coding.encoding = options.encoding ?? .utf8
    plan.coding.mayBeArray = format == .jsonl
    if format == .jsonl {
        (plan.coding.property, plan.coding.hasArrayItems) = (dialect.property, dialect.hasArrayItems)
        plan.coding.isList = isDocument(input.files[0])
    }
    let cutter = try SliceCutter(source, plan: plan, sliceBytes: options.sliceBytes)
    guard let layout = cutter.head.layout else {
        let reasons = cutter.head.findings.map { finding in
            finding.code.rawValue + (finding.field.map { " in column \($0 + 1)" } ?? "")
        }
        throw IngestionError(
            .unreadableData,
            "\(path): no contract can be made from this header: \(reasons.joined(separator: ", "))")
    }
    guard layout.columns.count <= columnsMax else {
        throw IngestionError(
            .unreadableData,
            "\(path): it has \(layout.columns.count) columns, and without a contract at most \(columnsMax) are read; write one "
                + "with a larger sluice.limits.maxFields if that is intended")
    }
    try requireNames(layout, path)
    var inference = SchemaInference(columns: layout.columns, isJSON: format == .jsonl)
    inference.unlabelled = cutter.head.unlabelled
    inference.lastIsBlank = cutter.head.lastIsBlank
    inference.encoding = plan.coding.encoding
    if format == .csv || dialect.concernsJSON { inference.dialect = plan.dialect }
    inference.showsValues = showsValues
    try inference.add(cutter, layout, plan)
    for column in layout.columns.indices {
        let (numbers, codes) = inference.sample(of: column)
        let form: ColumnForm = inference.isNumeric(column) ? .of(numbers: numbers) : .of(codes: codes)
        inference.note(column: column, form: SampledForm(form))
    }
    // Only a header row can be mistaken data; names of JSON members cannot.
    let areOfFirstRow =
        !dialect.headerRows.isEmpty && (format == .csv || dialect.hasArrayItems && dialect.itemKeys.isEmpty)
    if areOfFirstRow, let place = inference.columnWithDataForLabel {
        throw missingHeader(path, column: place + 1, format)
    }
    return inference
}

extension SampledForm {
    /// The form of a column's values in the terms of the inference.
    fileprivate init(_ form: ColumnForm) {
        self =
            switch form {
            case .key: .key
            case .constant: .constant
            case .category: .category
            case .code: .code
            default: .other
            }
    }
}

/// Most columns of a file without a contract: the default limit of contracts.
private let columnsMax = RowLimits().maxFields

extension SchemaInference {
    /// Reads every row of a file into the inference. Personal data is looked for in the first `personalDataRows` rows
    /// only.
    fileprivate mutating func add(
        _ cutter: SliceCutter, _ layout: Layout, _ plan: ReadingPlan
    ) throws(IngestionError) {
        var left = personalDataRows
        let scanners = layout.columns.map { TextScanner(entities: Entity.usual, columnName: $0) }
        while let slice = try cutter.next() {
            var reader = SliceReader(slice, layout: layout, plan: plan)
            while let batch = reader.next() {
                let bytes = batch.bytes.span
                for row in 0..<batch.count where batch.isWellFormed[row] {
                    for column in 0..<batch.width {
                        let cell = batch.cells[row * batch.width + column]
                        if cell.isAbsent { continue }
                        add(column: column, kind: cell.kind, bytes: bytes, range: cell.range)
                        if left > 0, cell.isText, !cell.range.isEmpty {
                            notePersonalData(in: bytes, cell.range, column: column, with: scanners[column])
                        }
                    }
                    left -= 1
                    endRow()
                }
            }
        }
    }

    /// Notes the personal data in a value: one entity that covers it all, or those inside it.
    private mutating func notePersonalData(
        in bytes: Span<UInt8>, _ range: Range<Int>, column: Int, with scanner: TextScanner
    ) {
        var matches: [EntityMatch] = []
        scanner.scan(bytes, range: range, into: &matches)
        let whole = matches.first { $0.range == range }
        note(column: column, whole: whole?.entity.name, inside: whole == nil ? matches.map(\.entity.name) : [])
    }
}

/// Rows whose texts are searched for personal data: enough to classify a column.
private let personalDataRows = 10_000

/// Refuses labels that hold personal data or credentials, since labels are written to the contract, to reports and to
/// the ledger.
private func requireNames(_ layout: Layout, _ path: String) throws(IngestionError) {
    let isCSV = layout.format == .csv
    let search = LabelSearch()
    for (place, label) in layout.columns.enumerated() {
        if let kind = search.kinds(in: label).first {
            throw IngestionError(
                .unreadableData,
                isCSV
                    ? "\(path): the label of column \(place + 1) holds personal data or a credential (\(kind)), so the header line "
                        + "seems to be missing; \(headerCure)"
                    : "\(path): the name of member \(place + 1) holds personal data or a credential (\(kind)), and names go into "
                        + "the ledger; write a contract that names the fields")
        }
        if !isCSV, isData(label) {
            throw IngestionError(
                .unreadableData,
                "\(path): the name of member \(place + 1) looks like data, and names go into the ledger; write a contract that "
                    + "names the fields")
        }
    }
}

/// The remedy for a missing header.
private let headerCure =
    "add one, or give --dialect FILE with `header: false` in it, or write a contract and give --schema FILE"

/// The error for a first row that is data.
private func missingHeader(_ path: String, column: Int, _ format: SourceFormat) -> IngestionError {
    IngestionError(
        .unreadableData,
        "\(path): the label of column \(column) looks like data, so the header line seems to be missing; \(headerCure)")
}

/// Whether a member's name looks like a value: a number, a date, an address.
private func isData(_ label: String) -> Bool {
    let bytes = Array(label.utf8)
    let letters = bytes.count { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x80 }
    return !bytes.isEmpty && (letters == 0 || bytes.contains(0x40) || isTimeOrIdentifier(label))
}

/// The member names of all objects, in order of first appearance.
private func memberNames(_ source: SourceFiles, _ options: BatchOptions, _ dialect: Dialect) throws(IngestionError)
    -> [String]
{
    if !dialect.itemKeys.isEmpty { return dialect.itemKeys }
    var names: [String] = []
    var known = Set<String>()
    func plan() -> ReadingPlan {
        var plan = ReadingPlan(format: .jsonl, fieldNames: names, rejectsUnknown: false, notesUnknown: true)
        plan.coding.encoding = options.encoding ?? .utf8
        plan.coding.mayBeArray = true
        plan.coding.property = dialect.property
        return plan
    }
    // The first slice is small: once it has given the names, the reader reports only new ones.
    let cutter = try SliceCutter(source, plan: plan(), sliceBytes: min(options.sliceBytes, 1 << 20))
    while let slice = try cutter.next() {
        let layout = Layout(jsonMembers: names)
        var reader = SliceReader(slice, layout: layout, plan: plan())
        while let batch = reader.next() {
            for extra in batch.extras {
                guard let name = memberName(batch.bytes, at: extra.start), known.insert(name).inserted else { continue }
                names.append(name)
                guard names.count <= columnsMax else {
                    throw IngestionError(
                        .unreadableData,
                        "\(source.path): with row \(batch.firstRow + extra.row) its rows have more than \(columnsMax) different member "
                            + "names, and without a contract no more are read; if the names are data, write a contract that names "
                            + "the other fields")
                }
            }
        }
    }
    return names
}

/// The name of the member whose key begins with the quote at `start`; nil when the key is not closed.
private func memberName(_ bytes: [UInt8], at start: Int) -> String? {
    var end = start + 1
    var isPlain = true
    while bytes[end] != 0x22 {
        if bytes[end] == 0x5C {
            isPlain = false
            end += 1
        }
        end += 1
    }
    if isPlain { return String(validating: bytes[start + 1..<end], as: UTF8.self) }
    return try? JSONValue.parse(Array(bytes[start...end])).text
}

extension Schema {
    /// The inferred contract and its document, with the digest of everything that was inferred.
    package static func digested(_ inference: SchemaInference) -> (schema: Schema, document: JSONValue) {
        var schema = inference.schema()
        var settings: [String: JSONValue] = ["apiVersion": .string("sluice/v1"), "unknownFields": .string("keep")]
        if schema.trailingDelimiter { settings["trailingDelimiter"] = .bool(true) }
        let document = JSONValue.object([
            "inferred": .bool(true),
            "fields": .array(
                schema.fields.map { field in
                    .object(Dictionary(uniqueKeysWithValues: field.inferred.map { ($0.key, $0.value) }))
                }),
            "sluice": .object(settings),
        ])
        schema.digest = SHA256.hash(document.canonicalBytes())
        return (schema, document)
    }
}
