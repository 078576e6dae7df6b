extension Recogniser {
    /// The United Kingdom; the rules are those of the issuing authorities.
    static let britain: [Recogniser] = [
        Recogniser(
            .ukNhs, [("999~999~9999", 0.5)], context: "nhs health patient"
        ) { number in
            number.sum([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
        },
        Recogniser(
            .ukNino,
            [
                ("AA 99 99 99 A", 0.65), ("AA 999999 A", 0.65), ("AA999999A", 0.5), ("AA*99*99*99A", 0.5),
                ("AA99*99*99*A", 0.5),
            ], context: "nino national insurance ni", names: "nino nationalinsurance ni"
        ) { number in
            // HM Revenue and Customs, NIM39110: BG, GB, NK, KN, NT, TN and ZZ are never assigned. Letters count as 10
            // to 35.
            let prefix = number[0] * 36 + number[1]
            let isNever = [412, 587, 848, 743, 857, 1067, 1295].contains(prefix)
            return !number.isAmong("DFIQUV", 0) && !number.isAmong("DFIOQUV", 1) && !isNever
                && number.isAmong("ABCD", 8)
        },
        Recogniser(.ukPassport, [("AA9999999", 0.1)], context: "passport passports hmpo"),
        Recogniser(
            .ukPostcode,
            [
                ("A9*9AA", 0.1), ("A99*9AA", 0.1), ("AA9*9AA", 0.1), ("AA99*9AA", 0.1), ("A9A*9AA", 0.1),
                ("AA9A*9AA", 0.1),
                ("gir*0AA", 0.1),
            ],
            context: "postcode postcodes postal zip address delivery mailing shipping"
        ) { number in
            // BS 7666: the letters allowed at each position.
            let count = number.count
            if number.isAmong("G", 0), number.isAmong("I", 1) { return number.isAmong("A", count - 1) ? .yes : .no }
            guard !number.isAmong("QVX", 0), number[1] < 10 || !number.isAmong("IJZ", 1) else { return .no }
            return number.isAmong("CIKMOV", count - 1) || number.isAmong("CIKMOV", count - 2) ? .no : .yes
        },
        Recogniser(
            .ukDrivingLicence, [("XXXXX999999XXXAA", 0.7)], context: "driving licence license dvla"
        ) { number in
            // DVLA: five letters of the surname padded with nines, then the date of birth, with 50 added to the month
            // for women.
            var nines = false
            for index in 0..<5 {
                if number[index] == 9 { nines = true } else if number[index] < 10 || nines { return false }
            }
            let (month, day) = (number.number(6..<8), number.number(8..<10))
            return number[0] >= 10 && (1...12).contains(month > 50 ? month - 50 : month) && (1...31).contains(day)
                && number.areAmong("9ABCDEFGHIJKLMNOPQRSTUVWXYZ", 11..<13)
        },
        Recogniser(
            .ukVehicleRegistration,
            [("AA99~AAA", 0.3), ("A9{1,3}~AAA", 0.2), ("AAA~9{1,3}~A", 0.15), ("AAA*9{1,3}A", 0.15)],
            context: "vehicle registration plate plates reg vrn dvla v5c logbook mot car"
        ) { number in
            guard number[0] >= 10, number[1] >= 10, number[2] < 10, number.count == 7 else {
                if number[2] >= 10, number.hasAny("IOQUZ", number.count - 1..<number.count) { return .no }
                return number.hasAny("IOQUZ", 0..<1) && number[1] < 10 || number.isAmong("IQ", 0) ? .no : .yes
            }
            let age = number.number(2..<4)
            let isOdd = number.hasAny("IQZ", 0..<2) || number.hasAny("IQ", 4..<7)
            return !isOdd && ((2...29).contains(age) || (51...79).contains(age)) ? .yes : .no
        },
    ]

    /// Spain and Italy.
    static let southernEurope: [Recogniser] = [
        Recogniser(
            .esNif, [("9{7,8}A", 1), ("9{7,8}-A", 1)], context: "nif dni identidad identificación"
        ) { number in
            let count = number.count - 1
            return spanishLetter(number.number(0..<count), number, count)
        },
        Recogniser(
            .esNie, [("A9{7,8}A", 1), ("A9{7,8}-A", 1)], context: "nie extranjero identificación"
        ) { number in
            let count = number.count - 1
            guard number.isAmong("XYZ", 0) else { return false }
            var value = number[0] - 33
            for index in 1..<count { value = value * 10 + number[index] }
            return spanishLetter(value, number, count)
        },
        Recogniser(.esPassport, [("AAA999999", 0.05)], context: "pasaporte passport"),
        Recogniser(
            .itFiscalCode, [("AAAAAAXXAXXAXXXA", 1)], context: "codice fiscale cf"
        ) { number -> Plausibility in
            // Ministry of Finance, decree of 23 December 1976: odd positions by a table, even positions by value.
            let odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
            guard number.isAmong("ABCDEHLMPRST", 8) else { return .no }
            var sum = 0
            for index in 0..<15 {
                let value = number[index] < 10 ? number[index] : number[index] - 10
                sum += index % 2 == 0 ? odd[value] : value
            }
            return sum % 26 == number[15] - 10 ? .yes : .unlikely
        },
        Recogniser(
            .itVatCode, [("99999999999", 0.5), ("it99999999999", 0.95), ("99999999_999", 0.5), ("99999999 999", 0.5)],
            context: "piva partita iva vat"
        ) { number in
            let first = number[0] < 10 ? 0 : 2
            return !number.isOne(first..<first + 11) && number.passesLuhn(first..<first + 11)
        },
        Recogniser(
            .itDriverLicense, [("AA9999999A", 0.2), ("u1XXXXXXXA", 0.2)], context: "patente licenza guida"
        ) { number in
            number[1] == 1 && number.hasAny("AIOQV", 2..<9) ? .no : .yes
        },
        Recogniser(
            .itIdentityCard, [("AA*9999999", 0.01), ("9999999AA", 0.01), ("AA99999AA", 0.01)],
            context: "carta identità identita cie documento riconoscimento espatrio"),
        Recogniser(.itPassport, [("AA9999999", 0.01)], context: "passaporto"),
    ]

    /// The letter of a Spanish number by its remainder modulo 23.
    private static func spanishLetter(_ value: Int, _ number: Symbols, _ at: Int) -> Bool {
        let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)
        return Int(letters[value % 23]) - 55 == number[at]
    }

    /// France, Poland, Finland, Sweden and Turkey.
    static let northernEurope: [Recogniser] = [
        Recogniser(
            .frNir,
            [
                ("999999999999999", 1), ("9999999999999 99", 1), ("9#99#99#99#999#999#99", 1), ("999999A99999999", 1),
                ("9#99#99#9A#999#999#99", 1),
            ],
            context: "nir sécurité sociale insee securite"
        ) { number in
            // 97 less the remainder modulo 97; Corsica's 2A and 2B count as 19 and 18.
            guard number[0] == 1 || number[0] == 2, number.number(3..<5) >= 1 else { return false }
            var value = 0
            for index in 0..<13 where number[index] < 10 { value = value * 10 + number[index] }
            if number[6] >= 10 {
                guard number[5] == 2, number[6] <= 11 else { return false }
                value =
                    number.number(0..<5) * 100_000_000 + (number[6] == 10 ? 19 : 18) * 1_000_000 + number.number(7..<13)
            }
            return 97 - value % 97 == number.number(13..<15)
        },
        Recogniser(.plPesel, [("99999999999", 0.55)], context: "pesel") { number in
            // The month encodes the century: plus 80 for 1800, 20 for 2000, 40 for 2100, 60 for 2200.
            let month = number.number(2..<4)
            let century = [1900, 2000, 2100, 2200, 1800][min(month / 20, 4)]
            return Symbols.isDate(year: century + number.number(0..<2), month: month % 20, day: number.number(4..<6))
                && number.sum([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0
        },
        Recogniser(
            .fiPersonalIdentityCode, [("999999-999X", 1), ("999999+999X", 1), ("999999A999X", 1)],
            context: "hetu henkilötunnus personbeteckning"
        ) { number in
            let hasSign = number.count == 10
            let individual = hasSign ? 6 : 7
            guard hasSign || number.isAmong("ABCDEFUVWXY", 6) else { return false }
            guard number.isShortDate(year: 4, month: 2, day: 0) else { return false }
            let rest = (number.number(0..<6) * 1000 + number.number(individual..<individual + 3)) % 31
            return Int(Array("0123456789ABCDEFHJKLMNPRSTUVWXY".utf8)[rest]) == number[individual + 3]
                + (number[individual + 3] < 10 ? 48 : 55)
        },
        Recogniser(
            .sePersonnummer,
            [
                ("999999-9999", 0.9), ("999999+9999", 0.9), ("99999999-9999", 0.95), ("999999999999", 0.9),
                ("9999999999", 0.55),
            ],
            context: "personnummer samordningsnummer pnr ssn"
        ) { number in
            // The last ten digits; the day is increased by 60 in coordination numbers of unregistered persons.
            let first = number.count - 10
            let day = number.number(first + 4..<first + 6)
            let month = number.number(first + 2..<first + 4)
            guard (1...12).contains(month), (1...31).contains(day > 60 ? day - 60 : day) else { return false }
            if first == 2, !(18...20).contains(number.number(0..<2)) { return false }
            return number.passesLuhn(first..<first + 10)
        },
        Recogniser(
            .seOrganisationsnummer, [("999999-9999", 0.5), ("9999999999", 0.5)],
            context: "organisationsnummer orgnr org företagsnummer"
        ) { $0[2] >= 2 && $0.passesLuhn(0..<10) },
        Recogniser(
            .trNationalId, [("99999999999", 0.55)], context: "kimlik tckn tc nüfus"
        ) { number in
            guard number[0] != 0 else { return false }
            let odd = number[0] + number[2] + number[4] + number[6] + number[8]
            let even = number[1] + number[3] + number[5] + number[7]
            return ((odd * 7 - even) % 10 + 10) % 10 == number[9] && (odd + even + number[9]) % 10 == number[10]
        },
        Recogniser(
            .trLicensePlate, [("99*A{1,3}*9{2,4}", 0.3), ("99-A{1,3}-9{2,4}", 0.3)],
            context: "plaka plakası plakasi plate plates"
        ) { number in
            number.hasAny("QWX", 2..<5) || !(1...81).contains(number.number(0..<2))
                ? .no : .yes
        },
    ]
}
