import Cryptography
import Sketches
import Tabular

/// Choices that an outsider must not be able to predict: the rows of the samples, the blocks that are read twice, the
/// forest's seed, the classes that are counted.
///
/// A choice that is equal in every batch could be learnt from one report and exploited in the next batch. Each is
/// therefore drawn by a pseudorandom function (HMAC-SHA256) under the store's secret, from the bytes that it is made
/// in. The same bytes give the same verdict, however often they are judged and by however many workers. For changed
/// bytes the draw is a new one, which no report has shown.
///
/// Hashes of keys and values (`BatchSecrets.hash`) are not choices and stay fixed for the life of the store, since
/// equal values must have equal hashes. Two choices follow from such hashes and are equal in every batch because they
/// are compared across batches: the keys that sources are compared by (`AssertionReader.capacity`), and the words of a very
/// long text that a sample keeps (`TextItems.takeItems`). Their limits are documented there.
struct SecretChoices: Sendable {
    private let key: SecretKey
    private let tagKey: SecretKey

    /// The choices of one dataset.
    init(secret: [UInt8], dataset: String) {
        let message = Array("sample\0".utf8) + Array(dataset.utf8)
        let code = hmacSHA256(key: SecretKey(copying: secret.span), message.span)
        key = SecretKey(copying: code.span)
        tagKey = SecretKey(copying: hmacSHA256(key: key, Array("tags".utf8).span).span)
    }

    /// The tag of a slice's bytes: GMAC (SP 800-38D) under a key of its own and a fixed IV, which costs less than a
    /// SHA-256.
    ///
    /// A tag never leaves the process, and only an HMAC of it is used elsewhere. Without seeing tags nobody can find two
    /// slices with the same one, although the IV is always the same: the probability is that of its hash, n/2^128 for n
    /// blocks.
    ///
    /// - Throws: `software` when libcrypto has no memory.
    func tag(of slice: SourceSlice) throws(IngestionError) -> [UInt8] {
        do throws(CryptographyError) {
            var cipher = try AESGCM(key: tagKey)
            var tag: [UInt8] = []
            let (iv, nothing) = ([UInt8](repeating: 0, count: AESGCM.ivCount), [UInt8]())
            try cipher.seal(iv: iv.span, aad: slice.bytes.span, plaintext: nothing.span, into: &tag)
            return tag
        } catch {
            throw IngestionError(.software, "the bytes of a slice could not be authenticated: \(error)")
        }
    }

    /// The draw of a slice: an HMAC over the tag of its bytes, the header and its number.
    ///
    /// A slice is read before the digest of the whole file is known, so it is drawn by itself. An unchanged slice keeps
    /// its draw. The header is included because it assigns the columns.
    func draw(_ slice: SourceSlice, header: [UInt8]) throws(IngestionError) -> SliceDraw {
        let tag = try tag(of: slice)
        return SliceDraw(code("slice tag", tag, SHA256.hash(header), Self.bytes(slice.ordinal)), tag: tag)
    }

    /// The draw of a slice for `validate`, which releases nothing. It depends on the slice's number alone, saves
    /// hashing the slice, and is independent of the draw of `ingest`.
    func drawOfCheck(_ slice: SourceSlice) -> SliceDraw {
        SliceDraw(code("check", Self.bytes(slice.ordinal)), tag: [])
    }

    /// The seed of the random parts of a decision.
    ///
    /// - Parameters:
    ///   - content: the digest of the whole file.
    ///   - contract: the digest of the contract.
    ///   - baseline: names the baseline that the batch is judged by; empty on cold start.
    func decisionSeed(content: [UInt8], contract: [UInt8], baseline: [UInt8]) -> UInt64 {
        Plan.word(code("decision", content, contract, baseline))
    }

    /// The hash that orders classes of equal quasi-identifiers: where there are very many, those with the smallest
    /// hashes are counted.
    func classes(content: [UInt8]) -> KeyedHash { KeyedHash(key: code("classes", content)) }

    /// HMAC-SHA256 under the dataset's key, over a label that separates its uses and the parts.
    private func code(_ label: String, _ parts: [UInt8]...) -> [UInt8] {
        let message = Array(label.utf8) + [0] + parts.joined()
        return hmacSHA256(key: key, message.span)
    }

    /// A number as 8 bytes, little-endian.
    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

/// The draw of one slice.
struct SliceDraw: Sendable {
    /// Ranks the rows: the lowest ranks are sampled.
    let order: SipHash
    private let blocks: SipHash
    /// The tag of the slice's bytes; empty where no second pass will read them.
    let tag: [UInt8]

    /// The two halves of one HMAC are independent keys.
    fileprivate init(_ code: [UInt8], tag: [UInt8]) {
        self.tag = tag
        order = SipHash(key: Array(code.prefix(16)))
        blocks = SipHash(key: Array(code.suffix(16)))
    }

    /// Whether the second reader also checks the block at this offset: one in 32 on average.
    func checks(blockAt offset: UInt64) -> Bool { blocks.hash(offset) & 31 == 0 }
}

extension SliceDraw: WireValue {
    func write(to wire: inout WireWriter) {
        wire.append(order)
        wire.append(blocks)
        wire.append(tag)
    }

    init(from wire: inout WireReader) throws(WireError) {
        (order, blocks, tag) = (try wire.read(), try wire.read(), try wire.read())
    }
}
