import Schemas
import Tabular

/// Evaluates one rule over one block.
struct RuleRun {
    let batch: RowBlock
    let rows: [UInt32]
    let checks: [FieldCheck]
    let patterns: [String: Pattern]
    /// Texts made by the rule: constants and results of functions.
    var made: [UInt8] = []
    /// By row, bytes that the rule may still make: more than an ordinary rule needs, far less than a hostile row could
    /// ask for. Counted by row, so that a verdict does not depend on other rows.
    private var left: [Int]

    init(batch: RowBlock, rows: [UInt32], checks: [FieldCheck], patterns: [String: Pattern]) {
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
        case .conditional(let condition, let first, let second):
            return chosen(by: condition, from: first, or: second, bytes)
        case .comparison(let comparison, let left, let right):
            let (a, b) = (operand(left, bytes), operand(right, bytes))
            return compared(a, by: comparison, with: b, bytes)
        case .arithmetic(let operation, let left, let right, let type):
            let (a, b) = (value(left, bytes), value(right, bytes))
            return type == .double ? doubles(operation, a, b) : wholes(operation, a, b)
        case .joined(let parts): return concatenated(parts.map { value($0, bytes) }, bytes)
        case .isIn(let inner, let items): return membership(inner, items, bytes)
        case .matches(let inner, let pattern):
            let column = value(inner, bytes)
            return matched(column, pattern, bytes)
        case .call(let function, let arguments, let type):
            return call(function, arguments.map { operand($0, bytes) }, giving: type, bytes)
        }
    }

    /// The values of an expression, with their type.
    private mutating func operand(_ expression: RuleExpression, _ bytes: Span<UInt8>) -> RuleOperand {
        RuleOperand(column: value(expression, bytes), type: expression.type)
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

    /// Stores a constant of the rule.
    private mutating func place(of text: [UInt8]) -> Int64 {
        let start = batch.bytes.count + made.count
        made += text
        return Self.place(start, start + text.count)
    }

    /// Stores a text made for a row; beyond the row's budget it is an error.
    mutating func keep(_ text: [UInt8], _ row: Int, _ out: inout RuleColumn) {
        left[row] -= text.count
        if left[row] < 0 {
            out.states[row] = .wrong
        } else {
            out.words[row] = place(of: text)
        }
    }

    /// A byte of a text, in the block or among the texts made.
    @inline(__always)
    func byte(_ at: Int, _ bytes: Span<UInt8>) -> UInt8 { at < bytes.count ? bytes[at] : made[at - bytes.count] }

    private func constant(_ word: Int64, _ state: RuleState) -> RuleColumn {
        RuleColumn(
            words: Array(repeating: word, count: rows.count), states: Array(repeating: state, count: rows.count))
    }

    /// Applies a function to the values that are present.
    @inline(__always)
    func mapped(_ column: RuleColumn, _ change: (Int64) -> (Int64, RuleState)) -> RuleColumn {
        var out = column
        for row in rows.indices where column.states[row] == .here {
            (out.words[row], out.states[row]) = change(column.words[row])
        }
        return out
    }

    /// Applies a function to pairs of present values.
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

    /// `&&` and `||`: one deciding operand suffices, even if others are missing or errors.
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

    /// `condition ? first : second`.
    private mutating func chosen(
        by condition: RuleExpression, from first: RuleExpression, or second: RuleExpression, _ bytes: Span<UInt8>
    ) -> RuleColumn {
        var out = value(condition, bytes)
        let (yes, no) = (value(first, bytes), value(second, bytes))
        for row in rows.indices where out.states[row] == .here {
            let side = out.words[row] == 1 ? yes : no
            (out.words[row], out.states[row]) = (side.words[row], side.states[row])
        }
        return out
    }

    /// `value in [items]`: true if any item is equal, compared one by one.
    private mutating func membership(
        _ inner: RuleExpression, _ items: [RuleExpression], _ bytes: Span<UInt8>
    ) -> RuleColumn {
        let wanted = operand(inner, bytes)
        let column = wanted.column
        var out = constant(0, .here)
        for item in items {
            // Evaluated before the call: as an argument it would change `self` after `compared` has copied it.
            let other = operand(item, bytes)
            let next = compared(wanted, by: .equal, with: other, bytes)
            for row in rows.indices {
                // An error in the list is an error of the whole; a missing value only leaves the answer open.
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

    /// Matches each text against a pattern; a match over budget is an error.
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

    /// Joins texts, within the row's budget.
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

    // MARK: Fields

    /// The values of a field, converted to the rule's type.
    private func field(_ index: Int, _ type: RuleType, _ bytes: Span<UInt8>) -> RuleColumn {
        let check = checks[index]
        var out = constant(0, .missing)
        guard let column = batch.layout.columnOfField[index] else { return out }
        for place in rows.indices {
            let cell = batch.cells[Int(rows[place]) &* batch.width &+ column]
            if check.isMissing(cell, bytes) { continue }
            (out.words[place], out.states[place]) = value(cell, bytes, of: check, as: type)
        }
        return out
    }

    /// The value of a present cell. A cell of the wrong type has a finding already, unless a JSON Schema judges it.
    private func value(
        _ cell: Cell, _ bytes: Span<UInt8>, of check: FieldCheck, as type: RuleType
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
}
