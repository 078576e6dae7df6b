import CKernels
package import Schemas
package import Sketches
package import Tabular
import Validating

/// What was decided about a batch before its second pass: a pure function of profile, baseline and contract.
package struct Decision: Sendable {
    /// Where the lines come from.
    package enum Basis: String, Sendable {
        /// Rows of batches accepted before.
        case baseline
        /// The batch itself: nothing was accepted before.
        case firstContact = "first-contact"
    }

    /// The rule of each screened field that could be tested.
    package var rules: [ModifiedZ]
    /// Fields that were not tested, and why.
    package var untested: [(field: Int, reason: String)]
    /// The forest, when there is one.
    package var forest: IsolationForest?
    /// Features of the sample that the forest uses.
    package var forestFeatures: [Int]
    /// Rows with a smaller sum are flagged.
    package var flagBelow: UInt32
    /// Rows with a smaller sum are quarantined; 0 when none are.
    package var quarantineBelow: UInt32
    /// Where the lines come from.
    package var basis: Basis
    /// Rows the lines were made from.
    package var basisRows: Int
    /// Share of basis rows beyond a modified z threshold.
    package var flagRateZ: Double
    /// Share of held-out basis rows beyond the forest's flag line.
    package var flagRateForest: Double
    /// For each key rule the rows that break it.
    package var keyErrors: [RowSet]
    /// The screened fields.
    package var screened: ScreenedFields

    /// Rows a held-out quantile must rest on before it may quarantine.
    package static let heldOutMin = 2000
}

extension Decision {
    /// Decides.
    ///
    /// - Parameters:
    ///   - profile: the finished profile of the whole batch.
    ///   - keyErrors: for each key rule the rows that break it.
    ///   - baseline: rows accepted before, over the same features, or nil on first contact.
    ///   - seed: the forest's seed.
    package init(
        _ profile: Profile, keyErrors: [RowSet], baseline: Baseline?, schema: Schema, screened: ScreenedFields,
        seed: UInt64
    ) {
        let names = screened.fields.map { schema.fields[$0].name }
        let isUsable = baseline.map { $0.features == names && $0.sample.count >= ModifiedZ.rowsMin } ?? false
        let sample = isUsable ? baseline?.sample ?? profile.sample : profile.sample
        basis = isUsable ? .baseline : .firstContact
        basisRows = sample.count
        self.screened = screened
        rules = []
        untested = []
        for (feature, index) in screened.fields.enumerated() where schema.fields[index].anomaly.enabled {
            let rule = schema.fields[index].anomaly
            let made = ModifiedZ(
                field: index, values: sample.column(feature), threshold: rule.threshold, transform: rule.transform,
                tails: rule.tails)
            if let made {
                if made.isConstant { untested.append((index, ModifiedZ.Untested.constant.rawValue)) }
                rules.append(made)
            } else {
                untested.append((index, ModifiedZ.Untested.tooFewRows.rawValue))
            }
        }
        self.keyErrors = keyErrors
        // A feature that the baseline has never seen has no line; a forest over it would know one value.
        forestFeatures = screened.forest.filter { sample.column($0).count >= ModifiedZ.rowsMin }
        forest = nil
        (flagBelow, quarantineBelow, flagRateZ, flagRateForest) = (0, 0, 0, 0)
        let remarks = isUsable ? baseline?.remarks ?? Baseline.Remarks() : Baseline.Remarks()
        flagRateZ = max(rateOfRemarks(sample), remarks.share(remarks.deviated))
        fitForest(sample, schema, seed, withheld: remarks.share(remarks.withheld))
        if forest != nil { flagRateForest = max(flagRateForest, remarks.share(remarks.isolated)) }
    }

    /// The share of sample rows with any |M| past its threshold.
    private func rateOfRemarks(_ sample: RowSample) -> Double {
        guard sample.count > 0 else { return 0 }
        let features = rules.map { rule in screened.fields.firstIndex(of: rule.field) ?? 0 }
        var remarked = 0
        for row in 0..<sample.count {
            for (rule, feature) in zip(rules, features)
            where rule.score(sample.values[row * sample.width + feature]) > rule.threshold {
                remarked += 1
                break
            }
        }
        return Double(remarked) / Double(sample.count)
    }

    /// Fits on one half of the sample and takes the lines from the other half, when there are enough rows for both.
    ///
    /// - Parameter withheld: the share of rows that are missing in the sample because they were held back. They are its
    ///   tail, so the quarantine line lies further out among those that are left; without that, each batch would cut a
    ///   little more off the next. The flag line stays: it holds nothing back, and being early is its use.
    private mutating func fitForest(_ sample: RowSample, _ schema: Schema, _ seed: UInt64, withheld: Double) {
        guard schema.forest.enabled, !forestFeatures.isEmpty, sample.count >= 64 else { return }
        var narrowed = RowSample(capacity: sample.capacity, width: forestFeatures.count)
        for row in 0..<sample.count {
            narrowed.append(
                rank: sample.ranks[row], forestFeatures.map { sample.values[row * sample.width + $0] })
        }
        let isSplit = sample.count >= 2 * Self.heldOutMin
        let half = isSplit ? sample.count / 2 : sample.count
        let made = IsolationForest(
            sample: narrowed, rows: 0..<half, fields: forestFeatures.map { screened.fields[$0] },
            trees: schema.forest.trees, sampleSize: schema.forest.sampleSize, dimensions: schema.forest.dimensions,
            seed: seed)
        let first = isSplit ? half : 0
        let held = made.sums(count: narrowed.count - first) { feature, row in
            narrowed.values[(first + row) * narrowed.width + feature]
        }.sorted()
        func line(_ quantile: Double, withheld: Double = 0) -> UInt32 {
            let beyond = max(0, 1 - quantile - withheld) / max(1 - withheld, 0.5)
            return held[min(Int((Double(held.count) * beyond).rounded(.down)), held.count - 1)]
        }
        forest = made
        flagBelow = line(schema.forest.flagQuantile)
        // A share of every batch would be held back if a batch could draw this line for itself.
        let mayQuarantine = basis == .baseline && held.count >= Self.heldOutMin && schema.forest.action >= .quarantined
        quarantineBelow = mayQuarantine ? line(schema.forest.quarantineQuantile, withheld: withheld) : 0
        flagRateForest = Double(held.prefix { $0 < flagBelow }.count) / Double(held.count)
    }

    /// The decision as a document: what is kept, sealed, and hashed into the ledger. Doubles are written as hexadecimal
    /// bit patterns, so that reading them back gives the same bits.
    package func document() -> JSONValue {
        func bits(_ value: Double) -> JSONValue { .string("0x" + String(value.bitPattern, radix: 16)) }
        var members: [String: JSONValue] = [
            "v": .integer(2), "basis": .string(basis.rawValue), "basis_rows": .integer(Int64(basisRows)),
            "flag_rate_z": bits(flagRateZ), "flag_rate_forest": bits(flagRateForest),
            "screened": .array(screened.fields.map { .integer(Int64($0)) }),
            "key_errors": .array(keyErrors.map { .array(runs(of: $0).map { .integer(Int64($0)) }) }),
            "untested": .array(
                untested.map { .object(["field": .integer(Int64($0.field)), "why": .string($0.reason)]) }),
            "rules": .array(
                rules.map { rule in
                    .object([
                        "field": .integer(Int64(rule.field)), "log1p": .bool(rule.usesLog), "center": bits(rule.center),
                        "scale_below": bits(rule.scaleBelow), "scale_above": bits(rule.scaleAbove),
                        "threshold": bits(rule.threshold), "n": .integer(Int64(rule.count)),
                        "constant": .bool(rule.isConstant),
                    ])
                }),
        ]
        if let forest {
            members["forest"] = .object([
                "trees": .integer(Int64(forest.trees)), "sample": .integer(Int64(forest.sampleSize)),
                "ndim": .integer(Int64(forest.dimensions)), "flag_below": .integer(Int64(flagBelow)),
                "quarantine_below": .integer(Int64(quarantineBelow)),
                "features": .array(forestFeatures.map { .integer(Int64($0)) }),
                "quantisers": .array(
                    forest.quantisers.map { .object(["center": bits($0.center), "scale": bits($0.scale)]) }),
                "roots": .array(forest.roots.map { .integer(Int64($0)) }), "nodes": .array(forest.nodeNumbers()),
            ])
        }
        return .object(members)
    }
}

/// Rows as runs: a first row, how many follow each other from there, and so on. A file in which every row breaks a rule has one.
private func runs(of rows: RowSet) -> [Int] {
    var out: [Int] = []
    for row in rows {
        if let first = out.dropLast().last, let count = out.last, first + count == row {
            out[out.count - 1] += 1
        } else {
            out += [row, 1]
        }
    }
    return out
}

extension IsolationForest {
    /// The nodes as whole numbers: [feature, threshold, value, right] or [w, w, w, f, f, f, leaf, threshold, value, right].
    func nodeNumbers() -> [JSONValue] {
        func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer(Int64($0)) }) }
        if dimensions == 1 {
            return narrow.map { list([Int($0.feature), Int($0.threshold), Int($0.value), Int($0.right)]) }
        }
        return wide.map { node in
            list([
                Int(node.w.0), Int(node.w.1), Int(node.w.2), Int(node.f.0), Int(node.f.1), Int(node.f.2),
                Int(node.leaf), Int(node.threshold), Int(node.value), Int(node.right),
            ])
        }
    }
}
