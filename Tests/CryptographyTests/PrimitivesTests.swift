import Cryptography
import Testing

@Suite struct `Keys, hashes and encodings` {
    @Test func `SHA-256 of pieces is SHA-256 of the whole`() {
        #expect(
            hex(SHA256.hash(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var pieces = SHA256()
        for start in stride(from: 0, to: 1000, by: 7) {
            pieces.update(bytes.span.extracting(start..<min(1000, start + 7)))
        }
        let soFar = pieces.digest()
        #expect(pieces.finish() == SHA256.hash(bytes))
        #expect(soFar == SHA256.hash(bytes))
    }

    @Test func `a key never shows its bytes`() {
        let key = SecretKey(copying: [UInt8](repeating: 0x41, count: 32).span)
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), String(describing: [key]), dumped] {
            #expect(!text.contains("AAAA") && !text.contains("65"), "\(text)")
        }
        #expect("\(key)" == "<secret>")
    }

    @Test func `a fingerprint depends on key and name`() throws {
        let key = SecretKey(copying: [UInt8](repeating: 1, count: 32).span)
        let expected = hex(Array(SHA256.hash([UInt8](repeating: 1, count: 32) + Array("kek".utf8)).prefix(8)))
        #expect(key.fingerprint(name: "kek") == expected)
        #expect(key.fingerprint(name: "other") != expected)
        #expect(try SecretKey(random: 32).fingerprint(name: "kek") != expected)
    }

    @Test func `what an initialiser threw away is thrown on`() {
        #expect(throws: CryptographyError.self) {
            _ = try SecretKey(capacity: 4) { (output: inout OutputSpan<UInt8>) throws(CryptographyError) in
                output.append(1)
                throw CryptographyError(.badLength, "test", cause: "on purpose")
            }
        }
    }

    @Test func `Ed25519 of RFC 8032, test 2`() throws {
        let seed = try #require(bytes(hex: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        let key = try SigningKey(seed: SecretKey(copying: seed.span))
        #expect(hex(key.publicKey) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let signature = try key.sign([0x72])
        #expect(
            hex(signature) == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        #expect(verifyEd25519(publicKey: key.publicKey, message: [0x72], signature: signature))
        #expect(!verifyEd25519(publicKey: key.publicKey, message: [0x73], signature: signature))
        #expect(!verifyEd25519(publicKey: [], message: [0x72], signature: signature))
        #expect(throws: CryptographyError.self) { try SigningKey(seed: SecretKey(copying: [1, 2].span)) }
    }

    @Test func `a pem that is no rsa key, or asks for a passphrase, is refused`() {
        let encrypted = """
            -----BEGIN RSA PRIVATE KEY-----
            Proc-Type: 4,ENCRYPTED
            DEK-Info: AES-128-CBC,00000000000000000000000000000000

            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
            -----END RSA PRIVATE KEY-----
            """
        for text in ["", "hello", encrypted] {
            #expect(throws: CryptographyError.self) { try RSAKey(privatePEM: Array(text.utf8).span) }
            #expect(throws: CryptographyError.self) { try RSAKey(publicPEM: Array(text.utf8).span) }
        }
    }

    @Test func `hexadecimal and base64 go there and back, and refuse what is not theirs`() {
        for count in 0..<70 {
            let sample = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(bytes(hex: hex(sample)) == sample)
            #expect(bytes(base64: base64(sample)) == sample)
            #expect(bytes(base64URL: base64URL(sample)) == sample)
        }
        #expect(base64(Array("foobar".utf8)) == "Zm9vYmFy" && base64(Array("foob".utf8)) == "Zm9vYg==")
        #expect(base64URL([0xfb, 0xff]) == "-_8" && base64([0xfb, 0xff]) == "+/8=")
        for bad in ["a", "Zh==", "Zg=", "Zg", "Z===", "====", "Zm9v ", "Zm9=v", "Zg==Zg=="] {
            #expect(bytes(base64: bad) == nil, "\(bad)")
        }
        for bad in ["a", "Zh", "Zg==", "+/", "Zm9vY"] { #expect(bytes(base64URL: bad) == nil, "\(bad)") }
        #expect(bytes(hex: "0") == nil && bytes(hex: "0g") == nil && bytes(hex: "fF") == [255])
    }

    @Test func `comparison in constant time compares`() throws {
        let (a, b, c, none): ([UInt8], [UInt8], [UInt8], [UInt8]) = ([1, 2], [1, 3], [1], [])
        #expect(constantTimeEquals(a.span, a.span) && constantTimeEquals(none.span, none.span))
        #expect(!constantTimeEquals(a.span, b.span) && !constantTimeEquals(a.span, c.span))
        #expect(try randomBytes(0).isEmpty)
        #expect(try randomBytes(32) != randomBytes(32))
    }
}
