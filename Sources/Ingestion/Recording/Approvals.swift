import Cryptography
import Lineage
import Storage
import Tabular

/// Records who approves a decision about a held batch or rows.
extension Recorder {
    /// Records a person's approval, unless it is recorded already.
    ///
    /// - Parameters:
    ///   - decision: what is decided.
    ///   - signature: the reviewer's signature over its document; nil for none.
    /// - Returns: all approvals of the same decision by different people, and how many are missing.
    /// - Throws: `notPermitted` without a valid signature where `sluice.yaml` asks for one, `usage` for one where it does
    ///   not.
    func approve(_ decision: ReviewDecision, signature: [UInt8]?) throws(IngestionError) -> ReviewApprovals {
        let policy = store.configuration.review
        if policy.isPlain || !policy.isSigned, signature != nil {
            throw IngestionError(
                .usage,
                "\(Store.configurationName) asks for no signature of a review, so none is checked; to ask for one, write review: "
                    + "{ signature: ssh, reviewers: [...] }")
        }
        if policy.isPlain { return ReviewApprovals(entries: [], missing: 0) }
        var person = "uid \(userNumber())"
        if policy.isSigned {
            guard let signature else {
                throw IngestionError(
                    .notPermitted,
                    "\(Store.configurationName) asks for the signature of a reviewer: add --sign-with KEYFILE; or write what is to be "
                        + "signed with --document FILE, sign it with ssh-keygen -Y sign -n \(ReviewDecision.namespace) -f KEYFILE FILE, "
                        + "and give --signature FILE.sig")
            }
            guard let reviewer = policy.signer(of: decision.document, signature) else {
                throw IngestionError(
                    .notPermitted,
                    "the signature is by none of the reviewers of \(Store.configurationName), or over another decision or reason"
                )
            }
            person = reviewer.name
        }
        var known = try approvals(of: decision, policy)
        if !known.contains(where: { $0.person == person }) {
            var entry: [String: JSONValue] = [
                "kind": .event(.reviewApproved), "v": .integer(1), "time": .string(Clock.text()),
                "batch": .string(decision.batch), "dataset": .string(decision.dataset),
                "action": .string(decision.action.rawValue), "decision_sha256": .string(hex(decision.digest)),
                "document": .string(String(decoding: decision.document, as: UTF8.self)),
                "reason": .string(decision.reason), "uid": .integer(Int64(userNumber())),
            ]
            if let signature {
                entry["reviewer"] = .string(person)
                entry["signature"] = .string(String(decoding: signature, as: UTF8.self))
            }
            _ = try append(LedgerChange(entries: [.object(entry)]))
            known = try approvals(of: decision, policy)
        }
        return ReviewApprovals(entries: known.map(\.entry), missing: max(0, policy.approvals - known.count))
    }

    /// The recorded approvals of a decision, the first of each person. Signed ones count only as long as `sluice.yaml`
    /// names the reviewer and the key.
    private func approvals(
        of decision: ReviewDecision, _ policy: ReviewPolicy
    ) throws(IngestionError) -> [(person: String, entry: Int)] {
        let hints = try recording { () throws(LedgerError) in
            try LineageQuery(ledger).batch(decision.batch).filter { $0.event == .reviewApproved }.map(\.sequence)
        }
        var found: [(person: String, entry: Int)] = []
        for hint in hints {
            let body = try recording { () throws(LedgerError) in try record.entry(hint) }.body
            guard body.event == .reviewApproved, body["decision_sha256"]?.text == hex(decision.digest) else { continue }
            var person: String?
            if policy.isSigned {
                if let document = body["document"]?.text, let signature = body["signature"]?.text,
                    decision.hasSameAgreement(as: document)
                {
                    person = policy.signer(of: Array(document.utf8), Array(signature.utf8))?.name
                }
            } else {
                person = body["uid"]?.whole.map { "uid \($0)" }
            }
            if let person, !found.contains(where: { $0.person == person }) { found.append((person, hint)) }
        }
        return found
    }
}

extension ReviewDecision {
    /// Whether a signed document is of this very decision, whatever its reason.
    fileprivate func hasSameAgreement(as text: String) -> Bool {
        guard let document = try? JSONValue.parse(Array(text.utf8)), let reason = document["reason"]?.text else {
            return false
        }
        let same = ReviewDecision(
            action: action, batch: batch, dataset: dataset, ledger: ledger, reason: reason, rows: rows, waived: waived,
            newLevels: newLevels, contract: contract)
        return same.document == Array(text.utf8)
    }
}
