/// A JSON text (RFC 8259) as a flat list of its values in source order: no tree and no objects. Reading another text
/// reuses the memory.
///
/// An object is followed by its keys and values in turn, an array by its items; `next` leads past all of them. Numbers
/// are kept as lexemes, so nothing is rounded.
public struct JSONTape: Sendable {
    // Public for the sake of inlining alone, as `Cell` is.

    /// The kind of a value.
    @frozen public enum Kind: UInt8, Sendable {
        case null, boolean, number, string, array, object
    }

    /// One value, or one key.
    @frozen public struct Value: Sendable {
        /// First byte of its text in `text`; for a string, of its characters with escapes decoded.
        @usableFromInline let start: UInt32
        @usableFromInline var bound: UInt32
        /// The index of the value after it.
        public internal(set) var next: UInt32
        /// The number of items of an array, or of members of an object.
        public internal(set) var count: UInt32
        /// The value's kind.
        public let kind: Kind

        /// A value on its own: a scalar that another reader has parsed.
        package init(scalar kind: Kind, start: Int, end: Int) {
            self.init(
                kind: kind, start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end), next: 1,
                count: 0)
        }

        init(kind: Kind, start: UInt32, end: UInt32, next: UInt32, count: UInt32) {
            (self.kind, self.start, bound, self.next, self.count) = (kind, start, end, next, count)
        }

        /// The bytes of its text in `text`.
        @inlinable public var range: Range<Int> { Int(start)..<Int(bound) }
    }

    /// A violation of the grammar, with its offset in the text.
    package struct Fault: Error, Sendable, Equatable {
        /// The error, in words.
        package var reason: String
        /// The first byte that is not valid there.
        package var offset: Int
    }

    /// The values; the first one is the whole text.
    package private(set) var values: [Value] = []
    /// The source, followed by the strings whose escapes were decoded.
    package private(set) var text: [UInt8] = []
    private var open: [Int] = []
    private var allowsNaN = false

    /// An empty tape.
    package init() {}

    /// Reads a text, which must be valid UTF-8; it replaces the text read before.
    ///
    /// It does not look for duplicate keys: that was checked when the text was first read.
    ///
    /// - Parameter allowsNaN: whether NaN, Infinity and -Infinity are numbers, as some programs write them although
    ///   they are not JSON.
    package mutating func read(
        _ bytes: Span<UInt8>, _ range: Range<Int>, maxDepth: Int = 512, allowsNaN: Bool = false
    ) throws(Fault) {
        self.allowsNaN = allowsNaN
        values.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        // One copy over the old content, without a capacity check for every byte.
        let end = range.count
        if text.count > end { text.removeLast(text.count - end) }
        while text.count < end { text.append(0) }
        let source = bytes.extracting(range)
        var copy = text.mutableSpan
        for at in 0..<end { copy[at] = source[at] }
        var at = skip(source, 0)
        // Each turn reads one value, and then decides what may follow it.
        while true {
            guard at < end else { throw Fault(reason: "value expected", offset: at) }
            let byte = source[at]
            if byte == 0x7B || byte == 0x5B {
                if open.count == maxDepth { throw Fault(reason: "nested too deep", offset: at) }
                open.append(values.count)
                values.append(
                    Value(kind: byte == 0x7B ? .object : .array, start: UInt32(at), end: 0, next: 0, count: 0))
                at = skip(source, at + 1)
                if at < end, source[at] != byte + 2 {
                    if byte == 0x7B { at = try key(source, at) }
                    continue
                }
                at = try close(source, at, byte + 2)
            } else {
                at = try scalar(source, at)
            }
            // Behind a value.
            while let container = open.last {
                at = skip(source, at)
                values[container].count += 1
                guard at < end else { throw Fault(reason: "text without end", offset: at) }
                let isObject = values[container].kind == .object
                if source[at] == 0x2C {
                    at = skip(source, at + 1)
                    if isObject { at = try key(source, at) }
                    break
                }
                at = try close(source, at, isObject ? 0x7D : 0x5D)
            }
            if open.isEmpty { break }
        }
        at = skip(source, at)
        if at < end { throw Fault(reason: "text behind the value", offset: at) }
    }

    private mutating func close(_ source: Span<UInt8>, _ at: Int, _ bracket: UInt8) throws(Fault) -> Int {
        guard at < source.count, source[at] == bracket, let container = open.popLast() else {
            throw Fault(reason: "comma or bracket expected", offset: at)
        }
        values[container].bound = UInt32(at + 1)
        values[container].next = UInt32(values.count)
        return at + 1
    }

    private mutating func key(_ source: Span<UInt8>, _ start: Int) throws(Fault) -> Int {
        guard start < source.count, source[start] == 0x22 else { throw Fault(reason: "key expected", offset: start) }
        let at = skip(source, try scalar(source, start))
        guard at < source.count, source[at] == 0x3A else { throw Fault(reason: "colon expected", offset: at) }
        return skip(source, at + 1)
    }

    private mutating func scalar(_ source: Span<UInt8>, _ start: Int) throws(Fault) -> Int {
        let place = UInt32(values.count + 1)
        let end = source.count
        if source[start] == 0x22 {
            var at = start + 1
            while at < end, source[at] != 0x22, source[at] != 0x5C, source[at] >= 0x20 { at &+= 1 }
            guard at < end, source[at] >= 0x20 else { throw Fault(reason: "string without end", offset: at) }
            if source[at] == 0x22 {
                values.append(Value(kind: .string, start: UInt32(start + 1), end: UInt32(at), next: place, count: 0))
                return at + 1
            }
            while at < end, source[at] != 0x22 {
                if source[at] < 0x20 { throw Fault(reason: "control character in a string", offset: at) }
                at += source[at] == 0x5C ? 2 : 1
            }
            guard at < end else { throw Fault(reason: "string without end", offset: at) }
            let first = text.count
            guard decodeJSONString(source, start + 1..<at, into: &text) else {
                throw Fault(reason: "escape that is no character", offset: start)
            }
            values.append(
                Value(kind: .string, start: UInt32(first), end: UInt32(text.count), next: place, count: 0))
            return at + 1
        }
        var at = start
        let kind: Kind
        switch source[start] {
        case 0x74, 0x66, 0x6E:
            while at < end, source[at] &- 0x61 < 26 { at &+= 1 }
            let word = source[start]
            let isWord =
                word == 0x74
                ? spells(source, start..<at, "true") : spells(source, start..<at, word == 0x66 ? "false" : "null")
            guard isWord else { throw Fault(reason: "value expected", offset: start) }
            kind = word == 0x6E ? .null : .boolean
        default:
            at = endOfNumber(source, start)
            if at == start, allowsNaN {
                while at < end, (source[at] | 0x20) &- 0x61 < 26 || at == start && source[at] == 0x2D { at &+= 1 }
                let isNumber =
                    spells(source, start..<at, "NaN") || spells(source, start..<at, "Infinity")
                    || spells(source, start..<at, "-Infinity")
                if !isNumber { at = start }
            }
            guard at > start else { throw Fault(reason: "value expected", offset: start) }
            kind = .number
        }
        values.append(Value(kind: kind, start: UInt32(start), end: UInt32(at), next: place, count: 0))
        return at
    }
}

extension JSONTape {
    /// The place of an object's member with this key, or nil.
    package func member(_ key: [UInt8], of object: Int) -> Int? {
        member(of: object, length: key.count) { $0.elementsEqual(key) }
    }

    /// The same by a key's text.
    package func member(_ key: String, of object: Int) -> Int? {
        member(of: object, length: key.utf8.count) { $0.elementsEqual(key.utf8) }
    }

    @inline(__always)
    private func member(of object: Int, length: Int, where isKey: (ArraySlice<UInt8>) -> Bool) -> Int? {
        var at = object + 1
        let end = Int(values[object].next)
        while at < end {
            let range = values[at].range
            if range.count == length, isKey(text[range]) { return at + 1 }
            at = Int(values[at + 1].next)
        }
        return nil
    }

    /// The places of an array's items, or of an object's keys.
    package func places(in container: Int) -> [Int] {
        var places: [Int] = []
        var at = container + 1
        let end = Int(values[container].next)
        let isObject = values[container].kind == .object
        while at < end {
            places.append(at)
            at = Int(values[isObject ? at + 1 : at].next)
        }
        return places
    }

    /// Whether no object on it has a key twice.
    package var hasUniqueKeys: Bool {
        values.indices.allSatisfy { place in
            guard values[place].kind == .object, values[place].count > 1 else { return true }
            let keys = places(in: place).map { text[values[$0].range] }
            return Set(keys).count == keys.count
        }
    }

    /// A string's characters.
    package func string(_ place: Int) -> String { String(decoding: text[values[place].range], as: UTF8.self) }
}

@inline(__always)
private func skip(_ source: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    while at < source.count, source[at] <= 0x20,
        source[at] == 0x20 || source[at] == 0x0A || source[at] == 0x0D || source[at] == 0x09
    { at &+= 1 }
    return at
}

private func spells(_ source: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    var at = range.lowerBound
    for letter in word.description.utf8 {
        if source[at] != letter { return false }
        at += 1
    }
    return true
}

/// Where the number that begins at `start` ends (RFC 8259 6); `start` when there is none.
private func endOfNumber(_ source: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    let end = source.count
    if at < end, source[at] == 0x2D { at &+= 1 }
    if at < end, source[at] == 0x30 {
        at &+= 1
    } else {
        let first = at
        while at < end, source[at] &- 0x30 < 10 { at &+= 1 }
        if at == first { return start }
    }
    if at < end, source[at] == 0x2E {
        at &+= 1
        let first = at
        while at < end, source[at] &- 0x30 < 10 { at &+= 1 }
        if at == first { return start }
    }
    if at < end, source[at] | 0x20 == 0x65 {
        at &+= 1
        if at < end, source[at] == 0x2B || source[at] == 0x2D { at &+= 1 }
        let first = at
        while at < end, source[at] &- 0x30 < 10 { at &+= 1 }
        if at == first { return start }
    }
    return at
}
