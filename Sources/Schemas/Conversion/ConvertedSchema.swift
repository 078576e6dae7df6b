package import Tabular

/// A contract converted to another standard, with notes on what that standard cannot express.
package struct ConvertedSchema: Sendable, Equatable {
    /// The converted document.
    package var document: JSONValue
    /// Rules that were lost or became stricter, each with its place. Notes repeat names of the contract, never data.
    package var notes: [String] = []

    /// A document without notes.
    package init(document: JSONValue) { self.document = document }

    /// The document in the form that the published profile 2.0 accepts: the standard defines `fieldsMatch` as a string,
    /// its profile as a list.
    package var portable: ConvertedSchema {
        var copy = self
        if var members = document.members, let word = members["fieldsMatch"], word.text != nil {
            members["fieldsMatch"] = .array([word])
            copy.document = .object(members)
        }
        return copy
    }

    /// Adds a note about one place.
    mutating func note(_ place: String, _ what: String) { notes.append("\(place): \(what)") }
}

/// A text as JSON.
func jsonText(_ value: String) -> JSONValue { .string(value) }
/// A whole number as JSON.
func jsonWhole(_ value: Int) -> JSONValue { .integer(Int64(value)) }

/// A number as the contract writes it: a whole number if it fits 64 bits, else a double, else the text.
func jsonNumber(_ lexeme: String) -> JSONValue {
    if let whole = Int64(lexeme) { return .integer(whole) }
    return Double(lexeme).map { .number($0) } ?? .string(lexeme)
}
