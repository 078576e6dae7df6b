import Cryptography
import Schemas
import Storage
import Tabular

/// The result of checking a file's integrity and origin against its sidecars.
package struct Provenance: Sendable {
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
    /// Of a batch of several files, the signed manifests of single ones; see `bindingFindings`.
    var manifests: [(file: Int, manifest: SignedManifest)] = []
    /// Of a batch of several files, the first one whose digest is wrong, and the first whose signature is; from 1.
    private var wrong: (digest: Int?, signature: Int?) = (nil, nil)
    private var fileCount = 1
    /// Findings about the whole batch; each rejects it.
    var findings: [Finding] = []

    /// No sidecars, and none required.
    init() {}

    /// Whether there was nothing to check.
    package var isSilent: Bool { digest == .absent && signature == .absent && findings.isEmpty }

    /// Checks a source against its sidecars.
    ///
    /// A wrong digest or signature is a finding, never an error.
    ///
    /// - Parameters:
    ///   - sidecars: the sidecars as they were read.
    ///   - source: the files, which are read again where a signature covers them.
    ///   - digest: the digest from the first pass.
    ///   - rule: trusted keys and required sidecars of the source; nil for a source that is not configured.
    /// - Throws: when a file cannot be read.
    init(
        _ sidecars: Sidecars, _ source: SourceFiles, _ digest: SourceDigest, rule: SourceRecord?
    ) throws(IngestionError) {
        if source.parts.count == 1, sidecars.list == nil {
            let lists = StatedDigests(sidecars.lists)
            try self.init(sidecars, lists, SignedContent(source.parts[0]), sha256: digest.whole, rule: rule)
        } else {
            try self.init(files: sidecars, source, digest, rule: rule)
        }
        judge(rule)
    }

    /// Checks several files: each against its own sidecars and against the list that names them, and the list against
    /// its own. A signature of the list counts for all files, since the list states their digests.
    private init(
        files sidecars: Sidecars, _ source: SourceFiles, _ digest: SourceDigest, rule: SourceRecord?
    ) throws(IngestionError) {
        var parts: [Provenance] = []
        var stated: [String: StatedDigests] = [:]
        let list = sidecars.list.flatMap { try? FileList($0, name: source.path) }
        for (place, file) in source.parts.enumerated() {
            let own = place < sidecars.parts.count ? sidecars.parts[place] : Sidecars()
            let sha256 = digest.parts[place].sha256
            let lists = stated[own.folder] ?? StatedDigests(own.lists)
            stated[own.folder] = lists
            var part = try Provenance(own, lists, SignedContent(file), sha256: sha256, rule: rule)
            if sidecars.list != nil {
                let isRight = list?.entries.count == source.parts.count && list?.entries[place].sha256 == sha256
                if part.digest != .refuted {
                    (part.digest, part.digestFrom) = (isRight ? .confirmed : .refuted, ".batch")
                }
            }
            parts.append(part)
        }
        var whole = Provenance()
        if let bytes = sidecars.list {
            whole = try Provenance(
                sidecars, StatedDigests(sidecars.lists), SignedContent(bytes), sha256: SHA256.hash(bytes), rule: rule)
        }
        self = whole
        self.sidecars = sidecars
        // Nothing is confirmed of a batch unless it is of every file.
        let digests = parts.map(\.digest) + (whole.digest == .refuted ? [.refuted] : [])
        self.digest = .common(digests)
        digestFrom = parts.first { $0.digest == self.digest }?.digestFrom ?? whole.digestFrom
        let signatures = parts.map(\.signature)
        fileCount = parts.count
        wrong = (
            parts.firstIndex { $0.digest == .refuted }.map { $0 + 1 },
            parts.firstIndex { $0.signature == .refuted }.map { $0 + 1 }
        )
        manifests = parts.enumerated().compactMap { place, part in part.manifest.map { (place + 1, $0) } }
        // The list's signature is one of all files: it states their digests.
        if whole.signature == .confirmed, !signatures.contains(.refuted) { return }
        (signature, signer, manifest) = (.common(signatures + (whole.signature == .refuted ? [.refuted] : [])), "", nil)
        if whole.signature == .unchecked, signature == .absent { signature = .unchecked }
        if signature == .confirmed { signer = Set(parts.map(\.signer)).sorted().joined(separator: ", ") }
    }

    /// Checks a file against its sidecars, and against the digest lists of its folder.
    private init(
        _ sidecars: Sidecars, _ lists: StatedDigests, _ source: SignedContent, sha256: [UInt8], rule: SourceRecord?
    ) throws(IngestionError) {
        self.sidecars = sidecars
        for statement in sidecars.statements(and: lists) {
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
    }

    /// Adds what is wrong or missing as findings.
    private mutating func judge(_ rule: SourceRecord?) {
        func reject(_ code: FindingCode, _ file: Int? = nil) {
            var finding = Finding(code, outcome: .rejected, at: .batch)
            if let file { finding.rule = "file \(file) of \(fileCount)" }
            findings.append(finding)
        }
        if digest == .refuted { reject(.digestMismatch, wrong.digest) }
        if digest == .absent, rule?.required.contains(.digest) == true { reject(.digestMissing) }
        if signature == .refuted { reject(.signatureInvalid, wrong.signature) }
        if signature == .absent || signature == .unchecked, rule?.required.contains(.signature) == true {
            reject(.signatureMissing)
        }
    }

    /// Checks one detached signature against the trusted keys, and sets `signature` and `signer`.
    ///
    /// The file is hashed while it is read for the signature. If its digest is no longer that of the first pass, the
    /// signature counts as refuted.
    private mutating func check(
        _ made: DetachedSignature?, of source: SignedContent, sha256: [UInt8], rule: SourceRecord?
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
        var folders: [String: [String: [UInt8]]] = [:]
        for part in sidecars.parts { folders[part.folder] = part.lists }
        let all =
            sidecars.parts.flatMap(\.files.values) + folders.values.flatMap(\.values)
            + (sidecars.list.map { [$0] } ?? [])
        let kept = (Array(sidecars.files.values) + sidecars.lists.values + all).map { hex(SHA256.hash($0)) }.sorted()
        return .object([
            "digest": .string(digest.rawValue), "digest_from": .string(digestFrom),
            "signature": .string(signature.rawValue), "signer": .string(signer),
            "sidecars_sha256": .array(kept.map { .string($0) }),
        ])
    }
}

extension Provenance.Answer {
    /// The answer for several files together: wrong as soon as one is wrong, confirmed only if all are.
    fileprivate static func common(_ answers: [Self]) -> Self {
        if answers.contains(.refuted) { return .refuted }
        if answers.allSatisfy({ $0 == .confirmed }) { return .confirmed }
        return answers.contains(.unchecked) ? .unchecked : .absent
    }
}

/// What a signature is checked for: a file, or a list of files.
private struct SignedContent {
    let size: Int
    private let file: InputFile?
    private let bytes: [UInt8]

    init(_ file: InputFile) { (self.file, bytes, size) = (file, [], file.size) }

    init(_ bytes: [UInt8]) { (file, self.bytes, size) = (nil, bytes, bytes.count) }

    func forEachChunk(_ body: (Span<UInt8>) throws(IngestionError) -> Void) throws(IngestionError) {
        if let file { try file.forEachChunk(body) } else { try body(bytes.span) }
    }
}
