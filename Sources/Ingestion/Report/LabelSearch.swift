package import Recognition

/// Looks for personal data and credentials in names: labels of columns, names of members and files. Suppliers choose
/// these, and reports, contracts and the ledger would otherwise repeat them.
package struct LabelSearch: Sendable {
    /// A search for every entity that is looked for by default.
    package static let usual = LabelSearch()

    private let scanner: TextScanner

    /// A search for chosen entities.
    ///
    /// - Parameters:
    ///   - entities: the entities.
    ///   - findsSecrets: whether credentials are looked for.
    ///   - thresholds: the contract's score thresholds by entity.
    package init(
        entities: Set<Entity> = Entity.usual, findsSecrets: Bool = true, thresholds: [Entity: Double] = [:]
    ) {
        scanner = TextScanner(
            entities: entities, secrets: findsSecrets, minimumScore: 0.6, thresholds: thresholds)
    }

    /// The credential and the entities in a name.
    func found(in name: String) -> (secret: SecretKind?, entities: [Entity]) {
        let bytes = Array(name.utf8)
        var matches: [EntityMatch] = []
        let secret = scanner.scan(bytes.span, range: bytes.indices, into: &matches)
        return (secret, matches.map(\.entity))
    }

    /// A path as logs and reports may show it. Entities in the last component are replaced by their names; a component
    /// with a credential is replaced whole.
    package func shown(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let last = Array((parts.last ?? "").utf8)
        var matches: [EntityMatch] = []
        let secret = scanner.scan(last.span, range: last.indices, into: &matches)
        if secret == nil, matches.isEmpty { return path }
        var shown = ""
        if secret == nil {
            var at = 0
            for match in matches {
                shown += String(decoding: last[at..<match.start], as: UTF8.self) + "<\(match.entity.name)>"
                at = match.end
            }
            shown += String(decoding: last[at...], as: UTF8.self)
        } else {
            shown = "<credential>"
        }
        return (parts.dropLast().map(String.init) + [shown]).joined(separator: "/")
    }

    /// A message about a file as logs and the status may show it: each mention of the file's name becomes
    /// `shown(name)`.
    package func shown(_ text: String, of name: String) -> String {
        let safe = shown(name)
        return safe == name ? text : text.replacing(name, with: safe)
    }

    /// The kinds of sensitive content in a name, in words; empty for a harmless name.
    package func kinds(in name: String) -> [String] {
        let (secret, entities) = found(in: name)
        return (secret.map { [$0.rawValue] } ?? []) + Set(entities.map(\.name)).sorted()
    }
}
