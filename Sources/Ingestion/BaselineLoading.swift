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
    /// Features of the newest batch that are none now.
    var lost: [String]

    /// Names the baseline: what the forest's seed follows from.
    var identity: [UInt8] { SHA256.hash(Array(batches.sorted().joined(separator: ",").utf8)) }
}

extension Store {
    /// How many accepted batches a baseline rolls over.
    static var baselineBatches: Int { 20 }

    /// Refuses a baseline that the ledger does not know: whoever has the public half of a key could have made it.
    private func checkRecorded(_ path: String, batch: String, _ ledger: Ledger?) throws(IngestionError) {
        guard let ledger else { return }
        let digest = try fileDigest(path)
        let entry = try recording { () throws(LedgerError) in try LineageQuery(ledger).shard(digest) }
        guard let entry, entry.body["batch"]?.text == batch, entry.body["role"]?.text == "baseline" else {
            throw IngestionError(
                .damaged,
                "\(path): the baseline is not the one the ledger records for its batch; move it away, and look who put it there"
            )
        }
    }

    /// The sample of the last accepted batches of a dataset over these features, or nil when there is none.
    ///
    /// One sealed file a batch, named by the batch: two processes cannot lose each other's update.
    func baseline(
        _ dataset: String, features: [String], ledger: Ledger?, cache: BaselineCache?
    ) throws(IngestionError) -> LoadedBaseline? {
        let folder = folder("baselines", dataset)
        guard exists(folder), !features.isEmpty else { return nil }
        let names = try storing { () throws(StorageError) in try listFolder(folder) }
            .filter { $0.hasSuffix(".sluice") && !$0.hasSuffix(".part") }.sorted().suffix(Self.baselineBatches)
        let ring = try keyRing()
        var loaded: LoadedBaseline?
        var sources = Set<String>()
        for name in names.reversed() {
            let path = join(folder, name)
            let batch = String(name.dropLast(7))
            // A store that can write but not read has no line of its own to judge by: every batch is a first contact.
            if ring.keys.isEmpty { return nil }
            let found: (made: Baseline, source: String)
            if let known = cache?.known(path) {
                found = known
            } else {
                found = try open(path, batch: batch, dataset, ring, ledger, cache)
            }
            let (made, source) = found
            // The same bytes judged twice (--force) are one batch's worth of evidence.
            guard let projected = made.projected(onto: features), sources.insert(source).inserted else { continue }
            if loaded == nil {
                let lost = made.features.filter { !features.contains($0) }
                loaded = LoadedBaseline(merged: projected, batches: [batch], lost: lost)
            } else {
                loaded?.merged.merge(projected)
                loaded?.batches.append(batch)
            }
        }
        return loaded
    }

    /// Opens one batch's baseline.
    ///
    /// - Returns: the baseline, and the digest of the source it was made from.
    private func open(
        _ path: String, batch: String, _ dataset: String, _ ring: KeyRing, _ ledger: Ledger?, _ cache: BaselineCache?
    ) throws(IngestionError) -> (made: Baseline, source: String) {
        try checkRecorded(path, batch: batch, ledger)
        let reader = try openShard(
            path, keys: ring, expect: ["dataset": dataset, "batch-id": batch, "role": "baseline"])
        let source = reader.info.context["source-sha256"] ?? ""
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
        guard let made = Baseline(decoding: bytes) else {
            throw IngestionError(
                .inputOutput, "\(path): the baseline is damaged; move it away to judge without it, or restore it")
        }
        cache?.keep(path, (made, source), bytes: bytes.count)
        return (made, source)
    }
}

/// Baselines that this process opened, so that a daemon opens each once. They never change, and what does not fit is opened
/// again.
final class BaselineCache: Sendable {
    private static let bytesMax = 32 << 20
    private let kept = Mutex<(known: [String: (made: Baseline, source: String)], bytes: Int)>(([:], 0))

    func known(_ path: String) -> (made: Baseline, source: String)? { kept.withLock { $0.known[path] } }

    func keep(_ path: String, _ baseline: (made: Baseline, source: String), bytes: Int) {
        kept.withLock { kept in
            // Baselines roll on: when it is full, most of what it has is past.
            if kept.bytes + bytes > Self.bytesMax { kept = ([:], 0) }
            if bytes > Self.bytesMax / 2 { return }
            kept.known[path] = baseline
            kept.bytes += bytes
        }
    }
}
