import Cryptography
import Foundation
import Lineage
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular
import Testing

@testable import Ingestion

/// The rows of one person are found and erased, in every file of a store.
@Suite struct `subjects` {
    private static let contract = """
        name: visits
        fields:
          - { name: who, type: string, sluice: { role: subject, pii: { entity: ID, operator: tokenize, key: tokens } } }
          - { name: id, type: integer, constraints: { required: true, unique: true } }
          - { name: x, type: number }
          - { name: note, type: string }
        sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 0.5 }, hiddenText: allow, baseline: { learning: 1 }MORE }

        """

    private func run(
        _ shop: Workshop, _ path: String, more: String = "", contract: String = contract, source: String = "test",
        _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let text = contract.replacing("MORE", with: more)
        let loaded = try Schema.load(Array(text.utf8), name: "visits.schema.yaml")
        var options = BatchOptions()
        options.mode = .ingest
        options.sliceBytes = 16_384
        change(&options)
        return try await Pipeline(store: Store(shop.store.root), writes: true).run(
            BatchRequest(
                BatchInput(path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "visits",
                source: source,
                options: options))
    }

    /// Visits of 40 people, with line ends and quotes in some cells.
    private func visits(_ count: Int, from first: Int, bad: [String] = []) -> String {
        var text = "who,id,x,note\n"
        for id in first..<first + count {
            let note = id % 11 == 0 ? "\"a\n\"\"\(1000 + id)\"" : "n\(100_000 + id)"
            text += "person-\(id * 7919 % 40),\(id),\(Double(id * 31 % 97) / 7),\(note)\n"
        }
        return text + bad.map { $0 + "\n" }.joined()
    }

    private func recorder(_ shop: Workshop) throws -> Recorder { try Recorder(Store(shop.store.root)) }

    private func erase(
        _ shop: Workshop, _ name: SubjectName, reason: String = "request 1"
    ) async throws -> Recorder.Erased {
        try await recorder(shop).eraseSubject(name, dataset: nil, reason: reason)
    }

    private func present(_ shop: Workshop) throws -> [PublishedFile] {
        var found: [PublishedFile] = []
        try recorder(shop).forEachPresentFile { found.append($0) }
        return found
    }

    /// The plaintexts of all sealed files, by path.
    private func plaintexts(_ shop: Workshop) throws -> [String: String] {
        try Dictionary(uniqueKeysWithValues: present(shop).map { ($0.path, try shop.opened($0.path)) })
    }

    /// Whether a text stands in a plaintext, also in the rows that quarantine shards keep in base64.
    private func places(_ text: String, _ plain: [String: String]) -> [String] {
        plain.filter { path, content in
            if content.contains(text) { return true }
            return content.split(separator: "\n").contains { line in
                guard let raw = (try? JSONValue.parse(Array(line.utf8)))?["raw"]?.text.flatMap({ bytes(base64: $0) })
                else {
                    return false
                }
                return String(decoding: raw, as: UTF8.self).contains(text)
            }
        }.keys.sorted()
    }

    @Test func `every row of a person goes, and every other row stays byte for byte, with its proof`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var batches: [String] = []
        for first in [1, 5001, 9001] {
            let path = try shop.write(
                "\(first).csv",
                visits(1500, from: first, bad: ["person-7,none,1,n", "person-7,too,many,cells,here", "x,1"]))
            let report = try await run(shop, path)
            #expect(report.status == .accepted, "\(report.batchFindings)")
            batches.append(report.batch)
        }
        let before = try plaintexts(shop)
        #expect(before.keys.filter { $0.contains("accepted/") && !$0.contains("evidence") }.count > 6)
        let token = try token(of: "person-7", shop)
        let key = try shop.store.proving().verifier()
        let old = try #require(try Store(shop.store.root).proving().proof(ofBatch: batches[0], row: 1))
        let found = try recorder(shop).findSubject(.value("person-7"), dataset: nil)
        #expect(found.batches.map(\.batch) == batches && found.failures.isEmpty && found.withoutIndex.isEmpty)
        #expect(found.rowCount == 3 * 2 + (3 * 1500) / 40 || found.rowCount > 100, "\(found.rowCount)")
        let erased = try await erase(shop, .value("person-7"))
        #expect(erased.rows == found.rowCount && erased.replaced.failures.isEmpty && erased.replaced.waiting == 0)
        try shop.expectSound()
        let after = try plaintexts(shop)
        #expect(places("person-7,", after) == [] && places(token, after) == [])
        // Person 70 to 79 do not exist; 17, 27 and 37 end alike and stay.
        #expect(!places("person-7", before).isEmpty)
        for (path, text) in before
        where path.contains("accepted/") && path.hasSuffix(".sluice") && !path.contains("evidence") {
            #expect(after[path] == records(text).filter { !$0.hasPrefix(token) }.joined())
        }
        #expect(try recorder(shop).findSubject(.value("person-7"), dataset: nil).batches.isEmpty)
        // A proof from before holds, and new ones name the row's place in the new file.
        #expect(throws: Never.self) { try old.verify(key) }
        let store = try Store(shop.store.root).proving()
        let gone = try #require(found.batches.first?.rows)
        for row in stride(from: 1, through: 1500, by: 97) {
            let proof = try #require(try store.proof(ofBatch: batches[0], row: row))
            #expect(throws: Never.self) { try proof.verify(key) }
            let claim = try #require(proof.claim["row"])
            #expect((claim["erased"]?.flag ?? false) == gone.contains(row))
            if gone.contains(row) { continue }
            let path = try #require(claim["shard"]?.text)
            let now = claim["shard_sha256_now"] ?? claim["shard_sha256"]
            #expect(try fileDigest(join(shop.store.root, path)) == now?.text)
            let line = records(after[path] ?? "")[Int(claim["shard_row"]?.whole ?? 0)]
            #expect(line.contains(",\(row),"))
            let trace = try LineageQuery(store.readableLedger()).trace(
                shard: path, row: Int(claim["shard_row"]?.whole ?? 0))
            #expect(trace?.row?.sourceRow == row)
        }
        // The certificate.
        let entry = try #require(erased.entry)
        let certificate = try #require(try store.proof(ofErasure: entry))
        #expect(throws: Never.self) { try certificate.verify(key) }
        #expect(certificate.claim["rows"]?.whole == Int64(found.rowCount) && certificate.claim["batches"]?.whole == 3)
        #expect(try store.proof(ofErasure: entry - 1) == nil)
        // The ledger has neither value nor token.
        let database = try Data(contentsOf: URL(filePath: shop.store.ledgerPath))
        #expect(database.range(of: Data("person-7".utf8)) == nil && database.range(of: Data(token.utf8)) == nil)
    }

    /// The rows of a shard, with the header; quoted line ends do not end one.
    private func records(_ text: String) -> [String] {
        var (found, row, isQuoted): ([String], String, Bool) = ([], "", false)
        for byte in text.unicodeScalars {
            row.unicodeScalars.append(byte)
            if byte == "\"" { isQuoted.toggle() }
            if byte == "\n", !isQuoted {
                found.append(row)
                row = ""
            }
        }
        return found + (row.isEmpty ? [] : [row])
    }

    /// The token that accepted shards have for a person.
    private func token(of person: String, _ shop: Workshop) throws -> String {
        let found = try recorder(shop).findSubject(.value(person), dataset: nil)
        let batch = try #require(found.batches.first)
        let file = try #require(batch.files.first { $0.role == .accepted })
        let trace = LineageQuery(try shop.store.readableLedger())
        for (place, row) in records(try shop.opened(file.path)).enumerated().dropFirst() {
            if let source = try trace.trace(shard: file.path, row: place)?.row?.sourceRow, batch.rows.contains(source) {
                return String(row.prefix { $0 != "," })
            }
        }
        throw CancellationError()
    }

    @Test func `a token of a shard names the person, if it stands for one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await run(shop, try shop.write("a.csv", visits(400, from: 1)))
        _ = try await run(shop, try shop.write("b.csv", visits(400, from: 1001)))
        let token = try token(of: "person-3", shop)
        let (byValue, byToken) = (
            try recorder(shop).findSubject(.value("person-3"), dataset: nil),
            try recorder(shop).findSubject(.token(token), dataset: nil)
        )
        #expect(byToken.subject == byValue.subject && byToken.batches == byValue.batches && byValue.batches.count == 2)
        let unknown = await failure { _ = try recorder(shop).findSubject(.token("nothing"), dataset: nil) }
        #expect(unknown?.code == .usage)
        // One replacement for everybody.
        let other = try Workshop()
        defer { other.remove() }
        let blurred = Self.contract.replacing("operator: tokenize, key: tokens", with: "operator: replace")
        _ = try await run(other, try other.write("a.csv", visits(60, from: 1)), contract: blurred)
        let word = String(
            records(try plaintexts(other).first { $0.key.hasSuffix("/0.sluice") }?.value ?? "")[1].prefix { $0 != "," })
        let several = await failure { _ = try recorder(other).findSubject(.token(word), dataset: nil) }
        #expect(several?.description.contains("stands for") == true, "\(word) \(several?.description ?? "")")
    }

    /// The file of a held batch.
    private func write(_ form: String, text: String, rows: [String], to shop: Workshop) throws -> String {
        let path: String
        switch form {
        case "gz":
            path = try shop.write("h.csv.zst", "")
            try Data(try #require(compressed(Array(text.utf8)))).write(to: URL(filePath: path))
        case "utf16":
            path = try shop.write("h.csv", "")
            try (Data([0xFF, 0xFE]) + Data(text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })).write(
                to: URL(filePath: path))
        case "jsonl": path = try shop.write("h.jsonl", rows.map { $0.replacing("\n", with: "") + "\n" }.joined())
        case "list": path = try shop.write("h.json", "[ " + rows.joined(separator: " ,\n") + "\n]\n")
        case "document":
            path = try shop.write(
                "h.json", "{\"n\": 1, \"items\": [" + rows.joined(separator: ",") + "], \"end\": [2]}")
        case "files":
            path = shop.folder + "/files"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let lines = records(text)
            for (place, range) in [1..<30, 30..<31, 31..<lines.count].enumerated() {
                let part = Array((lines[0] + lines[range].joined()).utf8)
                let bytes = place == 2 ? try #require(compressed(part)) : part
                try Data(bytes).write(to: URL(filePath: path + "/\(place).csv" + (place == 2 ? ".zst" : "")))
            }
        default: path = try shop.write("h.csv", text)
        }
        return path
    }

    @Test(arguments: ["csv", "gz", "utf16", "jsonl", "list", "document", "files"])
    func `a held file loses the rows, and the rest can be released once`(form: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let bad = (1...30).map { "person-\($0 % 40),none\($0),1,n" }
        let text = visits(50, from: 1, bad: bad)
        let rows = records(text).dropFirst().map { row -> String in
            let cells = row.dropLast().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let id = Int(cells[1]).map { "\($0)" } ?? "\"\(cells[1])\""
            let note = String(cells[3].prefix(3)).replacing("\"", with: "").replacing("\n", with: " ")
            return "{\"who\": \"\(cells[0])\",\n \"id\": \(id), \"x\": \(cells[2]), \"note\": \"\(note)\"}"
        }
        let path = try write(form, text: text, rows: rows, to: shop)
        let strict = ", dialect: { property: items }"
        let held = try await run(
            shop, path,
            contract: Self.contract.replacing("maxRejectedRate: 0.5", with: "maxRejectedRate: 0.1")
                .replacing("MORE", with: form == "document" ? strict : "")
        ) { $0.encoding = form == "utf16" ? .utf16 : nil }
        #expect(held.status == .held && held.counts.total == 80, "\(form) \(held.batchFindings) \(held.counts.total)")
        // The first and the last row among them.
        let persons = Set([1, 50].map { "person-\($0 * 7919 % 40)" } + ["person-30"])
        var gone = 0
        for person in persons.sorted() { gone += try await erase(shop, .value(person)).rows }
        #expect(gone >= 5)
        try shop.expectSound()
        let plain = try plaintexts(shop)
        let source = try #require(plain.first { $0.key.hasSuffix("source.sluice") }?.value)
        for person in persons {
            #expect(places(person + (["csv", "files"].contains(form) ? "," : "\""), plain) == [])
            #expect(try recorder(shop).findSubject(.value(person), dataset: nil).batches.isEmpty)
        }
        if form == "list" || form == "jsonl" {
            let left =
                form == "list"
                ? (try JSONSerialization.jsonObject(with: Data(source.utf8)) as? [Any])?.count
                : source.split(separator: "\n").count
            #expect(left == 80 - gone)
        }
        // Explained and released as what is left; the second release is the same batch.
        // The rows that are left are not compared with others' outcomes.
        #expect(try !Store(shop.store.root).proving().replay(held.batch, row: nil, file: nil).isReplayed)
        #expect(try Store(shop.store.root).proving().replay(held.batch, row: nil, file: BatchInput(path)).isSame)
        let loose = Self.contract.replacing("MORE", with: form == "document" ? strict : "")
        var request = Pipeline.ReleaseRequest(held.batch, reason: "looked at")
        request.contract = try Schema.load(Array(loose.utf8), name: "visits.schema.yaml")
        let first = try await Pipeline(store: Store(shop.store.root), writes: true).release(
            request, options: BatchOptions())
        guard case .judged(let report) = first else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted && report.counts.total == 80 - gone, "\(report.batchFindings)")
        #expect(try Store(shop.store.root).proving().heldBatches().isEmpty)
        let second = try await Pipeline(store: Store(shop.store.root), writes: true).release(
            request, options: BatchOptions())
        guard case .earlier(report.batch) = second else {
            Issue.record("it was released twice: \(second)")
            return
        }
        try shop.expectSound()
    }

    @Test func `rows that are erased while a release reads them are not released`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let strict = Self.contract.replacing("maxRejectedRate: 0.5", with: "maxRejectedRate: 0.001")
        let held = try await run(
            shop, try shop.write("a.csv", visits(200, from: 1, bad: ["person-1,none,1,n"])), contract: strict)
        #expect(held.status == .held)
        var request = Pipeline.ReleaseRequest(held.batch, reason: "looked at")
        request.contract = try Schema.load(
            Array(Self.contract.replacing("MORE", with: "").utf8), name: "visits.schema.yaml")
        var options = BatchOptions()
        let isErased = Once()
        options.progress = { _, _, _ in
            if isErased.set() { return }
            // Another process.
            meanwhile {
                _ = try? await Recorder(Store(shop.store.root)).eraseSubject(
                    .value("person-5"), dataset: nil, reason: "r")
            }
        }
        let wanted = request
        let given = options
        let error = await failure {
            _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(wanted, options: given)
        }
        #expect(error?.code == .tryAgain, "\(error?.description ?? "released")")
        #expect(try recorder(shop).findSubject(.value("person-5"), dataset: nil).batches.isEmpty)
        #expect(places("person-5,", try plaintexts(shop)) == [])
        let again = try await Pipeline(store: Store(shop.store.root), writes: true).release(
            wanted, options: BatchOptions())
        guard case .judged(let report) = again else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted && report.counts.total == 196)
        try shop.expectSound()
    }

    @Test func `held back rows that were erased cannot be released, and the others can`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var text = visits(2000, from: 1)
        for id in 0..<6 { text += "person-\(id % 2),\(9001 + id),9\(id)00000,far\n" }
        let report = try await run(shop, try shop.write("a.csv", text))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 6, "\(report.counts)")
        _ = try await erase(shop, .value("person-0"))
        let store = try Store(shop.store.root).proving()
        #expect(try store.reviewCase(of: report.batch).quarantined?.text == "2002,2004,2006")
        var request = Pipeline.ReleaseRequest(report.batch, reason: "looked at")
        request.rows = RowList("2001")
        request.contract = try Schema.load(
            Array(Self.contract.replacing("MORE", with: "").utf8), name: "visits.schema.yaml")
        let wanted = request
        let error = await failure {
            _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(wanted, options: BatchOptions())
        }
        #expect(error?.description.contains("was erased") == true, "\(error?.description ?? "")")
        request.rows = RowList("2002,2006")
        let done = try await Pipeline(store: Store(shop.store.root), writes: true).release(
            request, options: BatchOptions())
        guard case .judged(let released) = done else {
            Issue.record("it was not judged")
            return
        }
        #expect(released.status == .accepted)
        // The released rows are found again in their own batch.
        #expect(
            try recorder(shop).findSubject(.value("person-1"), dataset: nil).batches.map(\.batch) == [
                report.batch, released.batch,
            ])
        _ = try await erase(shop, .value("person-1"), reason: "request 2")
        try shop.expectSound()
    }

    @Test func `assertions about the rows go too`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let more = ", poisoning: { crossVerify: { key: [id], fields: { x: { tolerance: 0.001 } } } }"
        _ = try await run(shop, try shop.write("a.csv", visits(200, from: 1)), more: more, source: "a")
        func claims() throws -> RowSample {
            let path = try #require(try present(shop).first { $0.role == .claims }?.path)
            let reader = try openShard(shop.store.root + "/" + path, keys: try shop.store.keyRing())
            var bytes: [UInt8] = []
            _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
            return try #require(EarlierAssertions(decoding: bytes, batch: "")).rows
        }
        let before = try claims()
        let erased = try await erase(shop, .value("person-9"))
        let after = try claims()
        #expect(before.count == 200 && after.count == 200 - erased.rows && erased.rows == 5)
        // The others are compared as before.
        let second = try await run(
            shop, try shop.write("b.csv", visits(200, from: 1).replacing(",n1", with: ",m1")), more: more, source: "b")
        #expect(second.cross?.compared == 195, "\(String(describing: second.cross))")
        try shop.expectSound()
    }

    @Test func `what cannot be searched is said, and a reason names nobody`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("n.csv", Workshop.rows(50)))
        _ = try await run(shop, try shop.write("a.csv", visits(100, from: 1)))
        let found = try recorder(shop).findSubject(.value("person-2"), dataset: nil)
        #expect(found.withoutIndex == ["numbers": 1] && found.batches.count == 1)
        #expect(try recorder(shop).findSubject(.value("person-2"), dataset: "numbers").batches.isEmpty)
        let named = await failure { _ = try await erase(shop, .value("person-2"), reason: "person-2 asked") }
        #expect(named?.code == .usage && named?.description.contains("person-2") == false)
        let other = await failure { _ = try await erase(shop, .value("person-2"), reason: "for Person-2") }
        #expect(other?.code == .usage)
        // A part of a word or number is no name.
        #expect(try await erase(shop, .value("2"), reason: "request 2026").entry != nil)
        let erased = try await erase(shop, .value("person-2"))
        let entry = try #require(erased.entry)
        let proof = try #require(try Store(shop.store.root).proving().proof(ofErasure: entry))
        #expect(proof.claim["not_searched"]?["batches_without_index"]?["numbers"]?.whole == 1)
        // Nobody of that name: recorded as well.
        #expect(try await erase(shop, .value("nobody"), reason: "request 2").rows == 0)
        // A search says nothing of the value.
        let database = try Data(contentsOf: URL(filePath: shop.store.ledgerPath))
        #expect(database.range(of: Data("person-2".utf8)) == nil && database.range(of: Data("nobody".utf8)) == nil)
    }

    @Test func `a file that cannot be read stops no other batch, and the erasure is not called done`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await run(shop, try shop.write("a.csv", visits(100, from: 1)))
        let second = try await run(shop, try shop.write("b.csv", visits(100, from: 1001)))
        let path = join(shop.store.root, first.published[0])
        let sound = try Data(contentsOf: URL(filePath: path))
        var broken = sound
        broken[broken.count - 40] ^= 1
        try FileManager.default.removeItem(atPath: path)
        try broken.write(to: URL(filePath: path))
        let erased = try await erase(shop, .value("person-4"))
        #expect(erased.entry == nil && erased.replaced.failures.count == 1 && erased.replaced.batches == 1)
        #expect(try recorder(shop).findSubject(.value("person-4"), dataset: nil).batches.map(\.batch) == [first.batch])
        try FileManager.default.removeItem(atPath: path)
        try sound.write(to: URL(filePath: path))
        unsafe chmod(path, 0o600)
        let again = try await erase(shop, .value("person-4"))
        let entry = try #require(again.entry)
        // The certificate is of both runs.
        let claim = try #require(try Store(shop.store.root).proving().proof(ofErasure: entry)).claim
        #expect(claim["batches"]?.whole == 2 && claim["rows"]?.whole == Int64(erased.rows + again.rows))
        #expect(Set((claim["files"]?.items ?? []).compactMap { $0["batch"]?.text }) == [first.batch, second.batch])
        try shop.expectSound()
    }

    @Test func `a certificate that was changed does not hold, and a second erasure has its own`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await run(shop, try shop.write("a.csv", visits(300, from: 1)))
        let first = try #require(try await erase(shop, .value("person-4")).entry)
        _ = try await run(shop, try shop.write("b.csv", visits(300, from: 1001)))
        let second = try #require(try await erase(shop, .value("person-4"), reason: "again").entry)
        _ = try await erase(shop, .value("person-5"))
        let store = try Store(shop.store.root).proving()
        let key = try store.verifier()
        let (one, two) = (
            try #require(try store.proof(ofErasure: first)), try #require(try store.proof(ofErasure: second))
        )
        #expect(one.claim["batches"]?.whole == 1 && two.claim["batches"]?.whole == 1)
        #expect(one.claim["files"] != two.claim["files"] && one.claim["subject"] == two.claim["subject"])
        let document = try JSONValue.parse(one.proof.extra ?? [])
        func fault(_ change: (inout [String: JSONValue]) -> Void) throws -> String {
            var members = document.members ?? [:]
            change(&members)
            let text = one.proof.carrying(JSONValue.object(members).canonicalBytes()).text
            guard let proof = RecordProof(text) else { return "unreadable" }
            do throws(RecordProof.Fault) { _ = try proof.verify(key) } catch { return "\(error)" }
            return "holds"
        }
        #expect(try fault { _ in } == "holds")
        let entries = document["entries"]?.items ?? []
        #expect(try fault { $0["entries"] = .array(Array(entries.dropLast())) } == "otherClaim")
        #expect(try fault { $0["entries"] = .array(entries + [entries[entries.count - 1]]) } != "holds")
        let foreign = try JSONValue.parse(two.proof.extra ?? [])["entries"]?.items ?? []
        #expect(try fault { $0["entries"] = .array([entries[0]] + foreign.dropFirst()) } != "holds")
        #expect(try fault { $0["type"] = .string("sluice-proof-v1") } != "holds")
        for name in ["rows", "subject", "reason", "files", "not_searched"] {
            #expect(
                try fault { members in
                    var claim = members["claim"]?.members ?? [:]
                    claim[name] = .string("x")
                    members["claim"] = .object(claim)
                } == "otherClaim")
        }
    }

    @Test func `an index goes with the last rows it is about`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await run(shop, try shop.write("a.csv", visits(100, from: 1, bad: ["person-1,none,1,n"])))
        #expect(report.status == .accepted)
        let settings = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: settings, encoding: .utf8)
        func prune(_ rules: String) throws -> Set<String> {
            try Data((text + "retention: { \(rules) }\n").utf8).write(to: URL(filePath: settings))
            usleep(1_100_000)
            let writer = try recorder(shop)
            _ = try writer.remove(try writer.expiredFiles())
            return Set(try present(shop).compactMap { $0.role?.rawValue })
        }
        let left = try prune("accepted: 1s")
        #expect(left.contains("subjects") && left.contains("quarantine") && !left.contains("accepted"))
        #expect(try recorder(shop).findSubject(.value("person-1"), dataset: nil).rowCount >= 1)
        #expect(try !prune("quarantine: 1s").contains("subjects"))
        try shop.expectSound()
    }

    @Test func `a proof has what was recorded directly after the batch`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await run(shop, try shop.write("a.csv", visits(300, from: 1)))
        _ = try await erase(shop, .value("person-4"))
        let proof = try #require(try Store(shop.store.root).proving().proof(ofBatch: report.batch, row: 299))
        #expect(proof.claim["row"]?["shard_sha256_now"] != nil && proof.claim["afterwards"]?.items?.count == 1)
        let path = try #require(proof.claim["row"]?["shard"]?.text)
        let lines = records(try shop.opened(path))
        let place = Int(proof.claim["row"]?["shard_row"]?.whole ?? 0)
        #expect(place < lines.count && lines[place].contains(",299,"))
    }

    @Test func `files are wrapped anew and erased in any order`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await run(shop, try shop.write("a.csv", visits(300, from: 1)))
        _ = try await erase(shop, .value("person-4"))
        _ = try recorder(shop).rotateKey("main")
        // What is written anew is sealed for the newest key.
        _ = try await erase(shop, .value("person-5"))
        #expect(try present(shop).first { $0.role == .accepted }?.recipients == ["main-2"])
        let writer = try recorder(shop)
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        _ = try await erase(shop, .value("person-6"))
        try shop.expectSound()
        let plain = try plaintexts(shop)
        #expect(places("person-4,", plain) == [] && places("person-6,", plain) == [])
        for person in 4...6 {
            #expect(try recorder(shop).findSubject(.value("person-\(person)"), dataset: nil).batches.isEmpty)
        }
    }
}
