import Schemas
import Tabular
import Testing

/// The tables of settings beside the loaders: a row that no loader reads would be accepted and ignored.
@Suite struct SettingTests {
    /// A key with the way that leads to it; `[]` is an element of a list.
    private struct Row {
        let way: [String]
        let setting: Setting

        var path: String {
            way.reduce("") { $1 == "[]" ? $0 + "[0]" : $0.isEmpty ? $1 : "\($0).\($1)" }
        }
    }

    private static func rows(of group: SettingGroup, at way: [String]) -> [Row] {
        group.settings.flatMap { setting in
            let own = Row(way: way + [setting.key], setting: setting)
            switch setting.kind {
            case .mapping(let below), .wordsOrMapping(_, let below): return [own] + rows(of: below, at: own.way)
            case .mappings(let below, or: _): return [own] + rows(of: below, at: own.way + ["[]"])
            case .named(let what, let below):
                return [own] + rows(of: below, at: own.way + [what == "field" ? "amount" : "customers"])
            default: return [own]
            }
        }
    }

    private static let all =
        rows(of: .contract, at: ["sluice"]) + rows(of: .field, at: ["fields", "[]", "sluice"])

    /// A document with a value at the end of a way.
    private static func placed(_ value: JSONValue, at way: ArraySlice<String>, in base: JSONValue?) -> JSONValue {
        guard let first = way.first else { return value }
        if first == "[]" {
            var items = base?.items ?? [.null]
            items[0] = placed(value, at: way.dropFirst(), in: items[0])
            return .array(items)
        }
        var members = base?.members ?? [:]
        members[first] = placed(value, at: way.dropFirst(), in: members[first])
        return .object(members)
    }

    /// A value that a key of no kind takes.
    private static func wrong(_ kind: Setting.Kind) -> JSONValue {
        switch kind {
        case .list, .mappings: .bool(true)
        default: .array([.array([.integer(1)])])
        }
    }

    /// A sound contract with what the loader asks for before it reads the key.
    private static func base(_ row: Row, operation: MaskOperator) -> JSONValue {
        let amount = JSONValue.object(["name": .string("amount"), "type": .string("number")])
        let id = JSONValue.object(["name": .string("id"), "type": .string("integer")])
        var base = JSONValue.object(["fields": .array([amount, id])])
        if row.way.contains("crossVerify") {
            let rule = JSONValue.object([
                "key": .array([.string("id")]), "fields": .object(["amount": .object([:])]),
            ])
            base = placed(rule, at: ["sluice", "poisoning", "crossVerify"], in: base)
        }
        if row.way.contains("rules") {
            base = placed(.string("amount > 0.0"), at: ["sluice", "rules", "[]", "rule"], in: base)
        }
        if row.way.first == "fields", row.way.contains("pii") {
            var rule: [String: JSONValue] = ["entity": .string("ID"), "operator": .string(operation.rawValue)]
            if [.tokenize, .encrypt, .dateShift].contains(operation) { rule["key"] = .string("tokens") }
            base = placed(.object(rule), at: ["fields", "[]", "sluice", "pii"], in: base)
        }
        return base
    }

    private static func text(_ row: Row, operation: MaskOperator = .replace) -> String {
        placed(wrong(row.setting.kind), at: row.way[...], in: base(row, operation: operation)).text(pretty: false)
    }

    @Test func `every key of a table is read`() throws {
        #expect(Self.all.count > 120)
        for row in Self.all {
            switch row.setting.kind {
            case .ignored:
                #expect(refusal(Self.text(row)) == nil, "\(row.path)")
            case .unenforced:
                let loaded = try contract(Self.text(row))
                #expect(loaded.warnings.contains { $0.path == row.path }, "\(row.path)")
            case .table where row.setting.key == "documents":
                let made = try document(Self.text(row))
                #expect(throws: SchemaError.self, "\(row.path)") { try Schema.referencedDocuments(made) }
            default:
                let refusals = MaskOperator.allCases.map { refusal(Self.text(row, operation: $0)) }
                #expect(refusals.contains { $0?.path == row.path && $0?.code != .unknownKey }, "\(row.path)")
            }
        }
    }

    @Test func `a key of an operator is read under it`() {
        for row in Self.all where row.way.first == "fields" && row.way.contains("pii") && row.setting.key != "pii" {
            let refusals = MaskOperator.allCases.map { refusal(Self.text(row, operation: $0)) }
            #expect(refusals.contains { $0?.path == row.path && $0?.code == .wrongKind }, "\(row.path)")
        }
    }

    @Test func `a mapping has each key once`() {
        #expect(Set(Self.all.map(\.path)).count == Self.all.count)
        #expect(Self.all.allSatisfy { !$0.setting.what.isEmpty })
    }
}
