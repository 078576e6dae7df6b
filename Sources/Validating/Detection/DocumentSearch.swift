import Recognition
import Tabular

extension ValueSearch {
    /// Levels of JSON inside strings that are searched.
    private static let depthMax = 4

    /// Searches an object, array or member.
    ///
    /// - Parameters:
    ///   - range: its source text.
    ///   - bytes: the block's bytes.
    ///   - unescaped: the text without escapes, where it had any.
    ///   - anchors: the candidates in `bytes`.
    ///   - depth: levels of JSON inside strings so far.
    /// - Returns: the first credential; nil for none.
    mutating func find(
        inDocument range: Range<Int>, of bytes: Span<UInt8>, unescaped: [UInt8]?, anchors: borrowing CandidateMap,
        depth: Int = 0
    ) -> SecretKind? {
        guard let unescaped else { return find(range, in: bytes, source: nil, anchors: anchors, depth: depth) }
        let plain = blankedEscapes(unescaped)
        let marks = CandidateMap(plain.span, 0..<plain.count)
        return find(0..<plain.count, in: plain.span, source: unescaped.span, anchors: marks, depth: depth)
    }

    /// Searches unescaped text, as a whole and value by value: each value as in a column of its member's name.
    ///
    /// - Parameters:
    ///   - range: the document in `text`.
    ///   - text: the unescaped text.
    ///   - source: the text with remaining escapes at the same places; nil when there are none.
    ///   - anchors: the candidates in `text`.
    ///   - depth: levels of JSON inside strings so far.
    private mutating func find(
        _ range: Range<Int>, in text: Span<UInt8>, source: Span<UInt8>?, anchors: borrowing CandidateMap, depth: Int
    ) -> SecretKind? {
        let first = matches.count
        var secret = column.scanner.scan(text, range: range, anchors: anchors, into: &matches)
        column.names?.find(text, range, into: &matches)
        var walk = ValueWalk(range, of: column.scanner)
        var found = DocumentValues(column.scanner)
        var strings: [Range<Int>] = []
        while let value = walk.next(in: text, names: &names) {
            let isNumber = value.upperBound == range.upperBound || text[value.upperBound] != 0x22
            if !isNumber, let source, value.contains(where: { source[$0] == 0x5C }) { strings.append(value) }
            let more = found.search(value, of: text, isNumber: isNumber, name: walk.name, anchors: anchors)
            if secret == nil || secret == .namedKey { secret = more ?? secret }
        }
        if !found.denied.isEmpty { removeMatches(since: first, deniedBy: found.denied) }
        if !found.wholes.isEmpty { replaceMatches(since: first, by: found.wholes) }
        if depth < Self.depthMax, !strings.isEmpty, let source {
            let more = open(strings, in: source, since: first, depth: depth)
            if secret == nil || secret == .namedKey { secret = more ?? secret }
        }
        return secret
    }

    /// Searches strings that are JSON or contain escapes of their own.
    ///
    /// A match behind nested escapes covers the whole string.
    ///
    /// - Parameters:
    ///   - strings: their ranges.
    ///   - source: the enclosing text.
    ///   - first: index of the first match of this document.
    ///   - depth: levels of JSON inside strings so far.
    private mutating func open(
        _ strings: [Range<Int>], in source: Span<UInt8>, since first: Int, depth: Int
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
                let anchors = CandidateMap(text.span, text.indices)
                // The string's matches are kept apart from those of the enclosing document.
                swap(&matches, &inside)
                found = find(
                    inDocument: text.indices, of: text.span, unescaped: unescaped, anchors: anchors, depth: depth + 1)
                swap(&matches, &inside)
                plain = unescaped ?? text
            } else if let twice = unescapedTwice(text) {
                let anchors = CandidateMap(twice.span, twice.indices)
                found = column.scanner.scan(escaped: twice.span, twice.indices, anchors, column.names, into: &inside)
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
            // A number that becomes a string needs quotes, which only the string's writer could set.
            guard var match = inside.first, !isKnown || isDocument && hasNumber(plain, inside) else { continue }
            (match.start, match.end) = (value.lowerBound, value.upperBound)
            wholes.append(match)
        }
        if !wholes.isEmpty { replaceMatches(since: first, by: wholes) }
        return secret
    }

    /// Whether any match lies outside the strings of an object or array.
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

    /// Removes matches in values that exclude their entity.
    private mutating func removeMatches(since first: Int, deniedBy denied: [DocumentValues.Denial]) {
        var rest = denied[...]
        let kept = matches[first...].filter { match in
            while let next = rest.first, next.value.upperBound <= match.start { rest = rest.dropFirst() }
            return
                !(rest.first.map { $0.value.lowerBound <= match.start && $0.entities.contains(match.entity) } ?? false)
        }
        matches.replaceSubrange(first..., with: kept)
    }

    /// Replaces matches by the whole values that contain them; both are in order.
    private mutating func replaceMatches(since first: Int, by wholes: [EntityMatch]) {
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
}

/// The hints that members' names give about the values of one document.
private struct DocumentValues {
    /// Entities that a value cannot be, by its form and name, whatever the surrounding words.
    struct Denial {
        let value: Range<Int>
        let entities: Set<Entity>
    }

    /// The scanner of the column.
    private let scanner: TextScanner
    /// Values that are an entity as a whole, in order.
    private(set) var wholes: [EntityMatch] = []
    private(set) var denied: [Denial] = []
    private var inside: [EntityMatch] = []

    init(_ scanner: TextScanner) { self.scanner = scanner }

    /// Searches a value under the name of its member.
    ///
    /// - Parameters:
    ///   - value: the value's range.
    ///   - text: the document.
    ///   - isNumber: whether it is a JSON number.
    ///   - name: what its member's name implies.
    ///   - anchors: the candidates in `text`.
    mutating func search(
        _ value: Range<Int>, of text: Span<UInt8>, isNumber: Bool, name: TextScanner.Name,
        anchors: borrowing CandidateMap
    ) -> SecretKind? {
        var own = scanner
        var doubtful: Set<Entity> = []
        switch name {
        case .telling(let scanner): (own, doubtful) = (scanner, scanner.isVersion ? [.ipAddress] : [])
        // The number of an invoice identifies nobody.
        case .other(let scanner) where scanner.isOfThings: (own, doubtful) = (scanner, Entity.numbers)
        // Beside the word mobile, any ten digits of an id would be a telephone number.
        case .other(let scanner) where isNumber: (own, doubtful) = (scanner, [.phoneNumber])
        default: if !isNumber { return nil }
        }
        own.isNumber = isNumber
        inside.removeAll(keepingCapacity: true)
        let found =
            own.isNumber
            ? own.scan(number: text, value, atLeast: own.isTelling ? 1 : 7, anchors, into: &inside)
            : own.scan(text, range: value, anchors: anchors, into: &inside)
        if inside.count == 1, inside[0].range == trimmed(text, value) { wholes.append(inside[0]) }
        for match in inside { doubtful.remove(match.entity) }
        if !doubtful.isEmpty { denied.append(Denial(value: value, entities: doubtful)) }
        return found
    }
}

/// Iterates over the values of an object or array: strings without quotes, and numbers without their minus sign.
private struct ValueWalk {
    private let scanner: TextScanner
    private let end: Int
    private let outermost: TextScanner.Name
    /// The hint from the name of the last value's member, or else from the nearest enclosing name that gives one.
    private(set) var name: TextScanner.Name
    private var at: Int
    /// The names of the enclosing objects.
    private var open: [TextScanner.Name] = []

    init(_ range: Range<Int>, of scanner: TextScanner) {
        self.scanner = scanner
        (at, end) = (range.lowerBound, range.upperBound)
        outermost = scanner.isTelling ? .telling(scanner) : .plain
        name = outermost
    }

    /// The next value; nil at the end.
    mutating func next(in text: Span<UInt8>, names: inout MemberNames) -> Range<Int>? {
        while at < end {
            let start = at
            at += 1
            switch text[start] {
            case 0x22:
                var close = at
                while close < end, text[close] != 0x22 { close += 1 }
                let value = at..<close
                at = close + 1
                var next = at
                while next < end, text[next] <= 0x20 { next += 1 }
                if next < end, text[next] == UInt8(ascii: ":") {
                    name = names.says(scanner, in: open.last ?? outermost, text, value)
                    at = next + 1
                } else if close < end {
                    return value
                }
            case 0x30...0x39:
                while at < end, isNumberPart(text[at]) { at += 1 }
                return start..<at
            case UInt8(ascii: "{"): open.append(name)
            case UInt8(ascii: "}"): name = open.popLast() ?? name
            default: break
            }
        }
        return nil
    }
}
