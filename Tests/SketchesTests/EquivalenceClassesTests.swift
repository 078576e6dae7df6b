import Sketches
import Testing

@Suite struct EquivalenceClassesTests {
    @Test func `k, l and the share of rows that stand out`() throws {
        var classes = EquivalenceClasses()
        #expect(classes.summary(wanted: 5, hasSensitive: true) == nil)
        for row in 0..<10 { classes.add(1, sensitive: UInt32(row % 3)) }
        for _ in 0..<4 { classes.add(2, sensitive: 7) }
        let found = try #require(classes.summary(wanted: 5, hasSensitive: true))
        #expect(found.classes == 2 && found.smallest == 4 && found.fewest == 1 && found.sampled == 1)
        #expect(found.shareBelow == 4.0 / 14)
        #expect(classes.summary(wanted: 4, hasSensitive: false)?.shareBelow == 0)
        #expect(classes.summary(wanted: 4, hasSensitive: false)?.fewest == nil)
    }

    @Test func `beyond the limit a share of the classes is kept whole, and any merging gives the same`() throws {
        var random = SplitMix64(seed: 3)
        let hashes = (0..<5_000).map { _ in random.next() }
        let rows = (0..<40_000).map { _ in hashes[Int(random.next() % 5_000)] }
        var whole = EquivalenceClasses(limit: 300)
        for row in rows { whole.add(row, sensitive: 0) }
        var parts = (0..<7).map { _ in EquivalenceClasses(limit: 300) }
        for (index, row) in rows.enumerated() { parts[index % 7].add(row, sensitive: 0) }
        var merged = EquivalenceClasses(limit: 300)
        for part in parts.reversed() { merged.merge(part) }
        #expect(merged == whole && merged.rows == 40_000)
        let found = try #require(whole.summary(wanted: 5, hasSensitive: false))
        #expect(found.sampled < 0.1 && (3_000...7_000).contains(found.classes))
        // Eight rows a class on average: about one row in twenty-five is in a class of fewer than five.
        #expect(found.shareBelow > 0.01 && found.shareBelow < 0.12)
    }
}
