import Cryptography
import GRDB
package import Tabular

/// Questions about the record, answered from entry bodies; every answer is values for the command to print.
package struct LineageQuery: Sendable {
    /// Entries read in one transaction.
    static let chunk = 4096
    /// The record that is asked.
    package let ledger: Ledger

    /// Asks a ledger.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The newest entries, newest first, of one dataset and one kind if these are given.
    package func log(
        limit: Int, dataset: String? = nil, kind: String? = nil
    ) throws(LedgerError) -> [LedgerEntry] {
        var found: [LedgerEntry] = []
        var before = Int.max
        while found.count < limit {
            let entries =
                if let kind {
                    try ledger.entries(
                        "WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT ?", [kind, before, Self.chunk])
                } else {
                    try ledger.entries("WHERE seq < ? ORDER BY seq DESC LIMIT ?", [before, min(Self.chunk, limit)])
                }
            guard let oldest = entries.last else { break }
            before = oldest.sequence
            found += entries.filter { dataset == nil || $0.body["dataset"]?.text == dataset }.prefix(
                limit - found.count)
        }
        return found
    }

    /// Every entry of a batch, in order, and the duplicates of it that were turned away.
    package func batch(_ id: String) throws(LedgerError) -> [LedgerEntry] {
        try search(.string(id)) { $0.body["batch"]?.text == id || $0.body["of"]?.text == id }
    }

    /// What is known about one shard, and about one of its rows (from 1) when `row` is given.
    package struct Trace: Sendable {
        /// The `shard.published` entry.
        package let shard: LedgerEntry
        /// The `batch.received` entry: source name, digest, provenance, contract, policy.
        package let received: LedgerEntry?
        /// The `batch.judged` entry: counts, findings, decision digest, masks by column.
        package let judged: LedgerEntry?
        /// The `contract.registered` entry of the contract that was applied.
        package let contract: LedgerEntry?
        /// Where the row came from, when a row was asked for and the shard has it.
        package let row: TracedRow?

        /// The source's SHA-256.
        package var sourceDigest: String? { received?.body["data_hash"]?.text }
        /// The source's name, when it may be told.
        package var sourceName: String? { received?.body["source"]?.text }
        /// The digest of the sealed decision that was applied.
        package var decisionDigest: String? { judged?.body["decision_sha256"]?.text }
        /// What was found in the batch: counts by code.
        package var findings: JSONValue? { judged?.body["findings"] }
        /// The masks by column: `[{field, masks: [{entity, operator, count}]}]`.
        package var columns: JSONValue? { judged?.body["columns"] }
        /// The names of the keys that open the shard.
        package var keys: [String] { shard.body["keys"]?.items?.compactMap(\.text) ?? [] }
    }

    /// A shard's row in its source.
    package struct TracedRow: Sendable, Equatable {
        /// The data record's number in the source, from 1.
        package let sourceRow: Int
        /// What happened to it; nil when its whole batch was held.
        package let outcome: Outcome?
    }

    /// The `shard.published` entry of a file, by its SHA-256.
    package func shard(_ fileDigest: String) throws(LedgerError) -> LedgerEntry? {
        // By the projection's index: a batch asks this for every baseline, and the record grows.
        let named = try ledger.entries(
            "WHERE seq = (SELECT seq FROM prov_entity WHERE id = ?)", ["sha256:" + fileDigest])
        if let entry = named.first, entry.kind == "shard.published", entry.body["file_sha256"]?.text == fileDigest {
            return entry
        }
        // A digest that another entry named first, or that nothing names: the bodies are the truth.
        return try search(.string(fileDigest), kind: "shard.published") { $0.body["file_sha256"]?.text == fileDigest }
            .last
    }

    /// The `shard.published` entries of a batch, in order, by the projection's index.
    package func published(by batch: String) throws(LedgerError) -> [LedgerEntry] {
        let made = "SELECT seq FROM prov_edge WHERE dst = ? AND rel = 'wasGeneratedBy'"
        return try ledger.entries(
            "WHERE kind = 'shard.published' AND seq IN (\(made)) ORDER BY seq", ["run:" + batch])
    }

    /// Finds a shard by the SHA-256 of its file, its message id or its path; nil when the record has none such.
    package func trace(shard name: String, row: Int? = nil) throws(LedgerError) -> Trace? {
        let named = try search(.string(name), kind: "shard.published") { entry in
            ["file_sha256", "message_id", "path"].contains { entry.body[$0]?.text == name }
        }
        guard let shard = named.first else { return nil }
        let batch = shard.body["batch"]?.text ?? ""
        let entries = try self.batch(batch).filter { $0.body["batch"]?.text == batch }
        let received = entries.last { $0.kind == "batch.received" }
        let judged = entries.last { $0.kind == "batch.judged" }
        var contract: LedgerEntry?
        if let digest = received?.body["contract_sha256"] {
            contract = try search(digest, kind: "contract.registered") { $0.body["contract_sha256"] == digest }.first
        }
        var traced: TracedRow?
        if let row { traced = try find(row, in: shard, judged) }
        return Trace(shard: shard, received: received, judged: judged, contract: contract, row: traced)
    }

    private func find(_ row: Int, in shard: LedgerEntry, _ judged: LedgerEntry?) throws(LedgerError) -> TracedRow? {
        let map = try judged.flatMap { entry throws(LedgerError) in try rowMap(of: entry) }
        guard let role = shard.body["role"]?.text, let ordinal = shard.body["shard"]?.whole else { return nil }
        switch role {
        case "source":
            // A held source is sealed whole, so its rows stand where they stood.
            guard row >= 1, row <= map?.rowCount ?? Int(judged?.body["rows"]?.whole ?? 0) else { return nil }
            return TracedRow(sourceRow: row, outcome: nil)
        case "accepted", "quarantine":
            let found = map?.source(ofRow: row, inShard: Int(ordinal), released: role == "accepted")
            return found.map { TracedRow(sourceRow: $0.row, outcome: $0.fate.outcome) }
        default: return nil
        }
    }

    /// The row map that a `batch.judged` entry names; nil when it names none. Throws `damaged` when it is gone.
    package func rowMap(of judged: LedgerEntry) throws(LedgerError) -> RowMap? {
        guard let name = judged.body["rowmap_sha256"]?.text else { return nil }
        let stored = try ledger.blob(sha256: bytes(hex: name) ?? [])
        guard let map = stored.flatMap({ RowMap(encoded: $0.data) }) else {
            throw LedgerError(
                .damaged, "read ledger", subject: ledger.path,
                cause: "the row map of entry \(judged.sequence) is missing or malformed; run sluice lineage verify")
        }
        return map
    }

    /// What one source led to, in one batch.
    package struct Impact: Sendable {
        /// The batch's id.
        package let batch: String
        /// The `batch.received` entry.
        package let received: LedgerEntry
        /// The `batch.judged` entry, once there is one.
        package let judged: LedgerEntry?
        /// The `shard.published` entries, of every role.
        package let shards: [LedgerEntry]

        /// Rows of the source that left in shards: accepted and flagged ones.
        package var acceptedRows: Int {
            let body = judged?.body
            guard body?["verdict"]?.text == "accepted" else { return 0 }
            return Int((body?["accepted"]?.whole ?? 0) + (body?["flagged"]?.whole ?? 0))
        }
    }

    /// Every batch made from a source, which is named by its SHA-256, its name or the hash of its name.
    package func impact(ofSource source: String) throws(LedgerError) -> [Impact] {
        let received = try search(.string(source), kind: "batch.received") { entry in
            ["data_hash", "source", "source_name_hash"].contains { entry.body[$0]?.text == source }
        }
        let ids = Set(received.compactMap { $0.body["batch"]?.text })
        // One batch is searched for by its name, many in one pass.
        let needle = ids.count == 1 ? ids.first.map { JSONValue.string($0) } : nil
        var judged: [String: LedgerEntry] = [:]
        var shards: [String: [LedgerEntry]] = [:]
        for kind in ids.isEmpty ? [] : ["batch.judged", "shard.published"] {
            for entry in try search(needle, kind: kind, where: { ids.contains($0.body["batch"]?.text ?? "") }) {
                guard let id = entry.body["batch"]?.text else { continue }
                if kind == "batch.judged" { judged[id] = entry } else { shards[id, default: []].append(entry) }
            }
        }
        return received.compactMap { entry in
            entry.body["batch"]?.text.map {
                Impact(batch: $0, received: entry, judged: judged[$0], shards: shards[$0] ?? [])
            }
        }
    }

    /// Entries, of one kind if given, whose bytes hold `needle` as canonical JSON and that satisfy `condition`.
    ///
    /// The search over bytes is SQLite's; only what it finds is parsed.
    private func search(
        _ needle: JSONValue?, kind: String? = nil, where condition: (LedgerEntry) -> Bool
    ) throws(LedgerError) -> [LedgerEntry] {
        let size = try ledger.size()
        let fragment = asBlob(needle?.canonicalBytes() ?? [])
        var found: [LedgerEntry] = []
        for start in stride(from: 0, to: size, by: Self.chunk) {
            let range = "WHERE seq >= ? AND seq < ? AND (length(?) = 0 OR instr(body, ?) > 0)"
            let arguments: StatementArguments = [start, start + Self.chunk, fragment, fragment]
            let entries =
                if let kind {
                    try ledger.entries(range + " AND kind = ? ORDER BY seq", arguments + [kind])
                } else {
                    try ledger.entries(range + " ORDER BY seq", arguments)
                }
            found += entries.filter(condition)
        }
        return found
    }
}
