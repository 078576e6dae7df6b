import Cryptography
import Foundation
import Lineage
import Tabular
import Testing

/// Verification by independent software: Go's `sumdb/note` and `sumdb/tlog` check a ledger of Sluice's.
struct SumDBTests {
    private static let go = "/usr/bin/go"
    private static let verifier = "verify_with_go_sumdb.go"
    private static let hasGo =
        FileManager.default.isExecutableFile(atPath: go)
        && FileManager.default.fileExists(atPath: "/usr/share/gocode/src/golang.org/x/mod/sumdb")

    @Test(
        .enabled(if: Vectors.has(verifier), "the vectors are not here: set SLUICE_SHARED"),
        .enabled(if: hasGo, "golang and golang-golang-x-mod-dev are not installed"))
    func `Go's sumdb accepts our checkpoints and proofs`() throws {
        let program = try Vectors.path(Self.verifier)
        let scratch = try Scratch()
        try Self.dump(to: scratch)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.go)
        process.arguments = ["run", program, scratch.path]
        process.environment = [
            "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": scratch.file("cache"), "HOME": scratch.path,
            "PATH": "/usr/bin:/bin",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        print(said)
        #expect(process.terminationStatus == 0)
        #expect(said.hasPrefix("go sumdb: checkpoints 12 entries 34 inclusion"))
    }

    /// Writes a ledger of 34 entries in the format of `vectors.json`, with one proof file.
    static func dump(to scratch: Scratch) throws {
        let (ledger, notes) = try Demo.build(scratch.file("ledger.sqlite"), batches: 11)
        let entries = try ledger.entries(from: 0, limit: 100)
        let leaves = entries.map { MerkleTree.leafHash($0.bytes) }
        let read = VectorTests.reader(leaves)
        let size = entries.count
        func texts(_ hashes: [[UInt8]]) -> JSONValue { .array(hashes.map { .string(hex($0)) }) }
        var inclusion: [JSONValue] = []
        for size in [1, 7, 8, 33, size] {
            for index in 0..<size {
                let proof = MerkleTree.inclusionProof(index: index, size: size, read)
                inclusion.append(
                    .object(["index": .integer(Int64(index)), "size": .integer(Int64(size)), "proof": texts(proof)]))
            }
        }
        let consistency = try (1...size).map { old in
            JSONValue.object([
                "from": .integer(Int64(old)), "to": .integer(Int64(size)),
                "proof": texts(try ledger.consistencyProof(from: old, to: size)),
            ])
        }
        let document = JSONValue.object([
            "origin": .string(ledger.origin), "vkey": .string(ledger.verifier.description),
            "entries": .array(
                zip(entries, leaves).map { entry, leaf in
                    .object([
                        "seq": .integer(Int64(entry.sequence)), "leaf_hash": .string(hex(leaf)),
                        "body": .string(String(decoding: entry.bytes, as: UTF8.self)),
                    ])
                }),
            "roots": texts((0...size).map { MerkleTree.root(size: $0, read) }),
            "checkpoints": .array(notes.map { .string(String(decoding: $0, as: UTF8.self)) }),
            "inclusion": .array(inclusion), "consistency": .array(consistency),
        ])
        try Data(document.canonicalBytes()).write(to: URL(fileURLWithPath: scratch.file("vectors.json")))
        let proof = try #require(try ledger.proof(of: 27))
        try Data(proof.text).write(to: URL(fileURLWithPath: scratch.file("shard-b2.tlog-proof")))
        try Data(entries[27].bytes).write(to: URL(fileURLWithPath: scratch.file("shard-b2.entry.json")))
    }
}
