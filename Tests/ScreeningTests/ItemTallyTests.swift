import Sketches
import Testing

@testable import Screening

struct ItemTallyTests {
    @Test(arguments: [1, 60, 3_000])
    func `the most frequent of many items is counted as a dictionary counts it`(kinds: Int) {
        var random = SplitMix64(seed: UInt64(kinds))
        // Too small on purpose, so that it must grow. Small numbers and zero are items too.
        var (tally, counts) = (ItemTally(items: 4), [UInt64: Int]())
        for _ in 0..<10_000 {
            let kind = random.next() % UInt64(kinds)
            let item = kind % 3 == 0 ? kind : SplitMix64.mix(kind)
            tally.count(item)
            counts[item, default: 0] += 1
        }
        #expect(tally.most == counts.values.max())
    }

    @Test func `items that fall into one place are told apart`() {
        var tally = ItemTally(items: 64)
        for item in 0..<40 as Range<UInt64> { for _ in 0...item { tally.count(item << 40 | item << 8) } }
        #expect(tally.most == 40)
    }
}
