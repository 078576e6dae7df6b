import Foundation
import Testing

/// `validate --valid-rows` and `--invalid-rows`: every row of the source goes to one of two files, and masked values to
/// neither.
@Suite(.serialized) struct `rows by verdict` {
    private static let contract = """
        fields:
          - { name: id, type: integer, constraints: { unique: true } }
          - { name: note, type: string }
        sluice: { rules: [{ rule: id != 4, action: quarantine }, { rule: id != 5, action: flag }] }
        """

    private func text(_ harness: Harness, _ name: String) throws -> String {
        try String(contentsOfFile: harness.path(name), encoding: .utf8)
    }

    @Test(arguments: [
        (
            "in.csv", "id,note\r\n1,\"a\r\nb\"\r\nx,y\r\n1,z\r\n4,q\r\n5,f\r\n6\r\n",
            "id,note\r\n1,\"a\r\nb\"\r\n5,f\r\n",
            "id,note\r\nx,y\r\n1,z\r\n4,q\r\n6\r\n"
        ),
        (
            "in.json", "[ {\"id\": 1},\n{\"id\": \"x\"}, {\"id\": 5}]", "{\"id\": 1}\n{\"id\": 5}\n",
            "{\"id\": \"x\"}\n"
        ),
        ("in.jsonl", "{\"id\": 2}\n{\"id\": }\n{\"id\": 2}", "{\"id\": 2}\n", "{\"id\": }\n{\"id\": 2}\n"),
    ])
    func `every row goes into one of two files`(name: String, data: String, valid: String, invalid: String) throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.contract)
        try harness.write(name, data)
        let files = ["--valid-rows", "valid", "--invalid-rows", "invalid"]
        let first = try harness.run(["validate", name, "--schema", "c.yaml"] + files)
        #expect(first.code == 1, "\(first.err)")
        #expect(try text(harness, "valid") == valid)
        let rest = try text(harness, "invalid").replacingOccurrences(of: ",\n", with: "\n")
        #expect(rest == invalid)
        // Existing files are never overwritten, and the error comes before the file is read.
        let again = try harness.run(["validate", name, "--schema", "c.yaml"] + files)
        #expect(again.code == 73 && again.err.contains("already"))
        #expect(try text(harness, "valid") == valid)
    }

    @Test func `masked values are written for those who say so twice`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", "fields: [{ name: mail, sluice: { pii: { entity: EMAIL_ADDRESS } } }]\n")
        try harness.write("in.csv", "mail\nsecret@example.com\n")
        let asked = ["validate", "in.csv", "--schema", "c.yaml", "--valid-rows", "out.csv"]
        let refused = try harness.run(asked)
        #expect(refused.code == 64 && refused.err.contains("masks mail") && refused.err.contains("--show-values"))
        let alone = try harness.run(asked + ["--show-values"])
        #expect(alone.code == 64 && alone.err.contains("--yes"))
        #expect(!FileManager.default.fileExists(atPath: harness.path("out.csv")))
        #expect(try harness.run(asked + ["--show-values", "--yes"]).code == 0)
        #expect(try text(harness, "out.csv") == "mail\nsecret@example.com\n")
        let mode = try FileManager.default.attributesOfItem(atPath: harness.path("out.csv"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `a contract that cannot be compiled is told where it stands`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("in.csv", "s\n1\n")
        for (text, place) in [
            ("fields:\n  - name: s\n    constraints: { pattern: '(' }\n", "c.yaml:3:29: fields[0].constraints.pattern"),
            ("fields: [{ name: s }]\nsluice:\n  rules:\n    - \"s.matches('(')\"\n", "c.yaml:4:7: sluice.rules[0]"),
        ] {
            try harness.write("c.yaml", text)
            for command in [["schema", "check", "c.yaml"], ["validate", "in.csv", "--schema", "c.yaml"]] {
                let outcome = try harness.run(command)
                #expect(
                    outcome.code == 78 && outcome.err.contains(place) && outcome.err.contains("^"), "\(outcome.err)")
            }
        }
    }

    /// Swift's crash report would show registers and memory.
    @Test func `a crash tells nothing of memory`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let process = Process()
        process.executableURL = Harness.program
        process.arguments = ["validate", "-", "--infer", "--input-format", "csv"]
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=yes"]) { _, new in
            new
        }
        let (input, errors) = (Pipe(), Pipe())
        (process.standardInput, process.standardError, process.standardOutput) = (input, errors, Pipe())
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("a\nsecret-value\n".utf8))
        usleep(500_000)
        kill(process.processIdentifier, SIGILL)
        process.waitUntilExit()
        let answer = errors.fileHandleForReading.readDataToEndOfFile()
        #expect(
            process.terminationReason == .uncaughtSignal && answer.isEmpty,
            "\(String(decoding: answer, as: UTF8.self).prefix(300))")
    }

    @Test func `one file at a time, and two different ones`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        for arguments in [
            ["validate", "a.csv", "b.csv", "--valid-rows", "v"],
            ["validate", "a.csv", "--valid-rows", "v", "--invalid-rows", "v"],
        ] { #expect(try harness.run(arguments).code == 64) }
    }

    @Test func `validate looks into a store for what foreign keys refer to`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        try harness.write("customers.yaml", "name: customers\nfields: [{ name: id, type: integer }]\n")
        try harness.write("customers.csv", "id\n1\n2\n")
        #expect(
            try harness.run(
                "ingest", "customers.csv", "--schema", "customers.yaml", "--store", "store", "--source", "s"
            ).code == 0)
        try harness.write(
            "orders.yaml",
            "fields: [{ name: c, type: integer }]\nforeignKeys: [{ fields: c, reference: { resource: k, fields: id } }]\n"
                + "sluice: { references: { k: { dataset: customers } } }\n")
        try harness.write("orders.csv", "c\n2\n3\n")
        let without = try harness.run("validate", "orders.csv", "--schema", "orders.yaml")
        #expect(without.code == 64 && without.err.contains("--store"))
        let found = try harness.run("validate", "orders.csv", "--schema", "orders.yaml", "--store", "store")
        #expect(
            found.code == 1 && found.out.contains("c → k.id") && found.out.contains("1 accepted"),
            "\(found.out)\(found.err)")
    }
}
