import Tabular

/// Parses a JSON document around a list of records byte by byte (RFC 8259), in constant memory, and finds the list.
///
/// Text around the list is only checked. A name on the path that occurs twice in an object is a fault: some readers
/// would take the first list, others the last.
struct JSONEnvelope {
    /// The part of the document that a byte belongs to.
    enum Part {
        /// The text around the list.
        case around
        /// The list's opening bracket; call `closeList` after the closing one.
        case list
    }

    /// Why the document cannot be read.
    enum Fault: Equatable {
        /// The text breaks JSON's grammar.
        case malformed
        /// A name on the path occurs twice in one object.
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
    /// Open brackets, innermost last.
    private var open: [UInt8] = []
    /// Names of the path that lead to the innermost open object.
    private var matched = 0
    /// By name of the path, whether it occurred.
    private var isSeen: [Bool]
    /// Whether the last key is the path's next name.
    private var isOnPath = false
    /// The current key or scalar, up to `tokenKept` bytes.
    private var token: [UInt8] = []
    private(set) var fault: Fault?
    /// Whether the list was found.
    var isFound: Bool { isSeen.last == true && hasList }
    private var hasList = false

    /// Bytes of a byte order mark so far, while one may stand here; nil afterwards.
    private var markSeen: Int? = 0
    /// Continuation bytes that the current character still needs, and the range of the next one (RFC 3629, section 4).
    private var continuation = (count: 0, low: UInt8(0x80), high: UInt8(0xBF))
    /// The code unit of an escape, and whether the one before was a high surrogate.
    private var unit: UInt32 = 0
    private var isHalf = false

    private static let maxDepth = 512
    private static let tokenKept = 4096

    init(_ path: [String]) {
        self.path = path.map { Array($0.utf8) }
        isSeen = path.map { _ in false }
    }

    /// Whether the document is complete.
    var isComplete: Bool {
        if case .nothing = expected { return fault == nil }
        return false
    }

    /// Takes the next byte outside the list.
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

    /// Keeps a byte of the current key, up to one more than `tokenKept`.
    private mutating func keep(_ byte: UInt8, _ isKey: Bool) {
        if isKey, token.count <= Self.tokenKept { token.append(byte) }
    }

    /// Checks UTF-8 (RFC 3629, section 4).
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

    /// Checks that a surrogate has its other half.
    private mutating func pair() {
        let isLow = unit & 0xFC00 == 0xDC00
        if isHalf != isLow { fault = .malformed }
        isHalf = unit & 0xFC00 == 0xD800
    }

    /// A byte inside a string.
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

    /// A byte outside strings and scalars.
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

    /// The first byte of a value.
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

    /// A key has ended: finds out whether it continues the path.
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
