package import Schemas
package import Tabular

/// A compiled JSON Schema, ready to judge values.
package final class JSONSchemaCheck: Sendable {
    private let schema: JSONSchema
    private let patterns: [Pattern]
    private let program: JSONSchemaProgram?

    /// Compiles the schema's patterns, by ECMA-262's rules as far as PCRE2 has them.
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

    /// One thing that a value breaks, as the `basic` output of JSON Schema has it (Core 12); it holds no value.
    package struct Violation: Sendable, Equatable {
        /// The keywords that led there, as a JSON Pointer.
        package let keywordLocation: String
        /// The keyword's own place: a schema's identifier and a JSON Pointer.
        package let absoluteKeywordLocation: String
        /// The value, as a JSON Pointer into the instance.
        package let instanceLocation: String
    }

    /// The result of judging a value.
    package enum Validity: Sendable, Equatable {
        case valid, invalid
        /// The budget of steps was used up: no honest pair of schema and value needs it.
        case overBudget
    }

    /// What is kept from one value to the next: match memory, and how many values used up their budget.
    package final class Session {
        fileprivate let matchers = Matchers()
        private var exhausted = 0

        /// Steps that a value may take; far fewer once 16 values have used up theirs, so that a hostile file ends soon.
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

    /// Judges the value on a tape: the `flag` output.
    package func verdict(_ tape: JSONTape, _ session: Session = Session()) -> Validity {
        if let program {
            var state = JSONSchemaProgram.State(
                budget: session.budget(tape), matchers: session.matchers, patterns: patterns, tape: tape)
            let isValid = program.judgeTape(by: 0, state: &state)
            return session.note(state.isExhausted ? .overBudget : isValid ? .valid : .invalid)
        }
        return session.note(slowVerdict(tape, session))
    }

    /// The schema by columns; nil where it asks something that no single member shows.
    func columns(_ names: [String]) -> JSONSchemaColumns? { program?.columns(names) }

    /// The rows that `verdict` must judge: all others keep the schema.
    func suspects(
        among rows: [UInt32], of batch: RowBlock, by columns: JSONSchemaColumns, _ session: Session
    ) -> [UInt32] {
        guard let program, batch.knowsExtras || !columns.refusesOthers else { return rows }
        var state = JSONSchemaProgram.State(budget: 1_000_000, matchers: session.matchers, patterns: patterns)
        return program.suspects(among: rows, of: batch, by: columns, state: &state)
    }

    /// The same by interpreting the schema.
    package func slowVerdict(_ tape: JSONTape, _ session: Session = Session()) -> Validity {
        var run = JSONSchemaInterpreter(
            schema, patterns: patterns, tape: tape, matchers: session.matchers, budget: session.budget(tape))
        let isValid = run.judge(0, by: 0, seen: nil)
        return run.isExhausted ? .overBudget : isValid ? .valid : .invalid
    }

    /// The violations of a value, at most `limit`: the `basic` output.
    package func violations(_ tape: JSONTape, limit: Int = 1000) -> [Violation] {
        var run = JSONSchemaInterpreter(
            schema, patterns: patterns, tape: tape, matchers: Matchers(), budget: 1_000_000 + 100 * tape.values.count)
        run.collects = true
        run.kept = limit
        _ = run.judge(0, by: 0, seen: nil)
        return run.violations
    }
}

/// A matcher for each pattern of a schema, made when it is first asked.
final class Matchers {
    private var made: [Pattern.Matcher?] = []

    /// The answer of pattern `index` of `patterns`, always the same list, to the text in `range`.
    func answer(
        _ index: Int, of patterns: [Pattern], _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> Pattern.Answer {
        if made.isEmpty { made = patterns.map { _ in nil } }
        let matcher = made[index] ?? patterns[index].matcher()
        made[index] = matcher
        return matcher.answer(bytes, range)
    }
}
