import Cryptography
import Lineage
import Storage
import Tabular

/// Copies files between two folders under the same paths, as reflinks where the file system has them.
struct FileCopier {
    let source: OpenFolder
    let target: OpenFolder
    /// Files copied, and how many of them share disk blocks with the source.
    private(set) var count = 0, shared = 0
    private var folders: [RelativePath: OpenFolder] = [:]

    init(from source: OpenFolder, to target: OpenFolder) {
        self.source = source
        self.target = target
    }

    /// Copies one file.
    ///
    /// - Returns: SHA-256 of the copy, hexadecimal.
    mutating func copy(_ path: RelativePath) throws(IngestionError) -> String {
        var hasher = SHA256()
        var isShared = false
        do throws(StorageError) {
            var folder = target
            if let above = path.folder {
                if let known = folders[above] {
                    folder = known
                } else {
                    folder = try target.folder(at: above, making: true)
                }
                folders[above] = folder
            }
            isShared = try folder.copy(source.openRegular(at: path), as: path.name) { hasher.update($0) }
        } catch { throw IngestionError(error) }
        count += 1
        shared += isShared ? 1 : 0
        return hex(hasher.finish())
    }

    /// Makes the new names durable.
    func sync() throws(IngestionError) {
        try storing { () throws(StorageError) in
            for folder in folders.values { try folder.sync() }
            try target.sync()
        }
    }
}
