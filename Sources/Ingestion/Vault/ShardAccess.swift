package import Cryptography
import Glibc
package import Lineage
import Masking
import Reading
package import Sealing
package import Storage
import Tabular

/// Opening shards inside a store: the access is recorded before any plaintext is released.
extension Recorder {
    /// Records `shard.opened` in one commit: the files with their places and rows, the user's id and the reason.
    ///
    /// - Throws: `usage` without a reason, or for one that holds personal data.
    package func recordOpening(
        _ files: [OpenedFile], rows: RowList? = nil, reason: String
    ) throws(IngestionError) {
        try requireTellable(reason)
        let time = Clock.text()
        let entries = stride(from: 0, to: files.count, by: Self.openingsMax).map { first -> JSONValue in
            let part = files[first..<min(files.count, first + Self.openingsMax)]
            var members: [String: JSONValue] = [
                "kind": .event(.shardOpened), "v": .integer(1), "time": .string(time),
                "uid": .integer(Int64(getuid())), "reason": .string(reason),
                "opened": .array(
                    part.map { file in
                        var members: [String: JSONValue] = [
                            "file_sha256": .string(file.digest), "path": .string(file.place),
                        ]
                        if let rows = file.rows { members["row_count"] = .integer(Int64(rows)) }
                        return .object(members)
                    }),
            ]
            // Where there is one file, it stands where earlier versions look for it.
            if part.count == 1, let only = part.first { members["file_sha256"] = .string(only.digest) }
            if let rows { members["rows"] = .string(rows.text) }
            return .object(members)
        }
        try append(entries)
    }

    /// Unwraps the data keys of recorded files, after the ledger has recorded who opens them and why. Whoever has a data key opens that
    /// one file, and no other.
    ///
    /// - Throws: `usage` without a reason; `damaged` when a file is not the recorded one; `notPermitted` when no key opens it. Nothing is
    ///   recorded then.
    package func unwrapKeys(
        of files: [PublishedFile], with ring: KeyRing, reason: String
    ) throws(IngestionError) -> [UnwrappedKey] {
        try requireTellable(reason)
        var opened: [UnwrappedKey] = []
        for file in files { opened.append(try store.unwrapKey(of: file, with: ring)) }
        try recordOpening(opened.map(\.file), reason: reason)
        return opened
    }

    /// Files that one entry lists.
    private static var openingsMax: Int { 256 }
}

extension Recorder {
    /// Decrypts values that the `encrypt` operator masked. The ledger first records the user's id, the key, the number
    /// of values and the reason.
    ///
    /// - Parameters:
    ///   - values: the values as they stand in a shard, `prefix` included.
    ///   - name: the name of the key.
    ///   - prefix: the contract's prefix of such values; empty for none.
    ///   - subject: the data subject, where each has a key of their own.
    ///   - reason: why; the ledger records it.
    /// - Returns: the plaintexts; nil for each value that the key does not open.
    package func reveal(
        _ values: [String], key name: String, prefix: String, subject: String?, reason: String
    ) throws(IngestionError) -> [[UInt8]?] {
        let key = try store.key(.token, name)
        var entry: [String: JSONValue] = [
            "kind": .event(.valuesRevealed), "v": .integer(1), "time": .string(Clock.text()), "key": .string(name),
            "fingerprint": .string(key.fingerprint(name: name)), "count": .integer(Int64(values.count)),
            "uid": .integer(Int64(getuid())), "reason": .string(reason),
        ]
        // An HMAC, so that only a person who has the key and knows the subject can find the access.
        entry["subject"] = subject.map { .string(hex(Array(hmacSHA256(key: key, Array($0.utf8).span).prefix(16)))) }
        let made = JSONValue.object(entry)
        try append([made])
        let owner = subject.map { Array($0.utf8) }
        // Earlier versions derived the key of a subject without a salt.
        var salts: [[UInt8]?] = [nil]
        if let owner {
            let tag = SubjectTag(owner.span, 0..<owner.count, try BatchSecrets(of: store).hash)
            let ring = try store.keyRing()
            for file in try store.subjectKeyFiles() {
                if let salt = try store.salts(in: file, ring)[tag] { salts.insert(salt, at: 0) }
            }
        }
        do throws(CryptographyError) {
            var opened: [[UInt8]?] = values.map { _ in nil }
            for salt in salts {
                var cipher = try ValueCipher(key, subject: owner, salt: salt)
                for (place, value) in values.enumerated() where opened[place] == nil {
                    guard value.hasPrefix(prefix), let sealed = bytes(base64URL: String(value.dropFirst(prefix.count)))
                    else { continue }
                    opened[place] = try? cipher.open(sealed)
                }
            }
            return opened
        } catch {
            throw IngestionError(.notPermitted, "the key \(name) cannot be used: \(error)")
        }
    }
}

extension Store {
    /// A recorded file about to be opened. The examined descriptor is the one that is read.
    package struct Admitted: Sendable {
        /// The open file.
        package let file: OpenFile
        /// What the ledger records of the opening.
        package let record: OpenedFile
        /// The batch that it belongs to.
        package let batch: String
        /// The batch that replaced that one; nil when none did.
        package let supersededBy: String?
    }

    /// Opens a file that this store's ledger records. Decryption alone proves only that its maker had a key.
    ///
    /// - Throws: `damaged` for a file that the ledger does not record, or records at another place.
    package func admit(_ path: String) throws(IngestionError) -> Admitted {
        let (log, state) = try proven()
        if !exists(path), path.hasPrefix(root + "/") {
            let name = String(path.dropFirst(root.count + 1))
            for sequence in state.changes(ofFile: name) {
                let entry = try recording { () throws(LedgerError) in try log.entry(sequence) }
                guard entry.event == .fileRemoved, entry.changedFiles.contains(where: { $0.path == name }),
                    let reason = FileStanding.removed(entry).absence?.reason
                else { continue }
                throw IngestionError(.noInput, "\(path): \(reason)")
            }
        }
        let file = try storing(reading: true) { () throws(StorageError) in
            OpenFile(try FileDescriptor.openRegular(path))
        }
        let found = try storing { () throws(StorageError) in try file.digest() }
        guard let recorded = try recording({ () throws(LedgerError) in try log.file(found) }) else {
            throw IngestionError(
                .damaged, "\(path): the ledger records no such file: it was changed, swapped or never published here")
        }
        // A copy elsewhere may be opened; a file inside the store's folders must be the one recorded there.
        let status = try storing { () throws(StorageError) in try file.status() }
        if try isInside(path) {
            guard try isSame(status, recorded.path) else {
                throw IngestionError(
                    .damaged, "\(path): the ledger records this content at \(recorded.path): the files were swapped")
            }
            let now = try current(recorded)
            guard matches(found, now) else {
                throw IngestionError(
                    .damaged,
                    "\(path): an older copy was put in its place: the ledger records another since (entry \(now.entry.sequence))"
                )
            }
        }
        return Admitted(
            file: file, record: OpenedFile(recorded),
            batch: recorded.batch, supersededBy: state.superseded[recorded.batch])
    }

    private func isSame(_ status: FileStatus, _ path: String) throws(IngestionError) -> Bool {
        guard let path = recordedPath(path) else { return false }
        let there = try storing { () throws(StorageError) in try files.status(at: path) }
        return there?.device == status.device && there?.inode == status.inode
    }

    /// Whether a path lies in one of the store's folders of sealed files.
    private func isInside(_ path: String) throws(IngestionError) -> Bool {
        let kinds = ["accepted", "quarantine", "baselines"].compactMap { kind in
            try? files.status(of: Self.name(kind))
        }
        // By the resolved path: in the text of `x/../y` the folders do not show.
        var folder = split(canonicalPath(path)).folder
        for _ in 0..<5 {
            let status = try storing { () throws(StorageError) in try fileStatus(folder) }
            if let status, kinds.contains(where: { $0.device == status.device && $0.inode == status.inode }) {
                return true
            }
            folder = split(folder).folder
        }
        return false
    }
}

/// A recorded file that somebody opens, as `shard.opened` names it.
package struct OpenedFile: Sendable {
    /// SHA-256 of its bytes, hexadecimal.
    package let digest: String
    /// Its recorded place below the store, and its rows where it has any.
    package let place: String, rows: Int?
}

extension OpenedFile {
    init(_ file: PublishedFile) {
        self.init(digest: file.digest, place: file.path, rows: file.body["row_count"]?.whole.map { Int($0) })
    }
}

/// The data key of a recorded file.
package struct UnwrappedKey: Sendable {
    /// The file.
    package let file: OpenedFile
    /// The message's id, hexadecimal.
    package let messageID: String
    /// The key, 32 bytes.
    package let dataKey: SecretKey
}

extension Store {
    /// The accepted shards of a dataset, in the order in which they were published: those of batches that were replaced and those that
    /// were removed are left out.
    ///
    /// - Parameter since: only files of entries from this one on.
    package func acceptedShards(of dataset: String, since: Int = 0) throws(IngestionError) -> [PublishedFile] {
        let (log, state) = try proven()
        let entries = state.publications(dataset, role: .accepted).filter { $0 >= since }
        return try recording { () throws(LedgerError) in
            var found: [PublishedFile] = []
            for file in try log.files(.accepted, in: entries) {
                found += try log.standing(of: file).file.map { [$0] } ?? []
            }
            return found
        }
    }

    /// The recorded file of this SHA-256.
    ///
    /// - Throws: `damaged` when the ledger records none; `noInput` when it was removed, or has another form since.
    package func recordedFile(_ digest: String) throws(IngestionError) -> PublishedFile {
        let log = try proven().log
        guard let file = try recording({ () throws(LedgerError) in try log.file(digest) }) else {
            throw IngestionError(
                .damaged, "\(PrintableText.line(String(digest.prefix(64)))): the ledger records no file of this SHA-256"
            )
        }
        let now = try current(file)
        guard now.digest == digest else {
            throw IngestionError(
                .noInput,
                "\(place(of: file)): it has another form since entry \(now.entry.sequence) of the ledger; read the ledger again"
            )
        }
        return now
    }

    /// Opens the header of a recorded file with the store's keys.
    ///
    /// The record has the message id and the commitment to the data key, so the key is the one of the recorded file without its bytes being
    /// read. Files for which the record has neither are hashed.
    fileprivate func unwrapKey(of file: PublishedFile, with ring: KeyRing) throws(IngestionError) -> UnwrappedKey {
        var expect = ["batch-id": file.batch, "role": file.body["role"]?.text ?? ""]
        if let dataset = file.entry.body["dataset"]?.text { expect["dataset"] = dataset }
        if let shard = file.body["shard"]?.whole, file.role != .source { expect["shard"] = String(shard) }
        let recorded = (file.body["message_id"]?.text, file.body["commitment"]?.text)
        let path = place(of: file)
        let opened = try openCurrent(file, isHashed: recorded.0 == nil || recorded.1 == nil)
        let reader: MessageReader
        do throws(SealingError) { reader = try MessageReader(.file(opened), keys: ring, expect: expect) } catch {
            // A header that was changed may look like one for other keys.
            if recorded.0 != nil, error.code == .noKey { _ = try openRecorded(file) }
            throw refused(error, path)
        }
        let (id, commitment) = (hex(reader.info.messageID), hex(reader.info.commitment))
        guard recorded.0 ?? id == id, recorded.1 ?? commitment == commitment else {
            throw IngestionError(
                .damaged, "\(path): it is not the file that the ledger records (entry \(file.entry.sequence))")
        }
        return UnwrappedKey(file: OpenedFile(file), messageID: id, dataKey: reader.dataKey)
    }

    /// Opens a file that stands in the record as it is given.
    private func openCurrent(_ file: PublishedFile, isHashed: Bool) throws(IngestionError) -> FileDescriptor {
        if isHashed { return try openRecorded(file) }
        guard let path = recordedPath(file.path) else {
            throw IngestionError(
                .damaged, "entry \(file.entry.sequence) of the ledger records a file with an invalid path")
        }
        do throws(StorageError) { return try files.openRegular(at: path) } catch {
            guard error.code == .notFound else { throw IngestionError(error, reading: true) }
            throw IngestionError(
                .damaged, "\(place(of: file)): the ledger records it (entry \(file.entry.sequence)), but it is missing")
        }
    }
}

/// An open file that can be read more than once.
package final class OpenFile: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// SHA-256 of all its bytes, hexadecimal.
    func digest() throws(StorageError) -> String { try sha256(of: descriptor) }

    func status() throws(StorageError) -> FileStatus { try descriptor.status() }

    /// Another descriptor of the same file.
    package func reopened() throws(IngestionError) -> FileDescriptor {
        try storing { () throws(StorageError) in try descriptor.duplicate() }
    }
}

/// Opens an admitted file.
///
/// - Parameters:
///   - admitted: the file.
///   - keys: the keys that may open it.
///   - expect: members that its authenticated data must have.
///   - path: its name in messages.
/// - Throws: `notPermitted` when no key opens it, `damaged` when its header is not authentic.
package func openShard(
    _ admitted: Store.Admitted, keys: KeyRing, expect: [String: String] = [:], calling path: String
) throws(IngestionError) -> MessageReader {
    let file = try admitted.file.reopened()
    do throws(SealingError) { return try MessageReader(.file(file), keys: keys, expect: expect) } catch {
        throw refused(error, path)
    }
}

/// Opens a shard file outside any store.
///
/// - Parameters:
///   - path: the file.
///   - keys: the keys that may open it.
///   - expect: members that its authenticated data must have.
package func openShard(
    _ path: String, keys: KeyRing, expect: [String: String] = [:]
) throws(IngestionError) -> MessageReader {
    let file = try storing(reading: true) { () throws(StorageError) in try FileDescriptor.openRegular(path) }
    do throws(SealingError) { return try MessageReader(.file(file), keys: keys, expect: expect) } catch {
        throw refused(error, path)
    }
}

func refused(_ error: SealingError, _ path: String) -> IngestionError {
    switch error.code {
    case .noKey, .unsafeKeyFile, .malformedKeyFile: IngestionError(.notPermitted, "\(path): \(error.description)")
    case .unavailable: IngestionError(.tryAgain, "\(path): \(error.description)")
    case .storage: IngestionError(error)
    default: IngestionError(.damaged, "\(path): \(error.description)")
    }
}

extension Store {
    /// Reads a whole recorded file on a user's request.
    ///
    /// - Parameters:
    ///   - file: the recorded file.
    ///   - keys: the keys that may open it.
    ///   - expect: members that its authenticated data must have.
    /// - Throws: `damaged` when it is missing or changed.
    func readRecorded(
        _ file: PublishedFile, keys: KeyRing, expect: [String: String]
    ) throws(IngestionError) -> [UInt8] {
        var bytes: [UInt8] = []
        try readRecorded(file, keys: keys, expect: expect) { bytes.append(copying: $0) }
        return bytes
    }

    /// Reads a recorded file piece by piece; see above.
    func readRecorded(
        _ file: PublishedFile, keys: KeyRing, expect: [String: String], _ body: (Span<UInt8>) throws -> Void
    ) throws(IngestionError) {
        let opened = try openRecorded(file)
        let reader: MessageReader
        do throws(SealingError) { reader = try MessageReader(.file(opened), keys: keys, expect: expect) } catch {
            throw refused(error, place(of: file))
        }
        _ = try readShard(reader, path: place(of: file), body)
    }
}

/// Decrypts a shard into a closure, and decompresses it where its context says that it is compressed. Each piece is
/// authentic, but the shard's end is proven only when this returns.
///
/// - Returns: the number of sealed bytes.
package func readShard(_ reader: consuming MessageReader, path: String, _ body: (Span<UInt8>) throws -> Void)
    throws(IngestionError) -> Int
{
    do {
        guard reader.info.context["content-encoding"] == "zstd" else { return try reader.decrypt(to: body) }
        let expander = try Decompressor(.zstd)
        var out: [UInt8] = []
        let count = try reader.decrypt { piece in
            var used = 0
            // Until nothing is left of the piece, and nothing more comes out of it.
            while true {
                out.removeAll(keepingCapacity: true)
                used += try expander.decompress(piece.extracting(used..<piece.count), limit: 1 << 18, to: &out)
                if out.isEmpty, used == piece.count { break }
                try body(out.span)
            }
        }
        try expander.finish()
        return count
    } catch let error as DecompressionError {
        throw IngestionError(.damaged, "\(path): its compressed content cannot be read (\(error))")
    } catch let error as SealingError {
        throw refused(error, path)
    } catch let error as IngestionError {
        throw error
    } catch let error as StorageError {
        throw IngestionError(error)
    } catch {
        throw IngestionError(.software, "\(path): \(error)")
    }
}

extension Store {
    /// The byte range of a row in the source, from the batch's sealed row index; nil without one.
    ///
    /// - Parameters:
    ///   - row: the row, from 1.
    ///   - batch: the batch.
    ///   - dataset: its dataset.
    ///   - sourceEnd: the size of the source in bytes, which ends the last row.
    package func byteRange(ofRow row: Int, batch: String, dataset: String, sourceEnd: Int) throws(IngestionError)
        -> Range<Int>?
    {
        let run = try recording { [log = try proven().log] () throws(LedgerError) in try log.run(batch) }
        guard row >= 1, let file = run.flatMap(\.files).first(where: { $0.role == .rows }) else { return nil }
        let bytes = try readRecorded(
            file, keys: try keyRing(), expect: ["batch-id": batch, "role": FileRole.rows.rawValue])
        let magic = Array("sluice-rows-v1\n".utf8)
        guard bytes.starts(with: magic) else { return nil }
        return rowRange(bytes, from: magic.count, row: row, end: sourceEnd)
    }

    private func rowRange(_ bytes: [UInt8], from: Int, row: Int, end: Int) -> Range<Int>? {
        var at = from
        var offset = 0
        for number in 1...row {
            guard let step = Varint.read(bytes, at: &at) else { return nil }
            offset += Int(step)
            if number < row { continue }
            let next = Varint.read(bytes, at: &at).map { offset + Int($0) }
            return offset..<max(offset, next ?? end)
        }
        return nil
    }
}
