import Foundation
import Testing

/// `schema infer`: its suggestions hold for the file, and can be used unchanged.
@Suite(.serialized) struct `inferred contracts` {
    /// The contract with all of its suggestions active.
    private func taken(_ yaml: String) -> String {
        yaml.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("    # constraints: {") || line.hasPrefix("    # sluice: {")
                ? "    " + line.dropFirst(6) : String(line)
        }.joined(separator: "\n")
    }

    @Test(arguments: ["orders-good.csv", "sensors-good.csv", "tickets-good.jsonl"])
    func `every suggestion can be taken, and the file keeps them all`(name: String) throws {
        let harness = try Harness()
        defer { harness.remove() }
        let sample = Harness.sample(name)
        for more in [[], ["--show-values"]] {
            let made = try harness.run(["schema", "infer", sample] + more)
            #expect(made.code == 0)
            try harness.write("c.yaml", taken(made.out))
            let outcome = try harness.run(["validate", sample, "--schema", "c.yaml"])
            #expect(outcome.code == 0, "\(outcome.out)\(outcome.err)\(taken(made.out))")
            let hasVocabulary = made.out.contains("enum: [") || made.out.contains("categories: [")
            #expect(hasVocabulary == !(more.isEmpty || name.hasPrefix("sensors")))
        }
    }

    @Test func `roles, personal data and nested values are recognised`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let tickets = try harness.run("schema", "infer", Harness.sample("tickets-good.jsonl")).out
        for line in [
            "sluice: { pii: { entity: EMAIL_ADDRESS, operator: replace } }",
            "sluice: { pii: { entity: CREDIT_CARD, operator: replace } }",
            "sluice: { role: text, pii: { scan: true, operator: replace } }", "sluice: { role: event-time }",
            "sluice: { role: label }",
            #"jsonSchema: {"properties":{"channel":{"type":"string"},"urgent":{"type":"boolean"}}"#,
        ] { #expect(tickets.contains(line), "\(line)") }
        try harness.write(
            "deep.jsonl",
            """
            {"v": {"a": [1, 2.5, {"x": null}], "ids": {"4711": {"n": 1}, "4712": {"n": "s", "secret@example.com": 1}}}}
            {"v": {"a": [], "b": {"c": [[true]]}}}
            {"v": [1]}

            """)
        let deep = try harness.run("schema", "infer", "deep.jsonl").out
        #expect(!deep.contains("4711") && !deep.contains("secret"))
        try harness.write(
            "nested.jsonl", "{\"v\": {\"k\": [1, \"x\", null], \"m\": {\"n\": 0.5}}}\n{\"v\": {\"m\": {}}}\n")
        let nested = try harness.run("schema", "infer", "nested.jsonl").out
        let shape =
            #"{"properties":{"k":{"items":{"type":["integer","null","string"]},"type":"array"},"m":{"properties":{"n":{"type":"number"}},"#
            + #""type":"object"}},"required":["m"],"type":"object"}"#
        #expect(nested.contains(shape), "\(nested)")
    }
}
