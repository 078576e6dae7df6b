import Cryptography
import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular
import Validating

/// One bit a row of a slice.
struct RowBits: Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    mutating func append(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
        count += 1
    }

    func bits(from first: Int, count: Int) -> [Bool] {
        (first..<first + count).map { words[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 }
    }
}

/// What the first pass found in a slice.
struct SliceSurvey: Sendable {
    var ordinal: Int
    var profile: Profile
    var isSound = RowBits()
    /// Rows in which personal data or a credential was seen.
    var isSighted = RowBits()
    var evidence = ColumnEvidence()
    /// The first of what was seen, for those who ask.
    var sightings: [Spotted] = []
    var disagreement: Finding?
    var listed: [Finding] = []
    var remarks = RowRemarks()
    /// What was drawn, for the second pass.
    var draw: SliceDraw
}

/// First pass over one slice: read, validate, profile.
///
/// - Parameter draw: what was drawn for the slice, where that is known already.
func survey(
    _ slice: SourceSlice, _ plan: Plan, _ layout: Layout, bounds: Profile.Bounds, draw: SliceDraw? = nil
) throws(IngestionError) -> SliceSurvey {
    let draw =
        draw ?? (bounds.isNothing ? plan.choices.drawOfCheck(slice) : plan.choices.draw(slice, header: layout.header))
    var result = SliceSurvey(
        ordinal: slice.ordinal,
        profile: Profile(plan.reader, keyRules: plan.validator.keyRules.count), draw: draw)
    var reader = SliceReader(slice, layout: layout, plan: plan.reading)
    var isFirst = slice.ordinal == 0
    var rows = 0
    while let batch = reader.next() {
        rows += batch.count
        if plan.isCrossChecked, isFirst || draw.checks(blockAt: batch.baseOffset), result.disagreement == nil,
            let row = rowWhereLibCSVDisagrees(
                batch, delimiter: plan.reading.dialect.delimiter, quote: plan.reading.dialect.quote ?? 0x22,
                lineTerminator: plan.reading.dialect.lineTerminator)
        {
            result.disagreement = batch.finding(.readersDisagree, outcome: .quarantined, at: row)
        }
        isFirst = false
        result.remarks.merge(batch.remarks)
        let validated = plan.validator.validate(batch)
        result.profile.add(validated, plan.reader, order: draw.order, bounds: bounds)
        for row in 0..<batch.count {
            result.isSound.append(validated.isSound[row])
            result.isSighted.append(validated.isSighted[row])
        }
        result.evidence.merge(validated.evidence)
        if result.sightings.count < plan.options.spotted {
            result.sightings += Spotted.all(validated).prefix(plan.options.spotted - result.sightings.count)
        }
        if plan.options.doors == .validate, result.listed.count < plan.options.listed {
            result.listed += validated.findings.prefix(plan.options.listed - result.listed.count)
        }
    }
    precondition(rows == slice.rowCount, "the slicer and the scanner count rows alike")
    return result
}

/// A file that was sealed for this batch and waits in the claim's folder.
struct StagedShard: Sendable {
    var role: String
    var ordinal: Int
    var name: String
    /// Where it goes, relative to the store; known once the verdict is.
    var path = ""
    /// The part of the source that is in it; nil for what is kept beside the data.
    var sourceRows: SourceRows?
    var message: SealedMessage

    /// Rows in the file, the first and last source row that they were taken from, and the source's bytes from `offset` to
    /// `end`.
    struct SourceRows: Sendable {
        var count: Int
        var first: Int
        var last: Int
        var offset: UInt64
        var end: UInt64
    }
}

/// What the second pass made of a slice.
struct SliceResult: Sendable {
    var ordinal: Int
    var counts = OutcomeCounts()
    var rowMap = RowMap()
    var receipts: [MaskReceipt: Int] = [:]
    var classes = EquivalenceClasses()
    var kept: KeptRows
    var shards: [StagedShard] = []
    var listed: [Finding] = []
    /// Offsets of row starts, each less the one before, as varints; without the first.
    var rowLengths: [UInt8] = []
    /// Offset of the last row's start.
    var lastStart: UInt64 = 0
    /// Offset of the first row's start.
    var firstStart: UInt64 = 0
}

/// Where the second pass puts its shards.
struct Stage: Sendable {
    let folder: OpenFolder
    let context: [String: String]
    let recipients: [WrappingKey]

    func context(_ slice: SourceSlice, role: String) -> [String: String] {
        var context = context
        context["shard"] = String(slice.ordinal)
        context["role"] = role
        context["rows"] = "\(slice.firstRow)-\(slice.firstRow + slice.rowCount - 1)"
        if role == "quarantine" { context["media-type"] = "application/jsonl" }
        return context
    }

    /// Stages a small whole file.
    ///
    /// - Parameter extra: more of what stands in clear.
    func seal(
        _ bytes: [UInt8], name: String, role: String, mediaType: String, extra: [String: String] = [:]
    ) throws(IngestionError) -> SealedMessage {
        var context = context.merging(extra) { _, new in new }
        context["role"] = role
        context["media-type"] = mediaType
        context["shard"] = nil
        let made = context
        return try sealing { () throws(SealingError) in
            let file = try staging { () throws(StorageError) in try StagedFile(in: folder, name: name) }
            var writer = try MessageWriter(to: file, context: made, recipients: recipients)
            try writer.write(bytes.span)
            return try writer.finish().commit(as: name)
        }
    }
}

func staging<R: ~Copyable>(_ body: () throws(StorageError) -> R) throws(SealingError) -> R {
    do throws(StorageError) { return try body() } catch { throw SealingError(error) }
}

/// Second pass over one slice: read, replay the verdicts, screen, mask, seal.
func process(
    _ slice: SourceSlice, _ plan: Plan, _ layout: Layout, _ decision: Decision, _ screener: Screener,
    _ masker: Masker, sound: RowBits, sighted: RowBits, order: SipHash, stage: Stage?, bounds: Profile.Bounds
) throws(IngestionError) -> SliceResult {
    var result = SliceResult(ordinal: slice.ordinal, kept: KeptRows(plan.reader))
    var reader = SliceReader(slice, layout: layout, plan: plan.reading)
    var accepted: ShardWriter?
    var quarantine: QuarantineWriter?
    var row = 0
    var lastStart: UInt64?
    while let batch = reader.next() {
        let validated = plan.validator.replay(
            batch, wasSound: sound.bits(from: row, count: batch.count),
            wasSighted: sighted.bits(from: row, count: batch.count), repeats: decision.repeats(in: batch))
        row += batch.count
        let screened = screener.screen(validated)
        result.counts.add(screened)
        for (index, outcome) in screened.outcomes.enumerated() {
            result.rowMap.append(RowMap.Fate(outcome, shard: slice.ordinal), count: 1)
            let start = batch.sourceRange(of: index).lowerBound
            if let lastStart {
                Varint.append(start - lastStart, to: &result.rowLengths)
            } else {
                result.firstStart = start
            }
            lastStart = start
            result.lastStart = start
        }
        result.kept.add(screened, validated, plan.reader, order: order, bounds: bounds)
        if result.listed.count < plan.options.listed {
            result.listed += screened.findings.prefix(plan.options.listed - result.listed.count)
        }
        let masked = masker.mask(screened)
        for key in masked.classKeys { result.classes.add(key.identity, sensitive: key.sensitive) }
        for (receipt, count) in masked.receipts { result.receipts[receipt, default: 0] += count }
        guard let stage else { continue }
        if masked.rows > 0 {
            if accepted == nil { accepted = try open(slice, stage, masker.header) }
            try append(masked, &accepted)
        }
        if screened.outcomes.contains(where: { !$0.isReleased }) {
            if quarantine == nil { quarantine = try open(slice, stage, plan) }
            try append(screened, &quarantine)
        }
    }
    if stage != nil {
        do throws(SealingError) {
            if let writer = accepted.take() {
                let rows = writer.rows
                let name = "\(slice.ordinal).sluice"
                result.shards.append(staged(slice, "accepted", name, rows, try writer.finish().commit(as: name)))
            }
            if let writer = quarantine.take() {
                let rows = writer.rows
                let name = "\(slice.ordinal).quarantine.sluice"
                result.shards.append(staged(slice, "quarantine", name, rows, try writer.finish().commit(as: name)))
            }
        } catch {
            throw IngestionError(error)
        }
    }
    return result
}

private func staged(
    _ slice: SourceSlice, _ role: String, _ name: String, _ rows: Int, _ message: SealedMessage
) -> StagedShard {
    StagedShard(
        role: role, ordinal: slice.ordinal, name: name,
        sourceRows: .init(
            count: rows, first: slice.firstRow, last: slice.firstRow + slice.rowCount - 1, offset: slice.offset,
            end: slice.offset + slice.length),
        message: message)
}

private func open(_ slice: SourceSlice, _ stage: Stage, _ header: [UInt8]) throws(IngestionError) -> ShardWriter {
    try sealing { () throws(SealingError) in
        let file = try staging { () throws(StorageError) in
            try StagedFile(in: stage.folder, name: "\(slice.ordinal).sluice")
        }
        return try ShardWriter(
            to: file, header: header, context: stage.context(slice, role: "accepted"), recipients: stage.recipients)
    }
}

private func open(
    _ slice: SourceSlice, _ stage: Stage, _ plan: Plan
) throws(IngestionError) -> QuarantineWriter {
    try sealing { () throws(SealingError) in
        let file = try staging { () throws(StorageError) in
            try StagedFile(in: stage.folder, name: "\(slice.ordinal).quarantine.sluice")
        }
        return try QuarantineWriter(
            to: file, fields: plan.fieldNames, keepsRejected: plan.schema.batch.rejectedRows != .skip,
            context: stage.context(slice, role: "quarantine"), recipients: stage.recipients)
    }
}

private func append(_ masked: MaskedBatch, _ writer: inout ShardWriter?) throws(IngestionError) {
    guard var open = writer.take() else { return }
    do throws(SealingError) { try open.append(masked) } catch { throw IngestionError(error) }
    writer = consume open
}

private func append(_ screened: ScreenedBatch, _ writer: inout QuarantineWriter?) throws(IngestionError) {
    guard var open = writer.take() else { return }
    do throws(SealingError) { try open.append(screened) } catch { throw IngestionError(error) }
    writer = consume open
}

extension Decision {
    /// The rows of a block that break a key rule, as (key rule, row of the block).
    func repeats(in batch: Batch) -> [(rule: Int, row: Int)] {
        var found: [(rule: Int, row: Int)] = []
        for (rule, rows) in keyErrors.enumerated() {
            var next = batch.firstRow
            while let row = rows.first(from: next), row < batch.firstRow + batch.count {
                found.append((rule, row - batch.firstRow))
                next = row + 1
            }
        }
        return found
    }
}
