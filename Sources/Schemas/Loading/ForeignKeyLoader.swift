import Tabular

extension SchemaLoader {
    /// Reads `foreignKeys` of the standard, and `sluice: references`, which locate their resources.
    mutating func loadForeignKeys(_ root: Cursor, into schema: inout Schema) throws(SchemaError) {
        var places = try loadReferences(root["sluice"]?["references"])
        var used: Set<String> = []
        var listed: Set<ForeignKey> = []
        for item in try root["foreignKeys"]?.items() ?? [] {
            guard let fields = item["fields"], let reference = item["reference"], let there = reference["fields"] else {
                throw item.error(.missing, "a foreign key needs fields, and reference with fields and a resource")
            }
            try checkKeys(of: item, known: ["fields", "reference", "name", "title", "description"])
            try checkKeys(of: reference, known: ["resource", "fields"])
            // For the file itself, version 1 of the standard has an empty resource, and version 2 omits it.
            let resource = try reference["resource"]?.text() ?? ""
            var key = ForeignKey(
                fields: try loadNames(fields, schema.fields), reference: [], resource: resource, source: .itself)
            if resource.isEmpty {
                key.reference = try loadNames(there, schema.fields)
            } else {
                key.reference = there.value.text == nil ? try there.texts() : [try there.text()]
            }
            guard key.fields.count == key.reference.count, !key.fields.isEmpty else {
                throw there.error(.inconsistent, "reference.fields must have as many fields as fields")
            }
            if resource.isEmpty {
                try checkTypes(key, schema, there)
            } else if let place = places[resource] {
                used.insert(resource)
                key.source = place.source
            } else {
                warnings.append(
                    reference.warning(
                        "the foreign key is not enforced: write under sluice.references where \(quoted(resource)) is, as file: or dataset:"
                    ))
                continue
            }
            guard listed.insert(key).inserted else { throw item.error(.inconsistent, "it is listed twice; remove one") }
            schema.foreignKeys.append(key)
        }
        for name in used { places[name] = nil }
        if let (name, place) = places.min(by: { $0.key < $1.key }) {
            throw place.cursor.error(
                .inconsistent, "no foreign key refers to the resource \(quoted(name)); remove it, or correct the name",
                atKey: true)
        }
    }

    private func loadReferences(
        _ cursor: Cursor?
    ) throws(SchemaError) -> [String: (source: ReferenceSource, cursor: Cursor)] {
        var places: [String: (source: ReferenceSource, cursor: Cursor)] = [:]
        for name in try cursor?.keys() ?? [] {
            guard let item = cursor?[name] else { continue }
            let settings = try SettingReader(item, .reference)
            switch (settings["file"], settings["dataset"]) {
            case (let file?, nil): places[name] = (.file(try file.text()), item)
            case (nil, let dataset?): places[name] = (.dataset(try dataset.text()), item)
            default: throw item.error(.inconsistent, "a reference needs file: PATH or dataset: NAME")
            }
        }
        return places
    }

    /// Values are compared by meaning, so both fields must have the same type and format.
    private func checkTypes(_ key: ForeignKey, _ schema: Schema, _ place: Cursor) throws(SchemaError) {
        for (here, there) in zip(key.fields, key.reference) {
            guard let first = placeOfField[here], let second = placeOfField[there] else { continue }
            let (left, right) = (schema.fields[first], schema.fields[second])
            guard left.type == right.type || (left.isNumeric && right.isNumeric) else {
                throw place.error(
                    .inconsistent,
                    "\(quoted(here)) is \(left.type.name) and \(quoted(there)) is \(right.type.name); give them one type and format"
                )
            }
        }
    }
}
