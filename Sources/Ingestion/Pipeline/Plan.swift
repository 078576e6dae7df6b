import Cryptography
import Reading
import Recognition
package import Schemas
import Screening
import Sealing
import Sketches
package import Tabular
import Validating

/// The secrets that a batch is sampled, hashed, masked and sealed with.
struct BatchSecrets: Sendable {
    /// The secret behind choices that an outsider must not be able to predict; see `SecretChoices`.
    let secret: [UInt8]
    /// The keyed hash of keys and values. Equal values have equal hashes, and without the secret none can be computed.
    let hash: KeyedHash
    /// The recipients of the sealed files.
    var recipients: [any WrappingKey] = []
    /// Keys of masking operators, by name.
    var tokenKeys: [String: SecretKey] = [:]

    /// The secrets of a store.
    init(of store: Store) throws(IngestionError) {
        secret = try store.key(.store, "store").withBytes { bytes in bytes.indices.map { bytes[$0] } }
        hash = KeyedHash(key: SHA256.hash(Array("unique".utf8) + secret))
    }

    /// Secrets for a batch outside any store: random, and discarded with the process.
    init() throws(IngestionError) {
        secret = [UInt8](repeating: 0x53, count: 32)
        do throws(CryptographyError) {
            hash = KeyedHash(key: try SecretKey(random: 32).withBytes { bytes in bytes.indices.map { bytes[$0] } })
        } catch {
            throw IngestionError(.software, error.description)
        }
    }
}

/// Everything that judging a slice needs besides its bytes: contract, policy, keys, pipeline version.
///
/// It is immutable and `Sendable`, so that slices can be judged by several workers.
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
    /// Choices that an outsider cannot predict.
    let choices: SecretChoices
    let recipients: [any WrappingKey]
    let tokenKeys: [String: SecretKey]
    /// SHA-256 of every setting beside the contract that can change an outcome. It is part of the batch's identity.
    let policyDigest: [UInt8]
    /// The origin of the keys that foreign keys refer to, without the keys.
    let references: [Reference]

    /// The version of everything that can change an outcome. It must be raised with any such change, so that old
    /// judgements do not count as duplicates.
    static let pipelineVersion = "20"

    /// The plan with a correction by column to the entities that are looked for.
    func correcting(_ corrections: [Int: Set<Entity>]) -> Plan {
        var plan = self
        plan.validator = validator.correcting(corrections)
        return plan
    }

    /// Compiles contract and options.
    ///
    /// - Parameters:
    ///   - request: contract and options.
    ///   - format: the file's format.
    ///   - secrets: the secrets that the batch is masked and sealed with.
    ///   - references: the data that foreign keys refer to.
    /// - Throws: `configuration` when the contract cannot be compiled.
    init(
        _ request: BatchRequest, format: SourceFormat, secrets: BatchSecrets, references: [Reference] = []
    ) throws(IngestionError) {
        let (options, file) = (request.options, request.input.files[0])
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
        reader = FeatureReader(screened, validator, assertions: AssertionReader(validator, source: source))
        // Digests only; the keys themselves are in `BatchKeys`.
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
        if let waivers = options.waiver?.waivers, !waivers.isEmpty {
            policy["waives"] = waivers.listed == nil ? .string("statistics") : waivers.document
        }
        let lists = schema.fields.compactMap { $0.pii?.names?.fingerprint }
        if !lists.isEmpty { policy["dictionaries"] = .array(lists.map { .string(String($0, radix: 16)) }) }
        policyDigest = SHA256.hash(JSONValue.object(policy).canonicalBytes())
    }

    /// The first 8 bytes as a big-endian number.
    static func word(_ bytes: [UInt8]) -> UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// By screened field, the outcome of a row with a finding of that field.
    var actions: [Int: Outcome] {
        Dictionary(
            screened.fields.map { ($0, schema.fields[$0].anomaly.action) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether a second, independent CSV reader can check the file. It reads the first block of each file and about one
    /// in 32 of the others, as `SliceDraw` chooses.
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

/// A document without fractions, which canonical JSON (RFC 8785) can then write exactly: other numbers become their
/// shortest text.
package func wholeNumbered(_ value: JSONValue) -> JSONValue {
    switch value {
    case .number(let number): .string("\(number)")
    case .integer(let number): number.magnitude <= 1 << 53 - 1 ? value : .string("\(number)")
    case .array(let items): .array(items.map(wholeNumbered))
    case .object(let members): .object(members.mapValues(wholeNumbered))
    default: value
    }
}
