import Lineage
import Reading
import Sealing
import Storage
import Tabular

/// A sealed file of this batch in the lease's folder, not yet in its place.
struct StagedShard: Sendable {
    var role: FileRole
    var ordinal: Int
    var name: String
    /// Its place relative to the store; known once the verdict is.
    var path = ""
    /// The part of the source that it holds; nil for a file beside the data.
    var sourceRows: SourceRows?
    var message: SealedMessage

    /// The rows in a shard: their count, the first and last source row that they come from, and the source bytes from
    /// `offset` to `end`.
    struct SourceRows: Sendable {
        var count: Int
        var first: Int
        var last: Int
        var offset: UInt64
        var end: UInt64
    }
}

extension StagedShard {
    /// A shard of one slice.
    ///
    /// - Parameter rows: rows in it.
    init(_ slice: SourceSlice, role: FileRole, rows: Int, message: SealedMessage) {
        self.init(
            role: role, ordinal: slice.ordinal, name: StagingArea.name(ofShard: slice.ordinal, role: role),
            sourceRows: SourceRows(
                count: rows, first: slice.firstRow, last: slice.firstRow + slice.rowCount - 1, offset: slice.offset,
                end: slice.offset + slice.length),
            message: message)
    }

    /// A file that is kept beside the data.
    init(kept role: FileRole, message: SealedMessage) {
        self.init(role: role, ordinal: 0, name: role.rawValue + ".sluice", message: message)
    }
}

/// The folder in which a batch's sealed files are made until the verdict decides their places.
struct StagingArea: Sendable {
    let folder: OpenFolder
    let context: [String: String]
    let recipients: [any WrappingKey]

    /// The name that a slice's shard is staged under.
    static func name(ofShard ordinal: Int, role: FileRole) -> String {
        role == .accepted ? "\(ordinal).sluice" : "\(ordinal).\(role.rawValue).sluice"
    }

    /// Begins the file of a slice's shard.
    func file(ofShard ordinal: Int, role: FileRole) throws(SealingError) -> StagedFile {
        let name = Self.name(ofShard: ordinal, role: role)
        return try sealed { () throws(StorageError) in try StagedFile(in: folder, name: name) }
    }

    /// The encryption context of a slice's shard: authenticated, but not encrypted.
    func context(_ slice: SourceSlice, role: FileRole) -> [String: String] {
        var context = context
        context["shard"] = String(slice.ordinal)
        context["role"] = role.rawValue
        context["rows"] = "\(slice.firstRow)-\(slice.firstRow + slice.rowCount - 1)"
        if role == .quarantine { context["media-type"] = "application/jsonl" }
        return context
    }

    /// Seals a small file that is kept beside the data, in one piece, compressed.
    ///
    /// - Parameters:
    ///   - bytes: its content.
    ///   - role: its role, which is also its name.
    ///   - mediaType: its media type.
    ///   - extra: additional members of its authenticated data.
    func seal(
        _ bytes: [UInt8], role: FileRole, mediaType: String, extra: [String: String] = [:]
    ) throws(IngestionError) -> StagedShard {
        let name = role.rawValue + ".sluice"
        var context = context.merging(extra) { _, new in new }
        context["role"] = role.rawValue
        context["media-type"] = mediaType
        context["shard"] = nil
        var content = bytes
        if let shorter = compressed(bytes), shorter.count < bytes.count {
            content = shorter
            context["content-encoding"] = "zstd"
        }
        let (made, kept) = (context, content)
        let message = try sealing { () throws(SealingError) in
            let file = try sealed { () throws(StorageError) in try StagedFile(in: folder, name: name) }
            var writer = try MessageWriter(to: file, context: made, recipients: recipients)
            try writer.write(kept.span)
            return try writer.finish().commit(as: name)
        }
        return StagedShard(kept: role, message: message)
    }
}

/// Runs a body that throws storage errors, and rethrows them as sealing errors.
func sealed<R: ~Copyable>(_ body: () throws(StorageError) -> R) throws(SealingError) -> R {
    do throws(StorageError) { return try body() } catch { throw SealingError(error) }
}
