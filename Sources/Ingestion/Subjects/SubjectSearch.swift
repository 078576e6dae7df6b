import Cryptography
package import Lineage
import Sealing
import Storage
import Tabular

/// The person, or other subject, whose rows are looked for.
package enum SubjectName: Sendable {
    /// The value of the field with `role: subject`, as suppliers write it.
    case value(String)
    /// The value that a masking operator put in its place, as accepted shards have it.
    case token(String)
}

/// The rows of a subject in a store.
package struct SubjectReport: Sendable, Equatable {
    /// A batch with rows of the subject.
    package struct Batch: Sendable, Equatable {
        /// The batch, its dataset, and its entry `batch.judged`.
        package let batch: String, dataset: String
        /// Accepted, held or rejected.
        package let verdict: String
        /// The rows, by their numbers in the source.
        package let rows: RowList
        /// The files that have them, and how many.
        package let files: [(path: String, role: FileRole, rows: Int)]

        /// Compares what was found, without the numbers of rows.
        package static func == (left: Batch, right: Batch) -> Bool {
            left.batch == right.batch && left.rows == right.rows && left.files.map(\.path) == right.files.map(\.path)
        }
    }

    /// The subject's name in the ledger: an HMAC, from which nobody can tell the value.
    package let subject: String
    /// Oldest first.
    package internal(set) var batches: [Batch] = []
    /// Batches, by dataset, that have rows and no index of subjects: an earlier version wrote them, their contract names
    /// no subject, or their header did not fit.
    package internal(set) var withoutIndex: [String: Int] = [:]
    /// Files that were set aside unread, by dataset.
    package internal(set) var unread: [String: Int] = [:]
    /// Rows that could not be split into values and whose bytes are not kept or were not searched.
    package internal(set) var unsearchedRows = 0
    /// Indexes that could not be read, with the reason.
    package internal(set) var failures: [String] = []

    /// All rows.
    package var rowCount: Int { batches.reduce(0) { $0 + $1.rows.count } }

    /// What was not searched, for the ledger; empty for nothing.
    var unsearched: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        func numbers(_ counts: [String: Int]) -> JSONValue { .object(counts.mapValues { .integer(Int64($0)) }) }
        if !withoutIndex.isEmpty { members["batches_without_index"] = numbers(withoutIndex) }
        if !unread.isEmpty { members["files_unread"] = numbers(unread) }
        if unsearchedRows > 0 { members["rows_unread"] = .integer(Int64(unsearchedRows)) }
        return members
    }
}

/// A batch as a search sees it.
struct SearchedBatch {
    let batch: String, dataset: String
    /// Its present files, as they are recorded now.
    let files: [PublishedFile]
    /// Its entry `batch.judged`; nil for a file that was set aside.
    let judged: LedgerEntry?
    /// The fates of its rows, with those that were erased.
    let map: RowMap
    /// The form of its accepted shards.
    var form: ShardForm?
    /// The subject's rows, by their numbers in the source.
    var rows: RowList?
    /// The subject, if the batch has the key that single values of it are encrypted with.
    var keyOf: SubjectTag?

    func file(_ role: FileRole) -> PublishedFile? { files.first { $0.role == role } }

    /// The rows of the list that a file has.
    func rows(in file: PublishedFile) -> [Int] {
        guard let rows else { return [] }
        let all = rows.ranges.flatMap { $0 }
        switch file.role {
        case .source, .claims, .subjects: return all
        case .accepted, .quarantine:
            let (isAccepted, shard) = (file.role == .accepted, file.body["shard"]?.whole.map { Int($0) })
            return all.filter { row in
                guard let fate = map.place(ofRow: row)?.fate, let outcome = fate.outcome else { return false }
                return outcome.isReleased == isAccepted && fate.shard == shard
            }
        case .baseline, .provenance, .rows, .subjectKeys, .decision, nil: return []
        }
    }
}

extension Store {
    /// Finds the rows of a subject by the sealed indexes of the batches.
    ///
    /// - Parameters:
    ///   - name: the subject.
    ///   - dataset: only this dataset; nil for all.
    ///   - files: the present files of each batch.
    /// - Returns: what is found, for people, and the batches with rows of the subject.
    /// - Throws: `usage` for a token that no shard has, or that stands for several subjects.
    func search(
        _ name: SubjectName, in files: [[PublishedFile]]
    ) throws(IngestionError) -> (report: SubjectReport, batches: [SearchedBatch]) {
        let secrets = try BatchSecrets(of: self)
        let ring = try keyRing()
        let tag: SubjectTag
        var value: [UInt8]?
        switch name {
        case .value(let text):
            let bytes = Array(text.utf8)
            tag = SubjectTag(bytes.span, 0..<bytes.count, secrets.hash)
            value = bytes
        case .token(let text): tag = try self.tag(ofToken: Array(text.utf8), in: files, ring)
        }
        var report = SubjectReport(subject: tag.recorded(secret: secrets.secret))
        var found: [SearchedBatch] = []
        for list in files {
            guard var batch = try searched(list, &report) else { continue }
            do throws(IngestionError) {
                let (rows, unreadable) = try rows(of: tag, in: &batch, ring)
                var all = rows
                if !unreadable.isEmpty {
                    let (more, rest) = try unreadableRows(unreadable, naming: value, in: batch, ring)
                    all += more
                    report.unsearchedRows += rest
                }
                batch.rows = RowList(all.map { $0...$0 })
                if let keys = batch.file(.subjectKeys), try salts(in: keys, ring)[tag] != nil { batch.keyOf = tag }
            } catch {
                guard error.code == .damaged || error.code == .notPermitted || error.code == .noInput else {
                    throw error
                }
                report.failures.append(error.description)
                continue
            }
            if batch.rows == nil, batch.keyOf == nil { continue }
            found.append(batch)
            guard let rows = batch.rows else { continue }
            report.batches.append(
                SubjectReport.Batch(
                    batch: batch.batch, dataset: batch.dataset, verdict: batch.judged?.body["verdict"]?.text ?? "",
                    rows: rows,
                    files: batch.files.compactMap { file in
                        guard let role = file.role, FileRole.withRows.contains(role) else { return nil }
                        let count = batch.rows(in: file).count
                        return count > 0 ? (path: file.path, role: role, rows: count) : nil
                    }))
        }
        return (report, found)
    }

    /// A batch that has an index; nil for one that has none, which the report counts.
    private func searched(
        _ files: [PublishedFile], _ report: inout SubjectReport
    ) throws(IngestionError) -> SearchedBatch? {
        let (log, state) = try proven()
        let batch = files[0].batch
        let dataset = files[0].entry.body["dataset"]?.text ?? ""
        let run = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let judged = run.first(where: { $0.event == .batchJudged }) else {
            report.unread[dataset, default: 0] += 1
            return nil
        }
        guard files.contains(where: { $0.role == .subjects || $0.role == .subjectKeys }) else {
            if files.contains(where: { FileRole.withRows.contains($0.role) }) {
                report.withoutIndex[dataset, default: 0] += 1
            }
            return nil
        }
        guard
            var map = try recording({ () throws(LedgerError) in try LineageQuery(log.ledger).rowMap(of: judged) }),
            hex(SHA256.hash(map.encoded())) == judged.body["rowmap_sha256"]?.text
        else {
            throw IngestionError(
                .damaged,
                "\(log.ledger.path): the row map of batch \(batch) is not the recorded one; run sluice lineage verify")
        }
        map.erased = RowList.union((state.erasedRows[batch] ?? []).compactMap { RowList($0) })
        return SearchedBatch(batch: batch, dataset: dataset, files: files, judged: judged, map: map)
    }

    /// The rows of a subject by a batch's index, and those whose subject is not known.
    private func rows(
        of tag: SubjectTag, in batch: inout SearchedBatch, _ ring: KeyRing
    ) throws(IngestionError) -> (rows: [Int], unreadable: [Int]) {
        guard let index = batch.file(.subjects) else { return ([], []) }
        var (rows, unreadable): ([Int], [Int]) = ([], [])
        batch.form = try forEachPart(of: index, ring) { part in
            rows += part.rows(of: tag)
            unreadable += part.unreadable
        }
        return (rows, unreadable)
    }

    /// Reads an index of subjects.
    ///
    /// - Returns: the form of the batch's shards.
    func forEachPart(
        of index: PublishedFile, _ ring: KeyRing, _ body: (SubjectRows) throws(IngestionError) -> Void
    ) throws(IngestionError) -> ShardForm? {
        var reader = SubjectIndexReader(calling: place(of: index))
        try readRecorded(
            index, keys: ring, expect: ["batch-id": index.batch, "role": FileRole.subjects.rawValue]
        ) { piece in try reader.read(piece, body) }
        try reader.finish()
        return reader.form
    }

    /// Which of the rows that could not be split into values have the subject's value in their bytes. Where the bytes are
    /// not kept, nobody can tell.
    ///
    /// - Returns: those rows, and how many were not searched.
    private func unreadableRows(
        _ unreadable: [Int], naming value: [UInt8]?, in batch: SearchedBatch, _ ring: KeyRing
    ) throws(IngestionError) -> (rows: [Int], unsearched: Int) {
        guard let value, !value.isEmpty else { return ([], unreadable.count) }
        var left = Set(unreadable)
        var rows: [Int] = []
        for file in batch.files where file.role == .quarantine {
            try forEachLine(of: file, ring) { line in
                guard let row = quarantinedRow(line), left.contains(row),
                    let raw = (try? JSONValue.parse(line))?["raw"]?.text.flatMap({ bytes(base64: $0) })
                else { return }
                left.remove(row)
                if raw.contains(word: value) { rows.append(row) }
            }
        }
        // Rows that were erased are in the index no more; these are kept nowhere by themselves.
        let isKept = batch.file(.source) != nil
        return (rows, isKept ? left.count : 0)
    }

    /// Reads a sealed file line by line. Lines may hold personal data, and are wiped.
    func forEachLine(
        of file: PublishedFile, _ ring: KeyRing, _ body: ([UInt8]) throws(IngestionError) -> Void
    ) throws(IngestionError) {
        var line: [UInt8] = []
        defer { wipe(&line) }
        try readRecorded(
            file, keys: ring, expect: ["batch-id": file.batch, "role": file.role?.rawValue ?? ""]
        ) { span in
            for at in span.indices {
                if span[at] == 0x0A {
                    try body(line)
                    line.removeAll(keepingCapacity: true)
                } else {
                    line.append(span[at])
                }
            }
        }
    }

    /// The tag of the one subject that a token of accepted shards stands for.
    private func tag(
        ofToken token: [UInt8], in files: [[PublishedFile]], _ ring: KeyRing
    ) throws(IngestionError) -> SubjectTag {
        var tags = Set<SubjectTag>()
        for list in files {
            var ignored = SubjectReport(subject: "")
            guard list.contains(where: { $0.role == .accepted }), var batch = try searched(list, &ignored),
                let index = batch.file(.subjects)
            else { continue }
            batch.form = try forEachPart(of: index, ring) { _ in }
            guard let form = batch.form, form.hasNamedSubject else { continue }
            var rows = Set<Int>()
            for file in list where file.role == .accepted {
                guard let shard = file.body["shard"]?.whole else { continue }
                let text = try readRecorded(
                    file, keys: ring, expect: ["batch-id": file.batch, "role": FileRole.accepted.rawValue])
                let read = try ShardText(text, form, calling: place(of: file))
                for (place, row) in read.rows.enumerated() where row.subject == token {
                    if let source = batch.map.source(ofRow: place + 1, inShard: Int(shard), released: true) {
                        rows.insert(source.row)
                    }
                }
            }
            if rows.isEmpty { continue }
            _ = try forEachPart(of: index, ring) { part in
                for entry in part.entries where rows.contains(entry.row) { tags.insert(entry.tag) }
            }
        }
        guard let tag = tags.first else {
            throw IngestionError(
                .usage,
                "no accepted shard has this token in the field with role: subject; give the value itself, without --token"
            )
        }
        guard tags.count == 1 else {
            throw IngestionError(
                .usage,
                "the token stands for \(tags.count) subjects, so their masking operator does not tell them apart; give the value itself, "
                    + "without --token")
        }
        return tag
    }
}

/// The number of the row that a line of a quarantine shard is about; nil for no such line.
func quarantinedRow(_ line: [UInt8]) -> Int? {
    (try? JSONValue.parse(line))?["row"]?.whole.map { Int($0) }
}

extension [UInt8] {
    /// Whether a text occurs in it, not as a part of a longer word or number.
    fileprivate func contains(word: [UInt8]) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard count >= word.count else { return false }
        for start in 0...(count - word.count) where self[start] == word[0] {
            let end = start + word.count
            if start > 0, isWord(self[start - 1]), isWord(word[0]) { continue }
            if end < count, isWord(self[end]), isWord(word[word.count - 1]) { continue }
            if self[start..<end].elementsEqual(word) { return true }
        }
        return false
    }
}
