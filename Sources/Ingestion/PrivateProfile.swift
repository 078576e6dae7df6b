import Cryptography
import Glibc
import Lineage
import Reading
package import Schemas
import Sketches
import Storage
package import Tabular
import Validating

/// A privacy budget as a decimal fraction, so that what is spent adds up exactly.
package struct Epsilon: Sendable, Equatable {
    /// Millionths: 1 to 10 000 000 000.
    package let millionths: UInt64

    /// A number such as `0.5`, with at most six decimals, above 0 and at most 10 000.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = UInt64(parts[0]), whole <= 10_000 else { return nil }
        let decimals = parts.count == 2 ? String(parts[1]) : "0"
        guard (1...6).contains(decimals.utf8.count), let part = UInt64(decimals) else { return nil }
        var scaled = part
        for _ in decimals.utf8.count..<6 { scaled *= 10 }
        millionths = whole * 1_000_000 + scaled
        guard 1...10_000_000_000 ~= millionths else { return nil }
    }

    /// So many millionths.
    init(millionths: UInt64) { self.millionths = millionths }

    /// The number as text.
    package var text: String {
        let decimals = String(1_000_000 + millionths % 1_000_000).dropFirst()
        let short = decimals.reversed().drop { $0 == "0" }.reversed()
        return "\(millionths / 1_000_000)" + (short.isEmpty ? "" : "." + String(short))
    }
}

/// Statistics of a file with noise, fit to be published: each row may have been there or not.
package struct PrivateProfile: Sendable {
    /// One field's.
    package struct Column: Sendable {
        /// The field's name.
        package var name: String
        /// Values that are missing.
        package var missing: Int
        /// The mean of its numbers, clipped to the contract's limits; nil when it has none, or too few rows are left beside the noise.
        package var mean: Double?
        /// How often each value that the contract lists stands.
        package var counts: [String: Int]?
    }

    /// Rows that keep the contract.
    package var rows: Int
    /// The columns that the contract bounds.
    package var columns: [Column]
    /// What was spent, and on how many questions it was shared.
    package var epsilon: Epsilon, questions: Int
    /// What all published profiles of the same file have spent.
    package var spent: Epsilon
    /// The file's SHA-256.
    package var digest: [UInt8]
}

/// Sums over the rows of a file that noise is added to.
private struct BoundedSums {
    /// What a column is asked.
    enum Question {
        /// Whole steps between the limits, how many there are, and where they begin and how wide they are.
        case steps(most: UInt64, low: Double, width: Double)
        case values([String])
        case missing
    }

    let field: Int
    let question: Question
    var missing = 0
    var sum: UInt64 = 0
    var counts: [Int] = []

    /// What a field is asked; nil for keys and personal data.
    init?(_ schema: Schema, _ index: Int) {
        let own = schema.fields[index]
        guard own.pii == nil, own.role != .key, own.role != .subject, !schema.primaryKey.contains(own.name) else {
            return nil
        }
        field = index
        let listed = own.categories ?? own.constraints.enumeration ?? []
        if own.isNumeric, let low = own.constraints.minimum.flatMap(Double.init),
            let high = own.constraints.maximum.flatMap(Double.init),
            high > low, (high - low).isFinite
        {
            let isWhole = own.type == .integer && high - low <= 1e6
            let most = isWhole ? UInt64((high - low).rounded()) : 1_000_000
            question = .steps(most: most, low: low, width: (high - low) / Double(most))
        } else if !listed.isEmpty, listed.count <= 1000 {
            question = .values(listed)
            counts = [Int](repeating: 0, count: listed.count)
        } else {
            question = .missing
        }
    }

    /// Questions that share the budget: the missing values, and what the values are.
    var questions: Int { if case .missing = question { 1 } else { 2 } }
}

extension Corridor {
    /// Publishes noisy statistics of a file: bounds from the contract, never from the data, and the budget in the ledger before a
    /// number is given out.
    ///
    /// Each question has sensitivity 1 or the width of its field in whole steps, and an equal share of `epsilon`; neighbours differ by
    /// one row.
    package func profile(
        _ path: String, schema: Schema, contract: JSONValue, dataset: String, options: BatchOptions, epsilon: Epsilon,
        limit: Epsilon?
    ) throws(IngestionError) -> PrivateProfile {
        guard let committer else {
            throw IngestionError(.configuration, "a profile spends a budget that a store records: give --store DIR")
        }
        guard let format = options.format ?? Self.format(of: path) else {
            throw IngestionError(
                .usage, "\(path): the file name does not show whether it is CSV or JSON; add --input-format")
        }
        let plan = try Plan(
            schema: schema, dataset: dataset, source: "", format: format, options: options,
            secret: [UInt8](repeating: 0x53, count: 32),
            recipients: [], tokenKeys: [:], file: path, hash: try Plan.keyHash(nil))
        let cutter = try SliceCutter(
            try Source(path, calling: path, isStopped: options.isStopped), plan: plan.reading,
            sliceBytes: options.sliceBytes)
        guard let layout = cutter.head.layout else {
            throw IngestionError(.unreadableData, "\(path): its header does not fit the contract; see: sluice validate")
        }
        var sums = schema.fields.indices.compactMap { BoundedSums(schema, $0) }
        var rows = 0
        while let slice = try cutter.next() {
            var reader = SliceReader(slice, layout: layout, plan: plan.reading)
            while let batch = reader.next() { add(plan.validator.validate(batch), plan, &sums, &rows) }
        }
        let digest = cutter.digest()
        let spent = try spend(epsilon, limit, digest, dataset, schema, committer)
        return noisy(sums, rows, schema, epsilon, spent, digest)
    }

    private func add(_ validated: ValidatedBatch, _ plan: Plan, _ sums: inout [BoundedSums], _ rows: inout Int) {
        let batch = validated.batch
        for row in 0..<batch.count where validated.isSound[row] { rows += 1 }
        for index in sums.indices {
            let column = batch.layout.columnOfField[sums[index].field]
            let missing = plan.schema.missingValues(of: sums[index].field).map { Array($0.utf8) }
            let slot = plan.validator.numericFields.firstIndex(of: sums[index].field)
            for row in 0..<batch.count where validated.isSound[row] {
                let text = column < 0 ? [] : batch.cells[row * batch.width + column].range.map { batch.bytes[$0] }
                if column < 0 || text.isEmpty || missing.contains(text) {
                    sums[index].missing += 1
                    continue
                }
                switch sums[index].question {
                case .steps(let most, let low, let width):
                    guard let slot else { continue }
                    let steps = ((validated.numbers[slot][row] - low) / width).rounded()
                    // Clipped: no row weighs more than the contract lets it.
                    sums[index].sum += UInt64(max(0, min(Double(most), steps.isNaN ? 0 : steps)))
                case .values(let listed):
                    if let place = listed.firstIndex(of: String(decoding: text, as: UTF8.self)) {
                        sums[index].counts[place] += 1
                    }
                case .missing: continue
                }
            }
        }
    }

    /// Records what is spent; refuses when it would be more than the limit.
    private func spend(
        _ epsilon: Epsilon, _ limit: Epsilon?, _ digest: [UInt8], _ dataset: String, _ schema: Schema,
        _ committer: Committer
    ) throws(IngestionError) -> Epsilon {
        var spent = epsilon.millionths
        spent += try committer.store.proven().state.spent[hex(digest)] ?? 0
        if let limit, spent > limit.millionths {
            throw IngestionError(
                .notPermitted,
                "all profiles of this file would spend epsilon \(Epsilon(millionths: spent).text), more than --dp-limit \(limit.text): "
                    + "nothing was published")
        }
        let entry = JSONValue.object([
            "kind": .string("profile.published"), "v": .integer(1), "time": .string(Clock.text()),
            "dataset": .string(dataset),
            "source_sha256": .string(hex(digest)), "schema_sha256": .string(hex(schema.digest)),
            "epsilon_millionths": .integer(Int64(epsilon.millionths)), "spent_millionths": .integer(Int64(spent)),
            "uid": .integer(Int64(getuid())),
        ])
        try committer.append([entry])
        return Epsilon(millionths: spent)
    }

    private func noisy(
        _ sums: [BoundedSums], _ rows: Int, _ schema: Schema, _ epsilon: Epsilon, _ spent: Epsilon, _ digest: [UInt8]
    ) -> PrivateProfile {
        let questions = sums.reduce(1) { $0 + $1.questions }
        var bits = SecureBits()
        /// A count with noise of scale sensitivity · questions / ε; what falls below 0 is 0.
        func told(_ value: UInt64, sensitivity: UInt64 = 1) -> UInt64 {
            let laplace = DiscreteLaplace(
                numerator: sensitivity * UInt64(questions) * 1_000_000, denominator: epsilon.millionths)
            return UInt64(max(0, Int(value) + laplace.draw(&bits)))
        }
        let total = told(UInt64(rows))
        let columns = sums.map { own in
            var column = PrivateProfile.Column(
                name: schema.fields[own.field].name, missing: Int(told(UInt64(own.missing))))
            switch own.question {
            case .steps(let most, let low, let width):
                let sum = told(own.sum, sensitivity: most)
                let count = Double(total) - Double(column.missing)
                if count >= 1 { column.mean = min(low + width * Double(most), low + width * Double(sum) / count) }
            case .values(let listed):
                column.counts = Dictionary(
                    uniqueKeysWithValues: zip(listed, own.counts).map { ($0, Int(told(UInt64($1)))) })
            case .missing: break
            }
            return column
        }
        return PrivateProfile(
            rows: Int(total), columns: columns, epsilon: epsilon, questions: questions, spent: spent, digest: digest)
    }
}
