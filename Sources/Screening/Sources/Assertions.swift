import Schemas
package import Sketches
import Tabular
package import Validating

/// Reads the assertions of rows: values for keys for which other suppliers may have values too.
package struct AssertionReader: Sendable {
    /// The method by which the values of a compared field are compared.
    enum Kind: Sendable, Equatable {
        /// A number of the assertion, and the tolerated difference as a share of the larger one.
        case number(place: Int, tolerance: Double)
        /// A time as a number of the assertion, in seconds, and the tolerated difference.
        case point(place: Int, skew: Double)
        /// A code of the assertion, compared for equality.
        case code(place: Int)

        /// Its name in stored assertions.
        var word: String {
            switch self {
            case .number: "number"
            case .point: "point"
            case .code: "code"
            }
        }
    }

    /// Codes of an assertion that are no values: the row's number, and who says it.
    static let ownCodes = 2
    /// Set in a row's number if its values were not confirmed and it was held back for that.
    package static let withheldBit = UInt64(1) << 63

    /// The contract's fields that are compared, and how.
    let compared: [(field: Int, kind: Kind)]
    /// The outcome of a row with a value that is not confirmed.
    let action: Outcome
    /// Keys with fewer suppliers than this are not compared.
    let minSources: Int
    /// Names that assertions of other batches must have been made with.
    package let names: [String]
    /// Numbers and codes of an assertion.
    let width: Int, codeWidth: Int
    /// The sender, to whom rows without a supplier of their own belong. A sender speaks for itself only: the suppliers
    /// that its rows name are names of its own, and nobody else's.
    let batchSource: UInt64
    private let key: [Int]
    private let provenance: Int?
    private let slots: [Int: Int]
    private let validator: Validator

    /// nil when the contract compares nothing.
    ///
    /// - Parameter source: the batch's sender, to whom rows without a supplier of their own belong.
    package init?(_ validator: Validator, source: String) {
        let schema = validator.schema
        guard let rule = schema.poisoning.crossVerify else { return nil }
        func place(_ name: String) -> Int? { schema.fields.firstIndex { $0.name == name } }
        var (compared, numbers, codes): ([(field: Int, kind: Kind)], Int, Int) = ([], 0, Self.ownCodes)
        for one in rule.fields {
            guard let field = place(one.name) else { continue }
            if schema.fields[field].isNumeric {
                compared.append((field, .number(place: numbers, tolerance: one.tolerance)))
                numbers += 1
            } else if schema.fields[field].type.isPoint {
                compared.append((field, .point(place: numbers, skew: one.skew)))
                numbers += 1
            } else {
                compared.append((field, .code(place: codes)))
                codes += 1
            }
        }
        self.compared = compared
        (width, codeWidth) = (numbers, codes)
        action = rule.action
        minSources = rule.minSources
        // With the kind of comparison, since numbers in assertions under an older contract cannot be compared with codes.
        names = rule.key + ["\0"] + compared.map { schema.fields[$0.field].name + " " + $0.kind.word }
        key = rule.key.compactMap(place)
        provenance = schema.fields.firstIndex { $0.role == .provenance }
        batchSource = validator.code(ofText: source)
        slots = Dictionary(
            validator.numericFields.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        self.validator = validator
    }

    /// An empty set of assertions.
    package var empty: RowSample { RowSample(capacity: Self.capacity, width: width, codeWidth: codeWidth) }

    /// Most assertions of a batch: those whose keys have the smallest hashes, and so the same keys in every batch.
    ///
    /// The choice must not depend on the content, or two batches would hardly have a key in common. A supplier who
    /// sends more keys than this, and sees which false assertions were found, learns which keys are compared and can lie
    /// about the others. If neither this batch nor those of other suppliers are larger, every key is compared. Reports
    /// state how many were.
    package static let capacity = 1 << 19

    /// The code of a sender in assertions.
    package func code(ofSource name: String) -> UInt64 { validator.code(ofText: name) }

    /// The code of a supplier that rows of this sender name.
    package func code(ofNamed name: String) -> UInt64 { scoped(validator.code(ofText: name)) }

    /// Whether rows name their suppliers.
    var hasNamedSources: Bool { provenance != nil }

    private func scoped(_ code: UInt64) -> UInt64 {
        code == batchSource ? code : max(1, SplitMix64.mix(code ^ SplitMix64.mix(batchSource)))
    }

    /// The supplier of a row's values: the one that it names, or else the sender.
    func source(_ batch: RowBlock, row: Int) -> UInt64 {
        provenance.flatMap { validator.code(ofText: $0, row: row, in: batch) }.map(scoped) ?? batchSource
    }

    /// Adds the claims of the valid rows of a block.
    func add(_ batch: ValidatedBlock, to assertions: inout RowSample) {
        var (numbers, codes): ([Double], [UInt64]) = ([], [])
        for row in 0..<batch.batch.count where batch.isValid[row] {
            guard let hash = validator.code(ofKey: key, row: row, in: batch.batch) else { continue }
            guard assertions.admits(hash) else { continue }
            numbers.removeAll(keepingCapacity: true)
            codes.removeAll(keepingCapacity: true)
            codes.append(UInt64(batch.batch.firstRow + row))
            codes.append(source(batch.batch, row: row))
            for (field, kind) in compared {
                switch kind {
                case .number: numbers.append(batch.numbers[slots[field] ?? 0][row])
                case .point: numbers.append(validator.moment(of: field, row: row, in: batch.batch) ?? .nan)
                case .code:
                    let isText = validator.schema.fields[field].type != .boolean
                    codes.append(
                        (isText
                            ? validator.code(ofText: field, row: row, in: batch.batch)
                            : validator.code(of: field, row: row, in: batch.batch)) ?? 0)
                }
            }
            assertions.append(rank: hash, numbers, codes: codes)
        }
    }
}

/// Counts of a supplier's values that others confirmed or contradicted, field by field.
package struct SourceTally: Sendable, Equatable {
    /// For each compared field.
    package var agreed: [Int], differed: [Int]

    /// Nothing compared yet.
    package init(fields: Int) {
        agreed = Array(repeating: 0, count: fields)
        differed = agreed
    }

    /// All comparisons.
    var total: Int { agreed.reduce(0, +) + differed.reduce(0, +) }

    mutating func add(_ other: SourceTally) {
        for field in agreed.indices where field < other.agreed.count {
            agreed[field] += other.agreed[field]
            differed[field] += other.differed[field]
        }
    }
}

/// The claims of an earlier batch, with the records of its suppliers at that time.
package struct EarlierAssertions: Sendable, Equatable {
    /// The batch.
    package var batch: String
    /// The names that the assertions were made with.
    package var names: [String]
    /// The assertions, ascending by key.
    package var rows: RowSample
    /// Counts of confirmed and contradicted values when it was judged, by supplier.
    package var tallies: [UInt64: SourceTally]

    /// Assertions of a batch.
    package init(batch: String, names: [String], rows: RowSample, tallies: [UInt64: SourceTally]) {
        self.batch = batch
        self.names = names
        self.rows = rows
        self.tallies = tallies
    }

    /// Keeps only the assertions about keys that a batch has; both are ascending by key.
    ///
    /// - Parameter heard: keys and suppliers with a claim in newer batches; only the newest claim of a supplier is
    ///   kept.
    package mutating func keep(keysOf batch: RowSample, heard: inout Set<UInt64>) {
        var (kept, at): ([Int], Int) = ([], 0)
        var mine = Set<UInt64>()
        for row in 0..<rows.count {
            while at < batch.count, batch.ranks[at] < rows.ranks[row] { at += 1 }
            if at == batch.count { break }
            guard batch.ranks[at] == rows.ranks[row] else { continue }
            let word = SplitMix64.mix(rows.ranks[row] ^ SplitMix64.mix(rows.codes[row * rows.codeWidth + 1]))
            if heard.contains(word) { continue }
            mine.insert(word)
            kept.append(row)
        }
        heard.formUnion(mine)
        rows = rows.rows(kept)
    }
}

/// The stored form: little-endian words.
extension EarlierAssertions {
    private static let magic = Array("sluice-claims-v1\n".utf8)

    /// The claims of a batch, for later batches.
    ///
    /// - Parameters:
    ///   - assertions: the assertions of its valid rows.
    ///   - cross: how it was compared; rows that were held back for that are marked.
    package init(batch: String, _ assertions: RowSample, _ cross: CrossCheck, _ reader: AssertionReader) {
        let withheld = Set(cross.action >= .quarantined ? cross.conflicts.map(\.row) : [])
        var rows = reader.empty
        for index in 0..<assertions.count {
            var codes = Array(assertions.codes(of: index))
            if withheld.contains(Int(codes[0])) { codes[0] |= AssertionReader.withheldBit }
            rows.append(rank: assertions.ranks[index], Array(assertions.numbers(of: index)), codes: codes)
        }
        // Suppliers with few comparisons need not be remembered.
        let most = cross.tallies.sorted {
            let (a, b) = ($0.value.total, $1.value.total)
            return a != b ? a > b : $0.key < $1.key
        }.prefix(Self.talliesMax)
        self.init(
            batch: batch, names: reader.names, rows: rows,
            tallies: Dictionary(most.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Most suppliers whose record a batch keeps.
    private static let talliesMax = 4096

    /// Without the assertions of these rows of the batch; nil when it has none of them.
    package func removing(rows removed: Set<Int>) -> EarlierAssertions? {
        let kept = (0..<rows.count).filter { row in
            !removed.contains(Int(rows.codes[row * rows.codeWidth] & ~AssertionReader.withheldBit))
        }
        if kept.count == rows.count { return nil }
        var left = self
        left.rows = rows.rows(kept)
        return left
    }

    /// Whether the assertions have the form that a reader makes.
    package func fits(_ reader: AssertionReader) -> Bool {
        names == reader.names && rows.width == reader.width && rows.codeWidth == reader.codeWidth
    }

    /// The stored form.
    package func encoded() -> [UInt8] {
        var out = BinaryWriter(bytes: Self.magic)
        out.names(names)
        out.word(tallies.count)
        for (source, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            out.word(source)
            out.word(tally.agreed.count)
            for count in tally.agreed + tally.differed { out.word(count) }
        }
        out.sample(rows)
        return out.bytes
    }

    /// Reads the stored form; nil if it is damaged.
    package init?(decoding bytes: [UInt8], batch: String) {
        guard bytes.starts(with: Self.magic) else { return nil }
        var input = WordReader(bytes: bytes, at: Self.magic.count)
        guard let names = input.names(), let sources = input.count(Self.talliesMax) else { return nil }
        var tallies: [UInt64: SourceTally] = [:]
        for _ in 0..<sources {
            guard let source = input.word(), let fields = input.count(64) else { return nil }
            var tally = SourceTally(fields: fields)
            for field in 0..<fields {
                guard let count = input.count(1 << 48) else { return nil }
                tally.agreed[field] = count
            }
            for field in 0..<fields {
                guard let count = input.count(1 << 48) else { return nil }
                tally.differed[field] = count
            }
            tallies[source] = tally
        }
        guard let rows = input.sample(), input.isAtEnd, rows.codeWidth >= AssertionReader.ownCodes else { return nil }
        self.init(batch: batch, names: names, rows: rows, tallies: tallies)
    }
}
