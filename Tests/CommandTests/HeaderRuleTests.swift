import Foundation
import Testing

/// Headers as other programs write them: row names, trailing delimiters, repeated labels.
@Suite(.serialized) struct `headers of other programs` {
    @Test func `a frame's row names do not hide what is beside them`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write(
            "p.csv",
            ",zip,phone,ssn,amount\n0,41190,806-555-0132,536-90-4399,6.5\n1,41191,806-555-0133,536-90-4398,7.5\n")
        let scan = try harness.run("scan", "p.csv")
        #expect(scan.code == 1 && scan.out.contains("ssn: US_SSN"), "\(scan.out)\(scan.err)")
        let made = try harness.run("schema", "infer", "p.csv")
        #expect(
            made.code == 0 && made.out.contains("name: \"column 1\"") && made.out.contains("{ column: 1 }"),
            "\(made.out)\(made.err)")
        try harness.write("p.yaml", made.out)
        let valid = try harness.run("validate", "p.csv", "--schema", "p.yaml")
        #expect(valid.code == 0, "\(valid.out)\(valid.err)")
        _ = try harness.run("init", "store")
        let taken = try harness.run("ingest", "p.csv", "--infer", "--dataset", "d", "--store", "store")
        #expect(taken.code == 0 && taken.out.contains("blank column name"), "\(taken.out)\(taken.err)")
        let shard = try #require(harness.files(below: "store/accepted/d").first { $0.hasSuffix("0.sluice") })
        let text = try harness.run("shard", "cat", "store/accepted/d/\(shard)", "--reason", "t", "--store", "store").out
        #expect(text.hasPrefix("column 1,zip,") && !text.contains("536-90-4399"), "\(text)")
    }

    @Test func `a header with a label too few is refused with the command that helps, which helps`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        for (name, text, word) in [
            ("r.tsv", "mpg\tcyl\nMazda RX4\t21\t6\nDatsun 710\t22.8\t4\nHornet\t21.4\t6\n", "write.table"),
            ("e.csv", "a,b\n1,2,\n3,4,\n5,6,\n", "ends with a delimiter"),
        ] {
            try harness.write(name, text)
            let refused = try harness.run("schema", "infer", name)
            #expect(refused.code == 65 && refused.out.isEmpty && refused.err.contains(word), "\(refused.err)")
            #expect(!refused.err.contains("Mazda"))
            let script = try #require(refused.err.split(separator: "'").dropFirst().first)
            let lines = text.split(separator: "\n", maxSplits: 1).map(String.init)
            let delimiter = name == "r.tsv" ? "\t" : ","
            // The result of the sed command.
            let first = script.hasPrefix("1s/^/") ? "row\(delimiter)\(lines[0])" : "\(lines[0])\(delimiter)"
            try harness.write(name, first + "\n" + lines[1])
            let made = try harness.run("schema", "infer", name)
            try harness.write("c.yaml", made.out)
            let valid = try harness.run("validate", name, "--schema", "c.yaml")
            #expect(made.code == 0 && valid.code == 0, "\(made.err)\(valid.out)")
        }
    }

    @Test func `a trailing delimiter is ignored where the contract says so, or left out by position`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("t.csv", "A|B|\n1|2|\n4|5|\n")
        func contract(_ settings: String) throws -> Harness.Outcome {
            try harness.write(
                "c.yaml",
                "name: t\nfields: [{ name: A, type: integer }, { name: B, type: integer }]\n"
                    + "sluice: { apiVersion: sluice/v1, dialect: { delimiter: \"|\" }\(settings) }\n")
            return try harness.run("validate", "t.csv", "--schema", "c.yaml")
        }
        let refused = try contract("")
        #expect(refused.code == 1 && refused.out.contains("trailingDelimiter"), "\(refused.out)")
        for settings in [", unknownFields: drop", ", dropColumns: [3]", ", trailingDelimiter: true"] {
            let read = try contract(settings)
            #expect(read.code == 0, "\(settings): \(read.out)\(read.err)")
        }
    }

    @Test func `what a contract says of positions is checked`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("d.jsonl", "{\"a\": 1}\n")
        try harness.write(
            "c.yaml",
            "name: t\nfields: [{ name: a, type: integer, sluice: { column: 1 } }]\nsluice: { apiVersion: sluice/v1 }\n")
        let json = try harness.run("validate", "d.jsonl", "--schema", "c.yaml")
        #expect(json.code == 78 && json.err.contains("about CSV"), "\(json.err)")
        try harness.write(
            "c.yaml",
            "name: t\nfields: [{ name: a, sluice: { column: 1 } }, { name: b, sluice: { column: 1 } }]\nsluice: { apiVersion: sluice/v1 }\n"
        )
        let twice = try harness.run("schema", "check", "c.yaml")
        #expect(twice.code == 78 && twice.err.contains("both column 1"), "\(twice.err)")
        try harness.write(
            "c.yaml",
            "name: t\nfields: [{ name: a, sluice: { column: 1 } }]\nsluice: { apiVersion: sluice/v1, dropColumns: [1] }\n"
        )
        #expect(try harness.run("schema", "check", "c.yaml").code == 78)
    }

    @Test func `a label that nearly fits is named with what helps`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("d.csv", "ID,name \n1,A\n")
        try harness.write("c.yaml", "name: t\nfields: [{ name: id, type: integer }, { name: name, type: string }]\n")
        let refused = try harness.run("validate", "d.csv", "--schema", "c.yaml")
        #expect(refused.code == 1 && refused.out.contains("caseSensitiveHeader: false"), "\(refused.out)")
        #expect(refused.out.contains("trimLabels: true"), "\(refused.out)")
    }
}
