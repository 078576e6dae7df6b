import Tabular

extension SchemaLoader {
    private static let fieldKeys = [
        "name", "type", "format", "title", "description", "example", "rdfType", "constraints", "missingValues",
        "categories", "categoriesOrdered", "trueValues", "falseValues", "decimalChar", "groupChar", "bareNumber",
        "itemType", "delimiter", "sluice",
    ]
    private static let constraintKeys = [
        "required", "unique", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
        "pattern", "enum", "jsonSchema",
    ]

    /// Reads one element of `fields`.
    mutating func loadField(_ cursor: Cursor) throws(SchemaError) -> Field {
        guard cursor.value.members != nil else { throw cursor.wrongKind("a mapping with name: and type:") }
        guard let nameCursor = cursor["name"] else { throw cursor.error(.missing, "a field needs a name:") }
        let name = try nameCursor.text()
        guard !name.isEmpty, name.utf8.count <= 1024 else {
            throw nameCursor.error(.outOfRange, "a field name has 1 to 1024 bytes")
        }
        var field = Field(name: name, type: try loadType(cursor))
        field.title = try cursor["title"]?.lexeme()
        if let missing = cursor["missingValues"] { field.missingValues = try loadMissingValues(missing) }
        try loadNotation(cursor, into: &field)
        if let constraints = cursor["constraints"] { try loadConstraints(constraints, into: &field) }
        try checkKeys(
            of: cursor, known: Self.fieldKeys,
            unread: ["jsonSchema": "jsonSchema beside type is not read; write it in constraints"])
        try loadCategories(cursor, into: &field)
        if let settings = cursor["sluice"] { try loadFieldSettings(settings, into: &field) }
        return field
    }

    /// Reads `type` and `format`.
    private func loadType(_ cursor: Cursor) throws(SchemaError) -> FieldType {
        let typeCursor = cursor["type"]
        let type = try typeCursor?.text() ?? "string"
        let formatCursor = cursor["format"]
        let format = try formatCursor?.text() ?? "default"
        let known = [
            "string", "integer", "number", "boolean", "date", "time", "datetime", "year", "yearmonth", "duration",
            "any",
            "object", "array", "list", "geopoint", "geojson",
        ]
        switch type {
        case "string":
            let formats = ["default", "email", "uri", "uuid", "binary", "wkt"]
            let word = try formatCursor?.word(of: formats, what: "format") ?? format
            return .string(StringFormat(rawValue: word) ?? .default)
        case "date": return .date(try loadPattern(formatCursor))
        case "time": return .time(try loadPattern(formatCursor))
        case "datetime": return .datetime(try loadPattern(formatCursor))
        case "geopoint":
            return .geopoint(try formatCursor?.choice(GeopointFormat.self, what: "format") ?? .default)
        case "geojson":
            return .geojson(
                isTopology: try formatCursor?.word(of: ["default", "topojson"], what: "format") == "topojson")
        default: break
        }
        if let formatCursor, format != "default" {
            throw formatCursor.error(.unsupported, "type \(quoted(type)) has no format \(quoted(format)); leave it out")
        }
        switch type {
        case "integer": return .integer
        case "number": return .number
        case "boolean": return .boolean
        case "year": return .year
        case "any": return .any
        case "object": return .object
        case "array": return .array
        case "yearmonth": return .yearmonth
        case "duration": return .duration
        case "list":
            var form = ListForm()
            if let mark = cursor["delimiter"] {
                form.delimiter = try mark.text()
                if form.delimiter.isEmpty { throw mark.error(.outOfRange, "a delimiter needs at least one character") }
            }
            form.item = try cursor["itemType"]?.choice(ListForm.Item.self, what: "itemType") ?? .string
            return .list(form)
        default:
            let place = typeCursor ?? cursor
            throw place.error(
                .unknownValue,
                "type \(quoted(type)) is not supported\(didYouMean(type, among: known)); use \(listed(known))")
        }
    }

    /// Reads `default`, `any` or a `strptime` pattern of a date, time or datetime.
    private func loadPattern(_ cursor: Cursor?) throws(SchemaError) -> DatePattern {
        guard let cursor else { return .iso }
        var format = try cursor.text()
        if format == "default" { return .iso }
        if format == "any" { return .any }
        // The prefix of drafts before version 1.
        if format.hasPrefix("fmt:") { format.removeFirst(4) }
        guard format.contains("%") else {
            throw cursor.error(.unknownValue, "unknown format \(quoted(format)); use default or a pattern as %d/%m/%Y")
        }
        guard format.utf8.count <= 100 else {
            throw cursor.error(.outOfRange, "a date pattern has at most 100 bytes")
        }
        var isDirective = false
        for scalar in format.unicodeScalars {
            if isDirective, !"YymdHIMSfpbBz%".unicodeScalars.contains(scalar) {
                throw cursor.error(
                    .unsupported,
                    "%\(scalar) is not supported in a date pattern; use "
                        + "%Y %y %m %b %B %d %H %I %p %M %S %f %z")
            }
            isDirective = !isDirective && scalar == "%"
        }
        guard !isDirective else { throw cursor.error(.unknownValue, "the pattern ends in a lone %; write %% for it") }
        return .pattern(format)
    }

    /// Reads the notation of booleans and numbers.
    private func loadNotation(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        if let words = cursor["trueValues"] { field.trueValues = try words.texts() }
        if let words = cursor["falseValues"] { field.falseValues = try words.texts() }
        if let both = field.trueValues.first(where: Set(field.falseValues).contains) {
            throw (cursor["falseValues"] ?? cursor["trueValues"] ?? cursor).error(
                .inconsistent, "\(quoted(both)) is among trueValues and falseValues; remove it from one")
        }
        if let mark = cursor["decimalChar"] { field.decimalChar = try loadMark(mark) }
        if let mark = cursor["groupChar"] {
            field.groupChar = try loadMark(mark)
            // Whole numbers have no decimal mark.
            guard field.type == .integer || field.groupChar != field.decimalChar else {
                throw mark.error(.inconsistent, "groupChar and decimalChar are the same; change one")
            }
        }
        if let bare = cursor["bareNumber"] { field.bareNumber = try bare.flag() }
    }

    private func loadMark(_ cursor: Cursor) throws(SchemaError) -> String {
        let text = try cursor.text()
        guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first,
            !"0123456789+-eE".unicodeScalars.contains(scalar)
        else { throw cursor.error(.unknownValue, "must be one character other than a digit, a sign or e") }
        return text
    }

    /// Reads `constraints` that the type allows.
    ///
    /// - Throws: for a constraint that does not apply to the type.
    private mutating func loadConstraints(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        try checkKeys(of: cursor, known: Self.constraintKeys)
        var result = Constraints()
        result.required = try cursor["required"]?.flag() ?? false
        result.unique = try cursor["unique"]?.flag() ?? false
        let rules = BoundRules(field: field)
        let has: (Cursor) throws(SchemaError) -> String = { (bound) throws(SchemaError) in try rules.bound(bound) }
        result.minimum = try cursor["minimum"].map(has)
        result.maximum = try cursor["maximum"].map(has)
        result.exclusiveMinimum = try cursor["exclusiveMinimum"].map(has)
        result.exclusiveMaximum = try cursor["exclusiveMaximum"].map(has)
        for low in ["minimum", "exclusiveMinimum"] {
            for high in ["maximum", "exclusiveMaximum"] {
                try rules.checkOrder(low: low, high: high, in: cursor)
            }
        }
        for key in ["minLength", "maxLength"] {
            guard let length = cursor[key] else { continue }
            try require(["string", "array", "object", "list"], for: key, length, field)
            let value = try length.whole(in: 0...Int(Int32.max))
            if key == "minLength" { result.minLength = value } else { result.maxLength = value }
        }
        if let shortest = result.minLength, let longest = result.maxLength, shortest > longest {
            throw (cursor["minLength"] ?? cursor).error(
                .inconsistent, "minLength \(shortest) is more than maxLength \(longest); no value can pass")
        }
        if let pattern = cursor["pattern"] {
            try require(["string"], for: "pattern", pattern, field)
            let text = try pattern.text()
            guard !text.isEmpty, text.utf8.count <= 4096 else {
                throw pattern.error(.outOfRange, "a pattern has 1 to 4096 bytes and this one has \(text.utf8.count)")
            }
            result.pattern = text
        }
        if let schema = cursor["jsonSchema"] {
            try require(["object", "array"], for: "jsonSchema", schema, field)
            result.jsonSchema = try schema.jsonSchema(surroundings)
        }
        if let list = cursor["enum"] { result.enumeration = try rules.enumeration(list) }
        field.constraints = result
    }

    /// Refuses a constraint on types that it does not apply to.
    private func require(
        _ types: [String], for key: String, _ cursor: Cursor, _ field: Field
    ) throws(SchemaError) {
        guard !types.contains(field.type.name) else { return }
        throw cursor.error(
            .inconsistent, "\(key) does not apply to type \(field.type.name), only to \(listed(types)); remove it",
            atKey: true)
    }

    /// Reads `categories`, the only allowed values, and `categoriesOrdered`.
    private func loadCategories(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        _ = try cursor["categoriesOrdered"]?.flag()
        guard let categories = cursor["categories"] else { return }
        guard ["string", "integer"].contains(field.type.name) else {
            throw categories.error(
                .inconsistent, "categories apply to string and integer, not to \(field.type.name); remove them",
                atKey: true)
        }
        let items = try categories.items()
        guard !items.isEmpty else { throw categories.error(.missing, "categories is empty, so no value can pass") }
        let rules = BoundRules(field: field)
        var values: [String] = []
        var seen: Set<String> = []
        for item in items {
            let value = item.value.members == nil ? item : item["value"]
            guard let value else { throw item.error(.missing, "a category written as a mapping needs value:") }
            _ = try item["label"]?.lexeme()
            let text = try rules.allowedValue(value)
            guard seen.insert(text).inserted else {
                throw value.error(.inconsistent, "\(quoted(text)) is listed twice; remove one")
            }
            values.append(text)
        }
        field.categories = values
    }
}
