import Storage

/// The path of every batch, from an open file to the ledger. `validate`, a dry run and `ingest` share it and stop at
/// different stages.
///
/// Each stage is a value that owns the one before it, so it has what it needs. The report and the ledger's entries are
/// built from the last stage.
///
///     OpenedBatch ─survey→ SurveyedBatch ─decide→ DecidedBatch ─process→ ProcessedBatch
///          ─judge→ JudgedBatch ─record→ BatchReport
package struct Pipeline: Sendable {
    /// The store; nil when a file is only checked without one.
    package let store: Store?
    /// Writes the store's history; nil when nothing is written.
    package let recorder: Recorder?

    /// A pipeline over a store.
    ///
    /// - Parameters:
    ///   - store: the store; nil for none.
    ///   - writes: whether batches are recorded. The recorder then first completes what a crash interrupted.
    /// - Throws: when the record does not hold, or cannot be read.
    package init(store: Store?, writes: Bool) throws(IngestionError) {
        if let store, writes {
            let recorder = try Recorder(store)
            (self.recorder, self.store) = (recorder, recorder.store)
        } else {
            (recorder, self.store) = (nil, try store?.proving())
        }
    }

    /// Judges one file. With `RunMode.ingest` it also records the verdict and moves the batch's files into place.
    ///
    /// - Returns: the report; every fault in the data is a finding in it.
    /// - Throws: operational errors only.
    package func run(_ request: BatchRequest) async throws(IngestionError) -> BatchReport {
        let surveyed = try await OpenedBatch(request, in: self).survey()
        if let earlier = try surveyed.earlier() { return try surveyed.repeating(earlier) }
        // Each stage is consumed, or the keys of all rows would stay in memory.
        let decided = try (consume surveyed).decide()
        guard decided.hasSecondPass else { return try await decided.judgedBySurvey().conclude() }
        return try await (consume decided).process().judge().conclude()
    }
}

/// How far a batch goes through the pipeline.
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
