package import Tabular

/// The kinds of ledger entries. The strings are part of the log's format and never change.
///
/// Whoever reads entries switches over this, so that the compiler names every place that a new kind concerns. An entry of a kind that a
/// later version wrote is no event of ours (`LedgerEntry.event` is nil): it is verified like any, and means nothing here.
package enum LedgerEvent: String, Sendable, CaseIterable {
    /// The log begins.
    case genesis
    /// A file came.
    case batchReceived = "batch.received"
    /// Its verdict.
    case batchJudged = "batch.judged"
    /// The same content was judged before.
    case batchDuplicate = "batch.duplicate"
    /// A delivered file could not be judged.
    case batchFailed = "batch.failed"
    /// An accepted batch was replaced.
    case batchSuperseded = "batch.superseded"
    /// A person let a held batch out.
    case batchReleased = "batch.released"
    /// Sealed files of a batch.
    case shardPublished = "shard.published"
    /// A person opened a sealed file.
    case shardOpened = "shard.opened"
    /// A contract was used for the first time.
    case contractRegistered = "contract.registered"
    /// `sluice.yaml` is another one.
    case configChanged = "config.changed"
    /// A key was used for the first time.
    case keyRecorded = "key.recorded"
    /// `sluice.yaml` says something new of a source.
    case sourceRegistered = "source.registered"
    /// A batch of a source on probation passed.
    case sourceObserved = "source.observed"
    /// A person vouches for a source.
    case sourceTrusted = "source.trusted"
    /// A person refuses a source.
    case sourceBlocked = "source.blocked"
    /// A person puts a source on probation.
    case sourceProbation = "source.probation"
    /// A named baseline was built.
    case baselineBuilt = "baseline.built"
    /// It became the anchor.
    case baselineApproved = "baseline.approved"
    /// Batches are judged by it alone.
    case baselinePinned = "baseline.pinned"
    /// It is used no longer.
    case baselineRetired = "baseline.retired"
    /// A batch is left out of the baseline.
    case baselineExcluded = "baseline.excluded"
    /// Noisy statistics of a file were published, and what they spent of its privacy budget.
    case profilePublished = "profile.published"
    /// A person turned tokens back into values.
    case valuesRevealed = "values.revealed"

    /// By their names: a fold over a million entries looks each up.
    private static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// The event of a kind; nil for a kind that this version does not know.
    package init?(kind: String) {
        guard let event = Self.named[kind] else { return nil }
        self = event
    }
}

/// What a sealed file of a batch is. The strings are part of the log's format and never change.
package enum FileRole: String, Sendable, CaseIterable {
    /// Released rows.
    case accepted
    /// Rows that were held back, with their findings.
    case quarantine
    /// The whole file of a batch that was not accepted.
    case source
    /// What the released rows look like, for later batches.
    case baseline
    /// What the rows say that other sources may speak of too.
    case claims
    /// What came beside the file and vouched for it.
    case provenance
    /// Where each row begins in the source.
    case rows
    /// Decision and report.
    case decision
}

extension LedgerEntry {
    /// What the entry says happened; nil for a kind that this version does not know.
    package var event: LedgerEvent? { LedgerEvent(kind: kind) }
}

extension EntryBody {
    /// What the body of an entry says happened; nil for a kind that this version does not know.
    var event: LedgerEvent? { self["kind"]?.text.flatMap { LedgerEvent(kind: $0) } }
}

extension JSONValue {
    /// The `kind` of an entry's body.
    package static func event(_ event: LedgerEvent) -> JSONValue { .string(event.rawValue) }

    /// What the body of an entry says happened; nil for a kind that this version does not know.
    package var event: LedgerEvent? { self["kind"]?.text.flatMap { LedgerEvent(kind: $0) } }
}
