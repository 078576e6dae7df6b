import Cryptography
package import Lineage
import Sealing
import Storage
import Tabular

/// Rows that a person looks at to decide about them.
extension Recorder {
    /// A row as it came.
    package struct ShownRow: Sendable {
        /// Its number in the source, from 1.
        package let number: Int
        /// Its bytes, without a line end; nil where they were not kept or were erased. A longer row is cut.
        package let bytes: [UInt8]?
        /// Bytes of the whole row.
        package let length: Int
    }

    /// Most rows that are shown at once: whoever needs more opens the file.
    package static var shownMax: Int { 20 }

    /// The bytes of rows that are held, or held back. The ledger records the access before anything is read.
    ///
    /// - Parameters:
    ///   - rows: their numbers in the source, at most `shownMax`.
    ///   - batch: the batch.
    ///   - reason: why; the ledger records it.
    /// - Throws: `usage` for too many rows, rows that were accepted, or a reason that holds personal data.
    package func showRows(_ rows: RowList, of batch: String, reason: String) throws(IngestionError) -> [ShownRow] {
        try requireTellable(reason)
        guard rows.count <= Self.shownMax else {
            throw IngestionError(
                .usage,
                "at most \(Self.shownMax) rows are shown at once; to open all of them: sluice shard cat FILE --reason TEXT"
            )
        }
        let searched = try heldRows(rows, of: batch)
        let files = searched.files.filter { !searched.rows(in: $0).isEmpty }
        var opened: [Store.Admitted] = []
        for file in files { opened.append(try store.admit(store.place(of: file))) }
        if !opened.isEmpty { try recordOpening(opened.map(\.record), rows: rows, reason: reason) }
        var found: [Int: [UInt8]] = [:]
        for file in files {
            let wanted = Dictionary(
                searched.rows(in: file).map { ($0.place, $0.row) }, uniquingKeysWith: { one, _ in one })
            let rows =
                file.role == .source
                ? try sourceRows(wanted, of: searched, in: file) : try withheldRows(rows, in: file)
            found.merge(rows) { one, _ in one }
        }
        return rows.ranges.flatMap { $0 }.map { number in
            let whole = found[number]
            return ShownRow(
                number: number, bytes: whole.map { Array($0.prefix(Self.shownBytesMax)) }, length: whole?.count ?? 0)
        }
    }

    /// Rows of a held source, by their numbers; `wanted` gives the number of the row at a place in the file.
    private func sourceRows(
        _ wanted: [Int: Int], of batch: SearchedBatch, in file: PublishedFile
    ) throws(IngestionError) -> [Int: [UInt8]] {
        let plan = try store.keptPlan(of: batch)
        let held = try HeldRows(try store.heldSource(file), plan, in: store.workFolder) { wanted[$0] != nil }
        var found: [Int: [UInt8]] = [:]
        for (place, file, range) in held.rows {
            guard let row = wanted[place] else { continue }
            var bytes: [UInt8] = []
            _ = try file.read(upTo: range.count, at: range.lowerBound, into: &bytes)
            while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
            found[row] = bytes
        }
        return found
    }

    /// Rows that were held back, by their numbers.
    private func withheldRows(_ rows: RowList, in file: PublishedFile) throws(IngestionError) -> [Int: [UInt8]] {
        var found: [Int: [UInt8]] = [:]
        try store.forEachLine(of: file, store.keyRing()) { line in
            guard let row = quarantinedRow(line), rows.contains(row) else { return }
            found[row] = (try? JSONValue.parse(line))?["raw"]?.text.flatMap { bytes(base64: $0) }
        }
        return found
    }

    /// Most bytes of a row that are shown.
    private static var shownBytesMax: Int { 1 << 16 }

    /// The files that have rows of a batch that were not accepted: the source of a held batch, else the held back rows.
    private func heldRows(_ rows: RowList, of batch: String) throws(IngestionError) -> SearchedBatch {
        let run = try recording { () throws(LedgerError) in try record.run(batch) }
        guard let judged = run.first(where: { $0.event == .batchJudged }) else {
            throw IngestionError(.usage, "the ledger has no judged batch \(batch); see: sluice review list")
        }
        guard var map = try recording({ () throws(LedgerError) in try LineageQuery(ledger).rowMap(of: judged) }) else {
            throw IngestionError(
                .usage, "batch \(batch) has no rows that could be told apart; see: sluice review show \(batch)")
        }
        map.erased = RowList.union(try store.proven().state.erasures(of: batch))
        for (row, place) in map.places(of: rows) where place.fate.outcome?.isReleased ?? false {
            throw IngestionError(
                .usage,
                "row \(row) of batch \(batch) was accepted, and is in a shard: sluice shard cat FILE --reason TEXT")
        }
        if let last = rows.ranges.last?.upperBound, last > map.rowCount {
            throw IngestionError(.usage, "batch \(batch) has no row \(last): it has \(map.rowCount)")
        }
        var files: [PublishedFile] = []
        for file in run.flatMap(\.files) where file.role == .source || file.role == .quarantine {
            let standing = try recording { () throws(LedgerError) in try record.standing(of: file) }
            if let now = standing.file { files.append(now) }
        }
        // A held file has all rows.
        if let source = files.first(where: { $0.role == .source }) { files = [source] }
        if files.isEmpty {
            throw IngestionError(
                .usage, "the rows of batch \(batch) are not kept any more; see: sluice lineage show \(batch)")
        }
        var searched = SearchedBatch(batch, files: files, judged: judged, map: map)
        searched.rows = rows
        return searched
    }
}
