import Foundation
import Testing

/// Labels, member names and file names: no personal data becomes a name, and no such name is printed.
@Suite(.serialized) struct `names of columns and files` {
    private static let iban = "DE89370400440532013000", token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    private static let rows = [
        "\(iban),\(token),Jane Doe\nGB82WEST12345698765432,x,John Smith\n",
        "4111 1111 1111 1111,a\n4012888888881881,b\n",
        "+49 151 23456789,a\n+49 151 23456780,b\n", "jane.roe@example.org,a\nx@example.org,b\n",
        "AKIAIOSFODNN7EXAMPLE,a\nx,b\n", "536-90-4399,a\n536-90-4398,b\n",
    ]

    @Test(arguments: rows)
    func `a first row that is somebody's is refused by position, and never said`(rows: String) throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("d.csv", rows)
        _ = try harness.run("init", "store")
        let label = String(rows.prefix { $0 != "," })
        for verb in [
            ["schema", "infer", "d.csv"], ["scan", "d.csv"], ["scan", "d.csv", "--format", "json"],
            ["validate", "d.csv", "--infer"], ["validate", "d.csv", "--infer", "--format", "frictionless"],
            ["score", "d.csv"], ["ingest", "d.csv", "--infer", "--dataset", "d", "--store", "store"],
        ] {
            let outcome = try harness.run(verb, after: nil)
            #expect(outcome.code == 65, "\(verb): \(outcome.err)")
            #expect(
                outcome.err.contains("label of column 1") && !(outcome.out + outcome.err).contains(label), "\(verb)")
        }
        let ledger = try Data(contentsOf: URL(filePath: harness.path("store/ledger.sqlite")))
        #expect(ledger.range(of: Data(label.utf8)) == nil)
    }

    @Test func `the command that the refusal names reads the file`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("l.tsv", "ham\tPlease call John at home\nspam\tWin now\n")
        let refused = try harness.run("schema", "infer", "l.tsv")
        #expect(refused.code == 65 && refused.err.contains("header line seems to be missing"), "\(refused.err)")
        #expect(refused.err.contains("`header: false`") && !refused.err.contains("John"))
        try harness.write("plain.yaml", "delimiter: \"\\t\"\nheader: false\n")
        let read = try harness.run("schema", "infer", "l.tsv", "--dialect", "plain.yaml")
        #expect(read.code == 0 && read.out.contains("name: field1") && !read.out.contains("John"), "\(read.err)")
    }

    @Test(arguments: [iban, token, "jane.roe@example.org", "2001-01-01T10:00:00"])
    func `member names that are data are refused, and nested ones left out`(name: String) throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("top.jsonl", "{\"a\": 1, \"\(name)\": 1}\n")
        try harness.write("in.jsonl", "{\"a\": {\"\(name)\": 1, \"b\": 2}}\n")
        let top = try harness.run("schema", "infer", "top.jsonl")
        #expect(top.code == 65 && top.err.contains("member 2") && !top.err.contains(name), "\(top.err)")
        let inside = try harness.run("schema", "infer", "in.jsonl")
        #expect(inside.code == 0 && !inside.out.contains(name), "\(inside.err)")
    }

    @Test func `labels that a contract does not name are told by position in every format`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let names = [Self.iban, Self.token, "jane.roe@example.org"]
        try harness.write("d.csv", "id,\(names.joined(separator: ","))\n1,a,b,c\n2,a,b,c\n")
        try harness.write("d.jsonl", "{\"id\": 1, \(names.map { "\"\($0)\": 1" }.joined(separator: ", "))}\n")
        _ = try harness.run("init", "store")
        for policy in ["keep", "drop", "reject"] {
            try harness.write(
                "c.yaml",
                "name: d\nfields:\n  - { name: id, type: integer }\n"
                    + "sluice: { apiVersion: sluice/v1, unknownFields: \(policy), batch: { maxRejectedRate: 1.0 } }\n")
            var said = ""
            for file in ["d.csv", "d.jsonl"] {
                for format in ["text", "json", "ndjson", "sarif", "junit", "github", "frictionless"] {
                    let outcome = try harness.run("validate", file, "--schema", "c.yaml", "--format", format)
                    said += outcome.out + outcome.err
                }
                let taken = try harness.run(
                    "ingest", file, "--schema", "c.yaml", "--dataset", "d", "--store", "store", "--json", "--force")
                let batch = try harness.report(taken)["batch"] as? String ?? ""
                said += taken.out + taken.err + (try harness.run("report", batch, "--html", "--store", "store").out)
                said += try harness.run("scan", file, "--schema", "c.yaml").out
            }
            said += try harness.run("lineage", "log", "--json", "--store", "store").out
            for name in names { #expect(!said.contains(name), "\(policy) \(name)") }
        }
    }

    @Test func `a file's name that is somebody's is not repeated in reports`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("jane.roe@example.org.csv", "id,x\n1,q\n2,3\n")
        try harness.write("DE89370400440532013000.csv", "id,x\n1,2\n2,3\n")
        try harness.write("c.yaml", "name: d\nfields: [{ name: id, type: integer }, { name: x, type: integer }]\n")
        for format in ["text", "json", "ndjson", "sarif", "junit", "github", "frictionless"] {
            let outcome = try harness.run(
                "validate", "jane.roe@example.org.csv", "--schema", "c.yaml", "--format", format)
            #expect(
                !outcome.out.contains("jane.roe") && outcome.out.contains("EMAIL_ADDRESS"), "\(format): \(outcome.out)")
        }
        let made = try harness.run("schema", "infer", "DE89370400440532013000.csv")
        #expect(made.code == 0 && !made.out.contains("DE89"), "\(made.out)\(made.err)")
        _ = try harness.run("init", "store")
        let taken = try harness.run("ingest", "DE89370400440532013000.csv", "--infer", "--store", "store")
        #expect(taken.code == 64 && taken.err.contains("--dataset"), "\(taken.err)")
    }
}
