import Cryptography
package import Lineage
import Storage
import Tabular

/// The verifier keys of ledgers that this user has met, kept outside every store, as ssh keeps the keys of hosts.
///
/// Whoever can write into a store can replace its ledger and its signing key together; they cannot replace what is written here. A ledger
/// that is met for the first time is believed and written down; after that its origin, and the folder it was met in, must keep their key.
package struct KnownLedgers: Sendable {
    /// The file: one line a ledger, its verifier key and the folder it was met in.
    package let path: String

    /// How far a ledger's key is known.
    package enum Standing: Sendable, Equatable {
        /// It is the one that was written down, or that the caller gave.
        case pinned
        /// It was written down just now.
        case new
        /// There is no place to write it down, and why.
        case unpinned(String)
    }

    /// `$XDG_CONFIG_HOME/sluice/known-ledgers`, or below `.config` in the user's home; nil when this user has neither.
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

    /// What is known of a ledger.
    private struct Line {
        var key: VerifierKey
        var folder: String
        /// The newest signed state that was seen there: entries and root, base64; none at first.
        var size = 0
        var root = ""

        var text: String { size > 0 ? "\(key) \(folder) \(size) \(root)\n" : "\(key) \(folder)\n" }
    }

    /// The verifier key that was written down for an origin; nil when it was never met.
    package func key(of origin: String) throws(IngestionError) -> VerifierKey? {
        try lines().last { $0.key.name == origin }?.key
    }

    /// Refuses a key for an origin that is known with another one.
    package func refuseOther(than key: VerifierKey) throws(IngestionError) {
        guard let other = try lines().first(where: { $0.key.name == key.name && $0.key != key }) else { return }
        throw IngestionError(
            .damaged,
            "\(path) pins ledger \(key.name) to the key \(other.key), not to \(key); find out which key is right"
        )
    }

    /// Holds a ledger against what is known of its origin and of its folder, and writes down what is new: the ledger itself when it is met
    /// for the first time, and its newest signed state.
    ///
    /// Throws `damaged` when another key is known for either, or when the ledger is not the one whose state was seen in this folder.
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

    /// Writes down the ledger of a store that was just made or restored, in place of another that was in the same folder.
    package func pin(_ key: VerifierKey, at folder: String) throws(IngestionError) -> Standing {
        let place = Self.place(folder)
        return try remember(Line(key: key, folder: place), isMet: false, replacing: { $0.folder == place })
    }

    /// Writes a line in place of others, while no other process does.
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
            // A name of this process's own: what a dead one left half written stands in nobody's way.
            var file = try StagedFile(in: folder, name: "\(name)-\(processNumber())")
            try file.write(Array(text.utf8).span)
            // What a power loss takes is an older state of what is known, which still holds.
            try file.commitLoosely(as: Store.name(name), replacing: true)
            _ = consume held
        } catch {
            return .unpinned(error.description)
        }
        return isMet ? .pinned : .new
    }

    /// A folder's path as one word of one line: what would end either is written as in a URI.
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
            // A line that cannot be read may be the one that matters.
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
    /// Holds this store's ledger against what is known of it outside the store.
    package func pinning(_ ledger: Ledger) throws(IngestionError) -> KnownLedgers.Standing {
        if !isPinned { return .unpinned("the store is a temporary one") }
        guard let known = KnownLedgers() else { return .unpinned("this user has no home folder") }
        return try known.check(ledger, at: root)
    }
}
