package import Cryptography

/// Reversible encryption of single values: AES-256-SIV (RFC 5297) under a key derived from a token key, and from the
/// subject and its random salt if each subject has a key of its own. Earlier versions derived it without a salt.
///
/// A value becomes base64url of V ‖ C, or of nonce ‖ V ‖ C if equal values must differ. The first associated data is a
/// label, so that the bytes cannot be opened in another context. The column is not associated data, so that columns can
/// be joined.
package struct ValueCipher: ~Copyable {
    private static let label = Array("sluice value v1".utf8)
    private static let nonceCount = 16
    /// Bytes of a subject's salt.
    package static let saltCount = 32
    private var cipher: AESSIV

    /// The cipher of a token key, or of one subject under it.
    package init(_ key: SecretKey, subject: [UInt8]? = nil, salt: [UInt8]? = nil) throws(CryptographyError) {
        precondition(salt.map { $0.count == Self.saltCount } ?? true)
        let root = HKDF(.sha512, salt: Self.label.span, secret: key)
        let purpose = salt.map { Array("aes-256-siv salted".utf8) + [0] + $0 } ?? Array("aes-256-siv".utf8)
        let info = purpose + (subject.map { [0] + $0 } ?? [])
        cipher = try AESSIV(key: try root.expand(info: info.span, count: 64))
    }

    /// The sealed bytes of a value. With a nonce, which must be unique, equal values differ.
    package mutating func seal(_ text: Span<UInt8>, nonce: [UInt8]? = nil) throws(CryptographyError) -> [UInt8] {
        precondition(nonce.map { $0.count == Self.nonceCount } ?? true)
        return (nonce ?? []) + (try cipher.seal(text, associated: [Self.label] + (nonce.map { [$0] } ?? [])))
    }

    /// Opens sealed bytes, with or without a nonce. Throws `authentication` if they were sealed under another key.
    package mutating func open(_ sealed: [UInt8]) throws(CryptographyError) -> [UInt8] {
        do throws(CryptographyError) {
            return try cipher.open(sealed.span, associated: [Self.label])
        } catch {
            guard sealed.count > Self.nonceCount else { throw error }
            let body = Array(sealed[Self.nonceCount...])
            return try cipher.open(body.span, associated: [Self.label, Array(sealed[..<Self.nonceCount])])
        }
    }
}
