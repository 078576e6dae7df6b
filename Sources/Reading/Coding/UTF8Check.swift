/// The offset of the first byte in `range` that violates UTF-8; nil when there is none. Overlong forms, surrogates and
/// values above U+10FFFF are violations (RFC 3629).
func firstInvalidUTF8(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    while at < range.upperBound {
        if bytes[at] < 0x80 {
            at &+= 1
            continue
        }
        guard let next = endOfSequence(bytes, at, range.upperBound) else { return at }
        at = next
    }
    return nil
}

/// The end of the non-ASCII sequence that begins at `at`; nil when it is invalid.
@inline(__always)
func endOfSequence(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> Int? {
    let lead = bytes[at]
    let width: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xBF
    switch lead {
    case 0xC2...0xDF: width = 2
    case 0xE0:
        width = 3
        low = 0xA0
    case 0xED:
        width = 3
        high = 0x9F
    case 0xE1...0xEF: width = 3
    case 0xF0:
        width = 4
        low = 0x90
    case 0xF4:
        width = 4
        high = 0x8F
    case 0xF1...0xF3: width = 4
    default: return nil
    }
    if at + width > end { return nil }
    let second = bytes[at + 1]
    if second < low || second > high { return nil }
    var next = 2
    while next < width {
        if bytes[at + next] & 0xC0 != 0x80 { return nil }
        next &+= 1
    }
    return at + width
}
