import Tabular

/// Turns a JSON array of records into JSON Lines, byte for byte: separators between elements become line ends, and a
/// line end inside an element becomes a space. No byte moves, so offsets stay valid. If the array is a member of a
/// document, the text around it becomes blank lines.
///
/// It does not validate. Malformed JSON is kept, and the reader rejects the row. Where framing would hide a fault, such
/// as a comma without an element or a line end inside a string, a mark is left that makes a row bad.
package struct JSONArrayFramer: Sendable {
    private enum Place {
        /// Before the opening bracket.
        case before
        /// Between its brackets, outside strings.
        case inside
        /// In a string, and after a backslash in one.
        case string, escape
        /// After the closing bracket.
        case after
    }

    private var place = Place.before
    /// Open brackets and braces, without those of the array.
    private var depth = 0
    /// Whether the current element has any text.
    private var hasElement = false
    /// Whether a comma ended the last element.
    private var hasComma = false

    private var envelope: JSONEnvelope?

    /// A framer for a text that is an array, or for a document in which the names of `property` lead to one.
    package init(property: [String] = []) {
        envelope = property.isEmpty ? nil : JSONEnvelope(property)
    }

    /// The fault of the text, once it has ended; nil when it is complete.
    package var complaint: String? {
        if let envelope {
            switch envelope.fault {
            case .malformed: return "the text around its list of records is not JSON; have the file sent again"
            case .more:
                return
                    "text follows its JSON document; if it is JSON Lines, leave property out of the dialect, else have it sent as one "
                    + "document"
            case .ambiguous:
                return
                    "a member on the path to its list of records occurs twice, and readers disagree about which one counts; have "
                    + "it sent with each member once"
            case nil:
                if place == .inside || place == .string || place == .escape || !envelope.isComplete {
                    return "its JSON ends before its end: the file seems to be cut off; have it sent again"
                }
                if !envelope.isFound { return "it has no list of records where the dialect's property says" }
                return nil
            }
        }
        if place != .after { return "its JSON array is not closed: the file seems to be cut off; have it sent again" }
        if hasMore { return "text follows its JSON array; have it sent as one array, or as JSON Lines" }
        return nil
    }

    /// Whether a text is one array of records.
    ///
    /// A row of JSON Lines begins with a brace. Where rows are arrays, a row begins with one bracket and a list of rows
    /// with two.
    ///
    /// - Parameters:
    ///   - bytes: the beginning of the text.
    ///   - ofArrays: whether rows are arrays.
    /// - Returns: nil while `bytes` do not decide it.
    package static func isArray(_ bytes: Span<UInt8>, ofArrays: Bool) -> Bool? {
        var at = TextEncoding(mark: bytes) == .utf8 ? 3 : 0
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        if at == bytes.count { return nil }
        if bytes[at] != 0x5B || !ofArrays { return bytes[at] == 0x5B }
        at += 1
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        return at < bytes.count ? bytes[at] == 0x5B : nil
    }

    /// Whether text follows the array.
    private var hasMore = false

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D && byte != 0x0B && byte != 0x0C)
    }

    /// Rewrites a piece in place, from an offset on.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - start: offset of the piece.
    package mutating func frame(_ bytes: inout [UInt8], from start: Int) {
        var span = bytes.mutableSpan
        for at in start..<span.count {
            let byte = span[at]
            switch place {
            case .string:
                // A raw line end inside a string is invalid; left as it is, it would split the row.
                if byte == 0x0A { span[at] = 0x01 }
                if byte == 0x5C { place = .escape } else if byte == 0x22 { place = .inside }
            case .escape:
                if byte == 0x0A { span[at] = 0x01 }
                place = .string
            case .before, .after:
                guard envelope == nil else {
                    // The text around the array becomes blank lines.
                    span[at] = 0x0A
                    if envelope?.take(byte) == .list { place = .inside }
                    continue
                }
                if place == .after {
                    if !Self.isSpace(byte) { hasMore = true }
                } else if byte == 0x5B {
                    place = .inside
                    span[at] = 0x20
                } else if byte == 0x0A || byte == 0x0D {
                    span[at] = 0x20
                }
            case .inside: span[at] = inside(byte)
            }
        }
    }

    private mutating func inside(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x0A, 0x0D: return 0x20
        case 0x20, 0x09: return byte
        case 0x22: place = .string
        case 0x5B, 0x7B: depth += 1
        case 0x7D where depth > 0: depth -= 1
        case 0x5D where depth > 0: depth -= 1
        case 0x2C where depth == 0:
            // A comma without an element before it spoils the next element.
            guard hasElement else { break }
            (hasElement, hasComma) = (false, true)
            return 0x0A
        case 0x5D:
            place = .after
            envelope?.closeList()
            // So does a comma after the last element.
            return hasComma && !hasElement ? byte : 0x0A
        default: break
        }
        hasElement = true
        return byte
    }
}
