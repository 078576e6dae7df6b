import Cryptography
import Storage
import Tabular

/// The files that one batch is read from, in order; mostly one.
///
/// Their text is that of the first file, then of each later one what follows its header, with a line end added where
/// a file lacks its last. Offsets of rows are offsets in that text.
final class SourceFiles: Sendable {
    /// The files in order; at least one.
    let parts: [InputFile]
    /// The name used in messages.
    let path: String

    /// What changes when anyone writes to the source.
    let identity: Delivery.FileIdentity

    /// Several files as one source.
    ///
    /// - Parameters:
    ///   - parts: the files in order.
    ///   - path: the name used in messages.
    ///   - identity: what changes when anyone writes to them; that of the first file when nil.
    init(_ parts: [InputFile], calling path: String, identity: Delivery.FileIdentity? = nil) {
        (self.parts, self.path, self.identity) = (parts, path, identity ?? parts[0].identity)
    }

    /// A single file.
    convenience init(_ file: InputFile) { self.init([file], calling: file.path) }

    /// Opens the files of an input.
    ///
    /// - Throws: `noInput` when one is missing, `configuration` when there are more than may be open at once.
    convenience init(
        _ input: BatchInput, isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) {
        try Self.requireOpenable(input.files.count, input.name)
        let isOne = input.files.count == 1 && input.list == nil
        let parts = try input.files.map { path throws(IngestionError) in
            try InputFile(path, calling: isOne ? path : shownName(path), isStopped: isStopped)
        }
        try Self.requireDistinct(parts, input.name)
        self.init(parts, calling: input.name)
    }

    /// Refuses a file that is there twice, under whatever names: its rows would be doubled.
    private static func requireDistinct(_ parts: [InputFile], _ name: String) throws(IngestionError) {
        var known: [Delivery.FileIdentity: String] = [:]
        for part in parts {
            guard let other = known.updateValue(part.path, forKey: part.identity) else { continue }
            throw IngestionError(.usage, "\(name): \(part.path) and \(other) are the same file; give it once")
        }
    }

    /// Lets the process have that many files open.
    ///
    /// - Throws: `configuration` when the system does not allow it.
    static func requireOpenable(_ count: Int, _ name: String) throws(IngestionError) {
        // Beside the files, the process needs descriptors for the store and for its workers.
        guard count > 1, !allowOpenFiles(count + 256) else { return }
        throw IngestionError(
            .configuration,
            "\(name): it has \(count) files, more than this process may have open; raise the limit (ulimit -n "
                + "\(count + 256)), or join them into fewer files"
        )
    }

    /// Bytes of all files together.
    var size: Int { parts.reduce(0) { $0 + $1.size } }

    /// Whether inode, size and modification time of every file are still those of opening.
    func isUnchanged() throws(IngestionError) -> Bool {
        for part in parts where try !part.isUnchanged() { return false }
        return true
    }

    /// Whether every file is still as long as when it was opened.
    func isAsLong() throws(IngestionError) -> Bool {
        for part in parts where try !part.isAsLong() { return false }
        return true
    }

    /// The digest of the files as they are now.
    func digest() throws(IngestionError) -> SourceDigest {
        var digest = SourceDigest()
        for part in parts {
            var hasher = SHA256()
            var bytes = 0
            try part.forEachChunk { chunk in
                hasher.update(chunk)
                bytes += chunk.count
            }
            digest.parts.append((bytes, hasher.finish()))
        }
        return digest
    }
}

/// The digest of a source, and of each of its files.
struct SourceDigest: Sendable {
    /// By file in order, its size in bytes and its SHA-256.
    var parts: [(bytes: Int, sha256: [UInt8])] = []

    /// What identifies the content: of a single file its SHA-256; of several, the SHA-256 of the list of their sizes
    /// and digests as canonical JSON (RFC 8785), `[{"bytes":N,"sha256":"HEX"},…]`.
    var whole: [UInt8] {
        if parts.count == 1 { return parts[0].sha256 }
        let list = JSONValue.array(
            parts.map { .object(["bytes": .integer(Int64($0.bytes)), "sha256": .string(hex($0.sha256))]) })
        return SHA256.hash(list.canonicalBytes())
    }
}
