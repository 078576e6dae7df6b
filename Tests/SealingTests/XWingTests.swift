import Cryptography
import Foundation
import Sealing
import Storage
import Testing

/// Messages and key files of the post-quantum recipient.
@Suite struct `X-Wing recipients` {
    private func key(_ name: String) throws -> XWingWrappingKey {
        let seed = try SecretKey(random: 32)
        return XWingWrappingKey(name: name, key: try XWingKey(seed: seed))
    }

    private func unsealed(_ message: [UInt8], _ key: any WrappingKey) throws -> [UInt8] {
        try open(message, [key]).plaintext
    }

    @Test func `each recipient opens a message alone, under its own context only`() throws {
        let (aes, xwing) = (AESWrappingKey(name: "main", key: try SecretKey(random: 32)), try key("escrow"))
        let plain: [UInt8] = [1, 2, 3]
        let (message, _) = try sealMessage(plain.span, context: ["dataset": "d"], recipients: [aes, xwing])
        #expect(try open(message, [aes]).plaintext == plain)
        #expect(try open(message, [xwing]).plaintext == plain)
        let strangers: [any WrappingKey] = [try key("escrow"), try key("other")]
        for stranger in strangers {
            let refused = #expect(throws: SealingError.self) { try open(message, [stranger]) }
            #expect(refused?.code == .noKey)
        }
        // The data key of one message does not open another: the context is bound.
        let (other, _) = try sealMessage(plain.span, context: ["dataset": "e"], recipients: [xwing])
        #expect(try open(other, [xwing]).plaintext == plain)
        let info = try MessageReader.inspect(.bytes(message))
        #expect(info.recipients.map(\.keyName) == ["main", "escrow"])
        #expect(info.recipients.map(\.provider) == ["ingest", "ingest-hpke"])
    }

    @Test func `a pair is written, read and told apart from damage`() throws {
        try withFolder { folder in
            let (open, secret) = (join(folder, "e.xwing.pub"), join(folder, "e.xwing"))
            let made = try XWingKeyFile.generate(name: "e", created: "now", publicPath: open, privatePath: secret)
            let half = XWingWrappingKey(name: "e", key: try XWingKeyFile.read(open, name: "e"))
            let whole = try XWingWrappingKey(privateHalf: try KeyFile.read(secret, kind: .xwing))
            #expect(half.fingerprint == made && whole.identity == half.identity)
            let plain: [UInt8] = [7]
            let (message, _) = try sealMessage(plain.span, context: [:], recipients: [half])
            #expect(try unsealed(message, whole) == plain)
            #expect(throws: SealingError.self) { try unsealed(message, half) }
            let again = #expect(throws: SealingError.self) {
                try XWingKeyFile.generate(
                    name: "e", created: "now", publicPath: join(folder, "x.pub"), privatePath: secret)
            }
            #expect(again?.code == .storage && !exists(join(folder, "x.pub")))

            let text = try String(contentsOfFile: open, encoding: .utf8)
            let place = text.index(text.endIndex, offsetBy: -40)
            let letter = text[place] == "A" ? "B" : "A"
            for (bad, word) in [
                (text.replacingCharacters(in: place...place, with: letter), "fingerprint"),
                (String(text.dropLast(60)) + "\n", "1216 bytes"),
                (text.replacing("# name: e", with: "# name: f"), "key f"),
                (text + "x\n", "one line"), (text.replacing("# fingerprint", with: "# print"), "missing"),
                ("", "missing"),
            ] {
                try Data(bad.utf8).write(to: URL(filePath: open))
                let refused = #expect(throws: SealingError.self) { try XWingKeyFile.read(open, name: "e") }
                #expect(refused?.code == .malformedKeyFile, "\(word)")
                #expect(refused?.description.contains(word) == true, "\(refused as Any)")
            }
        }
    }
}
