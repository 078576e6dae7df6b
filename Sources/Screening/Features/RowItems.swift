import Sketches

/// The items of a row apart from its text: exact numbers, values, pairs of values, and membership in the tails of
/// several measures at once. Each may be a trigger of a backdoor.
struct RowItems: Sendable {
    /// The kind of an item; the finding names it, never the value.
    enum Kind: UInt64, Sendable, CaseIterable {
        case word = 1
        case constant, value, valuePair, tailPair, tailTriple

        /// Its name in reports.
        var name: String {
            switch self {
            case .word: "words"
            case .constant: "number"
            case .value: "value"
            case .valuePair: "pair of values"
            case .tailPair: "two tails"
            case .tailTriple: "three tails"
            }
        }
    }

    /// An item with its kind.
    struct Item {
        var hash: UInt64
        var kind: Kind
        /// The index of its measure, or in `values`; -1 for several.
        var place = -1
    }

    /// The mean share of the baseline's rows that have the same value as a row, in the column of an item; 0 if that is
    /// meaningless. A new value that is not more frequent than this is ordinary.
    func ordinaryShare(_ item: Item, in baseline: RowSample) -> Double {
        switch item.kind {
        case .constant where (0..<measures).contains(item.place):
            Self.concentration(baseline.column(item.place).map(\.bitPattern))
        case .value where values.indices.contains(item.place):
            Self.concentration(baseline.codes(values[item.place]).filter { $0 != 0 && $0 != Baseline.unseen })
        default: 0
        }
    }

    /// Number of measures with tails.
    let measures: Int
    /// For each measure, the upper end of its lowest twentieth and the lower end of its highest twentieth in the
    /// baseline.
    let tails: [(low: Double, high: Double)]
    /// Whether at least half of the baseline's rows have a value of the measure.
    let isKnown: [Bool]
    /// The codes that are values, without the label and the code of the whole row.
    let values: [Int]
    /// The largest number of tails of a row that are combined. A row that is extreme in more measures is left to the
    /// forest.
    private static let tailsMax = 8
    /// The most values of a row whose pairs become items.
    private static let pairedMax = 12

    /// - Parameter sample: the baseline's. A column that it lacks would be novel in every row, and is left out.
    init(_ sample: RowSample, _ fields: ScreenedFields) {
        measures = fields.fields.count
        isKnown = (0..<fields.fields.count).map { sample.column($0).count * 2 >= sample.count }
        values = fields.categories.indices.filter { place in
            place != fields.label && place != fields.annotator
                && sample.codes(place).count { $0 == Baseline.unseen } * 2 <= sample.count
        }
        tails = (0..<fields.fields.count).map { feature in
            let sorted = sample.column(feature).ascending()
            guard sorted.count >= 100, let first = sorted.first, let last = sorted.last else {
                return (-.infinity, .infinity)
            }
            let (low, high) = (Robust.quantile(sorted, 0.05), Robust.quantile(sorted, 0.95))
            // A tail with most of the rows is not a tail.
            return (low > first ? low : -.infinity, high < last ? high : .infinity)
        }
    }

    /// The sum of squared shares (Simpson 1949).
    private static func concentration(_ values: [UInt64]) -> Double {
        var counts: [UInt64: Int] = [:]
        for value in values { counts[value, default: 0] += 1 }
        // Integers, whose order of summation does not matter.
        let squares = counts.values.reduce(0) { $0 + $1 * $1 }
        return Double(squares) / Double(max(values.count * values.count, 1))
    }

    /// Items as they were stored.
    init(measures: Int, tails: [(low: Double, high: Double)], isKnown: [Bool], values: [Int]) {
        self.measures = measures
        self.tails = tails
        self.isKnown = isKnown
        self.values = values
    }

    @inline(__always)
    private static func hash(_ kind: Kind, _ place: Int, _ value: UInt64) -> UInt64 {
        // Mixed twice, so that a supplier cannot make a value of one field look like another field's.
        SplitMix64.mix(value ^ SplitMix64.mix(kind.rawValue << 56 | UInt64(place)))
    }

    /// One end of a measure.
    struct Tail: Hashable {
        var measure: Int
        var isUpper: Bool
    }

    /// The tails that a row is in, up to the number that is combined.
    func tails(of numbers: ArraySlice<Double>) -> [Tail] {
        var found: [Tail] = []
        for feature in 0..<measures where found.count < Self.tailsMax {
            let value = numbers[numbers.startIndex + feature]
            if value.isNaN || !isKnown[feature] { continue }
            if value < tails[feature].low { found.append(Tail(measure: feature, isUpper: false)) }
            if value > tails[feature].high { found.append(Tail(measure: feature, isUpper: true)) }
        }
        return found
    }

    /// Calls `body` with the items of a row that combine several tails, and with these tails.
    func forEachTail(_ numbers: ArraySlice<Double>, _ body: (UInt64, [Tail]) -> Void) {
        let found = tails(of: numbers)
        if found.count < 2 { return }
        let signs = found.map { ($0.measure, $0.isUpper ? UInt64(1) : 0) }
        forEachTail(signs) { item, places in body(item.hash, places.map { found[$0] }) }
    }

    /// Calls `body` with every item of a row.
    @inline(__always)
    func forEach(_ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ body: (Item) -> Void) {
        var found: [(Int, UInt64)] = []
        for feature in 0..<measures {
            let value = numbers[numbers.startIndex + feature]
            if value.isNaN || !isKnown[feature] { continue }
            body(
                Item(
                    hash: Self.hash(.constant, feature, value == 0 ? 0 : value.bitPattern), kind: .constant,
                    place: feature))
            guard found.count < Self.tailsMax else { continue }
            if value < tails[feature].low { found.append((feature, 0)) }
            if value > tails[feature].high { found.append((feature, 1)) }
        }
        for (index, place) in values.enumerated() {
            let code = codes[codes.startIndex + place]
            if code == 0 || code == Baseline.unseen { continue }
            body(Item(hash: Self.hash(.value, place, code), kind: .value, place: index))
            guard index < Self.pairedMax else { continue }
            for other in values[..<index] {
                let second = codes[codes.startIndex + other]
                if second == 0 { continue }
                body(
                    Item(
                        hash: Self.hash(.valuePair, place << 8 | other, code &+ SplitMix64.mix(second)),
                        kind: .valuePair))
            }
        }
        if found.count >= 2 { forEachTail(found) { item, _ in body(item) } }
    }

    @inline(__always)
    private func forEachTail(_ found: [(Int, UInt64)], _ body: (Item, [Int]) -> Void) {
        func sign(_ index: Int) -> UInt64 { UInt64(found[index].0) << 1 | found[index].1 }
        for i in 0..<found.count {
            for j in (i + 1)..<max(found.count, i + 1) {
                body(
                    Item(
                        hash: Self.hash(.tailPair, 0, sign(i) << 20 | sign(j)), kind: .tailPair), [i, j])
                for k in (j + 1)..<max(found.count, j + 1) {
                    body(
                        Item(
                            hash: Self.hash(.tailTriple, 0, sign(i) << 40 | sign(j) << 20 | sign(k)), kind: .tailTriple),
                        [i, j, k])
                }
            }
        }
    }
}
