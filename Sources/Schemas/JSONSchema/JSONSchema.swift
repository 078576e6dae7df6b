package import Tabular

/// A compiled JSON Schema (draft 2020-12): every reachable subschema, with references resolved to indices.
package struct JSONSchema: Sendable {
    /// One subschema.
    package struct Node: Sendable {
        /// The result of a schema that is `true` or `false`; nil for an object.
        package var verdict: Bool?
        /// Its keywords; `unevaluated…` come last, since they depend on the others.
        package var rules: [Rule] = []
        /// The index of its resource, for `dynamicNodes`.
        package var resource = 0
        /// Its location: the resource's identifier and a JSON Pointer.
        package var location = ""
        /// Whether it needs to know which parts its subschemas evaluated.
        package var tracks = false
    }

    /// A keyword and its value.
    package struct Rule: Sendable {
        /// The keyword.
        package let name: String
        /// Its value.
        package let keyword: Keyword
    }

    /// The types of a value; `integer` is a number without a fraction.
    package struct TypeSet: OptionSet, Sendable {
        /// One bit a type.
        package let rawValue: UInt8

        /// A set of types.
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `null`.
        package static let null = TypeSet(rawValue: 1)
        /// `true` and `false`.
        package static let boolean = TypeSet(rawValue: 2)
        /// Any number.
        package static let number = TypeSet(rawValue: 4)
        /// Text.
        package static let string = TypeSet(rawValue: 8)
        /// A list.
        package static let array = TypeSet(rawValue: 16)
        /// A mapping.
        package static let object = TypeSet(rawValue: 32)
        /// A number without a fraction.
        package static let integer = TypeSet(rawValue: 64)
    }

    /// A value in the schema, such as that of `const`, with its hash.
    package struct Constant: Sendable {
        /// The value, parsed; it begins at place 0 of its tape.
        package let tape: JSONTape
        /// Its `JSONTape.hash`.
        package let hash: Int

        init(_ bytes: [UInt8]) throws(JSONTape.Fault) {
            var tape = JSONTape()
            try tape.read(bytes.span, 0..<bytes.count)
            self.tape = tape
            hash = tape.hash(0)
        }
    }

    /// A keyword with its operand; subschemas are indices into `nodes`.
    package enum Keyword: Sendable {
        case reference(Int)
        /// Resolved at run time: the outermost resource of the dynamic scope with this anchor, else the fallback node.
        case dynamicReference(anchor: String, fallback: Int)
        case type(TypeSet)
        case constant(Constant)
        /// The allowed values, and their indices by hash.
        case enumeration([Constant], [Int: [Int]])
        case multipleOf(ExactNumber)
        case minimum(ExactNumber), maximum(ExactNumber)
        case exclusiveMinimum(ExactNumber), exclusiveMaximum(ExactNumber)
        case minLength(Int), maxLength(Int)
        /// An index into `patterns`.
        case pattern(Int)
        case format(JSONFormat)
        /// `properties`, `patternProperties` and `additionalProperties`: the last applies to what the others leave.
        case members(named: [[UInt8]: Int], patterns: [(pattern: Int, node: Int)], rest: Int?)
        case propertyNames(Int)
        case required([[UInt8]])
        case minProperties(Int), maxProperties(Int)
        case dependentRequired([(key: [UInt8], needs: [[UInt8]])])
        case dependentSchemas([(key: [UInt8], node: Int)])
        /// `prefixItems` and `items`.
        case items(first: [Int], rest: Int?)
        case contains(Int, atLeast: Int, atMost: Int?)
        case minItems(Int), maxItems(Int)
        case uniqueItems
        case allOf([Int]), anyOf([Int]), oneOf([Int])
        case not(Int)
        case condition(Int, then: Int?, otherwise: Int?)
        case unevaluatedItems(Int)
        case unevaluatedProperties(Int)
    }

    /// The subschemas; the first is the whole schema.
    package internal(set) var nodes: [Node] = []
    /// The regular expressions of `pattern` and `patternProperties`.
    package internal(set) var patterns: [String] = []
    /// For each resource, the nodes of its dynamic anchors.
    package internal(set) var dynamicNodes: [[String: Int]] = []

    /// The text that it was compiled from.
    package internal(set) var source: [UInt8] = []

    init() {}
}

extension JSONSchema: Equatable {
    /// Whether two schemas were compiled from the same text.
    package static func == (left: JSONSchema, right: JSONSchema) -> Bool { left.source == right.source }
}

extension JSONSchema {
    /// A node that applies itself to the same value and so never terminates; nil when there is none.
    var nodeInLoop: Int? {
        // 0 new, 1 being followed, 2 done.
        var state = [UInt8](repeating: 0, count: nodes.count)
        for start in nodes.indices where state[start] == 0 {
            var stack = [(node: start, parts: inPlace(start)[...])]
            state[start] = 1
            while let top = stack.last {
                guard let part = top.parts.first else {
                    state[top.node] = 2
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].parts.removeFirst()
                if state[part] == 1 { return part }
                if state[part] == 0 {
                    state[part] = 1
                    stack.append((part, inPlace(part)[...]))
                }
            }
        }
        return nil
    }

    /// The nodes that a node applies to its own value.
    private func inPlace(_ index: Int) -> [Int] {
        nodes[index].rules.flatMap { rule -> [Int] in
            switch rule.keyword {
            case .reference(let node), .not(let node): [node]
            case .allOf(let nodes), .anyOf(let nodes), .oneOf(let nodes): nodes
            case .condition(let test, let first, let second): [test] + [first, second].compactMap { $0 }
            case .dependentSchemas(let pairs): pairs.map(\.node)
            default: []
            }
        }
    }
}

/// The formats of JSON Schema 2020-12 (Validation, section 7.3).
package enum JSONFormat: String, Sendable, CaseIterable {
    case date, time, duration, email, hostname, ipv4, ipv6, uri, iri, uuid, regex
    case dateTime = "date-time"
    case idnEmail = "idn-email"
    case idnHostname = "idn-hostname"
    case uriReference = "uri-reference"
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
}

extension JSONTape {
    /// A hash that is equal for equal values: numbers by value, members in any order.
    package func hash(_ place: Int) -> Int {
        var hasher = Hasher()
        feed(place, &hasher)
        return hasher.finalize()
    }

    private func feed(_ place: Int, _ hasher: inout Hasher) {
        let value = values[place]
        hasher.combine(value.kind)
        switch value.kind {
        case .null: break
        case .boolean: hasher.combine(value.range.count)
        case .number: hasher.combine(ExactNumber(text.span, value.range))
        case .string: text.span.withBytes(value.range) { hasher.combine($0) }
        case .array: for item in places(in: place) { feed(item, &hasher) }
        case .object:
            var sum = 0
            for key in places(in: place) {
                var member = Hasher()
                feed(key, &member)
                feed(key + 1, &member)
                sum &+= member.finalize()
            }
            hasher.combine(sum)
        }
    }

    /// Whether two values are equal as JSON Schema defines it (Core, section 4.2.2).
    package func equals(_ place: Int, _ other: JSONTape, _ otherPlace: Int) -> Bool {
        let (mine, theirs) = (values[place], other.values[otherPlace])
        guard mine.kind == theirs.kind, mine.count == theirs.count else { return false }
        switch mine.kind {
        case .null: return true
        case .boolean: return mine.range.count == theirs.range.count
        case .number:
            return ExactNumber(text.span, mine.range) == ExactNumber(other.text.span, theirs.range)
        case .string: return text[mine.range].elementsEqual(other.text[theirs.range])
        case .array:
            return zip(places(in: place), other.places(in: otherPlace)).allSatisfy { equals($0, other, $1) }
        case .object:
            return places(in: place).allSatisfy { key in
                other.member(Array(text[values[key].range]), of: otherPlace).map { equals(key + 1, other, $0) } ?? false
            }
        }
    }
}

extension Span<UInt8> {
    /// Calls `body` with each byte of a range.
    fileprivate func withBytes(_ range: Range<Int>, _ body: (UInt8) -> Void) {
        for at in range { body(self[at]) }
    }
}
