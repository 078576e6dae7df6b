import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Storage
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
    /// How many accepted batches a baseline rolls over.
    static var baselineBatches: Int { 20 }

    /// Refuses a baseline that the ledger does not know: whoever has the public half of a key could have made it.
    ///
    /// - Returns: the entry that records it, when there is a ledger to ask.
    func checkRecorded(
        _ path: String, batch: String, role: String = "baseline", _ ledger: Ledger?
    ) throws(IngestionError) -> Int? {
        guard let ledger else { return nil }
        let digest = try fileDigest(path)
        let file = try recording { () throws(LedgerError) in try LineageQuery(ledger).file(digest) }
        guard let file, file.batch == batch, file.role == role else {
            throw IngestionError(
                .damaged,
                "\(path): it is not the file the ledger records for its batch; move it away, and look who put it there"
            )
        }
        return file.entry.sequence
    }

    /// What a batch of a dataset is judged by, over these features; nil when there is nothing.
    ///
    /// One sealed file a batch, named by the batch: two processes cannot lose each other's update. An anchor or a pinned baseline
    /// is a recorded list of such files.
    func baseline(
        _ dataset: String, source: String, features: [String], codes: [String], digest: [UInt8], ledger: Ledger?,
        cache: BaselineCache?
    ) throws(IngestionError) -> JudgingBaseline? {
        let folder = folder("baselines", dataset)
        guard exists(folder) else { return nil }
        let loader = BaselineLoader(
            store: self, dataset: dataset, features: features, codes: codes, ring: try keyRing(), ledger: ledger,
            cache: cache, judged: hex(digest))
        // A store that can write but not read has no line of its own to judge by: every batch is a first contact.
        if loader.ring.keys.isEmpty { return nil }
        let names = try newestNames(in: folder, limit: Self.baselinesLooked)
        let batches = names.reversed().map { String($0.dropLast(7)) }
        // By the source's own batches, where it has enough: a few rows of its own must not switch the comparison off.
        var rolling = source.isEmpty ? nil : try loader.load(batches, source: source, limit: Self.baselineBatches)
        if (rolling?.merged.sample.count ?? 0) < Self.ownRowsMin { rolling = nil }
        let all = try loader.load(batches, source: nil, limit: Self.baselineBatches)
        // Rows may be copied from anyone's batch.
        rolling?.rowCodes = all?.rowCodes ?? []
        if rolling == nil { rolling = all }
        // Of several sources' batches in turn each finds its own; what is older has rolled out of use.
        cache?.forget(in: folder, besides: Set(names.suffix(Self.baselinesKept).map { join(folder, $0) }))
        var named: [NamedBaseline] = []
        if let ledger { named = try namedBaselines(ledger, dataset: dataset) }
        guard let chosen = named.last(where: \.isPinned) ?? named.last(where: \.isAnchor) else {
            return rolling.map { JudgingBaseline(main: $0, newest: $0) }
        }
        guard let main = try loader.load(chosen.batches, source: nil, limit: .max, keepsParts: chosen.isAnchor) else {
            throw IngestionError(
                .damaged,
                "baseline \(chosen.name) of dataset \(dataset) has no batch that can be read; retire it, or restore baselines/\(dataset)/"
            )
        }
        var judging = JudgingBaseline(main: main, newest: rolling ?? main)
        judging.name = chosen.name
        judging.digest = chosen.digest
        judging.rolling = chosen.isPinned ? nil : rolling?.merged
        judging.anchor = chosen.isAnchor ? Anchor(digest: chosen.digestBytes, main.parts) : nil
        return judging
    }

    /// The names of the newest sealed files, oldest first; however many there are, only these are kept in memory.
    func newestNames(in folder: String, limit: Int) throws(IngestionError) -> [String] {
        var newest: [String] = []
        let ending = Array(".sluice".utf8)
        try storing { () throws(StorageError) in
            try OpenFolder(folder).forEachName { name in
                guard name.bytes.suffix(ending.count).elementsEqual(ending) else { return }
                let text = String(decoding: name.bytes, as: UTF8.self)
                if newest.count == limit, text < newest[0] { return }
                // However many there are, each is looked at once, and few are put in place.
                var (low, high) = (0, newest.count)
                while low < high {
                    let middle = (low + high) / 2
                    if newest[middle] < text { low = middle + 1 } else { high = middle }
                }
                newest.insert(text, at: low)
                if newest.count > limit { newest.removeFirst() }
            }
        }
        return newest
    }

    /// Rows that a source must have had accepted to be judged by its own batches.
    private static var ownRowsMin: Int { 2000 }

    /// Baselines that a daemon keeps open.
    private static var baselinesKept: Int { 64 }

    /// Baselines that are looked through for those of one source.
    private static var baselinesLooked: Int { 400 }
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
    var anchor: Anchor?

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
    let ledger: Ledger?
    let cache: BaselineCache?
    /// The digest of the file that is judged: its own rows are no earlier ones.
    var judged = ""

    /// Merges the baselines of batches, newest first, as many as are wanted.
    ///
    /// - Parameter source: only those of this source; all when it is nil.
    func load(
        _ batches: some Sequence<String>, source: String?, limit: Int, keepsParts: Bool = false
    ) throws(IngestionError) -> LoadedBaseline? {
        var loaded: LoadedBaseline?
        var digests = Set<String>()
        for batch in batches where (loaded?.batches.count ?? 0) < limit {
            let path = join(store.folder("baselines", dataset), batch + ".sluice")
            guard let found = try open(path, batch, source) else { continue }
            // The same bytes judged twice (--force) are one batch's worth of evidence.
            guard let projected = found.made.projected(onto: features, codes: codes),
                digests.insert(found.source).inserted
            else { continue }
            if loaded == nil {
                let lost = found.made.features.filter { !features.contains($0) && !$0.hasPrefix("\0") }
                loaded = LoadedBaseline(
                    merged: projected, parts: [], batches: [], entries: [], lost: lost,
                    slow: found.made.slow?.projected(from: found.made.features, onto: features))
            }
            loaded?.parts.append(projected)
            if found.source != judged, !projected.codes.isEmpty {
                let codes = projected.sample.codes(projected.codes.count - 1)
                loaded?.rowCodes.append(codes.filter { $0 != 0 && $0 != Baseline.unseen })
            }
            loaded?.batches.append(batch)
            if let entry = found.entry { loaded?.entries.append(entry) }
        }
        if let all = loaded?.parts, let merged = Baseline.merged(all) { loaded?.merged = merged }
        // Only an anchor is looked at batch by batch, and only at its numbers: the texts of twenty batches are most of the memory.
        let parts = keepsParts ? loaded?.parts.map(\.numbersOnly) ?? [] : []
        loaded?.parts = parts
        return loaded
    }

    /// Opens one batch's baseline; nil when it is another source's.
    private func open(
        _ path: String, _ batch: String, _ source: String?
    ) throws(IngestionError) -> BaselineCache.Opened? {
        if let known = cache?.known(path) { return source == nil || known.sender == source ? known : nil }
        let entry = try store.checkRecorded(path, batch: batch, ledger)
        let reader = try openShard(
            path, keys: ring, expect: ["dataset": dataset, "batch-id": batch, "role": "baseline"])
        let sender = reader.info.context["source"] ?? ""
        if let source, sender != source { return nil }
        let digest = reader.info.context["source-sha256"] ?? ""
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
        guard let made = Baseline(decoding: bytes) else {
            throw IngestionError(
                .inputOutput, "\(path): the baseline is damaged; move it away to judge without it, or restore it")
        }
        let opened = (made, digest, sender, entry)
        cache?.keep(path, opened, bytes: bytes.count)
        return opened
    }
}

/// Baselines that this process opened, so that a daemon opens each once. They never change, and what does not fit is opened
/// again.
final class BaselineCache: Sendable {
    private static let bytesMax = 32 << 20
    private let kept = Mutex<(known: [String: (baseline: Opened, bytes: Int)], bytes: Int)>(([:], 0))

    /// A baseline, the digest of the file it was made from and who sent that, and the entry that published it if there was a ledger to ask.
    typealias Opened = (made: Baseline, source: String, sender: String, entry: Int?)

    func known(_ path: String) -> Opened? { kept.withLock { $0.known[path]?.baseline } }

    func keep(_ path: String, _ baseline: Opened, bytes: Int) {
        kept.withLock { kept in
            // Wide ones of many datasets: those that do not fit are opened each time.
            if kept.bytes + bytes > Self.bytesMax { return }
            kept.known[path] = (baseline, bytes)
            kept.bytes += bytes
        }
    }

    /// Drops the baselines of a folder that have rolled out of use.
    func forget(in folder: String, besides used: Set<String>) {
        kept.withLock { kept in
            for (path, entry) in kept.known where split(path).folder == folder && !used.contains(path) {
                kept.known[path] = nil
                kept.bytes -= entry.bytes
            }
        }
    }
}
