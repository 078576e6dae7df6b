import Schemas
import Tabular
import Testing

@Suite struct RowRuleLoadingTests {
    private func refused(_ rule: String) -> SchemaError? {
        let text = JSONValue.string(rule).text(pretty: false)
        return refusal(
            "fields: [{ name: id, type: integer }, { name: amount, type: number }, { name: status }, { name: at, type: date }, "
                + "{ name: tags, type: array }]\nsluice:\n  rules:\n    - \(text)\n")
    }

    @Test(arguments: [
        ("amount <= amout", 11, "did you mean \"amount\""), ("id + amount > 1.0", 4, "double(…)"),
        ("id = 3", 4, "=="), ("status.startWith('x')", 8, "startsWith"), ("id", 1, "true or false"), ("has(id", 7, ")"),
        ("has(1)", 1, "has(…)"), ("status == 3", 8, "no meaning"), ("'abc == status", 1, "does not end"),
        ("id in status", 7, "list"), ("id in [1, 'a']", 4, "no meaning"), ("id in [null]", 12, "null"),
        ("tags == tags", 6, "nested"), ("tags.all(t, t > 0)", 10, "field"), ("status.exists(id)", 8, "no loops"),
        ("1 == 1", 1, "no field"), ("while == 1", 1, "row['while']"), ("id > null", 4, "order"),
        ("at > '2020-01-01'", 4, "timestamp('…')"), ("at > timestamp('soon')", 6, "RFC 3339"),
        ("at - at > duration('1 day')", 11, "1h30m"), ("9223372036854775808 > id", 1, "64 bits"),
        ("id > 1 && status", 11, "true or false"), ("!id", 1, "true or false"), ("-status == ''", 1, "number"),
        ("id ? true : false", 1, "true or false"), ("id > 0 ? 1 : 'a'", 1, "one type"), ("id > 1u", 7, "unsigned"),
        ("status == '\\q'", 12, "escape"), ("id > 1 id", 8, "end here"), ("", 1, "ends"), ("status.size", 12, "("),
        ("amount % 2.0 > 0.0", 8, "no meaning"), ("status.matches(status)", 8, "literal"), ("id > {}", 6, "maps"),
    ])
    func `a rule that is none is refused where it goes wrong`(rule: String, character: Int, hint: String) throws {
        let error = try #require(refused(rule), "\(rule) was taken")
        #expect(error.code == .unusableRule && error.line == 4, "\(error)")
        #expect(error.message.hasPrefix("character \(character) of the rule: "), "\(error)")
        #expect(error.message.contains(hint), "\(error)")
    }

    @Test func `rules nest as deep and grow as long as people write them`() throws {
        #expect(refused(String(repeating: "(", count: 20) + "id > 1" + String(repeating: ")", count: 20)) == nil)
        #expect(refused(String(repeating: "(", count: 100_000))?.code == .unusableRule)
        #expect(refused(String(repeating: "(", count: 300))?.message.contains("deeper") == true)
        #expect(refused(String(repeating: "id + ", count: 400) + "id > 1")?.message.contains("words") == true)
        #expect(refused(String(repeating: "!", count: 200) + "has(id)") == nil)
    }

    @Test func `a rule has a name, its own or its text, once`() throws {
        let base = "fields: [{ name: id, type: integer }]\nsluice:\n  rules:\n"
        let loaded = try contract(
            base + "    - id > 1\n    - { name: small, rule: id < 9, action: quarantine, description: why }\n")
        #expect(loaded.schema.rules.map(\.name) == ["id > 1", "small"])
        #expect(loaded.schema.rules.map(\.action) == [.rejected, .quarantined])
        #expect(loaded.warnings == [])
        #expect(refusal(base + "    - id > 1\n    - id > 1\n")?.code == .inconsistent)
        #expect(refusal(base + "    - { rule: id > 1, action: warn }\n")?.code == .unknownValue)
        #expect(refusal(base + "    - { name: x }\n")?.code == .missing)
        #expect(refusal(base + "    - { rule: id > 1, actoin: flag }\n")?.code == .unknownKey)
    }

    /// The guard against alias bombs took these for an anchor and aliases.
    @Test func `rules may multiply and join`() throws {
        let rule = (1...12).map { "id * id > \($0)" }.joined(separator: " && ")
        let loaded = try contract("fields: [{ name: id, type: integer }]\nsluice: { rules: [\"\(rule)\"] }\n")
        #expect(loaded.schema.rules.count == 1)
    }

    @Test func `a rule that comes, goes or changes is told by what it does`() throws {
        func schema(_ rules: String) throws -> Schema {
            try contract("fields: [{ name: id, type: integer }]\nsluice: { rules: [\(rules)] }\n").schema
        }
        let old = try schema("{ name: a, rule: id > 1 }, { name: b, rule: id < 9 }")
        let new = try schema(
            "{ name: a, rule: id > 2 }, { name: b, rule: id < 9, action: flag }, { name: c, rule: id != 5 }")
        #expect(
            old.changes(to: new).map { "\($0.verdict.rawValue) \($0.what)" } == [
                "breaking \"a\" changed", "breaking \"c\" added", "widening \"b\": from rejected to flagged",
            ])
        #expect(new.changes(to: old).contains { $0.verdict == .widening && $0.what.contains("removed") })
    }
}
