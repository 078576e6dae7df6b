import Cryptography
import Foundation
import Lineage
import Storage
import Tabular
import Testing

@testable import Ingestion

@Suite struct `delivered files` {
    private func take(_ shop: Workshop, _ name: String, archive: String? = nil) throws -> (Recorder, Lease) {
        // The configuration determines where a file goes.
        let settings = Configuration.template(origin: shop.store.configuration.origin)
        let archived = archive.map { ", archive: \($0)" } ?? ""
        _ = try shop.write(
            "store/sluice.yaml",
            settings.replacing(
                "datasets:\n", with: "datasets:\n  numbers: { schema: schemas/example.schema.yaml\(archived) }\n"))
        let recorder = try Recorder(try Store(shop.store.root))
        let inbox = join(shop.store.root, "inbox/numbers")
        try makeFolder(inbox)
        _ = try shop.write("store/inbox/numbers/" + name, Workshop.rows(50))
        let claim = try recorder.take(
            try #require(FileName(Array(name.utf8))), from: try OpenFolder(inbox), dataset: "numbers")
        return (recorder, claim)
    }

    private func inbox(_ shop: Workshop) throws -> [String] { try listFolder(join(shop.store.root, "inbox/numbers")) }

    @Test func `taking moves the file into the store, under its claim`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, claim) = try take(shop, "a.csv")
        #expect(try inbox(shop).isEmpty)
        #expect(
            try listFolder(shop.store.workFolder) == [".lock", ".name", ".source"].map { claim.name + $0 })
        #expect(recorder.deliveredName(claim.name)?.description == "a.csv")
        // The row has only the hash of its name.
        let row = try #require(try recorder.ledger.inflight().first)
        #expect(row.plan.map { String(decoding: $0, as: UTF8.self).contains("a.csv") } == false)
        #expect(recorder.delivery(of: row) == claim.delivery)
    }

    @Test func `a name that is taken away meanwhile leaves nothing behind`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let recorder = try Recorder(shop.store)
        let path = join(shop.store.root, "inbox/numbers")
        try makeFolder(path)
        #expect(throws: IngestionError.self) {
            try recorder.take(
                try #require(FileName(Array("gone.csv".utf8))), from: try OpenFolder(path), dataset: "numbers")
        }
        #expect(try recorder.ledger.inflight().isEmpty && listFolder(shop.store.workFolder).isEmpty)
    }

    @Test func `another process leaves a dead daemon's file alone, and the next daemon finds it`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        do { _ = try take(shop, "a.csv") }
        let recorder = try Recorder(shop.store)
        let found = try recorder.deliveries()
        #expect(found.count == 1 && found[0].attempts == 1)
        #expect(exists(join(shop.store.workFolder, found[0].claim + ".source")))
        let claim = try #require(try recorder.takeUp(found[0]))
        #expect(try recorder.takeUp(found[0]) == nil)
        try recorder.count(claim, attempts: 2)
        #expect(try recorder.ledger.inflight().map(\.attempts) == [2])
    }

    @Test(arguments: [nil, "archive"]) func `what was written to since it was judged goes back to the inbox`(
        archive: String?
    ) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, claim) = try take(shop, "a.csv", archive: archive)
        var delivery = try #require(claim.delivery)
        let place = join(shop.store.workFolder, claim.name + ".source")
        delivery.judged = Delivery.FileIdentity(try #require(try fileStatus(place)))
        // A supplier that still had it open.
        let open = try #require(FileHandle(forWritingAtPath: place))
        try open.seekToEnd()
        try open.write(contentsOf: Data("99,1.5,late\n".utf8))
        try open.close()
        _ = try recorder.dispose(delivery, claim: claim.name)
        #expect(try inbox(shop) == ["a.csv"])
        let text = try String(contentsOfFile: join(shop.store.root, "inbox/numbers/a.csv"), encoding: .utf8)
        #expect(text == Workshop.rows(50) + "99,1.5,late\n")
        // Its name may be taken by then: nothing is replaced.
        let (_, second) = try take(shop, "a.csv")
        _ = try shop.write("store/inbox/numbers/a.csv", "id,x,note\n")
        var late = try #require(second.delivery)
        late.judged = delivery.judged
        _ = try recorder.dispose(late, claim: second.name)
        #expect(try inbox(shop) == [second.name + ".csv", "a.csv"].sorted())
    }

    @Test func `a try that failed after its commit is not begun again`() throws {
        // Found by an injected error: counting the attempt reset a committed claim, and its staged shards were dropped.
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, claim) = try take(shop, "a.csv")
        var row = try #require(try recorder.ledger.inflight().first)
        row.state = .publishing
        try recorder.ledger.putInflight(row)
        try recorder.count(claim, attempts: 0)
        #expect(try recorder.ledger.inflight() == [row])
    }

    @Test func `a clock that was set back is told of`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        func clock() throws -> Diagnosis? {
            try shop.store.examine(.success(ledger), readFiles: false).first { $0.subject == "clock" }
        }
        #expect(try clock()?.grade == .well)
        let tomorrow = Clock.text(Clock.milliseconds() + 86_400_000)
        _ = try ledger.commit(
            LedgerChange(entries: [
                .object(["kind": .string("note"), "v": .integer(1), "time": .string(tomorrow)])
            ]))
        let answer = try #require(try clock())
        #expect(answer.grade == .risk && answer.finding.contains("set back") && answer.cure.contains("timedatectl"))
        // The row's members may come in any order.
        _ = try take(shop, "a.csv")
        #expect(try Ledger.verify(path: shop.store.ledgerPath, key: ledger.verifier).damage.isEmpty)
    }

    @Test func `a link that was put in a file's place is given back, not taken`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let recorder = try Recorder(shop.store)
        let path = join(shop.store.root, "inbox/numbers")
        try makeFolder(path)
        try FileManager.default.createSymbolicLink(atPath: path + "/a.csv", withDestinationPath: "/etc/passwd")
        let error = #expect(throws: IngestionError.self) {
            try recorder.take(
                try #require(FileName(Array("a.csv".utf8))), from: try OpenFolder(path), dataset: "numbers")
        }
        #expect(error?.description.contains("symbolic link") == true)
        #expect(try inbox(shop) == ["a.csv"] && listFolder(shop.store.workFolder).isEmpty)
        #expect(try recorder.ledger.inflight().isEmpty)
    }

    @Test func `a file that is still open for writing stays until it is closed`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, claim) = try take(shop, "a.csv")
        var delivery = try #require(claim.delivery)
        let place = join(shop.store.workFolder, claim.name + ".source")
        delivery.judged = Delivery.FileIdentity(try #require(try fileStatus(place)))
        let open = try #require(FileHandle(forWritingAtPath: place))
        #expect(try !recorder.dispose(delivery, claim: claim.name))
        #expect(exists(place))
        try open.close()
        #expect(try recorder.dispose(delivery, claim: claim.name))
        #expect(!exists(place))
    }

    @Test func `one claim that cannot be finished stops no other`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        do {
            let (recorder, claim) = try take(shop, "a.csv", archive: "/dev/null/archive")
            var row = try #require(try recorder.ledger.inflight().first)
            var delivery = try #require(claim.delivery)
            delivery.judged = Delivery.FileIdentity(
                try #require(try fileStatus(join(shop.store.workFolder, claim.name + ".source"))))
            row.state = .publishing
            row.plan = JSONValue.object(["batch": .string(claim.name), "delivery": delivery.document]).canonicalBytes()
            let entry = JSONValue.object([
                "kind": .string("batch.duplicate"), "v": .integer(1), "batch": .string(claim.name),
            ])
            _ = try recorder.ledger.commit(LedgerChange(entries: [entry], putInflight: [row]))
        }
        let recorder = try Recorder(try Store(shop.store.root))
        let failures = try recorder.recover()
        #expect(failures.count == 1 && failures[0].error.description.contains("/dev/null/archive"))
        #expect(try recorder.ledger.inflight().count == 1)
    }

    @Test func `an archive keeps names, and never replaces`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for _ in 0..<2 {
            let (recorder, claim) = try take(shop, "a.csv", archive: "done")
            var delivery = try #require(claim.delivery)
            delivery.judged = Delivery.FileIdentity(
                try #require(try fileStatus(join(shop.store.workFolder, claim.name + ".source"))))
            _ = try recorder.dispose(delivery, claim: claim.name)
            // Doing it twice has the effect of doing it once.
            _ = try recorder.dispose(delivery, claim: claim.name)
            try recorder.forget(claim.name)
        }
        let names = try listFolder(join(shop.store.root, "done"))
        #expect(names.count == 2 && names.contains("a.csv"))
        #expect(try inbox(shop).isEmpty && listFolder(shop.store.workFolder).isEmpty)
    }

    @Test func `a manifest is waited for with its signature`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let inbox = Inbox(of: "numbers", in: shop.store)
        try inbox.make()
        let events = try FolderEvents()
        try inbox.open(events)
        let name = try #require(FileName(Array("a.csv".utf8)))
        for (ending, lacks) in [("", true), (".manifest", true), (".manifest.minisig", false)] {
            _ = try shop.write("store/inbox/numbers/a.csv" + ending, "x")
            #expect(inbox.lacks([.manifest], beside: name) == lacks, "\(ending)")
        }
        // A file that is a signature of nothing present is not a manifest.
        _ = try shop.write("store/inbox/numbers/b.csv.minisig", "x")
        #expect(inbox.lacks([.manifest], beside: try #require(FileName(Array("b.csv".utf8)))))
    }

    @Test(arguments: [
        ("a.csv", false), (".a.csv", true), ("a.csv.part", true), ("A.CSV.TMP", true), ("a~", true),
        ("a.csv.done", true),
        (".sluice-0.source", false), ("part", false), ("a.partial.csv", false),
    ]) func `names that are not deliveries`(name: String, isIgnored: Bool) throws {
        #expect(Inbox.isIgnored(try #require(FileName(Array(name.utf8)))) == isIgnored)
    }
}
