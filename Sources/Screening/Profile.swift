package import Schemas
package import Sketches
import Tabular
package import Validating

/// What this data looks like: the mergeable result of the first pass over a slice, and of all slices together.
package struct Profile: Sendable, Mergeable {
    /// Rows read.
    package private(set) var rows = 0
    /// Rows that keep the contract.
    package private(set) var sound = 0
    /// How many of these have a remark on their text that flags or quarantines them.
    package private(set) var flagged = 0, quarantined = 0
    /// Findings of the reader and the contract.
    package private(set) var counts = FindingCounts()
    /// Sample of the sound rows; one feature for each screened field.
    package private(set) var sample: RowSample
    /// The keys of each key rule.
    package var keys: [DistinctKeys]

    /// Rows in the sample at most.
    package static let sampleCapacity = 65_536

    /// An empty profile.
    package init(features: Int, keyRules: Int) {
        sample = RowSample(capacity: Self.sampleCapacity, width: features)
        keys = Array(repeating: DistinctKeys(), count: keyRules)
    }

    /// Takes in a checked block.
    ///
    /// - Parameters:
    ///   - slots: for each feature, its place in `batch.numbers`.
    ///   - bound: rows ranking behind this are known not to be in the final sample.
    package mutating func add(_ batch: ValidatedBatch, slots: [Int], seed: UInt64, bound: UInt64 = .max) {
        rows += batch.batch.count
        var remarks: [Int: Outcome] = [:]
        for finding in batch.findings {
            counts.add(finding)
            let row = finding.row - batch.batch.firstRow
            if finding.outcome > .accepted, batch.isSound[row] {
                remarks[row] = max(remarks[row] ?? .flagged, finding.outcome)
            }
        }
        flagged += remarks.values.count { $0 == .flagged }
        quarantined += remarks.values.count { $0 == .quarantined }
        for (rule, found) in batch.keys.enumerated() {
            for key in found { keys[rule].add(key.hash, row: key.row) }
        }
        let records = batch.batch.records
        var values = [Double](repeating: .nan, count: slots.count)
        for row in 0..<batch.batch.count where batch.isSound[row] {
            sound += 1
            let rank = Self.rank(of: batch.batch.baseOffset + UInt64(records[row].start), seed: seed)
            guard rank <= bound else {
                sample.skip()
                continue
            }
            guard sample.admits(rank) else { continue }
            for (feature, slot) in slots.enumerated() { values[feature] = batch.numbers[slot][row] }
            sample.append(rank: rank, values)
        }
    }

    /// The rank of a row in a sample: a keyed bijection of its offset.
    @inline(__always)
    package static func rank(of offset: UInt64, seed: UInt64) -> UInt64 {
        SplitMix64.mix(SplitMix64.mix(offset &+ 0x9E37_79B9_7F4A_7C15) ^ seed)
    }

    /// Takes in another slice's profile.
    package mutating func merge(_ other: Profile) {
        rows += other.rows
        sound += other.sound
        flagged += other.flagged
        quarantined += other.quarantined
        counts.merge(other.counts)
        sample.merge(other.sample)
        for index in keys.indices { keys[index].merge(other.keys[index]) }
    }

    /// Sorts the sample by rank: after this, equal data gives an equal profile whatever the order of merging.
    package mutating func finish() { sample.compact() }

    /// Lets go of keys and sample, which nobody needs once the batch was decided; the counts stay.
    package mutating func forget() {
        keys = []
        sample = RowSample(capacity: sample.capacity, width: sample.width)
    }
}

/// Which fields are screened, and where their numbers are.
package struct ScreenedFields: Sendable, Equatable {
    /// The contract's fields, in the order of the sample's features.
    package let fields: [Int]
    /// The place of each in `ValidatedBatch.numbers`.
    package let slots: [Int]
    /// Features that the forest uses, as indices into `fields`.
    package let forest: [Int]

    /// Chooses by contract: every number that is no key, label, person's datum or unique value, unless said otherwise.
    package init(_ schema: Schema, numericFields: [Int]) {
        let candidates = numericFields.enumerated().filter { _, index in
            let field = schema.fields[index]
            if schema.forest.fields.contains(field.name) { return true }
            guard field.anomaly.enabled, field.pii == nil, !field.constraints.unique,
                !schema.primaryKey.contains(field.name)
            else { return false }
            return field.role == nil || field.role == .measure
        }
        fields = candidates.map(\.element)
        slots = candidates.map(\.offset)
        let chosen = fields
        let named = schema.forest.fields
        let forest =
            schema.forest.enabled
            ? chosen.indices.filter { named.isEmpty || named.contains(schema.fields[chosen[$0]].name) } : []
        // A split names its features by one byte.
        self.forest = Array(forest.prefix(255))
    }
}
