/// A path below a folder: one name or more, none of them `.` or `..`, so that it leads nowhere else by itself.
package struct RelativePath: Hashable, Sendable, CustomStringConvertible {
    /// The names, from the top down.
    package let names: [FileName]

    /// Reads a path such as `accepted/orders/7`; nil when it is empty, absolute, or has an empty name, `.`, `..` or NUL
    /// in it.
    package init?(_ text: String) {
        var names: [FileName] = []
        for part in text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false) {
            guard let name = FileName(Array(part)) else { return nil }
            names.append(name)
        }
        if names.isEmpty { return nil }
        self.names = names
    }

    /// A path of names; there is at least one.
    package init(_ first: FileName, _ rest: FileName...) { names = [first] + rest }

    private init(names: [FileName]) { self.names = names }

    /// The last name.
    package var name: FileName { names[names.count - 1] }

    /// The folder that it is in; nil for a bare name.
    package var folder: RelativePath? { names.count > 1 ? RelativePath(names: Array(names.dropLast())) : nil }

    /// The path of a name below this one.
    package func appending(_ name: FileName) -> RelativePath { RelativePath(names: names + [name]) }

    /// The path with `ending` behind its last name; nil when that is too long for a name.
    package func with(ending: String) -> RelativePath? {
        FileName(name.bytes + Array(ending.utf8)).map { RelativePath(names: names.dropLast() + [$0]) }
    }

    /// The path byte for byte, for comparisons with what is recorded.
    package var text: String { names.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "/") }

    /// One line for a person; see `FileName.description`.
    package var description: String { names.map(\.description).joined(separator: "/") }
}

/// Everything that is done below a folder by a relative path: each name on the way is opened in the folder before it,
/// and a link is never followed, so that nobody who can change what is in the folder can make us read, write or remove
/// elsewhere.
extension OpenFolder {
    /// Opens a folder below this one.
    ///
    /// - Parameter making: whether folders that are missing are made, for their owner only, each made durable in its
    ///   parent.
    package func folder(at path: RelativePath, making: Bool = false) throws(StorageError) -> OpenFolder {
        do throws(StorageError) { return try openFolder(below: path) } catch {
            guard making, error.code == .notFound else { throw error }
        }
        var folder = self
        for name in path.names { folder = try folder.made(name) }
        return folder
    }

    /// The folder that holds the last name of a path: this one for a bare name.
    package func folder(holding path: RelativePath, making: Bool = false) throws(StorageError) -> OpenFolder {
        guard let above = path.folder else { return self }
        return try folder(at: above, making: making)
    }

    /// What has this path, itself and not what it links to; nil when nothing has, or a folder on the way is missing.
    package func status(at path: RelativePath) throws(StorageError) -> FileStatus? {
        do throws(StorageError) { return try folder(holding: path).status(of: path.name) } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// Whether anything has this path; false also where that may not be known.
    package func exists(at path: RelativePath) -> Bool { (try? status(at: path)) != nil }

    /// Opens a plain file for reading; see `FileDescriptor.openRegular`.
    package func openRegular(at path: RelativePath) throws(StorageError) -> FileDescriptor {
        try folder(holding: path).openRegular(path.name)
    }

    /// Writes a whole file so that after a crash there is the old state or the new.
    package func writeDurably(
        _ bytes: Span<UInt8>, at path: RelativePath, replacing: Bool = false
    ) throws(StorageError) {
        let folder = try folder(holding: path)
        var file = try StagedFile(in: folder, name: path.name)
        try file.write(bytes)
        try file.commit(as: path.name, replacing: replacing)
        try folder.sync()
    }
}
