import Cryptography
import Lineage
import Reading
import Screening
import Sealing
import Storage
import Tabular

/// Finds and erases the rows of one subject.
extension Recorder {
    /// Finds the rows of a subject, and records that somebody looked for them.
    ///
    /// - Parameters:
    ///   - name: the subject.
    ///   - dataset: only this dataset; nil for all.
    package func findSubject(_ name: SubjectName, dataset: String?) throws(IngestionError) -> SubjectReport {
        let report = try store.search(name, in: searchedFiles(of: dataset)).report
        var entry: [String: JSONValue] = [
            "kind": .event(.subjectSearched), "v": .integer(1), "time": .string(Clock.text()),
            "subject": .string(report.subject), "batches": .integer(Int64(report.batches.count)),
            "rows": .integer(Int64(report.rowCount)), "uid": .integer(Int64(userNumber())),
        ]
        if let dataset { entry["dataset"] = .string(dataset) }
        try append([.object(entry)])
        return report
    }

    /// The result of an erasure.
    package struct Erased: Sendable, Equatable {
        /// The subject's name in the ledger.
        package internal(set) var subject = ""
        /// Files, bytes and batches that were written anew, what waits, and what could not be read.
        package internal(set) var replaced = Replaced()
        /// Rows that were erased.
        package internal(set) var rows = 0
        /// The entry `subject.erased`; nil as long as something waits or could not be read.
        package internal(set) var entry: Int?
        /// Recipients that the new files are not sealed for, since `sluice.yaml` does not name them any more.
        package internal(set) var dropped: Set<String> = []
        /// What was not searched: batches without an index and files set aside, by dataset, and rows.
        package internal(set) var report = SubjectReport()
    }

    /// Erases the rows of a subject from accepted shards, held back rows, held sources, assertions and indexes. An
    /// interrupted erasure is taken up by the same call.
    ///
    /// - Parameters:
    ///   - name: the subject.
    ///   - dataset: only this dataset; nil for all.
    ///   - reason: why; the ledger records it.
    /// - Throws: `usage` for a reason that holds personal data; `tryAgain` while a backup or another change of published
    ///   files runs.
    package func eraseSubject(
        _ name: SubjectName, dataset: String?, reason: String
    ) async throws(IngestionError) -> Erased {
        try requireTellable(reason)
        try name.requireAbsent(from: reason)
        let lock = try lockMaintenance()
        var erased = Erased()
        while true {
            let size = try store.proven().state.size
            let (report, batches) = try store.search(name, in: searchedFiles(of: dataset))
            (erased.subject, erased.report) = (report.subject, report)
            if batches.isEmpty {
                guard report.failures.isEmpty else { break }
                erased.entry = try recordErasure(report, dataset: dataset, reason: reason, through: size)
                break
            }
            let (done, rows, dropped) = try await erase(batches, subject: report.subject, reason: reason)
            erased.dropped.formUnion(dropped)
            erased.replaced.add(done)
            erased.rows += rows
            if done.waiting > 0 || !done.failures.isEmpty || done.files == 0 { break }
        }
        _ = consume lock
        return erased
    }

    /// The files of each batch that an erasure is about.
    private func searchedFiles(of dataset: String?) throws(IngestionError) -> [[PublishedFile]] {
        let roles: Set<FileRole?> = [.accepted, .quarantine, .source, .claims, .subjects, .subjectKeys]
        let state = try store.proven().state
        // What nobody can open any more is erased already.
        return try presentFiles(of: dataset) { roles.contains($0.role) && state.destruction(of: $0.recipients) == nil }
    }

    /// Erases the rows that a search found. Of many rows of one batch only as many as an entry can list.
    private func erase(
        _ found: [SearchedBatch], subject: String, reason: String
    ) async throws(IngestionError) -> (done: Replaced, rows: Int, dropped: Set<String>) {
        let batches = found.map { batch in
            var part = batch
            part.rows = batch.rows?.beginning()
            return part
        }
        let ring = try store.keyRing()
        let sealers = try RecipientBook(batches.flatMap(\.files), store)
        try enroll(sealers.used)
        let listed = Dictionary(
            batches.map { ($0.batch, $0.kept?.text ?? "") }, uniquingKeysWith: { first, _ in first })
        let known = Dictionary(batches.map { ($0.batch, $0) }, uniquingKeysWith: { first, _ in first })
        let uid = Int64(userNumber())
        let replacement = Replacement(
            jobs: 2, isWhole: true,
            make: { file, folder, name throws(IngestionError) in
                guard let batch = known[file.batch] else { return nil }
                let rewriting = Rewriting(
                    file: file, batch: batch, store: store, ring: ring, recipients: try sealers.keys(of: file),
                    folder: folder, name: name)
                return try rewriting.run()
            },
            describe: { batch in
                [
                    "kind": .event(.shardRewritten), "subject": .string(subject), "reason": .string(reason),
                    "rows": .string(listed[batch] ?? ""), "uid": .integer(uid),
                ]
            })
        let before = try store.proven().state.erasedRows
        let done = try await replace(batches.map(\.files), by: replacement)
        let after = try store.proven().state.erasedRows
        let rows = batches.filter { before[$0.batch] != after[$0.batch] }.reduce(0) { $0 + ($1.kept?.count ?? 0) }
        return (done, rows, sealers.dropped)
    }

    /// `subject.erased`: what was erased since the subject was erased before, and what was not searched.
    private func recordErasure(
        _ report: SubjectReport, dataset: String?, reason: String, through size: Int
    ) throws(IngestionError) -> Int {
        let (rewritten, earlier) = try recording { () throws(LedgerError) in
            try record.rewritings(ofSubject: report.subject, before: size)
        }
        guard let total = ErasureTotals(rewritten.map(\.body)) else {
            throw IngestionError(
                .damaged, "an entry shard.rewritten lists rows that this version cannot read; run sluice lineage verify"
            )
        }
        var entry: [String: JSONValue] = [
            "kind": .event(.subjectErased), "v": .integer(1), "time": .string(Clock.text()),
            "subject": .string(report.subject), "reason": .string(reason), "uid": .integer(Int64(userNumber())),
            "through": .integer(Int64(size)), "entries": .integer(Int64(rewritten.count)),
            "batches": .integer(Int64(total.batches)), "rows": .integer(Int64(total.rows)),
            "files": .integer(Int64(total.files)), "not_searched": .object(report.unsearched),
        ]
        if let earlier { entry["after"] = .integer(Int64(earlier)) }
        if let dataset { entry["dataset"] = .string(dataset) }
        return try append(LedgerChange(entries: [.object(entry)])).firstSequence
    }
}

extension SubjectName {
    /// Refuses a reason that names the subject: the ledger would keep it for good.
    fileprivate func requireAbsent(from reason: String) throws(IngestionError) {
        let text =
            switch self {
            case .value(let text), .token(let text): text.lowercased()
            }
        // As a word: a subject 2 may be erased for a request of 2026.
        if !text.isEmpty, Array(reason.lowercased().utf8).contains(word: Array(text.utf8)) {
            throw IngestionError(
                .usage, "--reason: it names the subject, which the ledger would keep: give a ticket or a case number")
        }
    }
}

extension Recorder.Replaced {
    /// Adds the result of another run.
    fileprivate mutating func add(_ other: Recorder.Replaced) {
        files += other.files
        bytes += other.bytes
        batches += other.batches
        waiting = other.waiting
        failures = other.failures
    }
}

extension RowList {
    /// As many of the first rows as one entry can list.
    fileprivate func beginning() -> RowList? {
        if text.utf8.count <= Self.textMax { return self }
        var (room, count) = (Self.textMax, 0)
        for range in ranges {
            room -= "\(range.lowerBound)-\(range.upperBound),".utf8.count
            if room < 0 { break }
            count += 1
        }
        return RowList(Array(ranges.prefix(count)))
    }
}

/// The keys that files are sealed for anew.
private struct RecipientBook: Sendable {
    private var sealers: [String: any WrappingKey] = [:]

    /// Recipients that get no new form, since sluice.yaml does not name them any more.
    private(set) var dropped: Set<String> = []

    /// - Throws: `notPermitted` when a key is missing.
    init(_ files: [PublishedFile], _ store: Store) throws(IngestionError) {
        let state = try store.proven().state
        for name in Set(files.flatMap(\.recipients)) {
            // One whose key was destroyed gets no new file.
            if let key = try store.sealer(for: name) {
                sealers[name] = key
            } else if state.shredded[state.newest(name)] == nil {
                dropped.insert(name)
            }
        }
    }

    var used: [UsedKey] { sealers.values.map(UsedKey.init) }

    /// The keys for a file; each once.
    func keys(of file: PublishedFile) throws(IngestionError) -> [any WrappingKey] {
        var found: [any WrappingKey] = []
        for name in file.recipients {
            guard let key = sealers[name], !found.contains(where: { $0.name == key.name }) else { continue }
            found.append(key)
        }
        if found.isEmpty {
            throw IngestionError(.notPermitted, "\(file.path): no key is left to seal it for")
        }
        return found
    }
}

/// Writes one file anew without the rows of a subject.
private struct Rewriting {
    let file: PublishedFile, batch: SearchedBatch
    let store: Store, ring: KeyRing, recipients: [any WrappingKey]
    let folder: OpenFolder, name: FileName

    /// - Returns: nil when the file has none of the rows.
    func run() throws(IngestionError) -> Recorder.NewForm? {
        if file.role == .subjectKeys { return try keys() }
        let rows = batch.rows(in: file)
        if rows.isEmpty { return nil }
        let numbers = Set(rows.map(\.row))
        switch file.role {
        case .accepted: return try accepted(rows)
        case .quarantine: return try quarantine(numbers)
        case .source: return try source(numbers)
        case .claims: return try claims(numbers)
        case .subjects: return try subjects(numbers)
        case .baseline, .provenance, .rows, .subjectKeys, .decision, nil: return nil
        }
    }

    private func accepted(_ rows: [(row: Int, place: Int)]) throws(IngestionError) -> Recorder.NewForm? {
        guard let form = batch.form else { return nil }
        var text = try store.readRecorded(file, keys: ring, expect: expected)
        defer { wipe(&text) }
        let read = try ShardText(text, form, calling: store.place(of: file))
        try require(read.rows.count, rows: "rows")
        let removed = try rows.map { row, place throws(IngestionError) in
            guard place >= 1, place <= read.rows.count else {
                throw IngestionError(.damaged, "\(store.place(of: file)): it has no row \(row) of its batch")
            }
            return read.rows[place - 1].bytes
        }
        return try seal(without: rows.count) { write throws(IngestionError) in try write(text.without(removed).span) }
    }

    private func quarantine(_ rows: Set<Int>) throws(IngestionError) -> Recorder.NewForm? {
        var (found, all) = (0, 0)
        let form = try seal(without: rows.count) { write throws(IngestionError) in
            try store.forEachLine(of: file, ring) { line throws(IngestionError) in
                all += 1
                guard let row = quarantinedRow(line) else {
                    throw IngestionError(.damaged, "\(store.place(of: file)): it has a line that is no row")
                }
                if rows.contains(row) { found += 1 } else { try write((line + [0x0A]).span) }
            }
        }
        guard found == rows.count else {
            throw IngestionError(
                .damaged,
                "\(store.place(of: file)): \(rows.count) of its rows are to be erased, and it has \(found) of them")
        }
        try require(all, rows: "lines")
        return form
    }

    private func source(_ rows: Set<Int>) throws(IngestionError) -> Recorder.NewForm? {
        let sealed = try store.heldSource(file)
        let plan = try store.keptPlan(of: batch)
        let held = try HeldRows(sealed, plan, in: store.workFolder) { number in
            rows.contains(batch.map.source(ofHeldRow: number) ?? 0)
        }
        guard held.rows.count == rows.count else {
            throw IngestionError(
                .damaged,
                "\(store.place(of: file)): \(rows.count) of its rows are to be erased, and it has \(held.rows.count) of them"
            )
        }
        var (digest, size): ([UInt8], Int) = ([], 0)
        var form = try seal(without: rows.count) { write throws(IngestionError) in
            (digest, size) = try held.forEachPiece(write)
        }
        form.members["data_sha256"] = .string(hex(digest))
        form.members["end_offset"] = .integer(Int64(size))
        return form
    }

    private func claims(_ rows: Set<Int>) throws(IngestionError) -> Recorder.NewForm? {
        let bytes = try store.readRecorded(file, keys: ring, expect: expected)
        guard let claims = EarlierAssertions(decoding: bytes, batch: file.batch) else {
            throw IngestionError(
                .damaged, "\(store.place(of: file)): it was written by another version and cannot be read")
        }
        guard let left = claims.removing(rows: rows) else { return nil }
        return try seal(without: 0) { write throws(IngestionError) in try write(left.encoded().span) }
    }

    private func subjects(_ rows: Set<Int>) throws(IngestionError) -> Recorder.NewForm? {
        var isBegun = false
        guard let form = batch.form else { return nil }
        return try seal(without: 0) { write throws(IngestionError) in
            _ = try store.forEachPart(of: file, ring) { part throws(IngestionError) in
                if !isBegun { try write(SubjectIndexReader.beginning(form).span) }
                isBegun = true
                let left = part.removing { rows.contains($0) }
                if !left.isEmpty { try write(left.encoded().span) }
            }
            if !isBegun { try write(SubjectIndexReader.beginning(form).span) }
        }
    }

    /// Without its salt nobody can compute the subject's key, also for values in copies outside the store.
    private func keys() throws(IngestionError) -> Recorder.NewForm? {
        guard !batch.keysOf.isEmpty,
            let left = SubjectKeyring.removing(batch.keysOf, from: try store.salts(in: file, ring))
        else { return nil }
        return try seal(without: 0) { write throws(IngestionError) in try write(left.span) }
    }

    private var expected: [String: String] { ["batch-id": file.batch, "role": file.role?.rawValue ?? ""] }

    /// Refuses a file that has another number of rows than the ledger records: it is in a form that this version misreads.
    private func require(_ count: Int, rows: String) throws(IngestionError) {
        guard let recorded = file.body["row_count"]?.whole, recorded != count else { return }
        throw IngestionError(
            .damaged, "\(store.place(of: file)): \(count) \(rows) were read, and the ledger records \(recorded)")
    }

    /// Seals the new content under the same authenticated data.
    ///
    /// - Parameters:
    ///   - count: rows that the file has less.
    ///   - body: gives the content, piece by piece.
    private func seal(
        without count: Int,
        _ body: ((Span<UInt8>) throws(IngestionError) -> Void) throws(IngestionError) -> Void
    ) throws(IngestionError) -> Recorder.NewForm {
        let opened = try store.openRecorded(file)
        var context: [String: String]
        do throws(SealingError) {
            context = try MessageReader(.file(opened), keys: ring, expect: expected).info.context
        } catch { throw refused(error, store.place(of: file)) }
        // Compressed files are small ones; they are compressed again.
        let isCompressed = context["content-encoding"] == "zstd"
        let made = context
        var writer: MessageWriter? = try sealing { () throws(SealingError) in
            let staged = try sealed { () throws(StorageError) in try StagedFile(in: folder, name: name) }
            return try MessageWriter(to: staged, context: made, recipients: recipients)
        }
        func write(_ bytes: Span<UInt8>) throws(IngestionError) {
            guard var open = writer.take() else { return }
            do throws(SealingError) { try open.write(bytes) } catch { throw IngestionError(error) }
            writer = consume open
        }
        if isCompressed {
            var content: [UInt8] = []
            defer { wipe(&content) }
            try body { content.append(copying: $0) }
            guard let shorter = compressed(content) else {
                throw IngestionError(.software, "\(store.place(of: file)): not enough memory to compress it")
            }
            try write(shorter.span)
        } else {
            try body(write)
        }
        guard let open = writer.take() else { preconditionFailure("a file is finished once") }
        let message: SealedMessage
        do throws(SealingError) { message = try open.finish().commit(as: name.description) } catch {
            throw IngestionError(error)
        }
        var members: [String: JSONValue] = [:]
        if file.body["message_id"] != nil {
            members["body_sha256"] = .string(hex(message.bodySHA256))
            members["message_id"] = .string(hex(message.messageID))
            members["commitment"] = .string(hex(message.commitment))
        }
        if let rows = file.body["row_count"]?.whole { members["row_count"] = .integer(rows - Int64(count)) }
        return Recorder.NewForm(message: message, recipients: recipients.map(\.name), members: members)
    }
}
