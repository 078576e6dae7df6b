import Cryptography
import Glibc
import Synchronization

/// A program that answers lines with lines on a socket that is its standard input and output. Its standard error is ours.
///
/// Not Sendable: its owner sees to it that one request at a time is under way.
final class ChildProcess {
    private let socket: Int32
    private let process: pid_t
    private var buffer: [UInt8] = []
    private var isAlive = true

    /// Starts a program by its path and arguments.
    ///
    /// - Returns: nil with the reason in `errno` where it cannot be started.
    init?(_ command: [String]) {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
        else {
            return nil
        }
        // Sound: both are initialised here and destroyed below.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        // Signals that this program ignores or blocks are the child's own matter. A group of its own, so that what it starts ends with it.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var (none, usual) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&none)
        unsafe sigfillset(&usual)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var made = pid_t()
        var failure = unsafe posix_spawn(&made, command[0], &actions, &attributes, &words, environ)
        // A program that was written just now is busy for as long as a process that begins elsewhere has it open for writing still.
        for _ in 0..<50 where failure == ETXTBSY {
            pause(milliseconds: 10)
            failure = unsafe posix_spawn(&made, command[0], &actions, &attributes, &words, environ)
        }
        close(ends[1])
        guard failure == 0 else {
            close(ends[0])
            errno = failure
            return nil
        }
        (socket, process) = (ends[0], made)
        enlist()
    }

    deinit { end() }

    /// The groups of children that run, for `endAll`.
    private static let groups = Mutex<(running: Set<pid_t>, isHandled: Bool)>(([], false))

    private func enlist() {
        let process = process
        Self.groups.withLock { groups in
            groups.running.insert(process)
            // `exit` runs no destructors.
            if !groups.isHandled { atexit { ChildProcess.endAll() } }
            groups.isHandled = true
        }
    }

    /// Ends every child at once, with what it started: for a process that is about to end.
    static func endAll() {
        for group in groups.withLock({ $0.running }) { kill(-group, SIGKILL) }
    }

    /// Closes its input, which tells it to end, and ends it after a second, with what it started.
    func end() {
        guard isAlive else { return }
        isAlive = false
        close(socket)
        wipe(&buffer)
        // Not reaped before its group is ended: until then its number is nobody else's.
        for _ in 0..<100 {
            var state = unsafe siginfo_t()
            guard unsafe waitid(P_PID, id_t(process), &state, WEXITED | WNOHANG | WNOWAIT) == 0 else { break }
            if unsafe state.si_signo != 0 { break }
            pause(milliseconds: 10)
        }
        kill(-process, SIGKILL)
        // Out of the list before it is reaped: afterwards the number may be another process's.
        let process = process
        Self.groups.withLock { _ = $0.running.remove(process) }
        var status: Int32 = 0
        _ = unsafe waitpid(process, &status, 0)
    }

    /// Why there is no answer.
    enum Silence: Error {
        /// It ended.
        case ended
        /// It gave no line in time.
        case late
        /// Its line is too long.
        case tooLong
        /// It wrote more than one line, or wrote before it was asked.
        case unasked
    }

    /// Sends a line and gives the answer without its line end: one line of at most `max` bytes within `seconds`.
    func ask(_ line: [UInt8], max: Int, seconds: Double) throws(Silence) -> [UInt8] {
        // What came before the question is no answer to it.
        if try receive(within: 0) { throw .unasked }
        // An array that grows leaves its old bytes behind, and they may be a key.
        buffer.reserveCapacity(max + Self.partMax)
        let until = Clock.monotonic() + seconds
        try transmit(line, until: until)
        while true {
            if let place = buffer.firstIndex(of: 0x0A) {
                guard place == buffer.count - 1 else { throw .unasked }
                defer { wipe(&buffer) }
                return Array(buffer[..<place])
            }
            guard buffer.count <= max else { throw .tooLong }
            let left = until - Clock.monotonic()
            guard left > 0 else { throw .late }
            _ = try receive(within: left)
        }
    }

    /// Sends all of its input, closes it, and gives all that it writes until it ends: at most `max` bytes within `seconds`.
    ///
    /// For a program that reads its input to the end before it writes.
    func answer(to input: [UInt8], max: Int, seconds: Double) throws(Silence) -> [UInt8] {
        let until = Clock.monotonic() + seconds
        try transmit(input, until: until)
        shutdown(socket, Int32(SHUT_WR))
        while true {
            guard buffer.count <= max else { throw .tooLong }
            let left = until - Clock.monotonic()
            guard left > 0 else { throw .late }
            do throws(Silence) { _ = try receive(within: left) } catch {
                guard case .ended = error else { throw error }
                return buffer
            }
        }
    }

    private func transmit(_ bytes: [UInt8], until: Double) throws(Silence) {
        var sent = 0
        while sent < bytes.count {
            var wanted = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            let left = until - Clock.monotonic()
            guard left > 0 else { throw .late }
            if unsafe poll(&wanted, 1, Int32(left * 1000) + 1) <= 0 { continue }
            // Sound: the rest of the array is valid for the call. MSG_NOSIGNAL: a program that has ended is no reason to end.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe send(
                    socket, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw .ended }
            sent += count
        }
    }

    /// The most bytes that one read takes.
    private static let partMax = 4096

    /// Waits for bytes and takes some of them; false where none came in time.
    private func receive(within seconds: Double) throws(Silence) -> Bool {
        var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let ready = unsafe poll(&wanted, 1, seconds > 0 ? Int32(seconds * 1000) + 1 : 0)
        if ready <= 0 { return false }
        // It may be a key.
        var part = [UInt8](repeating: 0, count: Self.partMax)
        defer { wipe(&part) }
        let count = unsafe part.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EINTR { return false }
        guard count > 0 else { throw .ended }
        buffer += part[..<count]
        return true
    }
}

/// Ends the plug-ins of this process, which is about to end without running destructors.
package func endPlugIns() { ChildProcess.endAll() }
