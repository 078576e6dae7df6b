import Recognition

/// What the names of members of objects say of their values: most say nothing, and a scanner is dear to make.
struct MemberNames {
    private var known: [UInt64: TextScanner.Name] = [:]
    /// Names that are remembered at most, since a supplier may make up any number of them.
    private static let limit = 4096

    /// The scanner of the member whose name stands at `name` in an object whose own name has the scanner `outer`; nil when nothing is said.
    mutating func scanner(
        _ column: TextScanner, in outer: TextScanner?, _ bytes: Span<UInt8>, _ name: Range<Int>
    ) -> TextScanner? {
        // FNV-1a: two names that were made alike cost their supplier's data a search that another name would have spared it as well.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for at in name { hash = (hash ^ UInt64(bytes[at])) &* 0x100_0000_01B3 }
        let says: TextScanner.Name
        if let old = known[hash] {
            says = old
        } else {
            if known.count == Self.limit { known.removeAll(keepingCapacity: true) }
            says = column.member(String(decoding: name.map { bytes[$0] }, as: UTF8.self))
            known[hash] = says
        }
        return switch says {
        case .telling(let scanner): scanner
        case .plain: outer
        case .other: nil
        }
    }
}

extension ColumnSearch {
    /// Looks through the text of an object, an array or a member with its name, in which no escapes are left: the text as a whole, and each
    /// value as one of a column that is called like its member.
    func find(
        inDocument text: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing AnchorMap,
        _ members: inout MemberNames, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        var secret = scanner.scan(text, range: range, anchors: anchors, into: &matches)
        names?.find(text, range, into: &matches)
        var wholes: [EntityMatch] = []
        var inside: [EntityMatch] = []
        var versions: [Range<Int>] = []
        func look(_ value: Range<Int>, _ own: TextScanner?) {
            let isNumber = value.upperBound == range.upperBound || text[value.upperBound] != 0x22
            guard var own = own ?? (isNumber ? scanner : nil) else { return }
            own.isNumber = isNumber
            if own.isVersion { versions.append(value) }
            inside.removeAll(keepingCapacity: true)
            let found =
                own.isNumber
                ? own.scan(number: text, value, atLeast: own.isTelling ? 1 : 7, anchors, into: &inside)
                : own.scan(text, range: value, anchors: anchors, into: &inside)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
            if inside.count == 1, inside[0].range == trimmed(text, value) { wholes.append(inside[0]) }
        }
        eachValue(text, range, &members, look)
        if !wholes.isEmpty { merge(wholes, into: &matches, from: first) }
        if !versions.isEmpty {
            var rest = versions[...]
            let kept = matches[first...].filter { match in
                while let next = rest.first, next.upperBound <= match.start { rest = rest.dropFirst() }
                return match.entity != .ipAddress || !(rest.first.map { $0.lowerBound <= match.start } ?? false)
            }
            matches.replaceSubrange(first..., with: kept)
        }
        return secret
    }

    /// Puts whole values in the place of what was found in them.
    private func merge(_ wholes: [EntityMatch], into matches: inout [EntityMatch], from first: Int) {
        var merged: [EntityMatch] = []
        var rest = matches[first...]
        for whole in wholes {
            while let next = rest.first, next.start < whole.end {
                if next.end <= whole.start { merged.append(next) }
                rest = rest.dropFirst()
            }
            merged.append(whole)
        }
        matches.replaceSubrange(first..., with: merged + rest)
    }

    /// Calls `body` with each string, without its quotes, and each number without its minus, and the scanner of the member that it or its
    /// array is the value of: the next name outside that says something, or something else.
    private func eachValue(
        _ text: Span<UInt8>, _ range: Range<Int>, _ members: inout MemberNames,
        _ body: (Range<Int>, TextScanner?) -> Void
    ) {
        var at = range.lowerBound
        var current = scanner.isTelling ? scanner : nil
        var open: [TextScanner?] = []
        while at < range.upperBound {
            switch text[at] {
            case 0x22:
                var end = at + 1
                while end < range.upperBound, text[end] != 0x22 { end += 1 }
                let value = at + 1..<end
                var next = end + 1
                while next < range.upperBound, text[next] <= 0x20 { next += 1 }
                if next < range.upperBound, text[next] == UInt8(ascii: ":") {
                    current = members.scanner(
                        scanner, in: open.last ?? (scanner.isTelling ? scanner : nil), text, value)
                    at = next
                } else {
                    if end < range.upperBound { body(value, current) }
                    at = end
                }
            case 0x30...0x39:
                var end = at + 1
                while end < range.upperBound, isNumberPart(text[end]) { end += 1 }
                body(at..<end, current)
                at = end - 1
            case UInt8(ascii: "{"): open.append(current)
            case UInt8(ascii: "}"): current = open.popLast() ?? current
            default: break
            }
            at += 1
        }
    }

    private func isNumberPart(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte == 0x2E || byte == 0x2B || byte == 0x2D || byte | 0x20 == 0x65
    }
}
