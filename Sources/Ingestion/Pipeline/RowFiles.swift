import Reading
import Screening
import Storage
import Tabular
import Validating

/// The two files that `validate` writes on request: passing rows and failing rows, byte for byte as in the source.
struct RowFiles {
    private let passing: RowFile?
    private let failing: RowFile?

    /// Begins the requested files; nil when none is requested. They get their names only in `finish`.
    init?(_ options: BatchOptions) throws(IngestionError) {
        guard options.validRows != nil || options.invalidRows != nil else { return nil }
        passing = try options.validRows.map { (path) throws(IngestionError) in try RowFile(path) }
        failing = try options.invalidRows.map { (path) throws(IngestionError) in try RowFile(path) }
    }

    /// Reads the source again and writes its rows. A row past the row limit is in neither file, since it was never read
    /// whole.
    func write(_ decided: DecidedBatch) throws(IngestionError) {
        let (survey, plan) = (decided.survey, decided.plan)
        guard let layout = survey.head.layout else { return }
        let work = SliceWork(plan: plan, layout: layout)
        passing?.add(layout.header.span, 0..<layout.header.count)
        failing?.add(layout.header.span, 0..<layout.header.count)
        let isCRLF = layout.header.suffix(2) == [0x0D, 0x0A]
        let end: [UInt8] = plan.reading.dialect.lineTerminator.map { [$0] } ?? (isCRLF ? [0x0D, 0x0A] : [0x0A])
        let replayer = try SliceReplayer(decided.opened.source, survey.text, plan.reading.coding)
        while let slice = try replayer.next() {
            if slice.isOverlong { continue }
            var blocks = work.blocks(of: slice)
            var row = 0
            while let batch = blocks.next() {
                let known = survey.recall(slice.ordinal).known(from: row, count: batch.count)
                row += batch.count
                let checked = plan.validator.replay(batch, known: known, repeats: decided.decision.repeats(in: batch))
                var passes = checked.isValid
                for finding in checked.findings where finding.outcome >= .quarantined {
                    passes[batch.index(of: finding)] = false
                }
                let bytes = batch.bytes.span
                for index in 0..<batch.count {
                    var range = Int(batch.records[index].start)..<Int(batch.records[index].end)
                    // White space around an item of a list is not part of the row.
                    if layout.format == .jsonl {
                        while let first = range.first, bytes[first] <= 0x20 { range = range.dropFirst() }
                        while let last = range.last, bytes[last] <= 0x20 { range = range.dropLast() }
                    }
                    if passes[index] { passing?.add(bytes, range, end) } else { failing?.add(bytes, range, end) }
                }
                try passing?.flush()
                try failing?.flush()
            }
        }
    }

    /// Gives the files their names.
    func finish() throws(IngestionError) {
        try passing?.finish()
        try failing?.finish()
    }
}

/// One row file, staged until it is complete.
private final class RowFile {
    private var file: StagedFile?
    private let name: String
    private var waiting: [UInt8] = []

    init(_ path: String) throws(IngestionError) {
        if exists(path) {
            throw IngestionError(.cannotCreate, "\(path): it exists already; remove it, or choose another name")
        }
        let (folder, name) = split(path)
        self.name = name
        do throws(StorageError) { file = try StagedFile(in: folder.isEmpty ? "." : folder, name: name) } catch {
            let why =
                error.code == .alreadyExists
                ? "another process or the other option is writing it" : error.cause
            throw IngestionError(.cannotCreate, "\(path): it cannot be made: \(why)")
        }
    }

    func add(_ bytes: Span<UInt8>, _ range: Range<Int>, _ end: [UInt8] = []) {
        for at in range { waiting.append(bytes[at]) }
        waiting += end
    }

    func flush() throws(IngestionError) {
        let bytes = waiting
        do throws(StorageError) { try file?.write(bytes.span) } catch { throw IngestionError(error) }
        waiting.removeAll(keepingCapacity: true)
    }

    func finish() throws(IngestionError) {
        try flush()
        do throws(StorageError) { try file.take()?.commit(as: name) } catch { throw IngestionError(error) }
    }
}
