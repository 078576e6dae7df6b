import Glibc

extension Array where Element == UInt8 {
    /// Appends a copy of the span's bytes in one move.
    package mutating func append(copying bytes: Span<UInt8>) {
        // Sound: the buffer is valid for its count over the call.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// The index of the first such byte, found by the C library's memchr; nil if there is none.
    package func firstPlace(of byte: UInt8) -> Int? {
        // Sound: memchr stays within the count, and its result points into the buffer.
        unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = unsafe memchr(start, Int32(byte), bytes.count) else {
                return nil
            }
            return unsafe start.distance(to: UnsafeRawPointer(found))
        }
    }
}
