import Lineage
import Tabular

/// Held batches that show one change, which is dealt with once (FEEDS 6).
extension HeldBatch {
    /// Whether all that holds it held another batch of the same dataset and source.
    func shows(changeOf other: HeldBatch) -> Bool {
        dataset == other.dataset && source == other.source && other.explains(reasons)
    }

    /// Whether it was held for all of these reasons.
    fileprivate func explains(_ reasons: [Reason]) -> Bool {
        !reasons.isEmpty && reasons.allSatisfy(self.reasons.contains)
    }
}

extension [HeldBatch] {
    /// The same, newest first, each with the oldest one that shows its change.
    func withIncidents() -> [HeldBatch] {
        var all = self
        for place in all.indices {
            let older = all[(place + 1)...]
            all[place].incident = older.last { all[place].shows(changeOf: $0) }?.batch ?? ""
        }
        return all
    }
}

extension Store {
    /// The oldest held batch whose change a batch shows that is about to be held.
    ///
    /// Of many held batches of a dataset the last ones are looked at.
    func incident(
        _ reasons: [HeldBatch.Reason], dataset: String, source: String
    ) throws(IngestionError) -> HeldBatch? {
        let (log, state) = try proven()
        let holds = state.openHolds.filter { $0.dataset == dataset }.suffix(Self.incidentsMax)
        for hold in holds {
            let entries = try recording { () throws(LedgerError) in try log.run(around: hold.sequence, hold.batch) }
            guard let received = entries.first(where: { $0.event == .batchReceived })?.body,
                let judged = entries.first(where: { $0.event == .batchJudged })?.body
            else { continue }
            let other = HeldBatch(received, judged)
            if other.source == source, other.explains(reasons), try accepted(sameAs: received, judged) == nil {
                return other
            }
        }
        return nil
    }

    private static var incidentsMax: Int { 64 }

    /// The held batches that came after one and show its change, oldest first.
    package func echoes(of batch: String) throws(IngestionError) -> [String] {
        let all = try heldBatches()
        guard let place = all.firstIndex(where: { $0.batch == batch }) else { return [] }
        return all[..<place].filter { $0.shows(changeOf: all[place]) }.map(\.batch).reversed()
    }
}
