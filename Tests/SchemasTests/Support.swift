import Schemas
import Tabular
import Testing

/// Reads a document from text.
func document(_ text: String, name: String = "contract.yaml") throws(SchemaError) -> Document {
    try loadDocument(Array(text.utf8), name: name)
}

/// Reads a contract from text.
func contract(_ text: String, name: String = "contract.yaml") throws(SchemaError) -> LoadedSchema {
    try Schema.load(Array(text.utf8), name: name)
}

/// The error of a contract that must not load.
func refusal(_ text: String, name: String = "contract.yaml") -> SchemaError? {
    do {
        _ = try contract(text, name: name)
        return nil
    } catch {
        return error
    }
}

/// One field of the given lines, indented under its name.
func oneField(_ lines: String...) -> String {
    (["fields:", "  - name: amount"] + lines.map { "    " + $0 }).joined(separator: "\n") + "\n"
}
