import Masking
@testable import Recognition
import Schemas
import Sketches
import Testing

@Suite struct ScanPropertyTests {
    private static let scraps = [
        "4012888888881881", "4012 8888 ", "8888 1881", "a@b.com", "@", ".", ":", "::", "+1", "+49", "(415) ",
        "415-555-", "0132", "078-05-1123", "10.0.0.1", "/8", "fe80", "DE89", "370400440532013000", " ", " ", "é",
        "日本", "😀", "ssn ", "call ", "x", "-", "'", "1", "23", "%eth0", "\u{0}", ",",
    ]

    @Test func `matches are ordered, apart, inside, and never split a scalar`() {
        var generator = SplitMix64(seed: 1)
        let scanner = TextScanner(entities: Set(Entity.allCases))
        var total = 0
        for _ in 0..<4_000 {
            var text = ""
            for _ in 0..<Int.random(in: 1...14, using: &generator) {
                text += Self.scraps.randomElement(using: &generator) ?? ""
            }
            let bytes = Array(text.utf8)
            var matches: [EntityMatch] = []
            scanner.scan(bytes.span, range: bytes.indices, into: &matches)
            total += matches.count
            var end = 0
            for match in matches {
                #expect(match.start >= end && match.start < match.end && match.end <= bytes.count, "\(text)")
                #expect(match.score >= 0.6 && match.score <= 1)
                end = match.end
            }
            for operation in [MaskOperator.redact, .replace, .mask, .truncate, .tokenize] {
                var rule = PIIRule()
                rule.operation = operation
                rule.keepFirst = 2
                rule.keepLast = 1
                rule.maskCharacter = "•"
                var out: [UInt8] = []
                ValueOperator(rule).apply(bytes.span, bytes.indices, matches: matches, into: &out) { _ in
                    [UInt8](repeating: 0xA5, count: 32)
                }
                #expect(String(validating: out, as: UTF8.self) != nil, "\(operation) of \(text)")
            }
        }
        // The fragments do combine to matches.
        #expect(total > 1_000)
    }

    @Test func `operators on whole cells never split a scalar`() {
        var generator = SplitMix64(seed: 2)
        for _ in 0..<2_000 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...9, using: &generator)).compactMap { _ in
                        Unicode.Scalar([0x41, 0xE9, 0x65E5, 0x1F600, 0x301].randomElement(using: &generator) ?? 0x41)
                    }))
            let bytes = Array(text.utf8)
            let (first, last) = (Int.random(in: 0...6, using: &generator), Int.random(in: 0...6, using: &generator))
            var masked: [UInt8] = []
            Overwriting(character: [42], keepFirst: first, keepLast: last).write(bytes.span, into: &masked)
            var cut: [UInt8] = []
            writeTruncated(bytes.span, bytes.indices, keepFirst: first, into: &cut)
            let scalars = Array(text.unicodeScalars)
            var expected = String.UnicodeScalarView()
            let keeps = scalars.count > first + last
            for (index, scalar) in scalars.enumerated() {
                expected.append(keeps && (index < first || index >= scalars.count - last) ? scalar : "*")
            }
            #expect(String(validating: masked, as: UTF8.self) == String(expected))
            #expect(String(validating: cut, as: UTF8.self) == String(String.UnicodeScalarView(scalars.prefix(first))))
        }
    }

    /// Texts built to make a careless scanner quadratic. Work is counted in accesses at bytes; no clock decides.
    @Test(arguments: [
        "1", "@", ":", ".", "+", "(", "1.", "1:", "a:", "a@", "1 ", "1-", "+1", "(4", "1234 ", "1234-", "4155550132 ",
        "415-555-", "a@a.", "1.1.1.1", "::1", "1::", "DE89", "DE89 3704 ", "078051123 ", "f", "fe80:", "a.", "aa@bb.cc",
        "é",
        "4012888888881882 ", "+49 30 ", "(0)", "+49(0)", "x@-",
    ])
    func `work is linear on hostile text`(_ unit: String) {
        let scanner = TextScanner(entities: Set(Entity.allCases))
        func accesses(_ size: Int) -> Int {
            let bytes = Array(String(repeating: unit, count: size / unit.utf8.count).utf8)
            var matches: [EntityMatch] = []
            return scanner.cost(bytes.span, bytes.indices, &matches)
        }
        let small = accesses(1 << 14)
        let large = accesses(1 << 18)
        #expect(large <= 80 << 18, "\(Double(large) / Double(1 << 18)) accesses a byte")
        #expect(large <= 17 * small, "sixteen times the text, \(Double(large) / Double(small)) times the work")
    }
}
