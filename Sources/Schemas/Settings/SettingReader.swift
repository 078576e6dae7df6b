import Tabular

/// A mapping of a document read by its table: a key that the table lacks is refused when it is written, and is our mistake when it is asked
/// for. Bounds and words come from the table too.
package struct SettingReader {
    /// The mapping.
    package let cursor: Cursor
    private let group: SettingGroup

    /// Reads a mapping.
    ///
    /// - Throws: a located error for a value that is no mapping, and for unknown keys.
    package init(_ cursor: Cursor, _ group: SettingGroup) throws(SchemaError) {
        try cursor.refuseKeys(besides: group.keys)
        self.cursor = cursor
        self.group = group
    }

    /// The value of a key; nil where it is absent or null.
    package subscript(key: String) -> Cursor? {
        _ = setting(key)
        return cursor[key]
    }

    /// `true` or `false`; nil where the key is absent.
    package func flag(_ key: String) throws(SchemaError) -> Bool? {
        guard case .flag = setting(key).kind else { preconditionFailure("\(key) is no flag") }
        return try cursor[key]?.flag()
    }

    /// A whole number; nil where the key is absent.
    package func whole(_ key: String) throws(SchemaError) -> Int? {
        guard case .whole(let bounds) = setting(key).kind else { preconditionFailure("\(key) is no whole number") }
        return try cursor[key]?.whole(in: bounds)
    }

    /// A number; nil where the key is absent or its word stands for a number.
    package func number(_ key: String) throws(SchemaError) -> Double? {
        switch setting(key).kind {
        case .number(let bounds): return try cursor[key]?.number(in: bounds)
        case .numberOr(let word, let bounds):
            guard let value = cursor[key], value.value.text != word else { return nil }
            guard value.value.text == nil else { throw value.error(.unknownValue, "must be a number or \(word)") }
            return try value.number(in: bounds)
        default: preconditionFailure("\(key) is no number")
        }
    }

    /// A text; nil where the key is absent.
    package func text(_ key: String) throws(SchemaError) -> String? {
        guard case .text = setting(key).kind else { preconditionFailure("\(key) is no text") }
        return try cursor[key]?.text()
    }

    /// One of the words of a key; nil where it is absent.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - what: what the words are, for the message.
    package func word(_ key: String, what: String = "value") throws(SchemaError) -> String? {
        guard case .words(let words) = setting(key).kind else { preconditionFailure("\(key) has no words") }
        return try cursor[key]?.word(of: words, what: what)
    }

    /// A case of a string enumeration whose cases are the words of a key; nil where it is absent.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - type: the enumeration.
    ///   - what: what the words are, for the message.
    package func choice<Choice>(
        _ key: String, _ type: Choice.Type, what: String = "value"
    ) throws(SchemaError) -> Choice? where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard case .words(let words) = setting(key).kind, words == type.allCases.map(\.rawValue) else {
            preconditionFailure("\(key) has other words")
        }
        return try cursor[key]?.choice(type, what: what)
    }

    /// The keys that are written, with their rows of the table.
    func written() throws(SchemaError) -> [(setting: Setting, value: Cursor)] {
        var written: [(setting: Setting, value: Cursor)] = []
        for key in try cursor.keys() {
            if let value = cursor[key] { written.append((setting(key), value)) }
        }
        return written
    }

    private func setting(_ key: String) -> Setting {
        guard let setting = group[key] else { preconditionFailure("\(key) is in no table of settings") }
        return setting
    }
}
