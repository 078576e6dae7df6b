package import Tabular

/// A loaded contract with its warnings.
package struct LoadedSchema: Sendable, Equatable {
    /// The contract. Its `digest` is empty: this module has no hash function, so the caller hashes `document`.
    package var schema: Schema
    /// Warnings in document order.
    package var warnings: [SchemaWarning]
    /// The canonical form, without layout and comments.
    package var document: JSONValue
}

/// The document in the form that is hashed: documents of equal form mean the same.
///
/// Numbers that neither 64-bit integers nor 15 digits represent become their text, so that the digest distinguishes
/// them.
package func canonicalForm(of document: Document) -> JSONValue { canonical(document.root, document.place) }

private func canonical(_ value: JSONValue, _ place: Place) -> JSONValue {
    switch value {
    case .number:
        let lexeme = place.lexeme ?? ""
        return lexeme.utf8.count(where: isDigit) > 15 ? .string(lexeme) : value
    case .array(let values):
        return .array(zip(values, place.elements).map(canonical))
    case .object(let members):
        var result: [String: JSONValue] = [:]
        for (key, inner) in members { result[key] = place.members[key].map { canonical(inner, $0) } ?? inner }
        return .object(result)
    case .null, .bool, .integer, .string:
        return value
    }
}

extension Schema {
    /// Loads a contract: a Table Schema 1.0, 2.0 or 2.1 or a JSON Schema, in YAML or JSON, with `sluice:` settings.
    ///
    /// A setting that this version cannot carry out is an error where it names a protection, since somebody would rely on it,
    /// and a warning elsewhere.
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - name: its name in messages.
    /// - Throws: a located error.
    package static func load(_ bytes: [UInt8], name: String) throws(SchemaError) -> LoadedSchema {
        try load(try loadDocument(bytes, name: name))
    }

    /// Loads a contract from a parsed document.
    ///
    /// - Parameters:
    ///   - document: the document.
    ///   - documents: the bytes of what `referencedDocuments` names, by identifier.
    ///   - isRecorded: whether it is a contract that a batch was judged by, read again from the record. What a new contract is
    ///     refused for is a warning then: earlier versions accepted it, and their batches must stay explainable.
    package static func load(
        _ document: Document, documents: [String: [UInt8]] = [:], isRecorded: Bool = false
    ) throws(SchemaError) -> LoadedSchema {
        var loader = SchemaLoader()
        loader.isRecorded = isRecorded
        try loader.surround(document.cursor, documents)
        let schema = try loader.load(document.cursor)
        let warnings = loader.warnings.sorted { ($0.line, $0.column, $0.path) < ($1.line, $1.column, $1.path) }
        var canonical = canonicalForm(of: document)
        // Referenced documents are part of the contract: they change its digest, and the ledger records them.
        if !documents.isEmpty, var members = canonical.members, var settings = members["sluice"]?.members,
            var rules = settings["jsonSchema"]?.members
        {
            rules["documents"] = .object(documents.mapValues { .string(String(decoding: $0, as: UTF8.self)) })
            settings["jsonSchema"] = .object(rules)
            members["sluice"] = .object(settings)
            canonical = .object(members)
        }
        return LoadedSchema(schema: schema, warnings: warnings, document: canonical)
    }

    /// The files that a contract's JSON Schemas may refer to (`sluice: jsonSchema: documents:`), by identifier. No
    /// other file is read.
    package static func referencedDocuments(_ document: Document) throws(SchemaError) -> [String: String] {
        var files: [String: String] = [:]
        guard let list = document.cursor["sluice"]?["jsonSchema"]?["documents"] else { return files }
        for identifier in try list.keys() { files[identifier] = try list[identifier]?.text() }
        guard files.count <= 64 else { throw list.error(.outOfRange, "more than 64 documents") }
        return files
    }
}

/// Turns a document into a contract, and collects warnings.
struct SchemaLoader {
    var warnings: [SchemaWarning] = []
    /// Whether the contract comes from the record and only warns about what a new one is refused for.
    var isRecorded = false
    /// Settings and documents for JSON Schemas.
    var surroundings = JSONSchema.Surroundings()
    /// The `sluice:` settings found anywhere in a JSON Schema.
    var found: [Cursor] = []
    /// Field positions by name, once all fields are loaded.
    var placeOfField: [String: Int] = [:]

    private static let known = [
        "$schema", "name", "title", "description", "version", "fields", "fieldsMatch", "missingValues", "primaryKey",
        "uniqueKeys", "foreignKeys", "sluice",
    ]
    private static let unread = [
        "jsonSchema": "jsonSchema at the top of a Table Schema is not read; write it in constraints of a field"
    ]

    /// Reads `sluice: jsonSchema:`, which must be known before any schema is compiled.
    mutating func surround(_ root: Cursor, _ documents: [String: [UInt8]]) throws(SchemaError) {
        guard root.value.members != nil, let settings = root["sluice"], settings.value.members != nil,
            let rules = settings["jsonSchema"]
        else { return }
        let reader = try SettingReader(rules, .jsonSchema)
        surroundings.assertsFormat = try reader.word("format", what: "format") == "assertion"
        surroundings.documents = documents
    }

    /// Reads the whole contract.
    mutating func load(_ root: Cursor) throws(SchemaError) -> Schema {
        guard root.value.members != nil else { throw root.wrongKind("a mapping with fields:") }
        if try isJSONSchema(root) { return try loadRecordSchema(root) }
        try checkProfile(root)
        guard let list = root["fields"] else {
            throw root.error(.missing, "a contract needs fields: with at least one name and type")
        }
        let items = try list.items()
        guard !items.isEmpty else { throw list.error(.missing, "fields is empty; name at least one column") }
        var fields: [Field] = []
        for item in items { fields.append(try loadField(item)) }
        try checkNames(items, fields)
        placeOfField = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        try checkPaths(items, fields)

        var schema = Schema(fields: fields)
        // YAML reads a version such as 3.1 as a number.
        schema.name = try root["name"]?.lexeme() ?? ""
        schema.version = try root["version"]?.lexeme() ?? ""
        if let missing = root["missingValues"] { schema.missingValues = try loadMissingValues(missing) }
        if let key = root["primaryKey"] { schema.primaryKey = try loadNames(key, fields) }
        if let keys = root["uniqueKeys"] {
            for key in try keys.items() { schema.uniqueKeys.append(try loadNames(key, fields)) }
        }
        if let match = root["fieldsMatch"] {
            // Some tools write a list of one.
            let word = match.value.items?.count == 1 ? try match.items()[0] : match
            schema.fieldsMatch = try word.choice(FieldsMatch.self)
            if schema.fieldsMatch?.allowsUnknown == true { schema.unknownFields = .keep }
        }
        try checkKeys(of: root, known: Self.known, unread: Self.unread)
        if let settings = root["sluice"] { try loadSettings(settings, into: &schema) }
        try loadForeignKeys(root, into: &schema)
        if let match = schema.fieldsMatch, match.allowsUnknown == (schema.unknownFields == .reject) {
            let place = root["sluice"]?["unknownFields"] ?? root
            throw place.error(
                .inconsistent,
                "unknownFields \(schema.unknownFields.rawValue) contradicts fieldsMatch \(match.rawValue); remove one",
                atKey: true)
        }
        for (item, field) in zip(items, fields) {
            guard let most = field.constraints.maxLength, most > schema.limits.maxCellBytes else { continue }
            warnings.append(
                item.warning(
                    "maxLength \(most) is more than sluice.limits.maxCellBytes \(schema.limits.maxCellBytes), which refuses the "
                        + "row first; raise the limit"))
        }
        guard fields.count <= schema.limits.maxFields else {
            throw list.error(
                .outOfRange, "\(fields.count) fields are more than sluice.limits.maxFields \(schema.limits.maxFields)")
        }
        return schema
    }

    /// Refuses other kinds of documents by name.
    private mutating func checkProfile(_ root: Cursor) throws(SchemaError) {
        if let resources = root["resources"] {
            throw resources.error(
                .unsupported,
                "this is a data package, not a Table Schema; put the schema of one resource (resources[0].schema) "
                    + "into a file of its own", atKey: true)
        }
        guard let profile = root["$schema"] else { return }
        let address = try profile.text()
        if address.contains("json-schema.org") {
            throw profile.error(.inconsistent, "a contract with fields: is a Table Schema; remove $schema, or fields")
        }
        if address.contains("package.json") {
            throw profile.error(
                .unsupported, "this is a data package's profile; use the tableschema.json of the same version")
        }
        let accepted = [
            "https://datapackage.org/profiles/1.0/tableschema.json",
            "https://datapackage.org/profiles/2.0/tableschema.json",
            "https://datapackage.org/profiles/2.1/tableschema.json",
            "https://specs.frictionlessdata.io/schemas/table-schema.json",
            "https://frictionlessdata.io/schemas/table-schema.json",
        ]
        if !accepted.contains(address) {
            warnings.append(profile.warning("unknown profile \(quoted(address)); read as Table Schema 2.0"))
        }
    }

    /// Checks that paths of fields differ, and that no masked field contains another field.
    private func checkPaths(_ items: [Cursor], _ fields: [Field]) throws(SchemaError) {
        if fields.allSatisfy({ $0.path == nil }) { return }
        let places = fields.map { $0.path ?? [$0.name] }
        let first = Dictionary(places.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, place) in places.enumerated() {
            guard let item = items[index]["sluice"]?["path"] ?? items[index]["name"] else { continue }
            if let twin = first[place], twin < index {
                throw item.error(
                    .inconsistent, "field \(quoted(fields[twin].name)) is at the same place of a record already")
            }
            // An array element has no key and cannot be left out.
            let isElement = place.last.map { $0.allSatisfy(\.isNumber) } ?? false
            if isElement, place.count > 1, fields[index].pii?.operation == .drop {
                throw item.error(.inconsistent, "drop cannot leave out an element of an array; use redact")
            }
            let wholes = (1..<max(place.count, 1)).compactMap { first[Array(place.prefix($0))] }
            if let whole = wholes.first(where: { fields[$0].pii != nil }) {
                throw item.error(
                    .inconsistent,
                    "it is a part of field \(quoted(fields[whole].name)), which is masked as a whole; mask one of them")
            }
        }
    }

    /// Checks that field names are not empty and are unique.
    private func checkNames(_ items: [Cursor], _ fields: [Field]) throws(SchemaError) {
        var seen: [String: Cursor] = [:]
        for (item, field) in zip(items, fields) {
            let name = item["name"] ?? item
            if let earlier = seen.updateValue(name, forKey: field.name) {
                throw name.error(
                    .inconsistent,
                    "field \(quoted(field.name)) is already at line \(earlier.place.line), column "
                        + "\(earlier.place.column); rename or remove one")
            }
        }
    }

    /// Reads one field name or a list of them; each must exist.
    func loadNames(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> [String] {
        let items = cursor.value.text == nil ? try cursor.items() : [cursor]
        var names: [String] = []
        var seen: Set<String> = []
        for item in items {
            let name = try item.text()
            guard placeOfField[name] != nil else {
                throw item.error(
                    .inconsistent,
                    "there is no field \(quoted(name))\(didYouMean(name, among: fields.lazy.map(\.name)))")
            }
            guard seen.insert(name).inserted else { throw item.error(.inconsistent, "\(quoted(name)) is listed twice") }
            names.append(name)
        }
        return names
    }

    /// Reads the texts for "no value": strings, or objects with a value and a label.
    func loadMissingValues(_ cursor: Cursor) throws(SchemaError) -> [String] {
        var result: [String] = []
        var seen: Set<String> = []
        for item in try cursor.items() {
            let text: String
            if item.value.members != nil {
                guard let value = item["value"] else {
                    throw item.error(.missing, "a missing value written as a mapping needs value:")
                }
                text = try value.text()
            } else {
                text = try item.text()
            }
            guard seen.insert(text).inserted else {
                throw item.error(.inconsistent, "missing value \(quoted(text)) is listed twice")
            }
            result.append(text)
        }
        return result
    }
}
