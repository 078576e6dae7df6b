import Cryptography
package import Reading
import Recognition
package import Schemas
import Sketches
package import Tabular
import Screening
import Sealing
import Validating

/// How far a batch may go: the same corridor with fewer doors open.
package enum Doors: Int, Sendable, Comparable {
    /// Survey and decide only.
    case validate
    /// Both passes, nothing written.
    case dryRun
    /// Everything.
    case ingest

    /// Orders doors by how far they let a batch.
    package static func < (left: Doors, right: Doors) -> Bool { left.rawValue < right.rawValue }
}

/// What the command line asks of one batch.
package struct BatchOptions: Sendable {
    /// How far the batch may go.
    package var doors = Doors.ingest
    /// The format, or nil to go by the file name.
    package var format: SourceFormat?
    /// The text's encoding, or nil for what the contract says.
    package var encoding: TextEncoding?
    /// The CSV reader.
    package var engine = CSVEngine.structural
    /// How CSV is written, or nil for what the contract says.
    package var dialect: Dialect?
    /// The CSV delimiter, instead of the dialect's.
    package var delimiter: UInt8?
    /// Workers.
    package var jobs = 2
    /// Bytes of a slice.
    package var sliceBytes = 16 << 20
    /// Findings listed one by one; totals are exact whatever this is.
    package var listed = 1000
    /// Personal data told one by one, by place and kind.
    package var spotted = 0
    /// Judge a batch again that was judged before and not accepted.
    package var force = false
    /// The accepted batch that this one shall replace, if it is accepted too.
    package var supersedes: String?
    /// For `validate`: where the rows that pass are to be written, and those that do not.
    package var validRows: String?, invalidRows: String?
    /// Where a file without a name may be kept, when there is no store.
    package var temporaryFolder = "/tmp"
    /// Keys of rows that are kept in memory, 16 bytes each; others go into such a file.
    package var keysInMemory = 8 << 20
    /// The seed of everything random, or nil for the one that follows from contract and baseline.
    package var seed: UInt64?
    /// Contract fields not to be screened.
    package var excluded: [String] = []
    /// A contract that runs beside the one in force and only reports what would be different.
    package var shadow: (schema: Schema, document: JSONValue)?
    /// The held batch that a person lets out, and why; then the file is what was sealed of it.
    var waiver: Waiver?
    /// Whether a JSON file is one document or lines, where its name is not known any more.
    var isList: Bool?
    /// Whether the report is to say what became of each row.
    var keepsFates = false
    /// Asked before each read; true ends the work with `tryAgain`.
    package var isStopped: @Sendable () -> Bool = { false }
    /// Called now and then with rows and bytes done, and bytes to do.
    package var progress: (@Sendable (_ rows: Int, _ bytes: Int, _ total: Int) -> Void)?

    /// The defaults.
    package init() {}

    /// The dialect of a file whose contract says `declared`; where nobody says anything, a name in .tsv means tabs.
    func dialect(_ declared: Dialect?, ofFile name: String) -> Dialect {
        var dialect = dialect ?? declared ?? Dialect()
        if self.dialect == nil, declared == nil, Corridor.plainName(name).hasSuffix(".tsv") { dialect.delimiter = 0x09 }
        if let delimiter { dialect.delimiter = delimiter }
        return dialect
    }
}

/// Everything a slice needs besides its bytes: contract, policy, keys, pipeline version.
struct Plan: Sendable {
    let dataset: String
    let source: String
    let schema: Schema
    let fieldNames: [String]
    let options: BatchOptions
    let reading: ReadingPlan
    private(set) var validator: Validator
    let screened: ScreenedFields
    let reader: FeatureReader
    /// What nobody outside can tell.
    let choices: SecretChoices
    let recipients: [WrappingKey]
    let tokenKeys: [String: SecretKey]
    let policyDigest: [UInt8]
    /// Where the keys are from that the contract's foreign keys refer to.
    let references: [Reference]

    /// The version of everything that can change an outcome.
    static let pipelineVersion = "16"

    /// The plan with what a first look at all rows corrects in the search for personal data.
    func correcting(_ corrections: [Int: Set<Entity>]) -> Plan {
        var plan = self
        plan.validator = validator.correcting(corrections)
        return plan
    }

    init(
        schema: Schema, dataset: String, source: String, format: SourceFormat, options: BatchOptions, secret: [UInt8],
        recipients: [WrappingKey], tokenKeys: [String: SecretKey], file: String, hash: KeyedHash,
        references: [Reference] = []
    ) throws(IngestionError) {
        var schema = schema
        for index in schema.fields.indices where options.excluded.contains(schema.fields[index].name) {
            schema.fields[index].anomaly.enabled = false
        }
        schema.forest.fields.removeAll { options.excluded.contains($0) }
        self.schema = schema
        self.dataset = dataset
        self.source = source
        self.options = options
        choices = SecretChoices(secret: secret, dataset: dataset)
        self.recipients = recipients
        self.tokenKeys = tokenKeys
        fieldNames = schema.fields.map(\.name)
        reading = try ReadingPlan(schema, format, options, file)
        do throws(UnusableContract) {
            validator = try Validator(schema, hash: hash)
        } catch {
            throw IngestionError(error, file: file)
        }
        screened = ScreenedFields(schema, numericFields: validator.numericFields)
        reader = FeatureReader(screened, validator, claims: ClaimReader(validator, source: source))
        // The keys themselves are in `BatchKeys`.
        self.references = references.map { Reference(digest: $0.digest, isFile: $0.isFile, document: $0.document) }
        var policy: [String: JSONValue] = [
            "pipeline": .string(Self.pipelineVersion), "slice_bytes": .integer(Int64(options.sliceBytes)),
            "engine": .string(options.engine.rawValue), "dialect": reading.dialect.document,
            "recipients": .array(recipients.map { .string($0.name) }),
            "tokens": .object(
                Dictionary(
                    tokenKeys.map { ($0.key, JSONValue.string($0.value.fingerprint(name: $0.key))) },
                    uniquingKeysWith: { first, _ in first })),
            "seed": options.seed.map { .string(String($0)) } ?? .null,
            "encoding": .string(reading.coding.encoding.rawValue),
            "references": .array(references.map { .string(hex($0.digest)) }),
            "excluded": .array(options.excluded.sorted().map { .string($0) }),
        ]
        if options.waiver?.waivesStatistics == true { policy["waives"] = .string("statistics") }
        let lists = schema.fields.compactMap { $0.pii?.names?.fingerprint }
        if !lists.isEmpty { policy["dictionaries"] = .array(lists.map { .string(String($0, radix: 16)) }) }
        policyDigest = SHA256.hash(JSONValue.object(policy).canonicalBytes())
    }

    /// The hash of keys: under the store's secret, or, outside a store, under one that nobody keeps.
    static func keyHash(_ secret: [UInt8]?) throws(IngestionError) -> KeyedHash {
        if let secret { return KeyedHash(key: SHA256.hash(Array("unique".utf8) + secret)) }
        do throws(CryptographyError) {
            return KeyedHash(key: try SecretKey(random: 32).withBytes { bytes in bytes.indices.map { bytes[$0] } })
        } catch {
            throw IngestionError(.software, error.description)
        }
    }

    static func word(_ bytes: [UInt8]) -> UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// What each screened field's remarks do to a row.
    var actions: [Int: Outcome] {
        Dictionary(
            screened.fields.map { ($0, schema.fields[$0].anomaly.action) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether there is a second reader that can read it: it checks the first block of each file, and some that `SliceDraw` chooses.
    var isCrossChecked: Bool {
        reading.format == .csv && options.engine == .structural && reading.dialect.isKnownToLibCSV
    }
}

extension ReadingPlan {
    /// How a file is read under a contract.
    init(
        _ schema: Schema, _ format: SourceFormat, _ options: BatchOptions, _ file: String
    ) throws(IngestionError) {
        self.init(
            format: format, fieldNames: schema.fields.map(\.name), rejectsUnknown: schema.unknownFields == .reject,
            notesUnknown: schema.unknownFields == .drop || schema.recordSchema != nil || schema.undeclaredPII != .allow
                || schema.secrets != .accepted, engine: options.engine,
            limits: ScanLimits(maxRowBytes: schema.limits.maxRowBytes, maxDepth: schema.limits.maxDepth))
        isOrdered = schema.fieldsMatch == .exact
        if schema.fieldsMatch?.allowsMissing == true {
            optionalFields = Set(
                schema.fields.indices.filter {
                    !schema.fields[$0].constraints.required && !schema.primaryKey.contains(schema.fields[$0].name)
                })
        }
        limits.maxCellBytes = schema.limits.maxCellBytes
        dialect = options.dialect(schema.dialect, ofFile: file)
        coding.encoding = options.encoding ?? schema.encoding
        if schema.recordSchema != nil, format == .csv {
            throw IngestionError(
                .configuration,
                "\(file): the contract is a JSON Schema, which judges JSON, and the file is CSV; use a Table Schema, with fields:"
            )
        }
        if schema.recordSchema != nil, dialect.hasArrayItems {
            throw IngestionError(
                .configuration,
                "\(file): the contract is a JSON Schema, which judges records as objects, and the dialect's items are arrays; use a "
                    + "Table Schema, with fields:")
        }
        if let field = schema.fields.first(where: { $0.path != nil }) {
            if format == .csv {
                throw IngestionError(
                    .configuration,
                    "\(file): field \(field.name) of the contract has a path, which is about JSON, and the file is CSV; use a "
                        + "contract without it")
            }
            fieldPaths = schema.fields.map(\.path)
        }
        if let field = schema.fields.first(where: { $0.column != nil }), format == .jsonl {
            throw IngestionError(
                .configuration,
                "\(file): field \(field.name) of the contract has a column, which is about CSV, and the file is JSON; use a "
                    + "contract without it")
        }
        places = ColumnPlaces(schema)
        coding.mayBeArray = format == .jsonl
        if format == .jsonl {
            coding.property = dialect.property
            coding.hasArrayItems = dialect.hasArrayItems
            coding.isList = options.isList ?? Corridor.isList(file)
            try requireColumns(self, file)
        }
        coding.maxRatio = schema.limits.maxDecompressionRatio
        coding.maxUnpackedBytes = schema.limits.maxDecompressedBytes
    }
}

extension ColumnPlaces {
    /// What a contract says.
    init(_ schema: Schema) {
        self.init()
        if schema.fields.contains(where: { $0.column != nil }) { ofFields = schema.fields.map(\.column) }
        dropped = schema.dropColumns
        hasTrailingDelimiter = schema.trailingDelimiter
        trimsLabels = schema.trimLabels
        areInferred = schema.isInferred
    }
}

/// A field that the dialect keeps out of the table would be missing in every row.
private func requireColumns(_ plan: ReadingPlan, _ file: String) throws(IngestionError) {
    let dialect = plan.dialect
    func unusable(_ text: String) -> IngestionError { IngestionError(.configuration, "\(file): \(text)") }
    for (index, name) in plan.fieldNames.enumerated() {
        let path = plan.fieldPaths.isEmpty ? nil : plan.fieldPaths[index]
        if dialect.hasArrayItems, path != nil {
            throw unusable(
                "field \(name) of the contract has a path, and the dialect's items are arrays, without members; remove one"
            )
        }
        if !dialect.itemKeys.isEmpty, !dialect.itemKeys.contains(path?.first ?? name) {
            throw unusable(
                "field \(name) of the contract is not among the dialect's itemKeys; add it there, or remove the field")
        }
    }
}

extension Schema {
    /// The contract with the digest of its canonical form.
    package static func digested(_ loaded: LoadedSchema) -> Schema {
        var schema = loaded.schema
        schema.digest = SHA256.hash(wholeNumbered(loaded.document).canonicalBytes())
        return schema
    }
}

/// A document that RFC 8785 without floats can write: other numbers become their shortest text.
package func wholeNumbered(_ value: JSONValue) -> JSONValue {
    switch value {
    case .number(let number): .string("\(number)")
    case .integer(let number): number.magnitude <= 1 << 53 - 1 ? value : .string("\(number)")
    case .array(let items): .array(items.map(wholeNumbered))
    case .object(let members): .object(members.mapValues(wholeNumbered))
    default: value
    }
}
