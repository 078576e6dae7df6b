import Schemas
import Tabular

/// A masked range of a value of a row.
struct MaskedSpan {
    /// The column, by its place in the layout.
    var column: Int
    /// Its range in the masked value, in Unicode scalars.
    var range: Range<Int>
    /// The entity's name.
    var entity: String
    /// The operator that was applied.
    var operation: MaskOperator
}

/// The column of a shard that lists the masked ranges of each row: objects with the members of Presidio's
/// `OperatorResult` (`start`, `end` in code points, `entity_type`, `operator`), the field, and its JSON Pointer if it
/// is inside a member.
struct SpanColumn: Sendable {
    /// The column's name as it stands in a header, and as the key of a member.
    let label: [UInt8], key: [UInt8]
    private let fields: [[UInt8]]
    private let delimiter: UInt8?

    /// The column that a contract declares, or nil.
    ///
    /// - Parameter delimiter: nil for JSON.
    init?(_ schema: Schema, _ layout: Layout, delimiter: UInt8?) throws(UnusableMask) {
        guard let name = schema.personalData.spansColumn else { return nil }
        if layout.columns.contains(name) && schema.unknownFields != .drop
            || layout.format == .jsonl && schema.unknownFields == .keep
        {
            throw UnusableMask(
                reason:
                    "sluice.pii.spans names a new column, and the file has one of that name, or members that unknownFields: keep lets "
                    + "through may have it; choose another name, or reject what the contract does not name",
                isContract: true)
        }
        var label: [UInt8] = []
        var key: [UInt8] = []
        if let delimiter { appendCSV(Array(name.utf8), wasQuoted: false, delimiter, &label) }
        appendJSONString(Array(name.utf8), &key)
        self.label = label
        self.key = key
        self.delimiter = delimiter
        fields = zip(layout.columns, layout.fieldOfColumn).map { column, field in
            var text: [UInt8] = []
            appendJSONString(Array(column.utf8), &text)
            guard layout.format == .jsonl, let field, let path = schema.fields[field].path else { return text }
            // A JSON Pointer (RFC 6901).
            let tokens = path.map {
                "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1")
            }
            text += Array(",\"path\":".utf8)
            appendJSONString(Array(tokens.joined().utf8), &text)
            return text
        }
    }

    /// Ascending ranges of a value's bytes as ranges of its Unicode scalars.
    static func scalars(_ value: [UInt8], _ ranges: [Range<Int>]) -> [Range<Int>] {
        var (at, count) = (0, 0)
        func scalars(before end: Int) -> Int {
            while at < end {
                if value[at] & 0xC0 != 0x80 { count += 1 }
                at += 1
            }
            return count
        }
        return ranges.map { range in
            let start = scalars(before: range.lowerBound)
            return start..<scalars(before: range.upperBound)
        }
    }

    /// Appends the column's value to a row that was written to `out` from `rowStart` on, without its line end.
    func append(_ spans: [MaskedSpan], rowStart: Int, to out: inout [UInt8]) {
        var text = [UInt8(ascii: "[")]
        for span in spans.sorted(by: { ($0.column, $0.range.lowerBound) < ($1.column, $1.range.lowerBound) }) {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text += Array("{\"field\":".utf8) + fields[span.column]
            text += ",\"start\":\(span.range.lowerBound),\"end\":\(span.range.upperBound)".utf8
            text += ",\"entity_type\":\"\(span.entity)\",\"operator\":\"\(span.operation.rawValue)\"}".utf8
        }
        text.append(UInt8(ascii: "]"))
        if let delimiter {
            out.append(delimiter)
            return appendCSV(text, wasQuoted: false, delimiter, &out)
        }
        // The member goes before the closing brace, which spaces may follow.
        guard let end = out[rowStart...].lastIndex(of: UInt8(ascii: "}")) else { return }
        let last = out[rowStart..<end].last { $0 > 0x20 }
        out.insert(contentsOf: (last == UInt8(ascii: "{") ? [] : [0x2C]) + key + [0x3A] + text, at: end)
    }
}
