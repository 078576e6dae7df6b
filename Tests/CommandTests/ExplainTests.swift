import Foundation
import Testing

/// The explanation of a batch's verdict, as a user asks for it: the kept decision, the page, the suppliers.
@Suite struct ExplainTests {
    private func judged(_ harness: Harness, _ sample: String, _ more: [String] = []) throws -> (Harness.Outcome, String)
    {
        let run = try harness.run(
            [
                "ingest", Harness.sample(sample), "--store", "store", "--schema", Harness.schema("orders.schema.yaml"),
                "--source", "partner-a", "--format", "json",
            ] + more)
        return (run, try #require(try harness.report(run)["batch"] as? String))
    }

    @Test func `a code is explained in lines of its own`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let answer = try harness.run("explain", "extra-cell")
        let lines = answer.out.split(separator: "\n")
        #expect(answer.code == 0 && lines.count == 4 && !answer.out.contains("\\x"), "\(answer.out)")
        #expect(lines[1].hasPrefix("  what  ") && lines[2].hasPrefix("  example  ") && lines[3].hasPrefix("  do  "))
    }

    @Test func `every code has a meaning, an example and a cure`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let codes = try harness.run("explain").out.split(separator: "\n").compactMap { $0.split(separator: ":").first }
        #expect(codes.count > 80)
        for code in codes {
            let answer = try harness.run("explain", String(code))
            #expect(answer.code == 0, "\(code): \(answer.err)")
            let lines = answer.out.split(separator: "\n")
            for part in ["  what  ", "  example  ", "  do  "] {
                #expect(lines.contains { $0.hasPrefix(part) && $0.count > part.count }, "\(code)")
            }
        }
    }

    @Test func `the catalogue as JSON has every part of every code`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let run = try harness.run("explain", "--json")
        let entries = try #require(
            try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [[String: String]])
        let listed = try harness.run("explain").out.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
        #expect(entries.compactMap { $0["code"] }.sorted() == listed)
        for entry in entries {
            #expect(Set(entry.keys) == ["code", "stage", "class", "title", "what", "example", "cure"])
            #expect(entry.values.allSatisfy { !$0.isEmpty }, "\(entry)")
        }
        let one = try harness.run("explain", "extra-cell", "--json")
        #expect(one.code == 0 && one.out.contains("\"stage\": \"read\""), "\(one.out)")
    }

    @Test func `every setting is listed with what it does`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let run = try harness.run("explain", "--settings", "--json")
        let entries = try #require(
            try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [[String: String]])
        let paths = entries.compactMap { $0["path"] }
        #expect(Set(paths).count == entries.count && entries.allSatisfy { $0["what"]?.isEmpty == false })
        for path in [
            "ledger.origin", "sluice.batch.minRows", "sluice.dialect.quoteChar", "fields[].sluice.pii.operator",
        ] {
            #expect(paths.contains(path), "\(path)")
        }
        let lines = try harness.run("explain", "--settings").out
        #expect(lines.contains("sluice.limits.maxDepth: deepest nesting of JSON (whole number, 1 to 512, default 64)"))
        #expect(try harness.run("explain", "secret", "--settings").code == 64)
    }

    @Test func `a held batch is explained and drawn from what was kept of it`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        let (_, good) = try judged(harness, "orders-good.csv")
        let (run, held) = try judged(harness, "orders-poisoned.csv")
        #expect(run.code == 1)
        let whole = try harness.run("lineage", "explain", held, "--store", "store")
        #expect(whole.code == 0 && whole.out.contains("400 of 400 rows came out as recorded"), "\(whole.out)")
        #expect(whole.out.contains("why       too-many-quarantined") && whole.out.contains("copy-excess"))
        let row = try harness.run("lineage", "explain", held + ":11", "--store", "store")
        #expect(row.out.contains("why       quarantined: ") && row.out.contains("measured  isolated-row"))
        let json = try harness.report(try harness.run("lineage", "explain", held + ":11", "--json", "--store", "store"))
        #expect((json["row"] as? [String: Any])?["outcome"] as? String == "quarantined")
        #expect(json["asRecorded"] as? Int == 400)
        // An accepted batch needs the original file, and another file is refused.
        let without = try harness.run("lineage", "explain", good, "--store", "store")
        #expect(without.code == 0 && without.out.contains("give the original file with --file"))
        let with = try harness.run(
            "lineage", "explain", good + ":57", "--store", "store", "--file", Harness.sample("orders-good.csv"))
        #expect(with.code == 0 && with.out.contains("400 of 400"), "\(with.out) \(with.err)")
        let other = try harness.run(
            "lineage", "explain", good, "--store", "store", "--file", Harness.sample("orders-dirty.csv"))
        #expect(other.code == 64 && other.err.contains("not the file that batch"))
        for wrong in ["nothing", held + ":0", held + ":x", held + ":9999"] {
            #expect(try harness.run("lineage", "explain", wrong, "--store", "store").code >= 64, "\(wrong)")
        }
        // One self-contained page.
        let page = try harness.run("report", held, "--html", "--store", "store")
        #expect(page.code == 0 && page.out.hasPrefix("<!doctype html>") && page.out.contains("HELD"))
        for foreign in ["<script", "http://", "https://", "src=", "href=", "url(", "@import"] {
            #expect(!page.out.contains(foreign), "\(foreign)")
        }
        #expect(page.out.count(where: { $0 == "<" }) == page.out.count(where: { $0 == ">" }))
        #expect(page.out.contains("<svg") && page.out.contains("isolation forest"))
        let file = try harness.run("report", held, "--html", "-o", "page.html", "--store", "store")
        #expect(file.code == 0 && harness.files(below: ".").contains("page.html"))
        #expect(try harness.run("report", held, "--html", "-o", "page.html", "--store", "store").code == 73)
        let kept = try harness.report(try harness.run("report", good, "--store", "store"))
        #expect(kept["status"] as? String == "accepted" && kept["pictures"] != nil && kept["name"] == nil)
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
    }

    @Test func `sources are listed, vouched for and blocked, with a reason`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        func source(_ arguments: String...) throws -> Harness.Outcome {
            try harness.run(["source"] + arguments + ["--store", "store"])
        }
        #expect(try source("list").out.contains("none"))
        let path = "store/sluice.yaml"
        let plain = try String(contentsOfFile: harness.path(path), encoding: .utf8)
        try harness.write(
            path, plain + "sources:\n  partner-a: { owner: A Ltd, licence: MIT, contact: a@example.com }\n")
        #expect(try source("list").out == "partner-a\tprobation (0 of 3 passed)\tA Ltd\tMIT\n")
        let (run, _) = try judged(harness, "orders-good.csv")
        #expect(run.code == 1 && run.out.contains("source-on-probation"))
        #expect(try source("list").out.contains("1 of 3"))
        #expect(try source("trust", "partner-a").code == 64, "a reason is needed")
        #expect(try source("trust", "partner-a", "--reason", "looked at").code == 0)
        #expect(try judged(harness, "orders-good.csv").0.code == 0, "judged anew")
        let shown = try source("show", "partner-a").out
        #expect(shown.contains("standing   trusted since "), "\(shown)")
        #expect(shown.contains("batches    1 accepted, ") && shown.contains("1 held"), "\(shown)")
        #expect(try source("block", "partner-a", "--reason", "no more").code == 0)
        #expect(try judged(harness, "orders-good-2.csv").0.out.contains("source-blocked"))
        #expect(try source("show", "nobody").code == 66)
        // The contact may be a person, and recorded entries cannot be removed.
        let log = try harness.run("lineage", "log", "--json", "--limit", "99", "--store", "store").out
        #expect(log.contains("source.registered") && !log.contains("a@example.com"))
        for (wrong, words) in [
            ("sources: { a: { require: [signature] } }", "needs keys"), ("sources: { a: { key: x } }", "unknown key"),
            ("sources: { a: { keys: [ { minisign: RWQ } ] } }", "56 letters"),
            ("sources: { a: { keys: [ { ssh: ssh-rsa AAAA } ] } }", "Ed25519"),
            ("unlistedSources: maybe", "unknown value"),
        ] {
            try harness.write(path, plain + wrong + "\n")
            let refused = try source("list")
            #expect(refused.code == 78 && refused.err.contains(words), "\(wrong): \(refused.err)")
        }
    }

    @Test func `selftest catches a canary of every kind`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let run = try harness.run("selftest", "--json", "--seed", "18446744073709551615")
        let report = try harness.report(run)
        let canaries = try #require(report["canaries"] as? [[String: Any]])
        #expect(run.code == 0 && report["missed"] as? Int == 0, "\(run.out)")
        #expect(canaries.count == 11 && canaries.allSatisfy { $0["caught"] as? Bool == true })
    }

    @Test func `a shadow contract is reported and decides nothing`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        let contract = try String(contentsOfFile: Harness.schema("orders.schema.yaml"), encoding: .utf8)
        try harness.write("next.yaml", contract.replacing("maxQuarantinedRate: 0.05", with: "maxQuarantinedRate: 0"))
        let (run, _) = try judged(harness, "orders-good.csv", ["--shadow", "next.yaml"])
        let report = try harness.report(run)
        let shadow = try #require(report["shadow"] as? [String: Any])
        #expect(report["status"] as? String == "accepted" && shadow["contract_sha256"] != nil)
        let text = try harness.run(
            "ingest", Harness.sample("orders-good-2.csv"), "--store", "store", "--schema",
            Harness.schema("orders.schema.yaml"), "--shadow", "next.yaml")
        #expect(text.out.contains("  shadow orders"), "\(text.out)")
        #expect(
            try harness.run(
                "ingest", Harness.sample("orders-good-2.csv"), "--store", "store", "--schema",
                Harness.schema("orders.schema.yaml"), "--shadow", "missing.yaml", "--force"
            ).code == 66)
    }
}
