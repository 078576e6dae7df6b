package import Cryptography
import Storage

/// The public half of an X-Wing key in a file: comment lines (`# name:`, `# created:`, `# fingerprint:`) and one line
/// `sluice-xwing-public-v1:<base64url>`. The private half is a `KeyFile` of kind `xwing`.
package enum XWingKeyFile {
    private static let head = "sluice-xwing-public-v1:"
    /// The public key has 1,622 letters.
    private static let bytesMax = 8_192

    /// Makes a key pair. The private half is written first: without it nothing sealed for the pair could ever be opened.
    ///
    /// - Parameters:
    ///   - name: the recipient's name.
    ///   - created: the time of its making, as text.
    ///   - publicPath: the new file for the public half.
    ///   - privatePath: the new file for the private half, in a folder of this user that others cannot use.
    /// - Returns: the fingerprint of the public half.
    /// - Throws: `storage`, also when one of the files exists; `malformedKeyFile` for an impossible name, `unsafeKeyFile` where others
    ///   may use the private half's folder.
    package static func generate(
        name: String, created: String, publicPath: String, privatePath: String
    ) throws(SealingError) -> String {
        // Where others may use the folder, the key could not be read again.
        _ = try KeyFile.closedFolder(split(privatePath).folder)
        let seed = try ciphering { () throws(CryptographyError) in try SecretKey(random: 32) }
        let key = try ciphering { () throws(CryptographyError) in try XWingKey(seed: seed) }
        let wrapping = XWingWrappingKey(name: name, key: key)
        try KeyFile(kind: .xwing, name: name, created: created, key: seed).write(privatePath)
        let text = """
            # name: \(name)
            # created: \(created)
            # fingerprint: \(wrapping.fingerprint)
            # the public half: it seals, and opens nothing
            \(head)\(String(decoding: base64URLText(key.publicKey.span), as: UTF8.self))

            """
        try storing { () throws(StorageError) in try writeDurably(publicPath, Array(text.utf8).span) }
        return wrapping.fingerprint
    }

    /// Reads the public half of the key of this name. It is not secret, so any permissions are accepted.
    ///
    /// - Throws: `malformedKeyFile` for another name, a typing error or damage; `storage`.
    package static func read(_ path: String, name: String) throws(SealingError) -> XWingKey {
        func unreadable(_ cause: String) -> SealingError {
            SealingError(.malformedKeyFile, "read public key", subject: path, cause: cause)
        }
        let bytes = try storing { () throws(StorageError) in
            try FileDescriptor.openRegular(path).readAll(max: bytesMax)
        }
        var (comments, key): ([String: String], XWingKey?) = ([:], nil)
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("#") {
                let parts = line.dropFirst().split(separator: ":", maxSplits: 1)
                if parts.count == 2 { comments[KeyFile.trimmed(parts[0])] = KeyFile.trimmed(parts[1]) }
            } else if line.hasPrefix(head), key == nil {
                guard let raw = Cryptography.bytes(base64URL: KeyFile.trimmed(line.dropFirst(head.count))),
                    let made = try? XWingKey(publicKey: raw)
                else { throw unreadable("its key line is not \(XWingKey.publicKeyCount) bytes of base64url") }
                key = made
            } else {
                throw unreadable("it is not the public half of an x-wing key, which is one line \(head)…")
            }
        }
        guard let key, let named = comments["name"], let fingerprint = comments["fingerprint"] else {
            throw unreadable("its name, fingerprint or key line is missing; copy it again from where it was made")
        }
        guard XWingWrappingKey(name: named, key: key).fingerprint == fingerprint else {
            throw unreadable("the key does not match its fingerprint: typing error or damaged file")
        }
        guard named == name else { throw unreadable("it holds key \(named), not \(name)") }
        return key
    }
}
