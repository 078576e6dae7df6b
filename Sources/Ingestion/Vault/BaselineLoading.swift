import Cryptography
import Lineage
import Schemas
import Screening
import Sealing
import Sketches
import Synchronization
import Tabular

/// A loaded baseline: the merged sample and the batches that it comes from.
struct LoadedBaseline: Sendable {
    var merged: Baseline
    /// The numbers of each batch by itself; kept for an anchor only.
    var parts: [Baseline]
    var batches: [String]
    /// The ledger entries that published its batches.
    var entries: [Int]
    /// Numeric features of the newest batch that are not numeric now.
    var lost: [String]
    /// The drift from the anchor that the newest batch had accumulated.
    var slow: SlowDrift?
    /// By batch, hashes of whole rows, without those of the file being judged. Replayed rows are found by them.
    var rowCodes: [[UInt64]] = []

    /// A digest of the batch ids, from which the seed of a decision follows.
    var identity: [UInt8] { SHA256.hash(Array(batches.sorted().joined(separator: ",").utf8)) }
}

extension Store {
    /// Number of accepted batches in a rolling baseline, where the contract does not set it.
    static var baselineBatches: Int { BaselineRules().batches }
    /// Most files that are merged when they are small and have few rows.
    static var baselineFilesMax: Int { 200 }

    /// The baseline that a batch is judged by.
    ///
    /// Each accepted batch has one sealed sample. The proven record lists them, never the folder, and a recorded file
    /// that is missing stops the batch. An anchor or a pinned baseline is a recorded list of such files.
    ///
    /// - Parameters:
    ///   - loader: the dataset and the compared features.
    ///   - source: the supplier, whose own batches are preferred; empty when none is named.
    ///   - digest: SHA-256 of the file being judged.
    ///   - superseded: a batch that this one is to replace, and is not compared with.
    ///   - history: numbers of batches and rows that the contract wants.
    /// - Returns: nil on cold start.
    /// - Throws: `tryAgain` when a recorded file is missing or changed.
    func baseline(
        _ loader: BaselineLoader, source: String, digest: [UInt8], superseded: String?, history: BaselineRules
    ) throws(IngestionError) -> JudgingBaseline? {
        let (dataset, cache) = (loader.dataset, loader.cache)
        let (log, state) = try proven()
        let recorded = state.publications(dataset, role: .baseline)
        if recorded.isEmpty { return nil }
        var loader = loader
        loader.judged = hex(digest)
        loader.excluded = state.excluded.union(superseded.map { [$0] } ?? [])
        func files(_ sequences: [Int]) -> RecordedFiles {
            RecordedFiles(log: log, role: .baseline, sequences: sequences)
        }
        // By the source's own batches, where it has enough: a few rows of its own must not switch the comparison off.
        let own = source.isEmpty ? [] : state.publications(dataset, role: .baseline, source: source)
        loader.own = source.isEmpty ? nil : Set(own)
        var rolling =
            own.isEmpty ? nil : try loader.load(files(own.reversed()), limit: history.batches, rows: history.rows)
        if (rolling?.merged.sample.count ?? 0) < Self.ownRowsMin { rolling = nil }
        let all = try loader.load(files(recorded.reversed()), limit: history.batches, rows: history.rows)
        // Rows may be copied from any source's batch.
        rolling?.rowCodes = all?.rowCodes ?? []
        if rolling == nil { rolling = all }
        // Keeps the baselines of several sources that deliver in turn, and drops older ones.
        cache?.forget(dataset, before: recorded.suffix(Self.baselinesKept).first ?? 0)
        let named = try namedBaselines(dataset: dataset)
        guard let chosen = named.last(where: \.isPinned) ?? named.last(where: \.isAnchor) else {
            return rolling.map { JudgingBaseline(main: $0, newest: $0) }
        }
        // Trigger candidates add up over the last batches of a supplier, while the anchor is compared as a whole.
        loader.own = []
        guard let main = try loader.load(try self.files(of: chosen), limit: .max, keepsParts: chosen.isAnchor) else {
            throw IngestionError(
                .damaged,
                "baseline \(chosen.name) of dataset \(dataset) has no batch that can be read; to go on without it: sluice baseline retire "
                    + "\(chosen.name) --dataset \(dataset) --reason TEXT"
            )
        }
        var judging = JudgingBaseline(main: main, newest: rolling ?? main)
        judging.name = chosen.name
        judging.digest = chosen.digest
        judging.rolling = chosen.isPinned ? nil : rolling?.merged
        judging.anchor = chosen.isAnchor ? ReferenceLevels(digest: chosen.digestBytes, main.parts) : nil
        return judging
    }

    /// Whether this store has a key for a recorded file. It has none where the file was sealed only for recipients whose keys are
    /// elsewhere: such a store seals and cannot open.
    ///
    /// - Throws: `notPermitted` when the record shows that such a key was used here and is now missing.
    func hasKey(for file: PublishedFile, in ring: KeyRing) throws(IngestionError) -> Bool {
        let (log, state) = try proven()
        let standing = try recording { () throws(LedgerError) in try log.standing(of: file) }
        let recipients = standing.file?.recipients ?? []
        let present = Set(ring.keys.map(\.name))
        if recipients.contains(where: present.contains) { return true }
        if let name = recipients.first(where: { state.keys[ProvenState.KeyName(kind: "exec", name: $0)] != nil }) {
            throw IngestionError(
                .notPermitted,
                "baselines or claims were sealed for the exec recipient \(name), which \(Self.configurationName) does not name any more: "
                    + "name it again, or wrap them first with: sluice keys rewrap --from \(name) --to NAME")
        }
        if let name = recipients.first(where: state.opens) {
            throw IngestionError(
                .notPermitted,
                "keys/\(name).kek is missing, and baselines or claims were sealed for it: restore it from your copy of keys/; without it "
                    + "nothing can be compared with what was accepted before")
        }
        return false
    }

    /// The sealed files of a named baseline, each by the digest in its entry.
    ///
    /// - Throws: `damaged` when the record lacks one.
    func files(of named: NamedBaseline) throws(IngestionError) -> [PublishedFile] {
        let (log, _) = try proven()
        var files: [PublishedFile] = []
        for (batch, digest) in zip(named.batches, named.files) {
            let found = try recording { () throws(LedgerError) in try log.file(digest) }
            guard let found, found.batch == batch, found.role == .baseline else {
                throw IngestionError(
                    .damaged,
                    "baseline \(named.name): the ledger has no sealed baseline of batch \(batch); run sluice lineage verify"
                )
            }
            files.append(found)
        }
        return files
    }

    /// Accepted rows that a source needs to be judged by its own batches.
    static var ownRowsMin: Int { 2000 }

    /// Baselines of a dataset that a daemon keeps open.
    private static var baselinesKept: Int { 64 }
}

/// Recorded files of one role, each read from the proven record when the iterator reaches it.
struct RecordedFiles: Sequence {
    let log: ProvenLog
    let role: FileRole
    let sequences: [Int]

    func makeIterator() -> AnyIterator<Result<PublishedFile, IngestionError>> {
        var (rest, pending) = (sequences[...], [PublishedFile]())
        return AnyIterator {
            while pending.isEmpty {
                if rest.isEmpty { return nil }
                // As many as a rolling baseline has, so that one check of the checkpoint proves them all.
                let next = rest.prefix(Store.baselineBatches)
                rest = rest.dropFirst(next.count)
                do throws(LedgerError) { pending = try log.files(role, in: next) } catch {
                    return .failure(IngestionError(error))
                }
            }
            return .success(pending.removeFirst())
        }
    }
}

/// The baselines that a batch is judged by.
struct JudgingBaseline: Sendable {
    /// The baseline behind the thresholds.
    var main: LoadedBaseline
    /// The last accepted batches.
    var newest: LoadedBaseline
    /// The name of the anchor or pinned baseline; nil when `main` is the last accepted batches.
    var name: String?
    /// The digest that names it in the record.
    var digest: String?
    /// The last accepted batches where drift from them counts beside an anchor; nil otherwise.
    var rolling: Baseline?
    /// The levels that slow drift is measured against; nil without an anchor.
    var anchor: ReferenceLevels?

    init(main: LoadedBaseline, newest: LoadedBaseline) {
        self.main = main
        self.newest = newest
    }
}

/// Opens the sealed baselines of batches and merges them.
struct BaselineLoader {
    let store: Store
    let dataset: String
    let features: [String]
    let codes: [String]
    let ring: KeyRing
    let cache: BaselineCache?
    /// SHA-256 of the file being judged, hexadecimal: its own rows must not count as earlier ones.
    var judged = ""
    /// Batches that are skipped.
    var excluded: Set<String> = []
    /// Entries of batches from the same source, over which trigger candidates add up; nil when no source is named.
    var own: Set<Int>?

    /// Merges recorded baselines, newest first.
    ///
    /// - Parameters:
    ///   - files: the recorded files, newest first.
    ///   - limit: number of batches after which merging stops.
    ///   - rows: number of rows that must be reached as well, since twenty files of one row are no history.
    /// - Returns: nil when none could be merged. Files that only keys elsewhere open are passed over, at most `baselineFilesMax` of them.
    func load(_ files: RecordedFiles, limit: Int, rows: Int = 0) throws(IngestionError) -> LoadedBaseline? {
        var merging = Merging()
        var passed = 0
        for file in files {
            let file = try file.get()
            guard try store.hasKey(for: file, in: ring) else {
                passed += 1
                if passed >= Store.baselineFilesMax { break }
                continue
            }
            try add(file, &merging)
            // The check is inside the loop: as a condition it would read and prove one more entry.
            if merging.count >= limit, merging.rows >= rows || merging.count >= Store.baselineFilesMax { break }
        }
        return merging.finished(keepsParts: false)
    }

    /// Merges the baselines of given files.
    ///
    /// - Parameters:
    ///   - files: the files, newest first.
    ///   - limit: most batches.
    ///   - keepsParts: whether the numbers of each batch are kept by themselves.
    func load(
        _ files: [PublishedFile], limit: Int, keepsParts: Bool = false
    ) throws(IngestionError) -> LoadedBaseline? {
        var merging = Merging()
        for file in files where merging.count < limit { try add(file, &merging) }
        return merging.finished(keepsParts: keepsParts)
    }

    /// The state of a merge.
    private struct Merging {
        var loaded: LoadedBaseline?
        var digests = Set<String>()
        var count: Int { loaded?.batches.count ?? 0 }
        /// Rows in the samples so far.
        var rows: Int { loaded?.parts.reduce(0) { $0 + $1.sample.count } ?? 0 }

        func finished(keepsParts: Bool) -> LoadedBaseline? {
            guard var loaded else { return nil }
            if let merged = Baseline.merged(loaded.parts) { loaded.merged = merged }
            // Only an anchor needs batches one by one, and only their numbers: texts are most of the memory.
            loaded.parts = keepsParts ? loaded.parts.map(\.numbersOnly) : []
            return loaded
        }
    }

    private func add(_ file: PublishedFile, _ merging: inout Merging) throws(IngestionError) {
        if excluded.contains(file.batch) { return }
        let found = try open(file)
        // The same bytes judged twice (`--force`) are the evidence of one batch.
        guard var projected = found.made.projected(onto: features, codes: codes),
            merging.digests.insert(found.source).inserted
        else { return }
        projected.isOwn = own?.contains(file.entry.sequence) ?? true
        if merging.loaded == nil {
            let lost = found.made.features.filter { !features.contains($0) && !$0.hasPrefix("\0") }
            merging.loaded = LoadedBaseline(
                merged: projected, parts: [], batches: [], entries: [], lost: lost,
                slow: found.made.slow?.projected(from: found.made.features, onto: features))
        }
        merging.loaded?.parts.append(projected)
        if found.source != judged, !projected.codes.isEmpty {
            let codes = projected.sample.codes(projected.codes.count - 1)
            merging.loaded?.rowCodes.append(codes.filter { $0 != 0 && $0 != Baseline.unseen })
        }
        merging.loaded?.batches.append(file.batch)
        merging.loaded?.entries.append(file.entry.sequence)
    }

    /// Opens the baseline of one batch, from the cache where it is there.
    ///
    /// - Throws: `inputOutput` for one of another version.
    func open(_ file: PublishedFile) throws(IngestionError) -> BaselineCache.Opened {
        if let known = cache?.known(file.digest) { return known }
        let (bytes, context) = try store.readEvidence(
            file, keys: ring, expect: ["dataset": dataset, "batch-id": file.batch, "role": FileRole.baseline.rawValue])
        guard var made = Baseline(decoding: bytes) else {
            throw IngestionError(
                .inputOutput,
                "\(store.place(of: file)): it was written by another version and cannot be read; to go on without it: sluice baseline "
                    + "exclude \(file.batch) --dataset \(dataset) --reason TEXT")
        }
        if cache != nil { made.summarise() }
        let opened = (made, context["source-sha256"] ?? "")
        cache?.keep(file, dataset, opened, bytes: bytes.count)
        return opened
    }
}

/// Baselines that this process has opened, within `bytesMax`, so that a daemon opens each once. A baseline never
/// changes; one that does not fit is opened again.
final class BaselineCache: Sendable {
    private static let bytesMax = 32 << 20

    private struct Kept {
        var baseline: Opened
        var dataset: String
        var sequence: Int
        var bytes: Int
    }
    private let kept = Mutex<(known: [String: Kept], bytes: Int)>(([:], 0))

    /// A baseline, and the digest of the file that it was made from.
    typealias Opened = (made: Baseline, source: String)

    /// The baseline whose sealed file has this digest.
    func known(_ digest: String) -> Opened? { kept.withLock { $0.known[digest]?.baseline } }

    func keep(_ file: PublishedFile, _ dataset: String, _ baseline: Opened, bytes: Int) {
        kept.withLock { kept in
            // Baselines that do not fit are opened each time.
            if kept.bytes + bytes > Self.bytesMax { return }
            kept.known[file.digest] = Kept(
                baseline: baseline, dataset: dataset, sequence: file.entry.sequence, bytes: bytes)
            kept.bytes += bytes
        }
    }

    /// Drops the baselines of a dataset that were published before `sequence`.
    func forget(_ dataset: String, before sequence: Int) {
        kept.withLock { kept in
            for (digest, entry) in kept.known where entry.dataset == dataset && entry.sequence < sequence {
                kept.known[digest] = nil
                kept.bytes -= entry.bytes
            }
        }
    }
}
