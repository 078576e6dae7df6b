import Schemas
import Testing

@testable import Screening

@Suite struct ScreenedFieldsTests {
    /// A row that comes again under another name, mail address and key is a copy: the differences are masked anyway.
    @Test func `personal data makes no row another`() throws {
        let schema = try Schema.load(
            Array(
                """
                primaryKey: [id]
                fields:
                  - { name: id, type: integer }
                  - { name: mail, type: string, sluice: { pii: { entity: EMAIL_ADDRESS } } }
                  - { name: note, type: string, sluice: { pii: { scan: true } } }
                  - { name: amount, type: number }
                """.utf8), name: "test.yaml"
        ).schema
        #expect(ScreenedFields(schema, numericFields: [0, 3]).content == [2, 3])
        var named = schema
        named.fields.removeSubrange(2...3)
        #expect(ScreenedFields(named, numericFields: [0]).content == [1])
    }
}
