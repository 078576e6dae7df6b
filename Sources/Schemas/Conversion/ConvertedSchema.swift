package import Tabular

/// A contract in another form, and what that form cannot express.
package struct ConvertedSchema: Sendable, Equatable {
    /// The document.
    package var document: JSONValue
    /// What is lost or stricter, each with its place; they repeat words of the contract only.
    package var notes: [String] = []

    /// A document without notes.
    package init(document: JSONValue) { self.document = document }

    /// The same in the form that the published profile 2.0 takes: `fieldsMatch` is a word to the standard and a list to
    /// its profile.
    package var portable: ConvertedSchema {
        var copy = self
        if var members = document.members, let word = members["fieldsMatch"], word.text != nil {
            members["fieldsMatch"] = .array([word])
            copy.document = .object(members)
        }
        return copy
    }

    mutating func note(_ place: String, _ what: String) { notes.append("\(place): \(what)") }
}

/// A text as JSON.
func jsonText(_ value: String) -> JSONValue { .string(value) }
/// A whole number as JSON.
func jsonWhole(_ value: Int) -> JSONValue { .integer(Int64(value)) }

/// A number as it is written in a contract.
func jsonNumber(_ lexeme: String) -> JSONValue {
    if let whole = Int64(lexeme) { return .integer(whole) }
    return Double(lexeme).map { .number($0) } ?? .string(lexeme)
}
