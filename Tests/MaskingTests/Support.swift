import Cryptography
import Masking
import Reading
import Schemas
import Screening
import Sketches
import Tabular
import Testing
import Validating

/// The result of masking a text.
struct Masked {
    /// Header and rows.
    var text: String
    /// What was masked.
    var receipts: [MaskReceipt: Int]
    /// Rows released.
    var rows: Int
    /// Rows by their quasi-identifiers.
    var classes: EquivalenceClasses
}

/// A contract from YAML.
func contract(_ text: String) throws -> Schema { try Schema.load(Array(text.utf8), name: "test.yaml").schema }

/// A token key of one repeated byte.
func tokenKey(_ byte: UInt8) -> SecretKey { SecretKey(copying: [UInt8](repeating: byte, count: 32).span) }

/// The reading plan of `schema` for a text.
func plan(_ schema: Schema, _ format: SourceFormat, _ delimiter: UInt8 = 0x2C) -> ReadingPlan {
    var plan = ReadingPlan(
        format: format, fieldNames: schema.fields.map(\.name), rejectsUnknown: schema.unknownFields == .reject,
        notesUnknown: true, limits: ScanLimits(blockRows: 16))
    plan.dialect.delimiter = delimiter
    plan.fieldPaths = schema.fields.map(\.path)
    return plan
}

/// The blocks that the real reader makes from a text.
func blocks(_ text: String, _ plan: ReadingPlan) throws -> (Layout, [RowBlock]) {
    let bytes = Array(text.utf8)
    let head = try #require(try readHead(bytes.span, isWhole: true, plan: plan))
    let layout = try #require(head.layout, "\(head.findings)")
    let body = Array(bytes[head.length...])
    let slice = SourceSlice(
        ordinal: 0, offset: UInt64(head.length), length: UInt64(body.count), firstRow: 1, rowCount: 0, bytes: body)
    var reader = SliceReader(slice, layout: layout, plan: plan)
    var batches: [RowBlock] = []
    while let batch = reader.next() { batches.append(batch) }
    return (layout, batches)
}

/// Reads, checks, screens and masks a text, as the pipeline does; `inPlace: false` leaves every value to its operator.
func mask(
    _ schema: Schema, _ text: String, _ format: SourceFormat, keyByte: UInt8 = 1, delimiter: UInt8 = 0x2C,
    inPlace: Bool = true
) throws -> Masked {
    let (layout, batches) = try blocks(text, plan(schema, format, delimiter))
    let hash = KeyedHash(key: [UInt8](repeating: 5, count: 32))
    let validator = try Validator(schema, hash: hash)
    let screened = ScreenedFields(schema, numericFields: validator.numericFields)
    let features = FeatureReader(screened, validator)
    let profile = Profile(features, keyRules: validator.keyRules.count)
    let decision = Decision(profile, beside: Precedents(), schema: schema, screened: screened, seed: 1)
    let screener = Screener(decision, features, actions: [:])
    var masker = try Masker(
        schema, layout: layout, dialect: plan(schema, format, delimiter).dialect, keys: ["k": tokenKey(keyByte)],
        hash: hash)
    masker.writesPlainValues = inPlace
    var out = masker.header
    var receipts: [MaskReceipt: Int] = [:]
    var rows = 0
    var classes = EquivalenceClasses()
    for batch in batches {
        let masked = masker.mask(screener.screen(validator.validate(batch)))
        out += masked.text
        receipts.merge(masked.receipts, uniquingKeysWith: +)
        rows += masked.rows
        for key in masked.classKeys { classes.add(key.identity, sensitive: key.sensitive) }
    }
    return Masked(text: String(decoding: out, as: UTF8.self), receipts: receipts, rows: rows, classes: classes)
}
