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
    /// What it is; nil for a role that this version does not know.
    package var role: FileRole? { body["role"]?.text.flatMap { FileRole(rawValue: $0) } }
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
    /// Files that one entry names at most: its body may not pass 65,535 bytes.
    package static var filesMax: Int { 64 }

    /// The files that the entry records; none unless it is `shard.published`.
    package var files: [PublishedFile] {
        if event != .shardPublished { return [] }
        return (body["files"]?.items ?? []).map { PublishedFile(entry: self, body: $0) }
    }
}
