import Foundation
import Testing

/// What a user does with the gate, and the results.
@Suite(.serialized) struct `the gate` {
    @Test func `a credential rejects its row, and is named by kind only`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        let contract = "fields: [ { name: id, type: integer }, { name: note, type: string } ]\n"
        try harness.write("c.yaml", contract)
        try harness.write("d.csv", "id,note\n1,hello there\n2,take \(token) for it\n3,bye now\n")
        let run = try harness.run("validate", "d.csv", "--schema", "c.yaml", "--format", "json")
        #expect(run.code == 1 && run.out.contains("\"secret\"") && run.out.contains("GitHub token"))
        #expect(!run.out.contains(token) && !run.err.contains(token))
        let report = try harness.report(run)
        #expect((report["stats"] as? [String: Any])?["rejected"] as? Int == 1)
        // A value hidden by a JSON escape is found too.
        try harness.write("d.jsonl", "{\"id\": 1, \"note\": \"take \\u0067\(token.dropFirst()) for it\"}\n")
        #expect(try harness.run("validate", "d.jsonl", "--schema", "c.yaml").out.contains("secret"))
        try harness.write("c.yaml", contract + "sluice: { secrets: allow }\n")
        #expect(try harness.run("validate", "d.csv", "--schema", "c.yaml").code == 0)
        try harness.write("c.yaml", contract + "sluice: { secrets: { action: flag } }\n")
        #expect(try harness.run("validate", "d.csv", "--schema", "c.yaml", "--fail-on", "flag").code == 1)
    }

    /// A label cannot be masked, and goes into the shard. A column outside the contract is named by its position, and
    /// each row counts once.
    @Test func `columns that nobody named are told by their places, and their labels are looked at`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        try harness.write("c.yaml", "fields: [ { name: id, type: integer } ]\nsluice: { unknownFields: keep }\n")
        func ingest(_ name: String, _ text: String) throws -> String {
            try harness.write(name, text)
            let run = try harness.run("ingest", name, "--store", "store", "--dataset", "d", "--schema", "c.yaml")
            return "\(run.code) " + run.out + run.err
        }
        let held = try ingest("a.csv", "id,zyx@canary.example,\(token)\n1,a,b\n")
        #expect(
            held.hasPrefix("1 ") && held.contains("label of column 2: EMAIL_ADDRESS")
                && held.contains("label of column 3: GitHub token") && !held.contains("canary") && !held.contains(token)
        )
        let answer = try ingest("b.csv", "id,x,y\n1,a@example.com,b@example.com\n")
        #expect(
            answer.hasPrefix("0 ") && answer.contains("column 2: EMAIL_ADDRESS")
                && answer.contains("column 3: EMAIL_ADDRESS")
        )
        let members = "{\"id\":1,\"x\":\"a@example.com\",\"y\":\"b@example.com\"}\n"
        try harness.write("c.jsonl", members)
        let run = try harness.run(
            "ingest", "c.jsonl", "--store", "store", "--dataset", "d", "--schema", "c.yaml", "--format", "json")
        #expect(run.code == 0 && run.out.components(separatedBy: "\"rowNumber\"").count == 2, "\(run.out)")
        try harness.write("e.csv", "id,api_key\n1,q7Zr2Lx9Vb4Nw8Tk3Ym6\n2,\(token)\n")
        let scanned = try harness.run("scan", "e.csv")
        #expect(
            scanned.code == 1
                && scanned.out.contains("api_key: key or password beside its name: 1, first in rows 1")
                && scanned.out.contains("api_key: GitHub token: 1, first in rows 2"), "\(scanned.out)")
    }

    @Test func `undeclared personal data is masked by default, told by kind, and scan proposes its declaration`() throws
    {
        let harness = try Harness()
        defer { harness.remove() }
        let contract =
            "fields: [ { name: id, type: integer }, { name: mail, type: string }, { name: note, type: string } ]\n"
        try harness.write("c.yaml", contract)
        let rows = (1...200).map { "\($0),ann\($0)@example.com,\($0 == 7 ? "card 4012888888881881" : "nothing")\n" }
        try harness.write("d.csv", "id,mail,note\n" + rows.joined())
        let scanned = try harness.run("scan", "d.csv")
        #expect(
            scanned.code == 1 && scanned.out.contains("mail: EMAIL_ADDRESS")
                && scanned.out.contains("entity: EMAIL_ADDRESS"))
        #expect(
            scanned.out.contains("CREDIT_CARD is in 1") && !scanned.out.contains("4012")
                && !scanned.out.contains("ann1"))
        // Without a header its place is taken by data, so a column outside the contract is named by its position.
        try harness.write("e.csv", "id,mail,note,zyx@canary.example\n1,a@example.com,n,bob@example.com\n")
        try harness.write("k.yaml", contract + "sluice: { unknownFields: keep }\n")
        let unnamed = try harness.run("scan", "e.csv", "--schema", "k.yaml")
        #expect(unnamed.out.contains("column 4") && !(unnamed.out + unnamed.err).contains("canary"))
        let spans = try harness.run("scan", "d.csv", "--format", "spans").out.split(separator: "\n")
        #expect(
            spans.count == 201
                && spans.contains {
                    $0.contains("\"start\":5}") && $0.contains("CREDIT_CARD") && $0.contains("\"rowNumber\":7,")
                })
        #expect(try harness.run("init", "store").code == 0)
        func ingest(_ contract: String, dataset: String = "d") throws -> Harness.Outcome {
            try harness.write("c.yaml", contract)
            return try harness.run(
                "ingest", "d.csv", "--store", "store", "--dataset", dataset, "--schema", "c.yaml", "--format", "json")
        }
        let run = try ingest(contract)
        #expect(run.code == 0 && run.out.contains("undeclared-pii-column") && !run.out.contains("4012888888881881"))
        let shards = harness.files(below: "store/accepted").filter {
            $0.hasSuffix(".sluice") && !$0.contains("decision")
        }
        let clear = try shards.map {
            try harness.run("shard", "cat", "store/accepted/" + $0, "--reason", "test", "--store", "store").out
        }
        .joined()
        #expect(
            clear.contains("1,<EMAIL_ADDRESS>,nothing") && clear.contains("card <CREDIT_CARD>") && !clear.contains("@"))
        let stricter = contract + "sluice: { undeclaredPii: quarantine }\n"
        let refused = try ingest(stricter)
        #expect(refused.code == 1 && refused.out.contains("\"duplicate\""), "content is accepted once")
        let held = try ingest(stricter, dataset: "e")
        #expect(held.code == 1 && held.out.contains("\"held\""))
    }

    @Test func `names of a list of the user's own are masked in prose`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("people.txt", "Zyxwina Qorblatt\n")
        try harness.write(
            "c.yaml",
            "fields: [ { name: id, type: integer }, { name: note, type: string, sluice: { pii: { scan: true, "
                + "dictionary: people.txt } } } ]\n")
        try harness.write(
            "d.csv", "id,note\n1,ask Zyxwina Qorblatt (z@example.com)\n2,ask nobody\n3,a\\nZyxwina Qorblatt\n")
        #expect(try harness.run("init", "store").code == 0)
        let run = try harness.run("ingest", "d.csv", "--store", "store", "--dataset", "d", "--schema", "c.yaml")
        #expect(run.code == 0 && run.out.contains("note PERSON replace 2"))
        let shard = try #require(harness.files(below: "store/accepted").first { $0.hasSuffix("/0.sluice") })
        let clear = try harness.run("shard", "cat", "store/accepted/" + shard, "--reason", "test", "--store", "store")
            .out
        #expect(clear == "id,note\n1,ask <PERSON> (<EMAIL_ADDRESS>)\n2,ask nobody\n3,a\\n<PERSON>\n")
        // Another list is another policy, so the same file is judged again if it may replace the earlier batch.
        try harness.write("people.txt", "nobody\n")
        let refused = try harness.run("ingest", "d.csv", "--store", "store", "--dataset", "d", "--schema", "c.yaml")
        let batch = try #require(refused.out.firstMatch(of: #/--supersede ([0-9a-f-]+)/#))
        #expect(refused.code == 1 && refused.out.contains("accepted before, as batch \(batch.1)"), "\(refused.out)")
        #expect(
            try harness.run(
                "ingest", "d.csv", "--store", "store", "--dataset", "d", "--schema", "c.yaml", "--supersede",
                String(batch.1)
            ).out.contains("PERSON"))
        try harness.write("people.txt", "!!!\n")
        #expect(try harness.run("validate", "d.csv", "--schema", "c.yaml").err.contains("no word"))
    }

    @Test func `a profile spends its budget in the record, and stops at the limit`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        func profile(_ more: String...) throws -> Harness.Outcome {
            try harness.run(
                [
                    "profile", Harness.sample("orders-good.csv"), "--schema", Harness.schema("orders.schema.yaml"),
                    "--store", "store", "--json",
                ]
                    + more)
        }
        // So large a budget adds almost no noise: the numbers must be those of the file.
        let first = try profile("--dp-epsilon", "100")
        #expect(first.code == 0 && first.out.contains("\"rows\": 400") && first.out.contains("\"spent\": \"100\""))
        #expect(!first.out.contains("@") && !first.out.contains("\"email\""))
        let second = try profile("--dp-epsilon", "0.25")
        #expect(second.code == 0 && second.out.contains("\"spent\": \"100.25\""))
        let third = try profile("--dp-epsilon", "0.25", "--dp-limit", "100.4")
        #expect(third.code == 77 && third.out.isEmpty && third.err.contains("nothing was published"))
        let log = try harness.run("lineage", "log", "--store", "store", "--json").out
        #expect(log.contains("\"spent_millionths\":100250000") || log.contains("\"spent_millionths\": 100250000"))
        #expect(try profile("--dp-epsilon", "0").code == 64)
    }

    @Test func `an encrypted value is read back with its key only, and the record says so first`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        try harness.write(
            "c.yaml",
            "fields: [ { name: who, type: string, sluice: { role: subject, pii: { entity: ID, operator: tokenize, key: tokens } } }, "
                + "{ name: v, type: string, sluice: { pii: { entity: ID, operator: encrypt, key: tokens, "
                + "prefix: e., perSubject: true } } } ]\n"
        )
        try harness.write("d.csv", "who,v\nann,canary-4711\nbob,canary-4712\n")
        #expect(
            try harness.run("ingest", "d.csv", "--store", "store", "--dataset", "d", "--schema", "c.yaml").code == 0)
        let shard = try #require(harness.files(below: "store/accepted").first { $0.hasSuffix("/0.sluice") })
        let clear = try harness.run("shard", "cat", "store/accepted/" + shard, "--reason", "test", "--store", "store")
            .out
        let cells = clear.split(separator: "\n").dropFirst().map { String($0.split(separator: ",")[1]) }
        #expect(cells.count == 2 && cells.allSatisfy { $0.hasPrefix("e.") } && !clear.contains("canary"))
        func reveal(_ more: String...) throws -> Harness.Outcome {
            try harness.run(
                ["reveal", "--store", "store", "--key", "tokens", "--prefix", "e.", "--reason", "asked by ann"] + more)
        }
        let own = try reveal("--subject", "ann", cells[0], cells[1])
        #expect(
            own.code == 1 && own.out == "canary-4711\n\n" && own.err.contains("value 2") && !own.err.contains("canary"))
        #expect(try reveal(cells[0]).out == "\n")
        let log = try harness.run("lineage", "log", "--store", "store", "--json").out
        #expect(log.contains("values.revealed") && log.contains("asked by ann") && !log.contains("canary"))
        let judged = try harness.run("lineage", "verify", "--store", "store")
        #expect(judged.code == 0)
    }

    private func ingest(_ harness: Harness, _ dataset: String, _ file: String, more: [String] = []) throws
        -> Harness.Outcome
    {
        try harness.run(
            [
                "ingest", Harness.sample(file), "--store", "store", "--dataset", dataset, "--schema",
                Harness.schema("\(dataset).schema.yaml"),
            ] + more)
    }

    @Test func `good batches pass, a dirty one loses rows, poisoned ones are held`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        for (dataset, suffix) in [("orders", "csv"), ("sensors", "csv"), ("tickets", "jsonl")] {
            #expect(try ingest(harness, dataset, "\(dataset)-good.\(suffix)").code == 0)
            #expect(try ingest(harness, dataset, "\(dataset)-good-2.\(suffix)").code == 0)
            let dirty = try ingest(harness, dataset, "\(dataset)-dirty.\(suffix)")
            #expect(dirty.code == 1)
            #expect(dirty.out.contains("rejected"))
            let poisoned = try ingest(harness, dataset, "\(dataset)-poisoned.\(suffix)")
            #expect(poisoned.code == 1)
            #expect(poisoned.out.contains("HELD"))
        }
        let verified = try harness.run("lineage", "verify", "--store", "store")
        #expect(verified.code == 0)
        #expect(verified.out.contains("intact"))
        #expect(verified.out.contains("no anchor was checked"))
        #expect(harness.files(below: "store/work").isEmpty)
    }

    @Test func `the planted faults of the dirty samples are found, row by row, and none invented`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let planted =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(filePath: Harness.sample("planted.json")))) as? [String: Any] ?? [:]
        for (dataset, suffix) in [("orders", "csv"), ("sensors", "csv"), ("tickets", "jsonl")] {
            let name = "\(dataset)-dirty.\(suffix)"
            let outcome = try harness.run(
                "validate", Harness.sample(name), "--schema", Harness.schema("\(dataset).schema.yaml"), "--format",
                "json")
            #expect(outcome.code == 1)
            let errors = try harness.report(outcome)["errors"] as? [[String: Any]] ?? []
            let found = Set(errors.compactMap { $0["rowNumber"] as? Int })
            let kinds = planted[name] as? [String: Any] ?? [:]
            var expected = Set<Int>()
            for (kind, rows) in kinds where kind.hasPrefix("fault") { expected.formUnion(rows as? [Int] ?? []) }
            #expect(!expected.isEmpty)
            #expect(
                found == expected,
                "\(name): missing \(expected.subtracting(found)), invented \(found.subtracting(expected))")
        }
    }

    @Test
    func `the same bytes again are a duplicate with the same exit code, and force reopens nothing that was accepted`()
        throws
    {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        let first = try ingest(harness, "sensors", "sensors-dirty.csv")
        let again = try ingest(harness, "sensors", "sensors-dirty.csv")
        #expect(again.code == first.code)
        #expect(again.out.contains("DUPLICATE"))
        let forced = try ingest(harness, "sensors", "sensors-dirty.csv", more: ["--force"])
        #expect(forced.code == 1 && forced.out.contains("DUPLICATE") && forced.out.contains("--supersede "))
    }

    @Test func `a dry run and validate touch nothing`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        func state() throws -> [String: Data] {
            var all: [String: Data] = [:]
            for file in harness.files(below: "store") {
                all[file] = try Data(contentsOf: URL(filePath: harness.path("store/" + file)))
            }
            return all
        }
        let before = try state()
        #expect(try ingest(harness, "orders", "orders-good.csv", more: ["--dry-run"]).code == 0)
        let checked = try harness.run(
            "validate", Harness.sample("orders-good.csv"), "--store", "store", "--schema",
            Harness.schema("orders.schema.yaml"))
        #expect(checked.code == 0)
        #expect(try state() == before)
    }

    @Test func `any number of workers gives the same report, decision and shards`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        let configuration = try String(contentsOf: URL(filePath: harness.path("store/sluice.yaml")), encoding: .utf8)
        try harness.write("store/sluice.yaml", configuration + "\nlimits:\n  sliceBytes: 65536\n")
        // A batch of several slices, with findings of all sorts.
        let lines = try String(contentsOf: URL(filePath: Harness.sample("sensors-good.csv")), encoding: .utf8)
            .split(separator: "\n")
        let dirty = try String(contentsOf: URL(filePath: Harness.sample("sensors-dirty.csv")), encoding: .utf8)
            .split(separator: "\n").dropFirst()
        var rows = [lines[0]]
        for _ in 0..<4 { rows += lines.dropFirst() + dirty }
        try harness.write("many.csv", rows.joined(separator: "\n") + "\n")
        let contract = try String(contentsOf: URL(filePath: Harness.schema("sensors.schema.yaml")), encoding: .utf8)
            .replacing("maxRejectedRate: 0.02", with: "maxRejectedRate: 1.0")
        try harness.write("many.schema.yaml", contract)
        var seen: [[String]] = []
        for jobs in ["1", "2", "7"] {
            try FileManager.default.copyItem(atPath: harness.path("store"), toPath: harness.path("store" + jobs))
            let outcome = try harness.run(
                "ingest", "many.csv", "--store", "store" + jobs, "--dataset", "sensors", "--schema", "many.schema.yaml",
                "--jobs",
                jobs, "--format", "json", "--fail-on", "never")
            #expect(outcome.code == 0, "\(outcome.err)")
            var report = try harness.report(outcome)
            let batch = report["batch"] as? String ?? ""
            report["batch"] = nil
            var stats = report["stats"] as? [String: Any] ?? [:]
            stats["seconds"] = nil
            report["stats"] = stats
            report["published"] = nil
            var parts = [
                String(
                    decoding: try JSONSerialization.data(withJSONObject: report, options: .sortedKeys), as: UTF8.self)
            ]
            for file in harness.files(below: "store" + jobs) where file.hasSuffix(".sluice") {
                let plain = try harness.run(
                    "shard", "cat", "store" + jobs + "/" + file, "--reason", "test", "--store", "store" + jobs)
                #expect(plain.code == 0)
                // The kept report says when, and what the batch is called.
                let timeless = plain.out.replacing(/"seconds":[0-9.e-]+/, with: "")
                parts.append((file + "\n" + timeless).replacing(batch, with: ""))
            }
            #expect(parts.count > 6)
            seen.append(parts)
        }
        #expect(seen[0] == seen[1])
        #expect(seen[0] == seen[2])
    }

    @Test func `killed at any moment, the next run finishes or undoes it`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        let arguments = [
            "ingest", Harness.sample("orders-good.csv"), "--store", "store", "--dataset", "orders", "--schema",
            Harness.schema("orders.schema.yaml"),
        ]
        for step in 0..<12 { _ = try harness.run(arguments, after: 0.03 * Double(step) + 0.02) }
        let last = try harness.run(arguments)
        #expect(last.code == 0, "\(last.err)")
        #expect(harness.files(below: "store/work").isEmpty)
        let verified = try harness.run("lineage", "verify", "--store", "store")
        #expect(verified.code == 0, "\(verified.out)")
        // Every published file is recorded, and every recorded file is there.
        let log = try harness.run(
            "lineage", "log", "--store", "store", "--kind", "shard.published", "--json", "--limit", "10000")
        var recorded = Set<String>()
        for line in log.out.split(separator: "\n") {
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            for file in entry["files"] as? [[String: Any]] ?? [] { recorded.insert(file["path"] as? String ?? "") }
        }
        let there = Set(
            harness.files(below: "store").filter { $0.hasSuffix(".sluice") && !$0.hasPrefix("work/") })
        #expect(there == recorded)
    }

    @Test func `an unknown dialect is found, told, pasted and used`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let rows = (1...40).map { "\($0);\($0),5;J\u{F3}se \($0)\r\n" }.joined()
        let data = try #require(("id;amount;who\r\n" + rows).data(using: .windowsCP1252))
        try data.write(to: URL(filePath: harness.path("a.csv")))
        let answer = try harness.run("dialect", "a.csv")
        #expect(answer.code == 0 && answer.out.contains("encoding: windows-1252"), "\(answer.out)\(answer.err)")
        #expect(answer.out.contains("dialect: {\"delimiter\":\";\"}"))
        let inferred = try harness.run("schema", "infer", "a.csv", "--dialect", "auto")
        #expect(inferred.code == 0 && inferred.out.contains("encoding: windows-1252"), "\(inferred.err)")
        try harness.write("c.yaml", inferred.out)
        let checked = try harness.run("validate", "a.csv", "--schema", "c.yaml")
        #expect(checked.code == 0 && checked.out.contains("40 rows"), "\(checked.out)\(checked.err)")
        try harness.write("b.csv", "1,2;3\n4,5;6\n")
        let refused = try harness.run("validate", "b.csv", "--schema", "c.yaml", "--dialect", "auto")
        #expect(refused.code == 65 && refused.err.contains("equally well"), "\(refused.err)")
        // The output has no value of the file.
        #expect(!answer.out.contains("se 1") && !refused.err.contains("4,5"))
    }

    @Test func `standard input goes the same way, and stands nowhere`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try `watch`.store(harness)
        try harness.write("in.csv", `watch`.rows(1, 500))
        let arguments = ["--input-format", "csv", "--dataset", "rows", "--store", "store", "--format", "json"]
        let piped = try harness.run(["ingest", "-"] + arguments, input: "in.csv")
        #expect(piped.code == 0, "\(piped.err)")
        let report = try harness.report(piped)
        #expect((report["stats"] as? [String: Any])?["rows"] as? Int == 500)
        #expect(harness.files(below: "store/work").isEmpty)
        // The same bytes from a file are the same batch.
        #expect(try harness.report(harness.run(["ingest", "in.csv"] + arguments))["status"] as? String == "duplicate")
        let checked = try harness.run(
            ["validate", "-", "--input-format", "csv", "--infer", "--json"], input: "in.csv")
        #expect(checked.code == 0 && checked.out.contains("\"rows\" : 500") || checked.out.contains("\"rows\": 500"))
        #expect(try harness.run(["validate", "-", "--infer"], input: "in.csv").code == 64)
        for command in [
            ["dialect", "-"], ["schema", "infer", "-", "--input-format", "csv"],
            ["score", "-", "--input-format", "csv"],
        ] {
            let answer = try harness.run(command, input: "in.csv")
            #expect(answer.code == 0, "\(command) \(answer.err)")
        }
        try harness.write("in.jsonl", "{\"id\":1}\n")
        let json = try harness.run("dialect", "in.jsonl")
        #expect(json.code == 65 && json.err.contains("JSON"), "\(json.out)\(json.err)")
        let empty = try harness.run(["validate", "-", "--input-format", "csv", "--infer"])
        #expect(empty.code == 65 && empty.err.contains("empty"), "\(empty.err)")
    }
}
