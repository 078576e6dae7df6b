package import Tabular

/// The kinds of ledger entries. The strings are part of the log's format and never change.
///
/// Code that reads entries switches over this enum, so the compiler lists every place that a new kind affects. An entry
/// of a kind that only a later version knows is verified like any other and otherwise ignored (`LedgerEntry.event` is
/// nil).
package enum LedgerEvent: String, Sendable, CaseIterable {
    /// The first entry.
    case genesis
    /// A file was received.
    case batchReceived = "batch.received"
    /// Its verdict.
    case batchJudged = "batch.judged"
    /// Content that was judged before was received again.
    case batchDuplicate = "batch.duplicate"
    /// A delivered file could not be judged.
    case batchFailed = "batch.failed"
    /// An accepted batch was replaced.
    case batchSuperseded = "batch.superseded"
    /// A person released a held batch.
    case batchReleased = "batch.released"
    /// A person approved a decision about a held batch or rows.
    case reviewApproved = "review.approved"
    /// A person rejected a held batch for good.
    case holdRejected = "hold.rejected"
    /// Sealed files of a batch.
    case shardPublished = "shard.published"
    /// Sealed files of a batch were removed lawfully: their retention ended.
    case fileRemoved = "file.removed"
    /// Sealed files of a batch were wrapped for other keys. What is in them is the same.
    case shardRewrapped = "shard.rewrapped"
    /// Sealed files of a batch were written anew without the rows of one subject.
    case shardRewritten = "shard.rewritten"
    /// A person looked for the rows of a subject.
    case subjectSearched = "subject.searched"
    /// A person had the rows of a subject erased.
    case subjectErased = "subject.erased"
    /// A person opened a sealed file.
    case shardOpened = "shard.opened"
    /// A contract was used for the first time.
    case contractRegistered = "contract.registered"
    /// `sluice.yaml` changed.
    case configChanged = "config.changed"
    /// A key was used for the first time.
    case keyRecorded = "key.recorded"
    /// A wrapping key was replaced by a new one, and only opens what was sealed before.
    case keyRotated = "key.rotated"
    /// A wrapping key was destroyed, and with it the content of every file that only it opened.
    case keyShredded = "key.shredded"
    /// A person tried whether a key kept elsewhere opens published files.
    case keyDrilled = "key.drilled"
    /// The keys of the store were sealed into one file, for a key that is kept elsewhere.
    case keyExported = "key.exported"
    /// The description of a supplier in `sluice.yaml` is new.
    case sourceRegistered = "source.registered"
    /// A batch of a supplier on probation passed.
    case sourceObserved = "source.observed"
    /// A person trusts a supplier.
    case sourceTrusted = "source.trusted"
    /// A person blocks a supplier.
    case sourceBlocked = "source.blocked"
    /// A person puts a supplier on probation.
    case sourceProbation = "source.probation"
    /// A named baseline was built.
    case baselineBuilt = "baseline.built"
    /// A named baseline became the anchor.
    case baselineApproved = "baseline.approved"
    /// Batches are compared with a named baseline alone.
    case baselinePinned = "baseline.pinned"
    /// A named baseline is no longer used.
    case baselineRetired = "baseline.retired"
    /// A batch is excluded from baselines.
    case baselineExcluded = "baseline.excluded"
    /// Differentially private statistics of a file were published, which spent a part of its privacy budget.
    case profilePublished = "profile.published"
    /// A person decrypted encrypted values.
    case valuesRevealed = "values.revealed"

    /// The kinds of entries that name published files: what was published, and what changed since.
    package static let aboutFiles = allCases.filter { $0 == .shardPublished || $0 == .fileRemoved || $0.replacesFiles }

    /// Whether entries of this kind record new forms of published files.
    var replacesFiles: Bool { self == .shardRewrapped || self == .shardRewritten }

    /// By their names, since a fold over a million entries looks up each.
    private static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// The event of a kind; nil for a kind that this version does not know.
    package init?(kind: String) {
        guard let event = Self.named[kind] else { return nil }
        self = event
    }
}

/// The role of a sealed file of a batch. The strings are part of the log's format and never change.
package enum FileRole: String, Sendable, CaseIterable {
    /// Released rows.
    case accepted
    /// Rows that were held back, with their findings.
    case quarantine
    /// The whole file of a batch that was not accepted.
    case source
    /// Sampled statistics of the released rows, for later batches.
    case baseline
    /// The values that the batch's suppliers report for keys, for comparing suppliers.
    case claims
    /// The sidecars that vouch for the file.
    case provenance
    /// The offset of each row in the source.
    case rows
    /// The rows of each subject.
    case subjects
    /// The random parts of the keys of subjects that the batch was the first to have.
    case subjectKeys = "subject-keys"
    /// Decision and report.
    case decision

    /// The roles of files that have rows.
    package static let withRows: Set<FileRole?> = [.accepted, .quarantine, .source]
}

extension LedgerEntry {
    /// Whether it is the first entry of its commit.
    var beginsCommit: Bool { body["commit"] != nil }

    /// The event that the entry records; nil for a kind that this version does not know.
    package var event: LedgerEvent? { LedgerEvent(kind: kind) }
}

extension EntryBody {
    /// The event that an entry's body records; nil for a kind that this version does not know.
    var event: LedgerEvent? { self["kind"]?.text.flatMap { LedgerEvent(kind: $0) } }
}

extension JSONValue {
    /// The `kind` of an entry's body.
    package static func event(_ event: LedgerEvent) -> JSONValue { .string(event.rawValue) }

    /// The event that an entry's body records; nil for a kind that this version does not know.
    package var event: LedgerEvent? { self["kind"]?.text.flatMap { LedgerEvent(kind: $0) } }
}

extension JSONValue {
    /// The batch that an entry's body decides about: it, or rows of it, were released, it was rejected or replaced, or
    /// kept rows of it were removed; nil for other entries.
    var decidesHold: String? {
        switch event {
        case .batchReleased: self["held"]?.text
        case .holdRejected, .batchSuperseded: self["batch"]?.text
        // A release that read the rows before must not publish them afterwards.
        case .fileRemoved, .shardRewritten:
            hasFiles(of: .source) || hasFiles(of: .quarantine) ? self["batch"]?.text : nil
        default: nil
        }
    }

    /// Whether an entry's `files` has one of a role.
    func hasFiles(of role: FileRole) -> Bool {
        (self["files"]?.items ?? []).contains { $0["role"]?.text == role.rawValue }
    }
}
