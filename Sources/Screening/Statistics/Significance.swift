import Glibc
import Synchronization

/// Tail probabilities and critical values of the distributions of test statistics.
package enum Significance {
    /// P(Z > z) of a standard normal variable.
    package static func normalTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }

    /// The z that a standard normal variable exceeds with probability `alpha`, 0 < alpha < 1.
    package static func normalCritical(_ alpha: Double) -> Double {
        if alpha > 0.5 { return -normalCritical(1 - alpha) }
        return bisect(0, 40) { normalTail($0) > alpha }
    }

    /// P(X > x) of a χ² variable: the regularised upper incomplete gamma function, by series below the mean and by
    /// continued fraction above (Press et al., Numerical Recipes 6.2).
    package static func chiSquareTail(_ x: Double, _ degrees: Int) -> Double {
        if x <= 0 || degrees < 1 { return 1 }
        let (a, y) = (Double(degrees) / 2, x / 2)
        let front = exp(a * log(y) - y - lgamma(a))
        if y < a + 1 {
            var (term, sum, k) = (1 / a, 1 / a, a)
            while term > sum * 1e-16 {
                k += 1
                term *= y / k
                sum += term
            }
            return max(0, 1 - front * sum)
        }
        // Lentz's method.
        var b = y + 1 - a
        var (c, d) = (1e300, 1 / b)
        var fraction = d
        for step in 1..<10_000 {
            let n = Double(step)
            let numerator = -n * (n - a)
            b += 2
            d = 1 / keptFromZero(numerator * d + b)
            c = keptFromZero(b + numerator / c)
            fraction *= d * c
            if abs(d * c - 1) < 1e-15 { break }
        }
        return min(1, front * fraction)
    }

    private static func keptFromZero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }

    /// The value that a χ² variable exceeds with probability `alpha`.
    package static func chiSquareCritical(_ alpha: Double, _ degrees: Int) -> Double {
        if degrees < 1 { return 0 }
        return bisect(0, 40 * Double(degrees) + 4000) { chiSquareTail($0, degrees) > alpha }
    }

    /// P(T > t) of Student's t, t ≥ 0, with whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
    package static func studentTail(_ t: Double, _ degrees: Int) -> Double {
        let angle = atan(t / Double(degrees).squareRoot())
        let (sine, square) = (sin(angle), cos(angle) * cos(angle))
        var inside: Double
        if degrees % 2 == 0 {
            var (term, sum) = (1.0, 1.0)
            for step in stride(from: 1, to: degrees - 1, by: 2) {
                term *= square * Double(step) / Double(step + 1)
                sum += term
            }
            inside = sine * sum
        } else {
            var (term, sum) = (cos(angle), degrees == 1 ? 0 : cos(angle))
            for step in stride(from: 2, to: degrees - 1, by: 2) {
                term *= square * Double(step) / Double(step + 1)
                sum += term
            }
            inside = 2 / Double.pi * (angle + sine * sum)
        }
        inside = min(max(inside, 0), 1)
        return (1 - inside) / 2
    }

    /// The t that Student's variable exceeds with probability `alpha`, 0 < alpha < 1/2.
    package static func studentCritical(_ alpha: Double, _ degrees: Int) -> Double {
        let key = StudentKey(alpha: alpha.bitPattern, degrees: degrees)
        if let known = criticals.withLock({ $0[key] }) { return known }
        let found = searchedCritical(alpha, degrees)
        criticals.withLock {
            // A process uses few levels and few numbers of batches.
            if $0.count >= 4096 { $0 = [:] }
            $0[key] = found
        }
        return found
    }

    private struct StudentKey: Hashable { var alpha: UInt64, degrees: Int }
    /// A cache, since each threshold needs the value again for each of the batches before it.
    private static let criticals = Mutex<[StudentKey: Double]>([:])

    private static func searchedCritical(_ alpha: Double, _ degrees: Int) -> Double {
        // Bisects the angle, since t itself has no useful bound with few degrees of freedom.
        let degrees = max(degrees, 1)
        let angle = bisect(0, .pi / 2) { studentTail(tan($0) * Double(degrees).squareRoot(), degrees) > alpha }
        return tan(angle) * Double(degrees).squareRoot()
    }

    /// The distance of two empirical distributions that is exceeded with probability at most `alpha` (Smirnov's
    /// asymptotic form, which is conservative for ties and small samples).
    package static func smirnovCritical(_ alpha: Double, _ n: Int, _ m: Int) -> Double {
        (-log(alpha / 2) / 2 * (1 / Double(n) + 1 / Double(m))).squareRoot()
    }

    /// P(X ≥ k) of a binomial variable.
    package static func binomialTail(_ k: Int, of n: Int, _ p: Double) -> Double {
        if k <= 0 { return 1 }
        if k > n || p <= 0 { return 0 }
        if p >= 1 { return 1 }
        func term(_ at: Int) -> Double {
            exp(
                lgamma(Double(n) + 1) - lgamma(Double(at) + 1) - lgamma(Double(n - at) + 1) + Double(at) * log(p)
                    + Double(n - at) * log1p(-p))
        }
        // From the smaller side.
        let isUpper = Double(k) > Double(n) * p
        var sum = 0.0
        var at = isUpper ? k : k - 1
        var value = term(at)
        while at >= 0, at <= n, value > sum * 1e-17, value > 0 {
            sum += value
            if isUpper {
                value *= Double(n - at) / Double(at + 1) * p / (1 - p)
                at += 1
            } else {
                value *= Double(at) / Double(n - at + 1) * (1 - p) / p
                at -= 1
            }
        }
        return min(1, max(0, isUpper ? sum : 1 - sum))
    }

    /// The probability of `k` or more of `n` rows, given `before` of `total` earlier rows, if nothing has changed
    /// except by the factor `ratio`: the conditional test of two rates (Przyborowski and Wilenski 1940), which accounts
    /// for the sampling error of the earlier rate.
    package static func excess(
        _ k: Int, of n: Int, before: Int, of total: Int, ratio: Double = 1
    ) -> Double {
        guard n > 0, total > 0 else { return 1 }
        let share = ratio * Double(n) / (ratio * Double(n) + Double(total))
        return binomialTail(k, of: k + before, share)
    }

    /// Wilson's lower bound of a proportion, z = 1.96 (Wilson 1927).
    package static func wilsonLower(_ k: Int, of n: Int, z: Double = 1.96) -> Double {
        guard n > 0 else { return 0 }
        let (p, count) = (Double(k) / Double(n), Double(n))
        let center = p + z * z / (2 * count)
        let spread = z * (p * (1 - p) / count + z * z / (4 * count * count)).squareRoot()
        return max(0, (center - spread) / (1 + z * z / count))
    }

    /// The 5 % quantile of a Beta(1 + agreed, 1 + differed) variable: a lower bound of a share after so many successes
    /// and failures.
    package static func betaLower(_ agreed: Int, _ differed: Int) -> Double {
        // P(Beta(a, b) ≤ x) = P(Binomial(a + b − 1, x) ≥ a) for whole a and b.
        bisect(0, 1) { binomialTail(1 + agreed, of: 1 + agreed + differed, $0) < 0.05 }
    }

    /// The largest x up to which `isBelow` holds; it must hold up to a point and not beyond.
    private static func bisect(_ low: Double, _ high: Double, _ isBelow: (Double) -> Bool) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<80 {
            let middle = (low + high) / 2
            if isBelow(middle) { low = middle } else { high = middle }
        }
        return high
    }
}
