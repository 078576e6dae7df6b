import Tabular

/// A JSON document around a list of records: follows the grammar (RFC 8259) byte by byte, in constant memory, and finds
/// where the list begins.
///
/// Text around the list is checked for its grammar and is no data. A second member of the same name on the path is a
/// fault: one reader would take the first list, another the last.
struct JSONEnvelope {
    /// The role of a byte.
    enum Part {
        /// Text around the list.
        case around
        /// The list's opening bracket; call `closeList` behind the closing one.
        case list
    }

    /// Why the document cannot be read.
    enum Fault: Equatable {
        /// The text breaks JSON's grammar.
        case malformed
        /// A name of the path stands twice in one object.
        case ambiguous
        /// Text follows the document.
        case more
    }

    private enum Expected {
        case value, itemOrEnd, keyOrEnd, key, colon, commaOrEnd, nothing
        case string(isKey: Bool)
        case escape(isKey: Bool)
        case digits(Int, isKey: Bool)
        case scalar
    }

    private let path: [[UInt8]]
    private var expected = Expected.value
    /// Open brackets.
    private var open: [UInt8] = []
    /// Names of the path that lead to the innermost open object.
    private var matched = 0
    /// For each name of the path, whether it was seen.
    private var isSeen: [Bool]
    /// Whether the key just read is the path's next name.
    private var isOnPath = false
    /// The source text of the key or scalar at hand, up to `tokenKept` bytes.
    private var token: [UInt8] = []
    private(set) var fault: Fault?
    /// Whether the list was found.
    var isFound: Bool { isSeen.last == true && hasList }
    private var hasList = false

    /// Bytes of a byte order mark that were seen, while one may stand here.
    private var markSeen: Int? = 0
    /// Continuation bytes that the character at hand still needs, and the range of the next (RFC 3629, 4).
    private var continuation = (count: 0, low: UInt8(0x80), high: UInt8(0xBF))
    /// The code unit of an escape, and whether the one before was the first half of a pair.
    private var unit: UInt32 = 0
    private var isHalf = false

    private static let maxDepth = 512
    private static let tokenKept = 4096

    init(_ path: [String]) {
        self.path = path.map { Array($0.utf8) }
        isSeen = path.map { _ in false }
    }

    /// Whether the document is whole.
    var isComplete: Bool {
        if case .nothing = expected { return fault == nil }
        return false
    }

    /// Takes the next byte outside of the list.
    mutating func take(_ byte: UInt8) -> Part {
        if fault != nil { return .around }
        if let seen = markSeen {
            if seen < 3, byte == [0xEF, 0xBB, 0xBF][seen] {
                markSeen = seen + 1
                return .around
            }
            if seen == 1 || seen == 2 { fault = .malformed }
            markSeen = nil
        }
        if byte >= 0x80 || continuation.count > 0 { follow(byte) }
        switch expected {
        case .string(let isKey): string(byte, isKey)
        case .escape(let isKey):
            keep(byte, isKey)
            if isHalf, byte != 0x75 { fault = .malformed }
            if byte == 0x75 {
                unit = 0
                expected = .digits(4, isKey: isKey)
            } else if [0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74].contains(byte) {
                expected = .string(isKey: isKey)
            } else {
                fault = .malformed
            }
        case .digits(let left, let isKey):
            keep(byte, isKey)
            let letter = (byte | 0x20) &- 0x61
            if byte &- 0x30 >= 10, letter >= 6 { fault = .malformed }
            unit = unit << 4 | UInt32(letter < 6 ? letter + 10 : byte & 0x0F)
            if left == 1 { pair() }
            expected = left > 1 ? .digits(left - 1, isKey: isKey) : .string(isKey: isKey)
        case .scalar:
            if byte == 0x2C || byte == 0x5D || byte == 0x7D || isSpace(byte) {
                endScalar()
                return take(byte)
            }
            token.append(byte)
            // Longer than any number in use.
            if token.count > Self.tokenKept { fault = .malformed }
        default: return structure(byte)
        }
        return .around
    }

    /// The list was closed.
    mutating func closeList() {
        endValue()
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private mutating func keep(_ byte: UInt8, _ isKey: Bool) {
        if isKey, token.count <= Self.tokenKept { token.append(byte) }
    }

    /// Checks UTF-8 (RFC 3629, 4).
    private mutating func follow(_ byte: UInt8) {
        if continuation.count > 0 {
            if byte < continuation.low || byte > continuation.high { fault = .malformed }
            continuation = (continuation.count - 1, 0x80, 0xBF)
            return
        }
        switch byte {
        case 0xC2...0xDF: continuation = (1, 0x80, 0xBF)
        case 0xE0: continuation = (2, 0xA0, 0xBF)
        case 0xED: continuation = (2, 0x80, 0x9F)
        case 0xE1...0xEF: continuation = (2, 0x80, 0xBF)
        case 0xF0: continuation = (3, 0x90, 0xBF)
        case 0xF1...0xF3: continuation = (3, 0x80, 0xBF)
        case 0xF4: continuation = (3, 0x80, 0x8F)
        default: fault = .malformed
        }
    }

    /// A surrogate has its other half.
    private mutating func pair() {
        let isLow = unit & 0xFC00 == 0xDC00
        if isHalf != isLow { fault = .malformed }
        isHalf = unit & 0xFC00 == 0xD800
    }

    private mutating func string(_ byte: UInt8, _ isKey: Bool) {
        if isHalf, byte != 0x5C { fault = .malformed }
        switch byte {
        case 0x22 where isKey: endKey()
        case 0x22: endValue()
        case 0x5C:
            keep(byte, isKey)
            expected = .escape(isKey: isKey)
        case 0..<0x20: fault = .malformed
        default: keep(byte, isKey)
        }
    }

    private mutating func structure(_ byte: UInt8) -> Part {
        if isSpace(byte) { return .around }
        switch (expected, byte) {
        case (.keyOrEnd, 0x22), (.key, 0x22):
            token.removeAll(keepingCapacity: true)
            expected = .string(isKey: true)
        case (.colon, 0x3A): expected = .value
        case (.commaOrEnd, 0x2C): expected = open.last == 0x7B ? .key : .value
        case (.commaOrEnd, 0x7D) where open.last == 0x7B, (.keyOrEnd, 0x7D): close()
        case (.commaOrEnd, 0x5D) where open.last == 0x5B, (.itemOrEnd, 0x5D): close()
        case (.value, _), (.itemOrEnd, _): return begin(byte)
        case (.nothing, _): fault = .more
        default: fault = .malformed
        }
        return .around
    }

    private mutating func begin(_ byte: UInt8) -> Part {
        let wasOnPath = isOnPath
        isOnPath = false
        switch byte {
        case 0x5B where wasOnPath && matched + 1 == path.count:
            hasList = true
            return .list
        case 0x5B, 0x7B:
            if open.count == Self.maxDepth { fault = .malformed }
            // The path leads through objects only, from the outermost on.
            if byte == 0x7B, wasOnPath { matched += 1 }
            open.append(byte)
            expected = byte == 0x7B ? .keyOrEnd : .itemOrEnd
        case 0x22: expected = .string(isKey: false)
        default:
            token = [byte]
            expected = .scalar
        }
        return .around
    }

    private mutating func endKey() {
        expected = .colon
        guard open.count == matched + 1, open.allSatisfy({ $0 == 0x7B }), matched < path.count else { return }
        var name: [UInt8] = []
        guard decodeJSONString(token.span, 0..<token.count, into: &name) else {
            fault = .malformed
            return
        }
        if name != path[matched] { return }
        if isSeen[matched] { fault = .ambiguous }
        isSeen[matched] = true
        isOnPath = true
    }

    private mutating func endScalar() {
        if JSONSkimmer.scalarKind(token.span, 0, token.count) == nil { fault = .malformed }
        endValue()
    }

    private mutating func endValue() {
        expected = open.isEmpty ? .nothing : .commaOrEnd
    }

    private mutating func close() {
        open.removeLast()
        if open.count <= matched, matched > 0 { matched -= 1 }
        endValue()
    }
}
