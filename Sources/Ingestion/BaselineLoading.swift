import Cryptography
import Lineage
import Screening
import Sealing
import Storage
import Synchronization
import Tabular

/// A baseline as it was loaded: the merged sample, and which batches it came from.
struct LoadedBaseline: Sendable {
    var merged: Baseline
    var batches: [String]
    /// The ledger entries that published them; none without a ledger.
    var entries: [Int]
    /// Features of the newest batch that are none now.
    var lost: [String]

    /// Names the baseline: what the forest's seed follows from.
    var identity: [UInt8] { SHA256.hash(Array(batches.sorted().joined(separator: ",").utf8)) }
}

extension Store {
    /// How many accepted batches a baseline rolls over.
    static var baselineBatches: Int { 20 }

    /// Refuses a baseline that the ledger does not know: whoever has the public half of a key could have made it.
    ///
    /// - Returns: the entry that records it, when there is a ledger to ask.
    private func checkRecorded(_ path: String, batch: String, _ ledger: Ledger?) throws(IngestionError) -> Int? {
        guard let ledger else { return nil }
        let digest = try fileDigest(path)
        let file = try recording { () throws(LedgerError) in try LineageQuery(ledger).file(digest) }
        guard let file, file.batch == batch, file.role == "baseline" else {
            throw IngestionError(
                .damaged,
                "\(path): the baseline is not the one the ledger records for its batch; move it away, and look who put it there"
            )
        }
        return file.entry.sequence
    }

    /// The sample of the last accepted batches of a dataset over these features, or nil when there is none.
    ///
    /// One sealed file a batch, named by the batch: two processes cannot lose each other's update.
    func baseline(
        _ dataset: String, features: [String], codes: [String], ledger: Ledger?, cache: BaselineCache?
    ) throws(IngestionError) -> LoadedBaseline? {
        let folder = folder("baselines", dataset)
        guard exists(folder) else { return nil }
        let names = try newestNames(in: folder)
        let ring = try keyRing()
        var loaded: LoadedBaseline?
        var sources = Set<String>()
        for name in names.reversed() {
            let path = join(folder, name)
            let batch = String(name.dropLast(7))
            // A store that can write but not read has no line of its own to judge by: every batch is a first contact.
            if ring.keys.isEmpty { return nil }
            let found: BaselineCache.Opened
            if let known = cache?.known(path) {
                found = known
            } else {
                found = try open(path, batch: batch, dataset, ring, ledger, cache)
            }
            // The same bytes judged twice (--force) are one batch's worth of evidence.
            guard let projected = found.made.projected(onto: features, codes: codes),
                sources.insert(found.source).inserted
            else {
                continue
            }
            if loaded == nil {
                let lost = found.made.features.filter { !features.contains($0) }
                loaded = LoadedBaseline(merged: projected, batches: [], entries: [], lost: lost)
            } else {
                loaded?.merged.merge(projected)
            }
            loaded?.batches.append(batch)
            if let entry = found.entry { loaded?.entries.append(entry) }
        }
        cache?.forget(in: folder, besides: Set(names.map { join(folder, $0) }))
        return loaded
    }

    /// The names of the newest baselines, oldest first; however many there are, only these are kept in memory.
    private func newestNames(in folder: String) throws(IngestionError) -> [String] {
        var newest: [[UInt8]] = []
        let ending = Array(".sluice".utf8)
        try storing { () throws(StorageError) in
            try OpenFolder(folder).forEachName { name in
                guard name.bytes.suffix(ending.count).elementsEqual(ending) else { return }
                if newest.count == Self.baselineBatches, !newest[0].lexicographicallyPrecedes(name.bytes) { return }
                let place = newest.firstIndex { name.bytes.lexicographicallyPrecedes($0) } ?? newest.count
                newest.insert(name.bytes, at: place)
                if newest.count > Self.baselineBatches { newest.removeFirst() }
            }
        }
        return newest.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Opens one batch's baseline.
    ///
    private func open(
        _ path: String, batch: String, _ dataset: String, _ ring: KeyRing, _ ledger: Ledger?, _ cache: BaselineCache?
    ) throws(IngestionError) -> BaselineCache.Opened {
        let entry = try checkRecorded(path, batch: batch, ledger)
        let reader = try openShard(
            path, keys: ring, expect: ["dataset": dataset, "batch-id": batch, "role": "baseline"])
        let source = reader.info.context["source-sha256"] ?? ""
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
        guard let made = Baseline(decoding: bytes) else {
            throw IngestionError(
                .inputOutput, "\(path): the baseline is damaged; move it away to judge without it, or restore it")
        }
        let opened = (made, source, entry)
        cache?.keep(path, opened, bytes: bytes.count)
        return opened
    }
}

/// Baselines that this process opened, so that a daemon opens each once. They never change, and what does not fit is opened
/// again.
final class BaselineCache: Sendable {
    private static let bytesMax = 32 << 20
    private let kept = Mutex<(known: [String: (baseline: Opened, bytes: Int)], bytes: Int)>(([:], 0))

    /// A baseline, the digest of the source it was made from, and the entry that published it if there was a ledger to ask.
    typealias Opened = (made: Baseline, source: String, entry: Int?)

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
