import Cryptography
import Reading
import Storage
import Tabular

/// A list in an inbox whose files `watch` takes as one batch.
///
/// The files may stand beside the list or in folders below. A file that a list names is not taken by itself.
struct ListedFiles {
    let list: FileList
    /// The paths of the files in the inbox, in the list's order.
    let paths: [RelativePath]

    /// Reads a list.
    ///
    /// - Throws: `unreadableData` when it is no list, `usage` when its files are of different formats.
    init(_ bytes: [UInt8], name: String) throws(IngestionError) {
        list = try FileList(bytes, name: name)
        paths = list.entries.compactMap { RelativePath($0.name) }
        try BatchInput.requireAlike(list.entries.map(\.name), in: name)
    }

    /// Which files cannot be taken yet; nil when all can.
    func waits(in inbox: OpenFolder) -> String? {
        var (missing, written): ([RelativePath], [RelativePath]) = ([], [])
        for path in paths {
            guard let status = try? inbox.status(at: path), status.kind == .regular else {
                missing.append(path)
                continue
            }
            if (try? inbox.openRegular(at: path).writerState()) == .writing { written.append(path) }
        }
        if let first = missing.first {
            let rest =
                missing.count > 1
                ? "are not there, such as \(shownName("\(first)"))" : "is not there: \(shownName("\(first)"))"
            return "of the \(paths.count) files that it names, \(missing.count) \(rest)"
        }
        return written.first.map { "\(shownName("\($0)")), which it names, is still being written" }
    }

    /// Bytes of all files together, as far as they are there.
    func size(in inbox: OpenFolder) -> Int {
        paths.reduce(0) { sum, path in
            let (size, overflows) = sum.addingReportingOverflow((try? inbox.status(at: path))?.size ?? 0)
            return overflows ? .max : size
        }
    }

    /// The name that a file has in `work`, by its place in the list from 0.
    static func name(_ place: Int) -> FileName { Store.name("\(place + 1)") }
}

extension Store {
    /// The folders in `work` with the files of a list: until they are judged, and while they are disposed of.
    static func listFolders(of claim: String) -> (files: FileName, judged: FileName) {
        (name(claim + ".files"), name(claim + ".judged"))
    }

    /// The list of a delivery that is one; nil for a single file.
    func listed(_ claim: String, _ delivery: Delivery) throws(IngestionError) -> ListedFiles? {
        guard delivery.isList else { return nil }
        let bytes = try storing(reading: true) { () throws(StorageError) in
            let place = try sourcePlace(of: claim, delivery)
            return try place.folder.openRegular(place.name).readAll(max: FileList.bytesMax)
        }
        return try ListedFiles(bytes, name: "the list")
    }

    /// Opens a delivered file, or the files of a delivered list.
    ///
    /// - Parameters:
    ///   - lease: its lease.
    ///   - name: its name in messages.
    ///   - isStopped: asked before each read.
    /// - Throws: `unreadableData` when a file of the list is not there.
    func openDelivered(
        _ lease: Lease, _ delivery: Delivery, calling name: String, isStopped: @escaping @Sendable () -> Bool
    ) throws(IngestionError) -> SourceFiles {
        guard let listed = try listed(lease.name, delivery) else {
            return SourceFiles(try openSource(of: lease.name, delivery, calling: name, isStopped: isStopped))
        }
        let parts = try openListed(listed, of: lease.name, isStopped)
        if let place = parts.firstIndex(where: { $0 == nil }) {
            throw IngestionError(
                .unreadableData,
                "\(name): it names \(shownName("\(listed.paths[place])")), which was taken away before it was judged")
        }
        return SourceFiles(parts.compactMap(\.self), calling: name, identity: try listedIdentity(of: lease.name))
    }

    /// Opens whatever is there of a delivery that cannot be judged: the file, or a list with its files.
    func openLeft(
        of lease: Lease, _ delivery: Delivery, calling name: String, isStopped: @escaping @Sendable () -> Bool
    ) throws(IngestionError) -> SourceFiles {
        let file = try openSource(of: lease.name, delivery, calling: name, isStopped: isStopped)
        guard delivery.isList else { return SourceFiles(file) }
        let listed = try? listed(lease.name, delivery)
        let parts = try listed.map { listed throws(IngestionError) in try openListed(listed, of: lease.name, isStopped)
        }
        return SourceFiles(
            [file] + (parts ?? []).compactMap(\.self), calling: name, identity: try listedIdentity(of: lease.name))
    }

    /// Opens the files of a list in its order; nil for one that is not there.
    private func openListed(
        _ listed: ListedFiles, of claim: String, _ isStopped: @escaping @Sendable () -> Bool
    ) throws(IngestionError) -> [InputFile?] {
        try SourceFiles.requireOpenable(listed.paths.count, "the list")
        let folder = try storing { () throws(StorageError) in
            try openWork().folder(at: RelativePath(Self.listFolders(of: claim).files), making: true)
        }
        return try listed.list.entries.enumerated().map { place, entry throws(IngestionError) in
            let name = ListedFiles.name(place)
            guard try storing({ () throws(StorageError) in try folder.status(of: name) }) != nil else { return nil }
            let file: FileDescriptor
            do throws(StorageError) { file = try folder.openRegular(name) } catch {
                throw IngestionError(error, reading: true)
            }
            return try InputFile(file, calling: shownName(entry.name), isStopped: isStopped)
        }
    }

    /// What changes when anyone writes to a file of a list, adds one or takes one away.
    func listedIdentity(of claim: String) throws(IngestionError) -> Delivery.FileIdentity {
        try storing { () throws(StorageError) in
            let folder = try openWork().folder(at: RelativePath(Self.listFolders(of: claim).files), making: true)
            var all = Delivery.FileIdentity(inode: 0, size: 0, modifiedNanoseconds: 0)
            for name in try folder.names() {
                guard let status = try folder.status(of: name) else { continue }
                all.inode &+= status.inode
                all.size &+= status.size
                all.modifiedNanoseconds &+= status.modifiedNanoseconds
            }
            return all
        }
    }
}

/// The files of a list move into `work` after it and leave before it, so that their names are known as long as any of
/// them is there. Each step may be repeated after a crash.
extension Recorder {
    /// Moves the files of a list that was taken into `work`, as far as they are in the inbox.
    func collect(_ claim: String, _ delivery: Delivery) throws(IngestionError) {
        guard let listed = try store.listed(claim, delivery) else { return }
        try storing { () throws(StorageError) in
            let inbox = try store.openPlace(store.inboxPath(of: delivery.dataset))
            let files = try work.folder(at: RelativePath(Store.listFolders(of: claim).files), making: true)
            for (place, path) in listed.paths.enumerated() {
                let name = ListedFiles.name(place)
                guard try files.status(of: name) == nil, try inbox.status(at: path)?.kind == .regular else { continue }
                let folder = try inbox.folder(holding: path)
                try folder.move(path.name, to: files, as: name)
                // The moved file need not be the examined one, since the inbox belongs to the supplier.
                if try files.status(of: name)?.kind != .regular {
                    try files.move(name, to: folder, as: path.name)
                    throw StorageError(
                        .wrongKind, "take", join(inbox.path, path.description), errno: 0,
                        cause: "only plain files are taken; remove it")
                }
                try folder.sync()
            }
            try files.sync()
            // Folders that held nothing else go with their files.
            for folder in Set(listed.paths.compactMap(\.folder)) { try? inbox.removeEmptyFolder(at: folder) }
        }
    }

    /// Disposes of the files of a list whose outcome is durable.
    ///
    /// - Returns: whether they were written to since and went back to the inbox; nil while a process writes to one, and
    ///   nothing was done then.
    func disposeListed(_ claim: String, _ delivery: Delivery) throws(IngestionError) -> Bool? {
        let names = Store.listFolders(of: claim)
        let listed = try? store.listed(claim, delivery)
        let isJudged = try storing { () throws(StorageError) in try work.status(of: names.judged) != nil }
        if !isJudged {
            let files = try storing { () throws(StorageError) in
                try work.folder(at: RelativePath(names.files), making: true)
            }
            let inFolder = try storing { () throws(StorageError) in try files.names() }
            if inFolder.contains(where: { (try? files.openRegular($0).writerState()) == .writing }) { return nil }
            if let judged = delivery.judged, try store.listedIdentity(of: claim) != judged {
                try storing { () throws(StorageError) in
                    let inbox = try store.openPlace(store.inboxPath(of: delivery.dataset))
                    try give(listed?.paths ?? [], in: files, to: inbox, claim: claim)
                }
                return true
            }
            try storing { () throws(StorageError) in
                try work.move(names.files, to: work, as: names.judged)
                try work.sync()
            }
        }
        try storing { () throws(StorageError) in
            guard let archive = store.configuration.datasets[delivery.dataset]?.archive else { return }
            let folder = try work.folder(at: RelativePath(names.judged))
            try give(listed?.paths ?? [], in: folder, to: store.openPlace(archive, making: true), claim: claim)
        }
        return false
    }

    /// Moves the files of a list into a folder, to the places that the list gives them.
    private func give(
        _ paths: [RelativePath], in folder: OpenFolder, to target: OpenFolder, claim: String
    ) throws(StorageError) {
        for (place, path) in paths.enumerated() where try folder.status(of: ListedFiles.name(place)) != nil {
            // Its own ending still says what it is.
            let fallback =
                FileName(Array("\(claim).\(place + 1).".utf8) + path.name.bytes) ?? Store.name("\(claim).\(place + 1)")
            try give(
                ListedFiles.name(place), in: folder, to: target.folder(holding: path, making: true), as: path.name,
                or: fallback)
        }
        try folder.sync()
    }

    /// Removes the folder of a list's files, after the list itself is disposed of.
    func removeListed(_ claim: String) throws(StorageError) {
        let names = Store.listFolders(of: claim)
        for name in [names.files, names.judged] where try work.status(of: name) != nil { try work.removeTree(name) }
    }
}
