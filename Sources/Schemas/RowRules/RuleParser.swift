import Tabular

/// Parses an expression of a row rule and checks its types: the grammar of CEL (github.com/google/cel-spec, "Syntax")
/// without macros, messages, maps, bytes and unsigned numbers.
///
/// A recursive-descent parser, one function for each level of precedence.
struct RuleParser {
    /// Why a text is not a valid expression.
    struct Mistake: Error {
        /// The place in the text, from 1, in Unicode scalars.
        let character: Int
        let reason: String
    }

    /// Limits against hostile contracts; rules of people are much shorter.
    static let mostBytes = 4096
    static let mostTokens = 512
    private static let depthMax = 32

    private let text: String
    private let fields: [Field]
    private let placeOfField: [String: Int]
    private var tokens: [RuleToken] = []
    private var at = 0
    private var depth = 0
    private var namesField = false

    /// A parser for rules over `fields`, whose indices by name are in `placeOfField`.
    init(_ text: String, _ fields: [Field], _ placeOfField: [String: Int]) {
        self.text = text
        self.placeOfField = placeOfField
        self.fields = fields
    }

    /// Parses the whole text.
    ///
    /// - Throws: the first mistake, also when the expression is not of type bool or names no field.
    mutating func parse() throws(Mistake) -> RuleExpression {
        guard text.utf8.count <= Self.mostBytes else {
            throw Mistake(character: 1, reason: "more than \(Self.mostBytes) bytes; write several rules")
        }
        tokens = try RuleToken.all(of: text)
        guard tokens.count <= Self.mostTokens else {
            throw Mistake(character: 1, reason: "more than \(Self.mostTokens) words; write several rules")
        }
        let whole = try expression()
        guard case .end = tokens[at].kind else { throw mistake("the rule should end here") }
        guard whole.type == .bool else {
            throw mistake("a rule must be true or false, and this is \(whole.type.rawValue)", at: tokens[0])
        }
        guard namesField else { throw mistake("the rule names no field", at: tokens[0]) }
        return whole
    }

    // MARK: Tokens

    private func mistake(_ reason: String, at token: RuleToken? = nil) -> Mistake {
        Mistake(character: (token ?? tokens[at]).character, reason: reason)
    }

    private mutating func takes(_ mark: String) -> Bool {
        guard case .mark(mark) = tokens[at].kind else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ mark: String) throws(Mistake) {
        if !takes(mark) { throw mistake("\(mark) was expected") }
    }

    // MARK: Grammar

    /// `Expr = ConditionalOr ["?" ConditionalOr ":" Expr]`. Both branches must have one type.
    private mutating func expression() throws(Mistake) -> RuleExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw mistake("nested deeper than \(Self.depthMax) levels") }
        let start = tokens[at]
        let condition = try alternatives()
        guard takes("?") else { return condition }
        guard condition.type == .bool else {
            throw mistake("before ? must stand true or false, and this is \(condition.type.rawValue)", at: start)
        }
        let first = try alternatives()
        try expect(":")
        let second = try expression()
        guard first.type == second.type || first.type == .null || second.type == .null else {
            throw mistake(
                "both ways of ?: need one type; these are \(first.type.rawValue) and \(second.type.rawValue)", at: start
            )
        }
        return .conditional(condition, first, second)
    }

    /// `ConditionalOr = ConditionalAnd {"||" ConditionalAnd}`.
    private mutating func alternatives() throws(Mistake) -> RuleExpression {
        let parts = try joined("||") { (parser) throws(Mistake) in try parser.conjunction() }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    /// `ConditionalAnd = Relation {"&&" Relation}`.
    private mutating func conjunction() throws(Mistake) -> RuleExpression {
        let parts = try joined("&&") { (parser) throws(Mistake) in try parser.relation() }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    /// Parses operands of a boolean operator.
    private mutating func joined(
        _ mark: String, _ next: (inout RuleParser) throws(Mistake) -> RuleExpression
    ) throws(Mistake) -> [RuleExpression] {
        var start = tokens[at]
        var parts = [try next(&self)]
        while case .mark(mark) = tokens[at].kind {
            try requireBool(parts, mark, start)
            at += 1
            start = tokens[at]
            parts.append(try next(&self))
            try requireBool(parts, mark, start)
        }
        return parts
    }

    private func requireBool(_ parts: [RuleExpression], _ mark: String, _ start: RuleToken) throws(Mistake) {
        guard let last = parts.last, last.type != .bool else { return }
        throw mistake("\(mark) joins true or false, and this is \(last.type.rawValue)", at: start)
    }

    /// `Relation = Addition {relop Addition}`, from left to right; `in` is a relop too.
    private mutating func relation() throws(Mistake) -> RuleExpression {
        var left = try sum()
        while true {
            let token = tokens[at]
            if case .name("in") = token.kind {
                at += 1
                left = try membership(left, token)
                continue
            }
            guard case .mark(let mark) = token.kind, let comparison = RuleComparison(rawValue: mark) else {
                return left
            }
            at += 1
            left = try compared(left, by: comparison, with: try sum(), at: token)
        }
    }

    /// Checks a comparison: operands of one type, or two numbers.
    ///
    /// - Parameters:
    ///   - left: the left operand.
    ///   - comparison: the operator.
    ///   - right: the right operand.
    ///   - token: its place, for the mistake.
    private func compared(
        _ left: RuleExpression, by comparison: RuleComparison, with right: RuleExpression, at token: RuleToken
    ) throws(Mistake) -> RuleExpression {
        if left.type == .null || right.type == .null {
            guard comparison == .equal || comparison == .unequal else {
                throw mistake("null has no order; compare it with == or !=", at: token)
            }
            let isThere = RuleExpression.isPresent(left.type == .null ? right : left)
            return comparison == .equal ? .not(isThere) : isThere
        }
        guard left.type == right.type || (left.type.isNumeric && right.type.isNumeric) else {
            throw noOverload(of: comparison.rawValue, left, right, at: token)
        }
        guard left.type.isOrdered else {
            throw mistake("a nested value can only be compared with null", at: token)
        }
        return .comparison(comparison, left, right)
    }

    /// `in` with a literal list.
    private mutating func membership(
        _ value: RuleExpression, _ token: RuleToken
    ) throws(Mistake) -> RuleExpression {
        guard takes("[") else { throw mistake("in needs a literal list, such as in ['a', 'b']") }
        var items: [RuleExpression] = []
        while !takes("]") {
            if !items.isEmpty {
                try expect(",")
                if takes("]") { break }
            }
            let item = try expression()
            // Each item must be comparable with the value.
            _ = try compared(value, by: .equal, with: item, at: token)
            guard item.type != .null else { throw mistake("a list cannot contain null; use has(…)") }
            items.append(item)
        }
        return .isIn(value, items)
    }

    /// `Addition = Multiplication {("+"
    /// "-") Multiplication}`; `+` also joins texts.
    private mutating func sum() throws(Mistake) -> RuleExpression {
        var left = try product()
        while case .mark(let mark) = tokens[at].kind, mark == "+" || mark == "-" {
            let token = tokens[at]
            at += 1
            left = try combined(left, by: mark == "+" ? .add : .subtract, with: try product(), at: token)
        }
        return left
    }

    /// `Multiplication = Unary {("*"
    /// "/"
    /// "%") Unary}`.
    private mutating func product() throws(Mistake) -> RuleExpression {
        var left = try unary()
        while case .mark(let mark) = tokens[at].kind, ["*", "/", "%"].contains(mark),
            let operation = RuleOperator(rawValue: mark)
        {
            let token = tokens[at]
            at += 1
            left = try combined(left, by: operation, with: try unary(), at: token)
        }
        return left
    }

    /// Checks an arithmetic operation and finds the type of its result.
    ///
    /// - Parameters:
    ///   - left: the left operand.
    ///   - operation: the operator.
    ///   - right: the right operand.
    ///   - token: its place, for the mistake.
    private func combined(
        _ left: RuleExpression, by operation: RuleOperator, with right: RuleExpression, at token: RuleToken
    ) throws(Mistake) -> RuleExpression {
        let result: RuleType?
        switch (operation, left.type, right.type) {
        case (_, .int, .int): result = .int
        case (.remainder, .double, .double): result = nil
        case (_, .double, .double): result = .double
        case (.add, .string, .string):
            var parts: [RuleExpression] = []
            for side in [left, right] { if case .joined(let more) = side { parts += more } else { parts.append(side) } }
            return .joined(parts)
        case (.add, .timestamp, .duration), (.add, .duration, .timestamp), (.subtract, .timestamp, .duration):
            result = .timestamp
        case (.subtract, .timestamp, .timestamp), (.add, .duration, .duration), (.subtract, .duration, .duration):
            result = .duration
        default: result = nil
        }
        guard let result else { throw noOverload(of: operation.rawValue, left, right, at: token) }
        return .arithmetic(operation, left, right, result)
    }

    /// The mistake for operands that an operator does not accept.
    ///
    /// - Parameters:
    ///   - mark: the operator.
    ///   - left: the left operand.
    ///   - right: the right operand.
    ///   - token: its place.
    private func noOverload(
        of mark: String, _ left: RuleExpression, _ right: RuleExpression, at token: RuleToken
    ) -> Mistake {
        let types = Set([left.type, right.type])
        let cure =
            types == [.int, .double]
            ? "; write double(…) around the whole number, or 2.0 for 2"
            : types == [.string, .timestamp] ? "; write timestamp('…') around the text" : ""
        return mistake(
            "\(left.type.rawValue) \(mark) \(right.type.rawValue) has no meaning\(cure)", at: token)
    }

    /// `Unary = Member
    /// "!" {"!"} Member
    /// "-" {"-"} Member`.
    private mutating func unary() throws(Mistake) -> RuleExpression {
        let token = tokens[at]
        var count = 0
        if takes("!") {
            repeat { count += 1 } while takes("!")
            let inner = try member()
            guard inner.type == .bool else {
                throw mistake("! takes true or false, and this is \(inner.type.rawValue)", at: token)
            }
            return count % 2 == 0 ? inner : .not(inner)
        }
        guard takes("-") else { return try member() }
        repeat { count += 1 } while takes("-")
        // The smallest 64-bit number has no positive counterpart.
        if count == 1, case .int(let magnitude) = tokens[at].kind, magnitude == 1 << 63 {
            at += 1
            return .constant(.min, .int)
        }
        let inner = try member()
        guard inner.type.isNumeric || inner.type == .duration else {
            throw mistake("- takes a number, and this is \(inner.type.rawValue)", at: token)
        }
        return count % 2 == 0 ? inner : .negated(inner)
    }

    /// `Member = Primary {"." IDENT "(" [ExprList] ")"}`: methods only, since fields have no members.
    private mutating func member() throws(Mistake) -> RuleExpression {
        var value = try primary()
        while takes(".") {
            let token = tokens[at]
            guard case .name(let name) = token.kind else { throw mistake("a function's name was expected") }
            at += 1
            try expect("(")
            value = try RuleSignatures.call(name, receiver: value, try arguments(), token)
        }
        return value
    }

    private mutating func arguments() throws(Mistake) -> [RuleExpression] {
        var list: [RuleExpression] = []
        while !takes(")") {
            if !list.isEmpty, !takes(",") { throw mistake(", or ) was expected") }
            list.append(try expression())
        }
        return list
    }

    /// `Primary`: a literal, a name, a call, or an expression in parentheses.
    private mutating func primary() throws(Mistake) -> RuleExpression {
        let token = tokens[at]
        at += 1
        switch token.kind {
        case .int(let value):
            guard let value = Int64(exactly: value) else {
                throw mistake("the number does not fit into 64 bits", at: token)
            }
            return .constant(value, .int)
        case .double(let value): return .constant(Int64(bitPattern: value.bitPattern), .double)
        case .text(let text): return .text(text)
        case .mark("("):
            let inner = try expression()
            try expect(")")
            return inner
        case .name(let name): return try named(name, token)
        case .end:
            at -= 1
            throw mistake("the rule ends where a value was expected")
        case .mark(let mark):
            at -= 1
            throw mistake("a value was expected instead of \(mark)")
        }
    }

    /// A name: a field, a function call, or `row["…"]`.
    private mutating func named(_ name: String, _ token: RuleToken) throws(Mistake) -> RuleExpression {
        switch name {
        case "true": return .constant(1, .bool)
        case "false": return .constant(0, .bool)
        case "null": return .constant(0, .null)
        default: break
        }
        if takes("(") {
            let list = try arguments()
            guard name == "has" else { return try RuleSignatures.call(name, receiver: nil, list, token) }
            guard list.count == 1, case .field = list[0] else {
                throw mistake("has(…) takes the name of a field", at: token)
            }
            return .isPresent(list[0])
        }
        // `row["…"]`, for field names that are no identifiers of the language.
        if name == "row", takes("[") {
            let inner = tokens[at]
            guard case .text(let field) = inner.kind else {
                throw mistake("row['…'] takes the name of a field as text")
            }
            at += 1
            try expect("]")
            return try self.field(field, inner)
        }
        if name == "math", takes(".") {
            let inner = tokens[at]
            guard case .name(let function) = inner.kind else { throw mistake("a function's name was expected") }
            at += 1
            try expect("(")
            return try RuleSignatures.call("math.\(function)", receiver: nil, try arguments(), inner)
        }
        return try field(name, token)
    }

    /// The field with a name.
    ///
    /// - Throws: a mistake with the closest field name.
    private mutating func field(_ name: String, _ token: RuleToken) throws(Mistake) -> RuleExpression {
        guard let index = placeOfField[name] else {
            let hint = didYouMean(name, among: fields.lazy.map(\.name))
            throw mistake("there is no field \(quoted(name))\(hint)", at: token)
        }
        namesField = true
        return .field(index, RuleType(fields[index].type))
    }
}
