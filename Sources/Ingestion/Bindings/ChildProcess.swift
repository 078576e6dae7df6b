import Glibc

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
        // Signals that this program ignores or blocks are the child's own matter.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var (none, usual) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&none)
        unsafe sigfillset(&usual)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var made = pid_t()
        let failure = unsafe posix_spawn(&made, command[0], &actions, &attributes, &words, environ)
        close(ends[1])
        guard failure == 0 else {
            close(ends[0])
            errno = failure
            return nil
        }
        (socket, process) = (ends[0], made)
    }

    deinit { end() }

    /// Closes its input, which tells it to end, and ends it after a second.
    func end() {
        guard isAlive else { return }
        isAlive = false
        close(socket)
        var status: Int32 = 0
        for _ in 0..<100 {
            if unsafe waitpid(process, &status, WNOHANG) != 0 { return }
            pause(milliseconds: 10)
        }
        kill(process, SIGKILL)
        _ = unsafe waitpid(process, &status, 0)
    }

    /// Sends a line and gives the answer without its line end; nil when none of at most `max` bytes came within `seconds`.
    func ask(_ line: [UInt8], max: Int, seconds: Double) -> [UInt8]? {
        var sent = 0
        while sent < line.count {
            // Sound: the rest of the array is valid for the call. MSG_NOSIGNAL: a program that has ended is no reason to end.
            let count = unsafe line.withUnsafeBytes {
                unsafe send(socket, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            sent += count
        }
        let until = Clock.monotonic() + seconds
        while true {
            if let place = buffer.firstIndex(of: 0x0A) {
                let answer = Array(buffer[..<place])
                buffer.removeFirst(place + 1)
                return answer
            }
            let left = until - Clock.monotonic()
            guard left > 0, buffer.count <= max else { return nil }
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&wanted, 1, Int32(left * 1000) + 1)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            var part = [UInt8](repeating: 0, count: 4096)
            let count = unsafe part.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            buffer += part[..<count]
        }
    }
}
