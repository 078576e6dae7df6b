import Tabular

/// The end of a walk over a window of records.
enum WalkEnd {
    /// The block is full, or the window is used up at a record's start.
    case atRecord
    /// The window ends inside a record. `openField` is where the field with an open quote begins, if there is one.
    case incomplete(openField: Int?)
    /// The record violates the grammar at an offset.
    case malformed(FindingCode, at: Int)
}

extension WalkEnd {
    /// Text after a closing quote. If the field spans lines, its opening quote was probably never closed: the quote
    /// that seems to close it opens another field. Then the record ends with its own line.
    static func behindQuote(_ bytes: Span<UInt8>, field start: Int, closing: Int, lineEnd: UInt8 = 0x0A) -> WalkEnd {
        var at = start
        while at < closing, bytes[at] != lineEnd { at += 1 }
        return .malformed(at < closing ? .unclosedQuote : .strayQuote, at: start)
    }
}

/// The next step of a scanner after a record that a walk did not complete. Both formats share it.
enum Recovery {
    /// Index again with a window of at least so many bytes.
    case widen(Int)
    /// The record is bad and ends here, without its line end; the next one begins at `next`.
    case bad(FindingCode, end: Int, next: Int)
    /// More bytes are needed.
    case needMore
}

/// A record that a walk did not complete, and how much of it was visible.
struct BrokenRecord {
    /// Offset of its first byte.
    let start: Int
    /// Offset past the last visible byte.
    let windowEnd: Int
    /// Whether the bytes end with the file.
    let isFinal: Bool
    /// Most bytes of a row.
    let maxRowBytes: Int

    /// The recovery from a CSV record that runs past the window.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - openField: where the field with an open quote begins; nil for none.
    func incomplete(_ bytes: Span<UInt8>, openField: Int?) -> Recovery {
        // An open quote costs no more than its own line.
        incomplete(bytes, as: openField == nil ? .rowTooLong : .unclosedQuote, from: openField ?? windowEnd)
    }

    /// The recovery from a record that runs past the window.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - code: the finding if it is bad.
    ///   - from: a bad record ends at the first line end at or after this offset.
    func incomplete(_ bytes: Span<UInt8>, as code: FindingCode, from: Int) -> Recovery {
        // Decided on exactly `maxRowBytes + 2` bytes or at the end of the file, so that the result does not depend on
        // how much was read.
        let available = windowEnd - start
        let decisive = maxRowBytes + 2
        if available < decisive {
            if windowEnd < bytes.count { return .widen(min(available * 2, decisive)) }
            if !isFinal { return .needMore }
        }
        // Beyond the row limit, or the file ends inside the record.
        return malformed(bytes, as: code, from: from)
    }

    /// Ends a bad record at the first line end at or after `from`.
    func malformed(_ bytes: Span<UInt8>, as code: FindingCode, from: Int) -> Recovery {
        if let feed = nextLineFeed(bytes, from: from) {
            let end = feed > start && bytes[feed - 1] == 0x0D ? feed - 1 : feed
            return .bad(feed - start > maxRowBytes ? .rowTooLong : code, end: end, next: feed + 1)
        }
        if isFinal { return .bad(code, end: bytes.count, next: bytes.count) }
        return .needMore
    }
}
