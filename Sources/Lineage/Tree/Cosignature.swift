import Cryptography

/// The key of a witness: somebody else's Ed25519 key that signs checkpoints it saw, in the text form `name+id+base64` with type 04 (C2SP
/// tlog-cosignature).
package struct WitnessKey: Sendable, Equatable {
    /// The witness's name.
    package let name: String
    /// The 32-byte public key.
    package let publicKey: [UInt8]
    /// The first four bytes of SHA-256(name ‖ newline ‖ 04 ‖ key).
    let id: [UInt8]

    /// Parses the text form; nil unless the key id matches the name and the key.
    package init?(_ text: String) {
        let fields = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, VerifierKey.isName(String(fields[0])),
            let key = bytes(base64: String(fields[2])), key.count == 33, key[0] == 4
        else { return nil }
        (name, publicKey) = (String(fields[0]), Array(key.dropFirst()))
        id = Array(SHA256.hash(Array(name.utf8) + [0x0A] + key).prefix(4))
        guard hex(id) == fields[1] else { return nil }
    }
}

/// What a witness signed: that it saw a checkpoint which extends every earlier one that it saw.
package struct Cosignature: Sendable, Equatable {
    /// The witness's name.
    package let witness: String
    /// When it signed, in seconds since 1970.
    package let seconds: Int
    /// Entries of the checkpoint.
    package let size: Int

    /// The cosignature of a witness under a checkpoint's note; nil unless it is valid.
    init?(of note: [UInt8], by witness: WitnessKey, size: Int) {
        guard let claim = SignedNote.claim(note, name: witness.name, id: witness.id), claim.signature.count == 72,
            let seconds = Int(exactly: claim.signature[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }),
            1..<1 << 40 ~= seconds
        else { return nil }
        let message = Array("cosignature/v1\ntime \(seconds)\n\(claim.text)".utf8)
        guard
            verifyEd25519(
                publicKey: witness.publicKey, message: message, signature: Array(claim.signature.dropFirst(8)))
        else { return nil }
        (self.witness, self.seconds, self.size) = (witness.name, seconds, size)
    }
}
