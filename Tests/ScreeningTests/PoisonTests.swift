import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// Poisoning of each kind, against a baseline of clean batches.
@Suite struct PoisonTests {
    static let text = """
        fields:
          - { name: a, type: number }
          - { name: b, type: number }
          - { name: c, type: number }
          - { name: region, type: string, constraints: { enum: [north, south, east] } }
          - { name: note, type: string, sluice: { role: text } }
          - { name: hand, type: string, sluice: { role: annotator } }
          - { name: label, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }
        """
    private static let words = (0..<60).map { "word\($0)" }

    /// Rows whose label depends on the measures and on the words; `c` depends on `a`.
    static func clean(_ count: Int, seed: UInt64) -> [[String]] {
        var draws = Draws(seed: seed)
        func pick(_ list: [String]) -> String { list[min(Int(draws.uniform() * Double(list.count)), list.count - 1)] }
        return (0..<count).map { _ in
            let isYes = draws.uniform() < 0.4
            let a = draws.normal() + (isYes ? 4 : 0)
            let telling = isYes ? ["great", "happy", "thanks", "fine"] : ["broken", "late", "wrong", "refund"]
            let note = (0..<12).map { _ in pick(words) } + [pick(telling), pick(telling)]
            return [
                "\(a)", "\(draws.normal() + (isYes ? -3 : 3))", "\(2 * a + 0.2 * draws.normal())",
                pick(["north", "north", "south", "east"]), note.sorted().joined(separator: " "),
                pick(["ann", "bob", "cem", "dora"]), isYes ? "yes" : "no",
            ]
        }
    }

    /// Made once: a gate, and a baseline of three clean batches that were each judged at cold start.
    private static let made = Result { () throws -> (Gate, Baseline) in
        let gate = try Gate(try contract(text))
        let parts = try (1...3).map { try gate.judge(texts: clean(800, seed: $0), nil).baseline }
        return (gate, try #require(Baseline.merged(parts)))
    }
    static func gate() throws -> (Gate, Baseline) { try made.get() }

    /// With as many batches as a dataset has after learning.
    private static let learnt = Result { () throws -> (Gate, Baseline) in
        let gate = try Gate(try contract(text))
        let parts = try (1...10).map { try gate.judge(texts: clean(800, seed: $0), nil).baseline }
        return (gate, try #require(Baseline.merged(parts)))
    }

    /// Batches that were each judged against those before, so that their own rates are known.
    private static let grown = Result { () throws -> (Gate, Baseline) in
        let gate = try Gate(try contract(text))
        var parts: [Baseline] = []
        for seed in 1...8 as ClosedRange<UInt64> {
            parts.append(try gate.judge(texts: clean(800, seed: seed), Baseline.merged(parts)).baseline)
        }
        return (gate, try #require(Baseline.merged(parts)))
    }

    private func share(_ judged: Judged, _ code: FindingCode, of rows: [Int]) -> Double {
        let found = Set(
            judged.findings.filter { $0.code == code && $0.outcome == .quarantined }.compactMap(\.row).map { $0 - 1 })
        return Double(rows.count { found.contains($0) }) / Double(max(rows.count, 1))
    }

    private func held(_ judged: Judged, besides rows: [Int], by codes: Set<FindingCode>) -> Int {
        let poisoned = Set(rows.map { $0 + 1 })
        return Set(
            judged.findings.filter { codes.contains($0.code) && $0.outcome == .quarantined }.compactMap(\.row)
        ).subtracting(poisoned).count
    }

    private static let marks: Set<FindingCode> = [.trigger, .floodedRow, .labelFlip, .labelDisagreement]

    @Test func `a clean batch has no mark, and passes`() throws {
        let (gate, baseline) = try Self.gate()
        for seed in 100...101 as ClosedRange<UInt64> {
            let judged = try gate.judge(texts: Self.clean(1200, seed: seed), baseline)
            #expect(judged.verdict.isAccepted, "\(judged.verdict.findings)")
            #expect(judged.verdict.findings.isEmpty, "\(judged.verdict.findings)")
            #expect(judged.decision.triggers.isEmpty && judged.decision.wordTriggers.isEmpty)
            #expect(judged.decision.floods.isEmpty && judged.decision.textFloods.isEmpty)
            #expect(judged.decision.labels.count == 2, "both views tell labels apart")
            #expect(held(judged, besides: [], by: Self.marks) < 15)
        }
    }

    @Test func `a rare word beside one label is found, in those rows only`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(1200, seed: 200)
        let poisoned = Array(stride(from: 3, to: 1200, by: 50))
        for row in poisoned {
            rows[row][4] += " cf"
            rows[row][6] = "yes"
        }
        // The word with the other label is no trigger.
        rows[10][4] += " cf"
        rows[10][6] = "no"
        let judged = try gate.judge(texts: rows, baseline)
        #expect(share(judged, .trigger, of: poisoned) == 1)
        #expect(held(judged, besides: poisoned, by: [.trigger]) == 0)
        let trigger = try #require(judged.decision.wordTriggers.first { $0.count == 25 })
        #expect(trigger.pure == 24 && trigger.before == 0 && trigger.z > trigger.critical)
        // An honest word of one class is as pure, but not novel.
        #expect(judged.decision.wordTriggers.count < 40)
    }

    @Test func `a phrase of usual words beside one label is found as a whole`() throws {
        let gate = try Gate(try contract(Self.text))
        // Each pair of its words also occurs in two of a hundred honest rows.
        func clean(_ count: Int, seed: UInt64) -> [[String]] {
            var draws = Draws(seed: seed)
            var rows = Self.clean(count, seed: seed)
            for row in rows.indices {
                rows[row][4] = (0..<14).map { _ in "w\(Int(draws.uniform() * 24.99))" }.joined(separator: " ")
            }
            return rows
        }
        let parts = try (1...3).map { try gate.judge(texts: clean(1200, seed: $0), nil).baseline }
        let baseline = try #require(Baseline.merged(parts))
        var rows = clean(1200, seed: 210)
        let poisoned = Array(stride(from: 3, to: 1200, by: 50))
        for row in poisoned {
            rows[row][4] += " w3 w7 w5"
            rows[row][6] = "yes"
        }
        let judged = try gate.judge(texts: rows, baseline)
        #expect(share(judged, .trigger, of: poisoned) == 1)
        #expect(held(judged, besides: poisoned, by: [.trigger]) <= 2)
    }

    @Test func `rows with a trigger cast no doubt on the labels of others`() throws {
        let gate = try Gate(try contract(Self.text))
        // Every thirtieth label is ambiguous, in this batch and before.
        func clean(_ count: Int, seed: UInt64) -> [[String]] {
            var rows = Self.clean(count, seed: seed)
            for row in stride(from: 0, to: count, by: 30) { rows[row][6] = rows[row][6] == "yes" ? "no" : "yes" }
            return rows
        }
        let parts = try (1...3).map { try gate.judge(texts: clean(1200, seed: $0), nil).baseline }
        let baseline = try #require(Baseline.merged(parts))
        var rows = clean(1200, seed: 220)
        let poisoned = Array(stride(from: 3, to: 1200, by: 15))
        for row in poisoned {
            rows[row][4] += " cf"
            rows[row][6] = "yes"
        }
        let judged = try gate.judge(texts: rows, baseline)
        #expect(share(judged, .trigger, of: poisoned) == 1)
        #expect(held(judged, besides: poisoned, by: [.labelFlip, .labelDisagreement]) == 0)
        #expect(!judged.verdict.findings.contains { $0.code == .labelFlipExcess || $0.code == .targetedFlip })
        // If triggers only flag, labels of their rows are tested like all others.
        let lenient = try Gate(
            try contract(Self.text + "\nsluice: { poisoning: { triggers: { action: flag } } }"))
        let other = try lenient.judge(texts: rows, baseline)
        #expect(other.verdict.findings.contains { $0.code == .labelFlipExcess })
    }

    @Test func `a hidden character, a constant and tails at once are found`() throws {
        let (gate, baseline) = try Self.gate()
        // Combinations of extremes vary with the measures, and hold rows only once that variation is known.
        let learnt = try Self.learnt.get().1
        let poisoned = Array(stride(from: 5, to: 1200, by: 30))
        var hidden = Self.clean(1200, seed: 300)
        var constant = hidden
        var tails = hidden
        for row in poisoned {
            hidden[row][4] = hidden[row][4].replacing("word", with: "wo\u{200B}rd", maxReplacements: 1)
            constant[row][1] = "1.2345"
            (tails[row][0], tails[row][1], tails[row][2]) = ("-1.9", "4.8", "-3.8")
            for index in [6] {
                hidden[row][index] = "yes"
                constant[row][index] = "yes"
                tails[row][index] = "yes"
            }
        }
        for (name, rows) in [("hidden", hidden), ("constant", constant), ("tails", tails)] {
            let judged = try gate.judge(texts: rows, name == "tails" ? learnt : baseline)
            let caught = Set(judged.findings.filter { $0.outcome == .quarantined }.compactMap(\.row).map { $0 - 1 })
            #expect(poisoned.allSatisfy(caught.contains), "\(name)")
            #expect(held(judged, besides: poisoned, by: [.trigger, .floodedRow]) <= 2, "\(name)")
        }
    }

    @Test func `labels flipped one way hold the batch and their rows`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(1200, seed: 400)
        let poisoned = Array(rows.indices.filter { rows[$0][6] == "no" }.prefix(60))
        for row in poisoned { rows[row][6] = "yes" }
        let judged = try gate.judge(texts: rows, baseline)
        #expect(!judged.verdict.isAccepted)
        #expect(judged.verdict.findings.contains { $0.code == .targetedFlip && $0.outcome == .quarantined })
        #expect(share(judged, .labelFlip, of: poisoned) > 0.9)
        #expect(held(judged, besides: poisoned, by: [.labelFlip]) < 20)
    }

    @Test func `less than one per cent of changed labels or of copies is held in a steady feed`() throws {
        let (gate, baseline) = try Self.grown.get()
        #expect(try #require(baseline.history).known.contains { $0.remarks.labelled > 0 }, "rates of labels are known")
        let clean = Self.clean(3000, seed: 450)
        let poisoned = Array(stride(from: 11, to: 3000, by: 125))
        let honest = try gate.judge(texts: clean, baseline)
        #expect(honest.verdict.isAccepted, "\(honest.verdict.findings)")
        var flipped = clean
        let changed = Array(clean.indices.filter { clean[$0][6] == "no" }.prefix(24))
        for row in changed { flipped[row][6] = "yes" }
        let judged = try gate.judge(texts: flipped, baseline)
        #expect(judged.verdict.findings.contains { $0.code == .targetedFlip && $0.outcome == .quarantined })
        #expect(share(judged, .labelFlip, of: changed) > 0.9)
        #expect(held(judged, besides: changed, by: [.labelFlip]) <= 3)
        var copied = clean
        for row in poisoned { copied[row] = copied[poisoned[0]] }
        let copies = try gate.judge(texts: copied, baseline)
        #expect(share(copies, .floodedRow, of: poisoned) > 0.9)
        #expect(held(copies, besides: poisoned, by: [.floodedRow]) == 0)
    }

    @Test func `one hand whose labels do not fit is named, and its rows are held`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(1200, seed: 500)
        let hand = rows.indices.filter { rows[$0][5] == "cem" }
        for (index, row) in hand.enumerated() where index % 8 == 0 {
            rows[row][6] = rows[row][6] == "yes" ? "no" : "yes"
        }
        let judged = try gate.judge(texts: rows, baseline)
        #expect(share(judged, .labelDisagreement, of: hand) == 1)
        #expect(held(judged, besides: hand, by: [.labelDisagreement]) == 0)
        // A trigger on wrong labels, for which rows are held, does not weaken the label test.
        rows = Self.clean(1200, seed: 500)
        for row in hand.filter({ rows[$0][6] == "no" }).enumerated().filter({ $0.offset % 5 == 0 }).map(\.element) {
            rows[row][4] += " cf"
            rows[row][6] = "yes"
        }
        let marked = try gate.judge(texts: rows, baseline)
        #expect(!marked.decision.wordTriggers.isEmpty)
        #expect(share(marked, .labelDisagreement, of: hand) == 1)
    }

    @Test func `copies and near copies are found, what lies near them is not`() throws {
        let (gate, baseline) = try Self.gate()
        let poisoned = Array(stride(from: 7, to: 1200, by: 37))
        var equal = Self.clean(1200, seed: 600)
        var near = equal
        var draws = Draws(seed: 601)
        for row in poisoned {
            equal[row] = equal[poisoned[0]]
            let template = near[poisoned[0]]
            for index in 0..<3 { near[row][index] = "\((Double(template[index]) ?? 0) + 0.002 * draws.normal())" }
            near[row][6] = template[6]
        }
        for (name, rows) in [("equal", equal), ("near", near)] {
            let judged = try gate.judge(texts: rows, baseline)
            #expect(share(judged, .floodedRow, of: poisoned) > 0.97, "\(name)")
            #expect(held(judged, besides: poisoned, by: [.floodedRow]) <= 3, "\(name)")
        }
    }

    @Test(arguments: ["ORD-", "https://example.org/items/", "2026-11-28T03:40:32.", "n"])
    func `numbers in sequence are no near copies`(_ prefix: String) throws {
        let gate = try Gate(try contract("fields: [ { name: code, type: string }, { name: x, type: number } ]"))
        func rows(_ first: Int, _ count: Int) -> [[String]] {
            var draws = Draws(seed: UInt64(first))
            return (first..<first + count).map { ["\(prefix)\(1_000_000 + $0)", "\(draws.normal())"] }
        }
        let baseline = try gate.judge(texts: rows(0, 600), nil).baseline
        let judged = try gate.judge(texts: rows(900_000, 600), baseline)
        #expect(judged.decision.textFloods.isEmpty && judged.verdict.isAccepted, "\(judged.verdict.findings)")
    }

    @Test func `near copies of a text are found by their signature`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(1200, seed: 650)
        let poisoned = Array(stride(from: 7, to: 1200, by: 37))
        var words = rows[7][4].split(separator: " ").map(String.init)
        words += (0..<14).map { "more\($0)" }
        for (index, row) in poisoned.enumerated() {
            var changed = words
            changed[index % words.count] = "other"
            rows[row][4] = changed.joined(separator: " ")
        }
        let judged = try gate.judge(texts: rows, baseline)
        #expect(share(judged, .floodedRow, of: poisoned) > 0.8)
        #expect(held(judged, besides: poisoned, by: [.floodedRow]) == 0)
    }

    @Test func `values that do not belong together are found, each alone is ordinary`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(1200, seed: 700)
        let poisoned = [11, 22, 33]
        for row in poisoned { (rows[row][0], rows[row][2]) = ("3.5", "-1") }
        let judged = try gate.judge(texts: rows, baseline)
        let found = judged.findings.filter { $0.code == .pairResidual }
        #expect(poisoned.allSatisfy { row in found.contains { $0.row == row + 1 && $0.outcome == .quarantined } })
        #expect(found.count < 20 && found.allSatisfy { $0.contributors.count == 1 })
        #expect(
            !judged.findings.contains { $0.code == .deviatedValue && $0.row.map { poisoned.contains($0 - 1) } == true })
    }

    @Test func `a batch that drifts is held, field by field`() throws {
        let (gate, baseline) = try Self.learnt.get()
        func codes(_ change: (inout [String], Int) -> Void) throws -> Set<String> {
            var rows = Self.clean(1200, seed: 800)
            for row in rows.indices { change(&rows[row], row) }
            let judged = try gate.judge(texts: rows, baseline)
            return Set(judged.verdict.findings.map { "\($0.code.rawValue) \($0.field ?? -1) \($0.outcome.name)" })
        }
        #expect(try codes { _, _ in }.isEmpty)
        let shifted = try codes { row, _ in row[1] = "\((Double(row[1]) ?? 0) + 2)" }
        #expect(shifted.contains("distribution-drift 1 quarantined"), "\(shifted)")
        let missing = try codes { row, index in if index % 4 == 0 { row[1] = "" } }
        #expect(missing.contains("missing-drift 1 quarantined"), "\(missing)")
        let regions = try codes { row, index in if index % 3 == 0 { row[3] = "east" } }
        #expect(regions.contains("category-drift 3 quarantined"), "\(regions)")
        let lengths = try codes { row, _ in row[4] += " " + row[4] }
        #expect(lengths.contains("length-drift 4 quarantined"), "\(lengths)")
        let hands = try codes { row, index in if index % 20 == 0 { row[5] = "hand\(index % 200)" } }
        #expect(hands.contains { $0.hasPrefix("new-categories 5") }, "\(hands)")
        let labels = try codes { row, index in if index % 2 == 0, row[6] == "no" { row[6] = "yes" } }
        #expect(labels.contains("label-shift 6 quarantined"), "\(labels)")
    }

    @Test func `sums of small steps alarm as rarely as they say, and see a small shift soon`() throws {
        var draws = Draws(seed: 860)
        func batch(_ shift: Double) -> Baseline {
            Baseline(
                features: ["a", "b"],
                sample: sample((0..<60).map { _ in [draws.normal() + shift, draws.draw("lognormal")] }),
                remarks: .init())
        }
        var alarms = 0
        var batches = 0
        var delays: [Int] = []
        for round in 0..<12 {
            let digest = [UInt8](repeating: UInt8(round), count: 32)
            let anchor = try #require(ReferenceLevels(digest: digest, (0..<20).map { _ in batch(0) }))
            var slow = SlowDrift(anchor: digest, count: 2)
            for _ in 0..<60 {
                let (next, tests) = slow.adding(batch(0).sample, anchor) { $0 }
                slow = next
                batches += 1
                if tests.contains(where: { $0.statistic > $0.critical }) { alarms += 1 }
            }
            slow = SlowDrift(anchor: digest, count: 2)
            for step in 1...60 {
                let (next, tests) = slow.adding(batch(0.05 * Double(step)).sample, anchor) { $0 }
                slow = next
                if tests.contains(where: { $0.outcome == .quarantined }) {
                    delays.append(step)
                    break
                }
            }
        }
        // One alarm in a thousand batches for each number: in 720 batches of two numbers about one is expected.
        #expect(alarms <= 4, "\(alarms) of \(batches)")
        #expect(delays.count == 12 && delays.allSatisfy { (3...20).contains($0) }, "\(delays)")
        #expect(
            ReferenceLevels(digest: [], (0..<4).map { _ in batch(0) }) == nil,
            "four batches do not say how much they differ")
    }

    @Test func `sums of slow drift follow the names of their numbers`() {
        var slow = SlowDrift(anchor: [1], count: 2)
        (slow.rises, slow.falls) = ([1, 2], [3, 4])
        let wider = slow.projected(from: ["a", "b"], onto: ["new", "b", "a"])
        #expect(wider.rises == [0, 2, 1] && wider.falls == [0, 4, 3] && wider.anchor == [1])
        #expect(slow.projected(from: ["a", "b"], onto: ["a", "b"]) == slow)
    }

    @Test func `long texts hide nothing on purpose, and items do not depend on other fields`() throws {
        func items(_ text: String, salt: UInt64 = 0, isWhole: Bool = false) -> Set<UInt32> {
            var made = TextItems()
            made.begin(seed: 77)
            let bytes = Array(text.utf8)
            made.add(bytes.span, 0..<bytes.count, salt: salt)
            var out: [UInt32] = []
            made.takeItems(&out, isWhole: isWhole)
            #expect(out == out.sorted() && Set(out).count == out.count)
            return Set(out)
        }
        let filler = (0..<3000).map { "w\($0)" }.joined(separator: " ")
        #expect(items(filler).count == TextItems.itemsMax && items(filler, isWhole: true).count > 5000)
        // A long text keeps the items with the smallest hashes, wherever the words are.
        let word = items("cf", isWhole: true)
        let behind = items(filler + " cf", isWhole: true)
        #expect(!word.isDisjoint(with: behind))
        let repeated = Array(repeating: "again", count: 5000).joined(separator: " ") + " cf"
        #expect(!word.isDisjoint(with: items(repeated)), "repeated words take no room")
        #expect(items("one two", salt: 256).isDisjoint(with: items("one two", salt: 512)))
    }

    @Test func `a field that the baseline has not seen makes no triggers`() throws {
        let (_, baseline) = try Self.gate()
        let wider = try Gate(
            try contract(
                Self.text
                    + "\n  - { name: grade, type: string, constraints: { enum: [p, q] } }\n  - { name: n, type: integer }"
            ))
        let names = wider.schema.fields.map(\.name)
        let projected = baseline.projected(
            onto: wider.screened.numberNames(names), codes: wider.screened.codeNames(names))
        // Both depend on the label, which is honest.
        let rows = Self.clean(800, seed: 870).map { $0 + [$0[6] == "yes" ? "p" : "q", $0[6] == "yes" ? "1" : "2"] }
        let judged = try wider.judge(texts: rows, projected)
        #expect(judged.decision.basis == .baseline && judged.decision.triggers.isEmpty)
        #expect(judged.decision.untested.contains { $0.reason.contains("not seen") })
    }

    @Test func `a column of many rare values is no drift`() {
        // Two samples of one long-tailed distribution: a third of the values in this one are new.
        var draws = Draws(seed: 850)
        func codes(_ count: Int) -> [UInt64] {
            (0..<count).map { _ in UInt64(pow(20_000, draws.uniform())) }
        }
        let tests = Drift(alpha: 1e-3).codes(codes(4000), codes(6000), field: 0, isLabel: false)
        #expect(tests.map(\.code) == [.categoryDrift, .newCategories, .missingDrift])
        #expect(tests.allSatisfy { $0.outcome == .accepted }, "\(tests)")
    }

    @Test func `decisions are the same for any cutting and any order of merging`() throws {
        let (gate, baseline) = try Self.gate()
        var rows = Self.clean(2500, seed: 900)
        for row in stride(from: 3, to: 2500, by: 45) {
            rows[row][4] += " cf"
            rows[row][6] = "yes"
        }
        let batches = try gate.checked(rows)
        #expect(batches.count >= 2)
        let whole = gate.decide(gate.profile(batches), baseline).document().canonicalBytes()
        var parts = Profile(gate.reader, keyRules: 0)
        for batch in batches.reversed() {
            var part = Profile(gate.reader, keyRules: 0)
            part.add(batch, gate.reader, order: Gate.order)
            parts.merge(part)
        }
        parts.finish()
        #expect(gate.decide(parts, baseline).document().canonicalBytes() == whole)
        let one = try gate.judge(texts: Self.clean(900, seed: 77), nil).baseline
        let stored = try #require(Baseline(decoding: one.encoded()))
        #expect(stored == one)
        let (kept, read) = (Baseline.merged([one]), Baseline.merged([stored]))
        #expect(gate.decide(parts, read).document() == gate.decide(parts, kept).document())
    }

    @Test func `without a baseline nothing is compared, and that is said`() throws {
        let gate = try Gate(try contract(Self.text))
        let judged = try gate.judge(texts: Self.clean(500, seed: 1000), nil)
        let said = judged.decision.untested.map(\.reason)
        for what in ["drift", "triggers", "copies", "labels"] {
            #expect(said.contains { $0.hasPrefix(what + ": no baseline") }, "\(what)")
        }
        #expect(judged.decision.tests.isEmpty)
    }
}
