extension Array where Element == UInt8 {
    /// Appends a copy of the span's bytes in one move.
    package mutating func append(copying bytes: Span<UInt8>) {
        // Sound: the buffer is valid for its count over the call.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
