import Glibc
import Storage
import Synchronization
import Tabular

/// Standard output and standard error: data on one, messages on the other.
enum Terminal {
    /// Writes text to standard output; a closed pipe ends the program quietly.
    static func write(_ text: String) { write(Array(text.utf8), to: .output) }

    /// Writes bytes to a stream; when nobody reads any more there is nothing left to do.
    static func write(_ bytes: [UInt8], to stream: StandardStream) {
        do {
            if try !stream.write(bytes.span) { exit(0) }
        } catch {
            exit(74)
        }
    }

    /// Writes a line to standard output.
    static func line(_ text: String = "") { write(text + "\n") }

    /// Writes a line of columns with tabs between them.
    static func columns(_ columns: [String]) { line(columns.map(printable).joined(separator: "\t")) }

    /// Writes a message to standard error.
    static func complain(_ text: String) { write(Array("sluice: \(printable(text))\n".utf8), to: .error) }

    /// Writes a remark to standard error.
    static func remark(_ text: String) { write(Array("\(printable(text))\n".utf8), to: .error) }

    /// Whether somebody is there to answer.
    static var isAsked: Bool { isatty(0) == 1 && StandardStream.error.isTerminal }

    /// Text whose control characters cannot move the cursor or forge a line: file names come from suppliers.
    static func printable(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            let isDirection = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || isDirection {
                out += "\\x" + String(scalar.value, radix: 16)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

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

/// One line on standard error that is written over: rows, MB/s, time left. Only on a terminal.
final class Progress: Sendable {
    private struct State {
        var started: Double
        var shown: Double
    }
    private let state: Mutex<State>
    private let clock: @Sendable () -> Double

    /// A progress line, or nil when standard error is no terminal.
    init?(isQuiet: Bool, clock: @escaping @Sendable () -> Double) {
        guard !isQuiet, StandardStream.error.isTerminal else { return nil }
        self.clock = clock
        state = Mutex(State(started: clock(), shown: 0))
    }

    /// Shows how far it is, at most four times a second.
    func show(rows: Int, bytes: Int, total: Int) {
        let now = clock()
        let text = state.withLock { state -> String? in
            guard now - state.shown > 0.25, now - state.started > 0.5, total > 0 else { return nil }
            state.shown = now
            let seconds = now - state.started
            let rate = Double(bytes) / seconds
            let left = rate > 0 ? Double(total - bytes) / rate : 0
            return "\r\u{1B}[K\(Words.number(rows)) rows · \(Int(rate / 1e6)) MB/s · \(Int(left.rounded(.up))) s left"
        }
        if let text { Terminal.write(Array(text.utf8), to: .error) }
    }

    /// Clears the line.
    func clear() { Terminal.write(Array("\r\u{1B}[K".utf8), to: .error) }
}
