import Sketches
import Testing

@Suite struct SipHashTests {
    @Test func `it is SipHash-2-4`() {
        // printf '\x00\x01…\x07' | openssl mac -macopt hexkey:000102…0f -macopt size:8 SIPHASH
        let hash = SipHash(key: Array(0..<16))
        #expect(hash.hash(0x0706_0504_0302_0100) == 0x93F5_F579_9A93_2462)
        #expect(hash.hash(.max) == 0x2A68_FF30_A3D9_DA34)
        #expect(SipHash(key: Array(1..<17)).hash(.max) != hash.hash(.max))
    }
}
