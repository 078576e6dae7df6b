import Tabular

/// The keys of one object, to find duplicates. Up to 16 are compared one by one and more are hashed, so a wide object
/// takes linear time.
struct JSONKeys {
    private static let fewMax = 16
    private var ranges: [Range<Int>] = []
    private var texts: Set<[UInt8]> = []
    /// Whether keys are kept in `texts` as well.
    private var isHashed = false

    /// The result of adding a key.
    enum Insertion {
        case new
        case duplicate
        /// It has an invalid escape or a lone surrogate.
        case malformed
    }

    /// Adds a key.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the key's source text without quotes.
    ///   - hasEscape: whether it must be decoded.
    mutating func insert(_ bytes: Span<UInt8>, _ range: Range<Int>, hasEscape: Bool) -> Insertion {
        if !isHashed, hasEscape || ranges.count == Self.fewMax {
            isHashed = true
            for range in ranges { texts.insert(Self.copy(bytes, range)) }
        }
        if isHashed {
            var text: [UInt8] = []
            if !hasEscape {
                text = Self.copy(bytes, range)
            } else if !decodeJSONString(bytes, range, into: &text) {
                return .malformed
            }
            return texts.insert(text).inserted ? .new : .duplicate
        }
        for other in ranges where Self.same(bytes, other, range) { return .duplicate }
        ranges.append(range)
        return .new
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        for at in range { text.append(bytes[at]) }
        return text
    }

    private static func same(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        if left.count != right.count { return false }
        for offset in 0..<left.count where bytes[left.lowerBound + offset] != bytes[right.lowerBound + offset] {
            return false
        }
        return true
    }
}
