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

    var isEmpty: Bool { files.isEmpty && lists.isEmpty }

    /// Reads the sidecars beside a file.
    ///
    /// - Throws: `inputOutput` or `notPermitted` when one exists and cannot be read: an unreadable signature must not
    ///   count as a missing one.
    init(beside path: String) throws(IngestionError) {
        if path == StandardInput.name { return }
        let (folder, name) = split(path)
        self.name = name
        for kind in Kind.allCases {
            let sidecar = "\(path).\(kind.rawValue)"
            let status = try storing(reading: true) { () throws(StorageError) in try fileStatus(sidecar) }
            guard let status, status.size > 0 else { continue }
            // Too large to be a sidecar: counts as one without content.
            files[kind] = status.size > Self.bytesMax ? [] : try Self.read(sidecar, max: Self.bytesMax)
        }
        for list in Self.listNames where list != name {
            let path = join(folder, list)
            if exists(path) { lists[list] = try Self.read(path, max: Self.listBytesMax) }
        }
    }

    private static func read(_ path: String, max: Int) throws(IngestionError) -> [UInt8] {
        try storing(reading: true) { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: max) }
    }

    /// The digests and sizes that the sidecars and lists state for the file. An unparsable sidecar, and one that names
    /// another file, states nothing.
    func statements() -> [(from: String, sha256: [UInt8]?, size: Int?)] {
        var found: [(from: String, sha256: [UInt8]?, size: Int?)] = []
        if let sum = files[.sha256].flatMap({ Self.sum($0, name, isOwn: true) }) { found.append((".sha256", sum, nil)) }
        let document = files[.manifest].flatMap { try? JSONValue.parse($0) }
        if let stated = document.flatMap({ Self.resource($0, name) ?? Self.digest($0) }) {
            found.append((".manifest", stated.sha256, stated.size))
        }
        for (list, bytes) in lists.sorted(by: { $0.key < $1.key }) {
            if list.hasSuffix(".json") {
                // A package that does not name the file makes no statement about it.
                guard let document = try? JSONValue.parse(bytes), let stated = Self.resource(document, name) else {
                    continue
                }
                if stated.sha256 != nil || stated.size != nil { found.append((list, stated.sha256, stated.size)) }
            } else if let sum = Self.sum(bytes, name, isOwn: false) {
                found.append((list, sum, nil))
            }
        }
        return found
    }

    /// Finds the file's digest in the output of `sha256sum`, GNU or BSD form.
    ///
    /// - Parameters:
    ///   - bytes: the list.
    ///   - name: the file's name.
    ///   - isOwn: whether the list is the file's own sidecar. Its only line then applies even when it has no name or an
    ///     earlier one.
    private static func sum(_ bytes: [UInt8], _ name: String, isOwn: Bool) -> [UInt8]? {
        var lines: [(name: String, digest: [UInt8])] = []
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = line.trimmingPrefix { $0 == " " || $0 == "\u{FEFF}" }
            if text.hasPrefix("SHA256 ("), text.count > 76, text.dropLast(64).hasSuffix(") = ") {
                if let digest = Cryptography.bytes(hex: text.suffix(64).lowercased()) {
                    lines.append((String(text.dropFirst(8).dropLast(68)), digest))
                }
                continue
            }
            let parts = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = parts.first, first.count == 64,
                let digest = Cryptography.bytes(hex: first.lowercased())
            else { continue }
            lines.append((parts.count > 1 ? String(parts[1].drop { $0 == " " || $0 == "*" }) : "", digest))
        }
        // An exact name wins; otherwise the last path component decides, if exactly one line has it.
        func last(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }
        if let line = lines.first(where: { $0.name == name || $0.name == "./" + name }) { return line.digest }
        let alike = lines.filter { last($0.name) == last(name) }
        if alike.count == 1 { return alike[0].digest }
        return isOwn && lines.count == 1 ? lines[0].digest : nil
    }

    /// The digest and size that a Data Package states for one of its resources. In Data Package v2 `hash` is MD5 unless
    /// it is prefixed; only SHA-256 counts here.
    private static func resource(_ document: JSONValue, _ name: String) -> (sha256: [UInt8]?, size: Int?)? {
        for resource in document["resources"]?.items ?? [] {
            let paths = resource["path"]?.items?.compactMap(\.text) ?? resource["path"]?.text.map { [$0] } ?? []
            if paths.count == 1, paths[0].split(separator: "/").last.map(String.init) == name {
                return digest(resource)
            }
        }
        return nil
    }

    /// The SHA-256 and the size in a resource or in a supplier's own manifest; nil when neither is there.
    private static func digest(_ resource: JSONValue) -> (sha256: [UInt8]?, size: Int?)? {
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
        .object([
            "name": .string(name),
            "files": .object(
                Dictionary(uniqueKeysWithValues: files.map { ($0.key.rawValue, JSONValue.string(base64($0.value))) })),
        ])
    }

    init(_ document: JSONValue) {
        name = document["name"]?.text ?? ""
        for (key, value) in document["files"]?.members ?? [:] {
            if let kind = Kind(rawValue: key), let bytes = value.text.flatMap({ bytes(base64: $0) }) {
                files[kind] = bytes
            }
        }
    }
}

/// The result of checking a file's integrity and origin against its sidecars.
package struct Provenance: Sendable, Equatable {
    /// The result of one check.
    package enum Answer: String, Sendable {
        /// A statement exists and holds.
        case confirmed
        /// A statement exists and is wrong.
        case refuted
        /// There is no statement.
        case absent
        /// There is a signature, and no trusted key is configured for the source to check it with.
        case unchecked
    }

    /// The result for the digest, and the sidecar or list that stated it.
    package var digest = Answer.absent, digestFrom = ""
    /// The result for the signature.
    package var signature = Answer.absent
    /// The signer: format and fingerprint of the key; empty when no signature was confirmed.
    package var signer = ""
    /// The signed manifest that binds the file to its dataset; nil without one.
    package var manifest: SignedManifest?
    /// The sidecars that were checked.
    var sidecars = Sidecars()
    /// Findings about the whole batch; each rejects it.
    var findings: [Finding] = []

    /// No sidecars, and none required.
    init() {}

    /// Whether there was nothing to check.
    package var isSilent: Bool { digest == .absent && signature == .absent && findings.isEmpty }

    /// Checks a file against its sidecars.
    ///
    /// A wrong digest or signature is a finding, never an error.
    ///
    /// - Parameters:
    ///   - sidecars: the sidecars as they were read.
    ///   - source: the file, which is read again where a signature covers it.
    ///   - sha256: the file's digest from the first pass.
    ///   - rule: trusted keys and required sidecars of the source; nil for a source that is not configured.
    /// - Throws: when the file cannot be read.
    init(
        _ sidecars: Sidecars, _ source: InputFile, sha256: [UInt8], rule: SourceRecord?
    ) throws(IngestionError) {
        self.sidecars = sidecars
        for statement in sidecars.statements() {
            let isRight =
                (statement.sha256 != nil || statement.size != nil)
                && (statement.sha256.map { $0 == sha256 } ?? true)
                && (statement.size.map { $0 == source.size } ?? true)
            if digest == .refuted { break }
            // A size alone does not confirm a digest.
            digest = !isRight ? .refuted : statement.sha256 == nil && digest == .absent ? .absent : .confirmed
            digestFrom = statement.from
        }
        for kind in [Sidecars.Kind.minisig, .sig] where signature != .confirmed {
            if let file = sidecars.files[kind] {
                try check(DetachedSignature(file), of: source, sha256: sha256, rule: rule)
            }
        }
        manifest = try SignedManifest(sidecars, sha256: sha256, rule)
        // A signed manifest that states the file's digest counts as a signature of the file.
        if let manifest, digest != .refuted { (signature, signer) = (.confirmed, manifest.signer) }
        func reject(_ code: FindingCode) { findings.append(Finding(code, outcome: .rejected, at: .batch)) }
        if digest == .refuted { reject(.digestMismatch) }
        if digest == .absent, rule?.required.contains(.digest) == true { reject(.digestMissing) }
        if signature == .refuted { reject(.signatureInvalid) }
        if signature == .absent || signature == .unchecked, rule?.required.contains(.signature) == true {
            reject(.signatureMissing)
        }
    }

    /// Checks one detached signature against the trusted keys, and sets `signature` and `signer`.
    ///
    /// The file is hashed while it is read for the signature. If its digest is no longer that of the first pass, the
    /// signature counts as refuted.
    private mutating func check(
        _ made: DetachedSignature?, of source: InputFile, sha256: [UInt8], rule: SourceRecord?
    ) throws(IngestionError) {
        let keys = rule?.keys ?? []
        guard !keys.isEmpty else {
            signature = .unchecked
            return
        }
        signature = .refuted
        guard let made, made.function != nil || source.size <= DetachedSignature.oldFormMax else { return }
        var signed: [UInt8] = []
        var hasher = SHA256()
        if let function = made.function {
            let begun: MessageDigest
            do throws(CryptographyError) { begun = try MessageDigest(function) } catch {
                throw IngestionError(.software, error.description)
            }
            var digest = begun
            try source.forEachChunk { (chunk) throws(IngestionError) in
                hasher.update(chunk)
                digest.update(chunk)
            }
            signed = digest.finish()
        } else {
            try source.forEachChunk { (chunk) throws(IngestionError) in
                hasher.update(chunk)
                for at in chunk.indices { signed.append(chunk[at]) }
            }
        }
        // The signed bytes must be those of the first pass: the file could have been swapped in between.
        guard hasher.finish() == sha256 else { return }
        guard let key = made.signer(signed, keys, namespace: rule?.namespace ?? "file") else { return }
        signature = .confirmed
        signer = "\(key.format.rawValue) \(key.fingerprint)"
    }

    /// The result as the report and the ledger state it; nil when there was nothing to check. It holds hashes of the
    /// sidecars, never their text.
    var document: JSONValue? {
        if isSilent { return nil }
        let kept = (Array(sidecars.files.values) + sidecars.lists.values).map { hex(SHA256.hash($0)) }.sorted()
        return .object([
            "digest": .string(digest.rawValue), "digest_from": .string(digestFrom),
            "signature": .string(signature.rawValue), "signer": .string(signer),
            "sidecars_sha256": .array(kept.map { .string($0) }),
        ])
    }
}
