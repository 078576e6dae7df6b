import Cryptography
package import Lineage
import Sealing
import Storage
import Tabular

/// Opens files that the record names. The digest is checked on the very descriptor that is read afterwards.
extension Store {
    /// Opens a recorded file that a decision depends on.
    ///
    /// - Parameters:
    ///   - file: the recorded file.
    ///   - keys: the keys that may open it.
    ///   - expect: members that its authenticated data must have.
    /// - Throws: `tryAgain` when it is missing or changed. The batch then waits for it to be restored: judging without
    ///   it would let an attacker choose the baseline.
    func openEvidence(
        _ file: PublishedFile, keys: KeyRing, expect: [String: String]
    ) throws(IngestionError) -> MessageReader {
        let opened: FileDescriptor
        do throws(IngestionError) { opened = try openRecorded(file) } catch {
            if error.code == .noInput { throw error }
            throw IngestionError(.tryAgain, "\(error.description); \(Self.cure(of: file))")
        }
        do throws(SealingError) { return try MessageReader(.file(opened), keys: keys, expect: expect) } catch {
            throw refused(error, place(of: file))
        }
    }

    private static func cure(of file: PublishedFile) -> String {
        let restore = "restore it from a backup; until then no file of the dataset can be judged"
        guard file.role == .baseline || file.role == .claims else { return restore }
        let dataset = file.entry.body["dataset"]?.text ?? "NAME"
        return restore
            + "; if it is lost for good: sluice baseline exclude \(file.batch) --dataset \(dataset) --reason TEXT"
    }

    /// The path of a recorded file, for messages.
    func place(of file: PublishedFile) -> String { join(root, file.path) }

    /// Opens a recorded file.
    ///
    /// - Throws: `noInput` when it was removed lawfully; `damaged` when it is missing or not the recorded one.
    func openRecorded(_ file: PublishedFile) throws(IngestionError) -> FileDescriptor {
        let file = try current(file)
        guard let path = recordedPath(file.path) else {
            throw IngestionError(
                .damaged, "entry \(file.entry.sequence) of the ledger records a file with an invalid path")
        }
        do throws(StorageError) {
            let opened = try files.openRegular(at: path)
            if try matches(sha256(of: opened), file) { return opened }
        } catch {
            throw IngestionError(
                .damaged,
                error.code == .notFound
                    ? "\(place(of: file)): the ledger records it (entry \(file.entry.sequence)), but it is missing"
                    : error.description)
        }
        throw IngestionError(
            .damaged, "\(place(of: file)): it is not the file that the ledger records (entry \(file.entry.sequence))")
    }

    /// Whether a digest is that of a file as it is recorded now; or as it was before, while its new form is about to take
    /// its place.
    func matches(_ digest: String, _ current: PublishedFile) -> Bool {
        if digest == current.digest { return true }
        guard digest == current.body["was"]?.text, Inflight.isName(current.batch) else { return false }
        // Its folder is there as long as the change is not finished, also when the process ended in the middle.
        return files.exists(at: Self.workPath.appending(Self.name(current.batch)))
    }

    /// A published file as the entry that changed it last records it.
    ///
    /// - Throws: `noInput` when it was removed lawfully.
    func current(_ file: PublishedFile) throws(IngestionError) -> PublishedFile {
        let log = try proven().log
        let standing = try recording { () throws(LedgerError) in try log.standing(of: file) }
        if case .present(let current) = standing { return current }
        throw IngestionError(.noInput, "\(place(of: file)): \(standing.absence?.reason ?? "")")
    }

    /// Why a published file cannot be read any more, and the entry that says so; nil while it can.
    package func absence(of file: PublishedFile) throws(IngestionError) -> (reason: String, entry: Int)? {
        let log = try proven().log
        return try recording { () throws(LedgerError) in try log.standing(of: file).absence }
    }

    /// Whether the ledger records anything of a dataset.
    package func hasRecorded(dataset: String) throws(IngestionError) -> Bool {
        let ledger = try proven().log.ledger
        return try recording { () throws(LedgerError) in
            try !LineageQuery(ledger).log(limit: 1, dataset: dataset).isEmpty
        }
    }

    /// A proof of what the ledger records of a batch, or of one row of its source; nil if it has none.
    package func proof(ofBatch batch: String, row: Int?) throws(IngestionError) -> RecordProof? {
        let log = try proven().log
        return try recording { () throws(LedgerError) in try RecordProof.make(batch: batch, row: row, from: log) }
    }

    /// A proof of an erasure; nil when the entry records none.
    package func proof(ofErasure sequence: Int) throws(IngestionError) -> RecordProof? {
        let (log, state) = try proven()
        guard sequence >= 0, sequence < state.size else { return nil }
        return try recording { () throws(LedgerError) in try RecordProof.make(erasure: sequence, from: log) }
    }

    /// Reads a whole recorded file that a decision depends on.
    ///
    /// - Parameters:
    ///   - file: the recorded file.
    ///   - keys: the keys that may open it.
    ///   - expect: members that its authenticated data must have.
    /// - Returns: its content and its authenticated data.
    func readEvidence(
        _ file: PublishedFile, keys: KeyRing, expect: [String: String]
    ) throws(IngestionError) -> (bytes: [UInt8], context: [String: String]) {
        let reader = try openEvidence(file, keys: keys, expect: expect)
        let context = reader.info.context
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: place(of: file)) { span in bytes.append(copying: span) }
        return (bytes, context)
    }
}

/// SHA-256 of an open file, hexadecimal.
func sha256(of file: borrowing FileDescriptor) throws(StorageError) -> String {
    var hasher = SHA256()
    var offset = 0
    var buffer: [UInt8] = []
    while true {
        buffer.removeAll(keepingCapacity: true)
        let got = try file.read(upTo: 1 << 20, at: offset, into: &buffer)
        if got == 0 { return hex(hasher.finish()) }
        hasher.update(buffer.span)
        offset += got
    }
}

/// SHA-256 of a file, hexadecimal.
package func fileDigest(_ path: String) throws(IngestionError) -> String {
    try storing(reading: true) { () throws(StorageError) in try sha256(of: FileDescriptor.openRegular(path)) }
}

/// A path at which this store may record a file; nil for any other, such as one that leaves the store.
func recordedPath(_ text: String) -> RelativePath? {
    guard let path = RelativePath(text), path.names.count >= 3,
        ["accepted", "quarantine", "baselines"].contains(path.names[0].description)
    else { return nil }
    return path
}

extension Store {
    /// Whether a folder is the store's, or in it, by whatever path.
    func isOwn(_ folder: String) -> Bool {
        let (place, own) = (canonicalPath(folder), canonicalPath(root))
        return place == own || place.hasPrefix(own + "/")
    }
}
