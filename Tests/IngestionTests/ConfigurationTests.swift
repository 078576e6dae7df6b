import Ingestion
import Schemas
import Testing

@Suite struct `sluice.yaml` {
    @Test func `the template is what it says it is`() throws {
        let made = try Configuration(Array(Configuration.template(origin: "sluice.local/a1").utf8), name: "sluice.yaml")
        #expect(made.origin == "sluice.local/a1")
        #expect(made.recipients == [.kek("main")])
        #expect(made.datasets["example"]?.schema == "schemas/example.schema.yaml")
        #expect(made.sliceBytes == 16 << 20)
        let loaded = try Schema.load(Array(Configuration.exampleContract.utf8), name: "example.schema.yaml")
        #expect(loaded.warnings.isEmpty)
    }

    @Test(arguments: [
        ("apiVersion: sluice/v2\nledger: {origin: a}\nrecipients: [{kek: main}]\n", "unknown version"),
        ("apiVersion: sluice/v1\nledger: {origin: a}\nrecipient: [{kek: main}]\n", "did you mean"),
        ("apiVersion: sluice/v1\nledger: {origin: a}\nrecipients: []\n", "1 to 16"),
        ("apiVersion: sluice/v1\nledger: {origin: a}\nrecipients: [{rsa: x}]\n", "publicKey"),
        (
            "apiVersion: sluice/v1\nledger: {origin: a}\nrecipients: [{kek: m}]\ndatasets: {../x: {}}\n",
            "dataset's name"
        ),
        (
            "apiVersion: sluice/v1\nledger: {origin: a}\nrecipients: [{kek: m}]\nlimits: {sliceBytes: 1}\n",
            "must be from"
        ),
    ]) func `what is wrong is said`(text: String, word: String) {
        #expect {
            _ = try Configuration(Array(text.utf8), name: "sluice.yaml")
        } throws: { error in
            (error as? SchemaError)?.description.contains(word) ?? false
        }
    }

    @Test func `time is written as RFC 3339`() {
        #expect(Clock.text(0) == "1970-01-01T00:00:00.000Z")
        #expect(Clock.text(1_709_210_096_789) == "2024-02-29T12:34:56.789Z")
    }
}
