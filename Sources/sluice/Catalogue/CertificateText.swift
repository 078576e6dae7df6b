import Lineage
import Tabular

/// The certificate of a batch or of an erasure, for people and programs.
struct CertificateText {
    private let proof: RecordProof
    private let key: VerifierKey

    init(_ proof: RecordProof, _ key: VerifierKey) {
        self.proof = proof
        self.key = key
    }

    /// The claim, with the proof.
    var json: String {
        var members: [String: JSONValue] = [
            "certificate": proof.claim, "ledger": .string(key.name), "verifier": .string("\(key)"),
            "proof": .string(String(decoding: proof.proof.text, as: UTF8.self)),
        ]
        if proof.kind == .erasure { members["out_of_reach"] = .string(Self.outOfReach) }
        return JSONValue.object(members).text(pretty: true) + "\n"
    }

    /// One HTML page: what is certified, how it is checked, and the proof. It loads nothing and has no script.
    var page: String {
        let rows = Self.parts(proof.claim).map { name, value in
            "<tr><th>\(Terminal.markup(name))</th><td>\(Terminal.markup(value))</td></tr>"
        }.joined(separator: "\n")
        let files = (proof.claim["files"]?.items ?? []).map { file in
            "<tr><td>\(Terminal.markup(file["role"]?.text ?? ""))</td><td>\(Terminal.markup(file["path"]?.text ?? ""))</td>"
                + "<td><code>\(Terminal.markup(file["file_sha256"]?.text ?? ""))</code></td></tr>"
        }.joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Terminal.markup(title))</title><style>
            :root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
            td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #8884;overflow-wrap:anywhere}
            th{white-space:nowrap;font-weight:600}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.7rem}
            code{font-size:.8rem}</style></head><body>
            <h1>\(proof.kind == .batch ? "Certificate of a batch" : "Certificate of an erasure")</h1>
            <p>This page states what the signed ledger <code>\(Terminal.markup(key.name))</code> records of
            \(proof.kind == .batch ? "a batch" : "the erasure of one subject's rows"). It has no value of the
            data. The statement alone proves nothing; the proof below does.</p>
            <table>
            \(rows)
            </table>
            \(aboveFiles)
            <table><tr><th>Role</th><th>Path in the store</th><th>SHA-256</th></tr>
            \(files)
            </table>
            <h2>How to check it</h2>
            <p>Get the ledger's verifier key from its operator, by another way than this page, and compare it:
            <code>\(Terminal.markup("\(key)"))</code></p>
            <pre>sluice lineage verify --proof THIS-PAGE --vkey KEY</pre>
            <h2>Proof</h2>
            <pre>\(proofText)</pre>
            </body></html>

            """
    }

    private var aboveFiles: String {
        proof.kind == .batch
            ? "<h2>Published files</h2>"
            : "<p>\(Terminal.markup(Self.outOfReach))</p>\n<h2>Files that were written anew</h2>"
    }

    private var title: String {
        proof.kind == .batch
            ? "Certificate of batch \(proof.claim["batch"]?.text ?? "")"
            : "Certificate of an erasure, \((proof.claim["time"]?.text ?? "").prefix(10))"
    }

    /// What no erasure in a store reaches.
    static let outOfReach =
        "Out of reach of this erasure: backups made before, copies outside the store, models trained on the rows, and the statistics of "
        + "baselines, which have numbers of sampled rows without the subject. Key material that opens older forms of the files on the "
        + "disk's free blocks is destroyed by rotating and shredding the wrapping key."

    /// The proof, line by line: a line end is not to be made visible.
    private var proofText: String {
        String(decoding: proof.proof.text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { Terminal.markup(String($0)) }.joined(separator: "\n")
    }

    /// A claim as lines for a terminal.
    static func lines(_ claim: JSONValue) -> [String] {
        parts(claim).map { name, value in name + String(repeating: " ", count: max(1, 12 - name.count)) + value }
    }

    /// Names and values of a claim, in the order in which people ask.
    private static func parts(_ claim: JSONValue) -> [(name: String, value: String)] {
        var parts: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) { if let value, !value.isEmpty { parts.append((name, value)) } }
        if let subject = claim["subject"] {
            add("erased", "\((claim["time"]?.text ?? "").prefix(19))")
            add("subject", subject.text.map { "HMAC \($0)" })
            add("reason", claim["reason"]?.text)
            add("dataset", claim["dataset"]?.text)
            add("rows", claim["rows"]?.whole.map { NumberText.number(Int($0)) })
            add("batches", claim["batches"]?.whole.map { NumberText.number(Int($0)) })
            add("searched", claim["through"]?.whole.map { "everything that was recorded before entry \($0)" })
            for (name, value) in (claim["not_searched"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
                let counts = value.members?.sorted { $0.key < $1.key }.map { "\($0.value.whole ?? 0) of \($0.key)" }
                add(
                    "not searched",
                    name.replacing("_", with: " ") + ": " + (counts?.joined(separator: ", ") ?? "\(value.whole ?? 0)"))
            }
            return parts
        }
        add("batch", claim["batch"]?.text)
        add("dataset", claim["dataset"]?.text)
        add("judged", claim["time"]?.text)
        add("source", claim["source"]?.text)
        add("file", claim["source_sha256"]?.text.map { "SHA-256 \($0)" })
        add("contract", claim["contract_sha256"]?.text.map { "SHA-256 \($0)" })
        add("decision", claim["decision_sha256"]?.text.map { $0.isEmpty ? "none" : "SHA-256 \($0)" })
        add("verdict", claim["verdict"]?.text)
        add("rows", claim["rows"]?.whole.map { NumberText.number(Int($0)) })
        for name in ["accepted", "flagged", "quarantined", "rejected"] {
            add(name, claim[name]?.whole.map { NumberText.number(Int($0)) })
        }
        if let row = claim["row"] {
            add("row", row["record"]?.whole.map { "record \(NumberText.number(Int($0))) of the file" })
            add("outcome", row["outcome"]?.text)
            add("shard", row["shard"]?.text)
            add("in shard", row["shard_row"]?.whole.map { "row \(NumberText.number(Int($0)))" })
            add("sealed as", row["shard_sha256"]?.text.map { "SHA-256 \($0)" })
            add("now", row["shard_sha256_now"]?.text.map { "SHA-256 \($0), see below" })
            if row["erased"]?.flag ?? false { add("erased", "the row is no longer in the shard") }
        }
        for later in claim["afterwards"]?.items ?? [] {
            let details = ["action", "reviewer", "by", "batch", "rows", "held", "rule", "from", "to", "reason"]
                .compactMap { name in
                    later[name]?.text.map { "\(name) \($0)" }
                }
            add(
                "afterwards",
                "\((later["time"]?.text ?? "").prefix(19)) \(later["kind"]?.text ?? "") (entry \(later["entry"]?.whole ?? -1)) "
                    + details.joined(separator: ", "))
        }
        return parts
    }
}
