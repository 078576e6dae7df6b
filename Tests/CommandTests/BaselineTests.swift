import Foundation
import Testing

@Suite struct BaselineTests {
    private func prepared() throws -> Harness {
        let harness = try Harness()
        try harness.write("c.yaml", MovingRows.contract)
        #expect(try harness.run(["init", "store"]).code == 0)
        for index in 0..<6 {
            let run = try ingest(harness, MovingRows.table(index + 1))
            #expect(run.code == 0, "\(run.out)")
        }
        return harness
    }

    private func ingest(_ harness: Harness, _ text: String, source: String = "s", _ more: [String] = []) throws
        -> Harness.Outcome
    {
        try harness.write("data.csv", text)
        return try harness.run(
            ["ingest", "data.csv", "--schema", "c.yaml", "--store", "store", "--source", source] + more)
    }

    @Test func `an anchor changes by approval only, and slow drift away from it is held`() throws {
        let harness = try prepared()
        defer { harness.remove() }
        func baseline(_ arguments: String...) throws -> Harness.Outcome {
            try harness.run(["baseline"] + arguments + ["--store", "store"])
        }
        #expect(try baseline("list").out.contains("no named baseline"))
        #expect(try baseline("build", "first").out.contains("6 batches"))
        #expect(try baseline("list").out.contains("rows\tfirst\tbuilt\t6 batches"))
        // A baseline that was built is not yet approved.
        #expect(try ingest(harness, MovingRows.table(20)).out.contains("rows of accepted batches"))
        #expect(try baseline("approve", "first").code == 64, "a reason is needed")
        #expect(try baseline("approve", "first", "--reason", "looked at").code == 0)
        #expect(try ingest(harness, MovingRows.table(21)).out.contains("rows of baseline first"))
        // Each step is a twentieth of a deviation, so consecutive batches do not differ.
        var steps = 0
        for step in 1...20 {
            let run = try ingest(harness, MovingRows.table(30 + step, shift: 0.05 * Double(step)))
            if run.out.contains("HELD") {
                #expect(run.out.contains("slow drift from the anchor (a)"), "\(run.out)")
                steps = step
                break
            }
        }
        #expect((2...10).contains(steps), "held at step \(steps)")
        let shown = try baseline("show", "first", "--json").out
        #expect(shown.contains("\"rows\": 4200") && shown.contains("\"kind\": \"category\""))
        #expect(try harness.run(["lineage", "log", "--store", "store"]).out.contains("baseline.approved"))
        #expect(try harness.run(["lineage", "verify", "--files", "--store", "store"]).code == 0)
        #expect(try baseline("retire", "first", "--reason", "old").code == 0)
        #expect(try baseline("list").out.contains("retired"))
        #expect(try baseline("approve", "first", "--reason", "again").err.contains("retired"))
        #expect(try ingest(harness, MovingRows.table(60)).out.contains("rows of accepted batches"))
    }

    @Test func `a pinned baseline is judged by alone, baselines are compared, and mistakes are named`() throws {
        let harness = try prepared()
        defer { harness.remove() }
        func baseline(_ arguments: String...) throws -> Harness.Outcome {
            try harness.run(["baseline"] + arguments + ["--store", "store"])
        }
        #expect(try baseline("build", "three", "--last", "3").out.contains("3 batches"))
        #expect(try baseline("pin", "three", "--reason", "a fair").code == 0)
        let run = try ingest(harness, MovingRows.table(70), ["--format", "json"])
        #expect(run.out.contains("\"baseline\": \"three\"") && run.out.contains("\"basisRows\": 2"))
        #expect(try baseline("diff", "three").code == 0)
        #expect(try baseline("diff", "three", "rolling", "--json").out.contains("distribution-drift"))
        for (arguments, words) in [
            (["build", "three"], "already"), (["approve", "none", "--reason", "x"], "no baseline none"),
            (["build", "x/y"], "letters"), (["show", "nobody"], "no baseline"),
            (["build", "four", "--batches", "0000"], "not an accepted batch"),
            (["build", "five", "--dataset", "other"], "accepted no batch"),
        ] {
            let refused = try harness.run(["baseline"] + arguments + ["--store", "store"])
            #expect(refused.code == 64 && refused.err.contains(words), "\(arguments): \(refused.err)")
        }
    }

    @Test func `a source is judged by its own batches`() throws {
        let harness = try prepared()
        defer { harness.remove() }
        // A new supplier, whose rows have other values, is judged by all batches, and held.
        #expect(try ingest(harness, MovingRows.table(80, shift: 3), source: "other").out.contains("HELD"))
        // One with similar values is judged by all batches until it has enough rows of its own, however few it sends at
        // first.
        #expect(try ingest(harness, MovingRows.table(81, count: 20), source: "third").out.contains("base  4,"))
        for index in 0..<3 {
            let run = try ingest(harness, MovingRows.table(82 + index), source: "third").out
            #expect(
                run.contains("base  4,") || run.contains("base  5,") || run.contains("base  6,"), "\(run)")
        }
        let own = try ingest(harness, MovingRows.table(86), source: "third").out
        #expect(own.contains("base  2,1"), "\(own)")
    }
}
