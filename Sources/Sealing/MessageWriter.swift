package import Storage

/// Seals a message into a staged file, in chunks of at least 256 KiB. If it is released unfinished, the file is
/// removed.
package struct MessageWriter: ~Copyable {
    private static let chunk = 256 << 10
    private var file: StagedFile
    private var sealer: MessageSealer

    /// Starts a message for `recipients`, bound to `context`, in a file that was just staged.
    ///
    /// Throws `limit` as `MessageSealer` does, and `storage` when the file cannot be written.
    package init(
        to file: consuming StagedFile, context: [String: String], recipients: [any WrappingKey]
    ) throws(SealingError) {
        sealer = try MessageSealer(context: context, recipients: recipients)
        sealer.reserveOutput(Self.chunk + min(MessageLimits.frameLength, Self.chunk) + 4096)
        self.file = file
    }

    /// Seals more plaintext.
    package mutating func write(_ bytes: Span<UInt8>) throws(SealingError) {
        // One chunk at a time, so that the output buffer does not grow.
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Self.chunk)
            try sealer.write(bytes.extracting(start..<end))
            start = end
            if sealer.output.count >= Self.chunk { try drain() }
        }
    }

    /// Seals the final frame and writes all output. `SealedFile.commit` gives the file its name.
    package consuming func finish() throws(SealingError) -> SealedFile {
        let message = try sealer.finish()
        try drain()
        return SealedFile(message: message, file: file)
    }

    private mutating func drain() throws(SealingError) {
        try sealer.drain(into: &file)
    }
}

/// A complete message in a file that has no final name yet. If it is released uncommitted, the file is removed.
package struct SealedFile: ~Copyable {
    /// The facts about the message.
    package let message: SealedMessage
    private var file: StagedFile

    init(message: SealedMessage, file: consuming StagedFile) {
        self.message = message
        self.file = file
    }

    /// Makes the file durable under its name, as `StagedFile.commit` does. The folder must still be synced.
    package consuming func commit(as name: String, replacing: Bool = false) throws(SealingError) -> SealedMessage {
        let message = message
        do throws(StorageError) { try file.commit(as: name, replacing: replacing) } catch { throw SealingError(error) }
        return message
    }
}
