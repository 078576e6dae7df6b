import Cryptography
import Schemas
import Storage
import Tabular

/// The sidecar files of a delivered file: digests and signatures that the supplier placed beside it. They are read
/// once, and every later check uses these bytes.
struct Sidecars: Sendable, Equatable {
    /// The kind of a sidecar, which is the ending of its name. `sha256` and `manifest` state the file's digest; the
    /// others are signatures of the file or of the manifest.
    enum Kind: String, Sendable, CaseIterable {
        // Longer endings first: `x.manifest.sig` must not be taken for the signature of a file named `x.manifest`.
        case manifestMinisig = "manifest.minisig"
        case manifestSig = "manifest.sig"
        case sha256
        case manifest
        case minisig
        case sig

        /// Whether it is a signature, of the file or of its manifest.
        var isSignature: Bool { self != .sha256 && self != .manifest }

        /// Whether this kind satisfies what a source is required to bring.
        func serves(_ requirement: SourceRecord.Requirement) -> Bool {
            switch requirement {
            case .digest: self == .sha256 || self == .manifest
            case .signature: self == .minisig || self == .sig
            case .manifest: self == .manifest
            }
        }
    }

    /// Contents of the sidecars, by kind; an empty array stands for one that is too large to read.
    var files: [Kind: [UInt8]] = [:]
    /// Digest lists of the folder that may name the file: `SHA256SUMS`, BagIt's manifest (RFC 8493), a Data Package
    /// descriptor.
    var lists: [String: [UInt8]] = [:]
    /// The file's name as those lists write it.
    var name = ""
    /// The file's folder; files of one folder have the same lists.
    var folder = ""
    /// Of a batch of several files, the sidecars of each in order, with the lists of its folder; empty where none has any.
    var parts: [Sidecars] = []
    /// The list of files that is the batch; nil without one. The other sidecars are then the list's.
    var list: [UInt8]?
    /// Inode, size and time of each sidecar when it was read, so that only those very files are removed afterwards.
    var taken: [Kind: Delivery.FileIdentity] = [:]

    /// Largest sidecar that is read, in bytes. A digest list covers a whole folder and may have `listBytesMax`.
    static let bytesMax = 1 << 16
    private static let listBytesMax = 1 << 22
    /// The digest lists that are looked for in the file's folder.
    static let listNames = ["SHA256SUMS", "manifest-sha256.txt", "datapackage.json"]

    /// The name of a file's sidecar; nil when it would exceed the longest file name.
    static func name(_ kind: Kind, of name: FileName) -> FileName? {
        FileName(name.bytes + Array(".\(kind.rawValue)".utf8))
    }

    /// The file that a sidecar belongs to; nil when the name is not that of a sidecar.
    static func base(of name: FileName) -> FileName? {
        for kind in Kind.allCases {
            let end = Array(".\(kind.rawValue)".utf8)
            if name.bytes.suffix(end.count).elementsEqual(end) {
                return FileName(Array(name.bytes.dropLast(end.count)))
            }
        }
        return nil
    }

    /// No sidecars.
    init() {}

    var isEmpty: Bool { files.isEmpty && lists.isEmpty && parts.isEmpty && list == nil }

    /// Whether there is anything that a release of the batch needs; digest lists of a folder are not kept.
    var areKept: Bool { !files.isEmpty || list != nil || !parts.allSatisfy(\.files.isEmpty) }

    /// Reads the sidecars beside the files of a batch, and beside the list that names them.
    ///
    /// - Throws: as for a single file.
    init(beside input: BatchInput) throws(IngestionError) {
        guard input.list != nil || input.files.count > 1 else {
            try self.init(beside: input.files[0])
            return
        }
        self.init()
        if let list = input.list {
            self = try Sidecars(beside: input.name)
            self.list = list.bytes
        }
        // Read once a folder, not once a file.
        var known: [String: [String: [UInt8]]] = [:]
        var own: [Sidecars] = []
        for path in input.files {
            var part = try Sidecars(ownOf: path)
            if known[part.folder] == nil { known[part.folder] = try Self.lists(in: part.folder) }
            part.lists = known[part.folder] ?? [:]
            own.append(part)
        }
        if !own.allSatisfy({ $0.files.isEmpty && $0.lists.isEmpty }) { parts = own }
    }

    /// Reads the sidecars beside a file, and the digest lists of its folder.
    ///
    /// - Throws: `inputOutput` or `notPermitted` when one exists and cannot be read: an unreadable signature must not
    ///   count as a missing one.
    init(beside path: String) throws(IngestionError) {
        self.init()
        if path == StandardInput.name { return }
        self = try Sidecars(ownOf: path)
        lists = try Self.lists(in: folder)
        lists[name] = nil
    }

    /// Reads the sidecars beside a file.
    private init(ownOf path: String) throws(IngestionError) {
        (folder, name) = split(path)
        for kind in Kind.allCases {
            let sidecar = "\(path).\(kind.rawValue)"
            let status = try storing(reading: true) { () throws(StorageError) in try fileStatus(sidecar) }
            guard let status, status.size > 0 else { continue }
            // Too large to be a sidecar: counts as one without content.
            files[kind] = status.size > Self.bytesMax ? [] : try Self.read(sidecar, max: Self.bytesMax)
        }
    }

    /// The digest lists of a folder.
    static func lists(in folder: String) throws(IngestionError) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for list in listNames {
            let path = join(folder, list)
            if exists(path) { found[list] = try read(path, max: listBytesMax) }
        }
        return found
    }

    private static func read(_ path: String, max: Int) throws(IngestionError) -> [UInt8] {
        try storing(reading: true) { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: max) }
    }

    /// The digests and sizes that the sidecars and lists state for the file. An unparsable sidecar, and one that names
    /// another file, states nothing.
    ///
    /// - Parameter lists: the digest lists of the folder.
    func statements(and lists: StatedDigests) -> [StatedDigests.Statement] {
        var found: [StatedDigests.Statement] = []
        if let sum = files[.sha256].flatMap({ Self.sum($0, name) }) { found.append((".sha256", sum, nil)) }
        let document = files[.manifest].flatMap { try? JSONValue.parse($0) }
        // A resource that states nothing leaves it to the document.
        let resource = document.flatMap { StatedDigests.resources($0)[name] }.flatMap {
            $0.sha256 == nil && $0.size == nil ? nil : $0
        }
        if let stated = resource ?? document.flatMap({ StatedDigests.digest($0) }) {
            found.append((".manifest", stated.sha256, stated.size))
        }
        return found + lists.statements(for: name)
    }

    /// The digest in a file's own sidecar, the output of `sha256sum`. Its only line applies even when it has no name or
    /// an earlier one.
    private static func sum(_ bytes: [UInt8], _ name: String) -> [UInt8]? {
        let lines = DigestLine.all(bytes)
        return StatedDigests.stated(by: lines)[name]?.sha256 ?? (lines.count == 1 ? lines[0].sha256 : nil)
    }
}

/// What the digest lists of a folder state about its files.
struct StatedDigests {
    /// A list, and the digest and size that it states.
    typealias Statement = (from: String, sha256: [UInt8]?, size: Int?)

    /// By list in the order of their names, what it states by file.
    private var lists: [(name: String, stated: [String: (sha256: [UInt8]?, size: Int?)])] = []

    /// Reads digest lists. A Data Package that does not name a file makes no statement about it.
    init(_ lists: [String: [UInt8]]) {
        for (list, bytes) in lists.sorted(by: { $0.key < $1.key }) {
            if list.hasSuffix(".json") {
                let document = try? JSONValue.parse(bytes)
                self.lists.append((list, document.map(Self.resources) ?? [:]))
                continue
            }
            self.lists.append((list, Self.stated(by: DigestLine.all(bytes))))
        }
    }

    /// By file name, what the lines of `sha256sum` state. An exact name wins; otherwise the last path component decides,
    /// if exactly one line has it.
    fileprivate static func stated(by lines: [DigestLine]) -> [String: (sha256: [UInt8]?, size: Int?)] {
        var stated: [String: (sha256: [UInt8]?, size: Int?)] = [:]
        let alike = Dictionary(grouping: lines) { line in line.name.split(separator: "/").last.map(String.init) ?? "" }
        for (name, group) in alike where group.count == 1 { stated[name] = (group[0].sha256, nil) }
        for line in lines.reversed() {
            stated[line.name.hasPrefix("./") ? String(line.name.dropFirst(2)) : line.name] = (line.sha256, nil)
        }
        return stated
    }

    /// The statements about a file, by its name in the folder.
    func statements(for name: String) -> [Statement] {
        lists.compactMap { list in
            guard let stated = list.stated[name], stated.sha256 != nil || stated.size != nil else { return nil }
            return (list.name, stated.sha256, stated.size)
        }
    }

    /// By file name, the digest and size that a Data Package states for its resources of one file.
    fileprivate static func resources(_ document: JSONValue) -> [String: (sha256: [UInt8]?, size: Int?)] {
        var found: [String: (sha256: [UInt8]?, size: Int?)] = [:]
        for resource in document["resources"]?.items ?? [] {
            let paths = resource["path"]?.items?.compactMap(\.text) ?? resource["path"]?.text.map { [$0] } ?? []
            guard paths.count == 1, let name = paths[0].split(separator: "/").last.map(String.init) else { continue }
            // The first resource of a name counts, also when it states nothing.
            if found[name] == nil { found[name] = digest(resource) ?? (nil, nil) }
        }
        return found
    }

    /// The SHA-256 and the size in a resource or in a supplier's own manifest; nil when neither is there. In Data Package
    /// v2 `hash` is MD5 unless it is prefixed; only SHA-256 counts here.
    fileprivate static func digest(_ resource: JSONValue) -> (sha256: [UInt8]?, size: Int?)? {
        let text = (resource["hash"]?.text ?? resource["sha256"]?.text ?? "").lowercased()
        let plain = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let sum = plain.utf8.count == 64 ? bytes(hex: plain) : nil
        let size = (resource["bytes"] ?? resource["size"])?.whole.map { Int($0) }
        return sum == nil && size == nil ? nil : (sum, size)
    }
}

/// The sidecars of a delivered file in the form in which the store keeps them until the file's outcome is durable.
extension Sidecars {
    var document: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name),
            "files": .object(
                Dictionary(uniqueKeysWithValues: files.map { ($0.key.rawValue, JSONValue.string(base64($0.value))) })),
        ]
        if let list { members["list"] = .string(base64(list)) }
        if !parts.isEmpty { members["parts"] = .array(parts.map(\.document)) }
        return .object(members)
    }

    init(_ document: JSONValue) {
        name = document["name"]?.text ?? ""
        for (key, value) in document["files"]?.members ?? [:] {
            if let kind = Kind(rawValue: key), let bytes = value.text.flatMap({ bytes(base64: $0) }) {
                files[kind] = bytes
            }
        }
        list = document["list"]?.text.flatMap { bytes(base64: $0) }
        parts = document["parts"]?.items?.map { Sidecars($0) } ?? []
    }
}
