import Lineage
import Tabular

/// Held batches that show the same change form one incident, which a person decides once.
extension HeldBatch {
    /// Whether everything that holds this batch also held the other one, of the same dataset and source.
    func shows(changeOf other: HeldBatch) -> Bool {
        dataset == other.dataset && source == other.source && other.explains(reasons)
    }

    /// Whether it was held for all of these reasons.
    fileprivate func explains(_ reasons: [Reason]) -> Bool {
        !reasons.isEmpty && reasons.allSatisfy(self.reasons.contains)
    }
}

extension [HeldBatch] {
    /// The list, newest first, where each batch names the oldest one that shows its change. Quadratic in the number of
    /// open holds.
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
    /// The oldest open hold that shows the same change as a batch about to be held. Only the last `incidentsMax` holds
    /// of the dataset are examined.
    ///
    /// - Parameters:
    ///   - reasons: what holds the new batch.
    ///   - dataset: its dataset.
    ///   - source: its supplier.
    /// - Returns: nil when it begins an incident of its own.
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

    /// Open holds of a dataset that are examined; each needs two proven entries.
    private static var incidentsMax: Int { 64 }

    /// The held batches after the given one that show its change, oldest first.
    package func echoes(of batch: String) throws(IngestionError) -> [String] {
        let all = try heldBatches()
        guard let place = all.firstIndex(where: { $0.batch == batch }) else { return [] }
        return all[..<place].filter { $0.shows(changeOf: all[place]) }.map(\.batch).reversed()
    }
}
