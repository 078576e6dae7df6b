import Cryptography
import Foundation
import Sealing
import Storage
import Testing

private func aes(_ name: String) throws -> any WrappingKey {
    AESWrappingKey(name: name, key: try SecretKey(random: 32))
}

@Suite struct `Sealing and opening` {
    @Test func `what was sealed comes back, at every edge of a frame, for every recipient`() throws {
        let keys = VectorKeys.areHere ? try VectorKeys() : nil
        for frameLength in [1, 7, 64, 4096] {
            for count in [0, 1, frameLength - 1, frameLength, frameLength + 1, 3 * frameLength] {
                for recipients in 1...4 {
                    var ring = try (0..<recipients).map { try aes("kek-\($0)") }
                    // One of four is a public key if the test key is present.
                    if recipients == 4, let keys { ring[3] = try keys("escrow") }
                    let plaintext = sample(count)
                    let context = ["dataset": "customers", "é": "ü", "": ""]
                    let (message, sealed) = try sealMessage(
                        plaintext.span, context: context, recipients: ring, frameLength: frameLength)
                    let frames = max(1, (count + frameLength - 1) / frameLength)
                    #expect(sealed.byteCount == message.count && sealed.plaintextByteCount == count)
                    #expect(sealed.fileSHA256 == SHA256.hash(message))
                    for key in ring {
                        let (opened, info) = try open(message, [aes("stranger"), key], expect: context)
                        #expect(opened == plaintext)
                        #expect(info.context == context && info.frameLength == frameLength)
                        #expect(info.recipients.map(\.provider) == Array(repeating: "ingest", count: recipients))
                        #expect(info.recipients.map(\.keyName) == ring.map(\.name))
                        #expect(info.headerByteCount + count + frames * 32 + 8 == message.count)
                        #expect(info.messageID == sealed.messageID && info.commitment == sealed.commitment)
                    }
                }
            }
        }
    }

    @Test func `the pieces in which plaintext comes do not matter`() throws {
        let plaintext = sample(1000)
        let key = try aes("kek")
        let secrets = try MessageSecrets(recipients: 1)
        let whole = try sealMessage(
            plaintext.span, context: [:], recipients: [key], frameLength: 64, secrets: secrets)
        for step in [1, 63, 64, 65, 127, 128, 129, 1000] {
            var sealer = try MessageSealer(context: [:], recipients: [key], frameLength: 64, secrets: secrets)
            for start in stride(from: 0, to: 1000, by: step) {
                try sealer.write(plaintext.span.extracting(start..<min(1000, start + step)))
            }
            let sealed = try sealer.finish()
            #expect(sealed == whole.message)
            #expect(sealer.takeOutput() == whole.bytes)
        }
    }

    @Test func `a message goes through files of many chunks`() throws {
        try withFolder { folder in
            let plaintext = sample(3_000_001)
            let key = try aes("kek")
            var writer = try MessageWriter(
                to: StagedFile(in: folder, name: "shard"), context: ["v": "1"], recipients: [key])
            for start in stride(from: 0, to: plaintext.count, by: 700_000) {
                try writer.write(plaintext.span.extracting(start..<min(plaintext.count, start + 700_000)))
            }
            let sealed = try writer.finish().commit(as: "shard.sealed")
            #expect(try listFolder(folder) == ["shard.sealed"])
            let path = join(folder, "shard.sealed")
            #expect(try SHA256.hash(contents(URL(fileURLWithPath: path))) == sealed.fileSHA256)
            let reader = try MessageReader(.file(.openRegular(path)), keys: KeyRing([key]))
            var opened: [UInt8] = []
            try reader.decrypt { opened.append(copying: $0) }
            #expect(opened == plaintext)
            let count = try MessageReader(.file(.openRegular(path)), keys: KeyRing([key])).verify()
            #expect(count == plaintext.count)
        }
    }

    @Test func `a writer that is dropped leaves nothing behind`() throws {
        try withFolder { folder in
            func drop() throws {
                var writer = try MessageWriter(
                    to: StagedFile(in: folder, name: "shard"), context: [:], recipients: [aes("kek")])
                try writer.write(sample(500_000).span)
                _ = try writer.finish()
            }
            try drop()
            #expect(try listFolder(folder).isEmpty)
        }
    }

    @Test func `an expectation is compared before anything is opened`() throws {
        let key = try aes("kek")
        let (message, _) = try sealMessage([1].span, context: ["dataset": "a"], recipients: [key])
        #expect(code { _ = try open(message, [key], expect: ["dataset": "b"]) } == .contextMismatch)
        #expect(code { _ = try open(message, [key], expect: ["other": "a"]) } == .contextMismatch)
        #expect(code { _ = try open(message, [], expect: ["dataset": "b"]) } == .contextMismatch)
        #expect(code { _ = try open(message, [key], reproduced: ["dataset": "b"]) } == .contextMismatch)
        #expect(try open(message, [key], expect: ["dataset": "a"]).plaintext == [1])
    }

    @Test func `a key of another name, another namespace or other bytes does not open`() throws {
        let secret = try SecretKey(random: 32)
        let key = AESWrappingKey(name: "kek", key: secret)
        let (message, _) = try sealMessage([1].span, context: [:], recipients: [key])
        let wrong: [any WrappingKey] = [
            AESWrappingKey(name: "kek2", key: secret), AESWrappingKey(namespace: "other", name: "kek", key: secret),
            try aes("kek"),
        ]
        for one in wrong { #expect(code { _ = try open(message, [one]) } == .noKey) }
        do {
            _ = try open(message, [])
            Issue.record("it opened")
        } catch { #expect("\(error)".contains("ingest:kek")) }
        #expect(try open(message, wrong + [key]).plaintext == [1])
    }

    @Test func `limits are kept when writing`() throws {
        let key = try aes("kek")
        func seal(
            _ context: [String: String] = [:], _ recipients: [any WrappingKey]? = nil, _ frameLength: Int = 64
        ) -> SealingError.Code? {
            code {
                _ = try sealMessage(
                    [1].span, context: context, recipients: recipients ?? [key], frameLength: frameLength)
            }
        }
        #expect(seal() == nil)
        #expect(seal(["a": String(repeating: "x", count: 2041)]) == nil)
        #expect(seal(["a": String(repeating: "x", count: 2042)]) == .limit)
        #expect(seal(["a": String(repeating: "x", count: 100_000)]) == .limit)
        #expect(seal(["aws-crypto-public-key": "x"]) == .limit)
        #expect(seal([:], []) == .limit)
        #expect(seal([:], Array(repeating: key, count: 16)) == nil)
        #expect(seal([:], Array(repeating: key, count: 17)) == .limit)
        #expect(seal([:], nil, 0) == .limit)
        #expect(seal([:], nil, (64 << 20) + 1) == .limit)
        let foreign = AESWrappingKey(namespace: "aws-kms", name: "kek", key: try SecretKey(random: 32))
        #expect(seal([:], [foreign]) == .limit)
    }

    @Test func `a header alone tells who can open the message`() throws {
        let (message, sealed) = try sealMessage([1].span, context: ["a": "b"], recipients: [aes("x"), aes("y")])
        let info = try MessageReader.inspect(.bytes(message))
        #expect(info.recipients.map(\.keyName) == ["x", "y"] && info.context == ["a": "b"])
        #expect(info.messageID == sealed.messageID && info.suite == .committed)
    }
}

@Suite struct `Key files` {
    private func key(_ folder: String, _ name: String = "kek-a") throws -> (path: String, file: KeyFile) {
        let file = try KeyFile(kind: .kek, name: name, created: "2026-11-21", key: SecretKey(random: 32))
        let path = join(folder, name)
        try file.write(path)
        return (path, file)
    }

    @Test func `a key comes back as it was written, for each kind`() throws {
        try withFolder { folder in
            for kind in KeyKind.ofStore + [.xwing] {
                let file = try KeyFile(kind: kind, name: "k-1", created: "2026-11-21", key: SecretKey(random: 32))
                let path = join(folder, "k-1.\(kind.rawValue)")
                try file.write(path)
                let read = try KeyFile.read(path, kind: kind)
                #expect(read.fingerprint == file.fingerprint && read.name == "k-1" && read.created == "2026-11-21")
                #expect(try fileStatus(path)?.mode == 0o600)
                let text = String(decoding: try contents(URL(fileURLWithPath: path)), as: UTF8.self)
                let lines = text.split(separator: "\n")
                #expect(lines.count == 5 && lines[3] == "# lost keys are lost data")
                #expect(lines[4].hasPrefix("sluice-\(kind.rawValue)-v1:") && lines[4].hasSuffix(lines[4].suffix(43)))
                let other = KeyKind.ofStore.first { $0 != kind } ?? .kek
                #expect(code { _ = try KeyFile.read(path, kind: other) } == .malformedKeyFile)
                #expect(code { try file.write(path) } == .storage, "a key is never overwritten")
            }
        }
    }

    @Test func `a file or a folder that others can use is refused`() throws {
        try withFolder { folder in
            let (path, _) = try key(folder)
            for mode in [0o640, 0o604, 0o660, 0o601] {
                #expect(unsafe chmod(path, mode_t(mode)) == 0)
                #expect(code { _ = try KeyFile.read(path, kind: .kek) } == .unsafeKeyFile)
            }
            #expect(unsafe chmod(path, 0o400) == 0)
            _ = try KeyFile.read(path, kind: .kek)
            #expect(unsafe chmod(folder, 0o755) == 0)
            #expect(code { _ = try KeyFile.read(path, kind: .kek) } == .unsafeKeyFile)
            #expect(unsafe chmod(folder, 0o700) == 0)
        }
    }

    @Test func `a link, a folder and a pipe are refused, and so is another's file`() throws {
        try withFolder { folder in
            let (path, _) = try key(folder)
            let (link, pipe, below) = (join(folder, "link"), join(folder, "pipe"), join(folder, "below"))
            try makeFolder(below)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            #expect(unsafe mkfifo(pipe, 0o600) == 0)
            for bad in [link, pipe, below, join(folder, "none")] {
                #expect(code { _ = try KeyFile.read(bad, kind: .kek) } == .storage)
            }
            // Only root can change a file's owner.
            if effectiveUser() == 0, unsafe chown(path, 12345, 12345) == 0 {
                #expect(code { _ = try KeyFile.read(path, kind: .kek) } == .unsafeKeyFile)
            }
        }
    }

    @Test func `a typing error and damage are found`() throws {
        try withFolder { folder in
            let (path, _) = try key(folder)
            let text = String(decoding: try contents(URL(fileURLWithPath: path)), as: UTF8.self)
            let digit = text.dropLast(10).last == "A" ? "B" : "A"
            let typed = String(text.dropLast(11)) + digit + String(text.suffix(10))
            let damaged = [
                typed, text.replacingOccurrences(of: "kek-a", with: "kek-b"), String(text.dropLast(2)),
                text + text, "", "# name: x\n", text.replacingOccurrences(of: "sluice-kek-v1:", with: "sluice-kek-v2:"),
                text + String(repeating: "#", count: 5000), text.replacingOccurrences(of: "# fingerprint", with: "# f"),
            ]
            for (number, bad) in damaged.enumerated() {
                let other = join(folder, "bad-\(number)")
                try writeDurably(other, Array(bad.utf8).span)
                #expect(code { _ = try KeyFile.read(other, kind: .kek) } == .malformedKeyFile, "\(number)")
            }
            do { _ = try KeyFile.read(join(folder, "bad-0"), kind: .kek) } catch {
                #expect("\(error)".contains("typing error or damaged file"))
                #expect(!"\(error)".contains(text.suffix(20)))
            }
        }
    }

    @Test func `a key under another's name is refused, and both names are told`() throws {
        try withFolder { folder in
            let (path, file) = try key(folder, "mine.2026")
            for (name, asked) in [("main.kek", "main"), ("mine.kek", "mine"), ("mine.2026.kek.kek", "mine.2026.kek")] {
                let other = join(folder, name)
                try FileManager.default.moveItem(atPath: path, toPath: other)
                let refused = try #require(throws: SealingError.self) { try KeyFile.read(other, kind: .kek) }
                #expect(refused.code == .malformedKeyFile)
                #expect(refused.description.contains("key mine.2026, not \(asked);"), "\(refused)")
                try FileManager.default.moveItem(atPath: other, toPath: path)
            }
            let right = join(folder, "mine.2026.kek")
            try FileManager.default.moveItem(atPath: path, toPath: right)
            #expect(try KeyFile.read(right, kind: .kek).fingerprint == file.fingerprint)
        }
    }

    @Test func `a folder that is a link is refused`() throws {
        try withFolder { folder in
            let (keys, link) = (join(folder, "keys"), join(folder, "link"))
            try makeFolder(keys)
            let (path, _) = try key(keys)
            _ = try KeyFile.read(path, kind: .kek)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: keys)
            let refused = try #require(throws: SealingError.self) {
                try KeyFile.read(join(link, "kek-a"), kind: .kek)
            }
            #expect(
                refused.code == .storage && refused.description.contains("\(link): it is a symbolic link"), "\(refused)"
            )
        }
    }

    @Test func `names that could mislead are refused`() throws {
        for name in ["", "a b", "a/b", "a\nb", String(repeating: "a", count: 129)] {
            #expect(
                code { _ = try KeyFile(kind: .kek, name: name, created: "", key: SecretKey(random: 32)) }
                    == .malformedKeyFile)
        }
        #expect(
            code { _ = try KeyFile(kind: .kek, name: "a", created: "", key: SecretKey(random: 31)) }
                == .malformedKeyFile)
    }

    @Test(.enabled(if: VectorKeys.areHere, "the vectors are not here: set SLUICE_SHARED"))
    func `RSA keys are read from PEM files, the private one only when closed`() throws {
        let keys = try VectorKeys()
        let pem = try #require(keys.pem("escrow"))
        try withFolder { folder in
            let path = join(folder, "escrow.pem")
            try writeDurably(path, Array(pem.utf8).span)
            let read = try readRSAPrivateKey(path)
            let (message, _) = try sealMessage([7].span, context: [:], recipients: [keys.publicKey("escrow")])
            #expect(try open(message, [RSAWrappingKey(name: "escrow-2026", key: read)]).plaintext == [7])
            #expect(throws: SealingError.self) { try open(message, [keys.publicKey("escrow")]) }
            #expect(unsafe chmod(path, 0o644) == 0)
            #expect(code { _ = try readRSAPrivateKey(path) } == .unsafeKeyFile)
            #expect(code { _ = try readRSAPublicKey(path) } == .cryptography)
        }
    }
}
