import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Tabular

/// What earlier batches said of keys: one sealed file a batch, beside the baselines.
extension Store {
    /// The folder of a dataset's claims, relative to the store.
    static func claimsPath(_ dataset: String) -> String { "baselines/\(dataset)/claims" }

    /// Newest batches whose claims are looked through.
    private static var claimsLooked: Int { 64 }

    /// What the newest batches said of the keys of this one, newest first: which there are is read from the proven record.
    ///
    /// Each file is opened whole, and only what is about these keys is kept.
    ///
    /// - Parameters:
    ///   - own: who sent the file that is judged, and its digest: what it said before is not another's word.
    ///   - trustedSince: for sources that somebody vouched for, the entry: what was said of them before does not count.
    func earlierClaims(
        _ dataset: String, about claims: RowSample, _ reader: ClaimReader,
        except own: (source: String, digest: [UInt8]),
        trustedSince: [UInt64: Int]
    ) throws(IngestionError) -> [EarlierClaims] {
        let (log, state) = try proven()
        let recorded = state.publications(dataset, role: .claims).suffix(Self.claimsLooked)
        guard !recorded.isEmpty, claims.count > 0 else { return [] }
        let ring = try keyRing()
        // A store that can write but not read compares nothing.
        if ring.keys.isEmpty {
            try requireNoKey(for: Array(recorded), log, state)
            return []
        }
        var found: [EarlierClaims] = []
        var words: Set<String> = [own.source + "\0" + hex(own.digest)]
        var heard = Set<UInt64>()
        for file in RecordedFiles(log: log, role: .claims, sequences: recorded.reversed()) {
            let file = try file.get()
            if state.excluded.contains(file.batch) { continue }
            let (bytes, context) = try readEvidence(
                file, keys: ring,
                expect: ["dataset": dataset, "batch-id": file.batch, "role": FileRole.claims.rawValue])
            // The same bytes judged twice are one word.
            guard words.insert((context["source"] ?? "") + "\0" + (context["source-sha256"] ?? "")).inserted else {
                continue
            }
            guard var made = EarlierClaims(decoding: bytes, batch: file.batch) else {
                throw IngestionError(
                    .damaged,
                    "\(place(of: file)): it was written by another version and cannot be read; to go on without it: sluice baseline "
                        + "exclude \(file.batch) --dataset \(dataset) --reason TEXT")
            }
            // A contract that compares other things said other things.
            guard made.fits(reader) else { continue }
            made.keep(keysOf: claims, heard: &heard)
            for (source, since) in trustedSince where file.entry.sequence < since { made.tallies[source] = nil }
            found.append(made)
        }
        return found
    }
}
