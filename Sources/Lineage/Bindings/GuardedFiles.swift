// Restricts SQLite to its own two files: a layer over its file functions (sqlite.org/vfs.html).
import GRDBSQLite
import Glibc
import Synchronization

/// SQLITE_IOERR_DELETE, SQLITE_IOERR_DELETE_NOENT and SQLITE_IOERR_ACCESS, which are composed macros
/// (sqlite.org/rescode.html).
private let cannotDelete = SQLITE_IOERR | 10 << 8
private let notThere = SQLITE_IOERR | 23 << 8
private let cannotRead = SQLITE_IOERR | 13 << 8

/// A layer over SQLite's file functions that restricts which files it may open, query and remove.
///
/// In every transaction SQLite looks for a journal by its name and rolls it back. It then removes the file that the
/// journal names as its super-journal, wherever that file is. Others may write to the folder, so a journal may be
/// planted. This layer hides every file except the opened databases and their own journals. It refuses a journal that
/// is a symbolic link or has a second hard link.
enum GuardedFiles {
    /// Installs the layer as SQLite's default, once in a process; false if SQLite refuses.
    static let isInstalled: Bool = install()

    /// Paths of databases, as SQLite knows them.
    private static let databases = Mutex<Set<String>>([])
    /// SQLite's own functions; set once, before any database is opened.
    nonisolated(unsafe) private static var base: UnsafeMutablePointer<sqlite3_vfs>?

    private static func install() -> Bool {
        guard let found = unsafe sqlite3_vfs_find(nil) else { return false }
        unsafe base = found
        // Sound: SQLite keeps the pointer for the life of the process, so it is never freed.
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        unsafe layer.initialize(to: found.pointee)
        unsafe layer.pointee.pNext = nil
        unsafe layer.pointee.zName = UnsafePointer(strdup("sluice"))
        unsafe layer.pointee.xOpen = { _, name, file, flags, out in
            unsafe GuardedFiles.open(name, as: file, flags: flags, out: out)
        }
        unsafe layer.pointee.xDelete = { _, name, sync in
            guard let base = unsafe GuardedFiles.base, let name = unsafe name else { return cannotDelete }
            // Other files are reported as absent.
            guard unsafe GuardedFiles.isJournal(String(cString: name)) else { return notThere }
            return unsafe base.pointee.xDelete(base, name, sync)
        }
        unsafe layer.pointee.xAccess = { _, name, kind, result in
            guard let base = unsafe GuardedFiles.base, let name = unsafe name else { return cannotRead }
            // For a query whether a file exists, only our own journal may exist. Other queries concern temporary
            // folders.
            if kind == SQLITE_ACCESS_EXISTS, unsafe !GuardedFiles.isJournal(String(cString: name)) {
                unsafe result?.pointee = 0
                return SQLITE_OK
            }
            return unsafe base.pointee.xAccess(base, name, kind, result)
        }
        return unsafe sqlite3_vfs_register(layer, 1) == SQLITE_OK
    }

    private static func isJournal(_ path: String) -> Bool {
        guard path.hasSuffix("-journal") else { return false }
        return databases.withLock { $0.contains(String(path.dropLast(8))) }
    }

    private static func open(
        _ name: UnsafePointer<CChar>?, as file: UnsafeMutablePointer<sqlite3_file>?, flags: Int32,
        out: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let base = unsafe base else { return SQLITE_CANTOPEN }
        if flags & (SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0 { return SQLITE_CANTOPEN }
        let isMain = flags & SQLITE_OPEN_MAIN_DB != 0
        guard isMain || flags & SQLITE_OPEN_MAIN_JOURNAL != 0,
            let path = unsafe name.map({ unsafe String(cString: $0) })
        else { return unsafe base.pointee.xOpen(base, name, file, flags, out) }
        guard isPlain(path), isMain || isJournal(path) else { return SQLITE_CANTOPEN }
        let result = unsafe base.pointee.xOpen(base, name, file, flags, out)
        // Checked again after the open, since the name may have been swapped.
        if result == SQLITE_OK, !isPlain(path) {
            _ = unsafe file?.pointee.pMethods?.pointee.xClose(file)
            unsafe file?.pointee.pMethods = nil
            return SQLITE_CANTOPEN
        }
        if isMain { databases.withLock { _ = $0.insert(path) } }
        return result
    }

    /// Whether a path is unused, or a plain file with a single hard link.
    private static func isPlain(_ path: String) -> Bool {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return errno == ENOENT }
        return status.st_mode & S_IFMT == S_IFREG && status.st_nlink <= 1
    }
}
