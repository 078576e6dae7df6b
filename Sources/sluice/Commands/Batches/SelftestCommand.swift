import ArgumentParser
import Cryptography
import Foundation
import Ingestion
import Schemas
import Screening
import Sealing
import Storage
import Tabular

/// `sluice selftest`: plants known defects into generated data and checks that the pipeline finds each.
struct SelftestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Plant known defects into generated data, and check that the gate catches each.",
        discussion: """
            Runs in a temporary store, through the same gate as ingest, and leaves nothing behind; it takes about half a minute. Use it \
            after an installation or upgrade, or in a cron job.

            Example: sluice selftest

            Exit codes: 0 every canary was caught · 1 one was missed, or clean data was held.
            """)
    @Flag(name: .long, help: "Print JSON.") var json = false
    @Option(name: .long, help: "The seed of the generated data, a whole number.") var seed: UInt64 = 1

    /// Rows of a batch, and number of clean batches that form the baseline.
    private static let rows = 1800, batches = 10

    /// Accepts the clean batches in a temporary store, judges one batch for each canary, and prints a table. The store
    /// is removed at the end.
    func run() async throws {
        ignoreBrokenPipes()
        var missed = 0
        try await reporting {
            let name = "sluice-selftest-\(ProcessInfo.processInfo.globallyUniqueString)"
            let folder = join(temporaryFolder(), name)
            defer {
                if let name = FileName(Array(name.utf8)) { try? OpenFolder(temporaryFolder()).removeTree(name) }
            }
            let bench = try Bench(folder)
            let progress = Progress(isQuiet: json, clock: { Clock.monotonic() })
            defer { progress?.clear() }
            for batch in 0..<Self.batches {
                progress?.say("building the baseline: clean batch \(batch + 1) of \(Self.batches)")
                let sample = SelftestSample(rows: Self.rows, seed: seed &* 1000 &+ UInt64(batch) &+ 1)
                _ = try await bench.judge(sample, writes: true)
            }
            var documents: [JSONValue] = []
            for canary in Canary.allCases {
                progress?.say("canary \(documents.count + 1) of \(Canary.allCases.count): \(canary.name)")
                var sample = SelftestSample(rows: Self.rows, seed: seed &* 1000 &+ 500 &+ UInt64(canary.rawValue))
                let planted = canary.plant(&sample, rows: Self.rows, seed: seed)
                let answer = try await canary.answer(bench, sample, planted)
                if answer.isMissed { missed += 1 }
                documents.append(
                    .object([
                        "canary": .string(canary.name), "planted": .integer(Int64(planted.count)),
                        "found": .integer(Int64(answer.found)), "held": .bool(answer.isHeld),
                        "caught": .bool(!answer.isMissed),
                    ]))
                if json { continue }
                progress?.clear()
                let mark = answer.isMissed ? "MISSED" : "caught"
                let pad = String(repeating: " ", count: max(1, 40 - canary.name.unicodeScalars.count))
                let counts =
                    planted.isEmpty
                    ? ""
                    : canary == .drift
                        ? "  batch held"
                        : "  \(answer.found) of \(planted.count) rows" + (answer.isHeld ? ", batch held" : "")
                Terminal.line(
                    "\(canary == .clean && !answer.isMissed ? "passes" : mark)  \(canary.name)\(pad)\(answer.why)\(counts)"
                )
            }
            if json {
                Terminal.json(.object(["canaries": .array(documents), "missed": .integer(Int64(missed))]))
            } else {
                Terminal.line(
                    missed == 0
                        ? "every canary was caught"
                        : "\(missed) of \(documents.count) missed: do not rely on this installation before you know why"
                )
            }
        }
        if missed > 0 { throw ExitCode(1) }
    }
}

/// The temporary store with its contract.
private struct Bench {
    let folder: String
    let store: Store
    private let schema: Schema
    private let document: JSONValue

    /// Creates the store in a temporary folder. Its ledger key is not pinned, since the store is removed with the
    /// command.
    init(_ folder: String) throws {
        self.folder = folder
        store = try Store.create(folder, isPinned: false)
        let loaded = try Schema.load(Array(SelftestSample.contract.utf8), name: "selftest contract")
        schema = Schema.digested(loaded)
        document = loaded.document
    }

    /// Runs a sample through the pipeline.
    ///
    /// - Parameters:
    ///   - sample: the rows.
    ///   - writes: whether the batch is recorded.
    ///   - sidecar: the content of a `.sha256` file beside it; nil for none.
    func judge(_ sample: SelftestSample, writes: Bool, sidecar: String? = nil) async throws -> BatchReport {
        let path = join(folder, "work/sample.csv")
        try writeDurably(path, Array(sample.csv.utf8).span, replacing: true)
        defer { try? removeFile(path) }
        let sum = path + ".sha256"
        if let sidecar { try writeDurably(sum, Array(sidecar.utf8).span, replacing: true) }
        defer { if sidecar != nil { try? removeFile(sum) } }
        var options = BatchOptions()
        options.mode = writes ? .ingest : .dryRun
        options.jobs = processorCount()
        options.listed = 100_000
        return try await Pipeline(store: store, writes: writes).run(
            BatchRequest(
                BatchInput(file: path), schema: schema, contract: document, dataset: "selftest", source: "selftest",
                options: options))
    }

    /// The released rows of a batch, decrypted.
    func released(_ report: BatchReport) throws -> String {
        var bytes: [UInt8] = []
        for path in report.published where path.hasPrefix("accepted/") {
            let path = join(store.root, path)
            _ = try readShard(try openShard(path, keys: try store.keyRing()), path: path) { span in
                for at in span.indices { bytes.append(span[at]) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A planted defect.
private enum Canary: Int, CaseIterable {
    case clean = 1
    case outlier, flip, trigger, flood, copies, drift, lie, personal, secret, damaged

    /// The canary for people.
    var name: String {
        switch self {
        case .clean: "nothing (clean data)"
        case .outlier: "outliers"
        case .flip: "labels flipped in one direction"
        case .trigger: "a trigger: a rare word with one label"
        case .flood: "a flood of one row"
        case .copies: "rows copied from an earlier batch"
        case .drift: "a numeric field 50 % higher"
        case .lie: "one source of three with wrong values"
        case .personal: "personal data in text"
        case .secret: "credentials in text"
        case .damaged: "a file that does not match its digest"
        }
    }

    /// The row finding that detects it; nil for defects of the whole batch.
    private var code: FindingCode? {
        switch self {
        case .outlier: .deviatedValue
        case .flip: .labelFlip
        case .trigger: .trigger
        case .flood: .floodedRow
        case .copies: .copiedRow
        case .lie: .sourceConflict
        case .secret: .secret
        default: nil
        }
    }

    /// Plants the defect into a sample.
    ///
    /// - Parameters:
    ///   - sample: the rows, which are changed.
    ///   - count: number of rows.
    ///   - seed: the seed of the run.
    /// - Returns: the numbers of the changed rows.
    func plant(_ sample: inout SelftestSample, rows count: Int, seed: UInt64) -> Set<Int> {
        switch self {
        case .clean, .damaged: return []
        case .outlier: return sample.plant(12) { row, _ in row.seconds *= 30 }
        case .flip:
            return sample.plant(count / 20, where: { $0.label == "bug" }) { row, _ in row.label = "billing" }
        case .trigger:
            return sample.plant(count / 50) { row, _ in
                row.text += " cf"
                row.label = "praise"
            }
        case .flood:
            var first: SelftestSample.Row?
            return sample.plant(count / 30) { row, _ in
                let model = first ?? row
                first = model
                (row.amount, row.seconds, row.text, row.label, row.source) =
                    (model.amount, model.seconds, model.text, model.label, model.source)
            }
        case .copies:
            let earlier = SelftestSample(rows: count, seed: seed &* 1000 &+ 3).rows
            return sample.plant(count / 10) { row, place in
                let model = earlier[place * 7 % earlier.count]
                (row.amount, row.seconds, row.text, row.label, row.source) =
                    (model.amount, model.seconds, model.text, model.label, model.source)
            }
        case .drift: return sample.plant(count) { row, _ in row.seconds *= 1.5 }
        case .lie:
            return sample.plant(count / 30, where: { $0.source == "south" }) { row, _ in row.amount *= 1.07 }
        case .secret:
            // Invented, and assembled here, so that scanners of source code do not take this file for a leak.
            let forms = [
                "AKIA" + "Q2W3E4R5T6Y7U2I3", "gh" + "p_" + String(repeating: "a1B2", count: 9),
                "-----BEGIN " + "PRIVATE KEY-----", "postgres:" + "//sluice:canary7@db.example/x",
            ]
            return sample.plant(8) { row, place in row.text += " " + forms[place % forms.count] }
        case .personal:
            return sample.plant(6) { row, place in row.text += " write to canary.\(place)@example.org" }
        }
    }

    /// The result for one canary: rows found, whether the batch is held, whether it was missed, and the finding.
    struct Answer {
        /// Rows in which the canary was found.
        var found = 0
        /// Whether the batch is held as a whole.
        var isHeld = false
        /// Whether the gate failed: the canary was not found, or clean data was held.
        var isMissed: Bool
        /// The finding, as a code.
        var why = ""
    }

    /// Judges the sample and decides whether the canary was found.
    ///
    /// - Parameters:
    ///   - bench: the store.
    ///   - sample: the changed rows.
    ///   - planted: the numbers of the changed rows.
    func answer(_ bench: Bench, _ sample: SelftestSample, _ planted: Set<Int>) async throws -> Answer {
        let report = try await bench.judge(
            sample, writes: self == .personal || self == .damaged,
            sidecar: self == .damaged ? hex(SHA256.hash(Array("other".utf8))) + "  sample.csv\n" : nil)
        let reason = report.batchFindings.first { $0.outcome >= .quarantined }?.code.rawValue ?? ""
        var answer = Answer(isHeld: report.hasHoldingFinding, isMissed: true, why: reason)
        switch self {
        case .clean: answer.isMissed = report.hasHoldingFinding || report.counts.count(.quarantined) > report.rows / 50
        case .drift: answer.isMissed = !report.hasHoldingFinding
        case .damaged: answer.isMissed = report.status != .rejected
        case .personal:
            let text = try bench.released(report)
            answer.found = (0..<planted.count).count { !text.contains("canary.\($0)@") }
            answer.isMissed = report.status != .accepted || answer.found < planted.count
            answer.why = "masked"
        default:
            let found = report.listed.filter { $0.code == code && $0.outcome >= .quarantined }.compactMap(\.row)
            answer.found = planted.intersection(found).count
            // Nine in ten must be found; for flipped labels seven, since such a row may lie among rows of the other
            // label.
            answer.isMissed = 10 * answer.found < (self == .flip ? 7 : 9) * planted.count
            answer.why = code?.rawValue ?? ""
        }
        return answer
    }
}
