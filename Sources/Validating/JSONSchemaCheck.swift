package import Schemas
package import Tabular

/// A compiled JSON Schema, ready to judge values.
package final class JSONSchemaCheck: Sendable {
    private let schema: JSONSchema
    private let patterns: [Pattern]
    private let program: JSONSchemaProgram?

    /// Compiles the schema's patterns, by ECMA-262's rules as far as PCRE2 has them.
    package init(_ schema: JSONSchema) throws(UnusableContract) {
        self.schema = schema
        var patterns: [Pattern] = []
        for text in schema.patterns {
            do throws(Pattern.Refused) { patterns.append(try Pattern(ecmaScript: text)) } catch {
                throw UnusableContract(
                    reason:
                        "the contract's JSON Schema has a pattern that does not compile, \"\(text)\": \(error.reason)")
            }
        }
        self.patterns = patterns
        program = JSONSchemaProgram(schema)
    }

    /// One thing that a value breaks, as the `basic` output of JSON Schema has it (Core 12); it holds no value.
    package struct Violation: Sendable, Equatable {
        /// The keywords that led there, as a JSON Pointer.
        package let keywordLocation: String
        /// The keyword's own place: a schema's identifier and a JSON Pointer.
        package let absoluteKeywordLocation: String
        /// The value, as a JSON Pointer into the instance.
        package let instanceLocation: String
    }

    /// What judging came to.
    package enum Verdict: Sendable, Equatable {
        case valid, invalid
        /// It took more steps than any honest pair of schema and value does.
        case overBudget
    }

    /// What judging one value after another needs: match memory, above all.
    package final class Session {
        fileprivate let matchers = Matchers()
        private var exhausted = 0

        /// Steps that a value may take. A file whose rows use all of it again and again is not worth that much for each.
        fileprivate func budget(_ tape: JSONTape) -> Int {
            exhausted < 16 ? 1_000_000 + 100 * tape.values.count : 10_000 + 20 * tape.values.count
        }

        fileprivate func note(_ verdict: Verdict) -> Verdict {
            if verdict == .overBudget { exhausted += 1 }
            return verdict
        }

        /// A session for one thread.
        package init() {}
    }

    /// Judges what is on a tape: the `flag` output.
    package func verdict(_ tape: JSONTape, _ session: Session = Session()) -> Verdict {
        if let program {
            var state = JSONSchemaProgram.State(
                budget: session.budget(tape), matchers: session.matchers, patterns: patterns)
            let isValid = program.judge(0, 0, tape, tape.values.span, tape.text.span, &state)
            return session.note(state.isExhausted ? .overBudget : isValid ? .valid : .invalid)
        }
        return session.note(slowVerdict(tape, session))
    }

    /// The schema by columns, where it can be said so.
    func columns(_ names: [String]) -> JSONSchemaColumns? { program?.columns(names) }

    /// The rows that `verdict` has to see: all others keep the schema.
    func suspects(
        _ batch: Batch, _ rows: [UInt32], _ columns: JSONSchemaColumns, _ session: Session
    ) -> [UInt32] {
        guard let program, batch.knowsExtras || !columns.refusesOthers else { return rows }
        var state = JSONSchemaProgram.State(budget: 1_000_000, matchers: session.matchers, patterns: patterns)
        return program.suspects(batch, rows, columns, &state)
    }

    /// The same without the program.
    package func slowVerdict(_ tape: JSONTape, _ session: Session = Session()) -> Verdict {
        var run = Run(schema, patterns, tape, session.matchers, budget: session.budget(tape))
        let isValid = run.judge(0, 0, nil)
        return run.isExhausted ? .overBudget : isValid ? .valid : .invalid
    }

    /// What a value breaks, all of it or as much as is wanted: the `basic` output.
    package func violations(_ tape: JSONTape, limit: Int = 1000) -> [Violation] {
        var run = Run(schema, patterns, tape, Matchers(), budget: 1_000_000 + 100 * tape.values.count)
        run.collects = true
        run.kept = limit
        _ = run.judge(0, 0, nil)
        return run.violations
    }
}

/// What the keywords beside an `unevaluated…` have looked at, of one value.
private final class Evaluated {
    /// Of an object, the members by their order; of an array, the items.
    var places: Set<Int> = []
    /// Whether all of them.
    var all = false
    /// Of an array, how many from the first on.
    var prefix = 0

    func merge(_ other: Evaluated) {
        all = all || other.all
        prefix = max(prefix, other.prefix)
        places.formUnion(other.places)
    }
}

/// One value being judged.
private struct Run: ~Copyable {
    private let schema: JSONSchema
    private let patterns: [Pattern]
    private let tape: JSONTape
    private let matchers: Matchers
    /// The resources that were entered on the way, outermost first.
    private var scope: [Int] = []
    private var depth = 0
    private var steps = 0
    private let budget: Int
    /// Whether the limit of steps or depth was reached.
    private(set) var isExhausted = false
    /// Whether all violations are wanted, or only whether there is one.
    var collects = false
    private(set) var violations: [JSONSchemaCheck.Violation] = []
    private var keywordPath: [String] = []
    private var instancePath: [String] = []

    /// Deeper than any honest schema goes into a value of at most 512 levels.
    private static let maxDepth = 1500
    /// Violations wanted of one value.
    var kept = 1000
    private var isFull: Bool { violations.count >= kept }

    init(_ schema: JSONSchema, _ patterns: [Pattern], _ tape: JSONTape, _ matchers: Matchers, budget: Int) {
        self.matchers = matchers
        self.schema = schema
        self.patterns = patterns
        self.tape = tape
        self.budget = budget
    }

    private mutating func fail(_ rule: JSONSchema.Rule, _ node: Int, _ part: String = "") -> Bool {
        if collects, !isFull {
            violations.append(
                JSONSchemaCheck.Violation(
                    keywordLocation: pointer(keywordPath + [rule.name] + (part.isEmpty ? [] : [part])),
                    absoluteKeywordLocation: schema.nodes[node].location + pointer([rule.name]),
                    instanceLocation: pointer(instancePath)))
        }
        return false
    }

    private func pointer(_ tokens: [String]) -> String {
        tokens.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }

    /// Applies a part of a schema under its keyword, to the same value or to a part of it.
    private mutating func apply(
        _ node: Int, _ value: Int, _ keyword: String, _ part: String? = nil, at step: Step = .none,
        seen: Evaluated? = nil
    ) -> Bool {
        guard collects else { return judge(node, value, seen) }
        let depth = (keywordPath.count, instancePath.count)
        keywordPath.append(keyword)
        if let part { keywordPath.append(part) }
        switch step {
        case .none: break
        case .item(let index): instancePath.append(String(index))
        case .member(let key, let isNamed):
            instancePath.append(tape.string(key))
            if isNamed { keywordPath.append(tape.string(key)) }
        }
        let isValid = judge(node, value, seen)
        keywordPath.removeLast(keywordPath.count - depth.0)
        instancePath.removeLast(instancePath.count - depth.1)
        return isValid
    }

    /// From a value to a part of it; a named member is a part of the schema too.
    private enum Step {
        case none
        case item(Int)
        case member(key: Int, isNamed: Bool)
    }

    /// Applies a part of a schema whose failure may be all right: what it finds is kept only when it is wanted.
    private mutating func attempt(_ node: Int, _ value: Int, seen: Evaluated?) -> Bool {
        let (was, had) = (collects, violations.count)
        collects = false
        let part = seen.map { _ in Evaluated() }
        let isValid = judge(node, value, part)
        collects = was
        violations.removeLast(violations.count - had)
        if isValid, let part { seen?.merge(part) }
        return isValid
    }

    /// Whether a value keeps a schema; what the schema has looked at is added to `seen`.
    mutating func judge(_ index: Int, _ value: Int, _ seen: Evaluated?) -> Bool {
        let node = schema.nodes[index]
        if let verdict = node.verdict {
            if !verdict, collects, !isFull {
                violations.append(
                    JSONSchemaCheck.Violation(
                        keywordLocation: pointer(keywordPath), absoluteKeywordLocation: node.location,
                        instanceLocation: pointer(instancePath)))
            }
            return verdict
        }
        steps += 1
        depth += 1
        defer { depth -= 1 }
        if steps > budget || depth > Self.maxDepth {
            isExhausted = true
            return false
        }
        let enters = scope.last != node.resource
        if enters { scope.append(node.resource) }
        defer { if enters { scope.removeLast() } }
        // What failed parts have looked at does not count, so it is told on only at the end.
        let own = node.tracks || seen != nil ? Evaluated() : nil
        var isValid = true
        for rule in node.rules {
            if judge(rule, index, value, own) { continue }
            isValid = false
            if !collects || isExhausted || isFull { break }
        }
        if isValid, let own { seen?.merge(own) }
        return isValid
    }

    // Long function: one keyword, one case.
    private mutating func judge(
        _ rule: JSONSchema.Rule, _ node: Int, _ value: Int, _ seen: Evaluated?
    ) -> Bool {
        let kind = tape.values[value].kind
        switch rule.keyword {
        case .reference(let part): return apply(part, value, rule.name, seen: seen)
        case .dynamicReference(let anchor, let fallback):
            let outermost = scope.first { schema.dynamicNodes[$0][anchor] != nil }
            let part = outermost.flatMap { schema.dynamicNodes[$0][anchor] } ?? fallback
            return apply(part, value, rule.name, seen: seen)
        case .type(let types): return types.contains(type(value)) || isWhole(types, value) || fail(rule, node)
        case .constant(let constant):
            steps += Int(tape.values[value].next) - value
            return tape.equals(value, constant.tape, 0) || fail(rule, node)
        case .enumeration(let values, let places):
            steps += Int(tape.values[value].next) - value
            let candidates = places[tape.hash(value)] ?? []
            return candidates.contains { tape.equals(value, values[$0].tape, 0) } || fail(rule, node)
        case .multipleOf(let factor):
            return kind != .number || number(value).isMultiple(of: factor) || fail(rule, node)
        case .minimum(let limit): return kind != .number || number(value) >= limit || fail(rule, node)
        case .maximum(let limit): return kind != .number || number(value) <= limit || fail(rule, node)
        case .exclusiveMinimum(let limit): return kind != .number || number(value) > limit || fail(rule, node)
        case .exclusiveMaximum(let limit): return kind != .number || number(value) < limit || fail(rule, node)
        case .minLength(let least): return kind != .string || length(value) >= least || fail(rule, node)
        case .maxLength(let most): return kind != .string || length(value) <= most || fail(rule, node)
        case .pattern(let pattern): return kind != .string || matches(pattern, value) || fail(rule, node)
        case .format(.regex):
            return kind != .string || (try? Pattern(ecmaScript: tape.string(value))) != nil || fail(rule, node)
        case .format(let format):
            return kind != .string || format.fits(tape.text.span, tape.values[value].range) || fail(rule, node)
        case .minItems(let least): return kind != .array || count(value) >= least || fail(rule, node)
        case .maxItems(let most): return kind != .array || count(value) <= most || fail(rule, node)
        case .minProperties(let least): return kind != .object || count(value) >= least || fail(rule, node)
        case .maxProperties(let most): return kind != .object || count(value) <= most || fail(rule, node)
        case .uniqueItems:
            steps += Int(tape.values[value].next) - value
            return kind != .array || tape.hasUniqueItems(value) || fail(rule, node)
        case .required(let keys):
            guard kind == .object else { return true }
            steps += keys.count * Int(tape.values[value].count) / 16
            return keys.allSatisfy { tape.member($0, of: value) != nil } || fail(rule, node)
        case .dependentRequired(let pairs):
            guard kind == .object else { return true }
            for (key, needs) in pairs where tape.member(key, of: value) != nil {
                if !needs.allSatisfy({ tape.member($0, of: value) != nil }) { return fail(rule, node) }
            }
            return true
        case .dependentSchemas(let pairs):
            guard kind == .object else { return true }
            var isValid = true
            for (key, part) in pairs where tape.member(key, of: value) != nil {
                let name = String(decoding: key, as: UTF8.self)
                if !apply(part, value, rule.name, name, seen: seen) { isValid = false }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            return isValid
        case .allOf(let parts):
            var isValid = true
            for (index, part) in parts.enumerated() {
                if apply(part, value, rule.name, String(index), seen: seen) { continue }
                isValid = false
                if !collects || isFull { return false }
            }
            return isValid
        case .anyOf(let parts):
            var isValid = false
            // Each branch that fits has looked at something.
            for part in parts where attempt(part, value, seen: seen) {
                isValid = true
                if seen == nil { break }
            }
            return isValid || fail(rule, node)
        case .oneOf(let parts):
            var fitting = 0
            for part in parts where attempt(part, value, seen: seen) {
                fitting += 1
                if fitting > 1 { break }
            }
            return fitting == 1 || fail(rule, node)
        case .not(let part): return !attempt(part, value, seen: nil) || fail(rule, node)
        case .condition(let test, let first, let second):
            if attempt(test, value, seen: seen) {
                return first.map { apply($0, value, "then", seen: seen) } ?? true
            }
            return second.map { apply($0, value, "else", seen: seen) } ?? true
        case .members(let named, let patterns, let rest):
            return kind != .object || members(rule, value, named, patterns, rest, seen)
        case .propertyNames(let part):
            guard kind == .object else { return true }
            for key in tape.places(in: value) where !attempt(part, key, seen: nil) { return fail(rule, node) }
            return true
        case .items(let first, let rest): return kind != .array || items(rule, value, first, rest, seen)
        case .contains(let part, let least, let most):
            guard kind == .array else { return true }
            var found = 0
            for (index, item) in tape.places(in: value).enumerated() where attempt(part, item, seen: nil) {
                found += 1
                seen?.places.insert(index)
            }
            return (found >= least && found <= most ?? .max) || fail(rule, node)
        case .unevaluatedItems(let part):
            guard kind == .array, let seen, !seen.all else { return true }
            var isValid = true
            for (index, item) in tape.places(in: value).enumerated()
            where index >= seen.prefix && !seen.places.contains(index) {
                if !apply(part, item, rule.name, at: .item(index)) { isValid = false }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            seen.all = true
            return isValid
        case .unevaluatedProperties(let part):
            guard kind == .object, let seen, !seen.all else { return true }
            var isValid = true
            for (index, key) in tape.places(in: value).enumerated() where !seen.places.contains(index) {
                if !apply(part, key + 1, rule.name, at: .member(key: key, isNamed: false)) { isValid = false }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            seen.all = true
            return isValid
        }
    }

    private mutating func members(
        _ rule: JSONSchema.Rule, _ value: Int, _ named: [[UInt8]: Int], _ patterns: [(pattern: Int, node: Int)],
        _ rest: Int?, _ seen: Evaluated?
    ) -> Bool {
        steps += Int(tape.values[value].count)
        var isValid = true
        var key = value + 1
        let end = Int(tape.values[value].next)
        var index = 0
        while key < end {
            let part = key + 1
            var isMatched = false
            if let node = named[Array(tape.text[tape.values[key].range])] {
                isMatched = true
                if !apply(node, part, "properties", at: .member(key: key, isNamed: true)) { isValid = false }
            }
            for (pattern, node) in patterns where matches(pattern, key) {
                isMatched = true
                let text = schema.patterns[pattern]
                if !apply(node, part, "patternProperties", text, at: .member(key: key, isNamed: false)) {
                    isValid = false
                }
            }
            if !isMatched, let rest {
                isMatched = true
                if !apply(rest, part, "additionalProperties", at: .member(key: key, isNamed: false)) { isValid = false }
            }
            if !isValid, !collects || isFull || isExhausted { return false }
            if isMatched { seen?.places.insert(index) }
            index += 1
            key = Int(tape.values[part].next)
        }
        return isValid
    }

    private mutating func items(
        _ rule: JSONSchema.Rule, _ value: Int, _ first: [Int], _ rest: Int?, _ seen: Evaluated?
    ) -> Bool {
        steps += Int(tape.values[value].count)
        var isValid = true
        var item = value + 1
        let end = Int(tape.values[value].next)
        var index = 0
        while item < end {
            if index < first.count {
                if !apply(first[index], item, "prefixItems", String(index), at: .item(index)) { isValid = false }
            } else if let rest {
                if !apply(rest, item, "items", at: .item(index)) { isValid = false }
            } else {
                break
            }
            if !isValid, !collects || isFull || isExhausted { return false }
            index += 1
            item = Int(tape.values[item].next)
        }
        if rest != nil { seen?.all = true } else { seen?.prefix = max(seen?.prefix ?? 0, first.count) }
        return isValid
    }

    // MARK: Values

    private func type(_ value: Int) -> JSONSchema.TypeSet {
        switch tape.values[value].kind {
        case .null: .null
        case .boolean: .boolean
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// `1.0` is an integer.
    private func isWhole(_ types: JSONSchema.TypeSet, _ value: Int) -> Bool {
        types.contains(.integer) && tape.values[value].kind == .number && number(value).isWhole
    }

    private func number(_ value: Int) -> ExactNumber { ExactNumber(tape.text.span, tape.values[value].range) }
    private func count(_ value: Int) -> Int { Int(tape.values[value].count) }

    /// Characters, which are Unicode scalars (Validation 6.3).
    private func length(_ value: Int) -> Int {
        var count = 0
        for at in tape.values[value].range where tape.text[at] & 0xC0 != 0x80 { count += 1 }
        return count
    }

    private mutating func matches(_ pattern: Int, _ value: Int) -> Bool {
        switch matchers.answer(patterns, pattern, tape.text.span, tape.values[value].range) {
        case .matches: return true
        case .differs: return false
        case .overBudget:
            isExhausted = true
            return false
        }
    }
}

/// A matcher for each pattern that was used, made when it is first asked.
final class Matchers {
    private var made: [Pattern.Matcher?] = []

    func answer(
        _ patterns: [Pattern], _ index: Int, _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> Pattern.Answer {
        if made.isEmpty { made = patterns.map { _ in nil } }
        let matcher = made[index] ?? patterns[index].matcher()
        made[index] = matcher
        return matcher.answer(bytes, range)
    }
}
