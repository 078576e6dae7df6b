package import Recognition
import Reading
import Schemas
package import Tabular
import Validating

/// One detection of personal data: its place and entity, never the value.
package struct DetectionPlace: Sendable, Equatable {
    /// Data row, from 1.
    package var row: Int
    /// Column of the file, from 0.
    package var column: Int
    /// Offset of the first byte in the cell's value, after quotes and escapes are resolved.
    package var start: Int
    /// Offset past the last byte.
    package var end: Int
    /// The entity.
    package var entity: Entity
    /// The recogniser's score, 0 to 1.
    package var score: Double

    /// Every detection in a block.
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

/// The kind of values in one column.
package struct PersonalColumn: Sendable, Equatable {
    /// The column of the file.
    package var column: Int
    /// The contract's field; nil for a column outside the contract.
    package var field: Int?
    /// The field's name. A column outside the contract is named by its position: without a header its label may be a
    /// value.
    package var label: String
    /// Values that were scanned.
    package var values: Int
    /// Values that are one entity as a whole, most frequent entity first.
    package var wholes: [(entity: Entity, count: Int)]
    /// Values that contain an entity, most frequent entity first.
    package var inside: [(entity: Entity, count: Int)]
    /// The entity that the column as a whole is; nil for none.
    package var verdict: Entity?

    /// Compares all members; tuples have no synthesised equality.
    package static func == (left: PersonalColumn, right: PersonalColumn) -> Bool {
        left.column == right.column && left.values == right.values && left.verdict == right.verdict
            && left.wholes.map(\.entity) == right.wholes.map(\.entity)
            && left.inside.map(\.entity) == right.inside.map(\.entity)
            && left.wholes.map(\.count) == right.wholes.map(\.count)
            && left.inside.map(\.count) == right.inside.map(\.count)
    }
}

/// A column that holds personal data by name or values and is released with unmasked values.
package struct UnmaskedColumn: Sendable, Equatable {
    /// Its name, or its position where the contract does not name it.
    package var label: String
    /// The entity that its name or values imply.
    package var entity: Entity
    /// The share of its values that are not masked.
    package var share: Double
}

extension Field {
    /// Whether the field's values may identify a person without the contract stating what to do: no masking rule, no
    /// list of values, no role that explains them.
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

/// Corrections to the search for personal data that the evidence of all rows suggests. They change the verdicts on
/// rows, so all rows are read once more.
struct Corrections {
    /// By column, the entities that match its numbers by chance, and those that are reported once for the column
    /// instead of in each row.
    let chance: [Int: Set<Entity>], once: [Int: Set<Entity>]
    var isEmpty: Bool { chance.isEmpty && once.isEmpty }

    init(_ evidence: ColumnEvidence, _ layout: Layout?, _ plan: Plan) {
        (chance, once) = layout.map { plan.validator.corrections(evidence, $0) } ?? ([:], [:])
    }

    /// Entities that are skipped in rows, by column.
    var passed: [Int: Set<Entity>] { chance.merging(once) { $0.union($1) } }

    /// The evidence of the first look without the chance matches.
    func corrected(_ evidence: ColumnEvidence) -> ColumnEvidence {
        var evidence = evidence
        for (column, entities) in chance { for entity in entities { evidence.forget(entity, in: column) } }
        return evidence
    }
}

extension SurveyedBatch {
    /// The searched columns, in the order of the file.
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
                label: layout.fieldOfColumn[column] != nil ? layout.columns[column] : "column \(column + 1)",
                values: survey.evidence.values[column] ?? 0, wholes: ordered(survey.evidence.wholes[column]),
                inside: ordered(survey.evidence.inside[column]), verdict: survey.evidence.verdict(column))
        }
    }

    /// Columns of personal data that the contract does not declare and whose values are all replaced.
    var undeclaredKinds: [Int: Entity] {
        undeclared.filter { column, found in
            found.policy == .mask && !found.entity.isQuasi
                && survey.evidence.share(of: found.entity, in: column) >= ColumnEvidence.shareToReplace
        }.mapValues(\.entity)
    }

    /// One finding for each such column. It holds the batch where the policy does not let such rows pass.
    var undeclaredColumns: [Finding] {
        undeclared.sorted { $0.key < $1.key }.map { column, found in
            let field = survey.head.layout?.fieldOfColumn[column]
            var finding = Finding(
                .undeclaredColumn, outcome: min(found.policy.outcome, .quarantined),
                at: Finding.Location(field: field))
            finding.rule = field == nil ? "column \(column + 1): \(found.entity.name)" : found.entity.name
            return finding
        }
    }

    /// Findings about labels of columns outside the contract that are kept. A label goes into the shard and cannot be
    /// masked, so the batch is held.
    var personalLabels: [Finding] {
        let (schema, head) = (plan.schema, survey.head)
        guard schema.unknownFields == .keep, plan.reading.format == .csv else { return [] }
        let search = LabelSearch(
            entities: schema.undeclaredPII == .allow ? [] : Entity.usual, findsSecrets: schema.secrets != .accepted,
            thresholds: schema.personalData.thresholds)
        return zip(head.unknown, head.unknownLabels).flatMap { column, label in
            let (secret, entities) = search.found(in: label)
            func finding(_ code: FindingCode, _ kind: String) -> Finding {
                var finding = Finding(code, outcome: .quarantined, at: .batch)
                finding.rule = "label of column \(column): \(kind)"
                return finding
            }
            return (secret.map { [finding(.secret, $0.rawValue)] } ?? [])
                + Set(entities.map(\.name)).sorted().map { finding(.undeclaredPII, $0) }
        }
    }

    /// Columns that hold personal data by name or values and have no masking rule, with the share of values that are
    /// released unmasked.
    var unmaskedColumns: [UnmaskedColumn] {
        guard let layout = survey.head.layout else { return [] }
        let kinds = undeclaredKinds
        return layout.columns.indices.compactMap { column in
            let field = layout.fieldOfColumn[column]
            if let field {
                if !plan.schema.fields[field].mayTellWhoItIs { return nil }
            } else if plan.schema.unknownFields == .drop || layout.dropped.contains(column) {
                return nil
            }
            if kinds[column] != nil { return nil }
            let values = survey.evidence.values[column] ?? 0
            let found = survey.evidence.wholes[column, default: [:]]
            let held = found.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
            let proposed =
                held.flatMap { 2 * $0.value > values ? $0.key : nil } ?? ColumnNames.proposal(layout.columns[column])
            guard let entity = proposed, values > 0 else { return nil }
            // Columns that are reported once, keys, and whatever the policy allows are released as they are.
            let isMasked =
                plan.validator.undeclaredPolicy(ofField: field) == .mask && !entity.isQuasi
                && !plan.validator.isKey(field)
            let masked = isMasked ? found.values.reduce(0, +) : 0
            if masked >= values { return nil }
            return UnmaskedColumn(
                label: field != nil ? layout.columns[column] : "column \(column + 1)", entity: entity,
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

extension DetectionPlace: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        for number in [row, column, start, end] { wire.append(number) }
        wire.append(entity)
        wire.append(score)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        (row, column, start, end) = (try wire.read(), try wire.read(), try wire.read(), try wire.read())
        (entity, score) = (try wire.read(), try wire.read())
    }
}
