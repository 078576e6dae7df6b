import Sketches
import Testing

struct AscendingTests {
    @Test(arguments: [0, 1, 127, 128, 400, 5_000])
    func `values are ascending, few or many`(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let values = (0..<count).map { place -> Double in
            switch place % 7 {
            case 0: Double(bitPattern: random.next())
            case 1: -Double(random.next() % 1000)
            case 2: Double(random.next() % 3)
            case 3: [.infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude][Int(random.next() % 4)]
            default: Double(random.next() >> 11) / Double(1 << 53) - 0.5
            }
        }.filter { !$0.isNaN }
        #expect(values.ascending() == values.sorted())
    }

    @Test func `negative zero stands before zero, whatever their order`() {
        let zeros = (0..<300).map { $0 % 2 == 0 ? 0.0 : -0.0 }
        let sorted = zeros.ascending()
        #expect(sorted.prefix(150).allSatisfy { $0.sign == .minus })
        #expect(sorted.suffix(150).allSatisfy { $0.sign == .plus })
    }
}
