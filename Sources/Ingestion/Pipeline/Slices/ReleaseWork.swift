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

/// The result of the second pass over one slice.
struct SliceResult: Sendable {
    var ordinal: Int
    /// Whether its bytes are not those of the first pass.
    var hasChanged = false
    var counts = OutcomeCounts()
    var rowMap = RowMap()
    var receipts: [MaskReceipt: Int] = [:]
    var classes = EquivalenceClasses()
    var kept: KeptRows
    var shards: [StagedShard] = []
    var listed: [Finding] = []
    /// Lengths of rows in source bytes, as LEB128 varints: each row's start less that of the row before, without the
    /// first row.
    var rowLengths: [UInt8] = []
    /// Offset of the last row's start in the source.
    var lastStart: UInt64 = 0
    /// Offset of the first row's start in the source.
    var firstStart: UInt64 = 0
    /// Which rows are whose; empty unless the batch is recorded and its rows name their subjects.
    var subjects = SubjectRows()
}

/// The second pass over one slice: replays the verdicts of the first, screens and masks the rows, and seals them where
/// there is a staging area.
struct ReleaseWork: Sendable {
    private let work: SliceWork
    private let decision: Decision
    private let screener: Screener
    private let masker: Masker
    private let staging: StagingArea?

    init(work: SliceWork, decision: Decision, masker: Masker, staging: StagingArea?) {
        self.work = work
        self.decision = decision
        self.masker = masker
        self.staging = staging
        screener = Screener(decision, work.plan.reader, actions: work.plan.actions)
    }

    /// Judges the rows of one slice.
    ///
    /// - Parameters:
    ///   - slice: the slice, read for the second time.
    ///   - recall: the first pass's verdicts on its rows.
    ///   - bounds: ranks above which a released row cannot enter the sample.
    /// - Throws: when a shard cannot be written.
    func process(
        _ slice: SourceSlice, recalling recall: SliceRecall, bounds: Profile.Bounds
    ) throws(IngestionError) -> SliceResult {
        let plan = work.plan
        var result = SliceResult(ordinal: slice.ordinal, kept: KeptRows(plan.reader))
        result.hasChanged = try plan.choices.tag(of: slice) != recall.draw.tag
        var sealer = staging.map { SliceSealer(slice, in: $0, plan: plan, masker: masker) }
        var blocks = work.blocks(of: slice)
        var row = 0
        while let block = blocks.next() {
            let validated = plan.validator.replay(
                block, known: recall.known(from: row, count: block.count), repeats: decision.repeats(in: block))
            row += block.count
            let screened = screener.screen(validated)
            result.add(screened, slice: slice.ordinal)
            result.kept.add(screened, validated, plan.reader, order: recall.draw.order, bounds: bounds)
            if result.listed.count < plan.options.listed {
                result.listed += screened.findings.prefix(plan.options.listed - result.listed.count)
            }
            if staging != nil, masker.knowsSubjects {
                result.subjects.add(block, masker, plan.validator.hash)
            }
            let masked = masker.mask(screened)
            for key in masked.classKeys { result.classes.add(key.identity, sensitive: key.sensitive) }
            for (receipt, count) in masked.receipts { result.receipts[receipt, default: 0] += count }
            try sealer?.append(masked, screened)
        }
        result.shards = try sealer?.finish() ?? []
        return result
    }
}

extension SliceResult {
    /// Adds the outcomes of a block and the starts of its rows.
    fileprivate mutating func add(_ screened: ScreenedBlock, slice: Int) {
        counts.add(screened)
        for (index, outcome) in screened.outcomes.enumerated() {
            let start = screened.batch.sourceRange(of: index).lowerBound
            if rowMap.rowCount == 0 {
                firstStart = start
            } else {
                Varint.append(start - lastStart, to: &rowLengths)
            }
            rowMap.append(RowMap.Fate(outcome, shard: slice), count: 1)
            lastStart = start
        }
    }
}

/// Writes the two shards of one slice: released rows and rows held back. A shard without rows is not created.
private struct SliceSealer: ~Copyable {
    private let slice: SourceSlice
    private let staging: StagingArea
    private let plan: Plan
    private let header: [UInt8]
    private var accepted: ShardWriter?
    private var quarantine: QuarantineWriter?

    /// Members of the context that say how a CSV shard is written, where that is not RFC 4180.
    private var form: [String: String] = [:]

    init(_ slice: SourceSlice, in staging: StagingArea, plan: Plan, masker: Masker) {
        self.slice = slice
        self.staging = staging
        self.plan = plan
        header = masker.header
        if plan.reading.format == .csv, masker.delimiter != 0x2C {
            form["csv-delimiter"] = String(decoding: [masker.delimiter], as: UTF8.self)
        }
        // The context of a message holds 64 KiB at most.
        if let fields = masker.columnFields, fields.utf8.count <= 32_768 { form["csv-fields"] = fields }
    }

    /// Appends the masked rows to the accepted shard, and the rows held back, unmasked, to the quarantine shard.
    mutating func append(_ masked: MaskedBlock, _ screened: ScreenedBlock) throws(IngestionError) {
        if masked.rows > 0 {
            var writer = if let open = accepted.take() { open } else { try openAccepted() }
            do throws(SealingError) { try writer.append(masked) } catch { throw IngestionError(error) }
            accepted = consume writer
        }
        if screened.outcomes.contains(where: { !$0.isReleased }) {
            var writer = if let open = quarantine.take() { open } else { try openQuarantine() }
            do throws(SealingError) { try writer.append(screened) } catch { throw IngestionError(error) }
            quarantine = consume writer
        }
    }

    /// Completes the shards. They are durable afterwards, under their staged names.
    mutating func finish() throws(IngestionError) -> [StagedShard] {
        var shards: [StagedShard] = []
        do throws(SealingError) {
            if let writer = accepted.take() {
                let rows = writer.rows
                let name = StagingArea.name(ofShard: slice.ordinal, role: .accepted)
                shards.append(
                    StagedShard(slice, role: .accepted, rows: rows, message: try writer.finish().commit(as: name)))
            }
            if let writer = quarantine.take() {
                let rows = writer.rows
                let name = StagingArea.name(ofShard: slice.ordinal, role: .quarantine)
                shards.append(
                    StagedShard(slice, role: .quarantine, rows: rows, message: try writer.finish().commit(as: name)))
            }
        } catch {
            throw IngestionError(error)
        }
        return shards
    }

    private func openAccepted() throws(IngestionError) -> ShardWriter {
        try sealing { () throws(SealingError) in
            try ShardWriter(
                to: try staging.file(ofShard: slice.ordinal, role: .accepted), header: header,
                context: staging.context(slice, role: .accepted).merging(form) { _, new in new },
                recipients: staging.recipients)
        }
    }

    private func openQuarantine() throws(IngestionError) -> QuarantineWriter {
        try sealing { () throws(SealingError) in
            try QuarantineWriter(
                to: try staging.file(ofShard: slice.ordinal, role: .quarantine), fields: plan.fieldNames,
                keepsRejected: plan.schema.batch.rejectedRows != .skip,
                context: staging.context(slice, role: .quarantine), recipients: staging.recipients)
        }
    }
}

/// A result without its shards, which cross as files of their own.
extension SliceResult: WireValue {
    func write(to wire: inout WireWriter) {
        wire.append(ordinal)
        wire.append(hasChanged)
        wire.append(counts)
        wire.append(rowMap.encoded())
        wire.append(receipts)
        wire.append(classes)
        wire.append(kept)
        wire.append(listed)
        wire.append(rowLengths)
        wire.append(lastStart)
        wire.append(firstStart)
        wire.append(Array(subjects.encoded().dropFirst(4)))
    }

    init(from wire: inout WireReader) throws(WireError) {
        (ordinal, hasChanged, counts) = (try wire.read(), try wire.read(), try wire.read())
        guard let rowMap = RowMap(encoded: try wire.read()) else { throw WireError() }
        self.rowMap = rowMap
        (receipts, classes, kept, listed) = (try wire.read(), try wire.read(), try wire.read(), try wire.read())
        (rowLengths, lastStart, firstStart) = (try wire.read(), try wire.read(), try wire.read())
        guard let subjects = SubjectRows(decoding: try wire.read()) else { throw WireError() }
        self.subjects = subjects
    }
}
