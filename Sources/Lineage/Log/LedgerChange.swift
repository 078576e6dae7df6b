package import Tabular

/// Evidence that an entry's body names by its hash: a row map, a contract.
package struct LedgerBlob: Sendable, Equatable {
    /// Its media type.
    package let media: String
    /// The bytes; their SHA-256 is the name.
    package let data: [UInt8]

    /// The media type of a contract.
    package static let contractMedia = "application/schema+json"

    /// Makes a blob.
    package init(media: String, data: [UInt8]) {
        self.media = media
        self.data = data
    }
}

/// A claim on a source while it is processed: mutable state, not part of the log.
package struct Inflight: Sendable, Equatable {
    /// The progress of the work.
    package enum State: String, Sendable {
        /// The source is claimed; nothing was made from it yet.
        case claimed
        /// The shards are written but not yet in place.
        case staged
        /// The outcome is recorded, and files are moving into place.
        case publishing
    }

    /// The claim's name.
    package var claim: String
    /// The dataset that the source is for.
    package var source: String
    /// The progress of the work.
    package var state: State
    /// Number of attempts, including the current one.
    package var attempts: Int
    /// The digest of the source, once it is known.
    package var sha256: [UInt8]?
    /// The delivered file that it is of, in the pipeline's own form; signed entries alone say where files go.
    package var plan: [UInt8]?
    /// The time of the last change of the row, in milliseconds since 1970.
    package var updatedMilliseconds: Int

    /// Makes a claim.
    package init(claim: String, source: String, state: State, attempts: Int = 0, updatedMilliseconds: Int) {
        self.claim = claim
        self.source = source
        self.state = state
        self.attempts = attempts
        self.updatedMilliseconds = updatedMilliseconds
    }

    /// The same claim with the source's digest.
    package consuming func of(sha256: [UInt8]?) -> Inflight {
        self.sha256 = sha256
        return self
    }

    /// The same claim with the plan for its files.
    package consuming func following(_ plan: [UInt8]?) -> Inflight {
        self.plan = plan
        return self
    }
}

/// Everything that one commit changes.
package struct LedgerChange: Sendable {
    /// Bodies of new entries, in order; at least one.
    package var entries: [JSONValue]
    /// Evidence that the entries refer to.
    package var blobs: [LedgerBlob]
    /// Idempotency keys (32 bytes each), with the index of the entry that records each.
    package var seen: [[UInt8]: Int]
    /// Keys of `seen` that an earlier entry may have recorded, whose batch was held and can no longer be released. The
    /// table keeps the earlier entry.
    package var repeated: Set<[UInt8]> = []
    /// Claims that are updated in the same commit.
    package var putInflight: [Inflight]
    /// Number of entries that the caller proved before it decided. The commit checks later entries for the same keys.
    private(set) var provenSize: Int?
    /// The content that it accepts; no entry since then may have accepted it.
    private(set) var accepts: Content?
    /// The held batch that it decides about; no entry since then may have decided about it.
    private(set) var hold: String?

    /// Content that is accepted only once: a file's bytes in a dataset and, if suppliers are compared, from each
    /// supplier.
    package struct Content: Sendable, Equatable {
        let dataset: String, digest: String, source: String?

        /// The digest is hexadecimal; `source` is set if the same content from another source counts as different.
        package init(dataset: String, digest: String, source: String?) {
            (self.dataset, self.digest, self.source) = (dataset, digest, source)
        }

        /// Whether an entry `batch.received` concerns it.
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

    /// The same change, committed only if no entry after the first `size` accepts `content`, has a key of `seen`, or
    /// decides about the held batch `hold`.
    ///
    /// - Parameters:
    ///   - size: number of entries that the caller proved before it decided.
    ///   - content: the content that the change accepts; nil when it accepts none.
    ///   - hold: the held batch that the change decides about; nil for none.
    package consuming func decided(
        at size: Int, accepting content: Content? = nil, hold: String? = nil
    ) -> LedgerChange {
        (provenSize, accepts, self.hold) = (size, content, hold)
        return self
    }
}

/// The result of a commit.
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

/// One stored entry.
package struct LedgerEntry: Sendable, Equatable {
    /// Its index in the log, from 0.
    package let sequence: Int
    /// The body's `kind`.
    package let kind: String
    /// The exact bytes that the tree covers.
    package let bytes: [UInt8]
    /// The parsed bytes.
    package let body: JSONValue
}
