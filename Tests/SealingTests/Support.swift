import Cryptography
import Foundation
import Sealing
import Storage
import TestSupport
import Testing

/// The test keys of the vectors, by name.
struct VectorKeys {
    private let keys: [String: [String: String]]

    /// Whether the vectors are present; a test that needs them is enabled only then.
    static let areHere = shared("vectors/esdk/keys.json") != nil && shared("vectors/esdk/manifest.json") != nil

    init() throws {
        let url = try #require(shared("vectors/esdk/keys.json"))
        keys = try json(url)["keys"] as? [String: [String: String]] ?? [:]
    }

    func hexKey(_ name: String) -> String? { keys[name]?["hex"] }
    func pem(_ name: String) -> String? { keys[name]?["private_pem"] }

    /// A key that can open messages.
    func callAsFunction(_ name: String) throws -> any WrappingKey {
        let fields = keys[name] ?? [:]
        if let digits = fields["hex"], let key = bytes(hex: digits) {
            return AESWrappingKey(name: fields["name"] ?? "", key: SecretKey(copying: key.span))
        }
        let pem = Array((fields["private_pem"] ?? "").utf8)
        return RSAWrappingKey(name: fields["name"] ?? "", key: try RSAKey(privatePEM: pem.span))
    }

    /// A key that can only seal.
    func publicKey(_ name: String) throws -> any WrappingKey {
        let pem = Array((keys[name]?["public_pem"] ?? "").utf8)
        return RSAWrappingKey(name: keys[name]?["name"] ?? "", key: try RSAKey(publicPEM: pem.span))
    }
}

/// Opens a message in memory.
func open(
    _ message: [UInt8], _ keys: [any WrappingKey], expect: [String: String] = [:], reproduced: [String: String] = [:],
    strictness: MessageReader.Strictness = .canonical
) throws -> (plaintext: [UInt8], info: MessageInfo) {
    try open(message, ring: KeyRing(keys), expect: expect, reproduced: reproduced, strictness: strictness)
}

/// Opens a message in memory.
func open(
    _ message: [UInt8], ring: KeyRing, expect: [String: String] = [:], reproduced: [String: String] = [:],
    strictness: MessageReader.Strictness = .canonical
) throws -> (plaintext: [UInt8], info: MessageInfo) {
    let reader = try MessageReader(
        .bytes(message), keys: ring, expect: expect, reproduced: reproduced, strictness: strictness)
    let info = reader.info
    var plaintext: [UInt8] = []
    let count = try reader.decrypt { plaintext.append(copying: $0) }
    precondition(count == plaintext.count)
    return (plaintext, info)
}

/// Bytes of a file.
func contents(_ url: URL) throws -> [UInt8] { Array(try Data(contentsOf: url)) }

/// Bytes that differ from position to position.
func sample(_ count: Int) -> [UInt8] {
    var state: UInt64 = 42
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// The code of the thrown error.
func code(_ body: () throws -> Void) -> SealingError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? SealingError)?.code }
}

/// Runs with a new folder, which is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
    try makeFolder(url.path)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
}
