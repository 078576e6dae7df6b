extension Recogniser {
    /// The United States, Canada and Brazil; the rules are those of the issuing authorities.
    static let americas: [Recogniser] = [
        Recogniser(
            .usSsn,
            [
                ("999-99-9999", 0.65), ("999 99 9999", 0.65), ("999.99.9999", 0.65), ("999999999", 0.4),
                ("99999-9999", 0.05),
                ("999-999999", 0.2),
            ],
            context: "ssn ssns ssid social security ss taxpayer", names: "ssn ssns ssid socialsecurity taxpayer"
        ) { number in
            // The Social Security Administration never assigns areas 000, 666 and 900 to 999, group 00 or serial 0000;
            // the listed numbers appeared in advertisements.
            let area = number.number(0..<3)
            let whole = number.number(0..<9)
            return area != 0 && area != 666 && area < 900 && number.number(3..<5) != 0 && number.number(5..<9) != 0
                && ![123_456_789, 78_051_120].contains(whole) && !number.isOne(0..<9)
        },
        Recogniser(
            .usItin,
            [("999#99#9999", 0.65), ("999999999", 0.3), ("999-999999", 0.05), ("99999-9999", 0.05)],
            context: "itin taxpayer taxid tin tax", names: "itin taxpayer taxpayeridentification taxid tin"
        ) { number in
            let group = number.number(3..<5)
            return number[0] == 9 && group >= 50 && group != 93 && !(66...69).contains(group) && group != 89
        },
        Recogniser(.usPassport, [("999999999", 0.05), ("A99999999", 0.1)], context: "passport passports"),
        Recogniser(
            .usDriverLicense,
            [
                ("A9{3,5}", 0.1), ("A9{6,14}", 0.3), ("AA9{2,4}", 0.1), ("AA9{5,7}", 0.3), ("99AAA9{5,6}", 0.3),
                ("A999999r", 0.3), ("999999999A", 0.3),
                ("AA999999A", 0.3), ("99999999AA", 0.3), ("999AA9999", 0.3), ("A9A9A", 0.1), ("9{7,8}A", 0.3),
                ("9{6,14}", 0.01),
                ("9999999999999999", 0.01),
            ],
            context: "driver drivers license licence dl dls cdl dln driving permit",
            names: """
                driverlicense driverslicense driverlicence driverslicence drivinglicense drivinglicence dln dlnumber dlno
                """),
        Recogniser(
            .usBankNumber, [("9{8,17}", 0.05)],
            context: "bank account accounts acct checking savings debit konto",
            names: "bankaccount bankaccountnumber bankaccountno accountnumber acct kontonummer"),
        Recogniser(
            .abaRoutingNumber, [("999999999", 0.5), ("9999-9999-9", 0.65)],
            context: "aba routing abarouting bankrouting rtn"
        ) { number in
            // The first two digits are a Federal Reserve district, or 80 for traveller's cheques.
            let district = number.number(0..<2)
            let isDistrict =
                district <= 12 || (21...32).contains(district) || (61...72).contains(district) || district == 80
            return isDistrict && number.sum([3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0
        },
        Recogniser(
            .medicalLicense, [("AA9999999", 0.5), ("A99999999", 0.5)],
            context: "dea medical certificate prescriber registrant practitioner"
        ) { number in
            guard number.isAmong("ABCDEFGHJKLMPRSTUX", 0), number[1] == 9 || number[1] >= 10 else { return false }
            return (number[2] + number[4] + number[6] + 2 * (number[3] + number[5] + number[7])) % 10 == number[8]
        },
        Recogniser(
            .usNpi, [("9999999999", 0.5), ("9999#999#999", 0.55)],
            context: "npi provider providers taxonomy", names: "npi nationalprovider nationalprovideridentifier"
        ) { number in
            // Luhn's sum with the issuer prefix 80840, which contributes 24 (CMS, NPI check digit).
            (number[0] == 1 || number[0] == 2) && !number.isOne(0..<9) && number.passesLuhn(0..<10, plus: 24)
        },
        Recogniser(
            .usMbi, [("9AX9AX9AA99", 0.65), ("9AX9-AX9-AA99", 0.9)],
            context: "medicare mbi beneficiary cms medicaid hic hicn"
        ) { number in
            // The letters S, L, O, I, B and Z are not used.
            number[0] > 0 && !number.hasAny("SLOIBZ", 0..<11)
        },
        Recogniser(
            .caSin, [("999999999", 0.5), ("999 999 999", 0.5), ("999-999-999", 0.65)],
            context: "sin nas insurance", names: "sin nas socialinsurance"
        ) { $0[0] != 0 && $0[0] != 8 && $0.number(3..<9) != 0 && $0.passesLuhn(0..<9) },
        Recogniser(.brCpf, [("999.999.999-99", 0.95), ("99999999999", 0.55)], context: "cpf") { number in
            !number.isOne(0..<11) && brazilianDigit(number, 9, 10) == number[9]
                && brazilianDigit(number, 10, 11) == number[10]
        },
        Recogniser(.brCnpj, [("99.999.999/9999-99", 0.95), ("99999999999999", 0.55)], context: "cnpj") { number in
            !number.isOne(0..<14) && brazilianDigit(number, 12, 9) == number[12]
                && brazilianDigit(number, 13, 9) == number[13]
        },
    ]

    /// A check digit of CPF (descending weights from `most`) or CNPJ (descending from 9 and starting again).
    private static func brazilianDigit(_ number: Symbols, _ count: Int, _ most: Int) -> Int {
        var sum = 0
        for index in 0..<count {
            let weight = count - index + 1
            sum += number[index] * (most == 9 && weight > 9 ? weight - 8 : weight)
        }
        return sum % 11 < 2 ? 0 : 11 - sum % 11
    }
}
