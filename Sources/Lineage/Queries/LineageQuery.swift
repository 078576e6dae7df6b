import Cryptography
import GRDB
package import Tabular

/// Queries of the ledger, answered from entry bodies; the results are values that commands print.
package struct LineageQuery: Sendable {
    /// Entries read in one transaction.
    static let chunk = 4096
    /// The ledger.
    package let ledger: Ledger

    /// Queries of a ledger.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The newest entries, newest first, filtered by dataset, kind, supplier and times, if these are given. Times are
    /// RFC 3339 texts in UTC or prefixes of them, which sort as text; the last one is included as far as it is given: a
    /// day with all its hours.
    package func log(
        limit: Int, dataset: String? = nil, kind: String? = nil, source: String? = nil,
        times: (since: String?, until: String?) = (nil, nil)
    ) throws(LedgerError) -> [LedgerEntry] {
        let isNarrow = dataset != nil || source != nil || times.since != nil || times.until != nil
        var found: [LedgerEntry] = []
        var before = Int.max
        while found.count < limit {
            let entries =
                if let kind {
                    try ledger.entries(
                        "WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT ?", [kind, before, Self.chunk])
                } else {
                    try ledger.entries(
                        "WHERE seq < ? ORDER BY seq DESC LIMIT ?",
                        [before, isNarrow ? Self.chunk : min(Self.chunk, limit)])
                }
            guard let oldest = entries.last else { break }
            before = oldest.sequence
            found += entries.filter { entry in
                (dataset == nil || entry.body["dataset"]?.text == dataset)
                    && (source == nil || entry.body["source"]?.text == source)
                    && (times.since.map { entry.body["time"]?.text ?? "" >= $0 } ?? true)
                    && (times.until.map { String((entry.body["time"]?.text ?? "").prefix($0.count)) <= $0 } ?? true)
            }.prefix(limit - found.count)
        }
        return found
    }

    /// The batch that was recorded last; nil if there is none.
    package func newestBatch() throws(LedgerError) -> String? {
        try ledger.entries("WHERE kind = 'batch.received' ORDER BY seq DESC LIMIT 1", []).first?.body["batch"]?.text
    }

    /// The batches whose ids begin with this text, oldest first.
    package func batches(beginningWith beginning: String) throws(LedgerError) -> [String] {
        var found: [String] = []
        var next = 0
        while true {
            let entries = try ledger.entries(
                "WHERE kind IN ('batch.received', 'batch.failed') AND seq >= ? ORDER BY seq LIMIT ?",
                [next, Self.chunk])
            guard let last = entries.last else { return found }
            next = last.sequence + 1
            found += entries.compactMap { $0.body["batch"]?.text }.filter { $0.hasPrefix(beginning.lowercased()) }
        }
    }

    /// Every entry of a batch in order, including rejected duplicates of it and, for a held batch, its release.
    package func batch(_ id: String) throws(LedgerError) -> [LedgerEntry] {
        try search(.string(id)) { entry in ["batch", "of", "held"].contains { entry.body[$0]?.text == id } }
    }

    /// The provenance of one shard and, if `row` is given, of one of its rows (from 1).
    package struct Trace: Sendable {
        /// The file.
        package let shard: PublishedFile
        /// The `batch.received` entry: supplier, digest, provenance, contract, policy.
        package let received: LedgerEntry?
        /// The `batch.judged` entry: counts, findings, decision digest, masks by column.
        package let judged: LedgerEntry?
        /// The `contract.registered` entry of the contract that was applied.
        package let contract: LedgerEntry?
        /// The `batch.released` entry, if the batch is the release of a held one.
        package let released: LedgerEntry?
        /// The `shard.opened` entries of the file, oldest first.
        package let openings: [LedgerEntry]
        /// The entries that wrapped the file for other keys or removed it, oldest first.
        package let changes: [LedgerEntry]
        /// The row's origin, if a row was asked for and the shard has it.
        package let row: TracedRow?

        /// The source's SHA-256.
        package var sourceDigest: String? { received?.body["data_hash"]?.text }
        /// The offset of the source's end; for a compressed source, of the end of the decompressed text.
        package var sourceEnd: Int64 {
            received?.body["decompressed_bytes"]?.whole ?? received?.body["bytes"]?.whole ?? 0
        }
        /// The source's name, when it may be shown.
        package var sourceName: String? { received?.body["source"]?.text }
        /// The digest of the sealed decision that was applied.
        package var decisionDigest: String? { judged?.body["decision_sha256"]?.text }
        /// The findings of the batch: counts by code.
        package var findings: JSONValue? { judged?.body["findings"] }
        /// The masks by column: `[{field, masks: [{entity, operator, count}]}]`.
        package var columns: JSONValue? { judged?.body["columns"] }
        /// The names of the keys that open the shard.
        package var keys: [String] {
            (changes.last { $0.event?.replacesFiles ?? false } ?? shard.entry).body["keys"]?.items?.compactMap(\.text)
                ?? []
        }
    }

    /// A shard's row in its source.
    package struct TracedRow: Sendable, Equatable {
        /// The data record's number in the source, from 1.
        package let sourceRow: Int
        /// Its outcome; nil if the whole batch was held.
        package let outcome: Outcome?
    }

    /// The record of a published file with this SHA-256.
    package func file(_ digest: String) throws(LedgerError) -> PublishedFile? {
        if let file = try named(digest) { return file }
        return try search(digest) { $0.digest == digest }
    }

    /// Found by the index of the projection: a batch looks up every baseline, and the ledger grows.
    private func named(_ digest: String) throws(LedgerError) -> PublishedFile? {
        try entries(naming: digest).flatMap { $0.files + $0.changedFiles }.first { $0.digest == digest }
    }

    /// The entry that first names a thing by its SHA-256, if there is one.
    private func entries(naming digest: String) throws(LedgerError) -> [LedgerEntry] {
        try ledger.entries("WHERE seq = (SELECT seq FROM prov_entity WHERE id = ?)", ["sha256:" + digest])
    }

    /// Found by a search of the bodies, which are authoritative: the newest file that satisfies the condition.
    private func search(
        _ word: String, where condition: (PublishedFile) -> Bool
    ) throws(LedgerError) -> PublishedFile? {
        try search(.string(word), kind: LedgerEvent.shardPublished.rawValue) { $0.files.contains(where: condition) }
            .flatMap(\.files).last(where: condition)
    }

    /// The entries that one commit made for a batch, in order: received, judged, published.
    package func run(_ batch: String) throws(LedgerError) -> [LedgerEntry] {
        // The entries of one commit are adjacent, and the first of them records what the run used.
        let first = "(SELECT min(seq) FROM prov_edge WHERE src = ? AND rel = 'used')"
        var found: [LedgerEntry] = []
        while true {
            let entries = try ledger.entries(
                "WHERE seq >= \(first) + ? ORDER BY seq LIMIT 16", ["run:" + batch, found.count])
            let isFirst = found.isEmpty
            let mine = entries.enumerated().prefix { place, entry in
                entry.body["batch"]?.text == batch && (isFirst && place == 0 || !entry.beginsCommit)
            }.map(\.element)
            found += mine
            if mine.count < 16 { return found }
        }
    }

    /// Finds a file by its SHA-256, its message id or its path; nil if the ledger has no such file.
    package func trace(shard name: String, row: Int? = nil) throws(LedgerError) -> Trace? {
        var found = try named(name)
        if found == nil {
            found = try search(name) { $0.digest == name || $0.path == name || $0.body["message_id"]?.text == name }
        }
        guard let shard = found else { return nil }
        let run = try self.run(shard.batch)
        let received = run.first { $0.event == .batchReceived }
        let judged = run.first { $0.event == .batchJudged }
        var contract: LedgerEntry?
        if let digest = received?.body["contract_sha256"]?.text {
            contract = try entries(naming: digest).first { $0.event == .contractRegistered }
        }
        var traced: TracedRow?
        if let row { traced = try find(row, in: shard, judged) }
        var changes: [LedgerEntry] = []
        for event in LedgerEvent.aboutFiles where event != .shardPublished {
            changes += try search(.string(shard.path), kind: event.rawValue) {
                $0.changedFiles.contains { $0.path == shard.path }
            }
        }
        changes.sort { $0.sequence < $1.sequence }
        return Trace(
            shard: shard, received: received, judged: judged, contract: contract,
            released: run.first { $0.event == .batchReleased }, openings: try openings(of: shard.digest),
            changes: changes, row: traced)
    }

    /// The `shard.opened` entries of a file, oldest first.
    package func openings(of digest: String) throws(LedgerError) -> [LedgerEntry] {
        try search(.string(digest), kind: LedgerEvent.shardOpened.rawValue) { entry in
            entry.body["file_sha256"]?.text == digest
                || (entry.body["opened"]?.items ?? []).contains { $0["file_sha256"]?.text == digest }
        }
    }

    /// The entries of a kind that are about a subject, oldest first.
    func entries(of event: LedgerEvent, naming subject: String) throws(LedgerError) -> [Int] {
        try search(.string(subject), kind: event.rawValue) { $0.body["subject"]?.text == subject }.map(\.sequence)
    }

    private func find(_ row: Int, in shard: PublishedFile, _ judged: LedgerEntry?) throws(LedgerError) -> TracedRow? {
        let map = try judged.flatMap { entry throws(LedgerError) in try rowMap(of: entry) }
        switch shard.role {
        case .source:
            // A held source is sealed whole, so row numbers are those of the source, but for rows that were erased.
            if let map { return map.source(ofHeldRow: row).map { TracedRow(sourceRow: $0, outcome: nil) } }
            guard row >= 1, row <= Int(judged?.body["rows"]?.whole ?? 0) else { return nil }
            return TracedRow(sourceRow: row, outcome: nil)
        case .accepted, .quarantine:
            guard let ordinal = shard.body["shard"]?.whole else { return nil }
            let found = map?.source(ofRow: row, inShard: Int(ordinal), released: shard.role == .accepted)
            return found.map { TracedRow(sourceRow: $0.row, outcome: $0.fate.outcome) }
        case .baseline, .claims, .provenance, .rows, .subjects, .subjectKeys, .decision, nil: return nil
        }
    }

    /// The row map that a `batch.judged` entry names, with the rows that were erased since; nil if it names none. Throws
    /// `damaged` if it is missing.
    package func rowMap(of judged: LedgerEntry) throws(LedgerError) -> RowMap? {
        guard let name = judged.body["rowmap_sha256"]?.text else { return nil }
        let stored = try ledger.blob(sha256: bytes(hex: name) ?? [])
        guard var map = stored.flatMap({ RowMap(encoded: $0.data) }) else {
            throw LedgerError(
                .damaged, "read ledger", subject: ledger.path,
                cause: "the row map of entry \(judged.sequence) is missing or malformed; run sluice lineage verify")
        }
        if let batch = judged.body["batch"] {
            let rewritten = try search(batch, kind: LedgerEvent.shardRewritten.rawValue) { $0.body["batch"] == batch }
            do throws(RowList.UnreadableRows) { map.erased = try RowList.erased(rewritten.map(\.body)) } catch {
                throw LedgerError(
                    .damaged, "read ledger", subject: ledger.path,
                    cause: "an erasure of batch \(batch.text ?? "") lists rows that this version cannot read")
            }
        }
        return map
    }

    /// The batch and the files that were made from a source.
    package struct Impact: Sendable {
        /// The batch's id.
        package let batch: String
        /// The `batch.received` entry.
        package let received: LedgerEntry
        /// The `batch.judged` entry, once there is one.
        package let judged: LedgerEntry?
        /// Its files, of every role.
        package let files: [PublishedFile]
        /// The `batch.released` entry, if the batch is rows that a person released from another one.
        package var released: LedgerEntry?

        /// Number of rows of the source that were released in shards: accepted and flagged ones.
        package var acceptedRows: Int {
            let body = judged?.body
            guard body?["verdict"]?.text == "accepted" else { return 0 }
            return Int((body?["accepted"]?.whole ?? 0) &+ (body?["flagged"]?.whole ?? 0))
        }
    }

    /// Every batch that was made from a source, given by its SHA-256, its supplier's name or the hash of its file name.
    package func impact(ofSource source: String) throws(LedgerError) -> [Impact] {
        var received =
            try ledger.entries(
                "WHERE seq IN (SELECT seq FROM prov_edge WHERE dst = ? AND rel = 'used') ORDER BY seq",
                ["sha256:" + source]
            ).filter { $0.event == .batchReceived }
        if received.isEmpty {
            received = try search(.string(source), kind: LedgerEvent.batchReceived.rawValue) { entry in
                ["source", "source_name_hash"].contains { entry.body[$0]?.text == source }
            }
        }
        var found: [Impact] = []
        for entry in received {
            guard let batch = entry.body["batch"]?.text else { continue }
            let entries = try run(batch)
            found.append(
                Impact(
                    batch: batch, received: entry, judged: entries.first { $0.event == .batchJudged },
                    files: entries.flatMap(\.files)))
        }
        // Rows that were released from one of these batches came from the same source.
        var place = 0
        while place < found.count {
            let batch = found[place].batch
            place += 1
            let releases = try search(.string(batch), kind: LedgerEvent.batchReleased.rawValue) { entry in
                entry.body["held"]?.text == batch && entry.body["rows"] != nil
            }
            for release in releases {
                guard let made = release.body["batch"]?.text else { continue }
                if let known = found.firstIndex(where: { $0.batch == made }) {
                    found[known].released = release
                    continue
                }
                let entries = try run(made)
                guard let received = entries.first(where: { $0.event == .batchReceived }) else { continue }
                found.append(
                    Impact(
                        batch: made, received: received, judged: entries.first { $0.event == .batchJudged },
                        files: entries.flatMap(\.files), released: release))
            }
        }
        return found
    }

    /// Entries, of one kind if given, whose bytes contain `needle` as canonical JSON and that satisfy `condition`.
    ///
    /// SQLite searches the bytes; only the entries that it finds are parsed.
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
