package import Recognition
import Reading
import Schemas
import Tabular
import Validating

/// Where personal data was seen: its place and kind, never the value.
package struct Spotted: Sendable, Equatable {
    /// Data record number.
    package var row: Int
    /// The column of the file.
    package var column: Int
    /// The first byte in the cell's value, without quotes and escapes.
    package var start: Int
    /// The first byte past it.
    package var end: Int
    /// What it is.
    package var entity: Entity
    /// How sure that is.
    package var score: Double

    /// Everything that was seen in a block.
    static func all(_ validated: ValidatedBatch) -> [Spotted] {
        let batch = validated.batch
        return validated.sightings.map { sighting in
            let cell = batch.cells[sighting.row * batch.width + sighting.column]
            let first = sighting.isUnescaped ? 0 : cell.range.lowerBound
            return Spotted(
                row: batch.firstRow + sighting.row, column: sighting.column, start: sighting.match.start - first,
                end: sighting.match.end - first, entity: sighting.match.entity, score: sighting.match.score)
        }
    }
}

/// What one column of a file holds.
package struct PersonalColumn: Sendable, Equatable {
    /// The column of the file.
    package var column: Int
    /// The contract's field, or -1.
    package var field: Int
    /// The field's name, or the place of a column that the contract does not name: its label may be a value, where a header is missing.
    package var label: String
    /// Values that were looked at.
    package var values: Int
    /// Values that are wholly one entity, the most frequent first.
    package var wholes: [(entity: Entity, count: Int)]
    /// Values that have such things in them.
    package var inside: [(entity: Entity, count: Int)]
    /// What the column is, if it is one.
    package var verdict: Entity?

    /// Whether two say the same.
    package static func == (left: PersonalColumn, right: PersonalColumn) -> Bool {
        left.column == right.column && left.values == right.values && left.verdict == right.verdict
            && left.wholes.map(\.entity) == right.wholes.map(\.entity)
            && left.inside.map(\.entity) == right.inside.map(\.entity)
            && left.wholes.map(\.count) == right.wholes.map(\.count)
            && left.inside.map(\.count) == right.inside.map(\.count)
    }
}

extension Corridor {
    /// What each column holds that was searched.
    func columns(_ survey: Survey, _ plan: Plan) -> [PersonalColumn] {
        guard let layout = survey.head.layout else { return [] }
        func ordered(_ counts: [Entity: Int]?) -> [(entity: Entity, count: Int)] {
            (counts ?? [:]).map { ($0.key, $0.value) }.sorted {
                ($1.count, $0.entity.rawValue) < ($0.count, $1.entity.rawValue)
            }
        }
        return survey.evidence.values.keys.sorted().map { column in
            PersonalColumn(
                column: column, field: layout.fieldOfColumn[column],
                label: layout.fieldOfColumn[column] >= 0 ? layout.columns[column] : "column \(column + 1)",
                values: survey.evidence.values[column] ?? 0, wholes: ordered(survey.evidence.wholes[column]),
                inside: ordered(survey.evidence.inside[column]), verdict: survey.evidence.verdict(column))
        }
    }

    /// Columns that are personal data, that the contract does not speak of, and whose values are all replaced.
    func undeclaredKinds(_ survey: Survey, _ plan: Plan) -> [Int: Entity] {
        undeclared(survey, plan).filter { column, found in
            found.policy == .mask
                && survey.evidence.share(of: found.entity, in: column) >= ColumnEvidence.shareToReplace
        }.mapValues(\.entity)
    }

    /// One finding about the batch for each such column; it holds the batch where rows with such data are not let through.
    func undeclaredColumns(_ survey: Survey, _ plan: Plan) -> [Finding] {
        undeclared(survey, plan).sorted { $0.key < $1.key }.map { column, found in
            var finding = Finding(
                .undeclaredColumn, outcome: min(found.policy.outcome, .quarantined), row: 0,
                field: survey.head.layout?.fieldOfColumn[column] ?? -1)
            finding.rule = finding.field < 0 ? "column \(column + 1): \(found.entity.name)" : found.entity.name
            return finding
        }
    }

    /// Labels of columns that the contract does not name and lets through: what is in them goes into the shard, and cannot be masked, so
    /// that the batch waits.
    func personalLabels(_ head: SourceHead, _ plan: Plan) -> [Finding] {
        let schema = plan.schema
        guard schema.unknownFields == .keep, plan.reading.format == .csv else { return [] }
        let search = LabelSearch(
            entities: schema.undeclaredPII == .allow ? [] : Entity.usual, findsSecrets: schema.secrets != .accepted,
            thresholds: schema.personalData.thresholds)
        return zip(head.unknown, head.unknownLabels).flatMap { column, label in
            let (secret, entities) = search.found(in: label)
            func finding(_ code: FindingCode, _ kind: String) -> Finding {
                var finding = Finding(code, outcome: .quarantined, row: 0)
                finding.rule = "label of column \(column): \(kind)"
                return finding
            }
            return (secret.map { [finding(.secret, $0.rawValue)] } ?? [])
                + Set(entities.map(\.name)).sorted().map { finding(.undeclaredPII, $0) }
        }
    }

    private func undeclared(_ survey: Survey, _ plan: Plan) -> [Int: (entity: Entity, policy: UndeclaredPII)] {
        guard let layout = survey.head.layout else { return [:] }
        var found: [Int: (entity: Entity, policy: UndeclaredPII)] = [:]
        for column in survey.evidence.values.keys {
            guard let policy = plan.validator.undeclaredPolicy(ofField: layout.fieldOfColumn[column]),
                let entity = survey.evidence.verdict(column)
            else { continue }
            found[column] = (entity, policy)
        }
        return found
    }
}
