import Cryptography
import Foundation
import Lineage
import Testing

/// Checkpoints that a witness signed too.
@Suite struct `cosignatures of witnesses` {
    /// The witness of the vector below; its seed is 0, 1, … 31.
    private static let key = "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"

    /// The empty tree of the demonstration's ledger, signed and cosigned by pyca/cryptography 50.0.2 at 1796000000.
    private static let cosigned = """
        ingest.example/ledger/7f3c
        0
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

        \u{2014} ingest.example/ledger/7f3c \
        9juLZBtzHhnpbmN37cGozVtc0LEiGizv2pW0JtPEpNcejvSZhog5DOSduYoVMcs7gzckuD0Ow5f7zj7wwxgpUvCQqAY=
        \u{2014} witness.example/w1 \
        519lMgAAAABrDMkAQfF14BtDo06DqUrUjG/r99BcxgAwsBteLbQZvDcFaFCNzE0HTgdg5dwSGRtsQ4X0cBAqdNVO0LgI1yxtidQ2CA==

        """

    private func signer(_ seed: UInt8) throws -> SigningKey {
        let bytes = Array(seed..<seed + 32)
        return try SigningKey(seed: SecretKey(copying: bytes.span))
    }

    private func vkey(_ name: String, _ signer: SigningKey) -> String {
        let key = [4] + signer.publicKey
        return "\(name)+\(hex(Array(SHA256.hash(Array(name.utf8) + [10] + key).prefix(4))))+\(base64(key))"
    }

    /// A note with one more line.
    private func cosign(_ note: [UInt8], _ name: String, _ signer: SigningKey, at seconds: UInt64) throws -> [UInt8] {
        let text = String(decoding: note, as: UTF8.self).components(separatedBy: "\n\n")[0] + "\n"
        let signature = try signer.sign(Array("cosignature/v1\ntime \(seconds)\n\(text)".utf8))
        let id = SHA256.hash(Array(name.utf8) + [10, 4] + signer.publicKey).prefix(4)
        let time = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> (56 - 8 * UInt64($0))) }
        return note + Array("\u{2014} \(name) \(base64(Array(id) + time + signature))\n".utf8)
    }

    private func verify(
        _ ledger: Ledger, _ note: [UInt8], _ witnesses: [String]
    ) throws -> (damage: [String], seen: [Cosignature], anchors: Int) {
        let keys = try witnesses.map { try #require(WitnessKey($0)) }
        let result = try Ledger.verify(
            path: ledger.path, key: Demo.verifier(),
            evidence: OutsideEvidence(anchors: [TrustAnchor(name: "a", text: note)], witnesses: keys))
        return (result.damage.map(\.description), result.cosignatures, result.anchors)
    }

    @Test func `what pyca signed is accepted, and nothing that was changed`() throws {
        let scratch = try Scratch()
        let ledger = try Demo.build(scratch.file("l.sqlite")).ledger
        let good = try verify(ledger, Array(Self.cosigned.utf8), [Self.key])
        #expect(good.damage.isEmpty && good.anchors == 1)
        #expect(good.seen.map(\.witness) == ["witness.example/w1"] && good.seen.map(\.seconds) == [1_796_000_000])
        // Another time, another name, a cut signature, and a line of another type.
        for (old, new) in [
            ("MgAAAABrDMkA", "MgAAAABrDMkB"), ("w1 519l", "w2 519l"), ("idQ2CA==", "idQ2"), ("519lM", "619lM"),
        ] {
            let text = Self.cosigned.replacingOccurrences(of: old, with: new)
            #expect(text != Self.cosigned)
            let bad = try verify(ledger, Array(text.utf8), [Self.key])
            #expect(bad.damage == ["ANCHOR a is cosigned by none of the given witnesses"] && bad.anchors == 0, "\(new)")
        }
        #expect(try verify(ledger, Array(Self.cosigned.utf8), []).seen.isEmpty)
    }

    @Test func `one of several witnesses is enough, and a fork stays a fork`() throws {
        let scratch = try Scratch()
        let (ledger, notes) = try Demo.build(scratch.file("l.sqlite"))
        let (one, two) = (try signer(10), try signer(50))
        let note = try cosign(try #require(notes.last), "w.example/2", two, at: 1_800_000_000)
        let found = try verify(ledger, note, [vkey("w.example/1", one), vkey("w.example/2", two)])
        #expect(found.damage.isEmpty && found.seen.map(\.witness) == ["w.example/2"] && found.seen.map(\.size) == [16])
        let alone = try verify(ledger, note, [vkey("w.example/1", one)])
        #expect(alone.damage.count == 1 && alone.anchors == 0)
        // The same ledger with another history, as its key's holder can make it.
        let other = try Demo.build(scratch.file("m.sqlite"), accepted: 99).ledger
        let forked = try verify(other, note, [vkey("w.example/2", two)])
        #expect(forked.damage.contains { $0.hasPrefix("FORK") } && forked.seen.isEmpty, "\(forked)")
    }

    @Test(arguments: [
        "", "w", "w+00000000+AA==", key.replacingOccurrences(of: "e75f", with: "e75e"),
        "ingest.example/ledger/7f3c+f63b8b64+AeuZBwx1zMJaB8RSYVFl71Iydm+TcEAaMx0AfXAvBSRj", key + "A",
    ])
    func `a key that is none is refused`(_ text: String) { #expect(WitnessKey(text) == nil) }
}
