import Testing
@testable import Recognition

/// Telephone numbers in the notations of many countries, beside a context word.
@Suite struct PhoneTests {
    @Test(arguments: [
        "612 34 56 78", "512 345 678", "21 23 45 67", "8 (912) 345-67-89", "0151 23456789", "(02) 1234 5678",
        "451 5986",
        "001-755-329-4431", "00442079460018", "0044 20 7946 0018", "011 44 20 7946 0018", "0033 1 42 68 53 00",
        "00 49 30 901820", "0151/23456789", "030 / 901820", "06.12.34.56.78", "98765 43210", "+49 0151 23456789",
        "(+44) 20 7946 0018",
        "+ 49 30 901820", "2079460018", "0 532 123 45 67", "81 234 567", "+376 712 345", "555-0123",
    ])
    func `a whole number beside a word`(_ number: String) {
        for words in [
            "phone: ", "tel ", "call me at ", "fax: ", "Telefon ", "тел. ", "téléphone : ", "my mobile number is ",
        ] {
            #expect(found(words + number, [.phoneNumber]) == ["PHONE_NUMBER \(number)"], "\(words)")
            #expect(found(words + number + ", thanks", [.phoneNumber]) == ["PHONE_NUMBER \(number)"], "\(words)")
        }
        #expect(found("\(number) (mobile)", [.phoneNumber]) == ["PHONE_NUMBER \(number)"])
    }

    @Test(arguments: [
        "order 4155550132", "call about order 123456789", "phone order no. 12345678", "call on 2024-01-15",
        "call 12/05/2024 at noon",
        "mobile sales rose to 12.345.678 €", "the phone costs $1234567", "phone revenue 12 345 678 EUR",
        "mobile 2019-2020",
        "call at 48.856613", "phone 123456", "telephone x12345678", "612 34 56 78", "phone 10.0.0.5",
        "tracking 123456789012 phone",
        "call invoice 2026-123456",
    ])
    func `no number of a telephone`(_ text: String) {
        #expect(found(text, [.phoneNumber]).isEmpty)
    }

    /// In the notations of telephone books and shops; the numbering plans are the ITU's.
    @Test(arguments: [
        ("+49 30 901820", nil, "+4930901820"), ("0049 (0)30 901820", nil, "+4930901820"),
        ("+49 (030) 901820", "DE", "+49030901820"),
        ("030 / 901820", "DE", "+4930901820"), ("011 44 20 7946 0018", "US", "+442079460018"),
        ("(415) 555-0132", "US", "+14155550132"), ("1-415-555-0132", "US", "+14155550132"),
        ("415.555.0132", nil, "4155550132"),
        ("06 1234 5678", "IT", "+390612345678"), ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("+1 415 555 0132 x12", nil, "+14155550132"), ("44 20 7946 0018", "GB", "+442079460018"),
    ])
    func `one spelling of a number`(_ text: String, _ country: String?, _ normal: String) {
        // A zero that is part of the number is kept. If the length allows both readings, it is not removed.
        #expect(PhonePlan.normalised(Array(text.utf8), country: country) == Array(normal.utf8), "\(text)")
    }
}
