import COpenSSL
import Glibc

/// Secret bytes in a memory mapping of their own. It is locked against swapping if the limit allows, excluded from core
/// dumps, and wiped before it is unmapped. The class is shared by reference, so there is only one copy.
///
/// Sendable because the bytes never change after `init`.
@safe package final class SecretKey: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Whole pages, so that locking and dump settings affect nothing else.
    private let memory: UnsafeMutableRawPointer
    private let mapped: Int
    /// The number of secret bytes.
    package let count: Int

    /// Takes the bytes that `body` writes, at most `capacity`, as the secret. If `body` throws, they are wiped.
    package init<E: Error>(capacity: Int, _ body: (inout OutputSpan<UInt8>) throws(E) -> Void) throws(E) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let size = max(1, (capacity + page - 1) / page) * page
        let pages = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        // MAP_FAILED is -1; running out of memory traps, as it does for an array.
        guard let pages = unsafe pages, unsafe pages != UnsafeMutableRawPointer(bitPattern: -1) else {
            preconditionFailure("no memory for a key")
        }
        // Both are best effort: a low RLIMIT_MEMLOCK must not stop the program.
        _ = unsafe mlock(pages, size)
        _ = unsafe madvise(pages, size, MADV_DONTDUMP)
        // Sound: the mapping has `size` bytes, is not shared, and stays bound to UInt8.
        let bytes = unsafe UnsafeMutableBufferPointer(
            start: pages.bindMemory(to: UInt8.self, capacity: size), count: capacity)
        var output = unsafe OutputSpan(buffer: bytes, initializedCount: 0)
        var failure: E?
        do throws(E) { try body(&output) } catch { failure = error }
        let written = unsafe output.finalize(for: bytes)
        if let failure {
            unsafe Self.discard(pages, size)
            throw failure
        }
        unsafe memory = pages
        mapped = size
        count = written
    }

    /// Makes a key of `count` random bytes. Throws `noRandomness`.
    package convenience init(random count: Int) throws(CryptographyError) {
        try self.init(capacity: count) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
            // Sound: the buffer has room for `count` bytes, and they count only when all were written.
            let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                let ok = unsafe RAND_priv_bytes(buffer.baseAddress, Int32(count))
                written = ok == 1 ? count : 0
                return ok == 1
            }
            guard ok else { throw libraryError("make a random key", code: .noRandomness) }
        }
    }

    /// Copies secret bytes; the owner of the original must wipe it.
    package convenience init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count) { (output: inout OutputSpan<UInt8>) in
            for index in bytes.indices { output.append(bytes[index]) }
        }
    }

    deinit { unsafe Self.discard(memory, mapped) }

    private static func discard(_ memory: UnsafeMutableRawPointer, _ size: Int) {
        unsafe OPENSSL_cleanse(memory, size)
        _ = unsafe munmap(memory, size)
    }

    /// Lends the bytes for the duration of the call.
    package func withBytes<Result: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> Result
    ) throws(E) -> Result {
        // Sound: `self` is kept alive over the call, and nothing writes to the bytes after `init`.
        let start = unsafe UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
        defer { withExtendedLifetime(self) {} }
        return try body(unsafe Span(_unsafeStart: start, count: count))
    }

    /// Lends a copy of the bytes to a library that takes arrays, and wipes it afterwards. Copies that the library makes are its own matter.
    package func withWipedCopy<Result, E: Error>(_ body: ([UInt8]) throws(E) -> Result) throws(E) -> Result {
        var copy = withBytes { span in span.indices.map { span[$0] } }
        defer { wipe(&copy) }
        return try body(copy)
    }

    /// The first 8 bytes of SHA-256(key ‖ name) as 16 hexadecimal digits: distinguishes keys and detects typing errors.
    package func fingerprint(name: String) -> String {
        var hash = SHA256()
        withBytes { hash.update($0) }
        hash.update(Array(name.utf8).span)
        return hex(Array(hash.finish().prefix(8)))
    }

    /// A constant, so that a log can never contain a key.
    package var description: String { "<secret>" }
    /// A constant, so that a log can never contain a key.
    package var debugDescription: String { "<secret>" }
}

extension SecretKey: CustomReflectable {
    /// Shows nothing, not even the address.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Gives `count` random bytes that are not secret, such as message ids. Throws `noRandomness`.
package func randomBytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
    try [UInt8](capacity: count) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
        // Sound: as in `SecretKey.init(random:)`.
        let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
            let ok = count == 0 ? 1 : unsafe RAND_bytes(buffer.baseAddress, Int32(count))
            written = ok == 1 ? count : 0
            return ok == 1
        }
        guard ok else { throw libraryError("make random bytes", code: .noRandomness) }
    }
}

/// Compares in time that depends only on the lengths.
package func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    // Sound: both buffers hold `count` bytes.
    return unsafe left.withUnsafeBufferPointer { first in
        unsafe right.withUnsafeBufferPointer { second in
            unsafe CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
        }
    }
}

/// Overwrites an array that held secret bytes and empties it.
///
/// It wipes this copy only: earlier copies of a shared or regrown array remain.
package func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    bytes.removeAll()
}
