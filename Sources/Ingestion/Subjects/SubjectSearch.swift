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

        fileprivate init(_ searched: SearchedBatch, _ kept: RowList) {
            (batch, dataset, rows) = (searched.batch, searched.dataset, kept)
            verdict = searched.judged.body["verdict"]?.text ?? ""
            files = searched.files.compactMap { file in
                guard let role = file.role, FileRole.withRows.contains(role) else { return nil }
                let count = searched.rows(in: file).count
                return count > 0 ? (path: file.path, role: role, rows: count) : nil
            }
        }

        /// Compares what was found, without the numbers of rows.
        package static func == (left: Batch, right: Batch) -> Bool {
            left.batch == right.batch && left.rows == right.rows && left.files.map(\.path) == right.files.map(\.path)
        }
    }

    /// The subject's name in the ledger: an HMAC, from which nobody can tell the value; empty when it was not found.
    package internal(set) var subject = ""
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
    /// Its entry `batch.judged`.
    let judged: LedgerEntry
    /// The fates of its rows, with those that were erased.
    let map: RowMap
    /// The form of its accepted shards.
    var form: ShardForm?
    /// The subject's rows, by their numbers in the source, as the index has them.
    var rows: RowList? { didSet { places = rows.map { map.places(of: $0) } ?? [] } }
    /// The subject's tags, if the batch has keys that single values of it are encrypted with.
    var keysOf: Set<SubjectTag> = []
    /// Where each of the rows is.
    private var places: [(row: Int, place: RowMap.Place)] = []

    init(_ batch: String, files: [PublishedFile], judged: LedgerEntry, map: RowMap) {
        (self.batch, self.files, self.judged, self.map) = (batch, files, judged, map)
        dataset = files[0].entry.body["dataset"]?.text ?? ""
    }

    func file(_ role: FileRole) -> PublishedFile? { files.first { $0.role == role } }

    /// The rows of the list that a file has, with their numbers in it.
    func rows(in file: PublishedFile) -> [(row: Int, place: Int)] {
        switch file.role {
        case .source: return places.map { ($0.row, map.heldRow(of: $0.row)) }
        case .claims, .subjects: return places.map { ($0.row, $0.row) }
        case .accepted, .quarantine:
            let (isAccepted, shard) = (file.role == .accepted, file.body["shard"]?.whole.map { Int($0) })
            return places.filter { _, place in
                place.fate.shard == shard && place.fate.outcome.map { $0.isReleased == isAccepted } ?? false
            }.map { ($0.row, $0.place.row) }
        case .baseline, .provenance, .rows, .subjectKeys, .decision, nil: return []
        }
    }

    /// The rows that are in a file still. Retention may have removed that of others.
    var kept: RowList? {
        if file(.source) != nil { return rows }
        return RowList(
            files.filter { $0.role == .accepted || $0.role == .quarantine }.flatMap { rows(in: $0) }
                .map { $0.row...$0.row })
    }
}

extension Store {
    /// Finds the rows of a subject by the sealed indexes of the batches.
    ///
    /// - Parameters:
    ///   - name: the subject.
    ///   - files: the present files of each batch.
    /// - Returns: what is found, for people, and the batches with rows of the subject.
    /// - Throws: `usage` for a token that no shard has, or that stands for several subjects.
    func search(
        _ name: SubjectName, in files: [[PublishedFile]]
    ) throws(IngestionError) -> (report: SubjectReport, batches: [SearchedBatch]) {
        let secrets = try BatchSecrets(of: self)
        let ring = try keyRing()
        var report = SubjectReport()
        var batches: [SearchedBatch] = []
        for list in files { if let batch = try searched(list, &report) { batches.append(batch) } }
        var (tags, value): (Set<SubjectTag>, [UInt8]?) = ([], nil)
        switch name {
        case .value(let text):
            let bytes = Array(text.utf8)
            tags = [SubjectTag(bytes.span, 0..<bytes.count, secrets.hash)]
            value = bytes
        case .token(let text): tags = try self.tags(ofToken: Array(text.utf8), in: batches, ring, &report)
        }
        guard let first = tags.min() else { return (report, []) }
        report.subject = first.recorded(secret: secrets.secret)
        // Other spellings of the same value have a tag in common, so what they have is looked for too.
        while true {
            let known = tags
            var (found, trial) = ([SearchedBatch](), report)
            for batch in batches {
                var batch = batch
                do throws(IngestionError) {
                    let (unreadable, all) = try findRows(of: tags, in: &batch, ring)
                    tags = all
                    if !unreadable.isEmpty {
                        let (more, rest) = try unreadableRows(unreadable, naming: value, in: batch, ring)
                        if !more.isEmpty { batch.rows = RowList((batch.rows?.ranges ?? []) + more.map { $0...$0 }) }
                        trial.unsearchedRows += rest
                    }
                    if let keys = batch.file(.subjectKeys) {
                        batch.keysOf = tags.intersection(try salts(in: keys, ring).keys)
                    }
                } catch {
                    guard error.isAboutOneFile else { throw error }
                    trial.failures.append(error.description)
                    continue
                }
                if batch.rows == nil, batch.keysOf.isEmpty { continue }
                found.append(batch)
                if let kept = batch.kept { trial.batches.append(SubjectReport.Batch(batch, kept)) }
            }
            if tags == known { return (trial, found) }
        }
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
            if files.contains(where: { $0.role == .source }) { report.unread[dataset, default: 0] += 1 }
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
        map.erased = RowList.union(try state.erasures(of: batch))
        return SearchedBatch(batch, files: files, judged: judged, map: map)
    }

    /// Finds the rows of a subject by a batch's index.
    ///
    /// - Returns: the rows whose subject is not known, and all tags of the rows: other spellings of the value have one each.
    private func findRows(
        of tags: Set<SubjectTag>, in batch: inout SearchedBatch, _ ring: KeyRing
    ) throws(IngestionError) -> (unreadable: [Int], tags: Set<SubjectTag>) {
        guard let index = batch.file(.subjects) else { return ([], tags) }
        var (rows, unreadable, all): ([ClosedRange<Int>], [Int], Set<SubjectTag>) = ([], [], tags)
        batch.form = try forEachPart(of: index, ring) { part in
            let found = part.rows(of: all)
            for entry in part.entries where found.contains(entry.row) { all.insert(entry.tag) }
            rows += found.map { $0...$0 }
            unreadable += part.unreadable
        }
        batch.rows = RowList(rows)
        return (unreadable, all)
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
        // Nothing but the held back row is kept of an accepted batch, and of a held one the whole file.
        guard let value, !value.isEmpty else { return ([], unreadable.count) }
        var left = Set(unreadable)
        var rows: [Int] = []
        if let source = batch.file(.source) {
            let places = try HeldRows(try heldSource(source), try keptPlan(of: batch), in: workFolder) { number in
                batch.map.source(ofHeldRow: number).map { left.contains($0) } ?? false
            }
            for (number, file, bytes) in places.rows where bytes.count <= Self.searchedMax {
                guard let row = batch.map.source(ofHeldRow: number) else { continue }
                var text: [UInt8] = []
                defer { wipe(&text) }
                _ = try file.read(upTo: bytes.count, at: bytes.lowerBound, into: &text)
                left.remove(row)
                if text.names(value) { rows.append(row) }
            }
            return (rows, left.count)
        }
        for file in batch.files where file.role == .quarantine {
            try forEachLine(of: file, ring) { line in
                guard let row = quarantinedRow(line), left.contains(row),
                    let raw = (try? JSONValue.parse(line))?["raw"]?.text.flatMap({ bytes(base64: $0) })
                else { return }
                if raw.names(value) { rows.append(row) }
            }
        }
        return (rows, 0)
    }

    /// Most bytes of a row that could not be split and is searched.
    private static var searchedMax: Int { 256 << 20 }

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

    /// The tags of the one subject that a token of accepted shards stands for; none when a file that cannot be read may
    /// have it.
    private func tags(
        ofToken token: [UInt8], in batches: [SearchedBatch], _ ring: KeyRing, _ report: inout SubjectReport
    ) throws(IngestionError) -> Set<SubjectTag> {
        // What all rows with the token have in common, and all tags of these rows.
        var (common, all): (Set<SubjectTag>?, Set<SubjectTag>) = (nil, [])
        for batch in batches {
            guard let index = batch.file(.subjects) else { continue }
            do throws(IngestionError) {
                guard let form = try forEachPart(of: index, ring, { _ in }), form.hasNamedSubject else { continue }
                var rows = Set<Int>()
                for file in batch.files where file.role == .accepted {
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
                    for (_, own) in Dictionary(grouping: part.entries.filter { rows.contains($0.row) }, by: \.row) {
                        let tags = Set(own.map(\.tag))
                        common = common.map { $0.intersection(tags) } ?? tags
                        all.formUnion(tags)
                    }
                }
            } catch {
                guard error.isAboutOneFile else { throw error }
                report.failures.append(error.description)
            }
        }
        guard let common else {
            if !report.failures.isEmpty { return [] }
            throw IngestionError(
                .usage,
                "no accepted shard has this token in the field with role: subject; give the value itself, without --token"
            )
        }
        guard !common.isEmpty else {
            throw IngestionError(
                .usage,
                "the token stands for several values of the field with role: subject, so its masking operator does not tell them apart; "
                    + "give the value itself, without --token")
        }
        return all
    }
}

/// The number of the row that a line of a quarantine shard is about; nil for no such line.
func quarantinedRow(_ line: [UInt8]) -> Int? {
    (try? JSONValue.parse(line))?["row"]?.whole.map { Int($0) }
}

extension [UInt8] {
    /// Whether the bytes of a row that could not be split have a value as a word, plain or escaped: as CSV doubles quotes,
    /// or as JSON and other dialects escape with a backslash.
    fileprivate func names(_ value: [UInt8]) -> Bool {
        contains(word: value) || undoubled.contains(word: value) || unescaped.contains(word: value)
    }

    /// With one quote in the place of two.
    private var undoubled: [UInt8] {
        var (out, isAfterQuote): ([UInt8], Bool) = ([], false)
        for byte in self {
            isAfterQuote = byte == 0x22 && !isAfterQuote
            if byte != 0x22 || isAfterQuote { out.append(byte) }
        }
        return out
    }

    /// With the characters that escapes with a backslash stand for (RFC 8259, section 7).
    private var unescaped: [UInt8] {
        var (out, units, at): ([UInt8], [UInt16], Int) = ([], [], 0)
        func flush() {
            out += String(decoding: units, as: UTF16.self).utf8
            units = []
        }
        while at < count {
            let hex = at + 6 <= count ? String(decoding: self[at + 2..<at + 6], as: UTF8.self) : ""
            if self[at] == 0x5C, at + 1 < count, self[at + 1] == 0x75, hex.utf8.count == 4,
                let unit = UInt16(hex, radix: 16)
            {
                units.append(unit)
                at += 6
                continue
            }
            flush()
            if self[at] == 0x5C, at + 1 < count {
                let short: [UInt8: UInt8] = [0x6E: 0x0A, 0x74: 0x09, 0x72: 0x0D, 0x62: 0x08, 0x66: 0x0C]
                out.append(short[self[at + 1]] ?? self[at + 1])
                at += 2
            } else {
                out.append(self[at])
                at += 1
            }
        }
        flush()
        return out
    }

    /// Whether a text occurs in it, not as a part of a longer word or number.
    func contains(word: [UInt8]) -> Bool {
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
