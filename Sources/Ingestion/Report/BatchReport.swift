package import Lineage
package import Masking
import Recognition
import Schemas
package import Screening
package import Sketches
package import Tabular

/// What came in, what came out, and why: the result of one batch, without a value of anyone's data.
package struct BatchReport: Sendable {
    /// How the batch ended.
    package enum Status: String, Sendable {
        /// Its shards are published.
        case accepted
        /// Nothing was published; the source is sealed in quarantine.
        case held
        /// The same, and not for what is in it: it is not what its source sent, or the source is refused.
        case rejected
        /// The same content was judged before under the same contract and policy.
        case duplicate
        /// Only checked.
        case checked
    }

    /// How the batch ended.
    package var status: Status
    /// The batch's name; empty when nothing was recorded.
    package var batch = ""
    /// The dataset.
    package var dataset: String
    /// Who sent it.
    package var source: String
    /// The file as it was named.
    package let file: String
    /// The file as it may be shown: a supplier may have called it by something that is somebody's.
    package let name: String
    /// Bytes and SHA-256 of the file.
    package var bytes = 0
    /// What the reader saw besides rows.
    package var remarks = RowRemarks()
    /// Rows before the first data row.
    package var leadingRows = 0
    /// Whether the last line has no line end.
    package var lacksLineEnd = false
    /// SHA-256 of the file, hexadecimal.
    package var dataHash = ""
    /// The encoding of the text, as declared.
    package var encoding = TextEncoding.utf8
    /// How the file is compressed, and the bytes it decompresses to; nil when it is not. Offsets of a compressed file are
    /// offsets in what it decompresses to.
    package var compression: (name: String, bytes: Int)?
    /// SHA-256 of the contract's canonical form, hexadecimal.
    package var contractHash = ""
    /// Whether the contract was inferred from this very file.
    package var isInferred = false
    /// What the columns hold that were searched for personal data.
    package var columns: [PersonalColumn] = []
    /// Columns that are somebody's by their names or values, of which not everything is masked.
    package var unmasked: [UnmaskedColumn] = []
    /// Rows of the sample that are others of it again, by their content, and rows in the sample; nil where none is.
    package var copies: (rows: Int, of: Int)?
    /// How well rows hide among each other by their quasi-identifiers; nil where the contract names none or nothing was released.
    package var anonymity: EquivalenceClasses.Summary?
    /// The class size that the contract wants.
    package var minimumClass = 5
    /// Personal data one by one, as many as were asked for.
    package var spotted: [Spotted] = []
    /// Rows by outcome.
    package var counts = OutcomeCounts()
    /// Totals of all findings, strictest first.
    package var findings = FindingCounts()
    /// Findings one by one, by row, as many as were asked for.
    package var listed = FindingList()
    /// Findings about the whole batch; those that quarantine hold it.
    package var batchFindings: [Finding] = []
    /// Names of the contract's fields.
    package var fields: [String]
    /// Positions, from 1, of columns that the contract does not name. Not their names: without a header the first row of
    /// data stands there.
    package var unknownColumns: [Int] = []
    /// Columns, from 1, whose labels have text in them that people do not see, and what it is.
    package var disguisedColumns: [(column: Int, code: FindingCode)] = []
    /// Whether no column at all is one of the contract's.
    package var lacksHeader = false
    /// Where the lines come from; nil when nothing was screened.
    package var basis: Decision.Basis?
    /// The name of the anchor or the pinned baseline; nil for the last accepted batches.
    package var baseline: String?
    /// Rows the lines were made from.
    package var basisRows = 0
    /// The stated false-alarm rates: share of clean rows beyond a modified z threshold, and beyond the forest's line.
    package var falseAlarmRates: (modifiedZ: Double, forest: Double) = (0, 0)
    /// The stated rate of label flips among honest rows; nil when labels were not tested.
    package var labelFlipRate: Double?
    /// Thresholds by field: field, threshold, rows, transform.
    package var thresholds: [(field: Int, threshold: Double, count: Int, log: Bool)] = [] {
        didSet {
            thresholdRows = Dictionary(thresholds.map { ($0.field, $0.count) }, uniquingKeysWith: { first, _ in first })
        }
    }
    /// The rows that each field's threshold was made from.
    private var thresholdRows: [Int: Int] = [:]
    /// Tests of the whole batch beside its baseline.
    package var tests: [BatchTest] = []
    /// Fields that were not screened, or -1 for the whole batch, and why.
    package var untested: [(field: Int, reason: String)] = []
    /// The fewest rows in which a mark beside one label would have been found, of how many rows that were looked at.
    package var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// While it learns: accepted batches after which a difference holds a batch.
    package var learning: Int?
    /// Who brought it, and what vouches for it; nil where nothing is known.
    package var attestation: JSONValue?
    /// What several sources say of the same keys; nil when the contract compares nothing.
    package var cross: CrossReport?
    /// What would be different under the contract that runs beside the one in force.
    package var shadow: ShadowReport?
    /// What became of each row, when that was asked for.
    package var fates: RowMap?
    /// The scores of all rows beside their lines, and where the forest's lines are.
    package var scores = ScoreHistograms()
    /// The forest's lines among the bins of its histogram; nil without a forest.
    package var forestLines: (flag: Double, quarantine: Double)?
    /// Names of sources and of label values that may be told, by their codes.
    package var names: [UInt64: String] = [:]
    /// Masked cells: field, entity, operator, count.
    package var masks: [(receipt: MaskReceipt, count: Int)] = []
    /// Published files, relative to the store.
    package var published: [String] = []
    /// For a duplicate: the batch that judged this content.
    package var duplicateOf = ""
    /// For a duplicate: whether the content was accepted before under another contract or policy, so that this run changed nothing.
    package var isRefusedReplacement = false
    /// The batch that this one replaced.
    package var supersedes = ""
    /// The oldest held batch that shows the same change, and when it was judged.
    package var incident: (batch: String, since: String)?
    /// The held batch that a person let out as this one, or tried to.
    package var releases = ""
    /// Whether that was refused: nothing was recorded, and the batch stays held.
    package var isRefusedRelease = false
    /// Whether it had to pass by itself, since another batch that shows the same change was let out.
    package var isJudgedAgain = false
    /// What a person waived.
    package var waived: [Waived] = []
    /// For a duplicate: how that batch ended.
    package var earlierWasAccepted = false
    /// Whether that batch is held, and may be let out.
    package var earlierWasHeld = false
    /// Whether rows of that earlier batch were held back.
    package var earlierRejected = 0
    /// Quarantined rows of that earlier batch.
    package var earlierQuarantined = 0
    /// Flagged rows of that earlier batch.
    package var earlierFlagged = 0
    /// The CSV reader, and whether the second reader looked.
    package var readers = ""
    /// Seconds of wall time.
    package var seconds = 0.0

    /// A report about `file`.
    package init(status: Status, dataset: String, source: String, file: String, fields: [String]) {
        self.status = status
        self.dataset = dataset
        self.source = source
        self.file = file
        name = LabelSearch.usual.shown(file)
        self.fields = fields
    }

    /// Rows read.
    package var rows: Int { counts.total }

    /// The report as a document, with its findings one by one: they are made while it is written, since there may be millions.
    ///
    /// - Parameter summary: the rest, where it is not as it comes.
    package func outline(_ summary: [String: JSONValue]? = nil) -> JSONOutline {
        JSONOutline(summary ?? self.summary, adding: ["errors": .list(AnySequence(listed.lazy.map(document)))])
    }

    /// The report without its findings one by one: Frictionless's shape and error names where it has them, and never a cell.
    package var summary: [String: JSONValue] {
        func name(_ field: Int) -> JSONValue { field >= 0 ? .string(fields[field]) : .null }
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        var members: [String: JSONValue] = [
            "valid": .bool(isClean), "status": .string(status.rawValue), "batch": .string(batch),
            "dataset": .string(dataset), "source": .string(source), "name": .string(self.name),
            "stats": .object([
                "bytes": whole(bytes), "sha256": .string(dataHash), "rows": whole(counts.total),
                "fields": whole(fields.count), "accepted": whole(counts.count(.accepted)),
                "flagged": whole(counts.count(.flagged)), "quarantined": whole(counts.count(.quarantined)),
                "rejected": whole(counts.count(.rejected)), "seconds": .number(seconds),
            ]),
            "coding": codingDocument,
            "contract": .object(["sha256": .string(contractHash), "inferred": .bool(isInferred)]),
            "totals": .array(totals),
            "partial": .bool(listed.count < findings.sorted.reduce(0) { $0 + $1.tally.count }),
            "batchErrors": .array(batchFindings.map(document)),
            "unknownColumns": .array(unknownColumns.map { .integer(Int64($0)) }),
            "disguisedColumns": .array(
                disguisedColumns.map {
                    .object(["column": .integer(Int64($0.column)), "type": .string($0.code.rawValue)])
                }),
            "screening": screeningDocument, "vouched": attestation ?? .null, "cross": cross?.document ?? .null,
            "shadow": shadow?.document ?? .null,
            "anonymity": anonymity.map { found in
                .object([
                    "k": whole(found.smallest), "l": found.fewest.map(whole) ?? .null, "classes": whole(found.classes),
                    "wanted": whole(minimumClass), "shareBelow": .number(found.shareBelow),
                    "sampled": .number(found.sampled),
                ])
            } ?? .null,
            "masked": .array(
                masks.map { receipt, count in
                    .object([
                        "fieldName": name(receipt.field), "entity": .string(receipt.entity),
                        "operator": .string(receipt.operation.rawValue), "count": whole(count),
                    ])
                }),
            "duplicateRows": copies.map { .object(["rows": whole($0.rows), "of": whole($0.of)]) } ?? .null,
            "notMasked": .array(
                unmasked.map {
                    .object([
                        "name": .string($0.label), "entity": .string($0.entity.name),
                        "share": .number(($0.share * 10_000).rounded() / 10_000),
                    ])
                }),
            "published": .array(published.map { .string($0) }), "duplicateOf": .string(duplicateOf),
            "supersedes": .string(supersedes), "isRefusedReplacement": .bool(isRefusedReplacement),
            "incident": incident.map { .object(["batch": .string($0.batch), "since": .string($0.since)]) } ?? .null,
            "releases": .string(releases), "isRefusedRelease": .bool(isRefusedRelease), "waived": waivedDocument,
            "readers": .string(readers),
        ]
        // Only where there is something to say.
        if remarks.skippedLines > 0 { members["skippedLines"] = whole(remarks.skippedLines) }
        if lacksLineEnd { members["lacksLineEnd"] = .bool(true) }
        return members
    }

    /// How often each kind of finding occurred, strictest first.
    package var totals: [JSONValue] {
        findings.sorted.map { kind, tally in
            var members: [String: JSONValue] = [
                "type": .string(kind.code.rawValue), "fieldName": kind.field >= 0 ? .string(fields[kind.field]) : .null,
                "outcome": .string(kind.outcome.name), "severity": .string(kind.outcome.severity),
                "stage": .string(kind.code.stage.rawValue), "count": .integer(Int64(tally.count)),
                "firstRows": .array(tally.firstRows.map { .integer(Int64($0)) }),
            ]
            if let rule = kind.rule { members["rule"] = .string(rule) }
            return .object(members)
        }
    }

    /// One of its findings as a document.
    package func document(_ finding: Finding) -> JSONValue {
        func name(_ field: Int) -> JSONValue { field >= 0 ? .string(fields[field]) : .null }
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        var members: [String: JSONValue] = [
            "type": .string(finding.code.rawValue), "outcome": .string(finding.outcome.name),
            "severity": .string(finding.outcome.severity), "stage": .string(finding.code.stage.rawValue),
            "rowNumber": .integer(Int64(finding.row)), "fieldName": name(finding.field),
            "byteOffset": .integer(Int64(finding.byteOffset)), "byteLength": .integer(Int64(finding.byteLength)),
        ]
        if finding.code.stage == .screen, let basis { members["baseline"] = .string(basis.rawValue) }
        if let statistic = finding.statistic, statistic.isFinite { members["statistic"] = .number(statistic) }
        if let threshold = finding.threshold, threshold.isFinite { members["threshold"] = .number(threshold) }
        if let keyword = finding.keyword { members["keywordLocation"] = .string(keyword) }
        if let rule = finding.rule { members["rule"] = .string(rule) }
        if let moved = finding.movement { members["moved"] = moved.document }
        if !finding.contributors.isEmpty { members["contributors"] = .array(finding.contributors.map(name)) }
        if finding.code == .modifiedZ, let rows = thresholdRows[finding.field] {
            members["n"] = whole(rows)
        } else if finding.code == .isolationForest {
            members["n"] = whole(basisRows)
        }
        return .object(members)
    }

    /// The lines, from 1, that the rows of the listed findings begin at; none for a file whose offsets are not those of a text with
    /// lines: compressed, or in units of more than a byte.
    package func lines() -> FindingLines {
        var found = FindingLines()
        guard compression == nil, [.utf8, .latin1, .windows1252].contains(encoding), !listed.isEmpty,
            let source = try? Source(file)
        else { return found }
        var wanted = listed.indices.map { listed.place(of: $0).byteOffset }
        wanted.sort()
        var next = 0
        var (offset, line): (UInt64, Int) = (0, 1)
        // In an array the text before a record belongs to it, but its line is where it begins to the eye.
        var waiting: UInt64?
        try? source.forEachChunk { (chunk) throws(IngestionError) in
            for at in 0..<chunk.count {
                if next < wanted.count, wanted[next] == offset {
                    waiting = offset
                    while next < wanted.count, wanted[next] == offset { next += 1 }
                }
                if let place = waiting, chunk[at] > 0x20 {
                    found.add(line, at: place)
                    waiting = nil
                }
                if chunk[at] == 0x0A { line += 1 }
                offset += 1
            }
        }
        return found
    }

    private var screeningDocument: JSONValue {
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        func name(_ field: Int) -> JSONValue { field >= 0 ? .string(fields[field]) : .null }
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        return .object([
            "baseline": baseline.map { .string($0) } ?? .null,
            "basis": basis.map { .string($0.rawValue) } ?? .null, "basisRows": whole(basisRows),
            "falseAlarmRate": .object([
                "modifiedZ": .number(falseAlarmRates.modifiedZ), "forest": .number(falseAlarmRates.forest),
                "labelFlip": labelFlipRate.map { .number($0) } ?? .null,
            ]),
            "thresholds": .array(
                thresholds.map {
                    .object([
                        "fieldName": name($0.field), "threshold": .number($0.threshold), "n": whole($0.count),
                        "log1p": .bool($0.log),
                    ])
                }),
            "tests": .array(
                tests.map { test in
                    var members: [String: JSONValue] = [
                        "type": .string(test.code.rawValue), "fieldName": name(test.field),
                        "statistic": number(test.statistic),
                        "critical": number(test.critical), "effect": number(test.effect), "warn": number(test.warn),
                        "hold": number(test.hold), "n": whole(test.count), "basis": whole(test.basis),
                        "usual": test.usual.map(number) ?? .null, "outcome": .string(test.outcome.name),
                    ]
                    if let range = test.range {
                        (members["low"], members["high"]) = (number(range.lowerBound), number(range.upperBound))
                    }
                    return .object(members)
                }),
            "learning": learning.map(whole) ?? .null,
            "untested": .array(
                untested.map { .object(["fieldName": name($0.field), "reason": .string($0.reason)]) }),
            "power": .array(
                triggerPower.map {
                    .object(["type": .string($0.what), "rows": whole($0.rows), "of": whole($0.of)])
                }),
        ])
    }

    private var waivedDocument: JSONValue {
        .array(
            waived.map {
                .object([
                    "type": .string($0.code.rawValue), "fieldName": $0.field >= 0 ? .string(fields[$0.field]) : .null,
                    "rows": .integer(Int64($0.rows)),
                ])
            })
    }

    private var codingDocument: JSONValue {
        var members: [String: JSONValue] = ["encoding": .string(encoding.rawValue), "offsets": .string("file")]
        if let compression {
            members["compression"] = .string(compression.name)
            members["decompressedBytes"] = .integer(Int64(compression.bytes))
            members["offsets"] = .string("decompressed")
        }
        return .object(members)
    }

    /// Whether a finding about the whole batch holds it.
    package var hasHoldingFinding: Bool { batchFindings.contains { $0.outcome >= .quarantined } }

    /// Whether nothing was found that holds back a row or the batch.
    package var isClean: Bool {
        !hasHoldingFinding && counts.count(.rejected) == 0 && counts.count(.quarantined) == 0
    }
}

/// The lines that rows begin at, by the offset of their first byte.
package struct FindingLines: Sendable {
    private var offsets: [UInt64] = []
    private var lines: [Int] = []

    /// No lines.
    init() {}

    /// Adds the line of a row behind all that are there.
    mutating func add(_ line: Int, at offset: UInt64) {
        offsets.append(offset)
        lines.append(line)
    }

    /// The line of the row that begins at an offset.
    package subscript(offset: UInt64) -> Int? {
        var (low, high) = (0, offsets.count)
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? lines[low] : nil
    }
}
