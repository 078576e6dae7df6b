import Lineage
import Masking
import Reading
import Schemas
import Sealing
import Sketches
import Storage
import Tabular
import Validating

/// The index of a batch that is being made: which rows are whose. It is sealed as it grows.
final class SubjectIndexFile {
    private let hash: KeyedHash
    private var writer: MessageWriter?
    private static let name = FileRole.subjects.rawValue + ".sluice"

    /// Begins the index; nil when the file has no field with `role: subject`, and where nothing is recorded.
    init?(_ plan: Plan, _ masker: Masker, in staging: StagingArea?) throws(IngestionError) {
        guard let staging, masker.knowsSubjects, let field = plan.schema.fields.first(where: { $0.role == .subject })
        else { return nil }
        hash = plan.validator.hash
        var context = staging.context
        context["role"] = FileRole.subjects.rawValue
        context["media-type"] = "application/octet-stream"
        let made = context
        let opened = try sealing { () throws(SealingError) in
            let file = try sealed { () throws(StorageError) in try StagedFile(in: staging.folder, name: Self.name) }
            return try MessageWriter(to: file, context: made, recipients: staging.recipients)
        }
        writer = consume opened
        let form = ShardForm(
            format: plan.reading.format, delimiter: masker.delimiter, headerCount: masker.header.count,
            path: field.path ?? [masker.subjectLabel ?? field.name])
        try write(SubjectIndexReader.beginning(form))
    }

    /// Adds the subjects of one slice.
    func append(_ rows: SubjectRows) throws(IngestionError) { if !rows.isEmpty { try write(rows.encoded()) } }

    private func write(_ bytes: [UInt8]) throws(IngestionError) {
        guard var open = writer.take() else { preconditionFailure("an index is written before it is finished") }
        do throws(SealingError) { try open.write(bytes.span) } catch { throw IngestionError(error) }
        writer = consume open
    }

    /// Seals the index.
    func finish() throws(IngestionError) -> StagedShard {
        guard let open = writer.take() else { preconditionFailure("an index is finished once") }
        do throws(SealingError) {
            return StagedShard(kept: .subjects, message: try open.finish().commit(as: Self.name))
        } catch { throw IngestionError(error) }
    }
}

extension SubjectRows {
    /// Adds the subjects of a block's rows.
    mutating func add(_ block: RowBlock, _ masker: Masker, _ hash: KeyedHash) {
        let bytes = block.bytes.span
        for row in 0..<block.count {
            if !block.isWellFormed[row] {
                append(unreadable: block.firstRow + row)
            } else if let value = masker.subject(of: row, in: block) {
                append(SubjectTag(bytes, value, hash), row: block.firstRow + row)
                if let spelling = masker.spelling(ofSubject: value, in: block) {
                    append(SubjectTag(spelling.span, 0..<spelling.count, hash), row: block.firstRow + row)
                }
            }
        }
    }
}
