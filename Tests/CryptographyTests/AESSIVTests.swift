import Cryptography
import Testing

/// The vectors of RFC 5297, appendix A, and inputs that must not open.
@Suite struct AESSIVTests {
    private struct Vector {
        let key: String, associated: [String], plaintext: String, sealed: String
    }

    private static let vectors = [
        Vector(
            key: "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            associated: ["101112131415161718191a1b1c1d1e1f2021222324252627"], plaintext: "112233445566778899aabbccddee",
            sealed: "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"),
        Vector(
            key: "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
            associated: [
                "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
                "102030405060708090a0",
                "09f911029d74e35bd84156c5635688c0",
            ],
            plaintext: "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
            sealed:
                "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17"
                + "dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
        ),
    ]

    private func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test func `the vectors of RFC 5297`() throws {
        for vector in Self.vectors {
            var cipher = try AESSIV(key: SecretKey(copying: bytes(vector.key).span))
            let plaintext = bytes(vector.plaintext)
            let associated = vector.associated.map(bytes)
            #expect(try cipher.seal(plaintext.span, associated: associated) == bytes(vector.sealed))
            #expect(try cipher.open(bytes(vector.sealed).span, associated: associated) == plaintext)
            // The context is reused: it must keep nothing of the previous message.
            #expect(try cipher.seal(plaintext.span, associated: associated) == bytes(vector.sealed))
        }
    }

    @Test func `what was changed does not open`() throws {
        let vector = Self.vectors[0]
        var cipher = try AESSIV(key: SecretKey(copying: bytes(vector.key).span))
        let associated = vector.associated.map(bytes)
        let sealed = bytes(vector.sealed)
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            #expect(throws: CryptographyError.self) { try cipher.open(changed.span, associated: associated) }
        }
        #expect(throws: CryptographyError.self) { try cipher.open(sealed.span, associated: [[1]]) }
        #expect(throws: CryptographyError.self) { try cipher.open(sealed.span, associated: associated + [[1]]) }
        #expect(throws: CryptographyError.self) { try cipher.open(Array(sealed[..<16]).span, associated: associated) }
        #expect(throws: CryptographyError.self) {
            _ = try AESSIV(key: SecretKey(copying: [UInt8](repeating: 1, count: 40).span))
        }
    }
}
