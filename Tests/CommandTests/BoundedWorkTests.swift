import Foundation
import Testing

/// Hostile width: many names, many columns, many findings.
@Suite(.serialized) struct `bounded work` {
    @Test(arguments: [true, false])
    func `more member names than a contract may have are refused while they are read`(areApart: Bool) throws {
        let harness = try Harness()
        defer { harness.remove() }
        let members = (0..<16_000).map { "\"name_\($0)_of_member\": \($0)" }
        let text = areApart ? members.map { "{\($0)}\n" }.joined() : "{" + members.joined(separator: ", ") + "}\n"
        try harness.write("many.jsonl", text)
        let started = ContinuousClock().now
        for verb in [["schema", "infer"], ["scan"], ["score"], ["validate", "--infer"]] {
            let outcome = try harness.run(verb + ["many.jsonl"])
            #expect(outcome.code == 65, "\(verb): \(outcome.err)")
            #expect(
                outcome.err.contains("many.jsonl: with row \(areApart ? 4097 : 1) ") && outcome.err.contains("4096"))
        }
        // Four commands; each took minutes when names were searched in a list.
        #expect(ContinuousClock().now - started < .seconds(30))
    }

    @Test func `more columns than a contract may have are refused`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("wide.csv", (0..<5000).map { "c\($0)" }.joined(separator: ",") + "\n")
        for verb in [["schema", "infer"], ["scan"], ["score"], ["validate", "--infer"]] {
            let outcome = try harness.run(verb + ["wide.csv"])
            #expect(
                outcome.code == 65 && outcome.err.contains("5000 columns") && outcome.err.contains("4096"),
                "\(outcome.err)")
        }
    }

    @Test(arguments: [255, 256, 257, 1000])
    func `hundreds of numeric columns are scored`(count: Int) throws {
        let harness = try Harness()
        defer { harness.remove() }
        var text = (0..<count).map { "c\($0)x" }.joined(separator: ",") + "\n"
        for row in 0..<40 {
            // The last row has extreme values in the last columns.
            text +=
                (0..<count).map { "\(($0 * 31 + row * row * 7) % 97 + (row == 39 && $0 >= count / 2 ? 400 : 0))" }
                .joined(separator: ",") + "\n"
        }
        try harness.write("wide.csv", text)
        for arguments in [["--ndim", "1"], ["--ndim", "3"], ["--method", "forest"]] {
            let outcome = try harness.run(["score", "wide.csv"] + arguments)
            #expect(outcome.code == 0 && !outcome.wasSignalled, "\(outcome.err)")
            #expect(outcome.out.split(separator: "\n").count == 41)
            // The values of the last columns are used too.
            let scores = outcome.out.split(separator: "\n").dropFirst().map {
                Double($0.split(separator: ",")[1]) ?? -1
            }
            #expect(scores.allSatisfy { (0...1).contains($0) }, "\(outcome.out)")
            #expect(scores.indices.max { scores[$0] < scores[$1] } == 39, "\(arguments): \(scores)")
        }
    }

    @Test(arguments: ["json", "ndjson", "sarif", "frictionless"])
    func `no more findings are listed than were asked for, and those of the first rows`(format: String) throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        let text = (1...6000).map { "\($0),q\n" }.joined()
        try harness.write("d.csv", "id,x\n" + text)
        try harness.write(
            "c.yaml",
            "name: d\nfields: [{ name: id, type: integer }, { name: x, type: integer }]\n"
                + "sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 1.0 } }\n")
        let outcome = try harness.run(
            "validate", "d.csv", "--schema", "c.yaml", "--format", format, "--limit-errors", "7")
        #expect(outcome.code == 1)
        #expect(outcome.out.components(separatedBy: "\"rowNumber\"").count == 8, "\(outcome.out.prefix(2000))")
        let last = format == "frictionless" ? 8 : 7
        let space = format == "ndjson" ? "" : " "
        #expect(outcome.out.contains("\"rowNumber\":\(space)\(last)"))
    }
}
