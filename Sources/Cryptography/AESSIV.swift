import COpenSSL

/// AES-SIV (RFC 5297): authenticated encryption that needs no IV. Equal texts under the same key and associated data
/// give equal bytes, so encrypted columns can still be joined. With a unique nonce as the last associated data, equal
/// texts differ.
///
/// The result is V ‖ C: V has 16 bytes and is both tag and IV; C has the length of the text.
@safe package struct AESSIV: ~Copyable {
    /// Bytes before the ciphertext.
    package static let tagCount = 16
    private let cipher: OpaquePointer
    private let context: OpaquePointer
    private let key: SecretKey

    /// Prepares a key of 32, 48 or 64 bytes, half of it for the tag; Sluice writes with 64. Throws `malformedKey` for
    /// another length.
    package init(key: SecretKey) throws(CryptographyError) {
        guard [32, 48, 64].contains(key.count) else {
            throw CryptographyError(.malformedKey, "use an aes-siv key", cause: "it has \(key.count) bytes, not 64")
        }
        guard let made = unsafe EVP_CIPHER_fetch(nil, "AES-\(key.count * 4)-SIV", nil) else {
            throw libraryError("prepare aes-siv")
        }
        guard let context = unsafe EVP_CIPHER_CTX_new() else {
            unsafe EVP_CIPHER_free(made)
            throw libraryError("prepare aes-siv")
        }
        unsafe cipher = made
        unsafe self.context = context
        self.key = key
    }

    // Frees and wipes the key schedule.
    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
        unsafe EVP_CIPHER_free(cipher)
    }

    /// V ‖ C of a text, bound to `associated`. Neither the text nor any associated data may be empty: OpenSSL before
    /// its 2023 fix ignored empty associated data (CVE-2023-2975).
    package mutating func seal(_ plaintext: Span<UInt8>, associated: [[UInt8]]) throws(CryptographyError) -> [UInt8] {
        precondition(!plaintext.isEmpty && associated.allSatisfy { !$0.isEmpty })
        guard begin(associated, sealing: true) else { throw libraryError("seal aes-siv") }
        let context = unsafe context
        var out = [UInt8](repeating: 0, count: Self.tagCount + plaintext.count)
        // Sound: `out` has room for the tag and as many bytes as the text.
        let ok = unsafe out.withUnsafeMutableBufferPointer { out in
            unsafe plaintext.withUnsafeBufferPointer { plain in
                guard let tag = out.baseAddress else { return false }
                var count: Int32 = 0
                var tail: Int32 = 0
                let body = unsafe tag + Self.tagCount
                return unsafe EVP_CipherUpdate(context, body, &count, plain.baseAddress, Int32(plain.count)) == 1
                    && EVP_CipherFinal_ex(context, body, &tail) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagCount), tag) == 1
            }
        }
        guard ok else { throw libraryError("seal aes-siv") }
        return out
    }

    /// The text of V ‖ C. Throws `authentication` for another key, other associated data or changed bytes.
    package mutating func open(_ sealed: Span<UInt8>, associated: [[UInt8]]) throws(CryptographyError) -> [UInt8] {
        guard sealed.count > Self.tagCount else {
            throw CryptographyError(.authentication, "open aes-siv", cause: "it is too short")
        }
        guard begin(associated, sealing: false) else { throw libraryError("open aes-siv") }
        let context = unsafe context
        var out = [UInt8](repeating: 0, count: sealed.count - Self.tagCount)
        // Sound: the tag lies before the ciphertext, and `out` has as many bytes as that.
        let ok = unsafe out.withUnsafeMutableBufferPointer { out in
            unsafe sealed.withUnsafeBufferPointer { sealed in
                guard let tag = sealed.baseAddress, let body = out.baseAddress else { return false }
                var count: Int32 = 0
                var tail: Int32 = 0
                let good =
                    unsafe EVP_CIPHER_CTX_ctrl(
                        context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagCount), UnsafeMutableRawPointer(mutating: tag))
                    == 1
                    && EVP_CipherUpdate(context, body, &count, tag + Self.tagCount, Int32(out.count)) == 1
                    && EVP_CipherFinal_ex(context, body, &tail) == 1
                if !good { unsafe OPENSSL_cleanse(body, out.count) }
                return good
            }
        }
        guard ok else {
            ERR_clear_error()
            throw CryptographyError(.authentication, "open aes-siv", cause: "wrong key, or the bytes were changed")
        }
        return out
    }

    private mutating func begin(_ associated: [[UInt8]], sealing: Bool) -> Bool {
        let (context, cipher) = unsafe (context, cipher)
        // Sound: both live as long as self; the key has the length that the cipher was fetched for.
        let isReady = key.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe EVP_CIPHER_CTX_reset(context) == 1
                    && EVP_CipherInit_ex(context, cipher, nil, key.baseAddress, nil, sealing ? 1 : 0) == 1
            }
        }
        guard isReady else { return false }
        var count: Int32 = 0
        return associated.allSatisfy { part in
            unsafe part.withUnsafeBufferPointer {
                unsafe EVP_CipherUpdate(context, nil, &count, $0.baseAddress, Int32($0.count)) == 1
            }
        }
    }
}
