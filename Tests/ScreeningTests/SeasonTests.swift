import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// A batch is compared with those of its weekday if these differ from the others.
@Suite struct SeasonTests {
    private static func text(_ season: String) -> String {
        """
        fields:
          - { name: price, type: number }
          - { name: at, type: datetime, sluice: { role: event-time } }
          - { name: shop, type: string }
        sluice: { baseline: { \(season)learning: 8 } }
        """
    }

    /// Orders of a day; 2026-01-05, the day 0, was a Monday.
    private func day(_ number: Int, level: Double, seed: Int? = nil) -> [[String]] {
        var draws = Draws(seed: UInt64(seed ?? number + 1))
        let date = Date(timeIntervalSince1970: 1_767_571_200 + Double(number) * 86400)
        let shown = date.formatted(.iso8601.year().month().day())
        return (0..<400).map { row in
            let price = level + 10 * draws.normal()
            let shop = min(Int(draws.uniform() * 5), 4)
            let hour = 8 + row / 50
            return ["\(price)", "\(shown)T\(hour < 10 ? "0" : "")\(hour):30:00Z", "shop\(shop)"]
        }
    }

    /// At weekends prices are a deviation and a half higher.
    private func level(_ number: Int) -> Double { number % 7 >= 5 ? 115 : 100 }

    private func learnt(_ gate: Gate) throws -> Baseline {
        var parts: [Baseline] = []
        for number in 0..<35 {
            let judged = try gate.judge(texts: day(number, level: level(number)), Baseline.merged(parts.reversed()))
            #expect(judged.verdict.isAccepted, "\(number): \(judged.verdict.findings)")
            parts.append(judged.baseline)
        }
        return try #require(Baseline.merged(parts.reversed()))
    }

    @Test func `a Wednesday with a weekend's prices is held, once weekdays are compared with each other`() throws {
        let seasonal = try Gate(try contract(Self.text("season: weekday, ")))
        let plain = try Gate(try contract(Self.text("")))
        #expect(seasonal.schema.baseline.batches == 42 && plain.schema.baseline.batches == 20)
        let baseline = try learnt(seasonal)
        // 37 days after a Monday is a Wednesday.
        let wednesday = day(37, level: 115)
        let held = try seasonal.judge(texts: wednesday, baseline)
        let finding = held.verdict.findings.first { $0.code == .distributionDrift && $0.outcome == .quarantined }
        #expect(finding?.field == 0 && finding?.movement?.batches == 5, "\(held.verdict.findings)")
        #expect(
            held.decision.untested.contains {
                $0.field == 0 && $0.reason.contains("5 accepted batches of the same weekday")
            })
        // Compared with all batches it is a usual day.
        #expect(try plain.judge(texts: wednesday, baseline).verdict.isAccepted)
        for number in [37, 40, 41, 42] {
            let honest = try seasonal.judge(texts: day(number, level: level(number), seed: 900 + number), baseline)
            #expect(honest.verdict.isAccepted, "\(number): \(honest.verdict.findings)")
        }
    }

    @Test func `the season that accepted batches show is proposed, and none where there is none`() throws {
        let plain = try Gate(try contract(Self.text("")))
        let baseline = try learnt(plain)
        let outlook = try #require(FeedOutlook(baseline, schema: plain.schema, screened: plain.screened))
        #expect(outlook.season?.kind == .weekday && outlook.season?.isSet == false && outlook.season?.fields == [0])
        var parts: [Baseline] = []
        for number in 0..<30 {
            parts.append(try plain.judge(texts: day(number, level: 100), Baseline.merged(parts.reversed())).baseline)
        }
        let even = try #require(Baseline.merged(parts.reversed()))
        #expect(try #require(FeedOutlook(even, schema: plain.schema, screened: plain.screened)).season == nil)
    }

    @Test func `weekdays and hours are counted from the event time, and most rows decide`() {
        var clock = BatchClock()
        // Thursday 1970-01-01 at 00:00, Wednesday 1969-12-31 at 23:59:59, and Monday 2026-01-05 at 13:10.
        for moment in [0.0, -1, 1_767_618_600] { clock.add(moment) }
        #expect(clock.weekdays == [1, 0, 1, 1, 0, 0, 0] && clock.hours[0] == 1 && clock.hours[23] == 1)
        #expect(clock.hours[13] == 1 && clock.phase(.weekday) == nil)
        for _ in 0..<3 { clock.add(0) }
        #expect(clock.phase(.weekday) == 3 && clock.phase(.hour) == 0)
        clock.add(.infinity)
        clock.add(1e300)
        #expect(clock.weekdays.reduce(0, +) == 6)
    }

    @Test func `a season without a time is refused, and an unknown one named`() {
        for (text, part) in [
            ("fields: [{ name: a, type: number }]\nsluice: { baseline: { season: weekday } }", "role: event-time"),
            (Self.text("season: monthly, "), "unknown season"),
        ] {
            #expect { try contract(text) } throws: { "\($0)".contains(part) }
        }
    }
}
