import CZlib
import CZstd

/// The compression of a source by its first bytes, whatever its name.
package enum Compression: String, Sendable {
    case gzip
    case zstd

    /// The compression by its magic number (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1); nil for other bytes. No
    /// text begins with one.
    package init?(_ bytes: Span<UInt8>) {
        if bytes.count >= 3, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 {
            self = .gzip
        } else if bytes.count >= 4, bytes[0] == 0x28, bytes[1] == 0xB5, bytes[2] == 0x2F, bytes[3] == 0xFD {
            self = .zstd
        } else {
            return nil
        }
    }

    /// The endings of such files' names.
    package var suffixes: [String] { self == .gzip ? [".gz"] : [".zst", ".zstd"] }
    /// Both kinds.
    package static var all: [Compression] { [.gzip, .zstd] }
}

/// Why a compressed source cannot be decompressed.
package enum DecompressionError: Error, Sendable {
    /// The stream violates its format, or a checksum is wrong.
    case damaged
    /// The file ends inside a member.
    case truncated
    /// Bytes follow the last member that are no further member.
    case trailing
    /// Memory is exhausted, or the stream asks for more than is allowed.
    case memory
}

/// Decompresses a stream of one or more gzip members or zstd frames, piece by piece, in constant memory.
///
/// Sound: the libraries' stream structs point into the pieces only during a call, and each is freed once, with its
/// owner.
@safe package final class Decompressor {
    @unsafe private enum State {
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    /// At most 128 MiB of history, the default of `zstd -d`. RFC 8878 recommends that decoders support at least 8 MiB.
    private static let windowLog: Int32 = 27

    private let state: State
    /// Whether a member has begun and not ended.
    private var isInside = false
    /// Members that have ended.
    private var members = 0
    /// The beginning of the frame, which may state its content size, and the bytes decompressed from it.
    private var frameHead: [UInt8] = []
    private var frameBytes: UInt64 = 0
    /// Length of its header, as far as it is known; 0 once the library has it.
    private var frameNeeds = 0

    /// A decompressor.
    ///
    /// - Throws: `memory` when the library cannot allocate its state.
    package init(_ compression: Compression) throws(DecompressionError) {
        switch compression {
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            guard unsafe sluice_inflate_init(stream) == Z_OK else {
                unsafe stream.deallocate()
                throw .memory
            }
            unsafe state = .gzip(stream)
        case .zstd:
            guard let stream = unsafe ZSTD_createDCtx() else { throw .memory }
            _ = unsafe ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLog)
            unsafe state = .zstd(stream)
        }
    }

    deinit {
        switch unsafe state {
        case .gzip(let stream):
            unsafe inflateEnd(stream)
            unsafe stream.deallocate()
        case .zstd(let stream): _ = unsafe ZSTD_freeDCtx(stream)
        }
    }

    /// Decompresses a piece.
    ///
    /// - Parameters:
    ///   - input: the piece.
    ///   - limit: most bytes to append.
    ///   - out: the decompressed bytes are appended here.
    /// - Returns: how many bytes of `input` were used.
    package func decompress(
        _ input: Span<UInt8>, limit: Int, to out: inout [UInt8]
    ) throws(DecompressionError) -> Int {
        precondition(limit > 0)
        var used = 0
        var problem: DecompressionError?
        out.append(addingCapacity: limit) { (output: inout OutputSpan<UInt8>) in
            // Sound: both buffers outlive the call, and the library gets their exact sizes.
            unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                let free = unsafe UnsafeMutableBufferPointer(rebasing: buffer[written...])
                unsafe input.withUnsafeBufferPointer { source in
                    do throws(DecompressionError) {
                        let step = try unsafe self.step(source, free)
                        used = step.used
                        written += step.written
                    } catch {
                        problem = error
                    }
                }
            }
        }
        if let problem { throw problem }
        return used
    }

    /// Ends the input.
    ///
    /// - Throws: `truncated` inside a member.
    package func finish() throws(DecompressionError) {
        if isInside || members == 0 { throw .truncated }
    }

    private func step(
        _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>
    ) throws(DecompressionError) -> (used: Int, written: Int) {
        var (used, written) = (0, 0)
        while written < target.count {
            // After a member another one may follow, of which only the beginning may be here.
            if !isInside {
                if used == source.count { break }
                isInside = true
                (frameHead, frameBytes, frameNeeds) = ([], 0, 5)
            }
            let more: (used: Int, written: Int, ended: Bool)
            let rest = unsafe UnsafeBufferPointer(rebasing: source[used...])
            let room = unsafe UnsafeMutableBufferPointer(rebasing: target[written...])
            switch unsafe state {
            case .gzip(let stream): more = try unsafe inflated(stream, rest, room)
            case .zstd(let stream): more = try unsafe unfolded(stream, rest, room)
            }
            used += more.used
            written += more.written
            if more.ended {
                isInside = false
                members += 1
            } else if more.used == 0, more.written == 0 {
                break
            }
        }
        return (used, written)
    }

    private func inflated(
        _ stream: UnsafeMutablePointer<z_stream>, _ source: UnsafeBufferPointer<UInt8>,
        _ target: UnsafeMutableBufferPointer<UInt8>
    ) throws(DecompressionError) -> (used: Int, written: Int, ended: Bool) {
        let (available, room) = (min(source.count, 1 << 30), min(target.count, 1 << 30))
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(available)
        unsafe stream.pointee.next_out = target.baseAddress
        unsafe stream.pointee.avail_out = UInt32(room)
        let code = unsafe inflate(stream, Z_NO_FLUSH)
        let used = unsafe available - Int(stream.pointee.avail_in)
        let written = unsafe room - Int(stream.pointee.avail_out)
        switch code {
        case Z_STREAM_END:
            guard unsafe inflateReset(stream) == Z_OK else { throw .memory }
            return (used, written, true)
        case Z_OK, Z_BUF_ERROR: return (used, written, false)
        case Z_MEM_ERROR: throw .memory
        default:
            // Bytes after a complete member that do not form a header are trailing data.
            let isHeader = unsafe stream.pointee.total_out == 0 && stream.pointee.total_in <= 10
            throw members > 0 && isHeader ? .trailing : .damaged
        }
    }

    private func unfolded(
        _ stream: OpaquePointer, _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>
    ) throws(DecompressionError) -> (used: Int, written: Int, ended: Bool) {
        // A header is held back until it is complete. Given a whole frame at once, libzstd takes another code path with
        // other checks; given a piece that begins inside a header, it may take the bytes for a legacy format.
        if frameNeeds > 0 {
            var taken = 0
            while taken < source.count, frameNeeds > frameHead.count {
                unsafe frameHead.append(source[taken])
                taken += 1
                frameNeeds = try frameHeaderSize(frameHead)
            }
            if frameNeeds > frameHead.count { return (taken, 0, false) }
            frameNeeds = 0
            let rest = unsafe frameHead.withUnsafeBufferPointer { head in
                unsafe decode(stream, head, UnsafeMutableBufferPointer(rebasing: target[0..<0]))
            }
            if rest.problem != nil || rest.used != frameHead.count { throw rest.problem ?? .damaged }
            return (taken, 0, rest.ended)
        }
        let step = unsafe decode(stream, source, target)
        if let problem = step.problem { throw problem }
        frameBytes += UInt64(step.written)
        if step.ended {
            let said = unsafe frameHead.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
            // Two values outside the range of sizes mean "not stated" and "not a frame".
            if said < UInt64.max - 1, said != frameBytes { throw .damaged }
        }
        return (step.used, step.written, step.ended)
    }

    /// Length of a frame's header (RFC 8878, section 3.1.1.1); more than `head` has while that does not determine it.
    private func frameHeaderSize(_ head: [UInt8]) throws(DecompressionError) -> Int {
        if head.count < 4 { return 5 }
        let magic = head[..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        // A skippable frame has its size after the magic number.
        if magic & 0xFFFF_FFF0 == 0x184D_2A50 { return 8 }
        guard magic == 0xFD2F_B528 else { throw members > 0 ? .trailing : .damaged }
        guard head.count > 4 else { return 5 }
        let descriptor = head[4]
        // The reserved bit must be zero.
        if descriptor & 8 != 0 { throw .damaged }
        let isSingle = descriptor & 32 != 0
        let sizes = [isSingle ? 1 : 0, 2, 4, 8]
        let size = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][Int(descriptor & 3)] + sizes[Int(descriptor >> 6)]
        if head.count == size {
            let said = unsafe head.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
            if said == UInt64.max - 1 { throw .damaged }
        }
        return size
    }

    private func decode(
        _ stream: OpaquePointer, _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>
    ) -> (used: Int, written: Int, ended: Bool, problem: DecompressionError?) {
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        let code = unsafe ZSTD_decompressStream(stream, &output, &input)
        var problem: DecompressionError?
        if ZSTD_isError(code) != 0 {
            switch ZSTD_getErrorCode(code) {
            case ZSTD_error_memory_allocation, ZSTD_error_frameParameter_windowTooLarge: problem = .memory
            default: problem = .damaged
            }
        }
        return unsafe (input.pos, output.pos, code == 0, problem)
    }
}
