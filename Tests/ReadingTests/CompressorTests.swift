import Testing

@testable import Reading

/// Evidence is compressed before it is sealed.
@Suite struct `compressed evidence` {
    private func expanded(_ bytes: [UInt8], piece: Int) throws -> [UInt8] {
        let expander = try Decompressor(.zstd)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let part = Array(bytes[start..<min(bytes.count, start + piece)])
            var used = 0
            while used < part.count {
                used += try expander.decompress(part.span.extracting(used..<part.count), limit: 4096, to: &out)
            }
        }
        while true {
            let (nothing, before): ([UInt8], Int) = ([], out.count)
            _ = try expander.decompress(nothing.span, limit: 4096, to: &out)
            if out.count == before { break }
        }
        try expander.finish()
        return out
    }

    @Test(arguments: [0, 1, 100, 4096, 70_000, 1_000_000])
    func `what is compressed comes back`(count: Int) throws {
        var state: UInt64 = 1
        let noise = (0..<count).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        for bytes in [
            noise, [UInt8](repeating: 7, count: count), Array(String(repeating: "ab,12\n", count: count / 6).utf8),
        ] {
            let short = try #require(compressed(bytes))
            #expect(try expanded(short, piece: 65_536) == bytes)
            #expect(try expanded(short, piece: 7) == bytes)
            #expect(count < 4096 || bytes == noise || short.count < bytes.count / 20)
        }
    }
}
