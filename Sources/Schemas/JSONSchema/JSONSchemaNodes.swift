import Tabular

/// Compiles subschemas, each once.
extension JSONSchemaCompiler {
    /// The node of a schema, compiled on first use. The index is reserved first, so that recursive schemas terminate.
    mutating func node(_ site: Site) throws(JSONSchemaError) -> Int {
        if let known = nodeOf[site] { return known }
        depth += 1
        defer { depth -= 1 }
        guard depth <= 400 else {
            throw error(site, "schemas refer to each other more than 400 deep; flatten them")
        }
        guard isSchema(site) else { throw error(site, "a schema must be a mapping, true or false") }
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

    /// The keyword for a `$dynamicRef` (Core, section 8.2.3.2).
    mutating func dynamic(_ reference: Site, _ base: String) throws(JSONSchemaError) -> JSONSchema.Keyword {
        let full = URIReference.resolve(try text(reference), against: base)
        let site = try target(full, from: reference)
        let fallback = try node(site)
        let (name, fragment) = URIReference.split(full)
        // A `$dynamicRef` is dynamic only if its initial target is a dynamic anchor; otherwise it acts as `$ref`.
        if let fragment, !fragment.hasPrefix("/"), let resource = resources[Name(name)]?.index,
            dynamicAnchors[resource][Name(fragment)] == site
        {
            return .dynamicReference(anchor: fragment, fallback: fallback)
        }
        return .reference(fallback)
    }

    /// The index of a regular expression; equal ones are compiled once.
    mutating func pattern(_ text: String) -> Int {
        if let known = patternOf[Name(text)] { return known }
        schema.patterns.append(text)
        patternOf[Name(text)] = schema.patterns.count - 1
        return schema.patterns.count - 1
    }
}
