import Foundation

/// Batches of three columns whose centre a test can move, and their contract.
enum MovingRows {
    static let contract = """
        name: rows
        fields:
          - { name: a, type: number }
          - { name: b, type: number }
          - { name: k, type: string, constraints: { enum: [x, y] } }
        sluice: { baseline: { learning: 1 } }
        """

    /// A batch of rows around ten and `shift`; the same for the same seed.
    static func table(_ seed: Int, shift: Double = 0, count: Int = 700) -> String {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func uniform() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Double(state >> 11) + 0.5) * 0x1p-53
        }
        var text = "a,b,k\n"
        for _ in 0..<count {
            let normal = sqrt(-2 * log(uniform())) * cos(2 * .pi * uniform())
            text += "\(10 + shift + normal),\(-log(uniform()) * 5),\(uniform() < 0.5 ? "x" : "y")\n"
        }
        return text
    }
}
