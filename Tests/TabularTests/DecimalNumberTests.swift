import Sketches
import Tabular
import Testing

/// Numbers are read as the standard library reads them, on each of the three paths.
@Suite struct DecimalNumberTests {
    private func value(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        return DecimalNumber.value(bytes.span, bytes.indices)
    }

    /// From twenty digits on, the digits may be a multiple of 2^64.
    @Test func `numbers that wrap around`() {
        for text in [
            "9223372036854775808.0", "922337203685477580.80", "1844674407370955.1616", "18446744073709551616.0",
            "3689348814741910.3232", "184467440737.09551616", "18446744073709551616", "1.8446744073709551616",
            "00018446744073709551616.0", "-92233720368547758080.00", "36893488147419103232e-3",
        ] {
            #expect(value(text) == Double(text), "\(text)")
        }
    }

    @Test func `any number`() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<20_000 {
            var text = random.next() & 1 == 0 ? "" : "-"
            let count = 1 + Int(random.next() % 24)
            let point = Int(random.next() % 26)
            for place in 0..<count {
                if place == point, place > 0 { text += "." }
                text += String(random.next() % (random.next() & 3 == 0 ? 1 : 10))
            }
            if random.next() & 3 == 0 { text += "e\(Int(random.next() % 60) - 30)" }
            #expect(value(text) == Double(text), "\(text)")
        }
        for text in ["", "-", ".", "1.", ".5", "1e", "1e+", "0x1", "1 ", "--1", "1..2", "inf"] {
            let strict = ["1.": 1, ".5": 0.5][text]
            #expect(value(text) == strict, "\(text)")
        }
    }
}
