import COpenSSL

/// An RSA key for OAEP (RFC 8017) with MGF1 over the same hash: the public half wraps, the private half unwraps.
package final class RSAKey: Sendable {
    /// The OAEP hashes of the AWS test vectors; Sluice writes with SHA-256.
    package enum Hash: String, Sendable {
        /// SHA-1, only for reading messages of other programs.
        case sha1
        /// SHA-256, for writing.
        case sha256
        /// SHA-384.
        case sha384
        /// SHA-512.
        case sha512
    }

    private let key: LibraryKey
    /// Whether it has the private half and can unwrap.
    package let isPrivate: Bool
    /// The size of the modulus in bits.
    package let bitCount: Int
    /// The size of the modulus, and so of a wrapped key, in bytes.
    package let byteCount: Int

    /// Reads a public key ("BEGIN PUBLIC KEY") of at least 2,048 bits. Throws `malformedKey`.
    package convenience init(publicPEM: Span<UInt8>, subject: String = "") throws(CryptographyError) {
        try self.init(publicPEM, isPrivate: false, subject)
    }

    /// Reads an unencrypted private key ("BEGIN PRIVATE KEY" or "BEGIN RSA PRIVATE KEY"). Throws `malformedKey`.
    package convenience init(privatePEM: Span<UInt8>, subject: String = "") throws(CryptographyError) {
        try self.init(privatePEM, isPrivate: true, subject)
    }

    private init(_ pem: Span<UInt8>, isPrivate: Bool, _ subject: String) throws(CryptographyError) {
        let operation = isPrivate ? "read rsa private key" : "read rsa public key"
        // Sound: the BIO only reads the bytes and is freed before them. The callback refuses to ask for a passphrase;
        // libcrypto's own would wait at the terminal.
        let pointer = unsafe pem.withUnsafeBufferPointer { bytes in
            let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
            defer { unsafe BIO_free(bio) }
            return unsafe isPrivate
                ? PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil)
                : PEM_read_bio_PUBKEY(bio, nil, { _, _, _, _ in 0 }, nil)
        }
        let key = try unsafe LibraryKey(pointer, operation, subject: subject)
        guard unsafe EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_RSA else {
            throw CryptographyError(.malformedKey, operation, subject: subject, cause: "it is not an rsa key")
        }
        byteCount = unsafe Int(EVP_PKEY_get_size(key.pointer))
        bitCount = unsafe Int(EVP_PKEY_get_bits(key.pointer))
        guard byteCount >= 256 else {
            throw CryptographyError(
                .malformedKey, operation, subject: subject,
                cause: "it has \(byteCount * 8) bits; make one of 4096 with openssl genpkey")
        }
        self.key = key
        self.isPrivate = isPrivate
    }

    /// The public half as DER (RFC 5280, SubjectPublicKeyInfo): the same bytes whatever form the file has.
    package var publicDER: [UInt8] {
        // Sound: libcrypto allocates the given number of bytes, which are copied and freed.
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(key.pointer, &start)
        guard count > 0, let made = unsafe start else { return [] }
        defer { unsafe CRYPTO_free(made, "", 0) }
        return unsafe Array(UnsafeBufferPointer(start: made, count: Int(count)))
    }

    /// Encrypts a key with the public half. Throws `badLength` if it is too long for the modulus.
    package func wrap(
        _ secret: SecretKey, hash: Hash = .sha256, label: [UInt8] = []
    ) throws(CryptographyError) -> [UInt8] {
        let context = try OAEPContext(key, hash, label, encrypting: true)
        return try [UInt8](capacity: byteCount) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
            // Sound: OAEP writes exactly as many bytes as the modulus has.
            let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                written = byteCount
                return secret.withBytes {
                    unsafe $0.withUnsafeBufferPointer {
                        unsafe EVP_PKEY_encrypt(context.pointer, buffer.baseAddress, &written, $0.baseAddress, $0.count)
                    }
                }
            }
            guard ok == 1 else { throw libraryError("wrap with rsa-oaep", code: .badLength) }
        }
    }

    /// Decrypts a wrapped key with the private half. Throws `authentication` for any failure, whatever its cause.
    package func unwrap(
        _ wrapped: Span<UInt8>, hash: Hash = .sha256, label: [UInt8] = []
    ) throws(CryptographyError) -> SecretKey {
        precondition(isPrivate, "only a private key unwraps")
        let context = try OAEPContext(key, hash, label, encrypting: false)
        return try SecretKey(capacity: byteCount) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
            // Sound: the plaintext is shorter than the modulus, and `written` says how long it is.
            let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                var count = byteCount
                let ok = unsafe wrapped.withUnsafeBufferPointer {
                    unsafe EVP_PKEY_decrypt(context.pointer, buffer.baseAddress, &count, $0.baseAddress, $0.count)
                }
                written = ok == 1 ? count : 0
                return ok == 1
            }
            guard ok else {
                ERR_clear_error()
                throw CryptographyError(
                    .authentication, "unwrap with rsa-oaep", cause: "wrong key, or the bytes were changed")
            }
        }
    }
}

/// An `EVP_PKEY_CTX` set up for OAEP.
@safe private struct OAEPContext: ~Copyable {
    let pointer: OpaquePointer

    init(_ key: LibraryKey, _ hash: RSAKey.Hash, _ label: [UInt8], encrypting: Bool) throws(CryptographyError) {
        guard let made = unsafe EVP_PKEY_CTX_new(key.pointer, nil) else { throw libraryError("prepare rsa-oaep") }
        let digest =
            switch hash {
            case .sha1: unsafe EVP_sha1()
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        var ok = unsafe encrypting ? EVP_PKEY_encrypt_init(made) == 1 : EVP_PKEY_decrypt_init(made) == 1
        ok = unsafe ok && EVP_PKEY_CTX_set_rsa_padding(made, RSA_PKCS1_OAEP_PADDING) == 1
        ok = unsafe ok && EVP_PKEY_CTX_set_rsa_oaep_md(made, digest) == 1
        ok = unsafe ok && EVP_PKEY_CTX_set_rsa_mgf1_md(made, digest) == 1
        if !label.isEmpty {
            // The context takes ownership of this copy.
            ok =
                unsafe ok
                && EVP_PKEY_CTX_set0_rsa_oaep_label(
                    made, sluice_openssl_copy(label, label.count), Int32(label.count)) == 1
        }
        guard ok else {
            unsafe EVP_PKEY_CTX_free(made)
            throw libraryError("prepare rsa-oaep")
        }
        unsafe pointer = made
    }

    deinit { unsafe EVP_PKEY_CTX_free(pointer) }
}
