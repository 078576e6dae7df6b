import Schemas
import Tabular

/// A row rule ready for blocks. An expression is evaluated once for all rows of a block, operand by operand.
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

    /// The rows that violate the rule. A condition that depends on a missing value is satisfied, as in SQL; an error
    /// such as a division by zero violates it.
    func broken(_ batch: RowBlock, _ rows: [UInt32], _ checks: [FieldCheck]) -> [UInt32] {
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

/// The state of an expression in a row: a value, missing, or an error.
enum RuleState: UInt8, Sendable, Comparable {
    case here, missing, wrong

    static func < (left: RuleState, right: RuleState) -> Bool { left.rawValue < right.rawValue }
}

/// The values of an expression, one a row.
///
/// A word holds a truth value, an integer, microseconds, the bits of a double, or the range of a text. Ranges beyond
/// the block's bytes refer to texts that the rule made itself.
struct RuleColumn {
    var words: [Int64]
    var states: [RuleState]
}

/// An operand: its values and their type.
struct RuleOperand {
    let column: RuleColumn
    let type: RuleType
}

extension RuleExpression {
    /// The patterns in the expression.
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
