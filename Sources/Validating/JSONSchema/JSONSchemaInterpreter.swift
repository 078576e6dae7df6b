import Schemas
import Tabular

/// The parts of a value that adjacent keywords have evaluated, for `unevaluatedItems` and `unevaluatedProperties` (JSON
/// Schema 2020-12 Core, section 11).
final class EvaluatedParts {
    /// Of an object the indices of members, of an array those of items.
    var places: Set<Int> = []
    /// Whether all parts were evaluated.
    var all = false
    /// Of an array, the number of leading items that were evaluated.
    var prefix = 0

    func merge(_ other: EvaluatedParts) {
        all = all || other.all
        prefix = max(prefix, other.prefix)
        places.formUnion(other.places)
    }
}

/// Judges one value by interpreting the schema, and collects violations on request.
struct JSONSchemaInterpreter: ~Copyable {
    private let schema: JSONSchema
    private let patterns: [Pattern]
    private let tape: JSONTape
    private let matchers: Matchers
    /// The resources entered so far, outermost first: the dynamic scope.
    private var scope: [Int] = []
    private var depth = 0
    private var steps = 0
    private let budget: Int
    /// Whether the limit of steps or depth was reached.
    private(set) var isExhausted = false
    /// Whether violations are collected, or only the verdict is needed.
    var collects = false
    private(set) var violations: [JSONSchemaCheck.Violation] = []
    private var keywordPath: [String] = []
    private var instancePath: [String] = []

    /// A value has at most 512 levels, into which no ordinary schema descends deeper.
    private static let maxDepth = 1500
    /// Most violations collected.
    var kept = 1000
    private var isFull: Bool { violations.count >= kept }

    init(_ schema: JSONSchema, patterns: [Pattern], tape: JSONTape, matchers: Matchers, budget: Int) {
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

    /// The step from a keyword to a subschema and to the part of the value that it applies to.
    private struct Step {
        /// The part of the value; a named member is also part of the schema's path.
        enum Descent {
            case none
            case item(Int)
            case member(key: Int, isNamed: Bool)
        }

        let keyword: String
        /// The token of one of several subschemas of the keyword.
        var part: String?
        var descent = Descent.none

        init(_ keyword: String, _ part: String? = nil, into descent: Descent = .none) {
            (self.keyword, self.part, self.descent) = (keyword, part, descent)
        }
    }

    /// Applies a subschema under its keyword.
    ///
    /// - Parameters:
    ///   - node: the subschema.
    ///   - value: the part of the value.
    ///   - step: the step from the keyword.
    ///   - seen: gets the evaluated parts; nil when they are not needed.
    private mutating func apply(
        _ node: Int, to value: Int, by step: Step, seen: EvaluatedParts? = nil
    ) -> Bool {
        guard collects else { return judge(value, by: node, seen: seen) }
        let depth = (keywordPath.count, instancePath.count)
        keywordPath.append(step.keyword)
        if let part = step.part { keywordPath.append(part) }
        switch step.descent {
        case .none: break
        case .item(let index): instancePath.append(String(index))
        case .member(let key, let isNamed):
            instancePath.append(tape.string(key))
            if isNamed { keywordPath.append(tape.string(key)) }
        }
        let isValid = judge(value, by: node, seen: seen)
        keywordPath.removeLast(keywordPath.count - depth.0)
        instancePath.removeLast(instancePath.count - depth.1)
        return isValid
    }

    /// Applies a subschema whose failure is no violation; its evaluated parts count only if it succeeds.
    private mutating func attempt(_ node: Int, on value: Int, seen: EvaluatedParts?) -> Bool {
        let (was, had) = (collects, violations.count)
        collects = false
        let part = seen.map { _ in EvaluatedParts() }
        let isValid = judge(value, by: node, seen: part)
        collects = was
        violations.removeLast(violations.count - had)
        if isValid, let part { seen?.merge(part) }
        return isValid
    }

    /// Whether a value satisfies a schema.
    ///
    /// - Parameters:
    ///   - value: the value's place on the tape.
    ///   - index: the schema's node.
    ///   - seen: gets the evaluated parts; nil when they are not needed.
    mutating func judge(_ value: Int, by index: Int, seen: EvaluatedParts?) -> Bool {
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
        // Parts evaluated by a failed schema do not count, so they are merged only at the end.
        let own = node.tracks || seen != nil ? EvaluatedParts() : nil
        var isValid = true
        for rule in node.rules {
            if keeps(value, rule, of: index, seen: own) { continue }
            isValid = false
            if !collects || isExhausted || isFull { break }
        }
        if isValid, let own { seen?.merge(own) }
        return isValid
    }

    // Long function: one keyword, one case.
    private mutating func keeps(
        _ value: Int, _ rule: JSONSchema.Rule, of node: Int, seen: EvaluatedParts?
    ) -> Bool {
        let kind = tape.values[value].kind
        switch rule.keyword {
        case .reference(let part): return apply(part, to: value, by: Step(rule.name), seen: seen)
        case .dynamicReference(let anchor, let fallback):
            let outermost = scope.first { schema.dynamicNodes[$0][anchor] != nil }
            let part = outermost.flatMap { schema.dynamicNodes[$0][anchor] } ?? fallback
            return apply(part, to: value, by: Step(rule.name), seen: seen)
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
                if !apply(part, to: value, by: Step(rule.name, name), seen: seen) { isValid = false }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            return isValid
        case .allOf(let parts):
            var isValid = true
            for (index, part) in parts.enumerated() {
                if apply(part, to: value, by: Step(rule.name, String(index)), seen: seen) { continue }
                isValid = false
                if !collects || isFull { return false }
            }
            return isValid
        case .anyOf(let parts):
            var isValid = false
            // Every successful branch evaluates parts.
            for part in parts where attempt(part, on: value, seen: seen) {
                isValid = true
                if seen == nil { break }
            }
            return isValid || fail(rule, node)
        case .oneOf(let parts):
            var fitting = 0
            for part in parts where attempt(part, on: value, seen: seen) {
                fitting += 1
                if fitting > 1 { break }
            }
            return fitting == 1 || fail(rule, node)
        case .not(let part): return !attempt(part, on: value, seen: nil) || fail(rule, node)
        case .condition(let test, let first, let second):
            if attempt(test, on: value, seen: seen) {
                return first.map { apply($0, to: value, by: Step("then"), seen: seen) } ?? true
            }
            return second.map { apply($0, to: value, by: Step("else"), seen: seen) } ?? true
        case .members(let named, let patterns, let rest):
            return kind != .object || members(of: value, named: named, patterns: patterns, rest: rest, seen: seen)
        case .propertyNames(let part):
            guard kind == .object else { return true }
            for key in tape.places(in: value) where !attempt(part, on: key, seen: nil) { return fail(rule, node) }
            return true
        case .items(let first, let rest):
            return kind != .array || items(of: value, first: first, rest: rest, seen: seen)
        case .contains(let part, let least, let most):
            guard kind == .array else { return true }
            var found = 0
            for (index, item) in tape.places(in: value).enumerated() where attempt(part, on: item, seen: nil) {
                found += 1
                seen?.places.insert(index)
            }
            return (found >= least && found <= most ?? .max) || fail(rule, node)
        case .unevaluatedItems(let part):
            guard kind == .array, let seen, !seen.all else { return true }
            var isValid = true
            for (index, item) in tape.places(in: value).enumerated()
            where index >= seen.prefix && !seen.places.contains(index) {
                if !apply(part, to: item, by: Step(rule.name, into: .item(index))) { isValid = false }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            seen.all = true
            return isValid
        case .unevaluatedProperties(let part):
            guard kind == .object, let seen, !seen.all else { return true }
            var isValid = true
            for (index, key) in tape.places(in: value).enumerated() where !seen.places.contains(index) {
                if !apply(part, to: key + 1, by: Step(rule.name, into: .member(key: key, isNamed: false))) {
                    isValid = false
                }
                if !isValid, !collects || isFull || isExhausted { return false }
            }
            seen.all = true
            return isValid
        }
    }

    private mutating func members(
        of value: Int, named: [[UInt8]: Int], patterns: [(pattern: Int, node: Int)], rest: Int?, seen: EvaluatedParts?
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
                if !apply(node, to: part, by: Step("properties", into: .member(key: key, isNamed: true))) {
                    isValid = false
                }
            }
            for (pattern, node) in patterns where matches(pattern, key) {
                isMatched = true
                let text = schema.patterns[pattern]
                if !apply(node, to: part, by: Step("patternProperties", text, into: .member(key: key, isNamed: false)))
                {
                    isValid = false
                }
            }
            if !isMatched, let rest {
                isMatched = true
                if !apply(rest, to: part, by: Step("additionalProperties", into: .member(key: key, isNamed: false))) {
                    isValid = false
                }
            }
            if !isValid, !collects || isFull || isExhausted { return false }
            if isMatched { seen?.places.insert(index) }
            index += 1
            key = Int(tape.values[part].next)
        }
        return isValid
    }

    private mutating func items(
        of value: Int, first: [Int], rest: Int?, seen: EvaluatedParts?
    ) -> Bool {
        steps += Int(tape.values[value].count)
        var isValid = true
        var item = value + 1
        let end = Int(tape.values[value].next)
        var index = 0
        while item < end {
            if index < first.count {
                if !apply(first[index], to: item, by: Step("prefixItems", String(index), into: .item(index))) {
                    isValid = false
                }
            } else if let rest {
                if !apply(rest, to: item, by: Step("items", into: .item(index))) { isValid = false }
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

    /// Length in Unicode scalars (Validation, section 6.3).
    private func length(_ value: Int) -> Int {
        var count = 0
        for at in tape.values[value].range where tape.text[at] & 0xC0 != 0x80 { count += 1 }
        return count
    }

    private mutating func matches(_ pattern: Int, _ value: Int) -> Bool {
        switch matchers.answer(pattern, of: patterns, tape.text.span, tape.values[value].range) {
        case .matches: return true
        case .differs: return false
        case .overBudget:
            isExhausted = true
            return false
        }
    }
}
