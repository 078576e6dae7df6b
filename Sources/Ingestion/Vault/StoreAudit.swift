import Cryptography
import Glibc
import Lineage
import Schemas
import Sealing
import Storage
import Tabular

/// The result of comparing a store's files with the record.
package struct StoreAudit: Sendable {
    /// Everything that differs from the record, one line each.
    package var problems: [String] = []
    /// Remarks that are no damage, one line each.
    package var notes: [String] = []

    /// A result with the given problems.
    package init(problems: [String] = []) { self.problems = problems }
}

/// The recorded files by their paths.
struct RecordedPlaces {
    /// A recorded file.
    struct Recorded {
        let digest: String
        let sequence: Int
        let batch: String
        let role: FileRole?
        /// Its length, where the entry says it.
        let bytes: Int?

        /// Whether nothing depends on the file, because its batch is excluded from the baselines.
        func isExcluded(_ state: ProvenState) -> Bool {
            (role == .baseline || role == .claims) && state.excluded.contains(batch)
        }
    }

    /// The files by path.
    private(set) var files: [RelativePath: Recorded] = [:]
    /// The folders that contain them, and their parents.
    private(set) var folders = Set<RelativePath>()
    /// Entries that record a file at an invalid path.
    private(set) var strange: [Int] = []
    /// The files that were removed lawfully.
    private(set) var removed: [RelativePath: Recorded] = [:]
    private var next: [LedgerEvent: Int] = [:]

    /// Adds what was recorded since the last call.
    mutating func catchUp(_ ledger: Ledger) throws(IngestionError) {
        for event in LedgerEvent.aboutFiles {
            while true {
                let from = next[event] ?? 0
                let entries = try recording { () throws(LedgerError) in
                    try ledger.unindexedEntries(kind: event.rawValue, from: from, limit: 1000)
                }
                guard let last = entries.last else { break }
                next[event] = last.sequence + 1
                for file in entries.flatMap({ $0.files + $0.changedFiles }) { add(file, event) }
            }
        }
    }

    private mutating func add(_ file: PublishedFile, _ event: LedgerEvent) {
        guard let path = recordedPath(file.path) else { return strange.append(file.entry.sequence) }
        let recorded = Recorded(
            digest: file.digest, sequence: file.entry.sequence, batch: file.batch, role: file.role,
            bytes: file.body["bytes"]?.whole.map { Int($0) })
        var above = path.folder
        while let folder = above, folders.insert(folder).inserted { above = folder.folder }
        if event == .fileRemoved {
            (removed[path], files[path]) = (recorded, nil)
        } else if removed[path] == nil, files[path].map({ $0.sequence < recorded.sequence }) ?? true {
            // A change may be read before the publication, which another process committed between the two queries.
            files[path] = recorded
        }
    }

    /// The file that a receipt is of; nil when the path is not that of a recorded file's receipt.
    func file(ofReceipt path: RelativePath) -> Recorded? { Self.place(ofReceipt: path).flatMap { files[$0] } }

    /// The lawful removal of a file, by its path or by that of its receipt; nil when it was not removed.
    func removal(of path: RelativePath) -> Recorded? {
        removed[path] ?? Self.place(ofReceipt: path).flatMap { removed[$0] }
    }

    private static func place(ofReceipt path: RelativePath) -> RelativePath? {
        let ending = Array(".tlog-proof".utf8)
        guard path.name.bytes.suffix(ending.count).elementsEqual(ending),
            let name = FileName(Array(path.name.bytes.dropLast(ending.count)))
        else { return nil }
        return path.folder.map { $0.appending(name) } ?? RelativePath(name)
    }
}

extension Store {
    /// Compares every file of the store with the record: missing, changed, of the wrong kind, or unrecorded files;
    /// invalid receipts; changed keys; strangers in `work`.
    ///
    /// A file that another process may be publishing at this moment is examined again before it is reported.
    package func audit() throws(IngestionError) -> StoreAudit {
        let (log, state) = try proven()
        var walk = try AuditWalk(files, log)
        var suspects = try walk.everything()
        for attempt in 0..<100 where !suspects.isEmpty {
            // A few attempts for what was just published; more while another process is at work.
            if attempt >= 3, try !isAnybodyAtWork(log.ledger) { break }
            usleep(100_000)
            try walk.places.catchUp(log.ledger)
            var left: [AuditWalk.Suspect] = []
            for suspect in suspects {
                if let line = try walk.judge(suspect.path) {
                    left.append(AuditWalk.Suspect(path: suspect.path, line: line))
                }
            }
            suspects = left
        }
        var audit = StoreAudit()
        // A file that nothing depends on may be lost for good.
        let isMoot: (AuditWalk.Suspect) -> Bool = { suspect in
            (walk.places.files[suspect.path] ?? walk.places.file(ofReceipt: suspect.path))?.isExcluded(state) ?? false
        }
        audit.notes = suspects.filter(isMoot).map {
            "NOTE \($0.line); nothing depends on it, because its batch is excluded from the baselines"
        }
        suspects.removeAll(where: isMoot)
        audit.problems =
            suspects.map(\.line)
            + walk.places.strange.map { "ENTRY \($0) records a file outside the folders of a store" }
        audit.problems += try strangersInWork() + changedKeys(state)
        audit.notes += try changedSettings(state)
        return audit
    }

    private func isAnybodyAtWork(_ ledger: Ledger) throws(IngestionError) -> Bool {
        let rows = try recording { () throws(LedgerError) in try ledger.inflight() }
        guard let work = try? openWork() else { return false }
        return rows.contains { row in
            Inflight.isName(row.claim) && (try? FileLock.holder(Self.name(row.claim + ".lock"), in: work)) != nil
        }
    }

    /// Whether a process is publishing a batch's files at this moment.
    func isPublishing(_ batch: String) throws(IngestionError) -> Bool {
        guard Inflight.isName(batch), let work = try? openWork() else { return false }
        return (try? FileLock.holder(Self.name(batch + ".lock"), in: work)) != nil
    }

    /// Splits a name in `work` into the lease and its ending, which is empty for the lease's folder; nil when it is not
    /// a lease's.
    static func claimPart(of name: String) -> (claim: String, ending: String)? {
        let claim = String(name.prefix { $0 != "." })
        let ending = String(name.dropFirst(claim.count))
        let endings = [
            "", ".lock", ".name", ".name.part", ".sidecars", ".sidecars.part", ".source", ".files", ".judged",
        ]
        return Inflight.isName(claim) && endings.contains(ending) ? (claim, ending) : nil
    }

    /// Names in `work` that do not have a lease's form, or have it and are of the wrong kind.
    func strangersInWork() throws(IngestionError) -> [String] {
        guard let work = try? openWork() else {
            return ["WORK work is not a folder: nothing can be ingested until it is; find out who changed it"]
        }
        return try storing { () throws(StorageError) in
            var found: [String] = []
            for name in try work.names() {
                let text = name.description
                guard let kind = try work.status(of: name)?.kind else { continue }
                if let part = Self.claimPart(of: text) {
                    let isFolder = ["", ".files", ".judged"].contains(part.ending)
                    if kind == (isFolder ? .folder : .regular) { continue }
                }
                found.append(
                    "WORK work/\(text) is a \(kind.rawValue) that Sluice did not put there; it is ignored: move it away"
                )
            }
            return found
        }
    }

    private func changedKeys(_ state: ProvenState) throws(IngestionError) -> [String] {
        var found: [String] = []
        for key in try presentKeys() {
            if let known = state.keys[key.name], known.identity != key.identity {
                found.append(
                    "KEY \(key.place) has fingerprint \(key.fingerprint), but the ledger records \(known.fingerprint): the key was replaced"
                )
            }
        }
        return found
    }

    /// Configuration and contracts that changed since they were last used. Editing them is permitted, so this is only a
    /// remark.
    private func changedSettings(_ state: ProvenState) throws(IngestionError) -> [String] {
        var notes: [String] = []
        if let known = state.configuration, known.digest != hex(configurationDigest) {
            notes.append(
                "NOTE \(Self.configurationName) changed after entry \(known.sequence); the next ingest or watch records the change"
            )
        }
        for dataset in configuration.datasets.keys.sorted() where configuration.datasets[dataset]?.schema != nil {
            guard state.datasets(with: .accepted).contains(dataset), let loaded = try? contract(of: dataset) else {
                continue
            }
            if !state.contracts.contains(hex(Schema.digested(loaded).digest)) {
                notes.append(
                    "NOTE the contract of dataset \(dataset) has not judged a batch yet; the next batch records it"
                )
            }
        }
        return notes
    }
}

/// The receipt of a recorded file.
///
/// - Parameters:
///   - text: the receipt's bytes.
///   - recorded: the file.
///   - log: the proven record.
/// - Returns: nil unless the text is exactly what would be written for the file, and proves its entry.
func receipt(
    _ text: [UInt8], of recorded: RecordedPlaces.Recorded, in log: ProvenLog
) throws(IngestionError) -> TlogProof? {
    guard let proof = TlogProof(text), proof.text == text, proof.extra == nil, proof.index == recorded.sequence
    else { return nil }
    let entry = try recording { () throws(LedgerError) in try log.entry(recorded.sequence) }
    return proof.proves(body: entry.bytes, key: log.ledger.verifier) ? proof : nil
}

/// One pass over the store's folders of sealed files.
struct AuditWalk {
    /// A path that differs from the record, with the reason.
    struct Suspect {
        let path: RelativePath
        let line: String
    }

    private let root: OpenFolder
    private let log: ProvenLog
    var places = RecordedPlaces()
    /// The checkpoint that was verified last: the receipts of one batch share theirs.
    private var lastNote: (note: [UInt8], isKnown: Bool)?

    init(_ root: OpenFolder, _ log: ProvenLog) throws(IngestionError) {
        self.root = root
        self.log = log
        try places.catchUp(log.ledger)
    }

    /// Examines every recorded file and everything else in those folders.
    mutating func everything() throws(IngestionError) -> [Suspect] {
        var suspects: [Suspect] = []
        let recorded = places.files.keys.sorted { $0.text < $1.text }
        for path in recorded {
            for each in [path, path.with(ending: ".tlog-proof")].compactMap({ $0 }) {
                if let line = try judge(each) { suspects.append(Suspect(path: each, line: line)) }
            }
        }
        for kind in ["accepted", "quarantine", "baselines"] {
            try collectSuspects(in: RelativePath(Store.name(kind)), &suspects)
        }
        return suspects
    }

    /// Examines one folder and those below it.
    private mutating func collectSuspects(in folder: RelativePath, _ suspects: inout [Suspect]) throws(IngestionError) {
        let names: [FileName]
        do throws(StorageError) { names = try root.folder(at: folder).names() } catch {
            suspects.append(Suspect(path: folder, line: "FOLDER \(folder) cannot be read: \(error.cause)"))
            return
        }
        for name in names {
            let path = folder.appending(name)
            if places.files[path] != nil || places.file(ofReceipt: path) != nil { continue }
            if places.folders.contains(path), (try? root.status(at: path))??.kind == .folder {
                try collectSuspects(in: path, &suspects)
            } else if let line = try judge(path) {
                suspects.append(Suspect(path: path, line: line))
            }
        }
    }

    /// The defect of one path; nil when there is none.
    mutating func judge(_ path: RelativePath) throws(IngestionError) -> String? {
        let status: FileStatus?
        do throws(StorageError) { status = try root.status(at: path) } catch {
            return "FILE \(path) cannot be read: \(error.cause)"
        }
        if let recorded = places.files[path] {
            guard let status else {
                return isStaged(recorded)
                    ? "FILE \(path) is not in place: the process ended while publishing; the next sluice ingest or watch finishes it"
                    : "FILE \(path) is missing"
            }
            guard status.kind == .regular else {
                return "FILE \(path) is a \(status.kind.rawValue), but was published as a plain file"
            }
            let found = try storing { () throws(StorageError) in try sha256(of: root.openRegular(at: path)) }
            if found == recorded.digest { return nil }
            return isStaged(recorded)
                ? "FILE \(path) is not replaced yet: the process ended while replacing it; the next command that writes, "
                    + "such as sluice ingest, finishes it"
                : "FILE \(path) differs from the published file: it was changed or replaced"
        }
        if let recorded = places.file(ofReceipt: path) {
            guard let status else {
                // A file that is missing with its receipt is reported once.
                let file =
                    path.folder.map { $0.appending(Self.name(ofReceipt: path)) }
                    ?? RelativePath(Self.name(ofReceipt: path))
                if !root.exists(at: file) { return nil }
                return isStaged(recorded)
                    ? "RECEIPT \(path) is not written yet: the process ended while publishing; the next sluice ingest or watch writes it"
                    : "RECEIPT \(path) is missing"
            }
            guard status.kind == .regular else {
                return "RECEIPT \(path) is a \(status.kind.rawValue), but was published as a plain file"
            }
            return try judge(receipt: path, recorded)
        }
        if status != nil, let removal = places.removal(of: path) {
            return isInWork(removal)
                ? "FILE \(path) is not removed yet: the process ended while removing it; the next sluice ingest or watch finishes it"
                : "FILE \(path) was removed lawfully (entry \(removal.sequence)), and is here again: delete it"
        }
        if status?.kind == .regular, let receipt = Self.whole(ofPart: path),
            let recorded = places.file(ofReceipt: receipt),
            isStaged(recorded)
        {
            return
                "RECEIPT \(receipt) is half written: the process ended while publishing; the next command that writes, "
                + "such as sluice ingest, finishes it"
        }
        // A folder that became one of ours meanwhile is examined by the next audit.
        guard let status, !(places.folders.contains(path) && status.kind == .folder) else { return nil }
        return status.kind == .regular
            ? "FILE \(path) is not recorded" : "FILE \(path) is a \(status.kind.rawValue) that is not recorded"
    }

    /// Whether the batch's files are still in its lease's folder.
    private func isStaged(_ recorded: RecordedPlaces.Recorded) -> Bool {
        Inflight.isName(recorded.batch) && root.exists(at: Store.workPath.appending(Store.name(recorded.batch)))
    }

    /// Whether the batch's lease is still there.
    private func isInWork(_ recorded: RecordedPlaces.Recorded) -> Bool {
        Inflight.isName(recorded.batch)
            && root.exists(at: Store.workPath.appending(Store.name(recorded.batch + ".lock")))
    }

    /// The name that a file gets once it is written; nil for one that is no part.
    private static func whole(ofPart path: RelativePath) -> RelativePath? {
        let ending = Array(".part".utf8)
        guard path.name.bytes.suffix(ending.count).elementsEqual(ending),
            let name = FileName(Array(path.name.bytes.dropLast(ending.count)))
        else { return nil }
        return path.folder.map { $0.appending(name) } ?? RelativePath(name)
    }

    private static func name(ofReceipt path: RelativePath) -> FileName {
        FileName(Array(path.name.bytes.dropLast(11))) ?? path.name
    }

    private mutating func judge(
        receipt path: RelativePath, _ recorded: RecordedPlaces.Recorded
    ) throws(IngestionError) -> String? {
        let text = try storing { () throws(StorageError) in try root.openRegular(at: path).readAll(max: 1 << 20) }
        guard let proof = try receipt(text, of: recorded, in: log) else {
            if isStaged(recorded) {
                return "RECEIPT \(path) is that of the file before: the process ended while replacing it; "
                    + "the next sluice ingest or watch writes it"
            }
            return "RECEIPT \(path) does not prove its file: it was damaged or swapped"
        }
        if lastNote?.note != proof.note {
            let isKnown = try recording { () throws(LedgerError) in try log.ledger.holds(checkpoint: proof.note) }
            lastNote = (proof.note, isKnown)
        }
        return lastNote?.isKnown == true
            ? nil
            : "RECEIPT \(path) has a signed checkpoint that the ledger lacks: the ledger was cut short or rewritten"
    }
}
