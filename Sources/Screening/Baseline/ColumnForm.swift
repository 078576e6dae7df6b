import Sketches

/// The kind of a column, inferred from the accepted batches and this one. It decides which tests the column gets.
package enum ColumnForm: String, Sendable {
    /// All values are different, more than chance explains: nothing to compare.
    case key
    /// Values rise or fall from batch to batch, or most are new in each: nothing to compare.
    case counter
    /// One value in nearly all rows, the same in each batch.
    case constant
    /// One value in nearly all rows of a batch, another one in another batch: one observation a batch.
    case batchConstant = "constant in each batch"
    /// At most two values: a share.
    case twoValued = "two values"
    /// Few whole numbers: shares.
    case code
    /// One value in more than half of the rows: shares, and magnitudes among the others.
    case sparse
    /// Repeating values: shares, and new ones.
    case category
    /// Values that do not repeat: lengths, words and characters are compared.
    case text
    /// A magnitude.
    case measure
    /// Too few values to say.
    case unknown = "too few values"

    /// Whether its values are compared with those of other batches and rows.
    package var isCompared: Bool { ![.key, .counter, .constant, .batchConstant, .unknown].contains(self) }
    /// Whether the column is left out of distances between rows, triggers and copies.
    var isLeftOut: Bool { [.key, .counter, .batchConstant].contains(self) }
    /// Whether distances between rows mean anything in it.
    package var isMagnitude: Bool { self == .measure || self == .sparse }

    /// The form of a column of numbers, by the values of one file; what is not finite is missing.
    package static func of(numbers: [Double]) -> ColumnForm { of([BatchSummary.measure(numbers)]) }

    /// The form of a column of texts, by hashes of the values of one file.
    package static func of(codes: [UInt64]) -> ColumnForm { of([BatchSummary.category(codes)], isLabel: false) }

    /// The form of a column of numbers; `batches` are the accepted ones and this one, oldest first.
    static func of(_ batches: [BatchSummary.Measure]) -> ColumnForm {
        let known = batches.filter { $0.present > 0 }
        let large = known.filter { $0.present >= 20 }
        guard known.reduce(0, { $0 + $1.present }) >= ModifiedZ.rowsMin, !large.isEmpty else { return .unknown }
        if large.allSatisfy({ $0.isWhole && $0.distinct == $0.present }) {
            // Pairs of rows that would be equal by chance, if the values were drawn from the range.
            let expected = large.reduce(0.0) { sum, batch in
                sum + Double(batch.present) * Double(batch.present) / (2 * (batch.highest - batch.lowest + 1))
            }
            if expected > 12 { return .key }
        }
        if isCounter(large) || isNewEachTime(known.map { Set($0.values.keys) }) { return .counter }
        if known.allSatisfy({ $0.modeShare > 0.99 }) {
            return Set(known.map(\.mode)).count == 1 ? .constant : .batchConstant
        }
        let all =
            known.allSatisfy { $0.distinct <= BatchSummary.valuesMax }
            ? known.reduce(into: Set<Double>()) { $0.formUnion($1.values.keys) } : nil
        if let all, all.count <= 2 { return .twoValued }
        if let all, all.count <= 40, known.allSatisfy({ $0.isWhole && $0.distinct <= 25 }) { return .code }
        if Robust.median(known.map(\.modeShare).sorted()) > 0.5 { return .sparse }
        return .measure
    }

    /// Whether most batches have mostly new values: days, months, order numbers that repeat within a batch.
    private static func isNewEachTime<Value>(_ batches: [Set<Value>]) -> Bool {
        guard batches.count >= 3 else { return false }
        var (known, new) = (batches[0], 0)
        for batch in batches.dropFirst() {
            if 2 * batch.subtracting(known).count > batch.count { new += 1 }
            known.formUnion(batch)
        }
        return 2 * new > batches.count - 1
    }

    /// Decided by medians and quantiles only. With extremes, a single planted number could turn a seasonal column into
    /// a counter.
    private static func isCounter(_ batches: [BatchSummary.Measure]) -> Bool {
        guard batches.count >= 4, let first = batches.first, let last = batches.last else { return false }
        let medians = batches.map { $0.quantiles[6] }
        let steps = zip(medians, medians.dropFirst()).map { $1 - $0 }
        guard steps.allSatisfy({ $0 >= 0 }) || steps.allSatisfy({ $0 <= 0 }) else { return false }
        let width = Robust.median(batches.map { $0.quantiles[12] - $0.quantiles[0] }.sorted())
        let moved = abs(last.quantiles[6] - first.quantiles[6])
        return moved > (batches.count >= 8 ? 1.25 : 0.5) * Double(batches.count - 1) * width
    }

    /// The form of a column of codes.
    static func of(_ batches: [BatchSummary.Category], isLabel: Bool) -> ColumnForm {
        let known = batches.filter { $0.present > 0 }
        guard known.reduce(0, { $0 + $1.present }) >= ModifiedZ.rowsMin else { return .unknown }
        if !isLabel, known.allSatisfy({ $0.modeShare > 0.99 }) {
            return Set(known.map(\.mode)).count == 1 ? .constant : .batchConstant
        }
        if isLabel { return .category }
        let large = known.filter { $0.present >= 20 }
        if !large.isEmpty, large.allSatisfy({ $0.counts.count == $0.present }) { return .key }
        if isNewEachTime(large.map { Set($0.counts.keys) }) { return .counter }
        let repeating = known.count { 2 * $0.counts.count <= $0.present }
        return 2 * repeating >= known.count ? .category : .text
    }
}
