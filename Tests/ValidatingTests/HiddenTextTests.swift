import Foundation
import Reading
import Schemas
import Sketches
import Tabular
import Testing

@testable import Validating

/// Text that looks different to people and to programs.
struct HiddenTextTests {
    static func kinds(_ text: String) -> HiddenText.Kinds {
        let bytes = Array(text.utf8)
        return HiddenText.kinds(bytes.span, 0..<bytes.count)
    }

    @Test(arguments: [
        "a\u{200B}b", "\u{FEFF}a", "pay\u{202E}lap", "a\u{2066}b\u{2069}", "ignore\u{E0041}\u{E0042}", "a\u{200D}b",
        "\u{AD}a", "a\u{3164}", "a\u{2060}", "a\u{FE0F}", "👍\u{FE0F}\u{FE01}", "a\u{200E}b", "x\u{E0100}", "a\u{2064}",
        "\u{1F3F3}\u{E0067}",
    ]) func `hidden`(text: String) {
        #expect(Self.kinds(text) == .hidden, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
    }

    /// Ordinary text in many scripts: none of it may be flagged.
    @Test(arguments: [
        "plain", "naïve façade Ångström", "Привет, мир", "Ελληνικά", "日本語、テスト", "한국어", "עברית \u{200F}(א)", "العربية",
        "हिन्दी क\u{94D}\u{200D}ष", "می\u{200C}خواهم", "👨\u{200D}👩\u{200D}👧 ❤\u{FE0F} 5\u{FE0F}\u{20E3}",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "Ω = 5 μm, α-helix", "Toyota \u{2116} 5", "№ 7 – “quoted” … €", "Việt Nam", "x\u{304}", "ﬁne", "№", "Łódź",
        "Москва-Berlin",
        "© 2026\u{A0}Ltd", "A≥B", "H₂O", "﨎",
    ]) func `sound`(text: String) {
        #expect(Self.kinds(text).isEmpty, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
    }

    @Test(arguments: [
        "p\u{430}ypal", "\u{410}pple", "G\u{3BF}\u{3BF}gle", "micro\u{455}oft", "\u{FF41}bc", "aé\u{43E}",
    ])
    func `mixed scripts`(text: String) { #expect(Self.kinds(text) == .mixed) }

    /// Compared with Foundation, for every pair of a letter and a mark.
    @Test func `decomposed text is what form C would change`() {
        for base in [0x41...0x7A, 0xC0...0x17F, 0x391...0x3C9, 0x410...0x44F].joined() {
            for mark in 0x300...0x345 {
                guard let first = UnicodeScalar(base), let second = UnicodeScalar(mark) else { continue }
                var text = String.UnicodeScalarView()
                text.append(first)
                text.append(second)
                let plain = String(text)
                let isChanged = !plain.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual(text)
                #expect(Self.kinds(plain).contains(.decomposed) == isChanged, "\(base) \(mark)")
            }
        }
        #expect(Self.kinds("\u{1112}\u{1161}\u{11AB}") == .decomposed && Self.kinds("\u{212B}") == .decomposed)
        #expect(Self.kinds("\u{F900}") == .decomposed && Self.kinds("\u{FA0E}").isEmpty)
    }

    @Test func `formulas`() {
        func isFormula(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return HiddenText.isFormula(bytes.span, 0..<bytes.count)
        }
        for text in ["=1+1", "@SUM(A1)", "+cmd|x", "-A1", "-(1)", "\tx", "=cmd|' /C calc'!A0"] {
            #expect(isFormula(text))
        }
        for text in ["-5", "+49 30 1", "- dash", "a=b", "", "-", "+1.5", "x@y.example"] { #expect(!isFormula(text)) }
    }

    @Test(arguments: [
        ("", Outcome.flagged, true), ("hiddenText: quarantine", .quarantined, true),
        ("hiddenText: {action: reject}", .rejected, false), ("hiddenText: allow", .accepted, true),
    ]) func `the contract says what it does`(setting: String, outcome: Outcome, isValid: Bool) throws {
        let contract = """
            fields: [{name: a, type: string}, {name: b, type: string, sluice: {hiddenText: allow}}, {name: n, type: integer}]
            sluice: {apiVersion: sluice/v1\(setting.isEmpty ? "" : ", " + setting)}
            """
        let schema = try Schema.load(Array(contract.utf8), name: "c").schema
        let validator = try Validator(schema, hash: KeyedHash(key: [UInt8](repeating: 1, count: 32)))
        let plan = ReadingPlan(format: .csv, fieldNames: ["a", "b", "n"])
        let text = Array("a\u{200B},\u{200B},1\nb,=x,2\n".utf8)
        let layout = Layout(
            format: .csv, columns: ["a", "b", "n"], fieldOfColumn: [0, 1, 2], columnOfField: [0, 1, 2], header: [])
        var reader = SliceReader(
            SourceSlice(ordinal: 0, offset: 0, length: UInt64(text.count), firstRow: 1, rowCount: 2, bytes: text),
            layout: layout,
            plan: plan)
        let next = reader.next()
        let batch = try #require(next)
        let first = validator.validate(batch)
        let again = validator.replay(batch, known: .init(isValid: first.isValid), repeats: [])
        for result in [first, again] {
            let hidden = result.findings.filter { $0.code == .hiddenText }
            #expect(
                hidden.map(\.outcome) == (outcome == .accepted ? [] : [outcome])
                    && hidden.allSatisfy { $0.row == 1 && $0.field == 0 })
            #expect(result.isValid == [isValid, true])
            #expect(result.findings.filter { $0.code == .formulaStart }.map(\.outcome) == [.accepted])
        }
    }
}
