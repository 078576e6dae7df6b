import Schemas
import Tabular
import Testing

@Suite struct SchemaRefusalTests {
    @Test func `an error names file, line, column, path and cure`() throws {
        let text = "fields:\n  - name: a\n    type: interger\n"
        let error = try #require(refusal(text))
        #expect(error.code == .unknownValue && error.line == 3 && error.column == 11 && error.path == "fields[0].type")
        #expect(error.description.hasPrefix("contract.yaml:3:11: fields[0].type: type \"interger\" is not supported; "))
        #expect(error.message.contains("did you mean \"integer\""))
    }

    @Test(arguments: [
        ("[]", "", SchemaError.Code.wrongKind, "a mapping"),
        ("title: x", "", .missing, "fields:"),
        ("fields: []", "fields", .missing, "at least"),
        ("fields: {}", "fields", .wrongKind, "a list"),
        ("fields: [x]", "fields[0]", .wrongKind, "name:"),
        ("fields: [{type: any}]", "fields[0]", .missing, "name:"),
        ("fields: [{name: 2020}]", "fields[0].name", .wrongKind, "quotes"),
        ("fields: [{name: \"\"}]", "fields[0].name", .outOfRange, "1024"),
        ("fields: [{name: a}, {name: a}]", "fields[1].name", .inconsistent, "line 1, column 17"),
        (
            "fields: [{name: a, type: yearmonth, constraints: {minimum: 2024-13}}]", "fields[0].constraints.minimum",
            .wrongKind,
            "not a valid yearmonth"
        ),
        (
            "fields: [{name: a, type: yearmonth, constraints: {minimum: 2024-05, maximum: 2024-04}}]",
            "fields[0].constraints.minimum", .inconsistent, "no value"
        ),
        (
            "fields: [{name: a, type: duration, constraints: {maximum: 5h}}]", "fields[0].constraints.maximum",
            .wrongKind,
            "not a valid duration"
        ),
        ("resources: []", "resources", .unsupported, "resources[0].schema"),
        ("$schema: https://json-schema.org/draft/2020-12/schema", "", .missing, "needs properties"),
        ("$schema: https://datapackage.org/profiles/2.0/datapackage.json", "$schema", .unsupported, "tableschema"),
        ("fields: [{name: user}]\nprimaryKey: [usr]", "primaryKey[0]", .inconsistent, "did you mean \"user\""),
        ("fields: [{name: a}]\nprimaryKey: [a, a]", "primaryKey[1]", .inconsistent, "twice"),
        ("fields: [{name: a}]\nmissingValues: [-1]", "missingValues[0]", .wrongKind, "quotes"),
        ("fields: [{name: a}]\nmissingValues: [{label: x}]", "missingValues[0]", .missing, "value:"),
        ("fields: [{name: a}]\nmissingValues: [x, x]", "missingValues[1]", .inconsistent, "twice"),
    ])
    func `the document's shape`(text: String, path: String, code: SchemaError.Code, words: String) throws {
        let error = try #require(refusal(text))
        #expect(error.path == path && error.code == code && error.message.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("type: geopoint, format: lonlat", "format", SchemaError.Code.unknownValue, "array"),
        ("type: list, itemType: object", "itemType", .unknownValue, "datetime"),
        ("type: list, delimiter: \"\"", "delimiter", .outOfRange, "one character"),
        ("type: number, categories: [1]", "categories", .inconsistent, "string and integer"),
        ("type: string, categories: [a, {value: a}]", "categories[1].value", .inconsistent, "twice"),
        ("type: yearmonth, sluice: {jsonSchema: {}}", "sluice.jsonSchema", .inconsistent, "object and array"),
        ("type: 5", "type", .wrongKind, "text"),
        ("format: emial", "format", .unknownValue, "did you mean \"email\""),
        ("{type: integer, format: x}", "format", .unsupported, "leave it out"),
        ("{type: date, format: dd/mm}", "format", .unknownValue, "pattern"),
        ("{type: date, format: \"%Q\"}", "format", .unsupported, "%Q"),
        ("{type: date, format: \"%d%\"}", "format", .unknownValue, "%%"),
        ("{type: number, decimalChar: \".\", groupChar: \".\"}", "groupChar", .inconsistent, "same"),
        ("{type: number, groupChar: \"1\"}", "groupChar", .unknownValue, "one character"),
        ("{type: number, bareNumber: 1}", "bareNumber", .wrongKind, "true or false"),
        ("{type: boolean, trueValues: [\"1\"], falseValues: [\"1\"]}", "falseValues", .inconsistent, "remove"),
        ("constraints: []", "constraints", .wrongKind, "a mapping"),
        ("constraints: {required: yes}", "constraints.required", .wrongKind, "true or false"),
        ("constraints: {minimum: 1}", "constraints.minimum", .inconsistent, "does not apply|do not apply"),
        ("{type: integer, constraints: {minimum: 1.5}}", "constraints.minimum", .wrongKind, "not a valid integer"),
        ("{type: integer, constraints: {minimum: x}}", "constraints.minimum", .wrongKind, "not a valid integer"),
        ("{type: number, constraints: {minimum: \"0x10\"}}", "constraints.minimum", .wrongKind, "not a valid number"),
        ("{type: number, constraints: {minimum: true}}", "constraints.minimum", .wrongKind, "not a valid number"),
        ("{type: integer, constraints: {minimum: 9, maximum: 8}}", "constraints.minimum", .inconsistent, "no value"),
        ("{type: integer, constraints: {minimum: -8, maximum: -9}}", "constraints.minimum", .inconsistent, "no value"),
        (
            "{type: integer, constraints: {minimum: 99999999999999999999, maximum: 99999999999999999998}}",
            "constraints.minimum", .inconsistent, "no value"
        ),
        (
            "{type: number, constraints: {minimum: 2, exclusiveMaximum: 2}}", "constraints.minimum", .inconsistent,
            "no value"
        ),
        ("{type: date, constraints: {minimum: 2015-02-29}}", "constraints.minimum", .wrongKind, "not a valid date"),
        (
            "{type: date, constraints: {minimum: 2016-01-02, maximum: 2016-01-01}}", "constraints.minimum",
            .inconsistent, ""
        ),
        (
            "{type: datetime, constraints: {minimum: \"2016-01-01T00:00:00-01:00\", maximum: \"2016-01-01 00:30:00\"}}",
            "constraints.minimum", .inconsistent, "no value"
        ),
        ("{type: time, constraints: {minimum: \"25:00:00\"}}", "constraints.minimum", .wrongKind, "not a valid time"),
        ("{type: integer, constraints: {minLength: 1}}", "constraints.minLength", .inconsistent, "does not apply"),
        ("constraints: {minLength: -1}", "constraints.minLength", .outOfRange, "from 0"),
        ("constraints: {minLength: 3, maxLength: 2}", "constraints.minLength", .inconsistent, "no value"),
        ("{type: integer, constraints: {pattern: x}}", "constraints.pattern", .inconsistent, "does not apply"),
        ("constraints: {enum: []}", "constraints.enum", .missing, "empty"),
        ("constraints: {enum: [a, a]}", "constraints.enum[1]", .inconsistent, "twice"),
        ("constraints: {enum: [[a]]}", "constraints.enum[0]", .wrongKind, "a list"),
        ("{type: integer, constraints: {enum: [1, x]}}", "constraints.enum[1]", .wrongKind, "not a valid integer"),
        ("{type: boolean, constraints: {enum: [maybe]}}", "constraints.enum[0]", .wrongKind, "not a valid boolean"),
        ("type: object, constraints: {enum: [x]}", "constraints.enum[0]", .wrongKind, "not a valid object"),
    ])
    func `a field`(lines: String, path: String, code: SchemaError.Code, words: String) throws {
        let inner = lines.hasPrefix("{") ? String(lines.dropFirst()) : lines + "}"
        let error = try #require(refusal("fields: [{name: amount, \(inner)]"))
        #expect(error.path == "fields[0].\(path)" && error.code == code, "\(error)")
        let alternatives = words.split(separator: "|").map(String.init)
        #expect(alternatives.isEmpty || alternatives.contains(where: error.message.contains), "\(error)")
    }

    @Test func `a pattern is at most 4096 bytes`() throws {
        #expect(refusal(oneField("constraints: { pattern: \"\(String(repeating: "a", count: 4096))\" }")) == nil)
        let error = try #require(
            refusal(oneField("constraints: { pattern: \"\(String(repeating: "a", count: 4097))\" }")))
        #expect(error.code == .outOfRange && error.line == 3 && error.column == 29)
    }

    @Test(arguments: [
        ("{rol: key}", "", SchemaError.Code.unknownKey, "did you mean \"role\""),
        ("{role: lable}", ".role", .unknownValue, "did you mean \"label\""),
        ("{pii: true}", ".pii", .wrongKind, "a mapping"),
        ("{pii: {}}", ".pii", .missing, "entity:"),
        ("{pii: {entity: EMAIL}}", ".pii.entity", .unknownValue, "unknown entity"),
        ("{pii: {entity: EMAIL_ADRESS}}", ".pii.entity", .unknownValue, "did you mean \"EMAIL_ADDRESS\""),
        ("{pii: {entity: PERSON, scan: true}}", ".pii", .inconsistent, "keep one"),
        ("{pii: {scan: true, entities: [PERSON]}}", ".pii.entities[0]", .unsupported, "cannot be recognised"),
        ("{pii: {entity: PERSON, entities: [US_SSN]}}", ".pii.entities", .inconsistent, "scan: true"),
        ("{pii: {scan: true, entities: [SSN]}}", ".pii.entities[0]", .unknownValue, "unknown entity"),
        ("{pii: {entity: PERSON, operator: hash}}", ".pii.operator", .unknownValue, "unknown operator"),
        ("{pii: {entity: PERSON, operator: redcat}}", ".pii.operator", .unknownValue, "did you mean \"redact\""),
        ("{pii: {entity: PERSON, operator: generalize, to: week}}", ".pii.to", .unknownValue, "year"),
        ("{pii: {entity: PERSON, operator: tokenize}}", ".pii", .missing, "key:"),
        ("{pii: {entity: PERSON, operator: tokenize, key: ../x}}", ".pii.key", .outOfRange, "letters"),
        ("{pii: {entity: PERSON, operator: truncate}}", ".pii", .missing, "keepFirst"),
        ("{pii: {entity: PERSON, operator: redact, keepLast: 2}}", ".pii.keepLast", .inconsistent, "does not belong"),
        ("{pii: {entity: PERSON, operator: mask, maskChar: \"**\"}}", ".pii.maskChar", .outOfRange, "one"),
        ("{pii: {entity: PERSON, operator: mask, keepLst: 2}}", ".pii", .unknownKey, "did you mean \"keepLast\""),
        ("{pii: {scan: true, operator: drop}}", ".pii", .inconsistent, "whole column"),
        ("{pii: {entity: PERSON, validate: crc}}", ".pii.validate", .unknownValue, "luhn"),
        ("{anomaly: {}}", ".anomaly", .inconsistent, "integer or number"),
        ("{drift: {metric: psi}}", ".drift.metric", .inconsistent, "linf"),
        ("{drift: {warn: 0.3, fail: 0.2}}", ".drift.fail", .inconsistent, "swap them"),
        ("{drift: {bins: 7}}", ".drift.bins", .outOfRange, "10"),
    ])
    func `a field's sluice settings`(settings: String, path: String, code: SchemaError.Code, words: String) throws {
        let error = try #require(refusal(oneField("sluice: \(settings)")))
        #expect(error.path == "fields[0].sluice\(path)" && error.code == code, "\(error)")
        #expect(error.message.contains(words) && error.line == 3 && error.column > 4, "\(error)")
    }

    @Test(arguments: [
        ("{anomaly: {threshold: 0}}", ".threshold", SchemaError.Code.outOfRange, "from"),
        ("{anomaly: {threshold: high}}", ".threshold", .unknownValue, "auto"),
        ("{anomaly: {action: reject}}", ".action", .unknownValue, "never reject"),
        ("{anomaly: {action: quarantin}}", ".action", .unknownValue, "did you mean \"quarantine\""),
        ("{anomaly: {tails: both}}", ".tails", .unknownValue, "double"),
        ("{anomaly: {transform: log}}", ".transform", .unknownValue, "log1p"),
        ("{anomaly: {method: iqr}}", ".method", .unknownValue, "modified-z"),
        ("{anomaly: {treshold: 3}}", "", .unknownKey, "did you mean \"threshold\""),
    ])
    func `anomaly settings`(settings: String, path: String, code: SchemaError.Code, words: String) throws {
        let error = try #require(refusal(oneField("type: number", "sluice: \(settings)")))
        #expect(error.path == "fields[0].sluice.anomaly\(path)" && error.code == code, "\(error)")
        #expect(error.message.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("{isolationforest: {}}", "", SchemaError.Code.unknownKey, "did you mean \"isolationForest\""),
        ("{apiVersion: sluice/v2}", ".apiVersion", .unsupported, "sluice/v1"),
        ("{unknownFields: rejct}", ".unknownFields", .unknownValue, "did you mean \"reject\""),
        ("{limits: {maxRows: 1}}", ".limits", .unknownKey, "maxRowBytes"),
        ("{limits: {maxRowBytes: 0}}", ".limits.maxRowBytes", .outOfRange, "from 1"),
        ("{limits: {maxFields: 1}}", "!fields", .outOfRange, "maxFields"),
        ("{batch: {maxRejectedRate: 1.5}}", ".batch.maxRejectedRate", .outOfRange, "from 0.0 to 1.0"),
        ("{batch: {minRows: 1.5}}", ".batch.minRows", .wrongKind, "whole"),
        ("{batch: {onExceed: ignore}}", ".batch.onExceed", .unknownValue, "quarantine"),
        ("{isolationForest: {trees: 1001}}", ".isolationForest.trees", .outOfRange, "1000"),
        ("{isolationForest: {sampleSize: 1}}", ".isolationForest.sampleSize", .outOfRange, "256"),
        ("{isolationForest: {ndim: 4}}", ".isolationForest.ndim", .outOfRange, "3"),
        (
            "{isolationForest: {fields: [amuont]}}", ".isolationForest.fields[0]", .inconsistent,
            "did you mean \"amount\""
        ),
        ("{isolationForest: {fields: [note]}}", ".isolationForest.fields[0]", .inconsistent, "is string"),
        (
            "{isolationForest: {threshold: {flag: 0.99, quarantine: 0.9}}}", ".isolationForest.threshold",
            .inconsistent, ""
        ),
        (
            "{isolationForest: {threshold: {reject: 1}}}", ".isolationForest.threshold", .unknownKey,
            "flag or quarantine"
        ),
        ("{isolationForest: {action: reject}}", ".isolationForest.action", .unknownValue, "never reject"),
    ])
    func `the contract's sluice settings`(
        settings: String, path: String, code: SchemaError.Code, words: String
    ) throws {
        let error = try #require(
            refusal("fields: [{name: amount, type: number}, {name: note}]\nsluice: \(settings)\n"))
        #expect(error.path == (path.hasPrefix("!") ? String(path.dropFirst()) : "sluice\(path)"), "\(error)")
        #expect(error.code == code && (words.isEmpty || error.message.contains(words)), "\(error)")
    }

    @Test func `texts from a document are shown short and without control characters`() throws {
        let error = try #require(refusal("fields: [{name: a, type: \"\\e[31m\(String(repeating: "x", count: 500))\"}]"))
        #expect(error.message.contains("\\u{1b}[31m") && error.message.utf8.count < 400)
    }

    @Test(arguments: ["contract.yaml", "contract.json"])
    func `damaged contracts are refused or read, and never crash`(name: String) {
        let yaml = """
            missingValues: ["", {value: NA}]
            fields:
              - {name: a, type: number, constraints: {minimum: 0.5, enum: [1, 2]}, sluice: {anomaly: {threshold: 3}}}
              - name: 'b'
                format: "uuid" # x
                sluice: {pii: {entity: PERSON, operator: mask, keepLast: 2}}
              - &x {name: c, type: date}
            primaryKey: [a, *x]
            """
        let json = """
            {"fields": [{"name": "a\\u00e9", "type": "number", "constraints": {"minimum": -1.5e3}}],
             "sluice": {"batch": {"minRows": 5}, "limits": {"maxDepth": 3}}}
            """
        let source = Array((name.hasSuffix("json") ? json : yaml).utf8)
        let pieces = Array("{}[],:-&*!|>'\"#%@`\n\t ?~0x\u{0}\u{80}".utf8)
        // Knuth's generator with a fixed seed, so that a failure can be reproduced.
        var state = UInt64(2026)
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<3000 {
            var bytes = source
            for _ in 0...next(4) {
                let index = next(bytes.count)
                switch next(3) {
                case 0: bytes[index] = pieces[next(pieces.count)]
                case 1: bytes.insert(pieces[next(pieces.count)], at: index)
                default: bytes.removeSubrange(index..<min(bytes.count, index + 1 + next(8)))
                }
            }
            do {
                _ = try Schema.load(bytes, name: name)
            } catch {
                #expect(!error.message.isEmpty && error.subject == name)
            }
        }
    }

    @Test func `the place is shown, of a contract only`() throws {
        func excerpt(_ text: String) -> String? {
            do throws(SchemaError) {
                _ = try Schema.load(Array(text.utf8), name: "c.yaml")
                return nil
            } catch {
                return error.excerpt(of: Array(text.utf8))
            }
        }
        #expect(
            excerpt("fields:\n  - { name: a, type: intger }\r\n")
                == "  - { name: a, type: intger }\n                     ^")
        let long = "fields: [" + (0..<50).map { "{name: f\($0)}" }.joined(separator: ", ") + ", {name: x, type: y}]"
        let shown = try #require(excerpt(long)).split(separator: "\n")
        #expect(shown[0].count == 80 && shown[0].dropFirst(shown[1].count - 1).hasPrefix("y}]"))
        // A document that is not a contract may be data.
        for text in ["id,name\n1,Anna\n", "- Anna\n", "Anna: 1\nBerg: 2\n", "{\"a\": \"Anna\"", "a: [Anna\n"] {
            #expect(excerpt(text) == nil, "\(text)")
        }
    }
}
