/// A JSON document whose long lists are generated while it is written, so a report of millions of findings is never in
/// memory as a whole.
package indirect enum JSONOutline {
    /// A value in memory.
    case value(JSONValue)
    /// An object with a member that may be long.
    case object([String: JSONOutline])
    /// An array with an element that may be long.
    case array([JSONOutline])
    /// A long array, generated one element at a time.
    case list(AnySequence<JSONValue>)

    /// An object with one more member, which is long.
    package init(_ members: [String: JSONValue], adding more: [String: JSONOutline]) {
        self = .object(members.mapValues { .value($0) }.merging(more) { $1 })
    }

    /// Passes the text on piece by piece. Each piece has a few pages and only whole characters. Together they equal the
    /// text that `JSONValue.text(pretty:)` gives for the same document.
    package func write(pretty: Bool, to sink: ([UInt8]) -> Void) {
        var writer = JSONWriter(isPretty: pretty, isCanonical: false)
        writer.write(self, depth: 0, sink)
        if !writer.bytes.isEmpty { sink(writer.bytes) }
    }
}

extension JSONWriter {
    private static let pieceBytes = 1 << 16

    fileprivate mutating func write(_ outline: JSONOutline, depth: Int, _ sink: ([UInt8]) -> Void) {
        switch outline {
        case .value(let value): write(value, depth: depth)
        case .object(let members):
            bytes.append(0x7B)
            for (index, key) in members.keys.sorted(by: Self.precedes).enumerated() {
                guard let member = members[key] else { continue }
                begin(element: index, depth)
                write(key)
                bytes.append(0x3A)
                if isPretty { bytes.append(0x20) }
                write(member, depth: depth + 1, sink)
            }
            end(0x7D, isEmpty: members.isEmpty, depth)
        case .array(let items):
            bytes.append(0x5B)
            for (index, item) in items.enumerated() {
                begin(element: index, depth)
                write(item, depth: depth + 1, sink)
            }
            end(0x5D, isEmpty: items.isEmpty, depth)
        case .list(let items):
            bytes.append(0x5B)
            var count = 0
            for item in items {
                begin(element: count, depth)
                write(item, depth: depth + 1)
                count += 1
                if bytes.count >= Self.pieceBytes {
                    sink(bytes)
                    bytes.removeAll(keepingCapacity: true)
                }
            }
            end(0x5D, isEmpty: count == 0, depth)
        }
    }

    private mutating func begin(element index: Int, _ depth: Int) {
        if index > 0 { bytes.append(0x2C) }
        breakLine(depth + 1)
    }

    private mutating func end(_ mark: UInt8, isEmpty: Bool, _ depth: Int) {
        if !isEmpty { breakLine(depth) }
        bytes.append(mark)
    }
}
