package import Sketches

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

    /// Rows kept of each batch; enough for medians, quantiles and a forest, small enough to keep twenty.
    package static let capacity = 16_384

    /// A baseline from one accepted batch.
    package init(features: [String], sample: RowSample, batches: Int = 1) {
        self.features = features
        self.sample = sample
        self.batches = batches
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
    }

    private static let magic = Array("sluice-baseline-v1\n".utf8)

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
        guard bytes.starts(with: Self.magic) else { return nil }
        var at = Self.magic.count
        func word() -> UInt64? {
            guard at + 8 <= bytes.count else { return nil }
            var value: UInt64 = 0
            for shift in 0..<8 { value |= UInt64(bytes[at + shift]) << UInt64(8 * shift) }
            at += 8
            return value
        }
        guard let batches = word(), let capacity = word(), let offered = word(), let count = word(), let width = word(),
            capacity <= 1 << 24, count <= 2 * capacity, width <= 65_536
        else { return nil }
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
            batches: Int(batches))
    }
}
