@testable import Recognition
import Testing

@Suite struct RecogniserTests {
    @Test(arguments: [
        ScanCase("write to ann.lee+tag@mail.example.co.uk.", "ann.lee+tag@mail.example.co.uk"),
        ScanCase("<bob@example.com>, 'eve@example.org'", "bob@example.com", "eve@example.org"),
        ScanCase("mailto:o'neil_3@corp.example", "o'neil_3@corp.example"),
        ScanCase("josé@example.com und jürgen@bücher.example", "josé@example.com", "jürgen@bücher.example"),
        ScanCase("user@xn--80ak6aa92e.xn--p1ai", "user@xn--80ak6aa92e.xn--p1ai"),
        ScanCase("a@b.com@c.org", "a@b.com@c.org"),
        ScanCase("bob@host.com.5", "bob@host.com"), ScanCase("12345@example.com", "12345@example.com"),
        ScanCase("git@github.com:org/x.git"), ScanCase("ssh://git@github.com/org"), ScanCase("icon@2x.png"),
        ScanCase("pkg@1.2.x.tgz"),
        ScanCase("git@bob.com: he answers", "git@bob.com"), ScanCase("mailto:git@bob.com/x", "git@bob.com"),
        ScanCase("ann@example.com.json ann@example.co.uk.tar.gz", "ann@example.com", "ann@example.co.uk"),
        ScanCase("ann@example.com-old", "ann@example.com"), ScanCase("ann@x.zip", "ann@x.zip"),
        ScanCase("root@10.0.0.1"), ScanCase("bob@localhost"), ScanCase("info@presidio."), ScanCase("@home.com"),
        ScanCase("a@.com"), ScanCase("a@-x.com"), ScanCase("@@@@@"), ScanCase("foo @ bar.com"),
        ScanCase("a@b.c"), ScanCase("a@" + String(repeating: "x", count: 64) + ".com"),
        ScanCase(String(repeating: "a", count: 64) + "@b.com", String(repeating: "a", count: 64) + "@b.com"),
        ScanCase(String(repeating: "a", count: 65) + "@b.com"),
        // After a script without spaces, the ASCII part is the address.
        ScanCase(String(repeating: "邮", count: 40) + "bob@b.com", "bob@b.com"),
    ])
    func email(_ given: ScanCase) {
        #expect(found(given.text, [.emailAddress]) == given.expected(.emailAddress))
    }

    @Test(arguments: [
        ScanCase("(415) 555-0132 or (415)555-0132", "(415) 555-0132", "(415)555-0132"),
        ScanCase("415-555-0132, 415.555.0132; 415 555 0132", "415-555-0132", "415.555.0132", "415 555 0132"),
        ScanCase("+1 415 555 0132 +1-415-555-0132", "+1 415 555 0132", "+1-415-555-0132"),
        ScanCase("+1 (415) 555-0132, 1-415-555-0132", "+1 (415) 555-0132", "1-415-555-0132"),
        ScanCase("+14155550132 then", "+14155550132"), ScanCase("415-555-0132 x204", "415-555-0132 x204"),
        ScanCase("+44 (20) 7123 4567", "+44 (20) 7123 4567"), ScanCase("+49 (0)30 1234567", "+49 (0)30 1234567"),
        ScanCase("+33 1 42 68 53 00.", "+33 1 42 68 53 00"), ScanCase("+972 9 762 5400", "+972 9 762 5400"),
        ScanCase("call me on 4155550132", "4155550132"), ScanCase("4155550132 (cell)", "4155550132"),
        ScanCase("Tel.: 14155550132", "14155550132"),
        // The country's numbers are not longer than this, so 12 is something else.
        ScanCase("+33 1 42 68 53 00 12 boxes", "+33 1 42 68 53 00"),
        ScanCase("4155550132"), ScanCase("recall 4155550132 units"),
        ScanCase("call one two three four five 4155550132"),
        ScanCase("115-555-0132"), ScanCase("415-155-0132"), ScanCase("415-555-01324"), ScanCase("x415-555-0132"),
        ScanCase("2-415-555-0132"), ScanCase("415-555-0132-7"), ScanCase("é415-555-0132"), ScanCase("1+4155550132"),
        ScanCase("+0 415 555 0132 9", "415 555 0132"), ScanCase("+12345"), ScanCase("(415) 55-0132"), ScanCase("+"),
        ScanCase("("),
        ScanCase("+44 12"), ScanCase("tel 1155550132", "1155550132"),
    ])
    func phone(_ given: ScanCase) {
        #expect(found(given.text, [.phoneNumber]) == given.expected(.phoneNumber))
    }

    @Test(arguments: [
        ScanCase("078-05-1123 and 078 05 1123 and 078.05.1123", "078-05-1123", "078 05 1123", "078.05.1123"),
        ScanCase("SSN: 078051123", "078051123"), ScanCase("078051123 is my social", "078051123"),
        ScanCase("078051123"), ScanCase("order 078051123 sent"), ScanCase("000-12-3456"), ScanCase("666-12-3456"),
        ScanCase("900-12-3456"), ScanCase("123-00-4567"), ScanCase("123-45-0000"), ScanCase("693-09.4444"),
        ScanCase("123-45-67890"), ScanCase("1123-45-6789"), ScanCase("123-45-6789-1"), ScanCase("9-123-45-6789"),
        ScanCase("a123-45-6789"), ScanCase("ssn 000051123"),
    ])
    func socialSecurity(_ given: ScanCase) {
        #expect(found(given.text, [.usSsn]) == given.expected(.usSsn))
    }

    @Test(arguments: [
        ScanCase("4012888888881881 4012-8888-8888-1881", "4012888888881881", "4012-8888-8888-1881"),
        ScanCase("paid 4012 8888 8888 1881 2026", "4012 8888 8888 1881"),
        ScanCase("3714 496353 98431, 371449635398431", "3714 496353 98431", "371449635398431"),
        ScanCase("3056 930902 5904", "3056 930902 5904"), ScanCase("4222222222222", "4222222222222"),
        ScanCase("6011000400000000/6759649826438453", "6011000400000000", "6759649826438453"),
        ScanCase("4012-8888-8888-1882"), ScanCase("4012888888881882"), ScanCase("1748503543012"),
        ScanCase("4012-8888 8888-1881"), ScanCase("40128888 88881881"), ScanCase("0.4012888888881881"),
        ScanCase("4012888888881881.5"), ScanCase("x4012888888881881"), ScanCase("4012888888881881ü"),
        ScanCase("4012-8888-8888-1881-0"), ScanCase("9012888888881880"), ScanCase("0000000000000000"),
        ScanCase("4012 8888 8888"), ScanCase(String(repeating: "4", count: 40)),
    ])
    func creditCard(_ given: ScanCase) {
        #expect(found(given.text, [.creditCard]) == given.expected(.creditCard))
    }

    @Test(arguments: [
        ScanCase("from 192.168.0.1, 10.0.0.0/8.", "192.168.0.1", "10.0.0.0/8"), ScanCase("ip:1.2.3.4:80", "1.2.3.4"),
        ScanCase("10.0.0.1-10.0.0.9", "10.0.0.1", "10.0.0.9"), ScanCase("10.0.0.0/123", "10.0.0.0"),
        ScanCase("[2001:db8::1]:8080", "2001:db8::1"), ScanCase("fe80::1%eth0 up", "fe80::1%eth0"),
        ScanCase("684D:1111:222:3333:4444:5555:6:77", "684D:1111:222:3333:4444:5555:6:77"),
        ScanCase("dead:beef::1 2001:db8::/32", "dead:beef::1", "2001:db8::/32"),
        ScanCase("::ffff:192.0.2.1 is ::1.", "::ffff:192.0.2.1"),
        ScanCase("0:0:0:0:0:FFFF:129.144.52.38", "0:0:0:0:0:FFFF:129.144.52.38"),
        ScanCase("192.168.1.1.1"), ScanCase("256.1.1.1"), ScanCase("1.2.3"), ScanCase("v1.2.3.4"),
        ScanCase("version 1.2.3.4"), ScanCase("v 1.2.3.4"), ScanCase("text192.168.1.1"), ScanCase("1.2.3.4x"),
        ScanCase("12:30:45"), ScanCase("12:30:45:12:30:45:12"), ScanCase("aa:bb:cc:dd:ee:ff"),
        ScanCase("00:11:22:33:44:55:66:77"), ScanCase("std::cout a::b Bad::cafe"), ScanCase(":::"), ScanCase("::"),
        ScanCase("2001::db8::1"), ScanCase("12345:db8::1"), ScanCase("fe80::1text"), ScanCase("text2001:db8::1"),
        ScanCase("1:2:3:4:5:6:7:8:9"), ScanCase("::ffff:256.0.0.1"), ScanCase("1.2.3.1234"), ScanCase("1...2"),
    ])
    func address(_ given: ScanCase) {
        #expect(found(given.text, [.ipAddress]) == given.expected(.ipAddress))
    }

    @Test(arguments: [
        ScanCase("GB82 WEST 1234 5698 7654 32 and", "GB82 WEST 1234 5698 7654 32"),
        ScanCase("IBAN:DE89370400440532013000.", "DE89370400440532013000"),
        ScanCase("AL47-2121-1009-0000-0002-3569-8741", "AL47-2121-1009-0000-0002-3569-8741"),
        ScanCase("NO9386011117947", "NO9386011117947"),
        ScanCase("DE89370400440532013001"), ScanCase("DE8937040044053201300"), ScanCase("DE893704004405320130000"),
        ScanCase("XDE89370400440532013000"), ScanCase("ZZ89370400440532013000"),
        ScanCase("GB82 wEST 1234 5698 7654 32"),
        ScanCase("DE89"), ScanCase("DE8"), ScanCase("éDE89370400440532013000"),
        ScanCase("DE89 3 704004405 32013000", "DE89 3 704004405 32013000"),
    ])
    func bankAccount(_ given: ScanCase) {
        #expect(found(given.text, [.ibanCode]) == given.expected(.ibanCode))
    }

    @Test func `overlaps: a checksum first, then the longer`() {
        #expect(found("10.0.0.1@example.com") == ["EMAIL_ADDRESS 10.0.0.1@example.com"])
        #expect(found("4012888888881881@example.com") == ["CREDIT_CARD 4012888888881881@example.com"])
        #expect(found("call 4155550132@example.com") == ["EMAIL_ADDRESS 4155550132@example.com"])
        #expect(
            found("SE45 5000 0000 0583 9825 7466 tel +46 8 123 456 78") == [
                "IBAN_CODE SE45 5000 0000 0583 9825 7466", "PHONE_NUMBER +46 8 123 456 78",
            ])
    }

    @Test func `nothing is left of what is found second`() {
        for text in [
            "DE89370400440532013000-bob.smith@example.com", "4012888888881881_bob@example.com",
            "203.0.113.77/00:1B:44:11:3A:B7", "+49 30 12345678 00:1B:44:11:3A:B7",
        ] {
            let all = found(text)
            #expect(all.count == 1 && all[0].hasSuffix(" " + text), "\(all)")
        }
    }

    @Test func `an address ends before digits behind its domain`() {
        for (text, address) in [
            ("mail bob@example.com1", "bob@example.com"), ("bob@example.com2024-01-01", "bob@example.com"),
            ("Email:bob@example.com8am", "bob@example.com"), ("bob@example.co.uk1", "bob@example.co.uk"),
        ] {
            #expect(found(text, [.emailAddress]) == ["EMAIL_ADDRESS \(address)"], "\(text)")
        }
        #expect(found("root@db.node12", [.emailAddress]).isEmpty)
    }

    @Test func `official names of columns say what is in them`() {
        for (column, value, entity) in [
            ("social_security_number", "219099998", "US_SSN"), ("socialSecurityNumber", "219099998", "US_SSN"),
            ("Social Security No", "219099998", "US_SSN"), ("national_insurance_number", "AB123456C", "UK_NINO"),
            ("tax_file_number", "876543210", "AU_TFN"), ("national_provider_identifier", "1234567893", "US_NPI"),
            ("dl_number", "D1234567", "US_DRIVER_LICENSE"), ("phone_home", "1234567", "PHONE_NUMBER"),
            ("phone1_home", "1234567", "PHONE_NUMBER"), ("PhoneNumberWork", "1234567", "PHONE_NUMBER"),
            ("phone_numbers", "1234567", "PHONE_NUMBER"), ("phoneNumbers", "1234567", "PHONE_NUMBER"),
            ("phone_e164", "1234567", "PHONE_NUMBER"), ("teléfono", "1234567", "PHONE_NUMBER"),
            ("Telefonnummer", "1234567", "PHONE_NUMBER"), ("ssns", "219099998", "US_SSN"),
        ] {
            #expect(found(value, column: column) == ["\(entity) \(value)"], "\(column)")
        }
        for column in [
            "dl", "social_followers", "phone_model", "phone_key", "tax", "insurance_code", "home", "codes", "mobiles",
            "dials",
        ] {
            #expect(found("1234567", column: column).isEmpty, "\(column)")
        }
    }

    @Test func `only what is sought is found`() {
        let text = "a@b.com 415-555-0132 078-05-1123 4012888888881881 10.0.0.1 DE89370400440532013000"
        for entity in [Entity.emailAddress, .phoneNumber, .usSsn, .creditCard, .ipAddress, .ibanCode] {
            #expect(found(text, [entity]).allSatisfy { $0.hasPrefix(entity.name) })
            #expect(found(text, [entity]).count == 1)
        }
        #expect(found(text, []).isEmpty)
        #expect(found(text).count == 6)
    }

    /// Non-ASCII punctuation, spaces and symbols end words as ASCII's do, and scripts without spaces do not join
    /// numbers to words.
    @Test func `no mark hides a number, and no mark goes with it`() {
        for (left, right) in [
            ("“", "”"), ("„", "“"), ("\u{A0}", "\u{A0}"), ("\u{202F}", "\u{202F}"), ("—", "—"), ("•", "•"), ("→", "←"),
            ("\u{200B}", "\u{200B}"),
            ("✆", "✆"), ("😀", "😀"), ("«", "»"), ("：", "。"), ("电话", "谢谢"), ("เบอร์", "ครับ"),
        ] {
            for value in [
                "CREDIT_CARD 4012888888881881", "IBAN_CODE DE89370400440532013000", "US_SSN 536-90-4399",
                "IP_ADDRESS 10.20.30.40",
                "MAC_ADDRESS 00:1a:2b:3c:4d:5e", "PHONE_NUMBER +49 30 901820", "PHONE_NUMBER (212) 555-0100",
                "BR_CPF 123.456.789-09",
                "EMAIL_ADDRESS bob@example.com",
            ] {
                let text = value.drop { $0 != " " }.dropFirst()
                #expect(found("x " + left + text + right + " y") == [value], "\(left)\(value)\(right)")
            }
        }
        #expect(found("Grüße jürgen@bücher.example, ok") == ["EMAIL_ADDRESS jürgen@bücher.example"])
    }

    @Test func `versions and sections are no addresses`() {
        for text in ["firmware 3.7.2.118", "see section 3.1.2.4", "Version 1.2.3.4", "build 10.0.19041.1"] {
            #expect(found(text).isEmpty, "\(text)")
        }
        for text in [
            "version=\"1.2.3.4\"", "\"version\": \"1.2.3.4\"", "EC 3.4.21.5", "OID 1.3.6.1", "oid: 1.3.6.1",
            "enzyme 3.4.21.5",
        ] {
            #expect(found(text).isEmpty, "\(text)")
        }
        #expect(found("HRB2", column: "gene").isEmpty)
        #expect(found("3.4.21.5", column: "ec_number").isEmpty)
        for column in ["version2", "firmware1", "v1", "app_version_1", "fw_v2", "oid", "version_string", "build_tag"] {
            #expect(found("3.7.2.118", column: column).isEmpty, "\(column)")
        }
        for column in ["ec2_ip", "server_ec2", "ec_client_ip", "section_ip", "v_ip", "release_host_ip", "note"] {
            #expect(found("203.0.113.77", column: column) == ["IP_ADDRESS 203.0.113.77"], "\(column)")
        }
        // Names that only begin like this mean something else, and a sentence is not a version.
        for column in ["build_log", "release_notes", "section_text", "build_server", "version_info"] {
            #expect(found("203.0.113.77", column: column) == ["IP_ADDRESS 203.0.113.77"], "\(column)")
        }
        for column in ["release", "section", "version"] {
            #expect(found("refused 203.0.113.77", column: column) == ["IP_ADDRESS 203.0.113.77"], "\(column)")
            #expect(found("2001:db8::8a2e:370:7334", column: column) == ["IP_ADDRESS 2001:db8::8a2e:370:7334"])
            #expect(found("1.2.3.4-rc1", column: column).isEmpty, "\(column)")
        }
        #expect(found("EC 203.0.113.77") == ["IP_ADDRESS 203.0.113.77"])
        #expect(found("3.7.2.118", column: "firmware_version").isEmpty)
        #expect(found("3.7.2.118", column: "host") == ["IP_ADDRESS 3.7.2.118"])
    }

    @Test func `a UUID is nothing else`() {
        for text in ["4f1c9e0a-1234-4567-8901-123456789012", "id 12345678-1234-4123-8123-123456789012 of the tax file"]
        {
            #expect(found(text).isEmpty, "\(found(text))")
        }
    }

    @Test func `the column's name is context`() {
        #expect(found("4155550132", column: "home_phone") == ["PHONE_NUMBER 4155550132"])
        #expect(found("4155550132", column: "phoneNumber") == ["PHONE_NUMBER 4155550132"])
        #expect(found("078051123", column: "SSN") == ["US_SSN 078051123"])
        #expect(found("4155550132", column: "microphone").isEmpty)
    }

    @Test func `a column that is called so holds that, however it is written`() {
        for column in ["phone", "home_phone", "phone1", "phone_2", "Telefon", "msisdn", "mobile_no", "phonenumber"] {
            for value in ["4930123456", "555-1234", "+999 12 345 67", "(030) 123456/78", " 4930123456 ", "0301234567"] {
                let piece = value.filter { $0 != " " || value.first != " " }
                #expect(found(value, column: column) == ["PHONE_NUMBER \(piece)"], "\(column) \(value)")
            }
        }
        for (column, value) in [
            ("phone", "12345"), ("phone_calls", "4930123456"), ("note", "4930123456"),
            ("phone", "1234567890123456"), ("phone", "iPhone 12"),
        ] {
            #expect(!found(value, column: column).contains { $0.hasPrefix("PHONE") }, "\(column) \(value)")
        }
        for (column, value, entity) in [
            ("dob", "19900203", "DATE_OF_BIRTH"), ("date_of_birth", "03021990", "DATE_OF_BIRTH"),
            ("dateofbirth", "02/03/1990", "DATE_OF_BIRTH"), ("passportnumber", "512345678", "US_PASSPORT"),
            ("passport_no", " 512345678 ", "US_PASSPORT"), ("acct_no", "00123456789", "US_BANK_NUMBER"),
        ] {
            #expect(found(value, column: column) == ["\(entity) \(value.filter { $0 != " " })"], "\(column)")
        }
        #expect(found("19901303", column: "dob").isEmpty)
        #expect(found("12345678", column: "dob").isEmpty)
    }

    @Test func `a whole cell is validated, not a part of it`() {
        let cases: [(Entity, String, Bool)] = [
            (.emailAddress, "a@b.com", true), (.emailAddress, "a@b.com ", false), (.emailAddress, "", false),
            (.phoneNumber, "4155550132", true), (.phoneNumber, "ext 415-555-0132", false),
            (.usSsn, "078051123", true), (.usSsn, "000-05-1123", false),
            (.creditCard, "4012 8888 8888 1881", true), (.creditCard, "4012888888881882", false),
            (.ipAddress, "2001:db8::1", true), (.ipAddress, "1.2.3.4, 1.2.3.5", false),
            (.ibanCode, "DE89370400440532013000", true), (.ibanCode, String(repeating: "9", count: 400), false),
        ]
        for (entity, text, isWhole) in cases {
            let bytes = Array(text.utf8)
            var matches: [EntityMatch] = []
            TextScanner(entities: [entity], columnName: "phone ssn").scan(
                bytes.span, range: bytes.indices, into: &matches)
            #expect((matches.count == 1 && matches[0].range == bytes.indices) == isWhole, "\(entity) \(text)")
        }
    }

    @Test func `a cell's neighbours are not its context`() {
        let bytes = Array("call 4155550132,4155550132x".utf8)
        var matches: [EntityMatch] = []
        let scanner = TextScanner(entities: [.phoneNumber])
        scanner.scan(bytes.span, range: 5..<15, into: &matches)
        #expect(matches.isEmpty)
        scanner.scan(bytes.span, range: 0..<15, into: &matches)
        #expect(matches.map(\.range) == [5..<15])
    }
}
