package import Recognition
package import Schemas
package import Tabular

extension Validator {
    /// What undeclared personal data does in a field (-1 for columns that the contract does not name); nil where it is
    /// declared or not searched for.
    package func undeclaredPolicy(ofField field: Int) -> UndeclaredPII? {
        guard field >= 0 else { return unknownSearch?.undeclared }
        // Keys are never masked cell by cell, since they would join nothing: such a batch is held until the key is
        // declared.
        if let own = searches[field], own.isKey, own.undeclared == .mask { return .quarantine }
        return searches[field]?.undeclared
    }

    /// Whether a field's values tell rows apart.
    package func isKey(_ field: Int) -> Bool { searches[field]?.isKey ?? false }

    /// What the evidence of all rows corrects in undeclared columns: entities that are chance hits, and entities that
    /// are reported once for the column rather than in each of its rows.
    package func corrections(_ evidence: ColumnEvidence, _ layout: Layout) -> (
        chance: [Int: Set<Entity>], once: [Int: Set<Entity>]
    ) {
        var (chance, once): ([Int: Set<Entity>], [Int: Set<Entity>]) = ([:], [:])
        for column in evidence.values.keys {
            let field = layout.fieldOfColumn[column]
            let search = field >= 0 ? searches[field] : ColumnSearch(unknown: layout.columns[column], schema)
            guard let search, search.undeclared != nil else { continue }
            let found = Set(evidence.wholes[column, default: [:]].keys).union(
                evidence.inside[column, default: [:]].keys)
            for entity in found {
                if !search.isCalled(entity), evidence.isChance(entity, in: column, isOfThings: search.isOfThings) {
                    chance[column, default: []].insert(entity)
                } else if entity.isQuasi, evidence.isColumn(of: entity, column) {
                    once[column, default: []].insert(entity)
                }
            }
        }
        return (chance, once)
    }
}
