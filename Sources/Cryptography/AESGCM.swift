import COpenSSL

/// AES-GCM (SP 800-38D) with a 12-byte IV and a 16-byte tag, under one key for many messages.
///
/// The key schedule is set up once; each message sets only its IV. The caller must never use an IV twice under a key.
@safe package struct AESGCM: ~Copyable {
    /// Bytes of the tag that follows every ciphertext.
    package static let tagCount = 16
    /// Bytes of the IV.
    package static let ivCount = 12
    private let context: OpaquePointer

    /// Prepares a 16-, 24- or 32-byte key; Sluice writes with 32. Throws `malformedKey` for another length.
    package init(key: SecretKey) throws(CryptographyError) {
        let cipher: OpaquePointer?
        switch key.count {
        case 32: unsafe cipher = EVP_aes_256_gcm()
        case 24: unsafe cipher = EVP_aes_192_gcm()
        case 16: unsafe cipher = EVP_aes_128_gcm()
        default:
            throw CryptographyError(.malformedKey, "use an aes key", cause: "it has \(key.count) bytes, not 32")
        }
        guard let made = unsafe EVP_CIPHER_CTX_new() else { throw libraryError("prepare aes-gcm") }
        let ok = key.withBytes {
            unsafe $0.withUnsafeBufferPointer {
                unsafe EVP_CipherInit_ex(made, cipher, nil, $0.baseAddress, nil, 1)
            }
        }
        guard ok == 1 else {
            unsafe EVP_CIPHER_CTX_free(made)
            throw libraryError("prepare aes-gcm")
        }
        unsafe context = made
    }

    // Frees and wipes the key schedule.
    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// Appends ciphertext ‖ tag. Allocates nothing if `output` has capacity for it.
    package mutating func seal(
        iv: Span<UInt8>, aad: Span<UInt8>, plaintext: Span<UInt8>, into output: inout [UInt8]
    ) throws(CryptographyError) {
        try output.append(addingCapacity: plaintext.count + Self.tagCount) {
            (room: inout OutputSpan<UInt8>) throws(CryptographyError) in
            try seal(iv: iv, aad: aad, plaintext: plaintext, into: &room)
        }
    }

    /// Appends ciphertext ‖ tag; `output` needs a free capacity of `plaintext.count + 16` bytes.
    package mutating func seal(
        iv: Span<UInt8>, aad: Span<UInt8>, plaintext: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) throws(CryptographyError) {
        precondition(output.freeCapacity >= plaintext.count + Self.tagCount)
        try begin(iv: iv, aad: aad, sealing: true)
        let context = unsafe context
        // Sound: the precondition gives room for the ciphertext and the tag.
        let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
            unsafe plaintext.withUnsafeBufferPointer { plain in
                guard let start = unsafe buffer.baseAddress.map({ unsafe $0 + written }) else { return false }
                var count: Int32 = 0
                var tail: Int32 = 0
                if !plain.isEmpty {
                    guard unsafe EVP_CipherUpdate(context, start, &count, plain.baseAddress, Int32(plain.count)) == 1
                    else { return false }
                }
                let tag = unsafe start + plain.count
                guard unsafe EVP_CipherFinal_ex(context, tag, &tail) == 1,
                    unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagCount), tag) == 1
                else { return false }
                written += plain.count + Self.tagCount
                return true
            }
        }
        guard ok else { throw libraryError("seal aes-gcm") }
    }

    /// Appends the plaintext of `sealed` = ciphertext ‖ tag.
    ///
    /// Throws `authentication` if the tag does not match; then nothing is appended and the decrypted bytes are wiped.
    package mutating func open(
        iv: Span<UInt8>, aad: Span<UInt8>, sealed: Span<UInt8>, into output: inout [UInt8]
    ) throws(CryptographyError) {
        try output.append(addingCapacity: max(0, sealed.count - Self.tagCount)) {
            (room: inout OutputSpan<UInt8>) throws(CryptographyError) in
            try open(iv: iv, aad: aad, sealed: sealed, into: &room)
        }
    }

    /// Opens `sealed` as a key whose bytes never are in ordinary memory. Throws `authentication`.
    package mutating func openKey(
        iv: Span<UInt8>, aad: Span<UInt8>, sealed: Span<UInt8>
    ) throws(CryptographyError) -> SecretKey {
        try SecretKey(capacity: max(0, sealed.count - Self.tagCount)) {
            (room: inout OutputSpan<UInt8>) throws(CryptographyError) in
            try open(iv: iv, aad: aad, sealed: sealed, into: &room)
        }
    }

    /// Appends the plaintext of `sealed`; `output` needs a free capacity of `sealed.count - 16` bytes. Throws
    /// `authentication`.
    package mutating func open(
        iv: Span<UInt8>, aad: Span<UInt8>, sealed: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) throws(CryptographyError) {
        guard sealed.count >= Self.tagCount else {
            throw CryptographyError(.authentication, "open aes-gcm", cause: "it is shorter than its tag")
        }
        let plainCount = sealed.count - Self.tagCount
        precondition(output.freeCapacity >= plainCount)
        try begin(iv: iv, aad: aad, sealing: false)
        let context = unsafe context
        // Sound: the guard above gives a tag after the ciphertext, the precondition room for the plaintext.
        let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
            unsafe sealed.withUnsafeBufferPointer { sealed in
                guard let from = sealed.baseAddress else { return false }
                var count: Int32 = 0
                var tail: Int32 = 0
                var scratch: UInt8 = 0
                let start = unsafe buffer.baseAddress.map { unsafe $0 + written }
                if let start = unsafe start, plainCount > 0 {
                    guard unsafe EVP_CipherUpdate(context, start, &count, from, Int32(plainCount)) == 1
                    else { return false }
                }
                let tag = unsafe UnsafeMutableRawPointer(mutating: from + plainCount)
                let good =
                    unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagCount), tag) == 1
                    && EVP_CipherFinal_ex(context, &scratch, &tail) == 1
                if good { written += plainCount } else if plainCount > 0 { unsafe OPENSSL_cleanse(start, plainCount) }
                return good
            }
        }
        guard ok else {
            ERR_clear_error()
            throw CryptographyError(.authentication, "open aes-gcm", cause: "wrong key, or the bytes were changed")
        }
    }

    private mutating func begin(iv: Span<UInt8>, aad: Span<UInt8>, sealing: Bool) throws(CryptographyError) {
        precondition(iv.count == Self.ivCount)
        let context = unsafe context
        // Sound: the context lives as long as self; the IV has its 12 bytes.
        var ok = unsafe iv.withUnsafeBufferPointer {
            unsafe EVP_CipherInit_ex(context, nil, nil, nil, $0.baseAddress, sealing ? 1 : 0) == 1
        }
        if ok, !aad.isEmpty {
            ok = unsafe aad.withUnsafeBufferPointer {
                var count: Int32 = 0
                return unsafe EVP_CipherUpdate(context, nil, &count, $0.baseAddress, Int32($0.count)) == 1
            }
        }
        guard ok else { throw libraryError("begin aes-gcm") }
    }
}
