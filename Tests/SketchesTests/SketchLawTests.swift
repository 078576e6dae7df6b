import Sketches
import Tabular
import Testing

/// Merging is exact for any partition and order.
struct SketchLawTests {
    /// Distributes `count` items among parts, and returns the parts in a random order.
    static func partition(_ count: Int, _ random: inout SplitMix64) -> [[Int]] {
        var parts = [[Int]](repeating: [], count: 1 + random.below(7))
        for item in 0..<count { parts[random.below(parts.count)].append(item) }
        for index in parts.indices { parts.swapAt(index, random.below(parts.count)) }
        return parts
    }

    /// Merges parts pairwise in a random tree, which tests associativity and commutativity at once.
    static func fold<S: Mergeable>(_ parts: [S], _ random: inout SplitMix64) -> S? {
        var parts = parts
        while parts.count > 1 {
            let right = parts.remove(at: random.below(parts.count))
            let left = random.below(parts.count)
            parts[left].merge(right)
        }
        return parts.first
    }

    static func sample(_ rows: [Int], capacity: Int, rank: (Int) -> UInt64) -> RowSample {
        var sample = RowSample(capacity: capacity, width: 2)
        for row in rows where sample.admits(rank(row)) {
            sample.append(rank: rank(row), [Double(row), row % 3 == 0 ? .nan : Double(row) / 7])
        }
        return sample
    }

    @Test(arguments: [1, 2, 5, 64, 1_000])
    func `row samples`(capacity: Int) throws {
        var random = SplitMix64(seed: UInt64(capacity))
        for count in [0, 1, capacity - 1, capacity, capacity + 1, 2 * capacity, 5 * capacity + 3] {
            // Equal ranks too: the kept rows must not depend on the order of arrival.
            for rank in [{ SplitMix64.mix(UInt64($0)) }, { UInt64($0 % 3) }] as [(Int) -> UInt64] {
                var whole = Self.sample(Array(0..<count), capacity: capacity, rank: rank)
                whole.compact()
                let sorted = (0..<count).sorted { (rank($0), $0) < (rank($1), $1) }.prefix(capacity)
                #expect(whole.count == min(count, capacity) && whole.offered == count)
                if count > 0, rank(0) != rank(min(3, count - 1)) || count < 4 {
                    #expect(Set(sorted.map { Double($0) }) == Set(whole.column(0)))
                }
                for _ in 0..<10 {
                    let parts = Self.partition(count, &random).map {
                        var part = Self.sample($0, capacity: capacity, rank: rank)
                        if random.below(2) == 0 { part.compact() }
                        return part
                    }
                    var merged = try #require(Self.fold(parts, &random))
                    merged.compact()
                    #expect(merged == whole)
                    #expect(RowSample.union(parts, capacity: capacity) == whole)
                }
            }
        }
    }

    @Test func `a stored sample is the sample`() {
        var sample = Self.sample(Array(0..<50), capacity: 8) { SplitMix64.mix(UInt64($0)) }
        sample.compact()
        let stored = RowSample(
            capacity: 8, width: 2, rows: .init(ranks: sample.ranks, values: sample.values), offered: sample.offered)
        #expect(stored == sample)
        #expect(sample.column(1).allSatisfy { !$0.isNaN })
    }

    @Test func `distinct keys against a dictionary`() throws {
        let hash = KeyedHash(key: (0..<32).map { UInt8($0 * 7 + 1) })
        var random = SplitMix64(seed: 9)
        for (count, spread) in [(0, 1), (1, 1), (100, 10), (5_000, 4_000), (40_000, 1_000_000), (3_000, 1)] {
            let values = (0..<count).map { _ in UInt64(random.below(spread)) }
            var first: Set<UInt64> = []
            let expected = values.indices.filter { !first.insert(values[$0]).inserted }
            for _ in 0..<4 {
                let parts = Self.partition(count, &random).map { rows in
                    var keys = DistinctKeys()
                    for row in rows { keys.add(hash.hash(values[row]), row: row) }
                    return keys
                }
                let merged = try #require(Self.fold(parts, &random))
                #expect(Array(merged.duplicates()) == expected && merged.count == count)
            }
        }
    }

    @Test func `keys that differ in few bits are distinct, rows may be large`() {
        var keys = DistinctKeys()
        let last = 1 << 40 - 1
        keys.add(Hash128(high: 1, low: 0xFFFF_FFFF), row: last)
        keys.add(Hash128(high: 1, low: 0xFFFF_FFFE), row: 1)
        keys.add(Hash128(high: 1, low: 0x7FFF_FFFF), row: 2)
        keys.add(Hash128(high: 2, low: 0xFFFF_FFFF), row: 3)
        #expect(keys.duplicates().count == 0)
        keys.add(Hash128(high: 1, low: 0xFFFF_FFFF), row: 4)
        #expect(Array(keys.duplicates()) == [last])
    }

    @Test func `a set of rows is what a set of numbers is`() {
        var random = SplitMix64(seed: 31)
        for spread in [10, 1000, 200_000, 5_000_000] {
            let rows = (0..<500).map { _ in random.below(spread) }
            let set = RowSet(rows)
            let sorted = Set(rows).sorted()
            #expect(Array(set) == sorted && set.count == sorted.count)
            for _ in 0..<50 {
                let start = random.below(spread + 100)
                #expect(set.first(from: start) == sorted.first { $0 >= start })
            }
            #expect(set == RowSet(sorted) && set != RowSet(sorted.dropLast()) && RowSet([]).first(from: 0) == nil)
        }
    }

    @Test func `keys that were let go of are found again`() throws {
        let hash = KeyedHash(key: (0..<32).map { UInt8($0 * 7 + 1) })
        var random = SplitMix64(seed: 21)
        let (children, parents) = (
            (0..<3000).map { _ in random.below(2000) }, (0..<1500).map { _ in random.below(2000) }
        )
        var (left, right) = (DistinctKeys(), DistinctKeys())
        var kept: [[Int: [UInt64]]] = [[:], [:]]
        for (row, value) in children.enumerated() {
            left.add(hash.hash(UInt64(value)), row: row + 1)
            if row % 1100 == 1000 { left.drain { bucket, words in kept[0][bucket, default: []] += words } }
        }
        for value in parents { right.add(hash.hash(UInt64(value)), row: 1) }
        right.drain { bucket, words in kept[1][bucket, default: []] += words }
        #expect(left.count == 899 && right.count == 0)
        var first: Set<Int> = []
        let repeated = children.indices.filter { !first.insert(children[$0]).inserted }.map { $0 + 1 }
        #expect(Array(left.duplicates { $1 == 0 ? kept[0][$0] : nil }) == repeated)
        let known = Set(parents)
        let missing = children.indices.filter { !known.contains(children[$0]) }.map { $0 + 1 }
        #expect(
            Array(
                left.rows(
                    missingFrom: right, drained: { $1 == 0 ? kept[0][$0] : nil },
                    othersDrained: { $1 == 0 ? kept[1][$0] : nil })) == missing)
        #expect(DistinctKeys().rows(missingFrom: left).count == 0)
    }

    @Test func `finding counts`() throws {
        var random = SplitMix64(seed: 3)
        let codes: [FindingCode] = [.typeError, .strayQuote, .uniqueError]
        let findings = (0..<400).map { row in
            Finding(
                codes[random.below(3)], outcome: random.below(2) == 0 ? .rejected : .flagged,
                at: .cell(row: row, field: random.below(3)))
        }
        var whole = FindingCounts()
        for finding in findings { whole.add(finding) }
        #expect(whole.tallies.values.reduce(0) { $0 + $1.count } == findings.count)
        for (kind, tally) in whole.sorted {
            let rows = findings.filter { $0.code == kind.code && $0.field == kind.field && $0.outcome == kind.outcome }
            #expect(tally.count == rows.count && tally.firstRows == rows.prefix(5).compactMap(\.row))
        }
        for _ in 0..<50 {
            let parts = Self.partition(findings.count, &random).map { rows in
                var counts = FindingCounts()
                for row in rows.reversed() { counts.add(findings[row]) }
                return counts
            }
            let merged = try #require(Self.fold(parts, &random))
            #expect(merged == whole)
        }
    }

    @Test func `a million short keys do not collide`() {
        // Keys are random; keys in arithmetic progression have a few collisions in one half of the hash.
        var random = SplitMix64(seed: 77)
        let hash = KeyedHash(key: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        // Half of the hash alone would make a collision among 10⁶ keys unlikely: 10¹² / 2⁶⁵.
        var highs: [UInt64] = []
        var lows: [UInt64] = []
        for number in 0..<1_000_000 {
            var text: [UInt8] = []
            var rest = number
            repeat {
                text.append(UInt8(0x30 + rest % 10))
                rest /= 10
            } while rest > 0
            let value = hash.hash(text.span, 0..<text.count)
            highs.append(value.high)
            lows.append(value.low)
        }
        #expect(Set(highs).count == 1_000_000 && Set(lows).count == 1_000_000)
    }

    @Test func `hashes depend on key, length and parts`() {
        let one = KeyedHash(key: [UInt8](repeating: 1, count: 32))
        let two = KeyedHash(key: [UInt8](repeating: 3, count: 32))
        let zeros = [UInt8](repeating: 0, count: 64)
        let lengths = (0...64).map { one.hash(zeros.span, 0..<$0) }
        #expect(Set(lengths).count == 65)
        #expect(one.hash(zeros.span, 0..<8) != two.hash(zeros.span, 0..<8))
        let text = Array("abcd".utf8)
        let parts = { (cut: Int) in one.hash(text.span, cut..<4, state: one.hash(text.span, 0..<cut)) }
        #expect(Set((0...4).map(parts)).count == 5)
        let moved = Array("xxabcd".utf8)
        #expect(one.hash(moved.span, 2..<6) == one.hash(text.span, 0..<4))
    }

    @Test func `order statistics`() {
        let values: [Double] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        #expect(Robust.median(values) == 5.5 && Robust.median([3]) == 3 && Robust.median([1, 2, 9]) == 2)
        let quantiles = [0, 0.05, 0.1, 0.11, 0.25, 0.5, 0.75, 0.9, 0.99, 1]
        #expect(quantiles.map { Robust.quantile(values, $0) } == [1, 1, 1, 2, 3, 5, 8, 9, 10, 10])
        #expect(Robust.quantile([7], 0.3) == 7)
        #expect(Robust.medianDeviation([1, 1, 2, 2, 4, 6, 9], from: 2) == 1)
        #expect(Robust.meanDeviation([1, 2, 3, 6], from: 3) == 1.5 && Robust.mean([1, 2, 3, 6]) == 3)
        let large = Double.greatestFiniteMagnitude
        #expect(Robust.median([large, large]) == large)
    }

    @Test func `the stream of words is SplitMix64`() {
        var stream = SplitMix64(seed: 1_234_567)
        // Reference values of Vigna's splitmix64.c with this seed.
        let words: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        #expect(words.map { _ in stream.next() } == words)
        #expect((0..<1_000).allSatisfy { _ in (0..<7).contains(stream.below(7)) })
    }
}
