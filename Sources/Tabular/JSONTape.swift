/// A JSON text (RFC 8259) as a flat list of its values in the order they stand: no tree, no objects, and no memory of its own for a
/// text that is read after another one.
///
/// An object is followed by its keys and values in turn, an array by its items; `next` leads past all of them. Numbers stay
/// lexemes, so that nothing is rounded.
package struct JSONTape: Sendable {
    /// What a value is.
    package enum Kind: UInt8, Sendable {
        case null, boolean, number, string, array, object
    }

    /// One value, or one key.
    package struct Value: Sendable {
        /// What it is.
        package let kind: Kind
        /// First byte of its text in `text`; of a string the characters, with escapes undone.
        package fileprivate(set) var start: UInt32
        /// First byte past it.
        package fileprivate(set) var end: UInt32
        /// The place of what stands behind it.
        package fileprivate(set) var next: UInt32
        /// Items of an array, members of an object.
        package fileprivate(set) var count: UInt32

        /// The bytes of its text in `text`.
        package var range: Range<Int> { Int(start)..<Int(end) }
    }

    /// Where a text breaks the grammar, as an offset in it.
    package struct Fault: Error, Sendable, Equatable {
        /// What is wrong.
        package var reason: String
        /// First byte that does not belong there.
        package var offset: Int
    }

    /// The values; the first one is the whole text.
    package private(set) var values: [Value] = []
    /// The source, then the strings whose escapes were undone.
    package private(set) var text: [UInt8] = []
    private var open: [Int] = []

    /// A tape with nothing on it.
    package init() {}

    /// Reads a text of valid UTF-8, in place of what was read before.
    ///
    /// It does not look for keys that stand twice: whoever lets a text in has done that.
    package mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>, maxDepth: Int = 512) throws(Fault) {
        values.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        text.reserveCapacity(range.count)
        for at in range { text.append(bytes[at]) }
        let end = text.count
        var at = skip(0, end)
        // One value is read per turn, and what may follow it is settled before the next.
        while true {
            guard at < end else { throw Fault(reason: "value expected", offset: at) }
            let byte = text[at]
            if byte == 0x7B || byte == 0x5B {
                if open.count == maxDepth { throw Fault(reason: "nested too deep", offset: at) }
                open.append(values.count)
                values.append(
                    Value(kind: byte == 0x7B ? .object : .array, start: UInt32(at), end: 0, next: 0, count: 0))
                at = skip(at + 1, end)
                if at < end, text[at] != byte + 2 {
                    if byte == 0x7B { at = try key(at, end) }
                    continue
                }
                at = try close(at, end, byte + 2)
            } else {
                at = try scalar(at, end)
            }
            // Behind a value.
            while let container = open.last {
                at = skip(at, end)
                values[container].count += 1
                guard at < end else { throw Fault(reason: "text without end", offset: at) }
                let isObject = values[container].kind == .object
                if text[at] == 0x2C {
                    at = skip(at + 1, end)
                    if isObject { at = try key(at, end) }
                    break
                }
                at = try close(at, end, isObject ? 0x7D : 0x5D)
            }
            if open.isEmpty { break }
        }
        at = skip(at, end)
        if at < end { throw Fault(reason: "text behind the value", offset: at) }
    }

    private func skip(_ start: Int, _ end: Int) -> Int {
        var at = start
        while at < end, text[at] <= 0x20, text[at] == 0x20 || text[at] == 0x0A || text[at] == 0x0D || text[at] == 0x09 {
            at += 1
        }
        return at
    }

    private mutating func close(_ at: Int, _ end: Int, _ bracket: UInt8) throws(Fault) -> Int {
        guard at < end, text[at] == bracket, let container = open.popLast() else {
            throw Fault(reason: "comma or bracket expected", offset: at)
        }
        values[container].end = UInt32(at + 1)
        values[container].next = UInt32(values.count)
        return at + 1
    }

    private mutating func key(_ start: Int, _ end: Int) throws(Fault) -> Int {
        guard start < end, text[start] == 0x22 else { throw Fault(reason: "key expected", offset: start) }
        let at = skip(try scalar(start, end), end)
        guard at < end, text[at] == 0x3A else { throw Fault(reason: "colon expected", offset: at) }
        return skip(at + 1, end)
    }

    private mutating func scalar(_ start: Int, _ end: Int) throws(Fault) -> Int {
        let place = UInt32(values.count + 1)
        if text[start] == 0x22 {
            var at = start + 1
            while at < end, text[at] != 0x22, text[at] != 0x5C, text[at] >= 0x20 { at += 1 }
            guard at < end, text[at] >= 0x20 else { throw Fault(reason: "string without end", offset: at) }
            if text[at] == 0x22 {
                values.append(Value(kind: .string, start: UInt32(start + 1), end: UInt32(at), next: place, count: 0))
                return at + 1
            }
            while at < end, text[at] != 0x22 {
                if text[at] < 0x20 { throw Fault(reason: "control character in a string", offset: at) }
                at += text[at] == 0x5C ? 2 : 1
            }
            guard at < end else { throw Fault(reason: "string without end", offset: at) }
            let first = text.count
            guard undo(start + 1..<at) else { throw Fault(reason: "escape that is no character", offset: start) }
            values.append(
                Value(kind: .string, start: UInt32(first), end: UInt32(text.count), next: place, count: 0))
            return at + 1
        }
        var at = start
        while at < end, text[at] > 0x20, text[at] != 0x2C, text[at] != 0x5D, text[at] != 0x7D { at += 1 }
        let kind: Kind
        switch text[start] {
        case 0x74 where spells(start..<at, "true"), 0x66 where spells(start..<at, "false"): kind = .boolean
        case 0x6E where spells(start..<at, "null"): kind = .null
        default:
            guard isNumber(start..<at) else { throw Fault(reason: "value expected", offset: start) }
            kind = .number
        }
        values.append(Value(kind: kind, start: UInt32(start), end: UInt32(at), next: place, count: 0))
        return at
    }

    private func spells(_ range: Range<Int>, _ word: StaticString) -> Bool {
        text[range].elementsEqual(word.description.utf8)
    }

    private func isNumber(_ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        func digits() -> Bool {
            let first = at
            while at < end, text[at] &- 0x30 < 10 { at += 1 }
            return at > first
        }
        if at < end, text[at] == 0x2D { at += 1 }
        if at < end, text[at] == 0x30 { at += 1 } else if !digits() { return false }
        if at < end, text[at] == 0x2E {
            at += 1
            if !digits() { return false }
        }
        if at < end, text[at] | 0x20 == 0x65 {
            at += 1
            if at < end, text[at] == 0x2B || text[at] == 0x2D { at += 1 }
            if !digits() { return false }
        }
        return at == end
    }

    /// Appends a string's characters to the text; false when an escape is none, or half a surrogate pair.
    private mutating func undo(_ range: Range<Int>) -> Bool {
        func unit(_ at: Int) -> UInt32? {
            guard at + 4 <= range.upperBound else { return nil }
            var value: UInt32 = 0
            for offset in 0..<4 {
                let byte = text[at + offset]
                let letter = (byte | 0x20) &- 0x61
                guard byte &- 0x30 < 10 || letter < 6 else { return nil }
                value = value << 4 | UInt32(letter < 6 ? letter + 10 : byte - 0x30)
            }
            return value
        }
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = text[at]
            at += 1
            if byte != 0x5C {
                text.append(byte)
                continue
            }
            guard at < range.upperBound else { return false }
            let kind = text[at]
            at += 1
            switch kind {
            case 0x22, 0x5C, 0x2F: text.append(kind)
            case 0x62: text.append(0x08)
            case 0x66: text.append(0x0C)
            case 0x6E: text.append(0x0A)
            case 0x72: text.append(0x0D)
            case 0x74: text.append(0x09)
            case 0x75:
                guard var scalar = unit(at) else { return false }
                at += 4
                if scalar & 0xFC00 == 0xD800 {
                    guard at + 6 <= range.upperBound, text[at] == 0x5C, text[at + 1] == 0x75, let low = unit(at + 2),
                        low & 0xFC00 == 0xDC00
                    else { return false }
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                    at += 6
                }
                guard let character = Unicode.Scalar(scalar) else { return false }
                text.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
            default: return false
            }
        }
        return true
    }
}

extension JSONTape {
    /// The place of an object's member with this key, or nil.
    package func member(_ key: [UInt8], of object: Int) -> Int? {
        var at = object + 1
        let end = Int(values[object].next)
        while at < end {
            if text[values[at].range].elementsEqual(key) { return at + 1 }
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
