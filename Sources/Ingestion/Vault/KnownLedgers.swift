import Cryptography
package import Lineage
import Storage
import Tabular

/// The verifier keys of ledgers that this user has seen, kept outside every store, as ssh keeps host keys (trust on
/// first use).
///
/// An attacker with write access to a store can replace ledger and signing key together, but not this file. A ledger is
/// trusted when it is first seen; afterwards its origin and its folder must keep their key.
package struct KnownLedgers: Sendable {
    /// The file: one line per ledger with its verifier key, its folder and its newest state.
    package let path: String

    /// The source from which the ledger's key is known.
    package enum Standing: Sendable, Equatable {
        /// By this file, or by the caller.
        case pinned
        /// It was seen for the first time and written to this file.
        case new
        /// It could not be written down, for this reason.
        case unpinned(String)
    }

    /// `$XDG_CONFIG_HOME/sluice/known-ledgers`, or the same below `.config` in the home folder; nil when the user has
    /// neither.
    package init?() {
        func variable(_ name: String) -> String? {
            guard let value = readEnvironment(name), value.hasPrefix("/") else { return nil }
            return value
        }
        guard
            let folder = variable("XDG_CONFIG_HOME") ?? (variable("HOME") ?? homeFolder()).map({ join($0, ".config") })
        else { return nil }
        path = join(folder, "sluice/known-ledgers")
    }

    /// One line of the file.
    private struct Line {
        var key: VerifierKey
        var folder: String
        /// The newest signed state seen in that folder: number of entries, and root hash in base64; 0 at first.
        var size = 0
        var root = ""

        var text: String { size > 0 ? "\(key) \(folder) \(size) \(root)\n" : "\(key) \(folder)\n" }
    }

    /// The verifier key written down for an origin; nil when it was never seen.
    package func key(of origin: String) throws(IngestionError) -> VerifierKey? {
        try lines().last { $0.key.name == origin }?.key
    }

    /// Refuses a key for an origin that is known with another.
    ///
    /// - Throws: `damaged` in that case.
    package func refuseOther(than key: VerifierKey) throws(IngestionError) {
        guard let other = try lines().first(where: { $0.key.name == key.name && $0.key != key }) else { return }
        throw IngestionError(
            .damaged,
            "\(path) pins ledger \(key.name) to the key \(other.key), not to \(key); find out which key is right"
        )
    }

    /// Compares a ledger with what is known of its origin and folder, and writes down what is new.
    ///
    /// - Parameters:
    ///   - ledger: the open ledger.
    ///   - folder: its folder.
    /// - Throws: `damaged` when another key is known for either, or when the state seen in this folder is not a prefix
    ///   of the ledger: it was rolled back or rewritten.
    package func check(_ ledger: Ledger, at folder: String) throws(IngestionError) -> Standing {
        let key = ledger.verifier
        let place = Self.place(folder)
        let known = try lines()
        let same = known.filter { $0.key.name == key.name || $0.folder == place }
        if let other = same.first(where: { $0.key != key }) {
            throw IngestionError(
                .damaged,
                "\(folder): its ledger is signed by \(key), and \(path) knows "
                    + (other.key.name == key.name ? "its origin" : "this folder")
                    + " with the key \(other.key): the ledger was replaced or signed anew; restore a backup, or, if you made another "
                    + "store here yourself, remove that line of \(path)")
        }
        let newest = try recording { () throws(LedgerError) in try ledger.latestCheckpoint()?.head }
        let line = same.first { $0.folder == place }
        if let line, line.size > 0 {
            let root = try recording { () throws(LedgerError) in try ledger.root(of: line.size) }
            guard let root, base64(root) == line.root else {
                throw IngestionError(
                    .damaged,
                    "\(folder): its ledger is not the one that was seen here with \(line.size) entries: an older copy was put in its "
                        + "place, or it was rewritten; restore the newest backup, or, if you put an older copy here yourself, remove its "
                        + "line of \(path)"
                )
            }
            if newest.map({ $0.size <= line.size }) ?? true { return .pinned }
        }
        let made = Line(key: key, folder: place, size: newest?.size ?? 0, root: newest.map { base64($0.root) } ?? "")
        return try remember(
            made, isMet: !same.isEmpty, replacing: { $0.folder == place && $0.key == key && $0.size <= made.size })
    }

    /// Writes down the ledger of a store that was just created or restored, replacing an earlier one in the same
    /// folder.
    package func pin(_ key: VerifierKey, at folder: String) throws(IngestionError) -> Standing {
        let place = Self.place(folder)
        return try remember(Line(key: key, folder: place), isMet: false, replacing: { $0.folder == place })
    }

    /// Replaces lines of the file under its lock.
    ///
    /// - Parameters:
    ///   - line: the new line.
    ///   - isMet: whether its ledger was known already.
    ///   - isReplaced: the lines that it replaces.
    /// - Returns: `unpinned` with the reason when the file cannot be written.
    private func remember(
        _ line: Line, isMet: Bool, replacing isReplaced: (Line) -> Bool
    ) throws(IngestionError) -> Standing {
        let (place, name) = split(path)
        do throws(StorageError) {
            try makeFolder(place)
            let folder = try OpenFolder(place)
            var lock = try FileLock.tryAcquire(Store.name(name + ".lock"), in: folder)
            for _ in 0..<400 where lock == nil {
                pause(milliseconds: 5)
                lock = try FileLock.tryAcquire(Store.name(name + ".lock"), in: folder)
            }
            guard let held = lock else { return .unpinned("another process holds \(path).lock") }
            let known: [Line]
            do throws(IngestionError) { known = try lines() } catch { return .unpinned(error.description) }
            let text = (known.filter { !isReplaced($0) } + [line]).map(\.text).joined()
            // The name includes the process id, so that a file left by a dead process does not block this one.
            var file = try StagedFile(in: folder, name: "\(name)-\(processNumber())")
            try file.write(Array(text.utf8).span)
            // Not synced: a power loss leaves an older state, which is still true.
            try file.commitLoosely(as: Store.name(name), replacing: true)
            _ = consume held
        } catch {
            return .unpinned(error.description)
        }
        return isMet ? .pinned : .new
    }

    /// A folder's path without separators of the line format: control characters, spaces and `%` are percent-encoded.
    private static func place(_ folder: String) -> String {
        var out: [UInt8] = []
        for byte in canonicalPath(folder).utf8 {
            if byte <= 0x20 || byte == 0x7F || byte == 0x25 {
                out += Array("%".utf8) + Array(hex([byte]).utf8)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private func lines() throws(IngestionError) -> [Line] {
        guard exists(path) else { return [] }
        let bytes = try storing { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: 1 << 24)
        }
        var found: [Line] = []
        for (number, text) in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).enumerated() {
            if text.hasPrefix("#") { continue }
            let words = text.split(separator: " ").map(String.init)
            // An unreadable line may be the one that matters, so it is an error.
            guard let key = words.first.flatMap({ VerifierKey($0) }) else {
                throw IngestionError(
                    .damaged, "\(path): line \(number + 1) is not a verifier key; correct it, or restore the file")
            }
            var line = Line(key: key, folder: words.count > 1 ? words[1] : "")
            if words.count > 3, let size = Int(words[2]) { (line.size, line.root) = (size, words[3]) }
            found.append(line)
        }
        return found
    }
}

extension Store {
    /// Compares this store's ledger with what is known of it outside the store.
    package func pinning(_ ledger: Ledger) throws(IngestionError) -> KnownLedgers.Standing {
        if !isPinned { return .unpinned("the store is a temporary one") }
        guard let known = KnownLedgers() else { return .unpinned("this user has no home folder") }
        return try known.check(ledger, at: root)
    }
}
