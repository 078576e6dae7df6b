import Lineage
import Storage
import Tabular

/// A copy of a store that stands by itself: configuration, contracts, the record as of one moment, and every file that it
/// names. Keys only when they are asked for: whoever has both has the data.
package struct Backup: Sendable {
    /// What was put into the copy.
    package struct Result: Sendable {
        /// Ledger entries in the copy.
        package var entries = 0
        /// Sealed files and receipts, and how many of them share the disk's blocks with the store.
        package var files = 0, linked = 0
        /// Key files.
        package var keys = 0
    }

    /// The name of the folder in a backup that says it is whole; written last.
    package static let markName = "backup.json"

    /// Copies a store while it may be written to.
    ///
    /// The record is copied first, by SQLite's backup API, in one read transaction: it is the state of one moment. Files
    /// that it names never change and are never removed, so whatever is published meanwhile is simply not part of it.
    /// Delivered files that have no outcome yet stay in the store: they are not the store's data yet.
    package static func make(
        of committer: Committer, in target: String, withKeys: Bool
    ) async throws(IngestionError) -> Result {
        let store = committer.store
        try requireEmpty(target)
        var result = Result()
        try Store.makeFolders(in: target)
        let ledgerPath = join(target, "ledger.sqlite")
        result.entries = try recording { () throws(LedgerError) in
            try committer.ledger.backUp(to: ledgerPath)
        }
        let copy = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: ledgerPath) }
        var folders = Set<String>()
        var from = 0
        while true {
            let entries = try recording { () throws(LedgerError) in
                try copy.entries(kind: "shard.published", from: from, limit: 1000)
            }
            guard let last = entries.last else { break }
            for published in entries.flatMap(\.files) {
                let path = published.path
                try await awaitFile(join(store.root, path))
                for file in [path, path + ".tlog-proof"] where exists(join(store.root, file)) {
                    let isLink = try place(join(store.root, file), at: join(target, file), &folders)
                    result.files += 1
                    result.linked += isLink ? 1 : 0
                }
                // A link costs nothing and proves nothing; what was copied is read back.
                if try fileDigest(join(target, path)) != published.digest {
                    throw IngestionError(
                        .damaged, "\(join(store.root, path)): it is not the file the ledger records; see: sluice doctor"
                    )
                }
            }
            from = last.sequence + 1
        }
        result.keys = try copySettings(of: store, to: target, withKeys: withKeys)
        try storing { () throws(StorageError) in
            for folder in folders.sorted() { try syncFolder(folder) }
        }
        let mark = JSONValue.object([
            "format": .string("sluice-backup-v1"), "time": .string(Clock.text()),
            "origin": .string(store.configuration.origin), "entries": .integer(Int64(result.entries)),
            "files": .integer(Int64(result.files)), "keys": .bool(withKeys),
        ])
        try storing { () throws(StorageError) in
            try writeDurably(join(target, markName), Array((mark.text(pretty: true) + "\n").utf8).span)
        }
        return result
    }

    /// Makes a store of a backup in an empty folder, and gives it with the number of its keys. The backup stays.
    package static func restore(_ backup: String, to target: String) throws(IngestionError) -> Result {
        let mark = join(backup, markName)
        guard exists(mark) else {
            throw IngestionError(
                .noInput, "\(backup) is no whole backup: it has no \(markName), which is written last; choose another")
        }
        let source = try Store(backup)
        try requireEmpty(target)
        var result = Result()
        try Store.makeFolders(in: target)
        try storing { () throws(StorageError) in
            try copyDurably(source.ledgerPath, to: join(target, "ledger.sqlite"))
        }
        let ledger = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: source.ledgerPath) }
        result.entries = try recording { () throws(LedgerError) in try ledger.size() }
        var folders = Set<String>()
        let entries = try recording { () throws(LedgerError) in try ledger.entries(kind: "shard.published") }
        for path in entries.flatMap(\.files).map(\.path) {
            for file in [path, path + ".tlog-proof"] where exists(join(backup, file)) {
                // Copied, not linked: a damaged store must not damage its backup.
                let destination = join(target, file)
                let folder = split(destination).folder
                try storing { () throws(StorageError) in
                    if folders.insert(folder).inserted { try makeFolder(folder) }
                    try copyDurably(join(backup, file), to: destination)
                }
                result.files += 1
            }
        }
        result.keys = try copySettings(of: source, to: target, withKeys: true)
        return result
    }

    private static func requireEmpty(_ target: String) throws(IngestionError) {
        let isTaken = try storing { () throws(StorageError) in
            if try fileStatus(target) == nil { return false }
            return try !listFolder(target).isEmpty
        }
        if isTaken { throw IngestionError(.cannotCreate, "\(target) is not empty; choose a new folder") }
    }

    /// Waits for a file that was committed and is just being moved into place by another process.
    private static func awaitFile(_ path: String) async throws(IngestionError) {
        for _ in 0..<300 {
            if exists(path) { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
        throw IngestionError(
            .damaged, "\(path): the ledger records it and it is not there; see: sluice doctor")
    }

    /// Gives a file a second name in the copy, or copies it where that is not possible; says which.
    private static func place(_ source: String, at target: String, _ folders: inout Set<String>) throws(IngestionError)
        -> Bool
    {
        let folder = split(target).folder
        return try storing { () throws(StorageError) in
            if folders.insert(folder).inserted { try makeFolder(folder) }
            do throws(StorageError) {
                try hardLink(from: source, to: target)
                return true
            } catch {
                if error.code == .alreadyExists { throw error }
                try copyDurably(source, to: target)
                return false
            }
        }
    }

    /// Configuration, contracts and, if asked for, keys.
    private static func copySettings(of store: Store, to target: String, withKeys: Bool) throws(IngestionError) -> Int {
        var keys = 0
        try storing { () throws(StorageError) in
            for folder in withKeys ? ["schemas", "keys"] : ["schemas"] where exists(join(store.root, folder)) {
                for name in try listFolder(join(store.root, folder)) {
                    let path = join(join(store.root, folder), name)
                    guard try fileStatus(path)?.kind == .regular else { continue }
                    try copyDurably(path, to: join(join(target, folder), name))
                    if folder == "keys" { keys += 1 }
                }
            }
            // Last: a folder with it is a store.
            try copyDurably(join(store.root, Store.configurationName), to: join(target, Store.configurationName))
        }
        return keys
    }
}
