import Cryptography
import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// Moves the files of a committed batch into place, and writes their receipts.
extension Recorder {
    /// A recorded file on its way from the lease's folder to its place. Both names follow from the signed entry.
    struct Placement {
        /// Its name in the lease's folder.
        let staged: FileName
        /// Its place below the store.
        let target: RelativePath
        let digest: String
        /// The entry that records it.
        let sequence: Int
        /// Whether it takes the place of an earlier form of the file.
        let isReplacement: Bool

        /// Reads a member of an entry's `files`.
        ///
        /// - Throws: `damaged` for a path or role that no version writes.
        init(_ file: JSONValue, sequence: Int, isReplacement: Bool = false) throws(IngestionError) {
            let role = file["role"]?.text ?? ""
            guard let path = file["path"]?.text, let target = recordedPath(path), let digest = file["file_sha256"]?.text
            else {
                throw IngestionError(.damaged, "entry \(sequence) of the ledger records a file with an invalid path")
            }
            let ordinal = file["shard"]?.whole ?? 0
            switch FileRole(rawValue: role) {
            case .accepted: staged = Store.name("\(ordinal).sluice")
            case .quarantine: staged = Store.name("\(ordinal).quarantine.sluice")
            // A later version may have roles of its own.
            case .source, .baseline, .claims, .provenance, .rows, .subjects, .subjectKeys, .decision, nil:
                guard let name = FileName(Array((role + ".sluice").utf8)) else {
                    throw IngestionError(.damaged, "entry \(sequence) of the ledger records a file of unknown role")
                }
                staged = name
            }
            self.target = target
            self.digest = digest
            self.sequence = sequence
            self.isReplacement = isReplacement
        }
    }

    /// The place of a file, relative to the store. Files that are no shards go into `evidence`, so that `*.sluice` in a
    /// batch's folder matches its shards only.
    func path(_ batch: BatchIdentity, _ shard: StagedShard, isAccepted: Bool) -> String {
        let home = "\(isAccepted ? "accepted" : "quarantine")/\(batch.dataset)/\(batch.id)"
        switch shard.role {
        case .quarantine: return "quarantine/\(batch.dataset)/\(batch.id)/\(shard.ordinal).sluice"
        case .source: return "quarantine/\(batch.dataset)/\(batch.id)/source.sluice"
        case .baseline: return "baselines/\(batch.dataset)/\(batch.id).sluice"
        case .claims: return "\(Store.claimsPath(batch.dataset))/\(batch.id).sluice"
        case .accepted: return "\(home)/\(shard.ordinal).sluice"
        case .decision, .rows, .subjects, .subjectKeys, .provenance:
            return "\(home)/evidence/\(shard.role.rawValue).sluice"
        }
    }

    /// Moves the files of a committed batch into place and writes their receipts. It is idempotent: recovery after a
    /// crash calls this very function.
    ///
    /// - Parameters:
    ///   - files: the recorded files.
    ///   - staging: the lease's folder; nil when it is gone.
    ///   - isRecovery: whether a crash lies between writing and moving. Each file is then compared with the recorded
    ///     digest.
    func place(_ files: [Placement], from staging: OpenFolder?, isRecovery: Bool) throws(IngestionError) {
        var folders: [RelativePath: OpenFolder] = [:]
        for file in files {
            guard let above = file.target.folder else { continue }
            try storing { () throws(StorageError) in
                let folder: OpenFolder
                if let known = folders[above] {
                    folder = known
                } else {
                    folder = try store.files.folder(at: above, making: true)
                }
                folders[above] = folder
                let isStaged = try staging?.status(of: file.staged) != nil
                // It is in place already after a crash between the rename and the receipt.
                if try folder.status(of: file.target.name) != nil {
                    if !isStaged { return }
                    // What is staged beside the recorded file was never committed, and goes with the lease.
                    if isRecovery, try sha256(of: folder.openRegular(file.target.name)) == file.digest { return }
                }
                guard let staging, isStaged else {
                    throw StorageError(
                        .notFound, "publish", join(store.root, file.target.description), errno: 0,
                        cause: "the ledger records it, but it is missing here and in work/; restore it from a backup")
                }
                if isRecovery, try sha256(of: staging.openRegular(file.staged)) != file.digest {
                    throw StorageError(
                        .inputOutput, "publish", join(store.root, file.target.description), errno: 0,
                        cause: "its copy in work/ is not the file the ledger records; restore it from a backup"
                    )
                }
                try staging.move(
                    file.staged, to: folder, as: file.target.name, replacing: file.isReplacement)
            }
        }
        try receipts(files, folders)
        try storing { () throws(StorageError) in
            for folder in folders.values { try folder.sync() }
        }
    }

    /// Disposes of the delivered file, then ends the lease.
    func finish(_ claim: String, _ delivery: Delivery?) throws(IngestionError) {
        if let delivery, try !dispose(delivery, claim: claim) { return }
        try forget(claim)
    }

    /// Publishes what a dead process committed. The proven record decides which file goes where, never the lease's
    /// unsigned row.
    ///
    /// - Returns: false when the record has no such batch, so that there is nothing to publish.
    func republish(_ claim: String, _ delivery: Delivery?) throws(IngestionError) -> Bool {
        let run = try recording { () throws(LedgerError) in try record.run(claim) }
        if run.isEmpty { return false }
        var files: [Placement] = []
        for file in run.flatMap(\.files) {
            let standing = try recording { () throws(LedgerError) in try record.standing(of: file) }
            if let now = standing.file {
                files.append(
                    try Placement(now.body, sequence: now.entry.sequence, isReplacement: now.entry != file.entry))
            } else {
                try erase([file])
            }
        }
        let staging = try storing { () throws(StorageError) -> OpenFolder? in
            guard try work.status(of: Store.name(claim))?.kind == .folder else { return nil }
            return try work.folder(at: RelativePath(Store.name(claim)))
        }
        try place(files, from: staging, isRecovery: true)
        try finish(claim, delivery)
        return true
    }

    /// Writes a `.tlog-proof` beside each file: an inclusion proof that can be checked offline against the signed
    /// checkpoint.
    func receipts(_ files: [Placement], _ folders: [RelativePath: OpenFolder]) throws(IngestionError) {
        // All receipts are written before the first is synced, so that one journal commit of the file system serves
        // them all.
        var receipts: [Receipt] = []
        var proofs: [Int: [UInt8]] = [:]
        for file in files {
            guard let folder = file.target.folder.flatMap({ folders[$0] }),
                let name = file.target.with(ending: ".tlog-proof")?.name
            else { continue }
            let isThere = try storing { () throws(StorageError) in try folder.status(of: name) } != nil
            // The receipt of the file before proves another entry.
            if isThere, !file.isReplacement { continue }
            if isThere { try storing { () throws(StorageError) in try folder.remove(name) } }
            if proofs[file.sequence] == nil {
                proofs[file.sequence] =
                    try recording { () throws(LedgerError) in try ledger.proof(of: file.sequence) }?.text
            }
            guard let proof = proofs[file.sequence] else { continue }
            receipts.append(try storing { () throws(StorageError) in try Receipt(name, in: folder, proof) })
        }
        for receipt in receipts { try storing { () throws(StorageError) in try receipt.commit() } }
    }

    /// A receipt that is written and not yet durable.
    final class Receipt {
        private var file: StagedFile?
        private let name: FileName

        init(_ name: FileName, in folder: OpenFolder, _ text: [UInt8]) throws(StorageError) {
            // A crash may have left a partial one.
            if let part = RelativePath(name).with(ending: ".part")?.name, try folder.status(of: part) != nil {
                try folder.remove(part)
            }
            var file = try StagedFile(in: folder, name: name)
            try file.write(text.span)
            self.name = name
            self.file = consume file
        }

        func commit() throws(StorageError) {
            guard let open = file.take() else { return }
            try open.commit(as: name)
        }
    }
}
