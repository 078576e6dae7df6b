import Schemas
import Sketches
import Tabular
import Testing
import Validating

/// Row rules: a subset of CEL. Expected results are those of cel-spec's text; they were compared with a second
/// implementation when they were written.
@Suite struct RowRuleTests {
    private static let fields = """
        fields:
          - { name: i, type: integer }
          - { name: j, type: integer }
          - { name: x, type: number }
          - { name: s, type: string }
          - { name: p, type: boolean }
          - { name: d, type: datetime }
          - { name: day, type: date }
          - { name: clock, type: time }
          - { name: y, type: year }
          - { name: list, type: array }
          - { name: odd name, type: integer }

        """

    private func schema(_ rules: [String], action: String = "reject") throws -> Schema {
        let lines = rules.map { rule in
            "    - { name: \(JSONValue.string(String(rule.prefix(100))).text(pretty: false)), "
                + "rule: \(JSONValue.string(rule).text(pretty: false)), action: \(action) }\n"
        }
        return try contract(Self.fields + "sluice:\n  rules:\n" + lines.joined())
    }

    /// The rules that a record breaks.
    private func broken(_ rules: [String], _ record: String) throws -> Set<String> {
        let schema = try schema(rules)
        let validator = try Validator(schema, hash: testHash)
        var names: Set<String> = []
        for batch in try blocks(record + "\n", schema, .jsonl) {
            for finding in validator.validate(batch).findings {
                #expect(finding.code == .rowConstraint && finding.outcome == .rejected && finding.field == nil)
                names.insert(finding.rule ?? "")
            }
        }
        return names
    }

    private static let record = """
        {"i": 7, "j": -2, "x": 2.5, "s": "Grüße aus Köln", "p": true, "d": "2024-02-29T23:59:58.250Z", \
        "day": "2026-11-21", "clock": "08:30:00", "y": 2024, "list": [1], "odd name": 3}
        """

    @Test(arguments: [
        "i == 7", "i != 8", "i > j", "j < 0", "i >= 7 && i <= 7", "i + j == 5", "i - j == 9", "i * j == -14",
        "i / j == -3", "i % j == 1", "-i == -7", "--i == 7", "i == 0x7", "x == 2.5", "x * 2.0 == 5.0",
        "x / 0.0 > 1e300",
        "i > x", "x < i", "double(i) == 7.0", "int(x) == 2", "int(-x) == -2", "int('12') + i == 19",
        "double('1.5') + x == 4.0", "string(i) == '7'", "string(p) == \"true\"", "s.size() == 14", "size(s) == 14",
        "s.startsWith('Grüße')", "s.endsWith('Köln')", "s.contains('aus')", "!s.contains('ausaus')", "s.contains('')",
        "s.matches('K.ln$')", "!s.matches('^K')", "s.matches(r'\\bK')", "s.lowerAscii() == 'grüße aus köln'",
        "s.upperAscii().startsWith('GR')", "('  ' + s + '\\u00a0\\n').trim() == s", "s + '!' != s",
        "s < 'H' && s > 'G'",
        "p", "p == true", "!(p == false)", "p ? i > 0 : i < 0", "i < 0 ? false : true", "i in [1, 3, 7]",
        "!(i in [1, 2])", "i in [j, i,]", "x in [1, 2.5]", "!(i in [])", "s in ['x', \"Grüße aus Köln\"]",
        "has(i)", "i != null", "!(i == null)", "has(list)", "list != null", "row['odd name'] == 3", "row[\"i\"] == 7",
        "d.getFullYear() == 2024", "d.getMonth() == 1", "d.getDate() == 29", "d.getDayOfMonth() == 28",
        "d.getDayOfWeek() == 4", "d.getDayOfYear() == 59", "d.getHours() == 23", "d.getMinutes() == 59",
        "d.getSeconds() == 58", "d.getMilliseconds() == 250", "d < timestamp('2024-03-01T00:00:00Z')",
        "d + duration('2s') > timestamp('2024-03-01')", "day > d", "day - d > duration('24h')",
        "(timestamp('2024-03-01') - d) == duration('1.75s')", "clock >= duration('8h') && clock < duration('8h31m')",
        "clock.getHours() == 8", "clock.getMinutes() == 510", "y == d.getFullYear()",
        "int(timestamp('1970-01-02')) == 86400 && p",
        "timestamp(string(y) + '-01-01') < d", "math.abs(j) == 2", "math.greatest(i, j, 3) == 7",
        "math.least(i, j) == -2",
        "math.floor(-x) == -3.0", "math.ceil(x) == 3.0", "math.round(x) == 3.0", "math.trunc(-x) == -2.0",
        "i > 100 || p // a comment", "false || i / 0 == 1 || true", "!(i / 0 == 1 && false)",
        "i == 7 ? true : i / 0 == 1", "'''a'b''' + s != \"\"\"\"\"\"", "-9223372036854775808 < i",
    ])
    func `a rule that holds finds nothing`(rule: String) throws {
        #expect(try broken([rule], Self.record) == [])
    }

    @Test(arguments: [
        "i == 8", "i > x + 100.0", "s.matches('^aus')", "i in [1, 2]", "has(i) == false", "p == false", "d > day",
        // An error violates the rule; in a list, it does so even if the value itself is missing.
        "i / 0 == 0", "i % 0 == 0", "9223372036854775807 + i > 0", "-(j - 9223372036854775807) > 0",
        "int(x * 1e300) > 0",
        "int(s) > 0", "double(s) > 0.0", "timestamp(s) > d", "i in [7, i / 0]", "!(i / 0 == 0)",
        "s.matches('(G|Gr|Grü)(ß|e|ße)*(.*a){25}x')",
    ])
    func `a rule that does not hold, or has no answer, is broken`(rule: String) throws {
        #expect(try broken([rule], Self.record) == [rule])
    }

    @Test func `a missing value leaves a question open, unless it is decided without it`() throws {
        let record = #"{"i": 1, "s": null, "list": null}"#
        let held = [
            "j > 0", "j < 0", "i + j > 100", "!(j > 0)", "j > 0 && i == 1", "j > 0 || i == 2", "j in [1]",
            "i in [j, 2]",
            "i in [1, j]", "s.contains('x')", "s == ''", "j > 0 ? false : false", "!has(j)", "j == null", "!has(list)",
            "i == 1 ? true : j > 0", "math.abs(j) < 0",
        ]
        #expect(try broken(held, record) == [])
        let broken = [
            "j in [i, 1 / 0]", "has(j)", "j != null", "j > 0 && i == 2", "i == 1 ? has(s) : true", "i / 0 == j",
        ]
        #expect(try self.broken(broken, record) == Set(broken))
    }

    @Test func `whole numbers are exact beyond what a double holds`() throws {
        let record = #"{"i": 9007199254740993, "j": 9007199254740992, "x": 9007199254740992}"#
        #expect(try broken(["i > j", "i - j == 1", "i > x", "j == x"], record) == [])
        // An integer beyond 64 bits is not an integer of the language.
        #expect(try broken(["i > 0"], #"{"i": 9223372036854775808}"#) == ["i > 0"])
    }

    @Test func `rows with another finding are not judged, and both passes judge alike`() throws {
        let text = "i,j,x,s,p,d,day,clock,y,list,odd name\n1,,,,,,,,,,\nbad,,,,,,,,,,\n9,,,,,,,,,,\n3,,,,,,,,,,\n"
        for action in ["flag", "quarantine", "reject"] {
            let schema = try schema(["i < 5", "i != 3"], action: action)
            let validator = try Validator(schema, hash: testHash)
            for batch in try blocks(text, schema, .csv, blockRows: 2) {
                let first = validator.validate(batch)
                #expect(
                    validator.replay(batch, known: .init(isValid: first.isValid), repeats: []).findings
                        == first.findings)
                for finding in first.findings where finding.code == .rowConstraint {
                    #expect((finding.row, finding.rule) == (3, "i < 5") || (finding.row, finding.rule) == (4, "i != 3"))
                    #expect(first.isValid[batch.index(of: finding)] == (action != "reject"))
                }
                #expect(first.findings.count == (batch.firstRow == 1 ? 1 : 2))
            }
        }
    }

    @Test func `a column that a file lacks is missing in every row`() throws {
        let schema = try contract(
            "fields: [{ name: a, type: integer }, { name: b, type: integer }]\nfieldsMatch: superset\n"
                + "sluice: { rules: [\"a <= b\", \"a > 1 ? has(b) : true\"] }\n")
        #expect(try verdicts(schema, "a\n1\n2\n", .csv) == ["ok", "row-constraint"])
    }

    /// The texts that a rule makes are bounded for each row; the first version trapped at seven gigabytes.
    @Test func `a rule that makes too much of a row has no answer`() throws {
        let rule =
            "(" + Array(repeating: "s", count: 120).joined(separator: " + ") + ")"
            + String(repeating: ".lowerAscii()", count: 60) + " != 'x'"
        let text = String(repeating: "A", count: 60_000)
        #expect(try broken([rule], "{\"s\": \"\(text)\"}") == [String(rule.prefix(100))])
        #expect(try broken([rule], "{\"s\": \"A\"}") == [])
    }

    @Test func `rules know the types that a JSON Schema gives`() throws {
        func verdicts(_ format: String, _ rules: String, _ lines: String) throws -> [String] {
            let schema = try Schema.load(
                Array(
                    """
                    {"properties": {"ok": {"type": "boolean"}, "at": {"type": "string", "format": "date"},
                     "l": {"type": "array"}, "s": {"type": ["string", "null"]}},
                     "sluice": {"jsonSchema": {"format": "\(format)"}, "rules": [\(rules)]}}
                    """.utf8), name: "c.json"
            ).schema
            return try ValidatingTests.verdicts(schema, lines, .jsonl)
        }
        let lines =
            "{\"ok\": true, \"at\": \"2024-01-01\", \"l\": [], \"s\": \"x\"}\n{\"ok\": false, \"at\": \"2023-01-01\"}\n{\"s\": null}\n"
        #expect(try verdicts("annotation", "\"ok\"", lines) == ["ok", "row-constraint", "ok"])
        #expect(try verdicts("assertion", "\"at > timestamp('2023-06-01')\"", lines) == ["ok", "row-constraint", "ok"])
        #expect(
            try verdicts("annotation", "\"at > '2023-06-01' && s != 'y'\"", lines) == ["ok", "row-constraint", "ok"])
        #expect(throws: SchemaError.self) { try verdicts("annotation", "\"ok == 'true'\"", lines) }
        #expect(throws: SchemaError.self) { try verdicts("annotation", "\"l == 'x'\"", lines) }
    }

    /// Random words are a rule or are refused; a rule has a result for any record, and none traps.
    @Test func `random words never trap`() throws {
        let words = [
            "i", "j", "x", "s", "p", "d", "day", "clock", "y", "list", "row['odd name']", "has(", "(", ")", "[", "]",
            ",", "?", ":", "!",
            "-", "+", "*", "/", "%", "&&", "||", "==", "!=", "<", "<=", ">", ">=", "in", ".", "size(", ".size()",
            ".contains(",
            ".startsWith(", ".trim()", ".lowerAscii()", ".matches('a+')", "int(", "double(", "string(", "math.abs(",
            "math.greatest(",
            "duration('1h')", "timestamp('2024-01-01')", "timestamp(", ".getFullYear()", ".getDayOfYear()",
            ".getHours()", "null", "true",
            "0", "1", "9223372036854775807", "-9223372036854775808", "1e308", "0.1", "''", "'é'", "r'\\'", "\"x\"",
            "//", "é", "`", "0x",
        ]
        let records = [
            Self.record, "{}",
            #"{"i": -9223372036854775808, "j": -1, "x": 1e308, "s": "", "d": "0001-01-01T00:00:00Z", "y": -9999}"#,
            #"{"i": 9223372036854775807, "x": -0.0, "s": "\u0000é", "day": "9999-12-31", "clock": "24:00:00", "p": false}"#,
        ].joined(separator: "\n")
        let operators = [
            "-", "+", "*", "/", "%", "&&", "||", "==", "!=", "<", ">=", "in [i, 1] ||", "? i :", "== null ||",
        ]
        let operands = [
            "i", "j", "-i", "x", "-x", "s", "p", "!p", "d", "day", "clock", "y", "size(s)", "int(x)", "double(i)",
            "string(i)", "int(s)",
            "math.abs(i)", "math.floor(x)", "math.least(i, j)", "d.getDayOfYear()", "day.getFullYear()",
            "clock.getHours()", "s.trim()",
            "s.matches('a+')", "s.contains(s)", "has(list)", "duration('1h')", "timestamp(s)", "1",
            "-9223372036854775808", "1e308", "'é'",
            "row['odd name']", "(i + j)", "(d - day)", "(day + clock)",
        ]
        var random = SplitMix64(seed: 41)
        var taken = 0
        for _ in 0..<8000 {
            // Half of them in an order that may be valid, so that more are accepted.
            var rule = ""
            if random.below(2) == 0 {
                for part in 0...1 + random.below(3) {
                    if part > 0 { rule += " " + operators[random.below(operators.count)] + " " }
                    rule += operands[random.below(operands.count)]
                }
            } else {
                for _ in 0..<1 + random.below(7) { rule += " " + words[random.below(words.count)] }
            }
            guard let schema = try? schema([rule]) else { continue }
            taken += 1
            let validator = try Validator(schema, hash: testHash)
            for batch in try blocks(records, schema, .jsonl) {
                let first = validator.validate(batch)
                #expect(
                    validator.replay(batch, known: .init(isValid: first.isValid), repeats: []).findings
                        == first.findings)
            }
        }
        #expect(taken > 100)
    }

    /// A pattern match counts steps and `contains` is linear, so the cost of a text is proportional to its length.
    @Test func `hostile texts cost no more than their length`() throws {
        let text = String(repeating: "a", count: 60_000)
        let record = "{\"i\": 1, \"s\": \"\(text)\"}"
        #expect(
            try broken(["!s.contains(s + 'b')", "!(s + s + s).contains(s + s + 'b')", "s.contains(s)"], record) == [])
    }
}
