extension Int: WireValue {
    /// Zigzag, then LEB128: numbers near zero are short, whatever their sign. 61 bits are enough for every count, row
    /// and offset.
    package func write(to wire: inout WireWriter) {
        precondition(magnitude < 1 << 61, "a number that crosses has at most 61 bits")
        wire.append(count: self < 0 ? -2 * self - 1 : 2 * self)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        let number = try wire.number()
        guard number < 1 << 62 else { throw WireError() }
        self = number & 1 == 0 ? number >> 1 : -(number >> 1) - 1
    }
}

extension UInt64: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(word: self) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { self = try wire.word() }
}

extension UInt32: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(word: UInt64(self), bytes: 4) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { self = UInt32(try wire.word(bytes: 4)) }
}

extension UInt8: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(word: UInt64(self), bytes: 1) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { self = UInt8(try wire.word(bytes: 1)) }
}

extension Double: WireValue {
    /// Its bits, so that also missing values stay what they are.
    package func write(to wire: inout WireWriter) { wire.append(word: bitPattern) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { self = Double(bitPattern: try wire.word()) }
}

extension Bool: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(word: self ? 1 : 0, bytes: 1) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        let byte = try wire.word(bytes: 1)
        guard byte <= 1 else { throw WireError() }
        self = byte == 1
    }
}

extension String: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        let bytes = Array(utf8)
        wire.append(count: bytes.count)
        wire.append(raw: bytes)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        guard let text = String(validating: try wire.raw(wire.count()), as: UTF8.self) else { throw WireError() }
        self = text
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(self != nil)
        if let value = self { wire.append(value) }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self = try wire.read(Bool.self) ? try wire.read(Wrapped.self) : nil
    }
}

extension Array: WireValue where Element: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(count: count)
        for element in self { wire.append(element) }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        let count = try wire.count()
        self = []
        reserveCapacity(count)
        for _ in 0..<count { append(try wire.read()) }
    }
}

extension Dictionary: WireValue where Key: WireValue, Value: WireValue {
    /// In the order of the keys' bytes, so that equal dictionaries have equal bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(count: count)
        let pairs = map { (key: $0.key.wired, value: $0.value) }
        for pair in pairs.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            wire.append(raw: pair.key)
            wire.append(pair.value)
        }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self = [:]
        for _ in 0..<(try wire.count()) {
            let key = try wire.read(Key.self)
            guard updateValue(try wire.read(), forKey: key) == nil else { throw WireError() }
        }
    }
}

extension WireValue where Self: RawRepresentable, RawValue: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(rawValue) }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        guard let value = Self(rawValue: try wire.read()) else { throw WireError() }
        self = value
    }
}

extension Outcome: WireValue {}
extension FindingCode: WireValue {}
extension SourceFormat: WireValue {}

extension Finding: WireValue {
    /// A finding about rows or columns. What moved in a batch as a whole is found where the slices are folded, and never
    /// crosses.
    package func write(to wire: inout WireWriter) {
        precondition(movement == nil, "a finding about what moved in a batch does not cross")
        wire.append(code)
        wire.append(outcome)
        wire.append(row)
        wire.append(field)
        wire.append(bytes.map { [$0.lowerBound, $0.upperBound] } ?? [])
        wire.append(statistic)
        wire.append(threshold)
        wire.append(contributors)
        wire.append(keyword)
        wire.append(rule)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self.init(
            try wire.read(), outcome: try wire.read(), at: Location(row: try wire.read(), field: try wire.read()))
        let place = try wire.read([UInt64].self)
        if place.count == 2, place[0] <= place[1] {
            bytes = place[0]..<place[1]
        } else if !place.isEmpty {
            throw WireError()
        }
        statistic = try wire.read()
        threshold = try wire.read()
        contributors = try wire.read()
        keyword = try wire.read()
        rule = try wire.read()
    }
}
