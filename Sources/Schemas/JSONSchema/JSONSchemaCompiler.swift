import Tabular

/// An error in a JSON Schema.
package struct JSONSchemaError: Error, Sendable, Equatable {
    /// The defect and its remedy, as a sentence.
    package let reason: String
    /// A JSON Pointer into the compiled document; nil when the error is in another one.
    package let pointer: String?
}

extension JSONSchema {
    /// Settings, and the documents that a schema may refer to.
    package struct Surroundings: Sendable {
        /// Whether `format` is an assertion instead of an annotation.
        package var assertsFormat = false
        /// Other documents by identifier. Nothing is ever fetched.
        package var documents: [String: [UInt8]] = [:]

        /// The metaschemas only.
        package init() {}
    }

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - base: the URI that references are resolved against when it has no `$id`.
    ///   - surroundings: settings and referenced documents.
    /// - Throws: for keywords of the wrong type, unresolved references and schemas that apply themselves endlessly.
    package static func compile(
        _ bytes: [UInt8], base: String = "", _ surroundings: Surroundings = Surroundings()
    ) throws(JSONSchemaError) -> JSONSchema {
        var compiler = JSONSchemaCompiler(surroundings)
        return try compiler.compile(bytes, base: base)
    }
}

/// Compiles every subschema that is reachable from the root.
///
/// This file resolves documents, identifiers and anchors; its extensions read values, nodes and keywords.
struct JSONSchemaCompiler {
    /// A value in one of the documents.
    struct Site: Hashable {
        var document: Int
        var at: Int
    }

    /// A name that is compared byte by byte, without Unicode normalisation.
    struct Name: Hashable {
        let bytes: [UInt8]

        init(_ text: String) { bytes = Array(text.utf8) }
    }

    /// The vocabularies that a resource's metaschema enables.
    struct Vocabularies {
        var hasValidation = true
        var assertsFormat: Bool
    }

    let surroundings: JSONSchema.Surroundings
    var schema = JSONSchema()
    var documents: [JSONTape] = []
    /// Schemas by identifier, with the index in `dynamicNodes`.
    var resources: [Name: (site: Site, index: Int)] = [:]
    var anchors: [Name: Site] = [:]
    var dynamicAnchors: [[Name: Site]] = []
    var vocabularies: [Vocabularies] = []
    /// The base URI of each schema found so far.
    var bases: [Site: String] = [:]
    var nodeOf: [Site: Int] = [:]
    var patternOf: [Name: Int] = [:]
    /// The JSON Pointer of each schema found so far.
    var pointers: [Site: String] = [:]
    var depth = 0

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

    /// Compiles the root and every dynamic anchor.
    mutating func compile(_ bytes: [UInt8], base: String) throws(JSONSchemaError) -> JSONSchema {
        schema.source = bytes
        let root = try add(bytes, base: base)
        _ = try node(root)
        // The target of a dynamic reference is known only at run time, so every dynamic anchor is compiled.
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
        // A schema that applies itself to the same value would never terminate.
        if let node = schema.nodeInLoop {
            throw JSONSchemaError(
                reason: "the schema at \(schema.nodes[node].location) applies itself to the same value again and again",
                pointer: nil)
        }
        return schema
    }

    // MARK: Documents and identifiers

    /// Adds a document and registers its identifiers and anchors.
    private mutating func add(_ bytes: [UInt8], base: String) throws(JSONSchemaError) -> Site {
        var tape = JSONTape()
        do throws(JSONTape.Fault) { try tape.read(bytes.span, 0..<bytes.count) } catch {
            throw JSONSchemaError(reason: "\(error.reason) at byte \(error.offset)", pointer: nil)
        }
        documents.append(tape)
        let site = Site(document: documents.count - 1, at: 0)
        // A document is registered under the requested name and under its own `$id`.
        let index = register(base, site, Vocabularies(assertsFormat: surroundings.assertsFormat))
        try walk(site, base: base, resource: index)
        return site
    }

    /// Registers a resource under its identifier, once.
    ///
    /// - Returns: its index in `dynamicNodes`.
    private mutating func register(_ identifier: String, _ site: Site, _ words: Vocabularies) -> Int {
        if let known = resources[Name(identifier)] { return known.index }
        dynamicAnchors.append([:])
        vocabularies.append(words)
        resources[Name(identifier)] = (site, dynamicAnchors.count - 1)
        return dynamicAnchors.count - 1
    }

    /// Registers identifiers and anchors of all subschemas.
    ///
    /// - Parameters:
    ///   - site: the schema.
    ///   - base: its base URI.
    ///   - resource: the index of its resource.
    ///   - pointer: its JSON Pointer.
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

    /// Reads `$vocabulary` of the resource's metaschema. A required vocabulary that is unknown is an error.
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

    /// The schema that a resolved reference leads to.
    mutating func target(_ reference: String, from site: Site) throws(JSONSchemaError) -> Site {
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
            guard let next else { throw error(site, "the reference has no target: \(quoted("#" + fragment))") }
            at = next
            if let known = bases[at] { base = known }
        }
        if bases[at] == nil {
            try walk(at, base: base, resource: resources[Name(base)]?.index ?? found.index, at: pointer(at))
        }
        return at
    }

    /// One of the published metaschemas; nil for other names.
    private static func standard(_ name: String) -> [UInt8]? {
        guard name.hasPrefix("https://json-schema.org/draft/2020-12/") else { return nil }
        return metaschemas.first { $0.contains("\"$id\":\"\(name)\"") }.map { Array($0.utf8) }
    }
}
