import Schemas
import Tabular
import Testing

/// How a change of contract affects data that passed.
@Suite struct SchemaDiffTests {
    private func changes(_ old: String, _ new: String) throws -> [String] {
        let (before, after) = (try contract(old).schema, try contract(new).schema)
        return before.changes(to: after).map { "\($0.verdict.rawValue) \($0.place)" }
    }

    @Test(arguments: [
        ("{name: a, type: integer}", "{name: a, type: number}", ["widening fields.a.type"]),
        ("{name: a, type: number}", "{name: a, type: integer}", ["breaking fields.a.type"]),
        ("{name: a, type: string, format: email}", "{name: a}", ["widening fields.a.type"]),
        ("{name: a, type: any}", "{name: a, type: string}", ["breaking fields.a.type"]),
        (
            "{name: a, type: integer, constraints: {minimum: 1, maximum: 9}}",
            "{name: a, type: integer, constraints: {minimum: 0, maximum: 8}}",
            ["breaking fields.a.constraints.maximum", "widening fields.a.constraints.minimum"]
        ),
        (
            "{name: a, constraints: {enum: [x, y]}}", "{name: a, constraints: {enum: [y, z]}}",
            ["breaking fields.a.constraints.enum", "widening fields.a.constraints.enum"]
        ),
        (
            "{name: a, constraints: {enum: [x, y]}}", "{name: a, constraints: {enum: [y, x]}}",
            ["cosmetic fields.a.constraints.enum"]
        ),
        ("{name: a, constraints: {required: true}}", "{name: a}", ["widening fields.a.constraints.required"]),
        ("{name: a}", "{name: a, constraints: {pattern: x}}", ["breaking fields.a.constraints.pattern"]),
        ("{name: a, title: T}", "{name: a, title: U}", ["cosmetic fields.a.title"]),
        ("{name: a}", "{name: a}, {name: b}", ["breaking fields.b"]),
        ("{name: a}, {name: b}", "{name: a}", ["breaking fields.b"]),
        ("{name: a}, {name: b}", "{name: b}, {name: a}", ["cosmetic fields"]),
        (
            "{name: a, sluice: {pii: {entity: ID, operator: drop}}}", "{name: a}",
            ["breaking fields.a.sluice.pii"]
        ),
        ("{name: a}", "{name: a, missingValues: ['', NA]}", ["breaking fields.a.missingValues"]),
        ("{name: a}", "{name: a}", []),
    ]) func `one change of a field`(old: String, new: String, expected: [String]) throws {
        #expect(try changes("fields: [\(old)]", "fields: [\(new)]") == expected)
    }

    @Test(arguments: [
        ("sluice: {unknownFields: keep}", "widening sluice.unknownFields"), ("primaryKey: a", "breaking primaryKey"),
        ("sluice: {limits: {maxRowBytes: 5}}", "breaking sluice.limits.maxRowBytes"),
        ("sluice: {limits: {maxCellBytes: 100000}}", "widening sluice.limits.maxCellBytes"),
        ("sluice: {batch: {maxRejectedRate: 0.5}}", "widening sluice.batch.maxRejectedRate"),
        ("sluice: {batch: {maxRejected: 3}}", "breaking sluice.batch.maxRejected"),
        ("sluice: {hiddenText: reject}", "breaking sluice.hiddenText"),
        ("sluice: {hiddenText: allow}", "widening sluice.hiddenText"), ("uniqueKeys: [[a]]", "breaking uniqueKeys"),
        ("version: 2", "cosmetic version"), ("sluice: {dialect: {delimiter: ;}}", "breaking sluice.dialect"),
    ]) func `one change of a setting`(line: String, expected: String) throws {
        #expect(try changes("fields: [{name: a}]", "fields: [{name: a}]\n\(line)") == [expected])
    }

    @Test func `what matters most comes first`() throws {
        let found = try changes(
            "fields: [{name: a, title: x}, {name: b, type: integer}]",
            "fields: [{name: a}, {name: b, type: any}, {name: c}]")
        #expect(found == ["breaking fields.c", "widening fields.b.type", "cosmetic fields.a.title"])
    }

    @Test func `a stripped contract has nothing of ours`() throws {
        let document = try contract(
            "fields: [{name: a, sluice: {role: key}, constraints: {required: true}}]\nname: n\nsluice: {unknownFields: keep}"
        ).document
        let stripped = strippedDescriptor(document).text(pretty: false)
        #expect(stripped == #"{"fields":[{"constraints":{"required":true},"name":"a"}],"name":"n"}"#)
    }
}
