import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import Testing

/// Checkpoints that an ML-DSA-65 key signed too.
@Suite struct `second signatures` {
    private func key(_ first: UInt8) throws -> MLDSA65Key {
        let bytes = Array(first..<first + 32)
        return try MLDSA65Key(seed: SecretKey(copying: bytes.span))
    }

    private func verifier(_ key: MLDSA65Key) throws -> PostQuantumKey {
        try #require(PostQuantumKey(name: Demo.origin, publicKey: key.publicKey))
    }

    private func grow(_ path: String, _ key: MLDSA65Key?, by commits: Int) throws {
        let ledger = try Ledger.open(path: path, signingKey: Demo.key(), postQuantum: key)
        for _ in 0..<commits {
            _ = try ledger.commit(
                LedgerChange(entries: [.object(["kind": .string("test.entry"), "v": .integer(1)])]))
        }
    }

    private func verify(_ path: String, _ key: PostQuantumKey?) throws -> (damage: [String], valid: Int) {
        let result = try Ledger.verify(path: path, key: Demo.verifier(), evidence: OutsideEvidence(postQuantum: key))
        return (result.damage.map(\.description), result.secondSignatures)
    }

    @Test func `they are checked from the first on, and the first signature does not depend on them`() throws {
        let scratch = try Scratch()
        let path = scratch.file("l.sqlite")
        _ = try Demo.build(path)
        let signer = try key(7)
        let none = try verify(path, try verifier(signer))
        #expect(none.damage == ["CHECKPOINT no checkpoint has a post-quantum signature by the given key"])
        try grow(path, signer, by: 3)
        let good = try verify(path, try verifier(signer))
        #expect(good.damage.isEmpty && good.valid == 3, "\(good)")
        #expect(try verify(path, nil).damage.isEmpty)
        #expect(try verify(path, try verifier(key(8))).damage.count == 1)
        // One without it afterwards is found.
        try grow(path, nil, by: 1)
        let after = try verify(path, try verifier(signer))
        #expect(after.damage == ["CHECKPOINT at 20 rows: its post-quantum signature was removed"], "\(after)")
    }

    @Test func `a removed or changed one is found, though the first signature is valid`() throws {
        for change in ["remove", "change"] {
            let scratch = try Scratch()
            let path = scratch.file("l.sqlite")
            _ = try Demo.build(path)
            let signer = try key(7)
            try grow(path, signer, by: 2)
            try Intruder.alter(path) { db in
                let note = try #require(
                    try Data.fetchOne(db, sql: "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"))
                var lines = String(decoding: note, as: UTF8.self).components(separatedBy: "\n")
                let place = lines.count - 2
                if change == "remove" {
                    lines.remove(at: place)
                } else {
                    let at = lines[place].index(lines[place].endIndex, offsetBy: -100)
                    let letter = lines[place][at] == "A" ? "B" : "A"
                    lines[place].replaceSubrange(at...at, with: letter)
                }
                try db.execute(
                    sql: "UPDATE checkpoint SET note = ? WHERE size = 18",
                    arguments: [Data(lines.joined(separator: "\n").utf8)])
            }
            let found = try verify(path, try verifier(signer))
            let word = change == "remove" ? "was removed" : "is wrong"
            #expect(found.damage == ["CHECKPOINT at 18 rows: its post-quantum signature \(word)"], "\(found)")
            #expect(try verify(path, nil).damage.isEmpty)
        }
    }

    @Test func `the text form of the key comes back, and others are refused`() throws {
        let known = try verifier(key(7))
        #expect(PostQuantumKey(known.description) == known)
        for text in ["", try Demo.verifier().description, known.description + "A", "x" + known.description] {
            #expect(PostQuantumKey(text) == nil)
        }
    }
}
