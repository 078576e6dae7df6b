import Cryptography
import Lineage
import Reading
import Schemas
import Sealing
import Storage
import Tabular

extension RowList {
    /// The rows of this list whose places have an outcome that holds them back; nil for none.
    func withheld(_ fates: RowMap) -> RowList? {
        var found: [ClosedRange<Int>] = []
        var numbers = ranges.lazy.flatMap { $0 }.makeIterator()
        for run in fates.runs {
            for _ in 0..<run.count {
                guard let row = numbers.next() else { break }
                if run.fate.outcome.map({ $0 >= .quarantined }) ?? false { found.append(row...row) }
            }
        }
        return RowList(found)
    }
}

extension Pipeline {
    /// Releases rows that statistics held back from an accepted batch. They go through the whole gate again, as a batch
    /// of their own.
    ///
    /// - Throws: `usage` for rows that were not held back, that the contract rejected, or that were released before.
    func release(
        _ rows: RowList, _ request: ReleaseRequest, options asked: BatchOptions
    ) async throws(IngestionError) -> Release {
        guard let recorder else { preconditionFailure("a release is recorded") }
        let (batch, store) = (request.batch, recorder.store)
        try requireTellable(request.reason)
        guard rows.text.utf8.count <= RowList.textMax else {
            throw IngestionError(
                .usage, "the list of rows is longer than the ledger records; release them in several parts")
        }
        guard request.newLevels.isEmpty else {
            throw IngestionError(
                .usage,
                "--accept-level goes with a held batch: rows that were held back from an accepted one set no level")
        }
        let entries = try recording { () throws(LedgerError) in try recorder.record.run(batch) }
        let erasures = try store.proven().state.erasedRows[batch]?.count ?? 0
        let received = try store.requireRows(rows, of: batch, entries)
        let dataset = received["dataset"]?.text ?? ""
        let reading = try store.reading(of: batch, entries, received)
        var (schema, document) = try store.contract(
            request.contract, ofBatch: batch, dataset: dataset, judgedBy: reading)
        if schema.foreignKeys.contains(where: { if case .itself = $0.source { true } else { false } }) {
            throw IngestionError(
                .usage,
                "the contract refers to other rows of the same file, which single rows do not have with them; correct the file and "
                    + "give it again: sluice ingest FILE --supersede \(batch)")
        }
        // The limit is for whole files, and this one had enough rows.
        schema.batch.minRows = 0
        var options = asked.releasing(in: store, format: reading.options.format, reading: reading)
        (options.encoding, options.isList) = (.utf8, false)
        let header = options.takeHeader(of: reading)
        options.waiver = Waiver(
            held: batch, rows: rows, reason: request.reason,
            waivers: try Self.waivers(request.waived, of: schema), newLevels: [],
            nameHash: bytes(hex: received["source_name_hash"]?.text ?? "") ?? [],
            source: try store.withheld(rows, of: batch, entries.flatMap(\.files), header: header),
            sidecars: Sidecars(), erasures: erasures)
        let approved = try approve(request)
        if approved.missing > 0 { return .approved(missing: approved.missing) }
        options.waiver?.approvals = approved.entries
        let report = try await run(
            BatchRequest(
                BatchInput(file: "rows of batch \(batch)"), schema: schema, contract: document, dataset: dataset,
                source: received["source"]?.text ?? "", options: options))
        return report.status == .duplicate ? .earlier(report.duplicateOf) : .judged(report)
    }
}

extension Store {
    /// The entry `batch.received` of an accepted batch none of whose rows in the list was released before.
    fileprivate func requireRows(
        _ rows: RowList, of batch: String, _ entries: [LedgerEntry]
    ) throws(IngestionError) -> JSONValue {
        guard let received = entries.first(where: { $0.event == .batchReceived })?.body,
            let judged = entries.first(where: { $0.event == .batchJudged })?.body
        else { throw IngestionError(.usage, "the ledger has no batch \(batch); see: sluice lineage log") }
        guard judged["verdict"]?.text == "accepted" else {
            throw IngestionError(
                .usage,
                "batch \(batch) was not accepted, so its rows are decided about together; see: sluice review show \(batch)"
            )
        }
        try proven().state.requireReleasable(rows, of: batch)
        return received
    }

    /// How a batch was read.
    ///
    /// - Throws: `unreadableData` where an earlier version did not keep it.
    fileprivate func reading(
        of batch: String, _ entries: [LedgerEntry], _ received: JSONValue
    ) throws(IngestionError) -> KeptReading {
        let format = SourceFormat(rawValue: received["format"]?.text ?? "") ?? .csv
        if let file = entries.flatMap(\.files).first(where: { $0.role == .decision }) {
            // A missing key or a damaged file is an error of its own.
            let decision = try keptLines(file, batch).decision
            if let document = (try? JSONValue.parse(decision))?["reading"] {
                let reading = try KeptReading(document, format: format)
                if reading.columns != nil { return reading }
            }
        }
        throw IngestionError(
            .unreadableData,
            "batch \(batch) was judged by an earlier version, which did not keep how it was read; give the whole file again: "
                + "sluice ingest FILE --supersede \(batch)")
    }

    /// The rows as a file without a name, from the sealed shards of the rows that were held back.
    fileprivate func withheld(
        _ rows: RowList, of batch: String, _ files: [PublishedFile], header: RowHeader
    ) throws(IngestionError) -> SourceFiles {
        let plain = try storing { () throws(StorageError) in
            try FileDescriptor.unnamed(in: workFolder, calling: "rows that were held back")
        }
        try storing { () throws(StorageError) in try plain.append(header.bytes.span, at: 0) }
        var length = header.bytes.count
        var found = 0
        var expected = rows.ranges.first?.lowerBound
        let ring = try keyRing()
        for file in files where file.role == .quarantine {
            var line: [UInt8] = []
            // These rows are likely to contain personal data.
            defer { wipe(&line) }
            try readRecorded(file, keys: ring, expect: ["batch-id": batch, "role": FileRole.quarantine.rawValue]) {
                span in
                for at in span.indices {
                    guard span[at] == 0x0A else {
                        line.append(span[at])
                        continue
                    }
                    if let row = try WithheldRow(line, in: rows, of: batch, lineEnd: header.lineEnd) {
                        if row.number == expected { expected = rows.next(after: row.number) }
                        try plain.append(row.record.span, at: length)
                        length += row.record.count
                        found += 1
                    }
                    line.removeAll(keepingCapacity: true)
                }
            }
        }
        guard found == rows.count else {
            throw IngestionError(
                .usage,
                "row \(expected ?? 0) of batch \(batch) was not held back; the rows that were: sluice review show \(batch)"
            )
        }
        return SourceFiles(try InputFile(plain, calling: "rows of batch \(batch)"))
    }
}

extension ProvenState {
    /// The rows that were erased from the files of a batch: one list for each erasure.
    ///
    /// - Throws: `damaged` for a list that this version cannot read: as no list, the erasure would be overlooked.
    func erasures(of batch: String) throws(IngestionError) -> [RowList] {
        try (erasedRows[batch] ?? []).map { text throws(IngestionError) in
            if let list = RowList(recorded: text) { return list }
            throw IngestionError(
                .damaged,
                "an erasure of batch \(batch) lists rows that this version cannot read; see: sluice lineage show \(batch)"
            )
        }
    }

    /// Throws when rows of a batch cannot be released: it was replaced, or one of them was released before.
    func requireReleasable(_ rows: RowList, of batch: String) throws(IngestionError) {
        if let other = superseded[batch] {
            throw IngestionError(.usage, "batch \(batch) was replaced by batch \(other): release that one's rows")
        }
        for erased in try erasures(of: batch) {
            if let shared = rows.firstShared(with: erased) {
                throw IngestionError(
                    .usage, "row \(shared) of batch \(batch) was erased; see: sluice lineage log --kind shard.rewritten"
                )
            }
        }
        for earlier in releasedRows[batch] ?? [] {
            if let shared = RowList(earlier.rows).flatMap({ rows.firstShared(with: $0) }) {
                throw IngestionError(
                    .usage, "row \(shared) of batch \(batch) was released before, as batch \(earlier.batch)")
            }
        }
    }
}

extension RowList {
    /// The row after one of the list; nil after the last.
    fileprivate func next(after row: Int) -> Int? {
        ranges.lazy.filter { $0.upperBound > row }.map { max($0.lowerBound, row + 1) }.first
    }
}

/// What stands before rows that are a file of their own.
private struct RowHeader {
    var bytes: [UInt8] = []
    var lineEnd: UInt8 = 0x0A
}

extension BatchOptions {
    /// Sets the dialect of rows that are a file of their own, with one header row at most.
    ///
    /// - Returns: that row, in the dialect of the rows.
    fileprivate mutating func takeHeader(of reading: KeptReading) -> RowHeader {
        guard var own = dialect else { return RowHeader() }
        own.property = []
        own.commentRows = []
        defer { dialect = own }
        var header = RowHeader(lineEnd: format == .csv ? own.lineTerminator ?? 0x0A : 0x0A)
        let names = reading.columns ?? []
        if format == .jsonl {
            guard own.hasArrayItems else { return header }
            own.headerRows = []
            own.itemKeys = names
            return header
        }
        if own.headerRows.isEmpty { return header }
        own.headerRows = [1]
        for (place, name) in names.enumerated() {
            if place > 0 { header.bytes.append(own.delimiter) }
            header.bytes += own.written(name)
        }
        header.bytes.append(header.lineEnd)
        return header
    }
}

extension Dialect {
    /// A name as a cell: between quotes where it needs them and the dialect has them, as files are mostly written.
    fileprivate func written(_ name: String) -> [UInt8] {
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                let signs = [delimiter, quote, escape, lineTerminator, comment].compactMap(\.self)
                return byte > 0x20 && !signs.contains(byte)
            }
        if isPlain { return Array(name.utf8) }
        var out: [UInt8] = []
        if let quote { out.append(quote) }
        for byte in name.utf8 {
            let isQuote = byte == quote
            let isSign = isQuote || byte == escape || quote == nil && byte == delimiter
            if isQuote, doubleQuote { out.append(byte) } else if isSign, let escape { out.append(escape) }
            out.append(byte)
        }
        if let quote { out.append(quote) }
        return out
    }
}

/// A row that was held back, as its shard has it.
private struct WithheldRow {
    let number: Int
    /// The row's bytes, with a line end.
    let record: [UInt8]

    /// Reads a line of a quarantine shard; nil for a row that is not asked for.
    ///
    /// - Throws: `usage` for a row that the contract rejected.
    init?(_ line: [UInt8], in rows: RowList, of batch: String, lineEnd: UInt8) throws(IngestionError) {
        guard let document = try? JSONValue.parse(line), let row = document["row"]?.whole else {
            throw IngestionError(.damaged, "a shard of batch \(batch) has a line that is no row")
        }
        guard rows.contains(Int(row)) else { return nil }
        guard document["outcome"]?.text == Outcome.quarantined.name,
            let raw = document["raw"]?.text.flatMap({ bytes(base64: $0) }), document["truncated_from"] == nil
        else {
            throw IngestionError(
                .usage,
                "row \(row) of batch \(batch) was rejected, by the contract or for a credential: that is never waived; see: "
                    + "sluice lineage explain \(batch):\(row)"
            )
        }
        number = Int(row)
        record = raw.last == lineEnd ? raw : raw + [lineEnd]
    }
}

extension Store {
    /// What became of rows that a person released, for an explanation of a batch or of one of its rows.
    package func releases(of batch: String, row: Int?) throws(IngestionError) -> [String] {
        let (log, state) = try proven()
        let parts = (state.releasedRows[batch] ?? []).filter { part in
            row.map { RowList(part.rows)?.contains($0) ?? false } ?? true
        }
        var lines = parts.map { "rows \($0.rows) were released as batch \($0.batch)" }
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        if let body = entries.first(where: { $0.event == .batchReleased })?.body, let rows = body["rows"]?.text {
            let held = body["held"]?.text ?? ""
            lines.append("its source is rows \(rows) of batch \(held), in this order; they are sealed there")
        }
        return lines
    }
}
