import Cryptography
import Lineage
import Masking
import Sealing
import Sketches
import Synchronization
import Tabular

/// The salts of the subjects that a store knows (`perSubject`), and of those that a batch adds.
///
/// Each batch seals the salts of its new subjects into a file of its own (`evidence/subject-keys.sluice`): the line
/// `sluice-subject-keys-v1`, then for each subject its tag (64 bits, little-endian) and 32 random bytes, ascending by tag.
/// An erasure takes them out like rows.
final class SubjectKeyring: SubjectSalts {
    private let hash: KeyedHash
    private let salts: Mutex<(known: [SubjectTag: [UInt8]], fresh: [SubjectTag: [UInt8]], used: Set<SubjectTag>)>
    private static let magic = Array("sluice-subject-keys-v1\n".utf8)
    private static let entryCount = 8 + ValueCipher.saltCount

    /// The files that the known salts are from.
    private let files: [String]

    private init(_ hash: KeyedHash, known: [SubjectTag: [UInt8]], from files: [String] = []) {
        self.hash = hash
        self.files = files
        salts = Mutex((known, [:], []))
    }

    /// Refuses to make keys that the store could not read again: later batches would be refused, or equal values of a subject would
    /// differ in silence.
    ///
    /// - Throws: `notPermitted`.
    static func requireReadable(laterBy store: Store, of dataset: String) throws(IngestionError) {
        if store.canOpen(dataset) { return }
        throw IngestionError(
            .notPermitted,
            "the contract gives each subject a key of its own (perSubject), and dataset \(dataset) has no recipient whose key this store "
                + "can use to read them for later batches; add a recipient kek: NAME, or take perSubject out of the contract"
        )
    }

    /// The salts of a store.
    convenience init(of store: Store, hash: KeyedHash) throws(IngestionError) {
        let ring = try store.keyRing()
        var known: [SubjectTag: [UInt8]] = [:]
        let files = try store.subjectKeyFiles()
        // The first one counts.
        for file in files { known.merge(try store.salts(in: file, ring)) { first, _ in first } }
        self.init(hash, known: known, from: files.map(\.digest))
    }

    /// Salts for a run that keeps nothing.
    convenience init(transient hash: KeyedHash) { self.init(hash, known: [:]) }

    func salt(of subject: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let tag = SubjectTag(subject.span, 0..<subject.count, hash)
        let found = salts.withLock { salts -> [UInt8]? in
            salts.used.insert(tag)
            return salts.known[tag] ?? salts.fresh[tag]
        }
        if let found { return found }
        let made = try randomBytes(ValueCipher.saltCount)
        return salts.withLock { salts in
            let kept = salts.fresh[tag] ?? made
            salts.fresh[tag] = kept
            return kept
        }
    }

    /// The salts of new subjects, to be sealed; nil for none.
    var added: [UInt8]? {
        salts.withLock { $0.fresh.isEmpty ? nil : Self.encoded($0.fresh) }
    }

    /// Refuses to commit what was encrypted with other salts than the store has now: another batch gave one to the same
    /// subject, or one was erased.
    ///
    /// - Throws: `tryAgain`.
    func requireCurrent(in store: Store) throws(IngestionError) {
        if try store.subjectKeyFiles().map(\.digest) == files { return }
        let now = try SubjectKeyring(of: store, hash: hash).salts.withLock { $0.known }
        let isCurrent = salts.withLock { salts in
            salts.used.allSatisfy { tag in
                if let fresh = salts.fresh[tag] { return now[tag] == nil || now[tag] == fresh }
                return now[tag] == salts.known[tag]
            }
        }
        if !isCurrent {
            throw IngestionError(
                .tryAgain, "keys of single subjects were added or erased while the batch was in work; try again")
        }
    }

    private static func encoded(_ salts: [SubjectTag: [UInt8]]) -> [UInt8] {
        var out = magic
        for (tag, salt) in salts.sorted(by: { $0.key < $1.key }) {
            for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: tag.word >> UInt64(8 * shift))) }
            out += salt
        }
        return out
    }

    /// Reads a file of salts; nil if it is damaged.
    static func decoded(_ bytes: [UInt8]) -> [SubjectTag: [UInt8]]? {
        guard bytes.starts(with: magic), (bytes.count - magic.count) % entryCount == 0 else { return nil }
        var salts: [SubjectTag: [UInt8]] = [:]
        for at in stride(from: magic.count, to: bytes.count, by: entryCount) {
            var word: UInt64 = 0
            for shift in 0..<8 { word |= UInt64(bytes[at + shift]) << UInt64(8 * shift) }
            salts[SubjectTag(word: word)] = Array(bytes[at + 8..<at + entryCount])
        }
        return salts
    }

    /// A file of salts without those of some tags; nil if it has none of them.
    static func removing(_ tags: Set<SubjectTag>, from salts: [SubjectTag: [UInt8]]) -> [UInt8]? {
        let left = salts.filter { !tags.contains($0.key) }
        return left.count == salts.count ? nil : encoded(left)
    }
}

extension Store {
    /// The files of salts of subjects, oldest first; also those of batches that were replaced, since later batches use them.
    func subjectKeyFiles() throws(IngestionError) -> [PublishedFile] {
        let (log, state) = try proven()
        let sequences = state.datasets(with: .subjectKeys).flatMap { state.publications($0, role: .subjectKeys) }
        var found: [PublishedFile] = []
        for sequence in sequences.sorted() {
            let entry = try recording { () throws(LedgerError) in try log.entry(sequence) }
            for file in entry.files where file.role == .subjectKeys {
                let standing = try recording { () throws(LedgerError) in try log.standing(of: file) }
                if case .present(let now) = standing { found.append(now) }
            }
        }
        return found
    }

    /// The salts in one file.
    func salts(in file: PublishedFile, _ ring: KeyRing) throws(IngestionError) -> [SubjectTag: [UInt8]] {
        let bytes = try readRecorded(
            file, keys: ring, expect: ["batch-id": file.batch, "role": FileRole.subjectKeys.rawValue])
        guard let salts = SubjectKeyring.decoded(bytes) else {
            throw IngestionError(.damaged, "\(place(of: file)): it has no keys of subjects that this version reads")
        }
        return salts
    }
}
