import Testing

@testable import Recognition

/// Values that are an entity, and lookalikes, each alone in a column named after the entity. Numbers with a checksum
/// were drawn until python-stdnum accepted them, and broken by a change that the checksum must detect.
@Suite struct EntityCaseTests {
    private static let cases: [(name: String, column: String, valid: [String], invalid: [String])] = [
        (
            "ABA_ROUTING_NUMBER", "routing", ["265865543", "264720993", "311597804"],
            ["260384585", "128853271", "311105480"]
        ),
        (
            "AU_ABN", "abn", ["43251737321", "38191794992", "98348574709"],
            ["14322631385", "64894977303", "79276480011"]
        ),
        ("AU_ACN", "acn", ["514327327", "003690382", "978660472"], ["372977004", "173388972", "585363607"]),
        (
            "AU_MEDICARE", "medicare", ["4702522265", "4928795796", "2385807541"],
            ["3238131021", "4862942069", "6982888805"]
        ),
        ("AU_TFN", "tfn", ["769462114", "492010555", "601702225"], ["053148794", "540756176", "899340771"]),
        (
            "BR_CNPJ", "cnpj", ["78085724000172", "18383671000144", "09517702000111"],
            ["23134232000131", "07201496000103", "12895786000134"]
        ),
        (
            "BR_CPF", "cpf", ["297.340.775-38", "115.105.248-51", "61532783450"],
            ["08309339723", "732.771.911-36", "33188770858"]
        ),
        ("CA_SIN", "sin", ["271889735", "105967848", "404598757"], ["276428680", "106808481", "400184159"]),
        ("COORDINATES", "gps", ["48.8566, 2.3522"], ["95.8566, 2.3522", "48.85, 2.35"]),
        (
            "CREDIT_CARD", "card_number", ["6011129972200332", "5585159045847445", "6011370374244797"],
            ["6011 7506 7496 5774", "4465228173169343", "5163403391856946"]
        ),
        (
            "CRYPTO", "wallet",
            [
                "1BkiG7Y9G4hMerfWSJYpc1ApfHQLYrHhr5", "12uuvv8owZvFKJACLG3DDyhGc7ozmXdWU6",
                "1HDNmn7UJZEJmXtWDwegoxyt378kPXdWrd",
            ],
            [
                "364KQ6WQbhfy83EQ4S1LAHRksJXKFnVNb1", "33dC7b8ZRxeHeyp2RXxeAVegYHUHZwHZLA",
                "1J8n2cfsm6qtDyyBdV7rDUQgiVoeEfxk7A",
            ]
        ),
        ("DATE_OF_BIRTH", "born", ["1990-05-04", "4 May 1990", "04/05/1990"], ["1990-13-04", "45/05/1990"]),
        ("DATE_TIME", "date", ["2026-05-04", "4.5.2026"], ["2026-15-04"]),
        ("DE_BSNR", "bsnr", ["123456789"], ["000000000", "12345678"]),
        ("DE_FUEHRERSCHEIN", "führerschein", ["AB12345678C", "AB123456789"], ["A123456789"]),
        ("DE_HANDELSREGISTER", "amtsgericht", ["HRB 12345", "HRA1"], ["HRC 12345", "HRB 1234567"]),
        (
            "DE_HEALTH_INSURANCE", "kvnr", ["B691024657", "K737725672", "I269764230"],
            ["M245820055", "E386184960", "U971999249"]
        ),
        ("DE_ID_CARD", "ausweis", ["T22000129", "L01X00T44"], ["L01X00T48"]),
        ("DE_KFZ", "kennzeichen", ["M-AB 1234", "B AB 12E"], ["MMMM-AB 12", "M-AB 12345"]),
        ("DE_LANR", "lanr", ["123456601"], ["123456701"]),
        ("DE_PASSPORT", "reisepass", ["C01X00T41"], ["AAAAAAAA0"]),
        ("DE_PLZ", "plz", ["10115", "01067"], ["00999", "1011"]),
        (
            "DE_SOCIAL_SECURITY", "rvnr", ["27161071X939", "60081063I463", "48030880W208"],
            ["08161288P382", "11141158I529", "93190692J551"]
        ),
        (
            "DE_TAX_ID", "steuer_id", ["84678950287", "30629578170", "33146982753"],
            ["84654192370", "50896711214", "10576595483"]
        ),
        ("DE_TAX_NUMBER", "steuernummer", ["0212345678901", "123/456/78901"], ["1712345678901"]),
        (
            "DE_VAT_ID", "ust_id", ["DE744794659", "DE731472769", "DE620128886"],
            ["DE24611476", "DE85222065", "DE36643411"]
        ),
        (
            "EMAIL_ADDRESS", "email",
            ["bo.li422@mail.example.com", "eve+x324@corp.example.org", "bo.li635@mail.example.com"],
            ["eve+x934 at shop.example.co.uk", "eve+x122 at corp.example.org", "eve+x37 at mail.example.com"]
        ),
        ("ES_NIE", "nie", ["Z2113618S", "X2371015Z", "X6704450L"], ["X2355382A", "Z4394001A", "X2949980A"]),
        ("ES_NIF", "nif", ["55881142C", "65116812V", "74540992Q"], ["93749339A", "34084679A", "15637482A"]),
        ("ES_PASSPORT", "pasaporte", ["AAA123456"], ["AA123456"]),
        (
            "FI_PERSONAL_IDENTITY_CODE", "hetu", ["171094-417R", "070343-861T", "050976-4653"],
            ["151066-0405", "040451-7774", "191198-808A"]
        ),
        (
            "FR_NIR", "nir", ["125114684877064", "260026154735220", "209122573943341"],
            ["235015135515082", "189048021123625", "148051409021613"]
        ),
        (
            "IBAN_CODE", "iban",
            ["GB39 RTRY 7048 0260 7033 12", "ES03 7748 1099 7999 9307 8315", "NL91LCFH6006043662"],
            ["DE16633267260478341369", "PL03873359403825196524208264", "PL23875172500957497598626680"]
        ),
        (
            "IN_AADHAAR", "aadhaar", ["405581220410", "566644104745", "879960551573"],
            ["788183023630", "324382321679", "919077069427"]
        ),
        ("IN_GSTIN", "gst", ["27AAPFU0939F1ZV"], ["99AAPFU0939F1ZV"]),
        ("IN_PAN", "pan", ["CRVJY0505K", "XGNJC1713C", "XLWFI8677Y"], ["VMUTR274AA", "EFMAN201AR", "XHSAQ612AR"]),
        ("IN_PASSPORT", "passport", ["A2096457", "A20 96457"], ["A0096457", "A2096450"]),
        ("IN_VEHICLE_REGISTRATION", "registration", ["KA53ME3456"], ["KA53M345"]),
        ("IN_VOTER", "voter", ["ABC1234567"], ["AB1234567"]),
        (
            "IP_ADDRESS", "ip", ["210.50.169.104", "63.177.128.225", "149.171.129.7"],
            ["231.30.200.256", "79.26.87.256", "157.89.42.256"]
        ),
        ("IT_DRIVER_LICENSE", "patente", ["AA1234567B", "U1K711J11M"], ["AA123456B", "U1H00A000B"]),
        (
            "IT_FISCAL_CODE", "codice_fiscale", ["BNCNNA93R02H501E", "RSSMRA73D21H501D", "BNCNNA86A09H501O"],
            ["RSSMRA94Z05H501V", "RSSMRA85Z05H501Q", "VRDLGI69Z25H501P"]
        ),
        ("IT_IDENTITY_CARD", "carta", ["AA12345AA", "1234567AA"], ["AA1234AA"]),
        ("IT_PASSPORT", "passaporto", ["AA1234567"], ["A1234567"]),
        (
            "IT_VAT_CODE", "partita_iva", ["68197280867", "36217260268", "58095350631"],
            ["30376550109", "35990510173", "39444141007"]
        ),
        (
            "JP_MY_NUMBER", "mynumber", ["424219686212", "644547284504", "150052865168"],
            ["955232202290", "547285149519", "271721836378"]
        ),
        ("KR_BRN", "brn", ["104-81-36565"], ["104-81-36566"]),
        ("KR_DRIVER_LICENSE", "license", ["11-22-345678-90"], ["99-22-345678-90"]),
        ("KR_FRN", "frn", ["900101-5678901"], ["900101-1678901"]),
        ("KR_PASSPORT", "passport", ["M123A4567"], ["A123A4567"]),
        (
            "KR_RRN", "rrn", ["540414-4017524", "630307-1744090", "560909-3494240"],
            ["631306-3029147", "411328-4228798", "541328-1646965"]
        ),
        (
            "MAC_ADDRESS", "mac", ["06:17:64:ff:10:8b", "f3:68:17:72:a9:a0", "71:bc:e9:08:10:3e"],
            ["62:37:9f:3d:7e:2g", "38:b3:ac:82:d2:5g", "8a:9c:21:c8:59:7g"]
        ),
        ("MEDICAL_LICENSE", "dea", ["CF0878302", "FP1552377", "GA4271653"], ["GL8284330", "BE2467736", "BN8022590"]),
        (
            "NG_NIN", "nin", ["62290496566", "41543349735", "76942332412"],
            ["94121135181", "42430889900", "12245774223"]
        ),
        ("NG_VEHICLE_REGISTRATION", "registration", ["ABC-123DE"], ["ABC-12DE"]),
        (
            "PHONE_NUMBER", "phone", ["+49 30 1234567", "0301234567", "(415) 555-0132"],
            ["12345", "+49 30 1234567 1234567"]
        ),
        ("PH_TIN", "tin", ["123-456-782"], ["123-456-783"]),
        (
            "PL_PESEL", "pesel", ["41111026800", "86101713476", "66050468630"],
            ["58081364479", "45040373133", "49030732494"]
        ),
        ("POSTAL_CODE", "zip", ["12345", "12345-6789", "K1A 0B1"], ["123", "1234567"]),
        ("SE_ORGANISATIONSNUMMER", "orgnr", ["556074-7551"], ["556074-7552"]),
        (
            "SE_PERSONNUMMER", "personnummer", ["196301096787", "198211087518", "198407236507"],
            ["199210080242", "520612-0604", "800624-3675"]
        ),
        ("SG_NRIC_FIN", "nric", ["F8931031T", "F3439161X", "T8459028I"], ["G808933L", "S475129J", "F951294X"]),
        ("SG_UEN", "uen", ["53125226D", "T16RF0037C"], ["53125226E"]),
        (
            "TH_TNIN", "tnin", ["4968706385561", "3962289015276", "7654813046454"],
            ["8963197175493", "7968398849128", "3650811126236"]
        ),
        ("TR_LICENSE_PLATE", "plaka", ["34 ABC 123", "06-AB-1234"], ["82 ABC 123"]),
        (
            "TR_NATIONAL_ID", "kimlik", ["12444519628", "44850102330", "77224493468"],
            ["83212275957", "62297020461", "89837472191"]
        ),
        ("UK_DRIVING_LICENCE", "licence", ["MORGA657054SM9IJ"], ["MORGA613054SM9IJ", "99999657054SM9IJ"]),
        ("UK_NHS", "nhs", ["4196072992", "6682361467", "8328805901"], ["5624563381", "7554892251", "5881077043"]),
        ("UK_NINO", "nino", ["AB383968D", "CE130059B", "JK807818D"], ["QQ598495B", "QQ043822D", "QQ900328C"]),
        ("UK_PASSPORT", "passport", ["AB1234567"], ["A1234567", "AB12345678"]),
        ("UK_POSTCODE", "postcode", ["SW1A 1AA", "M1 1AE", "GIR 0AA"], ["QW1A 1AA", "SW1A 1CC"]),
        ("UK_VEHICLE_REGISTRATION", "vrn", ["AB51 CDE", "A123 BCD"], ["AB01 CDE", "I123 BCD"]),
        ("URL", "website", ["https://www.example.com/a", "example.org"], ["http://example", "www.example"]),
        ("US_BANK_NUMBER", "bank account", ["12345678", "12345678901234567"], ["1234567", "123456789012345678"]),
        ("US_DRIVER_LICENSE", "driver license", ["D1234567", "12ABC34567"], ["DRIVER", "A12B345"]),
        (
            "US_ITIN", "itin", ["904-94-4259", "900-88-2414", "915-94-1320"],
            ["931-93-6031", "930-93-7978", "900-93-0031"]
        ),
        ("US_MBI", "medicare", ["1EG4-TE5-MK73", "1EG4TE5MK73"], ["0EG4-TE5-MK73", "1SG4TE5MK73"]),
        ("US_NPI", "npi", ["2607583574", "2679834111", "2026420606"], ["2435979336", "1319670490", "1619996181"]),
        ("US_PASSPORT", "passport", ["912345678", "C12345678"], ["91234567", "CC1234567"]),
        (
            "US_SSN", "ssn", ["739-63-0172", "787-40-7698", "871-30-0905"],
            ["000-96-9129", "000-50-9392", "000-37-7938"]
        ),
        (
            "ZA_ID_NUMBER", "za_id", ["4605101660183", "9801254841085", "9306167971086"],
            ["4304136833089", "8001030258084", "7412157154181"]
        ),
    ]

    @Test func `each entity's cases`() throws {
        var seen: Set<String> = []
        for given in Self.cases {
            let entity = try #require(Entity(name: given.name))
            seen.insert(given.name)
            for text in given.valid {
                #expect(
                    found(text, [entity], column: given.column) == ["\(given.name) \(text)"], "\(given.name) \(text)")
            }
            for text in given.invalid {
                #expect(
                    found(text, [entity], column: given.column) != ["\(given.name) \(text)"], "\(given.name) \(text)")
            }
        }
        #expect(Set(Entity.allCases.filter { !$0.isListed }.map(\.name)).subtracting(seen).isEmpty)
    }

    /// A common form without a checksum does not count without a context word.
    @Test func `a context word is needed where the form says little`() throws {
        var count = 0
        for given in Self.cases {
            let entity = try #require(Entity(name: given.name))
            // A check letter is evidence enough.
            guard Recogniser.needsContext.contains(entity), entity != .sgNricFin else { continue }
            count += 1
            for text in given.valid { #expect(found("see \(text) please", [entity]).isEmpty, "\(given.name) \(text)") }
        }
        #expect(count > 20)
    }
}
