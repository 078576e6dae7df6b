import Cryptography
import Lineage
import Sealing
import Storage
import Tabular

/// Puts new forms of published files in their places.
extension Recorder {
    /// The new form of a file.
    struct NewForm: Sendable {
        let message: SealedMessage
        /// The names of the keys that open it.
        let recipients: [String]
        /// What the ledger records of it besides, in the place of what it recorded before.
        var members: [String: JSONValue] = [:]
    }

    /// How files are replaced.
    struct Replacement: Sendable {
        /// Files worked on at the same time.
        let jobs: Int
        /// Whether a batch is left as it is when one of its files cannot be made anew.
        let isWhole: Bool
        /// Makes the new form of a file under this name in this folder; nil leaves the file as it is.
        let make: @Sendable (PublishedFile, OpenFolder, FileName) throws(IngestionError) -> NewForm?
        /// The members of a batch's entries, without those that follow from the files.
        let describe: @Sendable (String) -> [String: JSONValue]
    }

    /// The result of replacing files.
    package struct Replaced: Sendable, Equatable {
        /// Files that were replaced, with their bytes, and their batches.
        package internal(set) var files = 0, bytes = 0, batches = 0
        /// Batches that another process works on; the next run takes them.
        package internal(set) var waiting = 0
        /// Files that are missing, changed or cannot be opened, which were left as they are, with the reason.
        package internal(set) var failures: [String] = []
    }

    /// Batches that one commit records.
    private static var batchesAtOnce: Int { 64 }

    /// The present files that satisfy a condition, by batch, oldest first.
    ///
    /// - Parameter dataset: the dataset; nil for all.
    func presentFiles(
        of dataset: String?, where condition: (PublishedFile) -> Bool
    ) throws(IngestionError) -> [[PublishedFile]] {
        var (found, places): ([[PublishedFile]], [String: Int]) = ([], [:])
        try forEachPresentFile(of: dataset) { now in
            guard condition(now), Inflight.isName(now.batch) else { return }
            let place = places[now.batch] ?? found.count
            if place == found.count {
                places[now.batch] = place
                found.append([])
            }
            found[place].append(now)
        }
        return found
    }

    /// Replaces files. An interrupted run is completed by the next command that writes, or taken up by the same command.
    ///
    /// Each file is made anew in `work`, under the lease of its batch; then one commit records those of some batches, and
    /// each takes the place of the one before. Who reads a file meanwhile reads either. The caller holds the lock of
    /// changes to published files.
    ///
    /// - Parameter batches: the files, by batch.
    func replace(
        _ batches: [[PublishedFile]], by replacement: Replacement
    ) async throws(IngestionError) -> Replaced {
        var done = Replaced()
        for first in stride(from: 0, to: batches.count, by: Self.batchesAtOnce) {
            let part = Array(batches[first..<min(batches.count, first + Self.batchesAtOnce)])
            try await replace(part, by: replacement, &done)
        }
        return done
    }

    /// A batch whose files are being replaced.
    private struct Work: Sendable {
        let lease: Lease
        let folder: OpenFolder
        let files: [PublishedFile]
    }

    /// Replaces the files of some batches with one commit.
    private func replace(
        _ batches: [[PublishedFile]], by replacement: Replacement, _ done: inout Replaced
    ) async throws(IngestionError) {
        let decided = try store.proven().state.size
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
            let made = try await stage(works, replacement, &done)
            let entries = zip(works, made).flatMap { work, made in self.entries(work, made, replacement) }
            if entries.isEmpty { return discard(works.map(\.lease)) }
            let change = LedgerChange(
                entries: entries,
                putInflight: works.map { work in
                    Inflight(
                        claim: work.lease.name, source: work.files[0].entry.body["dataset"]?.text ?? "",
                        state: .publishing, attempts: 1, updatedMilliseconds: Clock.milliseconds())
                }
            ).decided(at: decided)
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
                done.bytes += pair.form.message.byteCount
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
    private typealias Made = (file: PublishedFile, form: NewForm)

    /// Makes the new files of each batch, several at the same time.
    ///
    /// - Returns: the new form of each file, by the works. A file that is not the recorded one is left out.
    private func stage(
        _ works: [Work], _ replacement: Replacement, _ done: inout Replaced
    ) async throws(IngestionError) -> [[Made]] {
        let files = works.flatMap { work in work.files.map { (file: $0, folder: work.folder) } }
        let results = await withTaskGroup(of: (Int, Result<NewForm?, IngestionError>).self) { group in
            var (next, found): (Int, [Int: Result<NewForm?, IngestionError>]) = (0, [:])
            func begin() {
                guard next < files.count else { return }
                let (number, one) = (next, files[next])
                next += 1
                group.addTask {
                    do throws(IngestionError) {
                        let place = try Placement(one.file.body, sequence: one.file.entry.sequence)
                        return (number, .success(try replacement.make(one.file, one.folder, place.staged)))
                    } catch { return (number, .failure(error)) }
                }
            }
            for _ in 0..<max(1, replacement.jobs) { begin() }
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
            var (ofWork, isBroken): ([Made], Bool) = ([], false)
            for file in work.files {
                switch results[at] {
                case .success(let form?): ofWork.append((file, form))
                case .failure(let error):
                    done.failures.append(error.description)
                    isBroken = true
                case .success(nil), nil: break
                }
                at += 1
            }
            if isBroken, replacement.isWhole { ofWork = [] }
            made.append(ofWork)
            try storing { () throws(StorageError) in try work.folder.sync() }
        }
        return made
    }

    /// The entries of one batch: its files as they are now, one for up to 64 of the same recipients.
    private func entries(_ work: Work, _ made: [Made], _ replacement: Replacement) -> [JSONValue] {
        Dictionary(grouping: made) { $0.form.recipients }.sorted { $0.key.description < $1.key.description }
            .flatMap { recipients, files in
                stride(from: 0, to: files.count, by: LedgerEntry.filesMax).map { first -> JSONValue in
                    let part = files[first..<min(files.count, first + LedgerEntry.filesMax)]
                    var members = replacement.describe(work.lease.name)
                    members["v"] = .integer(1)
                    members["time"] = .string(Clock.text())
                    members["batch"] = .string(work.lease.name)
                    members["dataset"] = part[first].file.entry.body["dataset"] ?? .null
                    members["keys"] = .array(recipients.map { .string($0) })
                    members["files"] = .array(part.map { file, form in member(file, form) })
                    return .object(members)
                }
            }
    }

    /// A file's member of an entry: what was recorded of it, with the new digest, and the one before.
    private func member(_ file: PublishedFile, _ form: NewForm) -> JSONValue {
        var members = file.body.members ?? [:]
        members["was"] = .string(file.digest)
        members["file_sha256"] = .string(hex(form.message.fileSHA256))
        members["bytes"] = .integer(Int64(form.message.byteCount))
        return .object(members.merging(form.members) { _, new in new })
    }
}

extension IngestionError {
    /// Whether it is about the state of one file, so that others can go on.
    var isAboutOneFile: Bool { code == .damaged || code == .notPermitted || code == .noInput }
}
