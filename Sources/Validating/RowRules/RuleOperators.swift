import Schemas
import Tabular

/// Comparisons and arithmetic of row rules.
extension RuleRun {
    /// Compares two operands in each row; their types were checked with the contract.
    ///
    /// - Parameters:
    ///   - one: the left operand.
    ///   - comparison: the operator.
    ///   - other: the right operand.
    ///   - bytes: the block's bytes.
    func compared(
        _ one: RuleOperand, by comparison: RuleComparison, with other: RuleOperand, _ bytes: Span<UInt8>
    ) -> RuleColumn {
        let (left, right) = (one.column, other.column)
        switch (one.type, other.type) {
        case (.string, _):
            if comparison == .equal || comparison == .unequal {
                let equal: Int64 = comparison == .equal ? 1 : 0
                return mapped(left, right) { (isEqual($0, $1, bytes) ? equal : 1 - equal, .here) }
            }
            return mapped(left, right) { (Self.holds(comparison, order($0, $1, bytes)), .here) }
        case (.double, .double):
            return mapped(left, right) { (Self.holds(comparison, Self.order(Self.double($0), Self.double($1))), .here) }
        case (.double, _):
            return mapped(left, right) { (Self.holds(comparison, Self.order($1, Self.double($0)).map(-)), .here) }
        case (_, .double):
            return mapped(left, right) { (Self.holds(comparison, Self.order($0, Self.double($1))), .here) }
        default:
            return mapped(left, right) { (Self.holds(comparison, $0 < $1 ? -1 : $0 > $1 ? 1 : 0), .here) }
        }
    }

    /// Whether an order satisfies a comparison. NaN has no order and is only unequal.
    @inline(__always)
    private static func holds(_ comparison: RuleComparison, _ order: Int?) -> Int64 {
        guard let order else { return comparison == .unequal ? 1 : 0 }
        let isTrue =
            switch comparison {
            case .equal: order == 0
            case .unequal: order != 0
            case .less: order < 0
            case .atMost: order <= 0
            case .more: order > 0
            case .atLeast: order >= 0
            }
        return isTrue ? 1 : 0
    }

    @inline(__always)
    private static func order(_ left: Double, _ right: Double) -> Int? {
        left < right ? -1 : left > right ? 1 : left == right ? 0 : nil
    }

    /// Compares an integer with a double exactly, since not every 64-bit integer is a double.
    static func order(_ left: Int64, _ right: Double) -> Int? {
        if right.isNaN { return nil }
        if right >= 0x1p63 { return -1 }
        if right < -0x1p63 { return 1 }
        let whole = right.rounded(.towardZero)
        let other = Int64(whole)
        if left != other { return left < other ? -1 : 1 }
        return right > whole ? -1 : right < whole ? 1 : 0
    }

    private func isEqual(_ left: Int64, _ right: Int64, _ bytes: Span<UInt8>) -> Bool {
        let (a, b) = (Self.range(left), Self.range(right))
        guard a.count == b.count else { return false }
        // Fast path: most texts are compared with a constant.
        if a.upperBound <= bytes.count, b.upperBound > bytes.count {
            let start = b.lowerBound - bytes.count
            let own = made.span
            for offset in 0..<a.count where bytes[a.lowerBound + offset] != own[start + offset] { return false }
            return true
        }
        for offset in 0..<a.count where byte(a.lowerBound + offset, bytes) != byte(b.lowerBound + offset, bytes) {
            return false
        }
        return true
    }

    /// By code points, which is the order of UTF-8 bytes.
    private func order(_ left: Int64, _ right: Int64, _ bytes: Span<UInt8>) -> Int {
        let (a, b) = (Self.range(left), Self.range(right))
        for offset in 0..<min(a.count, b.count) {
            let (x, y) = (byte(a.lowerBound + offset, bytes), byte(b.lowerBound + offset, bytes))
            if x != y { return x < y ? -1 : 1 }
        }
        return a.count < b.count ? -1 : a.count > b.count ? 1 : 0
    }

    // MARK: Arithmetic

    /// Arithmetic of doubles (IEEE 754).
    func doubles(_ operation: RuleOperator, _ left: RuleColumn, _ right: RuleColumn) -> RuleColumn {
        mapped(left, right) { a, b in
            let (x, y) = (Self.double(a), Self.double(b))
            switch operation {
            case .add: return (Self.word(x + y), .here)
            case .subtract: return (Self.word(x - y), .here)
            case .multiply: return (Self.word(x * y), .here)
            case .divide: return (Self.word(x / y), .here)
            case .remainder: return (0, .wrong)
            }
        }
    }

    /// Arithmetic of integers, times and durations. Overflow and division by zero are errors.
    func wholes(_ operation: RuleOperator, _ left: RuleColumn, _ right: RuleColumn) -> RuleColumn {
        mapped(left, right) { a, b in
            let result: (partialValue: Int64, overflow: Bool)
            switch operation {
            case .add: result = a.addingReportingOverflow(b)
            case .subtract: result = a.subtractingReportingOverflow(b)
            case .multiply: result = a.multipliedReportingOverflow(by: b)
            case .divide: result = a.dividedReportingOverflow(by: b)
            case .remainder: result = a.remainderReportingOverflow(dividingBy: b)
            }
            return (result.partialValue, result.overflow ? .wrong : .here)
        }
    }
}
