package import Recognition

/// Looks for personal data and credentials in names: labels of columns, names of members. Whatever a file calls its columns would
/// otherwise stand in the ledger, in contracts and in reports as it is. Names of files are chosen by suppliers too.
package struct LabelSearch: Sendable {
    /// A search for all that is usually looked for.
    package static let usual = LabelSearch()

    private let scanner: TextScanner

    /// A search for all that is usually looked for; `thresholds` are the contract's.
    package init(
        entities: Set<Entity> = Entity.usual, findsSecrets: Bool = true, thresholds: [Entity: Double] = [:]
    ) {
        scanner = TextScanner(
            entities: entities, secrets: findsSecrets, minimumScore: 0.6, thresholds: thresholds)
    }

    /// The credential in a name, and the entities.
    func found(in name: String) -> (secret: SecretKind?, entities: [Entity]) {
        let bytes = Array(name.utf8)
        var matches: [EntityMatch] = []
        let secret = scanner.scan(bytes.span, range: bytes.indices, into: &matches)
        return (secret, matches.map(\.entity))
    }

    /// A path as logs and reports may show it: what its last part says of somebody is replaced by its name, and with a credential in it
    /// all of that part.
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

    /// What was said of a file of this name, as logs and the status may show it: wherever it names the file, it names it as `shown` does.
    package func shown(_ text: String, of name: String) -> String {
        let safe = shown(name)
        return safe == name ? text : text.replacing(name, with: safe)
    }

    /// What is in a name, in words; nothing for a name that is only one.
    package func kinds(in name: String) -> [String] {
        let (secret, entities) = found(in: name)
        return (secret.map { [$0.rawValue] } ?? []) + Set(entities.map(\.name)).sorted()
    }
}
