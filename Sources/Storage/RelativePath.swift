/// A path below a folder: at least one name, none of them `.` or `..`, so it cannot leave the folder by itself.
package struct RelativePath: Hashable, Sendable, CustomStringConvertible {
    /// The names, from the top down.
    package let names: [FileName]

    /// Parses a path such as `accepted/orders/7`; nil if it is empty or absolute, or has an empty name, `.`, `..` or
    /// NUL.
    package init?(_ text: String) {
        var names: [FileName] = []
        for part in text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false) {
            guard let name = FileName(Array(part)) else { return nil }
            names.append(name)
        }
        if names.isEmpty { return nil }
        self.names = names
    }

    /// A path of at least one name.
    package init(_ first: FileName, _ rest: FileName...) { names = [first] + rest }

    private init(names: [FileName]) { self.names = names }

    /// The last name.
    package var name: FileName { names[names.count - 1] }

    /// The parent path; nil for a path of one name.
    package var folder: RelativePath? { names.count > 1 ? RelativePath(names: Array(names.dropLast())) : nil }

    /// The path of a name below this one.
    package func appending(_ name: FileName) -> RelativePath { RelativePath(names: names + [name]) }

    /// The path with `ending` appended to its last name; nil if the name becomes too long.
    package func with(ending: String) -> RelativePath? {
        FileName(name.bytes + Array(ending.utf8)).map { RelativePath(names: names.dropLast() + [$0]) }
    }

    /// The path byte for byte, for comparisons with recorded paths.
    package var text: String { names.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "/") }

    /// One line for a person; see `FileName.description`.
    package var description: String { names.map(\.description).joined(separator: "/") }
}

/// All operations below a folder by a relative path. Each component is opened relative to its parent, and no link is
/// followed. So a person who can change the folder cannot make Sluice read, write or remove files elsewhere.
extension OpenFolder {
    /// Opens a folder below this one.
    ///
    /// - Parameter making: whether missing folders are made, accessible by their owner only, each made durable in its
    ///   parent.
    package func folder(at path: RelativePath, making: Bool = false) throws(StorageError) -> OpenFolder {
        do throws(StorageError) { return try openFolder(below: path) } catch {
            guard making, error.code == .notFound else { throw error }
        }
        var folder = self
        for name in path.names { folder = try folder.made(name) }
        return folder
    }

    /// The folder that contains the last name of a path: this folder for a path of one name.
    package func folder(holding path: RelativePath, making: Bool = false) throws(StorageError) -> OpenFolder {
        guard let above = path.folder else { return self }
        return try folder(at: above, making: making)
    }

    /// The status of the file at this path, without following a link; nil if it, or a folder on the way, does not
    /// exist.
    package func status(at path: RelativePath) throws(StorageError) -> FileStatus? {
        do throws(StorageError) { return try folder(holding: path).status(of: path.name) } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// Removes a folder that is empty. Throws for any other.
    package func removeEmptyFolder(at path: RelativePath) throws(StorageError) {
        let folder = try folder(holding: path)
        try folder.removeEmptyFolder(path.name)
    }

    /// Whether anything has this path; false also if the status cannot be read.
    package func exists(at path: RelativePath) -> Bool { (try? status(at: path)) != nil }

    /// Opens a plain file for reading; see `FileDescriptor.openRegular`.
    package func openRegular(at path: RelativePath) throws(StorageError) -> FileDescriptor {
        try folder(holding: path).openRegular(path.name)
    }

    /// Writes a whole file, so that after a crash either the old or the new content is there.
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
