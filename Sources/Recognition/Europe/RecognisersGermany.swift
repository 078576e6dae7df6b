extension Recogniser {
    /// Germany.
    static let germany: [Recogniser] = [
        Recogniser(
            .deTaxId, [("99999999999", 0.5)],
            context: "steuer steuerid idnr steueridentifikationsnummer identifikationsnummer steuernummer bzst"
        ) { number in
            guard number[0] != 0, number.passesMod11And10(0..<11) else { return .no }
            var counts = [Int](repeating: 0, count: 10)
            for index in 0..<10 { counts[number[index]] += 1 }
            if counts.contains(where: { $0 > 3 }) { return .no }
            return .yes
        },
        Recogniser(
            .deTaxNumber, [("9999999999999", 0.3), ("999/999/99999", 0.35), ("99{1,2}/999{1,2}/9999{1,2}", 0.2)],
            context: "steuernummer steuer finanzamt umsatzsteuer einkommensteuer steuerbescheid stnr"
        ) { number in
            // Thirteen digits begin with the number of one of the sixteen Länder.
            number.count < 13 || (1...16).contains(number.number(0..<2)) ? .yes : .no
        },
        Recogniser(
            .deIdCard, [("XXXXXXXX9", 0.5), ("t99999999", 0.3)],
            context:
                "personalausweis ausweis ausweisnummer personalausweisnummer ausweisdokument dokumentennummer npa identity"
        ) { number in
            let isOld = number.isAmong("T", 0) && number.areAmong("0123456789", 1..<9)
            return isOld || isGermanDocument(number)
        },
        Recogniser(
            .dePassport, [("XXXXXXXX9", 0.5)],
            context: "reisepass pass passnummer reisepassnummer passport dokumentennummer"
        ) { isGermanDocument($0) },
        Recogniser(
            .deSocialSecurity, [("99999999A999", 1)],
            context:
                "rentenversicherungsnummer sozialversicherungsnummer versicherungsnummer rvnr svnr rentenversicherung"
        ) { number in
            let day = number.number(2..<4)
            guard (1...31).contains(day) || (51...81).contains(day), (1...12).contains(number.number(4..<6)) else {
                return false
            }
            let letter = number[8] - 9
            let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]
            var sum = 0
            for index in 0..<12 {
                let digit =
                    index < 8 ? number[index] : index == 8 ? letter / 10 : index == 9 ? letter % 10 : number[index - 1]
                sum += digit * weights[index] / 10 + digit * weights[index] % 10
            }
            return sum % 10 == number[11]
        },
        Recogniser(
            .deHealthInsurance, [("A999999999", 0.5)],
            context:
                "krankenversicherungsnummer versichertennummer kvnr krankenkasse krankenversicherung gesundheitskarte egk"
        ) { number in
            let letter = number[0] - 9
            var sum = 0
            for index in 0..<10 {
                let digit = index == 0 ? letter / 10 : index == 1 ? letter % 10 : number[index - 1]
                let product = index % 2 == 0 ? digit : digit * 2
                sum += product / 10 + product % 10
            }
            return sum % 10 == number[9]
        },
        Recogniser(
            .deVatId, [("de999999999", 0.6), ("de~999~999~999", 0.4), ("de.999.999.999", 0.4)],
            context: "umsatzsteuer ust ustid ustidnr vat mehrwertsteuer"
        ) { $0.passesMod11And10(2..<11) ? .sure : .yes },
        Recogniser(
            .deFuehrerschein, [("AA99999999X", 0.35)],
            context: "führerschein führerscheinnummer fahrerlaubnis fahrerlaubnisnummer driving license licence"),
        Recogniser(.deKfz, [], context: "kennzeichen kfz nummernschild fahrzeug auto pkw lkw zulassung"),
        Recogniser(
            .deLanr, [("999999999", 0.3)],
            context: "arztnummer lanr arzt vertragsarzt kassenarzt hausarzt facharzt rezept"
        ) { number in
            (10 - number.sum([4, 9, 4, 9, 4, 9]) % 10) % 10 == number[6] ? .yes : .no
        },
        Recogniser(
            .deBsnr, [("999999999", 0.2)],
            context: "bsnr betriebsstättennummer betriebsstätte praxisnummer arztpraxis praxis"
        ) { $0.number(0..<9) == 0 ? .no : .yes },
        Recogniser(
            .dePlz, [("99999", 0.05)],
            context: "plz postleitzahl wohnort anschrift adresse lieferadresse rechnungsadresse straße strasse postfach"
        ) { number in
            let code = number.number(0..<5)
            return code >= 1001 && code != 99999 ? .yes : .no
        },
        Recogniser(
            .deHandelsregister,
            // HRB2 is also a gene.
            [("hra*9{3,6}", 0.6), ("hrb*9{3,6}", 0.6), ("hra*9{1,2}", 0.3), ("hrb*9{1,2}", 0.3)],
            context: "handelsregister amtsgericht registergericht registerauszug gmbh"),
    ]

    /// Check digit with weights 7, 3, 1 over letters and digits, as in machine-readable documents (ICAO 9303-3); vowels
    /// are not used.
    private static func isGermanDocument(_ number: Symbols) -> Bool {
        guard number[0] >= 10, number[8] < 10 else { return false }
        var sum = 0
        for index in 0..<8 {
            guard number.isAmong("0123456789CFGHJKLMNPRTVWXYZ", index) else { return false }
            sum += number[index] * (index % 3 == 0 ? 7 : index % 3 == 1 ? 3 : 1)
        }
        return sum % 10 == number[8]
    }
}
