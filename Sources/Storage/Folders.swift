import CPosix
import Glibc

/// Makes a folder and its missing parents, and syncs the parent of each. Existing folders are left unchanged.
package func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(StorageError) {
    if unsafe mkdir(path, mode) == 0 { return try syncFolder(split(path).folder) }
    switch errno {
    case EEXIST:
        var status = stat()
        // A link to a folder is the operator's choice, so it is followed.
        guard unsafe stat(path, &status) == 0 else { throw systemError("examine", path) }
        let kind = FileStatus(status).kind
        guard kind == .folder else { throw wrongKind("make folder", path, found: kind.rawValue, wanted: "folder") }
    case ENOENT:
        let parent = split(path).folder
        guard parent != path else { throw StorageError("make folder", path, errno: ENOENT) }
        try makeFolder(parent, mode: mode)
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw systemError("make folder", path) }
        try syncFolder(parent)
    default: throw systemError("make folder", path)
    }
}

/// The names in a folder, ordered by their bytes. A name that is not UTF-8 has U+FFFD in it; opening it then fails with
/// an error, so it is not ignored silently.
package func listFolder(_ path: String) throws(StorageError) -> [String] {
    let number = Int32(retrying { unsafe Int(sluice_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) })
    guard number >= 0 else { throw systemError("list", path) }
    return try list(number, path)
}

/// The status of the file of this name, without following a link; nil if there is none.
package func fileStatus(_ path: String) throws(StorageError) -> FileStatus? {
    var status = stat()
    if unsafe lstat(path, &status) == 0 { return FileStatus(status) }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw systemError("examine", path)
}

/// Whether anything has this name, including a dangling link; false also if the status cannot be read.
package func exists(_ path: String) -> Bool { (try? fileStatus(path)) != nil }

/// Removes a file that must be there.
package func removeFile(_ path: String) throws(StorageError) {
    guard unsafe unlink(path) == 0 else { throw systemError("remove", path) }
}

/// Renames a file between open folders of one file system and never replaces a file. Returns false with `errno` set,
/// also if the new name exists.
func moveNoReplace(
    _ from: UnsafePointer<CChar>, in fromFolder: Int32, to: UnsafePointer<CChar>, in toFolder: Int32
) -> Bool {
    if unsafe sluice_rename_noreplace(fromFolder, from, toFolder, to) == 0 { return true }
    guard errno == EINVAL || errno == ENOSYS else { return false }
    // For file systems without RENAME_NOREPLACE: linkat also refuses an existing name.
    return unsafe linkat(fromFolder, from, toFolder, to, 0) == 0 && unlinkat(fromFolder, from, 0) == 0
}

/// Lists an open folder and closes it.
private func list(_ number: Int32, _ path: String) throws(StorageError) -> [String] {
    var names: [String] = []
    try eachName(number, path) { names.append(String(decoding: $0.bytes, as: UTF8.self)) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// Calls `body` with each name of an open folder and closes it.
func eachName(_ number: Int32, _ path: String, _ body: (FileName) -> Void) throws(StorageError) {
    guard let stream = unsafe fdopendir(number) else {
        close(number)
        throw systemError("list", path)
    }
    defer { unsafe closedir(stream) }
    while true {
        errno = 0
        guard let entry = unsafe readdir(stream) else { break }
        // Sound: d_name ends in NUL and is valid until the next readdir; the offset skips the fields before it.
        let start = unsafe UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
            .assumingMemoryBound(to: UInt8.self)
        var bytes: [UInt8] = []
        while unsafe start[bytes.count] != 0 { unsafe bytes.append(start[bytes.count]) }
        if let name = FileName(bytes) { body(name) }
    }
    guard errno == 0 else { throw systemError("list", path) }
}
