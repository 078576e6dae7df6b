import Foundation
import FoundationXML
import Testing

/// The formats for programs: all have the same findings with their places, and none has a value.
@Suite(.serialized) struct `report formats` {
    static let contract = """
        fields:
          - { name: id, type: integer }
          - { name: kind, type: string, constraints: { enum: [a, b] } }
          - { name: note, type: string }
        """

    /// Row 2 has a quoted line end, so that row and line numbers differ; rows 3 and 5 are bad, row 4 is flagged.
    static let data = "id,kind,note\n1,a,x\n2,b,\"two\nlines\"\nsecret-3,a,x\n4,a,hid\u{200B}den\n5,secret-5,x\n"

    private func run(_ format: String, _ more: [String] = []) throws -> (out: String, code: Int32) {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.contract)
        try harness.write("a & b,1.csv", Self.data)
        try harness.write("good.csv", "id,kind,note\n1,a,x\n")
        try harness.write("zip.csv", "PK\u{3}\u{4}....")
        let arguments = ["validate", "a & b,1.csv", "good.csv", "zip.csv", "--schema", "c.yaml", "--format", format]
        let outcome = try harness.run(arguments + more)
        #expect(!outcome.out.contains("secret") && !outcome.err.contains("secret"))
        return (outcome.out, outcome.code)
    }

    /// frictionless-py 5.21 reads it (`Report.from_descriptor`) and prints its summary; checked by hand when it was written.
    @Test func `frictionless has its shape and its names`() throws {
        let (out, code) = try run("frictionless")
        #expect(code == 65)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(out.utf8)) as? [String: Any])
        #expect(document["valid"] as? Bool == false && (document["errors"] as? [Any])?.count == 1)
        #expect((document["stats"] as? [String: Any])?["tasks"] as? Int == 2)
        let tasks = try #require(document["tasks"] as? [[String: Any]])
        #expect(tasks.map { $0["valid"] as? Bool } == [false, true])
        let errors = try #require(tasks[0]["errors"] as? [[String: Any]])
        #expect(errors.map { $0["type"] as? String } == ["type-error", "constraint-error"])
        // Frictionless counts the header as a row.
        #expect(
            errors.map { $0["rowNumber"] as? Int } == [4, 6] && errors.map { $0["fieldNumber"] as? Int } == [1, 2])
        #expect(errors.map { $0["note"] as? String } == ["type-error", "constraint-enum"])
        #expect(errors.allSatisfy { $0["cell"] as? String == "" && ($0["cells"] as? [Any])?.isEmpty == true })
        #expect((tasks[0]["stats"] as? [String: Any])?["errors"] as? Int == 2)
    }

    @Test func `json says how grave a finding is, and who made it`() throws {
        let (out, _) = try run("json")
        let first = try #require(out.split(separator: "\n").first)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
        let errors = try #require(document["errors"] as? [[String: Any]])
        #expect(errors.map { $0["severity"] as? String } == ["error", "warning", "error"])
        #expect(errors.allSatisfy { $0["stage"] as? String == "check" })
    }

    @Test func `SARIF names rules, rows, lines and bytes`() throws {
        let (out, code) = try run("sarif")
        #expect(code == 65)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(out.utf8)) as? [String: Any])
        #expect(document["version"] as? String == "2.1.0")
        let run = try #require((document["runs"] as? [[String: Any]])?.first)
        let driver = try #require((run["tool"] as? [String: [String: Any]])?["driver"])
        let rules = try #require(driver["rules"] as? [[String: Any]]).compactMap { $0["id"] as? String }
        let results = try #require(run["results"] as? [[String: Any]])
        #expect(results.compactMap { $0["ruleId"] as? String } == ["type-error", "hidden-text", "constraint-enum"])
        #expect(results.compactMap { $0["level"] as? String } == ["error", "warning", "error"])
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index] == result["ruleId"] as? String)
        }
        let regions = results.compactMap { result -> [String: Int]? in
            let place = (result["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any]
            #expect((place?["artifactLocation"] as? [String: String])?["uri"] == "a%20%26%20b%2C1.csv")
            return place?["region"] as? [String: Int]
        }
        #expect(regions.map { $0["startLine"] } == [5, 6, 7])
        let bytes = Array(Self.data.utf8)
        let first = try #require(regions.first)
        let start = try #require(first["byteOffset"])
        let length = try #require(first["byteLength"])
        #expect(String(decoding: bytes[start..<start + length], as: UTF8.self) == "secret-3,a,x")
        let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
        #expect(invocation["executionSuccessful"] as? Bool == false)
        #expect((invocation["toolExecutionNotifications"] as? [Any])?.count == 1)
    }

    @Test func `JUnit has a suite a file and a case a reason`() throws {
        let (out, _) = try run("junit")
        final class Reader: NSObject, XMLParserDelegate {
            var seen: [String] = []
            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) { seen.append(name + (attributes["name"].map { " " + $0 } ?? "")) }
        }
        let (parser, reader) = (XMLParser(data: Data(out.utf8)), Reader())
        parser.delegate = reader
        #expect(parser.parse())
        #expect(
            reader.seen == [
                "testsuites sluice", "testsuite a & b,1.csv", "testcase constraint-enum kind", "failure",
                "testcase type-error id", "failure", "testsuite good.csv", "testcase rows", "testsuite zip.csv",
                "testcase read", "error",
            ])
        #expect(out.contains("tests=\"4\" failures=\"2\" errors=\"1\""))
    }

    @Test func `GitHub gets one annotation a reason, at its line`() throws {
        let (out, _) = try run("github")
        let lines = out.split(separator: "\n")
        #expect(
            lines.count == 4 && lines.allSatisfy { $0.hasPrefix("::error file=") || $0.hasPrefix("::warning file=") })
        #expect(
            lines.contains { $0.hasPrefix("::error file=a & b%2C1.csv,line=5,title=wrong type::field id: 1 row,") })
        #expect(
            lines.contains { $0.hasPrefix("::error file=zip.csv,title=not judged::") && $0.contains("zip archive") })
    }

    @Test func `ndjson is a line a finding, with exact totals when the list is cut`() throws {
        let (out, _) = try run("ndjson", ["--limit-errors", "1"])
        let lines = try out.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.compactMap { $0["kind"] as? String } == ["finding", "report", "report", "failure"])
        #expect(lines[1]["partial"] as? Bool == true && (lines[1]["totals"] as? [Any])?.count == 3)
        #expect(lines[2]["partial"] as? Bool == false && lines[2]["valid"] as? Bool == true)
    }

    /// The same rows in two files: findings name the file, and places are those in it.
    @Test func `findings of several files name the file, its row and its line`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.contract)
        let records = ["1,a,x\n", "2,b,\"two\nlines\"\n", "secret-3,a,x\n", "4,a,hid\u{200B}den\n", "5,secret-5,x\n"]
        try FileManager.default.createDirectory(
            atPath: harness.path("parts"), withIntermediateDirectories: false)
        try harness.write("parts/a.csv", "id,kind,note\n" + records[..<2].joined())
        try harness.write("parts/b.csv", "id,kind,note\n" + records[2...].joined())
        func validate(_ format: String, _ files: [String]) throws -> String {
            let outcome = try harness.run(["validate"] + files + ["--schema", "c.yaml", "--format", format])
            #expect(outcome.code == 1 && !outcome.out.contains("secret"), "\(outcome.err)")
            return outcome.out
        }
        for files in [["parts"], ["--together", "parts/a.csv", "parts/b.csv"]] {
            let text = try validate("text", files)
            #expect(text.contains("2 files, 5 rows") && text.contains("3 (b.csv:1)"), "\(text)")
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(validate("json", files).utf8)) as? [String: Any])
            let errors = try #require(json["errors"] as? [[String: Any]])
            #expect(errors.map { $0["rowNumber"] as? Int } == [3, 4, 5])
            #expect(errors.map { $0["fileRow"] as? Int } == [1, 2, 3])
            #expect(errors.allSatisfy { $0["file"] as? String == "parts/b.csv" })
            let listed = try #require(json["files"] as? [[String: Any]])
            #expect(listed.map { $0["file"] as? String } == ["parts/a.csv", "parts/b.csv"])
            #expect(listed.map { $0["rows"] as? Int } == [2, 3] && listed.map { $0["firstRow"] as? Int } == [1, 3])
            let github = try validate("github", files)
            #expect(github.contains("::error file=parts/b.csv,line=2,title=wrong type::"), "\(github)")
            let sarif = try #require(
                try JSONSerialization.jsonObject(with: Data(validate("sarif", files).utf8)) as? [String: Any])
            let results = try #require(((sarif["runs"] as? [[String: Any]])?.first)?["results"] as? [[String: Any]])
            let bytes = Array(("id,kind,note\n" + records[2...].joined()).utf8)
            let places = results.compactMap { result -> [String: Any]? in
                ((result["locations"] as? [[String: Any]])?.first)?["physicalLocation"] as? [String: Any]
            }
            #expect(places.allSatisfy { ($0["artifactLocation"] as? [String: String])?["uri"] == "parts/b.csv" })
            let regions = places.compactMap { $0["region"] as? [String: Int] }
            #expect(regions.map { $0["startLine"] } == [2, 3, 4])
            let (start, length) = (try #require(regions[0]["byteOffset"]), try #require(regions[0]["byteLength"]))
            #expect(String(decoding: bytes[start..<start + length], as: UTF8.self) == "secret-3,a,x")
        }
    }
}
