import Reading
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// Several suppliers' values for the same keys, with votes weighted by their records.
@Suite struct CrossCheckTests {
    private static let text = """
        fields:
          - { name: id, type: integer }
          - { name: by, type: string, sluice: { role: provenance } }
          - { name: price, type: number }
          - { name: kind, type: string }
          - { name: at, type: datetime }
        sluice:
          poisoning:
            crossVerify:
              key: [id]
              fields: { price: { tolerance: 0.01 }, kind: {}, at: { skew: 60 } }
        """

    private func check(_ rows: [[String]], earlier: [EarlierAssertions] = [], more: String = "") throws -> (
        CrossCheck, RowSample, Gate, AssertionReader
    ) {
        let gate = try Gate(try contract(Self.text + more))
        let reader = try #require(AssertionReader(gate.validator, source: "batch"))
        var assertions = reader.empty
        for batch in try gate.checked(rows) { reader.add(batch, to: &assertions) }
        assertions.compact()
        return (CrossCheck(assertions, earlier: earlier, reader), assertions, gate, reader)
    }

    private func row(
        _ id: Int, _ by: String, _ price: String, kind: String = "k", at: String = "2026-01-01T00:00:00Z"
    )
        -> [String]
    { ["\(id)", by, price, kind, at] }

    @Test func `of three the larger half is believed, and only the other is in doubt`() throws {
        let (cross, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "10.05"), row(1, "c", "12")])
        #expect(cross.conflicts.map(\.row) == [3] && cross.conflicts.map(\.field) == [2])
        #expect(cross.conflicts[0].sources == 3 && abs(cross.conflicts[0].support - 1 / 3.0) < 1e-9)
        #expect(cross.compared == 9 && cross.shared == 3)
        #expect(cross.tallies.values.map { $0.differed.reduce(0, +) }.sorted() == [0, 0, 1])
    }

    @Test func `two that differ are both in doubt, and neither is blamed`() throws {
        let (cross, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "12"), row(2, "a", "5"), row(3, "b", "6")])
        #expect(cross.conflicts.map(\.row) == [1, 2] && cross.shared == 2)
        #expect(cross.tallies.values.allSatisfy { $0.differed.reduce(0, +) == 0 })
    }

    @Test func `without a larger half all are in doubt`() throws {
        let (cross, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "12"), row(1, "c", "14")])
        #expect(cross.conflicts.map(\.row) == [1, 2, 3])
    }

    @Test func `tolerances, spaces, forms of text and skew are no difference`() throws {
        let (cross, _, _, _) = try check([
            row(1, "a", "100", kind: "caf\u{E9}", at: "2026-01-01T00:00:00Z"),
            row(1, "b", "100.9", kind: " cafe\u{301} ", at: "2026-01-01T01:00:59+01:00"),
            row(2, "a", "100", kind: "x", at: "2026-01-01T00:00:00Z"),
            row(2, "b", "102", kind: "y", at: "2026-01-01T00:02:00Z"),
        ])
        #expect(cross.conflicts.map(\.row) == [3, 3, 3, 4, 4, 4])
    }

    @Test func `fewer sources than asked are not compared, a source counts once, and a missing value says nothing`()
        throws
    {
        let three = "\n      minSources: 3"
        let (few, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "12")], more: three)
        #expect(few.conflicts.isEmpty && few.compared == 0)
        // The same supplier twice is no majority, and contradicts itself.
        let (twice, _, _, _) = try check([row(1, "a", "10"), row(1, "a", "12"), row(1, "b", "12")])
        #expect(twice.conflicts.map(\.row) == [1])
        // The newest claim counts, not the larger number.
        let (corrected, _, _, _) = try check([row(1, "a", "20"), row(1, "a", "10"), row(1, "b", "10")])
        #expect(corrected.conflicts.map(\.row) == [1])
        let (missing, _, _, _) = try check([row(1, "a", ""), row(1, "b", "12"), row(1, "c", "")])
        #expect(missing.conflicts.isEmpty)
    }

    @Test func `what earlier batches said counts, and released values that are contradicted now are told of`() throws {
        let (first, assertions, _, reader) = try check([row(1, "liar", "99"), row(2, "liar", "5")])
        #expect(first.conflicts.isEmpty)
        var one = EarlierAssertions(batch: "one", assertions, first, reader)
        let (second, more, _, _) = try check([row(1, "b", "10")], earlier: [one])
        #expect(second.conflicts.map(\.row) == [1], "one word against another")
        let two = EarlierAssertions(batch: "two", more, second, reader)
        var heard = Set<UInt64>()
        one.keep(keysOf: more, heard: &heard)
        #expect(one.rows.count == 1)
        var again = one
        again.keep(keysOf: more, heard: &heard)
        #expect(again.rows.count == 0, "a newer word of the same source is there")
        let (third, _, _, _) = try check([row(1, "c", "10.01")], earlier: [two, one])
        #expect(third.conflicts.isEmpty && third.contradicted == ["one": 1])
        // Stored and read again.
        let kept = try #require(EarlierAssertions(decoding: two.encoded(), batch: "two"))
        #expect(kept == two)
        #expect(EarlierAssertions(decoding: Array(two.encoded().dropLast()), batch: "two") == nil)
    }

    @Test func `infinity is near to nothing else, and a row without a source is its sender's`() throws {
        let (infinite, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "10"), row(1, "c", "INF")])
        #expect(infinite.conflicts.map(\.row) == [3])
        let (nameless, _, _, _) = try check([row(1, "a", "10"), row(1, "b", "10"), row(1, "", "57")])
        #expect(nameless.conflicts.map(\.row) == [3])
    }

    @Test func `a sender's rows speak for its own names only, and a key has room for so many`() throws {
        let gate = try Gate(try contract(Self.text))
        let (one, two) = (
            try #require(AssertionReader(gate.validator, source: "one")),
            try #require(AssertionReader(gate.validator, source: "two"))
        )
        #expect(
            one.code(ofNamed: "two") != two.code(ofSource: "two")
                && one.code(ofNamed: "one") == one.code(ofSource: "one"))
        let crowd = (0..<3000).map { row(1, "s\($0)", "10") } + [row(1, "s0", "99")]
        let (cross, _, _, _) = try check(crowd)
        #expect(cross.compared <= 3 * 33 && cross.tallies.count <= 33)
    }

    @Test func `assertions of another form are not held against these`() throws {
        let (cross, assertions, _, reader) = try check([row(1, "a", "10")])
        let kept = EarlierAssertions(batch: "x", assertions, cross, reader)
        #expect(kept.fits(reader))
        let other = try Gate(
            try contract(
                Self.text.replacing("name: price, type: number", with: "name: price, type: string").replacing(
                    "{ tolerance: 0.01 }", with: "{}")))
        #expect(!kept.fits(try #require(AssertionReader(other.validator, source: "batch"))))
    }

    @Test func `many new names do not outvote a source with a record`() throws {
        let (_, _, _, reader) = try check([row(1, "a", "1")])
        var tally = SourceTally(fields: 3)
        tally.agreed = [80, 80, 80]
        let record = EarlierAssertions(
            batch: "old", names: reader.names, rows: reader.empty,
            tallies: [reader.code(ofNamed: "good"): tally])
        let rows = [row(1, "good", "10")] + (1...40).map { row(1, "sybil\($0)", "99") }
        let (cross, _, _, _) = try check(rows, earlier: [record])
        #expect(cross.conflicts.count >= 30 && !cross.conflicts.contains { $0.row == 1 })
        let (plain, _, _, _) = try check(Array(rows.prefix(6)))
        #expect(plain.conflicts.map(\.row) == [1], "without a record one word is as good as another")
    }

    @Test func `a source that is contradicted too often is not trusted, and all its rows are held back`() throws {
        var rows: [[String]] = []
        for id in 1...60 {
            rows += [row(id, "a", "10"), row(id, "b", "10"), row(id, "c", id % 2 == 0 ? "20" : "10", kind: "k")]
        }
        let (cross, _, gate, reader) = try check(rows)
        #expect(cross.distrusted == [reader.code(ofNamed: "c")])
        #expect(cross.conflicts.count == 30)
        var decision = Decision(
            gate.profile(try gate.checked(rows)), beside: Precedents(), schema: gate.schema, screened: gate.screened,
            seed: 1)
        (decision.cross, decision.sourceNames) = (cross, [reader.code(ofNamed: "c"): "c"])
        let features = FeatureReader(gate.screened, gate.validator, assertions: reader)
        let screener = Screener(decision, features, actions: [:])
        let screened = try gate.checked(rows).map { screener.screen($0) }
        let held = screened.flatMap { $0.findings.filter { $0.code == .sourceDistrusted } }
        #expect(held.count == 60 && held.allSatisfy { $0.rule == "source c" && $0.outcome == .quarantined })
        #expect(screened.flatMap(\.outcomes).count { $0 == .quarantined } == 60)
    }

    @Test func `the bound of a share is that of the beta distribution`() {
        // scipy.stats.beta.ppf(0.05, 1 + a, 1 + d).
        for (agreed, differed, expected) in [
            (0, 0, 0.05), (50, 0, 0.942952), (45, 5, 0.804849), (10, 10, 0.328109), (0, 1, 0.025321),
        ] {
            #expect(abs(Significance.betaLower(agreed, differed) - expected) < 1e-6, "\(agreed) \(differed)")
        }
        #expect(Significance.betaLower(1000, 10) > 0.98)
    }
}
