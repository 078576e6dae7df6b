import Cryptography
import Lineage
package import Sealing
import Storage
import Tabular

/// The keys of a store in one sealed file, which only a key that is kept elsewhere opens.
///
/// Its plaintext has a line for each key: kind, name, and the 32 bytes in base64url.
private enum KeyEscrow {
    static let role = "keys"
    static let bytesMax = 1 << 20

    /// Reads a line.
    static func parse(_ line: Span<UInt8>) -> (kind: KeyKind, name: String, key: SecretKey)? {
        let gaps = line.indices.filter { line[$0] == 0x20 }
        guard gaps.count == 2 else { return nil }
        func text(_ range: Range<Int>) -> String { String(decoding: range.map { line[$0] }, as: UTF8.self) }
        var isGood = false
        let key = SecretKey(capacity: 64) { output in
            let digits = line.extracting(gaps[1] + 1..<line.count)
            isGood = digits.count <= 64 && decodeBase64URL(digits, into: &output)
        }
        guard isGood, key.count == 32, let kind = KeyKind(rawValue: text(0..<gaps[0])) else { return nil }
        return (kind, text(gaps[0] + 1..<gaps[1]), key)
    }
}

extension Recorder {
    /// Seals every key of the store for a recipient of `sluice.yaml` whose key is elsewhere. The ledger records it before the file is
    /// written.
    ///
    /// - Parameters:
    ///   - recipient: its name.
    ///   - path: the new file.
    /// - Returns: the files whose keys are in it, such as `main.kek`.
    /// - Throws: `usage` for a recipient that is none, or is in `keys/` itself, and for a file inside the store; `notPermitted` when a
    ///   recorded key is missing; `cannotCreate` when the file exists.
    package func exportKeys(for recipient: String, to path: String) throws(IngestionError) -> [String] {
        let named = store.configuration.allRecipients.first { one in
            switch one.kind {
            case .rsa, .xwing: one.name == recipient
            case .kek, .exec: false
            }
        }
        guard let named else {
            throw IngestionError(
                .usage,
                "--recipient: \(Store.configurationName) has no xwing or rsa recipient \(recipient); make one with: sluice keys "
                    + "pair NAME --private FILE")
        }
        guard !store.isOwn(split(path).folder) else {
            throw IngestionError(.usage, "\(path) is inside the store; choose a folder outside it")
        }
        if let lost = try store.missingKeys().first {
            throw IngestionError(
                .notPermitted, "keys/\(lost.file) is missing, and would not be in the file; see: sluice keys check")
        }
        if exists(path) {
            throw IngestionError(.cannotCreate, "\(path) exists already; remove it, or choose another name")
        }
        let sealer = try store.loadKey(of: named)
        try enroll([UsedKey(sealer)])
        let state = try store.proven().state
        var (files, plain) = ([String](), [UInt8]())
        defer { wipe(&plain) }
        // Grown once: an array that grows leaves unwiped copies.
        plain.reserveCapacity(KeyEscrow.bytesMax)
        for kind in KeyKind.ofStore {
            for name in try store.keyNames(kind) where kind != .kek || state.shredded[name] == nil {
                let key = try store.key(kind, name)
                guard plain.count < KeyEscrow.bytesMax - 512 else {
                    throw IngestionError(.software, "more keys than one file takes")
                }
                plain += "\(kind.rawValue) \(name) ".utf8
                var digits = key.withBytes { base64URLText($0) }
                plain += digits
                wipe(&digits)
                plain.append(0x0A)
                files.append("\(name).\(kind.rawValue)")
            }
        }
        let sealed = try sealing { () throws(SealingError) in
            try sealMessage(
                plain.span, context: ["v": "1", "origin": ledger.origin, "role": KeyEscrow.role], recipients: [sealer])
        }
        try append([
            .object([
                "kind": .event(.keyExported), "v": .integer(1), "time": .string(Clock.text()),
                "name": .string(recipient), "keys": .array(files.map { .string($0) }),
                "file_sha256": .string(hex(sealed.message.fileSHA256)), "uid": .integer(Int64(userNumber())),
            ])
        ])
        try storing { () throws(StorageError) in try writeDurably(path, sealed.bytes.span) }
        return files
    }
}

extension Store {
    /// Puts back the keys that are missing, from a file that `exportKeys` made. Only keys that the ledger knows are written, and none is
    /// replaced.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - key: the key that opens it.
    /// - Returns: the files that were written.
    /// - Throws: `notPermitted` when the key does not open it, or it has another key than the recorded one.
    package func importKeys(_ path: String, with key: any WrappingKey) throws(IngestionError) -> [String] {
        let state = try proven().state
        let bytes = try storing(reading: true) { () throws(StorageError) in
            try FileDescriptor.openRegular(path).readAll(max: 2 * KeyEscrow.bytesMax)
        }
        let reader: MessageReader
        do throws(SealingError) {
            reader = try MessageReader(
                .bytes(bytes), keys: KeyRing([key]), expect: ["origin": configuration.origin, "role": KeyEscrow.role])
        } catch { throw refused(error, path) }
        var opened: [UInt8] = []
        defer { wipe(&opened) }
        // As long as the file, so that it never grows and leaves a copy.
        opened.reserveCapacity(bytes.count)
        _ = try readShard(reader, path: path) { opened.append(copying: $0) }
        let plain = SecretKey(copying: opened.span)
        return try plain.withBytes { text throws(IngestionError) in
            var (written, start) = ([String](), 0)
            while start < text.count {
                var end = start
                while end < text.count, text[end] != 0x0A { end += 1 }
                guard let (kind, name, key) = KeyEscrow.parse(text.extracting(start..<end)) else {
                    throw IngestionError(.damaged, "\(path): it is not a file of sluice keys export")
                }
                start = end + 1
                let file = "\(name).\(kind.rawValue)"
                if keyFolders.has(file) || kind == .kek && state.shredded[name] != nil { continue }
                let used = UsedKey(kind, name, key)
                guard state.keys[used.name]?.identity == used.identity else {
                    throw IngestionError(
                        .notPermitted,
                        "\(path): its \(file) is not a key that the ledger records; nothing more was written")
                }
                try sealing { () throws(SealingError) in
                    try KeyFile(kind: kind, name: name, created: Clock.text(), key: key).write(
                        join(keyFolders.own, file))
                }
                written.append(file)
            }
            return written
        }
    }
}
