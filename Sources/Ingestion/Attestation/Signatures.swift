import Cryptography
import Tabular

/// A public key that may sign a source's files, as `sluice.yaml` lists it.
package struct TrustedKey: Sendable, Equatable {
    /// The signature format that the key belongs to.
    package enum Format: String, Sendable, CaseIterable {
        /// minisign (and signify): https://jedisct1.github.io/minisign/
        case minisign
        /// `ssh-keygen -Y sign`: OpenSSH's PROTOCOL.sshsig. Ed25519 only.
        case ssh
    }

    /// The signature format that the key belongs to.
    package let format: Format
    /// The Ed25519 public key, 32 bytes.
    package let publicKey: [UInt8]
    /// minisign's key id, 8 bytes; empty for ssh.
    let identifier: [UInt8]
    /// The name of the key in reports: minisign's key id, or the beginning of ssh's SHA-256 fingerprint.
    package let fingerprint: String

    /// Reads a public key as its tool prints it: minisign's line of 56 characters, or `ssh-ed25519 AAAA… comment`. nil
    /// when the text is neither.
    package init?(_ format: Format, _ text: String) {
        self.format = format
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        switch format {
        case .minisign:
            // The line alone, or the whole file, whose first line is a comment.
            guard let raw = words.last.flatMap({ bytes(base64: $0) }), raw.count == 42,
                raw.starts(with: Array("Ed".utf8))
            else { return nil }
            identifier = Array(raw[2..<10])
            publicKey = Array(raw[10...])
            // minisign prints the id as one little-endian 64-bit number.
            fingerprint = hex(identifier.reversed()).uppercased()
        case .ssh:
            guard words.count >= 2, words[0] == "ssh-ed25519", let raw = bytes(base64: words[1]),
                let key = Self.sshKey(raw)
            else { return nil }
            identifier = []
            publicKey = key
            fingerprint = "SHA256:" + String(base64(SHA256.hash(raw)).prefix { $0 != "=" })
        }
    }

    /// The Ed25519 key in ssh's wire form (RFC 8709): the name `ssh-ed25519`, then 32 bytes.
    fileprivate static func sshKey(_ raw: [UInt8]) -> [UInt8]? {
        var input = SSHReader(raw)
        guard input.text() == Array("ssh-ed25519".utf8), let key = input.text(), key.count == 32, input.isAtEnd else {
            return nil
        }
        return key
    }
}

/// A detached signature that came with a file, parsed and not yet verified.
enum DetachedSignature: Sendable, Equatable {
    /// minisign: key id, signature, whether it signs the BLAKE2b-512 digest or the file itself, the trusted comment,
    /// and the second signature, which covers signature and comment.
    case minisign(identifier: [UInt8], signature: [UInt8], isOfDigest: Bool, comment: [UInt8], over: [UInt8])
    /// sshsig: public key, namespace, digest function, signature.
    case ssh(key: [UInt8], namespace: [UInt8], function: MessageDigest.Function, signature: [UInt8])

    /// Largest file, in bytes, for which minisign's legacy form is verified: it signs the file itself, which must then
    /// fit in memory.
    static let oldFormMax = 64 << 20

    /// The digest function whose output is signed; nil when the file itself is.
    var function: MessageDigest.Function? {
        switch self {
        case .minisign(_, _, let isOfDigest, _, _): isOfDigest ? .blake2b512 : nil
        case .ssh(_, _, let function, _): function
        }
    }

    /// Parses either form; nil when the text is neither.
    init?(_ text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        if lines.first?.hasPrefix("-----BEGIN SSH SIGNATURE-----") == true {
            guard let made = Self.readSSH(lines) else { return nil }
            self = made
        } else {
            guard let made = Self.readMinisign(lines) else { return nil }
            self = made
        }
    }

    /// Parses minisign's four lines: untrusted comment, signature, trusted comment, signature over both.
    private static func readMinisign(_ lines: [String]) -> DetachedSignature? {
        let trusted = "trusted comment: "
        guard lines.count >= 4, lines[0].hasPrefix("untrusted comment:"), lines[2].hasPrefix(trusted),
            let raw = bytes(base64: lines[1]), raw.count == 74, let over = bytes(base64: lines[3]), over.count == 64
        else { return nil }
        let isOfDigest = raw.starts(with: Array("ED".utf8))
        guard isOfDigest || raw.starts(with: Array("Ed".utf8)) else { return nil }
        return .minisign(
            identifier: Array(raw[2..<10]), signature: Array(raw[10...]), isOfDigest: isOfDigest,
            comment: Array(lines[2].dropFirst(trusted.count).utf8), over: over)
    }

    /// Parses the armoured `SSHSIG` blob, version 1 (OpenSSH, PROTOCOL.sshsig). nil for other key types and digests.
    private static func readSSH(_ lines: [String]) -> DetachedSignature? {
        guard let end = lines.firstIndex(where: { $0.hasPrefix("-----END SSH SIGNATURE-----") }),
            let raw = bytes(base64: lines[1..<end].joined())
        else { return nil }
        var input = SSHReader(raw)
        guard input.take(6) == Array("SSHSIG".utf8), input.word() == 1, let wire = input.text(),
            let key = TrustedKey.sshKey(wire), let namespace = input.text(), input.text() != nil,
            let name = input.text(), let made = input.text(), input.isAtEnd
        else { return nil }
        var inner = SSHReader(made)
        guard inner.text() == Array("ssh-ed25519".utf8), let signature = inner.text(), signature.count == 64,
            inner.isAtEnd
        else { return nil }
        let function: MessageDigest.Function
        switch String(decoding: name, as: UTF8.self) {
        case "sha512": function = .sha512
        case "sha256": function = .sha256
        default: return nil
        }
        return .ssh(key: key, namespace: namespace, function: function, signature: signature)
    }

    /// The trusted key that made this signature; nil when none did.
    ///
    /// - Parameters:
    ///   - signed: the digest that `function` names, or the whole file when it is nil.
    ///   - keys: the source's trusted keys.
    ///   - namespace: the namespace that an ssh signature must have been made for.
    func signer(_ signed: [UInt8], _ keys: [TrustedKey], namespace: String) -> TrustedKey? {
        switch self {
        case .minisign(let identifier, let signature, _, let comment, let over):
            return keys.first { key in
                key.format == .minisign && key.identifier == identifier
                    && verifyEd25519(publicKey: key.publicKey, message: signed, signature: signature)
                    && verifyEd25519(publicKey: key.publicKey, message: signature + comment, signature: over)
            }
        case .ssh(let own, let made, let function, let signature):
            guard made == Array(namespace.utf8) else { return nil }
            var message = Array("SSHSIG".utf8)
            for part in [made, [], Array(function.rawValue.utf8), signed] { appendSSH(part, &message) }
            return keys.first { key in
                key.format == .ssh && key.publicKey == own
                    && verifyEd25519(publicKey: key.publicKey, message: message, signature: signature)
            }
        }
    }
}

/// Appends a `string` of RFC 4251: its length as 4 bytes, big-endian, then its bytes.
private func appendSSH(_ text: [UInt8], _ out: inout [UInt8]) {
    let count = UInt32(text.count)
    for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(truncatingIfNeeded: count >> shift)) }
    out += text
}

/// Reads ssh's wire form (RFC 4251, section 5). Every read is bounds-checked and gives nil past the end.
private struct SSHReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    /// The next `count` bytes; nil when fewer are left.
    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= bytes.count - at else { return nil }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }

    /// A `uint32`.
    mutating func word() -> UInt32? { take(4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } } }

    /// A `string`: its length, then its bytes.
    mutating func text() -> [UInt8]? { word().flatMap { take(Int($0)) } }
}
