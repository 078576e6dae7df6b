package import Cryptography

/// A key that wraps or unwraps data keys (framework/raw-aes-keyring.md and raw-rsa-keyring.md).
package enum WrappingKey: Sendable {
    /// An AES key: wraps and unwraps, bound to the encryption context.
    case aes(namespace: String, name: String, key: SecretKey)
    /// An RSA key for OAEP: it wraps, and unwraps too if it is private. Not bound to the encryption context.
    case rsa(namespace: String, name: String, key: RSAKey, hash: RSAKey.Hash)

    /// The namespace of Sluice's own keys.
    package static let defaultNamespace = "ingest"

    /// An AES-256 key in Sluice's namespace.
    package static func aes(name: String, key: SecretKey) -> WrappingKey {
        .aes(namespace: defaultNamespace, name: name, key: key)
    }

    /// An RSA-OAEP-SHA256 key in Sluice's namespace.
    package static func rsa(name: String, key: RSAKey) -> WrappingKey {
        .rsa(namespace: defaultNamespace, name: name, key: key, hash: .sha256)
    }

    /// The name of the key.
    package var name: String {
        switch self {
        case .aes(_, let name, _), .rsa(_, let name, _, _): name
        }
    }

    var provider: [UInt8] {
        switch self {
        case .aes(let namespace, _, _), .rsa(let namespace, _, _, _): Array(namespace.utf8)
        }
    }

    /// Wraps a data key; `iv` has 12 bytes that were never used with this key, and applies to AES only.
    func wrap(_ dataKey: SecretKey, context: [UInt8], iv: [UInt8]) throws(SealingError) -> EncryptedDataKey {
        guard (1...256).contains(name.utf8.count), (1...256).contains(provider.count) else {
            throw SealingError(
                .limit, "wrap a data key for", subject: name, cause: "its name is empty or over 256 bytes")
        }
        // The format reserves this prefix for AWS KMS.
        guard !provider.starts(with: "aws-kms".utf8) else {
            throw SealingError(
                .limit, "wrap a data key for", subject: name, cause: "choose another namespace than aws-kms")
        }
        do throws(CryptographyError) {
            switch self {
            case .aes(_, let name, let key):
                var cipher = try AESGCM(key: key)
                var sealed: [UInt8] = []
                try dataKey.withBytes { bytes throws(CryptographyError) in
                    try cipher.seal(iv: iv.span, aad: context.span, plaintext: bytes, into: &sealed)
                }
                let info = Array(name.utf8) + Self.trailer + iv
                return EncryptedDataKey(provider: provider, info: info, ciphertext: sealed)
            case .rsa(_, let name, let key, let hash):
                let wrapped = try key.wrap(dataKey, hash: hash)
                return EncryptedDataKey(provider: provider, info: Array(name.utf8), ciphertext: wrapped)
            }
        } catch { throw SealingError(error) }
    }

    /// The data key; nil if it was not wrapped for this key, or this key does not open it.
    func unwrap(_ wrapped: EncryptedDataKey, context: [UInt8]) -> SecretKey? {
        guard wrapped.provider == provider else { return nil }
        switch self {
        case .aes(_, let name, let key):
            let prefix = Array(name.utf8) + Self.trailer
            guard wrapped.info.count == prefix.count + AESGCM.ivCount, wrapped.info.starts(with: prefix) else {
                return nil
            }
            let iv = Array(wrapped.info.suffix(AESGCM.ivCount))
            guard var cipher = try? AESGCM(key: key) else { return nil }
            return try? cipher.openKey(iv: iv.span, aad: context.span, sealed: wrapped.ciphertext.span)
        case .rsa(_, let name, let key, let hash):
            guard key.isPrivate, wrapped.info.elementsEqual(name.utf8) else { return nil }
            return try? key.unwrap(wrapped.ciphertext.span, hash: hash)
        }
    }

    /// Tag length 128 in bits, IV length 12 in bytes.
    private static let trailer: [UInt8] = [0, 0, 0, 128, 0, 0, 0, 12]
}

/// The keys that may open a message.
package struct KeyRing: Sendable {
    /// The keys, tried in this order on each data key.
    package var keys: [WrappingKey]
    /// A data key that is known by other means, such as a key service; used as it is.
    private let dataKey: SecretKey?

    /// A ring of wrapping keys.
    package init(_ keys: [WrappingKey]) {
        self.keys = keys
        dataKey = nil
    }

    /// A ring that knows the data key of one message.
    package init(dataKey: SecretKey) {
        keys = []
        self.dataKey = dataKey
    }

    /// The first data key of 32 bytes that one of the keys opens.
    func unwrap(_ wrapped: [EncryptedDataKey], context: [UInt8]) -> SecretKey? {
        if let dataKey { return dataKey }
        for candidate in wrapped {
            for key in keys {
                if let dataKey = key.unwrap(candidate, context: context), dataKey.count == 32 { return dataKey }
            }
        }
        return nil
    }
}
