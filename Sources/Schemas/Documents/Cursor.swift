package import Tabular

/// A position in a document: a value with its place. Typed settings are read through it, and its errors are located.
package struct Cursor: Sendable {
    /// The document's name.
    package let document: String
    /// The value.
    package let value: JSONValue
    /// The value's place in the contract.
    package let place: Place
    /// The path in the structure, such as `fields[3].name`.
    package let path: String

    /// An error about this value.
    ///
    /// - Parameters:
    ///   - code: the kind of mistake.
    ///   - message: what is wrong, and the remedy.
    ///   - atKey: whether the error is located at the value's key.
    package func error(_ code: SchemaError.Code, _ message: String, atKey: Bool = false) -> SchemaError {
        SchemaError(
            code, subject: document, line: atKey ? place.keyLine : place.line,
            column: atKey ? place.keyColumn : place.column, path: path, message: message)
    }

    /// A warning about this value's key.
    package func warning(_ message: String) -> SchemaWarning {
        SchemaWarning(
            subject: document, line: place.keyLine, column: place.keyColumn, path: path, message: message)
    }

    /// The member named `key`; nil when it is absent or null.
    package subscript(key: String) -> Cursor? {
        guard let inner = value[key], inner != .null, let innerPlace = place.members[key] else { return nil }
        return Cursor(document: document, value: inner, place: innerPlace, path: path.isEmpty ? key : "\(path).\(key)")
    }

    /// The keys of a mapping in document order. Throws for other values, as do all readers below.
    package func keys() throws(SchemaError) -> [String] {
        guard value.members != nil else { throw wrongKind("a mapping") }
        return place.members.sorted {
            ($0.value.keyLine, $0.value.keyColumn) < ($1.value.keyLine, $1.value.keyColumn)
        }.map(\.key)
    }

    /// The elements of a list.
    package func items() throws(SchemaError) -> [Cursor] {
        guard let values = value.items else { throw wrongKind("a list") }
        return values.indices.map {
            Cursor(document: document, value: values[$0], place: place.elements[$0], path: "\(path)[\($0)]")
        }
    }

    /// The text of a string.
    package func text() throws(SchemaError) -> String {
        guard let text = value.text else {
            let cure = place.lexeme == nil ? "" : "; put it in quotes"
            throw error(.wrongKind, "must be text but is \(kind)\(cure)")
        }
        return text
    }

    /// The text of any scalar as it is written, such as `0.10`, which a number would lose.
    package func lexeme() throws(SchemaError) -> String {
        guard let lexeme = place.lexeme, value != .null else { throw wrongKind("text, a number or true or false") }
        return lexeme
    }

    /// A list of texts.
    package func texts() throws(SchemaError) -> [String] {
        var result: [String] = []
        for item in try items() { result.append(try item.text()) }
        return result
    }

    /// `true` or `false`.
    package func flag() throws(SchemaError) -> Bool {
        guard let flag = value.flag else { throw wrongKind("true or false") }
        return flag
    }

    /// A whole number within bounds.
    package func whole(in bounds: ClosedRange<Int>) throws(SchemaError) -> Int {
        guard let whole = value.whole else { throw wrongKind("a whole number") }
        guard let exact = Int(exactly: whole), bounds.contains(exact) else {
            throw error(.outOfRange, "must be from \(bounds.lowerBound) to \(bounds.upperBound) and is \(whole)")
        }
        return exact
    }

    /// A number within bounds.
    package func number(in bounds: ClosedRange<Double>) throws(SchemaError) -> Double {
        guard let number = value.double else { throw wrongKind("a number") }
        guard bounds.contains(number) else {
            throw error(.outOfRange, "must be from \(bounds.lowerBound) to \(bounds.upperBound) and is \(number)")
        }
        return number
    }

    /// One of the given words.
    ///
    /// - Parameters:
    ///   - words: the allowed words.
    ///   - what: what they are, for the message.
    /// - Throws: an error with the closest word as a suggestion.
    package func word(of words: [String], what: String = "value") throws(SchemaError) -> String {
        let text = try text()
        guard words.contains(text) else {
            throw error(
                .unknownValue,
                "unknown \(what) \(quoted(text))\(didYouMean(text, among: words)); use \(listed(words))")
        }
        return text
    }

    /// A case of a string enumeration, by its raw value.
    package func choice<Choice>(
        _ type: Choice.Type, what: String = "value"
    ) throws(SchemaError) -> Choice where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        let word = try word(of: type.allCases.map(\.rawValue), what: what)
        guard let choice = Choice(rawValue: word) else { throw error(.unknownValue, "unknown \(what)") }
        return choice
    }

    /// Refuses unknown keys.
    ///
    /// - Parameter known: the allowed keys.
    package func refuseKeys(besides known: [String]) throws(SchemaError) {
        for key in try keys() where !known.contains(key) {
            let inner = place.members[key] ?? place
            throw SchemaError(
                .unknownKey, subject: document, line: inner.keyLine, column: inner.keyColumn, path: path,
                message: "unknown key \(quoted(key))\(didYouMean(key, among: known)); known are \(listed(known))")
        }
    }

    /// The error for a value of another kind than expected.
    package func wrongKind(_ expected: String) -> SchemaError {
        error(.wrongKind, "must be \(expected) but is \(kind)")
    }

    private var kind: String {
        switch value {
        case .null: "empty"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }
}

/// Joins words for a message: `a, b or c`.
func listed(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}
