import Ingestion
import Schemas
import Tabular
import Testing

@Suite struct `sluice.yaml` {
    @Test func `the template is what it says it is`() throws {
        let made = try Configuration(Array(Configuration.template(origin: "sluice.local/a1").utf8), name: "sluice.yaml")
        #expect(made.origin == "sluice.local/a1")
        #expect(made.recipients.map(\.name) == ["main"] && made.recipients.map(\.kind) == [.kek])
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

    @Test(arguments: [
        "unlistedSources", "recipients", "datasets", "sources", "limits", "ledger.origin",
        "ledger.signingKey", "ledger.postQuantumKey",
        "recipients[0].kek", "recipients[0].rsa", "recipients[0].xwing", "recipients[0].exec", "datasets.orders.schema",
        "datasets.orders.source",
        "datasets.orders.recipients", "datasets.orders.inbox", "datasets.orders.archive", "datasets.orders.shadow",
        "sources.partner.owner", "sources.partner.licence", "sources.partner.license", "sources.partner.collection",
        "sources.partner.intendedUse", "sources.partner.contact", "sources.partner.probation",
        "sources.partner.require",
        "sources.partner.keys", "sources.partner.namespace", "sources.partner.keys[0].minisign",
        "sources.partner.keys[0].ssh", "limits.sliceBytes", "apiVersion", "recipients[0].publicKey",
        "recipients[0].command",
        "retention.accepted", "retention.quarantine", "retention.held", "retention.decision", "retention.baseline",
        "retention.superseded", "datasets.orders.retention.held", "datasets.orders.retention", "retention",
        "review", "review.approvals", "review.signature", "review.reviewers", "review.reviewers[0].name",
        "review.reviewers[0].key", "openLineage", "openLineage.file", "openLineage.url", "openLineage.headers",
    ]) func `every key is read`(path: String) throws {
        // The value: what no key takes.
        var text = path.hasSuffix("s") || path.hasSuffix("require") ? "7" : "[[1]]"
        for part in path.split(separator: ".").reversed() {
            let name = part.hasSuffix("[0]") ? String(part.dropLast(3)) : String(part)
            text = part.hasSuffix("[0]") ? "{\(name): [\(text)]}" : "{\(name): \(text)}"
        }
        if path.hasSuffix("publicKey") { text = "{recipients: [{rsa: x, publicKey: [[1]]}]}" }
        if path.hasSuffix("reviewers[0].key") { text = "{review: {reviewers: [{name: x, key: [[1]]}]}}" }
        if path.hasSuffix(".rsa") { text = "{recipients: [{rsa: [[1]], publicKey: x}]}" }
        if path.hasSuffix(".exec") { text = "{recipients: [{exec: [[1]], command: [/x]}]}" }
        if path.hasSuffix(".command") { text = "{recipients: [{exec: x, command: 7}]}" }
        if path.hasSuffix(".xwing") { text = "{recipients: [{xwing: [[1]], publicKey: x}]}" }
        if path == "ledger.postQuantumKey" { text = "{ledger: {origin: a, postQuantumKey: [[1]]}}" }
        if path == "ledger.signingKey" { text = "{ledger: {origin: a, signingKey: [[1]]}}" }
        let whole = [("apiVersion", "sluice/v1"), ("ledger", "{origin: a}"), ("recipients", "[{kek: m}]")]
            .filter { !path.hasPrefix($0.0) }.map { "\($0.0): \($0.1), " }.joined()
        #expect {
            _ = try Configuration(Array("{\(whole)\(text.dropFirst())".utf8), name: "sluice.yaml")
        } throws: { error in
            (error as? SchemaError)?.path == path
        }
    }

    @Test func `every key of the tables is tried above`() {
        func keys(_ group: SettingGroup) -> [String] {
            group.settings.flatMap { setting -> [String] in
                switch setting.kind {
                case .mapping(let below), .mappings(let below, or: _), .named(_, let below):
                    [setting.key] + keys(below)
                default: [setting.key]
                }
            }
        }
        #expect(
            Set(keys(.store)) == [
                "apiVersion", "ledger", "origin", "signingKey", "postQuantumKey", "recipients", "kek", "rsa", "xwing",
                "exec", "command",
                "publicKey", "datasets",
                "schema", "source", "inbox", "archive", "shadow", "sources", "owner", "licence", "license",
                "collection",
                "intendedUse", "contact", "probation", "require", "keys", "minisign", "ssh", "namespace",
                "unlistedSources", "limits", "sliceBytes", "retention", "accepted", "quarantine", "held", "decision",
                "baseline", "superseded", "review", "approvals", "signature", "reviewers", "name", "key",
                "openLineage", "file", "url", "headers",
            ])
    }

    @Test func `time is written as RFC 3339`() {
        #expect(Clock.text(0) == "1970-01-01T00:00:00.000Z")
        #expect(Clock.text(1_709_210_096_789) == "2024-02-29T12:34:56.789Z")
    }
}
