import Schemas
import Tabular

/// One row rule, ready to judge blocks: an expression is evaluated once for all rows of a block, part by part.
struct RuleCheck: Sendable {
    let rule: RowRule
    private let patterns: [String: Pattern]

    init(_ rule: RowRule) throws(UnusableContract) {
        self.rule = rule
        var patterns: [String: Pattern] = [:]
        for text in rule.condition.patterns where patterns[text] == nil {
            do throws(Pattern.Refused) {
                patterns[text] = try Pattern(searching: text)
            } catch {
                throw UnusableContract(
                    reason: "rule \(rule.name): the pattern of matches does not compile: \(error.reason)")
            }
        }
        self.patterns = patterns
    }

    /// The rows that break the rule. One whose condition rests on a missing value keeps it, as in SQL; one whose condition is an
    /// error, such as a division by zero, breaks it.
    func broken(_ batch: Batch, _ rows: [UInt32], _ checks: [FieldCheck]) -> [UInt32] {
        if rows.isEmpty { return [] }
        var run = RuleRun(batch: batch, rows: rows, checks: checks, patterns: patterns)
        let column = run.value(rule.condition, batch.bytes.span)
        return rows.indices.compactMap { place in
            switch column.states[place] {
            case .here: column.words[place] == 0 ? rows[place] : nil
            case .missing: nil
            case .wrong: rows[place]
            }
        }
    }
}

/// What became of an expression in a row.
enum RuleState: UInt8, Sendable, Comparable {
    case here, missing, wrong

    static func < (left: RuleState, right: RuleState) -> Bool { left.rawValue < right.rawValue }
}

/// The values of an expression, one a row.
///
/// A word is a truth value, a whole number, microseconds, the bits of a double, or a text's place: start and end, in the block's
/// bytes, or, counted on from there, in what the rule made itself.
struct RuleColumn {
    var words: [Int64]
    var states: [RuleState]
}

/// The evaluation of one rule over one block.
struct RuleRun {
    let batch: Batch
    let rows: [UInt32]
    let checks: [FieldCheck]
    let patterns: [String: Pattern]
    /// Texts that the rule made: constants, and what functions gave.
    var made: [UInt8] = []
    /// Bytes that the rule may still make of each row: more than an honest one needs, and little beside what a hostile row could ask
    /// for. By row, so that a verdict does not depend on the rows around it.
    private var left: [Int]

    init(batch: Batch, rows: [UInt32], checks: [FieldCheck], patterns: [String: Pattern]) {
        (self.batch, self.rows, self.checks, self.patterns) = (batch, rows, checks, patterns)
        left = rows.map { row in
            let record = batch.records[Int(row)]
            return 65_536 + 16 * Int(record.end - record.start)
        }
    }

    /// The values of an expression.
    mutating func value(_ expression: RuleExpression, _ bytes: Span<UInt8>) -> RuleColumn {
        switch expression {
        case .constant(let word, let type): return constant(word, type == .null ? .missing : .here)
        case .text(let text):
            let word = place(of: Array(text.utf8))
            return constant(word, .here)
        case .field(let index, let type): return field(index, type, bytes)
        case .isPresent(let inner):
            var column = value(inner, bytes)
            for row in rows.indices where column.states[row] != .wrong {
                column.words[row] = column.states[row] == .here ? 1 : 0
                column.states[row] = .here
            }
            return column
        case .not(let inner):
            var column = value(inner, bytes)
            for row in rows.indices { column.words[row] ^= 1 }
            return column
        case .negated(let inner):
            let column = value(inner, bytes)
            if inner.type == .double {
                return mapped(column) { (Int64(bitPattern: (-RuleRun.double($0)).bitPattern), .here) }
            }
            return mapped(column) { $0 == .min ? (0, .wrong) : (-$0, .here) }
        case .all(let parts): return joined(parts, bytes, decidedBy: 0)
        case .any(let parts): return joined(parts, bytes, decidedBy: 1)
        case .conditional(let condition, let first, let second): return chosen(condition, first, second, bytes)
        case .comparison(let comparison, let left, let right):
            let (a, b) = (value(left, bytes), value(right, bytes))
            return compared(comparison, a, left.type, b, right.type, bytes)
        case .arithmetic(let operation, let left, let right, let type):
            let (a, b) = (value(left, bytes), value(right, bytes))
            return type == .double ? doubles(operation, a, b) : wholes(operation, a, b)
        case .joined(let parts): return concatenated(parts.map { value($0, bytes) }, bytes)
        case .isIn(let inner, let items): return membership(inner, items, bytes)
        case .matches(let inner, let pattern):
            let column = value(inner, bytes)
            return matched(column, pattern, bytes)
        case .call(let function, let arguments, let type):
            return call(function, arguments.map { value($0, bytes) }, arguments.map(\.type), type, bytes)
        }
    }

    // MARK: Parts

    @inline(__always)
    static func double(_ word: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: word)) }

    @inline(__always)
    static func word(_ value: Double) -> Int64 { Int64(bitPattern: value.bitPattern) }

    @inline(__always)
    static func place(_ start: Int, _ end: Int) -> Int64 { Int64(start) << 32 | Int64(end) }

    @inline(__always)
    static func range(_ word: Int64) -> Range<Int> { Int(word >> 32)..<Int(word & 0xFFFF_FFFF) }

    /// Keeps a text of the rule itself.
    private mutating func place(of text: [UInt8]) -> Int64 {
        let start = batch.bytes.count + made.count
        made += text
        return Self.place(start, start + text.count)
    }

    /// Keeps a text that the rule made of a row; one that is too much is an error.
    mutating func keep(_ text: [UInt8], _ row: Int, _ out: inout RuleColumn) {
        left[row] -= text.count
        if left[row] < 0 {
            out.states[row] = .wrong
        } else {
            out.words[row] = place(of: text)
        }
    }

    /// A byte of a text.
    @inline(__always)
    func byte(_ at: Int, _ bytes: Span<UInt8>) -> UInt8 { at < bytes.count ? bytes[at] : made[at - bytes.count] }

    private func constant(_ word: Int64, _ state: RuleState) -> RuleColumn {
        RuleColumn(
            words: Array(repeating: word, count: rows.count), states: Array(repeating: state, count: rows.count))
    }

    /// A function of the values that are there.
    @inline(__always)
    func mapped(_ column: RuleColumn, _ change: (Int64) -> (Int64, RuleState)) -> RuleColumn {
        var out = column
        for row in rows.indices where column.states[row] == .here {
            (out.words[row], out.states[row]) = change(column.words[row])
        }
        return out
    }

    /// A function of two values that are there.
    @inline(__always)
    func mapped(_ left: RuleColumn, _ right: RuleColumn, _ join: (Int64, Int64) -> (Int64, RuleState)) -> RuleColumn {
        var out = left
        for row in rows.indices {
            let state = max(left.states[row], right.states[row])
            if state == .here {
                (out.words[row], out.states[row]) = join(left.words[row], right.words[row])
            } else {
                out.states[row] = state
            }
        }
        return out
    }

    /// `&&` and `||`: one part that decides is enough, whatever became of the others.
    private mutating func joined(
        _ parts: [RuleExpression], _ bytes: Span<UInt8>, decidedBy decisive: Int64
    ) -> RuleColumn {
        var out = value(parts[0], bytes)
        for part in parts.dropFirst() {
            let next = value(part, bytes)
            for row in rows.indices {
                if out.states[row] == .here, out.words[row] == decisive { continue }
                if next.states[row] == .here, next.words[row] == decisive {
                    (out.words[row], out.states[row]) = (decisive, .here)
                } else {
                    out.states[row] = max(out.states[row], next.states[row])
                }
            }
        }
        return out
    }

    private mutating func chosen(
        _ condition: RuleExpression, _ first: RuleExpression, _ second: RuleExpression, _ bytes: Span<UInt8>
    ) -> RuleColumn {
        var out = value(condition, bytes)
        let (yes, no) = (value(first, bytes), value(second, bytes))
        for row in rows.indices where out.states[row] == .here {
            let side = out.words[row] == 1 ? yes : no
            (out.words[row], out.states[row]) = (side.words[row], side.states[row])
        }
        return out
    }

    private mutating func membership(
        _ inner: RuleExpression, _ items: [RuleExpression], _ bytes: Span<UInt8>
    ) -> RuleColumn {
        let column = value(inner, bytes)
        var out = constant(0, .here)
        for item in items {
            // First: a method that changes nothing is called on what `self` was before its arguments were.
            let other = value(item, bytes)
            let next = compared(.equal, column, inner.type, other, item.type, bytes)
            for row in rows.indices {
                // A list with an error in it is none, whatever else is in it; a missing value only leaves the question open.
                if next.states[row] == .wrong {
                    out.states[row] = .wrong
                } else if out.states[row] != .wrong, next.states[row] == .here, next.words[row] == 1 {
                    (out.words[row], out.states[row]) = (1, .here)
                } else if out.words[row] == 0 {
                    out.states[row] = max(out.states[row], next.states[row])
                }
            }
        }
        for row in rows.indices where column.states[row] != .here {
            out.states[row] = max(out.states[row], column.states[row])
        }
        return out
    }

    private func matched(_ column: RuleColumn, _ text: String, _ bytes: Span<UInt8>) -> RuleColumn {
        guard let matcher = patterns[text]?.matcher() else {
            preconditionFailure("a rule's patterns were compiled with it")
        }
        var out = column
        for row in rows.indices where column.states[row] == .here {
            let range = Self.range(column.words[row])
            let answer =
                range.upperBound <= bytes.count
                ? matcher.answer(bytes, range)
                : matcher.answer(made.span, range.lowerBound - bytes.count..<range.upperBound - bytes.count)
            switch answer {
            case .matches: out.words[row] = 1
            case .differs: out.words[row] = 0
            case .overBudget: out.states[row] = .wrong
            }
        }
        return out
    }

    // MARK: Fields

    private func field(_ index: Int, _ type: RuleType, _ bytes: Span<UInt8>) -> RuleColumn {
        let check = checks[index]
        let column = batch.layout.columnOfField[index]
        var out = constant(0, .missing)
        if column < 0 { return out }
        for place in rows.indices {
            let cell = batch.cells[Int(rows[place]) &* batch.width &+ column]
            if check.isMissing(cell, bytes) { continue }
            (out.words[place], out.states[place]) = value(cell, check, type, bytes)
        }
        return out
    }

    /// The value of a cell that has one; a row with a wrong cell was found already, unless a JSON Schema judges it.
    private func value(
        _ cell: Cell, _ check: FieldCheck, _ type: RuleType, _ bytes: Span<UInt8>
    ) -> (Int64, RuleState) {
        switch type {
        case .double: return check.number(cell, bytes).map { (Self.word($0), .here) } ?? (0, .wrong)
        case .int:
            if check.type == .year {
                return Dates.value(bytes, cell.range, .year).map { ($0, .here) } ?? (0, .wrong)
            }
            return check.whole(cell, bytes).map { ($0, .here) } ?? (0, .wrong)
        case .bool:
            return check.flag(cell, bytes).map { ($0 ? 1 : 0, .here) } ?? (0, .wrong)
        case .string: return cell.isText ? (Self.place(Int(cell.start), Int(cell.end)), .here) : (0, .wrong)
        case .timestamp, .duration:
            guard cell.isText else { return (0, .wrong) }
            return Dates.value(bytes, cell.range, check.type).map { ($0, .here) } ?? (0, .wrong)
        case .null, .opaque: return (0, .here)
        }
    }

    // MARK: Comparison

    private func compared(
        _ comparison: RuleComparison, _ left: RuleColumn, _ leftType: RuleType, _ right: RuleColumn,
        _ rightType: RuleType, _ bytes: Span<UInt8>
    ) -> RuleColumn {
        switch (leftType, rightType) {
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

    /// Whether an order keeps a comparison; what is in no order (a NaN) is only unequal.
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

    /// A whole number beside a double, exactly: not every one of 64 bits is a double.
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
        // Constants first: they are what most texts are compared with.
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

    /// By code points, which the bytes of UTF-8 are in the order of.
    private func order(_ left: Int64, _ right: Int64, _ bytes: Span<UInt8>) -> Int {
        let (a, b) = (Self.range(left), Self.range(right))
        for offset in 0..<min(a.count, b.count) {
            let (x, y) = (byte(a.lowerBound + offset, bytes), byte(b.lowerBound + offset, bytes))
            if x != y { return x < y ? -1 : 1 }
        }
        return a.count < b.count ? -1 : a.count > b.count ? 1 : 0
    }

    // MARK: Arithmetic

    private func doubles(_ operation: RuleOperator, _ left: RuleColumn, _ right: RuleColumn) -> RuleColumn {
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

    /// Whole numbers, times and lengths of time: an overflow is an error, as is a division by zero.
    private func wholes(_ operation: RuleOperator, _ left: RuleColumn, _ right: RuleColumn) -> RuleColumn {
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

    private mutating func concatenated(_ parts: [RuleColumn], _ bytes: Span<UInt8>) -> RuleColumn {
        var out = constant(0, .here)
        for row in rows.indices {
            out.states[row] = parts.map { $0.states[row] }.max() ?? .here
            guard out.states[row] == .here else { continue }
            var text: [UInt8] = []
            for part in parts where text.count <= left[row] {
                for at in Self.range(part.words[row]) { text.append(byte(at, bytes)) }
            }
            keep(text, row, &out)
        }
        return out
    }
}

extension RuleExpression {
    /// The patterns in it.
    fileprivate var patterns: [String] {
        switch self {
        case .constant, .text, .field: []
        case .isPresent(let inner), .not(let inner), .negated(let inner): inner.patterns
        case .all(let parts), .any(let parts), .joined(let parts), .call(_, let parts, _): parts.flatMap(\.patterns)
        case .conditional(let a, let b, let c): a.patterns + b.patterns + c.patterns
        case .comparison(_, let a, let b), .arithmetic(_, let a, let b, _): a.patterns + b.patterns
        case .isIn(let inner, let items): inner.patterns + items.flatMap(\.patterns)
        case .matches(let inner, let pattern): inner.patterns + [pattern]
        }
    }
}
