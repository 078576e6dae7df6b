import Testing
@testable import Recognition

/// Values that look like personal data and are not, and personal data that does not look like it.
@Suite struct LookalikeTests {
    @Test(arguments: [
        "evens = l[::2]; odds = l[1::2]; a[10::5]; b[::-1]", "std::1", "x[2::3]", "section-3.4.1.2",
        "127.0.0.1 and ::1", "0.0.0.0",
        "OID 1.3.6.1.4.1.311", "os 5.9.1.4", "kernel-5.15.0.91", "1.2.3.4", "12:30:45", "a::b", "arr[0::12]",
    ])
    func `no address of the Internet`(_ text: String) {
        #expect(found(text, [.ipAddress]).isEmpty)
    }

    @Test(arguments: [
        ScanCase("from 203.0.113.7", "203.0.113.7"), ScanCase("ip 5.9.1.4", "5.9.1.4"),
        ScanCase("http://5.9.1.4/x", "5.9.1.4"),
        ScanCase("5.9.1.4:8080", "5.9.1.4"), ScanCase("fe80::1%eth0", "fe80::1%eth0"),
        ScanCase("http://[2001:db8::1]/", "2001:db8::1"),
        ScanCase("[fd00::12]", "fd00::12"), ScanCase("10.0.0.0/24", "10.0.0.0/24"),
    ])
    func `addresses of the Internet`(_ given: ScanCase) {
        #expect(found(given.text, [.ipAddress]) == given.expected(.ipAddress))
    }

    @Test func `accounts in small letters and uneven groups`() {
        for text in [
            "gb82west12345698765432", "NO 93 8601 1117 947", "de89 3704 0044 0532 0130 00",
            "DE89-3704-0044-0532-0130-00",
        ] {
            #expect(found("pay to \(text) now", [.ibanCode]) == ["IBAN_CODE \(text)"])
        }
        #expect(found("no 93 8601 1117 947", [.ibanCode]).isEmpty)
        #expect(found("gB82wEst12345698765432", [.ibanCode]).isEmpty)
    }

    @Test func `cards that no issuer is known for, beside a word`() {
        for text in ["9999 9999 9999 9995", "676751183358", "9999-9999-9999-9995"] {
            #expect(found("credit card \(text)", [.creditCard]) == ["CREDIT_CARD \(text)"])
            #expect(found("see \(text) there", [.creditCard]).isEmpty)
        }
    }

    @Test func `goods have numbers of their own`() {
        // Valid both as a GTIN and by Luhn's sum.
        for text in ["EAN 4622463907656", "4007031574131", "barcode: 4854799833419"] {
            #expect(found(text, [.creditCard]).isEmpty, "\(text)")
        }
        #expect(found("750-67-8428", column: "Invoice ID").isEmpty)
        #expect(found("750-67-8428", column: "order_no").isEmpty)
        #expect(found("750-67-8428", column: "note") == ["US_SSN 750-67-8428"])
        // A note about an order may contain personal data.
        #expect(found("750-67-8428", column: "order_note") == ["US_SSN 750-67-8428"])
        #expect(found("331000000 people in Canada").isEmpty)
        #expect(found("the i386 driver has a license").isEmpty)
    }

    @Test func `one rule for all columns`() {
        for (text, entity) in [
            ("zip: 90210", "POSTAL_CODE"), ("passport number 531234567", "US_PASSPORT"),
            ("driver's license number is 425700624", "US_DRIVER_LICENSE"),
            ("bank account number 12345678", "US_BANK_NUMBER"),
        ] {
            #expect(found(text).map { $0.split(separator: " ")[0] } == [Substring(entity)], "\(text)")
        }
        for text in [
            "order 531234567 and a passport", "the salary cap 50000", "passport, see room 12345678 or page 531234567",
        ] {
            #expect(found(text).isEmpty, "\(text)")
        }
    }

    @Test func `names of columns propose what has no form`() {
        for (name, entity) in [
            ("name", Entity.person), ("full_name", .person), ("firstName", .person), ("last name", .person),
            ("username", .person),
            ("customer_name", .person), ("Nachname", .person), ("apellidos", .person), ("address", .location),
            ("address_line_1", .location), ("street", .location), ("City", .location), ("home_address", .location),
            ("iban", .ibanCode), ("e-mail", .emailAddress), ("phone_home", .phoneNumber),
        ] { #expect(ColumnNames.proposal(name) == entity, "\(name)") }
        for name in [
            "file_name", "product_name", "hostname", "event name", "ip_address", "mac_address", "velocity", "capacity",
            "amount",
            "column_name", "id", "status", "",
        ] { #expect(ColumnNames.proposal(name).map(\.isListed) != true, "\(name)") }
    }
}
