import Cryptography
import Foundation
import Lineage
import Schemas
import Screening
import Storage
import Tabular
import Testing

@testable import Ingestion

extension Pipeline.Release {
    /// The report, if the batch was judged again.
    fileprivate var report: BatchReport? {
        if case .judged(let report) = self { return report }
        return nil
    }

    /// The batch that was accepted before, if nothing was done.
    fileprivate var other: String? {
        if case .earlier(let batch) = self { return batch }
        return nil
    }
}

/// A batch that statistics hold and a person knows to be sound.
@Suite struct `a held batch has a way out` {
    /// Rows spread evenly; at the new level all of them are in the upper half.
    private func rows(_ count: Int, from first: Int, isNew: Bool = false, scale: Double = 14) -> String {
        var text = "id,x,note\n"
        for id in first..<first + count {
            let share = Double(id * 7919 % 100_003) / 100_003
            text += "\(id),\(scale * (isNew ? 0.5 + share / 2 : share)),n\n"
        }
        return text
    }

    /// A store that has accepted a batch, and holds the first one of a new level.
    private func prepared() async throws -> (shop: Workshop, held: BatchReport) {
        let shop = try Workshop()
        let first = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        #expect(first.status == .accepted, "\(first.batchFindings)")
        let held = try await shop.run(try shop.write("b.csv", rows(4000, from: 10_001, isNew: true)))
        #expect(held.status == .held, "\(held.batchFindings)")
        return (shop, held)
    }

    private func release(
        _ shop: Workshop, _ batch: String, newLevels: [String] = [], waived: [String]? = nil,
        contract: LoadedSchema? = nil
    ) async throws -> Pipeline.Release {
        var request = Pipeline.ReleaseRequest(batch, reason: "the level is new")
        (request.newLevels, request.waived, request.contract) = (newLevels, waived, contract)
        return try await release(shop, request)
    }

    private func release(_ shop: Workshop, _ request: Pipeline.ReleaseRequest) async throws -> Pipeline.Release {
        var options = BatchOptions()
        options.jobs = 1
        // Opened again, as a command does.
        let store = try Store(shop.store.root)
        return try await Pipeline(store: store, writes: true).release(request, options: options)
    }

    /// A contract with the same fields and additional settings.
    private func contract(_ x: String, batch: String) throws -> LoadedSchema {
        let text = """
            name: numbers
            fields:
              - { name: id, type: integer, constraints: { required: true, unique: true } }
              - { name: x, type: number\(x) }
              - { name: note, type: string }
            sluice: { apiVersion: sluice/v1, batch: { \(batch) } }

            """
        return try Schema.load(Array(text.utf8), name: "numbers.schema.yaml")
    }

    private func code(_ body: () async throws -> Void) async -> IngestionError.Code? {
        do { try await body() } catch { return (error as? IngestionError)?.code }
        return nil
    }

    private func waiting(_ shop: Workshop) throws -> [HeldBatch] { try Store(shop.store.root).heldBatches() }

    @Test
    func `batches that show the same change are one incident, and those behind the first must pass by themselves`()
        async throws
    {
        let (shop, first) = try await prepared()
        defer { shop.remove() }
        #expect(first.incident == nil)
        let echo = try await shop.run(try shop.write("c.csv", rows(4000, from: 20_001, isNew: true)))
        let other = try await shop.run(try shop.write("d.csv", rows(4000, from: 30_001, isNew: true, scale: 45)))
        for held in [echo, other] {
            #expect(held.status == .held && held.incident?.batch == first.batch, "\(held.batchFindings)")
        }
        #expect(try waiting(shop).map(\.incident) == [first.batch, first.batch, ""])
        let store = try Store(shop.store.root).proving()
        #expect(try store.echoes(of: first.batch) == [echo.batch, other.batch])
        #expect(try store.echoes(of: other.batch).isEmpty && store.echoes(of: "nothing").isEmpty)
        // Before the first batch is released, none passes by itself.
        #expect(try await release(shop, echo.batch, waived: []).report?.isRefusedRelease == true)
        #expect(try await release(shop, first.batch).report?.status == .accepted)
        let passed = try #require(try await release(shop, echo.batch, waived: []).report)
        #expect(passed.status == .accepted && passed.waived.isEmpty && passed.isJudgedAgain, "\(passed.batchFindings)")
        let refused = try #require(try await release(shop, other.batch, waived: []).report)
        #expect(refused.isRefusedRelease && refused.status == .held)
        #expect(try waiting(shop).map(\.batch) == [other.batch])
        try shop.expectSound()
    }

    @Test func `only the listed findings are waived`() async throws {
        let (shop, _) = try await prepared()
        defer { shop.remove() }
        // Another level, and many values missing.
        let lines = rows(4000, from: 20_001, isNew: true).split(separator: "\n").enumerated().map { number, line in
            let cells = line.split(separator: ",")
            return number > 0 && number % 12 == 0 ? "\(cells[0]),,\(cells[2])" : String(line)
        }
        let held = try await shop.run(try shop.write("c.csv", lines.joined(separator: "\n") + "\n"))
        for (wrong, word) in [
            ("too-many-quarantined", "list their codes"), ("no-such-code", "no code of a finding"),
            ("type-error", "never waived"), ("secret", "never waived"),
            ("distribution-shift:nothing", "no such field"), ("too-many-rejected", "never waived"),
            ("", "no code of a finding"),
        ] {
            let size = try shop.store.ledger().size()
            do {
                _ = try await release(shop, held.batch, waived: [wrong])
                Issue.record("\(wrong) was taken")
            } catch let error as IngestionError {
                #expect(error.code == .usage && error.description.contains(word), "\(error)")
            }
            #expect(try shop.store.ledger().size() == size)
        }
        let names = ["id", "x", "note"]
        let holding = held.batchFindings.filter { $0.outcome >= .quarantined && $0.code.isStatistical }
        let listed = holding.map { one in one.code.rawValue + (one.field.map { ":" + names[$0] } ?? "") }
        let ofRows = ["deviated-value", "isolated-row", "flooded-row"]
        try #require(listed.count > 1, "\(listed)")
        // One of several, or the right code for another field, is not enough.
        #expect(try await release(shop, held.batch, waived: [listed[0]] + ofRows).report?.isRefusedRelease == true)
        let elsewhere = holding.map { $0.code.rawValue + ":note" }
        #expect(try await release(shop, held.batch, waived: elsewhere + ofRows).report?.isRefusedRelease == true)
        #expect(try waiting(shop).map(\.batch).contains(held.batch))
        let released = try #require(try await release(shop, held.batch, waived: listed + ofRows).report)
        #expect(released.status == .accepted, "\(released.batchFindings)")
        #expect(Set(released.waived.map(\.code)).isSuperset(of: holding.map(\.code)))
        let replay = try Store(shop.store.root).proving().replay(
            released.batch, row: nil, file: BatchInput(shop.folder + "/c.csv"))
        #expect(replay.isReplayed && replay.isSame)
        try shop.expectSound()
    }

    @Test func `it is listed with what holds it, and is let out with all its rows`() async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        let listed = try waiting(shop)
        #expect(listed.map(\.batch) == [held.batch] && listed.first?.rows == 4000)
        #expect(listed.first?.dataset == "numbers" && listed.first?.source == "test")
        let holding = held.batchFindings.filter { $0.outcome >= .quarantined }
        #expect(listed.first?.reasons.map(\.code) == holding.map(\.code.rawValue))
        #expect(listed.first?.reasons.contains { $0.field == "x" } == true, "\(listed)")
        #expect(try Store(shop.store.root).heldBatches(of: "others").isEmpty)

        let released = try #require(try await release(shop, held.batch).report)
        #expect(released.status == .accepted, "\(released.batchFindings)")
        #expect(released.batch != held.batch && released.releases == held.batch && !released.isRefusedRelease)
        #expect(released.counts.count(.accepted) + released.counts.count(.flagged) == 4000)
        let waived = Set(released.waived.map { $0.code })
        #expect(!holding.isEmpty && holding.allSatisfy { waived.contains($0.code) }, "\(holding) \(waived)")
        #expect(released.published.contains { $0.hasPrefix("accepted/numbers/\(released.batch)/") })
        let run = try shop.store.proven().log.run(released.batch)
        #expect(run.map(\.kind) == ["batch.received", "batch.judged", "shard.published", "batch.released"])
        let body = try #require(run.last?.body)
        #expect(body["held"]?.text == held.batch && body["reason"]?.text == "the level is new")
        #expect(body["uid"]?.whole == Int64(getuid()) && body["left_out"] == nil)
        #expect(body["waived"]?.items?.count == released.waived.count)
        #expect(body["waived"]?.items?.contains { $0["field"]?.text == "x" } == true)
        let answer = try LineageQuery(try shop.store.ledger()).batch(held.batch)
        #expect(answer.last?.kind == "batch.released")
        // The hash of the file name is kept.
        let names = try [held.batch, released.batch].map { id in
            try shop.store.proven().log.run(id).first?.body["source_name_hash"]?.text
        }
        #expect(names[0] != nil && names[0] == names[1])
        #expect(try waiting(shop).isEmpty)
        try shop.expectSound()
        // The usual level has changed.
        let next = try await shop.run(try shop.write("c.csv", rows(4000, from: 20_001, isNew: true)))
        #expect(next.status == .accepted && next.basisRows == 8000, "\(next.batchFindings)")
    }

    @Test func `a change that stays is recorded, and what came before says nothing of it any more`() async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        #expect(await code { _ = try await release(shop, held.batch, newLevels: ["y"]) } == .usage)
        let released = try #require(try await release(shop, held.batch, newLevels: ["x"]).report)
        #expect(released.status == .accepted, "\(released.batchFindings)")
        let body = try #require(try shop.store.proven().log.run(released.batch).last?.body)
        #expect(body["levels"]?.items?.compactMap(\.text) == ["x"])
        try shop.expectSound()
        // The earlier level was usual before; now it is a change.
        let next = try await shop.run(try shop.write("c.csv", rows(4000, from: 20_001, isNew: true)))
        #expect(next.status == .accepted && next.basisRows == 8000, "\(next.batchFindings)")
        let old = try await shop.run(try shop.write("d.csv", rows(4000, from: 30_001)))
        #expect(old.batchFindings.contains { $0.code == .distributionDrift && $0.field == 1 }, "\(old.batchFindings)")
    }

    @Test func `rows that lie far out are flagged, recorded as waived, and replayed alike`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        var text = rows(4000, from: 10_001)
        for id in 20_000..<20_300 { text += "\(id),9\(id),n\n" }
        let path = try shop.write("b.csv", text)
        let held = try await shop.run(path)
        #expect(held.status == .held && held.counts.count(.quarantined) >= 300, "\(held.batchFindings)")
        let released = try #require(try await release(shop, held.batch).report)
        #expect(released.status == .accepted, "\(released.batchFindings)")
        #expect(released.counts.count(.quarantined) == 0 && released.counts.count(.rejected) == 0)
        #expect(released.counts.count(.flagged) >= 300)
        #expect(released.waived.contains { $0.code == .deviatedValue && $0.field == 1 && $0.rows >= 300 })
        let replay = try shop.store.proving().replay(released.batch, row: nil, file: BatchInput(path))
        #expect(replay.isReplayed && replay.isSame, "\(replay.differing)")
        try shop.expectSound()
    }

    @Test func `what is let out once is let out no more, also by two at once`() async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        async let one = release(shop, held.batch)
        async let two = release(shop, held.batch)
        let both = try await [one, two]
        let made = both.compactMap(\.report)
        #expect(made.map(\.status) == [.accepted])
        let batch = try #require(made.first?.batch)
        #expect(both.compactMap(\.other) == [batch])
        #expect(try await release(shop, held.batch).other == batch)
        // The same file again is accepted content.
        let again = try await shop.run(shop.folder + "/b.csv")
        #expect(again.status == .duplicate && again.duplicateOf == batch)
        try shop.expectSound()
    }

    @Test func `what a contract or a source demands is never waived`() async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        func expectRefused(_ code: FindingCode, _ contract: LoadedSchema? = nil) async throws {
            let before = try shop.store.ledger().size()
            let refused = try #require(try await release(shop, held.batch, contract: contract).report)
            #expect(refused.isRefusedRelease && refused.status == .held && refused.batch == held.batch)
            let holding = refused.batchFindings.filter { $0.outcome >= .quarantined }.map(\.code)
            #expect(holding == [code], "\(refused.batchFindings)")
            #expect(refused.hasHoldingFinding && refused.published.isEmpty)
            #expect(try shop.store.ledger().size() == before)
            #expect(try waiting(shop).map(\.batch) == [held.batch])
            try shop.expectSound()
        }
        try await expectRefused(
            .tooManyRejected, contract(", constraints: { maximum: 7 }", batch: "maxRejectedRate: 0.5"))
        try await expectRefused(.tooFewRows, contract("", batch: "minRows: 5000"))
        let other = try Schema.load(
            Array("name: numbers\nfields: [{ name: id, type: integer }, { name: y, type: number }]\n".utf8),
            name: "other.yaml")
        let header = try #require(try await release(shop, held.batch, contract: other).report)
        #expect(header.isRefusedRelease && header.batchFindings.contains { $0.code == .missingLabel })
        try Recorder(shop.store).take(.block, source: "test", reason: "sends rubbish")
        try await expectRefused(.sourceBlocked)
        try Recorder(shop.store).take(.trust, source: "test", reason: "looked at")
        #expect(try await release(shop, held.batch).report?.status == .accepted)
    }

    @Test func `a credential stays inside, whoever lets the batch out`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        let text = rows(4000, from: 10_001, isNew: true) + "30001,7,take \(token) for it\n"
        let held = try await shop.run(try shop.write("b.csv", text))
        #expect(held.status == .held, "\(held.batchFindings)")
        let released = try #require(try await release(shop, held.batch).report)
        #expect(released.status == .accepted && released.counts.count(.rejected) == 1, "\(released.batchFindings)")
        for path in released.published where path.hasPrefix("accepted/") {
            #expect(try !shop.opened(path).contains(token))
        }
        // If one such row is too many, the batch stays held.
        let (strict, other) = try await prepared()
        defer { strict.remove() }
        #expect(other.status == .held)
        let second = try await strict.run(
            try strict.write("c.csv", rows(4000, from: 40_001, isNew: true) + "50001,7,take \(token) for it\n"))
        let refused = try await release(strict, second.batch, contract: contract("", batch: "maxRejected: 0")).report
        #expect(refused?.isRefusedRelease == true)
        #expect(refused?.batchFindings.contains { $0.code == .tooManyRejectedRows } == true)
    }

    @Test(arguments: ["removed", "flipped"])
    func `a sealed source that is not as recorded is not let out`(how: String) async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        let path = shop.store.root + "/quarantine/numbers/\(held.batch)/source.sluice"
        var bytes = try FileDescriptor.openRegular(path).readAll(max: 1 << 24)
        let whole = bytes
        try removeFile(path)
        if how == "flipped" {
            bytes[bytes.count - 1] ^= 1
            try writeDurably(path, bytes.span)
        }
        let refused = await code { _ = try await release(shop, held.batch) }
        #expect(refused == .tryAgain)
        #expect(try waiting(shop).map(\.batch) == [held.batch])
        // After the restoration it is released.
        if how == "flipped" { try removeFile(path) }
        try writeDurably(path, whole.span)
        #expect(try await release(shop, held.batch).report?.status == .accepted)
        try shop.expectSound()
    }

    @Test func `what is no held batch, and what gives no reason, is refused`() async throws {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        let log = try LineageQuery(try shop.store.ledger()).log(limit: 99, kind: "batch.judged")
        let first = try #require(log.last?.body["batch"]?.text)
        for batch in ["nothing", "", "../b", "01a22df6-e384-7b19-8fd1-000000000000", first] {
            let refused = await code { _ = try await release(shop, batch) }
            #expect(refused == .usage, "\(batch)")
        }
        for reason in ["", String(repeating: "x", count: 1025), "asked anna.smith@example.com"] {
            let refused = await code {
                _ = try await release(shop, Pipeline.ReleaseRequest(held.batch, reason: reason))
            }
            #expect(refused == .usage, "\(reason.count)")
        }
        try Recorder(shop.store).take(.block, source: "test", reason: "sends rubbish")
        let rejected = try await shop.run(try shop.write("d.csv", rows(200, from: 60_001)))
        #expect(rejected.status == .rejected)
        let refused = await code { _ = try await release(shop, rejected.batch) }
        #expect(refused == .usage)
        #expect(try waiting(shop).map(\.batch) == [held.batch])
    }

    @Test func `content that was accepted otherwise waits for nobody, and what is held is read from the cache too`()
        async throws
    {
        let (shop, held) = try await prepared()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let notes = (0..<300).map { number in
            JSONValue.object(["kind": .string("note"), "v": .integer(1), "n": .integer(Int64(number))])
        }
        _ = try ledger.commit(LedgerChange(entries: notes))
        #expect(try waiting(shop).map(\.batch) == [held.batch])
        // Now with the cache that was just written.
        #expect(exists(shop.store.root + "/ledger.index"))
        #expect(try waiting(shop).map(\.batch) == [held.batch])
        // Under a contract that ignores drift, the same bytes are accepted.
        let loaded = try contract(", sluice: { drift: { enabled: false } }", batch: "maxRejectedRate: 0.5")
        let accepted = try await Pipeline(store: try Store(shop.store.root), writes: true).run(
            BatchRequest(
                BatchInput(file: shop.folder + "/b.csv"), schema: Schema.digested(loaded), contract: loaded.document,
                dataset: "numbers",
                source: "test", options: BatchOptions()))
        #expect(accepted.status == .accepted, "\(accepted.batchFindings)")
        #expect(try waiting(shop).isEmpty)
        #expect(try await release(shop, held.batch).other == accepted.batch)
    }
}
