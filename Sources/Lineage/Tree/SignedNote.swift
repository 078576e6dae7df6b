package import Cryptography

/// The key that signs a ledger: name and Ed25519 public key, written `name+id+base64` as in C2SP's signed-note.
package struct VerifierKey: Sendable, Equatable, CustomStringConvertible {
    /// The name, which is the ledger's origin.
    package let name: String
    /// The 32-byte public key.
    package let publicKey: [UInt8]

    /// Combines a name and a public key. nil if the name is empty, or contains white space or a plus sign.
    package init?(name: String, publicKey: [UInt8]) {
        guard Self.isName(name), publicKey.count == 32 else { return nil }
        self.name = name
        self.publicKey = publicKey
        id = Array(SHA256.hash(Array(name.utf8) + [0x0A, 0x01] + publicKey).prefix(4))
    }

    /// Parses the text form; nil unless the key id matches the name and the key.
    package init?(_ text: String) {
        // The key's base64 may contain plus signs, so only the first two separate fields.
        let fields = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let key = bytes(base64: String(fields[2])), key.first == 1 else { return nil }
        self.init(name: String(fields[0]), publicKey: Array(key.dropFirst()))
        guard hex(id) == fields[1] else { return nil }
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ 01 ‖ key).
    package let id: [UInt8]

    /// The text form.
    package var description: String { "\(name)+\(hex(id))+\(base64([1] + publicKey))" }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "+" && !$0.properties.isWhitespace }
    }
}

/// C2SP signed notes: a text, an empty line, and lines `— name base64(id ‖ signature)`.
package enum SignedNote {
    /// Signs `text`, which ends with a newline.
    package static func sign(_ text: String, name: String, key: SigningKey) throws(CryptographyError) -> String {
        guard let verifier = VerifierKey(name: name, publicKey: key.publicKey) else {
            preconditionFailure("a signer's name is a word without plus signs")
        }
        precondition(text.hasSuffix("\n"), "the text of a note ends with a newline")
        return "\(text)\n\u{2014} \(name) \(base64(verifier.id + (try key.sign(Array(text.utf8).span))))\n"
    }

    /// The signed text, if `key` signed it; signatures of other keys are ignored.
    package static func open(_ note: [UInt8], key: VerifierKey) -> String? {
        guard let claim = claim(note, key: key),
            verifyEd25519(publicKey: key.publicKey, message: Array(claim.text.utf8), signature: claim.signature)
        else { return nil }
        return claim.text
    }

    /// The text of a note, and the signature that it claims `key` made, unchecked: for checking many at once.
    static func claim(_ note: [UInt8], key: VerifierKey) -> (text: String, signature: [UInt8])? {
        claim(note, name: key.name, id: key.id)
    }

    /// The text of a note, and what a signature line of this name and key id holds after the id.
    static func claim(_ note: [UInt8], name: String, id: [UInt8]) -> (text: String, signature: [UInt8])? {
        // Works on bytes: in Swift's String, CR LF is one character, which would hide line ends.
        guard let end = note.indices.last(where: { $0 > 0 && note[$0] == 0x0A && note[$0 - 1] == 0x0A }),
            let text = String(validating: note[..<end], as: UTF8.self),
            note.allSatisfy({ $0 >= 0x20 || $0 == 0x0A })
        else { return nil }
        let prefix = Array("\u{2014} \(name) ".utf8)
        for line in note[(end + 1)...].split(separator: 0x0A) where line.starts(with: prefix) {
            let encoded = String(decoding: line.dropFirst(prefix.count), as: UTF8.self)
            guard let signature = bytes(base64: encoded), signature.starts(with: id) else { continue }
            return (text, Array(signature.dropFirst(4)))
        }
        return nil
    }
}

/// A tree head: origin, size and root, in the format of C2SP's tlog-checkpoint.
package struct Checkpoint: Sendable, Equatable {
    /// The ledger's origin.
    package let origin: String
    /// Number of entries.
    package let size: Int
    /// The root over them.
    package let root: [UInt8]

    /// Makes a tree head.
    package init(origin: String, size: Int, root: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Parses the text of a checkpoint; lines after the third are extensions and are ignored.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, let size = Int(lines[1]), size >= 0, String(size) == lines[1],
            let root = bytes(base64: String(lines[2])), root.count == 32
        else { return nil }
        self.init(origin: String(lines[0]), size: size, root: root)
    }

    /// The text that is signed.
    package var text: String { "\(origin)\n\(size)\n\(base64(root))\n" }

    /// The tree head of a note, if `key` signed it; else nil.
    package static func open(_ note: [UInt8], key: VerifierKey) -> Checkpoint? {
        SignedNote.open(note, key: key).flatMap { Checkpoint($0) }
    }
}

/// The proof that an entry is under a signed checkpoint, as a file beside a shard: C2SP tlog-proof.
package struct TlogProof: Sendable, Equatable {
    /// The first line of the file.
    package static let magic = "c2sp.org/tlog-proof@v1"
    /// The entry's sequence number.
    package let index: Int
    /// The siblings, nearest first.
    package let hashes: [[UInt8]]
    /// The signed checkpoint.
    package let note: [UInt8]
    /// The content of the `extra` line, which nothing proves by itself; nil without one.
    package private(set) var extra: [UInt8]?

    /// Makes a proof from its parts.
    package init(index: Int, hashes: [[UInt8]], note: [UInt8]) {
        self.index = index
        self.hashes = hashes
        self.note = note
    }

    /// The same proof with other content in its `extra` line.
    package consuming func carrying(_ extra: [UInt8]) -> TlogProof {
        self.extra = extra
        return self
    }

    /// Parses a proof file.
    package init?(_ text: [UInt8]) {
        guard let gap = text.indices.dropLast().first(where: { text[$0] == 0x0A && text[$0 + 1] == 0x0A }) else {
            return nil
        }
        var lines = String(decoding: text[..<gap], as: UTF8.self).split(separator: "\n")[...]
        guard lines.popFirst() == Self.magic[...] else { return nil }
        if let line = lines.first, line.hasPrefix("extra ") {
            guard let content = bytes(base64: String(line.dropFirst(6))) else { return nil }
            extra = content
            lines.removeFirst()
        }
        guard let place = lines.popFirst(), place.hasPrefix("index "), let index = Int(place.dropFirst(6)), index >= 0
        else { return nil }
        var hashes: [[UInt8]] = []
        for line in lines {
            guard let hash = bytes(base64: String(line)), hash.count == 32 else { return nil }
            hashes.append(hash)
        }
        (self.index, self.hashes, note) = (index, hashes, Array(text[(gap + 2)...]))
    }

    /// The file's text.
    package var text: [UInt8] {
        var lines = "\(Self.magic)\n" + (extra.map { "extra \(base64($0))\n" } ?? "") + "index \(index)\n"
        for hash in hashes { lines += base64(hash) + "\n" }
        return Array(lines.utf8) + [0x0A] + note
    }

    /// Whether the proof proves that `body` is an entry of the ledger that `key` signs.
    package func proves(body: [UInt8], key: VerifierKey) -> Bool {
        guard let head = Checkpoint.open(note, key: key), head.origin == key.name else { return false }
        return MerkleTree.isIncluded(
            leaf: MerkleTree.leafHash(body), index: index, size: head.size, root: head.root, proof: hashes)
    }
}
