import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Tabular

/// Assertions: the values that earlier batches gave for keys. Each batch has one sealed file of them, beside the baselines.
extension Store {
    /// The folder of a dataset's assertions, relative to the store.
    static func claimsPath(_ dataset: String) -> String { "baselines/\(dataset)/claims" }

    /// Newest batches whose assertions are examined.
    private static var batchesExamined: Int { 64 }

    /// The assertions of the newest batches about keys of this one, newest first, by the proven record. Each file is opened
    /// as a whole, and only assertions about these keys are kept.
    ///
    /// - Parameters:
    ///   - dataset: the dataset.
    ///   - assertions: the sampled assertions of the batch being judged.
    ///   - reader: the fields that are compared.
    ///   - own: supplier and digest of the batch being judged, whose earlier assertions do not confirm it.
    ///   - trustedSince: by source, the entry since when it is trusted: contradictions before it do not count.
    func earlierAssertions(
        _ dataset: String, about assertions: RowSample, _ reader: AssertionReader,
        except own: (source: String, digest: [UInt8]),
        trustedSince: [UInt64: Int]
    ) throws(IngestionError) -> [EarlierAssertions] {
        let (log, state) = try proven()
        let recorded = state.publications(dataset, role: .claims).suffix(Self.batchesExamined)
        guard !recorded.isEmpty, assertions.count > 0 else { return [] }
        let ring = try keyRing()
        var found: [EarlierAssertions] = []
        var words: Set<String> = [own.source + "\0" + hex(own.digest)]
        var heard = Set<UInt64>()
        for file in RecordedFiles(log: log, role: .claims, sequences: recorded.reversed()) {
            let file = try file.get()
            guard !state.excluded.contains(file.batch) else { continue }
            guard try hasKey(for: file, in: ring) else { continue }
            let (bytes, context) = try readEvidence(
                file, keys: ring,
                expect: ["dataset": dataset, "batch-id": file.batch, "role": FileRole.claims.rawValue])
            // The same bytes judged twice count as one statement.
            guard words.insert((context["source"] ?? "") + "\0" + (context["source-sha256"] ?? "")).inserted else {
                continue
            }
            guard var made = EarlierAssertions(decoding: bytes, batch: file.batch) else {
                throw IngestionError(
                    .damaged,
                    "\(place(of: file)): it was written by another version and cannot be read; to go on without it: sluice baseline "
                        + "exclude \(file.batch) --dataset \(dataset) --reason TEXT")
            }
            // Under a contract that compared other fields, assertions had another form.
            guard made.fits(reader) else { continue }
            made.keep(keysOf: assertions, heard: &heard)
            for (source, since) in trustedSince where file.entry.sequence < since { made.tallies[source] = nil }
            found.append(made)
        }
        return found
    }
}
