import Cryptography
import Testing

@Suite struct `Signatures checked together` {
    private let key: SigningKey
    private let signed: [(message: [UInt8], signature: [UInt8])]

    init() throws {
        let key = try SigningKey(seed: SecretKey(copying: [UInt8](repeating: 5, count: 32).span))
        self.key = key
        signed = try (0..<300).map { number in
            let message = Array("message \(number)".utf8)
            return (message, try key.sign(message))
        }
    }

    private func holds(_ all: [(message: [UInt8], signature: [UInt8])]) throws -> Bool {
        var batch = SignatureBatch(publicKey: key.publicKey)
        for one in all { try batch.add(message: one.message, signature: one.signature) }
        return batch.holds()
    }

    @Test(arguments: [0, 1, 2, 3, 17, 64, 65, 300]) func `what the library signed holds`(count: Int) throws {
        #expect(try holds(Array(signed.prefix(count))))
    }

    @Test func `one changed bit among many is noticed`() throws {
        // Bits of the point, of the response and of the message.
        for bit in 0..<64 * 8 where bit % 7 == 0 {
            var all = Array(signed.prefix(20))
            all[bit % 20].signature[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try !holds(all), "bit \(bit) of a signature")
        }
        var all = signed
        all[299].message[0] ^= 1
        #expect(try !holds(all))
    }

    @Test func `what stands in another's place is noticed`() throws {
        var all = signed
        let first = all[0].signature
        all[0].signature = all[1].signature
        all[1].signature = first
        #expect(try !holds(all))
        all = signed
        // The sum of the responses is unchanged, so only the random factors reveal the swap.
        let halves = (Array(all[0].signature.prefix(32)), Array(all[1].signature.prefix(32)))
        all[0].signature.replaceSubrange(32..., with: signed[1].signature.dropFirst(32))
        all[1].signature.replaceSubrange(32..., with: signed[0].signature.dropFirst(32))
        #expect(halves.0 != halves.1)
        #expect(try !holds(all))
    }

    @Test func `a response that is not below the order is refused, as in RFC 8032`() throws {
        let order: [UInt8] = [
            0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0,
            0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]
        var one = signed[0]
        var carry = 0
        for place in 0..<32 {
            carry += Int(one.signature[32 + place]) + Int(order[place])
            one.signature[32 + place] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
        }
        #expect(carry == 0)
        #expect(try !holds([one]))
        #expect(!verifyEd25519(publicKey: key.publicKey, message: one.message, signature: one.signature))
    }

    @Test func `another key, no key and short signatures do not hold`() throws {
        let other = try SigningKey(seed: SecretKey(copying: [UInt8](repeating: 6, count: 32).span))
        for publicKey in [other.publicKey, [], [UInt8](repeating: 0xFF, count: 32)] {
            var batch = SignatureBatch(publicKey: publicKey)
            try batch.add(message: signed[0].message, signature: signed[0].signature)
            #expect(!batch.holds())
        }
        #expect(try !holds([(signed[0].message, Array(signed[0].signature.prefix(63)))]))
    }
}
