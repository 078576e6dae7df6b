import Cryptography
import Foundation
import Lineage
import Masking
import Reading
import Recognition
import Schemas
import Screening
import Sketches
import Tabular
import Testing
import Validating

@testable import Ingestion

/// What crosses the border of a process: reading what was written gives the same value, merging what crossed gives what
/// merging gives, and other bytes are an error.
@Suite struct `values that cross to other processes` {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// The results of both passes over the slices of a sample.
    private func passes(_ name: String, _ contract: String) throws -> (
        surveys: [SliceSurvey], results: [SliceResult], plan: Plan
    ) {
        let path = Self.root + "/samples/" + name
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.root + "/schemas/" + contract)))
        let loaded = try Schema.load(bytes, name: contract)
        var options = BatchOptions()
        (options.mode, options.listed, options.detectionsListed) = (.ingest, 1000, 1000)
        let request = BatchRequest(
            BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
            source: "s",
            options: options)
        var secrets = try BatchSecrets()
        let key = try SecretKey(random: 32)
        secrets.tokenKeys = Dictionary(
            loaded.schema.fields.compactMap { $0.pii?.key.map { ($0, key) } }, uniquingKeysWith: { first, _ in first })
        let plan = try Plan(request, format: request.format(), secrets: secrets)
        let source = SourceFiles(try InputFile(path))
        let cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: 20_000)
        let layout = try #require(cutter.head.layout)
        let work = SliceWork(plan: plan, layout: layout)
        var surveys: [SliceSurvey] = []
        var profile = Profile(plan.reader, keyRules: plan.validator.keyRules.count)
        while let slice = try cutter.next() {
            surveys.append(try work.survey(slice, bounds: Profile.Bounds()))
            profile.merge(surveys[surveys.count - 1].profile)
        }
        profile.finish()
        let decision = Decision(
            profile, beside: Precedents(baseline: nil, earlierRows: []), schema: plan.schema, screened: plan.screened,
            seed: 7)
        let masker = try Masker(
            plan.schema, layout: layout, dialect: plan.reading.dialect, keys: plan.tokenKeys,
            hash: KeyedHash(key: [UInt8](repeating: 3, count: 32)))
        let release = ReleaseWork(work: work, decision: decision, masker: masker, staging: nil)
        let replayer = try SliceReplayer(source, cutter.text, plan.reading.coding)
        var results: [SliceResult] = []
        while let slice = try replayer.next() {
            let survey = surveys[slice.ordinal]
            let recall = SliceRecall(
                sound: survey.isValid, detectedRows: survey.hasDetection, hiddenTextRows: survey.hasHiddenText,
                draw: survey.draw)
            #expect(try SliceRecall(wired: recall.wired).wired == recall.wired)
            results.append(try release.process(slice, recalling: recall, bounds: Profile.Bounds()))
        }
        return (surveys, results, plan)
    }

    private static let samples = [
        ("orders-dirty.csv", "orders.schema.yaml"), ("sensors-poisoned.csv", "sensors.schema.yaml"),
        ("tickets-poisoned.jsonl", "tickets.schema.yaml"),
    ]

    @Test(arguments: samples)
    func `surveys and results of slices come back as they were`(name: String, contract: String) throws {
        let (surveys, results, plan) = try passes(name, contract)
        #expect(surveys.count > 2 && results.count == surveys.count)
        // Merging what crossed gives what merging gives.
        var (profile, crossed) = (surveys[0].profile, try Profile(wired: surveys[0].profile.wired))
        var evidence = (plain: ColumnEvidence(), crossed: ColumnEvidence())
        for survey in surveys {
            let back = try SliceSurvey(wired: survey.wired)
            #expect(back.wired == survey.wired && back.listed == survey.listed && back.remarks == survey.remarks)
            #expect(back.detections == survey.detections && back.evidence == survey.evidence)
            #expect(back.profile.sample == survey.profile.sample && back.profile.texts == survey.profile.texts)
            #expect(back.profile.counts == survey.profile.counts && back.profile.clock == survey.profile.clock)
            if survey.ordinal > 0 {
                profile.merge(survey.profile)
                crossed.merge(back.profile)
            }
            evidence.plain.merge(survey.evidence)
            evidence.crossed.merge(back.evidence)
        }
        profile.finish()
        crossed.finish()
        #expect(profile.wired == crossed.wired && evidence.plain == evidence.crossed)
        var (counts, crossedCounts) = (OutcomeCounts(), OutcomeCounts())
        var (kept, crossedKept) = (KeptRows(plan.reader), KeptRows(plan.reader))
        for result in results {
            let back = try SliceResult(wired: result.wired)
            #expect(back.wired == result.wired && back.counts == result.counts && back.listed == result.listed)
            #expect(back.classes == result.classes && back.receipts == result.receipts)
            #expect(back.rowMap.encoded() == result.rowMap.encoded() && back.rowLengths == result.rowLengths)
            counts.merge(result.counts)
            crossedCounts.merge(back.counts)
            kept.merge(result.kept)
            crossedKept.merge(back.kept)
        }
        kept.finish()
        crossedKept.finish()
        #expect(counts == crossedCounts && kept.wired == crossedKept.wired)
    }

    @Test func `damaged bytes are an error, never a crash`() throws {
        let (surveys, results, _) = try passes("orders-dirty.csv", "orders.schema.yaml")
        var random = SplitMix64(seed: 11)
        for whole in [surveys[0].wired, results[0].wired] {
            #expect(throws: WireError.self) { try SliceSurvey(wired: whole + [0]) }
            #expect(throws: WireError.self) { try SliceResult(wired: whole + [0]) }
            for trial in 0..<800 {
                var bytes = whole
                if trial % 2 == 0 {
                    bytes.removeLast(1 + Int(random.next() % UInt64(bytes.count)))
                } else {
                    for _ in 0..<(1 + random.next() % 3) {
                        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                    }
                }
                // Other bytes may be another value; then it is one that can be written.
                if let survey = try? SliceSurvey(wired: bytes) { #expect(!survey.wired.isEmpty) }
                if let result = try? SliceResult(wired: bytes) { #expect(!result.wired.isEmpty) }
            }
        }
    }

    @Test func `plain values come back as they were`() throws {
        for number in [0, 1, -1, 63, -64, 64, 1 << 40, -(1 << 40), (1 << 61) - 1, 1 - (1 << 61)] {
            #expect(try Int(wired: number.wired) == number)
        }
        for number in [0.0, -0.0, .infinity, .nan, .leastNonzeroMagnitude, .pi] {
            #expect(try Double(wired: number.wired).bitPattern == number.bitPattern)
        }
        for text in ["", "é€😀", "a\u{0}b"] { #expect(try String(wired: text.wired) == text) }
        #expect(throws: WireError.self) { try String(wired: [1, 0xFF]) }
        #expect(throws: WireError.self) { try Bool(wired: [2]) }
        #expect(throws: WireError.self) { try Outcome(wired: [9]) }
        // A count is never larger than what follows, so that a wrong one costs no memory.
        #expect(throws: WireError.self) { try [UInt64](wired: [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) }
        let pairs = [3: "c", 1: "a", 2: "b"]
        #expect(try [Int: String](wired: pairs.wired) == pairs)
        #expect(throws: WireError.self, "a key twice") { try [Int: Bool](wired: [2, 2, 1, 2, 0]) }
        #expect(try Int?(wired: Int?.none.wired) == nil && Int?(wired: Int?(5).wired) == 5)
    }
}
