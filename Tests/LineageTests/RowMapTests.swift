import Lineage
import Tabular
import Testing

/// Row maps: round trips, look-ups in both directions, and refusal of any second encoding.
struct RowMapTests {
    /// A small seeded generator, so that failures can be reproduced.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test func `a clean million rows are a few bytes`() {
        var map = RowMap()
        for shard in 0..<62 { map.append(.init(.accepted, shard: shard), count: 16_129) }
        print("row map of \(map.rowCount) clean rows in 62 shards: \(map.encoded().count) bytes")
        #expect(map.encoded().count < 62 * 6)
        var one = RowMap()
        one.append(.init(.accepted, shard: 0), count: 1_000_000)
        #expect(one.encoded() == [0xC0, 0x84, 0x3D, 0x00])
    }

    @Test(arguments: 0..<20) func `round trip, and both look-ups agree with a list`(seed: Int) throws {
        var generator = Generator(state: UInt64(seed))
        var list: [RowMap.Fate] = []
        var map = RowMap()
        for shard in 0..<5 {
            for _ in 0..<30 {
                let outcome = Outcome.allCases.randomElement(using: &generator) ?? .accepted
                let count = Int.random(in: 0...6, using: &generator)
                map.append(.init(outcome, shard: shard), count: count)
                list += repeatElement(.init(outcome, shard: shard), count: count)
            }
        }
        let decoded = try #require(RowMap(encoded: map.encoded()))
        #expect(decoded == map && decoded.rowCount == list.count)
        var filled: [[Int]: Int] = [:]
        for (index, fate) in list.enumerated() {
            let released = fate.outcome?.isReleased == true
            let shard = try #require(fate.shard)
            filled[[released ? 0 : 1, shard], default: 0] += 1
            let place = filled[[released ? 0 : 1, shard], default: 0]
            let went = decoded.place(ofRow: index + 1)
            #expect(went?.fate == fate && went?.row == place)
            let source = decoded.source(ofRow: place, inShard: shard, released: released)
            #expect(source?.row == index + 1 && source?.fate == fate)
        }
        for (file, count) in filled {
            #expect(decoded.source(ofRow: count + 1, inShard: file[1], released: file[0] == 0) == nil)
        }
        #expect(decoded.place(ofRow: 0) == nil && decoded.place(ofRow: list.count + 1) == nil)
        for outcome in Outcome.allCases { #expect(map.count(outcome) == list.count { $0.outcome == outcome }) }
    }

    @Test func `held batches`() throws {
        var map = RowMap()
        map.append(.held, count: 300)
        let decoded = try #require(RowMap(encoded: map.encoded()))
        let place = decoded.place(ofRow: 299)
        #expect(place?.fate == .held && place?.row == 299)
        #expect(decoded.count(nil) == 300 && decoded.count(.accepted) == 0)
    }

    @Test func `maps of slices join`() {
        var left = RowMap()
        left.append(.init(.accepted, shard: 0), count: 3)
        var right = RowMap()
        right.append(.init(.accepted, shard: 0), count: 4)
        right.append(.init(.rejected, shard: 1), count: 1)
        left.append(right)
        #expect(left.runs.map(\.count) == [7, 1] && left.rowCount == 8)
    }

    @Test(
        arguments: [
            [0x01], [0x00, 0x00], [0x01, 0x05], [0x01, 0x0C], [0x81, 0x00, 0x00], [0x01, 0x00, 0x01, 0x00], [0x80],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x00],
            [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] as [[UInt8]])
    func `other spellings are refused`(bytes: [UInt8]) {
        #expect(RowMap(encoded: bytes) == nil)
    }
}
