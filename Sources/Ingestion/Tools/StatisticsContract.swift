import Lineage
package import Schemas
import Screening
import Sealing
import Sketches
import Tabular
import Validating

/// The contract of a dataset as far as statistics need it.
package struct StatisticsContract: Sendable {
    /// The contract, without excluded fields.
    let schema: Schema
    /// The fields that are screened.
    let screened: ScreenedFields
    /// The contract's origin: a file, `sluice.yaml` or a batch.
    let origin: String
    /// The contract as it was written.
    private let document: JSONValue
    /// Fields that are not screened, whatever the contract says.
    private let excluded: [String]

    /// The names of the contract's fields.
    var names: [String] { schema.fields.map(\.name) }
    /// The names of a sample's numbers, and of its codes.
    var features: [String] { screened.numberNames(names) }
    var codes: [String] { screened.codeNames(names) }
    /// By screened field, the outcome of a row with a finding of that field.
    var actions: [Int: Outcome] {
        Dictionary(
            screened.fields.map { ($0, schema.fields[$0].anomaly.action) }, uniquingKeysWith: { first, _ in first })
    }

    init(
        _ contract: Schema, document: JSONValue, origin: String, excluded: [String] = []
    ) throws(IngestionError) {
        var schema = contract
        for index in schema.fields.indices where excluded.contains(schema.fields[index].name) {
            schema.fields[index].anomaly.enabled = false
        }
        schema.forest.fields.removeAll { excluded.contains($0) }
        self.schema = schema
        self.document = document
        self.origin = origin
        self.excluded = excluded
        do throws(UnusableContract) {
            let validator = try Validator(schema, hash: KeyedHash(key: Array(1...32)))
            screened = ScreenedFields(schema, numericFields: validator.numericFields)
        } catch {
            throw IngestionError(error, file: origin)
        }
    }

    /// The contract with changed settings, each `KEY=VALUE`: a key under `sluice:`, or `fields.NAME.` and a key of the
    /// field.
    ///
    /// - Throws: `usage` for a setting that is not `KEY=VALUE` or that the contract's loader refuses.
    func setting(_ settings: [String]) throws(IngestionError) -> StatisticsContract {
        if settings.isEmpty { return self }
        var changed = document
        for setting in settings {
            let (path, value) = try Self.parsed(setting, fields: document["fields"]?.items ?? [])
            changed = Self.put(value, into: changed, at: path[...])
        }
        let loaded: LoadedSchema
        do throws(SchemaError) {
            loaded = try Schema.load(whole: changed.text(pretty: false), name: "the contract with --set")
        } catch {
            throw IngestionError(.usage, error.description)
        }
        var read = Schema.digested(loaded)
        read.isInferred = schema.isInferred
        return try StatisticsContract(
            read, document: loaded.document, origin: origin + ", with --set", excluded: excluded)
    }

    /// The path of a setting in the contract, and its value. A field's name may contain dots.
    private static func parsed(
        _ setting: String, fields: [JSONValue]
    ) throws(IngestionError) -> (path: [String], value: JSONValue) {
        func unusable(_ why: String) -> IngestionError { IngestionError(.usage, "--set \(setting): \(why)") }
        guard let sign = setting.firstIndex(of: "=") else {
            throw unusable("write KEY=VALUE, as baseline.learning=4 or fields.NAME.drift.fail=0.5")
        }
        var parts = setting[..<sign].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var path: [String] = []
        if parts.first == "fields" {
            let places = fields.indices.filter { place in
                fields[place]["name"]?.text.map { setting.hasPrefix("fields.\($0).") } ?? false
            }
            let longest = places.max {
                (fields[$0]["name"]?.text?.utf8.count ?? 0) < (fields[$1]["name"]?.text?.utf8.count ?? 0)
            }
            guard let place = longest, let name = fields[place]["name"]?.text else {
                throw unusable("the contract has no such field, or the key after it is missing")
            }
            path = ["fields", String(place)]
            parts.removeFirst(1 + name.split(separator: ".", omittingEmptySubsequences: false).count)
        }
        if parts.first == "sluice" { parts.removeFirst() }
        guard !parts.isEmpty, !parts.contains("") else { throw unusable("the key has an empty part") }
        return (path + ["sluice"] + parts, value(of: String(setting[setting.index(after: sign)...])))
    }

    /// A value as YAML reads it: a number, `true`, `false`, a list or mapping in JSON, else a text.
    private static func value(of text: String) -> JSONValue {
        (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
    }

    private static func put(_ value: JSONValue, into document: JSONValue, at path: ArraySlice<String>) -> JSONValue {
        guard let key = path.first else { return value }
        if var items = document.items, let place = Int(key), items.indices.contains(place) {
            items[place] = put(value, into: items[place], at: path.dropFirst())
            return .array(items)
        }
        var members = document.members ?? [:]
        members[key] = put(value, into: members[key] ?? .object([:]), at: path.dropFirst())
        return .object(members)
    }
}

extension Store {
    /// The contract that the next batch of a dataset is judged by: the given one, else the one in `sluice.yaml`, else
    /// that of the newest accepted batch.
    package func statisticsContract(
        of dataset: String, given: (contract: LoadedSchema, origin: String)? = nil
    ) throws(IngestionError) -> StatisticsContract {
        if let (contract, origin) = given {
            return try StatisticsContract(Schema.digested(contract), document: contract.document, origin: origin)
        }
        if let path = configuration.datasets[dataset]?.schema {
            let loaded = try contract(of: dataset)
            return try StatisticsContract(Schema.digested(loaded), document: loaded.document, origin: path)
        }
        let (log, state) = try proven()
        let newest = try recording { () throws(LedgerError) in
            try log.files(.baseline, in: state.publications(dataset, role: .baseline).suffix(1)).last
        }
        guard let batch = newest?.batch else {
            throw IngestionError(.usage, "dataset \(dataset) has accepted no batch with statistics yet")
        }
        return try statisticsContract(ofBatch: batch)
    }

    /// The contract that a batch was judged by, from its kept decision.
    func statisticsContract(ofBatch batch: String) throws(IngestionError) -> StatisticsContract {
        let log = try proven().log
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let file = entries.flatMap(\.files).first(where: { $0.role == .decision }),
            let document = try? JSONValue.parse(try keptLines(file, batch).decision), let kept = document["reading"]
        else {
            throw IngestionError(
                .usage, "no contract is kept with batch \(batch): give the dataset's with --schema FILE")
        }
        let read = try KeptReading(kept, format: .csv)
        return try StatisticsContract(
            read.schema, document: read.contract, origin: "the contract of batch \(batch)",
            excluded: read.options.excluded)
    }
}
