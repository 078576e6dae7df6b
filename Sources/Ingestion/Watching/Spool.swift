import Cryptography
import Lineage
import Reading
import Storage
package import Tabular

/// A file that `watch` took out of an inbox.
///
/// It is kept in the lease's row of the ledger, which is unsigned. Its place and destination follow from the lease's
/// name and the configuration, so a tampered row leads nowhere else. The supplier's name may identify a person and is
/// not in the row; it lies beside the file in the store's own folder for as long as the file does.
package struct Delivery: Sendable, Equatable {
    /// The dataset whose inbox it came to.
    package var dataset: String
    /// Whether the file is in the store's `work` folder. Otherwise the inbox is on another file system, and the file is
    /// in the inbox under a hidden name.
    package var isInWork: Bool
    /// SHA-256 of the supplier's name for it.
    package var nameHash: [UInt8]
    /// The format that the name implies; nil for none.
    package var format: SourceFormat?
    /// Whether it is a list of files, which are the delivery.
    package var isList = false
    /// The file's identity when it was judged. A file that was written to since is given back instead of removed.
    package var judged: FileIdentity?

    /// Inode, size and modification time: what changes when anyone writes to the file.
    package struct FileIdentity: Sendable, Hashable {
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
        if isList { members["list"] = .bool(true) }
        if let format { members["format"] = .string(format.rawValue) }
        if let judged {
            // As texts: a JSON number is exact only up to 2^53.
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
        // Early versions stored a whole path, which is not followed.
        isInWork = place == "work" || place.hasPrefix("work/")
        self.nameHash = nameHash
        isList = document["list"]?.flag ?? false
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
    /// The sidecars kept with a delivered file; nil when there were none.
    func keptSidecars(_ claim: Lease?) throws(IngestionError) -> Sidecars? {
        guard let claim else { return nil }
        let bytes = try storing { () throws(StorageError) -> [UInt8]? in
            let (work, name) = (try openWork(), Self.name(claim.name + ".sidecars"))
            return try work.status(of: name) == nil ? nil : try work.openRegular(name).readAll(max: 1 << 27)
        }
        return bytes.flatMap { try? JSONValue.parse($0) }.map { Sidecars($0) }
    }

    /// The folder and name of a delivered file.
    func sourcePlace(of claim: String, _ delivery: Delivery) throws(StorageError) -> (
        folder: OpenFolder, name: FileName
    ) {
        if delivery.isInWork { return (try openWork(), Self.name(claim + ".source")) }
        return (try openPlace(inboxPath(of: delivery.dataset)), Self.hiddenName(of: claim, delivery.format))
    }

    /// The hidden name that a taken file has in an inbox on another file system.
    static func hiddenName(of claim: String, _ format: SourceFormat?) -> FileName {
        name(".sluice-" + claim + (format.map { "." + $0.rawValue } ?? "") + ".source")
    }

    /// The status of a delivered file; nil when it is gone.
    func sourceStatus(of claim: String, _ delivery: Delivery) throws(StorageError) -> FileStatus? {
        let (folder, name) = try sourcePlace(of: claim, delivery)
        return try folder.status(of: name)
    }

    /// Opens a delivered file.
    ///
    /// - Parameters:
    ///   - claim: the lease's name.
    ///   - delivery: the delivered file.
    ///   - name: its name in messages.
    ///   - isStopped: asked before each read.
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

/// Takes files out of inboxes and disposes of them: the beginning and end of a daemon's lease.
///
/// The order is lock, row, move into `work`, sync of both folders. After a crash at any point the file is in exactly
/// one place, and the row names its lease.
extension Recorder {
    private func nameFile(_ claim: String) -> FileName { Store.name(claim + ".name") }

    /// Reads the sidecars of a file about to be taken; the next delivery of that name brings its own.
    private func sidecars(of name: FileName, in inbox: OpenFolder) throws(StorageError) -> Sidecars {
        var found = Sidecars()
        found.name = name.description
        for kind in Sidecars.Kind.allCases {
            guard let sidecar = Sidecars.name(kind, of: name), let status = try inbox.status(of: sidecar),
                status.kind == .regular
            else { continue }
            // An empty sidecar was only just begun and counts as absent; one that is too large counts as one without
            // content.
            if status.size == 0 { continue }
            found.files[kind] =
                status.size > Sidecars.bytesMax ? [] : try inbox.openRegular(sidecar).readAll(max: Sidecars.bytesMax)
            found.taken[kind] = Delivery.FileIdentity(status)
        }
        return found
    }

    /// Reads the sidecars of a file, or of a list and of the files that it names.
    private func sidecars(
        of name: FileName, and listed: ListedFiles?, in inbox: OpenFolder
    ) throws(StorageError) -> Sidecars {
        var found = try sidecars(of: name, in: inbox)
        guard let listed else { return found }
        found.list = listed.list.bytes
        for path in listed.paths {
            found.parts.append(try sidecars(of: path.name, in: inbox.folder(holding: path)))
        }
        if found.parts.allSatisfy(\.files.isEmpty) { found.parts = [] }
        return found
    }

    /// Removes the sidecars of the files of a list.
    private func removeSidecars(_ kept: Sidecars, of listed: ListedFiles, in inbox: OpenFolder) {
        for (path, own) in zip(listed.paths, kept.parts) where !own.taken.isEmpty {
            if let folder = try? inbox.folder(holding: path) { removeSidecars(own, of: path.name, in: folder) }
        }
    }

    /// Removes the sidecars of a file that was taken. Those that changed since belong to a file that is still to come.
    private func removeSidecars(_ kept: Sidecars, of name: FileName, in inbox: OpenFolder) {
        for (kind, identity) in kept.taken {
            guard let sidecar = Sidecars.name(kind, of: name), let status = try? inbox.status(of: sidecar),
                Delivery.FileIdentity(status) == identity
            else { continue }
            try? inbox.remove(sidecar)
        }
    }

    /// Takes a file out of an inbox.
    ///
    /// - Parameters:
    ///   - name: the file.
    ///   - inbox: the open folder.
    ///   - dataset: the inbox's dataset.
    ///   - listed: the files that it names, if it is a list; `collect` takes them.
    /// - Returns: the lease on it.
    /// - Throws: when it cannot be moved; nothing has changed then.
    func take(
        _ name: FileName, from inbox: OpenFolder, dataset: String, listed: ListedFiles? = nil
    ) throws(IngestionError) -> Lease {
        let id = try Clock.identifier()
        let (inboxStatus, workStatus) = try storing { () throws(StorageError) in
            (try inbox.status(), try work.status())
        }
        // The hidden name of an unknown lease's file keeps its format before its ending.
        let given = listed?.paths[0].description ?? name.description
        let format = SourceFormat(ofFile: given.hasSuffix(".source") ? String(given.dropLast(7)) : given)
        let delivery = Delivery(
            dataset: dataset, isInWork: inboxStatus.device == workStatus.device, nameHash: SHA256.hash(name.bytes),
            format: format, isList: listed != nil)
        let claim = Lease(name: id, lock: try lock(id), delivery: delivery)
        do throws(IngestionError) {
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: id, source: dataset, state: .claimed, attempts: 1,
                        updatedMilliseconds: Clock.milliseconds()
                    ).following(JSONValue.object(["delivery": delivery.document]).canonicalBytes()))
            }
            let kept = try storing { () throws(StorageError) in try sidecars(of: name, and: listed, in: inbox) }
            try storing { () throws(StorageError) in try move(name, from: inbox, to: id, delivery, kept) }
            removeSidecars(kept, of: name, in: inbox)
            if let listed { removeSidecars(kept, of: listed, in: inbox) }
        } catch {
            // The file is still in the inbox, so only the row and its lock exist.
            try? forget(id)
            throw error
        }
        try storing { () throws(StorageError) in
            try work.sync()
            try inbox.sync()
        }
        return claim
    }

    /// Moves a file from the inbox to its place and syncs both folders.
    private func move(
        _ name: FileName, from inbox: OpenFolder, to claim: String, _ delivery: Delivery, _ kept: Sidecars
    ) throws(StorageError) {
        // The name serves people and archives only. A power loss may take it; the lease's name then replaces it.
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
        // The moved file need not be the examined one, since the inbox belongs to the supplier.
        if let kind = try folder.status(of: target)?.kind, kind != .regular {
            try folder.move(target, to: inbox, as: name)
            throw StorageError(
                .wrongKind, "take", join(inbox.path, name.description), errno: 0,
                cause: "it is a \(kind.rawValue), and only plain files are taken; remove it")
        }
    }

    /// The supplier's name of a delivered file; nil when it is no longer known.
    func deliveredName(_ claim: String) -> FileName? {
        (try? work.openRegular(nameFile(claim)).readAll(max: 255)).flatMap { FileName($0) }
    }

    /// Leases on delivered files that are still to be judged, left by a daemon that died or was stopped.
    func deliveries() throws(IngestionError) -> [Inflight] {
        try recording { () throws(LedgerError) in try ledger.inflight() }
            .filter { Inflight.isName($0.claim) && $0.state == .claimed && delivery(of: $0) != nil }
    }

    /// Takes over a lease that another process left; nil while a process holds it.
    func takeUp(_ row: Inflight) throws(IngestionError) -> Lease? {
        guard let lock = try tryLock(row.claim) else { return nil }
        return Lease(name: row.claim, lock: lock, delivery: delivery(of: row))
    }

    func delivery(of row: Inflight) -> Delivery? {
        row.plan.flatMap { try? JSONValue.parse($0) }.flatMap { Delivery($0["delivery"]) }
    }

    /// Records the number of attempts before an attempt begins, so that a file that kills the process is counted too. A
    /// lease whose outcome is committed is left unchanged.
    func count(_ claim: Lease, attempts: Int) throws(IngestionError) {
        try recording { () throws(LedgerError) in
            try ledger.countAttempts(
                claim: claim.name, attempts, updatedMilliseconds: Clock.milliseconds())
        }
    }

    /// Disposes of a delivered file whose outcome is durable: moves it to the configured archive, or removes it. A file
    /// that was written to since it was judged goes back to its inbox, as a new delivery.
    ///
    /// - Parameters:
    ///   - delivery: the delivered file.
    ///   - claim: the lease's name.
    /// - Returns: false when a process has it open for writing. It then stays until that ends, so that nothing written
    ///   is lost.
    func dispose(_ delivery: Delivery, claim: String) throws(IngestionError) -> Bool {
        let name = deliveredName(claim)
        var isChanged: Bool?
        if delivery.isList {
            guard let found = try disposeListed(claim, delivery) else { return false }
            isChanged = found
        }
        return try storing { () throws(StorageError) in
            let (folder, source) = try store.sourcePlace(of: claim, delivery)
            if let status = try folder.status(of: source) {
                if (try? folder.openRegular(source).writerState()) == .writing { return false }
                let ending = delivery.isList ? "batch" : delivery.format?.rawValue ?? "unknown"
                let fallback = Store.name(claim + "." + ending)
                if isChanged ?? delivery.judged.map({ $0 != Delivery.FileIdentity(status) }) ?? false {
                    let inbox = try store.openPlace(store.inboxPath(of: delivery.dataset))
                    try give(source, in: folder, to: inbox, as: name, or: fallback)
                } else if let archive = store.configuration.datasets[delivery.dataset]?.archive {
                    try give(source, in: folder, to: store.openPlace(archive, making: true), as: name, or: fallback)
                } else {
                    try folder.remove(source)
                }
                try folder.sync()
            }
            if delivery.isList { try removeListed(claim) }
            for rest in [nameFile(claim), Store.name(claim + ".sidecars")] where try work.status(of: rest) != nil {
                try work.remove(rest)
            }
            return true
        }
    }

    /// Refuses a delivered file that was written to while it was read: it is judged later, when it is complete.
    ///
    /// - Throws: `tryAgain` in that case.
    func requireSettled(_ source: SourceFiles, _ claim: Lease?) throws(IngestionError) {
        if claim?.delivery == nil { return }
        guard try source.isUnchanged() else {
            throw IngestionError(
                .tryAgain,
                "\(source.path): it was written to while it was read; it will be judged once it is complete; have the "
                    + "supplier write under another name and rename")
        }
    }

    /// Moves a file into a folder under its own name, or under the lease's when that is taken or unknown. Across file
    /// systems it is copied durably under the lease's name.
    ///
    /// - Parameters:
    ///   - source: the file's name now.
    ///   - folder: its folder.
    ///   - target: the folder to move it to.
    ///   - name: its own name; nil when unknown.
    ///   - fallback: the name to use otherwise.
    func give(
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
        // A complete copy left by a crash gets its name once it is durable; then only the original remains to be
        // removed.
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
