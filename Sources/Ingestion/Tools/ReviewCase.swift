package import Lineage
import Storage
package import Tabular

/// What a person needs to know to decide about a batch that is held, or about rows that were held back.
package struct ReviewCase: Sendable {
    /// The entries `batch.received` and `batch.judged`.
    package let received: JSONValue, judged: JSONValue
    /// The kept report; nil where an earlier version kept none, or the batch was not judged by a decision.
    package let report: JSONValue?
    /// What can still be decided.
    package let state: State
    /// Rows that are still held back, and those that were rejected; nil for none.
    package let quarantined: RowList?, rejected: RowList?
    /// Rows that were released since, and the batches that they became.
    package let released: [ProvenState.ReleasedRows]
    /// The entries by which people approved a decision about it, oldest first.
    package let approvals: [JSONValue]

    /// What can still be decided about a batch.
    package enum State: Sendable, Equatable {
        /// It is held. The oldest batch that shows the same change is named, if that is another one.
        case held(incident: String)
        /// It is held, and a person rejected it; who, when and why.
        case rejectedByPerson(String)
        /// It was held, and its file was removed or can no longer be opened: why. Nothing is left to decide.
        case ended(String)
        /// It was held, and its content was accepted as another batch.
        case acceptedAs(String)
        /// It was accepted.
        case accepted
        /// It was accepted, and replaced since.
        case superseded(by: String)
        /// It was rejected for its origin or a limit of the contract.
        case refused
    }
}

extension Store {
    /// What a person needs to know to decide about a batch.
    ///
    /// - Throws: `noInput` for an unknown batch.
    package func reviewCase(of batch: String) throws(IngestionError) -> ReviewCase {
        let (log, proven) = try proven()
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let received = entries.first(where: { $0.event == .batchReceived })?.body,
            let judged = entries.first(where: { $0.event == .batchJudged })
        else { throw IngestionError(.noInput, "the ledger has no judged batch \(batch); see: sluice lineage log") }
        let state: ReviewCase.State
        if let other = proven.superseded[batch] {
            state = .superseded(by: other)
        } else if judged.body["verdict"]?.text == "accepted" {
            state = .accepted
        } else if judged.body["verdict"]?.text != "held" {
            state = .refused
        } else if let text = try rejection(
            of: batch, dataset: received["dataset"]?.text ?? "", digest: received["data_hash"]?.text ?? "")
        {
            state = .rejectedByPerson(text)
        } else if let other = try accepted(sameAs: received, judged.body) {
            state = .acceptedAs(other)
        } else if let text = try ending(entries) {
            state = .ended(text)
        } else {
            state = .held(incident: try heldBatches().first { $0.batch == batch }?.incident ?? "")
        }
        let map = try recording { () throws(LedgerError) in try LineageQuery(log.ledger).rowMap(of: judged) }
        var report: JSONValue?
        if let file = entries.flatMap(\.files).first(where: { $0.role == .decision }),
            case .present = try recording({ () throws(LedgerError) in try log.standing(of: file) })
        {
            report = try keptLines(file, batch).report
        }
        // Rows that were removed can no longer be released.
        var hasKeptRows = false
        for file in entries.flatMap(\.files) where file.role == .quarantine {
            if case .present = try recording({ () throws(LedgerError) in try log.standing(of: file) }) {
                hasKeptRows = true
            }
        }
        let gone = try proven.erasures(of: batch)
        return ReviewCase(
            received: received, judged: judged.body, report: report, state: state,
            quarantined: !hasKeptRows
                ? nil
                : map?.rows(.quarantined)?.without(
                    (proven.releasedRows[batch] ?? []).compactMap { RowList(recorded: $0.rows) })?.without(gone),
            rejected: map?.rows(.rejected)?.without(gone),
            released: proven.releasedRows[batch] ?? [],
            approvals: try recording { () throws(LedgerError) in
                try LineageQuery(log.ledger).batch(batch).filter { $0.event == .reviewApproved }.map(\.body)
            })
    }
}

extension Store {
    /// Why a held batch can no longer be decided about: its sealed source was removed, or no key opens it; nil while it
    /// can.
    func ending(_ entries: [LedgerEntry]) throws(IngestionError) -> String? {
        guard let source = entries.flatMap(\.files).first(where: { $0.role == .source }) else { return nil }
        do throws(IngestionError) {
            let now = try current(source)
            if now.body["was"] != nil && now.body["row_count"]?.whole == 0 {
                return "\(place(of: source)): all of its rows were erased (entry \(now.entry.sequence))"
            }
            return nil
        } catch {
            if error.code == .noInput { return error.description }
            throw error
        }
    }
}

extension RowList {
    /// The list without the rows of other lists; nil when none is left.
    fileprivate func without(_ lists: [RowList]) -> RowList? {
        let gone = lists.flatMap(\.ranges)
        var left = ranges
        for range in gone {
            left = left.flatMap { own -> [ClosedRange<Int>] in
                if !own.overlaps(range) { return [own] }
                var parts: [ClosedRange<Int>] = []
                if own.lowerBound < range.lowerBound { parts.append(own.lowerBound...range.lowerBound - 1) }
                if own.upperBound > range.upperBound { parts.append(range.upperBound + 1...own.upperBound) }
                return parts
            }
        }
        return RowList(left)
    }
}

extension RowMap {
    /// The rows with an outcome; nil for none.
    fileprivate func rows(_ outcome: Outcome) -> RowList? {
        var (found, first) = ([ClosedRange<Int>](), 1)
        for run in runs {
            if run.fate.outcome == outcome, run.count > 0 { found.append(first...first + run.count - 1) }
            first += run.count
        }
        return RowList(found)
    }
}
