import Ingestion
import Schemas
import Tabular

/// Every key of `sluice.yaml` and every key under `sluice:` in a contract, from the tables that the parsers read by. The walk begins at the
/// top of each document, so a mapping that a key leads to cannot be left out. `scripts/reference` writes the page from it.
enum SettingCatalogue {
    /// What the catalogue says of one key.
    struct Entry: Sendable {
        /// The mapping that has the key, such as `sluice.limits`; empty for the top of `sluice.yaml`.
        let mapping: String
        let setting: Setting

        /// The key with its mapping.
        var path: String { mapping.isEmpty ? setting.key : "\(mapping).\(setting.key)" }

        /// The entry as `sluice explain --settings --json` prints it.
        var document: JSONValue {
            .object([
                "path": .string(path), "mapping": .string(mapping), "key": .string(setting.key),
                "type": .string(setting.kind.name), "range": .string(setting.kind.range),
                "default": .string(fallback), "what": .string(setting.what),
            ])
        }

        /// The entry as one line for people.
        var line: String {
            let range = setting.kind.range.isEmpty ? "" : ", \(setting.kind.range)"
            let usual = fallback.isEmpty ? "" : ", default \(fallback)"
            return "\(path): \(setting.what) (\(setting.kind.name)\(range)\(usual))".replacing("`", with: "")
        }

        /// The default; a whole number with its groups of digits.
        private var fallback: String { Int(setting.fallback).map(NumberText.number) ?? setting.fallback }
    }

    /// The keys of `sluice.yaml`, of a contract and of a field, each mapping behind the one that leads to it.
    static var all: [Entry] {
        entries(of: .store, at: "") + entries(of: .contract, at: "sluice") + entries(of: .field, at: "fields[].sluice")
    }

    /// The keys of a mapping and of those below it. A mapping that two keys lead to is listed with both.
    private static func entries(of group: SettingGroup, at mapping: String) -> [Entry] {
        let own = group.settings.map { Entry(mapping: mapping, setting: $0) }
        return own
            + own.flatMap { entry in
                entry.setting.kind.below.map { entries(of: $0.group, at: entry.path + $0.step) } ?? []
            }
    }
}

extension Setting.Kind {
    /// The mapping that a value may be, and what stands between the key and the keys of the mapping.
    var below: (group: SettingGroup, step: String)? {
        switch self {
        case .mapping(let group), .wordsOrMapping(_, let group): (group, "")
        case .mappings(let group, or: _): (group, "[]")
        case .named(let name, let group): (group, "." + name.uppercased())
        case .flag, .whole, .number, .numberOr, .words, .text, .list, .table, .foreign, .ignored, .unenforced, .refused:
            nil
        }
    }

    /// What a value is.
    var name: String {
        switch self {
        case .flag: "true or false"
        case .whole: "whole number"
        case .number: "number"
        case .numberOr(let word, _): "number, or `\(word)`"
        case .words: "word"
        case .text: "text"
        case .list: "list"
        case .mapping: "mapping"
        case .wordsOrMapping: "word, or mapping"
        case .mappings(_, or: let other): other.map { "list of mappings or \($0)" } ?? "list of mappings"
        case .named(let name, _): "mapping by \(name)"
        case .table: "mapping"
        case .foreign(let what): what
        case .ignored: "any; no effect"
        case .unenforced: "any; no effect, with a warning"
        case .refused: "refused; `false` gives a warning"
        }
    }

    /// What a value may be; empty where the type says all.
    var range: String {
        switch self {
        case .whole(let bounds):
            Self.range(bounds.lowerBound == bounds.upperBound, Double(bounds.lowerBound), Double(bounds.upperBound))
        case .number(let bounds), .numberOr(_, let bounds): Self.range(false, bounds.lowerBound, bounds.upperBound)
        case .words(let words), .wordsOrMapping(let words, _): words.map { "`\($0)`" }.joined(separator: ", ")
        case .text(let form): form == "any" ? "" : form
        case .list(let elements): elements
        case .table(let what): what
        case .flag, .mapping, .mappings, .named, .foreign, .ignored, .unenforced, .refused: ""
        }
    }

    private static func range(_ isOne: Bool, _ least: Double, _ most: Double) -> String {
        func text(_ value: Double) -> String {
            value == value.rounded() ? NumberText.number(Int(value)) : "\(value)"
        }
        return isOne ? text(least) : "\(text(least)) to \(text(most))"
    }
}
