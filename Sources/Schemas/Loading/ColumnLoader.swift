import Tabular

/// Settings about CSV columns by position.
extension SchemaLoader {
    /// Reads `dropColumns`, `trailingDelimiter` and `trimLabels`, and refuses a column that two fields name, or that is
    /// dropped and a field's.
    func loadColumns(_ settings: SettingReader, into schema: inout Schema) throws(SchemaError) {
        var owner: [Int: String] = [:]
        for field in schema.fields {
            guard let column = field.column else { continue }
            if field.path != nil {
                throw settings.cursor.error(
                    .inconsistent,
                    "field \(quoted(field.name)) has a column, which is about CSV, and a path, which is about JSON; remove one"
                )
            }
            if let other = owner.updateValue(field.name, forKey: column) {
                throw settings.cursor.error(
                    .inconsistent,
                    "fields \(quoted(other)) and \(quoted(field.name)) are both column \(column); correct one")
            }
        }
        if let list = settings["dropColumns"] {
            for item in try list.items() {
                let column = try item.whole(in: 1...65_536)
                if let other = owner[column] {
                    throw item.error(
                        .inconsistent,
                        "column \(column) is field \(quoted(other)), and cannot be dropped as well; remove one")
                }
                schema.dropColumns.insert(column)
            }
        }
        schema.trailingDelimiter = try settings.flag("trailingDelimiter") ?? false
        schema.trimLabels = try settings.flag("trimLabels") ?? false
    }
}
