/// Uniform bits of libcrypto's generator (RAND_bytes), fetched some thousands at a time. It is a class, because a copy
/// would give the same bits twice.
package final class SecureBits: RandomNumberGenerator {
    private var buffer: [UInt8] = []
    private var place = 0

    /// A generator.
    package init() {}

    deinit { wipe(&buffer) }

    /// Returns 64 bits. Traps if the library fails: weaker noise would be worse than none.
    package func next() -> UInt64 {
        if place + 8 > buffer.count {
            guard let more = try? randomBytes(4096) else {
                preconditionFailure("the library's random generator failed")
            }
            buffer = more
            place = 0
        }
        var word: UInt64 = 0
        for offset in 0..<8 { word = word << 8 | UInt64(buffer[place + offset]) }
        place += 8
        return word
    }
}
