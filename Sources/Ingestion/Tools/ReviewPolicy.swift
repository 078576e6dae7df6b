import Cryptography
import Lineage
import Schemas
import Tabular

/// `review:` of `sluice.yaml`: whose approval a decision about held batches and rows needs.
package struct ReviewPolicy: Sendable, Equatable {
    /// A person who may decide.
    package struct Reviewer: Sendable, Equatable {
        /// The name under which the ledger records approvals.
        package let name: String
        /// The key that signs them.
        let key: TrustedKey
    }

    /// The people who must approve a decision.
    package private(set) var approvals = 1
    /// Whether each approval is signed by a reviewer's ssh key. Otherwise the user's number (uid) tells people apart.
    package private(set) var isSigned = false
    /// Who may sign.
    package private(set) var reviewers: [Reviewer] = []

    /// Whether who calls the command decides, without an entry of its own.
    var isPlain: Bool { approvals == 1 && !isSigned }

    /// Whoever calls the command decides.
    init() {}

    /// Reads `review:`.
    init(_ cursor: Cursor) throws(SchemaError) {
        let settings = try SettingReader(cursor, .review)
        approvals = try settings.whole("approvals") ?? 1
        isSigned = try settings.word("signature") ?? "none" == "ssh"
        for item in try settings["reviewers"]?.items() ?? [] {
            let reader = try SettingReader(item, .reviewer)
            guard let name = try reader.text("name"), let text = reader["key"] else {
                throw item.error(.inconsistent, "a reviewer has a name and a key")
            }
            guard let key = TrustedKey(.ssh, try text.text()) else {
                throw text.error(
                    .outOfRange, "must be an Ed25519 public key as in OpenSSH's .pub file: ssh-ed25519 AAAA…")
            }
            if reviewers.contains(where: { $0.name == name || $0.key == key }) {
                throw item.error(.inconsistent, "another reviewer has this name or this key")
            }
            reviewers.append(Reviewer(name: name, key: key))
        }
        if isSigned, reviewers.count < approvals {
            throw cursor.error(
                .inconsistent, "signature: ssh needs at least \(approvals) reviewers with their keys", atKey: true)
        }
        if !isSigned, !reviewers.isEmpty {
            throw cursor.error(
                .inconsistent, "reviewers need signature: ssh; without it nobody's key is asked for", atKey: true)
        }
    }

    /// The reviewer who signed a document; nil when none of them did.
    func signer(of document: [UInt8], _ signature: [UInt8]) -> Reviewer? {
        guard case .ssh(_, _, let function, _) = DetachedSignature(signature), let made = DetachedSignature(signature)
        else { return nil }
        // Without memory for a digest no signature counts.
        guard var digest = try? MessageDigest(function) else { return nil }
        digest.update(document.span)
        let key = made.signer(digest.finish(), reviewers.map(\.key), namespace: ReviewDecision.namespace)
        return reviewers.first { $0.key == key }
    }
}

extension SettingGroup {
    /// `review:`.
    static let review = SettingGroup([
        Setting(
            "approvals", .whole(1...2), default: "1",
            "the people who must approve a release or a final rejection; two must be two keys, or two users"),
        Setting(
            "signature", .words(["none", "ssh"]), default: "`none`",
            "whether each approval is signed by the ssh key of a reviewer"),
        Setting("reviewers", .mappings(.reviewer, or: nil), default: "none", "who may sign"),
    ])

    /// An element of `reviewers:`.
    static let reviewer = SettingGroup([
        Setting("name", .text("any"), default: "required", "the name under which the ledger records approvals"),
        Setting(
            "key", .text("ssh-ed25519 AAAA…"), default: "required", "an Ed25519 public key as in OpenSSH's .pub file"),
    ])
}

/// What a person decides about a batch or rows of it, as a document that can be signed.
package struct ReviewDecision: Sendable, Equatable {
    /// The kind of decision.
    package enum Action: String, Sendable {
        /// Judged again, with statistical findings waived.
        case release
        /// Rejected for good.
        case reject
    }

    /// The namespace of signatures: `ssh-keygen -Y sign -n sluice-review`.
    package static let namespace = "sluice-review"

    /// The kind of decision, and the batch.
    package let action: Action, batch: String
    let dataset: String
    /// The origin of the ledger that records it.
    let ledger: String
    let reason: String
    /// Rows of an accepted batch; nil for a held batch as a whole.
    var rows: RowList?
    /// The findings that are waived; nil for all statistical ones.
    var waived: [String]?
    /// Fields whose baseline begins anew.
    var newLevels: [String] = []
    /// SHA-256 of the contract that was given; nil for that of the dataset.
    var contract: [UInt8]?

    /// What two people must agree about: everything but the reason.
    private var agreement: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "type": .string("sluice-review-v1"), "ledger": .string(ledger), "action": .string(action.rawValue),
            "batch": .string(batch), "dataset": .string(dataset),
        ]
        guard action == .release else { return members }
        members["waives"] = waived.map { .array($0.sorted().map { .string($0) }) } ?? .string("statistics")
        if let rows { members["rows"] = .string(rows.text) }
        if !newLevels.isEmpty { members["levels"] = .array(newLevels.sorted().map { .string($0) }) }
        if let contract { members["contract_sha256"] = .string(hex(contract)) }
        return members
    }

    /// SHA-256 of what two people must agree about.
    var digest: [UInt8] { SHA256.hash(JSONValue.object(agreement).canonicalBytes()) }

    /// The document that is signed: one line of JSON.
    package var document: [UInt8] {
        var members = agreement
        members["reason"] = .string(reason)
        return JSONValue.object(members).canonicalBytes() + [0x0A]
    }
}

/// The approvals of a decision.
package struct ReviewApprovals: Sendable, Equatable {
    /// The entries `review.approved`, one a person.
    package let entries: [Int]
    /// People who must still approve it.
    package let missing: Int
}

extension Pipeline {
    /// What a release decides, as a document that can be signed.
    ///
    /// - Throws: `usage` for a batch that the ledger does not have.
    package func decision(for request: ReleaseRequest) throws(IngestionError) -> ReviewDecision {
        var decision = try decision(.release, about: request.batch, reason: request.reason)
        (decision.rows, decision.waived) = (request.rows, request.waived)
        (decision.newLevels, decision.contract) = (
            request.newLevels, request.contract.map { Schema.digested($0).digest }
        )
        return decision
    }

    /// What a final rejection decides, as a document that can be signed.
    ///
    /// - Throws: `usage` for a batch that the ledger does not have.
    package func decision(
        _ action: ReviewDecision.Action, about batch: String, reason: String
    ) throws(IngestionError) -> ReviewDecision {
        guard let recorder else { preconditionFailure("a decision is recorded") }
        try requireTellable(reason)
        let entries = try recording { () throws(LedgerError) in try recorder.record.run(batch) }
        guard let dataset = entries.first(where: { $0.event == .batchReceived })?.body["dataset"]?.text else {
            throw IngestionError(.usage, "the ledger has no judged batch \(batch); see: sluice review list")
        }
        return ReviewDecision(
            action: action, batch: batch, dataset: dataset, ledger: recorder.ledger.origin, reason: reason)
    }

    /// The approvals of a release. One that waives nothing is no decision: it only judges again.
    func approve(_ request: ReleaseRequest) throws(IngestionError) -> ReviewApprovals {
        guard let recorder else { preconditionFailure("a release is recorded") }
        if request.waived?.isEmpty ?? false, request.newLevels.isEmpty {
            return ReviewApprovals(entries: [], missing: 0)
        }
        return try recorder.approve(try decision(for: request), signature: request.signature)
    }
}
