import Cryptography
package import Tabular

/// A proof of what the ledger records of a batch, of one row of its source, or of an erasure, that can be checked without
/// the store.
///
/// It is a C2SP tlog-proof of the entry `batch.judged` or `subject.erased`. Its `extra` line is a JSON document: `type`, `row`, the
/// other entries with an inclusion proof each under the same checkpoint (`entries`: `index`, `body` and `hashes` in
/// base64), the row map for a row (`rowmap`, base64), and `claim`, which follows from the entries and the map and is
/// there for readers.
package struct RecordProof: Sendable {
    /// The whole proof.
    package let proof: TlogProof
    /// The row of the source, from 1; nil for a proof of the batch.
    package let row: Int?
    private let entries: [Included]
    private let rowMap: [UInt8]?
    /// What it claims; `verify` says whether that is so.
    package let claim: JSONValue

    /// The ledger that its checkpoint names; not proven by itself.
    package var origin: String {
        String(decoding: proof.note.prefix { $0 != 0x0A }, as: UTF8.self)
    }
    /// Number of entries that it has.
    package var entryCount: Int { entries.count }

    /// What a proof is about: the `type` of its document.
    package enum Kind: String, Sendable {
        /// A batch, or a row of its source.
        case batch = "sluice-proof-v1"
        /// The erasure of a subject's rows.
        case erasure = "sluice-erasure-v1"
    }

    /// What it is about.
    package let kind: Kind

    // MARK: Making

    /// Proves a batch, or one row of its source.
    ///
    /// - Parameters:
    ///   - batch: the batch.
    ///   - row: the row's number in the source, from 1.
    ///   - log: the proven record.
    /// - Throws: `damaged` when the row map is missing.
    /// - Returns: nil if the ledger has no judged batch of this id, or the batch has no such row.
    package static func make(batch: String, row: Int?, from log: ProvenLog) throws(LedgerError) -> RecordProof? {
        let run = try log.run(batch)
        guard let judged = run.first(where: { $0.event == .batchJudged }) else { return nil }
        let query = LineageQuery(log.ledger)
        let map = row == nil ? nil : try query.rowMap(of: judged)
        var shard: PublishedFile?
        if let row {
            guard let place = map?.place(ofRow: row) else { return nil }
            shard = run.flatMap(\.files).first { BatchAccount.isFile($0.body, of: place.fate) }
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
                case .batchSuperseded, .batchReleased, .holdRejected, .reviewApproved: true
                case .fileRemoved, .shardRewrapped, .shardRewritten:
                    row == nil || entry.changedFiles.contains { $0.path == shard?.path }
                default: false
                }
            }
        guard let proofs = try log.ledger.proofs(of: wanted.map(\.sequence)),
            let main = zip(wanted, proofs).first(where: { $0.0.sequence == judged.sequence })?.1
        else { return nil }
        guard let account = BatchAccount(wanted.map { ($0.sequence, $0.body) }, map, row) else { return nil }
        return make(
            main, zip(wanted, proofs).map { Included($0.0.sequence, $0.0.bytes, $0.1.hashes) },
            Content(kind: .batch, claim: account.claim, row: row, rowMap: map?.encoded()))
    }

    /// Proves an erasure.
    ///
    /// - Parameters:
    ///   - sequence: the entry `subject.erased`.
    ///   - log: the proven record.
    /// - Returns: nil when it is another entry.
    package static func make(erasure sequence: Int, from log: ProvenLog) throws(LedgerError) -> RecordProof? {
        let erased = try log.entry(sequence)
        guard erased.event == .subjectErased, let subject = erased.body["subject"]?.text,
            let size = erased.body["through"]?.whole
        else { return nil }
        let wanted = [erased] + (try log.rewritings(ofSubject: subject, before: Int(size)).entries)
        guard let proofs = try log.ledger.proofs(of: wanted.map(\.sequence)), let main = proofs.first,
            let account = ErasureAccount(wanted.map { ($0.sequence, $0.body) })
        else { return nil }
        return make(
            main, zip(wanted, proofs).map { Included($0.0.sequence, $0.0.bytes, $0.1.hashes) },
            Content(kind: .erasure, claim: account.claim))
    }

    /// An entry with its inclusion proof.
    private struct Included: Sendable {
        let index: Int
        let body: [UInt8]
        let hashes: [[UInt8]]

        init(_ index: Int, _ body: [UInt8], _ hashes: [[UInt8]]) {
            (self.index, self.body, self.hashes) = (index, body, hashes)
        }
    }

    /// What a proof says besides its entries.
    private struct Content {
        let kind: Kind
        let claim: JSONValue
        var row: Int?
        var rowMap: [UInt8]?
    }

    private static func make(_ main: TlogProof, _ entries: [Included], _ content: Content) -> RecordProof? {
        var members: [String: JSONValue] = [
            "type": .string(content.kind.rawValue), "claim": content.claim,
            "entries": .array(
                entries.map { entry in
                    .object([
                        "index": .integer(Int64(entry.index)), "body": .string(base64(entry.body)),
                        "hashes": .array(entry.hashes.map { .string(base64($0)) }),
                    ])
                }),
        ]
        if let row = content.row { members["row"] = .integer(Int64(row)) }
        if let map = content.rowMap { members["rowmap"] = .string(base64(map)) }
        return RecordProof(main.carrying(JSONValue.object(members).canonicalBytes()))
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
        guard let extra = proof.extra, let document = try? JSONValue.parse(extra),
            let kind = document["type"]?.text.flatMap({ Kind(rawValue: $0) }), let claim = document["claim"]
        else { return nil }
        self.kind = kind
        var entries: [Included] = []
        for entry in document["entries"]?.items ?? [] {
            guard let index = entry["index"]?.whole, let body = entry["body"]?.text.flatMap({ bytes(base64: $0) })
            else { return nil }
            let hashes = (entry["hashes"]?.items ?? []).compactMap { $0.text.flatMap { bytes(base64: $0) } }
            entries.append(Included(Int(index), body, hashes))
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
        guard let main = bodies.first(where: { $0.0 == proof.index }),
            entries.contains(where: { $0.index == proof.index && $0.hashes == proof.hashes })
        else { throw .notIncluded(proof.index) }
        switch kind {
        case .batch:
            guard main.1.event == .batchJudged else { throw .notIncluded(proof.index) }
            var map: RowMap?
            if row != nil {
                guard let rowMap, main.1["rowmap_sha256"]?.text == hex(SHA256.hash(rowMap)),
                    let read = RowMap(encoded: rowMap)
                else { throw .otherRowMap }
                map = read
            }
            guard BatchAccount(bodies, map, row)?.claim == claim else { throw .otherClaim }
        case .erasure:
            guard main.1.event == .subjectErased else { throw .notIncluded(proof.index) }
            guard ErasureAccount(bodies)?.claim == claim else { throw .otherClaim }
        }
        return head
    }
}
