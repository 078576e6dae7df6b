package import Tabular

/// A file that an entry `shard.published` records: a shard, or what the store keeps beside it.
package struct PublishedFile: Sendable, Equatable {
    /// The entry that records it, with all files of its part of the batch.
    package let entry: LedgerEntry
    /// Its own member of the entry's `files`.
    package let body: JSONValue

    /// SHA-256 of the whole file, in hexadecimal.
    package var digest: String { body["file_sha256"]?.text ?? "" }
    /// Where it lies, relative to the store.
    package var path: String { body["path"]?.text ?? "" }
    /// What it is: `accepted`, `quarantine`, `source`, `decision`, `rows` or `baseline`.
    package var role: String { body["role"]?.text ?? "" }
    /// The batch it belongs to.
    package var batch: String { entry.body["batch"]?.text ?? "" }

    /// The file by itself, with what the entry says of all its files.
    package var document: JSONValue {
        var members = body.members ?? [:]
        for (key, value) in entry.body.members ?? [:] where key != "files" { members[key] = value }
        return .object(members)
    }
}

extension LedgerEntry {
    /// The kind of the entries that record files.
    package static var publishedKind: String { "shard.published" }

    /// Every kind of entry that any version writes.
    package static var kinds: [String] {
        [
            "genesis", "key.recorded", "config.changed", "contract.registered", "batch.received", "batch.judged",
            publishedKind, "batch.duplicate", "batch.superseded", "batch.released", "batch.failed", "source.registered",
            "source.trusted", "source.blocked", "source.probation", "source.observed", "baseline.built",
            "baseline.approved", "baseline.pinned", "baseline.retired", "baseline.excluded", "shard.opened",
            "values.revealed", "profile.published",
        ]
    }

    /// Files that one entry names at most: its body may not pass 65,535 bytes.
    package static var filesMax: Int { 64 }

    /// The files that the entry records; none unless it is `shard.published`.
    package var files: [PublishedFile] {
        if kind != Self.publishedKind { return [] }
        return (body["files"]?.items ?? []).map { PublishedFile(entry: self, body: $0) }
    }
}
