import Foundation
import Testing

/// What the gate has learnt and would detect is shown, can be simulated, and is part of alarms.
@Suite struct LearntTests {
    private static let contract = """
        name: orders
        fields:
          - { name: order_id, type: integer }
          - { name: price, type: number }
          - { name: total, type: number }
          - { name: shop, type: string }
        """

    /// A day's orders: numbers that count up, prices around a level that moves a little, five shops.
    private func table(_ day: Int, factor: Double = 1, missing: Double = 0, count: Int = 400) -> String {
        var state = UInt64(day + 1) &* 0x9E37_79B9_7F4A_7C15 | 1
        func uniform() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Double(state >> 11) + 0.5) * 0x1p-53
        }
        func normal() -> Double { sqrt(-2 * log(uniform())) * cos(2 * .pi * uniform()) }
        let level = 100 + 3 * uniform()
        var text = "order_id,price,total,shop\n"
        for row in 0..<count {
            let price = factor * (level + 10 * normal())
            let shown = uniform() < missing ? "" : "\(price)"
            text += "\(day * 1000 + row),\(shown),\(3 * price + normal()),shop\(Int(uniform() * 5))\n"
        }
        return text
    }

    private func prepared(days: Int) throws -> Harness {
        let harness = try Harness()
        try harness.write("c.yaml", Self.contract)
        #expect(try harness.run("init", "store").code == 0)
        for day in 0..<days {
            let run = try ingest(harness, table(day))
            #expect(run.code == 0, "\(run.out)\(run.err)")
        }
        return harness
    }

    private func ingest(_ harness: Harness, _ text: String, _ more: [String] = []) throws -> Harness.Outcome {
        try harness.write("data.csv", text)
        return try harness.run(
            ["ingest", "data.csv", "--schema", "c.yaml", "--store", "store", "--source", "s", "--fail-on", "never"]
                + more)
    }

    @Test func `an alarm says in words what moved, alike in every format`() throws {
        let harness = try prepared(days: 10)
        defer { harness.remove() }
        let dear = table(20, factor: 1.3)
        let text = try ingest(harness, dear, ["--dry-run"])
        #expect(text.code == 1)
        let why = try #require(text.out.split(separator: "\n").first { $0.hasPrefix("  WHY   distribution changed") })
        let sentence = why.dropFirst(8)
        #expect(sentence.contains(" % above the last 10 accepted batches, which differed by -"), "\(text.out)")
        #expect(sentence.contains("on arrival; the threshold is "), "\(why)")
        // Price and total changed together: one line for each cause.
        #expect(text.out.split(separator: "\n").count { $0.contains("WHY   distribution changed") } == 1, "\(text.out)")
        #expect(text.out.contains("        with it: "), "\(text.out)")
        // Columns that are left out, and how to include them.
        #expect(text.out.contains("not tested: order_id: all values are different: not screened; to screen it set"))
        #expect(!text.out.contains("too few values"), "what is left out has enough: \(text.out)")
        let json = try harness.report(try ingest(harness, dear, ["--dry-run", "--format", "json"]))
        let errors = json["batchErrors"] as? [[String: Any]] ?? []
        let messages = errors.compactMap { $0["message"] as? String }
        #expect(messages.contains { $0.hasPrefix(String(sentence)) }, "\(messages)")
        #expect(errors.contains { ($0["moved"] as? [String: Any])?["what"] as? String == "center" })
        for format in ["sarif", "junit", "github", "ndjson", "frictionless"] {
            let out = try ingest(harness, dear, ["--dry-run", "--format", format]).out
            #expect(
                out.contains("above the last 10 accepted batches, which differed by -")
                    || out.contains("above the last 10 accepted batches%2C"), "\(format): \(out.prefix(2000))")
        }
        let answer = try ingest(harness, table(21, factor: 1.3)).out
        #expect(answer.contains("sluice baseline show --dataset orders"), "\(answer)")
        #expect(
            answer.contains("sluice review release ") && answer.contains("{ drift: { warn: …, fail: … } }"), "\(answer)"
        )
        // The kept report has it too, with the changes that would have been detected.
        let held = try #require(
            try harness.report(try ingest(harness, dear, ["--format", "json"]))["batch"] as? String)
        let page = try harness.run("report", held, "--html", "--store", "store").out
        #expect(page.contains(" % above the last 10 accepted batches, which differed by -"))
        #expect(
            page.contains("would still be detected") && page.contains("deviations") && page.contains("counter or clock")
                || page.contains("key: all"))
        #expect(try harness.run("report", held, "--store", "store").out.contains("\"message\": \"distribution changed"))
        let explained = try harness.run("lineage", "explain", held, "--store", "store").out
        #expect(
            explained.contains("accepted batches had at most ") && explained.contains("sees      price: a shift of "))
        #expect(explained.contains(" % above the last 10 accepted batches"), "\(explained)")
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
    }

    @Test func `what is remarked on while it learns is said to hold a batch later`() throws {
        let harness = try prepared(days: 5)
        defer { harness.remove() }
        let run = try ingest(harness, table(20, factor: 1.15), ["--dry-run"])
        #expect(run.code == 0 && run.out.contains("  note  distribution changed ("), "\(run.out)")
        #expect(run.out.contains("from 8 accepted batches on, such a difference holds the batch"), "\(run.out)")
        let shown = try harness.run("baseline", "show", "--store", "store")
        #expect(shown.out.contains("learning  5 of 8 batches: differences are reported"), "\(shown.out)")
    }

    @Test func `what was learnt is shown without a value of the data`() throws {
        let harness = try prepared(days: 9)
        defer { harness.remove() }
        func show(_ more: String...) throws -> Harness.Outcome {
            try harness.run(["baseline", "show", "--store", "store"] + more)
        }
        let shown = try show()
        #expect(shown.code == 0, "\(shown.err)")
        for part in [
            "done: 9 batches, 8 were needed; a difference holds a batch", "order_id  ",
            "to screen it set sluice: { form: measure }",
            "price  measure: judged by its distribution; 9 batches, 3,",
            "spreads away on arrival; the threshold is ", "would still detect: a shift of ",
            "missing values in ", "shop  category: ", "one value in ", "rate      too many outliers: ",
            "sluice baseline simulate --dataset orders",
        ] { #expect(shown.out.contains(part), "\(part) is not in \(shown.out)") }
        let json = try JSONSerialization.jsonObject(with: Data(try show("--json").out.utf8)) as? [String: Any] ?? [:]
        let learnt = json["learnt"] as? [String: Any] ?? [:]
        let fields = learnt["fields"] as? [[String: Any]] ?? []
        let price = try #require(fields.first { $0["name"] as? String == "price" })
        let sees = price["wouldSee"] as? [String: Double] ?? [:]
        #expect((0.2...3).contains(sees["shiftUp"] ?? 0) && (0.04...0.2).contains(sees["missing"] ?? 0), "\(sees)")
        // Prices lie between 60 and 140: such numbers appear only as counts, percentages or sizes.
        let numbers = (price["tests"] as? [[String: Any]] ?? []).flatMap { $0.values.compactMap { $0 as? Double } }
        #expect(!numbers.isEmpty && numbers.allSatisfy { $0 < 20 }, "\(numbers)")
        #expect(!shown.out.contains("shop0") && !shown.out.contains("shop4"))
    }

    @Test func `the last batches are judged again under other settings, and nothing is written`() throws {
        let harness = try prepared(days: 10)
        defer { harness.remove() }
        let held = try #require(
            try harness.report(try ingest(harness, table(20, factor: 1.3), ["--format", "json"]))["batch"] as? String)
        #expect(
            try harness.run("review", "release", held, "--reason", "prices were raised", "--store", "store").code == 0)
        func simulate(_ more: String...) throws -> Harness.Outcome {
            try harness.run(["baseline", "simulate", "--store", "store"] + more)
        }
        func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: harness.path(name))) }
        let (files, ledger) = (harness.files(below: "store"), try bytes("store/ledger.sqlite"))
        let run = try simulate()
        #expect(run.code == 0, "\(run.err)")
        #expect(run.out.contains("11 accepted batches judged again"), "\(run.out)")
        #expect(run.out.contains("1 of 11 would have been held: distribution-drift ("), "\(run.out)")
        #expect(run.out.contains(" % above the last 10 accepted batches, which differed by -"), "\(run.out)")
        #expect(run.out.contains("not replayed, since it is not kept"))
        // With a longer learning phase, or without comparing the field, the batch would have passed.
        let patient = try simulate("--set", "baseline.learning=20")
        #expect(patient.out.contains("0 of 11 would have been held"), "\(patient.out)")
        let blind = try simulate(
            "--set", "fields.price.drift.enabled=false", "--set", "fields.total.drift.enabled=false")
        #expect(blind.code == 0 && !blind.out.contains("distribution-drift"), "\(blind.out)\(blind.err)")
        let last = try simulate("--last", "2", "--json")
        let document = try JSONSerialization.jsonObject(with: Data(last.out.utf8)) as? [String: Any] ?? [:]
        #expect((document["batches"] as? [[String: Any]])?.count == 2 && document["wouldBeHeld"] as? Int == 1)
        for (setting, word) in [
            ("baseline.learnign=4", "learnign"), ("fields.none.form=key", "no such field"), ("learning", "KEY=VALUE"),
            ("fields.shop.form=measure", "form"), ("baseline.learning=many", "whole number"), ("a..b=1", "empty part"),
        ] {
            let wrong = try simulate("--set", setting)
            #expect(wrong.code == 64 && wrong.err.contains(word), "\(setting): \(wrong.code) \(wrong.err)")
        }
        #expect(harness.files(below: "store") == files)
        #expect(try bytes("store/ledger.sqlite") == ledger)
    }
}
