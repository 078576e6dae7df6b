import Glibc
import Sketches
import Tabular

/// The levels of an anchor: for each number, the position of its batches and their variation.
package struct ReferenceLevels: Sendable {
    /// One number: the scale of its values, and the mean level of the anchor's batches.
    struct Level: Sendable {
        var rule: ModifiedZ
        var mean: Double
        /// Standard deviation of the batches' levels, as an upper confidence bound.
        var spread: Double
    }

    /// The digest that identifies the anchor.
    package let digest: [UInt8]
    /// nil for a number whose drift cannot be followed.
    let levels: [Level?]
    /// The anchor's batches.
    package let batches: Int

    /// The fewest batches of an anchor from which the variation is estimated.
    package static let batchesMin = 5

    /// Computes the levels from the anchor's batches; nil if there are too few.
    package init?(digest: [UInt8], _ parts: [Baseline]) {
        guard parts.count >= Self.batchesMin, let merged = Baseline.merged(parts) else { return nil }
        self.digest = digest
        batches = parts.count
        levels = merged.features.indices.map { place in
            guard let rule = ModifiedZ(field: place, values: merged.sample.column(place)), !rule.isConstant else {
                return nil
            }
            let means = parts.compactMap { Self.level(of: $0.sample, place, rule)?.mean }
            guard means.count >= Self.batchesMin else { return nil }
            let count = Double(means.count)
            let mean = means.reduce(0, +) / count
            let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
            // The spread of few batches may be small by chance, so an upper bound of about two standard errors is used.
            return Level(rule: rule, mean: mean, spread: variance.squareRoot() * (1 + 2 / (2 * count).squareRoot()))
        }
    }

    /// The mean of a number's robust scores, each clipped at three, and its standard error; nil with too few values.
    static func level(of sample: RowSample, _ place: Int, _ rule: ModifiedZ) -> (mean: Double, error: Double)? {
        var (count, sum, squares) = (0.0, 0.0, 0.0)
        for row in 0..<sample.count {
            let value = sample.values[row * sample.width + place]
            if value.isNaN { continue }
            let score = max(-3, min(3, rule.signedScore(value)))
            count += 1
            sum += score
            squares += score * score
        }
        guard count >= Double(Drift.rowsMin) else { return nil }
        let mean = sum / count
        return (mean, (max(squares / count - mean * mean, 0) / count).squareRoot())
    }
}

/// Cumulative sums of the deviations of accepted batches from the anchor (CUSUM, Page 1954): small shifts that pass in
/// each batch add up.
package struct SlowDrift: Sendable, Equatable {
    /// The digest of the anchor.
    package var anchor: [UInt8]
    /// For each number, the upward and the downward sum.
    package var rises: [Double], falls: [Double]

    /// Sums of zero.
    package init(anchor: [UInt8], count: Int) {
        self.anchor = anchor
        rises = Array(repeating: 0, count: count)
        falls = rises
    }

    /// The same sums for a contract with other numbers, or another order of them: numbers that were not followed begin
    /// at zero.
    package func projected(from names: [String], onto wanted: [String]) -> SlowDrift {
        var made = SlowDrift(anchor: anchor, count: wanted.count)
        for (place, name) in wanted.enumerated() {
            guard let old = names.firstIndex(of: name), old < rises.count else { continue }
            (made.rises[place], made.falls[place]) = (rises[old], falls[old])
        }
        return made
    }

    /// The slack of a step, in standard deviations: Page's ½, plus twice the error of the anchor's mean.
    static func slack(_ batches: Int) -> Double { 0.5 + 2 / Double(batches).squareRoot() }

    /// The sum beyond which a number drifts. The average run length without drift is a thousand batches for each
    /// number, both directions together (Siegmund 1985: ARL ≈ (e^{2kb} − 2kb − 1) / 2k², b = h + 1.166).
    static func limit(slack k: Double, numbers: Int) -> Double {
        let wanted = 2 * 1000 * Double(max(numbers, 1))
        var (low, high) = (0.0, 100.0)
        for _ in 0..<60 {
            let h = (low + high) / 2
            let x = 2 * k * (h + 1.166)
            if (exp(x) - x - 1) / (2 * k * k) < wanted { low = h } else { high = h }
        }
        return high
    }

    /// The sums after another batch, and a test of each number.
    ///
    /// - Parameter field: the contract's field of a number.
    func adding(_ sample: RowSample, _ anchor: ReferenceLevels, field: (Int) -> Int) -> (SlowDrift, [BatchTest]) {
        var next = self
        var tests: [BatchTest] = []
        let slack = Self.slack(anchor.batches)
        let limit = Self.limit(slack: slack, numbers: anchor.levels.count { $0 != nil })
        for (place, level) in anchor.levels.enumerated() {
            guard let level, let now = ReferenceLevels.level(of: sample, place, level.rule) else { continue }
            // A batch may be smaller than the anchor's. Then its own error is larger than the variation between
            // batches.
            let spread = max(level.spread, now.error)
            guard spread > 0 else { continue }
            // A single unusual batch must not fill the sum; other tests detect it.
            let step = max(-5, min(5, (now.mean - level.mean) / spread))
            next.rises[place] = max(0, rises[place] + step - slack)
            next.falls[place] = max(0, falls[place] - step - slack)
            tests.append(
                BatchTest(
                    .slowDrift, field: field(place),
                    chance: .init(max(next.rises[place], next.falls[place]), beyond: limit),
                    effect: .init(abs(now.mean - level.mean), warn: 0.05, hold: 0.1),
                    rows: .init(sample.count, before: anchor.batches)))
        }
        return (next, tests)
    }
}
