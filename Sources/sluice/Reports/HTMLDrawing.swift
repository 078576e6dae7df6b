import Screening
import Tabular

/// Drawings (SVG) and tables of the HTML report.
extension HTMLReport {
    /// A drawing with its caption.
    func figure(_ svg: String, _ caption: String) -> String {
        "<figure>\(svg)<figcaption>\(caption)</figcaption></figure>"
    }

    /// Size of every drawing in user units; the page scales it.
    static let width = 260.0, height = 90.0

    /// A histogram with a logarithmic scale, and thresholds as vertical lines.
    ///
    /// - Parameters:
    ///   - bins: rows by bin.
    ///   - lines: thresholds as positions among the bins, each with its CSS class.
    func histogram(_ bins: [Int], lines: [(Double, String)]) -> String {
        let most = Double((bins.max() ?? 0) + 1)
        let step = Self.width / Double(max(bins.count, 1))
        var digits = 0
        var rest = Int(most)
        while rest >= 10 {
            digits += 1
            rest /= 10
        }
        // An approximate logarithm without a library: the number of digits, and a linear share of the next.
        func height(_ count: Int) -> Double {
            if count == 0 { return 0 }
            var (value, tens) = (Double(count), 1.0)
            while value >= 10 {
                value /= 10
                tens += 1
            }
            return Self.height * (tens + (value - 1) / 9) / Double(digits + 2)
        }
        var out = ""
        for (place, count) in bins.enumerated() where count > 0 {
            let tall = height(count)
            out += bar("here", x: Double(place) * step, width: max(step - 0.6, 0.4), height: tall)
        }
        for (place, kind) in lines where place <= Double(bins.count) {
            let x = NumberText.short(place * step)
            out += "<line class=\"\(kind)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(NumberText.short(Self.height))\"/>"
        }
        return svg(out)
    }

    /// Two bars a bin: the share of rows in the baseline, and in this batch.
    func pairs(_ here: [Int], _ before: [Int]) -> String {
        let (n, m) = (Double(max(here.reduce(0, +), 1)), Double(max(before.reduce(0, +), 1)))
        let shares = zip(here, before).map { (Double($0) / n, Double($1) / m) }
        let most = max(shares.map { max($0.0, $0.1) }.max() ?? 1, 0.001)
        let step = Self.width / Double(max(shares.count, 1))
        var out = ""
        for (place, share) in shares.enumerated() {
            let x = Double(place) * step
            let (a, b) = (Self.height * share.1 / most, Self.height * share.0 / most)
            out += bar("before", x: x + 0.05 * step, width: 0.42 * step, height: a)
            out += bar("here", x: x + 0.5 * step, width: 0.42 * step, height: b)
        }
        return svg(out)
    }

    /// A bar that stands on the base line.
    func bar(_ kind: String, x: Double, width: Double, height: Double) -> String {
        let y = Self.height - height
        return
            "<rect class=\"\(kind)\" x=\"\(NumberText.short(x))\" y=\"\(NumberText.short(y))\" width=\"\(NumberText.short(width))\" "
            + "height=\"\(NumberText.short(height))\"/>"
    }

    /// Wraps shapes into an SVG element.
    func svg(_ body: String) -> String {
        "<svg viewBox=\"0 0 \(NumberText.short(Self.width, 0)) \(NumberText.short(Self.height, 0))\" role=\"img\">\(body)</svg>"
    }

    /// A table.
    ///
    /// - Parameters:
    ///   - heads: the column headings.
    ///   - numbers: columns that are right-aligned.
    ///   - rows: the rows, already as HTML.
    func table(_ heads: [String], numbers: Set<Int>, _ rows: [String]) -> String {
        let head = heads.enumerated().map { "<th\(numbers.contains($0) ? " class=\"n\"" : "")>\($1)</th>" }.joined()
        return "<table><thead><tr>\(head)</tr></thead><tbody>\(rows.joined())</tbody></table>"
    }
}
