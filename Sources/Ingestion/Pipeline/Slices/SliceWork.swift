import Reading
import Screening
import Sketches
import Tabular
import Validating

/// The work on one slice as a pure value: bytes in, outcomes out, without a store. Runners, `score`, `replay` and the
/// tests share it.
struct SliceWork: Sendable {
    let plan: Plan
    let layout: Layout

    /// Reads a slice as blocks of rows.
    func blocks(of slice: SourceSlice) -> SliceReader { SliceReader(slice, layout: layout, plan: plan.reading) }

    /// The first pass over one slice: reads, validates and profiles its rows.
    ///
    /// - Parameters:
    ///   - slice: the slice.
    ///   - bounds: ranks above which a row cannot enter the samples.
    ///   - known: the slice's draw where it exists already, so that the slice is not hashed again.
    func survey(
        _ slice: SourceSlice, bounds: Profile.Bounds, draw known: SliceDraw? = nil
    ) throws(IngestionError) -> SliceSurvey {
        let choices = plan.choices
        let draw: SliceDraw
        if let known {
            draw = known
        } else if bounds.isNothing {
            draw = choices.drawOfCheck(slice)
        } else {
            draw = try choices.draw(slice, header: layout.header)
        }
        var result = SliceSurvey(
            ordinal: slice.ordinal, profile: Profile(plan.reader, keyRules: plan.validator.keyRules.count), draw: draw)
        var blocks = blocks(of: slice)
        var isFirst = slice.ordinal == 0
        var rows = 0
        while let block = blocks.next() {
            rows += block.count
            if plan.isCrossChecked, isFirst || draw.checks(blockAt: block.baseOffset), result.disagreement == nil,
                let row = rowWhereLibCSVDisagrees(
                    block, delimiter: plan.reading.dialect.delimiter, quote: plan.reading.dialect.quote ?? 0x22,
                    lineTerminator: plan.reading.dialect.lineTerminator)
            {
                result.disagreement = block.finding(.readersDisagree, outcome: .quarantined, at: row)
            }
            isFirst = false
            result.remarks.merge(block.remarks)
            let validated = plan.validator.validate(block)
            result.profile.add(validated, plan.reader, order: draw.order, bounds: bounds)
            result.add(validated, plan.options)
        }
        precondition(rows == slice.rowCount, "the slicer and the scanner count rows alike")
        return result
    }

    /// Samples all rows again, without the expected bounds. It is needed when those were too low: the first rows were
    /// unlike the others, or few rows keep the contract.
    ///
    /// - Parameters:
    ///   - source: its files.
    ///   - text: its slices.
    ///   - draws: the draw of each slice in the first pass.
    ///   - runner: runs the pass.
    /// - Returns: a profile whose samples alone are valid.
    func resample(
        _ source: SourceFiles, text: SourceText, draws: [SliceDraw?], runner: any SliceRunner
    ) async throws(IngestionError) -> Profile {
        var profile = Profile(plan.reader, keyRules: 0)
        let bounds = SharedBounds(Profile.Bounds())
        let replayer = try SliceReplayer(source, text, plan.reading.coding)
        try await runner.run(
            next: { () throws(IngestionError) in try replayer.next() },
            work: { slice throws(IngestionError) in
                var part = try survey(slice, bounds: bounds.value, draw: draws[slice.ordinal]).profile
                part.keys = []
                return part
            },
            take: { part in
                profile.merge(part)
                bounds.lower(to: profile.bounds)
            })
        return profile
    }
}

extension SliceSurvey {
    /// Adds what validation found in a block.
    fileprivate mutating func add(_ validated: ValidatedBlock, _ options: BatchOptions) {
        isValid.append(validated.isValid)
        hasDetection.append(validated.hasDetection)
        hasHiddenText.append(validated.hasHiddenText)
        evidence.merge(validated.evidence)
        if detections.count < options.detectionsListed {
            detections += DetectionPlace.all(validated).prefix(options.detectionsListed - detections.count)
        }
        if options.mode == .validate, listed.count < options.listed {
            listed += validated.findings.prefix(options.listed - listed.count)
        }
    }
}

extension Decision {
    /// The rows of a block that break a key rule, as pairs of key rule and row within the block.
    func repeats(in batch: RowBlock) -> [(rule: Int, row: Int)] {
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
