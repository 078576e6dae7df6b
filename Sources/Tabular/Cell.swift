/// The kind of token that a cell was in the source.
@frozen public enum CellKind: UInt8, Sendable {
    /// No such cell: a JSON member that is missing, or a cell of a row that could not be split.
    case absent = 0
    /// CSV text without quotes.
    case bare = 1
    /// CSV text between quotes, or a JSON string.
    case quoted = 2
    /// A JSON number, as its lexeme.
    case number = 3
    /// JSON `true` or `false`.
    case boolean = 4
    /// JSON `null`.
    case null = 5
    /// A JSON object, as its source text.
    case object = 6
    /// A JSON array, as its source text.
    case array = 7
}

extension CellKind {
    /// The kind in the high four bits of a cell's last word. It is a switch, because that is inlined where `rawValue`
    /// is not.
    @inlinable public var tag: UInt32 {
        switch self {
        case .absent: 0
        case .bare: 1 << 28
        case .quoted: 2 << 28
        case .number: 3 << 28
        case .boolean: 4 << 28
        case .null: 5 << 28
        case .object: 6 << 28
        case .array: 7 << 28
        }
    }
}

/// One cell: where its value and its source text lie in `RowBlock.bytes`.
///
/// 16 bytes. The value of a quoted cell lies between the quotes; if escapes had to be decoded, it lies after the rows
/// in `RowBlock.bytes`.
@frozen public struct Cell: Sendable, Equatable {
    /// First byte of the value.
    public var start: UInt32
    /// First byte past the value.
    public var end: UInt32
    /// First byte of the source text, quotes included.
    public var rawStart: UInt32
    /// Source end in the low 28 bits, kind in the high four.
    @usableFromInline var tagged: UInt32

    /// Makes a cell; offsets are into `RowBlock.bytes` and below 2^28.
    @inlinable public init(kind: CellKind, start: Int, end: Int, rawStart: Int, rawEnd: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
        self.rawStart = UInt32(truncatingIfNeeded: rawStart)
        self.tagged = UInt32(truncatingIfNeeded: rawEnd) | kind.tag
    }

    /// The cell of a missing member.
    @inlinable public static var absent: Cell { Cell(kind: .absent, start: 0, end: 0, rawStart: 0, rawEnd: 0) }

    /// First byte past the source text.
    @inlinable public var rawEnd: Int { Int(tagged & 0x0FFF_FFFF) }
    /// The kind of token.
    public var kind: CellKind { CellKind(rawValue: UInt8(tagged >> 28)) ?? .absent }
    /// The value's bytes as a range of `RowBlock.bytes`.
    @inlinable public var range: Range<Int> { Int(start)..<Int(end) }

    // These are inlined into other rooms, since they are called for every cell: a call or an enum comparison there
    // would cost more than the check itself. They are public only for that: Swift 6.3 does not inline `package`
    // declarations, whatever their attributes.

    /// Whether there is no value at all: absent or JSON null.
    @inlinable public var isNothing: Bool { tagged >> 28 == 0 || tagged >> 28 == 5 }
    /// Whether the cell is missing in the source.
    @inlinable public var isAbsent: Bool { tagged >> 28 == 0 }
    /// Whether it is a JSON object or array.
    @inlinable public var isNested: Bool { tagged >> 28 >= 6 }
    /// Whether it is CSV text or a JSON string.
    @inlinable public var isText: Bool { tagged >> 28 == 1 || tagged >> 28 == 2 }
    /// Whether it was between quotes.
    @inlinable public var isQuoted: Bool { tagged >> 28 == 2 }
    /// Whether it is a JSON number.
    @inlinable public var isNumber: Bool { tagged >> 28 == 3 }
    /// Whether it is JSON true or false.
    @inlinable public var isBoolean: Bool { tagged >> 28 == 4 }
}
