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

    /// The verifier key that was written down for an origin; nil when it was never met.
    package func key(of origin: String) throws(IngestionError) -> VerifierKey? {
        try lines().last { $0.key.name == origin }?.key
    }

    /// Holds a ledger against what is known of its origin and of its folder, and writes it down when it is new.
    ///
    /// Throws `damaged` when another key is known for either.
    package func check(_ key: VerifierKey, at folder: String) throws(IngestionError) -> Standing {
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
        if same.contains(where: { $0.key == key && $0.folder == place }) { return .pinned }
        return try remember(key, place, known)
    }

    /// Writes down the ledger of a store that was just made, in place of another that was in the same folder.
    package func pin(_ key: VerifierKey, at folder: String) throws(IngestionError) -> Standing {
        let place = Self.place(folder)
        return try remember(key, place, try lines().filter { $0.folder != place })
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

    private func remember(
        _ key: VerifierKey, _ place: String, _ known: [(key: VerifierKey, folder: String)]
    ) throws(IngestionError) -> Standing {
        let isMet = known.contains { $0.key == key }
        let text = (known + [(key, place)]).map { "\($0.key) \($0.folder)\n" }.joined()
        do throws(StorageError) {
            let (place, name) = split(path)
            try makeFolder(place)
            // A name of this process's own: what a dead one left half written stands in nobody's way.
            let folder = try OpenFolder(place)
            var file = try StagedFile(in: folder, name: "\(name)-\(processNumber())")
            try file.write(Array(text.utf8).span)
            try file.commit(as: name, replacing: true)
            try folder.sync()
        } catch {
            return .unpinned(error.description)
        }
        return isMet ? .pinned : .new
    }

    private func lines() throws(IngestionError) -> [(key: VerifierKey, folder: String)] {
        guard exists(path) else { return [] }
        let bytes = try storing { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: 1 << 24)
        }
        var found: [(key: VerifierKey, folder: String)] = []
        for (number, line) in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).enumerated() {
            if line.hasPrefix("#") { continue }
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            // A line that cannot be read may be the one that matters.
            guard let key = words.first.flatMap({ VerifierKey($0) }) else {
                throw IngestionError(
                    .damaged, "\(path): line \(number + 1) is no verifier key; correct it, or restore the file")
            }
            found.append((key, words.count > 1 ? words[1] : ""))
        }
        return found
    }
}

extension Store {
    /// Holds the verifier key of this store's ledger against what is known of it outside the store.
    package func pinning(_ key: VerifierKey) throws(IngestionError) -> KnownLedgers.Standing {
        if !isPinned { return .unpinned("the store is a temporary one") }
        guard let known = KnownLedgers() else { return .unpinned("this user has no home folder") }
        return try known.check(key, at: root)
    }
}
