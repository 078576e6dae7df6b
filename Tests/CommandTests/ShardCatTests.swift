import Foundation
import Testing

/// Several sealed files are opened by one command, for one reason.
@Suite(.serialized) struct `opening shards` {
    private func prepared(_ harness: Harness, _ files: [(name: String, dataset: String, text: String)]) throws
        -> [String]
    {
        #expect(try harness.run("init", "store").code == 0)
        for (name, dataset, text) in files {
            try harness.write(name, text)
            let run = try harness.run("ingest", name, "--store", "store", "--dataset", dataset, "--infer")
            #expect(run.code == 0, "\(run.out) \(run.err)")
        }
        return try files.map { file in
            let folder = "store/accepted/" + file.dataset
            return try #require(
                harness.files(below: folder).filter { $0.hasSuffix("/0.sluice") }.map { folder + "/" + $0 }.sorted()
                    .first {
                        try harness.run("shard", "cat", $0, "--reason", "find", "--store", "store").out.contains(
                            file.name)
                    })
        }
    }

    @Test func `tables are joined under one header, and one entry names the files`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let shards = try prepared(
            harness,
            [
                ("a.csv", "d", "id,\"x\ny\"\n1,a.csv\n2,\"p\nq\"\n"), ("b.csv", "d", "id,\"x\ny\"\n3,b.csv\n"),
                ("c.csv", "e", "id,z\n4,c.csv\n"), ("d.jsonl", "f", "{\"id\": 5, \"z\": \"d.jsonl\"}\n"),
                ("e.jsonl", "f", "{\"id\": 6, \"z\": \"e.jsonl\"}\n"),
            ])
        func cat(_ files: [String], reason: String = "training") throws -> Harness.Outcome {
            try harness.run(["shard", "cat"] + files + ["--reason", reason, "--store", "store"])
        }
        func entries() throws -> Int {
            try harness.run("lineage", "log", "--kind", "shard.opened", "--limit", "100", "--json", "--store", "store")
                .out
                .split(separator: "\n").count
        }
        let before = try entries()
        let joined = try cat([shards[0], shards[1]])
        #expect(joined.code == 0 && joined.out == "id,\"x\ny\"\n1,a.csv\n2,\"p\nq\"\n3,b.csv\n", "\(joined.err)")
        #expect(try entries() == before + 1)
        let log = try harness.run("lineage", "log", "--limit", "1", "--store", "store").out
        #expect(log.contains("and 1 more") && log.contains("3 rows") && log.contains("training"), "\(log)")
        let trace = try harness.run("lineage", "trace", shards[1], "--store", "store").out
        #expect(
            trace.split(separator: "\n").count { $0.contains("opened") && $0.contains("training") } == 1, "\(trace)")
        #expect(try cat([shards[3], shards[4]]).out.split(separator: "\n").count == 2)

        // Files with different columns are refused before anything is printed or recorded.
        let known = try entries()
        let mixed = try cat([shards[0], shards[2]])
        #expect(
            mixed.code == 65 && mixed.out.isEmpty && mixed.err.contains("its header is not that of"), "\(mixed.err)")
        let silent = try harness.run("shard", "cat", shards[0], "--store", "store")
        #expect(silent.code == 64 && silent.out.isEmpty && silent.err.contains("--reason"), "\(silent.err)")
        let telling = try cat([shards[0]], reason: "asked by jane.roe@example.com")
        #expect(telling.code == 64 && telling.out.isEmpty && !telling.err.contains("jane"), "\(telling.err)")
        #expect(try entries() == known)
        // Outside a store nobody keeps a record, so no reason is needed.
        let key = try harness.run("shard", "cat", shards[0], shards[1], "--key", "store/keys/main.kek")
        #expect(key.code == 0 && key.out.hasSuffix("3,b.csv\n"), "\(key.err)")
    }

    @Test func `data keys are given out once the access is recorded, and only those of recorded files`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let shards = try prepared(harness, [("a.csv", "d", "id,z\n1,a.csv\n"), ("b.csv", "d", "id,z\n2,b.csv\n")])
        func unwrap(_ words: String...) throws -> Harness.Outcome {
            try harness.run(["shard", "unwrap"] + words + ["--store", "store"])
        }
        func opened() throws -> Int {
            try harness.run("lineage", "log", "--kind", "shard.opened", "--limit", "100", "--json", "--store", "store")
                .out.split(separator: "\n").count
        }
        let before = try opened()
        let all = try unwrap("--dataset", "d", "--reason", "training")
        let lines = all.out.split(separator: "\n")
        #expect(all.code == 0 && lines.count == 2 && lines.allSatisfy { $0.contains("data_key") }, "\(all.err)")
        #expect(try opened() == before + 1)
        let log = try harness.run("lineage", "log", "--limit", "1", "--store", "store").out
        #expect(log.contains("and 1 more") && log.contains("2 rows") && log.contains("training"), "\(log)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: String])
        let digest = try #require(document["file_sha256"])
        try harness.write("digests", "\(digest)\n")
        #expect(try unwrap("--digests", "digests", "--reason", "training").out == lines[1] + "\n")
        #expect(try unwrap("--dataset", "d", "--since", "9999", "--reason", "training").out.isEmpty)

        // Nothing is given out, or recorded, for what is refused.
        let known = try opened()
        try harness.write("digests", String(repeating: "a", count: 64))
        for (words, code) in [
            (["--digests", "digests", "--reason", "x"], Int32(1)), (["--dataset", "none", "--reason", "x"], 64),
            (["--dataset", "d", "--reason", ""], 64), (["--dataset", "d", "--reason", "for kim@example.com"], 64),
            (["--reason", "x"], 64), (["--dataset", "d", "--digests", "digests", "--reason", "x"], 64),
            (["--digests", "digests", "--since", "1", "--reason", "x"], 64),
        ] {
            let refused = try harness.run(["shard", "unwrap"] + words + ["--store", "store"])
            #expect(refused.code == code && refused.out.isEmpty, "\(words) \(refused.code) \(refused.err)")
        }
        #expect(
            try harness.runInTerminal("shard", "unwrap", "--dataset", "d", "--reason", "x", "--store", "store").code
                == 64)
        // Another sealed file of the same dataset in its place.
        let path = harness.folder + "/" + shards[0]
        try Data(contentsOf: URL(filePath: harness.folder + "/" + shards[1])).write(to: URL(filePath: path))
        let swapped = try unwrap("--dataset", "d", "--reason", "x")
        #expect(swapped.code == 1 && swapped.out.isEmpty, "\(swapped.err)")
        #expect(try opened() == known)
    }

    @Test func `the context says what stands between the cells, where it is no comma`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let shards = try prepared(
            harness, [("a.csv", "d", "id;z\n1;a.csv\n2;b\n"), ("b.csv", "e", "id,z\n1,b.csv\n2,b\n")])
        let semicolon = try harness.run("shard", "info", shards[0]).out
        let comma = try harness.run("shard", "info", shards[1]).out
        #expect(semicolon.contains("csv-delimiter = ;") && !comma.contains("csv-delimiter"), "\(semicolon)")
    }

    @Test func `the context says which fields the columns are, where labels do not`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try prepared(harness, [("a.csv", "d", "id,z\n1,a.csv\n2,b\n")])
        func fields(_ contract: String, _ text: String) throws -> String? {
            try harness.write("c.yaml", contract + "sluice: { batch: { minRows: 1 }, undeclaredPii: allow }\n")
            try harness.write("c.csv", text)
            let done = try harness.run("ingest", "c.csv", "--store", "store", "--dataset", "e", "--schema", "c.yaml")
            let shard = try #require(
                done.out.split(separator: " ").first { $0.contains("accepted/e/") }, "\(done.out) \(done.err)")
            let info = try harness.run(
                "shard", "info", shard.trimmingCharacters(in: .whitespacesAndNewlines) + "0.sluice")
            return info.out.split(separator: "\n").first { $0.contains("csv-fields = ") }?
                .split(separator: " ").last.map(String.init)
        }
        let plain = "fields:\n  - { name: a }\n  - { name: b }\n"
        #expect(try fields(plain, "a,b\n1,2\n") == nil)
        #expect(try fields(plain, "b,a\n1,3\n") == nil)
        let subset = "fieldsMatch: [subset]\n" + plain
        #expect(try fields(subset, "x,A,a,y,b,z\n1,2,3,4,5,6\n") == "-2,0+1,-1,1+1,-1")
        let places =
            "fields:\n  - { name: a, sluice: { column: 2 } }\n  - { name: b, sluice: { column: 3 } }\n"
            + "  - { name: s, sluice: { column: 1, pii: { entity: PERSON, operator: drop } } }\n"
        #expect(try fields(places, "x,y,z\n1,2,3\n") == "0+2")
    }
}
