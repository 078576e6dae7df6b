import Schemas
import Tabular
import Testing
import Validating

@Suite struct TextFieldTests {
    /// Classes are Unicode's, in ASCII texts and others.
    @Test func `a pattern means the same in ASCII and beyond`() throws {
        let cases: [(String, KeyValuePairs<String, Bool>)] = [
            ("\\d{2}\\s?\\w+", ["12 ab": true, "12ab_": true, "1a": false, "१२ab": true, "12\u{00A0}é": true]),
            ("(?i)stra(ß|ss)e", ["STRASSE": true, "straße": true, "STRASE": false]),
            ("[^a-z]", ["A": true, "é": true, "b": false]),
            ("(?i)k", ["K": true, "\u{212A}": true, "x": false]), (".{2}", ["ab": true, "éß": true, "é": false]),
            ("[[:punct:]]+", ["$+<": true, "¿": true, "a": false]),
            ("a.b", ["a b": true, "a\u{2028}b": true, "ab": false]),
            ("\\x{41}\\x42", ["AB": true, "AC": false]), ("(*UTF)é|e", ["é": true, "e": true, "x": false]),
        ]
        for (pattern, texts) in cases {
            let schema = try fieldContract(
                "type: string\nconstraints: { pattern: \(JSONValue.string(pattern).text(pretty: false)) }")
            for (text, matches) in texts {
                #expect(try csv(schema, [text]) == [matches ? "ok" : "constraint-pattern"], "\(pattern) \(text)")
            }
        }
    }

    @Test func `text and its formats`() throws {
        try expectCells(
            "type: string", csv: ["x": "ok", "12": "ok", "a,b\nc": "ok"],
            json: ["\"x\"": "ok", "1": "type-error", "true": "type-error", "{}": "type-error", "null": "ok"])
        try expectCells(
            "type: string\nformat: email",
            csv: [
                "ann@example.com": "ok", "a.b+c@x-y.co.uk": "ok", "jörg@müller.de": "ok", "u@example.xn--p1ai": "ok",
                "ann": "type-error", "ann@": "type-error", "@x.com": "type-error", "a@b": "type-error",
                "a..b@x.com": "type-error", "a@-x.com": "type-error", "a b@x.com": "type-error",
                "a@1.2.3.4": "type-error", "http://x.com": "type-error",
            ])
        try expectCells(
            "type: string\nformat: uri",
            csv: [
                "https://example.com/a?b#c": "ok", "mailto:a@b.c": "ok", "urn:isbn:1": "ok", "string": "type-error",
                "://x": "type-error", "http://a b": "type-error", "http://x/%zz": "type-error", "1a:b": "type-error",
            ])
        try expectCells(
            "type: string\nformat: uuid",
            csv: [
                "123e4567-e89b-12d3-a456-426614174000": "ok", "123E4567-E89B-12D3-A456-42661417400G": "type-error",
                "123e4567e89b12d3a456426614174000": "type-error", "123e4567-e89b-12d3-a456-42661417400": "type-error",
            ])
    }

    @Test func `lengths count Unicode scalars`() throws {
        try expectCells(
            "type: string\nconstraints: { minLength: 2, maxLength: 3 }",
            csv: [
                "ab": "ok", "é𝄞x": "ok", "e\u{301}": "ok", "a": "constraint-min-length",
                "e\u{301}e\u{301}": "constraint-max-length", "👩‍💻": "ok",
            ],
            json: ["\"\\u00e9\\ud834\\udd1e\"": "ok", "\"a\"": "constraint-min-length"])
    }

    @Test func `booleans and their words`() throws {
        try expectCells(
            "type: boolean",
            csv: [
                "true": "ok", "True": "ok", "TRUE": "ok", "1": "ok", "false": "ok", "0": "ok", "yes": "type-error",
                "tRUE": "type-error", "t": "type-error",
            ],
            json: ["true": "ok", "false": "ok", "\"true\"": "type-error", "1": "type-error", "0": "type-error"])
        try expectCells(
            "type: boolean\ntrueValues: [ja]\nfalseValues: [nein]",
            csv: ["ja": "ok", "nein": "ok", "true": "type-error"], json: ["true": "ok", "\"nein\"": "ok"])
        try expectCells(
            "type: boolean\nconstraints: { enum: [true] }",
            csv: ["true": "ok", "1": "ok", "false": "constraint-enum", "0": "constraint-enum"],
            json: ["true": "ok", "false": "constraint-enum"])
        try expectCells(
            "type: boolean\ntrueValues: [ja]\nfalseValues: [nein]\nconstraints: { enum: [true] }",
            csv: ["ja": "ok", "nein": "constraint-enum"], json: ["true": "ok", "false": "constraint-enum"])
    }

    @Test func `anything, objects and arrays`() throws {
        try expectCells(
            "type: any\nconstraints: { enum: [a, '1'] }", csv: ["a": "ok", "1": "ok", "b": "constraint-enum"],
            json: ["\"a\"": "ok", "1": "ok", "2": "constraint-enum"])
        try expectCells(
            "type: object\nconstraints: { minLength: 1, maxLength: 2 }",
            csv: [
                "{\"a\":1}": "ok", "{}": "constraint-min-length", "{\"a\":1,\"b\":2,\"c\":3}": "constraint-max-length",
                "[1]": "type-error", "{a:1}": "type-error", "x": "type-error", "{\"a\":1,\"a\":2}": "type-error",
                "{\"a\":1e999}": "ok", "{\"a\":[{\"b\":1,\"b\":1}]}": "type-error",
            ],
            json: [
                "{\"a\":{\"b\":[1,2]}}": "ok", "{}": "constraint-min-length", "[1]": "type-error",
                "\"{\\\"a\\\":1}\"": "type-error", "1": "type-error", "{ }": "constraint-min-length",
                "{\"a\":1e999}": "ok", "{\"a,\\\",\":[1,{\"b\":2,\"c\":3}], \"d\":\"{,\"}": "ok",
                "{\"a\":1, \"b\":[],\"c\":{}}": "constraint-max-length",
            ])
        try expectCells(
            "type: array", csv: ["[]": "ok", "[1,\"a\"]": "ok", "{}": "type-error", "1,2": "type-error"],
            json: ["[[]]": "ok", "{}": "type-error", "\"[1]\"": "type-error", "\"1\"": "type-error"])
    }

    @Test func `patterns match the whole text`() throws {
        try expectCells(
            "type: string\nconstraints: { pattern: 'a|bc' }",
            csv: ["a": "ok", "bc": "ok", "abc": "constraint-pattern", "ab": "constraint-pattern"])
        try expectCells(
            "type: string\nconstraints: { pattern: '^[A-Z]{2}\\d$' }",
            csv: ["AB1": "ok", "AB1\n": "constraint-pattern", "xAB1": "constraint-pattern"], json: ["\"AB1\"": "ok"])
        try expectCells(
            "type: string\nconstraints: { pattern: '\\p{L}.' }",
            csv: ["é𝄞": "ok", "éé": "ok", "é": "constraint-pattern"])
    }

    @Test func `a hostile pattern ends by its budget, an honest one on a long text does not`() throws {
        let long = String(repeating: "a", count: 100_000)
        for pattern in ["(a+)+$", "(.*a){25}", "(a|aa)+"] {
            let schema = try fieldContract("type: string\nconstraints: { pattern: '\(pattern)' }")
            let found = try csv(schema, [long + "!", "aaaa!"])
            #expect(["pattern-over-budget", "constraint-pattern"].contains(found[0]), "\(pattern): \(found)")
            #expect(found[1] == "constraint-pattern", "\(pattern): \(found)")
        }
        // These need a step and some stack for each repetition, so the limit grows with the text.
        let words = String(repeating: "ab cd ", count: 10_000)
        for pattern in [
            "(?:[a-z]+ ?)*", "(?:(?:ab|cd) )+", "(\\w+\\s)+", "([^ ]* )*", "(?:a|b|c|d| )+", "(?s).*cd .*",
            "([a-z][a-z] )+?", "(a?b? ?c?d? ?)*",
        ] {
            let schema = try fieldContract("type: string\nconstraints: { pattern: '\(pattern)' }")
            #expect(try csv(schema, [words]) == ["ok"], "\(pattern)")
        }
    }

    @Test func `missing values of the contract and of the field, quoted or not`() throws {
        let required = "type: integer\nconstraints: { required: true }"
        try expectCells(
            required, csv: ["": "constraint-required", "NA": "type-error", "1": "ok"],
            json: ["null": "constraint-required", "\"\"": "constraint-required"])
        try expectCells(
            required, csv: ["": "constraint-required", "NA": "constraint-required", "n/a": "type-error"],
            json: ["\"NA\"": "constraint-required"], "missingValues: ['', NA]\n")
        try expectCells(
            required + "\nmissingValues: ['-', '-999']",
            csv: ["-": "constraint-required", "-999": "constraint-required", "": "type-error", "NA": "type-error"],
            json: ["-999": "ok"], "missingValues: [NA]\n")
        try expectCells(
            "type: string\nmissingValues: []\nconstraints: { minLength: 1 }", csv: ["": "constraint-min-length"])
        let schema = try fieldContract("type: string\nconstraints: { required: true }")
        #expect(
            try verdicts(schema, "{\"z\":1}\n{\"v\":null}\n{\"v\":\"x\"}\n", .jsonl) == [
                "constraint-required", "constraint-required", "ok",
            ])
    }
}
