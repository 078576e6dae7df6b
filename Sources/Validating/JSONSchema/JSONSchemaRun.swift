import Schemas
import Tabular

extension JSONSchemaProgram {
    /// The budget of one value, and what was used of it.
    struct State {
        var steps = 0
        fileprivate(set) var depth = 0
        /// Whether the limit of steps, depth or pattern matching was reached; then there is no verdict.
        fileprivate(set) var isExhausted = false
        let budget: Int
        let matchers: Matchers
        let patterns: [Pattern]
        /// The whole value, for keywords that compare values.
        var tape = JSONTape()
    }

    /// A value has at most 512 levels, into which no ordinary schema descends deeper.
    private static let maxDepth = 1500

    /// Whether the value on the state's tape satisfies a node.
    func judgeTape(by node: Int, state: inout State) -> Bool {
        let (values, text) = (state.tape.values, state.tape.text)
        return judge(node, value: 0, values: values.span, text: text.span, state: &state)
    }

    /// Whether a value satisfies a node.
    ///
    /// - Parameters:
    ///   - node: the node.
    ///   - value: the value's index in `values`.
    ///   - values: a tape's values, or a single scalar.
    ///   - text: the bytes that their ranges refer to.
    ///   - state: the budget; where a node compares whole values, its tape must be that of `values`.
    func judge(
        _ node: Int, value: Int, values: Span<JSONTape.Value>, text: Span<UInt8>, state: inout State
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
            if !run(instructions[at], value: value, values: values, text: text, state: &state) { return false }
            at += 1
        }
        return true
    }

    // Long function: one code, one case.
    private func run(
        _ instruction: Instruction, value: Int, values: Span<JSONTape.Value>, text: Span<UInt8>, state: inout State
    ) -> Bool {
        let kind = values[value].kind
        let (a, b) = (Int(instruction.a), Int(instruction.b))
        func judge(_ node: Int32, _ place: Int) -> Bool {
            self.judge(Int(node), value: place, values: values, text: text, state: &state)
        }
        switch instruction.code {
        case .never: return false
        case .type: return isOfType(values[value], JSONSchema.TypeSet(rawValue: UInt8(a)), text)
        case .strings: return kind == .string && place(of: values[value].range, text, first: a, count: b, hint: 0) >= 0
        case .numbers:
            guard kind == .number else { return false }
            let number = ExactNumber(text, values[value].range)
            for index in a..<a + b where numbers[index] == number { return true }
            return false
        case .constants:
            state.steps += b * (Int(values[value].next) - value)
            return (a..<a + b).contains { state.tape.equals(value, constants[$0].tape, 0) }
        case .multipleOf:
            return kind != .number || ExactNumber(text, values[value].range).isMultiple(of: numbers[a])
        case .minimum, .maximum, .above, .below:
            return kind != .number || keeps(values[value].range, of: text, limit: a, as: instruction.code)
        // A character has one to four bytes, so most texts need not be counted.
        case .minLength:
            let count = values[value].range.count
            return kind != .string || count / 4 >= a || (count >= a && length(text, values[value].range) >= a)
        case .maxLength:
            return kind != .string || values[value].range.count <= a || length(text, values[value].range) <= a
        case .pattern:
            guard kind == .string else { return true }
            state.steps += values[value].range.count / 64
            switch state.matchers.answer(a, of: state.patterns, text, values[value].range) {
            case .matches: return true
            case .differs: return false
            case .overBudget:
                state.isExhausted = true
                return false
            }
        case .format: return kind != .string || formats[a].fits(text, values[value].range)
        case .members:
            return kind != .object || run(members[a], value: value, values: values, text: text, state: &state)
        case .required:
            state.steps += b * Int(values[value].count) / 16
            return kind != .object || hasAll(value, values, text, first: a, count: b)
        case .minItems: return kind != .array || values[value].count >= a
        case .maxItems: return kind != .array || values[value].count <= a
        case .minProperties: return kind != .object || values[value].count >= a
        case .maxProperties: return kind != .object || values[value].count <= a
        case .unique:
            state.steps += Int(values[value].next) - value
            return kind != .array || state.tape.hasUniqueItems(value)
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

    /// Whether a number satisfies a limit: by whole parts where both are short, else by all digits.
    private func keeps(_ range: Range<Int>, of text: Span<UInt8>, limit place: Int, as code: Code) -> Bool {
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

    /// The largest whole number that is not greater, and whether it is less; nil for exponents and long numbers.
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
        _ rules: Members, value: Int, values: Span<JSONTape.Value>, text: Span<UInt8>, state: inout State
    ) -> Bool {
        var key = value + 1
        state.steps += Int(values[value].count)
        // Members usually follow the schema's order.
        var hint = 0
        for _ in 0..<Int(values[value].count) {
            let found = place(
                of: values[key].range, text, first: Int(rules.firstKey), count: Int(rules.keyCount), hint: hint)
            let node = found >= 0 ? lists[Int(rules.firstNode) + found] : rules.rest
            if found >= 0 { hint = found + 1 }
            if node >= 0, !judge(Int(node), value: key + 1, values: values, text: text, state: &state) { return false }
            key = Int(values[key + 1].next)
        }
        return true
    }

    /// The index of a text among the keys from `first` on, or -1; the search begins at the hint.
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
        // Required members usually follow the schema's order.
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

    private func isOfType(_ value: JSONTape.Value, _ types: JSONSchema.TypeSet, _ text: Span<UInt8>) -> Bool {
        switch value.kind {
        case .null: return types.contains(.null)
        case .boolean: return types.contains(.boolean)
        case .string: return types.contains(.string)
        case .array: return types.contains(.array)
        case .object: return types.contains(.object)
        case .number:
            if types.contains(.number) { return true }
            guard types.contains(.integer) else { return false }
            // Digits alone are whole; for 1.0 and 1e2 the value decides.
            for at in value.range where text[at] < 0x2D || text[at] > 0x39 || text[at] == 0x2E {
                return ExactNumber(text, value.range).isWhole
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
