import Recognition
import Tabular

/// Searches the values of one column, one by one.
struct ValueSearch {
    let column: ColumnSearch
    /// The matches; the caller clears them between values.
    var matches: [EntityMatch] = []
    /// The hints that members' names give, cached across values.
    var names = MemberNames()

    /// A search of the values of a column.
    init(_ column: ColumnSearch) { self.column = column }

    /// Searches a value that is neither object nor array.
    ///
    /// - Parameters:
    ///   - range: the value.
    ///   - bytes: the block's bytes.
    ///   - isNumber: whether it is a JSON number.
    ///   - hasEscapes: whether text may contain escaped line ends.
    ///   - anchors: the candidates in `bytes`.
    /// - Returns: the first credential; nil for none.
    mutating func find(
        inValue range: Range<Int>, of bytes: Span<UInt8>, isNumber: Bool, hasEscapes: Bool,
        anchors: borrowing CandidateMap
    ) -> SecretKind? {
        // Data frames write numbers into text columns too, but a text such as 65170839E003 may be an identifier.
        if isNumber || column.scanner.isTelling && Validating.isNumber(bytes, range) {
            let secret = column.scanner.scan(
                number: bytes, range, atLeast: column.digitsMin, anchors, into: &matches)
            if isNumber || secret != nil || !matches.isEmpty { return secret }
        }
        if hasEscapes {
            return column.scanner.scan(escaped: bytes, range, anchors, column.names, into: &matches)
        }
        let secret = column.scanner.scan(bytes, range: range, anchors: anchors, into: &matches)
        column.names?.find(bytes, range, into: &matches)
        if matches.isEmpty { column.scanner.scan(padded: bytes, range, anchors, into: &matches) }
        return secret
    }
}

extension TextScanner {
    /// Searches a number. One with a fraction or with fewer digits than `digitsMin` cannot match. A match includes the
    /// sign, a fraction of zeros and an exponent.
    func scan(
        number bytes: Span<UInt8>, _ range: Range<Int>, atLeast digitsMin: Int, _ anchors: borrowing CandidateMap,
        into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        let form = NumberForm(bytes, range, atLeast: digitsMin)
        let (part, hasExponent) = (form.part, form.hasExponent)
        // Most numbers end here, without an array of their digits.
        if part.isEmpty, !form.mayHaveGroups { return nil }
        if form.mayHaveGroups, let digits = hasExponent ? expanded(bytes, range) : ungrouped(bytes, range) {
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

    /// Searches digits without their leading zeros; a match includes the zeros.
    func scan(
        padded bytes: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing CandidateMap,
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

    /// Searches text in which a backslash and a letter may be a line end: as it is, and with spaces instead, since the
    /// letter would hide what follows. Overlaps take the higher-scoring match.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the text in it.
    ///   - anchors: the candidates in `bytes`.
    ///   - names: the contract's list of names.
    ///   - matches: gets the matches.
    func scan(
        escaped bytes: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing CandidateMap, _ names: NameList?,
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

/// A copy with spaces for `\n`, `\r` and `\t`; nil when there are none.
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
