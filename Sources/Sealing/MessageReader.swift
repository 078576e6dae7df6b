package import Cryptography
package import Storage

/// The source of a message's bytes.
package enum MessageSource: ~Copyable {
    /// In an open file.
    case file(FileDescriptor)
    /// In memory.
    case bytes([UInt8])

    /// The number of bytes.
    borrowing func size() throws(SealingError) -> Int {
        switch self {
        case .file(let file):
            do throws(StorageError) { return try file.status().size } catch { throw SealingError(error) }
        case .bytes(let bytes): return bytes.count
        }
    }

    /// Replaces the content of `buffer` by up to `count` bytes from `offset`.
    borrowing func read(upTo count: Int, at offset: Int, into buffer: inout [UInt8]) throws(SealingError) {
        buffer.removeAll(keepingCapacity: true)
        switch self {
        case .file(let file):
            do throws(StorageError) { try file.read(upTo: count, at: offset, into: &buffer) } catch {
                throw SealingError(error)
            }
        case .bytes(let bytes):
            buffer += bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)]
        }
    }
}

/// Opens a message: the initialiser verifies the header, and the body is verified frame by frame as it is decrypted.
package struct MessageReader: ~Copyable {
    /// Which forms are accepted beyond those that Sluice writes.
    package enum Strictness: Sendable {
        /// Only sorted contexts, framed bodies and counted IVs, which Sluice and the current AWS libraries write.
        case canonical
        /// Also other forms that the specification allows for reading: unsorted contexts, any distinct IVs, unframed
        /// bodies.
        case lenient
    }

    /// The message's description, authenticated.
    package let info: MessageInfo
    /// The data key, to which the header commits.
    package let dataKey: SecretKey
    let source: MessageSource
    private let strictness: Strictness
    let header: MessageHeader
    let headerBytes: [UInt8]
    private var cipher: AESGCM
    private var usedIVs: Set<[UInt8]> = []
    private var verifier: ECDSAP384Verifier?

    /// Reads and verifies the header. The order is: refused forms, the expected context, a key that opens it, the
    /// commitment to that key, and last the tag.
    ///
    /// - `expect`: pairs that the message must have.
    /// - `reproduced`: pairs that the writer bound to the message without storing them. Stored pairs of the same keys
    ///   must agree.
    ///
    /// Throws `malformed`, `refused`, `contextMismatch`, `noKey`, `authentication` or `storage`.
    package init(
        _ source: consuming MessageSource, keys: KeyRing, expect: [String: String] = [:],
        reproduced: [String: String] = [:], strictness: Strictness = .canonical
    ) throws(SealingError) {
        let parsed = try Self.header(of: source, strictness)
        let header = parsed.header
        let reproduced = EncryptionContext(reproduced)
        for pair in reproduced.pairs {
            let name = String(decoding: pair.key, as: UTF8.self)
            if let stored = header.context[name], stored != pair.value { throw Self.mismatch(name) }
        }
        for (name, value) in expect where header.context[name] != Array(value.utf8) { throw Self.mismatch(name) }

        let full = header.context.merged(with: reproduced)
        guard let dataKey = try keys.unwrap(header.dataKeys, context: full) else {
            let names = header.info.recipients.map { "\($0.provider):\($0.keyName)" }.joined(separator: ", ")
            throw SealingError(.noKey, "open message", cause: "none of the keys given opens it; it is for \(names)")
        }
        let derived = try deriveKeys(dataKey: dataKey, messageID: header.messageID, suite: header.suite)
        guard constantTimeEquals(derived.commitment.span, header.commitment.span) else {
            throw SealingError(.authentication, "open message", cause: "its key is not the one it commits to")
        }
        var cipher = try ciphering { () throws(CryptographyError) in try AESGCM(key: derived.key) }
        // The tag covers the bytes as they were stored, so the check does not depend on parsing.
        let unstored = header.context.missing(from: reproduced).serialised
        let (iv, aad) = ([UInt8](repeating: 0, count: AESGCM.ivCount), parsed.bytes + unstored)
        var nothing: [UInt8] = []
        do throws(CryptographyError) {
            try cipher.open(iv: iv.span, aad: aad.span, sealed: parsed.tag.span, into: &nothing)
        } catch {
            throw SealingError(.authentication, "open message", cause: "its header was changed")
        }
        let verifier = try Self.verifier(of: header)
        self.cipher = cipher
        self.header = header
        self.strictness = strictness
        headerBytes = parsed.bytes + parsed.tag
        info = header.info
        self.dataKey = dataKey
        self.source = source
        self.verifier = verifier
    }

    /// The description of a message, read without a key and therefore unproven.
    package static func inspect(
        _ source: borrowing MessageSource, strictness: Strictness = .canonical
    ) throws(SealingError) -> MessageInfo {
        try header(of: source, strictness).header.info
    }

    /// Decrypts the body, one frame at a time, in constant memory; returns the number of plaintext bytes.
    ///
    /// Each frame is authenticated when `body` gets it. But only the return proves that the message is complete, and
    /// that its signature, if it has one, is valid: until then the output must be kept where it can be discarded.
    /// Throws `SealingError` (`malformed`, `authentication`, `storage`) or the error of `body`.
    @discardableResult
    package consuming func decrypt(to body: (Span<UInt8>) throws -> Void) throws -> Int {
        let size = try source.size()
        var position = headerBytes.count
        var total = 0
        var buffer: [UInt8] = []
        let start = headerBytes
        verifier?.update(start.span)
        if header.isFramed {
            // So a short file cannot cause a large allocation.
            let longest = min(header.frameLength + 40, max(0, size - position))
            buffer.reserveCapacity(longest)
            // Plaintext remains with the caller only.
            var plain = WipedBuffer(capacity: longest)
            var frames = FrameReader(header)
            while !frames.isDone {
                try source.read(upTo: longest, at: position, into: &buffer)
                let frame = try frames.next(buffer, lenient: strictness == .lenient, &usedIVs)
                try open(frame, buffer, into: &plain)
                verifier?.update(buffer.span.extracting(0..<frame.end))
                position += frame.end
                total += plain.count
                try plain.withBytes(body)
            }
        } else {
            try source.read(upTo: size - position, at: position, into: &buffer)
            let frame = try FrameReader.single(buffer, header)
            var plain = WipedBuffer(capacity: frame.sealed.count)
            try open(frame, buffer, into: &plain)
            verifier?.update(buffer.span.extracting(0..<frame.end))
            position += frame.end
            total = plain.count
            try plain.withBytes(body)
        }
        try finish(at: position)
        return total
    }

    /// Decrypts everything without output; returns the number of plaintext bytes. Throws `SealingError`.
    @discardableResult
    package consuming func verify() throws -> Int { try decrypt { _ in } }

    private mutating func open(_ frame: Frame, _ buffer: [UInt8], into plain: inout WipedBuffer) throws(SealingError) {
        do throws(CryptographyError) {
            try plain.fill { (room: inout OutputSpan<UInt8>) throws(CryptographyError) in
                try cipher.open(
                    iv: frame.iv.span, aad: frame.aad.span, sealed: buffer.span.extracting(frame.sealed), into: &room)
            }
        } catch {
            throw SealingError(.authentication, "open message", cause: "frame \(frame.number) was changed")
        }
    }

    /// Checks the signature, if there is one, and that no bytes follow.
    private consuming func finish(at end: Int) throws(SealingError) {
        var position = end
        var rest: [UInt8] = []
        if let verifier = verifier.take() {
            try source.read(upTo: 2 + Int(UInt16.max), at: position, into: &rest)
            var cursor = ByteCursor(rest)
            let signature = try cursor.counted()
            position += cursor.position
            guard verifier.finish(signature: signature) else {
                throw SealingError(.authentication, "open message", cause: "its signature does not hold")
            }
        }
        try source.read(upTo: 1, at: position, into: &rest)
        guard rest.isEmpty else { throw malformed("other bytes follow its end") }
    }

    private static func header(
        of source: borrowing MessageSource, _ strictness: Strictness
    ) throws(SealingError) -> (header: MessageHeader, tag: [UInt8], bytes: [UInt8]) {
        var start: [UInt8] = []
        try source.read(upTo: MessageLimits.maxHeader, at: 0, into: &start)
        return try MessageHeader.read(start, canonical: strictness == .canonical)
    }

    private static func verifier(of header: MessageHeader) throws(SealingError) -> ECDSAP384Verifier? {
        let key = header.context["aws-crypto-public-key"]
        switch (header.suite, key) {
        case (.committed, nil): return nil
        case (.committed, _?): throw malformed("it names a signing key and has no signature")
        case (.signed, let key):
            guard let key, let point = bytes(base64: String(decoding: key, as: UTF8.self)) else {
                throw malformed("it does not name its signing key")
            }
            do throws(CryptographyError) { return try ECDSAP384Verifier(publicPoint: point) } catch {
                throw malformed("its signing key is not a p-384 point")
            }
        }
    }

    private static func mismatch(_ name: String) -> SealingError {
        SealingError(
            .contextMismatch, "open message", subject: name,
            cause: "its encryption context has another value or none; check that it is the right file")
    }
}
