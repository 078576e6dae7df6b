import Cryptography
package import Storage

/// Wraps the data key of a message for another recipient. The header is written anew; the body stays byte for byte.
extension MessageReader {
    /// Writes the message into a staged file, with one recipient in the place of another. The others stay.
    ///
    /// The message is authentic as far as its header: the initialiser checked it. The digest of its body tells whether
    /// the rest is what was sealed.
    ///
    /// - Parameters:
    ///   - old: a recipient of the message, whose key opens it.
    ///   - new: the recipient that takes its place; nothing is added where it is one already.
    ///   - file: a file that was just staged.
    /// - Returns: the facts about the new message, without the length of its plaintext.
    /// - Throws: `noKey` when `old` does not open it, `refused` for a message that is signed inside, `storage`.
    package consuming func rewrap(
        from old: any WrappingKey, to new: any WrappingKey, into file: consuming StagedFile
    ) throws(SealingError) -> SealedFile {
        guard header.suite == .committed else {
            throw SealingError(
                .refused, "rewrap message",
                cause: "it is signed by a key that was thrown away, so its header cannot change")
        }
        let context = header.context
        var opened: (place: Int, dataKey: SecretKey)?
        for (place, wrapped) in header.dataKeys.enumerated() where opened == nil {
            if let dataKey = try old.unwrap(wrapped, context: context) { opened = (place, dataKey) }
        }
        guard let (place, dataKey) = opened else {
            throw SealingError(.noKey, "rewrap message", subject: old.name, cause: "this key does not open it")
        }
        var made = header
        if new.isRecipient(in: header.dataKeys) {
            made.dataKeys.remove(at: place)
        } else {
            let iv: [UInt8]
            do throws(CryptographyError) { iv = try randomBytes(AESGCM.ivCount) } catch { throw SealingError(error) }
            made.dataKeys[place] = try new.wrap(dataKey, context: context, iv: iv)
        }
        // The initialiser found that this key and this commitment belong together.
        let derived = try deriveKeys(dataKey: dataKey, messageID: header.messageID, suite: header.suite)
        var cipher = try ciphering { () throws(CryptographyError) in try AESGCM(key: derived.key) }
        let start = try made.serialised + made.tag(&cipher)
        var whole = SHA256()
        var body = SHA256()
        whole.update(start.span)
        var file = file
        do throws(StorageError) { try file.write(start.span) } catch { throw SealingError(error) }
        var position = headerBytes.count
        var buffer: [UInt8] = []
        while true {
            try source.read(upTo: 1 << 20, at: position, into: &buffer)
            if buffer.isEmpty { break }
            whole.update(buffer.span)
            body.update(buffer.span)
            do throws(StorageError) { try file.write(buffer.span) } catch { throw SealingError(error) }
            position += buffer.count
        }
        let message = SealedMessage(
            fileSHA256: whole.digest(), bodySHA256: body.digest(), messageID: header.messageID,
            commitment: header.commitment, byteCount: start.count + position - headerBytes.count, plaintextByteCount: 0)
        return SealedFile(message: message, file: file)
    }
}
