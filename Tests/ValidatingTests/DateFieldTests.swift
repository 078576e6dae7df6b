import Schemas
import Testing
import Validating

@Suite struct DateFieldTests {
    @Test func dates() throws {
        try expectCells(
            "type: date",
            csv: [
                "2024-02-29": "ok", "2000-02-29": "ok", "2023-02-29": "type-error", "1900-02-29": "type-error",
                "2024-04-31": "type-error", "2024-13-01": "type-error", "2024-1-01": "type-error",
                "2024-01-01T00:00:00": "type-error", "24-01-01": "type-error", "0001-01-01": "ok",
            ],
            json: ["\"2024-01-01\"": "ok", "20240101": "type-error"])
        try expectCells(
            "type: date\nformat: '%d/%m/%Y'\nconstraints: { minimum: '01/02/2020', maximum: '2020-03-01' }",
            csv: [
                "29/2/2020": "ok", "31/01/2020": "constraint-minimum", "02/03/2020": "constraint-maximum",
                "30/02/2020": "type-error", "2020-02-02": "type-error",
            ])
        try expectCells(
            "type: date\nformat: '%d %b %y'", csv: ["1 Jan 68": "ok", "01 DEC 69": "ok", "1 Foo 68": "type-error"])
        try expectCells("type: date\nformat: '%B %d, %Y'", csv: ["March 3, 2020": "ok", "Mar 3, 2020": "type-error"])
    }

    @Test func times() throws {
        try expectCells(
            "type: time\nconstraints: { minimum: '06:00:00' }",
            csv: [
                "06:00:00": "ok", "23:59:59.123456789": "ok", "05:59:59.9": "constraint-minimum",
                "24:00:01": "type-error", "24:01:00": "type-error",
                "09:00": "type-error", "12:60:00": "type-error", "12:00:00.": "type-error",
                "12:00:00+1:00": "type-error",
                "08:00:00+01:00": "ok", "06:30:00+01:00": "constraint-minimum",
            ])
        try expectCells(
            "type: time\nformat: '%I:%M %p'\nconstraints: { maximum: '12:30:00' }",
            csv: [
                "3:00 am": "ok", "12:00 AM": "ok", "12:31 PM": "constraint-maximum", "13:00 PM": "type-error",
                "0:10 am": "type-error", "12:30 pm": "ok",
            ])
        try expectCells("type: time\nformat: '%I:%M'", csv: ["12:10": "ok", "13:10": "type-error"])
    }

    /// XML Schema's endOfDayFrag, whose notation Table Schema's times have.
    @Test func `24:00:00 is the end of a day, and as a time its beginning`() throws {
        try expectCells(
            "type: time\nconstraints: { maximum: '00:00:00' }",
            csv: ["24:00:00": "ok", "24:00:00.000Z": "ok", "24:00:00.1": "type-error", "25:00:00": "type-error"])
        try expectCells(
            "type: datetime\nconstraints: { enum: ['2024-03-01T00:00:00Z'] }",
            csv: [
                "2024-02-29T24:00:00Z": "ok", "2024-02-28T24:00:00Z": "constraint-enum",
                "2024-02-29T24:00:01Z": "type-error",
            ])
    }

    @Test func `dates with times, offsets and leap seconds`() throws {
        try expectCells(
            "type: datetime",
            csv: [
                "2014-01-01T06:00:00": "ok", "2014-01-01t06:00:00z": "ok", "2014-01-01T06:00:00.5+05:30": "ok",
                "2016-12-31T23:59:60Z": "ok", "1990-12-31T15:59:60-08:00": "ok", "2017-01-01T05:29:60+05:30": "ok",
                "2016-12-31T22:59:60Z": "type-error", "2016-12-31T23:58:60Z": "type-error",
                "2016-12-31T23:59:61Z": "type-error", "2016-12-31T23:59:60+01:00": "type-error",
                "2014-01-01T06:00:00+24:00": "type-error", "2014-01-01T06:00:00+1:00": "type-error",
                "2014-01-01": "type-error", "2014-01-01T06:00": "type-error", "2014-01-01T06:00:00ZZ": "type-error",
            ])
        try expectCells(
            "type: datetime\nconstraints: { minimum: '2020-01-01T00:00:00Z', exclusiveMaximum: '2021-01-01 00:00:00Z' }",
            csv: [
                "2020-01-01T01:00:00+01:00": "ok", "2020-01-01T00:59:59+01:00": "constraint-minimum",
                "2020-12-31T23:59:59.999999Z": "ok", "2021-01-01T00:00:00Z": "constraint-maximum",
            ])
        try expectCells(
            "type: datetime\nconstraints: { enum: ['2020-01-01T00:00:00Z'] }",
            csv: ["2020-01-01T01:00:00+01:00": "ok", "2020-01-01T00:00:01Z": "constraint-enum"])
        try expectCells(
            "type: datetime\nformat: '%Y-%m-%d %H:%M:%S.%f %z'",
            csv: [
                "2020-01-01 10:00:00.25 +0100": "ok", "2020-01-01 10:00:00.25 +01:00": "ok",
                "2020-01-01 10:00:00.25 Z": "ok", "2020-01-01 10:00:00.25 ": "type-error",
                "2020-01-01 10:00:00. Z": "type-error",
            ])
    }

    @Test func years() throws {
        try expectCells(
            "type: year\nconstraints: { minimum: 999, maximum: 12000 }",
            csv: [
                "2000": "ok", "0999": "ok", "0998": "constraint-minimum", "12001": "constraint-maximum",
                "-2000": "constraint-minimum", "02000": "type-error", "99": "type-error", "3.14": "type-error",
            ],
            json: ["2000": "ok", "\"2000\"": "ok", "2000.0": "type-error", "12001": "constraint-maximum"])
    }

    @Test func `a limit that is no value of the type is refused, not forgotten`() throws {
        var field = Field(name: "v", type: .date(.pattern("%d/%m/%Y")))
        field.constraints.minimum = "soon"
        #expect(throws: UnusableContract.self) { try Validator(Schema(fields: [field]), hash: testHash) }
        field = Field(name: "v", type: .number)
        field.constraints.maximum = "many"
        #expect(throws: UnusableContract.self) { try Validator(Schema(fields: [field]), hash: testHash) }
    }
}
