/// A value that crosses the border of a process: what one worker finds in its slice goes to the process that folds the
/// slices, byte for byte the same wherever it was made.
///
/// Two laws hold for every conforming type: reading what was written gives the same value, and merging values that
/// crossed gives what merging the originals gives.
package protocol WireValue: Sendable {
    /// Appends the value.
    func write(to wire: inout WireWriter)
    /// Reads a value that `write` appended.
    ///
    /// - Throws: `WireError` for any other bytes; it never traps, since the bytes come from another process.
    init(from wire: inout WireReader) throws(WireError)
}

/// Bytes that are no value of the expected type.
package struct WireError: Error, Sendable, Equatable {
    /// The error says no more: the bytes may be anyone's data.
    package init() {}
}

extension WireValue {
    /// The value as bytes.
    package var wired: [UInt8] {
        var wire = WireWriter()
        wire.append(self)
        return wire.bytes
    }

    /// The value that all of these bytes are.
    package init(wired bytes: [UInt8]) throws(WireError) {
        var wire = WireReader(bytes)
        try self.init(from: &wire)
        guard wire.isAtEnd else { throw WireError() }
    }
}

/// Collects the bytes of values.
package struct WireWriter: Sendable {
    /// The bytes so far.
    package private(set) var bytes: [UInt8] = []

    /// Nothing yet.
    package init() {}

    /// Appends a value.
    package mutating func append(_ value: some WireValue) { value.write(to: &self) }

    /// Appends a count or another number that is not negative, as LEB128.
    package mutating func append(count: Int) { Varint.append(UInt64(count), to: &bytes) }

    /// Appends bytes whose number the reader knows.
    package mutating func append(raw: [UInt8]) { bytes += raw }

    /// Appends a word, lowest byte first.
    package mutating func append(word: UInt64, bytes count: Int = 8) {
        for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place))) }
    }
}

/// Reads the bytes of values, in the order in which they were appended.
package struct WireReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    /// Reads from the first byte on.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether every byte was read.
    package var isAtEnd: Bool { position == bytes.count }

    /// Reads a value of the type that is asked for.
    package mutating func read<Value: WireValue>(_: Value.Type = Value.self) throws(WireError) -> Value {
        try Value(from: &self)
    }

    /// Reads a count, which is never larger than the number of bytes that follow: each counted thing has at least one.
    package mutating func count() throws(WireError) -> Int {
        let number = try number()
        guard number <= bytes.count - position else { throw WireError() }
        return number
    }

    /// Reads a number that is not negative.
    package mutating func number() throws(WireError) -> Int {
        guard let number = Varint.read(bytes, at: &position), let whole = Int(exactly: number) else {
            throw WireError()
        }
        return whole
    }

    /// Reads so many bytes.
    package mutating func raw(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, count <= bytes.count - position else { throw WireError() }
        position += count
        return Array(bytes[position - count..<position])
    }

    /// Reads a word.
    package mutating func word(bytes count: Int = 8) throws(WireError) -> UInt64 {
        guard count <= bytes.count - position else { throw WireError() }
        var word: UInt64 = 0
        for place in 0..<count { word |= UInt64(bytes[position + place]) << UInt64(8 * place) }
        position += count
        return word
    }
}
