import Recognition
import Tabular

/// What the names of members of objects say of their values: most say nothing, and a scanner is dear to make.
struct MemberNames {
    private var known: [UInt64: TextScanner.Name] = [:]
    /// Names that are remembered at most, since a supplier may make up any number of them.
    private static let limit = 4096

    /// What the name at `name` says in an object whose own name says `outer`.
    mutating func says(
        _ column: TextScanner, in outer: TextScanner.Name, _ bytes: Span<UInt8>, _ name: Range<Int>
    ) -> TextScanner.Name {
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
        if case .plain = says { return outer }
        return says
    }
}

extension ColumnSearch {
    /// Strings in strings in strings are opened so often.
    private static let depthMax = 4

    /// Looks through an object, an array or a member: the source text `range` of `bytes`, or `unescaped`, where that had escapes.
    func find(
        inDocument bytes: Span<UInt8>, _ range: Range<Int>, _ unescaped: [UInt8]?, _ anchors: borrowing AnchorMap,
        _ members: inout MemberNames, depth: Int = 0, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        guard let unescaped else { return find(bytes, bytes, range, anchors, &members, depth, into: &matches) }
        let plain = blankedEscapes(unescaped)
        let marks = AnchorMap(plain.span, 0..<plain.count)
        return find(plain.span, unescaped.span, 0..<plain.count, marks, &members, depth, into: &matches)
    }

    /// The same in `text`, in which no escapes are left: as a whole, and each value as one of a column that is called like its member.
    ///
    /// - Parameter source: the text with what escapes are left in it, at the same places.
    private func find(
        _ text: Span<UInt8>, _ source: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing AnchorMap,
        _ members: inout MemberNames, _ depth: Int, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        var secret = scanner.scan(text, range: range, anchors: anchors, into: &matches)
        names?.find(text, range, into: &matches)
        // Values that are judged by themselves, and what is in them.
        var judged: [(value: Range<Int>, matches: [EntityMatch])] = []
        var strings: [Range<Int>] = []
        var inside: [EntityMatch] = []
        func look(_ value: Range<Int>, _ name: TextScanner.Name) {
            let isNumber = value.upperBound == range.upperBound || text[value.upperBound] != 0x22
            if !isNumber, isNested(source, value) { strings.append(value) }
            var own = scanner
            // A number of something else is not what the words around it speak of, as those of other members.
            var isAlone = false
            switch name {
            case .telling(let scanner): (own, isAlone) = (scanner, scanner.isVersion)
            case .other where isNumber: isAlone = true
            default: if !isNumber { return }
            }
            own.isNumber = isNumber
            inside.removeAll(keepingCapacity: true)
            let found =
                own.isNumber
                ? own.scan(number: text, value, atLeast: own.isTelling ? 1 : 7, anchors, into: &inside)
                : own.scan(text, range: value, anchors: anchors, into: &inside)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
            if isAlone {
                judged.append((value, inside))
            } else if inside.count == 1, inside[0].range == trimmed(text, value) {
                judged.append((inside[0].range, inside))
            }
        }
        eachValue(text, range, &members, look)
        if !judged.isEmpty { put(judged, into: &matches, from: first) }
        if depth < Self.depthMax, !strings.isEmpty {
            let found = open(strings, source, &members, depth, first, &matches)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
        }
        return secret
    }

    /// Whether a string may be an object or array of its own, with escapes in it.
    private func isNested(_ source: Span<UInt8>, _ value: Range<Int>) -> Bool {
        guard let first = value.first(where: { source[$0] > 0x20 }), source[first] | 0x20 == 0x7B else { return false }
        return value.contains { source[$0] == 0x5C }
    }

    /// Looks through strings that are JSON. What is found only there stands behind escapes of escapes: then it is the whole string.
    private func open(
        _ strings: [Range<Int>], _ source: Span<UInt8>, _ members: inout MemberNames, _ depth: Int, _ first: Int,
        _ matches: inout [EntityMatch]
    ) -> SecretKind? {
        var secret: SecretKind?
        var judged: [(value: Range<Int>, matches: [EntityMatch])] = []
        for value in strings {
            var text: [UInt8] = []
            guard decodeJSONString(source, value, into: &text), isJSONText(text.span, text.indices) else { continue }
            var inside: [EntityMatch] = []
            let anchors = AnchorMap(text.span, text.indices)
            let found = find(
                inDocument: text.span, text.indices, unescapedJSON(text.span, text.indices), anchors, &members,
                depth: depth + 1, into: &inside)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
            let known = matches[first...].count { value.contains($0.start) }
            guard inside.count > known, var match = inside.first else { continue }
            (match.start, match.end) = (value.lowerBound, value.upperBound)
            judged.append((value, [match]))
        }
        if !judged.isEmpty { put(judged, into: &matches, from: first) }
        return secret
    }

    /// Puts what is in some values, which are in order, in the place of what was found there before.
    private func put(
        _ judged: [(value: Range<Int>, matches: [EntityMatch])], into matches: inout [EntityMatch], from first: Int
    ) {
        var merged: [EntityMatch] = []
        var rest = matches[first...]
        for (value, own) in judged {
            while let next = rest.first, next.start < value.upperBound {
                if next.end <= value.lowerBound { merged.append(next) }
                rest = rest.dropFirst()
            }
            merged += own
        }
        matches.replaceSubrange(first..., with: merged + rest)
    }

    /// Calls `body` with each string, without its quotes, and each number without its minus, and what the name of the member says
    /// that it or its array is the value of: the next name outside that says something, or something else.
    private func eachValue(
        _ text: Span<UInt8>, _ range: Range<Int>, _ members: inout MemberNames,
        _ body: (Range<Int>, TextScanner.Name) -> Void
    ) {
        var at = range.lowerBound
        let column: TextScanner.Name = scanner.isTelling ? .telling(scanner) : .plain
        var current = column
        var open: [TextScanner.Name] = []
        while at < range.upperBound {
            switch text[at] {
            case 0x22:
                var end = at + 1
                while end < range.upperBound, text[end] != 0x22 { end += 1 }
                let value = at + 1..<end
                var next = end + 1
                while next < range.upperBound, text[next] <= 0x20 { next += 1 }
                if next < range.upperBound, text[next] == UInt8(ascii: ":") {
                    current = members.says(scanner, in: open.last ?? column, text, value)
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
}
