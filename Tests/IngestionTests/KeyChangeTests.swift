import Cryptography
import Foundation
import Lineage
import Schemas
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Wrapping keys are replaced and destroyed, and published files are wrapped for others.
@Suite struct `keys for years` {
    private func recorder(_ shop: Workshop) throws -> Recorder { try Recorder(Store(shop.store.root)) }

    private func rows(_ count: Int, from first: Int, far: Int = 5) -> String {
        var text = Workshop.rows(count, from: first)
        for id in 0..<far { text += "\(first + count + id),9\(id)00\(first),far \(first + id)\n" }
        return text
    }

    /// And the doctor finds nothing bad.
    private func expectSound(_ shop: Workshop) throws {
        try shop.expectSound()
        let bad = try Store(shop.store.root).examine(.success(shop.store.readableLedger()), readFiles: true)
            .filter { $0.grade == .bad }
        #expect(bad.isEmpty, "\(bad)")
    }

    /// Every present sealed file, as the record has it now.
    private func files(_ recorder: Recorder) throws -> [PublishedFile] {
        let entries = try recorder.ledger.unindexedEntries(kind: "shard.published", from: 0, limit: 1000)
        return try entries.flatMap(\.files).compactMap { try recorder.record.standing(of: $0).file }
    }

    private func bytes(_ shop: Workshop, _ file: PublishedFile) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: join(shop.store.root, file.path))))
    }

    @Test func `after a rotation new files are sealed for the new key, and old ones still open`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let made = try recorder(shop).rotateKey("main")
        #expect(made.name == "main-2")
        let second = try await shop.run(try shop.write("b.csv", rows(4000, from: 9001)))
        #expect(first.status == .accepted && second.status == .accepted, "\(second.batchFindings)")
        let sealed = Dictionary(grouping: try files(recorder(shop)), by: \.batch)
        #expect(Set(sealed[first.batch, default: []].flatMap(\.recipients)) == ["main"])
        #expect(Set(sealed[second.batch, default: []].flatMap(\.recipients)) == ["main-2"])
        // The next rotation goes on from there; the first is not repeated.
        let again = await failure { _ = try recorder(shop).rotateKey("main") }
        #expect(again?.code == .usage && again?.description.contains("sluice keys rotate main-2") == true)
        #expect(try recorder(shop).rotateKey("main-2").name == "main-3")
        let unknown = await failure { _ = try recorder(shop).rotateKey("nothing") }
        #expect(unknown?.code == .usage)
        #expect(try recorder(shop).record.state().newest("main") == "main-3")
        try expectSound(shop)
    }

    @Test func `an interrupted rotation or generation does not stop the next one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for name in ["main-2.kek.part", "other.token.part"] {
            try Data("half".utf8).write(to: URL(filePath: join(shop.store.keysFolder, name)))
        }
        #expect(try recorder(shop).rotateKey("main").name == "main-2")
        _ = try recorder(shop).generateKey(.token, "other")
        // A key that was written and not recorded is not taken for the next one.
        try Store.generateKey(in: shop.store.keysFolder, kind: .kek, name: "main-3")
        #expect(try recorder(shop).rotateKey("main-2").name == "main-4")
    }

    @Test func `files are wrapped for another key, byte for byte the same inside`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let accepted = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let held = try await shop.run(try shop.write("b.csv", "id,x,note\n" + "z,z,z\n"))
        let before = try files(recorder(shop))
        let (headers, plain) = (
            try Dictionary(uniqueKeysWithValues: before.map { ($0.path, try bytes(shop, $0)) }),
            try Dictionary(uniqueKeysWithValues: before.map { ($0.path, try shop.opened($0.path)) })
        )
        _ = try recorder(shop).rotateKey("main")
        let writer = try recorder(shop)
        var request = try writer.rewrapping(from: "main", to: nil, dataset: "other")
        #expect(try await writer.rewrap(request).files == 0)
        request = try writer.rewrapping(from: "main", to: nil, dataset: nil)
        let done = try await writer.rewrap(request)
        #expect(done.files == before.count && done.batches == 2 && done.waiting == 0)
        #expect(try await writer.rewrap(request).files == 0)
        try expectSound(shop)
        let after = try files(recorder(shop))
        #expect(after.map(\.path) == before.map(\.path))
        for (old, new) in zip(before, after) {
            #expect(new.recipients == ["main-2"] && new.body["was"]?.text == old.digest && new.digest != old.digest)
            for member in ["role", "rows", "row_count", "body_sha256", "message_id", "commitment", "shard"] {
                #expect(new.body[member] == old.body[member])
            }
            #expect(try shop.opened(new.path) == plain[new.path])
            // Only the header differs: all frames are the same bytes.
            let (was, now) = (headers[old.path] ?? [], try bytes(shop, new))
            let info = try MessageReader.inspect(.bytes(now))
            #expect(info.recipients.map(\.keyName) == ["main-2"])
            #expect(now.suffix(from: info.headerByteCount) == was.suffix(now.count - info.headerByteCount))
            #expect(new.body["bytes"]?.whole == Int64(now.count))
        }
        // Without the old key everything goes on: reading, judging, releasing.
        try FileManager.default.removeItem(atPath: join(shop.store.keysFolder, "main.kek"))
        let shown = try Store(shop.store.root).proving().reviewCase(of: accepted.batch)
        #expect(shown.quarantined?.text == "4001-4005")
        let next = try await shop.run(try shop.write("c.csv", rows(4000, from: 9001)))
        #expect(next.status == .accepted, "\(next.batchFindings)")
        #expect(try LineageQuery(writer.ledger).trace(shard: after[0].digest)?.shard.path == after[0].path)
        _ = held
    }

    @Test func `other recipients of a file stay`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = shop.store.root + "/sluice.yaml"
        _ = try recorder(shop).generateKey(.kek, "second")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("  - kek: main ", with: "  - kek: second\n  - kek: main ").utf8).write(
            to: URL(filePath: path))
        let both = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        _ = try await both.run(try shop.write("a.csv", rows(4000, from: 1)))
        _ = try recorder(shop).rotateKey("main")
        let writer = try recorder(shop)
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        for file in try files(writer) {
            #expect(file.recipients == ["main-2", "second"])
            let names = try MessageReader.inspect(.bytes(try bytes(shop, file))).recipients.map(\.keyName)
            #expect(Set(names) == ["main-2", "second"])
        }
        // Onto a key that opens the file anyway: nothing is added.
        _ = try await writer.rewrap(try writer.rewrapping(from: "second", to: "main-2", dataset: nil))
        for file in try files(writer) {
            #expect(file.recipients == ["main-2"])
            #expect(try MessageReader.inspect(.bytes(try bytes(shop, file))).recipients.map(\.keyName) == ["main-2"])
            #expect(try shop.opened(file.path) == both.opened(file.path))
        }
        try expectSound(shop)
    }

    @Test func `an older copy of a wrapped file is refused in its place`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let writer = try recorder(shop)
        let file = try #require(try files(writer).first { $0.role == .accepted })
        let (old, receipt) = (
            try bytes(shop, file),
            try Data(contentsOf: URL(filePath: join(shop.store.root, file.path + ".tlog-proof")))
        )
        _ = try writer.rotateKey("main")
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        let place = join(shop.store.root, file.path)
        try FileManager.default.removeItem(atPath: place)
        try Data(old).write(to: URL(filePath: place))
        let refused = await failure { _ = try Store(shop.store.root).proving().admit(place) }
        #expect(refused?.code == .damaged && refused?.description.contains("older copy") == true, "\(refused as Any)")
        try receipt.write(to: URL(filePath: place + ".tlog-proof"))
        #expect(try Store(shop.store.root).proving().audit().problems.count == 2)
        // A copy elsewhere is what it always was.
        let copy = try shop.write("copy.sluice", "")
        try Data(old).write(to: URL(filePath: copy))
        #expect(try Store(shop.store.root).proving().admit(copy).record.digest == file.digest)
    }

    @Test func `a destroyed key opens nothing any more, and nothing waits for it`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let held = try await shop.run(try shop.write("b.csv", "id,x,note\n" + "z,z,z\n"))
        let writer = try recorder(shop)
        let used = await failure { _ = try writer.shredKey("main", reason: "test", files: 0) }
        #expect(used?.code == .usage && used?.description.contains("sluice keys rotate main") == true)
        _ = try writer.rotateKey("main")
        let count = try files(writer).count
        for wrong in [0, count + 1] {
            let refused = await failure { _ = try writer.shredKey("main", reason: "test", files: wrong) }
            #expect(refused?.code == .usage && refused?.description.contains("--files \(count)") == true)
        }
        let copy = try Data(contentsOf: URL(filePath: join(shop.store.keysFolder, "main.kek")))
        #expect(try writer.shredKey("main", reason: "no longer lawful", files: count).alone == count)
        #expect(!exists(join(shop.store.keysFolder, "main.kek")))
        try expectSound(shop)
        // Statistics that nobody can open are no baseline, and a held file that nobody can open holds nothing.
        let next = try await shop.run(try shop.write("c.csv", rows(4000, from: 9001)))
        #expect(next.status == .accepted && next.batch != first.batch, "\(next.batchFindings)")
        let gone = await failure {
            _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(
                Pipeline.ReleaseRequest(held.batch, reason: "late"), options: BatchOptions())
        }
        #expect(
            gone?.code == .noInput && gone?.description.contains("the key main was destroyed") == true, "\(gone as Any)"
        )
        let again = try await shop.run(try shop.write("d.csv", "id,x,note\n" + "z,z,z\n"))
        #expect(again.status == .held && again.batch != held.batch)
        // A copy that comes back is told, opens nothing, and is destroyed by the same command.
        let place = join(shop.store.keysFolder, "main.kek")
        try copy.write(to: URL(filePath: place))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place)
        let open = try Store(shop.store.root).proving()
        #expect(try open.keyRing().keys.map(\.name) == ["main-2"])
        #expect(try open.examineRecordedKeys().contains { $0.finding.contains("was to be destroyed") })
        _ = try recorder(shop).shredKey("main", reason: "again", files: 0)
        #expect(!exists(place))
        let entries = try LineageQuery(writer.ledger).log(limit: 10, kind: "key.shredded")
        #expect(entries.map { $0.body["files"]?.whole } == [Int64(count)])
        try expectSound(shop)
    }

    @Test func `a key seals at most 2^32 files`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let writer = try recorder(shop)
        let count = try files(writer).count
        #expect(try writer.record.state().uses == ["main": count])
        _ = try writer.rotateKey("main")
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        #expect(try writer.record.state().uses == ["main": count, "main-2": count])
        try Store.requireRoom("main", uses: 4_294_967_295)
        let refused = await failure { try Store.requireRoom("main", uses: 4_294_967_296) }
        #expect(refused?.code == .notPermitted && refused?.description.contains("sluice keys rotate main") == true)
    }

    @Test func `a commit for a key that was destroyed meanwhile is refused`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let writer = try recorder(shop)
        let size = try writer.record.state().size
        _ = try writer.rotateKey("main")
        _ = try writer.shredKey("main", reason: "test", files: 0)
        let late = LedgerChange(entries: [
            .object([
                "kind": .event(.shardPublished), "v": .integer(1), "time": .string("t"), "batch": .string("b"),
                "keys": .array([.string("main")]), "files": .array([]),
            ])
        ]).decided(at: size)
        let refused = await failure { _ = try writer.append(late) }
        #expect(refused?.description.contains("the key main was destroyed a moment ago") == true, "\(refused as Any)")
    }

    @Test func `a drill opens a sample with one key alone, and records what it opened`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let writer = try recorder(shop)
        let count = try files(writer).count
        let kept = try KeyFile.read(join(shop.store.keysFolder, "main.kek"), kind: .kek)
        let key = AESWrappingKey(name: "main", key: kept.key)
        #expect(try writer.drill(key, count: 3).tried == 3)
        let whole = try writer.drill(key, count: 100, dataset: "numbers")
        #expect(whole.sealed == count && whole.tried == count && whole.opened == count && whole.failures.isEmpty)
        // Without the store's own copy, and after the files are wrapped for another.
        _ = try writer.rotateKey("main")
        try FileManager.default.removeItem(atPath: join(shop.store.keysFolder, "main.kek"))
        #expect(try recorder(shop).drill(key, count: 100).opened == count)
        let none = await failure { _ = try writer.drill(key, count: 5, dataset: "other") }
        #expect(none?.code == .usage)
        let stranger = AESWrappingKey(name: "main", key: try SecretKey(random: 32))
        let failed = try writer.drill(stranger, count: 4)
        #expect(failed.opened == 0 && failed.failures.count == 4)
        // A damaged file is no fault of the key, and is told all the same.
        let file = try #require(try files(writer).first { $0.role == .accepted })
        var bad = try bytes(shop, file)
        bad[bad.count - 1] ^= 1
        try Data(bad).write(to: URL(filePath: join(shop.store.root, file.path)))
        let damaged = try writer.drill(key, count: 100)
        #expect(damaged.failures.map(\.path) == [file.path] && damaged.opened == count - 1)
        let entries = try LineageQuery(writer.ledger).log(limit: 10, kind: "key.drilled")
        #expect(entries.map { $0.body["opened"]?.whole } == [count - 1, 0, count, count, 3].map(Int64.init))
        #expect(try Ledger.verify(path: shop.store.ledgerPath, key: writer.ledger.verifier).damage.isEmpty)
    }

    @Test func `a missing or damaged file does not stop the others from being wrapped`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        _ = try await shop.run(try shop.write("b.csv", rows(4000, from: 9001)))
        let writer = try recorder(shop)
        let before = try files(writer)
        let (lost, bad) = (before[0].path, try #require(before.last).path)
        try FileManager.default.removeItem(atPath: join(shop.store.root, lost))
        try Data("x".utf8).write(to: URL(filePath: join(shop.store.root, bad)))
        _ = try writer.rotateKey("main")
        let done = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        #expect(done.files == before.count - 2 && done.failures.count == 2, "\(done)")
        let after = try files(writer)
        #expect(after.filter { $0.recipients == ["main"] }.map(\.path).sorted() == [lost, bad].sorted())
        #expect(try listFolder(shop.store.workFolder).isEmpty)
        // Again: only these are tried, and nothing is recorded.
        let size = try writer.ledger.size()
        #expect(try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil)).files == 0)
        #expect(try writer.ledger.size() == size && listFolder(shop.store.workFolder).isEmpty)
        #expect(try Store(shop.store.root).proving().audit().problems.count == 2)
    }

    @Test func `a key that judges batches is not destroyed, and an escrow does not count as a key of the store`()
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        // The recipient `escrow` has its key elsewhere.
        let pem = shop.store.keysFolder + "/escrow.pem"
        let made = Process()
        made.executableURL = URL(filePath: "/usr/bin/env")
        made.arguments = ["python3", "-c", Self.publicKey, pem]
        try made.run()
        made.waitUntilExit()
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let recipient = "  - rsa: escrow\n    publicKey: keys/escrow.pem\n  - kek: main "
        try Data(text.replacing("  - kek: main ", with: recipient).utf8).write(to: URL(filePath: path))
        let both = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        #expect(try await both.run(try shop.write("a.csv", rows(4000, from: 1))).status == .accepted)
        let writer = try recorder(shop)
        let count = try files(writer).count
        _ = try writer.buildBaseline("good", dataset: "numbers", batches: nil, limit: 20)
        try writer.take(.approve, "good", dataset: "numbers", reason: "test")
        _ = try writer.rotateKey("main")
        let needed = await failure { _ = try writer.shredKey("main", reason: "x", files: 0) }
        #expect(needed?.description.contains("also by keys kept elsewhere") == true, "\(needed as Any)")
        let judging = await failure { _ = try writer.shredKey("main", reason: "x", files: count) }
        #expect(
            judging?.description.contains("sluice baseline retire good --dataset numbers") == true, "\(judging as Any)")
        try writer.take(.retire, "good", dataset: "numbers", reason: "test")
        let use = try writer.shredKey("main", reason: "x", files: count)
        #expect(use.alone == count && use.elsewhere == count)
        // Statistics that only the escrow opens are no baseline of this store; the next batches are judged without them.
        let next = try await both.run(try shop.write("b.csv", rows(4000, from: 9001)))
        #expect(next.status == .accepted, "\(next.batchFindings)")
        try expectSound(shop)
    }

    /// Writes an RSA public key of 3,072 bits whose private half nobody has: any odd number of that size will do.
    private static let publicKey = """
        import base64, sys
        def tlv(tag, body):
            size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
            return bytes([tag]) + (size if len(body) < 128 else bytes([0x80 | len(size)]) + size) + body
        number = lambda n: tlv(2, b"\\0" + n.to_bytes((n.bit_length() + 7) // 8, "big"))
        key = tlv(0x30, number((1 << 3071) + 12345678901234567891) + tlv(2, b"\\1\\0\\1"))
        rsa = tlv(0x30, bytes.fromhex("06092a864886f70d010101") + b"\\5\\0")
        text = base64.b64encode(tlv(0x30, rsa + tlv(3, b"\\0" + key))).decode()
        open(sys.argv[1], "w").write("-----BEGIN PUBLIC KEY-----\\n" + text + "\\n-----END PUBLIC KEY-----\\n")
        """

    @Test func `while a change is unfinished both forms of a file are read`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000, from: 1)))
        let writer = try recorder(shop)
        let file = try #require(try files(writer).first { $0.role == .accepted })
        let place = join(shop.store.root, file.path)
        let old = try bytes(shop, file)
        _ = try writer.rotateKey("main")
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        try FileManager.default.removeItem(atPath: place)
        try Data(old).write(to: URL(filePath: place))
        // As if the process had ended between the commit and the rename.
        let folder = join(shop.store.workFolder, file.batch)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(try Store(shop.store.root).proving().admit(place).record.digest == file.digest)
        try FileManager.default.removeItem(atPath: folder)
        let refused = await failure { _ = try Store(shop.store.root).proving().admit(place) }
        #expect(refused?.code == .damaged)
    }
}
