import Schemas
import Sketches
import Tabular
import Testing

/// Classes of quasi-identifiers are computed from masked values, not from the input.
@Suite struct AnonymityTests {
    @Test func `masking makes classes larger`() throws {
        func smallest(_ rule: String) throws -> Int? {
            let schema = try contract(
                "fields:\n  - { name: zip, type: string, sluice: { role: quasi-identifier\(rule) } }\n"
                    + "  - { name: y, type: string, sluice: { role: label } }\n")
            let text = "zip,y\n10115,a\n10117,b\n10119,a\n20095,a\n20097,a\n20099,a\n"
            return try mask(schema, text, .csv).classes.summary(wanted: 5, hasSensitive: true)?.smallest
        }
        #expect(try smallest("") == 1)
        let rule = ", pii: { entity: LOCATION, operator: truncate, keepFirst: 2 }"
        #expect(try smallest(rule) == 3)
        let schema = try contract(
            "fields:\n  - { name: zip, type: string, sluice: { role: quasi-identifier\(rule) } }\n"
                + "  - { name: y, type: string, sluice: { role: label } }\n")
        let found = try mask(schema, "zip,y\n10115,a\n10117,b\n20095,a\n20097,a\n", .csv).classes.summary(
            wanted: 3, hasSensitive: true)
        #expect(found?.fewest == 1 && found?.classes == 2 && found?.shareBelow == 1)
    }
}
