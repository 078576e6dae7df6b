package import Tabular

/// Evidence named by its hash from an entry's body: a row map, a contract.
package struct LedgerBlob: Sendable, Equatable {
    /// What it is, as a media type.
    package let media: String
    /// The bytes; their SHA-256 is the name.
    package let data: [UInt8]

    /// What a contract is kept as.
    package static let contractMedia = "application/schema+json"

    /// Makes a blob.
    package init(media: String, data: [UInt8]) {
        self.media = media
        self.data = data
    }
}

/// A claim on a source while it is worked on: mutable state, not part of the log.
package struct Inflight: Sendable, Equatable {
    /// How far the work has come.
    package enum State: String, Sendable {
        /// The source is ours; nothing was made from it yet.
        case claimed
        /// The shards are written but not in place.
        case staged
        /// The outcome is recorded, and files are moving into place.
        case publishing
    }

    /// The claim's name.
    package var claim: String
    /// Where the source came from.
    package var source: String
    /// How far the work has come.
    package var state: State
    /// How often it was begun, counting this time.
    package var attempts: Int
    /// The source's digest, once known.
    package var sha256: [UInt8]?
    /// The delivered file that it is of, in the pipeline's own form; signed entries alone say where files go.
    package var plan: [UInt8]?
    /// When the row last changed, in milliseconds since 1970.
    package var updatedMilliseconds: Int

    /// Makes a claim.
    package init(claim: String, source: String, state: State, attempts: Int = 0, updatedMilliseconds: Int) {
        self.claim = claim
        self.source = source
        self.state = state
        self.attempts = attempts
        self.updatedMilliseconds = updatedMilliseconds
    }

    /// The same with the source's digest.
    package consuming func of(sha256: [UInt8]?) -> Inflight {
        self.sha256 = sha256
        return self
    }

    /// The same with the plan for its files.
    package consuming func following(_ plan: [UInt8]?) -> Inflight {
        self.plan = plan
        return self
    }
}

/// Everything that one commit moves.
package struct LedgerChange: Sendable {
    /// Bodies of new entries, in order; at least one.
    package var entries: [JSONValue]
    /// Evidence that the entries name.
    package var blobs: [LedgerBlob]
    /// Idempotency keys (32 bytes) and which of `entries` records each.
    package var seen: [[UInt8]: Int]
    /// Claims that change with the commit.
    package var putInflight: [Inflight]
    /// Entries that the caller proved before it decided. The commit searches later entries for the same keys.
    private(set) var provenSize: Int?
    /// The content that it accepts, which must not have been accepted since.
    private(set) var accepts: Content?

    /// Content that is accepted once: a file's bytes in a dataset and, where sources are compared, from each source.
    package struct Content: Sendable, Equatable {
        let dataset: String, digest: String, source: String?

        /// The digest in hexadecimal; `source` where the same of another source is other content.
        package init(dataset: String, digest: String, source: String?) {
            (self.dataset, self.digest, self.source) = (dataset, digest, source)
        }

        /// Whether an entry `batch.received` is about it.
        func isReceived(in body: JSONValue) -> Bool {
            body["dataset"]?.text == dataset && body["data_hash"]?.text == digest
                && (source == nil || body["source"]?.text == source)
        }
    }

    /// Makes a change.
    package init(
        entries: [JSONValue], blobs: [LedgerBlob] = [], seen: [[UInt8]: Int] = [:], putInflight: [Inflight] = []
    ) {
        self.entries = entries
        self.blobs = blobs
        self.seen = seen
        self.putInflight = putInflight
    }

    /// The same, committed only if no entry after the first `size` accepts `content` or has a key of `seen`.
    ///
    /// - Parameters:
    ///   - size: entries that the caller proved before it decided.
    ///   - content: the content that the change accepts; nil when it accepts none.
    package consuming func decided(at size: Int, accepting content: Content?) -> LedgerChange {
        (provenSize, accepts) = (size, content)
        return self
    }
}

/// What a commit made.
package struct Committed: Sendable, Equatable {
    /// Entries in the ledger now.
    package let size: Int
    /// The root over them.
    package let root: [UInt8]
    /// The signed checkpoint, for a head file or a witness.
    package let note: [UInt8]
    /// Sequence number of the first new entry.
    package let firstSequence: Int
}

/// One entry as it is stored.
package struct LedgerEntry: Sendable, Equatable {
    /// Place in the log, from 0.
    package let sequence: Int
    /// The body's `kind`.
    package let kind: String
    /// The exact bytes that the tree covers.
    package let bytes: [UInt8]
    /// The same, read.
    package let body: JSONValue
}
