import COpenSSL

/// An Ed25519 signing key (RFC 8032), made from its 32-byte seed.
package struct SigningKey: Sendable {
    /// The secret 32 bytes that the key pair is derived from.
    package let seed: SecretKey
    /// The 32-byte public key.
    package let publicKey: [UInt8]

    /// Derives the public key. Throws `malformedKey` unless the seed has 32 bytes.
    package init(seed: SecretKey) throws(CryptographyError) {
        guard seed.count == 32 else {
            throw CryptographyError(
                .malformedKey, "use a signing key", cause: "its seed has \(seed.count) bytes, not 32")
        }
        let key = try Self.load(seed)
        self.seed = seed
        publicKey = try [UInt8](capacity: 32) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
            // Sound: room for the 32 bytes of an Ed25519 public key.
            let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                written = 32
                return unsafe EVP_PKEY_get_raw_public_key(key.pointer, buffer.baseAddress, &written)
            }
            guard ok == 1 else { throw libraryError("derive a public key") }
        }
    }

    /// The public key as a SubjectPublicKeyInfo in DER (RFC 8410).
    package var publicKeyInfo: [UInt8] {
        [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00] + publicKey
    }

    /// The public key in PEM.
    package var publicPEM: String { "-----BEGIN PUBLIC KEY-----\n\(base64(publicKeyInfo))\n-----END PUBLIC KEY-----\n" }

    /// Signs a message: 64 bytes, deterministic.
    package func sign(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        let key = try Self.load(seed)
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key.pointer) == 1 else { throw libraryError("sign") }
        return try [UInt8](capacity: 64) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
            // Sound: room for the 64 bytes of an Ed25519 signature.
            let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                written = 64
                return unsafe message.withUnsafeBufferPointer {
                    unsafe EVP_DigestSign(context, buffer.baseAddress, &written, $0.baseAddress, $0.count)
                }
            }
            guard ok == 1 else { throw libraryError("sign") }
        }
    }

    /// Signs a message: 64 bytes, deterministic.
    package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] { try sign(message.span) }

    private static func load(_ seed: SecretKey) throws(CryptographyError) -> LibraryKey {
        let pointer = unsafe seed.withBytes {
            unsafe $0.withUnsafeBufferPointer {
                unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, $0.baseAddress, $0.count)
            }
        }
        return try unsafe LibraryKey(pointer, "use a signing key")
    }
}

/// Whether `signature` is the Ed25519 signature of `message` under `publicKey`; false for malformed keys too.
package func verifyEd25519(publicKey: [UInt8], message: [UInt8], signature: [UInt8]) -> Bool {
    guard publicKey.count == 32, signature.count == 64,
        let pointer = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, 32)
    else { return false }
    let context = unsafe EVP_MD_CTX_new()
    defer {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_PKEY_free(pointer)
        ERR_clear_error()
    }
    // Sound: both arrays are valid for their counts.
    return unsafe EVP_DigestVerifyInit(context, nil, nil, nil, pointer) == 1
        && EVP_DigestVerify(context, signature, 64, message, message.count) == 1
}

/// An `EVP_PKEY` with one owner. It is never changed after it was made, so threads may share it.
@safe final class LibraryKey: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes ownership of the pointer, or throws `malformedKey` for nil.
    init(_ pointer: OpaquePointer?, _ operation: String, subject: String = "") throws(CryptographyError) {
        guard let pointer = unsafe pointer else { throw libraryError(operation, code: .malformedKey, subject: subject) }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}
