package import Recognition
import Reading
import Schemas
import Tabular
import Validating

/// Where personal data was seen: its place and kind, never the value.
package struct DetectionPlace: Sendable, Equatable {
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
    static func all(_ validated: ValidatedBlock) -> [DetectionPlace] {
        let batch = validated.batch
        return validated.detections.map { sighting in
            let cell = batch.cells[sighting.row * batch.width + sighting.column]
            let first = sighting.isUnescaped ? 0 : cell.range.lowerBound
            return DetectionPlace(
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

/// A column that is somebody's by its name or its values, and leaves the gate with values that nobody masked.
package struct UnmaskedColumn: Sendable, Equatable {
    /// Its name, or its place where the contract does not name it.
    package var label: String
    /// What its name or its values say.
    package var entity: Entity
    /// The share of its values that are not masked.
    package var share: Double
}

extension Field {
    /// Whether values may be somebody's without anybody having said what is done about them: no rule, no list of values, no purpose that
    /// says that they are kept on purpose.
    fileprivate var mayTellWhoItIs: Bool {
        guard pii == nil, categories == nil, constraints.enumeration == nil, role != .quasiIdentifier else {
            return false
        }
        switch type {
        case .boolean, .time, .year, .yearmonth, .duration: return false
        default: return true
        }
    }
}

/// What all rows together tell of the cells of a column. It changes what the rows are, so that all are looked at once more.
struct Corrections {
    /// Entities that chance finds in numbers of something else, and those that are told once for a column, by column.
    let chance: [Int: Set<Entity>], once: [Int: Set<Entity>]
    var isEmpty: Bool { chance.isEmpty && once.isEmpty }

    init(_ evidence: ColumnEvidence, _ layout: Layout?, _ plan: Plan) {
        (chance, once) = layout.map { plan.validator.corrections(evidence, $0) } ?? ([:], [:])
    }

    /// What is passed over in rows.
    var passed: [Int: Set<Entity>] { chance.merging(once) { $0.union($1) } }

    /// The evidence of the first look, without what was chance.
    func corrected(_ evidence: ColumnEvidence) -> ColumnEvidence {
        var evidence = evidence
        for (column, entities) in chance { for entity in entities { evidence.forget(entity, in: column) } }
        return evidence
    }
}

extension SurveyedBatch {
    /// What each column holds that was searched.
    var personalColumns: [PersonalColumn] {
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
    var undeclaredKinds: [Int: Entity] {
        undeclared.filter { column, found in
            found.policy == .mask && !found.entity.isQuasi
                && survey.evidence.share(of: found.entity, in: column) >= ColumnEvidence.shareToReplace
        }.mapValues(\.entity)
    }

    /// One finding about the batch for each such column; it holds the batch where rows with such data are not let through.
    var undeclaredColumns: [Finding] {
        undeclared.sorted { $0.key < $1.key }.map { column, found in
            var finding = Finding(
                .undeclaredColumn, outcome: min(found.policy.outcome, .quarantined), row: 0,
                field: survey.head.layout?.fieldOfColumn[column] ?? -1)
            finding.rule = finding.field < 0 ? "column \(column + 1): \(found.entity.name)" : found.entity.name
            return finding
        }
    }

    /// Labels of columns that the contract does not name and lets through: what is in them goes into the shard, and cannot be masked, so
    /// that the batch waits.
    var personalLabels: [Finding] {
        let (schema, head) = (plan.schema, survey.head)
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

    /// Columns that are somebody's by their names or values and have no rule, with the share of values that leave as they came.
    var unmaskedColumns: [UnmaskedColumn] {
        guard let layout = survey.head.layout else { return [] }
        let kinds = undeclaredKinds
        return layout.columns.indices.compactMap { column in
            let field = layout.fieldOfColumn[column]
            if field < 0, plan.schema.unknownFields == .drop || layout.dropped.contains(column) { return nil }
            if field >= 0, !plan.schema.fields[field].mayTellWhoItIs { return nil }
            if kinds[column] != nil { return nil }
            let values = survey.evidence.values[column] ?? 0
            let found = survey.evidence.wholes[column, default: [:]]
            let held = found.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
            let proposed =
                held.flatMap { 2 * $0.value > values ? $0.key : nil } ?? ColumnNames.proposal(layout.columns[column])
            guard let entity = proposed, values > 0 else { return nil }
            // What is told once for the column, a key, and what policy lets pass, leave as they are.
            let isMasked =
                plan.validator.undeclaredPolicy(ofField: field) == .mask && !entity.isQuasi
                && !plan.validator.isKey(field)
            let masked = isMasked ? found.values.reduce(0, +) : 0
            if masked >= values { return nil }
            return UnmaskedColumn(
                label: field >= 0 ? layout.columns[column] : "column \(column + 1)", entity: entity,
                share: Double(values - masked) / Double(values))
        }
    }

    private var undeclared: [Int: (entity: Entity, policy: UndeclaredPII)] {
        guard let layout = survey.head.layout else { return [:] }
        var found: [Int: (entity: Entity, policy: UndeclaredPII)] = [:]
        for column in survey.evidence.values.keys {
            let field = layout.fieldOfColumn[column]
            guard let policy = plan.validator.undeclaredPolicy(ofField: field) else { continue }
            let isKey = plan.validator.isKey(field)
            guard let entity = survey.evidence.verdict(column) ?? survey.evidence.kind(column, isKey: isKey) else {
                continue
            }
            found[column] = (entity, policy)
        }
        return found
    }
}
