import COpenSSL

/// HKDF (RFC 5869) over SHA-512 or SHA-256: derives secrets from one secret.
package struct HKDF: Sendable {
    /// The underlying hash.
    package enum Hash: Sendable {
        /// SHA-256, 32 bytes a block.
        case sha256
        /// SHA-512, 64 bytes a block.
        case sha512

        var size: Int { self == .sha256 ? 32 : 64 }
    }

    private let hash: Hash
    private let pseudorandomKey: SecretKey

    /// Extracts: PRK = HMAC(key: `salt`, data: `secret`).
    package init(_ hash: Hash, salt: Span<UInt8>, secret: SecretKey) {
        self.hash = hash
        // An empty HMAC key is the RFC's "HashLen zeros", since HMAC pads its key with zeros.
        pseudorandomKey = secret.withBytes { bytes in
            SecretKey(capacity: hash.size) { output in Self.hmac(hash, key: salt, bytes, into: &output) }
        }
    }

    /// Expands to `count` secret bytes bound to `info`. Throws `badLength` beyond 255 blocks.
    package func expand(info: Span<UInt8>, count: Int) throws(CryptographyError) -> SecretKey {
        guard count <= 255 * hash.size else {
            throw CryptographyError(.badLength, "derive a key", cause: "more than 255 blocks were asked for")
        }
        var last = SecretKey(capacity: 0) { _ in }
        var number: UInt8 = 0
        return SecretKey(capacity: count) { output in
            while output.count < count {
                number += 1
                // T(n) = HMAC(PRK, T(n-1) ‖ info ‖ n)
                let input = SecretKey(capacity: last.count + info.count + 1) { input in
                    last.withBytes { for index in $0.indices { input.append($0[index]) } }
                    for index in info.indices { input.append(info[index]) }
                    input.append(number)
                }
                last = SecretKey(capacity: hash.size) { block in
                    pseudorandomKey.withBytes { key in
                        input.withBytes { Self.hmac(hash, key: key, $0, into: &block) }
                    }
                }
                let wanted = min(hash.size, count - output.count)
                last.withBytes { for index in 0..<wanted { output.append($0[index]) } }
            }
        }
    }

    /// Writes one HMAC, `hash.size` bytes, to the empty `output`.
    private static func hmac(
        _ hash: Hash, key: Span<UInt8>, _ data: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) {
        // Sound: the output has room for one digest, and an empty buffer's nil start goes with a count of 0.
        let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe data.withUnsafeBufferPointer { data in
                    written = hash.size
                    let digest = unsafe hash == .sha256 ? EVP_sha256() : EVP_sha512()
                    return unsafe HMAC(
                        digest, key.baseAddress, Int32(key.count), data.baseAddress, data.count, buffer.baseAddress, nil
                    ) != nil
                }
            }
        }
        precondition(ok, "HMAC over valid buffers does not fail")
    }
}
