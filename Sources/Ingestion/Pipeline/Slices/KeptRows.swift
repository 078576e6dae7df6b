package import Screening
package import Sketches
package import Tabular
package import Validating

/// A sample of the released rows, from which the next baseline is built. Merging is commutative, so any order of slices
/// gives the same rows.
package struct KeptRows: Sendable, Mergeable {
    /// Numbers and codes of each sampled row.
    package private(set) var sample: RowSample
    /// Codes, signatures and words of the texts, for a smaller sample, since texts are most of the memory.
    package private(set) var texts: RowSample

    /// An empty sample of the shape that the reader's features need.
    package init(_ reader: FeatureReader) {
        sample = RowSample(
            capacity: Baseline.capacity(words: reader.fields.numberCount + reader.fields.codeCount),
            width: reader.fields.numberCount, codeWidth: reader.fields.codeCount)
        texts = RowSample(
            capacity: min(Baseline.textCapacity, sample.capacity), width: 0, codeWidth: reader.textCodeCount)
    }

    /// The highest ranks that later rows need to enter the samples.
    package var bounds: Profile.Bounds {
        var bounds = Profile.Bounds()
        (bounds.sample, bounds.texts) = (sample.bound, texts.bound)
        return bounds
    }

    /// Adds the released rows of a block that rank low enough.
    ///
    /// - Parameters:
    ///   - screened: the block with the outcome of each row.
    ///   - validated: the same block with its numbers.
    ///   - reader: extracts the features.
    ///   - order: ranks the rows; it is drawn anew for each slice.
    ///   - bounds: ranks above which a row cannot enter the merged sample. A bound that is out of date costs memory,
    ///     not correctness.
    package mutating func add(
        _ screened: ScreenedBlock, _ validated: ValidatedBlock, _ reader: FeatureReader, order: SipHash,
        bounds: Profile.Bounds
    ) {
        let batch = screened.batch
        let hasText = !reader.fields.texts.isEmpty
        var features = RowFeatures()
        for row in 0..<batch.count where screened.outcomes[row].isReleased {
            let rank = Profile.rank(of: row, in: batch, order)
            guard rank <= bounds.sample else {
                sample.skip()
                continue
            }
            guard sample.admits(rank) else { continue }
            reader.readNumbers(batch, validated.numbers, row: row, into: &features)
            reader.readCodes(batch, row: row, into: &features)
            sample.append(rank: rank, features.numbers, codes: features.codes)
            guard hasText, rank <= bounds.texts, rank <= texts.bound else { continue }
            reader.readText(batch, row: row, into: &features)
            texts.append(rank: rank, [], codes: features.codes, tokens: features.items)
        }
    }

    /// Merges the sample of another slice; the lower ranks win.
    package mutating func merge(_ other: KeptRows) {
        sample.merge(other.sample)
        texts.merge(other.texts)
    }

    /// Sorts by rank, after which samples of the same rows are equal whatever the order of merging.
    package mutating func finish() {
        sample.compact()
        texts.compact()
    }
}

extension KeptRows: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(sample)
        wire.append(texts)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { (sample, texts) = (try wire.read(), try wire.read()) }
}
