import Lineage
import Schemas
import Sealing
import Storage
import Synchronization
import Tabular

/// How `watch` works.
package struct WatchOptions: Sendable {
    /// Take what is there, then end.
    package var once = false
    /// When a file counts as delivered.
    package var readiness = Readiness.auto
    /// Seconds that size and time must stand still where nothing better tells that a file is whole.
    package var settle = 2.0
    /// Seconds between two looks at the folders; some file systems tell nothing of new files.
    package var interval = 60.0
    /// Files remembered an inbox; what is beyond is found at a later look.
    package var maxQueue = 100_000
    /// Bytes that must stay free on the store's disk, beside twice the file.
    package var minFree = 64 << 20
    /// Seconds that a file being worked on may still take after a signal to stop.
    package var grace = 8.0
    /// Workers.
    package var jobs = 2

    /// The defaults.
    package init() {}
}

/// What a daemon tells: every event once, never a value of anyone's data.
package enum WatchEvent: Sendable {
    /// It watches these inboxes.
    case started([(dataset: String, inbox: String)])
    /// A file was taken; for one that a process left behind, the attempt is beyond the first.
    case taken(dataset: String, name: String, batch: String, attempt: Int)
    /// A file has its outcome.
    case judged(BatchReport, attempt: Int)
    /// A file could not be judged and was set aside.
    case setAside(dataset: String, name: String, batch: String, reason: FailureReason, path: String, cause: String)
    /// A thing in an inbox is not taken.
    case refused(dataset: String, name: String, reason: String)
    /// The world is wrong; it is tried again.
    case waiting(dataset: String, name: String, code: IngestionError.Code, cause: String, seconds: Double)
    /// An inbox cannot be watched, and is looked for again.
    case lost(dataset: String, inbox: String, cause: String)
    /// An inbox that was lost is there again.
    case found(dataset: String, inbox: String)
    /// The kernel dropped events; the folders were read instead.
    case overflowed
    /// A signal came.
    case stopping(signal: Int32)
    /// It ended.
    case stopped
}

/// How a daemon ended.
package struct WatchEnd: Sendable {
    /// The signal that ended it.
    package var signal: Int32?
    /// Files by how they ended.
    package var tally = WatchTally()
    /// The newest reason why a file is still waiting, if one is.
    package var pending: IngestionError?
}

/// Files by how they ended, since the daemon began.
package struct WatchTally: Sendable, Equatable {
    /// Batches accepted, held, recognised as duplicates, and files set aside unjudged.
    package var accepted = 0, held = 0, duplicate = 0, setAside = 0
    /// Times that the world was wrong.
    package var errors = 0

    /// Begins at nothing.
    package init() {}
}
