import Foundation
import Testing

/// Proofs that leave the store, as commands make and check them.
@Suite(.serialized) struct `certificates` {
    private func verifier(_ harness: Harness) throws -> String {
        let list = try harness.run("keys", "list", "--store", "store").out
        return try #require(list.split(separator: "\n").last?.split(separator: "\t").last.map(String.init))
    }

    @Test func `what stands around a proof must be what the proof says`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        try harness.write("a.csv", "id,x\n" + (1...50).map { "\($0),\($0 % 7)\n" }.joined())
        #expect(try harness.run("ingest", "a.csv", "--store", "store", "--dataset", "d", "--infer").code == 0)
        let key = try verifier(harness)
        func made(_ arguments: String...) throws -> String {
            let run = try harness.run(["lineage"] + arguments + ["--store", "store"])
            #expect(run.code == 0, "\(run.err)")
            return run.out
        }
        func check(_ text: String, _ more: String...) throws -> Harness.Outcome {
            try harness.write("p", text)
            return try harness.run(["lineage", "verify", "--proof", "p", "--vkey", key] + more)
        }
        let (row, json, page) = (
            try made("prove", "latest:7"), try made("certificate", "latest"),
            try made("certificate", "latest", "--html")
        )
        for text in [row, json, page] {
            let good = try check(text)
            #expect(good.code == 0 && good.out.contains("verdict     accepted"), "\(good.out) \(good.err)")
        }
        #expect(try check(row).out.contains("record 7 of the file"))
        for changed in [
            json.replacing("\"verdict\": \"accepted\"", with: "\"verdict\": \"held\""),
            json.replacing("\"rows\": 50", with: "\"rows\": 51"), json + "\n",
            json.replacing("\"verifier\": \"sluice", with: "\"verifier\": \"other"),
            page.replacing("<td>50</td>", with: "<td>51</td>"),
            page.replacing("</body>", with: "<p>all sound</p></body>"),
            page + page, row + "\n",
        ] {
            #expect(![row, json, page].contains(changed))
            let bad = try check(changed)
            #expect(bad.code == 1, "\(bad.out) \(bad.err)")
        }
        #expect(try check("no proof").code == 65)
        for option in [["--files"], ["--require-anchor"], ["--anchor", "p"]] {
            try harness.write("p", row)
            #expect(try harness.run(["lineage", "verify", "--proof", "p", "--vkey", key] + option).code == 64)
        }
        #expect(try harness.run("lineage", "prove", "latest:51", "--store", "store").code == 66)
        #expect(try harness.run("lineage", "prove", "latest", "--store", "store").code == 64)
    }
}
