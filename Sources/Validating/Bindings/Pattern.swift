import CPCRE2

/// A compiled `pattern`: PCRE2 with JIT, matching the whole text, with a hard limit of work (design decision D5).
@safe package final class Pattern: @unchecked Sendable {
    // Sound: PCRE2 code and match contexts are immutable once made and may be shared by threads (pcre2api, "Multithreading").
    private let code: OpaquePointer
    private let context: OpaquePointer

    /// Why a pattern cannot be used.
    package struct Refused: Error, Sendable {
        /// What PCRE2 says, and where.
        package let reason: String
    }

    /// What a match came to.
    package enum Answer: Sendable {
        case matches
        case differs
        /// The limit of work was reached: a finding, never a hang.
        case overBudget
    }

    /// Match steps allowed for one text.
    package static let matchLimit: UInt32 = 100_000

    /// Bytes of stack for one match, the same everywhere.
    package static let stackLimit = 4 << 20

    /// Compiles `text`, anchored at both ends.
    package init(_ text: String) throws(Refused) {
        var number: Int32 = 0
        var offset = 0
        var text = text
        let options =
            UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | PCRE2_ANCHORED | PCRE2_ENDANCHORED | UInt32(PCRE2_DOLLAR_ENDONLY)
            | UInt32(PCRE2_NEVER_BACKSLASH_C)
        let made = text.withUTF8 { bytes in
            unsafe pcre2_compile_8(bytes.baseAddress, bytes.count, options, &number, &offset, nil)
        }
        guard let made = unsafe made else { throw Refused(reason: "\(Self.message(number)) at offset \(offset)") }
        guard unsafe pcre2_jit_compile_8(made, UInt32(PCRE2_JIT_COMPLETE)) == 0,
            let context = unsafe pcre2_match_context_create_8(nil)
        else {
            unsafe pcre2_code_free_8(made)
            throw Refused(reason: "pcre2 has no just-in-time compiler here, and slices must judge alike everywhere")
        }
        unsafe pcre2_set_match_limit_8(context, Self.matchLimit)
        unsafe self.code = made
        unsafe self.context = context
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_code_free_8(code)
    }

    private static func message(_ number: Int32) -> String {
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            // Sound: PCRE2 writes at most the given length and returns the length written.
            let length = unsafe pcre2_get_error_message_8(number, buffer.baseAddress, buffer.count)
            count = max(0, Int(length))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A matcher for one thread.
    package func matcher() -> Matcher? { Matcher(self) }

    /// Match memory for one thread and pattern: with the 32 KiB of the machine stack alone, an honest pattern would
    /// come out over budget on an honest long text.
    @safe package struct Matcher: ~Copyable {
        private let pattern: Pattern
        private let data: OpaquePointer
        private let context: OpaquePointer
        private let stack: OpaquePointer

        fileprivate init?(_ pattern: Pattern) {
            guard let data = unsafe pcre2_match_data_create_8(1, nil) else { return nil }
            guard let context = unsafe pcre2_match_context_copy_8(pattern.context) else {
                unsafe pcre2_match_data_free_8(data)
                return nil
            }
            guard let stack = unsafe pcre2_jit_stack_create_8(32 << 10, Pattern.stackLimit, nil) else {
                unsafe pcre2_match_context_free_8(context)
                unsafe pcre2_match_data_free_8(data)
                return nil
            }
            // Sound: the stack is used by this matcher alone and freed after the context that names it.
            unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
            self.pattern = pattern
            unsafe self.data = data
            unsafe self.context = context
            unsafe self.stack = stack
        }

        deinit {
            unsafe pcre2_match_context_free_8(context)
            unsafe pcre2_jit_stack_free_8(stack)
            unsafe pcre2_match_data_free_8(data)
        }

        /// Matches `bytes[range]`, which is valid UTF-8.
        package borrowing func answer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Answer {
            precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
            // Sound: the range was checked; PCRE2 only reads it, and JIT code needs no UTF check of valid UTF-8.
            let result = unsafe bytes.withUnsafeBufferPointer { buffer -> Int32 in
                guard let start = buffer.baseAddress else {
                    let empty: [UInt8] = [0]
                    return unsafe pcre2_jit_match_8(pattern.code, empty, 0, 0, 0, data, context)
                }
                return unsafe pcre2_jit_match_8(
                    pattern.code, start + range.lowerBound, range.count, 0, 0, data, context)
            }
            if result >= 0 { return .matches }
            return result == PCRE2_ERROR_NOMATCH ? .differs : .overBudget
        }
    }
}
