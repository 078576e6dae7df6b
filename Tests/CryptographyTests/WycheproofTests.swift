import Cryptography
import Foundation
import TestSupport
import Testing

/// One case of Wycheproof with its group.
private struct Case {
    let group: [String: Any]
    let test: [String: Any]
    let isValid: Bool
    /// "acceptable" cases may pass or fail.
    let isEither: Bool

    func bytes(_ name: String) -> [UInt8] { (test[name] as? String).flatMap(Cryptography.bytes(hex:)) ?? [] }
    func number(_ name: String) -> Int { test[name] as? Int ?? group[name] as? Int ?? -1 }
    var name: String { "case \(number("tcId")): \(test["comment"] as? String ?? "")" }
}

/// Whether a file of the suite is present.
private func has(_ file: String) -> Bool { shared("suites/crypto/\(file)_test.json") != nil }

private func cases(_ file: String) throws -> [Case] {
    let url = try #require(shared("suites/crypto/\(file)_test.json"))
    let groups = try json(url)["testGroups"] as? [[String: Any]] ?? []
    return groups.flatMap { group in
        (group["tests"] as? [[String: Any]] ?? []).map { test in
            let result = test["result"] as? String
            return Case(group: group, test: test, isValid: result == "valid", isEither: result == "acceptable")
        }
    }
}

private let oaep = ["rsa_oaep_2048_sha256_mgf1sha256", "rsa_oaep_4096_sha256_mgf1sha256"]

@Suite struct `Wycheproof agrees` {
    @Test(.enabled(if: has("aes_gcm"), "run scripts/suites"))
    func `AES-GCM with 96-bit IVs and 128-bit tags`() throws {
        var (run, of256) = (0, 0)
        for one in try cases("aes_gcm") {
            guard one.number("ivSize") == 96, one.number("tagSize") == 128 else { continue }
            run += 1
            if one.number("keySize") == 256 { of256 += 1 }
            var cipher = try AESGCM(key: SecretKey(copying: one.bytes("key").span))
            let (iv, aad, plain) = (one.bytes("iv"), one.bytes("aad"), one.bytes("msg"))
            let sealed = one.bytes("ct") + one.bytes("tag")
            var opened: [UInt8] = [7]
            if one.isValid {
                var mine: [UInt8] = []
                try cipher.seal(iv: iv.span, aad: aad.span, plaintext: plain.span, into: &mine)
                #expect(mine == sealed, "\(one.name)")
                try cipher.open(iv: iv.span, aad: aad.span, sealed: sealed.span, into: &opened)
                #expect(opened == [7] + plain, "\(one.name)")
            } else {
                #expect(throws: CryptographyError.self, "\(one.name)") {
                    try cipher.open(iv: iv.span, aad: aad.span, sealed: sealed.span, into: &opened)
                }
                #expect(opened == [7], "nothing of a forged message comes out: \(one.name)")
            }
        }
        print("wycheproof aes-gcm: \(run) cases, \(of256) of them aes-256")
        #expect(of256 == 66)
    }

    @Test(
        .enabled(if: has("hkdf_sha512") && has("hkdf_sha256"), "run scripts/suites"),
        arguments: [("hkdf_sha512", HKDF.Hash.sha512), ("hkdf_sha256", .sha256)])
    func `HKDF derives`(file: String, hash: HKDF.Hash) throws {
        let all = try cases(file)
        #expect(!all.isEmpty)
        for one in all {
            let (salt, info) = (one.bytes("salt"), one.bytes("info"))
            let derivation = HKDF(hash, salt: salt.span, secret: SecretKey(copying: one.bytes("ikm").span))
            let size = one.number("size")
            let key = try? derivation.expand(info: info.span, count: size)
            #expect(key?.withBytes { Array($0) } == (one.isValid ? one.bytes("okm") : nil), "\(one.name)")
        }
        print("wycheproof \(file): \(all.count) cases")
    }

    @Test(.enabled(if: has("hmac_sha256"), "run scripts/suites"))
    func `HMAC-SHA-256`() throws {
        let all = try cases("hmac_sha256")
        #expect(!all.isEmpty)
        for one in all {
            let message = one.bytes("msg")
            var hmac = HMACSHA256(key: SecretKey(copying: one.bytes("key").span))
            let (first, second) = (hmac.code(of: message.span), hmac.code(of: message.span))
            #expect(first == second)
            let same = Array(first.prefix(one.number("tagSize") / 8)) == one.bytes("tag")
            #expect(same == one.isValid, "\(one.name)")
        }
        print("wycheproof hmac-sha-256: \(all.count) cases")
    }

    @Test(.enabled(if: has("ed25519"), "run scripts/suites"))
    func `Ed25519 verifies`() throws {
        let all = try cases("ed25519")
        #expect(!all.isEmpty)
        for one in all {
            let key = one.group["publicKey"] as? [String: Any] ?? [:]
            let point = (key["pk"] as? String).flatMap(Cryptography.bytes(hex:)) ?? []
            let good = verifyEd25519(publicKey: point, message: one.bytes("msg"), signature: one.bytes("sig"))
            #expect(good == one.isValid, "\(one.name)")
            var batch = SignatureBatch(publicKey: point)
            try batch.add(message: one.bytes("msg"), signature: one.bytes("sig"))
            #expect(batch.holds() == one.isValid, "\(one.name) in a batch")
        }
        print("wycheproof ed25519: \(all.count) cases")
    }

    @Test(.enabled(if: oaep.allSatisfy(has), "run scripts/suites"), arguments: oaep)
    func `RSA-OAEP-SHA256`(file: String) throws {
        let all = try cases(file)
        #expect(!all.isEmpty)
        for one in all {
            guard let pem = one.group["privateKeyPem"] as? String else {
                Issue.record("no pem")
                continue
            }
            let key = try RSAKey(privatePEM: Array(pem.utf8).span)
            let sealed = one.bytes("ct")
            let opened = try? key.unwrap(sealed.span, label: one.bytes("label"))
            #expect(opened?.withBytes { Array($0) } == (one.isValid ? one.bytes("msg") : nil), "\(one.name)")
        }
        print("wycheproof \(file): \(all.count) cases")
    }
}

/// The bytes of a span, for comparing.
extension Array where Element == UInt8 {
    init(_ span: Span<UInt8>) { self = span.indices.map { span[$0] } }
}
