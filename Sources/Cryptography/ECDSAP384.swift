import COpenSSL

/// Checks an ECDSA signature over P-384 and SHA-384 (FIPS 186-5) of bytes that come in pieces.
@safe package struct ECDSAP384Verifier: ~Copyable {
    private let context: OpaquePointer
    private let key: LibraryKey

    /// Takes the public point, compressed (49 bytes) or not (97). Throws `malformedKey`.
    package init(publicPoint: [UInt8]) throws(CryptographyError) {
        let operation = "read p-384 public key"
        let key = try unsafe LibraryKey(Self.load(publicPoint), operation)
        guard let made = unsafe EVP_MD_CTX_new() else { throw libraryError(operation) }
        guard unsafe EVP_DigestVerifyInit(made, nil, EVP_sha384(), nil, key.pointer) == 1 else {
            unsafe EVP_MD_CTX_free(made)
            throw libraryError(operation)
        }
        self.key = key
        unsafe context = made
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds signed bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        // Sound: the buffer is valid for its count.
        let ok = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_DigestVerifyUpdate(context, $0.baseAddress, $0.count)
        }
        precondition(ok == 1, "hashing valid bytes does not fail")
    }

    /// Whether the DER signature is valid for all the bytes added.
    package consuming func finish(signature: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        return unsafe EVP_DigestVerifyFinal(context, signature, signature.count) == 1
    }

    /// Reads the point as a SubjectPublicKeyInfo (RFC 5480): a fixed prefix followed by the point.
    private static func load(_ point: [UInt8]) -> OpaquePointer? {
        guard point.count == 49 || point.count == 97 else { return nil }
        let prefix: [UInt8] = [
            0x30, UInt8(point.count + 21),
            // AlgorithmIdentifier: id-ecPublicKey, secp384r1.
            0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,
            0x03, UInt8(point.count + 1), 0x00,
        ]
        let encoded = prefix + point
        // Sound: d2i reads within the count given, and moves only its own copy of the start.
        return unsafe encoded.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return unsafe d2i_PUBKEY(nil, &start, bytes.count)
        }
    }
}
