import CPCRE2
import Synchronization

/// A compiled `pattern`: PCRE2 with JIT, matching the whole text under a hard limit of work, so that no pattern and
/// text can stall a run (ReDoS).
@safe package final class Pattern: @unchecked Sendable {
    // Sound: compiled code and match contexts of PCRE2 are immutable and may be shared by threads (pcre2api,
    // "Multithreading").
    private let code: OpaquePointer
    /// The same pattern for ASCII texts, which are the most frequent: there, characters are bytes, and Unicode classes
    /// fit a bit table. nil if the pattern itself uses non-ASCII characters or Unicode.
    private let narrow: OpaquePointer?
    private let context: OpaquePointer
    /// Match memory that is not in use; reused by the next matcher.
    private let idle = Mutex<[MatchMemory]>([])

    /// Why a pattern cannot be compiled.
    package struct Refused: Error, Sendable {
        /// PCRE2's message, with the offset.
        package let reason: String
    }

    /// The result of a match.
    package enum Answer: Sendable {
        case matches
        case differs
        /// The limit of work was reached; it becomes a finding.
        case overBudget
    }

    /// The match steps allowed for a text of some bytes. An ordinary pattern takes one or two steps a byte. A step of
    /// an exploding pattern may examine the rest of the text, so a fixed limit would cost far more on a long text than
    /// on a short one.
    package static func matchLimit(_ count: Int) -> UInt32 { UInt32(clamping: 2_000 + 2 * count) }

    /// Bytes of stack for one match, equal everywhere, so that verdicts do not depend on the machine.
    package static let stackLimit = 4 << 20

    /// Compiles a pattern, anchored at both ends.
    ///
    /// - Throws: `Refused` when PCRE2 does not accept it.
    package convenience init(_ text: String) throws(Refused) {
        try self.init(text, narrow: text, UInt32(PCRE2_UCP) | PCRE2_ANCHORED | PCRE2_ENDANCHORED)
    }

    /// Compiles a regular expression of ECMA-262 with the `u` flag, which may match anywhere. Digits and words are
    /// ASCII, white space is Unicode's.
    package convenience init(ecmaScript text: String) throws(Refused) {
        try self.init(
            translated(text), narrow: translated(text, isASCII: true),
            UInt32(PCRE2_ALT_BSUX) | UInt32(PCRE2_MATCH_UNSET_BACKREF) | UInt32(PCRE2_ALLOW_EMPTY_CLASS))
    }

    /// Compiles a pattern that may match anywhere; classes such as `\\d` are ASCII, as in RE2.
    package convenience init(searching text: String) throws(Refused) { try self.init(text, narrow: text, 0) }

    private init(_ text: String, narrow: String, _ more: UInt32) throws(Refused) {
        var number: Int32 = 0
        var offset = 0
        let options = UInt32(PCRE2_UTF) | UInt32(PCRE2_DOLLAR_ENDONLY) | UInt32(PCRE2_NEVER_BACKSLASH_C) | more
        func compile(_ text: String, _ options: UInt32) -> OpaquePointer? {
            var text = text
            return text.withUTF8 { bytes in
                unsafe pcre2_compile_8(bytes.baseAddress, bytes.count, options, &number, &offset, nil)
            }
        }
        let made = unsafe compile(text, options)
        guard let made = unsafe made else { throw Refused(reason: "\(Self.message(number)) at offset \(offset)") }
        guard unsafe pcre2_jit_compile_8(made, UInt32(PCRE2_JIT_COMPLETE)) == 0,
            let context = unsafe pcre2_match_context_create_8(nil)
        else {
            unsafe pcre2_code_free_8(made)
            throw Refused(reason: "pcre2 has no just-in-time compiler here, and slices must judge alike everywhere")
        }
        // A pattern that enables Unicode or names non-ASCII characters has no ASCII twin.
        let isPlain = narrow.utf8.allSatisfy { $0 < 0x80 } && !["(*", "\\x{", "\\u"].contains(where: narrow.contains)
        var twin: OpaquePointer?
        if isPlain { unsafe twin = compile(narrow, options & ~UInt32(PCRE2_UTF) & ~UInt32(PCRE2_UCP)) }
        if let made = unsafe twin, unsafe pcre2_jit_compile_8(made, UInt32(PCRE2_JIT_COMPLETE)) != 0 {
            unsafe pcre2_code_free_8(made)
            unsafe twin = nil
        }
        unsafe self.narrow = twin
        unsafe self.code = made
        unsafe self.context = context
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_code_free_8(code)
        if let narrow = unsafe narrow { unsafe pcre2_code_free_8(narrow) }
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
    package func matcher() -> Matcher {
        let idle = idle.withLock { $0.popLast() }
        guard let memory = unsafe idle ?? MatchMemory(context) else {
            preconditionFailure("no memory for a pattern match")
        }
        return Matcher(self, memory)
    }

    /// Matches a pattern on one thread. Its memory includes a stack from the system, which the pattern keeps for the
    /// next matcher.
    package final class Matcher {
        private let pattern: Pattern
        private let memory: MatchMemory

        fileprivate init(_ pattern: Pattern, _ memory: MatchMemory) { (self.pattern, self.memory) = (pattern, memory) }

        deinit { pattern.idle.withLock { if $0.count < 64 { $0.append(memory) } } }

        /// Matches `bytes[range]`, which must be valid UTF-8.
        package func answer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Answer {
            precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
            var code = unsafe pattern.code
            if let narrow = unsafe pattern.narrow, !HiddenText.hasHigh(bytes, range) { unsafe code = narrow }
            unsafe pcre2_set_match_limit_8(memory.context, Pattern.matchLimit(range.count))
            // Sound: the range was checked, PCRE2 only reads it, and valid UTF-8 needs no check before JIT code.
            let result = unsafe bytes.withUnsafeBufferPointer { buffer -> Int32 in
                guard let start = buffer.baseAddress else {
                    let empty: [UInt8] = [0]
                    return unsafe pcre2_jit_match_8(code, empty, 0, 0, 0, memory.data, memory.context)
                }
                return unsafe pcre2_jit_match_8(
                    code, start + range.lowerBound, range.count, 0, 0, memory.data, memory.context)
            }
            if result >= 0 { return .matches }
            return result == PCRE2_ERROR_NOMATCH ? .differs : .overBudget
        }
    }
}

/// Match memory for one thread and pattern. With only the 32 KiB of the machine stack, an ordinary pattern would exceed
/// its budget on a long text.
@safe private final class MatchMemory: @unchecked Sendable {
    // Sound: it is either in a pattern's list of idle ones or in one matcher, which one thread owns.
    let data: OpaquePointer
    let context: OpaquePointer
    private let stack: OpaquePointer

    init?(_ shared: OpaquePointer) {
        guard let data = unsafe pcre2_match_data_create_8(1, nil) else { return nil }
        guard let context = unsafe pcre2_match_context_copy_8(shared) else {
            unsafe pcre2_match_data_free_8(data)
            return nil
        }
        guard let stack = unsafe pcre2_jit_stack_create_8(32 << 10, Pattern.stackLimit, nil) else {
            unsafe pcre2_match_context_free_8(context)
            unsafe pcre2_match_data_free_8(data)
            return nil
        }
        // Sound: only this memory uses the stack, which is freed after the context that refers to it.
        unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        unsafe self.data = data
        unsafe self.context = context
        unsafe self.stack = stack
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_jit_stack_free_8(stack)
        unsafe pcre2_match_data_free_8(data)
    }
}

/// Translates an ECMA-262 expression for PCRE2: classes with another meaning there are written out. Syntax of Perl and
/// Python only is refused, as other readers of the schema would.
///
/// - Parameters:
///   - text: the expression.
///   - isASCII: whether classes are narrowed to ASCII texts.
/// - Throws: `Refused` with the reason.
private func translated(_ text: String, isASCII: Bool = false) throws(Pattern.Refused) -> String {
    // White space and line ends (ECMA-262, sections 12.2 and 12.3).
    let space = "\t\n\u{0B}\u{0C}\r" + (isASCII ? " " : "\u{FEFF}\u{2028}\u{2029}\\p{Zs}")
    let names = [
        "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt", "Mark": "M",
        "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Punctuation": "P", "punct": "P", "Symbol": "S",
        "Separator": "Z", "Space_Separator": "Zs", "Other": "C", "Control": "Cc",
    ]
    var out = ""
    var isClass = false
    var before: Unicode.Scalar?
    // By scalars: CR LF would be one character.
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
        if scalar == "[" { isClass = true }
        if scalar == "]" { isClass = false }
        if scalar == "(", !isClass, rest.first == "?" {
            let behind = rest.dropFirst()
            let flags = behind.prefix { "abcdefghijklmnopqrstuvwxyz^-".unicodeScalars.contains($0) }
            if behind.first == "P" || behind.first == "#"
                || (!flags.isEmpty && behind.dropFirst(flags.count).first == ")")
            {
                throw Pattern.Refused(
                    reason: "a group that ECMA-262 does not have at (?\(behind.first.map(String.init) ?? "")")
            }
        }
        if !isClass, scalar == "+", let before, "+*?}".unicodeScalars.contains(before) {
            throw Pattern.Refused(reason: "ECMA-262 has no possessive quantifier")
        }
        before = scalar
        if !isClass, scalar == "." {
            // Everything but the four line ends.
            out += isASCII ? "[^\n\r]" : "[^\n\r\u{2028}\u{2029}]"
            continue
        }
        guard scalar == "\\", let next = rest.popFirst() else {
            out.unicodeScalars.append(scalar)
            continue
        }
        before = nil
        switch next {
        case "v": out += "\\x0b"
        case "s": out += isClass ? space : "[\(space)]"
        case "S" where !isClass: out += "[^\(space)]"
        case "a", "A", "Z", "z", "h", "H", "R", "K", "G", "Q", "E", "X", "e":
            throw Pattern.Refused(reason: "ECMA-262 has no \\\(next)")
        case "p", "P":
            guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
                throw Pattern.Refused(reason: "\\\(next) needs the name of a property in braces")
            }
            var name = String(rest[..<end].dropFirst())
            for prefix in ["General_Category=", "gc=", "Script=", "sc="] where name.hasPrefix(prefix) {
                name.removeFirst(prefix.count)
            }
            out += "\\\(next){\(names[name] ?? name)}"
            rest = rest[end...].dropFirst()
        case "u":
            guard let character = character(&rest) else { throw Pattern.Refused(reason: "\\u without a character") }
            // A character that may have a meaning stays escaped.
            out += character.value < 0x80 ? "\\u" + hex4(character.value) : String(Character(character))
        default:
            out += "\\"
            out.unicodeScalars.append(next)
        }
    }
    return out
}

private func hex4(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// The character of a `\u` escape: `{1F600}`, `00e9`, or a surrogate pair such as `D83D\uDE00`; nil when malformed.
private func character(_ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar? {
    if rest.first == "{" {
        guard let end = rest.firstIndex(of: "}"), let value = UInt32(String(rest[..<end].dropFirst()), radix: 16) else {
            return nil
        }
        rest = rest[end...].dropFirst()
        return Unicode.Scalar(value)
    }
    guard rest.count >= 4, let first = UInt32(String(rest.prefix(4)), radix: 16) else { return nil }
    rest = rest.dropFirst(4)
    guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) }
    guard rest.starts(with: "\\u".unicodeScalars), let second = UInt32(String(rest.dropFirst(2).prefix(4)), radix: 16),
        second & 0xFC00 == 0xDC00
    else { return nil }
    rest = rest.dropFirst(6)
    return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF))
}
