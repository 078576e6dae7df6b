import Foundation
import Masking
import Schemas
import Tabular
import Testing

/// Personal data that the contract does not declare.
@Suite struct UndeclaredTests {
    private func open(_ more: String = "") throws -> Schema {
        try contract("fields:\n  - { name: id, type: integer }\n  - { name: note, type: string }\n" + more)
    }

    @Test func `it is replaced by its name, and the rest stays`() throws {
        let csv = "id,note\n1,\"write to ann@example.com, please\"\n2,nothing\n3,card 4012888888881881\n"
        let masked = try mask(open(), csv, .csv)
        #expect(
            masked.text == "id,note\n1,\"write to <EMAIL_ADDRESS>, please\"\n2,nothing\n3,card <CREDIT_CARD>\n"
                && masked.rows == 3)
        #expect(
            masked.receipts.map { "\($0.key.field ?? -1) \($0.key.entity) \($0.value)" }.sorted() == [
                "1 CREDIT_CARD 1", "1 EMAIL_ADDRESS 1",
            ])
        // A value hidden by an escape is found too.
        let jsonl = "{\"id\": 1, \"note\": \"ann\\u0040example.com\"}\n{\"id\": 4012888888881881, \"note\": \"n\"}\n"
        #expect(
            try mask(open(), jsonl, .jsonl).text
                == "{\"id\": 1, \"note\": \"<EMAIL_ADDRESS>\"}\n{\"id\": \"<CREDIT_CARD>\", \"note\": \"n\"}\n")
    }

    @Test func `columns and members that nobody named are no way around`() throws {
        let csv = "id,note,more\n1,n,ann@example.com\n"
        #expect(
            try mask(open("sluice: { unknownFields: keep }\n"), csv, .csv).text == "id,note,more\n1,n,<EMAIL_ADDRESS>\n"
        )
        let jsonl =
            "{\"id\": 1, \"note\": \"n\", \"more\": {\"a\": [\"ann@example.com\"]}, \"x\": 1}\n"
            + "{\"id\": 2, \"note\": \"n\", \"more\": \"b\"}\n"
        #expect(
            try mask(open("sluice: { unknownFields: keep }\n"), jsonl, .jsonl).text
                == "{\"id\": 1, \"note\": \"n\",  \"x\": 1}\n{\"id\": 2, \"note\": \"n\", \"more\": \"b\"}\n")
    }

    @Test func `the policy is the contract's, and a field may have its own`() throws {
        let csv = "id,note\n1,ann@example.com\n2,nothing\n"
        for (policy, rows) in [("mask", 2), ("quarantine", 1), ("reject", 1), ("allow", 2)] {
            let masked = try mask(open("sluice: { undeclaredPii: \(policy) }\n"), csv, .csv)
            #expect(masked.rows == rows, "\(policy)")
            #expect(masked.text.contains("@") == (policy == "allow"), "\(policy)")
        }
        let own = try contract(
            "fields:\n  - { name: id, type: integer }\n  - { name: note, type: string, sluice: { undeclaredPii: allow } }\n"
                + "sluice: { undeclaredPii: reject }\n")
        #expect(try mask(own, csv, .csv).text == csv)
    }

    @Test func `an object stays one, and what is found in it is changed in place`() throws {
        let schema = try contract("fields:\n  - { name: m, type: object }\n  - { name: l, type: array }\n")
        let line =
            "{\"m\": {\"e\": \"to ann@example.com\", \"c\": 4012888888881881}, \"l\": [4012888888881881, \"x\"]}\n"
        #expect(
            try mask(schema, line, .jsonl).text
                == "{\"m\": {\"e\": \"to <EMAIL_ADDRESS>\", \"c\": \"<CREDIT_CARD>\"}, \"l\": [\"<CREDIT_CARD>\", \"x\"]}\n"
        )
    }

    @Test func `an object with escapes stays one, too`() throws {
        let schema = try contract("fields:\n  - { name: m, type: object }\n")
        for (inside, masked) in [
            (#""to \"ann@example.com\" now""#, #""to \"<EMAIL_ADDRESS>\" now""#),
            (#""line\nann@example.com\\""#, #""line\n<EMAIL_ADDRESS>\\""#),
            (#""\u0001ann@example.com""#, #""\u0001<EMAIL_ADDRESS>""#),
            (#""ann\u0040example.com \u00e9""#, #""<EMAIL_ADDRESS> é""#),
            (#"["\\\"", 4012888888881881]"#, #"["\\\"", "<CREDIT_CARD>"]"#),
            (#"{"\"": "4012888888881881"}"#, #"{"\"": "<CREDIT_CARD>"}"#),
        ] {
            let text = try mask(schema, "{\"m\": {\"e\": \(inside)}}\n", .jsonl).text
            #expect(text == "{\"m\": {\"e\": \(masked)}}\n")
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
    }

    /// Decoded texts are adjacent in a block, and the letters of an escape are not part of the following text.
    @Test func `neither the value before nor an escape hides what follows`() throws {
        let schema = try contract("fields:\n  - { name: o, type: any }\n  - { name: p, type: any }\n")
        for (value, masked) in [
            ("536-22-1234", "<US_SSN>"), ("4111111111111111", "<CREDIT_CARD>"), ("10.0.0.7", "<IP_ADDRESS>"),
            ("DE89370400440532013000", "<IBAN_CODE>"),
        ] {
            let lines = "{\"o\":\"line\\n1\",\"p\":\"\(value)\\nx\"}\n{\"o\":\"\(value)\\nx\",\"p\":\"1\\n1\"}\n"
            let text = try mask(schema, lines, .jsonl).text
            #expect(!text.contains(value), "\(text)")
            #expect(text.components(separatedBy: masked).count == 3, "\(text)")
            for escape in ["\\n", "\\t", "\\u000a", "\\\"", "\\\\", "\\u0001"] {
                let nested = "{\"o\":{\"a\":\"x\(escape)\(value)\(escape)y\"},\"p\":1}\n"
                let text = try mask(schema, nested, .jsonl).text
                #expect(text == "{\"o\":{\"a\":\"x\(escape)\(masked)\(escape)y\"},\"p\":1}\n", "\(escape) \(text)")
            }
        }
        let csv = "o,p\n\"say \"\"x\"\" 7\",n\n\"4111111111111111 \"\"y\"\"\",n\n"
        #expect(try mask(schema, csv, .csv).text.contains("<CREDIT_CARD>"))
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        #expect(try mask(schema, "{\"o\":{\"a\":\"x\\n\(token)\"},\"p\":1}\n", .jsonl).rows == 0)
        let key = "{\"o\":\"x\\n-\",\"p\":\"-----BEGIN " + "RSA PRIVATE KEY-----\\nabc\"}\n"
        #expect(try mask(schema, key, .jsonl).rows == 0)
    }

    @Test func `an object in a cell of CSV stays one, too, and its sign goes with a number`() throws {
        let schema = try contract("fields:\n  - { name: m, type: object }\n")
        let csv = "m\n\"{\"\"a\"\":\"\"x\\u0040y.org\"\",\"\"b\"\":4111111111111111}\"\n"
        #expect(
            try mask(schema, csv, .csv).text
                == "m\n\"{\"\"a\"\":\"\"<EMAIL_ADDRESS>\"\",\"\"b\"\":\"\"<CREDIT_CARD>\"\"}\"\n")
        #expect(
            try mask(schema, "{\"m\": {\"card\": -4111111111111111}}\n", .jsonl).text
                == "{\"m\": {\"card\": \"<CREDIT_CARD>\"}}\n")
    }

    @Test func `what says little counts in a column that is called so`() throws {
        func open(_ name: String, _ type: String = "string") throws -> Schema {
            try contract("fields:\n  - { name: id, type: integer }\n  - { name: \(name), type: \(type) }\n")
        }
        for (name, type, value, entity) in [
            ("passport_no", "string", "512345678", "US_PASSPORT"),
            ("bankAccount", "string", "00123456789", "US_BANK_NUMBER"),
            ("bankaccount", "string", "00123456789", "US_BANK_NUMBER"), ("zipCode", "string", "90210", "POSTAL_CODE"),
            ("zip", "string", "90210", "POSTAL_CODE"), ("dob", "date", "1984-02-29", "DATE_OF_BIRTH"),
            ("birth_date", "string", "1984-02-29", "DATE_OF_BIRTH"),
        ] {
            let csv = "id,\(name)\n1,\(value)\n"
            #expect(try mask(open(name, type), csv, .csv).text == "id,\(name)\n1,<\(entity)>\n", "\(name)")
        }
        for (name, type, value) in [
            ("zip_population", "string", "12345"), ("driver_earnings", "string", "123456"),
            ("social_followers", "string", "123456789"),
            ("car_model", "string", "C63 AMG"), ("cell_id", "string", "2125550187"),
            ("account", "string", "00123456789"), ("ordered", "date", "1984-02-29"), ("market_cap", "string", "90210"),
            ("license", "string", "1234567"), ("zip", "string", "unit 90210 of 3"), ("passport_no", "string", "none"),
        ] {
            let csv = "id,\(name)\n1,\(value)\n"
            #expect(try mask(open(name, type), csv, .csv).text == csv, "\(name)")
        }
    }

    @Test func `members are judged by their names, wherever they stand`() throws {
        let schema = try contract(
            "fields:\n  - { name: m, type: object }\n  - { name: l, type: any }\nsluice: { unknownFields: keep }\n")
        for (given, masked) in [
            (#"{"passport_no": "512345678", "n": 512345678}"#, #"{"passport_no": "<US_PASSPORT>", "n": 512345678}"#),
            (#"{"a": {"zip": 90210}, "x": [90210]}"#, #"{"a": {"zip": "<POSTAL_CODE>"}, "x": [90210]}"#),
            (#"{"zip": ["90210", "10001"]}"#, #"{"zip": ["<POSTAL_CODE>", "<POSTAL_CODE>"]}"#),
            (#"{"seen": 19840229, "u": {"dob": "19840229"}}"#, #"{"seen": 19840229, "u": {"dob": "<DATE_OF_BIRTH>"}}"#),
            (#"{"phone": "555-1234", "e": "a@b.org"}"#, #"{"phone": "<PHONE_NUMBER>", "e": "<EMAIL_ADDRESS>"}"#),
            (#"{"zip": 90210.0, "z": "\""}"#, #"{"zip": "<POSTAL_CODE>", "z": "\""}"#),
            (
                #"{"zip_population": "90210", "version": "1.2.3.4"}"#,
                #"{"zip_population": "90210", "version": "1.2.3.4"}"#
            ),
        ] {
            let text = try mask(schema, "{\"m\":\(given),\"l\":1}\n", .jsonl).text
            #expect(text == "{\"m\":\(masked),\"l\":1}\n")
            #expect(
                try mask(schema, "{\"m\":{},\"l\":[\(given)]}\n", .jsonl).text
                    == "{\"m\":{},\"l\":[\(masked)]}\n")
        }
        // An undeclared member is removed as a whole.
        for member in [#""passport_no":"512345678""#, #""zip":90210"#, #""u":{"dob":"1984-02-29"}"#] {
            #expect(
                try mask(schema, "{\"m\":{},\"l\":1,\(member)}\n", .jsonl).text == "{\"m\":{},\"l\":1}\n", "\(member)")
        }
        let kept = "{\"m\":{},\"l\":1,\"n\":512345678,\"u\":{\"seen\":\"1984-02-29\"}}\n"
        #expect(try mask(schema, kept, .jsonl).text == kept)
    }

    /// The nearest name that implies something, or something else, decides.
    @Test func `a member whose name says nothing is called like what it is in`() throws {
        let schema = try contract(
            "fields:\n  - { name: phone, type: object }\n  - { name: o, type: any }\nsluice: { unknownFields: keep }\n")
        for (given, masked) in [
            (#""o":{"passport":{"number":"123456789"}}"#, #""o":{"passport":{"number":"<US_PASSPORT>"}}"#),
            (#""o":{"zip":[{"x":1},"90210"]}"#, #""o":{"zip":[{"x":1},"<POSTAL_CODE>"]}"#),
            (
                #""o":{"mobile":{"home":"5551234","views":5551234}}"#,
                #""o":{"mobile":{"home":"<PHONE_NUMBER>","views":5551234}}"#
            ),
            (#""o":{"mobile":1234567,"desktop":7654321}"#, #""o":{"mobile":1234567,"desktop":7654321}"#),
            (#""o":{"dob":1.9840229e7,"x":[1.5e3]}"#, #""o":{"dob":"<DATE_OF_BIRTH>","x":[1.5e3]}"#),
            (#""o":1,"passport":{"meta":{"k":"123456789"}}"#, #""o":1"#),
        ] {
            #expect(
                try mask(schema, "{\"phone\":{},\(given)}\n", .jsonl).text == "{\"phone\":{},\(masked)}\n", "\(given)")
        }
        #expect(
            try mask(schema, #"{"phone":{"model":"X","views":5551234,"0":"5551234"},"o":1}"# + "\n", .jsonl).text
                == #"{"phone":{"model":"X","views":5551234,"0":"<PHONE_NUMBER>"},"o":1}"# + "\n")
    }

    @Test func `JSON in text is searched and masked as such`() throws {
        let schema = try contract("fields:\n  - { name: s, type: string }\n")
        for (given, masked) in [
            (#"{"m":"bob\u0040example.com"}"#, #"{"m":"<EMAIL_ADDRESS>"}"#),
            (#"{"passport_no":"123456789","zip":90210}"#, #"{"passport_no":"<US_PASSPORT>","zip":"<POSTAL_CODE>"}"#),
            (#"{"ip":"203.0.113.7","phone":4155552671}"#, #"{"ip":"<IP_ADDRESS>","phone":"<PHONE_NUMBER>"}"#),
            (#"[ask bob@example.com]"#, #"[ask <EMAIL_ADDRESS>]"#),
            (#"{"bob@example.com\u}"#, #"{"<EMAIL_ADDRESS>\u}"#),
            (#"[tel-415-555-2671]"#, #"[tel-<PHONE_NUMBER>]"#), (#"[a\219-09-9998]"#, #"[a\<US_SSN>]"#),
            (
                #"[see C:\users\x, mail "bob@example.com" in C:\u]"#,
                #"[see C:\users\x, mail "<EMAIL_ADDRESS>" in C:\u]"#
            ),
            (#"{{phone}} 4155552671 {{x}}"#, #"{{phone}} <PHONE_NUMBER> {{x}}"#),
            (#"{"a":4111111111111111.0,"b":4.111111111111111e15}"#, #"{"a":"<CREDIT_CARD>","b":"<CREDIT_CARD>"}"#),
            (
                #"{"ec_number":"3.4.21.5","app_version":"1.2.3.4","ip":"1.2.3.4"}"#,
                #"{"ec_number":"3.4.21.5","app_version":"1.2.3.4","ip":"<IP_ADDRESS>"}"#
            ),
            (#"[4111111111111111]"#, #"["<CREDIT_CARD>"]"#),
        ] {
            let quoted = given.replacingOccurrences(of: "\"", with: "\"\"")
            let text = try mask(schema, "s\n\"\(quoted)\"\n", .csv).text
            #expect(
                text.replacingOccurrences(of: "\"\"", with: "\"")
                    == "s\n\"\(masked)\"\n")
            let line = String(decoding: try JSONEncoder().encode(["s": given]), as: UTF8.self)
            let out = try mask(schema, line + "\n", .jsonl).text
            #expect(try JSONDecoder().decode([String: String].self, from: Data(out.utf8)) == ["s": masked])
        }
        for secret in [
            #"{"k":"gh\#("p")\u005f\#(String(repeating: "a1B2", count: 9))"}"#,
            #"{"u":"postgres:\/\/u:s3cr3tpw@db\/x"}"#,
        ] {
            let line = String(decoding: try JSONEncoder().encode(["s": secret]), as: UTF8.self)
            #expect(try mask(schema, line + "\n", .jsonl).rows == 0, "\(secret)")
        }
    }

    @Test func `JSON may have white space around it, and what is none in it`() throws {
        let schema = try contract("fields:\n  - { name: s, type: string }\n")
        for (given, masked) in [
            (
                "{\n  \"ssn\": 219099998,\n  \"phone\": {\"home\": \"1234567\"}\n}\n",
                "{\n  \"ssn\": \"<US_SSN>\",\n  \"phone\": {\"home\": \"<PHONE_NUMBER>\"}\n}\n"
            ),
            (#" {"e":"bob\u0040example.com"}"#, #" {"e":"<EMAIL_ADDRESS>"}"#),
            ("\u{FEFF}{\"e\":\"bob\\u0040example.com\"}\r\n", "\u{FEFF}{\"e\":\"<EMAIL_ADDRESS>\"}\r\n"),
            (#"{"x":NaN,"y":-Infinity,"ssn":219099998}"#, #"{"x":NaN,"y":-Infinity,"ssn":"<US_SSN>"}"#),
        ] {
            let line = String(decoding: try JSONEncoder().encode(["s": given]), as: UTF8.self)
            let out = try mask(schema, line + "\n", .jsonl).text
            #expect(try JSONDecoder().decode([String: String].self, from: Data(out.utf8)) == ["s": masked])
        }
        let token = #" {"t":"\u0067h\#("p")_\#(String(repeating: "a1B2", count: 9))"}"#
        let line = String(decoding: try JSONEncoder().encode(["s": token]), as: UTF8.self)
        #expect(try mask(schema, line + "\n", .jsonl).rows == 0)
    }

    @Test func `JSON in a string in JSON is opened as well`() throws {
        let schema = try contract("fields:\n  - { name: m, type: any }\nsluice: { unknownFields: keep }\n")
        for (given, masked) in [
            (#"{"p":"{\"e\":\"bob\\u0040example.com\"}"}"#, #"{"p":"<EMAIL_ADDRESS>"}"#),
            (
                #"{"p":"{\"phone\":{\"home\":\"1234567\"}}","q":1}"#,
                #"{"p":"{\"phone\":{\"home\":\"<PHONE_NUMBER>\"}}","q":1}"#
            ),
            (#"{"p":"{\"e\":\"bob@example.com\"}"}"#, #"{"p":"{\"e\":\"<EMAIL_ADDRESS>\"}"}"#),
            (#"{"p":"{\"e\":\"nobody\"}"}"#, #"{"p":"{\"e\":\"nobody\"}"}"#),
            // A further match outside does not compensate.
            (
                #"{"p":"{\"ids\":[2125550142],\"x\":\"mobile\",\"m\":\"bob\\u0040example.com\"}"}"#,
                #"{"p":"<EMAIL_ADDRESS>"}"#
            ), (#"{"p":"{\"e\":\"j\\u00fcrgen.m\\u00fcller@example.com\"}"}"#, #"{"p":"<EMAIL_ADDRESS>"}"#),
            (#"{"p":"\"jos\\u00e9@example.com\""}"#, #"{"p":"<EMAIL_ADDRESS>"}"#),
            (#"{"p":"{\"ssn\":219099998}"}"#, #"{"p":"<US_SSN>"}"#),
            (#"{"p":"\n{\"m\":\"bob\\u0040example.com\"}\n"}"#, #"{"p":"<EMAIL_ADDRESS>"}"#),
            (#"{"p":"\ufeff{\"m\":\"bob\\u0040example.com\"}"}"#, #"{"p":"<EMAIL_ADDRESS>"}"#),
            (#"{"dir":"C:\\u","ssn":"219099998"}"#, #"{"dir":"C:\\u","ssn":"<US_SSN>"}"#),
            (#"["\\u","4111111111111111"]"#, #"["\\u","<CREDIT_CARD>"]"#),
            (#"{"user":"CORP\\umut@example.com"}"#, #"{"user":"CORP\\<EMAIL_ADDRESS>"}"#),
            (#"{"user":"CORP\\ulrich@example.com"}"#, #"{"user":"CORP\\<EMAIL_ADDRESS>"}"#),
        ] {
            let text = try mask(schema, "{\"m\":\(given)}\n", .jsonl).text
            #expect(text == "{\"m\":\(masked)}\n")
        }
        // An undeclared member is removed as a whole.
        let unknown = #"{"m":1,"n":"{\"e\":\"bob\\u0040example.com\"}"}"# + "\n"
        #expect(try mask(schema, unknown, .jsonl).text == #"{"m":1}"# + "\n")
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        for given in [
            #"{"m":1,"n":"{\"t\":\"\\u0067\#(token.dropFirst())\"}"}"#, #"{"m":["\u005cn\#(token)"]}"#,
            #"{"m":["\\u000a\#(token)"]}"#, #"{"m":{"cs":"Server=a;Pass\#("word")=\"abc123xyz\";Db=x"}}"#,
            #"{"m":{"cs":"Server=a;\r\nPass\#("word")=abc123xyz\r\n"}}"#,
        ] {
            #expect(try mask(schema, given + "\n", .jsonl).rows == 0, "\(given)")
        }
    }

    @Test func `a number is not what the words of other members speak of`() throws {
        let schema = try contract("fields:\n  - { name: o, type: any }\n")
        for value in [
            #"{"device":"mobile","user_id":9876543210,"session":7123456789}"#, #"{"call_id": 4345678901}"#,
            #"{"event":"call","agent":6543219870}"#, #"{"type":"phone","order_id":7654321098,"ids":[2012345678]}"#,
        ] {
            #expect(try mask(schema, "{\"o\":\(value)}\n", .jsonl).text == "{\"o\":\(value)}\n")
        }
        // A match that needs a context word may get it from the name itself, or from the enclosing objects.
        for (value, entity) in [
            (#"{"ssn_of_customer":"#, "US_SSN"), (#"{"phone_of_customer":"#, "PHONE_NUMBER"),
            (#"{"phone":{"cc":49,"subscriber":"#, "PHONE_NUMBER"), (#"{"ssn":[{"a":"#, "US_SSN"),
            (#"{"label":"SSN","v":"#, "US_SSN"), (#"{"npi":{"x":"#, "US_NPI"),
        ] {
            let number = ["US_SSN": "219099998", "PHONE_NUMBER": "2125550142", "US_NPI": "1234567893"][entity] ?? ""
            let ends = value.contains("[") ? "}]}" : value.dropFirst().contains("{") ? "}}" : "}"
            #expect(
                try mask(schema, "{\"o\":\(value)\(number)\(ends)}\n", .jsonl).text
                    == "{\"o\":\(value)\"<\(entity)>\"\(ends)}\n", "\(value)")
        }
        #expect(
            try mask(schema, #"{"o":{"type":"phone","value":9876543210}}"# + "\n", .jsonl).text
                == #"{"o":{"type":"phone","value":"<PHONE_NUMBER>"}}"# + "\n")
    }

    @Test func `of a string that is masked as a whole nothing is kept`() throws {
        let given = #"{"b":"{\"n\":\"Ann Lee\",\"m\":\"bob\\u0040example.com\"}"}"#
        for rule in ["operator: truncate, keepFirst: 16", "operator: mask, keepFirst: 20, keepFormat: true"] {
            let schema = try contract("fields:\n  - { name: m, type: any, sluice: { pii: { scan: true, \(rule) } } }\n")
            #expect(
                try mask(schema, "{\"m\":\(given)}\n", .jsonl).text == "{\"m\":{\"b\":\"<EMAIL_ADDRESS>\"}}\n",
                "\(rule)")
        }
    }

    /// Logs contain line ends as two characters.
    @Test func `a written line end hides nothing`() throws {
        let schema = try contract("fields:\n  - { name: s, type: string }\n  - { name: o, type: any }\n")
        for (value, masked) in [
            ("219-09-9998", "<US_SSN>"), ("415-555-2671", "<PHONE_NUMBER>"), ("4111111111111111", "<CREDIT_CARD>"),
            ("203.0.113.7", "<IP_ADDRESS>"),
        ] {
            for end in ["\\\\n", "\\\\t", "\\\\r", "\\\\r\\\\n"] {
                let line = "{\"s\":\"log\(end)\(value)\(end)x\",\"o\":{\"log\":\"x\(end)\(value)\"}}\n"
                #expect(
                    try mask(schema, line, .jsonl).text
                        == "{\"s\":\"log\(end)\(masked)\(end)x\",\"o\":{\"log\":\"x\(end)\(masked)\"}}\n")
            }
        }
        for key in ["AKIA" + "IOSFODNN7EXAMPLE", "gh" + "p_" + String(repeating: "a1B2", count: 9)] {
            #expect(try mask(schema, "{\"s\":\"x\\\\n\(key)\",\"o\":1}\n", .jsonl).rows == 0)
            #expect(try mask(schema, "{\"s\":\"x\",\"o\":[\"\\\\n\(key)\"]}\n", .jsonl).rows == 0)
        }
        let user = "{\"s\":\"CORP\\\\newman@example.com\",\"o\":1}\n"
        #expect(try mask(schema, user, .jsonl).text == "{\"s\":\"CORP\\\\<EMAIL_ADDRESS>\",\"o\":1}\n")
    }

    @Test func `a number is one however it is written`() throws {
        let any = try contract("fields:\n  - { name: phone, type: any }\n")
        #expect(try mask(any, "{\"phone\":4.155552671e9}\n", .jsonl).text == "{\"phone\":\"<PHONE_NUMBER>\"}\n")
        let schema = try contract("fields:\n  - { name: passport_no, type: number }\n")
        for number in ["123456789", "123456789.00", "+123456789", "1.23456789e8", "12345678900E-2", "123.456789E+6"] {
            #expect(
                try mask(schema, "passport_no\n\(number)\n", .csv).text == "passport_no\n<US_PASSPORT>\n", "\(number)")
        }
        let text = try contract("fields:\n  - { name: ssn, type: string }\n")
        for number in ["2.19099998e8", "-219099998", "219099998.0", "219-09-9998", "219 09 9998"] {
            #expect(try mask(text, "ssn\n\(number)\n", .csv).text == "ssn\n<US_SSN>\n", "\(number)")
        }
        let other = try contract("fields:\n  - { name: rvnr, type: string }\n")
        #expect(try mask(other, "rvnr\n65170839E006\n", .csv).text == "rvnr\n<DE_SOCIAL_SECURITY>\n")
        for number in ["1.5e3", "1e300", "123456789e-12", "1234567891e-1"] {
            #expect(try mask(schema, "passport_no\n\(number)\n", .csv).text == "passport_no\n\(number)\n", "\(number)")
        }
    }

    @Test func `credentials are told by the names of columns and members`() throws {
        let secret = String(repeating: "wJa/rXUt", count: 4) + "+K7MDENG"
        #expect(
            try mask(open("sluice: { unknownFields: keep }\n"), "id,note,aws_secret_access_key\n1,n,\(secret)\n", .csv)
                .rows == 0)
        for member in ["\"AWS_SECRET_ACCESS_KEY\":\"\(secret)\"", "\"env\":{\"awsSecretKey\":\"\(secret)\"}"] {
            #expect(
                try mask(open("sluice: { unknownFields: keep }\n"), "{\"id\":1,\"note\":\"n\",\(member)}\n", .jsonl)
                    .rows == 0,
                "\(member)")
        }
    }

    @Test func `two names of members never become one`() throws {
        let schema = try contract("fields:\n  - { name: m, type: any }\n")
        for (given, masked) in [
            (
                #"{"ann@example.com": 1, "bob@example.com": 2, "x": "eve@example.com"}"#,
                #"{"<EMAIL_ADDRESS>": 1, "<EMAIL_ADDRESS>_2": 2, "x": "<EMAIL_ADDRESS>"}"#
            ),
            (
                #"[{"ann@example.com": 1}, {"bob@example.com": {"c@d.org": 3}, "e@f.org" : 4}]"#,
                #"[{"<EMAIL_ADDRESS>": 1}, {"<EMAIL_ADDRESS>": {"<EMAIL_ADDRESS>": 3}, "<EMAIL_ADDRESS>_2" : 4}]"#
            ),
            (
                #"{"<EMAIL_ADDRESS>": 1, "to ann@example.com": 2, "ann@example.com": 3, "a": 4}"#,
                #"{"<EMAIL_ADDRESS>": 1, "to <EMAIL_ADDRESS>": 2, "<EMAIL_ADDRESS>_2": 3, "a": 4}"#
            ),
            (
                #"{"bob@example.com": 1, "<EMAIL_ADDRESS>": 2, "<EMAIL_ADDRESS>_2": 3}"#,
                #"{"<EMAIL_ADDRESS>": 1, "<EMAIL_ADDRESS>_2": 2, "<EMAIL_ADDRESS>_2_2": 3}"#
            ),
            (
                #"{"bob@example.com": 1, "<EMAIL_ADDRESS>_2": 2, "<EMAIL_ADDRESS>": 3}"#,
                #"{"<EMAIL_ADDRESS>": 1, "<EMAIL_ADDRESS>_2": 2, "<EMAIL_ADDRESS>_3": 3}"#
            ),
            (
                #"{"bob@example.com\n": 1, "ann@example.com\u000a": 2}"#,
                #"{"<EMAIL_ADDRESS>\n": 1, "<EMAIL_ADDRESS>\u000a_2": 2}"#
            ),
        ] {
            let text = try mask(schema, "{\"m\": \(given)}\n", .jsonl).text
            #expect(text == "{\"m\": \(masked)}\n")
        }
        // Each of many names gets its own number.
        let many = (0..<4000).map { "\"\($0)@b.cc\": 1" }.joined(separator: ", ")
        #expect(try mask(schema, "{\"m\": {\(many)}}\n", .jsonl).text.contains("\"<EMAIL_ADDRESS>_4000\""))
    }

    @Test func `the contract may say what a match must score`() throws {
        let text = "fields:\n  - { name: note, type: string }\n  - { name: zip, type: string }\n"
        let csv = "note,zip\nbank account 00123456789,90210\n"
        #expect(try mask(contract(text), csv, .csv).text == "note,zip\nbank account <US_BANK_NUMBER>,<POSTAL_CODE>\n")
        let own = try contract(text + "sluice: { pii: { thresholds: { US_BANK_NUMBER: 0.6, POSTAL_CODE: 0.9 } } }\n")
        #expect(try mask(own, csv, .csv).text == "note,zip\nbank account 00123456789,90210\n")
        let scanned = try contract(
            "fields:\n  - { name: note, type: string, sluice: { pii: { scan: true } } }\n  - { name: zip, type: string }\n"
                + "sluice: { undeclaredPii: allow, pii: { thresholds: { US_BANK_NUMBER: 0.9 } } }\n")
        #expect(try mask(scanned, csv, .csv).text == csv)
        for wrong in [
            "{ thresholds: { NO_SUCH: 0.4 } }", "{ thresholds: { URL: 2 } }", "{ spans: note }", "{ spans: '' }",
            "{ more: 1 }",
            "{ thresholds: { DATE_TIME: 0.5 } }",
        ] {
            #expect(throws: SchemaError.self) { try contract(text + "sluice: { pii: \(wrong) }\n") }
        }
    }

    @Test func `a column of the shard says what was masked where, if asked`() throws {
        let text =
            "fields:\n  - { name: id, type: integer }\n  - { name: who, type: string, sluice: { pii: { entity: PERSON } } }\n"
            + "  - { name: note, type: any }\nsluice: { pii: { spans: masked } }\n"
        func span(_ field: String, _ start: Int, _ end: Int, of entity: String) -> String {
            "{\"field\":\"\(field)\",\"start\":\(start),\"end\":\(end),\"entity_type\":\"\(entity)\",\"operator\":\"replace\"}"
        }
        let csv = "id,who,note\n1,Ann,\"é ann@example.com, 4012888888881881\"\n2,,none\n"
        let spans = [
            span("who", 0, 8, of: "PERSON"), span("note", 2, 17, of: "EMAIL_ADDRESS"),
            span("note", 19, 32, of: "CREDIT_CARD"),
        ]
        let cell = "[\(spans.joined(separator: ","))]".replacingOccurrences(of: "\"", with: "\"\"")
        #expect(
            try mask(contract(text), csv, .csv).text
                == "id,who,note,masked\n1,<PERSON>,\"é <EMAIL_ADDRESS>, <CREDIT_CARD>\",\"\(cell)\"\n2,,none,[]\n")
        let jsonl = "{\"id\": 1, \"who\": \"Ann\", \"note\": {\"a\": \"ann@example.com\"} }\n{}\n"
        let open = text.replacingOccurrences(of: "type: any", with: "type: object")
        #expect(
            try mask(contract(open), jsonl, .jsonl).text
                == "{\"id\": 1, \"who\": \"<PERSON>\", \"note\": {\"a\": \"<EMAIL_ADDRESS>\"} ,\"masked\":["
                + "\(span("who", 0, 8, of: "PERSON")),\(span("note", 7, 22, of: "EMAIL_ADDRESS"))]}\n{\"masked\":[]}\n")
        // The name of a field with a path is not a member of the record.
        let nested = try contract(
            "fields:\n  - { name: mail, type: string, sluice: { path: /u/e~1m, pii: { entity: EMAIL_ADDRESS } } }\n"
                + "sluice: { pii: { spans: masked } }\n")
        #expect(
            try mask(nested, "{\"u\": {\"e/m\": \"ann@example.com\"}}\n", .jsonl).text
                == "{\"u\": {\"e/m\": \"<EMAIL_ADDRESS>\"},\"masked\":[{\"field\":\"mail\",\"path\":\"/u/e~1m\",\"start\":0,"
                + "\"end\":15,\"entity_type\":\"EMAIL_ADDRESS\",\"operator\":\"replace\"}]}\n")
        let dropped = try contract(
            text.replacingOccurrences(of: "pii: { spans", with: "unknownFields: drop, pii: { spans"))
        #expect(try mask(dropped, "id,who,note,masked\n1,,,a\n", .csv).text == "id,who,note,masked\n1,,,[]\n")
        // Each span refers to the text at its place.
        let line = try mask(contract(text), csv, .csv).text.split(separator: "\n")[1]
        #expect(line.contains("<EMAIL_ADDRESS>"))
        for (name, given, format) in [
            ("more", "id,who,note,more\n1,a,b,c\n", SourceFormat.csv), ("more", "{\"id\":1}\n", .jsonl),
        ] {
            let kept = try contract(
                text.replacingOccurrences(
                    of: "pii: { spans: masked", with: "unknownFields: keep, pii: { spans: \(name)"))
            #expect(throws: UnusableMask.self) { try mask(kept, given, format) }
        }
    }

    /// Numbers that identify rows pass checksums by chance; they stay unmasked.
    @Test func `keys are not made alike`() throws {
        let schema = try contract(
            "primaryKey: [id]\nfields:\n  - { name: id, type: integer }\n  - { name: u, type: string, constraints: { unique: true } }\n"
        )
        let csv = "id,u\n4012888888881881,4111111111111111\n4111111111111111,5500000000000004\n"
        #expect(try mask(schema, csv, .csv).text == csv)
    }

    @Test func `whole numbers are searched however they are written, and others are none`() throws {
        for (name, value, masked) in [
            ("n", "4111111111111111.0", "<CREDIT_CARD>"), ("n", "4111111111111111", "<CREDIT_CARD>"),
            ("zip", "10115", "<POSTAL_CODE>"),
            ("zip", "10115.00", "<POSTAL_CODE>"), ("n", "4.111111111111111e15", "<CREDIT_CARD>"),
        ] {
            let schema = try contract("fields:\n  - { name: id, type: integer }\n  - { name: \(name), type: number }\n")
            #expect(try mask(schema, "id,\(name)\n1,\(value)\n", .csv).text == "id,\(name)\n1,\(masked)\n")
        }
        for value in ["4111111111111111.5", "4111111111.111111", "4.1111111111111e3", "10115", "-12.5"] {
            let schema = try contract("fields:\n  - { name: id, type: integer }\n  - { name: n, type: number }\n")
            #expect(try mask(schema, "id,n\n1,\(value)\n", .csv).text == "id,n\n1,\(value)\n")
        }
    }

    @Test func `types that are no text hide nothing`() throws {
        let schema = try contract(
            "fields:\n  - { name: l, type: list }\n  - { name: n, type: number, bareNumber: false }\n  - { name: g, type: number }\n"
        )
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        let csv = "l,n,g\n\"bob@example.com,x\",5 bob@example.org,4012888888881881\n\"\(token),x\",5,1\n"
        #expect(
            try mask(schema, csv, .csv).text
                == "l,n,g\n\"<EMAIL_ADDRESS>,x\",5 <EMAIL_ADDRESS>,<CREDIT_CARD>\n")
    }

    /// A column with listed words, and one that is declared already, are not searched again.
    @Test func `what is declared is left to its rule`() throws {
        let schema = try contract(
            "fields:\n  - { name: a, type: string, constraints: { enum: [ann@example.com] } }\n"
                + "  - { name: b, type: string, sluice: { pii: { scan: true, entities: [IP_ADDRESS] } } }\n")
        let csv = "a,b\nann@example.com,bob@example.com 10.0.0.1\n"
        #expect(try mask(schema, csv, .csv).text == "a,b\nann@example.com,bob@example.com <IP_ADDRESS>\n")
    }
}
