import CPosix
import Glibc

/// The status of a file, as stat(2) reports it.
package struct FileStatus: Sendable, Equatable {
    /// The kind of a file.
    package enum Kind: String, Sendable {
        /// A plain file.
        case regular = "plain file"
        /// A folder.
        case folder
        /// A symbolic link.
        case link = "symbolic link"
        /// A named pipe.
        case pipe
        /// A socket.
        case socket
        /// A device.
        case device
    }

    /// The kind of the file.
    package let kind: Kind
    /// Its size in bytes.
    package let size: Int
    /// The time of the last change of its content, in nanoseconds since 1970.
    package let modifiedNanoseconds: Int
    /// The device number of its file system.
    package let device: UInt64
    /// Its inode number.
    package let inode: UInt64
    /// Its permission bits, such as 0o600.
    package let mode: UInt32
    /// The user id of its owner.
    package let owner: UInt32
    /// The number of its hard links.
    package let links: Int

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
        size = Int(status.st_size)
        modifiedNanoseconds = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = UInt32(status.st_mode & 0o7777)
        owner = status.st_uid
        links = Int(status.st_nlink)
    }
}

/// An open file, which is closed when the value is released. All reads have an offset, so threads may share it.
package struct FileDescriptor: ~Copyable, Sendable {
    let number: Int32
    /// The path by which it was opened, for messages.
    package let path: String

    init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { close(number) }

    /// Opens a plain file for reading. A link, a pipe, a folder or a device is refused (`wrongKind`), without blocking.
    /// The open descriptor is checked, so swapping the name afterwards has no effect.
    package static func openRegular(_ path: String) throws(StorageError) -> FileDescriptor {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        return try checkedRegular(Int32(retrying { unsafe Int(sluice_open(path, flags, 0)) }), path)
    }

    /// Checks that an opened file is a plain file.
    static func checkedRegular(_ number: Int32, _ path: String) throws(StorageError) -> FileDescriptor {
        guard number >= 0 else {
            // A socket cannot be opened at all.
            if errno == ENXIO { throw wrongKind("open", path, found: "socket", wanted: "plain file") }
            throw systemError("open", path)
        }
        let file = FileDescriptor(number: number, path: path)
        let status = try file.status()
        guard status.kind == .regular else {
            throw wrongKind("open", path, found: status.kind.rawValue, wanted: "plain file")
        }
        return file
    }

    /// Opens a folder, to query it. A symbolic link is refused (`wrongKind`) unless `followsLink` is true.
    package static func openFolder(
        _ path: String, followsLink: Bool = true
    ) throws(StorageError) -> FileDescriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW)
        let number = Int32(retrying { unsafe Int(sluice_open(path, flags, 0)) })
        guard number >= 0 else {
            let error = systemError("open folder", path)
            // Only for the message: the kernel has refused the link already.
            if !followsLink, let kind = try fileStatus(path)?.kind, kind == .link {
                throw wrongKind("open folder", path, found: kind.rawValue, wanted: "folder")
            }
            throw error
        }
        return FileDescriptor(number: number, path: path)
    }

    /// Makes a file without a name, for reading and writing. It is removed with its last descriptor, even if the
    /// process crashes.
    package static func unnamed(in folder: String, calling name: String) throws(StorageError) -> FileDescriptor {
        let number = unsafe sluice_unnamed(folder)
        guard number >= 0 else { throw systemError("keep \(name) in", folder) }
        return FileDescriptor(number: number, path: name)
    }

    /// Writes words at an offset, in the machine's byte order.
    package func write(_ words: [UInt64], at offset: Int) throws(StorageError) {
        // Sound: words have no padding bytes.
        try unsafe write(words.span.bytes, at: offset)
    }

    /// Writes bytes at an offset.
    package func append(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        // Sound: bytes have no padding.
        try unsafe write(bytes.bytes, at: offset)
    }

    /// Reads words from an offset. Throws if the file has fewer.
    package func words(_ count: Int, at offset: Int) throws(StorageError) -> [UInt64] {
        var bytes: [UInt8] = []
        guard try read(upTo: 8 * count, at: offset, into: &bytes) == 8 * count else {
            throw StorageError(.inputOutput, "read", path, errno: EIO, cause: "it has become shorter")
        }
        // Sound: the buffer has that many bytes, and any bytes are valid words.
        return unsafe bytes.withUnsafeBytes { buffer in
            (0..<count).map { unsafe buffer.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
    }

    private func write(_ bytes: RawSpan, at offset: Int) throws(StorageError) {
        // Sound: each call gets the rest of a buffer that is valid during the whole closure.
        let ok = unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let start = buffer.baseAddress {
                let (at, rest) = (off_t(offset + done), buffer.count - done)
                let put = retrying { unsafe pwrite(number, start + done, rest, at) }
                if put <= 0 { return false }
                done += put
            }
            return true
        }
        guard ok else { throw systemError("write", path) }
    }

    /// Copies standard input into a file without a name, so that it can be read twice.
    package static func spoolStandardInput(in folder: String) throws(StorageError) -> FileDescriptor {
        let file = try unnamed(in: folder, calling: "standard input")
        var (buffer, size) = ([UInt8](repeating: 0, count: 1 << 18), 0)
        while true {
            // Sound: read and write get the buffer and no more than its size.
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                retrying { unsafe Glibc.read(0, bytes.baseAddress, bytes.count) }
            }
            guard got >= 0 else { throw systemError("read", "standard input") }
            if got == 0 { return file }
            // Sound: bytes have no padding.
            try unsafe file.write(buffer.span.extracting(0..<got).bytes, at: size)
            size += got
        }
    }

    /// Another descriptor of the same file.
    package func duplicate() throws(StorageError) -> FileDescriptor {
        let copy = sluice_duplicate(number)
        guard copy >= 0 else { throw systemError("open again", path) }
        return FileDescriptor(number: copy, path: path)
    }

    /// The status of the open file, whatever its name refers to now.
    package func status() throws(StorageError) -> FileStatus {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw systemError("examine", path) }
        return FileStatus(status)
    }

    /// Appends up to `count` bytes from `offset`, fewer only at the end of the file; returns their number.
    @discardableResult
    package func read(
        upTo count: Int, at offset: Int, into bytes: inout [UInt8]
    ) throws(StorageError) -> Int {
        var added = 0
        try bytes.append(addingCapacity: count) { (output: inout OutputSpan<UInt8>) throws(StorageError) in
            added = try read(at: offset, into: &output)
        }
        return added
    }

    /// Fills the free capacity of `output` from `offset`, partially only at the end of the file; returns the number of
    /// bytes.
    package func read(at offset: Int, into output: inout OutputSpan<UInt8>) throws(StorageError) -> Int {
        let before = output.count
        // Sound: pread gets the free part of the buffer with its size, and only the bytes that it wrote are counted.
        let ok = unsafe output.withUnsafeMutableBufferPointer { buffer, written in
            while written < buffer.count, let start = buffer.baseAddress {
                let (at, room) = (off_t(offset + written - before), buffer.count - written)
                let got = retrying { unsafe pread(number, start + written, room, at) }
                if got < 0 { return false }
                if got == 0 { break }
                written += got
            }
            return true
        }
        guard ok else { throw systemError("read", path) }
        return output.count - before
    }

    /// Reads the whole file. Throws `tooLarge` if it has more than `max` bytes, even if it grows during the read.
    package func readAll(max: Int) throws(StorageError) -> [UInt8] {
        let size = try status().size
        var bytes: [UInt8] = []
        if size <= max {
            // Reading one byte more shows whether it grew.
            try read(upTo: size + 1, at: 0, into: &bytes)
        }
        guard size <= max, bytes.count <= max else {
            throw StorageError(
                .tooLarge, "read", path, errno: EFBIG,
                cause: "it has more than \(max) bytes; check that it is the right file")
        }
        return bytes
    }
}

/// The error for a path that names another kind of file than `operation` needs.
func wrongKind(_ operation: String, _ path: String, found: String, wanted: String) -> StorageError {
    StorageError(
        .wrongKind, operation, path, errno: found == "folder" ? EISDIR : EINVAL,
        cause: "it is a \(found); give a \(wanted)")
}
