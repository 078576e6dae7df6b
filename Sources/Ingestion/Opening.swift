import Cryptography
import Glibc
import Lineage
import Masking
package import Sealing
import Storage
import Tabular

/// Opening shards inside a store: access is logged before anything is released.
extension Committer {
    /// Appends `shard.opened` to the ledger: who (uid) opened which file, and why.
    package func recordOpening(_ path: String, reason: String) throws(IngestionError) {
        let digest = try fileDigest(path)
        let entry = JSONValue.object([
            "kind": .string("shard.opened"), "v": .integer(1), "time": .string(Clock.text()),
            "file_sha256": .string(digest), "uid": .integer(Int64(getuid())), "reason": .string(reason),
        ])
        _ = try recording { () throws(LedgerError) in try ledger.commit(LedgerChange(entries: [entry])) }
    }
}

extension Store {
    /// Reads encrypted values back: the ledger records first who (uid) asks, under which key, for how many, and why.
    ///
    /// - Parameters:
    ///   - values: as they stand in a shard; what stands before them by the contract's `prefix` is left out.
    ///   - subject: whom they are about, where each subject has a key of its own.
    /// - Returns: the values, nil for each that the key does not open.
    package func reveal(
        _ values: [String], key name: String, prefix: String, subject: String?, reason: String, _ committer: Committer
    ) throws(IngestionError) -> [[UInt8]?] {
        let key = try key(.token, name)
        var entry: [String: JSONValue] = [
            "kind": .string("values.revealed"), "v": .integer(1), "time": .string(Clock.text()), "key": .string(name),
            "fingerprint": .string(key.fingerprint(name: name)), "count": .integer(Int64(values.count)),
            "uid": .integer(Int64(getuid())), "reason": .string(reason),
        ]
        // Whose values were read can be looked for by whoever knows the person and has the key, and by nobody else.
        entry["subject"] = subject.map { .string(hex(Array(hmacSHA256(key: key, Array($0.utf8).span).prefix(16)))) }
        let made = JSONValue.object(entry)
        _ = try recording { () throws(LedgerError) in try committer.ledger.commit(LedgerChange(entries: [made])) }
        do throws(CryptographyError) {
            var cipher = try ValueCipher(key, subject: subject.map { Array($0.utf8) })
            return values.map { value in
                guard value.hasPrefix(prefix), let sealed = bytes(base64URL: String(value.dropFirst(prefix.count)))
                else { return nil }
                return try? cipher.open(sealed)
            }
        } catch {
            throw IngestionError(.notPermitted, "the key \(name) cannot be used: \(error)")
        }
    }

    /// Refuses a file that this store's ledger does not record, or records at another place: that it decrypts proves only
    /// that its maker had a key (SECURITY.md 1.5).
    package func checkRecorded(_ path: String) throws(IngestionError) {
        let ledger = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: ledgerPath) }
        let digest = try fileDigest(path)
        guard let file = try recording({ () throws(LedgerError) in try LineageQuery(ledger).file(digest) }) else {
            throw IngestionError(
                .damaged, "\(path): the ledger records no such file: it was changed, swapped or never published here")
        }
        // A copy elsewhere may be looked at; a file in the store's folders must be the one that belongs there.
        if try isInside(path), try !sameFile(path, join(root, file.path)) {
            throw IngestionError(
                .damaged, "\(path): the ledger records this content at \(file.path): the files were swapped")
        }
    }

    private func sameFile(_ left: String, _ right: String) throws(IngestionError) -> Bool {
        let (a, b) = (try status(left), try status(right))
        return a.map { a in b.map { $0.device == a.device && $0.inode == a.inode } ?? false } ?? false
    }

    private func status(_ path: String) throws(IngestionError) -> FileStatus? {
        try storing { () throws(StorageError) in try fileStatus(path) }
    }

    /// Whether a path lies in one of the store's folders of sealed files.
    private func isInside(_ path: String) throws(IngestionError) -> Bool {
        var folder = split(path).folder
        for _ in 0..<4 {
            for kind in ["accepted", "quarantine", "baselines"] where try sameFile(folder, join(root, kind)) {
                return true
            }
            folder = split(folder).folder
        }
        return false
    }

    /// Compares every published file with the ledger: missing, changed, or not recorded at all.
    package func checkFiles() throws(IngestionError) -> [String] {
        let ledger = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: ledgerPath) }
        var findings: [String] = []
        var known = Set<String>()
        let entries = try recording { () throws(LedgerError) in try ledger.entries(kind: "shard.published") }
        for file in entries.flatMap(\.files) {
            known.insert(file.path)
            if !exists(join(root, file.path)) {
                findings.append("FILE \(file.path) is missing")
            } else if try fileDigest(join(root, file.path)) != file.digest {
                findings.append("FILE \(file.path) is not the one that was published")
            }
        }
        for kind in ["accepted", "quarantine", "baselines"] {
            for path in try sealedFiles(below: kind) where !known.contains(path) {
                findings.append("FILE \(path) is not recorded")
            }
        }
        return findings
    }

    private func sealedFiles(below folder: String) throws(IngestionError) -> [String] {
        var found: [String] = []
        for name in try storing({ () throws(StorageError) in try listFolder(join(root, folder)) }) {
            let path = folder + "/" + name
            let status = try storing { () throws(StorageError) in try fileStatus(join(root, path)) }
            if status?.kind == .folder {
                found += try sealedFiles(below: path)
            } else if name.hasSuffix(".sluice") {
                found.append(path)
            }
        }
        return found
    }
}

/// SHA-256 of a file, hexadecimal.
package func fileDigest(_ path: String) throws(IngestionError) -> String { hex(try digest(of: Source(path))) }

/// SHA-256 of a source as it is now.
func digest(of source: Source) throws(IngestionError) -> [UInt8] {
    var hasher = SHA256()
    try source.forEachChunk { hasher.update($0) }
    return hasher.digest()
}

/// Opens a shard file for reading with the given keys.
package func openShard(
    _ path: String, keys: KeyRing, expect: [String: String] = [:]
) throws(IngestionError) -> MessageReader {
    let file = try storing(reading: true) { () throws(StorageError) in try FileDescriptor.openRegular(path) }
    do throws(SealingError) { return try MessageReader(.file(file), keys: keys, expect: expect) } catch {
        throw refused(error, path)
    }
}

private func refused(_ error: SealingError, _ path: String) -> IngestionError {
    switch error.code {
    case .noKey, .unsafeKeyFile, .malformedKeyFile: IngestionError(.notPermitted, "\(path): \(error.description)")
    case .storage: IngestionError(error)
    default: IngestionError(.damaged, "\(path): \(error.description)")
    }
}

/// Decrypts a whole shard into a closure; nothing is proven before it returns.
package func readShard(_ reader: consuming MessageReader, path: String, _ body: (Span<UInt8>) throws -> Void)
    throws(IngestionError) -> Int
{
    do { return try reader.decrypt(to: body) } catch let error as SealingError {
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
    /// The byte range in the source of a released or held-back row, from the batch's sealed row index; nil without one.
    package func byteRange(ofRow row: Int, batch: String, dataset: String, sourceEnd: Int) throws(IngestionError)
        -> Range<Int>?
    {
        let path = join(join(folder("accepted", dataset), batch), "evidence/rows.sluice")
        guard exists(path), row >= 1 else { return nil }
        let reader = try openShard(path, keys: try keyRing(), expect: ["batch-id": batch, "role": "rows"])
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
        let magic = Array("sluice-rows-v1\n".utf8)
        guard bytes.starts(with: magic) else { return nil }
        return rowRange(bytes, from: magic.count, row: row, end: sourceEnd)
    }

    private func rowRange(_ bytes: [UInt8], from: Int, row: Int, end: Int) -> Range<Int>? {
        var at = from
        var offset = 0
        func varint() -> Int? {
            var value = 0
            var shift = 0
            while at < bytes.count, shift < 63 {
                let byte = bytes[at]
                at += 1
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
        for number in 1...row {
            guard let step = varint() else { return nil }
            offset += step
            if number == row { return offset..<max(offset, varint().map { offset + $0 } ?? end) }
        }
        return nil
    }
}
