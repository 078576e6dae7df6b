/// One key that a contract may have under `sluice:`, or `sluice.yaml`: what the parser takes and what the manual says of it.
package struct Setting: Sendable {
    /// What its value may be.
    package indirect enum Kind: Sendable {
        /// `true` or `false`.
        case flag
        /// A whole number within bounds.
        case whole(ClosedRange<Int>)
        /// A number within bounds.
        case number(ClosedRange<Double>)
        /// A number within bounds, or a word in its place.
        case numberOr(String, ClosedRange<Double>)
        /// One of some words.
        case words([String])
        /// A text; its form.
        case text(String)
        /// A list; what its elements are.
        case list(String)
        /// A mapping with settings of its own.
        case mapping(SettingGroup)
        /// A word, or a mapping with settings of its own.
        case wordsOrMapping([String], SettingGroup)
        /// A list of mappings; what else an element may be.
        case mappings(SettingGroup, or: String?)
        /// A mapping of names, each with settings; what the names are.
        case named(String, SettingGroup)
        /// A mapping of names, each with a value; what the names and the values are.
        case table(String)
        /// Another document's language.
        case foreign(String)
        /// Accepted and without effect.
        case ignored
        /// Accepted with a warning; the description says what applies instead.
        case unenforced
        /// A protection that this version does not provide: refused, so that nobody relies on it. `false` gives a warning.
        case refused
    }

    /// The key as it is written.
    package let key: String
    /// What its value may be.
    package let kind: Kind
    /// What holds where the key is absent; empty where nothing does.
    package let fallback: String
    /// What it does.
    package let what: String

    /// A key of a table.
    ///
    /// - Parameters:
    ///   - key: the key as it is written.
    ///   - kind: what its value may be.
    ///   - fallback: what holds where the key is absent; empty where nothing does.
    ///   - what: what it does.
    package init(_ key: String, _ kind: Kind, default fallback: String = "", _ what: String) {
        self.key = key
        self.kind = kind
        self.fallback = fallback
        self.what = what
    }
}

/// The keys of one mapping. The parser refuses every other key, and the manual lists these.
package struct SettingGroup: Sendable {
    /// The keys in the order of the manual and of messages.
    package let settings: [Setting]

    /// A mapping with these keys.
    package init(_ settings: [Setting]) { self.settings = settings }

    /// The keys alone.
    package var keys: [String] { settings.map(\.key) }

    /// The setting of a key; nil where the mapping has no such key.
    package subscript(key: String) -> Setting? { settings.first { $0.key == key } }
}
