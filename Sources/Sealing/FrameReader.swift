import Cryptography

/// The ranges of one frame's parts in the bytes that were read for it.
struct Frame {
    var number: UInt32
    var iv: [UInt8]
    var aad: [UInt8]
    /// Ciphertext and tag.
    var sealed: Range<Int>
    /// The offset at which the next frame starts.
    var end: Int
}

/// Reads frame after frame and checks their sequence numbers.
struct FrameReader {
    /// Whether the final frame was read.
    private(set) var isDone = false
    private var number: UInt32 = 1
    private let frameLength: Int
    private var regular: FrameBinding
    private var last: FrameBinding

    init(_ header: MessageHeader) {
        frameLength = header.frameLength
        regular = FrameBinding(messageID: header.messageID, kind: .regular)
        last = FrameBinding(messageID: header.messageID, kind: .final)
    }

    /// The frame at the start of `bytes`, which are either all remaining bytes or enough for the longest frame.
    mutating func next(
        _ bytes: [UInt8], lenient: Bool, _ usedIVs: inout Set<[UInt8]>
    ) throws(SealingError) -> Frame {
        let isFinal = try Self.field(bytes, 0) == UInt32.max
        let start = isFinal ? 4 : 0
        guard try Self.field(bytes, start) == number else { throw malformed("its frames are out of order") }
        let (ivStart, ivEnd) = (start + 4, start + 4 + AESGCM.ivCount)
        guard bytes.count >= ivEnd else { throw malformed("it ends in the middle of frame \(number)") }
        let length = isFinal ? Int(try Self.field(bytes, ivEnd)) : frameLength
        guard length <= frameLength else { throw malformed("its last frame is longer than a frame") }
        let body = isFinal ? ivEnd + 4 : ivEnd
        let end = body + length + AESGCM.tagCount
        guard end <= bytes.count else { throw malformed("it ends in the middle of frame \(number)") }

        let aad = isFinal ? last.bind(number: number, count: length) : regular.bind(number: number, count: length)
        var iv = isFinal ? last.iv : regular.iv
        if !iv.elementsEqual(bytes[ivStart..<ivEnd]) || lenient {
            iv = Array(bytes[ivStart..<ivEnd])
            guard lenient, usedIVs.insert(iv).inserted else { throw malformed("frame \(number) has another's iv") }
        }
        let frame = Frame(number: number, iv: iv, aad: aad, sealed: body..<end, end: end)
        if isFinal {
            isDone = true
        } else {
            guard number < UInt32.max - 1 else { throw malformed("it has more frames than can be numbered") }
            number += 1
        }
        return frame
    }

    /// The one block of an unframed body: IV, a 64-bit length, ciphertext, tag.
    static func single(_ bytes: [UInt8], _ header: MessageHeader) throws(SealingError) -> Frame {
        var cursor = ByteCursor(bytes)
        let iv = try cursor.take(AESGCM.ivCount)
        let length = try cursor.number(8)
        guard length <= MessageLimits.maxFrameLength else {
            throw SealingError(.refused, "open message", cause: "its single block is over 64 mib")
        }
        let start = cursor.position
        _ = try cursor.take(length + AESGCM.tagCount)
        var binding = FrameBinding(messageID: header.messageID, kind: .single)
        let aad = binding.bind(number: 1, count: length)
        return Frame(number: 1, iv: iv, aad: aad, sealed: start..<cursor.position, end: cursor.position)
    }

    private static func field(_ bytes: [UInt8], _ start: Int) throws(SealingError) -> UInt32 {
        guard bytes.count >= start + 4 else { throw malformed("it ends without a last frame") }
        return bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
