import Crypto
import FoundationEssentials

/// An ML-DSA-65 signing key (FIPS 204), made from its 32-byte seed. No attack with a quantum computer is known that forges its signatures.
package struct MLDSA65Key: Sendable {
    /// The bytes of a public key and of a signature.
    package static let publicKeyCount = 1952, signatureCount = 3309

    /// The secret 32 bytes that the key pair is derived from (ξ of FIPS 204, algorithm 6).
    package let seed: SecretKey
    /// The public key, `publicKeyCount` bytes.
    package let publicKey: [UInt8]

    /// Derives the public key. Throws `malformedKey` unless the seed has 32 bytes.
    package init(seed: SecretKey) throws(CryptographyError) {
        publicKey = try [UInt8](Self.load(seed).publicKey.rawRepresentation)
        self.seed = seed
    }

    /// Signs a message under the empty context: `signatureCount` bytes, hedged with fresh randomness.
    package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        do { return try [UInt8](Self.load(seed).signature(for: message)) } catch {
            throw CryptographyError(.library, "sign with ml-dsa-65", cause: "the library refused")
        }
    }

    private static func load(_ seed: SecretKey) throws(CryptographyError) -> MLDSA65.PrivateKey {
        guard seed.count == 32 else {
            throw CryptographyError(
                .malformedKey, "use an ml-dsa-65 key", cause: "its seed has \(seed.count) bytes, not 32")
        }
        do {
            return try seed.withWipedCopy { bytes in try MLDSA65.PrivateKey(seedRepresentation: bytes, publicKey: nil) }
        } catch {
            throw CryptographyError(.malformedKey, "use an ml-dsa-65 key", cause: "the library refused its seed")
        }
    }
}

/// Whether `signature` is the ML-DSA-65 signature of `message` under `publicKey` and the empty context; false for malformed keys too.
package func verifyMLDSA65(publicKey: [UInt8], message: [UInt8], signature: [UInt8]) -> Bool {
    guard signature.count == MLDSA65Key.signatureCount,
        let key = try? MLDSA65.PublicKey(rawRepresentation: publicKey)
    else { return false }
    return key.isValidSignature(signature, for: message)
}
