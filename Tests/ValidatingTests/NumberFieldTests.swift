import Schemas
import Sketches
import Testing

@testable import Validating

@Suite struct NumberFieldTests {
    @Test func `whole numbers`() throws {
        try expectCells(
            "type: integer",
            csv: [
                "0": "ok", "-12": "ok", "+7": "ok", "000835": "ok", "9223372036854775808": "ok",
                "-170141183460469231731687303715884105729": "ok", String(repeating: "9", count: 5000): "ok",
                "": "ok", "1.0": "type-error", "1e3": "type-error", "-": "type-error", "12a": "type-error",
                "NaN": "type-error", "0x10": "type-error", " 1": "type-error", "１": "type-error",
            ],
            json: [
                "1": "ok", "-0": "ok", "1.0": "ok", "1e3": "ok", "1e400": "ok", "18446744073709551617": "ok",
                "\"12\"": "type-error", "null": "ok", "1.5": "type-error", "true": "type-error", "[1]": "type-error",
                "{}": "type-error", "\"1.0\"": "type-error",
            ])
    }

    @Test func `bounds of whole numbers beyond the reach of a double`() throws {
        try expectCells(
            "type: integer\nconstraints: { minimum: -9007199254740992, maximum: 9007199254740992 }",
            csv: [
                "9007199254740992": "ok", "9007199254740993": "constraint-maximum", "-9007199254740992": "ok",
                "-9007199254740993": "constraint-minimum", "00009007199254740992": "ok",
                "18446744073709551617": "constraint-maximum", "-18446744073709551617": "constraint-minimum",
                "1" + String(repeating: "0", count: 400): "constraint-maximum",
            ],
            json: ["9007199254740993": "constraint-maximum", "1e30": "constraint-maximum", "9007199254740992.0": "ok"])
        try expectCells(
            "type: integer\nconstraints: { exclusiveMaximum: 18446744073709551617 }",
            csv: ["18446744073709551616": "ok", "18446744073709551617": "constraint-maximum"])
        try expectCells(
            "type: integer\nconstraints: { enum: [9007199254740992, 5] }",
            csv: ["9007199254740992": "ok", "9007199254740993": "constraint-enum", "05": "ok"])
        try expectCells(
            "type: integer\ngroupChar: ','\nconstraints: { maximum: 9007199254740992 }",
            csv: ["9,007,199,254,740,993": "constraint-maximum", "9,007,199,254,740,992": "ok"])
    }

    @Test func `decimal numbers`() throws {
        try expectCells(
            "type: number",
            csv: [
                "1": "ok", "-1.5": "ok", "+.5": "ok", "1e10": "ok", "1E-400": "ok", "2.5e+3": "ok", "NaN": "ok",
                "INF": "ok", "-INF": "ok", "1e": "type-error", "1.2.3": "type-error", "1,000": "type-error",
                ".": "type-error", "e5": "type-error", "infinity": "type-error", "nan(1)": "type-error",
                "--1": "type-error", "0x1p3": "type-error", "1 2": "type-error",
            ],
            json: [
                "1.5": "ok", "\"1.5\"": "type-error", "\"INF\"": "type-error", "false": "type-error",
                "\"x\"": "type-error",
                "1e308": "ok", "1e999": "type-error", "-1e999": "type-error", "1e-999": "ok", "\"\"": "ok",
            ])
    }

    @Test func `marks of groups and decimals, of one byte or more`() throws {
        try expectCells(
            "type: number\ngroupChar: '.'\ndecimalChar: ','",
            csv: ["1.234,5": "ok", "10.000.000,00": "ok", "1,5": "ok", "1,5,5": "type-error"], json: ["1.5": "ok"])
        try expectCells(
            "type: number\ndecimalChar: ','", csv: ["1,5": "ok", "1.5": "type-error", "1.234,5": "type-error"])
        try expectCells(
            "type: number\ngroupChar: \"\\u00A0\"\ndecimalChar: ','\nconstraints: { maximum: 1000 }",
            csv: ["1\u{A0}000,00": "ok", "1\u{A0}000,01": "constraint-maximum", "1 000": "ok", "1 00": "type-error"])
        try expectCells(
            "type: number\ndecimalChar: \"\\u066B\"\nconstraints: { maximum: 2 }",
            csv: ["1\u{66B}5": "ok", "2\u{66B}5": "constraint-maximum", "1\u{66A}5": "type-error"])
        try expectCells(
            "type: integer\ngroupChar: ' '", csv: ["1 000": "ok", "1 0x0": "type-error", " ": "type-error"])
    }

    @Test func `group marks stand before each three digits, or the value is refused`() throws {
        try expectCells(
            "type: number\ngroupChar: ','\nconstraints: { minimum: 1000 }",
            csv: [
                "1,000": "ok", "1000": "ok", "1,000.5": "ok", "12,345,678": "ok", "+1,000e3": "ok",
                "-1,000e3": "constraint-minimum",
                "999": "constraint-minimum", "1,5": "type-error", "1,000,00": "type-error", "1,00,000": "type-error",
                "1,,000": "type-error", ",500": "type-error", "5000,": "type-error", "1.000,00": "type-error",
                "1000,000": "type-error", "0,500": "type-error", "1,000.500,5": "type-error",
                "1,000.5,000": "type-error",
                "1234,567": "type-error", ",": "type-error", "-,000": "type-error", "NaN": "constraint-minimum",
            ])
        try expectCells(
            "type: number\ngroupChar: '.'\ndecimalChar: ','\nconstraints: { maximum: 40 }",
            csv: ["34,65": "ok", "34.65": "type-error", "1.000": "constraint-maximum", "34,650": "ok"])
    }

    @Test func `whole numbers have no decimal mark, so a point may group them`() throws {
        try expectCells(
            "type: integer\ngroupChar: '.'\nconstraints: { minimum: 999 }",
            csv: [
                "1.001": "ok", "12.345.678": "ok", "999": "ok", "34.65": "type-error", "1.5": "type-error",
                "1.000,5": "type-error",
                "5.": "type-error",
            ])
        try expectCells("type: integer\ndecimalChar: ','", csv: ["12": "ok", "1,0": "type-error"])
    }

    @Test func `spaces that look the same are one group mark`() throws {
        for mark in [" ", "\\u00A0", "\\u202F", "\\u2009"] {
            try expectCells(
                "type: integer\ngroupChar: \"\(mark)\"",
                csv: [
                    "1 000": "ok", "1\u{A0}000": "ok", "1\u{202F}000\u{2009}000": "ok", "1_000": "type-error",
                    "1 00": "type-error",
                    "1  000": "type-error", " 1 000": "type-error",
                ])
        }
    }

    @Test func `a mark beside a number that is not bare belongs to it`() throws {
        try expectCells(
            "type: number\nbareNumber: false\ngroupChar: ','\nconstraints: { maximum: 1000 }",
            csv: [
                "$1,000": "ok", "$,5": "type-error", "€,500": "type-error", "1,5 %": "type-error", "5,": "type-error",
                "$.5": "ok", "Rs.500": "ok", "Rs.5000": "constraint-maximum", "EUR 1,000.00": "ok",
                "1,000,-": "type-error",
            ])
        try expectCells("type: number\nbareNumber: false", csv: ["$,5": "type-error", "$ 5": "ok", "5 %": "ok"])
        try expectCells("type: integer\nbareNumber: false", csv: ["$.5": "type-error", "Nr.5": "ok", "5.-": "ok"])
    }

    @Test func `numbers that are not bare`() throws {
        try expectCells(
            "type: number\nbareNumber: false\nconstraints: { maximum: 100 }",
            csv: [
                "€ -12.5": "ok", "100%": "ok", "$101": "constraint-maximum", "95 EUR": "ok", "EUR": "type-error",
                "1$2": "type-error", "-INF": "ok",
            ])
        try expectCells("type: number", csv: ["€12": "type-error", "100%": "type-error"])
        try expectCells(
            "type: number\nbareNumber: false\ndecimalChar: ','", csv: ["1.234.": "type-error", "1234.": "ok"])
    }

    /// In Table Schema NaN and INF are numbers; in XML Schema, from which they come, NaN is not ordered.
    @Test func `what is no number in arithmetic is a value, and meets no bound`() throws {
        try expectCells(
            "type: number\nconstraints: { required: true }",
            csv: ["NaN": "ok", "INF": "ok", "-INF": "ok", "": "constraint-required"])
        for bound in ["minimum: -1e308", "maximum: 1e308", "exclusiveMinimum: 0", "enum: [1, 2]"] {
            #expect(try csv(fieldContract("type: number\nconstraints: { \(bound) }"), ["NaN"]) != ["ok"], "\(bound)")
        }
        try expectCells(
            "type: number\nconstraints: { minimum: 0 }",
            csv: ["INF": "ok", "-INF": "constraint-minimum", "NaN": "constraint-minimum"])
        try expectCells("type: integer", csv: ["NaN": "type-error", "INF": "type-error"])
    }

    @Test func `text in JSON is a number where the contract says so, or has marks that only text has`() throws {
        let parse = "sluice: { jsonStrings: parse }"
        try expectCells("type: integer", json: ["\"5\"": "ok", "\"5.0\"": "type-error", "5": "ok"], parse)
        try expectCells("type: number", json: ["\"5.5\"": "ok", "\"NaN\"": "ok", "\"x\"": "type-error"], parse)
        try expectCells("type: boolean", json: ["\"true\"": "ok", "\"maybe\"": "type-error"], parse)
        try expectCells("type: array", json: ["\"[]\"": "ok", "\"{}\"": "type-error"], parse)
        try expectCells("type: boolean", json: ["\"true\"": "type-error", "\"1\"": "type-error", "true": "ok"])
        try expectCells("type: boolean\ntrueValues: [ja]", json: ["\"ja\"": "ok", "true": "ok"])
        try expectCells("type: array", csv: ["[]": "ok"], json: ["\"[]\"": "type-error", "[]": "ok"])
        try expectCells("type: object", csv: ["{}": "ok"], json: ["\"{}\"": "type-error", "{}": "ok"])
        try expectCells(
            "type: number\ndecimalChar: ','", json: ["\"1,5\"": "ok", "1.5": "ok", "\"1.5\"": "type-error"])
        try expectCells("type: integer\ngroupChar: ','", json: ["\"1,500\"": "ok", "\"1,5\"": "type-error"])
        // In JSON, too, a missing value is a text.
        try expectCells("type: number\nmissingValues: ['-']", json: ["\"-\"": "ok", "\"0\"": "type-error"])
        try expectCells("type: year", json: ["\"2024\"": "ok", "2024": "ok"])
    }

    @Test func `bounds and allowed values of numbers`() throws {
        try expectCells(
            "type: number\nconstraints: { minimum: 0.5, maximum: 10 }",
            csv: [
                "0.5": "ok", "10.0": "ok", "1e1": "ok", "0.4999999": "constraint-minimum",
                "10.0000001": "constraint-maximum", "NaN": "constraint-minimum", "INF": "constraint-maximum",
            ])
        try expectCells(
            "type: number\nconstraints: { exclusiveMinimum: 0, exclusiveMaximum: 1 }",
            csv: ["0": "constraint-minimum", "-0": "constraint-minimum", "1": "constraint-maximum", "0.1": "ok"])
        try expectCells(
            "type: number\nconstraints: { enum: [1, 2.5] }",
            csv: ["1.0": "ok", "25e-1": "ok", "2": "constraint-enum"], json: ["1": "ok", "2.50": "ok"])
    }

    @Test func `decimal texts become the nearest double`() {
        var random = SplitMix64(seed: 42)
        var text: [UInt8] = []
        var differing: [String] = []
        func digits(_ count: Int) { for _ in 0..<count { text.append(0x30 + UInt8(random.below(10))) } }
        for round in 0..<120_000 {
            text.removeAll(keepingCapacity: true)
            if random.below(3) == 0 { text.append(random.below(2) == 0 ? 0x2D : 0x2B) }
            let whole = random.below(round % 7 == 0 ? 30 : 9)
            digits(whole)
            if random.below(2) == 0 || whole == 0 {
                text.append(0x2E)
                digits(random.below(round % 5 == 0 ? 30 : 9) + (whole == 0 ? 1 : 0))
            }
            if random.below(3) == 0 {
                text.append(random.below(2) == 0 ? 0x65 : 0x45)
                if random.below(2) == 0 { text.append(random.below(2) == 0 ? 0x2D : 0x2B) }
                digits(1 + random.below(3))
            }
            let string = String(decoding: text, as: UTF8.self)
            let ours = Numbers.decimal(text.span, 0..<text.count)
            if ours?.bitPattern != Double(string)?.bitPattern { differing.append(string) }
        }
        #expect(differing.isEmpty, "\(differing.prefix(5))")
    }

    /// Values that data frames write (the shortest text of a double has up to 17 digits), and the midpoints between two
    /// doubles with their neighbours.
    @Test func `texts of 16 to 19 digits become the nearest double`() {
        var random = SplitMix64(seed: 44)
        var differing: [String] = []
        func check(_ string: String) {
            let text = Array(string.utf8)
            if Numbers.decimal(text.span, 0..<text.count)?.bitPattern != Double(string)?.bitPattern {
                differing.append(string)
            }
        }
        for _ in 0..<60_000 {
            let value = Double(random.next() >> 11) * 0x1p-53
            check("\(value)")
            check("\(-value * 1e5)")
            check("\(value * 1e-9)")
            let bits = UInt64(1) << 52 | random.next() >> 12
            for (places, half) in [(0, "5"), (1, "25"), (1, "75"), (2, "125"), (2, "375")] {
                let middle = "\(bits >> UInt64(places)).\(half)"
                check(middle)
                check(middle + "0")
                if middle.count < 20 { check(middle + "1") }
                check("\((bits >> UInt64(places)) - 1).\(half)")
            }
        }
        for zeros in 1...30 {
            check("0." + String(repeating: "0", count: zeros))
            check("0." + String(repeating: "0", count: zeros) + "1234567890123456789")
            check("9007199254740993." + String(repeating: "0", count: zeros))
        }
        #expect(differing.isEmpty, "\(differing.count): \(differing.prefix(5))")
    }

    @Test func `whole numbers become the nearest double`() {
        var random = SplitMix64(seed: 43)
        for _ in 0..<20_000 {
            var text: [UInt8] = random.below(2) == 0 ? [0x2D] : []
            for _ in 0...random.below(40) { text.append(0x30 + UInt8(random.below(10))) }
            let ours = Numbers.integer(text.span, 0..<text.count)
            #expect(ours == Double(String(decoding: text, as: UTF8.self)))
        }
    }

    @Test(arguments: [
        ("12.0", true), ("1.5e1", true), ("1e2", true), ("100e-2", true), ("0e-5", true), ("-0.0", true),
        ("1e-400", false),
        ("100.0000000000000000000000000001", false), ("1.55e1", false), ("10e-2", false), ("3.7", false),
    ]) func `a JSON number is whole by its digits`(text: String, isWhole: Bool) {
        let bytes = Array(text.utf8)
        #expect(Numbers.isWhole(bytes.span, 0..<bytes.count) == isWhole)
    }
}
