import Cryptography
import Lineage
import Sealing
import Storage
import Tabular

/// Wraps published files for another key. What is in them stays byte for byte.
extension Recorder {
    /// Which files are wrapped anew.
    package struct Rewrapping: Sendable {
        /// The key that opens them today, and the one that takes its place.
        let old: WrappingKey, new: WrappingKey
        /// Only those of this dataset; nil for all.
        var dataset: String?
        /// Files worked on at the same time.
        package var jobs = 2
    }

    /// The result of wrapping files anew.
    package struct Rewrapped: Sendable, Equatable {
        /// Files that were wrapped anew, with their bytes, and their batches.
        package internal(set) var files = 0, bytes = 0, batches = 0
        /// Batches that another process works on; the next run takes them.
        package internal(set) var waiting = 0
        /// Files that are missing, changed or cannot be opened, which were left as they are, with the reason.
        package internal(set) var failures: [String] = []
    }

    /// Batches that one commit records.
    private static var batchesAtOnce: Int { 64 }

    /// Reads the names of two keys.
    ///
    /// - Parameters:
    ///   - old: the name of a wrapping key that opens files.
    ///   - new: that of the key that takes its place; nil for the one that replaced it.
    ///   - dataset: the dataset; nil for all.
    /// - Throws: `usage` when both are one, or no key replaced the old one; `notPermitted` when one is missing.
    package func rewrapping(
        from old: String, to new: String?, dataset: String?
    ) throws(IngestionError) -> Rewrapping {
        let state = try store.proven().state
        let target = new ?? state.newest(old)
        guard target != old else {
            throw IngestionError(
                .usage,
                new == nil
                    ? "no key replaced \(old); name one with --to NAME, or first: sluice keys rotate \(old)"
                    : "--from and --to are the same key; see: sluice keys list")
        }
        if let next = state.rotations[target] {
            throw IngestionError(
                .usage,
                "--to: \(target) was replaced by \(next), and only opens what was sealed before; give --to \(state.newest(target))"
            )
        }
        let key = WrappingKey.aes(name: old, key: try store.key(.kek, old))
        return Rewrapping(old: key, new: try store.sealingKey(target), dataset: dataset)
    }

    /// Wraps every file anew that the old key opens. An interrupted run is taken up where it ended.
    ///
    /// Each file is made anew in `work`, under the lease of its batch; then one commit records those of some batches, and
    /// each takes the place of the one before. Who reads a file meanwhile reads either.
    ///
    /// - Parameter request: the keys.
    /// - Throws: `tryAgain` while a backup or another change of published files runs.
    package func rewrap(_ request: Rewrapping) async throws(IngestionError) -> Rewrapped {
        let lock = try lockMaintenance()
        try enroll([UsedKey(request.new)])
        var done = Rewrapped()
        let batches = try filesToRewrap(request)
        for first in stride(from: 0, to: batches.count, by: Self.batchesAtOnce) {
            let part = Array(batches[first..<min(batches.count, first + Self.batchesAtOnce)])
            try await rewrap(part, request, &done)
        }
        _ = consume lock
        return done
    }

    /// The present files that are sealed for the old key, by batch, oldest first.
    private func filesToRewrap(_ request: Rewrapping) throws(IngestionError) -> [[PublishedFile]] {
        var (found, places): ([[PublishedFile]], [String: Int]) = ([], [:])
        try forEachPresentFile(of: request.dataset) { now in
            guard now.recipients.contains(request.old.name), Inflight.isName(now.batch) else { return }
            let place = places[now.batch] ?? found.count
            if place == found.count {
                places[now.batch] = place
                found.append([])
            }
            found[place].append(now)
        }
        return found
    }

    /// A batch whose files are being wrapped anew.
    private struct Work: Sendable {
        let lease: Lease
        let folder: OpenFolder
        let files: [PublishedFile]
    }

    /// Wraps the files of some batches anew, with one commit.
    private func rewrap(
        _ batches: [[PublishedFile]], _ request: Rewrapping, _ done: inout Rewrapped
    ) async throws(IngestionError) {
        var works: [Work] = []
        for files in batches {
            guard let lock = try tryLock(files[0].batch) else {
                done.waiting += 1
                continue
            }
            let lease = Lease(name: files[0].batch, lock: lock)
            let folder = try storing { () throws(StorageError) in
                try removeStaging(lease.name)
                return try work.makeFolder(lease.folderName)
            }
            works.append(Work(lease: lease, folder: folder, files: files))
        }
        do throws(IngestionError) {
            let made = try await stage(works, request, &done)
            let entries = zip(works, made).flatMap { work, made in rewrapEntries(work, made, request) }
            if entries.isEmpty { return discard(works.map(\.lease)) }
            let change = LedgerChange(
                entries: entries,
                putInflight: works.map { work in
                    Inflight(
                        claim: work.lease.name, source: work.files[0].entry.body["dataset"]?.text ?? "",
                        state: .publishing, attempts: 1, updatedMilliseconds: Clock.milliseconds())
                })
            let committed = try append(change)
            var placements: [String: [Placement]] = [:]
            for (index, entry) in change.entries.enumerated() {
                for file in entry["files"]?.items ?? [] {
                    placements[entry["batch"]?.text ?? "", default: []].append(
                        try Placement(file, sequence: committed.firstSequence + index, isReplacement: true))
                }
            }
            for work in works {
                try place(placements[work.lease.name] ?? [], from: work.folder, isRecovery: false)
            }
            try forget(works.map(\.lease.name))
            done.batches += made.count { !$0.isEmpty }
            for pair in made.joined() {
                done.files += 1
                done.bytes += pair.message.byteCount
            }
        } catch {
            discard(works.map(\.lease))
            throw error
        }
    }

    /// Removes what was staged under these leases, unless their rows say that it was committed: recovery finishes that.
    private func discard(_ leases: [Lease]) {
        guard let committed = try? ledger.inflight().map(\.claim) else { return }
        for lease in leases where !committed.contains(lease.name) {
            try? removeStaging(lease.name)
            try? work.remove(lockName(lease.name))
        }
    }

    /// A file and its new form.
    private typealias Made = (file: PublishedFile, message: SealedMessage)

    /// Makes the new files of each batch, several at the same time.
    ///
    /// - Returns: the new form of each file, by the works. A file that is not the recorded one is left out.
    private func stage(
        _ works: [Work], _ request: Rewrapping, _ done: inout Rewrapped
    ) async throws(IngestionError) -> [[Made]] {
        let files = works.flatMap { work in work.files.map { (file: $0, folder: work.folder) } }
        let results = await withTaskGroup(of: (Int, Result<SealedMessage, IngestionError>).self) { group in
            var (next, found): (Int, [Int: Result<SealedMessage, IngestionError>]) = (0, [:])
            func begin() {
                guard next < files.count else { return }
                let (number, one) = (next, files[next])
                next += 1
                group.addTask {
                    do throws(IngestionError) {
                        return (number, .success(try stage(one.file, in: one.folder, request)))
                    } catch { return (number, .failure(error)) }
                }
            }
            for _ in 0..<max(1, request.jobs) { begin() }
            while let (number, result) = await group.next() {
                found[number] = result
                if case .failure(let error) = result, !error.isAboutOneFile { break }
                begin()
            }
            return found
        }
        for case .failure(let error) in results.values where !error.isAboutOneFile { throw error }
        var (made, at): ([[Made]], Int) = ([], 0)
        for work in works {
            var ofWork: [Made] = []
            for file in work.files {
                switch results[at] {
                case .success(let message): ofWork.append((file, message))
                case .failure(let error): done.failures.append(error.description)
                case nil: break
                }
                at += 1
            }
            made.append(ofWork)
            try storing { () throws(StorageError) in try work.folder.sync() }
        }
        return made
    }

    private func stage(
        _ file: PublishedFile, in folder: OpenFolder, _ request: Rewrapping
    ) throws(IngestionError) -> SealedMessage {
        let place = try Placement(file.body, sequence: file.entry.sequence)
        let opened = try store.openRecorded(file)
        do throws(SealingError) {
            let reader = try MessageReader(.file(opened), keys: KeyRing([request.old]))
            let staged: StagedFile
            do throws(StorageError) { staged = try StagedFile(in: folder, name: place.staged) } catch {
                throw SealingError(error)
            }
            return try reader.rewrap(from: request.old, to: request.new, into: staged)
                .commit(as: place.staged.description)
        } catch {
            throw refused(error, store.place(of: file))
        }
    }

    /// `shard.rewrapped`: files of one batch as they are now, one for up to 64 of the same recipients.
    private func rewrapEntries(
        _ work: Work, _ made: [Made], _ request: Rewrapping
    ) -> [JSONValue] {
        return Dictionary(grouping: made) { $0.file.recipients }.sorted { $0.key.description < $1.key.description }
            .flatMap {
                recipients, files in
                let kept = recipients.filter { $0 != request.old.name && $0 != request.new.name }
                return stride(from: 0, to: files.count, by: LedgerEntry.filesMax).map { first -> JSONValue in
                    let part = files[first..<min(files.count, first + LedgerEntry.filesMax)]
                    return .object([
                        "kind": .event(.shardRewrapped), "v": .integer(1), "time": .string(Clock.text()),
                        "batch": .string(work.lease.name), "dataset": part[first].file.entry.body["dataset"] ?? .null,
                        "keys": .array(([request.new.name] + kept).map { .string($0) }),
                        "from": .string(request.old.name), "to": .string(request.new.name),
                        "uid": .integer(Int64(userNumber())),
                        "files": .array(part.map { file, message in rewrapped(file, message) }),
                    ])
                }
            }
    }

    /// A file's member of an entry: what was recorded of it, with the new digest, and the one before.
    private func rewrapped(_ file: PublishedFile, _ message: SealedMessage) -> JSONValue {
        var members = file.body.members ?? [:]
        members["was"] = .string(file.digest)
        members["file_sha256"] = .string(hex(message.fileSHA256))
        members["bytes"] = .integer(Int64(message.byteCount))
        return .object(members)
    }
}

extension IngestionError {
    /// Whether it is about the state of one file, so that others can go on.
    fileprivate var isAboutOneFile: Bool { code == .damaged || code == .notPermitted || code == .noInput }
}
