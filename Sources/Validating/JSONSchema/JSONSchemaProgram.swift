import Schemas
import Tabular

/// A JSON Schema as flat instructions that run without objects, reference counting or allocation.
///
/// It covers what most record schemas use. A schema with any other keyword (`unevaluated…`, `$dynamicRef`,
/// `patternProperties`, dependencies, `propertyNames`) has no program and is interpreted. Both give the same verdict; a
/// test runs the suite of json-schema.org through both.
struct JSONSchemaProgram: Sendable {
    enum Code: UInt8 {
        case never, type, strings, numbers, constants, multipleOf, minimum, maximum, above, below, minLength, maxLength,
            pattern
        case format, members, required, minItems, maxItems, minProperties, maxProperties, unique, items, contains,
            reference
        case all, any, one, not, condition
    }

    /// One instruction; `a` and `b` are indices into the tables or numbers, depending on the code.
    struct Instruction {
        var code: Code
        var a: Int32
        var b: Int32 = 0
    }

    /// The rules for the members of an object.
    struct Members {
        var firstKey: Int32
        var keyCount: Int32
        /// The node of each key, in the same order, in `lists`.
        var firstNode: Int32
        /// The node of all other members, or -1.
        var rest: Int32
    }

    private(set) var instructions: [Instruction] = []
    /// The first instruction of each node.
    private(set) var starts: [Int32] = []
    private(set) var numbers: [ExactNumber] = []
    /// The same numbers as integers where they fit 64 bits, else `notWhole`.
    private(set) var wholes: [Int64] = []
    private(set) var constants: [JSONSchema.Constant] = []
    private(set) var formats: [JSONFormat] = []
    private(set) var members: [Members] = []
    /// Lists of nodes, one after the other.
    private(set) var lists: [Int32] = []
    private(set) var keyBytes: [UInt8] = []
    private(set) var keyStarts: [Int32] = [0]

    /// With more keys the interpreter's hash table is faster.
    private static let keysMax = 64

    init?(_ schema: JSONSchema) {
        for node in schema.nodes {
            starts.append(Int32(instructions.count))
            if node.verdict == false { add(.never) }
            for rule in node.rules where !add(rule.keyword) { return nil }
        }
        starts.append(Int32(instructions.count))
    }

    private mutating func add(_ code: Code, _ a: Int = 0, _ b: Int = 0) {
        instructions.append(Instruction(code: code, a: Int32(clamping: a), b: Int32(clamping: b)))
    }

    private mutating func number(_ code: Code, _ number: ExactNumber) -> Bool {
        append(number)
        add(code, numbers.count - 1)
        return true
    }

    static let notWhole = Int64.min

    private mutating func append(_ number: ExactNumber) {
        numbers.append(number)
        wholes.append(number.word ?? Self.notWhole)
    }

    private mutating func list(_ code: Code, _ nodes: [Int]) -> Bool {
        add(code, lists.count, nodes.count)
        lists += nodes.map { Int32($0) }
        return true
    }

    /// Appends keys.
    ///
    /// - Returns: the index of the first.
    private mutating func keys(_ keys: [[UInt8]]) -> Int {
        let first = keyStarts.count - 1
        for key in keys {
            keyBytes += key
            keyStarts.append(Int32(keyBytes.count))
        }
        return first
    }

    // Long function: one keyword, one case.
    private mutating func add(_ keyword: JSONSchema.Keyword) -> Bool {
        switch keyword {
        case .reference(let node): add(.reference, node)
        case .type(let types): add(.type, Int(types.rawValue))
        case .constant(let constant): values([constant])
        case .enumeration(let values, _):
            if values.count > Self.keysMax { return false }
            self.values(values)
        case .multipleOf(let factor): return number(.multipleOf, factor)
        case .minimum(let limit): return number(.minimum, limit)
        case .maximum(let limit): return number(.maximum, limit)
        case .exclusiveMinimum(let limit): return number(.above, limit)
        case .exclusiveMaximum(let limit): return number(.below, limit)
        case .minLength(let count): add(.minLength, count)
        case .maxLength(let count): add(.maxLength, count)
        case .pattern(let pattern): add(.pattern, pattern)
        case .format(.regex): return false
        case .format(let format):
            formats.append(format)
            add(.format, formats.count - 1)
        case .members(let named, let patterns, let rest):
            guard patterns.isEmpty, named.count <= Self.keysMax else { return false }
            // In the order of the nodes, which is that of the schema's text.
            let sorted = named.sorted { $0.value < $1.value }
            members.append(
                Members(
                    firstKey: Int32(keys(sorted.map(\.key))), keyCount: Int32(sorted.count),
                    firstNode: Int32(lists.count), rest: Int32(rest ?? -1)))
            lists += sorted.map { Int32($0.value) }
            add(.members, members.count - 1)
        case .required(let keys): add(.required, self.keys(keys), keys.count)
        case .minItems(let count): add(.minItems, count)
        case .maxItems(let count): add(.maxItems, count)
        case .minProperties(let count): add(.minProperties, count)
        case .maxProperties(let count): add(.maxProperties, count)
        case .uniqueItems: add(.unique)
        case .items(let first, let rest): return list(.items, first + [rest ?? -1])
        case .contains(let node, let least, let most):
            // An instruction has no room for two more numbers, so they are put into the list.
            return list(.contains, [node, least, most ?? Int(Int32.max)])
        case .allOf(let nodes): return list(.all, nodes)
        case .anyOf(let nodes): return list(.any, nodes)
        case .oneOf(let nodes): return list(.one, nodes)
        case .not(let node): add(.not, node)
        case .condition(let test, let first, let second): return list(.condition, [test, first ?? -1, second ?? -1])
        case .dynamicReference, .propertyNames, .dependentRequired, .dependentSchemas, .unevaluatedItems,
            .unevaluatedProperties:
            return false
        }
        return true
    }

    /// Appends allowed values: texts are compared by bytes, others by hash and value.
    private mutating func values(_ allowed: [JSONSchema.Constant]) {
        if allowed.allSatisfy({ $0.tape.values[0].kind == .string }) {
            let first = keys(allowed.map { Array($0.tape.text[$0.tape.values[0].range]) })
            add(.strings, first, allowed.count)
        } else if allowed.allSatisfy({ $0.tape.values[0].kind == .number }) {
            add(.numbers, numbers.count, allowed.count)
            for value in allowed { append(ExactNumber(value.tape.text.span, value.tape.values[0].range)) }
        } else {
            add(.constants, constants.count, allowed.count)
            constants += allowed
        }
    }

    /// The instructions of a node.
    func instructions(of node: Int) -> ArraySlice<Instruction> {
        instructions[Int(starts[node])..<Int(starts[node + 1])]
    }

    /// The key with an index.
    func key(_ place: Int) -> [UInt8] { Array(keyBytes[Int(keyStarts[place])..<Int(keyStarts[place + 1])]) }
}
