import Cryptography
package import Lineage
import Reading
import Schemas
package import Screening
import Sealing
import Storage
package import Tabular
import Validating

/// A judged batch by its record and kept decision, and the result of replaying it where its source is available.
package struct Replay: Sendable {
    /// The batch's `batch.received` and `batch.judged` entries.
    package var received: LedgerEntry, judged: LedgerEntry
    /// Names of the contract's fields; empty when the decision keeps no contract.
    package var fields: [String] = []
    /// The kept decision; nil when the batch was never decided.
    package var decision: Decision?
    /// The recorded outcome of every row.
    package var fates = RowMap()
    /// Rows whose replayed outcome is the recorded one, and the first five that differ.
    package var agreed = 0, differing: [Int] = []
    /// Whether every row was replayed with its recorded outcome.
    package var isSame: Bool { differing.isEmpty && agreed == fates.rowCount }
    /// Whether the source was available and replayed.
    package var isReplayed = false
    /// For the requested row: its findings, and its scores with their thresholds.
    package var findings: [Finding] = [], scores: [LineScore] = []
    /// For a row of a batch that cannot be replayed: findings from its quarantine shard, with code, field, statistic
    /// and threshold.
    package var sealedFindings: JSONValue?
    /// Where the requested row stood, in a batch of several files: the file's number from 1, how many there are, and
    /// the row's number in it.
    package var place: (file: Int, of: Int, row: Int)?
    /// The knowledge of the tests when they judged the batch, if the caller asked for it.
    package var learnt: JSONValue?

    init(received: LedgerEntry, judged: LedgerEntry) {
        self.received = received
        self.judged = judged
    }
}

/// Contract and reading settings as they are kept with a decision, so that a replay needs nothing else.
struct KeptReading: Sendable {
    var schema: Schema
    /// The contract as it was written.
    var contract: JSONValue
    var options: BatchOptions
    /// The names of the file's columns, in their order; nil where an earlier version did not keep them.
    var columns: [String]?

    /// The document that is sealed with the decision.
    static func document(_ batch: BatchIdentity, _ plan: KeptPlan, columns: [String]) -> JSONValue {
        .object([
            "contract": .string(batch.document.text(pretty: false)), "fields": .array(batch.fields.map { .string($0) }),
            "inferred": .bool(plan.isInferred),
            "dialect": .string(plan.dialect.document.text(pretty: false)),
            "encoding": .string(plan.encoding.rawValue), "excluded": .array(plan.excluded.map { .string($0) }),
            "is_list": plan.isList.map { .bool($0) } ?? .null, "engine": .string(plan.engine.rawValue),
            "columns": .array(columns.map { .string($0) }),
        ])
    }

    init(_ document: JSONValue, format: SourceFormat) throws(IngestionError) {
        guard let contract = document["contract"]?.text, let dialect = document["dialect"]?.text else {
            throw IngestionError(.unreadableData, "the kept decision has no contract")
        }
        do throws(SchemaError) {
            let loaded = try Schema.load(whole: contract, name: "kept contract")
            var read = Schema.digested(loaded)
            // A JSON Schema's properties have no order in JSON, so the order of fields is kept beside it.
            let order = document["fields"]?.items?.compactMap(\.text) ?? []
            let fields = order.compactMap { name in read.fields.first { $0.name == name } }
            if fields.count == read.fields.count { read.fields = fields }
            self.contract = loaded.document
            schema = read
            schema.isInferred = document["inferred"]?.flag ?? false
            options = BatchOptions()
            options.dialect = try Dialect.load(Array(dialect.utf8), name: "kept dialect")
        } catch {
            throw IngestionError(.damaged, "the kept contract cannot be read by this version: \(error.description)")
        }
        columns = document["columns"]?.items?.compactMap(\.text)
        options.format = format
        options.encoding = document["encoding"]?.text.flatMap { TextEncoding(name: $0) }
        options.excluded = document["excluded"]?.items?.compactMap(\.text) ?? []
        options.engine = document["engine"]?.text.flatMap { CSVEngine(rawValue: $0) } ?? .structural
        options.isList = document["is_list"]?.flag
        options.jobs = 1
        options.listed = 0
    }
}

extension Schema {
    /// Loads a contract in canonical form, which includes the documents that its JSON Schemas refer to.
    ///
    /// - Parameters:
    ///   - contract: the contract as it is recorded.
    ///   - name: its name in messages.
    ///   - isRecorded: whether a setting that a new contract is refused for is let pass, since the batch was judged without it.
    static func load(
        whole contract: String, name: String, isRecorded: Bool = true
    ) throws(SchemaError) -> LoadedSchema {
        let parsed = try loadDocument(Array(contract.utf8), name: name)
        var others: [String: [UInt8]] = [:]
        for (name, text) in parsed.root["sluice"]?["jsonSchema"]?["documents"]?.members ?? [:] {
            others[name] = text.text.map { Array($0.utf8) }
        }
        return try Schema.load(parsed, documents: others, isRecorded: isRecorded)
    }
}

/// The reading settings of a batch, as far as a replay needs them.
struct KeptPlan: Sendable {
    let isInferred: Bool
    let dialect: Dialect
    let encoding: TextEncoding
    let excluded: [String]
    let isList: Bool?
    let engine: CSVEngine

    init(_ plan: Plan) {
        isInferred = plan.schema.isInferred
        dialect = plan.reading.dialect
        encoding = plan.reading.coding.encoding
        excluded = plan.options.excluded
        isList = plan.reading.coding.isList
        engine = plan.options.engine
    }
}

extension Store {
    /// Explains a batch from its record and, where its source is available, judges it again by the kept decision. A
    /// different outcome is reported, not an error.
    ///
    /// - Parameters:
    ///   - batch: the batch's id.
    ///   - row: a row to explain, from 1; nil for the batch as a whole.
    ///   - file: the original file, which the store does not keep of accepted batches. The source of a held batch is in
    ///     the store.
    /// - Throws: `noInput` for an unknown batch or row, `damaged` when a kept file is not the recorded one.
    package func replay(_ batch: String, row: Int?, file: BatchInput?) throws(IngestionError) -> Replay {
        let log = try proven().log
        let query = LineageQuery(log.ledger)
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let received = entries.first(where: { $0.event == .batchReceived }),
            let judged = entries.first(where: { $0.event == .batchJudged })
        else {
            throw IngestionError(.noInput, "the ledger has no judged batch \(batch); see: sluice lineage log")
        }
        var replay = Replay(received: received, judged: judged)
        replay.fates = try recording { () throws(LedgerError) in try query.rowMap(of: judged) } ?? RowMap()
        if let row, !(1...max(1, replay.fates.rowCount)).contains(row) {
            throw IngestionError(.noInput, "batch \(batch) has no row \(row): it has \(replay.fates.rowCount)")
        }
        let files = entries.flatMap(\.files)
        guard let kept = files.first(where: { $0.role == .decision }) else { return replay }
        let (bytes, report) = try keptLines(kept, batch)
        if let row { replay.place = report.flatMap { Replay.place(ofRow: row, in: $0) } }
        if bytes.isEmpty { return replay }
        guard hex(SHA256.hash(bytes)) == judged.body["decision_sha256"]?.text,
            let document = try? JSONValue.parse(bytes)
        else {
            throw IngestionError(
                .damaged, "\(join(root, kept.path)): it is not the decision that the ledger records for batch \(batch)")
        }
        let format = SourceFormat(rawValue: received.body["format"]?.text ?? "") ?? .csv
        guard let reading = document["reading"] else {
            throw IngestionError(
                .unreadableData,
                "batch \(batch) was judged by an earlier version, which kept no contract with its decision; see: sluice lineage "
                    + "show \(batch)"
            )
        }
        let read = try KeptReading(reading, format: format)
        guard hex(read.schema.digest) == received.body["contract_sha256"]?.text else {
            throw IngestionError(.damaged, "the kept contract of batch \(batch) is not the one that the ledger records")
        }
        replay.fields = read.schema.fields.map(\.name)
        let plan = try plan(read, of: received, batch)
        guard let decision = Decision(document, schema: plan.schema, screened: plan.screened) else {
            throw IngestionError(
                .unreadableData, "the decision of batch \(batch) was kept by another version and cannot be replayed")
        }
        replay.decision = decision
        if let source = try original(of: received, batch: batch, file: file, sealed: files) {
            // A given file is whole. Of a sealed one that lost rows, the others would be compared with other ones.
            if file != nil { replay.fates.erased = nil }
            if replay.fates.erased == nil {
                try replay.run(source, plan: plan, decision: decision, row: row)
            } else if let row, let place = replay.fates.place(ofRow: row) {
                replay.sealedFindings = try sealedFindings(at: place, of: batch, among: files)
            }
        } else if let row, let place = replay.fates.place(ofRow: row) {
            replay.sealedFindings = try sealedFindings(at: place, of: batch, among: files)
        }
        return replay
    }

    /// The batch's source: the given file if its digest is the recorded one, or the sealed source of a held batch; nil
    /// without either.
    private func original(
        of received: LedgerEntry, batch: String, file: BatchInput?, sealed files: [PublishedFile]
    ) throws(IngestionError) -> SourceFiles? {
        if let file {
            let source = try SourceFiles(file)
            guard hex(try source.digest().whole) == received.body["data_hash"]?.text else {
                throw IngestionError(
                    .usage,
                    "\(file.name): it is not the file that batch \(batch) was made from: the record names sha256 "
                        + (received.body["data_hash"]?.text ?? "")
                )
            }
            return source
        }
        return try files.first { $0.role == .source }.map { file throws(IngestionError) in try heldSource(file) }
    }

    /// The sealed source of a held batch, decrypted into a file without a name: it is gone with this process, however that
    /// ends.
    func heldSource(_ file: PublishedFile) throws(IngestionError) -> SourceFiles {
        let opened = try openRecorded(file)
        let ring = try keyRing()
        let reader: MessageReader
        do throws(SealingError) {
            reader = try MessageReader(
                .file(opened), keys: ring, expect: ["batch-id": file.batch, "role": FileRole.source.rawValue])
        } catch { throw refused(error, place(of: file)) }
        return try heldSource(file, reader)
    }

    /// The same of a message that is open already.
    func heldSource(_ file: PublishedFile, _ reader: consuming MessageReader) throws(IngestionError) -> SourceFiles {
        let plain = try storing { () throws(StorageError) in
            try FileDescriptor.unnamed(in: workFolder, calling: "the held source")
        }
        let mediaType = reader.info.context["media-type"]
        var length = 0
        _ = try readShard(reader, path: place(of: file)) { span in
            try plain.append(span, at: length)
            length += span.count
        }
        return try SourceFiles(held: plain, mediaType: mediaType, calling: "batch \(file.batch)")
    }

    /// How a judged batch was read.
    ///
    /// - Throws: `damaged` when it cannot be told.
    func keptPlan(of batch: SearchedBatch) throws(IngestionError) -> Plan {
        let entries = try recording { [log = try proven().log] () throws(LedgerError) in try log.run(batch.batch) }
        guard let received = entries.first(where: { $0.event == .batchReceived }),
            let kept = entries.flatMap(\.files).first(where: { $0.role == .decision }),
            let document = (try? JSONValue.parse(try keptLines(kept, batch.batch).decision))?["reading"]
        else {
            throw IngestionError(
                .damaged,
                "batch \(batch.batch): how its file was read is not kept any more, so no row can be taken out of it")
        }
        let format = SourceFormat(rawValue: received.body["format"]?.text ?? "") ?? .csv
        return try plan(KeptReading(document, format: format), of: received, batch.batch)
    }

    private func plan(_ read: KeptReading, of received: LedgerEntry, _ batch: String) throws(IngestionError) -> Plan {
        guard let format = read.options.format else { preconditionFailure("a kept reading has a format") }
        return try Plan(
            BatchRequest(
                BatchInput(file: "batch \(batch)"), schema: read.schema, contract: read.contract,
                dataset: received.body["dataset"]?.text ?? "", source: received.body["source"]?.text ?? "",
                options: read.options), format: format, secrets: BatchSecrets(of: self))
    }

    /// The findings that the quarantine shard states for a row.
    private func sealedFindings(
        at place: RowMap.Place, of batch: String, among files: [PublishedFile]
    ) throws(IngestionError) -> JSONValue? {
        guard !place.isErased, place.fate.outcome?.isReleased == false, let shard = place.fate.shard,
            let file = files.first(where: { $0.role == .quarantine && $0.body["shard"]?.whole == Int64(shard) })
        else { return nil }
        var (line, number): ([UInt8], Int) = ([], 1)
        try readRecorded(file, keys: try keyRing(), expect: ["batch-id": batch, "role": FileRole.quarantine.rawValue]) {
            span in
            for at in span.indices {
                if number == place.row, span[at] != 0x0A { line.append(span[at]) }
                if span[at] == 0x0A { number += 1 }
            }
        }
        return (try? JSONValue.parse(line))?["findings"]
    }
}

extension Replay {
    /// Where a row stood, by the kept report; nil for a batch of one file.
    fileprivate static func place(ofRow row: Int, in report: JSONValue) -> (file: Int, of: Int, row: Int)? {
        let files = report["files"]?.items ?? []
        for (place, file) in files.enumerated() {
            guard let first = file["firstRow"]?.whole, let rows = file["rows"]?.whole else { continue }
            if Int64(row) >= first, Int64(row) < first + rows { return (place + 1, files.count, row - Int(first) + 1) }
        }
        return nil
    }

    /// Judges the source by the kept decision and counts the rows with their recorded outcome.
    ///
    /// - Parameters:
    ///   - source: the batch's file.
    ///   - plan: how it was read and judged.
    ///   - decision: the kept decision.
    ///   - row: the row whose findings and scores are wanted.
    fileprivate mutating func run(
        _ source: SourceFiles, plan: Plan, decision: Decision, row: Int?
    ) throws(IngestionError) {
        guard let plan = try plan.corrected(by: source) else { return }
        let cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: plan.options.sliceBytes)
        guard let layout = cutter.head.layout else { return }
        isReplayed = true
        let work = SliceWork(plan: plan, layout: layout)
        let screener = Screener(decision, plan.reader, actions: plan.actions)
        var recorded = fates.runs[...]
        var rest = recorded.first?.count ?? 0
        while let slice = try cutter.next() {
            var blocks = work.blocks(of: slice)
            while let block = blocks.next() {
                let checked = plan.validator.validate(block)
                let validated = plan.validator.replay(
                    block, known: .init(isValid: checked.isValid), repeats: decision.repeats(in: block))
                let screened = screener.screen(validated)
                for (index, outcome) in screened.outcomes.enumerated() {
                    while rest == 0, !recorded.isEmpty {
                        recorded.removeFirst()
                        rest = recorded.first?.count ?? 0
                    }
                    rest -= 1
                    let number = block.firstRow + index
                    // A row of a held batch without a finding of its own is recorded as held with the batch.
                    if let fate = recorded.first?.fate, fate.outcome.map({ $0 == outcome }) ?? outcome.isReleased {
                        agreed += 1
                    } else if differing.count < 5 {
                        differing.append(number)
                    }
                    guard number == row else { continue }
                    findings = screened.findings.filter { $0.row == number }
                    scores = screener.scores(validated, row: index)
                }
            }
        }
    }
}

extension Plan {
    /// The plan with the corrections of a first look at all rows, as in the pipeline; nil when the header does not fit.
    fileprivate func corrected(by source: SourceFiles) throws(IngestionError) -> Plan? {
        let cutter = try SliceCutter(source, plan: reading, sliceBytes: options.sliceBytes)
        guard let layout = cutter.head.layout else { return nil }
        let work = SliceWork(plan: self, layout: layout)
        var evidence = ColumnEvidence()
        while let slice = try cutter.next() {
            var blocks = work.blocks(of: slice)
            while let block = blocks.next() { evidence.merge(validator.validate(block).evidence) }
        }
        return correcting(Corrections(evidence, layout, self).passed)
    }
}
