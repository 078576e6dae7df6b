import Cryptography
import Reading
import Recognition
package import Schemas
import Screening
import Sealing
import Sketches
package import Tabular
import Validating

/// The secrets that a batch is read, masked and sealed by.
struct BatchSecrets: Sendable {
    /// What choices that nobody outside may tell are drawn with.
    let secret: [UInt8]
    /// The hash of keys and values: equal values have equal hashes, and nobody without the secret can work one out.
    let hash: KeyedHash
    /// Who can open the sealed files.
    var recipients: [WrappingKey] = []
    /// Keys of masking operators, by name.
    var tokenKeys: [String: SecretKey] = [:]

    /// Those of a store.
    init(of store: Store) throws(IngestionError) {
        secret = try store.key(.store, "store").withBytes { bytes in bytes.indices.map { bytes[$0] } }
        hash = KeyedHash(key: SHA256.hash(Array("unique".utf8) + secret))
    }

    /// Those of a batch outside any store: its hashes are under a key that nobody keeps.
    init() throws(IngestionError) {
        secret = [UInt8](repeating: 0x53, count: 32)
        do throws(CryptographyError) {
            hash = KeyedHash(key: try SecretKey(random: 32).withBytes { bytes in bytes.indices.map { bytes[$0] } })
        } catch {
            throw IngestionError(.software, error.description)
        }
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
        _ request: BatchRequest, format: SourceFormat, secrets: BatchSecrets, references: [Reference] = []
    ) throws(IngestionError) {
        let (options, file) = (request.options, request.file)
        let (recipients, tokenKeys) = (secrets.recipients, secrets.tokenKeys)
        var schema = request.schema
        for index in schema.fields.indices where options.excluded.contains(schema.fields[index].name) {
            schema.fields[index].anomaly.enabled = false
        }
        schema.forest.fields.removeAll { options.excluded.contains($0) }
        self.schema = schema
        dataset = request.dataset
        source = request.source
        self.options = options
        choices = SecretChoices(secret: secrets.secret, dataset: dataset)
        self.recipients = recipients
        self.tokenKeys = tokenKeys
        fieldNames = schema.fields.map(\.name)
        reading = try ReadingPlan(schema, format: format, options: options, file: file)
        do throws(UnusableContract) {
            validator = try Validator(schema, hash: secrets.hash)
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
