import Tabular

/// Compiles keywords into rules.
extension JSONSchemaCompiler {
    /// The assertions about a value itself (Validation, section 6).
    mutating func validation(_ site: Site) throws(JSONSchemaError) -> [JSONSchema.Rule] {
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

    /// The types of a `type` keyword: one name or a list.
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

    /// The keywords that apply subschemas (Core, section 10).
    mutating func applicators(_ site: Site) throws(JSONSchemaError) -> [JSONSchema.Rule] {
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

    /// `dependencies` of earlier drafts, which 2020-12 permits; it became `dependentRequired` and `dependentSchemas`.
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
