import Glibc

/// One of the process's own streams.
package enum StandardStream: Int32, Sendable {
    /// Standard output, for data.
    case output = 1
    /// Standard error, for messages.
    case error = 2

    /// Writes all the bytes; returns false if the reader has closed the stream.
    package func write(_ bytes: Span<UInt8>) throws(StorageError) -> Bool {
        let number = rawValue
        var isOpen = true
        // Sound: each call gets the rest of a buffer that is valid during the whole closure.
        let ok = unsafe bytes.withUnsafeBufferPointer { buffer in
            var done = 0
            while done < buffer.count, let start = buffer.baseAddress {
                let put = unsafe Glibc.write(number, start + done, buffer.count - done)
                if put < 0, errno == EINTR { continue }
                if put < 0 {
                    isOpen = errno != EPIPE
                    return !isOpen
                }
                done += put
            }
            return true
        }
        guard ok else {
            throw StorageError("write", self == .output ? "standard output" : "standard error", errno: errno)
        }
        return isOpen
    }

    /// Whether the stream is a terminal.
    package var isTerminal: Bool { isatty(rawValue) == 1 }
}

/// Makes a write to a closed pipe an error instead of a signal that ends the process.
package func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

/// The folder the process was started in.
package func currentFolder() throws(StorageError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    // Sound: getcwd writes at most the given count, NUL included.
    guard unsafe getcwd(&buffer, buffer.count) != nil else {
        throw StorageError("find", "current folder", errno: errno)
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The number of available processors.
package func processorCount() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
