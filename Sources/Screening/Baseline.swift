package import Sketches
import Tabular

/// What we judge by: a sample of rows that were accepted before, and how often they were remarked on.
///
/// Only released rows of accepted batches ever enter it, so that a poisoned batch does not move its own line.
package struct Baseline: Sendable, Equatable {
    /// Names of the features, in the order of the sample's columns.
    package var features: [String]
    /// Rows of accepted batches.
    package var sample: RowSample
    /// Accepted batches it was made from.
    package var batches: Int
    /// How often rows of those batches were remarked on, the ones that were held back included: they are missing in the
    /// sample, so the sample alone would promise fewer remarks each time.
    package var remarks: Remarks

    /// Rows that statistics looked at in accepted batches, and what they said.
    package struct Remarks: Sendable, Equatable {
        /// Rows that kept the contract.
        package var tested = 0
        /// Of these, rows with a modified z finding.
        package var deviated = 0
        /// Of these, rows with a forest finding.
        package var isolated = 0
        /// Of these, rows that were held back and so are not in the sample.
        package var withheld = 0

        /// Nothing was looked at.
        package init() {}

        /// What a batch's second pass counted.
        package init(_ counts: OutcomeCounts) {
            tested = counts.total - counts.count(.rejected)
            deviated = counts.remarkedZ
            isolated = counts.remarkedForest
            withheld = counts.count(.quarantined)
        }

        /// A count's share of the rows looked at; 0 when there were none.
        func share(_ count: Int) -> Double { Double(count) / Double(max(tested, 1)) }
    }

    /// Rows kept of each batch; enough for medians, quantiles and a forest, small enough to keep twenty.
    package static let capacity = 16_384

    /// A baseline from one accepted batch.
    package init(features: [String], sample: RowSample, remarks: Remarks, batches: Int = 1) {
        self.features = features
        self.sample = sample
        self.batches = batches
        self.remarks = remarks
    }

    /// The same rows over these features: a feature that was not sampled is missing in every row. nil when none was.
    package func projected(onto names: [String]) -> Baseline? {
        if names == features { return self }
        let sources = names.map { features.firstIndex(of: $0) }
        if sources.allSatisfy({ $0 == nil }) { return nil }
        var values: [Double] = []
        values.reserveCapacity(sample.count * names.count)
        for row in 0..<sample.count {
            for source in sources { values.append(source.map { sample.values[row * sample.width + $0] } ?? .nan) }
        }
        return Baseline(
            features: names,
            sample: RowSample(
                capacity: sample.capacity, width: names.count, ranks: sample.ranks, values: values,
                offered: sample.offered),
            remarks: remarks, batches: batches)
    }

    /// Takes in another accepted batch; a baseline over other features is replaced.
    package mutating func merge(_ other: Baseline) {
        guard features == other.features, sample.capacity == other.sample.capacity else {
            self = other
            return
        }
        sample.merge(other.sample)
        sample.compact()
        batches += other.batches
        remarks.tested += other.remarks.tested
        remarks.deviated += other.remarks.deviated
        remarks.isolated += other.remarks.isolated
        remarks.withheld += other.remarks.withheld
    }

    /// The form before remarks were kept: read, never written.
    private static let firstMagic = Array("sluice-baseline-v1\n".utf8)
    private static let magic = Array("sluice-baseline-v2\n".utf8)

    /// The stored form: little-endian counts, names, ranks, values.
    package func encoded() -> [UInt8] {
        var out = Self.magic
        func word(_ value: UInt64) {
            for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
        }
        word(UInt64(batches))
        word(UInt64(sample.capacity))
        word(UInt64(sample.offered))
        word(UInt64(sample.count))
        for count in [remarks.tested, remarks.deviated, remarks.isolated, remarks.withheld] { word(UInt64(count)) }
        word(UInt64(features.count))
        for name in features {
            word(UInt64(name.utf8.count))
            out.append(contentsOf: name.utf8)
        }
        for rank in sample.ranks { word(rank) }
        for value in sample.values { word(value.bitPattern) }
        return out
    }

    /// Reads the stored form; nil when it is damaged.
    package init?(decoding bytes: [UInt8]) {
        let isFirst = bytes.starts(with: Self.firstMagic)
        guard isFirst || bytes.starts(with: Self.magic) else { return nil }
        var at = Self.magic.count
        func word() -> UInt64? {
            guard at + 8 <= bytes.count else { return nil }
            var value: UInt64 = 0
            for shift in 0..<8 { value |= UInt64(bytes[at + shift]) << UInt64(8 * shift) }
            at += 8
            return value
        }
        guard let batches = word(), let capacity = word(), let offered = word(), let count = word(),
            let tested = isFirst ? 0 : word(), let deviated = isFirst ? 0 : word(),
            let isolated = isFirst ? 0 : word(), let withheld = isFirst ? 0 : word(), let width = word(),
            capacity <= 1 << 24, count <= 2 * capacity, width <= 65_536,
            max(tested, deviated, isolated, withheld) <= 1 << 48
        else { return nil }
        var remarks = Remarks()
        (remarks.tested, remarks.deviated) = (Int(tested), Int(deviated))
        (remarks.isolated, remarks.withheld) = (Int(isolated), Int(withheld))
        var names: [String] = []
        for _ in 0..<width {
            guard let length = word(), length <= 65_536, at + Int(length) <= bytes.count else { return nil }
            names.append(String(decoding: bytes[at..<at + Int(length)], as: UTF8.self))
            at += Int(length)
        }
        guard bytes.count - at == Int(count) * 8 * (1 + Int(width)) else { return nil }
        var ranks: [UInt64] = []
        var values: [Double] = []
        for _ in 0..<Int(count) { ranks.append(word() ?? 0) }
        for _ in 0..<Int(count) * Int(width) { values.append(Double(bitPattern: word() ?? 0)) }
        self.init(
            features: names,
            sample: RowSample(
                capacity: Int(capacity), width: Int(width), ranks: ranks, values: values, offered: Int(offered)),
            remarks: remarks, batches: Int(batches))
    }
}
