/// What a check says of a candidate that has the right form: `unlikely` counts only beside a context word, where a slip of the pen is
/// still somebody's number; `sure` is a second sign, such as a check digit that not all numbers have, and adds 0.3.
enum Verdict { case no, unlikely, yes, sure }

/// How one entity is recognised: its forms with their scores, a check of what was found, and words that make it likelier.
struct Recogniser: Sendable {
    /// A form (`Shape.ways`) and how sure it is, with its checksum where there is one.
    ///
    /// A checksum of one digit lets one number in ten through, so that bare digits with such a one score less than the usual 0.6 and
    /// count only beside a context word or in a column that is named so.
    typealias Form = (pattern: String, score: Double)

    let entity: Entity
    let forms: [Form]
    let context: [String]
    /// Words that as a column's name say it all: in such a column a value that is wholly of the form is that, however little the form says.
    let names: [String]
    /// Judges what has the form; nil when the form says it all.
    let check: (@Sendable (Symbols) -> Verdict)?

    /// Words that say something in a sentence, and nothing as the name of a column: driver_earnings, call_id, social_followers.
    private static let vagueNames: Set<String> = Set(
        """
        account accounts address auto bank business call called calls cap car card cell cep check checking company contact \
        contacts date debit \
        delivery dl driver drivers driving health id identity insurance link mail mailing medical mot national number org pass \
        patient permit plate plates portable practitioner praxis provider providers reg resident ring savings security shipping social ss \
        tax
        """.split(separator: " ").map(String.init))

    /// A recogniser; context words are separated by spaces and compared without case.
    ///
    /// - Parameter names: the same for columns, where context words also mean other things there.
    init(
        _ entity: Entity, _ forms: [Form], context: String = "", names: String? = nil,
        check: (@Sendable (Symbols) -> Verdict)? = nil
    ) {
        self.names = (names ?? context).split(separator: " ").map(String.init).filter { !Self.vagueNames.contains($0) }
        self.entity = entity
        self.forms = forms
        self.context = context.split(separator: " ").map(String.init)
        self.check = check
    }

    /// A recogniser whose check is yes or no.
    init(
        _ entity: Entity, _ forms: [Form], context: String, names: String? = nil,
        holds: @escaping @Sendable (Symbols) -> Bool
    ) {
        self.init(entity, forms, context: context, names: names) { holds($0) ? .yes : .no }
    }

    /// Every recogniser. Those without forms are written out by hand and stand here for their words.
    static let all: [Recogniser] =
        everywhere + americas + britain + southernEurope + germany + northernEurope + asia + elsewhere

    /// Entities none of whose forms count without a context word.
    static let needsContext: Set<Entity> = Set(
        all.filter { !$0.forms.isEmpty && $0.forms.allSatisfy { $0.score < 0.4 } }.map(\.entity) + [.dateOfBirth])

    /// Entities that are numbers, of which something else may have the like.
    static let numbers: EntitySet = EntitySet(
        all.filter { !$0.forms.isEmpty }.map(\.entity) + [.creditCard, .phoneNumber])

    /// Entities that a check tells from other numbers of their form.
    static let checked: EntitySet = EntitySet(
        all.filter { $0.check != nil }.map(\.entity) + [.creditCard, .ibanCode, .crypto, .ipAddress])

    /// The shapes of all recognisers.
    static let index: ShapeIndex = {
        var ways: [ShapeIndex.Way] = []
        for (place, recogniser) in all.enumerated() {
            for form in recogniser.forms {
                ways += Shape.ways(form.pattern).map { (recogniser.entity, form.score, $0, place) }
            }
        }
        return ShapeIndex(ways)
    }()

    static let checks: [(@Sendable (Symbols) -> Verdict)?] = all.map(\.check)
}

extension Recogniser {
    /// Those whose forms are no fixed ones: `TextScanner` asks them by hand.
    static let everywhere: [Recogniser] = [
        Recogniser(
            .phoneNumber, [],
            context: """
                phone phones telephone telephones tel mobile mob cell cellphone cellular fax call calls called dial ring sms \
                whatsapp landline hotline voicemail contact contacts telefon telefono telefone handy cep numaram telepono móvil movil \
                celular mobil mobilni msisdn téléphone teléfono telefonnummer telefonnr handynummer rufnummer mobilnummer mobilfunknummer \
                telefoonnummer telefoon telefón tél tlf tfno puhelin puh puhelinnumero matkapuhelin mobiltelefon telefonszám telefonas \
                telefonski telefonu komórka téléphones portable cellulare faks телефон тел моб мобильный факс τηλ τηλέφωνο κινητό 電話 電話番号 \
                携帯 电话 手机 電話號碼 전화 전화번호 휴대폰 โทร هاتف جوال טלפון נייד फोन मोबाइल điện thoại simu telefonnumer telefono
                """),
        Recogniser(.emailAddress, [], context: "email mail"),
        Recogniser(.creditCard, [], context: "credit card visa mastercard amex discover jcb diners maestro"),
        Recogniser(.ibanCode, [], context: "iban"),
        Recogniser(.ipAddress, [], context: "ip ipv4 ipv6"),
        Recogniser(.url, [], context: "url website link"),
        Recogniser(.crypto, [], context: "wallet btc bitcoin crypto ethereum eth"),
        Recogniser(.macAddress, [], context: "mac hardware ethernet"),
        Recogniser(.dateTime, [], context: "date"),
        Recogniser(
            .dateOfBirth, [("99999999", 0.05)],
            context: """
                born birth birthday birthdate birthdays dob bday geboren geburtsdatum geburtstag nacimiento nacido nacida naissance né née \
                nascita nato nata nascimento nascido nascida urodzenia urodzony geboortedatum född syntynyt dateofbirth
                """
        ) { number in
            // Year, month and day, or the year at the end.
            func isYear(_ range: Range<Int>) -> Bool { (1900...2099).contains(number.number(range)) }
            let (first, second) = (number.number(0..<2), number.number(2..<4))
            let (third, fourth) = (number.number(4..<6), number.number(6..<8))
            func isDay(_ month: Int, _ day: Int) -> Bool { (1...12).contains(month) && (1...31).contains(day) }
            return isYear(0..<4) && isDay(third, fourth)
                || isYear(4..<8) && (isDay(first, second) || isDay(second, first))
        },
        Recogniser(
            .postalCode,
            [
                ("99999", 0.1), ("99999-9999", 0.3), ("A9A*9A9", 0.3), ("9999*AA", 0.2), ("999*99", 0.05),
                ("99-999", 0.2),
                ("999-9999", 0.2), ("99999-999", 0.2), ("9999", 0.01), ("999999", 0.05),
            ],
            context: "zip zipcode postcode postal postalcode plz cep pincode postnummer postinumero codepostal",
            names: "zip zipcode postcode postal postalcode plz pincode postnummer postinumero codepostal"),
        Recogniser(
            .coordinates, [], context: "lat lon lng latitude longitude gps coordinates coordinate geo koordinaten"),
    ]

    /// The United States, Canada and Brazil.
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
            // Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given out; the others stood in advertisements.
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
            // The first two digits are a Federal Reserve district, or 80 for cheques of travellers.
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
            // Luhn's sum with the prefix 80840 of the issuer, whose own share is 24.
            (number[0] == 1 || number[0] == 2) && !number.isOne(0..<9) && number.passesLuhn(0..<10, plus: 24)
        },
        Recogniser(
            .usMbi, [("9AX9AX9AA99", 0.65), ("9AX9-AX9-AA99", 0.9)],
            context: "medicare mbi beneficiary cms medicaid hic hicn"
        ) { number in
            // S, L, O, I, B and Z are not used.
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

    /// A check digit of CPF (weights from `most` down) or CNPJ (from 9 down and round again).
    private static func brazilianDigit(_ number: Symbols, _ count: Int, _ most: Int) -> Int {
        var sum = 0
        for index in 0..<count {
            let weight = count - index + 1
            sum += number[index] * (most == 9 && weight > 9 ? weight - 8 : weight)
        }
        return sum % 11 < 2 ? 0 : 11 - sum % 11
    }
}
