import Foundation
import Testing

/// A store of pipeline version 11, made by the program as it was then (`Tests/Fixtures/store-pipeline-11.tar.gz`): three accepted batches,
/// held ones, a duplicate, a trusted and a blocked source, an anchor, a published profile, a delivered file, an opened shard, and a
/// batch whose process was killed between its commit and the move of its second file.
@Suite struct `a store of an earlier version` {
    private func fixture() throws -> Harness {
        let harness = try Harness()
        let archive = Harness.repository.appending(path: "Tests/Fixtures/store-pipeline-11.tar.gz").path
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "xzf", archive, "-C", harness.folder]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        // A checkout keeps no permissions except the executable bit.
        for name in ["store", "store/keys"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: harness.path(name))
        }
        return harness
    }

    private func ingest(_ harness: Harness, _ file: String, _ more: String...) throws -> Harness.Outcome {
        try harness.run(
            [
                "ingest", file, "--dataset", "readings", "--schema", "store/schemas/readings.schema.yaml", "--store",
                "store",
            ]
                + ["--source", "met"] + more)
    }

    @Test func `it opens, verifies, finishes what was left, and goes on`() throws {
        let harness = try fixture()
        defer { harness.remove() }
        let before = try harness.run("lineage", "verify", "--files", "--store", "store")
        #expect(before.code == 1 && before.out.contains("intact: 34 entries"), "\(before.out)\(before.err)")
        #expect(before.out.contains("the next sluice ingest or watch finishes it"), "\(before.out)")
        // Content that was accepted before stays accepted once, including the batch that was being published: this
        // version has another policy, which reopens nothing.
        for file in ["d1.csv", "d4.csv", "d5.csv"] {
            let again = try ingest(harness, file)
            #expect(
                again.code == 1 && again.out.contains("were accepted before, as batch"),
                "\(file) \(again.out)\(again.err)")
        }
        // Held content is judged again under the new policy, and held again: its rows are far from all accepted ones.
        let held = try ingest(harness, "bad.csv")
        #expect(held.code == 1 && held.out.contains("HELD"), "\(held.out)\(held.err)")
        let after = try harness.run("lineage", "verify", "--files", "--store", "store")
        #expect(after.code == 0 && after.out.contains("every published file matches the ledger"), "\(after.out)")
        #expect(try harness.run("doctor", "--store", "store").code == 0)
        // Its keys are recorded, and new batches are compared with its accepted batches.
        let log = try harness.run("lineage", "log", "--kind", "key.recorded", "--json", "--store", "store")
        #expect(log.out.split(separator: "\n").count == 1 && log.out.contains("\"name\":\"tokens\""), "\(log.out)")
        var rows = "id,site,email,temperature\n"
        var state: UInt64 = 7
        for id in 8000..<8060 {
            // The sum of twelve uniform numbers is approximately normal.
            var sum = -6.0
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                sum += Double(state >> 40) / Double(1 << 24)
            }
            rows += "\(id),s\(id % 7),p\(id % 50)@example.org,\(((12 + 3 * sum) * 100).rounded() / 100)\n"
        }
        try harness.write("new.csv", rows)
        let new = try ingest(harness, "new.csv", "--json")
        let report = try harness.report(new)
        #expect(report["status"] as? String == "accepted", "\(new.out)\(new.err)")
        let show = try harness.run("lineage", "show", report["batch"] as? String ?? "", "--store", "store")
        #expect(show.out.contains("winter"), "\(show.out)")
        let blocked = try harness.run(
            "ingest", "d3.csv", "--dataset", "readings", "--schema", "store/schemas/readings.schema.yaml", "--store",
            "store", "--source", "other")
        #expect(blocked.code == 1)
    }

    @Test func `its decisions are replayed, and its shards are opened`() throws {
        let harness = try fixture()
        defer { harness.remove() }
        // Completes the interrupted publication.
        #expect(try ingest(harness, "d5.csv").code == 1)
        let log = try harness.run("lineage", "log", "--kind", "batch.judged", "--json", "--store", "store").out
        var replayed = 0
        for line in log.split(separator: "\n") {
            let body = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            guard let batch = body["batch"] as? String, body["verdict"] as? String == "held" else { continue }
            let answer = try harness.run("lineage", "explain", batch, "--store", "store")
            #expect(
                answer.code == 0 && answer.out.contains("60 of 60 rows came out as recorded"),
                "\(answer.out)\(answer.err)")
            replayed += 1
        }
        #expect(replayed == 3)
        let shards = harness.files(below: "store/accepted").filter { $0.hasSuffix("0.sluice") }
        #expect(shards.count == 4, "\(shards)")
        for file in shards {
            let opened = try harness.run(
                "shard", "cat", "store/accepted/" + file, "--reason", "test", "--store", "store")
            #expect(opened.code == 0 && opened.out.hasPrefix("id,site,email,temperature\n"), "\(opened.err)")
        }
    }
}
