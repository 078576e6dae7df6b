import Cryptography
import Foundation
import Lineage
import Schemas
import Screening
import Storage
import Tabular
import Testing

@testable import Ingestion

/// A decision about held data needs the approval of other people, where `sluice.yaml` says so.
@Suite struct `approvals of a review` {
    /// A person with an ssh key.
    private struct Person {
        let name: String
        let key: SigningKey

        init(_ name: String) throws {
            (self.name, key) = (name, try SigningKey(seed: SecretKey(random: 32)))
        }

        private static func text(_ bytes: [UInt8]) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
        }

        private var wire: [UInt8] { Self.text(Array("ssh-ed25519".utf8)) + Self.text(key.publicKey) }
        var line: String { "{ name: \(name), key: ssh-ed25519 \(base64(wire)) }" }

        /// A signature as `ssh-keygen -Y sign` makes it (OpenSSH, PROTOCOL.sshsig).
        func signed(_ document: [UInt8], namespace: String = "sluice-review") throws -> [UInt8] {
            var digest = try MessageDigest(.sha512)
            digest.update(document.span)
            let (space, function) = (Self.text(Array(namespace.utf8)), Self.text(Array("sha512".utf8)))
            let message = Array("SSHSIG".utf8) + space + Self.text([]) + function + Self.text(digest.finish())
            let signature = Self.text(Array("ssh-ed25519".utf8)) + Self.text(try key.sign(message))
            let blob =
                Array("SSHSIG".utf8) + [0, 0, 0, 1] + Self.text(wire) + space + Self.text([]) + function
                + Self.text(signature)
            return Array("-----BEGIN SSH SIGNATURE-----\n\(base64(blob))\n-----END SSH SIGNATURE-----\n".utf8)
        }
    }

    /// A store with a held batch, and what `review:` says.
    private func prepared(_ review: String) async throws -> (shop: Workshop, held: BatchReport) {
        let shop = try Workshop()
        try configure(shop, review)
        var text = Workshop.rows(600)
        for id in 0..<150 { text += "\(9001 + id),9\(id)00000,far\n" }
        let held = try await shop.run(try shop.write("a.csv", text))
        #expect(held.status == .held, "\(held.batchFindings)")
        return (shop, held)
    }

    private func configure(_ shop: Workshop, _ review: String) throws {
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\nreview:")[0]
        try Data((text + "\nreview: { \(review) }\n").utf8).write(to: URL(filePath: path))
    }

    private func pipeline(_ shop: Workshop) throws -> Pipeline {
        try Pipeline(store: try Store(shop.store.root), writes: true)
    }

    private func release(
        _ shop: Workshop, _ batch: String, by person: Person?, reason: String = "sound",
        _ change: (inout Pipeline.ReleaseRequest) -> Void = { _ in }
    ) async throws -> Pipeline.Release {
        var request = Pipeline.ReleaseRequest(batch, reason: reason)
        request.contract = try Schema.load(
            Array(Workshop.contract().document.text(pretty: false).utf8), name: "numbers.schema.json")
        change(&request)
        let pipeline = try pipeline(shop)
        request.signature = try person?.signed(pipeline.decision(for: request).document)
        return try await pipeline.release(request, options: BatchOptions())
    }

    private func missing(_ release: Pipeline.Release) -> Int? {
        if case .approved(let missing) = release { missing } else { nil }
    }

    private func approvals(_ shop: Workshop) throws -> [LedgerEntry] {
        try LineageQuery(shop.store.readableLedger()).log(limit: 100, kind: "review.approved")
    }

    @Test func `two people with keys must agree about the same decision`() async throws {
        let (kim, lee, eve) = (try Person("kim"), try Person("lee"), try Person("eve"))
        let (shop, held) = try await prepared("approvals: 2, signature: ssh, reviewers: [\(kim.line), \(lee.line)]")
        defer { shop.remove() }
        // Nobody's signature, a stranger's, and one over another reason.
        #expect(await failure { _ = try await release(shop, held.batch, by: nil) }?.code == .notPermitted)
        #expect(await failure { _ = try await release(shop, held.batch, by: eve) }?.code == .notPermitted)
        let stolen = await failure {
            let pipeline = try pipeline(shop)
            var request = Pipeline.ReleaseRequest(held.batch, reason: "sound")
            request.signature = try kim.signed(pipeline.decision(for: request).document)
            let other = Pipeline.ReleaseRequest(held.batch, reason: "another reason")
            var changed = other
            changed.signature = request.signature
            _ = try await pipeline.release(changed, options: BatchOptions())
        }
        #expect(stolen?.code == .notPermitted)
        #expect(try approvals(shop).isEmpty)
        // The first, twice: it counts once.
        #expect(missing(try await release(shop, held.batch, by: kim)) == 1)
        #expect(missing(try await release(shop, held.batch, by: kim, reason: "still sound")) == 1)
        #expect(try approvals(shop).count == 1)
        // Another decision of another person does not complete it.
        #expect(missing(try await release(shop, held.batch, by: lee) { $0.newLevels = ["x"] }) == 1)
        #expect(try Store(shop.store.root).proving().heldBatches().count == 1)
        guard case .judged(let report) = try await release(shop, held.batch, by: lee, reason: "I agree") else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted, "\(report.batchFindings)")
        let entries = try approvals(shop)
        #expect(entries.count == 3)
        let released = try #require(
            try LineageQuery(shop.store.readableLedger()).log(limit: 1, kind: "batch.released").first)
        let named = (released.body["approvals"]?.items ?? []).compactMap(\.whole).map { Int($0) }
        let people = entries.filter { named.contains($0.sequence) }.compactMap { $0.body["reviewer"]?.text }
        #expect(Set(people) == ["kim", "lee"] && named.count == 2)
        // What was signed can be checked by anybody.
        for entry in entries {
            let document = Array((entry.body["document"]?.text ?? "").utf8)
            #expect(try JSONValue.parse(document)["batch"]?.text == held.batch)
        }
        try shop.expectSound()
    }

    @Test func `a reviewer who was taken out does not count, and a signature is for one ledger and one purpose`()
        async throws
    {
        let (kim, lee) = (try Person("kim"), try Person("lee"))
        let (shop, held) = try await prepared("approvals: 2, signature: ssh, reviewers: [\(kim.line), \(lee.line)]")
        defer { shop.remove() }
        #expect(missing(try await release(shop, held.batch, by: kim)) == 1)
        let max = try Person("max")
        try configure(shop, "approvals: 2, signature: ssh, reviewers: [\(lee.line), \(max.line)]")
        #expect(missing(try await release(shop, held.batch, by: lee)) == 1)
        let pipeline = try pipeline(shop)
        var request = Pipeline.ReleaseRequest(held.batch, reason: "sound")
        let document = try pipeline.decision(for: request).document
        request.signature = try max.signed(document, namespace: "file")
        let wanted = request
        #expect(
            await failure { _ = try await pipeline.release(wanted, options: BatchOptions()) }?.code == .notPermitted)
        let other = try Workshop()
        defer { other.remove() }
        #expect(String(decoding: document, as: UTF8.self).contains(try shop.store.ledger().origin))
        #expect(try shop.store.ledger().origin != other.store.ledger().origin)
        guard case .judged(let report) = try await release(shop, held.batch, by: max) else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted)
    }

    @Test func `a final rejection and rows need approval too, and judging again does not`() async throws {
        let kim = try Person("kim")
        let (shop, held) = try await prepared("signature: ssh, reviewers: [\(kim.line)]")
        defer { shop.remove() }
        let open = try pipeline(shop)
        #expect(await failure { try open.reject(held.batch, reason: "bad") }?.code == .notPermitted)
        // Judged again: it still does not pass, and nobody was asked.
        guard case .judged(let again) = try await release(shop, held.batch, by: nil, { $0.waived = [] }) else {
            Issue.record("it was not judged")
            return
        }
        #expect(again.status == .held)
        let decision = try open.decision(.reject, about: held.batch, reason: "bad")
        // A signature for a release does not reject.
        let wrong = try kim.signed(open.decision(.release, about: held.batch, reason: "bad").document)
        #expect(await failure { try open.reject(held.batch, reason: "bad", signature: wrong) }?.code == .notPermitted)
        #expect(try open.reject(held.batch, reason: "bad", signature: kim.signed(decision.document)) == 0)
        let rejected = try #require(
            try LineageQuery(shop.store.readableLedger()).log(limit: 1, kind: "hold.rejected").first)
        #expect(rejected.body["approvals"]?.items?.count == 1)
        let accepted = try await shop.run(
            try shop.write("b.csv", Workshop.rows(4000, from: 20_001) + "99001,990000,far\n"))
        #expect(accepted.status == .accepted && accepted.counts.count(.quarantined) == 1, "\(accepted.batchFindings)")
        let rows = RowList("4001")
        #expect(
            await failure { _ = try await release(shop, accepted.batch, by: nil) { $0.rows = rows } }?.code
                == .notPermitted)
        guard case .judged(let report) = try await release(shop, accepted.batch, by: kim, { $0.rows = rows }) else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted)
        try shop.expectSound()
    }

    @Test func `without keys two users must agree, and a signature is refused where none is asked for`() async throws {
        let kim = try Person("kim")
        let (shop, held) = try await prepared("approvals: 2")
        defer { shop.remove() }
        #expect(await failure { _ = try await release(shop, held.batch, by: kim) }?.code == .usage)
        #expect(missing(try await release(shop, held.batch, by: nil)) == 1)
        // The same user again.
        #expect(missing(try await release(shop, held.batch, by: nil, reason: "again")) == 1)
        #expect(try approvals(shop).count == 1)
        #expect(try Store(shop.store.root).proving().reviewCase(of: held.batch).approvals.count == 1)
        try configure(shop, "approvals: 1")
        #expect(await failure { _ = try await release(shop, held.batch, by: kim) }?.code == .usage)
        guard case .judged(let report) = try await release(shop, held.batch, by: nil) else {
            Issue.record("it was not judged")
            return
        }
        #expect(report.status == .accepted)
    }

    @Test func `settings that protect nothing are refused`() throws {
        let kim = try Person("kim")
        let head = "apiVersion: sluice/v1\nledger: { origin: a }\nrecipients: [{ kek: m }]\nreview: "
        for (review, word) in [
            ("{ signature: ssh }", "at least 1 reviewers"), ("{ reviewers: [\(kim.line)] }", "signature: ssh"),
            ("{ approvals: 2, signature: ssh, reviewers: [\(kim.line)] }", "at least 2"),
            ("{ approvals: 3 }", "approvals"),
            ("{ approvals: 0 }", "approvals"), ("{ signature: gpg }", "signature"),
            (
                "{ approvals: 2, signature: ssh, reviewers: [\(kim.line), \(kim.line.replacing("kim", with: "lee"))] }",
                "another reviewer"
            ),
            ("{ signature: ssh, reviewers: [{ name: x }] }", "key"),
            ("{ signature: ssh, reviewers: [{ name: x, key: ssh-rsa AAAA }] }", "Ed25519"),
        ] {
            #expect {
                _ = try Configuration(Array((head + review).utf8), name: "sluice.yaml")
            } throws: { error in
                (error as? SchemaError)?.description.contains(word) ?? false
            }
        }
    }
}
