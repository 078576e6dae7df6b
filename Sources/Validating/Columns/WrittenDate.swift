package import Schemas

extension Dates {
    /// A date in a text, before its time zone is applied.
    package struct WrittenDate: Sendable {
        /// Days since 1970-01-01.
        package var days: Int64
        /// The places of its parts, each with the letter of its directive (`Y`, `y`, `m`, `b`, `B`, `d`). For ISO 8601
        /// and dates with the year first: only the whole date, under `F`.
        package var parts: [(directive: UInt8, place: Range<Int>)]
    }

    /// The date in a value, with the places of its parts, so that it can be rewritten in the same notation.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the value in it.
    ///   - type: the field's type.
    /// - Returns: nil without a date. `parts` is empty where the order of its words is unknown.
    package static func date(in bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> WrittenDate? {
        switch type {
        case .date(.pattern(let pattern)), .datetime(.pattern(let pattern)):
            var places: [(directive: UInt8, place: Range<Int>)] = []
            guard let parts = PatternReader.read(range, of: bytes, by: pattern, note: { places.append(($0, $1)) }),
                let days = days(parts.year, parts.month, parts.dayOfMonth)
            else { return nil }
            return WrittenDate(days: days, parts: places.filter { "YymbBd".utf8.contains($0.directive) })
        case .date(.any), .datetime(.any):
            var cursor = DateCursor(range)
            if let days = cursor.yearFirst(bytes), value(bytes, range, type) != nil {
                return WrittenDate(days: days, parts: [(UInt8(ascii: "F"), range.lowerBound..<cursor.at)])
            }
            guard let moment = value(bytes, range, type) else { return nil }
            return WrittenDate(days: (moment - (moment % day + day) % day) / day, parts: [])
        default:
            // Before a T or a space too.
            guard range.count == 10 || range.count > 10 && [0x20, 0x54].contains(bytes[range.lowerBound + 10]),
                let days = DateCursor(range).isoDate(bytes)
            else { return nil }
            return WrittenDate(
                days: days, parts: [(UInt8(ascii: "F"), range.lowerBound..<range.lowerBound + 10)])
        }
    }
}
