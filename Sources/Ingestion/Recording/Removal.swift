import Lineage
import Storage
import Tabular

/// Removes sealed files whose time is over.
extension Recorder {
    /// The result of a removal.
    package struct Removed: Sendable, Equatable {
        /// Files and their bytes, the batches that they were of, and holds that ended with their source.
        package internal(set) var files = 0, bytes = 0, batches = 0, holds = 0
        /// Files that are missing or not the recorded ones. They are left: a removal must not hide that.
        package internal(set) var strange: [String] = []
        /// Batches that another process works on; the next removal takes them.
        package internal(set) var waiting = 0
    }

    /// The lock of commands that change or copy published files: a backup must find what its ledger records.
    static let maintenanceLockName = "maintenance.lock"

    /// Takes the lock of commands that change published files; shared for those that copy them.
    ///
    /// - Throws: `tryAgain` while another process holds it.
    func lockMaintenance(isShared: Bool = false) throws(IngestionError) -> FileLock {
        let name = Store.name(Self.maintenanceLockName)
        let taken = try storing { () throws(StorageError) in
            try FileLock.tryAcquire(name, in: store.files, isShared: isShared)
        }
        if let taken { return taken }
        throw IngestionError(
            .tryAgain,
            "\(store.root)/\(Self.maintenanceLockName): a backup, or a command that changes published files, is running; try later"
        )
    }

    /// The sealed files that have been kept long enough; see `Store.expiredFiles`.
    package func expiredFiles(of dataset: String? = nil) throws(IngestionError) -> [ExpiredFile] {
        try store.expiredFiles(of: dataset)
    }

    /// Batches whose removal one commit records.
    private static var batchesAtOnce: Int { 64 }

    /// Removes expired files. The ledger records each removal first, so a crash in between is completed by the next
    /// command that writes.
    ///
    /// - Parameters:
    ///   - expired: the files.
    ///   - isStopped: asked between commits.
    /// - Throws: `tryAgain` while a backup or another removal runs.
    package func remove(
        _ expired: [ExpiredFile], isStopped: () -> Bool = { false }
    ) throws(IngestionError) -> Removed {
        var removed = Removed()
        if expired.isEmpty { return removed }
        let lock = try lockMaintenance()
        var order: [String] = []
        var groups: [String: [ExpiredFile]] = [:]
        for one in expired {
            if groups[one.file.batch] == nil { order.append(one.file.batch) }
            groups[one.file.batch, default: []].append(one)
        }
        for first in stride(from: 0, to: order.count, by: Self.batchesAtOnce) {
            if isStopped() { break }
            let part = order[first..<min(order.count, first + Self.batchesAtOnce)].compactMap { groups[$0] }
            try remove(part, &removed)
        }
        _ = consume lock
        return removed
    }

    /// Removes files of some batches with one commit.
    private func remove(_ batches: [[ExpiredFile]], _ removed: inout Removed) throws(IngestionError) {
        var taken: [(lock: Lease, files: [ExpiredFile])] = []
        for files in batches {
            guard let batch = files.first?.file.batch, Inflight.isName(batch) else { continue }
            guard let lock = try tryLock(batch) else {
                removed.waiting += 1
                continue
            }
            taken.append((Lease(name: batch, lock: lock), files))
        }
        // Decided again under the locks: another process may have removed or released some meanwhile.
        let state = try store.proven().state
        let open = Set(state.openHolds.map(\.batch))
        var (entries, rows): ([JSONValue], [Inflight]) = ([], [])
        for (lease, files) in taken {
            var left: [ExpiredFile] = []
            for one in files where try isPresent(one.file) {
                if try isRecordedOne(one.file) { left.append(one) } else { removed.strange.append(one.file.path) }
            }
            entries += removalEntries(left)
            if left.isEmpty { continue }
            rows.append(
                Inflight(
                    claim: lease.name, source: files[0].dataset, state: .publishing, attempts: 1,
                    updatedMilliseconds: Clock.milliseconds()))
            removed.files += left.count
            removed.bytes += left.reduce(0) { $0 + $1.bytes }
            removed.batches += 1
            if left.contains(where: { $0.file.role == .source }), open.contains(lease.name) { removed.holds += 1 }
        }
        if !entries.isEmpty {
            // A release that was decided before this commit, and is committed after it, is refused then.
            _ = try append(LedgerChange(entries: entries, putInflight: rows).decided(at: state.size))
        }
        for (_, files) in taken {
            // Those that were left are not recorded as removed.
            var gone: [PublishedFile] = []
            for one in files where try !isPresent(one.file) { gone.append(one.file) }
            try erase(gone)
        }
        try forget(taken.map(\.lock.name))
    }

    /// Whether the file in its place is the recorded one.
    private func isRecordedOne(_ file: PublishedFile) throws(IngestionError) -> Bool {
        let standing = try recording { () throws(LedgerError) in try record.standing(of: file) }
        guard let now = standing.file, let path = recordedPath(now.path),
            let status = (try? store.files.status(at: path)) ?? nil, status.kind == .regular
        else { return false }
        return try storing { () throws(StorageError) in
            try sha256(of: store.files.openRegular(at: path)) == now.digest
        }
    }

    private func isPresent(_ file: PublishedFile) throws(IngestionError) -> Bool {
        try recording { () throws(LedgerError) in try record.standing(of: file) }.file != nil
    }

    /// `file.removed`: files of one batch, an entry for each rule.
    func removalEntries(_ files: [ExpiredFile]) -> [JSONValue] {
        var entries: [JSONValue] = []
        for (rule, files) in Dictionary(grouping: files, by: \.rule).sorted(by: { $0.key < $1.key }) {
            for first in stride(from: 0, to: files.count, by: LedgerEntry.filesMax) {
                let part = files[first..<min(files.count, first + LedgerEntry.filesMax)]
                entries.append(
                    .object([
                        "kind": .event(.fileRemoved), "v": .integer(1), "time": .string(Clock.text()),
                        "batch": .string(part[first].file.batch), "dataset": .string(part[first].dataset),
                        "reason": .string("retention"), "rule": .string(rule), "uid": .integer(Int64(userNumber())),
                        "files": .array(
                            part.map { one in
                                .object([
                                    "role": .string(one.file.role?.rawValue ?? ""), "path": .string(one.file.path),
                                    "bytes": .integer(Int64(one.bytes)), "file_sha256": .string(one.file.digest),
                                ])
                            }),
                    ]))
            }
        }
        return entries
    }

    /// Removes files whose removal is recorded, with their receipts and the folders that become empty. It is idempotent:
    /// recovery after a crash calls this very function.
    func erase(_ files: [PublishedFile]) throws(IngestionError) {
        for file in files {
            guard let path = recordedPath(file.path), let above = path.folder else { continue }
            try storing { () throws(StorageError) in
                guard try store.files.status(at: above) != nil else { return }
                let folder = try store.files.folder(at: above)
                for name in [path, path.with(ending: ".tlog-proof")].compactMap({ $0?.name })
                where try folder.status(of: name) != nil {
                    try folder.remove(name)
                }
                try folder.sync()
            }
            try removeEmptyFolders(from: above)
        }
    }

    /// Removes a folder of a batch, and the one above it, once they are empty. Those of a dataset stay.
    private func removeEmptyFolders(from path: RelativePath) throws(IngestionError) {
        var path: RelativePath? = path
        while let folder = path, folder.names.count >= 3, let above = folder.folder {
            let isGone = try storing { () throws(StorageError) in
                guard try store.files.status(at: folder) != nil else { return true }
                guard try store.files.folder(at: folder).names().isEmpty else { return false }
                let parent = try store.files.folder(at: above)
                try parent.removeTree(folder.name)
                try parent.sync()
                return true
            }
            if !isGone { return }
            path = above
        }
    }
}
