package import Cryptography
import Storage

/// The facts about a sealed message that the ledger needs.
package struct SealedMessage: Sendable, Equatable {
    /// SHA-256 of all its bytes; empty if hashing was off.
    package let fileSHA256: [UInt8]
    /// SHA-256 of the bytes after the header's tag, which stay the same if the message is re-wrapped for other
    /// recipients.
    package let bodySHA256: [UInt8]
    /// The 32 random bytes that name it.
    package let messageID: [UInt8]
    /// The 32 bytes that commit to its key.
    package let commitment: [UInt8]
    /// Size of the message in bytes.
    package let byteCount: Int
    /// Number of plaintext bytes.
    package let plaintextByteCount: Int
}

/// The random parts of a message; set explicitly only to reproduce known messages in tests.
package struct MessageSecrets: Sendable {
    let messageID: [UInt8]
    let dataKey: SecretKey
    let wrappingIVs: [[UInt8]]

    /// Draws all of them at random.
    package init(recipients: Int) throws(SealingError) {
        do throws(CryptographyError) {
            messageID = try randomBytes(32)
            dataKey = try SecretKey(random: 32)
            var ivs: [[UInt8]] = []
            for _ in 0..<recipients { ivs.append(try randomBytes(AESGCM.ivCount)) }
            wrappingIVs = ivs
        } catch { throw SealingError(error) }
    }

    /// Uses given values: a 32-byte id, a 32-byte data key, and a 12-byte IV for each recipient. Using a data key for
    /// two messages breaks the confidentiality of both.
    package init(messageID: [UInt8], dataKey: SecretKey, wrappingIVs: [[UInt8]]) {
        precondition(messageID.count == 32 && dataKey.count == 32 && wrappingIVs.allSatisfy { $0.count == 12 })
        self.messageID = messageID
        self.dataKey = dataKey
        self.wrappingIVs = wrappingIVs
    }
}

/// Converts plaintext into the bytes of one message, in memory. Sealed bytes collect in `output`, from which the owner
/// takes them; `MessageWriter` writes them to a file.
package struct MessageSealer: ~Copyable {
    /// Sealed bytes that were not taken yet.
    package private(set) var output: [UInt8]
    private let header: MessageHeader
    private let frameLength: Int
    private let isHashing: Bool
    private var cipher: AESGCM
    private var regular: FrameBinding
    private var last: FrameBinding
    private var frame: UInt32 = 1
    /// The plaintext after the last whole frame, or a whole frame that may turn out to be the final one. It is wiped,
    /// also if the message is released unfinished.
    private var pending: WipedBuffer
    private var fileHash = SHA256()
    private var bodyHash = SHA256()
    private var byteCount = 0
    private var plaintextByteCount = 0

    /// Writes the header of a message for `recipients`, bound to `context`.
    ///
    /// Throws `limit` for no recipients or more than 16, for a context over 2 KiB or with reserved names, and for a
    /// frame length outside 1 byte to 64 MiB.
    package init(
        context: [String: String], recipients: [any WrappingKey], frameLength: Int = MessageLimits.frameLength,
        secrets: MessageSecrets? = nil, hashing: Bool = true
    ) throws(SealingError) {
        let bound = EncryptionContext(context)
        try Self.check(bound, recipients, frameLength)
        let secrets = if let secrets { secrets } else { try MessageSecrets(recipients: recipients.count) }
        precondition(secrets.wrappingIVs.count >= recipients.count)
        var dataKeys: [EncryptedDataKey] = []
        for (recipient, iv) in zip(recipients, secrets.wrappingIVs) {
            dataKeys.append(try recipient.wrap(secrets.dataKey, context: bound, iv: iv))
        }
        let keys = try deriveKeys(dataKey: secrets.dataKey, messageID: secrets.messageID, suite: .committed)
        let header = MessageHeader(
            messageID: secrets.messageID, context: bound, dataKeys: dataKeys, frameLength: frameLength,
            commitment: keys.commitment)
        var cipher = try ciphering { () throws(CryptographyError) in try AESGCM(key: keys.key) }
        let start = try header.serialised + header.tag(&cipher)
        // Nothing may throw once the first of these is set.
        self.header = header
        self.cipher = cipher
        self.frameLength = frameLength
        isHashing = hashing
        pending = WipedBuffer(capacity: frameLength)
        regular = FrameBinding(messageID: secrets.messageID, kind: .regular)
        last = FrameBinding(messageID: secrets.messageID, kind: .final)
        output = start
        byteCount = start.count
        if hashing { fileHash.update(start.span) }
    }

    private static func check(
        _ context: EncryptionContext, _ recipients: [any WrappingKey], _ frameLength: Int
    ) throws(SealingError) {
        let operation = "seal message"
        guard 1...MessageLimits.maxRecipients ~= recipients.count else {
            throw SealingError(.limit, operation, cause: "it has \(recipients.count) recipients; give 1 to 16")
        }
        guard 1...MessageLimits.maxFrameLength ~= frameLength else {
            throw SealingError(.limit, operation, cause: "frame length \(frameLength) is not between 1 and 67108864")
        }
        // Each pair is measured before it is serialised, since a length has only 16 bits.
        let size = context.pairs.reduce(2) { $0 + 4 + $1.key.count + $1.value.count }
        guard size <= MessageLimits.maxContext else {
            throw SealingError(.limit, operation, cause: "its context has \(size) bytes; keep it to 2048")
        }
        if let reserved = context.pairs.first(where: { $0.key.starts(with: "aws-crypto-".utf8) }) {
            let key = String(decoding: reserved.key, as: UTF8.self)
            throw SealingError(.limit, operation, subject: key, cause: "names with aws-crypto- are reserved")
        }
    }

    /// Seals more plaintext. Whole frames are encrypted directly from the caller's bytes.
    package mutating func write(_ bytes: Span<UInt8>) throws(SealingError) {
        plaintextByteCount += bytes.count
        var start = 0
        while start < bytes.count {
            let left = bytes.count - start
            if pending.isEmpty && left > frameLength {
                try seal(bytes.extracting(start..<start + frameLength))
                start += frameLength
                continue
            }
            // More bytes follow, so a full pending frame is not the final one.
            if pending.count == frameLength { try sealPending() }
            let taken = min(left, frameLength - pending.count)
            pending.append(bytes.extracting(start..<start + taken))
            start += taken
        }
    }

    /// Writes the output to a file and empties it, keeping its capacity.
    mutating func drain(into file: inout StagedFile) throws(SealingError) {
        var sealed: [UInt8] = []
        swap(&sealed, &output)
        do throws(StorageError) { try file.write(sealed.span) } catch { throw SealingError(error) }
        sealed.removeAll(keepingCapacity: true)
        swap(&sealed, &output)
    }

    /// Empties the output and keeps its capacity, as `drain` does: for measuring the cost of sealing alone.
    package mutating func discardOutput() { output.removeAll(keepingCapacity: true) }

    /// Returns the output and empties it.
    package mutating func takeOutput() -> [UInt8] {
        var sealed: [UInt8] = []
        swap(&sealed, &output)
        return sealed
    }

    /// Reserves capacity, so that collecting up to `capacity` bytes of output needs no reallocation.
    package mutating func reserveOutput(_ capacity: Int) { output.reserveCapacity(capacity) }

    /// Seals the final frame, which is full if the length is an exact multiple, and returns the facts about the
    /// message. The rest of `output` must still be taken.
    package mutating func finish() throws(SealingError) -> SealedMessage {
        precondition(frame != 0, "a message is finished once")
        let before = output.count
        let aad = last.bind(number: frame, count: pending.count)
        output.appendBigEndian(UInt32.max)
        output.appendBigEndian(frame)
        output += last.iv
        output.appendBigEndian(UInt32(pending.count))
        // Swapped out, so that it is wiped when this call ends.
        var plaintext = WipedBuffer(capacity: 0)
        swap(&plaintext, &pending)
        try plaintext.withBytes { bytes throws(SealingError) in try append(bytes, iv: last.iv, aad: aad) }
        count(from: before)
        frame = 0
        return SealedMessage(
            fileSHA256: isHashing ? fileHash.digest() : [], bodySHA256: isHashing ? bodyHash.digest() : [],
            messageID: header.messageID, commitment: header.commitment, byteCount: byteCount,
            plaintextByteCount: plaintextByteCount)
    }

    private mutating func sealPending() throws(SealingError) {
        // Swapped out and back, to avoid overlapping access to `self`.
        var full = WipedBuffer(capacity: 0)
        swap(&full, &pending)
        try full.withBytes { bytes throws(SealingError) in try seal(bytes) }
        full.removeAll()
        swap(&full, &pending)
    }

    private mutating func seal(_ bytes: Span<UInt8>) throws(SealingError) {
        // The last number is reserved for the final frame, and for the marker that it has instead of a number.
        guard frame < UInt32.max - 1 else {
            throw SealingError(.limit, "seal message", cause: "it has 2^32 frames; make smaller shards")
        }
        let before = output.count
        let aad = regular.bind(number: frame, count: bytes.count)
        output.appendBigEndian(frame)
        output += regular.iv
        try append(bytes, iv: regular.iv, aad: aad)
        frame += 1
        count(from: before)
    }

    /// Encrypts one frame's bytes and appends them to the output.
    private mutating func append(_ bytes: Span<UInt8>, iv: [UInt8], aad: [UInt8]) throws(SealingError) {
        // Swapped out and back, so that the cipher and the output can be modified at the same time.
        var sealed: [UInt8] = []
        swap(&sealed, &output)
        defer { swap(&sealed, &output) }
        do throws(CryptographyError) {
            try cipher.seal(iv: iv.span, aad: aad.span, plaintext: bytes, into: &sealed)
        } catch { throw SealingError(error) }
    }

    private mutating func count(from start: Int) {
        byteCount += output.count - start
        guard isHashing else { return }
        let output = output
        let added = output.span.extracting(start..<output.count)
        fileHash.update(added)
        bodyHash.update(added)
    }
}

/// Seals bytes in memory.
package func sealMessage(
    _ bytes: Span<UInt8>, context: [String: String], recipients: [any WrappingKey],
    frameLength: Int = MessageLimits.frameLength, secrets: MessageSecrets? = nil
) throws(SealingError) -> (bytes: [UInt8], message: SealedMessage) {
    var sealer = try MessageSealer(
        context: context, recipients: recipients, frameLength: frameLength, secrets: secrets)
    try sealer.write(bytes)
    let message = try sealer.finish()
    return (sealer.takeOutput(), message)
}
