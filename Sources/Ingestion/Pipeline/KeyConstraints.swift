import Cryptography
import Lineage
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular
import Validating

/// Row keys that exceed memory: keyed hashes with row numbers, in an unnamed file that vanishes with the process.
final class KeySpill {
    private let folder: String
    /// Keys that stay in memory, summed over all sets.
    private let limit: Int
    private var file: FileDescriptor?
    private var end = 0
    /// For each set and bucket, the offsets and counts of its runs in the file.
    private var runs: [Int: [Int: [(offset: Int, count: Int)]]] = [:]

    /// A spill file in a folder, which is created once more than `limit` keys are held.
    init(in folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    /// Moves the keys of all sets to the file once they exceed the limit together.
    ///
    /// - Parameters:
    ///   - sets: the sets; they are empty afterwards when they were moved.
    ///   - first: the number of the first set.
    func relieve(_ sets: inout [DistinctKeys], numbered first: Int = 0) throws(IngestionError) {
        guard sets.reduce(0, { $0 + $1.count }) > limit else { return }
        for index in sets.indices {
            try sets[index].drain { (bucket, words) throws(IngestionError) in
                try storing { () throws(StorageError) in
                    if file == nil { file = try .unnamed(in: folder, calling: "keys") }
                    try file?.write(words, at: end)
                }
                runs[first + index, default: [:]][bucket, default: []].append((end, words.count))
                end += 8 * words.count
            }
        }
        returnFreeMemory()
    }

    /// Whether keys of a set were moved to the file.
    func holds(_ set: Int) -> Bool { runs[set] != nil }

    /// One run of a bucket's words.
    ///
    /// - Parameters:
    ///   - set: the set's number.
    ///   - bucket: the bucket, by leading bits of the hash.
    ///   - part: the run, from 0.
    /// - Returns: nil after the last run.
    func words(_ set: Int, _ bucket: Int, _ part: Int) throws(IngestionError) -> [UInt64]? {
        guard let parts = runs[set]?[bucket], part < parts.count else { return nil }
        return try storing { () throws(StorageError) in
            try file?.words(parts[part].count, at: parts[part].offset)
        }
    }
}

/// The keys outside the file that a foreign key refers to, with their origin for the record.
struct Reference: Sendable {
    var keys = DistinctKeys()
    /// SHA-256 of the data that was read.
    var digest: [UInt8] = []
    /// Whether it is a file beside the contract, and not a dataset of the store.
    var isFile = false
    /// The reference as the ledger states it.
    var document = JSONValue.null
}

/// All keys of a batch: those of its rows, in memory or spilled, and those that foreign keys refer to.
struct BatchKeys {
    let references: [Reference]
    let spill: KeySpill
    /// Number of the references' first set in the spill; the sets of the batch's own rules lie below.
    private static let outside = 1 << 20

    /// Reads the data that foreign keys refer to.
    ///
    /// - Parameters:
    ///   - schema: the contract.
    ///   - hash: the keyed hash of values.
    ///   - store: the store whose datasets may be referred to.
    ///   - options: limits of memory, and how referenced files are read.
    init(
        _ schema: Schema, hash: KeyedHash, store: Store?, options: BatchOptions
    ) throws(IngestionError) {
        spill = KeySpill(in: store?.workFolder ?? options.temporaryFolder, limit: options.keysInMemory)
        var references: [Reference] = []
        for (index, key) in schema.foreignKeys.enumerated() {
            var reader = try ReferenceReader(key, schema, hash: hash, into: (spill, Self.outside + index))
            references.append(try reader.read(store, options))
        }
        self.references = references
    }

    /// The referenced keys, for rules with at most 2^20 of them: rows whose key is found can be forgotten at once. A
    /// larger set would be in memory twice, and would rarely match.
    func known(_ rules: [KeyRule]) -> [Int: DistinctKeys.Known] {
        var known: [Int: DistinctKeys.Known] = [:]
        for (index, rule) in rules.enumerated() {
            guard case .outside(let reference) = rule.purpose, !spill.holds(Self.outside + reference),
                references[reference].keys.count <= 1 << 20
            else { continue }
            known[index] = references[reference].keys.known()
        }
        return known
    }

    /// For each key rule the rows that break it: duplicates of a unique key, or keys missing from the referenced set.
    func errors(_ keys: [DistinctKeys], _ rules: [KeyRule]) throws(IngestionError) -> [RowSet] {
        var errors: [RowSet] = []
        for (index, rule) in rules.enumerated() {
            func drained(_ set: Int) -> (Int, Int) throws(IngestionError) -> [UInt64]? {
                { (bucket, part) throws(IngestionError) in try spill.words(set, bucket, part) }
            }
            switch rule.purpose {
            case .target: errors.append(RowSet())
            case .unique, .copies: errors.append(try keys[index].duplicates(drained(index)))
            case .among(let target):
                errors.append(
                    try keys[index].rows(
                        missingFrom: keys[target], drained: drained(index), othersDrained: drained(target)))
            case .outside(let reference):
                errors.append(
                    try keys[index].rows(
                        missingFrom: references[reference].keys, drained: drained(index),
                        othersDrained: drained(Self.outside + reference)))
            }
        }
        return errors
    }
}

/// Reads the referenced keys of one foreign key. It uses the types of the referring fields, so that equal values have
/// equal keys.
private struct ReferenceReader {
    private let key: ForeignKey
    private let schema: Schema
    private let validator: Validator
    /// The spill file, and the number of this reference's set in it.
    private let spill: (file: KeySpill, set: Int)
    private var reference = Reference()

    /// A reader for one foreign key.
    ///
    /// - Parameters:
    ///   - key: the foreign key.
    ///   - schema: the contract that has it.
    ///   - hash: the keyed hash of values.
    ///   - spill: the spill file, and the number of this reference's set in it.
    init(
        _ key: ForeignKey, _ schema: Schema, hash: KeyedHash, into spill: (file: KeySpill, set: Int)
    ) throws(IngestionError) {
        self.key = key
        self.spill = spill
        var fields: [Field] = []
        for (here, there) in zip(key.fields, key.reference) {
            guard let field = schema.fields.first(where: { $0.name == here }) else { continue }
            var copy = Field(name: there, type: field.type)
            copy.missingValues = field.missingValues
            (copy.trueValues, copy.falseValues) = (field.trueValues, field.falseValues)
            (copy.decimalChar, copy.groupChar, copy.bareNumber) = (field.decimalChar, field.groupChar, field.bareNumber)
            copy.hiddenText = .accepted
            fields.append(copy)
        }
        var made = Schema(fields: fields)
        made.missingValues = schema.missingValues
        made.uniqueKeys = [key.reference]
        made.unknownFields = .keep
        made.limits = schema.limits
        self.schema = made
        do throws(UnusableContract) { validator = try Validator(made, hash: hash) } catch {
            throw IngestionError(error, file: key.name)
        }
    }

    /// How a referenced file is read: the dialect follows from its name, the limits from the contract.
    private func plan(_ format: SourceFormat, name: String) -> ReadingPlan {
        var plan = ReadingPlan(
            format: format, fieldNames: key.reference, rejectsUnknown: false,
            limits: ScanLimits(maxRowBytes: schema.limits.maxRowBytes, maxDepth: schema.limits.maxDepth))
        plan.limits.maxCellBytes = schema.limits.maxCellBytes
        plan.dialect = BatchOptions().dialect(nil, ofFile: name)
        plan.coding.maxRatio = schema.limits.maxDecompressionRatio
        plan.coding.maxUnpackedBytes = schema.limits.maxDecompressedBytes
        if format == .jsonl {
            plan.coding.mayBeArray = true
            plan.coding.isList = isDocument(name)
        }
        return plan
    }

    /// Reads all keys from the place that the contract names.
    mutating func read(_ store: Store?, _ options: BatchOptions) throws(IngestionError) -> Reference {
        switch key.source {
        case .itself: break
        case .file(let path): try read(file: path, options)
        case .dataset(let dataset): try read(dataset: dataset, store)
        }
        return reference
    }

    /// The error for referenced columns that are missing, or there twice.
    private func missing(_ place: String) -> IngestionError {
        IngestionError(
            .configuration,
            "\(place): foreign key \(key.name) refers to \(key.reference.joined(separator: ", ")), which is not among its columns, "
                + "or is there twice")
    }

    /// Reads the keys of a file beside the contract.
    private mutating func read(file path: String, _ options: BatchOptions) throws(IngestionError) {
        guard let format = SourceFormat(ofFile: path) else {
            throw IngestionError(
                .configuration,
                "\(path): foreign key \(key.name): the file name does not show whether it is CSV or JSON")
        }
        let plan = plan(format, name: path)
        let cutter = try SliceCutter(
            InputFile(path, isStopped: options.isStopped), plan: plan, sliceBytes: options.sliceBytes)
        guard let layout = cutter.head.layout else { throw missing(path) }
        while let slice = try cutter.next() {
            try add(SliceReader(slice, layout: layout, plan: plan))
        }
        reference.digest = cutter.digest().whole
        reference.isFile = true
        reference.document = .object([
            "resource": .string(key.resource), "data_hash": .string(hex(reference.digest)),
        ])
    }

    /// Adds the keys of a slice's rows, and spills them once they exceed memory.
    private mutating func add(_ blocks: consuming SliceReader) throws(IngestionError) {
        var reader = consume blocks
        while let batch = reader.next() {
            for key in validator.validate(batch).keys[0] { reference.keys.add(key.hash, row: 1) }
        }
        var sets = [reference.keys]
        reference.keys = DistinctKeys()
        try spill.file.relieve(&sets, numbered: spill.set)
        reference.keys = sets[0]
    }

    /// Reads the keys of an accepted dataset from its shards. Each shard is first checked against the record.
    private mutating func read(dataset: String, _ store: Store?) throws(IngestionError) {
        guard let store else {
            throw IngestionError(
                .usage, "foreign key \(key.name) refers to dataset \(dataset): give its store with --store DIR")
        }
        if store.configuration.datasets[dataset]?.schema != nil {
            let contract = try store.contract(of: dataset).schema
            if let field = contract.fields.first(where: { key.reference.contains($0.name) && $0.pii != nil }) {
                throw IngestionError(
                    .configuration,
                    "foreign key \(key.name): field \(field.name) of dataset \(dataset) is masked before it is accepted, so no value "
                        + "can be found in it; refer to another field, or to a file")
            }
        }
        let ring = try store.keyRing()
        guard !ring.keys.isEmpty else {
            throw IngestionError(
                .notPermitted,
                "foreign key \(key.name) refers to dataset \(dataset), and this store has no key that opens its shards")
        }
        var hasher = SHA256()
        let (log, state) = try store.proven()
        let shards = try recording { () throws(LedgerError) in
            try log.files(.accepted, in: state.publications(dataset, role: .accepted))
        }
        if shards.isEmpty, store.configuration.datasets[dataset] == nil {
            let names = store.configuration.datasets.keys.sorted()
            let hint = suggestion(for: dataset, among: names).map { "; did you mean \($0)" } ?? ""
            throw IngestionError(
                .configuration,
                "foreign key \(key.name) refers to dataset \(dataset), which this store does not know\(hint)"
            )
        }
        for shard in shards {
            hasher.update(Array(shard.digest.utf8).span)
            try add(shard, of: dataset, store: store, ring: ring)
        }
        reference.digest = hasher.digest()
        reference.document = .object([
            "resource": .string(key.resource), "dataset": .string(dataset), "files": .integer(Int64(shards.count)),
            "files_sha256": .string(hex(reference.digest)),
        ])
    }

    /// Adds the keys of one shard.
    private mutating func add(
        _ shard: PublishedFile, of dataset: String, store: Store, ring: KeyRing
    ) throws(IngestionError) {
        let path = store.place(of: shard)
        let (bytes, context) = try store.readEvidence(
            shard, keys: ring,
            expect: ["dataset": dataset, "batch-id": shard.batch, "role": FileRole.accepted.rawValue])
        let format = SourceFormat.allCases.first { $0.mediaType == context["media-type"] } ?? .csv
        let plan = plan(format, name: format == .csv ? "shard.csv" : "shard.jsonl")
        let head: SourceHead?
        do throws(UnreadableSource) { head = try readHead(bytes.span, isWhole: true, plan: plan) } catch {
            throw IngestionError(error, file: path)
        }
        guard let head, let layout = head.layout else { throw missing(path) }
        let slice = SourceSlice(
            ordinal: 0, offset: UInt64(head.length), length: UInt64(bytes.count - head.length), firstRow: 1,
            rowCount: 0,
            bytes: Array(bytes[head.length...]))
        try add(SliceReader(slice, layout: layout, plan: plan))
    }
}
