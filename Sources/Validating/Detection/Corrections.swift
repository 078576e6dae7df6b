package import Recognition
package import Schemas
package import Tabular

extension Validator {
    /// The treatment of undeclared personal data in a field, or in columns outside the contract when `field` is nil;
    /// nil where it is declared or not searched for.
    package func undeclaredPolicy(ofField field: Int?) -> UndeclaredPII? {
        guard let field else { return unknownSearch?.undeclared }
        // Keys are never masked cell by cell: collisions would merge rows and break joins. Such a batch is held until
        // the key is declared.
        if let own = searches[field], own.isKey, own.undeclared == .mask { return .quarantine }
        return searches[field]?.undeclared
    }

    /// Whether a field's values identify rows; those of a column outside the contract (nil) count as no key.
    package func isKey(_ field: Int?) -> Bool { field.flatMap { searches[$0] }?.isKey ?? false }

    /// Corrections to undeclared columns from the evidence of all rows: entities that match by chance, and entities
    /// that are reported once for the column instead of in each row.
    package func corrections(_ evidence: ColumnEvidence, _ layout: Layout) -> (
        chance: [Int: Set<Entity>], once: [Int: Set<Entity>]
    ) {
        var (chance, once): ([Int: Set<Entity>], [Int: Set<Entity>]) = ([:], [:])
        for column in evidence.values.keys {
            let search: ColumnSearch?
            if let field = layout.fieldOfColumn[column] {
                search = searches[field]
            } else {
                search = ColumnSearch(unknown: layout.columns[column], schema)
            }
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
