import COpenSSL

/// An incremental digest for the formats of other programs; Sluice's own formats use SHA-256.
@safe package struct MessageDigest: ~Copyable {
    /// The hash functions.
    package enum Function: String, Sendable, CaseIterable {
        /// BLAKE2b with 64 bytes (RFC 7693): minisign.
        case blake2b512
        /// SHA-512 (FIPS 180-4): ssh-keygen.
        case sha512
        /// SHA-256 (FIPS 180-4): ssh-keygen, when asked.
        case sha256
    }

    private let context: OpaquePointer

    /// Begins a digest. Throws `library` if libcrypto has no such function.
    package init(_ function: Function) throws(CryptographyError) {
        let kind: OpaquePointer? =
            switch function {
            case .blake2b512: unsafe EVP_blake2b512()
            case .sha512: unsafe EVP_sha512()
            case .sha256: unsafe EVP_sha256()
            }
        guard let made = unsafe EVP_MD_CTX_new() else { throw libraryError("begin \(function.rawValue)") }
        guard unsafe EVP_DigestInit_ex(made, kind, nil) == 1 else {
            unsafe EVP_MD_CTX_free(made)
            throw libraryError("begin \(function.rawValue)")
        }
        unsafe context = made
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        // Sound: the buffer is valid for its count.
        let ok = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(ok == 1, "hashing valid bytes does not fail")
    }

    /// Ends the digest and returns its bytes.
    package consuming func finish() -> [UInt8] {
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        // Sound: room for the longest digest there is.
        let ok = unsafe EVP_DigestFinal_ex(context, &out, &count)
        precondition(ok == 1, "ending a digest does not fail")
        return Array(out.prefix(Int(count)))
    }
}
