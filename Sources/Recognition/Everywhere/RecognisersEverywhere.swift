extension Recogniser {
    /// Recognisers without fixed forms. `TextScanner` calls them as functions; they are listed here for their context
    /// words.
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
            // Year, month and day, or with the year last.
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
}
