/// The signatures of the functions of row rules.
enum RuleSignatures {
    /// A function, the types of its arguments (a method's receiver first), and of its result.
    private struct Signature {
        let function: RuleFunction
        let isMethod: Bool
        let takes: [RuleType]
        let gives: RuleType
    }

    private static let all: [Signature] = {
        var list: [Signature] = []
        func add(_ function: RuleFunction, method: Bool = false, _ takes: [RuleType], _ gives: RuleType) {
            list.append(Signature(function: function, isMethod: method, takes: takes, gives: gives))
        }
        add(.size, [.string], .int)
        add(.size, method: true, [.string], .int)
        for function in [RuleFunction.contains, .startsWith, .endsWith] {
            add(function, method: true, [.string, .string], .bool)
        }
        for function in [RuleFunction.lowerAscii, .upperAscii, .trim] {
            add(function, method: true, [.string], .string)
        }
        for type in [RuleType.int, .double, .string, .timestamp] { add(.int, [type], .int) }
        for type in [RuleType.int, .double, .string] { add(.double, [type], .double) }
        for type in [RuleType.int, .string, .bool] { add(.string, [type], .string) }
        for type in [RuleType.timestamp, .string] { add(.timestamp, [type], .timestamp) }
        add(.duration, [.duration], .duration)
        for function in [
            RuleFunction.getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours,
            .getMinutes, .getSeconds, .getMilliseconds,
        ] { add(function, method: true, [.timestamp], .int) }
        for function in [RuleFunction.getHours, .getMinutes, .getSeconds] {
            add(function, method: true, [.duration], .int)
        }
        for type in [RuleType.int, .double] { add(.abs, [type], type) }
        for function in [RuleFunction.floor, .ceil, .round, .trunc] { add(function, [.double], .double) }
        return list
    }()

    /// Checks a call against the signatures.
    ///
    /// - Parameters:
    ///   - name: the function's name.
    ///   - receiver: the value that a method is called on; nil for a function.
    ///   - arguments: the arguments.
    ///   - token: its place, for the mistake.
    static func call(
        _ name: String, receiver: RuleExpression?, _ arguments: [RuleExpression], _ token: RuleToken
    ) throws(RuleParser.Mistake) -> RuleExpression {
        func mistake(_ reason: String) -> RuleParser.Mistake {
            RuleParser.Mistake(character: token.character, reason: reason)
        }
        let whole = (receiver.map { [$0] } ?? []) + arguments
        if name == "matches" {
            guard whole.count == 2, whole[0].type == .string, case .text(let pattern) = whole[1] else {
                throw mistake("matches takes a text and a literal pattern, such as note.matches('[0-9]+')")
            }
            return .matches(whole[0], pattern: pattern)
        }
        if name == "math.greatest" || name == "math.least", receiver == nil {
            guard let first = whole.first, first.type.isNumeric, whole.allSatisfy({ $0.type == first.type }) else {
                throw mistake("\(name) takes numbers of one type")
            }
            return .call(name == "math.least" ? .least : .greatest, whole, first.type)
        }
        if name == "timestamp", whole.count == 1, case .text(let text) = whole[0] {
            guard let instant = ruleInstant(text) else {
                throw mistake("this is neither a time of RFC 3339, such as 2026-01-31T12:00:00Z, nor a date")
            }
            return .constant(instant, .timestamp)
        }
        if name == "duration", whole.count == 1, whole[0].type == .string {
            guard case .text(let text) = whole[0], let length = ruleDuration(text) else {
                throw mistake("duration takes a literal text, such as '1h30m' or '90s'")
            }
            return .constant(length, .duration)
        }
        let named = all.filter { $0.function.rawValue == name }
        guard !named.isEmpty else {
            let words = RuleFunction.allCases.map(\.rawValue) + ["matches", "has"]
            let macros = ["all", "exists", "exists_one", "map", "filter"]
            throw mistake(
                macros.contains(name)
                    ? "rules have no loops, so there is no \(name)"
                    : "there is no function \(quoted(name))\(didYouMean(name, among: words))")
        }
        let fitting = named.first {
            $0.isMethod == (receiver != nil) && $0.takes == whole.map(\.type)
        }
        guard let fitting else {
            let forms = named.map { signature in
                let types = signature.takes.map(\.rawValue)
                return signature.isMethod
                    ? "\(types[0]).\(name)(\(types.dropFirst().joined(separator: ", ")))"
                    : "\(name)(\(types.joined(separator: ", ")))"
            }
            let given = whole.isEmpty ? "nothing" : whole.map(\.type.rawValue).joined(separator: ", ")
            throw mistake("\(name) is used as \(listed(forms)), and was given \(given)")
        }
        return .call(fitting.function, whole, fitting.gives)
    }
}

/// Microseconds of a CEL duration such as `1h30m`, with units from hours to nanoseconds; nil when it is malformed.
private func ruleDuration(_ text: String) -> Int64? {
    let units: [(name: String, micros: Double)] = [
        ("ms", 1e3), ("us", 1), ("µs", 1), ("ns", 1e-3), ("h", 3.6e9), ("m", 6e7), ("s", 1e6),
    ]
    var rest = text[...]
    let isNegative = rest.hasPrefix("-")
    if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
    var total = 0.0
    var hasPart = false
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        rest = rest.dropFirst(digits.count)
        guard let value = Double(digits), let unit = units.first(where: { rest.hasPrefix($0.name) }) else { return nil }
        rest = rest.dropFirst(unit.name.count)
        total += value * unit.micros
        hasPart = true
    }
    guard hasPart, total < 0x1p62 else { return nil }
    return Int64(total.rounded()) * (isNegative ? -1 : 1)
}
