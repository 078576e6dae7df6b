import Recognition

extension ColumnSearch {
    /// Looks through a value that is no object and no array.
    func find(
        inValue bytes: Span<UInt8>, _ range: Range<Int>, isNumber: Bool, _ hasEscapes: Bool,
        _ anchors: borrowing AnchorMap, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        // A data frame writes numbers into columns of text as well; but 65170839E003 may be none.
        if isNumber || scanner.isTelling && Validating.isNumber(bytes, range) {
            let secret = scanner.scan(number: bytes, range, atLeast: digitsMin, anchors, into: &matches)
            if isNumber || secret != nil || !matches.isEmpty { return secret }
        }
        if hasEscapes { return scanner.scan(escaped: bytes, range, anchors, names, into: &matches) }
        let secret = scanner.scan(bytes, range: range, anchors: anchors, into: &matches)
        names?.find(bytes, range, into: &matches)
        if matches.isEmpty { scanner.scan(padded: bytes, range, anchors, into: &matches) }
        return secret
    }
}

extension TextScanner {
    /// Looks through a number: nothing of one with a fraction, or with less digits than `digitsMin`; the sign, the zeros behind a point
    /// and an exponent go with what is found.
    func scan(
        number bytes: Span<UInt8>, _ range: Range<Int>, atLeast digitsMin: Int, _ anchors: borrowing AnchorMap,
        into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        let (part, hasExponent) = wholePart(bytes, range, atLeast: digitsMin)
        if let digits = hasExponent ? expanded(bytes, range) : ungrouped(bytes, range) {
            guard digits.count >= digitsMin else { return nil }
            scan(digits.span, range: digits.indices, into: &matches)
            if matches.count == first + 1, matches[first].range == digits.indices {
                (matches[first].start, matches[first].end) = (range.lowerBound, range.upperBound)
            } else {
                matches.removeLast(matches.count - first)
            }
            return nil
        }
        if part.isEmpty || hasExponent { return nil }
        let secret = scan(bytes, range: part, anchors: anchors, into: &matches)
        if matches.count == first { scan(padded: bytes, part, anchors, into: &matches) }
        if bytes[part.lowerBound] == UInt8(ascii: "+") || bytes[part.lowerBound] == UInt8(ascii: "-") {
            let unsigned = part.lowerBound + 1..<part.upperBound
            if matches.count == first { scan(bytes, range: unsigned, anchors: anchors, into: &matches) }
            if matches.count == first + 1, matches[first].range == unsigned { matches[first].start = part.lowerBound }
        }
        if part != range, matches.count == first + 1, matches[first].range == part {
            matches[first].end = range.upperBound
        }
        return secret
    }

    /// Looks through digits without the zeros that fill them up in front, which then go with what is found.
    func scan(
        padded bytes: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing AnchorMap,
        into matches: inout [EntityMatch]
    ) {
        guard range.count > 8, range.count <= 32, bytes[range.lowerBound] == 0x30 else { return }
        var start = range.lowerBound
        while start < range.upperBound, bytes[start] == 0x30 { start += 1 }
        for at in start..<range.upperBound where bytes[at] &- 0x30 >= 10 { return }
        let first = matches.count
        scan(bytes, range: start..<range.upperBound, anchors: anchors, into: &matches)
        if matches.count == first + 1, matches[first].range == start..<range.upperBound {
            matches[first].start = range.lowerBound
        } else {
            matches.removeLast(matches.count - first)
        }
    }

    /// Looks through text in which a backslash and a letter may stand for the end of a line: once as it is and once with spaces in their
    /// place, since the letter would hide what follows. Of two matches that overlap the better stands for both.
    func scan(
        escaped bytes: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing AnchorMap, _ names: NameList?,
        into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        let secret = scan(bytes, range: range, anchors: anchors, into: &matches)
        guard let plain = blankedLineEnds(bytes, range) else {
            names?.find(bytes, range, into: &matches)
            return secret
        }
        var more: [EntityMatch] = []
        let other = scan(plain.span, range: plain.indices, into: &more)
        names?.find(plain.span, plain.indices, into: &more)
        for index in more.indices {
            more[index].start += range.lowerBound
            more[index].end += range.lowerBound
        }
        matches.unite(since: first, with: more)
        return secret == nil || secret == .namedKey ? other ?? secret : secret
    }
}

/// A copy in which spaces stand for `\n`, `\r` and `\t`; nil when there are none.
private func blankedLineEnds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var out: [UInt8]?
    for at in range.dropLast() where bytes[at] == 0x5C {
        let letter = bytes[at + 1]
        guard letter == UInt8(ascii: "n") || letter == UInt8(ascii: "r") || letter == UInt8(ascii: "t") else {
            continue
        }
        if out == nil { out = range.map { bytes[$0] } }
        out?[at - range.lowerBound] = 0x20
        out?[at + 1 - range.lowerBound] = 0x20
    }
    return out
}

/// What of a number can be something else: a whole one, also when zeros stand behind its point, as data frames write numbers of columns
/// with gaps. Nothing of one with a fraction, or with less digits; all of what is no plain number. And whether it has an exponent.
private func wholePart(
    _ bytes: Span<UInt8>, _ range: Range<Int>, atLeast digitsMin: Int
) -> (part: Range<Int>, hasExponent: Bool) {
    var digits = 0
    var point: Int?
    var isFraction = false
    let none = range.lowerBound..<range.lowerBound
    for at in range {
        switch bytes[at] {
        case 0x30...0x39:
            if point == nil { digits &+= 1 } else if bytes[at] != 0x30 { isFraction = true }
        case 0x2E: if point == nil { point = at } else { return (range, false) }
        case 0x65, 0x45: return at > range.lowerBound ? (none, true) : (range, false)
        case 0x2B, 0x2D: isFraction = isFraction || at > range.lowerBound
        default: return (range, false)
        }
    }
    return (isFraction || digits < digitsMin ? none : range.lowerBound..<(point ?? range.upperBound), false)
}

/// Whether a text is a number, as programs write them.
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

/// The digits of a number in groups of three, as amounts are written: 4,111,111,111,111,111. Nil when it is none; one point is that of
/// a fraction.
private func ungrouped(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
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

/// The digits of a number with an exponent, when it is a whole one of at most 18.
private func expanded(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
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
