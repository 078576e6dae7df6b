/// Checks many Ed25519 signatures (RFC 8032) of one key together, in a tenth of the time that libcrypto needs one by
/// one.
///
/// Each equation S·B = R + h·A is multiplied by a random 128-bit number, and the sum of all, times the cofactor 8, must
/// hold ("Batch verification", section 5 of Bernstein and others, High-speed high-security signatures, 2012). An
/// invalid signature passes with probability 2^-128. If the sum does not hold, `verifyEd25519` checks each signature to
/// find the invalid one.
///
/// libcrypto's check omits the cofactor. The two results can differ only for signatures that the key's holder made so
/// on purpose.
package struct SignatureBatch {
    /// The order of the generator, 2^252 + 27742317777372353535851937790883648493, in words from the lowest.
    private static let order: [UInt64] = [0x5812_631A_5CF5_D3ED, 0x14DE_F9DE_A2F7_9CD6, 0, 0x1000_0000_0000_0000]

    private let publicKey: [UInt8]
    private let key: EdwardsPoint?
    private var points: [EdwardsPoint] = []
    private var factors: [UInt128] = []
    /// Sums of factor · S and factor · h.
    private var generatorFactor = WideNumber()
    private var keyFactor = WideNumber()
    private var isWellFormed = true
    private let random = SecureBits()

    /// Begins a batch.
    package init(publicKey: [UInt8]) {
        self.publicKey = publicKey
        key = EdwardsPoint(encoded: publicKey.span)
    }

    /// Adds a signature.
    package mutating func add(message: [UInt8], signature: [UInt8]) throws(CryptographyError) {
        guard isWellFormed else { return }
        let response = WideNumber(signature.dropFirst(32))
        guard signature.count == 64, key != nil, response < WideNumber(words: Self.order),
            let point = EdwardsPoint(encoded: signature.span.extracting(first: 32))
        else {
            isWellFormed = false
            return
        }
        var digest = try MessageDigest(.sha512)
        digest.update(signature.span.extracting(first: 32))
        digest.update(publicKey.span)
        digest.update(message.span)
        let factor = UInt128(random.next()) << 64 | UInt128(random.next())
        points.append(point)
        factors.append(factor)
        generatorFactor.add(response, times: factor)
        keyFactor.add(WideNumber(digest.finish()[...]), times: factor)
    }

    /// Whether every added signature is valid. False means that one may be invalid, or that the key is.
    package func holds() -> Bool {
        guard isWellFormed, let key else { return false }
        let order = WideNumber(words: Self.order)
        let difference =
            EdwardsPoint.base.times(generatorFactor.remainder(by: order))
            + -(key.times(keyFactor.remainder(by: order)) + EdwardsPoint.sum(points, times: factors))
        let twice = difference + difference
        let fourTimes = twice + twice
        return (fourTimes + fourTimes).isZero
    }
}

/// An integer of up to 704 bits: a sum of 2^32 products of 640 bits, and larger.
private struct WideNumber {
    private static let count = 11
    private var words = [UInt64](repeating: 0, count: count)

    init() {}

    init(words: [UInt64]) { self.words.replaceSubrange(words.indices, with: words) }

    /// From at most 64 little-endian bytes.
    init(_ bytes: ArraySlice<UInt8>) {
        for (place, byte) in bytes.prefix(64).enumerated() {
            words[place / 8] |= UInt64(byte) << UInt64(8 * (place % 8))
        }
    }

    static func < (left: WideNumber, right: WideNumber) -> Bool {
        for place in (0..<count).reversed() where left.words[place] != right.words[place] {
            return left.words[place] < right.words[place]
        }
        return false
    }

    /// Adds a number of at most 512 bits, times a factor.
    mutating func add(_ number: WideNumber, times factor: UInt128) {
        for (shift, half) in [UInt64(truncatingIfNeeded: factor), UInt64(truncatingIfNeeded: factor >> 64)].enumerated()
        {
            var carry: UInt128 = 0
            for place in 0..<(Self.count - shift) {
                carry &+= UInt128(number.words[place]) &* UInt128(half) &+ UInt128(words[place + shift])
                words[place + shift] = UInt64(truncatingIfNeeded: carry)
                carry >>= 64
            }
        }
    }

    /// The remainder, as 32 little-endian bytes. Bit by bit: it is computed only twice for a whole batch.
    func remainder(by order: WideNumber) -> [UInt8] {
        var rest = WideNumber()
        for bit in (0..<(64 * Self.count)).reversed() {
            for place in (1..<Self.count).reversed() {
                rest.words[place] = rest.words[place] << 1 | rest.words[place - 1] >> 63
            }
            rest.words[0] = rest.words[0] << 1 | words[bit / 64] >> UInt64(bit % 64) & 1
            if !(rest < order) {
                var isBorrowing = false
                for place in 0..<Self.count {
                    let (part, first) = rest.words[place].subtractingReportingOverflow(order.words[place])
                    let (whole, second) = part.subtractingReportingOverflow(isBorrowing ? 1 : 0)
                    rest.words[place] = whole
                    isBorrowing = first || second
                }
            }
        }
        return (0..<32).map { UInt8(truncatingIfNeeded: rest.words[$0 / 8] >> UInt64(8 * ($0 % 8))) }
    }
}
