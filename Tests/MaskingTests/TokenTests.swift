import Cryptography
import Masking
import Schemas
import Testing

@Suite struct TokenTests {
    /// Tokens of the address under a key of one repeated byte.
    private func token(_ text: String, keyByte: UInt8) -> String {
        var rule = PIIRule()
        rule.operation = .tokenize
        rule.prefix = "em_"
        let key = SecretKey(copying: [UInt8](repeating: keyByte, count: 32).span)
        var code = HMACSHA256(key: key)
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        ValueOperator(rule).apply(bytes.span, entity: "EMAIL_ADDRESS", into: &out) { value in
            code.code(of: value)
        }
        return String(decoding: out, as: UTF8.self)
    }

    @Test func `a token is the keyed code of the value`() throws {
        // printf 'ann@b.com' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01, first 16 bytes
        #expect(token("ann@b.com", keyByte: 1) == "em_c5e7742a2cdc9527016a06a4bc0437dd")
        #expect(token("ann@b.com", keyByte: 1) != token("ann@b.com", keyByte: 2))
        #expect(token("ann@b.com", keyByte: 1) != token("ann@b.con", keyByte: 1))
    }
}
