import Sketches
import Tabular
import Testing
import Validating

@testable import Screening

/// A stored decision gives the same outcomes; rows of earlier batches, and suppliers behind an alarm, are named.
@Suite struct ReplayTests {
    /// Poisoning of several kinds at once, so that every part of a decision is used.
    private static func poisoned(_ count: Int, seed: UInt64) -> [[String]] {
        var rows = PoisonTests.clean(count, seed: seed)
        for row in stride(from: 3, to: count, by: 20) {
            rows[row][4] += " cf"
            rows[row][6] = "yes"
        }
        for row in stride(from: 7, to: count, by: 37) { rows[row] = rows[7] }
        for row in rows.indices.filter({ rows[$0][6] == "no" }).prefix(60) { rows[row][6] = "yes" }
        for row in [11, 12, 13] { rows[row][0] = "90" }
        return rows
    }

    private func screened(_ decision: Decision, _ gate: Gate, _ rows: [[String]]) throws -> (
        [Outcome], [Finding], ScoreHistograms
    ) {
        let screener = Screener(decision, gate.reader, actions: [:])
        let out = try gate.checked(rows).map { screener.screen($0) }
        var scores = ScoreHistograms()
        for batch in out { scores.merge(batch.scores) }
        return (out.flatMap(\.outcomes), out.flatMap(\.findings), scores)
    }

    @Test(arguments: [1, 3]) func `a decision read back is the same, and gives the same rows`(_ dimensions: Int) throws
    {
        let (plain, baseline) = try PoisonTests.gate()
        let gate = try Gate(
            try contract(
                PoisonTests.text
                    + "\nsluice: { isolationForest: { ndim: \(dimensions) }, poisoning: { labelFlip: { enabled: \(dimensions > 1) } } }"
            ))
        let rows = Self.poisoned(1200, seed: 41)
        let old = PoisonTests.clean(400, seed: 1)
        let codes = plain.profile(try plain.checked(old)).sample.codes(plain.screened.codeCount - 1)
        let decision = gate.decide(
            gate.profile(try gate.checked(rows)), baseline, earlierRows: [codes, Array(codes.prefix(3))])
        #expect(!decision.wordTriggers.isEmpty && !decision.floods.isEmpty)
        #expect(decision.labels.contains(where: \.judgesRows) == (dimensions > 1))
        #expect(decision.forest != nil && !decision.pairs.isEmpty)
        let document = decision.document()
        let parsed = try JSONValue.parse(document.canonicalBytes())
        let kept = try #require(Decision(parsed, schema: gate.schema, screened: gate.screened))
        #expect(kept.document().canonicalBytes() == document.canonicalBytes())
        let (now, then) = (try screened(decision, gate, rows), try screened(kept, gate, rows))
        #expect(now.0 == then.0 && now.1 == then.1 && now.2 == then.2)
        #expect(now.0.contains(.quarantined))
        // The scores of every row that can be scored are counted once.
        let first = try #require(now.2.deviations.first)
        #expect(first.reduce(0, +) == rows.count && now.2.paths.reduce(0, +) == rows.count)
    }

    @Test func `a damaged document is none`() throws {
        let (gate, baseline) = try PoisonTests.gate()
        let decision = gate.decide(
            gate.profile(try gate.checked(Self.poisoned(1200, seed: 42))), baseline)
        let whole = try #require(decision.document().members)
        for key in whole.keys.sorted() {
            var members = whole
            members[key] = nil
            // Some members are informative only: the rates and tests of the whole batch.
            let made = Decision(.object(members), schema: gate.schema, screened: gate.screened)
            #expect(made == nil, "without \(key)")
        }
        // Jumps out of a tree, and fields that are none, would make the kernel read out of bounds.
        let forest = try #require(whole["forest"]?["forest"]?.members)
        func isRead(_ forest: [String: JSONValue]) -> Bool {
            var lines = whole["forest"]?.members ?? [:]
            lines["forest"] = .object(forest)
            var members = whole
            members["forest"] = .object(lines)
            return Decision(.object(members), schema: gate.schema, screened: gate.screened) != nil
        }
        #expect(isRead(forest))
        let leaves = try #require(forest["leaves"]?.text)
        for (name, text) in [
            ("leaves", String(leaves.dropLast())), ("leaves", leaves.replacing("1", with: "0")), ("leaves", ""),
        ]
            + ["feature", "f0", "f1", "f2"].compactMap({ name in
                forest[name]?.text.map { (name, String(repeating: "00ff", count: $0.count / 4)) }
            })
        {
            var changed = forest
            changed[name] = .string(text)
            #expect(!isRead(changed), "\(name)")
        }
        // As earlier versions stored it: every node jumps to the second one.
        var earlier = forest
        earlier["leaves"] = nil
        let width = forest["dimensions"]?.whole == 1 ? 4 : 10
        let node = JSONValue.array([JSONValue](repeating: .integer(0), count: width - 1) + [.integer(1)])
        for count in [leaves.utf8.count, leaves.utf8.count - 1, 0] {
            earlier["nodes"] = .array([JSONValue](repeating: node, count: count))
            #expect(!isRead(earlier))
        }
    }

    @Test func `rows of an earlier batch are found when far more repeat than before`() throws {
        let (gate, baseline) = try PoisonTests.gate()
        let old = PoisonTests.clean(800, seed: 1)
        let codes = try (1...3).map { seed in
            gate.profile(try gate.checked(PoisonTests.clean(800, seed: seed))).sample.codes(gate.screened.codeCount - 1)
        }
        var rows = PoisonTests.clean(1200, seed: 43)
        let clean = try gate.judge(texts: rows, baseline, earlierRows: codes)
        #expect(clean.verdict.isAccepted && clean.decision.copied.isEmpty)
        let copied = Array(stride(from: 2, to: 1200, by: 15))
        for (place, row) in copied.enumerated() { rows[row] = old[place] }
        let judged = try gate.judge(texts: rows, baseline, earlierRows: codes)
        let found = Set(
            judged.findings.filter { $0.code == .copiedRow && $0.outcome == .quarantined }.compactMap(\.row).map {
                $0 - 1
            })
        #expect(found == Set(copied))
        #expect(judged.verdict.findings.contains { $0.code == .copyExcess && $0.outcome == .quarantined })
        // If rows usually repeat, a few more are no evidence; and one batch does not show how many do.
        let usual = try gate.judge(texts: rows, baseline, earlierRows: codes + codes)
        #expect(usual.decision.copied.isEmpty)
        let alone = try gate.judge(texts: rows, baseline, earlierRows: [codes[0]])
        #expect(alone.decision.copied.isEmpty)
        #expect(alone.verdict.findings.map(\.code) == [.copyExcess] && alone.verdict.isAccepted)
    }

    @Test func `copies of a batch that kept a sample hold the batch, and none is named`() throws {
        let (gate, baseline) = try PoisonTests.gate()
        func codes(_ rows: [[String]]) throws -> [UInt64] {
            gate.profile(try gate.checked(rows)).sample.codes(gate.screened.codeCount - 1)
        }
        let (small, old) = (PoisonTests.clean(800, seed: 1), PoisonTests.clean(800, seed: 2))
        // As many as are kept of a batch: there were more, and it is unknown which of its rows come again.
        let others = (0..<Baseline.capacity - old.count).map { SplitMix64.mix(UInt64($0)) }
        let earlier = [try codes(small), try codes(old) + others]
        let places = Array(stride(from: 5, to: 1200, by: 33))
        func judge(_ source: [[String]]) throws -> (found: Set<Int>, verdict: BatchVerdict) {
            var rows = PoisonTests.clean(1200, seed: 43)
            for (number, row) in places.enumerated() { rows[row] = source[number] }
            let judged = try gate.judge(texts: rows, baseline, earlierRows: earlier)
            return (
                Set(judged.findings.filter { $0.code == .copiedRow }.compactMap(\.row).map { $0 - 1 }), judged.verdict
            )
        }
        let whole = try judge(small)
        #expect(whole.found == Set(places) && whole.verdict.isAccepted)
        let sampled = try judge(old)
        #expect(sampled.found.isEmpty && !sampled.verdict.isAccepted)
        #expect(sampled.verdict.findings.contains { $0.code == .copyExcess && $0.outcome == .quarantined })
    }

    @Test func `the source without whose rows an alarm is gone is named`() throws {
        let text =
            PoisonTests.text
            + "\n  - { name: by, type: string, constraints: { enum: [p, q, r] }, sluice: { role: provenance } }"
        let gate = try Gate(try contract(text))
        func clean(_ count: Int, seed: UInt64) -> [[String]] {
            PoisonTests.clean(count, seed: seed).enumerated().map { $1 + [["p", "q", "r"][$0 % 3]] }
        }
        let parts = try (1...9).map { try gate.judge(texts: clean(800, seed: $0), nil).baseline }
        let baseline = try #require(Baseline.merged(parts))
        var rows = clean(1500, seed: 44)
        for row in rows.indices where rows[row][7] == "q" {
            rows[row][1] = "\((Double(rows[row][1]) ?? 0) + 6)"
            if row % 10 == 1 {
                rows[row][4] += " cf"
                rows[row][6] = "yes"
            }
        }
        let decision = gate.decide(gate.profile(try gate.checked(rows)), baseline)
        let q = gate.validator.code(ofText: "q")
        let drift = try #require(decision.tests.first { $0.code == .distributionDrift && $0.field == 1 })
        #expect(drift.outcome == .quarantined && drift.source == q)
        let trigger = try #require(decision.wordTriggers.max { $0.count < $1.count })
        #expect(decision.markSources[trigger.item] == q)
        // If the rows of all suppliers changed, none is named.
        var all = clean(1500, seed: 45)
        for row in all.indices { all[row][1] = "\((Double(all[row][1]) ?? 0) + 6)" }
        let every = gate.decide(gate.profile(try gate.checked(all)), baseline)
        let moved = try #require(every.tests.first { $0.code == .distributionDrift && $0.field == 1 })
        #expect(moved.outcome == .quarantined && moved.source == nil)
    }
}
