package import Schemas

extension Dates {
    /// A date as it stands in a text, before its time zone is applied.
    package struct WrittenDate: Sendable {
        /// Days since 1970-01-01.
        package var days: Int64
        /// Where its parts stand, each with the letter of its directive (`Y`, `y`, `m`, `b`, `B`, `d`); for a date in
        /// ISO 8601 or with its year first, nothing but the place of the whole date, under `F`.
        package var parts: [(directive: UInt8, place: Range<Int>)]
    }

    /// The date in a value of a field, with the places of its parts, so that it can be written again in the same way;
    /// nil when there is none. `parts` is empty where the words of a date are in no order that is known.
    package static func date(in bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> WrittenDate? {
        switch type {
        case .date(.pattern(let pattern)), .datetime(.pattern(let pattern)):
            var places: [(directive: UInt8, place: Range<Int>)] = []
            guard let parts = PatternReader.read(bytes, range, pattern, note: { places.append(($0, $1)) }),
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
            // In texts too, before a T or a space.
            guard range.count == 10 || range.count > 10 && [0x20, 0x54].contains(bytes[range.lowerBound + 10]),
                let days = DateCursor(range).isoDate(bytes)
            else { return nil }
            return WrittenDate(
                days: days, parts: [(UInt8(ascii: "F"), range.lowerBound..<range.lowerBound + 10)])
        }
    }
}
