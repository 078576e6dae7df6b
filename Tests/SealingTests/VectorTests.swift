import Cryptography
import Foundation
import Sealing
import TestSupport
import Testing

private func manifest() throws -> [[String: Any]] {
    let url = try #require(shared("vectors/esdk/manifest.json"))
    return try json(url)["messages"] as? [[String: Any]] ?? []
}

private func message(_ entry: [String: Any]) throws -> [UInt8] {
    try contents(#require(shared("vectors/esdk/\(entry["file"] as? String ?? "")")))
}

@Suite struct `Messages of others and of the reference` {
    @Test(.enabled(if: VectorKeys.areHere, "the vectors are not here: set SLUICE_SHARED"))
    func `what must open opens with each key, and what must not does not`() throws {
        let keys = try VectorKeys()
        var (opened, files, refused) = (0, 0, 0)
        for entry in try manifest() {
            let name = entry["file"] as? String ?? ""
            let bytes = try message(entry)
            let names = entry["keys"] as? [String] ?? []
            guard entry["expect"] as? String == "ok" else {
                let all = try names.map { try keys($0) }
                #expect(throws: SealingError.self, "\(name)") { try open(bytes, all) }
                refused += 1
                continue
            }
            files += 1
            for key in names {
                let (plaintext, info) = try open(bytes, [keys(key)])
                #expect(hex(SHA256.hash(plaintext)) == entry["plaintext_sha256"] as? String, "\(name)")
                #expect(info.frameLength == entry["frame_length"] as? Int, "\(name)")
                for (field, value) in entry["encryption_context"] as? [String: String] ?? [:] {
                    #expect(info.context[field] == value, "\(name) \(field)")
                }
                opened += 1
            }
        }
        print("manifest: \(files) files opened with \(opened) keys, \(refused) refused")
        #expect(files == 19)
        #expect(refused == 29)
    }

    @Test(.enabled(if: VectorKeys.areHere, "the vectors are not here: set SLUICE_SHARED"))
    func `the writer makes the reference's bytes from the reference's randomness`() throws {
        let keys = try VectorKeys()
        var exact = 0
        for entry in try manifest() {
            guard let fixed = entry["fixed"] as? [String: Any],
                let data = bytes(hex: fixed["data_key"] as? String ?? ""),
                let id = bytes(hex: fixed["message_id"] as? String ?? "")
            else { continue }
            let expected = try message(entry)
            let names = entry["keys"] as? [String] ?? []
            let (plaintext, _) = try open(expected, [keys(names[0])])
            let (mine, sealed) = try sealMessage(
                plaintext.span, context: entry["encryption_context"] as? [String: String] ?? [:],
                recipients: names.map { try keys($0) }, frameLength: entry["frame_length"] as? Int ?? 0,
                secrets: MessageSecrets(
                    messageID: id, dataKey: SecretKey(copying: data.span),
                    wrappingIVs: (fixed["edk_ivs"] as? [String] ?? []).compactMap { bytes(hex: $0) }))
            #expect(mine == expected, "\(entry["file"] ?? "")")
            #expect(hex(sealed.fileSHA256) == entry["sha256"] as? String)
            #expect(sealed.byteCount == expected.count && sealed.plaintextByteCount == plaintext.count)
            let header = try MessageReader.inspect(.bytes(mine)).headerByteCount
            #expect(sealed.bodySHA256 == SHA256.hash(Array(mine[header...])))
            exact += 1
        }
        print("byte-exact: \(exact)")
        #expect(exact == 4)
    }

    @Test(.enabled(if: VectorKeys.areHere, "the vectors are not here: set SLUICE_SHARED"))
    func `every flipped bit and every truncation is refused`() throws {
        let keys = try VectorKeys()
        let good = try contents(#require(shared("vectors/esdk/ref-0478-exact.bin")))
        let ring = KeyRing([try keys("kek-2026a")])
        var (flips, cuts) = (0, 0)
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            if (try? open(bad, ring: ring)) == nil { flips += 1 }
        }
        for count in 0..<good.count where (try? open(Array(good[..<count]), ring: ring)) == nil { cuts += 1 }
        print("flips refused: \(flips) of \(good.count * 8); truncations refused: \(cuts) of \(good.count)")
        #expect(flips == good.count * 8 && cuts == good.count)
        #expect(throws: SealingError.self) { try open(good + [0], ring: ring) }
    }

    @Test(.enabled(if: shared("vectors/aws/commitment-kat.json") != nil, "the vectors are not here: set SLUICE_SHARED"))
    func `the AWS commitment answers are known`() throws {
        let url = try #require(shared("vectors/aws/commitment-kat.json"))
        let tests = try json(url)["tests"] as? [[String: Any]] ?? []
        var good = 0
        for test in tests {
            func field(_ name: String) -> [UInt8] { bytes(base64: test[name] as? String ?? "") ?? [] }
            let ring = KeyRing(dataKey: SecretKey(copying: field("decrypted-dek").span))
            let opened = try? open(field("ciphertext"), ring: ring, strictness: .lenient)
            if test["status"] as? Bool == true {
                let plaintext = Array((test["plaintext-frames"] as? [String] ?? []).joined().utf8)
                let same = opened?.plaintext == plaintext && opened?.info.commitment == field("commitment")
                #expect(same, "\(test["comment"] ?? "")")
                good += same ? 1 : 0
            } else {
                #expect(opened == nil, "\(test["comment"] ?? "")")
                good += opened == nil ? 1 : 0
            }
        }
        print("aws commitment kat: \(good) of \(tests.count)")
        #expect(good == 46)
    }
}

/// The unpacked AWS vectors: $SLUICE_AWS_VECTORS has v4-Net-4.0.1, valid-Net-4.0.0, invalid-Net-4.0.0 and cdafny.
private let unpacked = ProcessInfo.processInfo.environment["SLUICE_AWS_VECTORS"].map { URL(fileURLWithPath: $0) }

@Suite(.enabled(if: unpacked != nil, "set SLUICE_AWS_VECTORS to the unpacked vectors")) struct `AWS message vectors` {
    /// Name and secret of each key.
    private func keys(_ url: URL) throws -> [String: [String: Any]] {
        try json(url)["keys"] as? [String: [String: Any]] ?? [:]
    }

    private func wrapping(_ description: [String: Any], _ keys: [String: [String: Any]]) throws -> (any WrappingKey)? {
        let name = (description["key"] as? String ?? "").replacingOccurrences(of: "public", with: "private")
        guard let key = keys[name], let provider = description["provider-id"] as? String,
            let id = key["key-id"] as? String
        else { return nil }
        let material = (key["material"] as? [String])?.joined(separator: "\n") ?? key["material"] as? String ?? ""
        if description["encryption-algorithm"] as? String == "aes", let secret = bytes(base64: material) {
            return AESWrappingKey(namespace: provider, name: id, key: SecretKey(copying: secret.span))
        }
        if description["padding-algorithm"] as? String == "oaep-mgf1",
            let hash = RSAKey.Hash(rawValue: description["padding-hash"] as? String ?? "")
        {
            let rsa = try RSAKey(privatePEM: Array(material.utf8).span)
            return RSAWrappingKey(namespace: provider, name: id, key: rsa, hash: hash)
        }
        return nil
    }

    @Test func `NET raw-key messages open, invalid ones and those of format 1 are refused`() throws {
        let root = try #require(unpacked)
        var counts: [String: Int] = [:]
        for name in ["v4-Net-4.0.1", "valid-Net-4.0.0", "invalid-Net-4.0.0"] {
            let folder = root.appendingPathComponent(name)
            let keys = try keys(folder.appendingPathComponent("keys.json"))
            let tests = try json(folder.appendingPathComponent("manifest.json"))["tests"] as? [String: [String: Any]]
            for test in (tests ?? [:]).values {
                func file(_ path: Any?) throws -> [UInt8] {
                    try contents(folder.appendingPathComponent(String((path as? String ?? "").dropFirst(7))))
                }
                let message = try file(test["ciphertext"])
                if message.first != 2 {
                    #expect(throws: SealingError.self) { try open(message, []) }
                    counts["\(name) format 1 refused", default: 0] += 1
                    continue
                }
                let ring = try (test["master-keys"] as? [[String: Any]] ?? []).compactMap { try wrapping($0, keys) }
                if ring.isEmpty { continue }
                let isDefault = test["cmm"] as? String == "Default"
                let reproduced = isDefault ? [:] : test["encryption-context"] as? [String: String] ?? [:]
                let opened = try? open(message, ring, reproduced: reproduced)
                let output = (test["result"] as? [String: Any])?["output"] as? [String: Any]
                if name.hasPrefix("invalid") {
                    #expect(opened == nil)
                    counts["\(name) refused", default: 0] += opened == nil ? 1 : 0
                } else {
                    let same = try opened?.plaintext == file(output?["plaintext"])
                    #expect(same)
                    counts["\(name) opened", default: 0] += same ? 1 : 0
                }
            }
        }
        for (what, count) in counts.sorted(by: { $0.key < $1.key }) { print("aws: \(count) \(what)") }
        #expect(counts["v4-Net-4.0.1 opened"] == 18 && counts["valid-Net-4.0.0 opened"] == 2)
        #expect(counts["invalid-Net-4.0.0 refused"] == 4)
    }

    @Test func `C from-dafny raw-key messages open`() throws {
        let folder = try #require(unpacked).appendingPathComponent("cdafny")
        let keys = try keys(folder.appendingPathComponent("keys.json"))
        let manifest = try json(folder.appendingPathComponent("decrypt-manifest.json"))
        let plaintext = try contents(folder.appendingPathComponent("plaintexts/small"))
        var (opened, old) = (0, 0)
        for test in (manifest["tests"] as? [String: [String: Any]] ?? [:]).values {
            guard let scenario = test["decryption-scenario"] as? [String: Any],
                let path = scenario["ciphertext"] as? String
            else { continue }
            let message = try contents(folder.appendingPathComponent(String(path.dropFirst(7))))
            var ring: [any WrappingKey] = []
            func walk(_ value: Any) throws {
                if let object = value as? [String: Any] {
                    if object["type"] as? String == "raw", let key = try wrapping(object, keys) { ring.append(key) }
                    for part in object.values { try walk(part) }
                } else if let list = value as? [Any] {
                    for part in list { try walk(part) }
                }
            }
            try walk(scenario["decryptKeyDescription"] as Any)
            guard message.first == 2 else {
                #expect(throws: SealingError.self) { try open(message, ring) }
                old += 1
                continue
            }
            if ring.isEmpty { continue }
            let reproduced = scenario["reproduced-encryption-context"] ?? scenario["encryption-context"]
            let result = try? open(message, ring, reproduced: reproduced as? [String: String] ?? [:])
            let same = result?.plaintext == plaintext
            #expect(same, "\(scenario["description"] ?? path)")
            opened += same ? 1 : 0
        }
        print("aws c from-dafny: \(opened) opened, \(old) of format 1 refused")
        #expect(opened == 32)
    }
}
