package import Screening
package import Sketches
import Tabular
package import Validating

/// The released rows that may become part of a baseline: merged over slices in any order with the same result.
package struct KeptRows: Sendable, Mergeable {
    /// Numbers and codes.
    package private(set) var sample: RowSample
    /// Codes, signatures, and what stands in their text, of fewer of them.
    package private(set) var texts: RowSample

    /// Nothing kept.
    package init(_ reader: FeatureReader) {
        sample = RowSample(
            capacity: Baseline.capacity(words: reader.fields.numberCount + reader.fields.codeCount),
            width: reader.fields.numberCount, codeWidth: reader.fields.codeCount)
        texts = RowSample(
            capacity: min(Baseline.textCapacity, sample.capacity), width: 0, codeWidth: reader.textCodeCount)
    }

    /// What later rows can be compared with.
    package var bounds: Profile.Bounds {
        var bounds = Profile.Bounds()
        (bounds.sample, bounds.texts) = (sample.bound, texts.bound)
        return bounds
    }

    /// Takes in the released rows of a block.
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

    /// Takes in another slice's rows.
    package mutating func merge(_ other: KeptRows) {
        sample.merge(other.sample)
        texts.merge(other.texts)
    }

    /// Sorts: after this, equal rows are equal whatever the order of merging.
    package mutating func finish() {
        sample.compact()
        texts.compact()
    }
}
