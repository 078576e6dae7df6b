import Storage

/// The one path of every batch, from an open file to the ledger: `validate`, a dry run and `ingest` are this path, and stop earlier or
/// later.
///
/// Each stage is a value that owns the one before it. What a stage needs, it has; the report and the ledger's entries are built from the
/// last one.
///
///     OpenedBatch ─survey→ SurveyedBatch ─decide→ DecidedBatch ─process→ ProcessedBatch ─judge→ JudgedBatch ─record→ BatchReport
package struct Pipeline: Sendable {
    /// The store, when there is one.
    package let store: Store?
    /// Writes the store's history; nil when nothing is written.
    package let recorder: Recorder?

    /// A pipeline into a store, or one that only checks. One that writes first finishes what dead processes left.
    package init(store: Store?, writes: Bool) throws(IngestionError) {
        if let store, writes {
            let recorder = try Recorder(store)
            (self.recorder, self.store) = (recorder, recorder.store)
        } else {
            (recorder, self.store) = (nil, try store?.proving())
        }
    }

    /// Judges one file, and with `RunMode.ingest` records the verdict and moves its files into place.
    ///
    /// - Throws: what went wrong with the world. What is wrong with the data is in the report.
    package func run(_ request: BatchRequest) async throws(IngestionError) -> BatchReport {
        let surveyed = try await OpenedBatch(request, in: self).survey()
        if let earlier = try surveyed.earlier() { return try surveyed.repeating(earlier) }
        // Consumed, since a stage that is over would keep the keys of all rows in memory.
        let decided = try (consume surveyed).decide()
        guard decided.hasSecondPass else { return try await decided.judgedBySurvey().conclude() }
        return try await (consume decided).process().judge().conclude()
    }
}

/// How far a batch goes.
package enum RunMode: Int, Sendable, Comparable {
    /// First pass and decision only.
    case validate
    /// Both passes, nothing written.
    case dryRun
    /// Both passes, recorded and published.
    case ingest

    /// Orders modes by how far they let a batch go.
    package static func < (left: RunMode, right: RunMode) -> Bool { left.rawValue < right.rawValue }
}
