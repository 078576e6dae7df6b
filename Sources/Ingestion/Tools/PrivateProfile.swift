import Cryptography
import Glibc
import Lineage
import Reading
import Schemas
import Sketches
import Storage
import Tabular
import Validating

/// A privacy budget as an exact decimal, so that the amounts spent add up exactly.
package struct Epsilon: Sendable, Equatable {
    /// Millionths, from 1 to 10 000 000 000.
    package let millionths: UInt64

    /// Parses a number such as `0.5`: at most six decimals, above 0 and at most 10 000. nil for any other text.
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

    /// A budget of so many millionths.
    init(millionths: UInt64) { self.millionths = millionths }

    /// The number as a decimal.
    package var text: String {
        let decimals = String(1_000_000 + millionths % 1_000_000).dropFirst()
        let short = decimals.reversed().drop { $0 == "0" }.reversed()
        return "\(millionths / 1_000_000)" + (short.isEmpty ? "" : "." + String(short))
    }
}

/// Statistics of a file with noise (ε-differential privacy), fit to be published: neighbouring files differ by one row.
package struct PrivateProfile: Sendable {
    /// The statistics of one field.
    package struct Column: Sendable {
        /// The field's name.
        package var name: String
        /// Missing values, with noise.
        package var missing: Int
        /// The mean of the numbers, clipped to the contract's limits; nil when the field has none, or too few rows
        /// remain beside the noise.
        package var mean: Double?
        /// The frequency of each value that the contract lists, with noise.
        package var counts: [String: Int]?
    }

    /// Rows that keep the contract, with noise.
    package var rows: Int
    /// The fields that the contract bounds.
    package var columns: [Column]
    /// The budget spent, and the number of questions that share it.
    package var epsilon: Epsilon, questions: Int
    /// The budget spent by all published profiles of this file.
    package var spent: Epsilon
    /// The file's SHA-256.
    package var digest: [UInt8]
}

/// The exact sums of one field, to which noise is added.
private struct BoundedSums {
    /// The questions about a field.
    enum Question {
        /// The mean: values as whole steps from `low`, at most `most`, each `width` wide.
        case steps(most: UInt64, low: Double, width: Double)
        case values([String])
        case missing
    }

    let field: Int
    let question: Question
    var missing = 0
    var sum: UInt64 = 0
    var counts: [Int] = []

    /// The questions about a field; nil for keys and personal data, which are not published.
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

    /// Number of questions: missing values, and the values themselves.
    var questions: Int { if case .missing = question { 1 } else { 2 } }
}

extension BoundedSums {
    /// Adds the rows of a block that keep the contract.
    mutating func add(_ validated: ValidatedBlock, _ plan: Plan) {
        let batch = validated.batch
        let column = batch.layout.columnOfField[field]
        let missing = plan.schema.missingValues(of: field).map { Array($0.utf8) }
        let slot = plan.validator.numericFields.firstIndex(of: field)
        for row in 0..<batch.count where validated.isValid[row] {
            let text = column.map { batch.cells[row * batch.width + $0].range.map { batch.bytes[$0] } } ?? []
            if text.isEmpty || missing.contains(text) {
                self.missing += 1
                continue
            }
            switch question {
            case .steps(let most, let low, let width):
                guard let slot else { continue }
                let steps = ((validated.numbers[slot][row] - low) / width).rounded()
                // Clipped to the limits, so that one row changes the sum by at most `most`.
                sum += UInt64(max(0, min(Double(most), steps.isNaN ? 0 : steps)))
            case .values(let listed):
                if let place = listed.firstIndex(of: String(decoding: text, as: UTF8.self)) { counts[place] += 1 }
            case .missing: continue
            }
        }
    }
}

extension Pipeline {
    /// Publishes noisy statistics of a file. Bounds come from the contract, never from the data, and the ledger records
    /// the budget before any number is returned.
    ///
    /// Every question gets an equal share of `epsilon`. Its sensitivity is 1, or the field's range in whole steps for a
    /// sum.
    ///
    /// - Parameters:
    ///   - request: the file and its contract.
    ///   - epsilon: the budget of this profile.
    ///   - limit: the most that all profiles of the file may spend together; nil for no limit.
    /// - Throws: `notPermitted` when the limit would be exceeded; nothing is published then.
    package func profile(
        _ request: BatchRequest, epsilon: Epsilon, limit: Epsilon?
    ) throws(IngestionError) -> PrivateProfile {
        guard let recorder else {
            throw IngestionError(.configuration, "a profile spends a budget that a store records: give --store DIR")
        }
        let (path, schema, options) = (request.file, request.schema, request.options)
        let plan = try Plan(request, format: request.format(), secrets: BatchSecrets())
        let cutter = try SliceCutter(
            SourceFiles(request.input, isStopped: options.isStopped), plan: plan.reading,
            sliceBytes: options.sliceBytes)
        guard let layout = cutter.head.layout else {
            throw IngestionError(
                .unreadableData,
                "\(path): its header does not fit the contract; see: sluice validate \(PrintableText.shellWord(path)) "
                    + "--schema FILE")
        }
        var sums = schema.fields.indices.compactMap { BoundedSums(schema, $0) }
        var rows = 0
        let work = SliceWork(plan: plan, layout: layout)
        while let slice = try cutter.next() {
            var blocks = work.blocks(of: slice)
            while let block = blocks.next() {
                let validated = plan.validator.validate(block)
                for row in 0..<block.count where validated.isValid[row] { rows += 1 }
                for index in sums.indices { sums[index].add(validated, plan) }
            }
        }
        let digest = cutter.digest().whole
        let spent = try recorder.spend(epsilon, on: digest, of: request, limit: limit)
        var noise = Noise(questions: sums.reduce(1) { $0 + $1.questions }, epsilon: epsilon)
        let total = noise.noisy(UInt64(rows))
        return PrivateProfile(
            rows: Int(total),
            columns: sums.map { $0.published(with: &noise, rows: total, name: schema.fields[$0.field].name) },
            epsilon: epsilon, questions: noise.questions, spent: spent, digest: digest)
    }
}

extension Recorder {
    /// Records the budget spent on a file.
    ///
    /// - Parameters:
    ///   - epsilon: the budget of this profile.
    ///   - digest: SHA-256 of the file, by which budgets add up.
    ///   - request: names dataset and contract in the entry.
    ///   - limit: the most that may be spent in all; nil for no limit.
    /// - Returns: the budget that all profiles of the file have spent.
    /// - Throws: `notPermitted` when that exceeds the limit; nothing is recorded then.
    fileprivate func spend(
        _ epsilon: Epsilon, on digest: [UInt8], of request: BatchRequest, limit: Epsilon?
    ) throws(IngestionError) -> Epsilon {
        var spent = epsilon.millionths
        spent += try store.proven().state.spent[hex(digest)] ?? 0
        if let limit, spent > limit.millionths {
            throw IngestionError(
                .notPermitted,
                "all profiles of this file would spend epsilon \(Epsilon(millionths: spent).text), more than --dp-limit \(limit.text): "
                    + "nothing was published")
        }
        let entry = JSONValue.object([
            "kind": .event(.profilePublished), "v": .integer(1), "time": .string(Clock.text()),
            "dataset": .string(request.dataset),
            "source_sha256": .string(hex(digest)), "schema_sha256": .string(hex(request.schema.digest)),
            "epsilon_millionths": .integer(Int64(epsilon.millionths)), "spent_millionths": .integer(Int64(spent)),
            "uid": .integer(Int64(getuid())),
        ])
        try append([entry])
        return Epsilon(millionths: spent)
    }
}

/// Noise of the discrete Laplace distribution (Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential
/// Privacy", 2020), its budget shared equally among the questions.
private struct Noise {
    let questions: Int
    private let epsilon: Epsilon
    private var bits = SecureBits()

    init(questions: Int, epsilon: Epsilon) {
        self.questions = questions
        self.epsilon = epsilon
    }

    /// A count with noise of scale sensitivity · questions / ε, not below 0.
    mutating func noisy(_ value: UInt64, sensitivity: UInt64 = 1) -> UInt64 {
        let laplace = DiscreteLaplace(
            numerator: sensitivity * UInt64(questions) * 1_000_000, denominator: epsilon.millionths)
        return UInt64(max(0, Int(value) + laplace.draw(&bits)))
    }
}

extension BoundedSums {
    /// The field's statistics with noise.
    ///
    /// - Parameters:
    ///   - noise: the noise and its source of randomness.
    ///   - total: the number of rows, with noise.
    ///   - name: the field's name.
    fileprivate func published(with noise: inout Noise, rows total: UInt64, name: String) -> PrivateProfile.Column {
        var column = PrivateProfile.Column(name: name, missing: Int(noise.noisy(UInt64(missing))))
        switch question {
        case .steps(let most, let low, let width):
            let sum = noise.noisy(sum, sensitivity: most)
            let count = Double(total) - Double(column.missing)
            if count >= 1 { column.mean = min(low + width * Double(most), low + width * Double(sum) / count) }
        case .values(let listed):
            var published: [String: Int] = [:]
            for (value, count) in zip(listed, counts) { published[value] = Int(noise.noisy(UInt64(count))) }
            column.counts = published
        case .missing: break
        }
        return column
    }
}
