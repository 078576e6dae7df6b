import Recognition
package import Tabular

/// The common shape of JSON values: types, members, and which are always present. It keeps no value, and no key that
/// looks like data or holds personal data or a credential.
package struct JSONShape: Sendable, Equatable {
    private var types: JSONSchema.TypeSet = []
    private var objects = 0
    private var members: [String: JSONShape] = [:]
    /// Number of objects that have each member.
    private var presence: [String: Int] = [:]
    /// Whether the keys are data, so that all values have one common shape.
    private var isMap = false
    /// The shape of array items, or of a map's values; at most one element.
    private var inner: [JSONShape] = []

    /// Members beyond which keys count as data.
    private static let membersMax = 64
    private static let depthMax = 16
    private static let scanner = TextScanner(entities: Entity.usual, secrets: true, minimumScore: 0.6)

    /// Without evidence.
    package init() {}

    /// Adds the value at a place of a tape.
    ///
    /// - Parameters:
    ///   - tape: the parsed value.
    ///   - place: where the value begins on the tape.
    ///   - depth: nesting so far; deeper levels are not examined.
    package mutating func add(_ tape: JSONTape, at place: Int = 0, depth: Int = 0) {
        let value = tape.values[place]
        switch value.kind {
        case .null: types.insert(.null)
        case .boolean: types.insert(.boolean)
        case .string: types.insert(.string)
        case .number:
            let isWhole = ExactNumber(tape.text.span, value.range).isWhole
            types.insert(isWhole ? .integer : .number)
        case .array:
            types.insert(.array)
            if depth == Self.depthMax { return }
            for item in tape.places(in: place) { addInner(tape, item, depth) }
        case .object:
            types.insert(.object)
            objects += 1
            if depth == Self.depthMax { return }
            for key in tape.places(in: place) { add(tape, key: key, depth) }
        }
    }

    private mutating func addInner(_ tape: JSONTape, _ place: Int, _ depth: Int) {
        if inner.isEmpty { inner = [JSONShape()] }
        inner[0].add(tape, at: place, depth: depth + 1)
    }

    /// Adds a member. Once keys turn out to be data, the object is a map, and all its values share one shape.
    private mutating func add(_ tape: JSONTape, key: Int, _ depth: Int) {
        let name = tape.string(key)
        if !isMap, members[name] == nil, members.count == Self.membersMax || Self.isData(name) {
            isMap = true
            for shape in members.values { mergeInner(shape) }
            (members, presence) = ([:], [:])
        }
        if isMap { return addInner(tape, key + 1, depth) }
        members[name, default: JSONShape()].add(tape, at: key + 1, depth: depth + 1)
        presence[name, default: 0] += 1
    }

    private mutating func mergeInner(_ other: JSONShape) {
        if inner.isEmpty { inner = [JSONShape()] }
        inner[0].merge(other)
    }

    /// Merges the evidence of another value; types, members and counts are united.
    private mutating func merge(_ other: JSONShape) {
        types.formUnion(other.types)
        objects += other.objects
        isMap = isMap || other.isMap
        for shape in other.inner { mergeInner(shape) }
        for (name, shape) in other.members {
            if isMap { mergeInner(shape) } else { members[name, default: JSONShape()].merge(shape) }
            presence[name, default: 0] += other.presence[name] ?? 0
        }
    }

    /// Whether a key looks like data: a number, a date, an address, or a long text.
    private static func isData(_ key: String) -> Bool {
        let letters = key.utf8.count { ($0 | 0x20) &- 0x61 < 26 || $0 >= 0x80 }
        if letters == 0 || key.utf8.contains(0x20) || key.utf8.contains(0x40) || key.utf8.count > 64 { return true }
        if 2 * letters < key.utf8.count || isTimeOrIdentifier(key) { return true }
        var matches: [EntityMatch] = []
        let bytes = Array(key.utf8)
        return scanner.scan(bytes.span, range: bytes.indices, into: &matches) != nil || !matches.isEmpty
    }

    /// The shape as a JSON Schema: types, members, and those that are always present.
    package var schema: JSONValue {
        var out: [String: JSONValue] = [:]
        var words: [String] = []
        for (type, word) in [
            (JSONSchema.TypeSet.array, "array"), (.boolean, "boolean"), (.null, "null"), (.object, "object"),
            (.string, "string"),
        ] where types.contains(type) { words.append(word) }
        if types.contains(.number) {
            words.append("number")
        } else if types.contains(.integer) {
            words.append("integer")
        }
        words.sort()
        if words.count == 1 { out["type"] = .string(words[0]) }
        if words.count > 1 { out["type"] = .array(words.map { .string($0) }) }
        // Members that hardly ever repeat are data: a map by names or words.
        let always = members.keys.filter { presence[$0] == objects }.sorted()
        let isLoose =
            objects > 1 && members.count > 2 && always.isEmpty && presence.values.reduce(0, +) < 2 * members.count
        if isLoose {
            var value = JSONShape()
            for shape in members.values { value.merge(shape) }
            out["additionalProperties"] = value.schema
            return .object(out)
        }
        if !members.isEmpty {
            out["properties"] = .object(members.mapValues(\.schema))
            if !always.isEmpty { out["required"] = .array(always.map { .string($0) }) }
        }
        if let shape = inner.first { out[types.contains(.array) ? "items" : "additionalProperties"] = shape.schema }
        return .object(out)
    }
}
