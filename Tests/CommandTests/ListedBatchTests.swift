import Foundation
import Storage
import Testing

/// A list of files in an inbox, from the view of a supplier and of an operator.
@Suite struct `listed batches` {
    /// The files come first, in a folder beside the list.
    @Test func `a list makes the files that it names one batch`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try `watch`.store(harness, more: ", archive: done")
        let parts = [
            ("day/a.csv", `watch`.rows(1, 20)), ("day/b.csv", `watch`.rows(21, 20)), ("c.csv", `watch`.rows(41, 20)),
        ]
        try FileManager.default.createDirectory(
            atPath: harness.path("store/inbox/rows/day"), withIntermediateDirectories: false)
        for (name, text) in parts.prefix(2) { try harness.write("store/inbox/rows/" + name, text) }
        let once = ["watch", "--once", "--settle", "0.1", "--store", "store"]
        #expect(try harness.run(once).code == 0)
        #expect(try `watch`.outcomes(harness).isEmpty, "a folder is not taken by itself")
        let list = try parts.map { name, text in
            "\(try Self.digest(text))  \(name)\n"
        }.joined()
        try harness.write("store/inbox/rows/all.batch", list)
        let waiting = try harness.run(once)
        #expect(waiting.code == 75 && waiting.err.contains("1 is not there: c.csv"), "\(waiting.err)")
        #expect(try `watch`.inbox(harness) == ["all.batch", "day"] && `watch`.outcomes(harness).isEmpty)
        try harness.write("store/inbox/rows/c.csv", parts[2].1)
        let done = try harness.run(once)
        #expect(done.code == 0 && done.err.contains("\"rows\":60"), "\(done.err)")
        #expect(try `watch`.outcomes(harness) == ["accepted"] && `watch`.inbox(harness).isEmpty)
        let archived = FileManager.default.enumerator(atPath: harness.path("store/done"))?.allObjects as? [String]
        #expect(Set(archived ?? []) == ["all.batch", "day", "day/a.csv", "day/b.csv", "c.csv"])
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
        #expect(try listFolder(harness.path("store/work")).isEmpty)
        // A supplier's names may be of persons: neither the log nor an error has them.
        let person = "anna.meier@example.com.csv"
        try harness.write("store/inbox/rows/" + person, "x,id\n")
        try harness.write("store/inbox/rows/e.csv", Self.own(81))
        try harness.write(
            "store/inbox/rows/names.batch",
            "\(try Self.digest(Self.own(81)))  e.csv\n\(try Self.digest("x,id\n"))  \(person)\n")
        let named = try harness.run(once)
        #expect(named.err.contains("column 1 differs") && !named.err.contains("anna"), "\(named.err)")
        // A line that is wrong keeps the list where it is, and with it what its other lines name.
        try harness.write("store/inbox/rows/d.csv", Self.own(61))
        try harness.write("store/inbox/rows/bad.batch", "# day 2\n\(try Self.digest(Self.own(61)))  d.csv\n")
        let bad = try harness.run(once)
        #expect(bad.code == 75 && bad.err.contains("line 1 is no digest"), "\(bad.err)")
        #expect(try `watch`.inbox(harness) == ["bad.batch", "d.csv"])
        #expect(try `watch`.outcomes(harness) == ["accepted", "unreadable"])
    }

    private static func own(_ first: Int) -> String { `watch`.rows(first, 20) }

    private static func digest(_ text: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/sha256sum")
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return String(line.prefix(64))
    }
}
