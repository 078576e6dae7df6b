import Tabular
import Testing

@Suite struct VarintTests {
    @Test func `numbers are read as they were written, one behind the other`() {
        let numbers: [UInt64] = [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 32, (1 << 63) - 1]
        var bytes: [UInt8] = []
        for number in numbers { Varint.append(number, to: &bytes) }
        #expect(bytes.prefix(6) == [0, 1, 127, 0x80, 1, 0xAC])
        var (found, at) = ([UInt64](), 0)
        while let number = Varint.read(bytes, at: &at) { found.append(number) }
        #expect(found == numbers && at == bytes.count)
    }

    @Test(
        arguments: [
            [], [0x80], [0x80, 0x00], [0xFF, 0x80, 0x00], [UInt8](repeating: 0xFF, count: 9) + [0x01],
            [UInt8](repeating: 0x80, count: 12),
        ] as [[UInt8]]) func `what is cut, too long or written in another way is none`(bytes: [UInt8])
    {
        var at = 0
        #expect(Varint.read(bytes, at: &at) == nil)
    }
}
