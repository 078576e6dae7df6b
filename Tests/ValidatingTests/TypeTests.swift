import Reading
import Schemas
import Tabular
import Testing
import Validating

/// The types and options of Table Schema 2, apart from text, numbers and dates.
@Suite struct TypeTests {
    @Test func `lists, by delimiter and type of item`() throws {
        try expectCells(
            "type: list\nconstraints: { minLength: 2, maxLength: 3 }",
            csv: ["a,b": "ok", "a": "constraint-min-length", "a,,": "ok", "a,b,c,d": "constraint-max-length"],
            json: ["\"a,b\"": "ok", "[\"a\",\"b\"]": "type-error", "1": "type-error"])
        try expectCells(
            "type: list\ndelimiter: '; '\nitemType: integer",
            csv: ["1; 2": "ok", "1;2": "type-error", "1; x": "type-error", "1; ": "type-error", "7": "ok"])
        try expectCells(
            "type: list\nitemType: date", csv: ["2024-02-29,2023-01-01": "ok", "2023-02-29": "type-error"])
    }

    @Test func `months and durations, with limits`() throws {
        try expectCells(
            "type: yearmonth\nconstraints: { minimum: 2020-02, maximum: 2021-01 }",
            csv: [
                "2020-02": "ok", "2020-01": "constraint-minimum", "2021-02": "constraint-maximum",
                "2020-13": "type-error",
                "202-10": "type-error", "2020-1": "type-error",
            ])
        try expectCells(
            "type: duration\nconstraints: { minimum: PT1M, maximum: P1M }",
            csv: [
                "PT60S": "ok", "PT59.5S": "constraint-minimum", "P30D": "ok", "P31D": "constraint-maximum", "P4W": "ok",
                "P1Y2M3DT4H5M6S": "constraint-maximum", "-P1D": "constraint-minimum", "P": "type-error",
                "PT": "type-error",
                "P1S": "type-error", "PT1H1D": "type-error", "P1.5D": "type-error", "P1M1Y": "type-error",
                "P1W1D": "type-error", "PT1M1M": "type-error",
            ])
    }

    @Test func `places and shapes`() throws {
        try expectCells(
            "type: geopoint",
            csv: [
                "90.50, 45.50": "ok", "-180,-90": "ok", "180.1,0": "type-error", "nan,0": "type-error",
                "1": "type-error",
            ])
        try expectCells(
            "type: geopoint\nformat: object",
            csv: ["{\"lon\": 1, \"lat\": 2}": "ok", "{\"lon\": 1, \"lat\": 2, \"x\": 3}": "type-error"],
            json: [
                "{\"lat\": 90, \"lon\": -1.5e1}": "ok", "{\"lat\": 91, \"lon\": 0}": "type-error",
                "[1,2]": "type-error",
            ])
        try expectCells(
            "type: geojson",
            csv: [
                "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[0,0]]]}": "ok",
                "{\"type\":\"Polygon\",\"coordinates\":[[0,0]]}": "type-error", "{\"type\":\"Circle\"}": "type-error",
            ],
            json: [
                "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":null,\"properties\":{}}]}":
                    "ok",
                "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Point\",\"coordinates\":[1,2]}]}":
                    "type-error",
                "\"{\\\"type\\\":\\\"Point\\\",\\\"coordinates\\\":[1,2]}\"": "type-error",
            ])
        try expectCells(
            "type: string\nformat: wkt",
            csv: [
                "POINT Z (1 2 3)": "ok", "point(1 2)": "ok", "POINT (1)": "type-error", "POINT (1 2))": "type-error",
                "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING EMPTY)": "ok", "POINT (1 2": "type-error",
            ])
    }

    @Test func `categories are the only values`() throws {
        try expectCells(
            "type: string\ncategories: [a, { value: b, label: Bee }]",
            csv: ["a": "ok", "b": "ok", "Bee": "constraint-enum"])
        try expectCells(
            "type: integer\ncategories: [1, { value: 2, label: two }]\ncategoriesOrdered: true",
            csv: ["1": "ok", "02": "ok", "3": "constraint-enum"],
            json: ["2": "ok", "2.0": "ok", "3": "constraint-enum"])
        // Beyond the precision of a double.
        try expectCells(
            "type: integer\ncategories: [9007199254740992]",
            csv: ["9007199254740992": "ok", "9007199254740993": "constraint-enum"])
        let many = (0..<10_000).map { "w\($0)" }.joined(separator: ", ")
        try expectCells(
            "type: string\nconstraints: { enum: [\(many)] }",
            csv: ["w0": "ok", "w9999": "ok", "w10000": "constraint-enum"])
    }

    @Test func `allowed values of JSON are compared by what they mean`() throws {
        try expectCells(
            "type: object\nconstraints: { enum: [{ a: 1, b: [x] }] }",
            csv: ["{\"b\":[\"x\"],\"a\":1.0}": "ok", "{\"a\":1}": "constraint-enum"],
            json: ["{\"b\":[\"\\u0078\"],\"a\":1}": "ok", "{\"a\":1,\"b\":[]}": "constraint-enum"])
    }

    /// Notations of pandas, databases and spreadsheets.
    @Test func `dates and times as programs write them`() throws {
        try expectCells(
            "type: datetime\nformat: any\nconstraints: { minimum: 2026-01-01T10:00:00Z, maximum: 2026-01-01T10:00:01.5Z }",
            csv: [
                "2026-01-01 10:00:01": "ok", "2026-01-01 10:00:01.5": "ok", "2026-01-01 10:00:01+00:00": "ok",
                "2026-01-01 10:00:01.123456+00:00": "ok", "2026-01-01 10:00": "ok", "2026-01-01T10:00": "ok",
                "2026-01-01 12:00:01+02": "ok", "2026-01-01 12:00:01.25 +0200": "ok", "2026-01-01 10:00:00 UTC": "ok",
                "2026/01/01 10:00:00": "ok", "2026-01-01": "constraint-minimum", "2026/1/2": "constraint-maximum",
                "1 Jan 2026": "constraint-minimum", "2026-01-01 10:00 am": "ok",
                "2026-01-01 10:00:02": "constraint-maximum",
                "2026-02-30 10:00": "type-error", "2026-01-01 25:00": "type-error", "2026-01-01 10": "type-error",
                "2026-01-01 10:00:61": "type-error", "2026-01-01 10:00 PST": "type-error",
                "01/02/2026 10:00": "type-error",
                "2026-01/01": "type-error", "2026-01-01 10:00+2": "type-error", "26-01-01": "type-error",
            ])
        try expectCells(
            "type: time\nformat: any",
            csv: ["10:00": "ok", "10:00:01.5": "ok", "10:00+00:00": "ok", "10": "type-error", "24:30": "type-error"])
        try expectCells(
            "type: date\nformat: any",
            csv: ["2026/01/31": "ok", "2026-01-31": "ok", "2026/31/01": "type-error", "2026-01-31 10:00": "type-error"])
    }

    @Test func `dates in any form that can be read in one way only`() throws {
        try expectCells(
            "type: date\nformat: any",
            csv: [
                "2024-01-31": "ok", "31st Jan 2024": "ok", "January 31, 2024": "ok", "31 February 2024": "type-error",
                "01/02/2024": "type-error", "2024": "type-error",
            ])
        try expectCells(
            "type: datetime\nformat: any",
            csv: [
                "2024-01-31T10:00:00Z": "ok", "Wed 31 Jan 2024 3:05 pm": "ok", "31 Jan 2024 15:05": "ok",
                "31 Jan 2024 15": "type-error",
            ])
    }

    @Test func `unique keys of several fields`() throws {
        let schema = try contract(
            "fields: [{name: a, type: string}, {name: b, type: integer}, {name: c, type: any}]\nuniqueKeys: [[a, b]]\n")
        let validator = try Validator(schema, hash: testHash)
        let batch = try blocks("a,b,c\nx,1,1\nx,2,1\nx,01,1\n,1,1\n,1,1\n", schema, .csv)[0]
        let keys = validator.validate(batch).keys
        #expect(validator.keyRules.map(\.fields) == [[0, 1]])
        // A row in which a part of the key is missing is not compared.
        #expect(
            keys[0].map(\.row) == [1, 2, 3] && keys[0][0].hash == keys[0][2].hash && keys[0][0].hash != keys[0][1].hash)
    }

    @Test func `a key with an absent column repeats nothing`() throws {
        var schema = try contract(
            "fields: [{name: a, type: string}, {name: b, type: integer}]\nuniqueKeys: [[a, b]]\nfieldsMatch: superset\n"
        )
        schema.fields[0].constraints.required = true
        let plan = ReadingPlan(format: .csv, fieldNames: ["a", "b"])
        var lenient = plan
        lenient.optionalFields = [1]
        let bytes = Array("a\nx\nx\n".utf8)
        let head = try #require(try readHead(bytes.span, isWhole: true, plan: lenient))
        let layout = try #require(head.layout)
        let slice = SourceSlice(ordinal: 0, offset: 2, length: 4, firstRow: 1, rowCount: 2, bytes: Array(bytes[2...]))
        var reader = SliceReader(slice, layout: layout, plan: lenient)
        let next = reader.next()
        let batch = try #require(next)
        #expect(try Validator(schema, hash: testHash).validate(batch).keys[0].isEmpty)
    }
}
