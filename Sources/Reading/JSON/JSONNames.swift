import Tabular

/// The names of a contract's fields, matched with the keys of each row's members.
struct JSONNames {
    private struct Name {
        /// The first and last eight bytes as little-endian numbers; fewer for a shorter name.
        let head: UInt64
        let tail: UInt64
        /// Where the name begins in `bytes`.
        let first: Int
        /// Its length in bytes; -1 for a name with a backslash, which never equals a source text.
        let length: Int

        init(_ text: [UInt8], first: Int) {
            func word(_ part: ArraySlice<UInt8>) -> UInt64 {
                part.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
            }
            head = word(text.prefix(8))
            tail = word(text.suffix(8))
            self.first = first
            length = text.contains(0x5C) ? -1 : text.count
        }
    }

    /// The fields of the previous row's members, in order: most rows repeat it.
    struct Predictor {
        fileprivate var fields: [Int] = []
    }

    private let names: [Name]
    /// The bytes of all names.
    private let bytes: [UInt8]
    private let fieldOf: [[UInt8]: Int]
    /// Fields with non-ASCII names, compared by canonical equivalence (Unicode Standard Annex 15), as in a CSV header.
    private let fieldOfText: [String: Int]

    init(_ names: [[UInt8]]) {
        bytes = names.flatMap { $0 }
        var first = 0
        self.names = names.map { name in
            defer { first += name.count }
            return Name(name, first: first)
        }
        fieldOf = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        fieldOfText = Dictionary(
            names.enumerated().filter { $1.contains { $0 >= 0x80 } }.map { (String(decoding: $1, as: UTF8.self), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The field with a key.
    ///
    /// - Parameters:
    ///   - text: the buffer.
    ///   - range: the key's source text without quotes.
    ///   - isEscaped: whether it has escapes.
    ///   - member: the key's position in the object.
    ///   - predictor: the order of the previous row.
    /// - Returns: the field's index; -1 for an unknown key.
    @inline(__always)
    func field(
        _ text: Span<UInt8>, in range: Range<Int>, isEscaped: Bool, member: Int, predictor: inout Predictor
    ) -> Int {
        if member < predictor.fields.count {
            let guess = predictor.fields[member]
            if guess >= 0, matches(text, in: range, field: guess) { return guess }
        }
        return find(text, in: range, isEscaped: isEscaped, member: member, predictor: &predictor)
    }

    private func find(
        _ text: Span<UInt8>, in range: Range<Int>, isEscaped: Bool, member: Int, predictor: inout Predictor
    ) -> Int {
        var key: [UInt8] = []
        if isEscaped {
            // A key with an invalid escape matches no name; it is reported with the unknown keys.
            if !decodeJSONString(text, range, into: &key) { return -1 }
        } else {
            for at in range { key.append(text[at]) }
        }
        var found = fieldOf[key] ?? -1
        if found < 0, !fieldOfText.isEmpty, key.contains(where: { $0 >= 0x80 }) {
            found = fieldOfText[String(decoding: key, as: UTF8.self)] ?? -1
        }
        if member < 4096 {
            while predictor.fields.count <= member { predictor.fields.append(-1) }
            predictor.fields[member] = found
        }
        return found
    }

    @inline(__always)
    private func matches(_ text: Span<UInt8>, in range: Range<Int>, field: Int) -> Bool {
        let (start, end) = (range.lowerBound, range.upperBound)
        let length = end &- start
        let name = names[field]
        if name.length != length { return false }
        if length <= 16, length > 0, start &+ 8 <= text.count {
            let head = word(text, at: start)
            if length <= 8 { return head & (~0 &>> UInt64(64 &- 8 &* length)) == name.head }
            return head == name.head && word(text, at: end &- 8) == name.tail
        }
        var offset = 0
        while offset < length {
            if text[start &+ offset] != bytes[name.first &+ offset] { return false }
            offset &+= 1
        }
        return true
    }
}
