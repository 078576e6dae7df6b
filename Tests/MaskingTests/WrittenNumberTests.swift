import Schemas
import Tabular
import Testing

/// Numbers in the notations of various programs.
@Suite struct WrittenNumberTests {
    @Test func `zeros in front and groups of three hide nothing`() throws {
        let text = try contract("fields:\n  - { name: n, type: integer }\n  - { name: v }\n")
        for value in ["0004111111111111111", "00004111111111111111"] {
            #expect(try mask(text, "n,v\n1,\(value)\n", .csv).text == "n,v\n1,<CREDIT_CARD>\n")
        }
        #expect(try mask(text, "n,v\n1,0004111111111111112\n", .csv).text == "n,v\n1,0004111111111111112\n")
        let grouped = try contract(
            "fields:\n  - { name: n, type: integer }\n  - { name: v, type: integer, groupChar: \",\", sluice: { pii: { scan: true } } }\n"
        )
        #expect(try mask(grouped, "n,v\n1,\"4,111,111,111,111,111\"\n", .csv).text == "n,v\n1,\"<CREDIT_CARD>\"\n")
        #expect(
            try mask(grouped, "n,v\n1,\"4,111,111,111,111,112\"\n", .csv).text == "n,v\n1,\"4,111,111,111,111,112\"\n")
    }

    @Test func `a member that is called like something else holds numbers of that`() throws {
        let schema = try contract("fields:\n  - { name: m, type: object }\n")
        for kept in [#"{"Invoice ID":"750-67-8428"}"#, #"{"order":{"no":"750-67-8428"}}"#] {
            let text = try mask(schema, "{\"m\":\(kept)}\n", .jsonl).text
            #expect(text == "{\"m\":\(kept)}\n")
        }
        #expect(
            try mask(schema, #"{"m":{"id":"750-67-8428","invoice":"to a@b.org"}}"# + "\n", .jsonl).text
                == #"{"m":{"id":"<US_SSN>","invoice":"to <EMAIL_ADDRESS>"}}"# + "\n")
    }
}
