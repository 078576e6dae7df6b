package import Tabular
import Glibc
import Schemas
import Sketches

/// The event times of a batch's rows, by the contract's field for them: counts by weekday and by hour of the day.
///
/// Times with a zone are counted in UTC, times without one as written.
package struct BatchClock: Sendable, Equatable, Mergeable {
    /// Rows on each weekday, Monday first, and in each hour.
    package internal(set) var weekdays = [Int](repeating: 0, count: 7), hours = [Int](repeating: 0, count: 24)

    /// No rows.
    package init() {}

    /// Counts a row.
    ///
    /// - Parameter moment: seconds since 1970-01-01, which was a Thursday.
    mutating func add(_ moment: Double) {
        let days = floor(moment / 86400)
        // A larger day number is outside any calendar.
        guard abs(days) < 4_000_000 else { return }
        weekdays[((Int(days) + 3) % 7 + 7) % 7] += 1
        hours[min(23, Int((moment - days * 86400) / 3600))] += 1
    }

    /// Adds another slice's counts.
    package mutating func merge(_ other: BatchClock) {
        for day in weekdays.indices { weekdays[day] += other.weekdays[day] }
        for hour in hours.indices { hours[hour] += other.hours[hour] }
    }

    /// The weekday or hour with the most rows; nil if there are none.
    func phase(_ season: Season) -> Int? {
        let counts = season == .weekday ? weekdays : hours
        let all = counts.reduce(0, +)
        return counts.firstIndex { 2 * $0 > all }
    }
}

/// The accepted batches that a batch is compared with: all of them, or only those of its weekday or hour.
///
/// Only those of its phase (weekday or hour) are used if there are 14 batches, at least two of them of this phase, and
/// batches of one phase are much closer to each other: the median of their distances is below 0.6 of the mean distance
/// of all other pairs.
struct SeasonalPeers {
    /// The phases of the accepted batches, oldest first, and this batch's.
    private let phases: [Int?], own: Int?
    /// Whether only batches of one phase are compared.
    let isSeasonal: Bool

    static let batchesMin = 14, phaseMin = 2
    private static let nearer = 0.6

    /// - Parameter distance: the distance of two accepted batches, given by their indices.
    init(phases: [Int?], own: Int?, distance: (Int, Int) -> Double) {
        (self.phases, self.own) = (phases, own)
        isSeasonal = Self.isSeasonal(phases, own, distance)
    }

    private static func isSeasonal(_ phases: [Int?], _ own: Int?, _ distance: (Int, Int) -> Double) -> Bool {
        guard let own, phases.count >= batchesMin, phases.count(where: { $0 == own }) >= phaseMin else { return false }
        return ratio(phases, distance).map { $0 < nearer } ?? false
    }

    /// The median distance of batches of the same phase, divided by the mean distance of all other pairs; nil if there
    /// are no such pairs.
    static func ratio(_ phases: [Int?], _ distance: (Int, Int) -> Double) -> Double? {
        var (same, others): ([Double], [Double]) = ([], [])
        for (later, phase) in phases.enumerated() {
            guard let phase else { continue }
            for (earlier, other) in phases[..<later].enumerated() where other != nil {
                if other == phase {
                    same.append(distance(later, earlier))
                } else {
                    others.append(distance(later, earlier))
                }
            }
        }
        guard same.count >= 7, !others.isEmpty else { return nil }
        let mean = others.reduce(0, +) / Double(others.count)
        return mean > 0 ? Robust.median(same.sorted()) / mean : nil
    }

    /// The accepted batches that one of them is compared with: earlier ones.
    func before(_ place: Int) -> [Int] {
        isSeasonal ? (0..<place).filter { phases[$0] != nil && phases[$0] == phases[place] } : Array(0..<place)
    }

    /// The accepted batches that this batch is compared with.
    var now: [Int] { isSeasonal ? phases.indices.filter { phases[$0] == own } : Array(phases.indices) }
}

extension BatchTest {
    /// The same test with the number of batches that it was compared with, if these are not all.
    func beside(_ peers: SeasonalPeers) -> BatchTest {
        var copy = self
        copy.sameSeason = peers.isSeasonal ? peers.now.count : nil
        return copy
    }
}

extension Decision {
    /// Notes which fields were compared with batches of the same weekday or hour only.
    mutating func tellSeasons(from first: Int, _ feed: FeedTests) {
        guard let season = feed.rules.season else { return }
        guard feed.now.clock.phase(season) != nil else {
            return untested.append(
                (nil, "season: no \(season.rawValue) has more than half of the rows; compared with all batches"))
        }
        for test in tests[first...] {
            guard let count = test.sameSeason else { continue }
            untested.append(
                (test.field, "season: compared with the \(count) accepted batches of the same \(season.rawValue) alone")
            )
        }
    }
}

extension BatchClock: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(weekdays)
        wire.append(hours)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        (weekdays, hours) = (try wire.read(), try wire.read())
        guard weekdays.count == 7, hours.count == 24 else { throw WireError() }
    }
}
