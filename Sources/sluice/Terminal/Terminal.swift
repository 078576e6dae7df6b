import Glibc
import Storage
import Synchronization
import Tabular

/// Standard output and standard error: data on one, messages on the other.
///
/// What is printed as a line is one line, whatever is in it: names come from suppliers, and no caller can forget it. Who prints several
/// lines says so by `lines` or `document`; only `write` lets bytes through as they are, for data and for the progress line.
enum Terminal {
    /// Writes bytes to a stream as they are; when nobody reads any more there is nothing left to do.
    static func write(_ bytes: [UInt8], to stream: StandardStream) {
        do {
            if try !stream.write(bytes.span) { exit(0) }
        } catch {
            exit(74)
        }
    }

    /// Writes a line to standard output.
    static func line(_ text: String = "") { write(Array((printable(text) + "\n").utf8), to: .output) }

    /// Writes lines to standard output.
    static func lines(_ lines: [String]) {
        write(Array(lines.map { printable($0) + "\n" }.joined().utf8), to: .output)
    }

    /// Writes lines for people: on a terminal folded at its width, the words that matter in colour.
    ///
    /// - Parameters:
    ///   - lines: each is one line whatever is in it.
    ///   - indent: where what does not fit goes on.
    static func report(_ lines: [String], indent: Int = 8) {
        let shown = lines.map { line in
            Screen.folded(printable(line), indent: indent).map(Screen.painted).joined(separator: "\n") + "\n"
        }
        write(Array(shown.joined().utf8), to: .output)
    }

    /// Writes a document that has its line ends, such as YAML or HTML.
    static func document(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        write(Array(lines.map { printable(String($0)) }.joined(separator: "\n").utf8), to: .output)
    }

    /// Writes a JSON document, which parses to the very values; `label` stands before it.
    static func json(_ value: JSONValue, pretty: Bool = true, label: String = "") {
        write(Array((printable(label) + PrintableText.json(value.text(pretty: pretty)) + "\n").utf8), to: .output)
    }

    /// Writes a JSON document while it is made.
    static func json(_ document: JSONOutline, pretty: Bool = true) {
        document.write(pretty: pretty) { piece in
            write(Array(PrintableText.json(String(decoding: piece, as: UTF8.self)).utf8), to: .output)
        }
        write([0x0A], to: .output)
    }

    /// Writes a line of columns with tabs between them.
    static func columns(_ columns: [String]) {
        write(Array((columns.map(printable).joined(separator: "\t") + "\n").utf8), to: .output)
    }

    /// Writes a message to standard error.
    static func complain(_ text: String) { write(Array("sluice: \(printable(text))\n".utf8), to: .error) }

    /// Writes a remark to standard error.
    static func remark(_ text: String) { write(Array("\(printable(text))\n".utf8), to: .error) }

    /// Whether somebody is there to answer.
    static var isAsked: Bool { isatty(0) == 1 && StandardStream.error.isTerminal }

    /// Text that cannot move the cursor, turn the line round or forge one: names come from suppliers.
    static func printable(_ text: String) -> String { PrintableText.line(text) }

    /// Printable text for HTML and XML 1.0, which has no control characters at all, not even as references.
    static func markup(_ text: String) -> String {
        var out = ""
        for scalar in printable(text).unicodeScalars {
            switch scalar {
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "&": out += "&amp;"
            case "\"": out += "&quot;"
            case "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

/// One line on standard error that is written over: phase, share, rows, speed, time left in the phase. Only on a terminal.
final class Progress: Sendable {
    private struct State {
        /// Which phase it is, when that began, and at how many bytes.
        var phase = 0
        var started: Double
        var first = 0
        var shown = 0.0
        var isDone = false
    }
    private let state: Mutex<State>
    private let clock: @Sendable () -> Double
    private let phases: [String]

    /// A progress line, or nil when standard error is no terminal; every phase reads the whole file.
    init?(isQuiet: Bool, phases: [String] = ["checking"], clock: @escaping @Sendable () -> Double) {
        guard !isQuiet, StandardStream.error.isTerminal else { return nil }
        self.clock = clock
        self.phases = phases
        state = Mutex(State(started: clock()))
    }

    /// Shows how far it is, at most four times a second.
    func show(rows: Int, bytes: Int, total: Int) {
        guard total > 0 else { return }
        let now = clock()
        let length = max(1, total / phases.count)
        let text = state.withLock { state -> String? in
            let phase = min(phases.count - 1, max(0, bytes - 1) / length)
            if phase != state.phase { state = State(phase: phase, started: now, first: bytes, shown: state.shown) }
            // What comes behind the last byte of a phase takes time too, and nobody knows how much.
            let isDone = bytes >= (phase + 1) * length
            guard now - state.shown > 0.25 || isDone && !state.isDone, now - state.started > 0.5 else { return nil }
            (state.shown, state.isDone) = (now, isDone)
            let head = phases.count > 1 ? "\(phase + 1)/\(phases.count) \(phases[phase])" : phases[phase]
            if isDone { return "\(head) · \(Words.number(rows)) rows · finishing" }
            let share = 100 * (bytes - phase * length) / length
            let rate = Double(bytes - state.first) / (now - state.started)
            let speed = rate >= 1e6 ? " · \(Words.number(Int(rate / 1e6))) MB/s" : ""
            let left = rate > 0 ? Double((phase + 1) * length - bytes) / rate : 0
            // After a second the speed is known well enough, and nobody waits for years.
            let wait =
                now - state.started > 1 && left >= 1 && left < 1e6
                ? " · about \(Words.duration(Int(left.rounded(.up)))) left" : ""
            return "\(head) · \(share) % · \(Words.number(rows)) rows\(speed)\(wait)"
        }
        if let text { say(text) }
    }

    /// Shows a text in place of the line.
    func say(_ text: String) { Terminal.write(Array("\r\u{1B}[K\(Terminal.printable(text))".utf8), to: .error) }

    /// Clears the line.
    func clear() { Terminal.write(Array("\r\u{1B}[K".utf8), to: .error) }
}
