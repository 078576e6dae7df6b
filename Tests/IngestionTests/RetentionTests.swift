import Foundation
import Lineage
import Schemas
import Screening
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Sealed files whose retention ended are removed, and the record says so.
@Suite struct `what has been kept long enough` {
    /// A store whose `sluice.yaml` has more lines, opened again as a command does.
    private func store(_ shop: Workshop, _ more: String) throws -> Store {
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data((text + more + "\n").utf8).write(to: URL(filePath: path))
        return try Store(shop.store.root).proving()
    }

    private func rows(_ count: Int, from first: Int, far: Int = 5) -> String {
        var text = Workshop.rows(count, from: first)
        for id in 0..<far { text += "\(first + count + id),9\(id)00\(first),far \(first + id)\n" }
        return text
    }

    private func later(_ days: Int) -> Int { Clock.milliseconds() + days * 86_400_000 }

    @Test(arguments: [
        ("90d", 90 * 86_400_000), ("1s", 1000), ("2y", 2 * 31_536_000_000), ("3w", 1_814_400_000), ("5m", 300_000),
        ("0d", 0), ("d", nil), ("", nil), ("-1d", nil), ("+1d", nil), ("1.5d", nil), ("90", nil), ("90D", nil),
        ("99999999d", nil), ("1000001d", nil), (" 1d", nil), ("٣d", nil),
    ])
    func `a duration is a number with a unit`(_ text: String, _ milliseconds: Int?) {
        #expect(duration(text) == milliseconds)
    }

    @Test(arguments: [
        "retention: { accepted: 0d }", "retention: { acepted: 1d }", "retention: { held: soon }",
        "retention: { held: 6m }",
    ])
    func `a period that cannot be meant is refused`(_ line: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let refused = await failure { _ = try store(shop, line) }
        #expect(refused?.code == .configuration)
    }

    @Test func `each kind of file goes by its own rule, and its removal is lawful`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let held = try await shop.run(try shop.write("b.csv", "id,x,note\n" + "z,z,z\n"))
        #expect(first.status == .accepted && held.status == .held)
        let open = try store(shop, "retention: { accepted: 400d, quarantine: 30d, held: 60d, decision: 90d }")
        func roles(_ days: Int) throws -> [String] {
            try open.expiredFiles(at: later(days)).map { "\($0.rule) \($0.file.role?.rawValue ?? "")" }.sorted()
        }
        #expect(try roles(29) == [])
        #expect(try roles(31) == ["quarantine 30d quarantine"])
        #expect(try roles(61) == ["held 60d quarantine", "held 60d source", "quarantine 30d quarantine"])
        // What explains the held batch goes with it; that of the accepted one by its own rule.
        #expect(try roles(91).filter { $0.hasPrefix("decision") }.count == 2)
        let rest = try roles(401).filter { $0.hasPrefix("accepted") }
        #expect(Set(rest) == ["accepted 400d accepted", "accepted 400d rows"], "\(rest)")
        #expect(try open.expiredFiles(of: "other", at: later(401)).isEmpty)

        let recorder = try Recorder(open)
        let removed = try recorder.remove(try recorder.store.expiredFiles(at: later(61)))
        #expect(removed.files == 3 && removed.batches == 2 && removed.holds == 1 && removed.waiting == 0)
        try shop.expectSound()
        #expect(try recorder.remove(try recorder.store.expiredFiles(at: later(61))) == Recorder.Removed())
        let entries = try LineageQuery(recorder.ledger).log(limit: 10, kind: "file.removed")
        #expect(entries.map { $0.body["rule"]?.text } == ["held 60d", "quarantine 30d"])
        #expect(
            entries.allSatisfy { $0.body["reason"]?.text == "retention" && $0.body["uid"]?.whole == Int64(getuid()) })

        // The hold ended with its file, and says so; the same content is judged anew, and the record still holds.
        #expect(try open.proven().state.openHolds.isEmpty)
        let gone = await failure {
            _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(
                Pipeline.ReleaseRequest(held.batch, reason: "late"), options: BatchOptions())
        }
        #expect(
            gone?.code == .noInput && gone?.description.contains("by the retention of held 60d") == true,
            "\(gone as Any)")
        let again = try await shop.run(try shop.write("c.csv", "id,x,note\n" + "z,z,z\n"))
        #expect(again.status == .held && again.batch != held.batch)
        #expect(try open.proven().state.openHolds.map(\.batch) == [again.batch])
        let third = try await shop.run(try shop.write("d.csv", "id,x,note\n" + "z,z,z\n"))
        #expect(third.status == .duplicate && third.duplicateOf == again.batch)
        // An accepted batch whose rows are gone is still known.
        let accepted = try Recorder(open)
        _ = try accepted.remove(try accepted.store.expiredFiles(at: later(401)))
        let known = try await shop.run(try shop.write("e.csv", rows(4000, from: 1)))
        #expect(known.status == .duplicate && known.duplicateOf == first.batch)
        try shop.expectSound()
    }

    @Test func `statistics stay as long as a batch is compared with them or a baseline names them`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000, from: 1, far: 0)))
        #expect(report.status == .accepted)
        let open = try store(shop, "retention: { baseline: 1d, superseded: 1d }")
        #expect(try open.expiredFiles(at: later(1000)).isEmpty)
        let recorder = try Recorder(open)
        _ = try recorder.buildBaseline("good", dataset: "numbers", batches: nil, limit: 20)
        let next = try await shop.run(try shop.write("b.csv", rows(4000, from: 9001, far: 0))) {
            $0.supersedes = report.batch
        }
        #expect(next.status == .accepted, "\(next.batchFindings)")
        // The rows of the replaced batch go; its statistics are those of a named baseline.
        let replaced = try open.expiredFiles(at: later(2))
        #expect(replaced.allSatisfy { $0.file.batch == report.batch && $0.rule == "superseded 1d" })
        #expect(Set(replaced.compactMap(\.file.role)) == [.accepted, .rows])
        try recorder.take(.retire, "good", dataset: "numbers", reason: "old")
        #expect(Set(try open.expiredFiles(at: later(2)).compactMap(\.file.role)) == [.accepted, .rows, .baseline])
    }

    @Test func `a removal that was killed is finished by the next command`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let open = try store(shop, "retention: { accepted: 1d, quarantine: 1d }")
        let recorder = try Recorder(open)
        let expired = try recorder.store.expiredFiles(at: later(2))
        // The commit, as `remove` makes it, and then nothing.
        let batch = try #require(expired.first?.file.batch)
        let change = LedgerChange(
            entries: recorder.removalEntries(expired),
            putInflight: [
                Inflight(
                    claim: batch, source: "numbers", state: .publishing, attempts: 1,
                    updatedMilliseconds: Clock.milliseconds())
            ])
        _ = try recorder.append(change)
        let left = try Store(shop.store.root).proving().audit().problems
        #expect(left.count == 2 * expired.count && left.allSatisfy { $0.contains("removed lawfully") }, "\(left)")
        _ = try Recorder(Store(shop.store.root))
        try shop.expectSound()
        for one in expired { #expect(!exists(join(shop.store.root, one.file.path))) }
        // A file that is put back is told.
        let path = join(shop.store.root, expired[0].file.path)
        try FileManager.default.createDirectory(atPath: split(path).folder, withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(filePath: path))
        #expect(try Store(shop.store.root).proving().audit().problems.count == 1)
    }

    @Test func `a backup and a removal exclude each other, and a backup holds what is left`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let open = try store(shop, "retention: { accepted: 1d }")
        let recorder = try Recorder(open)
        let expired = try recorder.store.expiredFiles(at: later(2))
        let copying = try recorder.lockMaintenance(isShared: true)
        let refused = await failure { _ = try recorder.remove(expired) }
        #expect(refused?.code == .tryAgain)
        #expect(exists(join(shop.store.root, expired[0].file.path)))
        _ = consume copying
        _ = try recorder.remove(expired)
        let copy = shop.folder + "/copy"
        let made = try await Backup.make(of: try Recorder(open), in: copy, withKeys: true)
        #expect(made.files > 0)
        let restored = try Backup.restore(copy, to: shop.folder + "/restored", Backup.Trust(try shop.store.verifier()))
        #expect(restored.files == made.files)
        #expect(try Store(shop.folder + "/restored").proving().audit().problems.isEmpty)
    }

    @Test func `files of a batch in work wait for the next removal`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let open = try store(shop, "retention: { accepted: 1d }")
        let recorder = try Recorder(open)
        let expired = try recorder.store.expiredFiles(at: later(2))
        let lock = try recorder.lock(expired[0].file.batch)
        #expect(try recorder.remove(expired).waiting == 1)
        #expect(try open.proven().state.changes(ofFile: expired[0].file.path).isEmpty)
        _ = consume lock
        #expect(try recorder.remove(expired).files == expired.count)
        try shop.expectSound()
    }

    @Test func `what is kept beside a batch is compressed, and a damaged piece is no content`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(500, from: 1)))
        let run = try shop.store.proven().log.run(report.batch)
        var beside = 0
        for file in run.flatMap(\.files) {
            beside += try fileStatus(join(shop.store.root, file.path))?.size ?? 0
            beside += try fileStatus(join(shop.store.root, file.path + ".tlog-proof"))?.size ?? 0
            guard [.decision, .baseline].contains(file.role) else { continue }
            let info = try MessageReader.inspect(
                .bytes(Array(Data(contentsOf: URL(filePath: join(shop.store.root, file.path))))))
            #expect(info.context["content-encoding"] == "zstd")
            let plain = try shop.store.readRecorded(file, keys: try shop.store.keyRing(), expect: [:])
            #expect(plain.count > 3 * Int(file.body["bytes"]?.whole ?? 0))
        }
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        beside -= try shop.opened(shard).utf8.count
        #expect(beside <= 40_000, "\(beside) bytes beside a batch of 500 rows")
        // Sealed by somebody with the key, and not what its context says.
        let staging = StagingArea(
            folder: try OpenFolder(shop.folder), context: ["v": "1"],
            recipients: try shop.store.recipients(of: "numbers"))
        let file = try StagedFile(in: staging.folder, name: "bad.sluice")
        var writer = try MessageWriter(
            to: file, context: ["content-encoding": "zstd"], recipients: try shop.store.recipients(of: "numbers"))
        try writer.write(Array("no frame".utf8).span)
        _ = try writer.finish().commit(as: "bad.sluice")
        let refused = await failure {
            let reader = try openShard(shop.folder + "/bad.sluice", keys: try shop.store.keyRing())
            _ = try readShard(reader, path: "bad.sluice") { _ in }
        }
        #expect(
            refused?.code == .damaged && refused?.description.contains("compressed content") == true,
            "\(refused as Any)")
    }

    @Test func `a file that is missing or changed is not removed, and stays reported`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let open = try store(shop, "retention: { accepted: 1d, quarantine: 1d }")
        let recorder = try Recorder(open)
        let expired = try recorder.store.expiredFiles(at: later(2))
        let (lost, changed) = (expired[0].file.path, try #require(expired.last).file.path)
        try FileManager.default.removeItem(atPath: join(shop.store.root, lost))
        try Data("x".utf8).write(to: URL(filePath: join(shop.store.root, changed)))
        let removed = try recorder.remove(expired)
        #expect(Set(removed.strange) == [lost, changed] && removed.files == expired.count - 2)
        let entries = try LineageQuery(recorder.ledger).log(limit: 10, kind: "file.removed")
        #expect(!entries.flatMap(\.changedFiles).contains { $0.path == lost || $0.path == changed })
        #expect(exists(join(shop.store.root, changed)))
        let problems = try Store(shop.store.root).proving().audit().problems
        #expect(
            problems.count == 2 && problems.contains { $0.contains("missing") }
                && problems.contains { $0.contains("differs") })
    }

    @Test func `what explains a batch stays as long as rows that were held back from it`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        #expect(report.counts.count(.quarantined) > 0)
        let open = try store(shop, "retention: { quarantine: 90d, decision: 1d }")
        #expect(try open.expiredFiles(at: later(2)).isEmpty)
        #expect(Set(try open.expiredFiles(at: later(91)).compactMap(\.file.role)) == [.quarantine, .decision])
    }

    @Test func `nothing is decided about a batch whose file is gone`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let held = try await shop.run(try shop.write("b.csv", "id,x,note\n" + "z,z,z\n"))
        let open = try store(shop, "retention: { held: 1d, decision: 1d }")
        let recorder = try Recorder(open)
        _ = try recorder.remove(try recorder.store.expiredFiles(at: later(2)))
        guard case .ended(let why) = try Store(shop.store.root).proving().reviewCase(of: held.batch).state else {
            Issue.record("it looks open")
            return
        }
        #expect(why.contains("by the retention of held 1d"))
        let size = try shop.store.ledger().size()
        let refused = await failure {
            try Pipeline(store: Store(shop.store.root), writes: true).reject(held.batch, reason: "late")
        }
        #expect(refused?.code == .usage && refused?.description.contains("nothing left to reject") == true)
        #expect(try shop.store.ledger().size() == size)
    }
}
