import Tabular

/// How a walk over a window of records ended.
enum WalkEnd {
    /// The block is full, or the window was used up at a record's start.
    case atRecord
    /// The window ends inside the record. `openField` is where the field begins whose quote is still open, if one is.
    case incomplete(openField: Int?)
    /// The record breaks the grammar at an offset.
    case malformed(FindingCode, at: Int)
}

extension WalkEnd {
    /// Text behind a closing quote. If the field spans a line end, its opening quote was never closed: the quote that
    /// seems to close it opens another field, and the record ends with its own line.
    static func behindQuote(_ bytes: Span<UInt8>, field start: Int, closing: Int, lineEnd: UInt8 = 0x0A) -> WalkEnd {
        var at = start
        while at < closing, bytes[at] != lineEnd { at += 1 }
        return .malformed(at < closing ? .unclosedQuote : .strayQuote, at: start)
    }
}

/// What a scanner does about a record that a walk did not complete; shared by the scanners of both formats.
enum Recovery {
    /// Look again with a window of at least so many bytes.
    case widen(Int)
    /// The record is bad and ends (line end excluded) here; the next one starts there.
    case bad(FindingCode, end: Int, next: Int)
    /// More bytes are needed.
    case needMore
}

/// A record that a walk did not complete: where it begins, and how much of it the walk could see.
struct BrokenRecord {
    /// Offset of its first byte.
    let start: Int
    /// Offset behind the last byte of the window.
    let windowEnd: Int
    /// Whether the bytes end with the file.
    let isFinal: Bool
    /// Bytes that a row may have.
    let maxRowBytes: Int

    /// The recovery from a CSV record that runs past the window; `openField` is where its open field begins, if one is.
    func incomplete(_ bytes: Span<UInt8>, openField: Int?) -> Recovery {
        // An open quote swallows no more than its own line.
        incomplete(bytes, as: openField == nil ? .rowTooLong : .unclosedQuote, from: openField ?? windowEnd)
    }

    /// The recovery from a record that runs past the window. If it is bad, it ends at the first line end at or after
    /// `from`.
    func incomplete(_ bytes: Span<UInt8>, as code: FindingCode, from: Int) -> Recovery {
        // The decision is made on exactly `maxRowBytes + 2` bytes, or at the end of the file, so that it does not
        // depend on how much the caller happened to have read.
        let available = windowEnd - start
        let decisive = maxRowBytes + 2
        if available < decisive {
            if windowEnd < bytes.count { return .widen(min(available * 2, decisive)) }
            if !isFinal { return .needMore }
        }
        // Past the row limit, or the file ends inside the record.
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
