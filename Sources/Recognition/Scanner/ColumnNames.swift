/// Guesses from a column's name alone whether it holds names or addresses of people, which have no form.
///
/// The guess is a proposal only; nothing is masked because of it.
package enum ColumnNames {
    /// The entity that a column's name suggests, with or without a form; nil for none.
    package static func proposal(_ column: String) -> Entity? {
        let words = ContextWords.words(of: column)
        guard let last = words.last else { return nil }
        let joined = words.joined()
        if words.contains(where: things.contains) { return formed(column) }
        if whole.contains(joined) || whole.contains(last) { return .person }
        let before = words.dropLast()
        if last == "name" || last == "names" {
            // `name` alone may be a person's; `event_name` is not.
            return before.isEmpty || before.allSatisfy { people.contains($0) || fillers.contains($0) } ? .person : nil
        }
        if people.contains(last), words.count == 1, holders.contains(last) { return .person }
        if places.contains(last) || places.contains(joined) { return .location }
        let isNumbered = ["1", "2", "3", "line", "line1", "line2", "line3"].contains(last)
        if isNumbered, let first = before.last, places.contains(first) || before.contains(where: places.contains) {
            return .location
        }
        return formed(column)
    }

    /// The entity with a form that a column's name states; nil for none.
    private static func formed(_ column: String) -> Entity? {
        let called = ContextWords.names.called(column)
        return Entity.allCases.first { called.contains($0) && $0 != .dateTime && $0 != .url }
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
    }

    /// Column names that suffice, as one word or several without separators.
    private static let whole = words(
        """
        firstname lastname surname forename givenname familyname middlename maidenname birthname nickname fullname realname legalname
        displayname screenname username userlogin customername clientname contactname patientname employeename personname membername
        guestname passengername cardholder cardholdername accountholder accountholdername holdername recipientname sendername
        vorname nachname familienname geburtsname rufname kundenname ansprechpartner prénom prenom nomfamille nomcomplet nombre apellido
        apellidos nombrecompleto cognome sobrenome primeironome imię imie nazwisko voornaam achternaam förnamn efternamn fornavn etternavn
        efternavn etunimi sukunimi jméno příjmení név vezetéknév keresztnév имя фамилия отчество фио 姓名 氏名 名前 이름 성명 initials
        """)
    /// Words for people before the word `name`.
    private static let people = words(
        """
        first last full given family middle maiden birth sur fore nick real legal display screen user customer client contact patient
        employee person member owner author guest passenger student teacher doctor physician recipient sender cardholder holder applicant
        candidate tenant buyer seller shopper parent father mother spouse child emergency next kin staff manager agent insured beneficiary
        borrower billing shipping preferred primary secondary
        """)
    private static let fillers = words("the of s my your new old")
    /// Words for people that alone name a column of persons.
    private static let holders = words("cardholder")
    /// Words for addresses of people, as column names.
    private static let places = words(
        """
        address addresses addr streetaddress street streetname streetno city town homeaddress postaladdress mailingaddress shippingaddress
        billingaddress deliveryaddress birthplace placeofbirth residence strasse straße str hausnummer adresse anschrift wohnort ort stadt
        geburtsort rue ville commune domicilio dirección direccion calle ciudad localidad indirizzo via città citta comune endereço endereco
        rua cidade bairro adres ulica miasto straat woonplaats plaats gata adress ort by osoite katu kaupunki ulice město utca város адрес
        улица город 住所 地址 주소
        """
    ).subtracting(["via", "by", "ort", "str", "rua"]).union(["ort", "str"])
    /// Words for things with names or addresses that are not people.
    private static let things = words(
        """
        ip ipv4 ipv6 mac email mail web url wallet contract memory host file column table field event product item brand model class group
        team domain server device app application package module function variable layer category tag label channel page project company
        hash block token sender_ip bucket index key node city_id street_id
        """)
}
