import Crypto
import FoundationEssentials

/// A key of X-Wing, the KEM that combines ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem-06, HPKE KEM 0x647a), with HPKE in
/// base mode (RFC 9180: HKDF-SHA-256, AES-256-GCM). Whoever records a ciphertext today and wants to open it later must break both
/// parts, and a quantum computer breaks only X25519.
package struct XWingKey: Sendable {
    /// The bytes of a public key: ML-KEM-768's 1,184 and X25519's 32.
    package static let publicKeyCount = 1216
    /// The bytes of an encapsulated key: ML-KEM-768's ciphertext of 1,088 and X25519's 32.
    package static let encapsulatedCount = 1120
    /// The bytes of what `wrap` gives for a key of 32 bytes: the encapsulated key, the ciphertext (32), the tag (16).
    package static let wrappedCount = encapsulatedCount + 48

    /// The public key, `publicKeyCount` bytes.
    package let publicKey: [UInt8]
    /// The 32 secret bytes that both private keys are derived from; nil where only the public half is here.
    package let seed: SecretKey?

    /// Begins HPKE's `info`, so that no ciphertext of another purpose opens here; the context follows. It is not HPKE's `aad` because
    /// readers such as pyca take none.
    private static let purpose = Data("ingest/edk/hpke-xwing/v1".utf8)
    private static var suite: HPKE.Ciphersuite { .XWingMLKEM768X25519_SHA256_AES_GCM_256 }

    /// The public half alone. Throws `malformedKey` unless it has `publicKeyCount` bytes.
    package init(publicKey: [UInt8]) throws(CryptographyError) {
        guard publicKey.count == Self.publicKeyCount,
            (try? XWingMLKEM768X25519.PublicKey(rawRepresentation: publicKey)) != nil
        else {
            throw CryptographyError(
                .malformedKey, "use an x-wing public key",
                cause: "it has \(publicKey.count) bytes, not \(Self.publicKeyCount)")
        }
        self.publicKey = publicKey
        seed = nil
    }

    /// Both halves. Throws `malformedKey` unless the seed has 32 bytes.
    package init(seed: SecretKey) throws(CryptographyError) {
        publicKey = try [UInt8](Self.load(seed).publicKey.rawRepresentation)
        self.seed = seed
    }

    /// Encrypts a key for the holder of the private half, bound to `context`: `wrappedCount` bytes for a key of 32.
    package func wrap(_ key: SecretKey, context: [UInt8]) throws(CryptographyError) -> [UInt8] {
        do {
            let recipient = try XWingMLKEM768X25519.PublicKey(rawRepresentation: publicKey)
            var sender = try HPKE.Sender(recipientKey: recipient, ciphersuite: Self.suite, info: Self.purpose + context)
            let sealed = try key.withWipedCopy { plain in try sender.seal(plain) }
            return [UInt8](sender.encapsulatedKey) + [UInt8](sealed)
        } catch {
            throw CryptographyError(.library, "wrap a key with x-wing", cause: "the library refused")
        }
    }

    /// Opens what `wrap` made. Throws `authentication` for damage, another key or another context, and `malformedKey` without the private
    /// half.
    package func unwrap(_ wrapped: [UInt8], context: [UInt8]) throws(CryptographyError) -> SecretKey {
        guard let seed else {
            throw CryptographyError(
                .malformedKey, "unwrap with x-wing", cause: "only the public half of the key is here")
        }
        let key = try Self.load(seed)
        let split = Self.encapsulatedCount
        guard wrapped.count > split + 16 else {
            throw CryptographyError(.authentication, "unwrap with x-wing", cause: "it is too short")
        }
        do {
            var recipient = try HPKE.Recipient(
                privateKey: key, ciphersuite: Self.suite, info: Self.purpose + context,
                encapsulatedKey: Data(wrapped[..<split]))
            var plain = try [UInt8](recipient.open(wrapped[split...]))
            defer { Cryptography.wipe(&plain) }
            return SecretKey(copying: plain.span)
        } catch {
            throw CryptographyError(
                .authentication, "unwrap with x-wing", cause: "wrong key, or damaged or forged bytes")
        }
    }

    private static func load(_ seed: SecretKey) throws(CryptographyError) -> XWingMLKEM768X25519.PrivateKey {
        guard seed.count == 32 else {
            throw CryptographyError(
                .malformedKey, "use an x-wing key", cause: "its seed has \(seed.count) bytes, not 32")
        }
        do {
            return try seed.withWipedCopy { bytes in
                try XWingMLKEM768X25519.PrivateKey(seedRepresentation: bytes, publicKey: nil)
            }
        } catch {
            throw CryptographyError(.malformedKey, "use an x-wing key", cause: "the library refused its seed")
        }
    }
}
