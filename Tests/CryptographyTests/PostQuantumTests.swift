import Cryptography
import Foundation
import TestSupport
import Testing

/// X-Wing and ML-DSA-65 give what another implementation gives.
@Suite struct `post-quantum keys` {
    private func key(_ first: UInt8) -> SecretKey {
        let bytes = Array(first..<first + 32)
        return SecretKey(copying: bytes.span)
    }
    private func text(_ key: SecretKey) -> [UInt8] { key.withBytes { span in span.indices.map { span[$0] } } }

    /// The code of a refusal; nil when there was none.
    private func refusal<Result>(_ body: () throws(CryptographyError) -> Result) -> CryptographyError.Code? {
        do throws(CryptographyError) {
            _ = try body()
            return nil
        } catch { return error.code }
    }

    @Test func `a key that pyca wrapped opens`() throws {
        let xwing = try XWingKey(seed: key(100))
        #expect(hex(SHA256.hash(xwing.publicKey)) == Pyca.xwingPublicSHA256)
        let wrapped = try #require(bytes(base64: Pyca.wrapped))
        #expect(wrapped.count == XWingKey.wrappedCount)
        let opened = try xwing.unwrap(wrapped, context: Array("a context".utf8))
        #expect(text(opened) == Array(0..<32))
        #expect(
            refusal { () throws(CryptographyError) in try xwing.unwrap(wrapped, context: Array("a contexT".utf8)) }
                != nil)
    }

    @Test(.enabled(if: shared("vectors/hpke/pyca50.json") != nil, "no vectors/hpke here"))
    func `the prototype's vector opens`() throws {
        let url = try #require(shared("vectors/hpke/pyca50.json"))
        let document = try json(url)
        let vector = try #require(document["hpke-xwing-hkdfsha256-aes256gcm"] as? [String: Any])
        let xwing = try XWingKey(seed: key(0))
        let digits = try #require(vector["enc_then_ct_hex"] as? String)
        let wrapped = try #require(bytes(hex: digits))
        let opened = try xwing.unwrap(wrapped, context: [])
        #expect(hex(text(opened)) == vector["plaintext_hex"] as? String)
    }

    @Test func `only the private half opens, and only undamaged bytes`() throws {
        let (xwing, dataKey) = (try XWingKey(seed: key(1)), key(7))
        let sender = try XWingKey(publicKey: xwing.publicKey)
        let context = Array("batch 1".utf8)
        let wrapped = try sender.wrap(dataKey, context: context)
        #expect(wrapped.count == XWingKey.wrappedCount)
        let again = try sender.wrap(dataKey, context: context)
        #expect(wrapped != again)
        let opened = try xwing.unwrap(wrapped, context: context)
        #expect(text(opened) == text(dataKey))
        #expect(refusal { () throws(CryptographyError) in try sender.unwrap(wrapped, context: context) } != nil)
        #expect(
            refusal { () throws(CryptographyError) in try XWingKey(seed: key(2)).unwrap(wrapped, context: context) }
                != nil)
        for place in stride(from: 0, to: wrapped.count, by: 89) {
            var damaged = wrapped
            damaged[place] ^= 1
            #expect(
                refusal { () throws(CryptographyError) in try xwing.unwrap(damaged, context: context) } != nil,
                "byte \(place)")
        }
        for count in [0, 16, 1120, 1136, 1167] {
            #expect(
                refusal { () throws(CryptographyError) in try xwing.unwrap(Array(wrapped[..<count]), context: context) }
                    != nil)
        }
        let two: [UInt8] = [1, 2]
        let short = SecretKey(copying: two.span)
        for count in [0, 32, 1215, 1217] {
            #expect(
                refusal { () throws(CryptographyError) in try XWingKey(publicKey: [UInt8](repeating: 1, count: count)) }
                    != nil)
        }
        #expect(refusal { () throws(CryptographyError) in try XWingKey(seed: short) } != nil)
    }

    @Test func `a signature of pyca is valid, and only for its message and key`() throws {
        let signer = try MLDSA65Key(seed: key(100))
        #expect(hex(SHA256.hash(signer.publicKey)) == Pyca.mldsaPublicSHA256)
        let message = Array("a checkpoint\n".utf8)
        let signature = try #require(bytes(base64: Pyca.signature))
        let own = try signer.sign(message)
        let other = try MLDSA65Key(seed: key(1)).publicKey
        for one in [signature, own] {
            #expect(one.count == MLDSA65Key.signatureCount)
            #expect(verifyMLDSA65(publicKey: signer.publicKey, message: message, signature: one))
            #expect(!verifyMLDSA65(publicKey: signer.publicKey, message: [1], signature: one))
            #expect(!verifyMLDSA65(publicKey: other, message: message, signature: one))
            var damaged = one
            damaged[one.count / 2] ^= 1
            #expect(!verifyMLDSA65(publicKey: signer.publicKey, message: message, signature: damaged))
            #expect(!verifyMLDSA65(publicKey: [], message: message, signature: one))
            #expect(!verifyMLDSA65(publicKey: signer.publicKey, message: message, signature: []))
        }
    }
}
