import Glibc
import Storage
import Synchronization
import Tabular

/// Standard output for data, standard error for messages.
///
/// A line stays one line whatever it contains: names come from suppliers, and no caller can forget to escape them.
/// Several lines need `lines` or `document`. Only `write` passes bytes through, for data and the progress line.
enum Terminal {
    /// Writes bytes to a stream as they are. When the reader has closed the pipe, the process ends with exit code 0,
    /// and after any other failure with 74.
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

    /// Writes lines for people: on a terminal folded to its width and with marks in colour. Commands that they suggest name
    /// the store.
    ///
    /// - Parameters:
    ///   - lines: the lines; each stays one line whatever it contains.
    ///   - indent: the indentation of continuation lines.
    static func report(_ lines: [String], indent: Int = 8) {
        let shown = lines.map { line in
            Screen.folded(printable(NamedStore.completed(line)), indent: indent).map(Screen.painted).joined(
                separator: "\n") + "\n"
        }
        write(Array(shown.joined().utf8), to: .output)
    }

    /// Writes a document with its own line ends, such as YAML or HTML.
    static func document(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        write(Array(lines.map { printable(String($0)) }.joined(separator: "\n").utf8), to: .output)
    }

    /// Writes a JSON document, which parses to the exact values.
    ///
    /// - Parameters:
    ///   - value: the document.
    ///   - pretty: whether it is indented.
    ///   - label: a text before it.
    static func json(_ value: JSONValue, pretty: Bool = true, label: String = "") {
        write(Array((printable(label) + PrintableText.json(value.text(pretty: pretty)) + "\n").utf8), to: .output)
    }

    /// Writes a JSON document while it is generated, in bounded memory.
    static func json(_ document: JSONOutline, pretty: Bool = true) {
        document.write(pretty: pretty) { piece in
            write(Array(PrintableText.json(String(decoding: piece, as: UTF8.self)).utf8), to: .output)
        }
        write([0x0A], to: .output)
    }

    /// Writes tab-separated columns.
    static func columns(_ columns: [String]) {
        write(Array((columns.map(printable).joined(separator: "\t") + "\n").utf8), to: .output)
    }

    /// Writes an error to standard error, with the program's name. Commands that it suggests name the store, as in `remark`.
    static func complain(_ text: String) {
        write(Array("sluice: \(printable(NamedStore.completed(text)))\n".utf8), to: .error)
    }

    /// Writes a remark to standard error.
    static func remark(_ text: String) { write(Array("\(printable(NamedStore.completed(text)))\n".utf8), to: .error) }

    /// Whether a person can answer a question.
    static var isAsked: Bool { isatty(0) == 1 && StandardStream.error.isTerminal }

    /// Text without characters that could move the cursor, reverse the line or fake another one.
    static func printable(_ text: String) -> String { PrintableText.line(text) }

    /// Text for HTML and XML 1.0, which allows no control characters, not even as references.
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

/// The progress line on standard error: phase, share, rows, speed and time left. It is overwritten in place, and only
/// on a terminal.
final class Progress: Sendable {
    /// The state between two updates; any worker may update it.
    private struct State {
        /// The phase, and the time and bytes at which it began.
        var phase = 0
        var started: Double
        var first = 0
        /// The time of the last update, on the monotonic clock.
        var shown = 0.0
        var isDone = false
    }
    private let state: Mutex<State>
    private let clock: @Sendable () -> Double
    private let phases: [String]

    /// A progress line; nil when standard error is no terminal.
    ///
    /// - Parameters:
    ///   - isQuiet: whether it is suppressed.
    ///   - phases: names of the phases, each of which reads the whole file.
    ///   - clock: the monotonic clock.
    init?(isQuiet: Bool, phases: [String] = ["checking"], clock: @escaping @Sendable () -> Double) {
        guard !isQuiet, StandardStream.error.isTerminal else { return nil }
        self.clock = clock
        self.phases = phases
        state = Mutex(State(started: clock()))
    }

    /// Shows the progress, at most four times a second.
    ///
    /// - Parameters:
    ///   - rows: rows done.
    ///   - bytes: bytes done, over all phases.
    ///   - total: bytes to do, over all phases.
    func show(rows: Int, bytes: Int, total: Int) {
        guard total > 0 else { return }
        let now = clock()
        let length = max(1, total / phases.count)
        let text = state.withLock { state -> String? in
            let phase = min(phases.count - 1, max(0, bytes - 1) / length)
            if phase != state.phase { state = State(phase: phase, started: now, first: bytes, shown: state.shown) }
            // The work after a phase's last byte takes time too, of unknown length.
            let isDone = bytes >= (phase + 1) * length
            guard now - state.shown > 0.25 || isDone && !state.isDone, now - state.started > 0.5 else { return nil }
            (state.shown, state.isDone) = (now, isDone)
            let head = phases.count > 1 ? "\(phase + 1)/\(phases.count) \(phases[phase])" : phases[phase]
            if isDone { return "\(head) · \(NumberText.number(rows)) rows · finishing" }
            let share = 100 * (bytes - phase * length) / length
            let rate = Double(bytes - state.first) / (now - state.started)
            let speed = rate >= 1e6 ? " · \(NumberText.number(Int(rate / 1e6))) MB/s" : ""
            let left = rate > 0 ? Double((phase + 1) * length - bytes) / rate : 0
            // After a second the speed is known well enough; absurd estimates are not shown.
            let wait =
                now - state.started > 1 && left >= 1 && left < 1e6
                ? " · about \(NumberText.duration(Int(left.rounded(.up)))) left" : ""
            return "\(head) · \(share) % · \(NumberText.number(rows)) rows\(speed)\(wait)"
        }
        if let text { say(text) }
    }

    /// Shows a text in place of the progress line.
    func say(_ text: String) { Terminal.write(Array("\r\u{1B}[K\(Terminal.printable(text))".utf8), to: .error) }

    /// Clears the progress line.
    func clear() { Terminal.write(Array("\r\u{1B}[K".utf8), to: .error) }
}
