package import Tabular

/// A sealed file of a batch, as an entry `shard.published` records it, or a later one that changed it.
package struct PublishedFile: Sendable, Equatable {
    /// The entry that records it, together with other files of the batch.
    package let entry: LedgerEntry
    /// The file's own member of the entry's `files`.
    package let body: JSONValue

    /// SHA-256 of the whole file, in hexadecimal.
    package var digest: String { body["file_sha256"]?.text ?? "" }
    /// Its path, relative to the store.
    package var path: String { body["path"]?.text ?? "" }
    /// Its role; nil for a role that this version does not know.
    package var role: FileRole? { body["role"]?.text.flatMap { FileRole(rawValue: $0) } }
    /// The names of the keys that open it.
    package var recipients: [String] { entry.body["keys"]?.items?.compactMap(\.text) ?? [] }
    /// The batch that it belongs to.
    package var batch: String { entry.body["batch"]?.text ?? "" }

    /// The file's document, with the members that the entry has for all its files.
    package var document: JSONValue {
        var members = body.members ?? [:]
        for (key, value) in entry.body.members ?? [:] where key != "files" { members[key] = value }
        return .object(members)
    }
}

extension LedgerEntry {
    /// The most files that one entry names: its body may not exceed 65,535 bytes.
    package static var filesMax: Int { 64 }

    /// The files that the entry records; empty unless it is `shard.published`.
    package var files: [PublishedFile] {
        if event != .shardPublished { return [] }
        return (body["files"]?.items ?? []).map { PublishedFile(entry: self, body: $0) }
    }
}

extension LedgerEntry {
    /// The files that the entry removed or replaced, as it left them; empty for entries of other kinds.
    package var changedFiles: [PublishedFile] {
        guard let event, event == .fileRemoved || event.replacesFiles else { return [] }
        return (body["files"]?.items ?? []).map { PublishedFile(entry: self, body: $0) }
    }
}

/// What the record says of a published file today.
package enum FileStanding: Sendable, Equatable {
    /// It is in its place, with the digest of the entry that changed it last.
    case present(PublishedFile)
    /// It is in its place as well, but every key of this store that opened it was destroyed; the entry says which one last.
    /// A recipient whose key is elsewhere may still open it.
    case unreadable(PublishedFile, LedgerEntry)
    /// It was removed lawfully, by this entry.
    case removed(LedgerEntry)

    /// The file in its place, whether or not a key opens it; nil when it was removed.
    package var file: PublishedFile? {
        switch self {
        case .present(let file), .unreadable(let file, _): file
        case .removed: nil
        }
    }

    /// Why the store cannot read it any more, and the entry that says so; nil while it can.
    package var absence: (reason: String, entry: Int)? {
        func day(_ entry: LedgerEntry) -> String { String((entry.body["time"]?.text ?? "").prefix(10)) }
        switch self {
        case .present: return nil
        case .unreadable(_, let entry):
            let name = entry.body["name"]?.text ?? ""
            return (
                "no key of this store opens it any more: the key \(name) was destroyed on \(day(entry)) (entry \(entry.sequence))",
                entry.sequence
            )
        case .removed(let entry):
            let rule = entry.body["rule"]?.text ?? entry.body["reason"]?.text ?? ""
            return (
                "it was removed on \(day(entry)) by the retention of \(rule) (entry \(entry.sequence)); nobody can read it any more",
                entry.sequence
            )
        }
    }
}
