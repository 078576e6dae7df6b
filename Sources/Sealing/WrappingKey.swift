package import Cryptography

/// A key that wraps data keys, and may unwrap them: one recipient of a message.
///
/// Raw AES and RSA keys follow the AWS Encryption SDK (framework/raw-aes-keyring.md, raw-rsa-keyring.md), whose readers pass over the
/// data keys of a provider that they do not know.
package protocol WrappingKey: Sendable {
    /// Its kind, as the ledger records it: `kek`, `rsa`, `xwing`.
    var kind: String { get }
    /// The name of the key.
    var name: String { get }
    /// The provider of its data keys in the message.
    var provider: [UInt8] { get }
    /// The name of the key in the message, which is its own name unless the provider has others.
    var keyName: String { get }
    /// 32 bytes that only this key yields and from which it cannot be found.
    var identity: [UInt8] { get }
    /// A short text for people to compare.
    var fingerprint: String { get }
    /// Wraps a data key.
    ///
    /// - Parameters:
    ///   - dataKey: the 32-byte data key of a message.
    ///   - context: the encryption context of the message.
    ///   - iv: 12 bytes that were never used with this key; for AES only.
    /// - Throws: `limit` for an impossible name, `cryptography`.
    func wrap(_ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]) throws(SealingError) -> EncryptedDataKey
    /// The data key; nil if it was not wrapped for this key, or this key does not open it.
    ///
    /// - Throws: `unavailable` when it cannot be told, since a key service does not answer.
    func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) throws(SealingError) -> SecretKey?
}

extension WrappingKey {
    /// The namespace of Sluice's own raw keys.
    package static var defaultNamespace: String { "ingest" }

    /// The first 8 bytes of the identity, in hexadecimal.
    package var fingerprint: String { String(hex(identity).prefix(16)) }

    /// Whether one of these data keys is wrapped for a key of this provider and name.
    func isRecipient(in dataKeys: [EncryptedDataKey]) -> Bool {
        dataKeys.contains { $0.provider == provider && $0.keyName == keyName }
    }

    /// The name of the key in the message.
    package var keyName: String { name }

    /// Refuses what the format has no room for.
    fileprivate func requireFittingName() throws(SealingError) {
        guard (1...256).contains(name.utf8.count), (1...256).contains(provider.count) else {
            throw SealingError(
                .limit, "wrap a data key for", subject: name, cause: "its name is empty or over 256 bytes")
        }
        // The format reserves this prefix for AWS KMS.
        guard !provider.starts(with: "aws-kms".utf8) else {
            throw SealingError(
                .limit, "wrap a data key for", subject: name, cause: "choose another namespace than aws-kms")
        }
    }
}

/// An AES-256 key: wraps and unwraps, bound to the encryption context.
package struct AESWrappingKey: WrappingKey {
    /// Its kind, as the ledger records it.
    package let kind = KeyKind.kek.rawValue
    /// Its name.
    package let name: String
    /// The provider of its data keys.
    package let provider: [UInt8]
    private let key: SecretKey

    /// A key in a namespace.
    package init(namespace: String = defaultNamespace, name: String, key: SecretKey) {
        (self.name, self.key) = (name, key)
        provider = Array(namespace.utf8)
    }

    /// 32 bytes that only this key yields.
    package var identity: [UInt8] { KeyKind.kek.identity(of: key, name: name) }
    /// For people to compare.
    package var fingerprint: String { key.fingerprint(name: name) }

    /// Wraps a data key.
    package func wrap(
        _ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]
    ) throws(SealingError) -> EncryptedDataKey {
        try requireFittingName()
        do throws(CryptographyError) {
            var cipher = try AESGCM(key: key)
            var sealed: [UInt8] = []
            let aad = context.serialised
            try dataKey.withBytes { bytes throws(CryptographyError) in
                try cipher.seal(iv: iv.span, aad: aad.span, plaintext: bytes, into: &sealed)
            }
            return EncryptedDataKey(
                provider: provider, info: Array(name.utf8) + Self.trailer + iv, ciphertext: sealed)
        } catch { throw SealingError(error) }
    }

    /// The data key; nil if this key does not open it.
    package func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) -> SecretKey? {
        let prefix = Array(name.utf8) + Self.trailer
        guard wrapped.provider == provider, wrapped.info.count == prefix.count + AESGCM.ivCount,
            wrapped.info.starts(with: prefix), var cipher = try? AESGCM(key: key)
        else { return nil }
        let (iv, aad) = (Array(wrapped.info.suffix(AESGCM.ivCount)), context.serialised)
        return try? cipher.openKey(iv: iv.span, aad: aad.span, sealed: wrapped.ciphertext.span)
    }

    /// Tag length 128 in bits, IV length 12 in bytes.
    private static let trailer: [UInt8] = [0, 0, 0, 128, 0, 0, 0, 12]
}

/// An RSA key for OAEP: wraps, and unwraps too if it is private. Not bound to the encryption context.
package struct RSAWrappingKey: WrappingKey {
    /// Its kind, as the ledger records it.
    package let kind = "rsa"
    /// Its name.
    package let name: String
    /// The provider of its data keys.
    package let provider: [UInt8]
    private let key: RSAKey
    private let hash: RSAKey.Hash

    /// A key in a namespace.
    package init(
        namespace: String = defaultNamespace, name: String, key: RSAKey, hash: RSAKey.Hash = .sha256
    ) {
        (self.name, self.key, self.hash) = (name, key, hash)
        provider = Array(namespace.utf8)
    }

    /// SHA-256 of the public key in DER (SubjectPublicKeyInfo).
    package var identity: [UInt8] { SHA256.hash(key.publicDER) }

    /// Wraps a data key.
    package func wrap(
        _ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]
    ) throws(SealingError) -> EncryptedDataKey {
        try requireFittingName()
        let wrapped = try ciphering { () throws(CryptographyError) in try key.wrap(dataKey, hash: hash) }
        return EncryptedDataKey(provider: provider, info: Array(name.utf8), ciphertext: wrapped)
    }

    /// The data key; nil if this key does not open it.
    package func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) -> SecretKey? {
        guard wrapped.provider == provider, key.isPrivate, wrapped.info.elementsEqual(name.utf8) else { return nil }
        return try? key.unwrap(wrapped.ciphertext.span, hash: hash)
    }
}

/// A post-quantum key: wraps, and unwraps too if its private half is here; bound to the encryption context. Software of AWS does not
/// open its data keys, so a message has another recipient too where such software is to read it.
package struct XWingWrappingKey: WrappingKey {
    /// Its kind, as the ledger records it.
    package let kind = KeyKind.xwing.rawValue
    /// Its name.
    package let name: String
    /// The provider of data keys wrapped with HPKE.
    package let provider = Array("ingest-hpke".utf8)
    private let key: XWingKey

    /// A key by its name.
    package init(name: String, key: XWingKey) { (self.name, self.key) = (name, key) }

    /// The private half, from its file.
    package init(privateHalf file: KeyFile) throws(SealingError) {
        name = file.name
        key = try ciphering { () throws(CryptographyError) in try XWingKey(seed: file.key) }
    }

    /// SHA-256 of the public key.
    package var identity: [UInt8] { SHA256.hash(key.publicKey) }

    /// Wraps a data key.
    package func wrap(
        _ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]
    ) throws(SealingError) -> EncryptedDataKey {
        try requireFittingName()
        let wrapped = try ciphering { () throws(CryptographyError) in
            try key.wrap(dataKey, context: context.serialised)
        }
        return EncryptedDataKey(provider: provider, info: Array(name.utf8), ciphertext: wrapped)
    }

    /// The data key; nil if this key does not open it.
    package func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) -> SecretKey? {
        guard wrapped.provider == provider, key.seed != nil, wrapped.info.elementsEqual(name.utf8) else { return nil }
        return try? key.unwrap(wrapped.ciphertext, context: context.serialised)
    }
}

/// The keys that may open a message.
package struct KeyRing: Sendable {
    /// The keys, tried in this order on each data key.
    package var keys: [any WrappingKey]
    /// A data key that is known by other means; used as it is.
    private let dataKey: SecretKey?

    /// A ring of wrapping keys.
    package init(_ keys: [any WrappingKey]) {
        self.keys = keys
        dataKey = nil
    }

    /// A ring that knows the data key of one message.
    package init(dataKey: SecretKey) {
        keys = []
        self.dataKey = dataKey
    }

    /// The first data key of 32 bytes that one of the keys opens; nil when none does.
    ///
    /// - Throws: `unavailable` when no other key opens one, and a key service did not answer.
    func unwrap(_ wrapped: [EncryptedDataKey], context: EncryptionContext) throws(SealingError) -> SecretKey? {
        if let dataKey { return dataKey }
        var failure: SealingError?
        for key in keys {
            for candidate in wrapped {
                do throws(SealingError) {
                    if let dataKey = try key.unwrap(candidate, context: context), dataKey.count == 32 { return dataKey }
                } catch { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
        return nil
    }
}
