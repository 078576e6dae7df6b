package import Cryptography
import Tabular

/// The verdict on a batch as an in-toto Statement v1 with the predicate test-result v0.1, signed in a DSSE envelope.
///
/// The subjects are the accepted shards; of a batch that was held, the delivered file. The key is one of its own and never the
/// ledger's: a key that signs two kinds of document can be made to sign one in the form of the other.
package struct GateStatement {
    private let batch: RecordedBatch
    private let origin: String

    /// The statement on a batch; nil for a file that could not be judged.
    package init?(_ batch: RecordedBatch, origin: String) {
        if batch.judged == nil { return nil }
        (self.batch, self.origin) = (batch, origin)
    }

    /// The media type of the payload.
    private static let payloadType = "application/vnd.in-toto+json"

    /// The statement.
    private var statement: JSONValue {
        let judged = batch.judged?.body ?? .null
        let failed = batch.isAccepted ? [] : batch.blocking.isEmpty ? ["held"] : batch.blocking.sorted()
        let rejected = (judged["rejected"]?.whole ?? 0) > 0
        let warned = (batch.findings.sorted() + (rejected ? ["contract"] : [])).filter { !failed.contains($0) }
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        return .object([
            "_type": .string("https://in-toto.io/Statement/v1"), "subject": .array(subjects),
            "predicateType": .string("https://in-toto.io/attestation/test-result/v0.1"),
            "predicate": .object([
                "result": .string(!failed.isEmpty ? "FAILED" : warned.isEmpty ? "PASSED" : "WARNED"),
                "configuration": .array(configuration(judged)), "passedTests": texts(rejected ? [] : ["contract"]),
                "warnedTests": texts(warned), "failedTests": texts(failed),
            ]),
        ])
    }

    private var subjects: [JSONValue] {
        if !batch.isAccepted || batch.files(.accepted).isEmpty {
            return [Self.resource("source", digest: batch.sourceDigest)]
        }
        return batch.files(.accepted).map { Self.resource($0.path, digest: $0.digest) }
    }

    /// What was applied to what: the file, the contract, the sealed decision, and the entries that record it.
    private func configuration(_ judged: JSONValue) -> [JSONValue] {
        var list = [Self.resource("source", digest: batch.sourceDigest)]
        if let contract = batch.contract {
            list.append(Self.resource("contract \(contract.name) \(contract.version)", digest: contract.digest))
        }
        if let decision = judged["decision_sha256"]?.text { list.append(Self.resource("decision", digest: decision)) }
        var annotations: [String: JSONValue] = [
            "batch": .string(batch.id), "dataset": .string(batch.dataset), "supplier": .string(batch.source),
            "entries": .array(batch.entries.map { .integer(Int64($0)) }),
        ]
        for name in ["time", "verdict", "pipeline", "rows", "accepted", "flagged", "quarantined", "rejected"] {
            annotations[name] = judged[name]
        }
        if let held = batch.releases { annotations["releases"] = .string(held) }
        list.append(
            .object([
                "name": .string("ledger"), "uri": .string("sluice://\(origin)"), "annotations": .object(annotations),
            ]))
        return list
    }

    private static func resource(_ name: String, digest: String) -> JSONValue {
        .object(["name": .string(name), "digest": .object(["sha256": .string(digest)])])
    }

    /// The envelope of DSSE v1. The key's id is the SHA-256 of its SubjectPublicKeyInfo.
    package func envelope(signedWith key: SigningKey) throws(CryptographyError) -> String {
        let payload = statement.canonicalBytes()
        // PAE of the DSSE protocol, v1: lengths in front of both, so that no two pairs give the same bytes.
        let signed = Array("DSSEv1 \(Self.payloadType.utf8.count) \(Self.payloadType) \(payload.count) ".utf8) + payload
        let signature = try key.sign(signed)
        return JSONValue.object([
            "payloadType": .string(Self.payloadType), "payload": .string(base64(payload)),
            "signatures": .array([
                .object([
                    "keyid": .string(hex(SHA256.hash(key.publicKeyInfo))), "sig": .string(base64(signature)),
                ])
            ]),
        ]).text(pretty: false)
    }
}
