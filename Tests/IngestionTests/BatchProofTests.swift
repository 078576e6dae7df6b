import Cryptography
import Foundation
import Lineage
import Schemas
import Storage
import Tabular
import Testing

@testable import Ingestion

/// What the ledger records of a batch or a row, proven to somebody without the store.
@Suite struct `proofs that leave the store` {
    private func rows(_ count: Int, from first: Int, far: Int = 5, bad: Int = 2) -> String {
        var text = Workshop.rows(count, from: first)
        for id in 0..<far { text += "\(first + count + id),9\(id)00\(first),far \(first + id)\n" }
        for id in 0..<bad { text += "\(first + count + far + id),none,bad\n" }
        return text
    }

    private func proof(_ shop: Workshop, _ batch: String, _ row: Int?) throws -> RecordProof? {
        try Store(shop.store.root).proving().proof(ofBatch: batch, row: row)
    }

    private func fault(_ text: [UInt8], _ key: VerifierKey) -> String {
        guard let proof = RecordProof(text) else { return "unreadable" }
        do throws(RecordProof.Fault) { _ = try proof.verify(key) } catch { return "\(error)" }
        return "holds"
    }

    /// The key of a ledger of this name that somebody else has.
    private func stranger(_ name: String) throws -> VerifierKey {
        try #require(VerifierKey(name: name, publicKey: SigningKey(seed: SecretKey(random: 32)).publicKey))
    }

    /// The document in a proof's `extra` line.
    private func document(_ proof: RecordProof) throws -> JSONValue { try JSONValue.parse(proof.proof.extra ?? []) }

    /// The proof with its `extra` document changed.
    private func changed(_ proof: RecordProof, _ change: (inout [String: JSONValue]) -> Void) throws -> [UInt8] {
        var members = try document(proof).members ?? [:]
        change(&members)
        return proof.proof.carrying(JSONValue.object(members).canonicalBytes()).text
    }

    @Test func `each row is proven with its outcome and its shard`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = rows(4000, from: 1)
        let report = try await shop.run(try shop.write("a.csv", text))
        let key = try shop.store.proving().verifier()
        #expect(report.status == .accepted)
        // Among others, so that the tree is not of one batch.
        _ = try await shop.run(try shop.write("b.csv", rows(4000, from: 9001)))
        for (row, outcome) in [(1, "accepted"), (2500, "accepted"), (4001, "quarantined"), (4006, "rejected")] {
            let proof = try #require(try proof(shop, report.batch, row))
            #expect(fault(proof.proof.text, key) == "holds")
            let claim = try #require(RecordProof(proof.proof.text)).claim
            #expect(claim["source_sha256"]?.text == hex(SHA256.hash(Array(text.utf8))))
            #expect(claim["row"]?["outcome"]?.text == outcome && claim["row"]?["record"]?.whole == Int64(row))
            let path = try #require(claim["row"]?["shard"]?.text)
            #expect(try fileDigest(join(shop.store.root, path)) == claim["row"]?["shard_sha256"]?.text)
            if outcome == "accepted" {
                let line = Int(claim["row"]?["shard_row"]?.whole ?? 0)
                #expect(try shop.opened(path).split(separator: "\n")[line] == text.split(separator: "\n")[row])
            }
        }
        #expect(try proof(shop, report.batch, 4008) == nil && proof(shop, report.batch, 0) == nil)
        #expect(try proof(shop, "nothing", 1) == nil)
        // A receipt has no extra line, and a proof is no receipt.
        #expect(
            fault(
                try Array(Data(contentsOf: URL(filePath: join(shop.store.root, report.published[0] + ".tlog-proof")))),
                key) == "unreadable")
    }

    @Test func `a proof that was changed anywhere does not hold`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let other = try await shop.run(try shop.write("b.csv", rows(4000, from: 9001)))
        let key = try shop.store.proving().verifier()
        let proof = try #require(try proof(shop, report.batch, 4001))
        #expect(fault(proof.proof.text, key) == "holds")
        let stranger = try stranger(key.name)
        #expect(fault(proof.proof.text, stranger) == "unsigned")
        let elsewhere = try #require(VerifierKey(name: "other", publicKey: key.publicKey))
        #expect(fault(proof.proof.text, elsewhere) == "unsigned")
        // Another row, outcome, file or batch.
        for row in [1, 4002, 4006, 4007, 4008] {
            #expect(fault(try changed(proof) { $0["row"] = .integer(Int64(row)) }, key) == "otherClaim")
        }
        #expect(fault(try changed(proof) { $0["row"] = nil }, key) == "otherClaim")
        for (name, value) in [("source_sha256", "00"), ("verdict", "held"), ("batch", other.batch), ("source", "x")] {
            let text = try changed(proof) { members in
                var claim = members["claim"]?.members ?? [:]
                claim[name] = .string(value)
                members["claim"] = .object(claim)
            }
            #expect(fault(text, key) == "otherClaim")
        }
        let next = try #require(try self.proof(shop, other.batch, 1))
        let (map, same) = (try document(next)["rowmap"], try document(proof)["rowmap"])
        if map != same { #expect(fault(try changed(proof) { $0["rowmap"] = map }, key) == "otherRowMap") }
        #expect(fault(try changed(proof) { $0["rowmap"] = .string(base64([1, 0])) }, key) == "otherRowMap")
        #expect(fault(try changed(proof) { $0["rowmap"] = nil }, key) == "otherRowMap")
        // An entry of another batch, fewer entries, another place in the tree.
        let foreign = try document(next)["entries"]?.items ?? []
        for index in 0..<3 {
            let mixed = try changed(proof) { members in
                var entries = members["entries"]?.items ?? []
                entries[index] = foreign[index]
                members["entries"] = .array(entries)
            }
            #expect(fault(mixed, key) != "holds")
            let fewer = try changed(proof) { members in
                var entries = members["entries"]?.items ?? []
                entries.remove(at: index)
                members["entries"] = .array(entries)
            }
            #expect(fault(fewer, key) != "holds")
        }
        // Any single character of the file.
        let text = proof.proof.text
        var held = 0
        for place in stride(from: 0, to: text.count, by: 61) {
            var bad = text
            bad[place] ^= 1
            if fault(bad, key) == "holds" { held += 1 }
        }
        #expect(held == 0)
        for end in stride(from: 0, to: text.count - 1, by: 997) { #expect(fault(Array(text[..<end]), key) != "holds") }
    }

    @Test func `a proof says what was recorded since`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let key = try shop.store.proving().verifier()
        let before = try #require(try proof(shop, report.batch, 4001))
        #expect(before.claim["afterwards"]?.items?.isEmpty == true)
        let recorder = try Recorder(Store(shop.store.root))
        _ = try recorder.rotateKey("main")
        _ = try await recorder.rewrap(try recorder.rewrapping(from: "main", to: nil, dataset: nil))
        var request = Pipeline.ReleaseRequest(report.batch, reason: "sound")
        let contract = try Workshop.contract()
        request.rows = RowList("4001")
        request.contract = try Schema.load(
            Array(contract.document.text(pretty: false).utf8), name: "numbers.schema.json")
        _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(request, options: BatchOptions())
        let after = try #require(try proof(shop, report.batch, 4001))
        #expect(fault(after.proof.text, key) == "holds" && fault(before.proof.text, key) == "holds")
        let kinds = after.claim["afterwards"]?.items?.compactMap { $0["kind"]?.text }
        #expect(kinds == ["shard.rewrapped", "batch.released"])
        #expect(after.claim["afterwards"]?.items?.last?["rows"]?.text == "4001")
        // What happened cannot be left out of the claim, as long as its entry is there.
        let silent = try changed(after) { members in
            var claim = members["claim"]?.members ?? [:]
            claim["afterwards"] = .array([])
            members["claim"] = .object(claim)
        }
        #expect(fault(silent, key) == "otherClaim")
    }

    @Test func `a batch is certified as a whole`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let key = try shop.store.proving().verifier()
        let held = try await shop.run(try shop.write("a.csv", "id,x,note\nz,z,z\n"))
        #expect(held.status == .held)
        let proof = try #require(try proof(shop, held.batch, nil))
        #expect(fault(proof.proof.text, key) == "holds")
        #expect(proof.claim["verdict"]?.text == "held" && proof.claim["rejected"]?.whole == 1)
        #expect(proof.claim["files"]?.items?.contains { $0["role"]?.text == "source" } == true)
        let row = try #require(try self.proof(shop, held.batch, 1))
        #expect(row.claim["row"]?["outcome"]?.text == "rejected" && fault(row.proof.text, key) == "holds")
    }

    @Test func `the script of the manual agrees`() async throws {
        let python = "/usr/bin/env"
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/sluice/Documentation.docc/Lineage.md")
        let manual = try String(contentsOf: page, encoding: .utf8)
        let block = try #require(
            manual.split(separator: "```python\n").dropFirst().first?.split(separator: "\n```").first)
        #expect(block.split(separator: "\n").count <= 40)
        let shop = try Workshop()
        defer { shop.remove() }
        let script = try shop.write("verify.py", String(block) + "\n")
        func run(_ arguments: [String]) throws -> (code: Int32, text: String) {
            let process = Process()
            process.executableURL = URL(filePath: python)
            process.arguments = ["python3"] + arguments
            let pipe = Pipe()
            (process.standardOutput, process.standardError) = (pipe, FileHandle.nullDevice)
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: data, as: UTF8.self))
        }
        // The tests' own scripts are Python as well, so it is there.
        let report = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let held = try await shop.run(try shop.write("b.csv", "id,x,note\nz,z,z\n"))
        let key = try shop.store.proving().verifier()
        for (batch, row, outcome) in [
            (report.batch, 17, "accepted"), (report.batch, 4003, "quarantined"), (report.batch, 4007, "rejected"),
            (held.batch, 1, "rejected"),
        ] {
            let proof = try #require(try proof(shop, batch, row))
            let path = try shop.write("\(row).tlog-proof", String(decoding: proof.proof.text, as: UTF8.self))
            let good = try run([script, path, "\(key)"])
            let shard = proof.claim["row"]?["shard_sha256"]?.text ?? "none"
            #expect(good.code == 0 && good.text.contains("row \(row) \(outcome) shard \(shard)"), "\(good)")
            var bad = proof.proof.text
            bad[bad.count / 2] ^= 1
            #expect(
                try run([script, shop.write("bad.tlog-proof", String(decoding: bad, as: UTF8.self)), "\(key)"]).code
                    != 0)
            let stranger = try stranger(key.name)
            #expect(try run([script, path, "\(stranger)"]).code != 0)
        }
    }
}
