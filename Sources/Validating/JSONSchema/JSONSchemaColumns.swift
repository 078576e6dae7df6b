import Schemas
import Tabular

/// A JSON Schema of records, split into schemas of single members. Records are judged column by column over the
/// reader's cells, so that no text is parsed twice.
///
/// Most record schemas have this form: `properties`, `required`, `additionalProperties: false`, and references to such.
struct JSONSchemaColumns: Sendable {
    /// A field of the contract, the schema node of its values, and whether judging it needs a tape.
    struct Member: Sendable {
        let field: Int
        let node: Int
        let needsTape: Bool
        /// Whether every text satisfies the node, and every number.
        let takesTexts: Bool
        let takesNumbers: Bool
    }

    fileprivate(set) var members: [Member] = []
    /// Fields that must be present.
    fileprivate(set) var required: [Int] = []
    /// Fields that must be absent.
    fileprivate(set) var forbidden: [Int] = []
    /// Whether members that are no fields are refused.
    fileprivate(set) var refusesOthers = false
}

extension JSONSchemaProgram {
    /// The schema by columns; nil when it asks something of a record that no single member shows.
    func columns(_ names: [String]) -> JSONSchemaColumns? {
        var columns = JSONSchemaColumns()
        return add(0, names.map { Array($0.utf8) }, &columns, depth: 0) ? columns : nil
    }

    private func add(_ node: Int, _ names: [[UInt8]], _ columns: inout JSONSchemaColumns, depth: Int) -> Bool {
        if depth > 16 { return false }
        for instruction in instructions(of: node) {
            let (a, b) = (Int(instruction.a), Int(instruction.b))
            switch instruction.code {
            case .type: if !JSONSchema.TypeSet(rawValue: UInt8(a)).contains(.object) { return false }
            case .reference: if !add(a, names, &columns, depth: depth + 1) { return false }
            case .all:
                for index in a..<a + b where !add(Int(lists[index]), names, &columns, depth: depth + 1) { return false }
            case .required:
                for key in a..<a + b {
                    guard let field = names.firstIndex(of: self.key(key)) else { return false }
                    columns.required.append(field)
                }
            case .members: if !add(members[a], names, &columns) { return false }
            default: return false
            }
        }
        return true
    }

    private func add(_ rules: Members, _ names: [[UInt8]], _ columns: inout JSONSchemaColumns) -> Bool {
        let keys = (0..<Int(rules.keyCount)).map { key(Int(rules.firstKey) + $0) }
        for (place, key) in keys.enumerated() {
            guard let field = names.firstIndex(of: key) else { return false }
            let node = Int(lists[Int(rules.firstNode) + place])
            columns.members.append(
                .init(
                    field: field, node: node, needsTape: needsTape(node, depth: 0), takesTexts: takesAny(.string, node),
                    takesNumbers: takesAny(.number, node)))
        }
        if rules.rest < 0 { return true }
        // Any other schema would have to judge the remaining members.
        guard let only = instructions(of: Int(rules.rest)).first, case .never = only.code else { return false }
        columns.refusesOthers = true
        columns.forbidden += names.indices.filter { !keys.contains(names[$0]) }
        return true
    }

    /// Whether a node asks only for a type, and this type satisfies it.
    private func takesAny(_ type: JSONSchema.TypeSet, _ node: Int) -> Bool {
        instructions(of: node).allSatisfy { instruction in
            guard case .type = instruction.code else { return false }
            return JSONSchema.TypeSet(rawValue: UInt8(instruction.a)).contains(type)
        }
    }

    /// Whether a node compares whole values, which need a tape.
    private func needsTape(_ node: Int, depth: Int) -> Bool {
        if depth > 16 { return true }
        return instructions(of: node).contains { instruction in
            let (a, b) = (Int(instruction.a), Int(instruction.b))
            switch instruction.code {
            case .constants: return true
            case .reference, .not: return needsTape(a, depth: depth + 1)
            case .all, .any, .one:
                return lists[a..<a + b].contains { needsTape(Int($0), depth: depth + 1) }
            case .condition: return lists[a..<a + 3].contains { $0 >= 0 && needsTape(Int($0), depth: depth + 1) }
            default: return false
            }
        }
    }

    /// The rows of a block that violate the schema or may violate it: all of them where a field has no column.
    func suspects(
        among rows: [UInt32], of batch: RowBlock, by columns: JSONSchemaColumns, state: inout State
    ) -> [UInt32] {
        var isSuspect = [Bool](repeating: false, count: batch.count)
        let (bytes, cells, width) = (batch.bytes.span, batch.cells.span, batch.width)
        var one = [JSONTape.Value(scalar: .null, start: 0, end: 0)]
        for member in columns.members {
            guard let column = batch.layout.columnOfField[member.field] else { return rows }
            for row in rows {
                let cell = cells[Int(row) &* width &+ column]
                if cell.isAbsent { continue }
                state.steps = 0
                let fits: Bool
                if cell.isNested || member.needsTape {
                    guard (try? state.tape.read(bytes, Int(cell.rawStart)..<cell.rawEnd)) != nil else {
                        isSuspect[Int(row)] = true
                        continue
                    }
                    fits = judgeTape(by: member.node, state: &state)
                } else if cell.isText ? member.takesTexts : cell.isNumber && member.takesNumbers {
                    continue
                } else {
                    let kind: JSONTape.Kind =
                        cell.isText ? .string : cell.isNumber ? .number : cell.isBoolean ? .boolean : .null
                    one[0] = JSONTape.Value(scalar: kind, start: Int(cell.start), end: Int(cell.end))
                    fits = judge(member.node, value: 0, values: one.span, text: bytes, state: &state)
                }
                if !fits { isSuspect[Int(row)] = true }
            }
        }
        for field in columns.required {
            guard let column = batch.layout.columnOfField[field] else { return rows }
            for row in rows where cells[Int(row) &* width &+ column].isAbsent { isSuspect[Int(row)] = true }
        }
        for field in columns.forbidden {
            guard let column = batch.layout.columnOfField[field] else { return rows }
            for row in rows where !cells[Int(row) &* width &+ column].isAbsent { isSuspect[Int(row)] = true }
        }
        if columns.refusesOthers { for extra in batch.extras { isSuspect[extra.row] = true } }
        return rows.filter { isSuspect[Int($0)] }
    }
}
