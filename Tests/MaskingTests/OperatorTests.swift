import Masking
import Recognition
import Schemas
import Testing

@Suite struct OperatorTests {
    private func apply(_ text: String, entity: String = "EMAIL_ADDRESS", _ change: (inout PIIRule) -> Void) -> String {
        var rule = PIIRule()
        change(&rule)
        let bytes = Array("[\(text)]".utf8)
        var out: [UInt8] = []
        ValueOperator(rule).apply(bytes.span.extracting(1..<bytes.count - 1), entity: entity, into: &out) { value in
            // Not a real code: it shows that exactly the value's bytes are passed.
            var sum: UInt8 = 0
            for at in value.indices { sum &+= value[at] }
            return [UInt8](repeating: sum, count: 32)
        }
        return String(decoding: out, as: UTF8.self)
    }

    @Test func redact() { #expect(apply("ann@b.com") { $0.operation = .redact } == "") }

    @Test func replace() {
        #expect(apply("ann@b.com") { $0.operation = .replace } == "<EMAIL_ADDRESS>")
        #expect(apply("Ann", entity: "PERSON") { $0.operation = .replace } == "<PERSON>")
        #expect(
            apply("ann@b.com") {
                $0.operation = .replace
                $0.replacement = "someone"
            } == "someone")
    }

    @Test(arguments: [
        ("415-555-0132", 0, 4, "********0132"), ("415-555-0132", 3, 0, "415*********"), ("Zoë", 1, 1, "Z*ë"),
        ("日本語", 0, 1, "**語"), ("ab", 1, 1, "**"), ("a", 0, 4, "*"), ("", 2, 2, ""), ("abcd", 0, 0, "****"),
        ("abc", Int.max, Int.max, "***"),
    ])
    func mask(text: String, first: Int, last: Int, expected: String) {
        #expect(
            apply(text) {
                $0.operation = .mask
                $0.keepFirst = first
                $0.keepLast = last
            } == expected)
    }

    @Test func `mask with another character`() {
        #expect(
            apply("déjà") {
                $0.operation = .mask
                $0.maskCharacter = "█"
                $0.keepFirst = 1
            } == "d███")
    }

    @Test(arguments: [("90210-1234", 3, "902"), ("日本語", 2, "日本"), ("ab", 5, "ab"), ("ab", 0, "")])
    func truncate(_ text: String, _ first: Int, _ expected: String) {
        #expect(
            apply(text) {
                $0.operation = .truncate
                $0.keepFirst = first
            } == expected)
    }

    @Test func tokenize() {
        let token = apply("\u{1}\u{2}") {
            $0.operation = .tokenize
            $0.prefix = "em_"
        }
        #expect(token == "em_" + String(repeating: "03", count: 16))
        let code = Array("foobarfoobarfoob".utf8) + [9, 9]
        var out: [UInt8] = []
        writeToken(code: code, prefix: [], alphabet: .base32, into: &out)
        #expect(String(decoding: out, as: UTF8.self) == "mzxw6ytbojtg633cmfzgm33pmi")
        out = []
        writeToken(code: code, prefix: [], alphabet: .hexadecimal, into: &out)
        #expect(String(decoding: out, as: UTF8.self) == "666f6f626172666f6f626172666f6f62")
    }

    @Test func `a short code is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) {
            var out: [UInt8] = []
            writeToken(code: [1, 2, 3], prefix: [], alphabet: .hexadecimal, into: &out)
        }
    }

    @Test func `in text, only the matches change`() {
        let text = "Grüße an ann@b.com (415) 555-0132, danke 😀"
        let bytes = Array(text.utf8)
        var matches: [EntityMatch] = []
        TextScanner(entities: Set(Entity.allCases)).scan(bytes.span, range: bytes.indices, into: &matches)
        var out: [UInt8] = []
        ValueOperator(PIIRule()).apply(bytes.span, bytes.indices, matches: matches, into: &out) { _ in [] }
        #expect(String(decoding: out, as: UTF8.self) == "Grüße an <EMAIL_ADDRESS> <PHONE_NUMBER>, danke 😀")
        out = []
        ValueOperator(PIIRule()).apply(bytes.span, bytes.indices, matches: [EntityMatch](), into: &out) { _ in [] }
        #expect(out == bytes)
    }
}
