import Cryptography
import Masking
import Schemas
import Tabular
import Testing

/// Operators that keep something: the order within a subject, a coarse part, or the possibility to decrypt.
@Suite struct LastingOperatorTests {
    private func masking(_ rule: String, type: String = "string", subject: Bool = true) throws -> Schema {
        try contract(
            """
            fields:
              - { name: who, type: string\(subject ? ", sluice: { role: subject, undeclaredPii: allow }" : "") }
              - { name: v, type: \(type), sluice: { pii: { \(rule) } } }
            """)
    }

    private func cells(_ text: String) -> [String] {
        text.split(separator: "\n").dropFirst().map {
            String($0.split(separator: ",", omittingEmptySubsequences: false)[1])
        }
    }

    @Test func `encryption is reversible, the same everywhere, and bound to its key`() throws {
        let text = "who,v\nann,4711\nbob,4711\nann,Zürich\n"
        let rule = "entity: ID, operator: encrypt, key: k, prefix: 'e_'"
        let first = cells(try mask(masking(rule), text, .csv, keyByte: 1).text)
        #expect(first[0] == first[1] && first[0] != first[2] && first.allSatisfy { $0.hasPrefix("e_") })
        // A join works across blocks, batches and formats.
        let lines = try mask(masking(rule), "{\"who\":\"x\",\"v\":\"4711\"}\n", .jsonl, keyByte: 1).text
        #expect(lines.contains(first[0]))
        #expect(cells(try mask(masking(rule), text, .csv, keyByte: 2).text)[0] != first[0])
        var cipher = try ValueCipher(tokenKey(1))
        let sealed = try #require(bytes(base64URL: String(first[2].dropFirst(2))))
        #expect(try cipher.open(sealed) == Array("Zürich".utf8))
        var other = try ValueCipher(tokenKey(2))
        #expect(throws: CryptographyError.self) { try other.open(sealed) }
    }

    @Test func `random encryption joins nothing, and a subject's key opens only what is theirs`() throws {
        let text = "who,v\nann,4711\nann,4711\nbob,4711\n,4711\n"
        let random = cells(try mask(masking("entity: ID, operator: encrypt, key: k, mode: random"), text, .csv).text)
        #expect(Set(random).count == 4)
        var cipher = try ValueCipher(tokenKey(1))
        for cell in random { #expect(try cipher.open(try #require(bytes(base64URL: cell))) == Array("4711".utf8)) }
        let own = cells(try mask(masking("entity: ID, operator: encrypt, key: k, perSubject: true"), text, .csv).text)
        #expect(own[0] == own[1] && own[1] != own[2] && own[3] == "<ID>")
        var ann = try ValueCipher(tokenKey(1), subject: Array("ann".utf8))
        #expect(try ann.open(try #require(bytes(base64URL: own[0]))) == Array("4711".utf8))
        let bobs = try #require(bytes(base64URL: own[2]))
        #expect(throws: CryptographyError.self) { try ann.open(bobs) }
        #expect(throws: UnusableMask.self) {
            try mask(masking("entity: ID, operator: encrypt, key: k, perSubject: true", subject: false), text, .csv)
        }
    }

    @Test func `dates of one subject move together`() throws {
        let text = "who,v\nann,2024-02-28\nann,2024-03-01\nbob,2024-02-28\nann,2023-12-31T10:00:00Z\n,2024-01-01\n"
        let rule = "entity: DATE_TIME, operator: date-shift, key: k, maxDays: 30"
        let moved = cells(try mask(masking(rule, type: "any"), text, .csv).text)
        #expect(moved[0] != "2024-02-28" && moved[4] == "<DATE_TIME>" && moved[3].hasSuffix("T10:00:00Z"))
        func day(_ text: String) -> Int {
            let parts = text.prefix(10).split(separator: "-").compactMap { Int($0) }
            let (year, month) = parts[1] <= 2 ? (parts[0] - 1, parts[1] + 9) : (parts[0], parts[1] - 3)
            return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + parts[2]
        }
        #expect(day(moved[1]) - day(moved[0]) == 2 && day(moved[0]) - day(moved[3]) == 59)
        let shift = day(moved[0]) - day("2024-02-28")
        #expect(shift != 0 && abs(shift) <= 30)
        // The same in another batch.
        #expect(cells(try mask(masking(rule, type: "any"), "who,v\nann,2024-03-01\n", .csv).text) == [moved[1]])
        // A value that is not a date is not released unchanged.
        #expect(cells(try mask(masking(rule, type: "any"), "who,v\nann,tomorrow\n", .csv).text) == ["<DATE_TIME>"])
    }

    @Test func `every day of the calendar can be moved to and back`() throws {
        let rule = "entity: DATE_TIME, operator: generalize, to: month"
        var text = "who,v\n"
        for year in [1600, 1900, 1970, 2000, 2023, 2024] {
            for month in 1...12 { text += "a,\(year)-\(month < 10 ? "0" : "")\(month)-28\n" }
        }
        let kept = cells(try mask(masking(rule, type: "date"), text, .csv).text)
        #expect(kept == cells(text).map { String($0.prefix(7)) })
    }

    @Test func `coarse parts`() throws {
        func kept(_ rule: String, _ type: String, _ values: String...) throws -> [String] {
            let text = "who,v\n" + values.map { "a,\($0)\n" }.joined()
            return cells(try mask(masking("entity: \(rule)", type: type), text, .csv).text)
        }
        #expect(try kept("DATE_TIME, operator: generalize, to: year", "date", "1990-05-04") == ["1990"])
        #expect(try kept("AGE, operator: generalize, bucket: 10", "integer", "37", "40", "-3") == ["30", "40", "-10"])
        #expect(
            try kept("AGE, operator: generalize, bucket: 0.5", "number", "1.7", "1e1", "0.3", "1e308", "-0.2") == [
                "1.5", "10.0", "0.0", "<AGE>", "-0.5",
            ])
        #expect(
            try kept(
                "PHONE_NUMBER, operator: generalize, to: country", "string", "+49 30 1234567", "+14155550132",
                "030 1234567")
                == ["+49", "+1", "<PHONE_NUMBER>"])
        #expect(
            try kept("IBAN_CODE, operator: generalize, to: country", "string", "DE89370400440532013000") == ["DE"])
        let json = try mask(
            masking("entity: AGE, operator: generalize, bucket: 10", type: "integer"), "{\"who\":\"a\",\"v\":37}\n",
            .jsonl)
        #expect(json.text == "{\"who\":\"a\",\"v\":30}\n")
        #expect(
            try kept("US_SSN, operator: mask, keepFormat: true, keepLast: 4", "string", "078-05-1123", "é1-ü") == [
                "***-**-1123", "**-*",
            ])
    }

    @Test func `buckets are exact where binary fractions are not, and nobody is no subject`() throws {
        let schema = try masking("entity: AGE, operator: generalize, bucket: 0.1", type: "number")
        #expect(
            cells(try mask(schema, "who,v\na,0.7\na,0.6\na,0.3\na,0.65\n", .csv).text) == ["0.7", "0.6", "0.3", "0.6"])
        let lines = try mask(schema, "{\"who\":\"a\",\"v\":1e308}\n{\"who\":\"a\",\"v\":0.7}\n", .jsonl).text
        #expect(lines == "{\"who\":\"a\",\"v\":\"<AGE>\"}\n{\"who\":\"a\",\"v\":0.7}\n")
        let shift = try masking("entity: DATE_TIME, operator: date-shift, key: k", type: "any")
        #expect(
            try mask(shift, "{\"who\":null,\"v\":\"2024-01-01\"}\n{\"who\":\"a\",\"v\":\"2024-02-30\"}\n", .jsonl).text
                == "{\"who\":null,\"v\":\"<DATE_TIME>\"}\n{\"who\":\"a\",\"v\":\"<DATE_TIME>\"}\n")
    }

    @Test func `dates are moved and cut as their format has them`() throws {
        func moved(_ field: String, _ values: String...) throws -> [String] {
            let schema = try contract(
                """
                fields:
                  - { name: who, type: string, sluice: { role: subject, undeclaredPii: allow } }
                  - { name: v, \(field), sluice: { pii: { entity: DATE_OF_BIRTH, operator: date-shift, key: k, maxDays: 1 } } }
                """)
            return cells(try mask(schema, "who,v\n" + values.map { "ann,\($0)\n" }.joined(), .csv).text)
        }
        // One day in either direction, the same for all dates of a subject.
        let isLater = try moved("type: date", "2024-02-28") == ["2024-02-29"]
        func either(_ later: String, _ earlier: String) -> String { isLater ? later : earlier }
        #expect(
            try moved("type: date, format: '%d/%m/%Y'", "28/02/2024", "01/01/2000", "1/3/2024", "31/12/1999") == [
                either("29/02/2024", "27/02/2024"), either("02/01/2000", "31/12/1999"), either("2/3/2024", "29/2/2024"),
                either("01/01/2000", "30/12/1999"),
            ])
        #expect(
            try moved("type: datetime, format: '%d.%m.%y %I:%M %p'", "31.12.23 10:05 pm") == [
                either("01.01.24 10:05 pm", "30.12.23 10:05 pm")
            ])
        #expect(
            try moved("type: date, format: '%d %b %Y'", "31 JAN 2024", "1 Mar 2023")
                == [
                    either("1 FEB 2024", "30 JAN 2024"), either("2 Mar 2023", "28 Feb 2023"),
                ].map { $0 })
        #expect(
            try moved(
                "type: datetime, format: any", "2024-02-28 10:00:01.5+00:00", "2024/02/28 23:00", "28 Feb 2024 3:05 pm",
                "2024-02-28")
                == [
                    either("2024-02-29 10:00:01.5+00:00", "2024-02-27 10:00:01.5+00:00"),
                    either("2024-02-29 23:00", "2024-02-27 23:00"),
                    either("2024-02-29T15:05:00", "2024-02-27T15:05:00"), either("2024-02-29", "2024-02-27"),
                ])
        // Two-digit years stand for 1969 to 2068.
        #expect(
            try moved("type: date, format: '%d/%m/%y'", "31/12/68", "01/01/69") == [
                either("<DATE_OF_BIRTH>", "30/12/68"), either("02/01/69", "<DATE_OF_BIRTH>"),
            ])
        func part(_ part: String, _ field: String, _ value: String) throws -> [String] {
            let schema = try contract(
                "fields:\n  - { name: who }\n  - { name: v, \(field), sluice: { pii: { entity: DATE_OF_BIRTH, "
                    + "operator: generalize, to: \(part) } } }\n"
            )
            return cells(try mask(schema, "who,v\na,\(value)\n", .csv).text)
        }
        #expect(try part("year", "type: date, format: '%d/%m/%Y'", "28/02/1984") == ["1984"])
        #expect(try part("month", "type: date, format: '%m/%d/%y'", "2/28/84") == ["1984-02"])
        // The day is that of the written zone, whatever the day in UTC.
        #expect(
            try part("month", "type: datetime, format: '%Y-%m-%d %H:%M %z'", "2024-02-29 23:00 -0500") == ["2024-02"])
        #expect(try part("month", "type: datetime, format: any", "1 Mar 2024 3:05 pm") == ["2024-03"])
    }

    private func count(_ masked: Masked, _ operation: MaskOperator) -> Int? {
        masked.receipts.first { $0.key.field == 1 && $0.key.operation == operation }?.value
    }

    @Test func `numbers are put into buckets with the marks of their field, and what is replaced is counted apart`()
        throws
    {
        func field(_ type: String, _ bucket: String) throws -> Schema {
            try contract(
                "fields:\n  - { name: who }\n  - { name: v, \(type), "
                    + "sluice: { pii: { entity: AGE, operator: generalize, bucket: \(bucket) } } }\n"
            )
        }
        let european = try field("type: number, decimalChar: ',', groupChar: '.'", "0.5")
        let masked = try mask(european, "who;v\na;1.234,75\na;0,25\na;-0,25\na;INF\n", .csv, delimiter: 0x3B)
        #expect(masked.text == "who;v\na;1234,5\na;0,0\na;-0,5\na;<AGE>\n")
        #expect(count(masked, .generalize) == 3)
        #expect(count(masked, .replace) == 1)
        #expect(try mask(european, "{\"who\":\"a\",\"v\":1234.75}\n", .jsonl).text == "{\"who\":\"a\",\"v\":1234.5}\n")
        let grouped = try field("type: integer, groupChar: ','", "1000")
        #expect(cells(try mask(grouped, "who,v\na,\"12,345\"\n", .csv).text) == ["\"12000\""])
        let money = try field("type: number, bareNumber: false", "10")
        #expect(cells(try mask(money, "who,v\na,$ 17.50\n", .csv).text) == ["10"])
        // Without a subject there is no shift.
        let shift = try mask(
            masking("entity: DATE_TIME, operator: date-shift, key: k", type: "date"),
            "who,v\nann,2024-01-01\n,2024-01-01\n", .csv)
        #expect(count(shift, .dateShift) == 1)
        #expect(count(shift, .replace) == 1)
    }

    @Test(arguments: [
        ("type: date, format: '%m/%Y'", "operator: date-shift, key: k", "%d"),
        ("type: date, format: '%d.%m'", "operator: generalize, to: year", "%Y or %y"),
        ("type: date, format: '%Y'", "operator: generalize, to: month", "%m"),
        ("type: time, format: '%H:%M'", "operator: date-shift, key: k", "date or datetime"),
        ("type: integer", "operator: generalize, bucket: 0.5", "whole number"),
    ]) func `an operator that a format leaves nothing to work with is refused`(
        field: String, rule: String, words: String
    )
        throws
    {
        #expect {
            try contract(
                "fields:\n  - { name: who, sluice: { role: subject } }\n"
                    + "  - { name: v, \(field), sluice: { pii: { entity: AGE, \(rule) } } }\n"
            )
        } throws: { ($0 as? SchemaError)?.message.contains(words) ?? false }
    }

    @Test func `a suppressed row is kept back, and no other`() throws {
        let text = "who,v\na,x\nb,\nc,y\n"
        #expect(try mask(masking("entity: ID, operator: suppress"), text, .csv).text == "who,v\nb,\n")
        let scanned = try mask(
            masking("scan: true, operator: suppress"), "who,v\na,call +1 415 555 0132\nb,nothing\n", .csv)
        #expect(scanned.text == "who,v\nb,nothing\n")
    }

    @Test func `what a type or a rule does not have is refused`() {
        for rule in [
            "entity: ID, operator: encrypt", "entity: ID, operator: date-shift, key: k, type: x",
            "scan: true, operator: date-shift, key: k",
            "entity: ID, operator: generalize", "entity: ID, operator: generalize, to: year, bucket: 2",
            "entity: ID, operator: generalize, to: country", "entity: ID, operator: generalize, bucket: 3",
            "entity: ID, operator: encrypt, key: k, mode: sometimes", "entity: ID, operator: mask, bucket: 3",
        ] { #expect(throws: SchemaError.self, "\(rule)") { try masking(rule) } }
    }
}
