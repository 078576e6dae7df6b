import Lineage
import Schemas
import Sealing
import Storage
import Synchronization
import Tabular

/// The settings of `watch`.
package struct WatchOptions: Sendable {
    /// Take what is there, then end.
    package var once = false
    /// The rule by which a file counts as delivered.
    package var readiness = Readiness.auto
    /// Seconds that size and time must be unchanged, where nothing better tells that a file is complete.
    package var settle = 2.0
    /// Seconds between two scans of the folders; some file systems have no events.
    package var interval = 60.0
    /// Most files remembered for an inbox; a later scan finds the rest.
    package var maxQueue = 100_000
    /// Bytes that must stay free on the store's disk, beside twice the size of the file.
    package var minFree = 64 << 20
    /// Seconds that a file in work may still take after a signal.
    package var grace = 8.0
    /// Slices worked on at the same time.
    package var jobs = 2

    /// The defaults.
    package init() {}
}

/// A file that could not be judged and was sealed whole in quarantine.
package struct SetAside: Sendable {
    /// The dataset, the file's name and the batch.
    package let dataset: String, name: String, batch: String
    /// Why it was set aside.
    package let reason: FailureReason
    /// The sealed file, and what went wrong.
    package let path: String, cause: String
}

/// An event of the daemon. Each is reported once, without values of the data.
package enum WatchEvent: Sendable {
    /// It watches these inboxes.
    case started([(dataset: String, inbox: String)])
    /// A file was taken. For one that a dead process left, the attempt is greater than 1.
    case taken(dataset: String, name: String, batch: String, attempt: Int)
    /// A file was judged.
    case judged(BatchReport, attempt: Int)
    /// A file could not be judged and was set aside.
    case setAside(SetAside)
    /// A file in an inbox cannot be taken.
    case refused(dataset: String, name: String, reason: String)
    /// An operational error; it is retried after so many seconds.
    case waiting(dataset: String, name: String, code: IngestionError.Code, cause: String, seconds: Double)
    /// An inbox cannot be watched; it is looked for again.
    case lost(dataset: String, inbox: String, cause: String)
    /// A lost inbox is there again.
    case found(dataset: String, inbox: String)
    /// The kernel dropped events, so the folders were scanned instead.
    case overflowed
    /// Sealed files whose retention ended were removed.
    case removed(Recorder.Removed)
    /// They could not be removed; it is tried again after so many seconds.
    case removalFailed(cause: String, seconds: Double)
    /// Run events of OpenLineage could not be sent.
    case eventsWait(cause: String)
    /// A signal arrived.
    case stopping(signal: Int32)
    /// The daemon ended.
    case stopped
}

/// The end of a daemon's run.
package struct WatchEnd: Sendable {
    /// The signal that ended it; nil for none.
    package var signal: Int32?
    /// Files by outcome.
    package var tally = WatchTally()
    /// The newest reason why a file still waits; nil when none does.
    package var pending: IngestionError?
}

/// Files by outcome since the daemon began.
package struct WatchTally: Sendable, Equatable {
    /// Batches accepted, held and recognised as duplicates, and files set aside unjudged.
    package var accepted = 0, held = 0, duplicate = 0, setAside = 0
    /// Number of operational errors.
    package var errors = 0

    /// All zero.
    package init() {}
}
