import Sketches

/// The features of a linear model of the labels, and how a row is converted to them.
///
/// Each measure contributes its robust score and an indicator of which of nine ranges it lies in, so that its effect
/// need not be linear. Each frequent value and word is a feature of its own. Features are chosen without looking at the
/// labels: words chosen for their association with labels would fit the rows that they were chosen by, and no others.
/// Values of features are integers, so that sums are the same on every machine.
struct LinearFeatures: Sendable, Equatable {
    /// A measure: the index of its first feature, its robust scale, and the bounds of its ranges.
    struct Measure: Sendable, Equatable {
        var place: Int
        var first: Int32
        var center: Double, deviation: Double
        var edges: [Double]
    }

    /// The value of an indicator feature that is present.
    static let unit: Int32 = 256
    /// Ranges of a measure; one more stands for a missing value.
    private static let ranges = 8
    /// Most measures, values of one category, and words.
    private static let measuresMax = 64, valuesMax = 256, wordsMax = 4096
    /// Fewest rows with a value or word that becomes a feature.
    private static let supportMin = 4
    /// Measures are clipped at this many deviations.
    private static let reach = 4.0
    /// The root mean square weight of all words of a row, in units of one value.
    private static let wordsWeight = 2.0

    private(set) var measures: [Measure] = []
    /// Codes that are categories, with the feature of each value.
    private(set) var categories: [(place: Int, values: [UInt64: Int32])] = []
    private(set) var words: [UInt32: Int32] = [:]
    /// Number of features; the first one is present in every row.
    private(set) var count: Int32 = 1

    static func == (left: Self, right: Self) -> Bool {
        left.measures == right.measures && left.words == right.words && left.count == right.count
            && left.categories.elementsEqual(right.categories) { $0.place == $1.place && $0.values == $1.values }
    }

    /// Only the feature that every row has.
    init() {}

    /// Chooses the features from the rows that a model will learn from.
    ///
    /// - Parameters:
    ///   - numbers: indices of the measures, without those that are not magnitudes.
    ///   - codes: indices of the categories.
    ///   - most: the most features.
    init(_ rows: [LabelledRow], numbers: [Int], codes: [Int], most: Int) {
        for place in numbers.prefix(Self.measuresMax) {
            let sorted = rows.map { $0.numbers[$0.numbers.startIndex + place] }.filter(\.isFinite).ascending()
            guard sorted.count >= 30, let first = sorted.first, let last = sorted.last, first < last else { continue }
            let center = Robust.median(sorted)
            var deviation = Robust.medianDeviation(sorted, from: center) * 1.4826
            if deviation == 0 { deviation = Robust.meanDeviation(sorted, from: center) * 1.2533 }
            guard deviation > 0, deviation.isFinite else { continue }
            var edges: [Double] = []
            for step in 1..<Self.ranges {
                let edge = Robust.quantile(sorted, Double(step) / Double(Self.ranges))
                if edge > edges.last ?? -.infinity { edges.append(edge) }
            }
            measures.append(
                Measure(place: place, first: count, center: center, deviation: deviation, edges: edges))
            count += Int32(Self.ranges) + 2
        }
        for place in codes {
            let kept = Self.frequent(most: Self.valuesMax) { count in
                for row in rows { count(row.codes[row.codes.startIndex + place]) }
            }
            if kept.count >= 2 { categories.append((place, numbered(kept, most))) }
        }
        let found = Self.frequent(most: Self.wordsMax, share: rows.count * 3 / 5) { count in
            for row in rows { for token in row.tokens { count(UInt64(token)) } }
        }
        words = numbered(found.map { UInt32($0) }, most)
    }

    /// Features that were chosen before; nil if they are malformed.
    init?(
        measures: [Measure], categories: [(place: Int, values: [UInt64: Int32])], words: [UInt32: Int32], count: Int32
    ) {
        (self.measures, self.categories, self.words, self.count) = (measures, categories, words, count)
        let features = categories.flatMap(\.values.values) + words.values
        guard count >= 1, features.allSatisfy({ (1..<count).contains($0) }),
            measures.allSatisfy({
                $0.first >= 1 && $0.first + Int32(Self.ranges) + 2 <= count && $0.edges.count < Self.ranges
            })
        else { return nil }
    }

    /// Values that enough rows have, the most frequent first; ties are ordered by value.
    ///
    /// - Parameter forEach: calls its argument with the value of each row.
    private static func frequent(
        most: Int, share: Int = .max, _ forEach: ((UInt64) -> Void) -> Void
    ) -> [UInt64] {
        var (index, counts) = (ItemIndex(), [Int]())
        forEach { value in
            let place = index.insert(value)
            if place == counts.count { counts.append(0) }
            counts[place] += 1
        }
        let kept = zip(index.items, counts).filter { $0.1 >= supportMin && $0.1 <= share }
        return kept.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(most).map(\.0)
    }

    private mutating func numbered<Value>(_ values: [Value], _ most: Int) -> [Value: Int32] {
        var made: [Value: Int32] = [:]
        for value in values.prefix(max(0, most - Int(count))) {
            made[value] = count
            count += 1
        }
        return made
    }

    /// The features of a row, with their values.
    func forEach(_ row: LabelledRow, _ body: (_ feature: Int32, _ value: Int32) -> Void) {
        body(0, Self.unit)
        for measure in measures {
            let value = row.numbers[row.numbers.startIndex + measure.place]
            if value.isNaN {
                body(measure.first + Int32(Self.ranges) + 1, Self.unit)
                continue
            }
            let score = max(-Self.reach, min(Self.reach, (value - measure.center) / measure.deviation))
            body(measure.first, Int32((score * Double(Self.unit)).rounded()))
            let range = measure.edges.firstIndex { value < $0 } ?? measure.edges.count
            body(measure.first + 1 + Int32(range), Self.unit)
        }
        for category in categories {
            if let feature = category.values[row.codes[row.codes.startIndex + category.place]] {
                body(feature, Self.unit)
            }
        }
        if words.isEmpty { return }
        let known = row.tokens.compactMap { words[$0] }
        let weight = Self.wordsWeight / Double(max(known.count, 1)).squareRoot()
        for feature in known { body(feature, Int32((weight * Double(Self.unit)).rounded())) }
    }
}
