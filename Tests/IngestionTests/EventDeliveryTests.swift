import Foundation
import Schemas
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Run events of OpenLineage as batches are judged. What an endpoint answers is tested with the Python package.
@Suite struct `sending run events` {
    private func configuration(_ text: String) throws -> Configuration {
        try Configuration(
            Array("apiVersion: sluice/v1\nledger: {origin: a}\nrecipients: [{kek: m}]\nopenLineage: \(text)\n".utf8),
            name: "sluice.yaml")
    }

    @Test(arguments: [
        "{}", "{headers: h, file: f}", "{url: 'ftp://host/'}", "{url: 'http://'}", "{url: 'https://user:word@host/'}",
        "{url: 'http://host/a b'}", "{url: 'http://host', more: 1}", "{url: '-x'}",
    ]) func `what is no sink is refused`(text: String) {
        #expect(throws: SchemaError.self) { try configuration(text) }
    }

    @Test func `sinks are read`() throws {
        let sinks = try configuration("{file: f, url: 'https://host:1/api', headers: h}").openLineage
        #expect(sinks.file == "f" && sinks.url == "https://host:1/api" && sinks.headers == "h")
    }

    private func lines(_ path: String) -> [JSONValue] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSONValue.parse(Array($0.utf8)) }
    }

    @Test func `a file gets the events of each batch once, from the setting on`() async throws {
        let workshop = try Workshop()
        defer { workshop.remove() }
        func ingest(_ store: Workshop, _ first: Int) async throws {
            let path = try store.write("\(first).csv", Workshop.rows(30, from: first))
            #expect(try await store.run(path).status == .accepted)
        }
        func send(_ store: Workshop) throws -> [String] { try Recorder(store.store).events?.send() ?? ["no sink"] }
        try await ingest(workshop, 1)
        let settings = workshop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: settings, encoding: .utf8)
        try (text + "\nopenLineage: { file: \(workshop.folder)/events.jsonl }\n").write(
            toFile: settings, atomically: true, encoding: .utf8)
        let changed = Workshop(folder: workshop.folder, store: try Store(workshop.store.root))
        let path = changed.folder + "/events.jsonl"
        for first in [100, 200, 300] {
            try await ingest(changed, first)
            #expect(try send(changed) == [])
            #expect(try send(changed) == [])
        }
        let runs = lines(path).compactMap { $0["run"]?["runId"]?.text }
        #expect(runs.count == 6 && Set(runs).count == 3)
        // A file that cannot be written keeps them waiting, and says so.
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try await ingest(changed, 400)
        let complaints = try send(changed)
        #expect(complaints.count == 1 && complaints.first?.contains("events.jsonl") == true, "\(complaints)")
        try FileManager.default.removeItem(atPath: path)
        #expect(try send(changed) == [])
        #expect(lines(path).count == 2)
        // An older copy of the ledger: the sink begins with the next batch.
        let positions = changed.store.root + "/openlineage.json"
        try #"{"file":100000}"#.write(toFile: positions, atomically: true, encoding: .utf8)
        #expect(try send(changed) == [])
        try await ingest(changed, 500)
        #expect(try send(changed) == [])
        #expect(lines(path).count == 4)
        // Damaged: that is said once.
        try #"{"file":"#.write(toFile: positions, atomically: true, encoding: .utf8)
        #expect(try send(changed).first?.contains("damaged") == true)
        #expect(try send(changed) == [])
        // A line that a crash cut off spoils no other.
        let cut = try String(contentsOfFile: path, encoding: .utf8).dropLast(40)
        try String(cut).write(toFile: path, atomically: true, encoding: .utf8)
        try await ingest(changed, 600)
        #expect(try send(changed) == [])
        #expect(lines(path).count == 3 + 2)
        try changed.expectSound()
    }

    @Test func `another target goes on where the one before was, and the store's own files are refused`() async throws {
        let workshop = try Workshop()
        defer { workshop.remove() }
        let settings = workshop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: settings, encoding: .utf8)
        func at(_ file: String) throws -> Workshop {
            try (text + "\nopenLineage: { file: \(file) }\n").write(toFile: settings, atomically: true, encoding: .utf8)
            return Workshop(folder: workshop.folder, store: try Store(workshop.store.root))
        }
        for (place, own) in ["sluice.yaml", "ledger.sqlite", "new.jsonl", "keys/main.kek"].enumerated() {
            let changed = try at(own)
            let before = try? Data(contentsOf: URL(filePath: changed.store.root + "/" + own))
            _ = try await changed.run(try changed.write("\(place).csv", Workshop.rows(30, from: 1000 * place + 1)))
            #expect(try Recorder(changed.store).events?.send().first?.contains("in the store") == true)
            let after = try? Data(contentsOf: URL(filePath: changed.store.root + "/" + own))
            #expect(own == "ledger.sqlite" || before == after)
        }
        let changed = try at(workshop.folder + "/events.jsonl")
        #expect(try Recorder(changed.store).events?.send() == [])
        #expect(lines(workshop.folder + "/events.jsonl").count == 8)
    }

    @Test func `what a full disk cut off is taken back`() throws {
        let folder = NSTemporaryDirectory() + "sluice-append-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try appendLines(folder + "/a", Array("one\n".utf8).span)
        try appendLines(folder + "/a", Array("two\n".utf8).span)
        #expect(try String(contentsOfFile: folder + "/a", encoding: .utf8) == "one\ntwo\n")
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/a")
        #expect(throws: StorageError.self) { try appendLines(folder + "/link", Array("x".utf8).span) }
    }
}
