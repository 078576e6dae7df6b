import Cryptography
import Lineage
import Schemas
import Screening
import Sealing
import Sketches
import Synchronization
import Tabular

/// A baseline as it was loaded: the merged sample, and which batches it came from.
struct LoadedBaseline: Sendable {
    var merged: Baseline
    /// The numbers of its batches, one by one; only of an anchor.
    var parts: [Baseline]
    var batches: [String]
    /// The ledger entries that published them; none without a ledger.
    var entries: [Int]
    /// Features of the newest batch that are none now.
    var lost: [String]
    /// What the newest batch's small steps away from the anchor add up to.
    var slow: SlowDrift?
    /// Codes of whole rows of each of its batches, but for those of the file that is judged.
    var rowCodes: [[UInt64]] = []

    /// Names the baseline: what the forest's seed follows from.
    var identity: [UInt8] { SHA256.hash(Array(batches.sorted().joined(separator: ",").utf8)) }
}

extension Store {
    /// How many accepted batches a baseline rolls over, where the contract does not say.
    static var baselineBatches: Int { BaselineRules().batches }
    /// How many files at most, when they are so small that they have few rows.
    static var baselineFilesMax: Int { 200 }

    /// What a batch of a dataset is judged by; nil when nothing was accepted yet.
    ///
    /// One sealed file a batch; which there are is read from the proven record, never from the folder: a file that is recorded and not
    /// there stops the batch. An anchor or a pinned baseline is a recorded list of such files.
    ///
    /// - Parameters:
    ///   - loader: the dataset, and the features that are compared.
    ///   - digest: SHA-256 of the file that is judged.
    ///   - superseded: a batch that this one shall replace; it is not compared with it.
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
        // A store that can write but not read has no line of its own to judge by: every batch is a first contact.
        if loader.ring.keys.isEmpty {
            try requireNoKey(for: recorded, log, state)
            return nil
        }
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
        // Rows may be copied from anyone's batch.
        rolling?.rowCodes = all?.rowCodes ?? []
        if rolling == nil { rolling = all }
        // Of several sources' batches in turn each finds its own; what is older has rolled out of use.
        cache?.forget(dataset, before: recorded.suffix(Self.baselinesKept).first ?? 0)
        let named = try namedBaselines(dataset: dataset)
        guard let chosen = named.last(where: \.isPinned) ?? named.last(where: \.isAnchor) else {
            return rolling.map { JudgingBaseline(main: $0, newest: $0) }
        }
        // Marks add up over the last batches, and these are what they are held against.
        loader.own = []
        guard let main = try loader.load(try self.files(of: chosen), limit: .max, keepsParts: chosen.isAnchor) else {
            throw IngestionError(
                .damaged,
                "baseline \(chosen.name) of dataset \(dataset) has no batch that can be read; see: sluice baseline retire \(chosen.name)"
            )
        }
        var judging = JudgingBaseline(main: main, newest: rolling ?? main)
        judging.name = chosen.name
        judging.digest = chosen.digest
        judging.rolling = chosen.isPinned ? nil : rolling?.merged
        judging.anchor = chosen.isAnchor ? ReferenceLevels(digest: chosen.digestBytes, main.parts) : nil
        return judging
    }

    /// A store without any key to read with is one that was set up so, unless the record says that such a key was used here.
    func requireNoKey(
        for recorded: [Int], _ log: ProvenLog, _ state: ProvenState
    ) throws(IngestionError) {
        guard let last = recorded.last else { return }
        let entry = try recording { () throws(LedgerError) in try log.entry(last) }
        for name in entry.body["keys"]?.items?.compactMap(\.text) ?? []
        where state.keys[ProvenState.KeyName(kind: "kek", name: name)] != nil {
            throw IngestionError(
                .notPermitted,
                "keys/\(name).kek is missing, and baselines or claims were sealed for it: restore it from your copy of keys/; without it "
                    + "nothing can be compared with what was accepted before")
        }
    }

    /// The sealed files that a named baseline is made of, each the one that its entry names.
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

    /// Rows that a source must have had accepted to be judged by its own batches.
    static var ownRowsMin: Int { 2000 }

    /// Baselines that a daemon keeps open.
    private static var baselinesKept: Int { 64 }
}

/// Recorded files of a role, each read from the proven record when it is asked for.
struct RecordedFiles: Sequence {
    let log: ProvenLog
    let role: FileRole
    let sequences: [Int]

    func makeIterator() -> AnyIterator<Result<PublishedFile, IngestionError>> {
        var (rest, pending) = (sequences[...], [PublishedFile]())
        return AnyIterator {
            while pending.isEmpty {
                if rest.isEmpty { return nil }
                // As many as a baseline rolls over, under one look at the checkpoint.
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

/// What a batch is judged by.
struct JudgingBaseline: Sendable {
    /// The lines come from this one.
    var main: LoadedBaseline
    /// The last accepted batches.
    var newest: LoadedBaseline
    /// The name of the anchor or the pinned baseline; nil for the last accepted batches.
    var name: String?
    /// What names it in the record.
    var digest: String?
    /// The last accepted batches, when drift from them counts too.
    var rolling: Baseline?
    /// What slow drift is held against.
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
    /// The digest of the file that is judged: its own rows are no earlier ones.
    var judged = ""
    /// Batches that are passed over.
    var excluded: Set<String> = []
    /// Entries of the batches of the source that brings this one: marks add up over them. nil where nobody is named.
    var own: Set<Int>?

    /// Merges recorded baselines, newest first, until there are so many with so many rows: twenty files of one row are no history.
    func load(_ files: RecordedFiles, limit: Int, rows: Int = 0) throws(IngestionError) -> LoadedBaseline? {
        var merging = Merging()
        for file in files {
            try add(try file.get(), &merging)
            // Not a condition of the loop: that would still read and prove every older entry.
            if merging.count >= limit, merging.rows >= rows || merging.count >= Store.baselineFilesMax { break }
        }
        return merging.finished(keepsParts: false)
    }

    /// Merges the baselines of these files.
    ///
    /// - Parameter keepsParts: whether the numbers of each are kept by themselves.
    func load(
        _ files: [PublishedFile], limit: Int, keepsParts: Bool = false
    ) throws(IngestionError) -> LoadedBaseline? {
        var merging = Merging()
        for file in files where merging.count < limit { try add(file, &merging) }
        return merging.finished(keepsParts: keepsParts)
    }

    /// What was merged so far.
    private struct Merging {
        var loaded: LoadedBaseline?
        var digests = Set<String>()
        var count: Int { loaded?.batches.count ?? 0 }
        /// Rows of their samples.
        var rows: Int { loaded?.parts.reduce(0) { $0 + $1.sample.count } ?? 0 }

        func finished(keepsParts: Bool) -> LoadedBaseline? {
            guard var loaded else { return nil }
            if let merged = Baseline.merged(loaded.parts) { loaded.merged = merged }
            // Only an anchor is looked at batch by batch, and only at its numbers: the texts of twenty batches are most of the memory.
            loaded.parts = keepsParts ? loaded.parts.map(\.numbersOnly) : []
            return loaded
        }
    }

    private func add(_ file: PublishedFile, _ merging: inout Merging) throws(IngestionError) {
        if excluded.contains(file.batch) { return }
        let found = try open(file)
        // The same bytes judged twice (--force) are one batch's worth of evidence.
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

    /// Opens one batch's baseline.
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

/// Baselines that this process opened, so that a daemon opens each once. They never change, and what does not fit is opened
/// again.
final class BaselineCache: Sendable {
    private static let bytesMax = 32 << 20

    private struct Kept {
        var baseline: Opened
        var dataset: String
        var sequence: Int
        var bytes: Int
    }
    private let kept = Mutex<(known: [String: Kept], bytes: Int)>(([:], 0))

    /// A baseline, and the digest of the file it was made from.
    typealias Opened = (made: Baseline, source: String)

    /// The baseline whose sealed file has this digest.
    func known(_ digest: String) -> Opened? { kept.withLock { $0.known[digest]?.baseline } }

    func keep(_ file: PublishedFile, _ dataset: String, _ baseline: Opened, bytes: Int) {
        kept.withLock { kept in
            // Wide ones of many datasets: those that do not fit are opened each time.
            if kept.bytes + bytes > Self.bytesMax { return }
            kept.known[file.digest] = Kept(
                baseline: baseline, dataset: dataset, sequence: file.entry.sequence, bytes: bytes)
            kept.bytes += bytes
        }
    }

    /// Drops the baselines of a dataset that have rolled out of use.
    func forget(_ dataset: String, before sequence: Int) {
        kept.withLock { kept in
            for (digest, entry) in kept.known where entry.dataset == dataset && entry.sequence < sequence {
                kept.known[digest] = nil
                kept.bytes -= entry.bytes
            }
        }
    }
}
