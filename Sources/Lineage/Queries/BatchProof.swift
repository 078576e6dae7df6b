import Cryptography
package import Tabular

/// A proof of what the ledger records of a batch, or of one row of its source, that can be checked without the store.
///
/// It is a C2SP tlog-proof of the batch's entry `batch.judged`. Its `extra` line is a JSON document: `type`, `row`, the
/// other entries with an inclusion proof each under the same checkpoint (`entries`: `index`, `body` and `hashes` in
/// base64), the row map for a row (`rowmap`, base64), and `claim`, which follows from the entries and the map and is
/// there for readers.
package struct BatchProof: Sendable {
    /// The whole proof.
    package let proof: TlogProof
    /// The row of the source, from 1; nil for a proof of the batch.
    package let row: Int?
    private let entries: [(index: Int, body: [UInt8], hashes: [[UInt8]])]
    private let rowMap: [UInt8]?
    /// What it claims; `verify` says whether that is so.
    package let claim: JSONValue

    /// The ledger that its checkpoint names; not proven by itself.
    package var origin: String {
        String(decoding: proof.note.prefix { $0 != 0x0A }, as: UTF8.self)
    }
    /// Number of entries that it has.
    package var entryCount: Int { entries.count }

    /// The `type` of the document.
    package static let type = "sluice-proof-v1"

    // MARK: Making

    /// Proves a batch, or one row of its source.
    ///
    /// - Parameters:
    ///   - batch: the batch.
    ///   - row: the row's number in the source, from 1.
    ///   - log: the proven record.
    /// - Throws: `damaged` when the row map is missing.
    /// - Returns: nil if the ledger has no judged batch of this id, or the batch has no such row.
    package static func make(batch: String, row: Int?, from log: ProvenLog) throws(LedgerError) -> BatchProof? {
        let run = try log.run(batch)
        guard let judged = run.first(where: { $0.event == .batchJudged }) else { return nil }
        let query = LineageQuery(log.ledger)
        let map = row == nil ? nil : try query.rowMap(of: judged)
        var shard: PublishedFile?
        if let row {
            guard let place = map?.place(ofRow: row) else { return nil }
            shard = run.flatMap(\.files).first { Story.isFile($0.body, of: place.fate) }
        }
        let later = try query.batch(batch).filter { entry in !run.contains { $0.sequence == entry.sequence } }
        let wanted =
            run.filter { entry in
                switch entry.event {
                case .batchReceived, .batchJudged, .batchReleased: true
                case .shardPublished: row == nil || shard?.entry.sequence == entry.sequence
                default: false
                }
            }
            + later.filter { entry in
                switch entry.event {
                case .batchSuperseded, .batchReleased, .holdRejected: true
                case .fileRemoved, .shardRewrapped:
                    row == nil || entry.changedFiles.contains { $0.path == shard?.path }
                default: false
                }
            }
        guard let proofs = try log.ledger.proofs(of: wanted.map(\.sequence)),
            let main = zip(wanted, proofs).first(where: { $0.0.sequence == judged.sequence })?.1
        else { return nil }
        guard let story = Story(wanted.map { ($0.sequence, $0.body) }, map, row) else { return nil }
        let claim = story.claim
        var members: [String: JSONValue] = [
            "type": .string(type), "claim": claim,
            "entries": .array(
                zip(wanted, proofs).map { entry, proof in
                    .object([
                        "index": .integer(Int64(entry.sequence)), "body": .string(base64(entry.bytes)),
                        "hashes": .array(proof.hashes.map { .string(base64($0)) }),
                    ])
                }),
        ]
        if let row { members["row"] = .integer(Int64(row)) }
        if let map { members["rowmap"] = .string(base64(map.encoded())) }
        return BatchProof(main.carrying(JSONValue.object(members).canonicalBytes()))
    }

    // MARK: Reading

    /// Reads a proof: a `.tlog-proof` file, or a certificate (JSON or HTML) with one in it. nil for anything else.
    package init?(_ text: [UInt8]) {
        var text = text
        if let inner = (try? JSONValue.parse(text))?["proof"]?.text { text = Array(inner.utf8) }
        let page = String(decoding: text, as: UTF8.self)
        if let start = page.firstRange(of: TlogProof.magic), page.hasPrefix("<!doctype html>") {
            let rest = page[start.lowerBound...]
            text = Array((rest.firstRange(of: "</pre>").map { rest[..<$0.lowerBound] } ?? rest).utf8)
        }
        guard let proof = TlogProof(text) else { return nil }
        self.init(proof)
    }

    private init?(_ proof: TlogProof) {
        guard let extra = proof.extra, let document = try? JSONValue.parse(extra), document["type"]?.text == Self.type,
            let claim = document["claim"]
        else { return nil }
        var entries: [(index: Int, body: [UInt8], hashes: [[UInt8]])] = []
        for entry in document["entries"]?.items ?? [] {
            guard let index = entry["index"]?.whole, let body = entry["body"]?.text.flatMap({ bytes(base64: $0) })
            else { return nil }
            let hashes = (entry["hashes"]?.items ?? []).compactMap { $0.text.flatMap { bytes(base64: $0) } }
            entries.append((Int(index), body, hashes))
        }
        (self.proof, self.claim, self.entries) = (proof, claim, entries)
        row = document["row"]?.whole.map { Int($0) }
        rowMap = document["rowmap"]?.text.flatMap { bytes(base64: $0) }
    }

    // MARK: Checking

    /// Why a proof does not hold.
    package enum Fault: Error, Sendable, Equatable {
        /// The checkpoint is not signed by the key.
        case unsigned
        /// An entry is not under the checkpoint.
        case notIncluded(Int)
        /// The row map is not the one of the entry.
        case otherRowMap
        /// The claim does not follow from the entries.
        case otherClaim
    }

    /// Checks everything: the signature, each entry, the row map, and that the claim follows from them.
    ///
    /// - Parameter key: the ledger's verifier key, from a place that the proof's bearer cannot write to.
    /// - Returns: the signed checkpoint that it holds under.
    /// - Throws: the first fault.
    package func verify(_ key: VerifierKey) throws(Fault) -> Checkpoint {
        guard let head = Checkpoint.open(proof.note, key: key), head.origin == key.name else { throw .unsigned }
        var bodies: [(Int, JSONValue)] = []
        for entry in entries {
            let isIncluded = MerkleTree.isIncluded(
                leaf: MerkleTree.leafHash(entry.body), index: entry.index, size: head.size, root: head.root,
                proof: entry.hashes)
            guard isIncluded, let body = try? JSONValue.parse(entry.body) else { throw .notIncluded(entry.index) }
            bodies.append((entry.index, body))
        }
        guard let judged = bodies.first(where: { $0.1.event == .batchJudged }), judged.0 == proof.index,
            entries.contains(where: { $0.index == proof.index && $0.hashes == proof.hashes })
        else { throw .notIncluded(proof.index) }
        var map: RowMap?
        if row != nil {
            guard let rowMap, judged.1["rowmap_sha256"]?.text == hex(SHA256.hash(rowMap)),
                let read = RowMap(encoded: rowMap)
            else { throw .otherRowMap }
            map = read
        }
        guard Story(bodies, map, row)?.claim == claim else { throw .otherClaim }
        return head
    }
}

/// What entries say of a batch and of a row.
private struct Story {
    private let received: JSONValue, judged: JSONValue
    private let bodies: [(index: Int, body: JSONValue)]
    private let row: Int?
    private let place: RowMap.Place?

    /// nil unless the entries are those of one judged batch, which has such a row.
    init?(_ bodies: [(Int, JSONValue)], _ map: RowMap?, _ row: Int?) {
        guard let judged = bodies.first(where: { $0.1.event == .batchJudged })?.1, let batch = judged["batch"]?.text,
            let received = bodies.first(where: { $0.1.event == .batchReceived && $0.1["batch"]?.text == batch })?.1,
            bodies.allSatisfy({ [$0.1["batch"]?.text, $0.1["held"]?.text].contains(batch) })
        else { return nil }
        (self.received, self.judged, self.bodies, self.row) = (received, judged, bodies.map { ($0.0, $0.1) }, row)
        place = row.flatMap { map?.place(ofRow: $0) }
        if row != nil, place == nil { return nil }
    }

    /// Whether a member of `files` is the file that rows of this fate are in.
    static func isFile(_ file: JSONValue, of fate: RowMap.Fate) -> Bool {
        let role: FileRole = fate.outcome.map { $0.isReleased ? .accepted : .quarantine } ?? .source
        return file["role"]?.text == role.rawValue
            && (fate.shard == nil || file["shard"]?.whole == fate.shard.map(Int64.init))
    }

    var claim: JSONValue {
        var members: [String: JSONValue] = [:]
        for (name, value) in [
            ("batch", judged["batch"]), ("dataset", judged["dataset"]), ("verdict", judged["verdict"]),
            ("rows", judged["rows"]), ("decision_sha256", judged["decision_sha256"]), ("source", received["source"]),
            ("source_sha256", received["data_hash"]), ("contract_sha256", received["contract_sha256"]),
            ("time", judged["time"]),
        ] { members[name] = value }
        let files = bodies.filter { $0.body.event == .shardPublished }.flatMap { $0.body["files"]?.items ?? [] }
        if let row, let place {
            var found: [String: JSONValue] = [
                "record": .integer(Int64(row)), "outcome": .string(place.fate.outcome?.name ?? "held with its batch"),
            ]
            if let file = files.first(where: { Self.isFile($0, of: place.fate) }) {
                found["shard"] = file["path"]
                found["shard_sha256"] = file["file_sha256"]
                // Other keys leave the rows as they were, and give the file another digest.
                let changed = bodies.last { pair in
                    pair.body.event == .shardRewrapped
                        && (pair.body["files"]?.items ?? []).contains { $0["path"] == file["path"] }
                }
                found["shard_sha256_now"] =
                    (changed?.body["files"]?.items ?? [])
                    .first { $0["path"] == file["path"] }?["file_sha256"]
                // A held source is sealed whole, so its rows have the same numbers.
                found["shard_row"] = .integer(Int64(place.fate.outcome == nil ? row : place.row))
            }
            members["row"] = .object(found)
        } else {
            for name in ["accepted", "flagged", "quarantined", "rejected", "findings", "held_for"] {
                members[name] = judged[name]
            }
            members["files"] = .array(
                files.map { file in
                    var kept: [String: JSONValue] = [:]
                    for name in ["role", "path", "file_sha256", "row_count"] { kept[name] = file[name] }
                    return .object(kept)
                })
        }
        let later = bodies.filter { pair in
            ![.batchReceived, .batchJudged, .shardPublished].contains(pair.body.event)
        }
        members["afterwards"] = .array(
            later.map { index, body in
                var kept: [String: JSONValue] = ["entry": .integer(Int64(index))]
                for name in ["kind", "time", "by", "rows", "held", "rule", "from", "to", "reason"] {
                    kept[name] = body[name]
                }
                if body.event == .batchReleased, body["held"] == judged["batch"] { kept["batch"] = body["batch"] }
                return .object(kept)
            })
        return .object(members)
    }
}
