import Cryptography
import Foundation
import Lineage
import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Testing
import Validating

@testable import Ingestion

/// Who may deliver, which sidecars are required, and how several suppliers' values for the same keys are compared.
@Suite struct SourceTests {
    private func shop(_ settings: String) throws -> Workshop {
        let shop = try Workshop()
        let path = shop.store.root + "/sluice.yaml"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        try Data((text + settings).utf8).write(to: URL(filePath: path))
        return shop
    }

    private func run(
        _ shop: Workshop, _ path: String, source: String = "test", more: String = "",
        _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let (schema, document) = try Workshop.contract(more)
        var options = BatchOptions()
        options.sliceBytes = 65_536
        change(&options)
        // Opened again, since the configuration was changed on disk.
        return try await Pipeline(store: try Store(shop.store.root), writes: options.mode == .ingest).run(
            BatchRequest(
                BatchInput(file: path), schema: schema, contract: document, dataset: "numbers", source: source,
                options: options)
        )
    }

    /// The codes that hold a batch.
    private func holding(_ report: BatchReport) -> [FindingCode] {
        report.batchFindings.filter { $0.outcome >= .quarantined }.map(\.code)
    }

    /// Rows that no other batch has.
    private func fresh(_ first: Int, _ count: Int) -> String {
        var text = "id,x,note\n"
        for id in first..<first + count { text += "\(id),\(Double(id * 7919 % 100_003) / 97),n\(100_000 + id)\n" }
        return text
    }

    @Test func `a listed source is on probation until enough batches passed or somebody vouches for it`() async throws {
        let shop = try shop("sources:\n  test: { owner: Us, probation: 2 }\n  other: { probation: 0 }\n")
        defer { shop.remove() }
        for index in 0..<2 {
            let path = try shop.write("\(index).csv", fresh(1 + 50 * index, 50))
            let report = try await run(shop, path)
            #expect(report.status == .held && holding(report) == [.sourceProbation])
            #expect(report.attestation?["passed"]?.whole == Int64(index))
        }
        let third = try shop.write("3.csv", fresh(201, 50))
        #expect(try await run(shop, third).status == .accepted)
        #expect(
            try await run(shop, try shop.write("4.csv", fresh(301, 50)), source: "other").status
                == .accepted)
        // A supplier that is not listed while others are.
        let report = try await run(shop, try shop.write("5.csv", fresh(401, 50)), source: "nobody")
        #expect(report.status == .held && holding(report) == [.sourceUnlisted])
        // The same bytes are judged again once the supplier's standing changes.
        let recorder = try Recorder(try Store(shop.store.root))
        try recorder.take(.trust, source: "nobody", reason: "known")
        #expect(
            try await run(shop, try shop.write("5.csv", fresh(401, 50)), source: "nobody").status
                == .accepted)
        try recorder.take(.block, source: "other", reason: "no more")
        let refused = try await run(shop, try shop.write("6.csv", fresh(501, 50)), source: "other")
        #expect(refused.status == .rejected && holding(refused) == [.sourceBlocked])
        let query = LineageQuery(recorder.ledger)
        let names = try query.log(limit: 9, kind: "source.registered").map { $0.body["name"]?.text }
        #expect(names == ["other", "test"], "recorded once, without whom to ask")
        #expect(try query.log(limit: 9, kind: "source.observed").count == 2)
    }

    @Test func `a digest or signature that is required, missing or wrong rejects the batch`() async throws {
        let seed = try SecretKey(random: 32)
        let signing = try SigningKey(seed: seed)
        let number = Array("12345678".utf8)
        let key = base64(Array("Ed".utf8) + number + signing.publicKey)
        let shop = try shop(
            """
            sources:
              test: { probation: 0, require: [signature, digest], keys: [ { minisign: "\(key)" } ] }
              plain: { probation: 0 }

            """)
        defer { shop.remove() }
        func sign(_ path: String) throws {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            var digest = try MessageDigest(.blake2b512)
            digest.update(bytes.span)
            let made = try signing.sign(digest.finish())
            let over = try signing.sign(made + Array("c".utf8))
            let text = """
                untrusted comment: x
                \(base64(Array("ED".utf8) + number + made))
                trusted comment: c
                \(base64(over))

                """
            try Data(text.utf8).write(to: URL(filePath: path + ".minisig"))
            try Data((hex(SHA256.hash(bytes)) + "\n").utf8).write(to: URL(filePath: path + ".sha256"))
        }
        let path = try shop.write("a.csv", fresh(1, 60))
        let bare = try await run(shop, path)
        #expect(bare.status == .rejected && holding(bare) == [.digestMissing, .signatureMissing])
        #expect(bare.published.contains { $0.hasSuffix("source.sluice") }, "nothing is lost")
        try sign(path)
        let signed = try await run(shop, path)
        #expect(signed.status == .accepted, "\(signed.batchFindings)")
        let received = try #require(
            try LineageQuery(try shop.store.ledger()).log(limit: 1, kind: "batch.received").first)
        #expect(received.body["vouched"]?["provenance"]?["signature"]?.text == "confirmed")
        #expect(received.body["vouched"]?["provenance"]?["sidecars_sha256"]?.items?.count == 2)
        // Changed after it was signed.
        try Data((fresh(1, 60) + "61,5,n\n").utf8).write(to: URL(filePath: path))
        let changed = try await run(shop, path)
        #expect(
            changed.status == .rejected && holding(changed) == [.digestMismatch, .signatureInvalid])
        // A supplier without required sidecars, with a wrong digest.
        let other = try shop.write("b.csv", fresh(101, 60))
        _ = try shop.write("b.csv.sha256", String(repeating: "0", count: 64))
        let wrong = try await run(shop, other, source: "plain")
        #expect(holding(wrong) == [.digestMismatch], "\(wrong.batchFindings)")
        // A signature without a trusted key is reported, and decides nothing.
        let third = try shop.write("c.csv", fresh(201, 60))
        try sign(third)
        let unchecked = try await run(shop, third, source: "plain")
        #expect(unchecked.status == .accepted, "\(unchecked.batchFindings)")
        #expect(unchecked.attestation?["provenance"]?["signature"]?.text == "unchecked")
        #expect(unchecked.attestation?["provenance"]?["digest"]?.text == "confirmed")
    }

    @Test func `sources are held against each other across batches, and a person can vouch for one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let more =
            ", poisoning: { crossVerify: { key: [id], fields: { x: { tolerance: 0.001 } } } }, "
            + "hiddenText: allow"
        func file(_ name: String, _ note: String, lie: Set<Int> = []) throws -> String {
            var text = "id,x,note\n"
            for id in 1...200 {
                text += "\(id),\(Double(id) / 7 + (lie.contains(id) ? 3 : 0)),\(note)\(100_000 + id)\n"
            }
            return try shop.write(name, text)
        }
        // Arriving first confers no advantage.
        let lies = Set(stride(from: 1, to: 200, by: 20))
        let first = try await run(shop, try file("l.csv", "l", lie: lies), source: "liar", more: more)
        #expect(first.status == .accepted && first.cross?.conflicts == 0)
        let second = try await run(shop, try file("b.csv", "b"), source: "b", more: more)
        #expect(second.cross?.conflicts == 10 && second.counts.count(.quarantined) == 10)
        let third = try await run(shop, try file("c.csv", "c"), source: "c", more: more)
        #expect(third.cross?.conflicts == 0 && third.status == .accepted)
        #expect(third.cross?.contradicted.map(\.values) == [10])
        // Contradicted throughout: distrusted, whatever was confirmed before.
        let again = try await run(
            shop, try file("l2.csv", "m", lie: Set(1...200)), source: "liar", more: more)
        #expect(again.batchFindings.contains { $0.code == .sourceDistrusted } && again.status == .held)
        let ledger = try shop.store.ledger()
        let judged = try #require(try LineageQuery(ledger).log(limit: 1, kind: "batch.judged").first)
        #expect(judged.body["cross"]?["sources"]?.items?.contains { $0["distrusted"]?.flag == true } == true)
        try Recorder(shop.store).take(.trust, source: "liar", reason: "repaired")
        let repaired = try await run(shop, try file("l3.csv", "o"), source: "liar", more: more)
        #expect(
            !repaired.batchFindings.contains { $0.code == .sourceDistrusted } && repaired.status == .accepted,
            "\(repaired.batchFindings)")
    }

    @Test func `assertions that a missing key sealed are missed, not taken for silence`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let more = ", poisoning: { crossVerify: { key: [id], fields: { x: {} } } }"
        #expect(
            try await run(shop, try shop.write("a.csv", fresh(1, 60)), source: "a", more: more).status == .accepted)
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/main.kek")
        let store = try Store(shop.store.root).proving()
        let validator = try Validator(try Workshop.contract(more).schema, hash: KeyedHash(key: Array(1...32)))
        let reader = try #require(AssertionReader(validator, source: "b"))
        let (width, codeWidth) = (reader.empty.width, reader.empty.codeWidth)
        let assertions = RowSample(
            capacity: 1, width: width, codeWidth: codeWidth,
            rows: .init(
                ranks: [1], values: [Double](repeating: 0, count: width),
                codes: [UInt64](repeating: 1, count: codeWidth)),
            offered: 1)
        let error = #expect(throws: IngestionError.self) {
            _ = try store.earlierAssertions(
                "numbers", about: assertions, reader, except: (source: "b", digest: []), trustedSince: [:])
        }
        #expect(error?.code == .notPermitted && error?.description.contains("keys/main.kek is missing") == true)
    }

    @Test func `neither more sidecars nor few rows get a file in again, and what is rejected has no word`() async throws
    {
        let shop = try shop("sources:\n  test: { probation: 2 }\n  a: { probation: 0 }\n  evil: { probation: 0 }\n")
        defer { shop.remove() }
        // A single row, or the same file again, does not end probation.
        let one = try shop.write("one.csv", fresh(1, 1))
        for _ in 0..<3 { _ = try await run(shop, one) { $0.force = true } }
        let many = try shop.write("many.csv", fresh(101, 50))
        for _ in 0..<3 { _ = try await run(shop, many) { $0.force = true } }
        #expect(try Store(shop.store.root).proving().standing("test")?.state == .probation(passed: 1, of: 2))
        // Whatever its sidecars, accepted content is a duplicate.
        let path = try shop.write("a.csv", fresh(201, 50))
        #expect(try await run(shop, path, source: "a").status == .accepted)
        let sum = hex(SHA256.hash([UInt8](try Data(contentsOf: URL(filePath: path)))))
        for end in ["\n", "\n\n"] {
            _ = try shop.write("a.csv.sha256", sum + end)
            #expect(try await run(shop, path, source: "a").status == .duplicate)
        }
        // A file that does not match its digest does not vote.
        let more = ", poisoning: { crossVerify: { key: [id], fields: { x: {} } } }"
        let evil = try shop.write("evil.csv", fresh(301, 60).replacing(",n", with: "1,n"))
        _ = try shop.write("evil.csv.sha256", String(repeating: "0", count: 64))
        #expect(try await run(shop, evil, source: "evil", more: more).status == .rejected)
        let honest = try await run(shop, try shop.write("h.csv", fresh(301, 60)), source: "a", more: more)
        #expect(honest.cross?.compared == 0 && honest.cross?.conflicts == 0)
    }

    @Test func `a contract that is a JSON Schema is replayed in the order of its properties`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            $schema: https://json-schema.org/draft/2020-12/schema
            title: things
            type: object
            properties:
              zeta: { type: integer }
              note: { type: string }
              amount: { type: number }
            """
        let path = try shop.write("things.schema.yaml", text)
        let loaded = try loadContract(path)
        let file = try shop.write(
            "t.jsonl",
            (1...300).map { "{\"zeta\": \($0), \"note\": \"n\($0 % 7)\", \"amount\": \($0 == 77 ? 99999 : $0 % 13)}\n" }
                .joined())
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: file), schema: Schema.digested(loaded), contract: loaded.document, dataset: "things",
                source: "x",
                options: BatchOptions()))
        #expect(report.fields == ["zeta", "note", "amount"])
        let replay = try shop.store.replay(report.batch, row: 77, file: BatchInput(file))
        #expect(replay.isSame && replay.fields == report.fields, "\(replay.agreed)")
        #expect(replay.findings.contains { $0.code == .deviatedValue && $0.field == 2 })
    }

    @Test func `rows of an earlier batch under new keys are held, and may be allowed`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        func rows(_ first: Int, _ seed: Int, count: Int = 300) -> String {
            var text = "id,x,note\n"
            for row in 0..<count {
                text += "\(first + row),\(Double((row + seed) * 7919 % 100_003) / 97),n\(100_000 + row + seed)\n"
            }
            return text
        }
        #expect(try await run(shop, try shop.write("a.csv", rows(1, 0))).status == .accepted)
        // With one batch it is unknown whether rows usually repeat, so the finding only flags.
        let second = try await run(shop, try shop.write("a2.csv", rows(5001, 3000)))
        #expect(second.status == .accepted && second.batchFindings.isEmpty, "\(second.batchFindings)")
        // The same bytes under another contract are no copies of themselves if they replace the earlier batch.
        let other = ", poisoning: { triggers: { enabled: false } }"
        let refused = try await run(shop, shop.folder + "/a.csv", more: other)
        #expect(refused.status == .duplicate && refused.isRefusedReplacement)
        let again = try await run(shop, shop.folder + "/a.csv", more: other) { $0.supersedes = refused.duplicateOf }
        #expect(again.status == .accepted, "\(again.batchFindings)")
        let copied = try await run(shop, try shop.write("b.csv", rows(1001, 0)))
        #expect(copied.status == .held && copied.batchFindings.contains { $0.code == .copyExcess })
        #expect(copied.findings.sorted.contains { $0.kind.code == .copiedRow && $0.tally.count == 300 })
        let allowed = try await run(
            shop, try shop.write("c.csv", rows(2001, 0)), more: ", poisoning: { duplicates: { acrossBatches: false } }")
        #expect(!allowed.batchFindings.contains { $0.code == .copyExcess })
    }

    @Test func `a contract that runs beside another decides nothing, and is told of`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", Workshop.rows(300))
        let quiet = ", isolationForest: { enabled: false }"
        let (schema, document) = try Workshop.contract(quiet + ", rules: [ 'x < 10' ]")
        let report = try await run(shop, path, more: quiet) { $0.shadow = (schema, document) }
        #expect(report.status == .accepted && report.counts.count(.rejected) == 0)
        let shadow = try #require(report.shadow)
        let rejected = (1...300).filter { Double($0 % 97) / 7 >= 10 }
        #expect(shadow.changes.map(\.now) == [.accepted] && shadow.changes.map(\.then) == [.rejected])
        #expect(shadow.changes[0].count == rejected.count && shadow.changes[0].firstRows == Array(rejected.prefix(5)))
        #expect(shadow.findings.map(\.code) == ["row-constraint"] && !shadow.isSame)
        let judged = try #require(try LineageQuery(try shop.store.ledger()).log(limit: 1, kind: "batch.judged").first)
        #expect(judged.body["shadow"]?["changes"]?.items?.count == 1)
        // A shadow contract that cannot read the file is reported too.
        let other = try Workshop.contract()
        var broken = other.schema
        broken.fields[0].name = "nothing"
        let second = try await run(shop, try shop.write("b.csv", Workshop.rows(300, from: 1000)), more: quiet) {
            $0.shadow = (broken, other.document)
        }
        #expect(second.status == .accepted && second.shadow?.wouldHold == true, "\(second.batchFindings)")
    }

    @Test func `a batch is replayed from what was kept`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", Workshop.rows(500) + "501,99999,n\n502,x,n\n")
        let report = try await run(shop, path)
        #expect(report.status == .accepted)
        let bare = try shop.store.replay(report.batch, row: 502, file: nil)
        #expect(!bare.isReplayed && bare.decision != nil)
        #expect(bare.sealedFindings?.items?.first?["code"]?.text == "type-error")
        let whole = try shop.store.replay(report.batch, row: 501, file: BatchInput(path))
        #expect(whole.isReplayed && whole.agreed == 502 && whole.differing.isEmpty)
        #expect(
            whole.findings.contains { $0.code == .deviatedValue } && whole.scores.contains { $0.code == .deviatedValue }
        )
        #expect(throws: IngestionError.self) { try shop.store.replay(report.batch, row: 503, file: nil) }
        #expect(throws: IngestionError.self) { try shop.store.replay("nothing", row: nil, file: nil) }
        let wrong = try shop.write("b.csv", Workshop.rows(2))
        #expect(throws: IngestionError.self) { try shop.store.replay(report.batch, row: nil, file: BatchInput(wrong)) }
        // A held batch has its sealed source.
        let held = try await run(
            shop, try shop.write("c.csv", Workshop.rows(10) + String(repeating: "x,y,z\n", count: 50)))
        #expect(held.status == .held)
        let again = try shop.store.replay(held.batch, row: nil, file: nil)
        #expect(again.isReplayed && again.agreed == 60)
        // A swapped decision is not the recorded one.
        let decision = shop.store.root + "/accepted/numbers/\(report.batch)/evidence/decision.sluice"
        let other = shop.store.root + "/accepted/numbers/\(report.batch)/evidence/rows.sluice"
        try FileManager.default.removeItem(atPath: decision)
        try FileManager.default.copyItem(atPath: other, toPath: decision)
        #expect(throws: IngestionError.self) { try shop.store.replay(report.batch, row: nil, file: nil) }
    }
}
