import Cryptography
package import Storage

/// The log as static files in the layout of C2SP tlog-tiles, from which any client, monitor or witness of that format reads it:
/// `checkpoint`, `tile/LEVEL/N` with up to 256 hashes of complete subtrees of 256^LEVEL entries, and `tile/entries/N` with the entries,
/// each behind its length in 16 bits, big-endian. Of a tile that is not full the path ends with `.p/WIDTH`.
package struct LogTiles {
    /// Hashes of a full tile, and entries of a full bundle.
    package static let width = 256

    /// What was written.
    package struct Written: Sendable, Equatable {
        /// Entries of the exported log.
        package fileprivate(set) var entries = 0
        /// Files that were not there, and the highest level.
        package fileprivate(set) var files = 0, level = 0
    }

    private let folder: OpenFolder
    private var written = Written()
    /// By level the hashes of the tile that is being filled, and how many full tiles came before it.
    private var open: [(hashes: [UInt8], full: Int)] = []

    private init(_ folder: consuming OpenFolder) { self.folder = folder }

    /// Writes the newest signed state of a log, and of an earlier export only what is new. The checkpoint is replaced last.
    ///
    /// - Parameters:
    ///   - log: the log, proven.
    ///   - folder: where the files are, or will be.
    /// - Throws: `damaged` when the folder has the tiles of another log, or the log does not give its signed root; `storage`.
    package static func export(_ log: ProvenLog, to folder: consuming OpenFolder) throws(LedgerError) -> Written {
        let ledger = log.ledger
        guard let (head, note) = try ledger.latestCheckpoint(),
            Checkpoint.open(note, key: ledger.verifier) == head
        else {
            throw LedgerError(.damaged, "export", subject: ledger.path, cause: "its newest checkpoint is not signed")
        }
        var tiles = LogTiles(folder)
        let place = RelativePath(tileName("checkpoint"))
        try tiles.requireSameLog(at: place, ledger)
        var next = 0
        while next < head.size {
            let entries = try ledger.entries(from: next, limit: min(width, head.size - next))
            guard entries.first?.sequence == next, entries.last?.sequence == next + entries.count - 1 else {
                throw LedgerError(
                    .damaged, "export", subject: ledger.path, cause: "entry \(next) or one after it is missing")
            }
            try tiles.add(entries)
            next += entries.count
        }
        guard try tiles.finish() == head.root else {
            throw LedgerError(
                .damaged, "export", subject: ledger.path,
                cause: "its entries do not give the signed root; run sluice lineage verify")
        }
        try staging { () throws(StorageError) in
            try tiles.folder.writeDurably(note.span, at: place, replacing: true)
        }
        tiles.written.entries = head.size
        return tiles.written
    }

    /// Refuses a folder whose checkpoint is not an earlier one of this log.
    private func requireSameLog(at place: RelativePath, _ ledger: Ledger) throws(LedgerError) {
        guard folder.exists(at: place) else { return }
        let note = try staging { () throws(StorageError) in try folder.openRegular(at: place).readAll(max: 1 << 20) }
        if let old = Checkpoint.open(note, key: ledger.verifier), old.origin == ledger.origin,
            try ledger.root(of: old.size) == old.root
        {
            return
        }
        throw LedgerError(
            .damaged, "export", subject: folder.path,
            cause: "it has a checkpoint that is not one of this ledger; choose another folder")
    }

    /// Up to 256 entries, of which only the last of the log are fewer.
    private mutating func add(_ entries: [LedgerEntry]) throws(LedgerError) {
        var bundle: [UInt8] = []
        var hashes: [UInt8] = []
        for entry in entries {
            bundle += [UInt8(entry.bytes.count >> 8), UInt8(entry.bytes.count & 0xFF)]
            bundle += entry.bytes
            hashes += MerkleTree.leafHash(entry.bytes)
        }
        let number = entries[0].sequence / Self.width
        try write(bundle, level: "entries", number: number, width: entries.count)
        try add(hashes, to: 0)
    }

    /// Appends hashes to the open tile of a level. A full one is written, and its root goes to the level above.
    private mutating func add(_ hashes: [UInt8], to level: Int) throws(LedgerError) {
        if open.count == level { open.append(([], 0)) }
        open[level].hashes += hashes
        guard open[level].hashes.count == Self.width * 32 else { return }
        let full = open[level]
        try write(full.hashes, level: "\(level)", number: full.full, width: Self.width)
        open[level] = ([], full.full + 1)
        try add(Self.root(full.hashes), to: level + 1)
    }

    /// Writes the tiles that are not full.
    ///
    /// - Returns: the root of the tree.
    private mutating func finish() throws(LedgerError) -> [UInt8] {
        // From the right: what is left on a level stands left of what is left below it.
        var right: [UInt8]?
        for (level, tile) in open.enumerated() where !tile.hashes.isEmpty {
            written.level = level
            try write(tile.hashes, level: "\(level)", number: tile.full, width: tile.hashes.count / 32)
            let all = tile.hashes + (right ?? [])
            right = Self.root(all)
        }
        return right ?? SHA256.hash([])
    }

    /// The root over hashes of equal subtrees, of which the last may be the root of a smaller one.
    private static func root(_ hashes: [UInt8]) -> [UInt8] {
        MerkleTree.root(size: hashes.count / 32) { level, index in
            func hash(_ level: Int, _ index: Int) -> [UInt8] {
                if level == 0 { return Array(hashes[index * 32..<index * 32 + 32]) }
                return MerkleTree.nodeHash(hash(level - 1, 2 * index), hash(level - 1, 2 * index + 1))
            }
            return hash(level, index)
        }
    }

    /// Writes a tile, unless it is there: the same path always has the same bytes.
    private mutating func write(_ bytes: [UInt8], level: String, number: Int, width: Int) throws(LedgerError) {
        var path = RelativePath(Self.tileName("tile")).appending(Self.tileName(level))
        let names = Self.names(of: number)
        for name in names.dropLast() { path = path.appending(Self.tileName(name)) }
        let last = names[names.count - 1]
        if width == Self.width {
            path = path.appending(Self.tileName(last))
        } else {
            path = path.appending(Self.tileName(last + ".p")).appending(Self.tileName("\(width)"))
        }
        if folder.exists(at: path) {
            let old = try staging { () throws(StorageError) in try folder.openRegular(at: path).readAll(max: 1 << 25) }
            if old == bytes { return }
            throw LedgerError(
                .damaged, "export", subject: join(folder.path, names.joined(separator: "/")),
                cause: "a tile of another log is there, or it was changed; choose another folder")
        }
        try staging { () throws(StorageError) in
            _ = try folder.folder(holding: path, making: true)
            try folder.writeDurably(bytes.span, at: path, replacing: true)
        }
        written.files += 1
    }

    /// The parts of a path for a number, three digits each; all but the last begin with x.
    static func names(of number: Int) -> [String] {
        func digits(_ value: Int) -> String { String("\(1000 + value)".dropFirst()) }
        var parts = [digits(number % 1000)]
        var rest = number / 1000
        while rest > 0 {
            parts.insert("x" + digits(rest % 1000), at: 0)
            rest /= 1000
        }
        return parts
    }

    /// A name of ours.
    private static func tileName(_ text: String) -> FileName {
        guard let name = FileName(Array(text.utf8)) else { preconditionFailure("a name of ours is a file's name") }
        return name
    }
}

/// Rethrows a storage error as this room's error.
private func staging<T: ~Copyable>(_ body: () throws(StorageError) -> T) throws(LedgerError) -> T {
    do throws(StorageError) { return try body() } catch {
        throw LedgerError(
            error.code == .noSpace ? .noSpace : .io, "export", subject: error.subject,
            cause: "\(error.operation): \(error.cause)")
    }
}
