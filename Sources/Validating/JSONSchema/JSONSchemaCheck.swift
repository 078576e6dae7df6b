package import Schemas
package import Tabular

/// A compiled JSON Schema that judges values. It is immutable and may be shared; the state is in a `Session`.
package final class JSONSchemaCheck: Sendable {
    private let schema: JSONSchema
    private let patterns: [Pattern]
    private let program: JSONSchemaProgram?

    /// Compiles the schema's patterns by ECMA-262 as far as PCRE2 supports it.
    ///
    /// - Throws: `UnusableContract` for a pattern that does not compile.
    package init(_ schema: JSONSchema) throws(UnusableContract) {
        self.schema = schema
        var patterns: [Pattern] = []
        for text in schema.patterns {
            do throws(Pattern.Refused) { patterns.append(try Pattern(ecmaScript: text)) } catch {
                throw UnusableContract(
                    reason:
                        "the contract's JSON Schema has a pattern that does not compile, \"\(text)\": \(error.reason)")
            }
        }
        self.patterns = patterns
        program = JSONSchemaProgram(schema)
    }

    /// One violation, as in JSON Schema's `basic` output (Core, section 12); it holds no value.
    package struct Violation: Sendable, Equatable {
        /// The path of keywords that led there, as a JSON Pointer.
        package let keywordLocation: String
        /// The keyword's absolute location: the schema's identifier and a JSON Pointer.
        package let absoluteKeywordLocation: String
        /// The place in the value, as a JSON Pointer.
        package let instanceLocation: String
    }

    /// The result of judging a value.
    package enum Validity: Sendable, Equatable {
        case valid, invalid
        /// The budget of steps was exhausted; no ordinary schema and value need it.
        case overBudget
    }

    /// The tape holds no whole value, because its text is not JSON or was not read, so there is nothing to judge.
    package struct UnreadableTape: Error, Sendable, Equatable {}

    /// State kept across values: match memory, and how many values exhausted their budget.
    package final class Session {
        fileprivate let matchers = Matchers()
        private var exhausted = 0

        /// The steps that a value may take; far fewer after 16 exhausted budgets, so that a hostile file ends soon.
        fileprivate func budget(_ tape: JSONTape) -> Int {
            exhausted < 16 ? 1_000_000 + 100 * tape.values.count : 10_000 + 20 * tape.values.count
        }

        fileprivate func note(_ verdict: Validity) -> Validity {
            if verdict == .overBudget { exhausted += 1 }
            return verdict
        }

        /// A session for one thread.
        package init() {}
    }

    /// Judges the value on a tape (`flag` output). A tape without a whole value is invalid.
    package func verdict(_ tape: JSONTape, _ session: Session = Session()) -> Validity {
        guard tape.isWhole else { return .invalid }
        if let program {
            var state = JSONSchemaProgram.State(
                budget: session.budget(tape), matchers: session.matchers, patterns: patterns, tape: tape)
            let isValid = program.judgeTape(by: 0, state: &state)
            return session.note(state.isExhausted ? .overBudget : isValid ? .valid : .invalid)
        }
        return session.note(slowVerdict(tape, session))
    }

    /// The schema by columns; nil when it asks something that no single member shows.
    func columns(_ names: [String]) -> JSONSchemaColumns? { program?.columns(names) }

    /// The rows that `verdict` must judge; all others satisfy the schema.
    func suspects(
        among rows: [UInt32], of batch: RowBlock, by columns: JSONSchemaColumns, _ session: Session
    ) -> [UInt32] {
        guard let program, batch.knowsExtras || !columns.refusesOthers else { return rows }
        var state = JSONSchemaProgram.State(budget: 1_000_000, matchers: session.matchers, patterns: patterns)
        return program.suspects(among: rows, of: batch, by: columns, state: &state)
    }

    /// Judges a value by interpretation, without the compiled program. A tape without a whole value is invalid.
    package func slowVerdict(_ tape: JSONTape, _ session: Session = Session()) -> Validity {
        guard tape.isWhole else { return .invalid }
        var run = JSONSchemaInterpreter(
            schema, patterns: patterns, tape: tape, matchers: session.matchers, budget: session.budget(tape))
        let isValid = run.judge(0, by: 0, seen: nil)
        return run.isExhausted ? .overBudget : isValid ? .valid : .invalid
    }

    /// The violations of a value, at most `limit` (`basic` output).
    ///
    /// - Throws: for a tape without a whole value, which violates no keyword in particular.
    package func violations(_ tape: JSONTape, limit: Int = 1000) throws(UnreadableTape) -> [Violation] {
        guard tape.isWhole else { throw UnreadableTape() }
        var run = JSONSchemaInterpreter(
            schema, patterns: patterns, tape: tape, matchers: Matchers(), budget: 1_000_000 + 100 * tape.values.count)
        run.collects = true
        run.kept = limit
        _ = run.judge(0, by: 0, seen: nil)
        return run.violations
    }
}

extension JSONTape {
    /// Whether the tape holds one value to its end. After a fault it is empty, or its outermost container is open.
    fileprivate var isWhole: Bool { values.first.map { Int($0.next) == values.count } ?? false }
}

/// One matcher a pattern of a schema, created on first use.
final class Matchers {
    private var made: [Pattern.Matcher?] = []

    /// Matches a text against a pattern.
    ///
    /// - Parameters:
    ///   - index: the pattern's index.
    ///   - patterns: the patterns; the same list in every call.
    ///   - bytes: the buffer.
    ///   - range: the text in it.
    func answer(
        _ index: Int, of patterns: [Pattern], _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> Pattern.Answer {
        if made.isEmpty { made = patterns.map { _ in nil } }
        let matcher = made[index] ?? patterns[index].matcher()
        made[index] = matcher
        return matcher.answer(bytes, range)
    }
}
