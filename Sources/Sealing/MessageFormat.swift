import Cryptography
import Storage

// The AWS Encryption SDK message format 2.0 (awslabs/aws-encryption-sdk-specification, data-format/message-header.md
// and message-body.md). All numbers are big-endian.

/// The two suites with key commitment. Others are refused: accepting them would let a sender choose a weaker one.
package enum MessageSuite: UInt16, Sendable {
    /// AES-256-GCM, HKDF-SHA-512, key commitment; the suite for writing.
    case committed = 0x0478
    /// The same with an ECDSA P-384 signature after the body; for reading only.
    case signed = 0x0578
}

/// Limits that are checked before any allocation.
package enum MessageLimits {
    /// Default plaintext bytes of a frame: the size that the AWS Python reader handles fastest, with 0.05 % overhead.
    package static let frameLength = 65_536
    /// The longest frame that is read or written, in bytes.
    package static let maxFrameLength = 64 << 20
    /// The most encrypted data keys of a message.
    package static let maxRecipients = 16
    /// The longest serialised encryption context that is written, in bytes.
    package static let maxContext = 2_048
    /// The longest header that is read, in bytes.
    package static let maxHeader = 65_536
}

/// A data key, encrypted for one recipient.
package struct EncryptedDataKey: Sendable, Equatable {
    /// Who encrypted it, with what key, and the result: as they stand in the message.
    package var provider: [UInt8], info: [UInt8], ciphertext: [UInt8]

    /// From its parts.
    package init(provider: [UInt8], info: [UInt8], ciphertext: [UInt8]) {
        (self.provider, self.info, self.ciphertext) = (provider, info, ciphertext)
    }

    /// The key's name: the key info without the trailer of a raw AES key (tag bits 128, IV bytes 12, the IV).
    var keyName: String {
        let trailer = info.suffix(20).prefix(8)
        let isAES = info.count >= 20 && trailer.elementsEqual([0, 0, 0, 128, 0, 0, 0, 12])
        return String(decoding: isAES ? info.dropLast(20) : info[...], as: UTF8.self)
    }
}

/// The encryption context of a message, as bytes: Swift's strings would treat canonically equivalent keys as equal.
package struct EncryptionContext: Sendable, Equatable {
    struct Pair: Sendable, Equatable {
        var key: [UInt8]
        var value: [UInt8]
    }

    /// Sorted by the bytes of the keys, each key once.
    private(set) var pairs: [Pair] = []

    init() {}

    init(_ dictionary: [String: String]) {
        pairs = dictionary.map { Pair(key: Array($0.key.utf8), value: Array($0.value.utf8)) }
        sort()
    }

    subscript(key: String) -> [UInt8]? { pairs.first { $0.key.elementsEqual(key.utf8) }?.value }

    /// Its pairs as texts.
    package var dictionary: [String: String] {
        Dictionary(
            pairs.map { (String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The pairs of `other` whose keys are missing here.
    func missing(from other: EncryptionContext) -> EncryptionContext {
        var result = EncryptionContext()
        result.pairs = other.pairs.filter { pair in !pairs.contains { $0.key == pair.key } }
        return result
    }

    func merged(with other: EncryptionContext) -> EncryptionContext {
        var result = self
        result.pairs += missing(from: other).pairs
        result.sort()
        return result
    }

    /// Empty for no pairs; else their count, and each key and value preceded by its length.
    var serialised: [UInt8] {
        guard !pairs.isEmpty else { return [] }
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt16(clamping: pairs.count))
        for pair in pairs {
            bytes.appendCounted(pair.key)
            bytes.appendCounted(pair.value)
        }
        return bytes
    }

    /// Reads the serialised form. With `canonical`, keys must be ascending; in any case they must be unique and UTF-8.
    init(reading bytes: [UInt8], canonical: Bool) throws(SealingError) {
        guard !bytes.isEmpty else { return }
        var cursor = ByteCursor(bytes)
        let count = try cursor.number(2)
        guard count > 0 else { throw malformed("its encryption context has no pairs") }
        for _ in 0..<count {
            let key = try cursor.counted()
            let pair = Pair(key: key, value: try cursor.counted())
            guard String(validating: pair.key, as: UTF8.self) != nil,
                String(validating: pair.value, as: UTF8.self) != nil
            else { throw malformed("its encryption context is not utf-8") }
            if canonical, let last = pairs.last, !last.key.lexicographicallyPrecedes(pair.key) {
                throw malformed("its encryption context is out of order")
            }
            guard !pairs.contains(where: { $0.key == pair.key }) else {
                throw malformed("its encryption context names a key twice")
            }
            pairs.append(pair)
        }
        guard cursor.isAtEnd else { throw malformed("its encryption context has bytes left over") }
        sort()
    }

    private mutating func sort() { pairs.sort { $0.key.lexicographicallyPrecedes($1.key) } }
}

/// The body key, and the commitment to it, derived from the data key.
///
/// PRK = HKDF-Extract-SHA512(salt: message id, data key); the key expands under suite ‖ "DERIVEKEY", the commitment
/// under "COMMITKEY" (framework/transitive-requirements.md and data-format/message-header.md).
func deriveKeys(
    dataKey: SecretKey, messageID: [UInt8], suite: MessageSuite
) throws(SealingError) -> (key: SecretKey, commitment: [UInt8]) {
    var info: [UInt8] = []
    info.appendBigEndian(suite.rawValue)
    info += Array("DERIVEKEY".utf8)
    let derivation = HKDF(.sha512, salt: messageID.span, secret: dataKey)
    let key = try ciphering { () throws(CryptographyError) in try derivation.expand(info: info.span, count: 32) }
    let commitKey = Array("COMMITKEY".utf8)
    let commitment = try ciphering { () throws(CryptographyError) in
        try derivation.expand(info: commitKey.span, count: 32)
    }
    return (key, commitment.withBytes { bytes in bytes.indices.map { bytes[$0] } })
}

/// The IV and the additional authenticated data of consecutive frames, rebuilt in place.
struct FrameBinding: Sendable {
    /// The kind of a frame.
    enum Kind: Sendable {
        case regular, final, single
    }

    /// Eight zero bytes and the frame number; the header has number 0.
    private(set) var iv = [UInt8](repeating: 0, count: 12)
    private var aad: [UInt8]

    /// Additional data is message id ‖ label ‖ number ‖ plaintext length.
    init(messageID: [UInt8], kind: Kind) {
        let label =
            switch kind {
            case .regular: "AWSKMSEncryptionClient Frame"
            case .final: "AWSKMSEncryptionClient Final Frame"
            case .single: "AWSKMSEncryptionClient Single Block"
            }
        aad = messageID + Array(label.utf8) + [UInt8](repeating: 0, count: 12)
    }

    /// Sets the frame's number and plaintext length, and returns the additional data.
    mutating func bind(number: UInt32, count: Int) -> [UInt8] {
        let start = aad.count - 12
        for byte in 0..<4 {
            let value = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * byte))
            aad[start + byte] = value
            iv[8 + byte] = value
        }
        for byte in 0..<8 { aad[start + 4 + byte] = UInt8(truncatingIfNeeded: UInt64(count) >> UInt64(56 - 8 * byte)) }
        return aad
    }
}

/// Reads big-endian fields from bytes with bounds checks.
struct ByteCursor {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ count: Int) throws(SealingError) -> [UInt8] {
        guard count <= bytes.count - position else { throw malformed("it ends in the middle of a field") }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// A number of up to 8 bytes. One that does not fit an Int is clamped, so any limit refuses it.
    mutating func number(_ count: Int) throws(SealingError) -> Int {
        Int(clamping: try take(count).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    mutating func counted() throws(SealingError) -> [UInt8] { try take(number(2)) }
}

/// The error for bytes that are not a message.
func malformed(_ cause: String) -> SealingError { SealingError(.malformed, "open message", cause: cause) }

extension Array where Element == UInt8 {
    mutating func appendBigEndian<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    /// Appends a 16-bit length and the bytes; the caller has checked the length.
    mutating func appendCounted(_ bytes: [UInt8]) {
        appendBigEndian(UInt16(bytes.count))
        append(contentsOf: bytes)
    }
}
