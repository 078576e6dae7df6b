/// The discrete Laplace distribution of scale t/s, drawn exactly: P(x) is proportional to exp(-|x| s/t).
///
/// Canonne, Kamath and Steinke, The Discrete Gaussian for Differential Privacy, NeurIPS 2020, algorithms 1 and 2:
/// integers and uniform bits only. Floating-point noise has gaps that reveal the value it was added to (Mironov, CCS
/// 2012).
package struct DiscreteLaplace: Sendable {
    private let numerator: UInt64, denominator: UInt64

    /// Scale `numerator / denominator`, both from 1 to 2^62.
    package init(numerator: UInt64, denominator: UInt64) {
        precondition(1...1 << 62 ~= numerator && 1...1 << 62 ~= denominator)
        self.numerator = numerator
        self.denominator = denominator
    }

    /// One draw; `bits` must be uniform and, if privacy depends on it, come from a cryptographic generator.
    package func draw(_ bits: inout some RandomNumberGenerator) -> Int {
        while true {
            let fraction = bits.next(upperBound: numerator)
            guard Self.isDecayed(fraction, numerator, &bits) else { continue }
            var wholes: UInt64 = 0
            while Self.isDecayed(1, 1, &bits) { wholes += 1 }
            let (product, isTooLarge) = wholes.multipliedReportingOverflow(by: numerator)
            // Beyond 2^62 scales, whose probability is below exp(-2^62 / t), the draw would not fit.
            if isTooLarge || product > 1 << 62 { continue }
            let magnitude = Int((product + fraction) / denominator)
            let isNegative = bits.next() & 1 == 1
            if isNegative, magnitude == 0 { continue }
            return isNegative ? -magnitude : magnitude
        }
    }

    /// True with probability exp(-numerator / denominator), which is at most 1.
    private static func isDecayed(_ numerator: UInt64, _ denominator: UInt64, _ bits: inout some RandomNumberGenerator)
        -> Bool
    {
        var count: UInt64 = 1
        // Repeated trials with probability (numerator / denominator) / count: the count ends odd with probability
        // exp(-numerator / denominator).
        while bits.next(upperBound: denominator) < numerator, bits.next(upperBound: count) == 0 { count += 1 }
        return count % 2 == 1
    }
}
