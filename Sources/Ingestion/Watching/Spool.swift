import Cryptography
import Lineage
import Reading
import Storage
package import Tabular

/// A file that `watch` took out of an inbox.
///
/// Kept in the claim's row of the ledger, which nobody signs: where the file stands, and where it goes, is worked out from the claim's
/// name and the configuration, so that a row that was changed leads nowhere else. The supplier's name for the file is not part of it,
/// since names may say something about a person; it lies beside the file, in the store's own folder, for as long as the file does.
package struct Delivery: Sendable, Equatable {
    /// The dataset whose inbox it came to.
    package var dataset: String
    /// Whether the file stands in the store's `work` folder, and not, because the inbox is on another file system, in the inbox under a
    /// hidden name.
    package var isInWork: Bool
    /// SHA-256 of the supplier's name for it.
    package var nameHash: [UInt8]
    /// The format that the name says.
    package var format: SourceFormat?
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
            "dataset": .string(dataset), "place": .string(isInWork ? "work" : "inbox"),
            "name_sha256": .string(hex(nameHash)),
        ]
        if let format { members["format"] = .string(format.rawValue) }
        if let judged {
            // Texts: a JSON number is exact up to 2^53 only.
            members["inode"] = .string("\(judged.inode)")
            members["size"] = .string("\(judged.size)")
            members["modified_ns"] = .string("\(judged.modifiedNanoseconds)")
        }
        return .object(members)
    }

    init?(_ document: JSONValue?) {
        guard let document, let dataset = document["dataset"]?.text, Configuration.isName(dataset),
            let place = document["place"]?.text, let hash = document["name_sha256"]?.text,
            let nameHash = bytes(hex: hash)
        else { return nil }
        self.dataset = dataset
        // Versions before wrote the whole path, which is not followed.
        isInWork = place == "work" || place.hasPrefix("work/")
        self.nameHash = nameHash
        format = document["format"]?.text.flatMap { SourceFormat(rawValue: $0) }
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
    /// The sidecars that a delivered file came with; nil when there were none.
    func keptSidecars(_ claim: Lease?) throws(IngestionError) -> Sidecars? {
        guard let claim else { return nil }
        let bytes = try storing { () throws(StorageError) -> [UInt8]? in
            let (work, name) = (try openWork(), Self.name(claim.name + ".sidecars"))
            return try work.status(of: name) == nil ? nil : try work.openRegular(name).readAll(max: 1 << 20)
        }
        return bytes.flatMap { try? JSONValue.parse($0) }.map { Sidecars($0) }
    }

    /// The folder that a delivered file stands in, and its name there.
    func sourcePlace(of claim: String, _ delivery: Delivery) throws(StorageError) -> (
        folder: OpenFolder, name: FileName
    ) {
        if delivery.isInWork { return (try openWork(), Self.name(claim + ".source")) }
        return (try openPlace(inboxPath(of: delivery.dataset)), Self.hiddenName(of: claim, delivery.format))
    }

    /// The name that a taken file has in an inbox on another file system.
    static func hiddenName(of claim: String, _ format: SourceFormat?) -> FileName {
        name(".sluice-" + claim + (format.map { "." + $0.rawValue } ?? "") + ".source")
    }

    /// What the system says of a delivered file; nil when it is gone.
    func sourceStatus(of claim: String, _ delivery: Delivery) throws(StorageError) -> FileStatus? {
        let (folder, name) = try sourcePlace(of: claim, delivery)
        return try folder.status(of: name)
    }

    /// Opens a delivered file.
    func openSource(
        of claim: String, _ delivery: Delivery, calling name: String, isStopped: @escaping @Sendable () -> Bool
    ) throws(IngestionError) -> InputFile {
        let file: FileDescriptor
        do throws(StorageError) {
            let place = try sourcePlace(of: claim, delivery)
            file = try place.folder.openRegular(place.name)
        } catch { throw IngestionError(error, reading: true) }
        return try InputFile(file, calling: name, isStopped: isStopped)
    }
}

/// Taking files out of inboxes and letting them go: the beginning and the end of a claim that `watch` makes.
///
/// In this order, so that after a crash at any point the file is in exactly one of the two places and the row says which
/// claim it belongs to: the lock, the row, the move into `work`, the sync of both folders.
extension Recorder {
    private func nameFile(_ claim: String) -> FileName { Store.name(claim + ".name") }

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
    func take(_ name: FileName, from inbox: OpenFolder, dataset: String) throws(IngestionError) -> Lease {
        let id = try Clock.identifier()
        let (inboxStatus, workStatus) = try storing { () throws(StorageError) in
            (try inbox.status(), try work.status())
        }
        // The hidden name that a file of an unknown claim has keeps its format before its ending.
        let given = name.description
        let format = SourceFormat(ofFile: given.hasSuffix(".source") ? String(given.dropLast(7)) : given)
        let delivery = Delivery(
            dataset: dataset, isInWork: inboxStatus.device == workStatus.device, nameHash: SHA256.hash(name.bytes),
            format: format)
        let claim = Lease(name: id, lock: try lock(id), delivery: delivery)
        do throws(IngestionError) {
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: id, source: dataset, state: .claimed, attempts: 1,
                        updatedMilliseconds: Clock.milliseconds()
                    ).following(JSONValue.object(["delivery": delivery.document]).canonicalBytes()))
            }
            let kept = try storing { () throws(StorageError) in try sidecars(of: name, in: inbox) }
            try storing { () throws(StorageError) in try move(name, from: inbox, to: id, delivery, kept) }
            removeSidecars(kept, of: name, in: inbox)
        } catch {
            // Still in the inbox: the row and its lock are all there is.
            try? forget(id)
            throw error
        }
        try storing { () throws(StorageError) in
            try work.sync()
            try inbox.sync()
        }
        return claim
    }

    private func move(
        _ name: FileName, from inbox: OpenFolder, to claim: String, _ delivery: Delivery, _ kept: Sidecars
    ) throws(StorageError) {
        // For people and archives only: a power loss may take it, and then the claim's name serves.
        var file = try StagedFile(in: work, name: nameFile(claim))
        try file.write(name.bytes.span)
        try file.commitLoosely(as: nameFile(claim))
        if !kept.isEmpty {
            try work.writeDurably(
                kept.document.canonicalBytes().span, at: RelativePath(Store.name(claim + ".sidecars")))
        }
        let (folder, target) =
            delivery.isInWork
            ? (work, Store.name(claim + ".source")) : (inbox, Store.hiddenName(of: claim, delivery.format))
        try inbox.move(name, to: folder, as: target)
        // What was looked at and what was moved need not be the same: the inbox is the supplier's.
        if let kind = try folder.status(of: target)?.kind, kind != .regular {
            try folder.move(target, to: inbox, as: name)
            throw StorageError(
                .wrongKind, "take", join(inbox.path, name.description), errno: 0,
                cause: "it is a \(kind.rawValue), and only plain files are taken; remove it")
        }
    }

    /// The supplier's name of a delivered file, if it is still known.
    func deliveredName(_ claim: String) -> FileName? {
        (try? work.openRegular(nameFile(claim)).readAll(max: 255)).flatMap { FileName($0) }
    }

    /// Claims with a delivered file that is still to be judged: what a daemon that died, or was stopped, left.
    func deliveries() throws(IngestionError) -> [Inflight] {
        try recording { () throws(LedgerError) in try ledger.inflight() }
            .filter { Inflight.isName($0.claim) && $0.state == .claimed && delivery(of: $0) != nil }
    }

    /// Takes up a claim that another process left; nil while some process holds it.
    func takeUp(_ row: Inflight) throws(IngestionError) -> Lease? {
        guard let lock = try tryLock(row.claim) else { return nil }
        return Lease(name: row.claim, lock: lock, delivery: delivery(of: row))
    }

    func delivery(of row: Inflight) -> Delivery? {
        row.plan.flatMap { try? JSONValue.parse($0) }.flatMap { Delivery($0["delivery"]) }
    }

    /// Writes how often a claim was begun, before it is begun: a file that kills the process is counted all the same. A claim
    /// whose outcome is committed stays as it is.
    func count(_ claim: Lease, attempts: Int) throws(IngestionError) {
        try recording { () throws(LedgerError) in
            try ledger.countAttempts(
                claim: claim.name, attempts, updatedMilliseconds: Clock.milliseconds())
        }
    }

    /// The end of a delivered file whose outcome is durable: into the archive that the configuration names, or gone. One that was written
    /// to since it was judged goes back to its inbox: the late bytes are a delivery of their own.
    ///
    /// - Returns: false when somebody has it open for writing: it stays until they are done, so that nothing they write goes
    ///   with it.
    func dispose(_ delivery: Delivery, claim: String) throws(IngestionError) -> Bool {
        let name = deliveredName(claim)
        return try storing { () throws(StorageError) in
            let (folder, source) = try store.sourcePlace(of: claim, delivery)
            if let status = try folder.status(of: source) {
                if (try? folder.openRegular(source).writerState()) == .writing { return false }
                let fallback = Store.name(claim + "." + (delivery.format?.rawValue ?? "unknown"))
                if let judged = delivery.judged, judged != Delivery.FileIdentity(status) {
                    let inbox = try store.openPlace(store.inboxPath(of: delivery.dataset))
                    try give(source, in: folder, to: inbox, as: name, or: fallback)
                } else if let archive = store.configuration.datasets[delivery.dataset]?.archive {
                    try give(source, in: folder, to: store.openPlace(archive, making: true), as: name, or: fallback)
                } else {
                    try folder.remove(source)
                }
                try folder.sync()
            }
            for rest in [nameFile(claim), Store.name(claim + ".sidecars")] where try work.status(of: rest) != nil {
                try work.remove(rest)
            }
            return true
        }
    }

    /// A delivered file that is still being written has not been delivered yet: it is judged later, when it is whole.
    func requireSettled(_ source: InputFile, _ claim: Lease?) throws(IngestionError) {
        if claim?.delivery == nil { return }
        guard try source.isUnchanged() else {
            throw IngestionError(
                .tryAgain,
                "\(source.path): it was written to while it was read; it will be judged once it is complete; have the "
                    + "supplier write under another name and rename")
        }
    }

    /// Moves a file into a folder under its own name, or under the claim's when that is taken or not known; across file
    /// systems by a durable copy under the claim's name, which is ours.
    private func give(
        _ source: FileName, in folder: OpenFolder, to target: OpenFolder, as name: FileName?, or fallback: FileName
    ) throws(StorageError) {
        for candidate in [name, fallback].compactMap({ $0 }) {
            do throws(StorageError) {
                try folder.move(source, to: target, as: candidate)
                return try target.sync()
            } catch {
                if error.code == .alreadyExists, candidate != fallback { continue }
                guard error.errno == crossDevice || error.code == .alreadyExists else { throw error }
            }
        }
        // A whole copy that a crash left gets its name only when it is durable; then only the file here is left to remove.
        let (made, size) = (try target.status(of: fallback), try folder.status(of: source)?.size)
        if made?.size != size {
            if made != nil { try target.remove(fallback) }
            if let part = RelativePath(fallback).with(ending: ".part")?.name, try target.status(of: part) != nil {
                try target.remove(part)
            }
            _ = try target.copy(folder.openRegular(source), as: fallback) { _ in }
            try target.sync()
        }
        try folder.remove(source)
    }
}
