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
        switch (says, outer) {
        case (.plain, _): return outer
        case (.other(let own), .telling(let outer)), (.other(let own), .other(let outer)):
            return .other(own.inside(outer))
        default: return says
        }
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
        guard let unescaped else { return find(bytes, nil, range, anchors, &members, depth, into: &matches) }
        let plain = blankedEscapes(unescaped)
        let marks = AnchorMap(plain.span, 0..<plain.count)
        return find(plain.span, unescaped.span, 0..<plain.count, marks, &members, depth, into: &matches)
    }

    /// The same in `text`, in which no escapes are left: as a whole, and each value as one of a column that is called like its member.
    ///
    /// - Parameter source: the text with what escapes are left in it, at the same places; nil when there are none.
    private func find(
        _ text: Span<UInt8>, _ source: Span<UInt8>?, _ range: Range<Int>, _ anchors: borrowing AnchorMap,
        _ members: inout MemberNames, _ depth: Int, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        let first = matches.count
        var secret = scanner.scan(text, range: range, anchors: anchors, into: &matches)
        names?.find(text, range, into: &matches)
        var wholes: [EntityMatch] = []
        // Values that say by themselves that they are none of what the words around them speak of.
        var denied: [(value: Range<Int>, entities: Set<Entity>)] = []
        var strings: [Range<Int>] = []
        var inside: [EntityMatch] = []
        func look(_ value: Range<Int>, _ name: TextScanner.Name) {
            let isNumber = value.upperBound == range.upperBound || text[value.upperBound] != 0x22
            if !isNumber, let source, value.contains(where: { source[$0] == 0x5C }) { strings.append(value) }
            var own = scanner
            var doubtful: Set<Entity> = []
            switch name {
            case .telling(let scanner): (own, doubtful) = (scanner, scanner.isVersion ? [.ipAddress] : [])
            // The number of an invoice is nobody's.
            case .other(let scanner) where scanner.isOfThings: (own, doubtful) = (scanner, Entity.numbers)
            // Ids beside the word mobile: any ten digits are a telephone number there.
            case .other(let scanner) where isNumber: (own, doubtful) = (scanner, [.phoneNumber])
            default: if !isNumber { return }
            }
            own.isNumber = isNumber
            inside.removeAll(keepingCapacity: true)
            let found =
                own.isNumber
                ? own.scan(number: text, value, atLeast: own.isTelling ? 1 : 7, anchors, into: &inside)
                : own.scan(text, range: value, anchors: anchors, into: &inside)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
            if inside.count == 1, inside[0].range == trimmed(text, value) { wholes.append(inside[0]) }
            for match in inside { doubtful.remove(match.entity) }
            if !doubtful.isEmpty { denied.append((value, doubtful)) }
        }
        eachValue(text, range, &members, look)
        if !denied.isEmpty {
            var rest = denied[...]
            let kept = matches[first...].filter { match in
                while let next = rest.first, next.value.upperBound <= match.start { rest = rest.dropFirst() }
                return
                    !(rest.first.map { $0.value.lowerBound <= match.start && $0.entities.contains(match.entity) }
                    ?? false)
            }
            matches.replaceSubrange(first..., with: kept)
        }
        if !wholes.isEmpty { put(wholes, into: &matches, from: first) }
        if depth < Self.depthMax, !strings.isEmpty, let source {
            let found = open(strings, source, &members, depth, first, &matches)
            if secret == nil || secret == .namedKey { secret = found ?? secret }
        }
        return secret
    }

    /// Looks through strings that are JSON, or have escapes of their own. What is found only there stands behind escapes of escapes: then
    /// it is the whole string.
    private func open(
        _ strings: [Range<Int>], _ source: Span<UInt8>, _ members: inout MemberNames, _ depth: Int, _ first: Int,
        _ matches: inout [EntityMatch]
    ) -> SecretKind? {
        var secret: SecretKind?
        var wholes: [EntityMatch] = []
        var rest = matches[first...]
        for value in strings {
            var text: [UInt8] = []
            guard decodeJSONString(source, value, into: &text) else { continue }
            var inside: [EntityMatch] = []
            let found: SecretKind?
            var plain = text
            let isDocument = isJSONText(text.span, text.indices)
            if isDocument {
                let unescaped = unescapedJSON(text.span, text.indices)
                let anchors = AnchorMap(text.span, text.indices)
                found = find(
                    inDocument: text.span, text.indices, unescaped, anchors, &members, depth: depth + 1, into: &inside)
                plain = unescaped ?? text
            } else if let twice = unescapedTwice(text) {
                let anchors = AnchorMap(twice.span, twice.indices)
                found = scanner.scan(escaped: twice.span, twice.indices, anchors, names, into: &inside)
                plain = twice
            } else {
                continue
            }
            if secret == nil || secret == .namedKey { secret = found ?? secret }
            var known: Set<[UInt8]> = []
            while let match = rest.first, match.start < value.upperBound {
                if match.start >= value.lowerBound { known.insert(match.range.map { source[$0] }) }
                rest = rest.dropFirst()
            }
            let isKnown = inside.allSatisfy { known.contains(Array(plain[$0.range])) }
            // A number that becomes a string needs quotes, which only the string's own writer could set.
            guard var match = inside.first, !isKnown || isDocument && hasNumber(plain, inside) else { continue }
            (match.start, match.end) = (value.lowerBound, value.upperBound)
            wholes.append(match)
        }
        if !wholes.isEmpty { put(wholes, into: &matches, from: first) }
        return secret
    }

    /// Whether any of what was found in an object or array stands outside of its strings.
    private func hasNumber(_ text: [UInt8], _ matches: [EntityMatch]) -> Bool {
        var at = 0
        var isInString = false
        for match in matches {
            while at < match.start {
                if text[at] == 0x22 { isInString.toggle() }
                at += text[at] == 0x5C ? 2 : 1
            }
            if !isInString { return true }
        }
        return false
    }

    /// Puts whole values, which are in order, in the place of what was found in them.
    private func put(_ wholes: [EntityMatch], into matches: inout [EntityMatch], from first: Int) {
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
