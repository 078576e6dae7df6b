// Marked kernel: most masked values are tokens or overwritten values, so these are written straight into the output; every write is within
// the room that is reserved for its value.
import Cryptography
import Tabular

/// An operator whose output has a known maximum length and needs no escapes.
enum PlainOperator {
    /// A prefix, and 16 bytes of the keyed code as lower-case hexadecimal digits.
    case token(prefix: [UInt8])
    /// A byte in the place of every Unicode scalar but the first and the last few.
    case overwrite(UInt8, first: Int, last: Int)
}

/// Writes the cells of a column whose new text needs no escapes, with the same result as `ValueOperator.apply`.
struct PlainValues {
    private let operation: PlainOperator
    private let format: SourceFormat
    private let delimiter: UInt8

    /// A writer for a file's format; nil when what the operator writes may need quotes or escapes.
    init?(_ operation: PlainOperator, as format: SourceFormat, delimiter: UInt8) {
        self.operation = operation
        self.format = format
        self.delimiter = delimiter
        switch operation {
        case .token(let prefix):
            let digits = Array("0123456789abcdef".utf8)
            guard prefix.allSatisfy(isPlain), digits.allSatisfy(isPlain) else { return nil }
        case .overwrite(let byte, _, _): guard byte < 0x80, isPlain(byte) else { return nil }
        }
    }

    /// Whether a byte stands for itself in the format, with quotes and without.
    @inline(__always)
    private func isPlain(_ byte: UInt8) -> Bool {
        format == .csv
            ? byte != delimiter && byte != 0x22 && byte != 0x0A && byte != 0x0D
            : byte >= 0x20 && byte != 0x22 && byte != 0x5C
    }

    /// Bytes that a value of so many bytes takes at most.
    @inline(__always)
    private func room(_ count: Int) -> Int {
        switch operation {
        case .token(let prefix): prefix.count + 34
        case .overwrite: count + 2
        }
    }

    /// Appends the new texts of a column's cells, one after the other.
    ///
    /// - Parameters:
    ///   - cells: the cells, in the order of rows; nil for one that stays.
    ///   - bytes: the block's bytes.
    ///   - text: gets the texts.
    ///   - code: the keyed code of a value; nil without a key, so that the operator refuses it.
    /// - Returns: for each cell the range of its text in `text`; nil for one that stays, and for one that the operator must write.
    func append(
        _ cells: [Cell?], of bytes: Span<UInt8>, to text: inout [UInt8],
        code: (Span<UInt8>) -> InlineArray<32, UInt8>?
    ) -> [Range<Int>?] {
        var places = [Range<Int>?](repeating: nil, count: cells.count)
        let most = cells.reduce(0) { $0 + ($1.map { room($0.range.count) } ?? 0) }
        let base = text.count
        // Room for the whole column at once, doubling, since a block has several columns.
        if text.capacity - base < most { text.reserveCapacity(max(base + most, 2 * text.capacity)) }
        text.append(addingCapacity: most) { output in
            // Sound: the buffer has room for `most` bytes, which `room` counts value by value.
            unsafe output.withUnsafeMutableBufferPointer { buffer, written in
                guard let out = buffer.baseAddress else { return }
                for index in cells.indices {
                    guard let cell = cells[index] else { continue }
                    let value = bytes.extracting(cell.range)
                    let start = written
                    let isQuoted = format == .csv ? cell.isQuoted : true
                    if isQuoted {
                        unsafe out[written] = 0x22
                        written += 1
                    }
                    let isWritten: Bool
                    switch operation {
                    case .token(let prefix):
                        for byte in prefix {
                            unsafe out[written] = byte
                            written += 1
                        }
                        let code = code(value)
                        if let code { unsafe Self.write(code, to: out + written) }
                        written += 32
                        isWritten = code != nil
                    case .overwrite(let byte, let first, let last):
                        let count = unsafe overwrite(value, byte, first: first, last: last, to: out + written)
                        written += count ?? 0
                        isWritten = count != nil
                    }
                    guard isWritten else {
                        written = start
                        continue
                    }
                    if isQuoted {
                        unsafe out[written] = 0x22
                        written += 1
                    }
                    places[index] = base + start..<base + written
                }
            }
        }
        return places
    }

    /// Writes the first 16 bytes of a code as 32 digits.
    @inline(__always)
    private static func write(_ code: InlineArray<32, UInt8>, to out: UnsafeMutablePointer<UInt8>) {
        for index in 0..<16 {
            let byte = code[index]
            unsafe out[2 &* index] = hexadecimalDigit(byte >> 4)
            unsafe out[2 &* index &+ 1] = hexadecimalDigit(byte & 15)
        }
    }

    /// Writes an overwritten value, which is never longer than the value.
    ///
    /// - Returns: its bytes; nil when a scalar that stays needs an escape, or the value is not ASCII, so that scalars would have to be
    ///   counted.
    @inline(__always)
    private func overwrite(
        _ value: Span<UInt8>, _ byte: UInt8, first: Int, last: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        let count = value.count
        // A value no longer than what would stay is overwritten as a whole.
        let (first, last) = count - first > last ? (first, last) : (0, 0)
        var isPlainText = true
        for at in value.indices {
            let own = value[at]
            let stays = at < first || at >= count - last
            if own >= 0x80 || stays && !isPlain(own) { isPlainText = false }
            unsafe out[at] = stays ? own : byte
        }
        return isPlainText ? count : nil
    }
}
