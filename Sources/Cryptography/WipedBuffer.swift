import COpenSSL

/// A buffer of fixed capacity for bytes that must not outlive it. It never moves, so no copies remain, and it is wiped
/// when it is emptied, refilled or released.
///
/// For data in transit. Keys belong in a `SecretKey`, which is also excluded from swap and core dumps.
@safe package struct WipedBuffer: ~Copyable {
    private let memory: UnsafeMutableBufferPointer<UInt8>
    /// Bytes held.
    package private(set) var count = 0

    /// An empty buffer for up to `capacity` bytes.
    package init(capacity: Int) { unsafe memory = .allocate(capacity: capacity) }

    deinit {
        unsafe OPENSSL_cleanse(memory.baseAddress, count)
        unsafe memory.deallocate()
    }

    /// Whether nothing is in it.
    package var isEmpty: Bool { count == 0 }

    /// Appends bytes; there must be capacity for them.
    package mutating func append(_ bytes: Span<UInt8>) {
        let room = unsafe memory.count - count
        precondition(bytes.count <= room, "a buffer of fixed size has the room")
        // Sound: the precondition gives the room, and bytes need no initialising.
        unsafe bytes.withUnsafeBufferPointer { source in
            _ = unsafe memory.extracting(count..<count + source.count).initialize(fromContentsOf: source)
        }
        count += bytes.count
    }

    /// Replaces the content by what `body` writes, also if `body` throws. `body` must wipe bytes that it removes again.
    package mutating func fill<E: Error>(_ body: (inout OutputSpan<UInt8>) throws(E) -> Void) throws(E) {
        removeAll()
        // Sound: the memory is ours alone, and bytes need no initialising.
        var output = unsafe OutputSpan(buffer: memory, initializedCount: 0)
        var failure: E?
        do throws(E) { try body(&output) } catch { failure = error }
        count = unsafe output.finalize(for: memory)
        if let failure { throw failure }
    }

    /// Empties it.
    package mutating func removeAll() {
        unsafe OPENSSL_cleanse(memory.baseAddress, count)
        count = 0
    }

    /// Lends the bytes for the duration of the call.
    package borrowing func withBytes<Result: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> Result
    ) throws(E) -> Result {
        // Sound: the first `count` bytes are initialised, and nothing changes them while they are lent.
        let start = unsafe UnsafePointer(memory.baseAddress)
        guard let start = unsafe start else { return try body([UInt8]().span) }
        return try body(unsafe Span(_unsafeStart: start, count: count))
    }
}
