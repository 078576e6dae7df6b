/// The form of a number, for the search.
struct NumberForm {
    /// The part that can be an entity: the whole part of a number without a fraction. A fraction of zeros is ignored, since
    /// data frames write whole numbers of columns with gaps that way. Empty for a number with a fraction or too few digits;
    /// the whole text when it is no plain number.
    let part: Range<Int>
    /// Whether it has an exponent; then the part is empty.
    let hasExponent: Bool
    /// Whether at least two characters are no digits, as in groups of three.
    let mayHaveGroups: Bool

    /// Reads the form of a value.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the value in it.
    ///   - digitsMin: fewest digits of an entity.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, atLeast digitsMin: Int) {
        var (digits, signs) = (0, 0)
        var point: Int?
        var isFraction = false
        let none = range.lowerBound..<range.lowerBound
        for at in range {
            let byte = bytes[at]
            switch byte {
            case 0x30...0x39:
                if point == nil { digits &+= 1 } else if byte != 0x30 { isFraction = true }
                continue
            case 0x2E where point == nil: point = at
            case 0x65 where at > range.lowerBound, 0x45 where at > range.lowerBound:
                (part, hasExponent, mayHaveGroups) = (none, true, true)
                return
            case 0x2B, 0x2D: isFraction = isFraction || at > range.lowerBound
            default:
                (part, hasExponent, mayHaveGroups) = (range, false, true)
                return
            }
            signs &+= 1
        }
        part = isFraction || digits < digitsMin ? none : range.lowerBound..<(point ?? range.upperBound)
        hasExponent = false
        mayHaveGroups = signs >= 2
    }
}

/// Whether a text is a number as programs write them.
func isNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var at = range.lowerBound
    func sign() { if at < range.upperBound, bytes[at] == 0x2B || bytes[at] == 0x2D { at += 1 } }
    func digits() -> Int {
        let start = at
        while at < range.upperBound, bytes[at] &- 0x30 < 10 { at += 1 }
        return at - start
    }
    sign()
    var count = digits()
    if at < range.upperBound, bytes[at] == 0x2E {
        at += 1
        count += digits()
    }
    if count == 0 { return false }
    if at < range.upperBound, bytes[at] | 0x20 == 0x65 {
        at += 1
        sign()
        if digits() == 0 { return false }
    }
    return at == range.upperBound
}

/// The digits of an amount with groups of three, such as 4,111,111,111,111,111; nil for others. A single point is a
/// decimal mark.
func ungrouped(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var digits: [UInt8] = []
    var mark: UInt8 = 0
    var (run, groups) = (0, 0)
    for at in range {
        let byte = bytes[at]
        if byte &- 0x30 < 10 {
            digits.append(byte)
            run += 1
        } else {
            guard [0x2C, 0x2E, 0x20, 0x27].contains(byte), mark == 0 || byte == mark,
                groups == 0 ? 1...3 ~= run : run == 3
            else { return nil }
            (mark, run, groups) = (byte, 0, groups + 1)
        }
    }
    return groups >= 2 && run == 3 && digits.count <= 24 ? digits : nil
}

/// The digits of a number with an exponent, when it is whole and has at most 18.
func expanded(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var digits: [UInt8] = []
    var (scale, exponent) = (0, 0)
    var (isFraction, isDown) = (false, false)
    var mark: Int?
    for at in range {
        switch bytes[at] {
        case 0x30...0x39:
            if mark != nil {
                exponent = min(exponent * 10 + Int(bytes[at] - 0x30), 1000)
            } else {
                if digits.count > 40 { return nil }
                digits.append(bytes[at])
                if isFraction { scale += 1 }
            }
        case 0x2E: if isFraction || mark != nil { return nil } else { isFraction = true }
        case 0x65, 0x45: if mark != nil { return nil } else { mark = at }
        case 0x2B, 0x2D:
            if at != range.lowerBound, mark.map({ $0 + 1 != at }) ?? true { return nil }
            if mark != nil, bytes[at] == 0x2D { isDown = true }
        default: return nil
        }
    }
    let zeros = (isDown ? -exponent : exponent) - scale
    if zeros > 18 || zeros < -60 { return nil }
    if zeros > 0 { digits += [UInt8](repeating: 0x30, count: zeros) }
    for _ in 0..<max(-zeros, 0) where digits.popLast() != 0x30 { return nil }
    let first = digits.firstIndex { $0 != 0x30 } ?? digits.count
    return digits.count - first <= 18 ? Array(digits[first...]) : nil
}
