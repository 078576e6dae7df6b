import COpenSSL

/// An incremental SHA-256 (FIPS 180-4). It cannot fail: it allocates nothing and needs no key.
package struct SHA256: ~Copyable {
    private var state = SHA256_CTX()

    /// Starts an empty hash.
    package init() { unsafe SHA256_Init(&state) }

    /// Adds bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        // Sound: the buffer is valid for its count.
        unsafe bytes.withUnsafeBufferPointer { _ = unsafe SHA256_Update(&state, $0.baseAddress, $0.count) }
    }

    /// Ends the hash and gives its 32 bytes.
    package consuming func finish() -> [UInt8] { take() }

    /// The hash of the bytes added so far; more can be added.
    package func digest() -> [UInt8] {
        var copy = SHA256()
        copy.state = state
        return copy.take()
    }

    private mutating func take() -> [UInt8] {
        [UInt8](capacity: 32) { output in
            // Sound: room for the 32 bytes that SHA-256 writes.
            unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                _ = unsafe SHA256_Final(buffer.baseAddress, &state)
                written = 32
            }
        }
    }

    /// The hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] { hash(bytes.span) }

    /// The hash of some bytes.
    package static func hash(_ bytes: Span<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}

/// HMAC-SHA-256 (RFC 2104) under one key for many short messages: the two padded key blocks are hashed once.
@safe package struct HMACSHA256: ~Copyable {
    /// The state after the inner key block, that after the outer one, and the working state, in one allocation that can
    /// be wiped.
    private let states: UnsafeMutablePointer<SHA256_CTX>

    /// Prepares the key.
    package init(key: SecretKey) {
        unsafe states = UnsafeMutablePointer<SHA256_CTX>.allocate(capacity: 3)
        unsafe states.initialize(repeating: SHA256_CTX(), count: 3)
        // The padded key is only in this temporary buffer, which is wiped below.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { block in
            unsafe block.initialize(repeating: 0)
            key.withBytes { bytes in
                if bytes.count > 64 {
                    unsafe bytes.withUnsafeBufferPointer {
                        _ = unsafe SHA256_Init(states)
                        _ = unsafe SHA256_Update(states, $0.baseAddress, $0.count)
                        _ = unsafe SHA256_Final(block.baseAddress, states)
                    }
                } else {
                    for index in bytes.indices { unsafe block[index] = bytes[index] }
                }
            }
            // XOR with the second pad also removes the first.
            let pads: [UInt8] = [0x36, 0x36 ^ 0x5c]
            for number in 0..<2 {
                for index in 0..<64 { unsafe block[index] ^= pads[number] }
                unsafe SHA256_Init(states + number)
                unsafe SHA256_Update(states + number, block.baseAddress, 64)
            }
            unsafe OPENSSL_cleanse(block.baseAddress, 64)
        }
    }

    deinit {
        unsafe OPENSSL_cleanse(states, 3 * MemoryLayout<SHA256_CTX>.stride)
        unsafe states.deallocate()
    }

    /// The 32-byte code of one message, without an array of its own.
    package mutating func inlineCode(of message: Span<UInt8>) -> InlineArray<32, UInt8> {
        var code = InlineArray<32, UInt8>(repeating: 0)
        var output = code.mutableSpan
        unsafe output.withUnsafeMutableBufferPointer { unsafe write(codeOf: message, to: $0) }
        return code
    }

    /// The 32-byte code of one message.
    package mutating func code(of message: Span<UInt8>) -> [UInt8] {
        [UInt8](capacity: 32) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                unsafe write(codeOf: message, to: buffer)
                written = 32
            }
        }
    }

    /// Writes the code of one message to a buffer with room for 32 bytes.
    private func write(codeOf message: Span<UInt8>, to output: UnsafeMutableBufferPointer<UInt8>) {
        // Sound: the states live as long as self.
        let work = unsafe states + 2
        unsafe work.pointee = states[0]
        unsafe message.withUnsafeBufferPointer { _ = unsafe SHA256_Update(work, $0.baseAddress, $0.count) }
        unsafe SHA256_Final(output.baseAddress, work)
        unsafe work.pointee = states[1]
        unsafe SHA256_Update(work, output.baseAddress, 32)
        unsafe SHA256_Final(output.baseAddress, work)
    }
}

/// The HMAC-SHA-256 of one message; for many messages under one key, keep an `HMACSHA256`.
package func hmacSHA256(key: SecretKey, _ message: Span<UInt8>) -> [UInt8] {
    var code = HMACSHA256(key: key)
    return code.code(of: message)
}
