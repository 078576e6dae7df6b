import Cryptography
import Lineage
import Reading
import Storage
package import Tabular

/// A file that `watch` took out of an inbox: where it stands until its outcome is durable, and what becomes of it then.
///
/// Kept in the claim's row of the ledger. The supplier's name for the file is not part of it, since names may say
/// something about a person; it lies beside the file, in the store's own folder, for as long as the file does.
package struct Delivery: Sendable, Equatable {
    /// The dataset whose inbox it came to.
    package var dataset: String
    /// The inbox, as the configuration names it: paths are relative to the store, which may be moved.
    package var inbox: String
    /// Where the file stands now: in the store's `work` folder, or, when the inbox is on another file system, in the inbox
    /// under a hidden name.
    package var place: String
    /// SHA-256 of the supplier's name for it.
    package var nameHash: [UInt8]
    /// The format that the name says.
    package var format: SourceFormat?
    /// Where it goes once its outcome is durable; nil means it is removed.
    package var archive: String?
    /// What the file was when it was judged: one that was written to since is given back, not removed.
    package var judged: FileIdentity?

    /// Which file, and in which state: what changes when anyone writes to it.
    package struct FileIdentity: Sendable, Equatable {
        var inode: UInt64
        var size: Int
        var modifiedNanoseconds: Int

        init(_ status: FileStatus) {
            inode = status.inode
            size = status.size
            modifiedNanoseconds = status.modifiedNanoseconds
        }
    }
}

extension Delivery {
    var document: JSONValue {
        var members: [String: JSONValue] = [
            "dataset": .string(dataset), "inbox": .string(inbox), "place": .string(place),
            "name_sha256": .string(hex(nameHash)),
        ]
        if let format { members["format"] = .string(format.rawValue) }
        if let archive { members["archive"] = .string(archive) }
        if let judged {
            // Texts: a JSON number is exact up to 2^53 only.
            members["inode"] = .string("\(judged.inode)")
            members["size"] = .string("\(judged.size)")
            members["modified_ns"] = .string("\(judged.modifiedNanoseconds)")
        }
        return .object(members)
    }

    init?(_ document: JSONValue?) {
        guard let document, let dataset = document["dataset"]?.text, let inbox = document["inbox"]?.text,
            let place = document["place"]?.text, let hash = document["name_sha256"]?.text,
            let nameHash = bytes(hex: hash)
        else { return nil }
        self.dataset = dataset
        self.inbox = inbox
        self.place = place
        self.nameHash = nameHash
        format = document["format"]?.text.flatMap { SourceFormat(rawValue: $0) }
        archive = document["archive"]?.text
        if let inode = document["inode"]?.text.flatMap({ UInt64($0) }),
            let size = document["size"]?.text.flatMap({ Int($0) }),
            let modified = document["modified_ns"]?.text.flatMap({ Int($0) })
        {
            judged = FileIdentity(inode: inode, size: size, modifiedNanoseconds: modified)
        }
    }
}

extension Delivery.FileIdentity {
    init(inode: UInt64, size: Int, modifiedNanoseconds: Int) {
        self.inode = inode
        self.size = size
        self.modifiedNanoseconds = modifiedNanoseconds
    }
}

extension Store {
    /// Where the sidecars of a delivered file are kept while it is worked on.
    static func sidecarsPath(_ store: Store, _ claim: String) -> String {
        join(store.workFolder, claim + ".sidecars")
    }

    /// The sidecars that a delivered file came with; nil when there were none.
    func keptSidecars(_ claim: Claim?) throws(IngestionError) -> Sidecars? {
        guard let claim, exists(Self.sidecarsPath(self, claim.name)) else { return nil }
        let path = Self.sidecarsPath(self, claim.name)
        let bytes = try storing { () throws(StorageError) in
            try FileDescriptor.openRegular(path).readAll(max: 1 << 20)
        }
        return (try? JSONValue.parse(bytes)).map { Sidecars($0) }
    }
}

/// Taking files out of inboxes and letting them go: the beginning and the end of a claim that `watch` makes.
///
/// In this order, so that after a crash at any point the file is in exactly one of the two places and the row says which
/// claim it belongs to: the lock, the row, the move into `work`, the sync of both folders.
extension Committer {
    private func namePath(_ claim: String) -> String { join(store.workFolder, claim + ".name") }

    /// What came beside a file that is about to be taken: read now, since a new delivery of that name brings its own.
    private func sidecars(of name: FileName, in inbox: OpenFolder) throws(StorageError) -> Sidecars {
        var found = Sidecars()
        found.name = name.description
        for kind in Sidecars.Kind.allCases {
            guard let sidecar = Sidecars.name(kind, of: name), let status = try inbox.status(of: sidecar),
                status.kind == .regular
            else { continue }
            // One that was only just begun is not there yet; one too large to be any says nothing that can be read.
            if status.size == 0 { continue }
            found.files[kind] =
                status.size > Sidecars.bytesMax ? [] : try inbox.openRegular(sidecar).readAll(max: Sidecars.bytesMax)
            found.taken[kind] = Delivery.FileIdentity(status)
        }
        return found
    }

    /// Removes the sidecars of a file that was taken; others of that name are those of a file that is still to come.
    private func removeSidecars(_ kept: Sidecars, of name: FileName, in inbox: OpenFolder) {
        for (kind, identity) in kept.taken {
            guard let sidecar = Sidecars.name(kind, of: name), let status = try? inbox.status(of: sidecar),
                Delivery.FileIdentity(status) == identity
            else { continue }
            try? inbox.remove(sidecar)
        }
    }

    /// Takes a file out of an inbox. Throws when it cannot be moved; then nothing has changed.
    func take(
        _ name: FileName, from inbox: OpenFolder, dataset: String, archive: String?
    ) throws(IngestionError) -> Claim {
        let id = try Clock.identifier()
        let (inboxStatus, workStatus) = try storing { () throws(StorageError) in
            (try inbox.status(), try OpenFolder(store.workFolder).status())
        }
        let path = store.inboxPath(of: dataset)
        // The hidden name that a file of an unknown claim has keeps its format before its ending.
        let given = name.description
        let format = Corridor.format(of: given.hasSuffix(".source") ? String(given.dropLast(7)) : given)
        let place =
            inboxStatus.device == workStatus.device
            ? join("work", id + ".source")
            : join(path, ".sluice-" + id + (format.map { "." + $0.rawValue } ?? "") + ".source")
        let delivery = Delivery(
            dataset: dataset, inbox: path, place: place, nameHash: SHA256.hash(name.bytes),
            format: format, archive: archive)
        let claim = Claim(
            name: id, folder: join(store.workFolder, id), lock: try lock(id), delivery: delivery)
        do throws(IngestionError) {
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: id, source: dataset, state: .claimed, attempts: 1,
                        plan: JSONValue.object(["delivery": delivery.document]).canonicalBytes(),
                        updatedMilliseconds: Clock.milliseconds()))
            }
            let kept = try storing { () throws(StorageError) in try sidecars(of: name, in: inbox) }
            try storing { () throws(StorageError) in
                // For people and archives only: a power loss may take it, and then the claim's name serves.
                var file = try StagedFile(in: store.workFolder, name: id + ".name")
                try file.write(name.bytes.span)
                try file.commitLoosely(as: id + ".name")
                if !kept.isEmpty {
                    try writeDurably(Store.sidecarsPath(store, id), kept.document.canonicalBytes().span)
                }
                try inbox.move(name, to: store.placed(place))
                // What was looked at and what was moved need not be the same: the inbox is the supplier's.
                let kind = try fileStatus(store.placed(place))?.kind
                if let kind, kind != .regular {
                    try inbox.receive(store.placed(place), as: name)
                    throw StorageError(
                        .wrongKind, "take", join(inbox.path, given), errno: 0,
                        cause: "it is a \(kind.rawValue), and only plain files are taken; remove it")
                }
            }
            removeSidecars(kept, of: name, in: inbox)
        } catch {
            // Still in the inbox: the row and its lock are all there is.
            try? forget(id)
            throw error
        }
        try storing { () throws(StorageError) in
            try syncFolder(store.workFolder)
            try inbox.sync()
        }
        return claim
    }

    /// The supplier's name of a delivered file, if it is still known.
    func deliveredName(_ claim: String) -> FileName? {
        (try? FileDescriptor.openRegular(namePath(claim)).readAll(max: 255)).flatMap { FileName($0) }
    }

    /// Claims with a delivered file that is still to be judged: what a daemon that died, or was stopped, left.
    func deliveries() throws(IngestionError) -> [Inflight] {
        try recording { () throws(LedgerError) in try ledger.inflight() }
            .filter { $0.state == .claimed && delivery(of: $0) != nil }
    }

    /// Takes up a claim that another process left; nil while some process holds it.
    func takeUp(_ row: Inflight) throws(IngestionError) -> Claim? {
        let lock = try storing { () throws(StorageError) in try FileLock.tryAcquire(lockPath(row.claim)) }
        guard let lock else { return nil }
        return Claim(
            name: row.claim, folder: join(store.workFolder, row.claim), lock: lock, delivery: delivery(of: row))
    }

    func delivery(of row: Inflight) -> Delivery? {
        row.plan.flatMap { try? JSONValue.parse($0) }.flatMap { Delivery($0["delivery"]) }
    }

    /// Writes how often a claim was begun, before it is begun: a file that kills the process is counted all the same. A claim
    /// whose outcome is committed stays as it is.
    func count(_ claim: Claim, attempts: Int) throws(IngestionError) {
        try recording { () throws(LedgerError) in
            try ledger.countAttempts(
                claim: claim.name, attempts, updatedMilliseconds: Clock.milliseconds())
        }
    }

    /// The end of a delivered file whose outcome is durable: into the archive, or gone. One that was written to since it was
    /// judged goes back to its inbox: the late bytes are a delivery of their own.
    ///
    /// - Returns: false when somebody has it open for writing: it stays until they are done, so that nothing they write goes
    ///   with it.
    func dispose(_ delivery: Delivery, claim: String) throws(IngestionError) -> Bool {
        let name = deliveredName(claim)
        let place = store.placed(delivery.place)
        return try storing { () throws(StorageError) in
            if let status = try fileStatus(place) {
                if (try? FileDescriptor.openRegular(place).writerState()) == .writing { return false }
                let fallback = claim + "." + (delivery.format?.rawValue ?? "unknown")
                if let judged = delivery.judged, judged != Delivery.FileIdentity(status) {
                    try give(place, to: store.placed(delivery.inbox), as: name, or: fallback)
                } else if let archive = delivery.archive {
                    let archive = store.placed(archive)
                    try makeFolder(archive)
                    try give(place, to: archive, as: name, or: fallback)
                } else {
                    try removeFile(place)
                }
                try syncFolder(split(place).folder)
            }
            for rest in [namePath(claim), Store.sidecarsPath(store, claim)] where exists(rest) { try removeFile(rest) }
            return true
        }
    }

    /// A delivered file that is still being written has not been delivered yet: it is judged later, when it is whole.
    func requireSettled(_ source: Source, _ claim: Claim?) throws(IngestionError) {
        if claim?.delivery == nil { return }
        guard try source.isUnchanged() else {
            throw IngestionError(
                .tryAgain,
                "\(source.path): it was written to while it was read; it will be judged when it is whole; have the "
                    + "supplier write under another name and rename")
        }
    }

    /// Moves a file into a folder under its own name, or under the claim's when that is taken or not known; across file
    /// systems by a durable copy under the claim's name, which is ours.
    private func give(
        _ path: String, to folder: String, as name: FileName?, or fallback: String
    ) throws(StorageError) {
        let target = try OpenFolder(folder)
        for candidate in [name, FileName(Array(fallback.utf8))].compactMap({ $0 }) {
            do throws(StorageError) {
                try target.receive(path, as: candidate)
                return try target.sync()
            } catch {
                if error.code == .alreadyExists, candidate.description != fallback { continue }
                guard error.errno == crossDevice || error.code == .alreadyExists else { throw error }
            }
        }
        // A whole copy that a crash left gets its name only when it is durable; then only the file here is left to remove.
        let copy = join(folder, fallback)
        let (made, source) = (try fileStatus(copy), try fileStatus(path))
        if made?.size != source?.size {
            if made != nil { try removeFile(copy) }
            try copyDurably(path, to: copy)
        }
        try removeFile(path)
    }
}
