import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// What earlier batches said of keys: one sealed file a batch, beside the baselines.
extension Store {
    /// The folder of a dataset's claims, relative to the store.
    static func claimsPath(_ dataset: String) -> String { "baselines/\(dataset)/claims" }

    /// Newest batches whose claims are looked through.
    private static var claimsLooked: Int { 64 }

    /// What the newest batches said of the keys of this one, newest first.
    ///
    /// Each file is opened whole, and only what is about these keys is kept.
    ///
    /// - Parameters:
    ///   - digest: the digest of the file that is judged, and who sent it: what it said before is not another's word.
    ///   - trustedSince: for sources that somebody vouched for, the entry: what was said of them before does not count.
    func earlierClaims(
        _ dataset: String, about claims: RowSample, _ reader: ClaimReader, digest: [UInt8],
        source: String, ledger: Ledger?, trustedSince: [UInt64: Int]
    ) throws(IngestionError) -> [EarlierClaims] {
        let folder = join(root, Self.claimsPath(dataset))
        guard exists(folder), claims.count > 0 else { return [] }
        let ring = try keyRing()
        if ring.keys.isEmpty { return [] }
        var found: [EarlierClaims] = []
        var words: Set<String> = [source + "\0" + hex(digest)]
        var heard = Set<UInt64>()
        for name in try newestNames(in: folder, limit: Self.claimsLooked).reversed() {
            let path = join(folder, name)
            let batch = String(name.dropLast(7))
            let entry = try checkRecorded(path, batch: batch, role: "claims", ledger)
            let opened = try openShard(
                path, keys: ring, expect: ["dataset": dataset, "batch-id": batch, "role": "claims"])
            // The same bytes judged twice are one word.
            let context = opened.info.context
            guard words.insert((context["source"] ?? "") + "\0" + (context["source-sha256"] ?? "")).inserted else {
                continue
            }
            var bytes: [UInt8] = []
            _ = try readShard(opened, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
            guard var made = EarlierClaims(decoding: bytes, batch: batch) else {
                throw IngestionError(
                    .damaged, "\(path): what sources said is damaged; restore it, or move it away to judge without it")
            }
            // A contract that compares other things said other things.
            guard made.fits(reader) else { continue }
            made.keep(keysOf: claims, heard: &heard)
            for (source, since) in trustedSince where (entry ?? .max) < since { made.tallies[source] = nil }
            found.append(made)
        }
        return found
    }
}
