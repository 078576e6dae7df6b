import Cryptography
import Foundation
import Lineage
import Storage
import Tabular
import Testing

/// The log as static files, read back as a monitor reads them: by paths, widths and hashes alone.
@Suite struct `a log as tiles` {
    private func ledger(_ folder: Scratch, _ name: String, origin: String = Demo.origin) throws -> Ledger {
        try Ledger.create(path: folder.file(name), origin: origin, signingKey: Demo.key(), time: Demo.time)
    }

    private func grow(_ ledger: Ledger, by count: Int) throws {
        let first = try ledger.size()
        let bodies = (first..<first + count).map { number -> JSONValue in
            .object(["kind": .string("test.entry"), "v": .integer(1), "n": .integer(Int64(number))])
        }
        _ = try ledger.commit(LedgerChange(entries: bodies))
    }

    private func export(_ ledger: Ledger, to path: String) throws -> LogTiles.Written {
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return try LogTiles.export(
            ProvenLog(ledger, key: ledger.verifier, cache: nil), to: try OpenFolder(path))
    }

    private func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    /// The path of a number in the layout, written here once more.
    private func path(_ number: Int, width: Int) -> String {
        var text = String(format: "%03d", number % 1000)
        var rest = number / 1000
        while rest > 0 {
            text = "x" + String(format: "%03d", rest % 1000) + "/" + text
            rest /= 1000
        }
        return width == 256 ? text : text + ".p/\(width)"
    }

    /// Reads a whole export, and gives its entries. Every hash of every tile is compared with what the entries give.
    private func monitor(_ folder: String, _ key: VerifierKey) throws -> [[UInt8]] {
        let head = try #require(Checkpoint.open(try read(folder + "/checkpoint"), key: key))
        var entries: [[UInt8]] = []
        for number in 0..<(head.size + 255) / 256 {
            let width = min(256, head.size - 256 * number)
            let bundle = try read(folder + "/tile/entries/" + path(number, width: width))
            var at = 0
            while at < bundle.count {
                let size = Int(bundle[at]) << 8 | Int(bundle[at + 1])
                entries.append(Array(bundle[at + 2..<at + 2 + size]))
                at += 2 + size
            }
        }
        #expect(entries.count == head.size)
        var hashes = entries.map(MerkleTree.leafHash)
        #expect(MerkleTree.root(size: hashes.count) { level, index in subtree(hashes, level, index) } == head.root)
        var level = 0
        while !hashes.isEmpty {
            for number in 0..<(hashes.count + 255) / 256 {
                let part = hashes[256 * number..<min(hashes.count, 256 * number + 256)]
                let tile = try read(folder + "/tile/\(level)/" + path(number, width: part.count))
                #expect(tile == part.flatMap { $0 }, "tile \(level)/\(number)")
            }
            hashes = (0..<hashes.count / 256).map { subtree(hashes, 8, $0) }
            level += 1
        }
        return entries
    }

    private func subtree(_ hashes: [[UInt8]], _ level: Int, _ index: Int) -> [UInt8] {
        if level == 0 { return hashes[index] }
        return MerkleTree.nodeHash(subtree(hashes, level - 1, 2 * index), subtree(hashes, level - 1, 2 * index + 1))
    }

    @Test func `a monitor reads every entry and proves the root, as the log grows`() throws {
        let folder = try Scratch()
        let ledger = try ledger(folder, "a.sqlite")
        let target = folder.file("tiles")
        var files = 0
        for count in [0, 1, 253, 1, 1, 300, 1000] {
            if count > 0 { try grow(ledger, by: count) }
            let written = try export(ledger, to: target)
            let size = try ledger.size()
            #expect(written.entries == size)
            let entries = try monitor(target, ledger.verifier)
            #expect(try entries == ledger.entries(from: 0, limit: size).map(\.bytes))
            files += written.files
        }
        let again = try export(ledger, to: target)
        #expect(again.files == 0 && files > 10)
    }

    @Test func `three levels of tiles are right`() throws {
        let folder = try Scratch()
        let ledger = try ledger(folder, "a.sqlite")
        try grow(ledger, by: 65_536 + 300)
        let written = try export(ledger, to: folder.file("tiles"))
        #expect(written.level == 2)
        #expect(try monitor(folder.file("tiles"), ledger.verifier).count == ledger.size())
    }

    @Test func `a folder with the tiles of another log is refused, and not changed`() throws {
        let folder = try Scratch()
        let (one, other) = (try ledger(folder, "a.sqlite"), try ledger(folder, "b.sqlite", origin: "other.example/log"))
        try grow(one, by: 400)
        try grow(other, by: 300)
        let target = folder.file("tiles")
        _ = try export(one, to: target)
        let before = try read(target + "/checkpoint")
        #expect(throws: LedgerError.self) { try export(other, to: target) }
        // Also where an interrupted export left no checkpoint.
        try FileManager.default.removeItem(atPath: target + "/checkpoint")
        let refused = #expect(throws: LedgerError.self) { try export(other, to: target) }
        #expect(refused?.code == .damaged && refused?.description.contains("another log") == true)
        #expect(!FileManager.default.fileExists(atPath: target + "/checkpoint"))
        _ = try export(one, to: target)
        #expect(try read(target + "/checkpoint") == before)
        // A changed tile is found, not mended in silence.
        var tile = try read(target + "/tile/0/000")
        tile[5] ^= 1
        try Data(tile).write(to: URL(filePath: target + "/tile/0/000"))
        #expect(throws: LedgerError.self) { try export(one, to: target) }
    }

    @Test(arguments: [
        (0, ["000"]), (7, ["007"]), (999, ["999"]), (1000, ["x001", "000"]), (1_234_067, ["x001", "x234", "067"]),
    ])
    func `numbers are split into parts of three digits`(_ number: Int, _ parts: [String]) {
        #expect(path(number, width: 256) == parts.joined(separator: "/"))
    }
}
