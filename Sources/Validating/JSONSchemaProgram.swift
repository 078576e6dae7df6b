import Schemas
import Tabular

/// A JSON Schema as flat instructions: what most schemas of records need, judged without objects, counted references or memory.
///
/// Whatever it does not know (`unevaluated…`, `$dynamicRef`, `patternProperties`, dependencies, property names) makes no program, and
/// the schema is run as it is. Both give the same verdict; the suite of json-schema.org is run through both.
struct JSONSchemaProgram: Sendable {
    enum Code: UInt8 {
        case never, type, strings, numbers, constants, multipleOf, minimum, maximum, above, below, minLength, maxLength,
            pattern
        case format, members, required, minItems, maxItems, minProperties, maxProperties, unique, items, contains,
            reference
        case all, any, one, not, condition
    }

    /// `a` and `b` are places in the tables, or numbers, as each code has it.
    struct Instruction {
        var code: Code
        var a: Int32
        var b: Int32 = 0
    }

    /// The rules for an object's members.
    struct Members {
        var firstKey: Int32
        var keyCount: Int32
        /// The node of each key, in the same order, in `lists`.
        var firstNode: Int32
        /// The node of all others, or -1.
        var rest: Int32
    }

    private var instructions: [Instruction] = []
    /// Where each node's instructions begin.
    private var starts: [Int32] = []
    private var numbers: [ExactNumber] = []
    /// Each of them as a whole number, when it is one that a word holds; else `notWhole`.
    private var wholes: [Int64] = []
    private var constants: [JSONSchema.Constant] = []
    private var formats: [JSONFormat] = []
    private(set) var members: [Members] = []
    /// Places of nodes, one list after the other.
    private(set) var lists: [Int32] = []
    private var keyBytes: [UInt8] = []
    private var keyStarts: [Int32] = [0]

    /// What changes while a value is judged.
    struct State {
        var steps = 0
        var depth = 0
        var isExhausted = false
        let budget: Int
        let matchers: Matchers
        let patterns: [Pattern]
    }

    /// More keys than this are better looked up by a hash.
    private static let keysMax = 64
    private static let maxDepth = 1500

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

    private static let notWhole = Int64.min

    private mutating func append(_ number: ExactNumber) {
        numbers.append(number)
        wholes.append(number.word ?? Self.notWhole)
    }

    private mutating func list(_ code: Code, _ nodes: [Int]) -> Bool {
        add(code, lists.count, nodes.count)
        lists += nodes.map { Int32($0) }
        return true
    }

    /// Keys in a row; the first one's place.
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
            // Two more numbers than an instruction has room for.
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

    /// Allowed values: texts are compared by their bytes, anything else by hash and value.
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

    /// What a node asks.
    func instructions(of node: Int) -> ArraySlice<Instruction> {
        instructions[Int(starts[node])..<Int(starts[node + 1])]
    }

    /// A key, by its place.
    func key(_ place: Int) -> [UInt8] { Array(keyBytes[Int(keyStarts[place])..<Int(keyStarts[place + 1])]) }

    // MARK: Running

    /// Whether a value keeps a node.
    func judge(
        _ node: Int, _ value: Int, _ tape: borrowing JSONTape, _ values: Span<JSONTape.Value>, _ text: Span<UInt8>,
        _ state: inout State
    ) -> Bool {
        state.steps += 1
        state.depth += 1
        defer { state.depth -= 1 }
        if state.steps > state.budget || state.depth > Self.maxDepth {
            state.isExhausted = true
            return false
        }
        var at = Int(starts[node])
        let end = Int(starts[node + 1])
        while at < end {
            if !run(instructions[at], value, tape, values, text, &state) { return false }
            at += 1
        }
        return true
    }

    // Long function: one code, one case.
    private func run(
        _ instruction: Instruction, _ value: Int, _ tape: borrowing JSONTape, _ values: Span<JSONTape.Value>,
        _ text: Span<UInt8>, _ state: inout State
    ) -> Bool {
        let kind = values[value].kind
        let (a, b) = (Int(instruction.a), Int(instruction.b))
        func judge(_ node: Int32, _ place: Int) -> Bool {
            self.judge(Int(node), place, tape, values, text, &state)
        }
        switch instruction.code {
        case .never: return false
        case .type: return fits(kind, JSONSchema.TypeSet(rawValue: UInt8(a)), text, values[value].range)
        case .strings: return kind == .string && place(of: values[value].range, text, first: a, count: b, hint: 0) >= 0
        case .numbers:
            guard kind == .number else { return false }
            let number = ExactNumber(text, values[value].range)
            for index in a..<a + b where numbers[index] == number { return true }
            return false
        case .constants:
            state.steps += b * (Int(values[value].next) - value)
            return (a..<a + b).contains { tape.equals(value, constants[$0].tape, 0) }
        case .multipleOf:
            return kind != .number || ExactNumber(text, values[value].range).isMultiple(of: numbers[a])
        case .minimum, .maximum, .above, .below:
            return kind != .number || keeps(instruction.code, a, text, values[value].range)
        // A character has one to four bytes, so that most texts need not be counted.
        case .minLength:
            let count = values[value].range.count
            return kind != .string || count / 4 >= a || (count >= a && length(text, values[value].range) >= a)
        case .maxLength:
            return kind != .string || values[value].range.count <= a || length(text, values[value].range) <= a
        case .pattern:
            guard kind == .string else { return true }
            state.steps += values[value].range.count / 64
            switch state.matchers.answer(state.patterns, a, text, values[value].range) {
            case .matches: return true
            case .differs: return false
            case .overBudget:
                state.isExhausted = true
                return false
            }
        case .format: return kind != .string || formats[a].fits(text, values[value].range)
        case .members: return kind != .object || run(members[a], value, tape, values, text, &state)
        case .required:
            state.steps += b * Int(values[value].count) / 16
            return kind != .object || hasAll(value, values, text, first: a, count: b)
        case .minItems: return kind != .array || values[value].count >= a
        case .maxItems: return kind != .array || values[value].count <= a
        case .minProperties: return kind != .object || values[value].count >= a
        case .maxProperties: return kind != .object || values[value].count <= a
        case .unique:
            state.steps += Int(values[value].next) - value
            return kind != .array || tape.hasUniqueItems(value)
        case .items:
            guard kind == .array else { return true }
            state.steps += Int(values[value].count)
            var item = value + 1
            for index in 0..<Int(values[value].count) {
                let node = lists[a + min(index, b - 1)]
                if node >= 0, !judge(node, item) { return false }
                item = Int(values[item].next)
            }
            return true
        case .contains:
            guard kind == .array else { return true }
            var (item, found) = (value + 1, 0)
            for _ in 0..<Int(values[value].count) {
                if judge(lists[a], item) { found += 1 }
                item = Int(values[item].next)
            }
            return found >= Int(lists[a + 1]) && found <= Int(lists[a + 2])
        case .reference: return judge(instruction.a, value)
        case .all:
            for index in a..<a + b where !judge(lists[index], value) { return false }
            return true
        case .any:
            for index in a..<a + b where judge(lists[index], value) { return true }
            return false
        case .one:
            var fitting = 0
            for index in a..<a + b where judge(lists[index], value) { fitting += 1 }
            return fitting == 1
        case .not: return !judge(instruction.a, value)
        case .condition:
            let branch = judge(lists[a], value) ? lists[a + 1] : lists[a + 2]
            return branch < 0 || judge(branch, value)
        }
    }

    /// Whether a number keeps a limit: by its whole part where both are short, else by all its digits.
    private func keeps(_ code: Code, _ place: Int, _ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let limit = wholes[place]
        if limit != Self.notWhole, let (floor, hasFraction) = floor(text, range) {
            switch code {
            case .minimum: return floor >= limit
            case .maximum: return hasFraction ? floor < limit : floor <= limit
            case .above: return hasFraction ? floor >= limit : floor > limit
            default: return floor < limit
            }
        }
        let number = ExactNumber(text, range)
        switch code {
        case .minimum: return !(number < numbers[place])
        case .maximum: return !(numbers[place] < number)
        case .above: return numbers[place] < number
        default: return number < numbers[place]
        }
    }

    /// The largest whole number that is not more, and whether it is less; nil for exponents and long numbers.
    @inline(__always)
    private func floor(_ text: Span<UInt8>, _ range: Range<Int>) -> (Int64, Bool)? {
        guard range.count <= 18 else { return nil }
        var at = range.lowerBound
        let end = range.upperBound
        let isNegative = text[at] == 0x2D
        if isNegative { at &+= 1 }
        var whole: Int64 = 0
        while at < end, text[at] &- 0x30 < 10 {
            whole = whole &* 10 &+ Int64(text[at] &- 0x30)
            at &+= 1
        }
        var hasFraction = false
        if at < end, text[at] == 0x2E {
            at &+= 1
            while at < end, text[at] &- 0x30 < 10 {
                if text[at] != 0x30 { hasFraction = true }
                at &+= 1
            }
        }
        guard at == end else { return nil }
        return (isNegative ? (hasFraction ? -whole - 1 : -whole) : whole, hasFraction)
    }

    private func run(
        _ rules: Members, _ value: Int, _ tape: borrowing JSONTape, _ values: Span<JSONTape.Value>, _ text: Span<UInt8>,
        _ state: inout State
    ) -> Bool {
        var key = value + 1
        state.steps += Int(values[value].count)
        // Members mostly stand in the schema's order.
        var hint = 0
        for _ in 0..<Int(values[value].count) {
            let found = place(
                of: values[key].range, text, first: Int(rules.firstKey), count: Int(rules.keyCount), hint: hint)
            let node = found >= 0 ? lists[Int(rules.firstNode) + found] : rules.rest
            if found >= 0 { hint = found + 1 }
            if node >= 0, !judge(Int(node), key + 1, tape, values, text, &state) { return false }
            key = Int(values[key + 1].next)
        }
        return true
    }

    /// The place of a text among the keys from `first` on, or -1; the search begins at the hint.
    private func place(of range: Range<Int>, _ text: Span<UInt8>, first: Int, count: Int, hint: Int) -> Int {
        for step in 0..<count {
            var index = hint + step
            if index >= count { index -= count }
            if equals(text, range, first + index) { return index }
        }
        return -1
    }

    @inline(__always)
    private func equals(_ text: Span<UInt8>, _ range: Range<Int>, _ key: Int) -> Bool {
        let first = Int(keyStarts[key])
        guard Int(keyStarts[key + 1]) - first == range.count else { return false }
        var offset = 0
        while offset < range.count {
            if text[range.lowerBound &+ offset] != keyBytes[first &+ offset] { return false }
            offset &+= 1
        }
        return true
    }

    private func hasAll(
        _ value: Int, _ values: Span<JSONTape.Value>, _ text: Span<UInt8>, first: Int, count: Int
    ) -> Bool {
        let members = Int(values[value].count)
        if members < count { return false }
        // What is required mostly stands in the same order.
        var (key, passed) = (value + 1, 0)
        for wanted in first..<first + count {
            var left = members
            while left > 0, !equals(text, values[key].range, wanted) {
                left -= 1
                passed += 1
                key = Int(values[key + 1].next)
                if passed == members { (key, passed) = (value + 1, 0) }
            }
            if left == 0 { return false }
        }
        return true
    }

    private func fits(
        _ kind: JSONTape.Kind, _ types: JSONSchema.TypeSet, _ text: Span<UInt8>, _ range: Range<Int>
    ) -> Bool {
        switch kind {
        case .null: return types.contains(.null)
        case .boolean: return types.contains(.boolean)
        case .string: return types.contains(.string)
        case .array: return types.contains(.array)
        case .object: return types.contains(.object)
        case .number:
            if types.contains(.number) { return true }
            guard types.contains(.integer) else { return false }
            // Digits alone are a whole number; 1.0 and 1e2 are asked for their value.
            for at in range where text[at] < 0x2D || text[at] > 0x39 || text[at] == 0x2E {
                return ExactNumber(text, range).isWhole
            }
            return true
        }
    }

    private func length(_ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        for at in range where text[at] & 0xC0 != 0x80 { count &+= 1 }
        return count
    }
}

extension JSONTape {
    /// Whether no two items of an array are equal.
    func hasUniqueItems(_ array: Int) -> Bool {
        var known: [Int: [Int]] = [:]
        for item in places(in: array) {
            let hash = hash(item)
            if known[hash, default: []].contains(where: { equals(item, self, $0) }) { return false }
            known[hash, default: []].append(item)
        }
        return true
    }
}
