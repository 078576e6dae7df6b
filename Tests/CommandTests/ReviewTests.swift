import Foundation
import Testing

/// A held batch is reviewed and released, as a user does it.
@Suite struct ReviewTests {
    @Test func `a held batch is listed, let out once, and its record says so`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", MovingRows.contract)
        #expect(try harness.run("init", "store").code == 0)
        func ingest(_ text: String, _ more: [String] = []) throws -> Harness.Outcome {
            try harness.write("data.csv", text)
            return try harness.run(
                ["ingest", "data.csv", "--schema", "c.yaml", "--store", "store", "--source", "s"] + more)
        }
        func review(_ arguments: String...) throws -> Harness.Outcome {
            try harness.run(["review"] + arguments + ["--store", "store"])
        }
        #expect(try review("list").out.hasPrefix("none"))
        for seed in 1...4 { #expect(try ingest(MovingRows.table(seed)).code == 0) }
        let run = try ingest(MovingRows.table(9, shift: 3), ["--format", "json"])
        let held = try #require(try harness.report(run)["batch"] as? String)
        let command = "sluice review release \(held) --reason TEXT"
        #expect(run.code == 1)
        // The next batch with the same change names the remedy too, and so do the page of the kept report and the list.
        let echo = try ingest(MovingRows.table(10, shift: 3))
        #expect(
            echo.code == 1 && echo.out.contains("sluice review release \(held) --echoes --reason TEXT"), "\(echo.out)")
        let again = try ingest(MovingRows.table(9, shift: 3))
        #expect(again.code == 1 && again.out.contains(command), "\(again.out)")
        #expect(try harness.run("report", held, "--html", "--store", "store").out.contains(command))
        let listed = try review("list")
        #expect(listed.code == 0 && listed.out.contains(command) && listed.out.contains("(a)"), "\(listed.out)")
        let json = try review("list", "--dataset", "rows", "--format", "json")
        let documents = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [[String: Any]] ?? []
        #expect(documents.count == 2 && documents.last?["batch"] as? String == held)
        #expect(
            documents.last?["next"] as? String == command + " --store store" && documents.last?["rows"] as? Int == 700)
        #expect(try review("list", "--dataset", "none").out.hasPrefix("none"))

        #expect(try review("release", held).code == 64, "a reason is needed")
        let level = try review("release", held, "--reason", "why", "--accept-level", "price")
        #expect(level.code == 64 && level.err.contains("no such field; it has a, b, k"), "\(level.err)")
        let unknown = try review("release", "nothing", "--reason", "why")
        #expect(unknown.code == 64 && unknown.err.contains("sluice review list"), "\(unknown.err)")
        #expect(documents.first?["incident"] as? String == held)
        let released = try review("release", held, "--echoes", "--reason", "prices were raised")
        #expect(
            released.code == 0 && released.out.hasPrefix("batch \(held)  ACCEPTED"), "\(released.out)\(released.err)")
        #expect(released.out.contains("  waive "), "\(released.out)")
        #expect(released.out.contains(" 0 quarantined, 0 rejected"), "\(released.out)")
        let twice = try review("release", held, "--reason", "prices were raised")
        #expect(twice.code == 1 && twice.err.contains("accepted as batch"), "\(twice.out)\(twice.err)")
        #expect(try review("list").out.hasPrefix("none"))

        let log = try harness.run("lineage", "log", "--store", "store")
        #expect(log.out.contains("batch.released") && log.out.contains("prices were raised"), "\(log.out)")
        #expect(try harness.run("lineage", "show", held, "--store", "store").out.contains("batch.released"))
        // Batch ids sort by time; the newest is the batch that was judged again after the release.
        let shards = harness.files(below: "store/accepted").filter { $0.hasSuffix("/0.sluice") }
        let shard = try #require(shards.dropLast().last)
        let trace = try harness.run(
            "lineage", "trace", "store/accepted/" + shard, "--row", "1", "--store", "store")
        #expect(trace.code == 0 && trace.out.contains("released  batch \(held) was held"), "\(trace.out)\(trace.err)")
        #expect(trace.out.contains("waived    "))
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
    }

    @Test func `an error that lists a contract's fields names nobody`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", MovingRows.contract.replacing("name: b,", with: "name: maria.lopez@example.com,"))
        #expect(try harness.run("init", "store").code == 0)
        func ingest(_ text: String, _ more: String...) throws -> Harness.Outcome {
            try harness.write("data.csv", text.replacing("a,b,k", with: "a,maria.lopez@example.com,k"))
            return try harness.run(["ingest", "data.csv", "--schema", "c.yaml", "--store", "store"] + more)
        }
        for seed in 1...4 { #expect(try ingest(MovingRows.table(seed)).code == 0) }
        let held = try #require(
            try harness.report(try ingest(MovingRows.table(9, shift: 3), "--format", "json"))["batch"] as? String)
        let run = try harness.run(
            "review", "release", held, "--reason", "why", "--accept-level", "price", "--store", "store")
        #expect(run.code == 64 && run.err.contains("no such field; it has a, "), "\(run.err)")
        #expect(!run.err.contains("lopez"), "\(run.err)")
    }

    /// Values go to a terminal only, with a reason, and the ledger says so.
    @Test func `held rows are shown on a terminal`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write(
            "c.yaml", "name: d\nfields: [{ name: id, type: integer }, { name: x, type: integer }]\n")
        try harness.write("d.csv", "id,x\n1,first\n2,sec\u{1B}[2Jond\n")
        #expect(try harness.run("init", "store").code == 0)
        let run = try harness.run(
            "ingest", "d.csv", "--schema", "c.yaml", "--store", "store", "--format", "json")
        let batch = try #require(try harness.report(run)["batch"] as? String)
        let words = ["review", "show", batch + ":2", "--show-values", "--store", "store"]
        let piped = try harness.run(words + ["--reason", "check"])
        #expect(piped.code == 64 && piped.err.contains("terminal") && !piped.out.contains("sec"), "\(piped)")
        #expect(try harness.run(words).err.contains("--reason"))
        let bare = try harness.run("review", "show", batch + ":2", "--store", "store")
        #expect(bare.code == 64 && bare.err.contains("--show-values"), "\(bare)")
        let none = try harness.run("lineage", "log", "--store", "store", "--kind", "shard.opened")
        #expect(!none.out.contains("shard.opened"), "\(none.out)")
        let shown = try harness.runInTerminal(
            "review", "show", batch + ":2", "--show-values", "--store", "store", "--reason", "check")
        #expect(shown.code == 0 && shown.out.contains("row 2  2,sec\\x1b[2Jond"), "\(shown)")
        #expect(!shown.out.contains("first"))
        let log = try harness.run("lineage", "log", "--store", "store", "--kind", "shard.opened")
        #expect(log.out.contains("only row 2") && log.out.contains("check"), "\(log.out)")
    }
}
