package import Tabular

/// A condition on every row (`sluice: rules:`), in a subset of the Common Expression Language.
package struct RowRule: Sendable, Equatable {
    /// Its name in reports: that of the contract, else its text.
    package var name: String
    /// The expression as it is written.
    package var text: String
    /// The type-checked expression, of type bool.
    package var condition: RuleExpression
    /// The outcome of a row that violates it: flagged, quarantined or rejected.
    package var action = Outcome.rejected
}

/// The types of expressions, by CEL's names.
package enum RuleType: String, Sendable {
    /// True or false.
    case bool
    /// A whole number of 64 bits; also years.
    case int
    /// Double precision.
    case double
    /// Text; also months of a year, and fields of type `any`.
    case string
    /// An instant in microseconds since 1970 in UTC; a date is its midnight.
    case timestamp
    /// A span of time in microseconds; a time of day is the span since midnight.
    case duration
    /// No value.
    case null = "null_type"
    /// A list, object or point: a rule can only ask whether it is present.
    case opaque = "nested value"

    /// The type of a field's values in rules.
    package init(_ type: FieldType) {
        switch type {
        case .boolean: self = .bool
        case .integer, .year: self = .int
        case .number: self = .double
        case .string, .yearmonth, .any: self = .string
        case .date, .datetime: self = .timestamp
        case .time, .duration: self = .duration
        case .object, .array, .list, .geopoint, .geojson: self = .opaque
        }
    }

    /// Whether values are ordered.
    var isOrdered: Bool { self != .null && self != .opaque }
    /// Whether it is `int` or `double`.
    var isNumeric: Bool { self == .int || self == .double }
}

/// A comparison operator.
package enum RuleComparison: String, Sendable {
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case atMost = "<="
    case more = ">"
    case atLeast = ">="
}

/// An arithmetic operator on numbers, instants or durations.
package enum RuleOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
}

/// The functions of row rules, by CEL's names; `math` and the string functions are those of its standard extensions.
package enum RuleFunction: String, Sendable, CaseIterable {
    case size, contains, startsWith, endsWith, lowerAscii, upperAscii, trim
    case int, double, string, timestamp, duration
    case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear
    case getHours, getMinutes, getSeconds, getMilliseconds
    case abs = "math.abs"
    case greatest = "math.greatest"
    case least = "math.least"
    case floor = "math.floor"
    case ceil = "math.ceil"
    case round = "math.round"
    case trunc = "math.trunc"
}

/// A type-checked expression.
///
/// A value may also be missing, or an error such as a division by zero. Both propagate, except where `&&` and `||` are
/// decided by the other operand.
package indirect enum RuleExpression: Sendable, Equatable {
    /// A constant as 64 bits: 0 or 1, a whole number, microseconds, or the bit pattern of a double.
    case constant(Int64, RuleType)
    /// A constant text.
    case text(String)
    /// The value of a field, by index.
    case field(Int, RuleType)
    /// Whether the expression has a value.
    case isPresent(RuleExpression)
    /// `!`
    case not(RuleExpression)
    /// `-`
    case negated(RuleExpression)
    /// `&&`
    case all([RuleExpression])
    /// `||`
    case any([RuleExpression])
    /// `?:`
    case conditional(RuleExpression, RuleExpression, RuleExpression)
    /// Operands of one type, or numbers of two types.
    case comparison(RuleComparison, RuleExpression, RuleExpression)
    /// Operands and result: numbers, instants or durations.
    case arithmetic(RuleOperator, RuleExpression, RuleExpression, RuleType)
    /// Concatenated texts.
    case joined([RuleExpression])
    /// `in` with a literal list.
    case isIn(RuleExpression, [RuleExpression])
    /// Whether a pattern matches somewhere in a text.
    case matches(RuleExpression, pattern: String)
    /// A function call with the type of its result.
    case call(RuleFunction, [RuleExpression], RuleType)

    /// The type of the value.
    package var type: RuleType {
        switch self {
        case .constant(_, let type), .field(_, let type), .arithmetic(_, _, _, let type), .call(_, _, let type): type
        case .text, .joined: .string
        case .isPresent, .not, .all, .any, .comparison, .isIn, .matches: .bool
        case .negated(let inner): inner.type
        case .conditional(_, let first, let second): first.type == .null ? second.type : first.type
        }
    }
}

extension SchemaLoader {
    /// Reads `rules` of the contract: expressions, or mappings with one.
    func loadRules(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> [RowRule] {
        let items = try cursor.items()
        guard items.count <= 256 else { throw cursor.error(.outOfRange, "there are more than 256 rules; remove some") }
        var rules: [RowRule] = []
        var names: Set<String> = []
        for item in items {
            var rule: RowRule
            if item.value.members == nil {
                rule = try loadRule(item, fields)
            } else {
                let settings = try SettingReader(item, .rule)
                guard let text = settings["rule"] else { throw item.error(.missing, "needs rule: with an expression") }
                rule = try loadRule(text, fields)
                if let name = settings["name"] {
                    rule.name = try name.text()
                    guard !rule.name.isEmpty, rule.name.utf8.count <= 128 else {
                        throw name.error(.outOfRange, "the name of a rule needs 1 to 128 bytes")
                    }
                }
                if let action = settings["action"] { rule.action = try loadRuleAction(action) }
            }
            guard names.insert(rule.name).inserted else {
                throw item.error(
                    .inconsistent, "there is already a rule \(quoted(rule.name)); rename one: reports name rules")
            }
            rules.append(rule)
        }
        return rules
    }

    private func loadRule(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> RowRule {
        let text = try cursor.text()
        var parser = RuleParser(text, fields, placeOfField)
        do throws(RuleParser.Mistake) {
            return RowRule(name: String(text.prefix(60)), text: text, condition: try parser.parse())
        } catch {
            throw cursor.error(
                .unusableRule, "character \(error.character) of the rule: \(error.reason)")
        }
    }

    private func loadRuleAction(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        switch try cursor.word(of: ["flag", "quarantine", "reject"], what: "action") {
        case "flag": .flagged
        case "quarantine": .quarantined
        default: .rejected
        }
    }
}
