import Foundation
import Recognition
import TestSupport
import Testing

/// The cases of Presidio's own recogniser tests, if the suite is present. Its tests call each recogniser alone and
/// accept any score, so these do the same: without context words, and below the usual threshold.
@Suite struct PresidioCaseTests {
    private struct Case: Decodable {
        let entities: [String]
        let text: String
        let spans: [[Int]]?
        let expectedLength: Int?

        enum CodingKeys: String, CodingKey {
            case entities, text, spans
            case expectedLength = "expected_len"
        }
    }

    private static let suite = shared("suites/pii/presidio_cases.json")

    /// Names of the suite that belong to another entity here.
    private static let aliases = ["PH_MOBILE_NUMBER": Entity.phoneNumber, "TR_PHONE_NUMBER": .phoneNumber]

    /// The differences, with their reasons.
    private static let argued: [String: String] = [
        "Today is May-21": month, "Today is 21-May": month, "Today is 05-May": month, "Today is May-2021": month,
        "Today is 05/21": month,
        "Today is 5/21": month, "Today is 5/2021": month, "Today is 05/2021": month,
        "Today is,5/21,and it's sunny": month,
        "38ABCDE1234F1Z5": "38 is Ladakh, a union territory since 2019",
        "A1111DFSFS": "no PAN has this form",
        "MN2412": plate, "MCX1243": plate, "I15432": plate,
        "192.168.1.1.1": "five numbers are no address",
        "Here is my National Insurance Number YZ 61 48 68 B": "the space before the number is none of it",
        "\"https://presidio.dataprivacystack.org/\"": "the quotes are none of the address",
        "'https://presidio.dataprivacystack.org/'": "the quotes are none of the address",
        "My US number is (415) 555-0132, and my international one is +91 4155 550132":
            "the second is looked for when India's numbers are",
        "9171234567": national, "Numero: 9171234567": national, "12345678901": national, "0917123456": national,
        "5321234567": national, "532 123 45 67": national, "532-123-45-67": national, "Phone: 5321234567": national,
        "4321234567": national, "2121234567": national, "3121234567": national, "4621234567": national,
        "532.123.45.67": national,
        "6123456789": national, "7123456789": national, "8123456789": national, "9123456789": national,
    ]
    private static let month = "a day or a month without a year is no date of anybody's"
    private static let plate = "a letter or two and four digits are too little"
    private static let national =
        "PHONE_NUMBER is of all countries: how one of them dials within itself is not told apart"

    /// Entities with a checksum or a strict grammar: at least 98 % of their cases must give the suite's result.
    private static let strict: Set<String> = [
        "ABA_ROUTING_NUMBER", "AU_ABN", "AU_ACN", "AU_MEDICARE", "AU_TFN", "CA_SIN", "CREDIT_CARD", "CRYPTO",
        "DE_HEALTH_INSURANCE",
        "DE_ID_CARD", "DE_LANR", "DE_PASSPORT", "DE_SOCIAL_SECURITY", "DE_TAX_ID", "DE_VAT_ID", "EMAIL_ADDRESS",
        "ES_NIE", "ES_NIF",
        "FI_PERSONAL_IDENTITY_CODE", "IBAN_CODE", "IN_AADHAAR", "IP_ADDRESS", "IT_FISCAL_CODE", "IT_VAT_CODE", "KR_BRN",
        "KR_FRN",
        "KR_RRN", "MAC_ADDRESS", "MEDICAL_LICENSE", "NG_NIN", "PH_TIN", "PL_PESEL", "SE_ORGANISATIONSNUMMER",
        "SE_PERSONNUMMER",
        "SG_NRIC_FIN", "SG_UEN", "TH_TNIN", "TR_NATIONAL_ID", "UK_DRIVING_LICENCE", "UK_NHS", "US_ITIN", "US_MBI",
        "US_NPI", "US_SSN",
        "ZA_ID_NUMBER",
    ]

    @Test(.enabled(if: suite != nil, "scripts/suites does not fetch these cases"))
    func `the suite's spans`() throws {
        let data = try Data(contentsOf: #require(Self.suite))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        var tallies: [String: (alike: Int, all: Int)] = [:]
        var seen: Set<String> = []
        for given in cases {
            guard let name = given.entities.first, Set(given.entities).count == 1,
                seen.insert(name + given.text).inserted
            else { continue }
            guard let entity = Entity(name: name) ?? Self.aliases[name] else { continue }
            guard let length = given.expectedLength else { continue }
            // Some cases state only the number of matches.
            let expected = (given.spans ?? []).map { $0[0]..<$0[1] }
            guard expected.count == length else { continue }
            let actual = ranges(of: entity, in: given.text)
            tallies[name, default: (0, 0)].all += 1
            if actual == expected {
                tallies[name, default: (0, 0)].alike += 1
            } else {
                #expect(Self.argued[given.text] != nil, "\(name): \(given.text) expected \(expected), found \(actual)")
            }
        }
        for (name, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            print(name, tally.alike, "of", tally.all)
            if Self.strict.contains(name) { #expect(tally.alike * 100 >= tally.all * 98, "\(name) \(tally)") }
        }
        #expect(Self.strict.subtracting(tallies.keys).isEmpty)
    }

    /// Offsets in code points of the text, as the suite counts them.
    private func ranges(of entity: Entity, in text: String) -> [Range<Int>] {
        let bytes = Array(text.utf8)
        var matches: [EntityMatch] = []
        TextScanner(entities: [entity], minimumScore: 0).scan(bytes.span, range: bytes.indices, into: &matches)
        func offset(_ at: Int) -> Int { String(decoding: bytes[..<at], as: UTF8.self).unicodeScalars.count }
        return matches.map { offset($0.start)..<offset($0.end) }
    }
}
