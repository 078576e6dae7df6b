import Cryptography
import Screening
import Storage
import Tabular

/// What one batch is read from: a file, or several files in order.
package struct BatchInput: Sendable {
    /// The file, folder or list as it was given; used in messages.
    package let name: String
    /// The paths of its files in order; at least one.
    package let files: [String]
    /// The list that names the files and states their digests; nil when nothing does.
    let list: FileList?

    /// What a path on the command line stands for: a file; a folder, whose files are taken in the order of their names;
    /// or a list of files (`.batch`).
    ///
    /// - Throws: `noInput` for a folder without files, `usage` for one with anything that cannot be read as data.
    package init(_ path: String) throws(IngestionError) {
        name = path
        if path != StandardInput.name, FileList.isName(path) {
            let list = try FileList(path)
            (files, self.list) = (list.entries.map { join(split(path).folder, $0.name) }, list)
        } else if path != StandardInput.name, (try? fileStatus(path))?.kind == .folder {
            (files, list) = (try Self.files(in: path), nil)
        } else {
            (files, list) = ([path], nil)
        }
        try Self.requireAlike(files, in: name)
    }

    /// One path, or several files as one batch in the given order.
    ///
    /// - Throws: as for one path; of several, `usage` when one is standard input, a folder or a list.
    package init(_ paths: [String]) throws(IngestionError) {
        if paths.count == 1 {
            try self.init(paths[0])
            return
        }
        for path in paths {
            if path == StandardInput.name || FileList.isName(path) || (try? fileStatus(path))?.kind == .folder {
                throw IngestionError(.usage, "--together takes files, and \(path) is none: give it without --together")
            }
        }
        self.init(name: "\(paths[0]) and \(paths.count - 1) more", files: paths, list: nil)
        try Self.requireAlike(files, in: name)
    }

    /// A single file, whatever its name.
    package init(file path: String) { self.init(name: path, files: [path], list: nil) }

    init(name: String, files: [String], list: FileList?) {
        (self.name, self.files, self.list) = (name, files, list)
    }

    /// Files of one format only: a batch is read in one way.
    static func requireAlike(_ files: [String], in name: String) throws(IngestionError) {
        let first = (SourceFormat(ofFile: files[0]), isDocument(files[0]))
        for file in files where (SourceFormat(ofFile: file), isDocument(file)) != first {
            throw IngestionError(
                .usage,
                "\(name): \(shownName(file)) and \(shownName(files[0])) are of different formats; a batch has files of one "
                    + "format")
        }
    }

    /// The files of a folder, in the order of their names' bytes.
    ///
    /// Hidden files, names that begin with an underscore (markers such as Spark's `_SUCCESS`), sidecars and digest lists
    /// are no data. Anything else that is no data is refused: passing over it could lose rows.
    private static func files(in folder: String) throws(IngestionError) -> [String] {
        let names = try storing(reading: true) { () throws(StorageError) in try listFolder(folder) }
        var found: [String] = []
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let isMarker = name.hasPrefix(".") || name.hasPrefix("_") || Sidecars.listNames.contains(name)
            if isMarker || FileName(Array(name.utf8)).flatMap({ Sidecars.base(of: $0) }) != nil { continue }
            let path = join(folder, name)
            if (try? fileStatus(path))?.kind == .folder {
                throw IngestionError(
                    .usage,
                    "\(folder): it contains a folder, \(shownName(path)), and the files of a batch stand in one; give each "
                        + "folder by itself, or a list of files: sha256sum FILES > NAME.batch")
            }
            if FileList.isName(name) {
                throw IngestionError(
                    .usage, "\(folder): it has a list of files; give the list itself: \(shownName(path))")
            }
            guard SourceFormat(ofFile: name) != nil else {
                throw IngestionError(
                    .usage,
                    "\(folder): the name of \(shownName(path)) does not show whether it is data; remove it, or give a list of the "
                        + "files that are: sha256sum FILES > NAME.batch")
            }
            found.append(path)
        }
        guard !found.isEmpty else {
            throw IngestionError(.noInput, "\(folder): it has no CSV or JSON files")
        }
        try requireListed(found, in: folder)
        return found
    }

    /// Refuses a folder in which a file is missing that its `SHA256SUMS` names.
    private static func requireListed(_ files: [String], in folder: String) throws(IngestionError) {
        let there = Set(files.map { split($0).name })
        let lines = try Sidecars.lists(in: folder)["SHA256SUMS"].map(DigestLine.all) ?? []
        for line in lines {
            let name = line.name.hasPrefix("./") ? String(line.name.dropFirst(2)) : line.name
            if name.contains("/") || SourceFormat(ofFile: name) == nil || there.contains(name) { continue }
            throw IngestionError(
                .noInput,
                "\(folder): SHA256SUMS names \(shownName(name)), which is not there; have it sent again, or correct the list"
            )
        }
    }
}

/// The name of one of several files in a message. A supplier may have put personal data into it, which is replaced.
func shownName(_ path: String) -> String { LabelSearch.usual.shown(path) }

/// A list of files that are one batch, with their digests, as `sha256sum` writes it. Its name ends in `.batch`.
struct FileList: Sendable {
    /// The files in order: paths relative to the list's folder, and SHA-256.
    let entries: [(name: String, sha256: [UInt8])]
    /// The list itself, which a supplier may sign.
    let bytes: [UInt8]

    /// Largest list that is read, in bytes; some 100,000 files.
    static let bytesMax = 1 << 24

    private static let ending = ".batch"

    static func isName(_ path: String) -> Bool { path.hasSuffix(ending) }
    static func isName(_ name: FileName) -> Bool { name.bytes.suffix(ending.utf8.count).elementsEqual(ending.utf8) }

    /// Reads a list.
    ///
    /// - Throws: `unreadableData` for a line that is none of `sha256sum`, or a file that is named twice or outside the
    ///   list's folder.
    init(_ path: String) throws(IngestionError) {
        let bytes = try storing(reading: true) { () throws(StorageError) in
            try FileDescriptor.openRegular(path).readAll(max: Self.bytesMax)
        }
        try self.init(bytes, name: path)
    }

    /// Reads a list from its bytes.
    ///
    /// - Parameters:
    ///   - bytes: the list.
    ///   - path: its name in messages.
    init(_ bytes: [UInt8], name path: String) throws(IngestionError) {
        self.bytes = bytes
        var found: [(name: String, sha256: [UInt8])] = []
        var known = Set<String>()
        func refuse(_ line: Int, _ reason: String) -> IngestionError {
            IngestionError(
                .unreadableData, "\(path): line \(line) \(reason); write the list with: sha256sum FILES > NAME.batch")
        }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (place, line) in lines.enumerated() where !line.allSatisfy({ $0 <= 0x20 }) {
            // Line ends of Windows.
            let line = line.last == 0x0D ? line.dropLast() : line
            guard let text = String(validating: line, as: UTF8.self), let entry = DigestLine(text), !entry.exact.isEmpty
            else { throw refuse(place + 1, "is no digest and name") }
            let name = entry.exact.hasPrefix("./") ? String(entry.exact.dropFirst(2)) : entry.exact
            guard !Self.isName(name) else { throw refuse(place + 1, "names a list, and a list names data") }
            guard let inside = RelativePath(name), inside.text == name else {
                throw refuse(place + 1, "names no file in the list's folder or below")
            }
            guard known.insert(name).inserted else { throw refuse(place + 1, "names a file that is named before") }
            found.append((name, entry.sha256))
        }
        guard !found.isEmpty else {
            throw IngestionError(
                .unreadableData, "\(path): the list is empty; write it with: sha256sum FILES > NAME.batch")
        }
        entries = found
    }
}

/// A line that `sha256sum` writes, in the form of GNU or of BSD.
struct DigestLine: Sendable {
    /// The lines of a list; others are passed over.
    static func all(_ bytes: [UInt8]) -> [DigestLine] {
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { DigestLine($0) }
    }

    /// The file's name; empty where the line has none.
    let name: String
    /// The name as `sha256sum` means it, with spaces and asterisks at its beginning.
    let exact: String
    let sha256: [UInt8]

    init?(_ line: some StringProtocol) {
        let text = String(line.trimmingPrefix { $0 == " " || $0 == "\u{FEFF}" })
        // A name with a backslash or a line end is written with escapes, and the line says so.
        guard text.hasPrefix("\\") else {
            self.init(plain: text)
            return
        }
        guard let plain = DigestLine(plain: String(text.dropFirst())) else { return nil }
        self.init(
            name: Self.unescaped(plain.name), exact: Self.unescaped(plain.exact), sha256: plain.sha256)
    }

    private init(name: String, exact: String, sha256: [UInt8]) {
        (self.name, self.exact, self.sha256) = (name, exact, sha256)
    }

    private static func unescaped(_ name: String) -> String {
        var (out, isEscape) = ("", false)
        for sign in name {
            if isEscape {
                out.append(sign == "n" ? "\n" : sign == "r" ? "\r" : sign)
            } else if sign != "\\" {
                out.append(sign)
            }
            isEscape = !isEscape && sign == "\\"
        }
        return out
    }

    private init?(plain text: String) {
        if text.hasPrefix("SHA256 ("), text.count > 76, text.dropLast(64).hasSuffix(") = ") {
            guard let digest = bytes(hex: text.suffix(64).lowercased()) else { return nil }
            (name, sha256) = (String(text.dropFirst(8).dropLast(68)), digest)
            exact = name
            return
        }
        let parts = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        guard let first = parts.first, first.count == 64, let digest = bytes(hex: first.lowercased()) else {
            return nil
        }
        (name, sha256) = (parts.count > 1 ? String(parts[1].drop { $0 == " " || $0 == "*" }) : "", digest)
        let rest = text.dropFirst(64)
        exact = rest.hasPrefix("  ") || rest.hasPrefix(" *") ? String(rest.dropFirst(2)) : name
    }
}
