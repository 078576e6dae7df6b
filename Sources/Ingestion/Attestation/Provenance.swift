import Cryptography
import Schemas
import Storage
import Tabular

/// What came beside a file to vouch for it: small files of its supplier's, as they were read once.
struct Sidecars: Sendable, Equatable {
    /// What a sidecar is, by the end of its name; the first two say what the file's digest is, the others sign it.
    enum Kind: String, Sendable, CaseIterable {
        // Longer endings first: `x.manifest.sig` is no signature of a file `x.manifest`.
        case manifestMinisig = "manifest.minisig"
        case manifestSig = "manifest.sig"
        case sha256
        case manifest
        case minisig
        case sig

        var isSignature: Bool { self != .sha256 && self != .manifest }

        /// Whether it may be what a source must bring.
        func serves(_ requirement: SourceRecord.Requirement) -> Bool {
            switch requirement {
            case .digest: self == .sha256 || self == .manifest
            case .signature: self == .minisig || self == .sig
            case .manifest: self == .manifest
            }
        }
    }

    /// The sidecars by kind.
    var files: [Kind: [UInt8]] = [:]
    /// Lists of digests that stand in the same folder and name the file: SHA256SUMS, BagIt's manifest, a Data Package.
    var lists: [String: [UInt8]] = [:]
    /// The name that the lists know the file by.
    var name = ""
    /// Which files they were, so that no others are removed for them.
    var taken: [Kind: Delivery.FileIdentity] = [:]

    /// Bytes of a sidecar at most; a list of a folder may have more.
    static let bytesMax = 1 << 16
    private static let listBytesMax = 1 << 22
    static let listNames = ["SHA256SUMS", "manifest-sha256.txt", "datapackage.json"]

    /// The name of a file's sidecar; nil when it would be too long for one.
    static func name(_ kind: Kind, of name: FileName) -> FileName? {
        FileName(name.bytes + Array(".\(kind.rawValue)".utf8))
    }

    /// The file that a sidecar is of; nil when the name is no sidecar's.
    static func base(of name: FileName) -> FileName? {
        for kind in Kind.allCases {
            let end = Array(".\(kind.rawValue)".utf8)
            if name.bytes.suffix(end.count).elementsEqual(end) {
                return FileName(Array(name.bytes.dropLast(end.count)))
            }
        }
        return nil
    }

    /// Nothing came.
    init() {}

    var isEmpty: Bool { files.isEmpty && lists.isEmpty }

    /// Reads what stands beside a file. What cannot be read is an error: an unreadable signature is not a missing one.
    init(beside path: String) throws(IngestionError) {
        if path == StandardInput.name { return }
        let (folder, name) = split(path)
        self.name = name
        for kind in Kind.allCases {
            let sidecar = "\(path).\(kind.rawValue)"
            let status = try storing(reading: true) { () throws(StorageError) in try fileStatus(sidecar) }
            guard let status, status.size > 0 else { continue }
            // One that is too large to be any says nothing that can be read.
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

    /// What they say of the file's digest and size. What cannot be read, or is of another file, says nothing.
    func statements() -> [(from: String, sha256: [UInt8]?, size: Int?)] {
        var found: [(from: String, sha256: [UInt8]?, size: Int?)] = []
        if let sum = files[.sha256].flatMap({ Self.sum($0, name, isOwn: true) }) { found.append((".sha256", sum, nil)) }
        let document = files[.manifest].flatMap { try? JSONValue.parse($0) }
        if let told = document.flatMap({ Self.resource($0, name) ?? Self.digest($0) }) {
            found.append((".manifest", told.sha256, told.size))
        }
        for (list, bytes) in lists.sorted(by: { $0.key < $1.key }) {
            if list.hasSuffix(".json") {
                // A package that does not name the file says nothing of it.
                guard let document = try? JSONValue.parse(bytes), let told = Self.resource(document, name) else {
                    continue
                }
                if told.sha256 != nil || told.size != nil { found.append((list, told.sha256, told.size)) }
            } else if let sum = Self.sum(bytes, name, isOwn: false) {
                found.append((list, sum, nil))
            }
        }
        return found
    }

    /// A line of `sha256sum`, or of its BSD form.
    ///
    /// - Parameter isOwn: whether the list is about this one file: then a bare digest, or a line under an older name, is it.
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
        // The name itself first; by its last part only where one line has it.
        func last(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }
        if let line = lines.first(where: { $0.name == name || $0.name == "./" + name }) { return line.digest }
        let alike = lines.filter { last($0.name) == last(name) }
        if alike.count == 1 { return alike[0].digest }
        return isOwn && lines.count == 1 ? lines[0].digest : nil
    }

    /// What a Data Package says of one of its resources (Data Package v2: `hash` is MD5 unless it says otherwise, and that proves
    /// nothing).
    private static func resource(_ document: JSONValue, _ name: String) -> (sha256: [UInt8]?, size: Int?)? {
        for resource in document["resources"]?.items ?? [] {
            let paths = resource["path"]?.items?.compactMap(\.text) ?? resource["path"]?.text.map { [$0] } ?? []
            if paths.count == 1, paths[0].split(separator: "/").last.map(String.init) == name {
                return digest(resource)
            }
        }
        return nil
    }

    private static func digest(_ resource: JSONValue) -> (sha256: [UInt8]?, size: Int?)? {
        let text = (resource["hash"]?.text ?? resource["sha256"]?.text ?? "").lowercased()
        let plain = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let sum = plain.utf8.count == 64 ? bytes(hex: plain) : nil
        let size = (resource["bytes"] ?? resource["size"])?.whole.map { Int($0) }
        return sum == nil && size == nil ? nil : (sum, size)
    }
}

/// What a delivered file's sidecars were, kept beside it in the store until its outcome is durable.
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

/// Whether a file is the one that its supplier sent.
package struct Provenance: Sendable, Equatable {
    /// What was found out.
    package enum Answer: String, Sendable {
        /// It is.
        case confirmed
        /// It is not.
        case refuted
        /// Nothing was said of it.
        case absent
        /// Something was said, and nobody's word counts: no key is trusted for the source.
        case unchecked
    }

    /// What was said of its digest, and where.
    package var digest = Answer.absent, digestFrom = ""
    /// What its signature says.
    package var signature = Answer.absent
    /// Who signed it, as the key's fingerprint.
    package var signer = ""
    /// The manifest that binds it, where a trusted key signed one.
    package var manifest: SignedManifest?
    /// The sidecars that it rests on.
    var sidecars = Sidecars()
    /// Findings about the whole batch.
    var findings: [Finding] = []

    /// Nothing came beside the file, and nothing had to.
    init() {}

    /// Whether anything was looked at.
    package var isSilent: Bool { digest == .absent && signature == .absent && findings.isEmpty }

    /// Checks what came beside a file.
    ///
    /// - Parameters:
    ///   - sha256: the file's digest, as the first pass made it.
    ///   - rule: what the source must bring.
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
            // A size alone is no digest.
            digest = !isRight ? .refuted : statement.sha256 == nil && digest == .absent ? .absent : .confirmed
            digestFrom = statement.from
        }
        for kind in [Sidecars.Kind.minisig, .sig] where signature != .confirmed {
            if let file = sidecars.files[kind] {
                try check(DetachedSignature(file), of: source, sha256: sha256, rule: rule)
            }
        }
        manifest = try SignedManifest(sidecars, sha256: sha256, rule)
        // A manifest that is signed and has the file's digest is a signature of the file.
        if let manifest, digest != .refuted { (signature, signer) = (.confirmed, manifest.signer) }
        func reject(_ code: FindingCode) { findings.append(Finding(code, outcome: .rejected, row: 0)) }
        if digest == .refuted { reject(.digestMismatch) }
        if digest == .absent, rule?.required.contains(.digest) == true { reject(.digestMissing) }
        if signature == .refuted { reject(.signatureInvalid) }
        if signature == .absent || signature == .unchecked, rule?.required.contains(.signature) == true {
            reject(.signatureMissing)
        }
    }

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
        // What is signed must be what was read: the file could have been swapped in between.
        guard hasher.finish() == sha256 else { return }
        guard let key = made.signer(signed, keys, namespace: rule?.namespace ?? "file") else { return }
        signature = .confirmed
        signer = "\(key.format.rawValue) \(key.fingerprint)"
    }

    /// What the record says of it; nil when there is nothing to say.
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
