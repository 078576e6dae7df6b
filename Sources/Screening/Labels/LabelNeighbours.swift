import Sketches

/// The nearest rows of a baseline by measures and categories, which predict the label of a row.
///
/// Features are integers and the distance is the sum of their differences (Manhattan), so neighbours are the same on
/// every machine.
struct LabelNeighbours: Sendable {
    /// Number of neighbours (Paudice, Muñoz-González, Lupu 2018).
    static let asked = 10
    /// The number of neighbours that must agree on one other label to flag a row, and to hold it back.
    static let flagAgreement = 8, holdAgreement = 9
    /// Most rows of the baseline that serve as neighbours.
    static let rowsMax = 8192
    /// A different category counts as this many robust deviations.
    private static let categoryWeight = 2.0
    /// Measures are clipped at this many deviations.
    private static let reach = 4.0

    /// The space in which distances are measured.
    struct Space: Sendable {
        /// Centre and robust deviation of each measure.
        let scales: [(feature: Int, center: Double, deviation: Double)]
        /// The categories, as indices among the codes.
        let categories: [Int]
        /// For each category, the indices of its values; an unknown value has index -1.
        let values: [[UInt64: Int16]]
        /// Steps of a robust deviation.
        let unit: Double

        /// Coordinates of a point.
        var width: Int { scales.count + categories.count }

        /// The point of a row.
        func point(_ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>) -> [Int16] {
            scales.map { scale in
                let value = (numbers[numbers.startIndex + scale.feature] - scale.center) / scale.deviation
                if value.isNaN { return 0 }
                return Int16((max(-LabelNeighbours.reach, min(LabelNeighbours.reach, value)) * unit).rounded())
            } + zip(categories, values).map { category, places in places[codes[codes.startIndex + category]] ?? -1 }
        }
    }

    let space: Space
    /// Blocks of 16 rows × coordinates: the measures, then the categories by the indices of their values.
    private(set) var blocks: [SIMD16<Int16>]
    /// The labels of the rows.
    let rows: RowLabels
    let count: Int
    private let width: Int

    /// nil without a label, with fewer than two labels, without features that could predict them, or with too few rows.
    init?(_ sample: RowSample, _ fields: ScreenedFields) {
        guard let label = fields.label, sample.count > 0, sample.codeWidth >= fields.codeCount else { return nil }
        // At most as many categories as 16-bit distances allow.
        let categories = Array(
            fields.categories.indices.filter { $0 != label && $0 != fields.annotator && $0 != fields.source }.prefix(
                256))
        let scales: [(feature: Int, center: Double, deviation: Double)] = fields.fields.indices.compactMap { feature in
            let sorted = sample.column(feature).filter(\.isFinite).ascending()
            guard sorted.count >= 30, let first = sorted.first, let last = sorted.last, first < last else { return nil }
            let center = Robust.median(sorted)
            var deviation = Robust.medianDeviation(sorted, from: center) * 1.4826
            if deviation == 0 { deviation = Robust.meanDeviation(sorted, from: center) * 1.2533 }
            return deviation > 0 ? (feature, center, deviation) : nil
        }.prefix(64).map { $0 }
        width = scales.count + categories.count
        guard width > 0 else { return nil }
        let unit = min(
            128, 32_000 / (2 * Self.reach * Double(scales.count) + Self.categoryWeight * Double(categories.count)))
        var seen: [UInt64: Int] = [:]
        var rows: [Int] = []
        for row in 0..<sample.count where rows.count < Self.rowsMax {
            let code = sample.codes[row * sample.codeWidth + label]
            if code == 0 || code == Baseline.unseen { continue }
            rows.append(row)
            seen[code, default: 0] += 1
        }
        guard seen.count >= 2, seen.count <= Triggers.labelsMax, rows.count >= 50 * seen.count || rows.count >= 1000
        else { return nil }
        let labels = seen.keys.sorted()
        count = rows.count
        let values = categories.map { category in
            var places: [UInt64: Int16] = [:]
            for row in rows {
                let code = sample.codes[row * sample.codeWidth + category]
                // In the order of the rows, which is the same on every machine.
                if places[code] == nil, places.count < 32_000 { places[code] = Int16(places.count) }
            }
            return places
        }
        space = Space(scales: scales, categories: categories, values: values, unit: unit)
        blocks = [SIMD16<Int16>](repeating: .zero, count: (count + 15) / 16 * width)
        var places: [Int] = []
        for (index, row) in rows.enumerated() {
            let point = space.point(sample.numbers(of: row), sample.codes(of: row))
            for feature in 0..<width { blocks[index / 16 * width + feature][index % 16] = point[feature] }
            let code = sample.codes[row * sample.codeWidth + label]
            places.append(labels.firstIndex(of: code) ?? 0)
        }
        self.rows = RowLabels(labels: labels, places: places)
    }

    /// Neighbours as they were stored.
    ///
    /// - Parameter points: blocks of 16 rows × coordinates.
    init(_ space: Space, points: [Int16], rows: RowLabels) {
        (self.space, self.rows) = (space, rows)
        count = rows.places.count
        width = space.width
        blocks = [SIMD16<Int16>](repeating: .zero, count: (count + 15) / 16 * width)
        precondition(points.count == 16 * blocks.count, "sixteen lanes a block")
        for place in blocks.indices {
            for lane in 0..<16 { blocks[place][lane] = points[16 * place + lane] }
        }
    }

    /// The vote of a row's neighbours: the index of the most frequent label, and its count.
    func vote(_ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>) -> (label: Int, count: Int) {
        vote(space.point(numbers, codes), skipping: -1)
    }

    /// - Parameter skipped: a row of the baseline that does not vote: the row itself.
    private func vote(_ point: [Int16], skipping skipped: Int) -> (label: Int, count: Int) {
        let point = point.map { SIMD16<Int16>(repeating: $0) }
        let penalty = SIMD16<Int16>(repeating: Int16((Self.categoryWeight * space.unit).rounded()))
        let measures = space.scales.count
        var nearest: [(distance: Int16, row: Int)] = []
        var limit = Int16.max
        for block in 0..<(count + 15) / 16 {
            var sum = SIMD16<Int16>.zero
            for feature in 0..<measures {
                let difference = blocks[block &* width &+ feature] &- point[feature]
                let sign = difference &>> 15
                sum = sum &+ ((difference ^ sign) &- sign)
            }
            for feature in measures..<width {
                // All bits are set where the values differ.
                let difference = blocks[block &* width &+ feature] ^ point[feature]
                sum = sum &+ (((difference | (.zero &- difference)) &>> 15) & penalty)
            }
            // −1 in each lane that is closer; distances are never negative. A comparison with .< would be done lane by
            // lane.
            if ((sum &- SIMD16(repeating: limit)) &>> 15).wrappedSum() == 0 { continue }
            for lane in 0..<min(16, count - block * 16) where sum[lane] < limit {
                let row = block * 16 + lane
                if row == skipped { continue }
                // Ties are decided by the fixed order of the rows.
                let place = nearest.firstIndex { $0.distance > sum[lane] } ?? nearest.count
                nearest.insert((sum[lane], row), at: place)
                if nearest.count > Self.asked { nearest.removeLast() }
                if nearest.count == Self.asked { limit = nearest[Self.asked - 1].distance }
            }
        }
        var votes = [Int](repeating: 0, count: rows.labels.count)
        for (_, row) in nearest { votes[rows.places[row]] += 1 }
        let most = votes.max() ?? 0
        return (votes.firstIndex(of: most) ?? 0, most)
    }

    /// The votes on the first `limit` rows of the baseline by the others: they show how often honest rows disagree.
    func selfVotes(_ limit: Int) -> [(own: Int, vote: (label: Int, count: Int))] {
        (0..<min(limit, count)).map { index in
            let point = (0..<width).map { blocks[index / 16 * width + $0][index % 16] }
            return (rows.places[index], vote(point, skipping: index))
        }
    }
}
