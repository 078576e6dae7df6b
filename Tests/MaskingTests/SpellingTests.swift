import Cryptography
import Masking
import Recognition
import Schemas
import Tabular
import Testing

/// One canonical spelling for all spellings of the same address or number, before keyed operators.
@Suite struct SpellingTests {
    private func spelled(_ text: String, _ entity: Entity?, _ country: String? = nil) -> String {
        let bytes = Array(text.utf8)
        return String(decoding: oneSpelling(bytes.span, bytes.indices, of: entity, country: country), as: UTF8.self)
    }

    @Test func `spellings of one thing are one`() {
        for (entity, texts) in [
            (
                Entity.emailAddress,
                [
                    "bob@example.com", "BOB@Example.com", " bob@example.com ", "bob%40example.com",
                    "bo\u{AD}b@example.com",
                ]
            ),
            (
                .phoneNumber,
                [
                    "+49 30 901820", "0049 30 901820", "+49 (0)30 901820", "(030) 90 18 20", "030/901820",
                    "+49\u{A0}30\u{A0}901820",
                ]
            ),
            (.ibanCode, ["DE89370400440532013000", "de89 3704 0044 0532 0130 00"]),
            (.creditCard, ["4111111111111111", "4111-1111-1111-1111"]),
            (.usSsn, ["219-09-9998", "219 09 9998", "219\u{2013}09\u{2013}9998"]),
            (.person, ["José  Pérez", " Jose\u{301} Pérez "]),
            (.macAddress, ["AA:BB:CC:00:11:22", "aa:bb:cc:00:11:22"]),
        ] {
            #expect(Set(texts.map { spelled($0, entity, "DE") }).count == 1, "\(entity)")
        }
        // Names keep their case, and so do wallets, whose case is significant.
        #expect(spelled("Mark", .person) != spelled("mark", .person))
        #expect(spelled("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", .crypto) == "1BoatSLRHtKNngkdXEeobR76b53LETtpyT")
        #expect(spelled("0151 2345678", .phoneNumber) == "01512345678", "no country, no calling code")
    }

    private func token(_ value: String, _ rule: String) throws -> String {
        let schema = try contract("fields:\n  - { name: v, sluice: { pii: \(rule) } }\n")
        let text = try mask(schema, "v\n\"\(value)\"\n", .csv).text
        return String(text.split(separator: "\n")[1])
    }

    @Test func `tokens join across spellings when the contract asks for it`() throws {
        let plain = "{ entity: EMAIL_ADDRESS, operator: tokenize, key: k }"
        let normal = "{ entity: EMAIL_ADDRESS, operator: tokenize, key: k, normalize: true }"
        #expect(try token("BOB@Example.com", plain) != token("bob@example.com", plain))
        #expect(try token("BOB@Example.com", normal) == token(" bob@example.com", normal))
        #expect(
            try token("bob@example.com", plain) == token("bob@example.com", normal),
            "the plain spelling keeps its token")
        let phone = "{ entity: PHONE_NUMBER, operator: tokenize, key: k, normalize: true, country: GB }"
        #expect(try token("020 7946 0018", phone) == token("+44 20 7946 0018", phone))
        let sealed = "{ entity: EMAIL_ADDRESS, operator: encrypt, key: k, normalize: true }"
        #expect(try token("BOB@Example.com", sealed) == token("bob@example.com", sealed))
        let scanned = "{ scan: true, operator: tokenize, key: k, normalize: true }"
        #expect(try token("to BOB@Example.com", scanned) == token("to bob@example.com", scanned))
    }

    @Test func `what the contract may say of it`() throws {
        func warnings(_ rule: String) throws -> Int {
            let text = "fields:\n  - { name: v, sluice: { pii: \(rule) } }\n"
            return try Schema.load(Array(text.utf8), name: "c.yaml").warnings.count
        }
        #expect(try warnings("{ entity: EMAIL_ADDRESS, operator: tokenize, key: k }") == 1)
        #expect(try warnings("{ entity: EMAIL_ADDRESS, operator: tokenize, key: k, normalize: false }") == 0)
        #expect(try warnings("{ entity: US_SSN, operator: tokenize, key: k }") == 0)
        for rule in [
            "{ entity: EMAIL_ADDRESS, operator: mask, normalize: true }",
            "{ entity: PHONE_NUMBER, operator: tokenize, key: k, normalize: true, country: XX }",
            "{ entity: PHONE_NUMBER, operator: tokenize, key: k, country: DE }",
        ] { #expect(throws: SchemaError.self) { try warnings(rule) } }
    }
}
