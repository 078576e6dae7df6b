import Tabular

/// A JSON Schema that cannot be used as it stands.
package struct JSONSchemaError: Error, Sendable, Equatable {
    /// What is wrong, and what to do.
    package let reason: String
    /// Where: a JSON Pointer into the document that was compiled, or nil when it is in another one.
    package let pointer: String?
}

extension JSONSchema {
    /// What a schema may rely on besides its own text.
    package struct Surroundings: Sendable {
        /// Whether `format` is a rule; else it only says what a text is for.
        package var assertsFormat = false
        /// Other documents, by the identifier that references use. Nothing is ever fetched.
        package var documents: [String: [UInt8]] = [:]

        /// Nothing but the metaschemas.
        package init() {}
    }

    /// Compiles a document of JSON Schema 2020-12.
    ///
    /// - Parameter base: what its references are relative to when it has no `$id`.
    package static func compile(
        _ bytes: [UInt8], base: String = "", _ surroundings: Surroundings = Surroundings()
    ) throws(JSONSchemaError) -> JSONSchema {
        var compiler = JSONSchemaCompiler(surroundings)
        return try compiler.compile(bytes, base: base)
    }
}

/// Follows every subschema that can be reached from the root.
struct JSONSchemaCompiler {
    /// A value of one of the documents.
    private struct Site: Hashable {
        var document: Int
        var at: Int
    }

    /// A text that is compared byte by byte: two spellings of é are two names.
    private struct Name: Hashable {
        let bytes: [UInt8]

        init(_ text: String) { bytes = Array(text.utf8) }
    }

    /// What the metaschema of a resource switches on.
    private struct Vocabularies {
        var hasValidation = true
        var assertsFormat: Bool
    }

    private let surroundings: JSONSchema.Surroundings
    private var schema = JSONSchema()
    private var documents: [JSONTape] = []
    /// Identifiers to schemas, and to places in `dynamicNodes`.
    private var resources: [Name: (site: Site, index: Int)] = [:]
    private var anchors: [Name: Site] = [:]
    private var dynamicAnchors: [[Name: Site]] = []
    private var vocabularies: [Vocabularies] = []
    /// The identifier that each schema found on the way is relative to.
    private var bases: [Site: String] = [:]
    private var nodeOf: [Site: Int] = [:]
    private var patternOf: [Name: Int] = [:]
    /// Where each schema found on the way stands in its document.
    private var pointers: [Site: String] = [:]
    private var depth = 0

    static let dialect = "https://json-schema.org/draft/2020-12/schema"
    private static let single = [
        "additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema",
    ]
    private static let listed = ["allOf", "anyOf", "oneOf", "prefixItems"]
    private static let mapped = [
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
    ]

    init(_ surroundings: JSONSchema.Surroundings) { self.surroundings = surroundings }

    mutating func compile(_ bytes: [UInt8], base: String) throws(JSONSchemaError) -> JSONSchema {
        schema.source = bytes
        let root = try add(bytes, base: base)
        _ = try node(root)
        // What a dynamic reference may lead to is not known before it is followed.
        var done = 0
        while done < schema.nodes.count {
            done = schema.nodes.count
            for index in dynamicAnchors.indices {
                for (anchor, site) in dynamicAnchors[index] {
                    let name = String(decoding: anchor.bytes, as: UTF8.self)
                    while schema.dynamicNodes.count <= index { schema.dynamicNodes.append([:]) }
                    if schema.dynamicNodes[index][name] == nil { schema.dynamicNodes[index][name] = try node(site) }
                }
            }
        }
        while schema.dynamicNodes.count < dynamicAnchors.count { schema.dynamicNodes.append([:]) }
        // A schema that applies itself to the same value would never come to an end.
        if let node = schema.nodeInLoop {
            throw JSONSchemaError(
                reason: "the schema at \(schema.nodes[node].location) applies itself to the same value again and again",
                pointer: nil)
        }
        return schema
    }

    // MARK: Documents and identifiers

    private mutating func add(_ bytes: [UInt8], base: String) throws(JSONSchemaError) -> Site {
        var tape = JSONTape()
        do throws(JSONTape.Fault) { try tape.read(bytes.span, 0..<bytes.count) } catch {
            throw JSONSchemaError(reason: "\(error.reason) at byte \(error.offset)", pointer: nil)
        }
        documents.append(tape)
        let site = Site(document: documents.count - 1, at: 0)
        // It is found under the name that it was asked for by, and under its own.
        let index = register(base, site, Vocabularies(assertsFormat: surroundings.assertsFormat))
        try walk(site, base: base, resource: index)
        return site
    }

    private mutating func register(_ identifier: String, _ site: Site, _ words: Vocabularies) -> Int {
        if let known = resources[Name(identifier)] { return known.index }
        dynamicAnchors.append([:])
        vocabularies.append(words)
        resources[Name(identifier)] = (site, dynamicAnchors.count - 1)
        return dynamicAnchors.count - 1
    }

    /// Notes identifiers and anchors of all subschemas.
    private mutating func walk(_ site: Site, base: String, resource: Int, at pointer: String = "")
        throws(JSONSchemaError)
    {
        var (base, resource) = (base, resource)
        pointers[site] = pointer
        let tape = documents[site.document]
        guard tape.values[site.at].kind == .object else {
            bases[site] = base
            return
        }
        if let id = member("$id", site) {
            let text = try text(id)
            let full = URIReference.resolve(text, against: base)
            let (name, fragment) = URIReference.split(full)
            guard fragment == nil || fragment == "" else {
                throw error(id, "an $id has no fragment; use $anchor")
            }
            base = name
            resource = register(base, site, vocabularies[resource])
        }
        bases[site] = base
        if let metaschema = member("$schema", site) { try readVocabularies(metaschema, resource) }
        if let anchor = member("$anchor", site) { anchors[Name(base + "#" + (try text(anchor)))] = site }
        if let anchor = member("$dynamicAnchor", site) {
            let name = try text(anchor)
            anchors[Name(base + "#" + name)] = site
            dynamicAnchors[resource][Name(name)] = site
        }
        for keyword in Self.single {
            guard let part = member(keyword, site), isSchema(part) else { continue }
            try walk(part, base: base, resource: resource, at: "\(pointer)/\(keyword)")
        }
        for keyword in Self.listed {
            guard let list = member(keyword, site), kind(list) == .array else { continue }
            for (index, part) in places(list).enumerated() where isSchema(part) {
                try walk(part, base: base, resource: resource, at: "\(pointer)/\(keyword)/\(index)")
            }
        }
        for keyword in Self.mapped {
            guard let map = member(keyword, site), kind(map) == .object else { continue }
            for key in places(map) {
                let part = Site(document: key.document, at: key.at + 1)
                let token = documents[key.document].string(key.at)
                let name = token.replacing("~", with: "~0").replacing("/", with: "~1")
                if isSchema(part) {
                    try walk(part, base: base, resource: resource, at: "\(pointer)/\(keyword)/\(name)")
                }
            }
        }
    }

    private mutating func readVocabularies(_ site: Site, _ resource: Int) throws(JSONSchemaError) {
        let (name, _) = URIReference.split(try text(site))
        if name == Self.dialect { return }
        guard let bytes = surroundings.documents[name] else {
            let isOlder = name.contains("json-schema.org")
            throw error(
                site,
                isOlder
                    ? "this version reads JSON Schema 2020-12 only; convert the schema, and let $schema be \(Self.dialect)"
                    : "the metaschema is not known; use \(Self.dialect)")
        }
        var tape = JSONTape()
        do throws(JSONTape.Fault) { try tape.read(bytes.span, 0..<bytes.count) } catch { return }
        guard let words = tape.member(Array("$vocabulary".utf8), of: 0) else { return }
        var found = Vocabularies(hasValidation: false, assertsFormat: surroundings.assertsFormat)
        for key in tape.places(in: words) {
            let word = tape.string(key)
            if word.hasSuffix("/vocab/validation") { found.hasValidation = true }
            if word.hasSuffix("/vocab/format-assertion") { found.assertsFormat = true }
            let isKnown = word.hasPrefix("https://json-schema.org/draft/2020-12/vocab/")
            if !isKnown, tape.text[tape.values[key + 1].range].count == 4 {
                throw error(site, "the metaschema requires a vocabulary that is not known")
            }
        }
        vocabularies[resource] = found
    }

    /// The schema that a full reference leads to.
    private mutating func target(_ reference: String, from site: Site) throws(JSONSchemaError) -> Site {
        let (name, fragment) = URIReference.split(reference)
        if resources[Name(name)] == nil {
            if let bytes = surroundings.documents[name] {
                _ = try add(bytes, base: name)
            } else if let standard = Self.standard(name) {
                _ = try add(standard, base: name)
            }
        }
        guard let found = resources[Name(name)] else {
            throw error(
                site,
                "there is no schema \(quoted(name)) here, and none is ever fetched; put it under $defs, or name its file"
            )
        }
        guard let fragment, !fragment.isEmpty else { return found.site }
        guard fragment.hasPrefix("/") else {
            guard let anchor = anchors[Name(name + "#" + fragment)] else {
                throw error(site, "there is no anchor \(quoted(fragment)) in the schema")
            }
            return anchor
        }
        var at = found.site
        var base = name
        for token in fragment.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = String(token.replacing("~1", with: "/").replacing("~0", with: "~"))
            var next: Site?
            if kind(at) == .object {
                next = member(key, at)
            } else if kind(at) == .array, let index = Int(key), places(at).indices.contains(index) {
                next = places(at)[index]
            }
            guard let next else { throw error(site, "the reference leads nowhere: \(quoted("#" + fragment))") }
            at = next
            if let known = bases[at] { base = known }
        }
        if bases[at] == nil {
            try walk(at, base: base, resource: resources[Name(base)]?.index ?? found.index, at: pointer(at))
        }
        return at
    }

    /// One of the published metaschemas.
    private static func standard(_ name: String) -> [UInt8]? {
        guard name.hasPrefix("https://json-schema.org/draft/2020-12/") else { return nil }
        return metaschemas.first { $0.contains("\"$id\":\"\(name)\"") }.map { Array($0.utf8) }
    }

    // MARK: Values

    private func kind(_ site: Site) -> JSONTape.Kind { documents[site.document].values[site.at].kind }
    private func isSchema(_ site: Site) -> Bool { kind(site) == .object || kind(site) == .boolean }

    private func member(_ key: String, _ site: Site) -> Site? {
        documents[site.document].member(Array(key.utf8), of: site.at).map { Site(document: site.document, at: $0) }
    }

    private func places(_ site: Site) -> [Site] {
        documents[site.document].places(in: site.at).map { Site(document: site.document, at: $0) }
    }

    private func bytes(_ site: Site) -> [UInt8] {
        let tape = documents[site.document]
        return Array(tape.text[tape.values[site.at].range])
    }

    private func text(_ site: Site) throws(JSONSchemaError) -> String {
        guard kind(site) == .string else { throw error(site, "must be a string") }
        return documents[site.document].string(site.at)
    }

    private func items(_ site: Site) throws(JSONSchemaError) -> [Site] {
        guard kind(site) == .array else { throw error(site, "must be a list") }
        return places(site)
    }

    private func names(_ site: Site) throws(JSONSchemaError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for item in try items(site) { names.append(Array(try text(item).utf8)) }
        return names
    }

    private func members(_ site: Site) throws(JSONSchemaError) -> [(key: String, value: Site)] {
        guard kind(site) == .object else { throw error(site, "must be a mapping") }
        return places(site).map {
            (documents[$0.document].string($0.at), Site(document: $0.document, at: $0.at + 1))
        }
    }

    private func number(_ site: Site) throws(JSONSchemaError) -> ExactNumber {
        guard kind(site) == .number else { throw error(site, "must be a number") }
        let tape = documents[site.document]
        return ExactNumber(tape.text.span, tape.values[site.at].range)
    }

    /// A count: a whole number that is not negative, `2.0` included.
    private func count(_ site: Site) throws(JSONSchemaError) -> Int {
        let number = try number(site)
        guard number.isWhole, !(number < ExactNumber(0)) else {
            throw error(site, "must be a whole number, 0 or more")
        }
        let (low, high) = (0, Int(Int32.max))
        if number > ExactNumber(high) { return high }
        let text = String(decoding: bytes(site), as: UTF8.self)
        return Int(text) ?? Double(text).map { Int($0) } ?? low
    }

    private func constant(_ site: Site) throws(JSONSchemaError) -> JSONSchema.Constant {
        do throws(JSONTape.Fault) { return try JSONSchema.Constant(source(site)) } catch {
            throw self.error(site, error.reason)
        }
    }

    /// A value's text, with its quotes when it is a string.
    private func source(_ site: Site) -> [UInt8] {
        guard kind(site) == .string else { return bytes(site) }
        return Array(JSONValue.string(documents[site.document].string(site.at)).text(pretty: false).utf8)
    }

    private func error(_ site: Site, _ reason: String) -> JSONSchemaError {
        JSONSchemaError(reason: reason, pointer: site.document == 0 ? pointers[site] ?? pointer(site) : nil)
    }

    /// The JSON Pointer of a value in its document.
    private func pointer(_ site: Site) -> String {
        let tape = documents[site.document]
        var path = ""
        var at = 0
        descent: while at < site.at {
            let isObject = tape.values[at].kind == .object
            for (index, place) in tape.places(in: at).enumerated() {
                let value = isObject ? place + 1 : place
                if site.at >= place, site.at < Int(tape.values[value].next) {
                    let token = isObject ? tape.string(place) : String(index)
                    path += "/" + token.replacing("~", with: "~0").replacing("/", with: "~1")
                    at = max(value, place)
                    if site.at <= at { break descent }
                    continue descent
                }
            }
            break
        }
        return path
    }

    // MARK: Subschemas

    private mutating func node(_ site: Site) throws(JSONSchemaError) -> Int {
        if let known = nodeOf[site] { return known }
        depth += 1
        defer { depth -= 1 }
        guard depth <= 400 else {
            throw error(site, "schemas lead on to each other more than 400 deep; write it flatter")
        }
        guard isSchema(site) else { throw error(site, "a schema is a mapping, true or false") }
        let index = schema.nodes.count
        nodeOf[site] = index
        schema.nodes.append(JSONSchema.Node())
        let base = bases[site] ?? ""
        let resource = resources[Name(base)]?.index ?? 0
        schema.nodes[index].resource = resource
        schema.nodes[index].location = base + "#" + (pointers[site] ?? pointer(site))
        if kind(site) == .boolean {
            schema.nodes[index].verdict = bytes(site).count == 4
            return index
        }
        var rules: [JSONSchema.Rule] = []
        func add(_ name: String, _ keyword: JSONSchema.Keyword?) {
            if let keyword { rules.append(JSONSchema.Rule(name: name, keyword: keyword)) }
        }
        if let reference = member("$ref", site) {
            let full = URIReference.resolve(try text(reference), against: base)
            add("$ref", .reference(try node(try target(full, from: reference))))
        }
        if let reference = member("$dynamicRef", site) {
            add("$dynamicRef", try dynamic(reference, base))
        }
        if vocabularies[resource].hasValidation { rules += try validation(site) }
        if let format = member("format", site), vocabularies[resource].assertsFormat {
            add("format", JSONFormat(rawValue: try text(format)).map { .format($0) })
        }
        rules += try applicators(site)
        if let part = member("unevaluatedItems", site) { add("unevaluatedItems", .unevaluatedItems(try node(part))) }
        if let part = member("unevaluatedProperties", site) {
            add("unevaluatedProperties", .unevaluatedProperties(try node(part)))
        }
        schema.nodes[index].rules = rules
        schema.nodes[index].tracks = rules.contains { $0.name.hasPrefix("unevaluated") }
        return index
    }

    private mutating func dynamic(_ reference: Site, _ base: String) throws(JSONSchemaError) -> JSONSchema.Keyword {
        let full = URIReference.resolve(try text(reference), against: base)
        let site = try target(full, from: reference)
        let fallback = try node(site)
        let (name, fragment) = URIReference.split(full)
        // Only where the reference itself leads to a dynamic anchor it is dynamic.
        if let fragment, !fragment.hasPrefix("/"), let resource = resources[Name(name)]?.index,
            dynamicAnchors[resource][Name(fragment)] == site
        {
            return .dynamicReference(anchor: fragment, fallback: fallback)
        }
        return .reference(fallback)
    }

    private mutating func pattern(_ text: String) -> Int {
        if let known = patternOf[Name(text)] { return known }
        schema.patterns.append(text)
        patternOf[Name(text)] = schema.patterns.count - 1
        return schema.patterns.count - 1
    }

    /// The keywords about a value itself (Validation 6).
    private mutating func validation(_ site: Site) throws(JSONSchemaError) -> [JSONSchema.Rule] {
        var rules: [JSONSchema.Rule] = []
        if let type = member("type", site) {
            rules.append(.init(name: "type", keyword: .type(try types(type))))
        }
        if let value = member("const", site) {
            rules.append(.init(name: "const", keyword: .constant(try constant(value))))
        }
        if let list = member("enum", site) {
            var (values, places): ([JSONSchema.Constant], [Int: [Int]]) = ([], [:])
            for item in try items(list) {
                values.append(try constant(item))
                places[values[values.count - 1].hash, default: []].append(values.count - 1)
            }
            rules.append(.init(name: "enum", keyword: .enumeration(values, places)))
        }
        if let factor = member("multipleOf", site) {
            let number = try number(factor)
            guard number > ExactNumber(0) else { throw error(factor, "must be more than 0") }
            rules.append(.init(name: "multipleOf", keyword: .multipleOf(number)))
        }
        let limits: [(String, (ExactNumber) -> JSONSchema.Keyword)] = [
            ("minimum", { .minimum($0) }), ("maximum", { .maximum($0) }),
            ("exclusiveMinimum", { .exclusiveMinimum($0) }), ("exclusiveMaximum", { .exclusiveMaximum($0) }),
        ]
        for (name, make) in limits {
            if let limit = member(name, site) { rules.append(.init(name: name, keyword: make(try number(limit)))) }
        }
        let counts: [(String, (Int) -> JSONSchema.Keyword)] = [
            ("minLength", { .minLength($0) }), ("maxLength", { .maxLength($0) }), ("minItems", { .minItems($0) }),
            ("maxItems", { .maxItems($0) }), ("minProperties", { .minProperties($0) }),
            ("maxProperties", { .maxProperties($0) }),
        ]
        for (name, make) in counts {
            if let limit = member(name, site) { rules.append(.init(name: name, keyword: make(try count(limit)))) }
        }
        if let text = member("pattern", site) {
            rules.append(.init(name: "pattern", keyword: .pattern(pattern(try self.text(text)))))
        }
        if let flag = member("uniqueItems", site), bytes(flag).count == 4 {
            rules.append(.init(name: "uniqueItems", keyword: .uniqueItems))
        }
        if let list = member("required", site) {
            rules.append(.init(name: "required", keyword: .required(try names(list))))
        }
        if let map = member("dependentRequired", site) {
            var pairs: [(key: [UInt8], needs: [[UInt8]])] = []
            for (key, list) in try members(map) { pairs.append((Array(key.utf8), try names(list))) }
            rules.append(.init(name: "dependentRequired", keyword: .dependentRequired(pairs)))
        }
        return rules
    }

    private func types(_ site: Site) throws(JSONSchemaError) -> JSONSchema.TypeSet {
        let known: [String: JSONSchema.TypeSet] = [
            "null": .null, "boolean": .boolean, "number": .number, "string": .string, "array": .array,
            "object": .object, "integer": .integer,
        ]
        var types: JSONSchema.TypeSet = []
        for item in kind(site) == .array ? places(site) : [site] {
            let name = try text(item)
            guard let type = known[name] else {
                throw error(item, "there is no type \(quoted(name))\(didYouMean(name, among: known.keys.sorted()))")
            }
            types.insert(type)
        }
        return types
    }

    /// The keywords that apply other schemas (Core 10).
    private mutating func applicators(_ site: Site) throws(JSONSchemaError) -> [JSONSchema.Rule] {
        var rules: [JSONSchema.Rule] = []
        let (named, patterned) = (member("properties", site), member("patternProperties", site))
        let rest = member("additionalProperties", site)
        if named != nil || patterned != nil || rest != nil {
            var fields: [[UInt8]: Int] = [:]
            if let named { for (key, part) in try members(named) { fields[Array(key.utf8)] = try node(part) } }
            var patterns: [(pattern: Int, node: Int)] = []
            if let patterned {
                for (text, part) in try members(patterned) { patterns.append((pattern(text), try node(part))) }
            }
            var other: Int?
            if let rest { other = try node(rest) }
            let name = rest != nil ? "additionalProperties" : named != nil ? "properties" : "patternProperties"
            rules.append(.init(name: name, keyword: .members(named: fields, patterns: patterns, rest: other)))
        }
        if let part = member("propertyNames", site) {
            rules.append(.init(name: "propertyNames", keyword: .propertyNames(try node(part))))
        }
        let (first, items) = (member("prefixItems", site), member("items", site))
        if first != nil || items != nil {
            var parts: [Int] = []
            if let first { for part in try self.items(first) { parts.append(try node(part)) } }
            var other: Int?
            if let items {
                if kind(items) == .array {
                    throw error(items, "a list of schemas for items is prefixItems in JSON Schema 2020-12")
                }
                other = try node(items)
            }
            rules.append(
                .init(name: items != nil ? "items" : "prefixItems", keyword: .items(first: parts, rest: other)))
        }
        if let part = member("contains", site) {
            let words = vocabularies[schema.nodes[nodeOf[site] ?? 0].resource].hasValidation
            let least =
                try words ? member("minContains", site).map { (at) throws(JSONSchemaError) in try count(at) } : nil
            let most =
                try words ? member("maxContains", site).map { (at) throws(JSONSchemaError) in try count(at) } : nil
            rules.append(
                .init(name: "contains", keyword: .contains(try node(part), atLeast: least ?? 1, atMost: most)))
        }
        if let map = member("dependentSchemas", site) {
            var pairs: [(key: [UInt8], node: Int)] = []
            for (key, part) in try members(map) { pairs.append((Array(key.utf8), try node(part))) }
            rules.append(.init(name: "dependentSchemas", keyword: .dependentSchemas(pairs)))
        }
        rules += try dependencies(site)
        let lists: [(String, ([Int]) -> JSONSchema.Keyword)] = [
            ("allOf", { .allOf($0) }), ("anyOf", { .anyOf($0) }), ("oneOf", { .oneOf($0) }),
        ]
        for (name, make) in lists {
            guard let list = member(name, site) else { continue }
            var parts: [Int] = []
            for part in try self.items(list) { parts.append(try node(part)) }
            guard !parts.isEmpty else { throw error(list, "must have at least one schema") }
            rules.append(.init(name: name, keyword: make(parts)))
        }
        if let part = member("not", site) { rules.append(.init(name: "not", keyword: .not(try node(part)))) }
        if let part = member("if", site) {
            var branches: [Int?] = []
            for name in ["then", "else"] {
                if let branch = member(name, site) { branches.append(try node(branch)) } else { branches.append(nil) }
            }
            rules.append(
                .init(name: "if", keyword: .condition(try node(part), then: branches[0], otherwise: branches[1])))
        }
        return rules
    }

    /// `dependencies` of earlier drafts, which 2020-12 lets readers keep: it is two keywords now.
    private mutating func dependencies(_ site: Site) throws(JSONSchemaError) -> [JSONSchema.Rule] {
        guard let map = member("dependencies", site) else { return [] }
        var keys: [(key: [UInt8], needs: [[UInt8]])] = []
        var schemas: [(key: [UInt8], node: Int)] = []
        for (key, part) in try members(map) {
            if kind(part) == .array {
                keys.append((Array(key.utf8), try names(part)))
            } else {
                schemas.append((Array(key.utf8), try node(part)))
            }
        }
        var rules: [JSONSchema.Rule] = []
        if !keys.isEmpty { rules.append(.init(name: "dependencies", keyword: .dependentRequired(keys))) }
        if !schemas.isEmpty { rules.append(.init(name: "dependencies", keyword: .dependentSchemas(schemas))) }
        return rules
    }
}
