import Cryptography
import Tabular

/// The state that decisions need from the log, folded over the entries that a signed checkpoint covers.
///
/// The checkpoint proves that it is complete: a removed entry, or one hidden from an index, is noticed.
package struct ProvenState: Sendable {
    /// The number of entries that were folded, and the root over them.
    package internal(set) var size = 0, root: [UInt8] = []
    /// The decisions about suppliers, and their passed batches, by name.
    package internal(set) var sources: [String: SourceHistory] = [:]
    /// For each supplier, the digest of its latest registered description in `sluice.yaml`.
    package internal(set) var registered: [String: String] = [:]
    /// Entries about named baselines, in order.
    package internal(set) var baselineSteps: [Int] = []
    /// Batches whose files no longer count: superseded by another batch, or excluded from baselines.
    package internal(set) var superseded: [String: String] = [:], excluded: Set<String> = []
    /// Millionths of the privacy budget that profiles of a file have spent, by its digest.
    package internal(set) var spent: [String: UInt64] = [:]
    /// The recorded keys, by kind and name.
    package internal(set) var keys: [KeyName: RecordedKey] = [:]
    /// The wrapping keys that were replaced, with the name of the next one.
    package internal(set) var rotations: [String: String] = [:]
    /// The wrapping keys that were destroyed, with the entries that say so.
    package internal(set) var shredded: [String: Int] = [:]
    /// Number of files that were sealed or wrapped for each recipient, by its name.
    package internal(set) var uses: [String: Int] = [:]
    /// The latest recorded digest of `sluice.yaml`, and its entry.
    package internal(set) var configuration: (digest: String, sequence: Int)?
    /// Digests of contracts.
    package internal(set) var contracts: Set<String> = []
    /// The latest accepted sequence number of a signed manifest, by dataset and supplier.
    var sequences: [String: Int64] = [:]
    /// Entries that record files of a role, by dataset, with the batch's supplier.
    var published: [String: [String: [Published]]] = [:]
    /// Held batches that a person rejected for good, with their entries.
    package internal(set) var rejected: [String: Int] = [:]
    /// The same by dataset and content, which stays rejected when it comes again.
    var rejectedContents: [String: Int] = [:]
    /// Rows that were released from accepted batches, by batch: the rows as text, and the batch that they became.
    package internal(set) var releasedRows: [String: [ReleasedRows]] = [:]
    /// Contents of held batches that were released without rows that were erased, by dataset and content as it came: the
    /// suppliers, and the batches that they became.
    var releasedContents: [String: [ReleasedContent]] = [:]
    /// Rows that were erased from the files of a batch, as recorded: one list for each erasure.
    package internal(set) var erasedRows: [String: [String]] = [:]
    /// Held batches that are still open, by dataset and content.
    var holds: [String: [Hold]] = [:]
    /// Entries that removed or changed published files, by `fileKey`.
    var changedFiles = KeyIndex()
    var accepted = KeyIndex()
    var judged = KeyIndex()
    /// The received batch of the current commit, until its judgement follows.
    private var received: Received?

    /// The latest decision about a supplier, and what followed.
    package struct SourceHistory: Sendable, Equatable {
        /// The kind of the latest decision, such as `source.trusted`; empty if there is none.
        package var decision = ""
        /// Its entry; nil when there was none.
        package var sequence: Int?
        /// When, and why.
        package var time = "", reason = ""
        /// The latest entry by which a person trusted the supplier.
        package var trustedSince: Int?
        /// Digests of the files that passed since the latest decision; each counts once.
        package var observed: Set<String> = []

        /// No decision yet.
        package init() {}
    }

    /// Identifies a key.
    package struct KeyName: Hashable, Sendable {
        /// Its kind: `kek`, `rsa`, `signing`, `token` or `store`.
        package let kind: String
        /// Its name.
        package let name: String

        /// Makes a key's identification.
        package init(kind: String, name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// A key as recorded at its first use.
    package struct RecordedKey: Sendable, Equatable {
        /// The fingerprint that people compare.
        package let fingerprint: String
        /// All of it that may be shown: 32 bytes, hexadecimal.
        package let identity: String
        /// The entry.
        package let sequence: Int
    }

    /// A held batch.
    package struct Hold: Sendable, Equatable {
        /// The batch and its dataset.
        package let batch: String, dataset: String
        /// Its entry `batch.judged`.
        package let sequence: Int
        /// The supplier, and the SHA-256 of the content in hexadecimal.
        let source: String, digest: String
        /// Whether the same content from another supplier counts as different.
        let comparesSources: Bool

        /// Dataset and content.
        var content: String { dataset + "\0" + digest }
    }

    /// Rows that a person released from an accepted batch.
    package struct ReleasedRows: Sendable, Equatable {
        /// The rows, such as `3,5-7`, and the batch that they became.
        package let rows: String, batch: String
    }

    struct ReleasedContent: Sendable, Equatable {
        let source: String, batch: String
    }

    /// The batch that content was released as although rows of it had been erased; nil when it was not.
    ///
    /// - Parameters:
    ///   - dataset: its dataset.
    ///   - digest: SHA-256 of the content as it came, hexadecimal.
    ///   - source: the supplier, where equal content of others counts as different.
    package func release(ofContent digest: String, dataset: String, source: String?) -> String? {
        releasedContents[dataset + "\0" + digest]?.first { source == nil || $0.source == source }?.batch
    }

    struct Published: Sendable, Equatable {
        var sequence: Int
        var source: String
    }

    private struct Received: Sendable {
        var batch: String, dataset: String, source: String, digest: String
        var number: Int64?
    }

    init() {}

    // MARK: Questions

    /// Entries `shard.published` with files of a role in a dataset, oldest first; only those of one supplier's batches
    /// if `source` is given.
    package func publications(_ dataset: String, role: FileRole, source: String? = nil) -> [Int] {
        (published[dataset]?[role.rawValue] ?? []).filter { source == nil || $0.source == source }.map(\.sequence)
    }

    /// The suppliers whose batches have files of a role in a dataset.
    package func suppliers(of dataset: String, role: FileRole) -> Set<String> {
        Set((published[dataset]?[role.rawValue] ?? []).map(\.source).filter { !$0.isEmpty })
    }

    /// The datasets that have files of a role, sorted.
    package func datasets(with role: FileRole) -> [String] {
        published.filter { $0.value[role.rawValue] != nil }.keys.sorted()
    }

    /// The entries `batch.judged` that may have accepted this content in this dataset; the caller reads and compares
    /// them.
    package func acceptances(dataset: String, digest: [UInt8]) -> [Int] {
        accepted.candidates(Self.acceptanceKey(dataset, hex(digest)))
    }

    /// The entries `batch.judged` that may have recorded one of these keys of `seen`.
    package func judgements(_ key: [UInt8]) -> [Int] { judged.candidates(key) }

    /// The latest accepted sequence number of a supplier's signed manifests in a dataset.
    package func lastNumber(dataset: String, supplier: String) -> Int64? { sequences[dataset + "\0" + supplier] }

    /// The entry by which a person rejected a batch or its content; nil when nobody did.
    package func rejection(of batch: String, dataset: String, digest: String) -> Int? {
        rejected[batch] ?? rejectedContents[dataset + "\0" + digest]
    }

    /// A batch, and the batches that rows of it became, and rows of those.
    package func withReleases(of batch: String) -> [String] {
        [batch] + (releasedRows[batch] ?? []).flatMap { withReleases(of: $0.batch) }
    }

    /// The held batches that nobody rejected and whose content has not been accepted since, oldest first.
    package var openHolds: [Hold] { holds.values.flatMap { $0 }.sorted { $0.sequence < $1.sequence } }

    /// The wrapping key that is used today in the place of one of this name: itself, unless it was replaced.
    package func newest(_ name: String) -> String {
        var (name, seen) = (name, Set<String>())
        while let next = rotations[name], seen.insert(name).inserted { name = next }
        return name
    }

    /// Whether this store has, or had and not destroyed, a wrapping key of this name.
    package func opens(_ recipient: String) -> Bool {
        keys[KeyName(kind: "kek", name: recipient)] != nil && shredded[recipient] == nil
    }

    /// The entry by which the last key of this store among some recipients was destroyed; nil while one is left, and for
    /// recipients that the store never had a key of.
    package func destruction(of recipients: [String]) -> Int? {
        let own = recipients.filter { keys[KeyName(kind: "kek", name: $0)] != nil }
        let destroyed = own.compactMap { shredded[$0] }
        return destroyed.count == own.count ? destroyed.max() : nil
    }

    /// The suppliers with a decision, sorted.
    package var decidedSources: [String] { sources.filter { !$0.value.decision.isEmpty }.keys.sorted() }

    /// The entries that may have removed or changed the file of this path, newest first; the caller reads them.
    package func changes(ofFile path: String) -> [Int] { changedFiles.candidates(Self.fileKey(path)).sorted(by: >) }

    /// A path of the store as a key of `changedFiles`.
    private static func fileKey(_ path: String) -> [UInt8] { SHA256.hash(Array("sluice/file/v1\0\(path)".utf8)) }

    private static func acceptanceKey(_ dataset: String, _ digest: String) -> [UInt8] {
        SHA256.hash(Array("sluice/accepted/v1\0\(dataset)\0\(digest)".utf8))
    }

    // MARK: Folding

    /// Folds the next entry into the state.
    mutating func add(_ body: JSONValue, sequence: Int) {
        guard let event = body.event else { return }
        switch event {
        case .sourceTrusted, .sourceBlocked, .sourceProbation, .sourceObserved, .sourceRegistered:
            addSource(body, event, sequence: sequence)
        case .baselineBuilt, .baselineApproved, .baselinePinned, .baselineRetired:
            baselineSteps.append(sequence)
        case .baselineExcluded: if let batch = body["batch"]?.text { excluded.insert(batch) }
        case .batchSuperseded:
            if let batch = body["batch"]?.text { superseded[batch] = body["by"]?.text ?? "" }
        case .batchReceived:
            received = Received(
                batch: body["batch"]?.text ?? "", dataset: body["dataset"]?.text ?? "",
                source: body["source"]?.text ?? "", digest: body["data_hash"]?.text ?? "",
                number: body["vouched"]?["manifest"]?["sequence"]?.whole)
        case .batchJudged: addJudgement(body, sequence: sequence)
        case .batchReleased:
            guard let held = body["held"]?.text, let batch = body["batch"]?.text else { break }
            if let rows = body["rows"]?.text {
                releasedRows[held, default: []].append(ReleasedRows(rows: rows, batch: batch))
            } else {
                addRelease(of: held, as: batch)
            }
        case .holdRejected:
            guard let batch = body["batch"]?.text else { break }
            rejected[batch] = sequence
            let comparesSources = holds.values.joined().contains { $0.batch == batch && $0.comparesSources }
            if !comparesSources, let dataset = body["dataset"]?.text, let digest = body["data_hash"]?.text {
                rejectedContents[dataset + "\0" + digest] = sequence
            }
            closeHold(batch)
        case .shardPublished:
            countUses(body)
            addFiles(body, sequence: sequence)
        case .fileRemoved, .shardRewrapped, .shardRewritten: addChange(body, event, sequence: sequence)
        case .profilePublished:
            if let digest = body["source_sha256"]?.text, let cost = body["epsilon_millionths"]?.whole, cost > 0 {
                // Numbers are folded before the root is compared, so they are untrusted and must not overflow.
                spent[digest] = min((spent[digest] ?? 0) + UInt64(cost), 1 << 62)
            }
        case .keyRecorded:
            for key in body["keys"]?.items ?? [] {
                guard let kind = key["kind"]?.text, let name = key["name"]?.text else { continue }
                keys[KeyName(kind: kind, name: name)] = RecordedKey(
                    fingerprint: key["fingerprint"]?.text ?? "", identity: key["identity"]?.text ?? "",
                    sequence: sequence)
            }
        case .keyRotated:
            if let name = body["name"]?.text, let next = body["to"]?.text { rotations[name] = next }
        case .keyShredded: if let name = body["name"]?.text { shredded[name] = sequence }
        case .configChanged:
            if let digest = body["sha256"]?.text { configuration = (digest, sequence) }
        case .contractRegistered: if let digest = body["contract_sha256"]?.text { contracts.insert(digest) }
        // These entries affect no decision.
        case .genesis, .batchDuplicate, .batchFailed, .shardOpened, .valuesRevealed, .keyDrilled, .keyExported,
            .subjectSearched,
            .subjectErased,
            .reviewApproved:
            break
        }
    }

    /// Files were removed or replaced.
    private mutating func addChange(_ body: JSONValue, _ event: LedgerEvent, sequence: Int) {
        if event.replacesFiles { countUses(body) }
        for file in body["files"]?.items ?? [] {
            if let path = file["path"]?.text { changedFiles.add(Self.fileKey(path), sequence) }
        }
        guard let batch = body["batch"]?.text else { return }
        if event == .shardRewritten, let rows = body["rows"]?.text, !rows.isEmpty, erasedRows[batch]?.last != rows {
            erasedRows[batch, default: []].append(rows)
        }
        // Without its sealed source, or without a row in it, a held batch cannot be released any more.
        let isEmptied = (body["files"]?.items ?? []).contains { file in
            file["role"]?.text == FileRole.source.rawValue && file["row_count"]?.whole == 0
        }
        if event == .fileRemoved && body.hasFiles(of: .source) || event == .shardRewritten && isEmptied {
            closeHold(batch)
        }
    }

    private mutating func countUses(_ body: JSONValue) {
        let files = body["files"]?.items?.count ?? 0
        for name in body["keys"]?.items?.compactMap(\.text) ?? [] { uses[name, default: 0] += files }
    }

    /// A held batch was released. Once rows were erased from its sealed source, its content differs from what came, so its
    /// acceptance has not closed the hold.
    private mutating func addRelease(of held: String, as batch: String) {
        guard let hold = holds.values.joined().first(where: { $0.batch == held }) else { return }
        releasedContents[hold.content, default: []].append(ReleasedContent(source: hold.source, batch: batch))
        let left = (holds[hold.content] ?? []).filter { $0.comparesSources && $0.source != hold.source }
        holds[hold.content] = left.isEmpty ? nil : left
    }

    private mutating func closeHold(_ batch: String) {
        for (content, list) in holds where list.contains(where: { $0.batch == batch }) {
            let left = list.filter { $0.batch != batch }
            holds[content] = left.isEmpty ? nil : left
        }
    }

    private mutating func addSource(_ body: JSONValue, _ event: LedgerEvent, sequence: Int) {
        if event == .sourceRegistered {
            if let name = body["name"]?.text { registered[name] = body["record_sha256"]?.text ?? "" }
            return
        }
        guard let name = body["source"]?.text else { return }
        var history = sources[name] ?? SourceHistory()
        if event == .sourceObserved {
            if let digest = body["data_hash"]?.text { history.observed.insert(digest) }
        } else {
            (history.decision, history.sequence) = (event.rawValue, sequence)
            (history.time, history.reason) = (body["time"]?.text ?? "", body["reason"]?.text ?? "")
            if event == .sourceTrusted { history.trustedSince = sequence }
            history.observed = []
        }
        sources[name] = history
    }

    private mutating func addJudgement(_ body: JSONValue, sequence: Int) {
        for key in body["seen"]?.items ?? [] { judged.add(bytes(hex: key.text ?? "") ?? [], sequence) }
        guard let received, received.batch == body["batch"]?.text else { return }
        let hold = Hold(
            batch: received.batch, dataset: received.dataset, sequence: sequence, source: received.source,
            digest: received.digest, comparesSources: body["cross"] != nil)
        switch body["verdict"]?.text {
        case "held":
            // Where suppliers are compared, equal content from another one is an independent statement.
            if hold.comparesSources || rejectedContents[hold.content] == nil {
                holds[hold.content, default: []].append(hold)
            }
        case "accepted":
            accepted.add(Self.acceptanceKey(received.dataset, received.digest), sequence)
            if let number = received.number {
                let supplier = received.dataset + "\0" + received.source
                sequences[supplier] = max(number, sequences[supplier] ?? number)
            }
            let left = (holds[hold.content] ?? []).filter { $0.comparesSources && $0.source != hold.source }
            holds[hold.content] = left.isEmpty ? nil : left
        default: break
        }
    }

    private mutating func addFiles(_ body: JSONValue, sequence: Int) {
        guard let dataset = body["dataset"]?.text else { return }
        let source = received.flatMap { $0.batch == body["batch"]?.text ? $0.source : nil } ?? ""
        for role in Set((body["files"]?.items ?? []).compactMap { $0["role"]?.text.flatMap { FileRole(rawValue: $0) } })
        where Self.askedRoles.contains(role) {
            published[dataset, default: [:]][role.rawValue, default: []].append(
                Published(sequence: sequence, source: source))
        }
    }

    /// Roles of files that decisions read.
    private static let askedRoles: Set = [FileRole.accepted, .baseline, .claims, .subjectKeys]
}
