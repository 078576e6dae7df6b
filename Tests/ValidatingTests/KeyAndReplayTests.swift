import Schemas
import Sketches
import Tabular
import Testing
import Validating

@Suite struct KeyAndReplayTests {
    /// Rows that repeat the key of an earlier row, for each uniqueness rule.
    private func duplicates(_ schema: Schema, _ text: String, _ format: SourceFormat) throws -> [[Int]] {
        let validator = try Validator(schema, hash: testHash)
        var keys = validator.keyRules.map { _ in DistinctKeys() }
        for batch in try blocks(text, schema, format) {
            for (rule, found) in validator.validate(batch).keys.enumerated() {
                for key in found { keys[rule].add(key.hash, row: key.row) }
            }
        }
        return keys.map { Array($0.duplicates()) }
    }

    @Test func `unique numbers are compared by value, texts by their bytes`() throws {
        let number = try fieldContract("type: number\nconstraints: { unique: true }")
        #expect(try duplicates(number, "v,z\n1,\n1.0,\n10e-1,\n,\n,\n0,\n-0,\n2,\n", .csv) == [[2, 3, 7]])
        #expect(try duplicates(number, "{\"v\":1}\n{\"v\":1.0}\n{\"v\":null}\n{}\n", .jsonl) == [[2]])
        let text = try fieldContract("type: string\nconstraints: { unique: true }")
        #expect(try duplicates(text, "v,z\na,\n\"a\",\nA,\n,\n,\n\"a\"\"\",\n", .csv) == [[2]])
        #expect(try duplicates(text, "{\"v\":\"a\"}\n{\"v\":\"\\u0061\"}\n", .jsonl) == [[2]])
        let whole = try fieldContract("type: integer\nconstraints: { unique: true }")
        #expect(try duplicates(whole, "v,z\n9007199254740992,\n9007199254740993,\n007,\n7,\n", .csv) == [[4]])
    }

    @Test func `a key is what a value means, however it is written`() throws {
        for (lines, cells) in [
            ("type: integer", ["9007199254740993", "09007199254740993", "+9007199254740993", "9007199254740992"]),
            ("type: number", ["1e20", "100000000000000000000", "1.0E+20", "1e21"]),
            ("type: number", ["NaN", "NaN", "NaN", "INF"]),
            ("type: boolean", ["true", "1", "TRUE", "false"]),
            (
                "type: datetime",
                ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00.0Z", "2024-01-01T00:00:01Z"]
            ),
            (
                "type: datetime",
                [
                    "2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00.12345670Z",
                    "2024-01-01T01:00:00.1234567+01:00", "2024-01-01T00:00:00.1234568Z",
                ]
            ),
            ("type: date\nformat: any", ["2024-01-31", "31 Jan 2024", "2024-01-31", "2024-02-01"]),
        ] {
            let schema = try fieldContract(lines + "\nconstraints: { unique: true }")
            #expect(try duplicates(schema, "v,z\n" + cells.map { $0 + ",\n" }.joined(), .csv) == [[2, 3]], "\(lines)")
        }
        let whole = try fieldContract(
            "type: integer\nconstraints: { unique: true }", "sluice: { jsonStrings: parse }")
        let tokens = [
            "9007199254740993", "9007199254740993.0", "9007199254740993e0", "\"09007199254740993\"", "123e20",
            "1230e19",
        ]
        #expect(try duplicates(whole, tokens.map { "{\"v\":\($0)}\n" }.joined(), .jsonl) == [[2, 3, 4, 6]])
    }

    @Test func `a composite primary key`() throws {
        let schema = try contract(
            "primaryKey: [a, b]\nfields:\n  - { name: a, type: string }\n  - { name: b, type: string }\n")
        let text = "a,b\nx,y\nxy,\n,xy\nx,y\nxy,z\nx,yz\n"
        #expect(try duplicates(schema, text, .csv) == [[4]])
        #expect(try verdicts(schema, text, .csv) == ["ok", "primary-key", "primary-key", "ok", "ok", "ok"])
    }

    @Test func `a primary key of one unique field is one rule, and the field is required`() throws {
        let schema = try contract("primaryKey: [a]\nfields:\n  - { name: a, constraints: { unique: true } }\n")
        #expect(try Validator(schema, hash: testHash).keyRules.count == 1)
        #expect(try verdicts(schema, "{\"a\": \"x\"}\n{}\n", .jsonl) == ["ok", "constraint-required"])
    }

    @Test func `what is of another type is no key`() throws {
        let schema = try contract(
            "primaryKey: [a, b]\nfields:\n  - { name: a, type: date }\n  - { name: b }\n"
                + "  - { name: c, type: date, constraints: { unique: true } }\n"
        )
        let text = "a,b,c\n2024-01-32,x,1\n2024-01-32,x,1\n2024-01-31,x,2024-01-31\n2024-01-31,x,2024-01-31\n"
        #expect(try duplicates(schema, text, .csv) == [[4], [4]])
        #expect(try verdicts(schema, text, .csv).prefix(2) == ["type-error type-error", "type-error type-error"])
    }

    private static let replayed = """
        primaryKey: [id, day]
        missingValues: ['', NA]
        fields:
          - { name: id, type: integer, constraints: { required: true, minimum: 0 } }
          - { name: day, type: date, constraints: { maximum: '2024-12-31' } }
          - { name: x, type: number, groupChar: ',', constraints: { maximum: 1000 } }
          - { name: code, type: string, constraints: { pattern: '[A-Z]{2}', unique: true } }
        """

    @Test(arguments: [SourceFormat.csv, .jsonl])
    func `replaying with the verdicts of the first pass finds the same`(format: SourceFormat) throws {
        let schema = try contract(Self.replayed)
        let validator = try Validator(schema, hash: testHash)
        var random = SplitMix64(seed: 7)
        func pick(_ choices: [String]) -> String { choices[random.below(choices.count)] }
        for _ in 0..<20 {
            var text = format == .csv ? "id,day,x,code\n" : ""
            for _ in 0..<200 {
                let id = pick(["1", "2", "3", "99", "-1", "NA", "x", ""])
                let day = pick(["2024-01-01", "2024-02-30", "2025-01-01", "2023-05-05", "NA"])
                let x = pick(["1", "1.5", "2000", "NA", "abc", "\"1,000\""])
                let code = pick(["AB", "CD", "ab", "ABC", ""])
                let bad = random.below(40) == 0
                if format == .csv {
                    text += bad ? "1,2\n" : "\(id),\(day),\(x),\(code)\n"
                } else {
                    let number = x.hasPrefix("\"") || x == "NA" || x == "abc" ? "\"1,000\"" : x
                    text += bad ? "{\n" : "{\"day\":\"\(day)\",\"id\":\"\(id)\",\"code\":\"\(code)\",\"x\":\(number)}\n"
                }
            }
            for batch in try blocks(text, schema, format, blockRows: 64) {
                let first = validator.validate(batch)
                let second = validator.replay(batch, known: .init(isValid: first.isValid), repeats: [])
                #expect(second.findings == first.findings)
                #expect(second.isValid == first.isValid)
                for row in 0..<batch.count where first.isValid[row] {
                    let same = zip(first.numbers, second.numbers).allSatisfy {
                        $0[row].bitPattern == $1[row].bitPattern
                    }
                    #expect(same)
                }
                guard let sound = first.isValid.firstIndex(of: true) else { continue }
                let third = validator.replay(
                    batch, known: .init(isValid: first.isValid), repeats: [(rule: 0, row: sound)])
                #expect(third.isValid.count { $0 } == first.isValid.count { $0 } - 1)
                #expect(third.findings.count { $0.code == .uniqueError && $0.row == batch.firstRow + sound } == 1)
            }
        }
    }
}
