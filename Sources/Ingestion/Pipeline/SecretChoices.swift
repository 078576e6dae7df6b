import Cryptography
import Sketches
import Tabular

/// Everything that is chosen so that nobody outside the store can tell: the rows of the samples, the blocks that are read twice, the
/// forest, the classes that are counted.
///
/// A choice that is the same in every batch can be learnt from the report of one and used in the next. So each is drawn by a
/// pseudorandom function, under the store's secret, from the very bytes that it is made in: the same bytes give the same verdict,
/// however often and by however many workers, and whoever changes a row is judged by a draw that no report has told of.
///
/// What is no choice stays as it is for as long as the store: hashes of keys and values (`Plan.keyHash`), which must be equal where
/// the values are. Two choices follow from such hashes and are the same in every batch, since they are compared across batches:
/// which keys sources are compared by (`ClaimReader.capacity`), and which words of a very long text a sample keeps
/// (`TextItems.takeItems`). What is known of them is told there.
struct SecretChoices: Sendable {
    private let key: SecretKey

    /// The choices of one dataset.
    init(secret: [UInt8], dataset: String) {
        let message = Array("sample\0".utf8) + Array(dataset.utf8)
        let code = hmacSHA256(key: SecretKey(copying: secret.span), message.span)
        key = SecretKey(copying: code.span)
    }

    /// What is drawn in a slice.
    ///
    /// Slice by slice, since a slice is read before the digest of the whole is known; a slice that nobody touched keeps its draw, and
    /// has nothing new to hide. The header is in it: it says which column is which.
    func draw(_ slice: SourceSlice, header: [UInt8]) -> SliceDraw {
        SliceDraw(code("slice", SHA256.hash(slice.bytes), SHA256.hash(header), Self.bytes(slice.ordinal)))
    }

    /// What is drawn where nothing can come in: `validate` shows the same file the same way, and no other door opens by it. It spares
    /// the hash of the slice, and its draw has nothing to do with that of `ingest`.
    func drawOfCheck(_ slice: SourceSlice) -> SliceDraw { SliceDraw(code("check", Self.bytes(slice.ordinal))) }

    /// The seed of what is random in a decision.
    ///
    /// - Parameters:
    ///   - content: the digest of the whole file.
    ///   - baseline: names what it is judged by; nothing on first contact.
    func decisionSeed(content: [UInt8], contract: [UInt8], baseline: [UInt8]) -> UInt64 {
        Plan.word(code("decision", content, contract, baseline))
    }

    /// Tells rows apart by their quasi-identifiers: of very many classes those with the smallest hashes are counted.
    func classes(content: [UInt8]) -> KeyedHash { KeyedHash(key: code("classes", content)) }

    private func code(_ label: String, _ parts: [UInt8]...) -> [UInt8] {
        let message = Array(label.utf8) + [0] + parts.joined()
        return hmacSHA256(key: key, message.span)
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

/// What is drawn in one slice.
struct SliceDraw: Sendable {
    /// Ranks the rows: those that come first are in the samples.
    let order: SipHash
    private let blocks: SipHash

    /// The halves of one code are keys that have nothing to do with each other.
    fileprivate init(_ code: [UInt8]) {
        order = SipHash(key: Array(code.prefix(16)))
        blocks = SipHash(key: Array(code.suffix(16)))
    }

    /// Whether the second reader checks the block at this offset, too (design decision D2): about one in 32.
    func checks(blockAt offset: UInt64) -> Bool { blocks.hash(offset) & 31 == 0 }
}
