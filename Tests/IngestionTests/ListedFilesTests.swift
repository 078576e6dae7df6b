import Cryptography
import Foundation
import Lineage
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Lists of files that `watch` takes as one batch, step by step.
@Suite struct `listed files` {
    private static let names = ["a.csv", "day/b.csv", "day/c.csv"]

    /// A store with a list of three files in its inbox.
    private func deliver(_ shop: Workshop, archive: Bool) throws -> (recorder: Recorder, inbox: String) {
        let settings = Configuration.template(origin: shop.store.configuration.origin)
        let archived = archive ? ", archive: done" : ""
        _ = try shop.write(
            "store/sluice.yaml",
            settings.replacing(
                "datasets:\n", with: "datasets:\n  numbers: { schema: schemas/example.schema.yaml\(archived) }\n"))
        let inbox = join(shop.store.root, "inbox/numbers")
        try makeFolder(join(inbox, "day"))
        var list = ""
        for (place, name) in Self.names.enumerated() {
            let text = Workshop.rows(20, from: 1 + 20 * place)
            _ = try shop.write("store/inbox/numbers/" + name, text)
            list += "\(hex(SHA256.hash(Array(text.utf8))))  \(name)\n"
        }
        _ = try shop.write("store/inbox/numbers/all.batch", list)
        return (try Recorder(try Store(shop.store.root)), inbox)
    }

    private func take(_ recorder: Recorder, from inbox: String) throws -> Lease {
        let name = try #require(FileName(Array("all.batch".utf8)))
        let folder = try OpenFolder(inbox)
        let bytes = try folder.openRegular(name).readAll(max: 1 << 20)
        return try recorder.take(
            name, from: folder, dataset: "numbers", listed: try ListedFiles(bytes, name: "all.batch"))
    }

    /// The list and its files, taken and judged.
    private func judge(_ recorder: Recorder, from inbox: String) throws -> (lease: Lease, delivery: Delivery) {
        let lease = try take(recorder, from: inbox)
        var delivery = try #require(lease.delivery)
        try recorder.collect(lease.name, delivery)
        delivery.judged = try recorder.store.openDelivered(
            lease, delivery, calling: "all.batch", isStopped: { false }
        ).identity
        return (lease, delivery)
    }

    private func all(_ folder: String) -> Set<String> {
        Set((FileManager.default.enumerator(atPath: folder)?.allObjects as? [String]) ?? [])
    }

    @Test func `the list is taken first, then its files, and what is repeated changes nothing`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, inbox) = try deliver(shop, archive: false)
        let lease = try take(recorder, from: inbox)
        let delivery = try #require(lease.delivery)
        #expect(delivery.isList && delivery.format == .csv)
        let row = try #require(try recorder.ledger.inflight().first)
        #expect(recorder.delivery(of: row) == delivery)
        #expect(all(inbox) == Set(Self.names + ["day"]))
        // A crash left some of them.
        for _ in 0..<2 { try recorder.collect(lease.name, delivery) }
        #expect(all(inbox).isEmpty, "an empty folder goes too")
        let work = join(shop.store.workFolder, lease.name)
        #expect(all(work + ".files") == ["1", "2", "3"])
        let source = try recorder.store.openDelivered(lease, delivery, calling: "all.batch", isStopped: { false })
        #expect(source.parts.map(\.path) == Self.names && source.size == source.parts.reduce(0) { $0 + $1.size })
        #expect(try recorder.store.keptSidecars(lease)?.list != nil)
        #expect(try Store(shop.store.root).proving().audit().problems == [])
        // One that is gone: the batch cannot be judged, and what is left is sealed.
        try FileManager.default.removeItem(atPath: work + ".files/2")
        let error = #expect(throws: IngestionError.self) {
            _ = try recorder.store.openDelivered(lease, delivery, calling: "all.batch", isStopped: { false })
        }
        #expect(error?.code == .unreadableData && error?.description.contains("day/b.csv") == true)
        let left = try recorder.store.openLeft(of: lease, delivery, calling: "all.batch", isStopped: { false })
        #expect(left.parts.count == 3)
    }

    @Test(arguments: [false, true])
    func `files that were written to since they were judged go back with their list`(archive: Bool) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, inbox) = try deliver(shop, archive: archive)
        let before = all(inbox)
        let (lease, delivery) = try judge(recorder, from: inbox)
        let changed = join(shop.store.workFolder, lease.name + ".files/2")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 2_000_000_000)], ofItemAtPath: changed)
        #expect(try recorder.dispose(delivery, claim: lease.name))
        #expect(all(inbox) == before)
        #expect(try recorder.dispose(delivery, claim: lease.name), "nothing is left to do")
        #expect(all(inbox) == before && all(shop.store.workFolder) == [lease.name + ".lock"])
    }

    @Test(arguments: [false, true])
    func `files whose outcome is durable leave before their list`(archive: Bool) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (recorder, inbox) = try deliver(shop, archive: archive)
        let before = all(inbox)
        let (lease, delivery) = try judge(recorder, from: inbox)
        let work = join(shop.store.workFolder, lease.name)
        do {
            let writer = try #require(FileHandle(forWritingAtPath: work + ".files/3"))
            #expect(try !recorder.dispose(delivery, claim: lease.name), "it is open for writing")
            try writer.close()
        }
        // A crash in the middle: the first is gone already.
        try FileManager.default.moveItem(atPath: work + ".files", toPath: work + ".judged")
        if !archive { try FileManager.default.removeItem(atPath: work + ".judged/1") }
        #expect(try recorder.dispose(delivery, claim: lease.name))
        #expect(all(inbox).isEmpty && all(shop.store.workFolder) == [lease.name + ".lock"])
        if archive { #expect(all(join(shop.store.root, "done")) == before) }
    }

    @Test func `lists that cannot be one batch are refused`() {
        let sum = String(repeating: "0", count: 64)
        for text in [
            "", "x\n", "\(sum)  a.csv\n\(sum)  b.jsonl\n", "\(sum)  ../a.csv\n", "\(sum)  a.csv\n\(sum)  ./a.csv\n",
        ] {
            #expect(throws: IngestionError.self, "\(text)") { _ = try ListedFiles(Array(text.utf8), name: "l.batch") }
        }
        #expect(throws: Never.self) { _ = try ListedFiles(Array("\(sum) *a.csv\n".utf8), name: "l.batch") }
    }
}
