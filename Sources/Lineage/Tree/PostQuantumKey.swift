package import Cryptography

/// The public half of the second key of a ledger: ML-DSA-65, whose signatures nobody can forge with a quantum computer. Written
/// `name+id+base64` as in C2SP's signed-note, with its type for algorithms of one's own (FF and an identifier).
package struct PostQuantumKey: Sendable, Equatable, CustomStringConvertible {
    /// The ledger's origin.
    package let name: String
    /// The public key, 1,952 bytes.
    package let publicKey: [UInt8]
    /// The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key).
    let id: [UInt8]

    private static let type = [0xFF] + Array("sluice/ml-dsa-65/v1\n".utf8)

    /// nil for an impossible name, or a key of another length.
    package init?(name: String, publicKey: [UInt8]) {
        guard VerifierKey.isName(name), publicKey.count == MLDSA65Key.publicKeyCount else { return nil }
        (self.name, self.publicKey) = (name, publicKey)
        id = Array(SHA256.hash(Array(name.utf8) + [0x0A] + Self.type + publicKey).prefix(4))
    }

    /// Parses the text form; nil unless the key id matches the name and the key.
    package init?(_ text: String) {
        let fields = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let key = bytes(base64: String(fields[2])), key.starts(with: Self.type) else {
            return nil
        }
        self.init(name: String(fields[0]), publicKey: Array(key.dropFirst(Self.type.count)))
        guard hex(id) == fields[1] else { return nil }
    }

    /// The text form.
    package var description: String { "\(name)+\(hex(id))+\(base64(Self.type + publicKey))" }

    /// Whether this key signed a note; nil when the note has no signature line of it.
    package func signed(_ note: [UInt8]) -> Bool? {
        guard let claim = SignedNote.claim(note, name: name, id: id) else { return nil }
        return verifyMLDSA65(publicKey: publicKey, message: Array(claim.text.utf8), signature: claim.signature)
    }
}

/// The keys that sign the checkpoints of a ledger.
package struct LedgerSigner: Sendable {
    /// Ed25519, the ledger's identity.
    let key: SigningKey
    /// The second one, where the ledger has one.
    let postQuantum: MLDSA65Key?

    /// One key, or two.
    package init(_ key: SigningKey, postQuantum: MLDSA65Key? = nil) {
        (self.key, self.postQuantum) = (key, postQuantum)
    }

    /// The signed note of a tree head, with one signature line for each key over the same text.
    func sign(_ head: Checkpoint) throws(CryptographyError) -> [UInt8] {
        var note = try SignedNote.sign(head.text, name: head.origin, key: key)
        if let postQuantum, let known = PostQuantumKey(name: head.origin, publicKey: postQuantum.publicKey) {
            let signature = try postQuantum.sign(Array(head.text.utf8))
            note += "\u{2014} \(head.origin) \(base64(known.id + signature))\n"
        }
        return Array(note.utf8)
    }
}
