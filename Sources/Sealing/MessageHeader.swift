import Cryptography

/// The description of a message that is readable without a key. It is proven only after a reader has opened the
/// message.
package struct MessageInfo: Sendable, Equatable {
    /// One of the recipients.
    package struct Recipient: Sendable, Equatable {
        /// The namespace of the key, such as "ingest", or "aws-kms".
        package let provider: String
        /// The name of the key within it.
        package let keyName: String
    }

    /// The algorithm suite.
    package let suite: MessageSuite
    /// The 32 random bytes that name the message.
    package let messageID: [UInt8]
    /// The pairs bound to it.
    package let context: [String: String]
    /// The recipients, in the message's order.
    package let recipients: [Recipient]
    /// Plaintext bytes of every frame but the last; 0 for a message of one unframed block.
    package let frameLength: Int
    /// The 32 bytes that commit to the key.
    package let commitment: [UInt8]
    /// Bytes before the body: the header and its tag.
    package let headerByteCount: Int
}

/// The header of a message, without its tag.
struct MessageHeader: Sendable {
    var suite = MessageSuite.committed
    var messageID: [UInt8]
    var context: EncryptionContext
    var dataKeys: [EncryptedDataKey]
    var isFramed = true
    var frameLength: Int
    var commitment: [UInt8]

    var info: MessageInfo {
        MessageInfo(
            suite: suite, messageID: messageID, context: context.dictionary,
            recipients: dataKeys.map {
                .init(provider: String(decoding: $0.provider, as: UTF8.self), keyName: $0.keyName)
            },
            frameLength: frameLength, commitment: commitment, headerByteCount: serialised.count + AESGCM.tagCount)
    }

    /// The bytes that the header's tag covers.
    var serialised: [UInt8] {
        var bytes: [UInt8] = [2]
        bytes.appendBigEndian(suite.rawValue)
        bytes += messageID
        bytes.appendCounted(context.serialised)
        bytes.appendBigEndian(UInt16(dataKeys.count))
        for dataKey in dataKeys {
            bytes.appendCounted(dataKey.provider)
            bytes.appendCounted(dataKey.info)
            bytes.appendCounted(dataKey.ciphertext)
        }
        bytes.append(isFramed ? 2 : 1)
        bytes.appendBigEndian(UInt32(frameLength))
        return bytes + commitment
    }

    /// The tag that authenticates the header: AES-GCM of an empty text with IV zero, over the header and the part of
    /// the context that it does not store.
    func tag(_ cipher: inout AESGCM, unstored: [UInt8] = []) throws(SealingError) -> [UInt8] {
        var tag: [UInt8] = []
        let (iv, aad) = ([UInt8](repeating: 0, count: AESGCM.ivCount), serialised + unstored)
        let nothing: [UInt8] = []
        do throws(CryptographyError) {
            try cipher.seal(iv: iv.span, aad: aad.span, plaintext: nothing.span, into: &tag)
        } catch { throw SealingError(error) }
        return tag
    }

    init(
        messageID: [UInt8], context: EncryptionContext, dataKeys: [EncryptedDataKey], frameLength: Int,
        commitment: [UInt8]
    ) {
        self.messageID = messageID
        self.context = context
        self.dataKeys = dataKeys
        self.frameLength = frameLength
        self.commitment = commitment
    }

    /// Reads a header and its tag from the first bytes of a message. Throws for anything that must not be processed
    /// further.
    static func read(
        _ bytes: [UInt8], canonical: Bool
    ) throws(SealingError) -> (header: MessageHeader, tag: [UInt8], bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard try cursor.number(1) == 2 else {
            throw SealingError(
                .refused, "open message", cause: "it is not of message format 2; older formats do not commit to a key")
        }
        let suite = try cursor.number(2)
        guard let suite = MessageSuite(rawValue: UInt16(suite)) else {
            throw SealingError(
                .refused, "open message", cause: "suite \(String(suite, radix: 16)) does not commit to its key")
        }
        let messageID = try cursor.take(32)
        let context = try EncryptionContext(reading: cursor.counted(), canonical: canonical)
        let count = try cursor.number(2)
        guard 1...MessageLimits.maxRecipients ~= count else {
            throw SealingError(.refused, "open message", cause: "it has \(count) data keys, not 1 to 16")
        }
        var dataKeys: [EncryptedDataKey] = []
        for _ in 0..<count {
            let provider = try cursor.counted()
            let info = try cursor.counted()
            dataKeys.append(EncryptedDataKey(provider: provider, info: info, ciphertext: try cursor.counted()))
        }
        let type = try cursor.number(1)
        guard type == 2 || type == 1 && !canonical else { throw malformed("its content type is \(type), not 2") }
        let frameLength = try cursor.number(4)
        guard type == 2 ? 1...MessageLimits.maxFrameLength ~= frameLength : frameLength == 0 else {
            throw SealingError(.refused, "open message", cause: "its frame length \(frameLength) is out of range")
        }
        var header = MessageHeader(
            messageID: messageID, context: context, dataKeys: dataKeys, frameLength: frameLength,
            commitment: try cursor.take(32))
        header.suite = suite
        header.isFramed = type == 2
        let end = cursor.position
        let tag = try cursor.take(AESGCM.tagCount)
        return (header, tag, Array(bytes[..<end]))
    }
}
