/// The type of a field, with its format where the standard has one (Table Schema 2.0).
package enum FieldType: Sendable, Equatable {
    /// Text; `format` is default, email, uri or uuid.
    case string(StringFormat)
    /// A whole number of any size; values beyond 64 bits are kept as text.
    case integer
    /// A decimal number.
    case number
    /// One of the declared words for true or false.
    case boolean
    /// A calendar date.
    case date(DatePattern)
    /// A time of day.
    case time(DatePattern)
    /// A date and time.
    case datetime(DatePattern)
    /// A calendar year.
    case year
    /// Any value.
    case any
    /// A JSON object.
    case object
    /// A JSON array.
    case array
    /// Items separated by a delimiter.
    case list(ListForm)
    /// A month of a certain year.
    case yearmonth
    /// An ISO 8601 duration.
    case duration
    /// A geographic point.
    case geopoint(GeopointFormat)
    /// GeoJSON, or TopoJSON.
    case geojson(isTopology: Bool)

    /// Whether values are dates, times or years.
    package var isMoment: Bool {
        switch self {
        case .date, .time, .datetime, .year, .yearmonth, .duration: true
        default: false
        }
    }

    /// Whether values are instants, to the microsecond.
    package var isPoint: Bool {
        switch self {
        case .date, .time, .datetime: true
        default: false
        }
    }

    /// The type's name in the standard.
    package var name: String {
        switch self {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .date: "date"
        case .time: "time"
        case .datetime: "datetime"
        case .year: "year"
        case .any: "any"
        case .object: "object"
        case .array: "array"
        case .list: "list"
        case .yearmonth: "yearmonth"
        case .duration: "duration"
        case .geopoint: "geopoint"
        case .geojson: "geojson"
        }
    }

    /// Whether values are JSON, also inside CSV cells.
    package var isJSON: Bool {
        switch self {
        case .object, .array, .geojson: true
        default: false
        }
    }

    /// The format's name in the standard; nil for the default format.
    package var format: String? {
        switch self {
        case .string(let format) where format != .default: format.rawValue
        case .date(.pattern(let pattern)), .time(.pattern(let pattern)), .datetime(.pattern(let pattern)): pattern
        case .date(.any), .time(.any), .datetime(.any): "any"
        case .geopoint(let format) where format != .default: format.rawValue
        case .geojson(isTopology: true): "topojson"
        default: nil
        }
    }
}

/// The `format` of a string field.
package enum StringFormat: String, Sendable {
    case `default`
    case email
    case uri
    case uuid
    /// Base64.
    case binary
    /// Well-known text of a geometry (WKT).
    case wkt
}

/// The notation of a point: `lon, lat`, a JSON array of both, or a JSON object with both.
package enum GeopointFormat: String, Sendable, CaseIterable {
    case `default`, array, object
}

/// The notation of a list.
package struct ListForm: Sendable, Equatable {
    /// The type of the items.
    package enum Item: String, Sendable, CaseIterable {
        case string, integer, boolean, number, datetime, date, time
    }

    /// The separator between items.
    package var delimiter = ","
    /// The type of the items, each in its default format.
    package var item = Item.string

    /// Texts separated by commas.
    package init() {}
}

/// The notation of a date, time or datetime.
package enum DatePattern: Sendable, Equatable {
    /// The standard's default: RFC 3339 / ISO 8601 extended.
    case iso
    /// A `strptime` pattern of the declared kind, such as `%d/%m/%Y`.
    case pattern(String)
    /// The default, or an unambiguous notation: months by name, hours with am or pm. Day and month are never guessed.
    case any
}
