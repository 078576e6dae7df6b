import Testing
@testable import Recognition

/// The scanner's matches in `text`, each as `ENTITY text`.
func found(_ text: String, _ entities: Set<Entity> = Entity.usual, column: String = "") -> [String] {
    let bytes = Array(text.utf8)
    var matches: [EntityMatch] = []
    TextScanner(entities: entities, columnName: column).scan(bytes.span, range: bytes.indices, into: &matches)
    return matches.map { "\($0.entity.name) \(String(decoding: bytes[$0.range], as: UTF8.self))" }
}

/// A text, and the pieces of it that are the entity.
struct ScanCase: CustomTestStringConvertible {
    let text: String
    let pieces: [String]
    var testDescription: String { "\(text.prefix(40)) → \(pieces)" }

    init(_ text: String, _ pieces: String...) {
        self.text = text
        self.pieces = pieces
    }

    func expected(_ entity: Entity) -> [String] { pieces.map { "\(entity.name) \($0)" } }
}
