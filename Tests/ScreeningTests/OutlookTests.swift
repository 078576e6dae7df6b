import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// The smallest detectable changes that the gate states are true: changes of growing size are planted in the next
/// batches of simulated feeds.
///
/// `scripts/sight` measures the same through the program, over more feeds; this is a short form of it.
@Suite struct OutlookTests {
    private static let text = """
        fields:
          - { name: price, type: number }
          - { name: shop, type: string }
        """

    /// A feed: the centre of each batch, in deviations.
    private struct Feed {
        let name: String
        let level: @Sendable (Int, inout Draws) -> Double
    }

    private static let feeds: [Feed] = [
        Feed(name: "iid") { _, _ in 0 },
        Feed(name: "varying") { _, draws in draws.normal() / 2 },
        Feed(name: "weekday") { number, draws in (number % 7 < 5 ? 0 : 1) + 0.1 * draws.normal() },
    ]

    /// Rows of a batch: prices around a level, one of five shops, one row in fifty without a price.
    private func sample(_ number: Int, _ feed: Feed, shift: Double = 0, missing: Double = 0, crowd: Double = 0)
        -> RowSample
    {
        var draws = Draws(seed: UInt64(number &* 977 + feed.name.utf8.count))
        let level = feed.level(number, &draws) + shift
        var made = RowSample(capacity: Baseline.capacity, width: 2, codeWidth: 2)
        for row in 0..<500 {
            let price = 100 + 10 * (level + draws.normal())
            let isMissing = draws.uniform() < 0.02 || draws.uniform() < missing
            let shop = draws.uniform() < crowd ? 4 : min(Int(5 * draws.uniform()), 4)
            let rank = UInt64(row)
            guard made.admits(rank) else { continue }
            made.append(
                rank: rank, [isMissing ? .nan : price, 5], codes: [UInt64(shop + 1), UInt64(number * 1000 + row + 1)])
        }
        made.compact()
        return made
    }

    private struct Known {
        let outlook: FeedOutlook
        let history: FeedHistory
        let gate: Gate
    }

    private func known(_ feed: Feed, first: Int, batches: Int = 14) throws -> Known {
        let gate = try Gate(try contract(Self.text))
        let names = gate.schema.fields.map(\.name)
        let parts = (first..<first + batches).map { number in
            var remarks = Baseline.Remarks()
            remarks.tested = 500
            remarks.deviated = number % 3
            // Its size is the 500 tested rows.
            return Baseline(
                features: gate.screened.numberNames(names), codes: gate.screened.codeNames(names),
                sample: sample(number, feed), remarks: remarks)
        }
        let merged = try #require(Baseline.merged(parts.reversed()))
        return Known(
            outlook: try #require(FeedOutlook(merged, schema: gate.schema, screened: gate.screened)),
            history: FeedHistory(parts), gate: gate)
    }

    /// The share of next batches that a test of the first field, or of the second one, holds.
    private func caught(
        _ known: Known, by code: FindingCode, among numbers: Range<Int>, _ make: (Int) -> RowSample
    ) -> Double {
        let alpha = BatchTest.share(fields: known.gate.screened.numberCount + known.gate.screened.categories.count)
        let held = numbers.count { number in
            let feed = FeedTests(
                batches: known.history.comparable, now: BatchSummary(make(number), rows: 500), alpha: alpha,
                rules: BaselineRules()
            )
            let tests =
                feed.measure(0, field: 0, isLength: false, form: .measure)
                + feed.category(0, field: 1, isLabel: false, form: .category)
            return tests.contains { $0.code == code && $0.outcome == .quarantined }
        }
        return Double(held) / Double(numbers.count)
    }

    @Test(arguments: 0..<3) func `a stated shift is caught half of the time`(_ place: Int) throws {
        let feed = Self.feeds[place]
        var (below, above): ([Double], [Double]) = ([], [])
        for first in [7, 707, 1407] {
            let known = try known(feed, first: first)
            let sight = known.outlook.fields[0].sight
            let next = first + 14..<first + 28
            for (size, sign) in [(sight.up, 1.0), (sight.down, -1.0)] {
                let size = try #require(size)
                #expect((0.2...8).contains(size), "\(feed.name): \(size)")
                func share(_ part: Double) -> Double {
                    caught(known, by: .distributionDrift, among: next) { sample($0, feed, shift: sign * part * size) }
                }
                below.append(share(0.75))
                above.append(share(1.25))
            }
        }
        // Pooled over histories and directions.
        let (few, many) = (below.reduce(0, +) / 6, above.reduce(0, +) / 6)
        #expect(few < 0.5 && many > 0.5, "\(feed.name): \(few) at 0.75 times, \(many) at 1.25 times the stated size")
    }

    @Test func `stated shares of missing values and of one value more are caught half of the time`() throws {
        let feed = Self.feeds[0]
        let known = try known(feed, first: 7)
        let missing = try #require(known.outlook.fields[0].sight.missing)
        func share(missing part: Double) -> Double {
            caught(known, by: .missingDrift, among: 21..<51) { sample($0, feed, missing: part * missing - 0.02) }
        }
        #expect((0.03...0.2).contains(missing))
        #expect(share(missing: 0.8) < 0.5 && share(missing: 1.2) > 0.5)
        let place = try #require(known.outlook.fields.firstIndex { $0.form == .category })
        let more = try #require(known.outlook.fields[place].sight.share)
        // One row in five has the value already.
        func share(crowd part: Double) -> Double {
            caught(known, by: .categoryDrift, among: 21..<51) { sample($0, feed, crowd: part * more / 0.8) }
        }
        #expect((0.03...0.4).contains(more))
        #expect(share(crowd: 0.8) < 0.5 && share(crowd: 1.2) > 0.5, "\(more)")
    }

    @Test func `what was learnt of a feed names forms, spreads, rates and what is left out`() throws {
        let steady = try known(Self.feeds[0], first: 7).outlook
        let varying = try known(Self.feeds[1], first: 7).outlook
        #expect(steady.batches == 14 && steady.rows == 500 && !steady.isLearning)
        let (price, other) = (steady.fields[0], varying.fields[0])
        #expect(price.form == .measure && price.batches == 14 && price.rows == 7000 && price.leftOut == nil)
        let shape = try #require(price.learnt.first { $0.what == .shape })
        let wide = try #require(other.learnt.first { $0.what == .shape })
        #expect(shape.usual < shape.line && wide.line > 1.5 * shape.line && wide.usual > shape.usual)
        // A feed that varies hides changes as small as its variation, and the outlook says so.
        #expect(try #require(other.sight.up) > 1.5 * (try #require(price.sight.up)))
        let reach = try #require(price.reach)
        #expect(reach.remark.above >= 3.5 && reach.hold.above >= 7)
        let outliers = try #require(steady.rates.first { $0.code == .outlierExcess })
        #expect(outliers.usual == 0.004 && outliers.line >= 0.05)
        // The lengths of shop names never change.
        let length = try #require(steady.fields.first { $0.isLength })
        #expect(length.form == .constant && length.learnt.isEmpty)
    }

    @Test func `the contract says what a column is, and a left-out column says how it comes in`() throws {
        func form(_ settings: String, _ values: (Int, Int) -> [String]) throws -> Judged {
            let gate = try Gate(
                try contract(
                    """
                    fields:
                      - { name: n, type: integer\(settings) }
                      - { name: price, type: number }
                    """))
            var parts: [Baseline] = []
            for number in 0..<4 {
                let rows = (0..<300).map { values(number, $0) }
                parts.append(try gate.judge(texts: rows, Baseline.merged(parts.reversed())).baseline)
            }
            return try gate.judge(texts: (0..<300).map { values(4, $0) }, Baseline.merged(parts.reversed()))
        }
        func rows(_ number: Int, _ row: Int) -> [String] { ["\(number * 1000 + row)", "\(row * 7919 % 300)"] }
        let left = try form("", rows)
        #expect(left.decision.forms[0].isLeftOut)
        let reason = try #require(left.decision.untested.first { $0.field == 0 && $0.reason.contains("not screened") })
        #expect(reason.reason.contains("sluice: { form: measure }"), "\(reason)")
        let screened = try form(", sluice: { form: measure }", rows)
        #expect(screened.decision.forms[0] == .measure)
        #expect(!screened.decision.untested.contains { $0.field == 0 && $0.reason.contains("not screened") })
        #expect(screened.decision.tests.contains { $0.field == 0 && $0.code == .distributionDrift })
        let key = try form(", sluice: { form: key }") { _, row in ["\(row % 50)", "\(row * 7919 % 300)"] }
        #expect(key.decision.forms[0] == .key)
        #expect(!key.decision.tests.contains { $0.field == 0 && $0.code == .distributionDrift })
    }
}
