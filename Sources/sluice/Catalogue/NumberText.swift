/// How numbers are written for people.
enum NumberText {
    /// A whole number with thin spaces between groups of three digits.
    static func number(_ value: Int) -> String {
        let digits = String(abs(value))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return value < 0 ? "-" + out : out
    }

    /// A number with what is counted, in the plural where needed.
    static func count(_ value: Int, _ what: String) -> String { "\(number(value)) \(what)\(value == 1 ? "" : "s")" }

    /// The same where the plural is another word.
    static func count(_ value: Int, _ what: String, _ many: String) -> String {
        "\(number(value)) \(value == 1 ? what : many)"
    }

    /// A number of batches.
    static func batches(_ value: Int) -> String { count(value, "batch", "batches") }

    /// Seconds in the largest unit that fits.
    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(number(seconds / 86_400)) days"
        }
    }

    /// A number with few decimals.
    ///
    /// - Parameters:
    ///   - value: the number.
    ///   - places: most decimals.
    static func short(_ value: Double, _ places: Int = 2) -> String {
        if !value.isFinite { return "\(value)" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = (abs(value) * scale).rounded()
        guard rounded < 1e15 else { return "\(value)" }
        let whole = Int(rounded)
        if places == 0 { return (value < 0 ? "-" : "") + String(whole) }
        let fraction = String(whole % Int(scale))
        let padded = String(repeating: "0", count: places - fraction.count) + fraction
        return (value < 0 ? "-" : "") + "\(whole / Int(scale)).\(padded)"
    }

    /// A share as a percentage.
    static func percent(_ share: Double) -> String { short(share * 100) + " %" }

    /// A share as a percentage, with as many digits as make it visible.
    static func share(_ value: Double) -> String { digits(value) + " %" }

    /// A share in per cent, with at least one significant digit.
    static func digits(_ value: Double) -> String {
        let percent = abs(value) * 100
        return short(value * 100, percent == 0 || percent >= 9.95 ? 0 : percent >= 0.95 ? 1 : 2)
    }
}
