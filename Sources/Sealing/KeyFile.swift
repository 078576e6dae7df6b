package import Cryptography
import Storage

/// The purpose of a key.
package enum KeyKind: String, Sendable {
    /// Wraps the data keys of a dataset: AES-256.
    case kek
    /// Signs the ledger: an Ed25519 seed.
    case signing
    /// Derives tokens of values: HMAC-SHA-256.
    case token
    /// The store's own secret.
    case store
    /// Signs the ledger a second time: the seed of an ML-DSA-65 key.
    case mldsa
    /// Opens what was wrapped with X-Wing: the seed of the private half, which is usually kept elsewhere.
    case xwing

    /// The kinds that a store makes for itself in `keys/`.
    package static let ofStore: [KeyKind] = [.kek, .signing, .mldsa, .token, .store]

    /// 32 bytes that only this key yields and from which it cannot be found: an HMAC under the key.
    package func identity(of key: SecretKey, name: String) -> [UInt8] {
        hmacSHA256(key: key, Array("sluice/key-identity/v1\0\(rawValue)\0\(name)".utf8).span)
    }
}

/// A key and its name, in a file that only its owner can read.
///
/// The text is comment lines (`# name:`, `# created:`, `# fingerprint:`) and one line `sluice-<kind>-v1:<base64url>`.
package struct KeyFile: Sendable {
    /// The purpose of the key.
    package let kind: KeyKind
    /// Its name, which the fingerprint covers.
    package let name: String
    /// The time of its creation, as its maker wrote it.
    package let created: String
    /// The 32 secret bytes.
    package let key: SecretKey

    /// The first 8 bytes of SHA-256(key ‖ name) in hexadecimal.
    package var fingerprint: String { key.fingerprint(name: name) }

    /// Combines a key and its name. Throws `malformedKeyFile` unless the key has 32 bytes and the name has 1 to 128
    /// letters, digits, dots, dashes and underscores.
    package init(kind: KeyKind, name: String, created: String, key: SecretKey) throws(SealingError) {
        guard key.count == 32 else {
            throw SealingError(.malformedKeyFile, "use key", subject: name, cause: "it has \(key.count) bytes, not 32")
        }
        let letters = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        guard letters, 1...128 ~= name.utf8.count else {
            throw SealingError(
                .malformedKeyFile, "use key", subject: name,
                cause: "name it with up to 128 letters, digits, dots, dashes and underscores")
        }
        self.kind = kind
        self.name = name
        self.created = created
        self.key = key
    }

    /// Whose a key file is.
    package enum Owner: Sendable {
        /// This user's alone.
        case user
        /// The service manager's, which lets this user read it: by an access list, whose mask stands in the mode's group bits.
        case serviceManager
    }

    /// Reads and checks a key file.
    ///
    /// Throws `unsafeKeyFile` unless it is a plain file of this user in a folder of this user, both inaccessible to
    /// other users and neither a link; for `serviceManager`, of this user or root and not writable by others. Throws
    /// `malformedKeyFile` for a key of another kind, a typing error or damage, and for a file that has the name of
    /// another key. Throws `storage` if it cannot be read.
    package static func read(
        _ path: String, kind: KeyKind, owner: Owner = .user
    ) throws(SealingError) -> KeyFile {
        let text = try secretText(path, max: 4096, owner: owner)
        let file = try text.withBytes { bytes throws(SealingError) in try parse(bytes, path, kind) }
        let asked = askedName(path, kind)
        // A caller that asks for a key by its name must not get another one.
        guard asked == file.name else {
            throw unreadable(
                path,
                "it holds key \(file.name), not \(asked); rename it to \(file.name).\(kind.rawValue), or restore \(asked)"
            )
        }
        return file
    }

    /// The key name that the file's name asks for: without its ending.
    private static func askedName(_ path: String, _ kind: KeyKind) -> String {
        let name = split(path).name
        let ending = ".\(kind.rawValue)"
        return name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
    }

    /// Writes the key durably to a new file, for this user only. Throws `storage`, also if the file exists.
    package func write(_ path: String) throws(SealingError) {
        let comments = """
            # name: \(name)
            # created: \(created)
            # fingerprint: \(fingerprint)
            # lost keys are lost data
            sluice-\(kind.rawValue)-v1:
            """
        let head = Array(comments.utf8)
        var digits = key.withBytes { base64URLText($0) }
        defer { wipe(&digits) }
        let text = SecretKey(capacity: head.count + digits.count + 1) { output in
            for byte in head { output.append(byte) }
            for byte in digits { output.append(byte) }
            output.append(10)
        }
        try text.withBytes { bytes throws(SealingError) in
            do throws(StorageError) { try writeDurably(path, bytes) } catch { throw SealingError(error) }
        }
    }

    /// Reads a file that must be inaccessible to other users, into memory that is wiped.
    static func secretText(_ path: String, max: Int, owner: Owner = .user) throws(SealingError) -> SecretKey {
        let (place, name) = split(path)
        guard let own = FileName(Array(name.utf8)) else {
            throw unreadable(path, "it names no file; name the key file")
        }
        // The file is opened in the folder that was checked, even if the path has come to mean another one.
        let folder = try closedFolder(place, owner: owner)
        let file = try storing { () throws(StorageError) in try folder.openRegular(own) }
        let status = try storing { () throws(StorageError) in try file.status() }
        try check(status, of: path, mode: "600", owner: owner)
        guard status.size <= max else {
            throw unreadable(path, "it has more than \(max) bytes; check that it is a key file")
        }
        // The text is as secret as the key, so it is kept in the same kind of memory.
        return try SecretKey(capacity: max) { (output: inout OutputSpan<UInt8>) throws(SealingError) in
            do throws(StorageError) { _ = try file.read(at: 0, into: &output) } catch { throw SealingError(error) }
        }
    }

    /// Opens the folder of key files. Throws `unsafeKeyFile` where others may use it.
    static func closedFolder(_ path: String, owner: Owner = .user) throws(SealingError) -> OpenFolder {
        let folder = try storing { () throws(StorageError) in try OpenFolder(unlinked: path) }
        try check(storing { () throws(StorageError) in try folder.status() }, of: path, mode: "700", owner: owner)
        return folder
    }

    private static func check(
        _ status: FileStatus, of path: String, mode: String, owner: Owner
    ) throws(SealingError) {
        let isManaged = owner == .serviceManager
        guard status.owner == effectiveUser() || isManaged && status.owner == 0 else {
            throw SealingError(
                .unsafeKeyFile, "use key file", subject: path, cause: "it belongs to another user; chown it")
        }
        guard status.mode & (isManaged ? 0o027 : 0o077) == 0 else {
            throw SealingError(
                .unsafeKeyFile, "use key file", subject: path,
                cause: isManaged
                    ? "others may use it; the service manager must give it to the service alone (LoadCredential=)"
                    : "others may use it; run chmod \(mode) on it")
        }
    }

    private static func parse(_ text: Span<UInt8>, _ path: String, _ kind: KeyKind) throws(SealingError) -> KeyFile {
        var comments: [String: String] = [:]
        var key: SecretKey?
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 10 { end += 1 }
            let line = text.extracting(start..<end)
            start = end + 1
            if line.isEmpty { continue }
            if line[0] == UInt8(ascii: "#") {
                // Only comment lines become strings.
                let words = String(decoding: line.indices.map { line[$0] }, as: UTF8.self).dropFirst()
                let parts = words.split(separator: ":", maxSplits: 1).map(trimmed)
                if parts.count == 2 { comments[parts[0]] = parts[1] }
            } else if key == nil {
                key = try decode(line, path, kind)
            } else {
                throw unreadable(path, "it has more than one key; keep one key to a file")
            }
        }
        guard let key, let name = comments["name"], let fingerprint = comments["fingerprint"] else {
            throw unreadable(path, "its name, fingerprint or key line is missing; copy it again from where it was made")
        }
        guard key.fingerprint(name: name) == fingerprint else {
            throw unreadable(path, "the key does not match its fingerprint: typing error or damaged file")
        }
        return try KeyFile(kind: kind, name: name, created: comments["created"] ?? "", key: key)
    }

    private static func decode(_ line: Span<UInt8>, _ path: String, _ kind: KeyKind) throws(SealingError) -> SecretKey {
        let prefix = Array("sluice-\(kind.rawValue)-v1:".utf8)
        guard line.count > prefix.count, prefix.indices.allSatisfy({ line[$0] == prefix[$0] }) else {
            throw unreadable(path, "it is not a key for \(kind.rawValue), which starts with sluice-\(kind.rawValue)-v1")
        }
        var isGood = false
        let key = SecretKey(capacity: line.count) { output in
            isGood = decodeBase64URL(line.extracting(prefix.count..<line.count), into: &output)
        }
        guard isGood, key.count == 32 else {
            throw unreadable(path, "its key line is not 32 bytes of base64url: typing error or damaged file")
        }
        return key
    }

    static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
    }

    private static func unreadable(_ path: String, _ cause: String) -> SealingError {
        SealingError(.malformedKeyFile, "read key file", subject: path, cause: cause)
    }
}

/// The fewest bits of an RSA key that shards are sealed for: fewer do not protect data for ten years (NIST SP 800-57,
/// 128 bits of security strength).
private let wrappingBitsMin = 3072

/// Reads an RSA public key for wrapping, from a PEM file. It is not secret, so any permissions are accepted. Throws
/// `refused` below 3,072 bits.
package func readRSAPublicKey(_ path: String) throws(SealingError) -> RSAKey {
    let text = try storing { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: 65_536) }
    let key = try ciphering { () throws(CryptographyError) in try RSAKey(publicPEM: text.span, subject: path) }
    guard key.bitCount >= wrappingBitsMin else {
        throw SealingError(
            .refused, "seal for rsa public key", subject: path,
            cause: "it has \(key.bitCount) bits, and \(wrappingBitsMin) are needed; make one of 4096 with "
                + "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out private.pem, and its public half with "
                + "openssl pkey -in private.pem -pubout -out public.pem")
    }
    return key
}

/// Reads an RSA private key from a PEM file, whose permissions must be those of a key file. Smaller keys are accepted,
/// for files that were sealed for them before.
package func readRSAPrivateKey(_ path: String) throws(SealingError) -> RSAKey {
    let text = try KeyFile.secretText(path, max: 65_536)
    do throws(CryptographyError) {
        return try text.withBytes { bytes throws(CryptographyError) in try RSAKey(privatePEM: bytes, subject: path) }
    } catch { throw SealingError(error) }
}
