package import Tabular

/// Well-known text of geometries, points on earth, GeoJSON and TopoJSON.
extension Formats {
    private static let geometries: Set<String> = [
        "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
        "CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "MULTICURVE", "MULTISURFACE", "POLYHEDRALSURFACE", "TIN",
        "TRIANGLE",
    ]

    /// The well-known text of a geometry (ISO 19125-1, ISO 13249-3).
    package static func isWKT(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        return tagged(bytes, &at, range.upperBound, depth: 0) && skip(bytes, at, range.upperBound) == range.upperBound
    }

    private static func skip(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var at = start
        while at < end, bytes[at] == 0x20 || (bytes[at] >= 0x09 && bytes[at] <= 0x0D) { at += 1 }
        return at
    }

    private static func word(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> String {
        at = skip(bytes, at, end)
        var letters: [UInt8] = []
        while at < end, (bytes[at] | 0x20) &- 0x61 < 26, letters.count < 24 {
            letters.append(bytes[at] & 0xDF)
            at += 1
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// A geometry with its tag, such as `POINT Z (…)`; recursive for collections, up to a fixed depth.
    private static func tagged(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int, depth: Int) -> Bool {
        guard geometries.contains(word(bytes, &at, end)), depth < 16 else { return false }
        var before = at
        var more = word(bytes, &at, end)
        if ["Z", "M", "ZM"].contains(more) {
            before = at
            more = word(bytes, &at, end)
        }
        if more == "EMPTY" { return true }
        at = before
        return more.isEmpty && body(bytes, &at, end, depth: depth)
    }

    /// The coordinates or nested lists of a geometry.
    private static func body(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int, depth: Int) -> Bool {
        at = skip(bytes, at, end)
        guard at < end, bytes[at] == 0x28, depth < 16 else { return false }
        repeat {
            at = skip(bytes, at + 1, end)
            guard at < end else { return false }
            if bytes[at] == 0x28 {
                guard body(bytes, &at, end, depth: depth + 1) else { return false }
            } else if (bytes[at] | 0x20) &- 0x61 < 26 {
                guard tagged(bytes, &at, end, depth: depth + 1) else { return false }
            } else {
                guard (2...4).contains(coordinates(bytes, &at, end)) else { return false }
            }
            at = skip(bytes, at, end)
        } while at < end && bytes[at] == 0x2C
        guard at < end, bytes[at] == 0x29 else { return false }
        at += 1
        return true
    }

    /// The number of coordinates in a row.
    private static func coordinates(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int {
        var count = 0
        while at < end, bytes[at] != 0x2C, bytes[at] != 0x29 {
            let first = at
            while at < end, bytes[at] &- 0x30 < 10 || [0x2B, 0x2D, 0x2E, 0x65, 0x45].contains(bytes[at]) { at += 1 }
            guard at > first, coordinate(bytes, first..<at) != nil else { return 0 }
            count += 1
            at = skip(bytes, at, end)
        }
        return count
    }

    private static func coordinate(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        guard range.count <= 64 else { return nil }
        return Double(String(decoding: range.map { bytes[$0] }, as: UTF8.self))
    }

    // MARK: Places on earth

    /// `lon, lat` in degrees, the default format of `geopoint`.
    package static func isGeopoint(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let comma = range.first(where: { bytes[$0] == 0x2C }) else { return false }
        func number(_ first: Int, _ last: Int) -> Double? {
            let start = skip(bytes, first, last)
            guard start < last, (bytes[start] | 0x20) &- 0x61 >= 26 else { return nil }
            return coordinate(bytes, start..<last)
        }
        guard let longitude = number(range.lowerBound, comma), let latitude = number(comma + 1, range.upperBound) else {
            return false
        }
        return isOnEarth(longitude, latitude)
    }

    /// Whether longitude and latitude are in range: ±180 and ±90 degrees.
    private static func isOnEarth(_ longitude: Double, _ latitude: Double) -> Bool {
        longitude.magnitude <= 180 && latitude.magnitude <= 90
    }

    /// `[lon, lat]`.
    package static func isGeopoint(array tape: JSONTape) -> Bool {
        guard tape.values[0].kind == .array, tape.values[0].count == 2 else { return false }
        let numbers = tape.places(in: 0).compactMap { number(tape, $0) }
        return numbers.count == 2 && isOnEarth(numbers[0], numbers[1])
    }

    /// `{"lon": …, "lat": …}` without other members.
    package static func isGeopoint(object tape: JSONTape) -> Bool {
        guard tape.values[0].kind == .object, tape.values[0].count == 2,
            let longitude = tape.member(Array("lon".utf8), of: 0).flatMap({ number(tape, $0) }),
            let latitude = tape.member(Array("lat".utf8), of: 0).flatMap({ number(tape, $0) })
        else { return false }
        return isOnEarth(longitude, latitude)
    }

    private static func number(_ tape: JSONTape, _ place: Int) -> Double? {
        guard tape.values[place].kind == .number else { return nil }
        return Double(String(decoding: tape.text[tape.values[place].range], as: UTF8.self))
    }

    // MARK: GeoJSON

    /// A GeoJSON object (RFC 7946): its types and the nesting of its coordinates.
    package static func isGeoJSON(_ tape: JSONTape, _ place: Int = 0) -> Bool {
        guard let type = type(of: place, tape) else { return false }
        func member(_ name: String) -> Int? { tape.member(Array(name.utf8), of: place) }
        switch type {
        case "FeatureCollection":
            guard let features = member("features"), tape.values[features].kind == .array else { return false }
            return tape.places(in: features).allSatisfy { self.type(of: $0, tape) == "Feature" && isGeoJSON(tape, $0) }
        case "Feature":
            guard let geometry = member("geometry"), let properties = member("properties") else { return false }
            let isNamed = [.object, .null].contains(tape.values[properties].kind)
            return isNamed && (tape.values[geometry].kind == .null || isGeometry(tape, geometry))
        default: return isGeometry(tape, place)
        }
    }

    private static func type(of place: Int, _ tape: JSONTape) -> String? {
        guard tape.values[place].kind == .object, let type = tape.member(Array("type".utf8), of: place),
            tape.values[type].kind == .string
        else { return nil }
        return tape.string(type)
    }

    private static func isGeometry(_ tape: JSONTape, _ place: Int) -> Bool {
        guard let type = type(of: place, tape) else { return false }
        if type == "GeometryCollection" {
            guard let parts = tape.member(Array("geometries".utf8), of: place), tape.values[parts].kind == .array else {
                return false
            }
            return tape.places(in: parts).allSatisfy { isGeometry(tape, $0) }
        }
        let depths = [
            "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
        ]
        guard let depth = depths[type], let coordinates = tape.member(Array("coordinates".utf8), of: place) else {
            return false
        }
        return isNested(tape, coordinates, depth)
    }

    /// Nested lists with positions of two or more numbers at the bottom.
    private static func isNested(_ tape: JSONTape, _ place: Int, _ depth: Int) -> Bool {
        guard tape.values[place].kind == .array else { return false }
        let items = tape.places(in: place)
        if depth > 0 { return items.allSatisfy { isNested(tape, $0, depth - 1) } }
        return items.count >= 2 && items.allSatisfy { tape.values[$0].kind == .number }
    }

    /// A TopoJSON object: a topology or one of its geometries.
    package static func isTopoJSON(_ tape: JSONTape, _ place: Int = 0) -> Bool {
        func member(_ name: String) -> Int? { tape.member(Array(name.utf8), of: place) }
        switch type(of: place, tape) {
        case "Topology":
            guard let arcs = member("arcs"), let objects = member("objects"), tape.values[objects].kind == .object
            else {
                return false
            }
            return isNested(tape, arcs, 2)
                && tape.places(in: objects).allSatisfy { isTopoJSON(tape, $0 + 1) }
        case "GeometryCollection":
            guard let parts = member("geometries"), tape.values[parts].kind == .array else { return false }
            return tape.places(in: parts).allSatisfy { isTopoJSON(tape, $0) }
        case "Point": return member("coordinates").map { isNested(tape, $0, 0) } ?? false
        case "MultiPoint": return member("coordinates").map { isNested(tape, $0, 1) } ?? false
        case "LineString", "MultiLineString", "Polygon", "MultiPolygon":
            return member("arcs").map { tape.values[$0].kind == .array } ?? false
        default: return false
        }
    }
}
