/// A JSON document as a value: configuration, contracts, ledger bodies and reports, never rows of data.
///
/// Integers and other numbers are separate cases, because a ledger body may contain integers only: its canonical form
/// (RFC 8785) avoids floating-point numbers, whose text differs between implementations.
package enum JSONValue: Sendable, Equatable {
    /// The literal `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number that fits 64 bits.
    case integer(Int64)
    /// Any other finite number.
    case number(Double)
    /// A Unicode string.
    case string(String)
    /// An ordered list.
    case array([JSONValue])
    /// Members by key; their order is not kept.
    case object([String: JSONValue])
}

extension JSONValue {
    /// The member named `key` of an object, else nil.
    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    /// The text of a string, else nil.
    package var text: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The value of an integer, else nil.
    package var whole: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The value of an integer or number as a double, else nil.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a boolean, else nil.
    package var flag: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The elements of an array, else nil.
    package var items: [JSONValue]? {
        if case .array(let value) = self { return value }
        return nil
    }

    /// The members of an object, else nil.
    package var members: [String: JSONValue]? {
        if case .object(let value) = self { return value }
        return nil
    }
}
