import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import Testing

/// The ledger against the published vectors, byte by byte.
struct VectorTests {
    /// A reader over leaf hashes.
    static func reader(_ leaves: [[UInt8]]) -> (Int, Int) -> [UInt8] {
        { level, index in
            var hashes = Array(leaves[(index << level)..<((index + 1) << level)])
            while hashes.count > 1 {
                hashes = stride(from: 0, to: hashes.count, by: 2).map {
                    MerkleTree.nodeHash(hashes[$0], hashes[$0 + 1])
                }
            }
            return hashes[0]
        }
    }

    static func hashes(_ value: JSONValue?) -> [[UInt8]] {
        (value?.items ?? []).map { bytes(hex: $0.text ?? "") ?? [] }
    }

    @Test(.enabled(if: Vectors.has("vectors.json"), "the vectors are not here: set SLUICE_SHARED"))
    func `bodies, leaves, roots and checkpoints are those of the reference`() throws {
        let vectors = try Vectors.json("vectors.json")
        let scratch = try Scratch()
        let (ledger, notes) = try Demo.build(scratch.file("ledger.sqlite"))
        let entries = try #require(vectors["entries"]?.items)
        let stored = try ledger.entries(from: 0, limit: 100)
        #expect(stored.map { String(decoding: $0.bytes, as: UTF8.self) } == entries.map { $0["body"]?.text })
        #expect(stored.map { hex(MerkleTree.leafHash($0.bytes)) } == entries.map { $0["leaf_hash"]?.text })
        #expect(notes.map { String(decoding: $0, as: UTF8.self) } == vectors["checkpoints"]?.items?.map(\.text))
        #expect(ledger.verifier.description == vectors["vkey"]?.text)
        #expect(VerifierKey(vectors["vkey"]?.text ?? "") == ledger.verifier)
        var frontier = TreeFrontier()
        let roots = Self.hashes(vectors["roots"])
        #expect(frontier.root() == roots[0])
        for (entry, root) in zip(stored, roots.dropFirst()) {
            frontier.append(leafHash: MerkleTree.leafHash(entry.bytes))
            #expect(frontier.root() == root)
        }
        let bytes = try Vectors.bytes("shard-b2.tlog-proof")
        let proof = try #require(try ledger.proof(of: 9))
        #expect(proof.text == bytes)
        #expect(TlogProof(bytes) == proof)
        #expect(proof.proves(body: stored[9].bytes, key: ledger.verifier))
        #expect(!proof.proves(body: stored[8].bytes, key: ledger.verifier))
    }

    @Test(.enabled(if: Vectors.has("vectors.json"), "the vectors are not here: set SLUICE_SHARED"))
    func `inclusion proofs`() throws {
        let vectors = try Vectors.json("vectors.json")
        let roots = Self.hashes(vectors["roots"])
        let leaves = (vectors["entries"]?.items ?? []).map { bytes(hex: $0["leaf_hash"]?.text ?? "") ?? [] }
        let cases = try #require(vectors["inclusion"]?.items)
        #expect(cases.count == 32)
        for item in cases {
            let index = Int(try #require(item["index"]?.whole))
            let size = Int(try #require(item["size"]?.whole))
            let proof = Self.hashes(item["proof"])
            #expect(MerkleTree.inclusionProof(index: index, size: size, Self.reader(leaves)) == proof)
            func holds(_ leaf: [UInt8], _ index: Int, _ proof: [[UInt8]]) -> Bool {
                MerkleTree.isIncluded(leaf: leaf, index: index, size: size, root: roots[size], proof: proof)
            }
            #expect(holds(leaves[index], index, proof))
            #expect(!holds(leaves[(index + 1) % 16], index, proof))
            #expect(!holds(leaves[index], index + 1, proof))
            #expect(!holds(leaves[index], index, proof + [leaves[0]]))
            if !proof.isEmpty { #expect(!holds(leaves[index], index, proof.dropLast())) }
        }
    }

    @Test(.enabled(if: Vectors.has("vectors.json"), "the vectors are not here: set SLUICE_SHARED"))
    func `consistency proofs`() throws {
        let vectors = try Vectors.json("vectors.json")
        let roots = Self.hashes(vectors["roots"])
        let leaves = (vectors["entries"]?.items ?? []).map { bytes(hex: $0["leaf_hash"]?.text ?? "") ?? [] }
        let cases = try #require(vectors["consistency"]?.items)
        #expect(cases.count == 16)
        for item in cases {
            let old = Int(try #require(item["from"]?.whole))
            let new = Int(try #require(item["to"]?.whole))
            let proof = Self.hashes(item["proof"])
            #expect(MerkleTree.consistencyProof(from: old, to: new, Self.reader(leaves)) == proof)
            func holds(_ oldRoot: [UInt8], _ proof: [[UInt8]]) -> Bool {
                MerkleTree.isConsistent(old: old, new: new, oldRoot: oldRoot, newRoot: roots[new], proof: proof)
            }
            #expect(holds(roots[old], proof))
            #expect(!holds(roots[old - 1], proof))
            #expect(!holds(roots[old], proof + [leaves[0]]))
        }
    }

    @Test func `every pair of sizes up to 70 proves and nothing else does`() {
        let leaves = (0..<70).map { MerkleTree.leafHash([UInt8($0)]) }
        let read = Self.reader(leaves)
        let roots = (0...70).map { MerkleTree.root(size: $0, read) }
        for new in 1...70 {
            for old in 1...new {
                let proof = MerkleTree.consistencyProof(from: old, to: new, read)
                #expect(
                    MerkleTree.isConsistent(old: old, new: new, oldRoot: roots[old], newRoot: roots[new], proof: proof))
                let inclusion = MerkleTree.inclusionProof(index: old - 1, size: new, read)
                #expect(
                    MerkleTree.isIncluded(
                        leaf: leaves[old - 1], index: old - 1, size: new, root: roots[new], proof: inclusion))
                #expect(
                    !MerkleTree.isIncluded(
                        leaf: leaves[old - 1], index: old - 1, size: new, root: roots[old - 1], proof: inclusion))
            }
            #expect(TreeFrontier(size: new, read).root() == roots[new])
        }
    }

    @Test(.enabled(if: Vectors.has("demo.db"), "the vectors are not here: set SLUICE_SHARED"))
    func `the reference's own ledger is intact but for the evidence that it never stored`() throws {
        let scratch = try Scratch()
        let path = scratch.file("demo.sqlite")
        var data = try Vectors.bytes("demo.db")
        // The reference keeps a WAL, which is empty here; Sluice opens none (sqlite.org/fileformat2.html, bytes 18 and
        // 19).
        (data[18], data[19]) = (1, 1)
        try Data(data).write(to: URL(fileURLWithPath: path))
        let missing = (0..<5).map { "BLOB \(Demo.digest("map\($0)")) named by row \(2 + 3 * $0) is missing" }
        #expect(try Demo.verify(path) == missing)
    }

    @Test func `notes are opened strictly`() throws {
        let key = try Demo.key()
        let verifier = try Demo.verifier()
        let text = Checkpoint(origin: Demo.origin, size: 1, root: SHA256.hash([])).text
        let note = try SignedNote.sign(text, name: Demo.origin, key: key)
        func opens(_ note: String) -> Bool { Checkpoint.open(Array(note.utf8), key: verifier) != nil }
        #expect(opens(note))
        #expect(opens(note + "\u{2014} witness AAAAAAAA\n"))
        #expect(!opens(note.replacingOccurrences(of: "\n1\n", with: "\n2\n")))
        #expect(!opens(note.replacingOccurrences(of: "\n1\n", with: "\n01\n")))
        #expect(!opens(note.replacingOccurrences(of: "\n", with: "\r\n")))
        #expect(!opens(text))
        #expect(!opens(""))
        #expect(!opens(try SignedNote.sign(text, name: Demo.origin, key: Demo.key("evil"))))
        #expect(!opens(try SignedNote.sign(text, name: "other.example", key: key)))
        #expect(VerifierKey("a b+00000000+AA==") == nil)
        #expect(VerifierKey(verifier.description.replacingOccurrences(of: "f63b8b64", with: "f63b8b65")) == nil)
    }
}
