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
        let old: any WrappingKey, new: any WrappingKey
        /// Only those of this dataset; nil for all.
        var dataset: String?
        /// Files worked on at the same time.
        package var jobs = 2
    }

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
        let opening: any WrappingKey =
            if let service = try opener(old) { service } else {
                AESWrappingKey(name: old, key: try store.key(.kek, old))
            }
        let sealing = if let service = try opener(target) { service } else { try store.sealingKey(target) }
        return Rewrapping(old: opening, new: sealing, dataset: dataset)
    }

    /// The key of a recipient of `sluice.yaml` that opens here without being in `keys/`; nil where the name is that of no such one.
    ///
    /// - Throws: `usage` where its key is elsewhere: the store could not open the files any more.
    private func opener(_ name: String) throws(IngestionError) -> (any WrappingKey)? {
        let named = store.configuration.allRecipients.first { $0.name == name && $0.kind != .kek }
        guard let named else { return nil }
        guard case .exec = named.kind else {
            throw IngestionError(
                .usage,
                "the key of \(name) is kept elsewhere: this store cannot open files with it; name a key of keys/ or an exec recipient"
            )
        }
        return try store.sealer(for: name)
    }

    /// Wraps every file anew that the old key opens. An interrupted run is taken up where it ended.
    ///
    /// - Parameter request: the keys.
    /// - Throws: `tryAgain` while a backup or another change of published files runs.
    package func rewrap(_ request: Rewrapping) async throws(IngestionError) -> Replaced {
        let lock = try lockMaintenance()
        try enroll([UsedKey(request.new)])
        let uid = Int64(userNumber())
        let replacement = Replacement(
            jobs: request.jobs, isWhole: false,
            make: { file, folder, name throws(IngestionError) in try stage(file, as: name, in: folder, request) },
            describe: { _ in
                [
                    "kind": .event(.shardRewrapped), "from": .string(request.old.name), "to": .string(request.new.name),
                    "uid": .integer(uid),
                ]
            })
        let done = try await replace(try filesToRewrap(request), by: replacement)
        _ = consume lock
        return done
    }

    /// The present files that are sealed for the old key, by batch, oldest first.
    private func filesToRewrap(_ request: Rewrapping) throws(IngestionError) -> [[PublishedFile]] {
        try presentFiles(of: request.dataset) { $0.recipients.contains(request.old.name) }
    }

    private func stage(
        _ file: PublishedFile, as name: FileName, in folder: OpenFolder, _ request: Rewrapping
    ) throws(IngestionError) -> NewForm {
        let opened = try store.openRecorded(file)
        do throws(SealingError) {
            let reader = try MessageReader(.file(opened), keys: KeyRing([request.old]))
            let staged = try sealed { () throws(StorageError) in try StagedFile(in: folder, name: name) }
            let message = try reader.rewrap(from: request.old, to: request.new, into: staged)
                .commit(as: name.description)
            let kept = file.recipients.filter { $0 != request.old.name && $0 != request.new.name }
            return NewForm(message: message, recipients: [request.new.name] + kept)
        } catch {
            throw refused(error, store.place(of: file))
        }
    }
}
