import Dispatch
import Glibc
import Ingestion
import Storage
import Synchronization

/// The message when SIGINT or SIGTERM ends a command: what is done and what is not.
///
/// The process ends as if it were killed, which loses nothing: the next `ingest` or `watch` completes or undoes what
/// was begun. The exit code is 128 plus the signal.
enum Interruption {
    /// The work in progress.
    private struct Work {
        /// The file in work; empty between two files.
        var file = ""
        var done = 0
        var files = 0
    }
    /// The present work, shared with the thread that waits for signals; nil before any.
    private static let work = Mutex<Work?>(nil)

    /// Commands that show progress and print this message; `watch` stops in its own way.
    static let commands: Set<String> = ["ingest", "review", "validate", "scan"]

    /// Polls on a thread of its own for a signal that `StopSignals.hold` blocks.
    ///
    /// - Parameter signals: the blocked signals.
    static func watch(_ signals: StopSignals) {
        DispatchQueue(label: "sluice.signals").async {
            while true {
                if let signal = signals.received() { stop(signal) }
                usleep(100_000)
            }
        }
    }

    /// Notes that a file is taken into work, and will be recorded.
    ///
    /// - Parameters:
    ///   - file: the file.
    ///   - done: files done before it.
    ///   - files: files of the run.
    static func begin(_ file: String, done: Int, of files: Int) {
        work.withLock { $0 = Work(file: LabelSearch.usual.shown(file), done: done, files: files) }
    }

    /// Notes that work on a file has ended.
    static func end(done: Int, of files: Int) {
        work.withLock { $0 = Work(file: "", done: done, files: files) }
    }

    /// Prints the message and ends the process with 128 plus the signal, without running destructors.
    private static func stop(_ signal: Int32) {
        let work = work.withLock { $0 }
        if StandardStream.error.isTerminal { Terminal.write(Array("\r\u{1B}[K".utf8), to: .error) }
        var text = "stopped by \(signal == SIGINT ? "SIGINT" : "SIGTERM")"
        if let work {
            text += ": \(work.done) of \(work.files) done"
            if !work.file.isEmpty {
                text +=
                    "; \(work.file) was in progress, and nothing of it is half published; run the command again: it completes "
                text += "or undoes the rest"
            }
        } else {
            text += ": nothing was recorded or published"
        }
        Terminal.complain(text)
        endPlugIns()
        _exit(128 + signal)
    }
}
