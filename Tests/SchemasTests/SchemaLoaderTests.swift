import Schemas
import Tabular
import Testing

@Suite struct SchemaLoaderTests {
    @Test func `whole numbers have no decimal mark, so any other mark may group them`() throws {
        let field = try contract(oneField("type: integer", "groupChar: '.'")).schema.fields[0]
        #expect(field.groupChar == ".")
        #expect(refusal(oneField("type: number", "groupChar: '.'"))?.message.contains("same") == true)
    }

    @Test func `every standard property reaches the contract`() throws {
        let schema = try contract(
            """
            $schema: https://datapackage.org/profiles/2.0/tableschema.json
            name: orders
            version: 3.1
            missingValues: ["", {value: NA, label: not asked}]
            primaryKey: id
            fields:
              - {name: id, title: Number, constraints: {required: true, unique: true}}
              - {name: mail, type: string, format: email, constraints: {minLength: 3, maxLength: 99, pattern: "[a-z]+"}}
              - {name: n, type: integer, missingValues: ["-"],
                 constraints: {minimum: 0x10, maximum: 99999999999999999999}}
              - {name: x, type: number, decimalChar: ",", groupChar: ".", bareNumber: false,
                 constraints: {exclusiveMinimum: .5, exclusiveMaximum: "1e3"}}
              - {name: ok, type: boolean, trueValues: [yes], falseValues: [no]}
              - {name: d, type: date, constraints: {minimum: 2015-01-01}}
              - {name: e, type: date, format: "%d/%m/%Y"}
              - {name: t, type: time}
              - {name: u, type: datetime, constraints: {maximum: "2030-01-01T00:00:00Z"}}
              - {name: y, type: year}
              - {name: a, type: any}
              - {name: o, type: object}
              - {name: l, type: array, constraints: {maxLength: 5}}
              - {name: c, constraints: {enum: [1.50, two, true]}}
            """
        ).schema
        #expect(schema.name == "orders" && schema.version == "3.1")
        #expect(schema.missingValues == ["", "NA"] && schema.primaryKey == ["id"])
        #expect(schema.fields[0].type == .string(.default) && schema.fields[0].title == "Number")
        #expect(schema.fields[0].constraints.required && schema.fields[0].constraints.unique)
        #expect(schema.fields[1].type == .string(.email))
        #expect(schema.fields[1].constraints.minLength == 3 && schema.fields[1].constraints.maxLength == 99)
        #expect(schema.fields[1].constraints.pattern == "[a-z]+")
        #expect(schema.fields[2].constraints.minimum == "16")
        #expect(schema.fields[2].constraints.maximum == "99999999999999999999")
        #expect(schema.missingValues(of: 2) == ["-"] && schema.missingValues(of: 1) == ["", "NA"])
        #expect(schema.fields[3].decimalChar == "," && schema.fields[3].groupChar == ".")
        #expect(!schema.fields[3].bareNumber && schema.fields[3].constraints.exclusiveMinimum == "0.5")
        #expect(schema.fields[3].constraints.exclusiveMaximum == "1e3")
        #expect(schema.fields[4].trueValues == ["yes"] && schema.fields[4].falseValues == ["no"])
        #expect(schema.fields[5].constraints.minimum == "2015-01-01")
        #expect(schema.fields[6].type == .date(.pattern("%d/%m/%Y")))
        #expect(
            schema.fields[7...12].map(\.type.name) == ["time", "datetime", "year", "any", "object", "array"])
        #expect(schema.fields[13].constraints.enumeration == ["1.50", "two", "true"])
        #expect(schema.digest.isEmpty && !schema.isInferred)
    }

    @Test func `every sluice setting reaches the contract`() throws {
        let loaded = try contract(
            """
            fields:
              - {name: id, sluice: {role: key, pii: {entity: US_SSN, operator: tokenize, key: k-1, prefix: s_}}}
              - {name: phone, sluice: {pii: {entity: PHONE_NUMBER, operator: mask, maskChar: "#",
                 keepFirst: 1, keepLast: 2}}}
              - {name: zip, sluice: {role: quasi-identifier, pii: {entity: LOCATION, operator: truncate, keepFirst: 3}}}
              - {name: text, sluice: {role: text, pii: {scan: true, entities: [IBAN_CODE], replacement: "[x]"}}}
              - {name: card, sluice: {pii: {entity: CREDIT_CARD, operator: redact}}}
              - name: n
                type: number
                sluice:
                  anomaly: {threshold: 4, transform: log1p, tails: double, action: quarantine, method: modified-z}
              - {name: m, type: integer, sluice: {anomaly: {threshold: auto, transform: auto, enabled: false}}}
            sluice:
              apiVersion: sluice/v1
              unknownFields: drop
              limits: {maxRowBytes: 1000, maxFields: 10, maxDepth: 8}
              isolationForest:
                {fields: [n, m], trees: 50, sampleSize: 128, ndim: 1,
                 threshold: {flag: 0.98, quarantine: 0.999}, action: flag}
              batch: {minRows: 5, maxRejectedRate: 0.5, maxQuarantinedRate: 1, onExceed: quarantine}
            """)
        #expect(loaded.warnings.isEmpty)
        let schema = loaded.schema
        let token = try #require(schema.fields[0].pii)
        #expect(schema.fields[0].role == .key && token.operation == .tokenize && token.key == "k-1")
        #expect(token.prefix == "s_" && token.entity == "US_SSN")
        let mask = try #require(schema.fields[1].pii)
        #expect(mask.maskCharacter == "#" && mask.keepFirst == 1 && mask.keepLast == 2 && mask.operation == .mask)
        #expect(schema.fields[2].pii?.operation == .truncate && schema.fields[2].pii?.keepFirst == 3)
        let scan = try #require(schema.fields[3].pii)
        #expect(scan.scan && scan.entities == ["IBAN_CODE"] && scan.operation == .replace && scan.replacement == "[x]")
        #expect(schema.fields[4].pii?.operation == .redact)
        let anomaly = schema.fields[5].anomaly
        #expect(anomaly.threshold == 4 && anomaly.transform == "log1p" && anomaly.tails == "double")
        #expect(anomaly.action == .quarantined && anomaly.enabled)
        #expect(schema.fields[6].anomaly.threshold == nil && schema.fields[6].anomaly.transform == nil)
        #expect(!schema.fields[6].anomaly.enabled)
        #expect(schema.unknownFields == .drop && schema.limits.maxRowBytes == 1000 && schema.limits.maxDepth == 8)
        #expect(schema.forest.fields == ["n", "m"] && schema.forest.trees == 50 && schema.forest.dimensions == 1)
        #expect(schema.forest.sampleSize == 128 && schema.forest.flagQuantile == 0.98)
        #expect(schema.forest.quarantineQuantile == 0.999 && schema.forest.action == .flagged)
        #expect(schema.batch.minRows == 5 && schema.batch.maxRejectedRate == 0.5)
        #expect(schema.batch.maxQuarantinedRate == 1)
    }

    @Test func `JSON contracts and profiles 1.0 to 2.1 load alike`() throws {
        for version in ["1.0", "2.0", "2.1"] {
            let profile = "https://datapackage.org/profiles/\(version)/tableschema.json"
            let yaml = try contract("$schema: \(profile)\nfields: [{name: a, type: integer}]")
            let json = try contract(
                "{\"$schema\": \"\(profile)\", \"fields\": [{\"name\": \"a\", \"type\": \"integer\"}]}", name: "c.json")
            #expect(yaml == json && yaml.warnings.isEmpty)
        }
        let strange = try contract("$schema: https://example.org/x.json\nfields: [{name: a}]")
        #expect(strange.warnings.map(\.path) == ["$schema"])
    }

    @Test func `what sources must agree on is read, and mistakes are named`() throws {
        func load(_ rule: String) throws -> CrossRule? {
            try contract(
                """
                fields:
                  - { name: id, type: integer }
                  - { name: n, type: number }
                  - { name: t, type: datetime }
                  - { name: s, type: string }
                sluice: { poisoning: { crossVerify: \(rule) } }
                """
            ).schema.poisoning.crossVerify
        }
        let rule = try #require(
            try load(
                "{ key: [id], fields: { n: { tolerance: 0.01 }, t: { skew: 60 }, s: }, minSources: 3, action: flag }"))
        #expect(rule.key == ["id"] && rule.minSources == 3 && rule.action == .flagged)
        #expect(rule.fields.map(\.name).sorted() == ["n", "s", "t"])
        #expect(rule.fields.first { $0.name == "n" }?.tolerance == 0.01)
        #expect(rule.fields.first { $0.name == "t" }?.skew == 60)
        for (wrong, words) in [
            ("{}", "needs key"), ("{ key: [x], fields: { n: {} } }", "no field"),
            ("{ key: [id], fields: {} }", "1 to 64"),
            ("{ key: [id], fields: { id: {} } }", "is the key"), ("{ key: [id], fields: { m: {} } }", "no field"),
            ("{ key: [id], fields: { s: { tolerance: 1 } } }", "for numbers"),
            ("{ key: [id], fields: { n: { skew: 1 } } }", "dates and times"),
            ("{ key: [id], fields: { n: { tolerance: 2 } } }", "from 0"),
            ("{ key: [id], fields: { n: 3 } }", "mapping"),
            ("{ key: [id], fields: { n: {} }, minSources: 1 }", "from 2"),
            ("{ key: [id], fields: { n: {} }, action: reject }", "never reject"),
        ] {
            #expect { try load(wrong) } throws: { "\($0)".contains(words) }
        }
    }

    @Test func `layout and comments do not change the canonical form, content does`() throws {
        let first = try contract("fields:\n  - name: a # x\n").document
        #expect(try contract("{\"fields\": [{\"name\": \"a\"}]}", name: "c.json").document == first)
        #expect(try contract("fields: [{name: b}]").document != first)
    }

    @Test func `settings without effect are warnings in document order, each with what holds instead`() throws {
        let warnings = try contract(
            """
            fields:
              - name: a
                categories: [x, y]
                sluice: {baseline: {}, hiddenText: {action: reject}, encrypt: false}
              - name: b
                categories: [x, {value: y, label: Y}]
                constraints: {enum: [y, x]}
            sluice:
              poisoning:
                duplicates: {exact: false, near: {field: a}}
                labelFlip: {k: 10, agreement: 0.9}
                triggers: {fields: [a], minSupport: 20, minPurity: 0.9, alpha: 0.1}
              baseline: {anchor: x, rolling: 20, update: approved}
              encryption: false
            """
        ).warnings
        #expect(
            warnings.map(\.path) == [
                "fields[0].sluice.baseline", "fields[0].sluice.encrypt", "sluice.poisoning.duplicates.exact",
                "sluice.poisoning.duplicates.near", "sluice.poisoning.labelFlip.k",
                "sluice.poisoning.labelFlip.agreement", "sluice.poisoning.triggers.fields",
                "sluice.poisoning.triggers.minSupport", "sluice.poisoning.triggers.minPurity",
                "sluice.poisoning.triggers.alpha", "sluice.baseline.anchor", "sluice.baseline.rolling",
                "sluice.baseline.update", "sluice.encryption",
            ])
        #expect(warnings.allSatisfy { $0.message.contains("has no effect") }, "\(warnings)")
        #expect(
            warnings.first?.description
                == "contract.yaml:4:14: fields[0].sluice.baseline: baseline has no effect: `sluice.baseline` of the "
                + "contract holds for every field")
        #expect(try contract("fields: [{name: a}]\nsluice: {batch: {onExceed: reject}}\n").warnings == [])
    }

    /// A contract, and the path of the protection in it that this version does not give.
    private static let unkept = [
        (
            "fields: [{name: a, sluice: {pii: {entity: CREDIT_CARD, operator: redact, validate: luhn}}}]",
            "fields[0].sluice.pii.validate"
        ),
        ("fields: [{name: a, sluice: {encrypt: true}}]", "fields[0].sluice.encrypt"),
        ("fields: [{name: a, sluice: {encryption: {key: k}}}]", "fields[0].sluice.encryption"),
        ("fields: [{name: a, sluice: {privacy: {}}}]", "fields[0].sluice.privacy"),
        ("fields: [{name: a}]\nsluice: {encryption: {algorithm: AES-256-GCM}}", "sluice.encryption"),
        ("fields: [{name: a}]\nsluice: {encrypt: true}", "sluice.encrypt"),
        (
            "fields: [{name: a}]\nsluice: {privacy: {kAnonymity: {k: 5, action: suppress}}}",
            "sluice.privacy.kAnonymity.action"
        ),
        (
            "fields: [{name: a}]\nsluice: {poisoning: {duplicates: {exact: {maxCopies: 1}}}}",
            "sluice.poisoning.duplicates.exact"
        ),
    ]

    @Test(arguments: unkept)
    func `a protection that is not carried out is refused, and a recorded contract with it still loads`(
        text: String, path: String
    ) throws {
        let error = try #require(refusal(text))
        #expect(error.code == .unsupported && error.path == path && error.line > 0, "\(error)")
        #expect(error.message.contains("not carried out by this version"), "\(error)")
        let recorded = try Schema.load(document(text), isRecorded: true)
        #expect(recorded.warnings.map(\.path) == [path] && recorded.schema.fields.count == 1)
    }

    @Test func `drift and poisoning settings`() throws {
        let schema = try contract(
            """
            fields:
              - {name: a, type: number, sluice: {drift: {metric: psi, bins: 10, warn: 0.2, fail: 0.4}}}
              - {name: b, sluice: {drift: {metric: linf, fail: 0.3}}}
              - {name: c, sluice: {drift: {enabled: false}}}
            sluice:
              poisoning:
                triggers: {action: flag}
                duplicates: {enabled: false}
            """
        ).schema
        #expect(schema.fields[0].drift.warn == 0.2 && schema.fields[0].drift.fail == 0.4)
        #expect(schema.fields[1].drift.warn == nil && schema.fields[1].drift.fail == 0.3)
        #expect(!schema.fields[2].drift.enabled && schema.fields[0].drift.enabled)
        #expect(schema.poisoning.triggers.action == .flagged && schema.poisoning.triggers.enabled)
        #expect(!schema.poisoning.duplicates.enabled && schema.poisoning.labelFlip == PoisonRule())
    }

    @Test func `foreign keys refer to the file itself, or to where the contract says that a resource is`() throws {
        let fields = "fields: [{ name: a, type: integer }, { name: b, type: number }, { name: c }]\n"
        func load(_ keys: String, _ more: String = "") throws(SchemaError) -> LoadedSchema {
            try contract(fields + "foreignKeys: [\(keys)]\n" + more)
        }
        let own = try load(
            "{ fields: a, reference: { fields: b } }, { fields: [a, c], reference: { resource: '', fields: [b, c] } }")
        #expect(own.schema.foreignKeys.map(\.name) == ["a → b", "a+c → b+c"] && own.warnings == [])
        let places = "sluice: { references: { x: { file: x.csv }, y: { dataset: y } } }\n"
        let there = try load(
            "{ fields: a, reference: { resource: x, fields: k } }, { fields: c, reference: { resource: y, fields: [k] } }",
            places)
        #expect(there.schema.foreignKeys.map(\.source) == [.file("x.csv"), .dataset("y")] && there.warnings == [])
        // A package's schema works unchanged; a reference that is not checked gives a warning.
        let unknown = try load("{ fields: a, reference: { resource: x, fields: k } }")
        #expect(unknown.schema.foreignKeys == [] && unknown.warnings.first?.message.contains("not enforced") == true)
        for (keys, more, hint) in [
            ("{ fields: a, reference: { fields: c } }", "", "one type"),
            ("{ fields: z, reference: { fields: a } }", "", "no field"),
            ("{ fields: [a, b], reference: { fields: [b] } }", "", "as many"), ("{ fields: a }", "", "reference"),
            ("{ fields: a, reference: { fields: b } }", places, "no foreign key refers"),
            ("{ fields: a, reference: { resource: x, fields: k } }", "sluice: { references: { x: {} } }", "file: PATH"),
        ] {
            let error = #expect(throws: SchemaError.self) { try load(keys, more) }
            #expect(error?.message.contains(hint) == true, "\(keys): \(error?.description ?? "")")
        }
    }

    @Test func `unknown standard keys warn only when they look like a known one`() throws {
        let text = "titel: x\nmy: me\nfields:\n  - {name: a, dcimalChr: x, colour: 1, examples: [1]}\n"
        let warnings = try contract(text).warnings
        #expect(warnings.map(\.path) == ["titel", "fields[0].dcimalChr", "fields[0].examples"])
        #expect(warnings.map(\.message).allSatisfy { $0.contains("is ignored; did you mean") })
        #expect(warnings[1].line == 4 && warnings[1].column == 15)
    }

    @Test(arguments: [
        ("fields:\n  - {name: a, tpye: integer}\n", "fields[0].tpye", "\"type\""),
        ("fields:\n  - {name: a, type: number, groupCharr: \",\"}\n", "fields[0].groupCharr", "\"groupChar\""),
        ("fields:\n  - {name: a, Categories: [x]}\n", "fields[0].Categories", "\"categories\""),
        ("fieldMatch: exact\nfields: [{name: a}]\n", "fieldMatch", "\"fieldsMatch\""),
        (
            "fields: [{name: a}]\nforeignKeys: [{fields: a, reference: {resorce: x, fields: a}}]\n",
            "foreignKeys[0].reference.resorce", "\"resource\""
        ),
    ]) func `a key one slip away from one with an effect is refused`(text: String, path: String, meant: String) throws {
        let error = try #require(refusal(text))
        #expect(error.code == .unknownKey && error.path == path, "\(error)")
        #expect(error.message.contains("did you mean \(meant)"), "\(error)")
        // Earlier versions only warned, so batches were judged by such contracts.
        #expect(try Schema.load(document(text), isRecorded: true).warnings.map(\.path) == [path])
    }

    @Test(arguments: [
        "fields:\n  - {name: a, slucie: {pii: {entity: PERSON, operator: redact}}}\n",
        "fields:\n  - {name: a, constraints: {requird: true}}\n",
        "fields:\n  - {name: a, constrains: {required: true}}\n",
        "primarykey: [a]\nfields:\n  - {name: a}\n",
    ]) func `a typing error must not switch a protection off`(text: String) {
        #expect {
            _ = try contract(text)
        } throws: { error in
            (error as? SchemaError)?.description.contains("did you mean") ?? false
        }
    }
}
