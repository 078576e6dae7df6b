import Cryptography
import Sealing
import Synchronization
import Tabular

/// A program that wraps and unwraps data keys, such as the client of a vault: the wrapping key never comes here.
///
/// One process answers one JSON line with one JSON line, in order, until its input ends. Each has the `id` of its question, so that an
/// answer is never taken for that of another question:
///
/// - `{"v":1,"id":TEXT,"op":"identify","key":NAME}` → `{"id":TEXT,"identity":TEXT}`: a text that only this key has, and keeps. With
///   `"provider":"aws-kms"` it is the ARN of a key of AWS KMS, and the ciphertexts are that service's: the AWS Encryption SDK opens such
///   messages with its KMS keyring.
/// - `{…,"op":"wrap","context":{…},"data_key":BASE64}` → `{…,"ciphertext":BASE64}`.
/// - `{…,"op":"unwrap","context":{…},"ciphertext":BASE64}` → `{…,"data_key":BASE64}`, or `null` where this key does not open it.
///
/// `{…,"error":TEXT}` answers any of them. The context is the message's encryption context; a plug-in binds the ciphertext to it. A
/// program that answers with anything else is ended, and started anew for the next question.
final class KeyPlugIn: Sendable {
    let name: String
    private let command: [String]
    private let child = Mutex<ChildProcess?>(nil)
    private let known = Mutex<Identity?>(nil)

    /// What the program says of its key.
    struct Identity: Sendable, Equatable {
        /// A text that only this key has.
        let text: String
        /// Whether it is a key of AWS KMS, and the text its ARN.
        let isKMS: Bool
    }

    /// Seconds that one answer may take, and its longest size.
    private static let patience = 30.0, answerMax = 65_536

    /// The program is started when it is first asked.
    init(name: String, command: [String]) { (self.name, self.command) = (name, command) }

    /// The identity that the program states. Each process is asked first, and must state the same.
    func identity() throws(SealingError) -> Identity {
        let found = child.withLock { child -> Result<Identity, Complaint> in
            Result { () throws(Complaint) in
                _ = try running(&child)
                guard let known = known.withLock({ $0 }) else { throw Complaint("it stated no identity") }
                return known
            }
        }
        do throws(Complaint) { return try found.get() } catch { throw failure(error.text) }
    }

    /// The process, started where there is none. A new one says who it is, and shows that it opens what it wraps: nothing is sealed for a
    /// key that opens nothing.
    private func running(_ child: inout ChildProcess?) throws(Complaint) -> ChildProcess {
        if let child { return child }
        guard let made = ChildProcess(command) else {
            throw Complaint("it cannot be started: \(systemReason(lastError()))")
        }
        do throws(Complaint) {
            let stated = try Self.identity(in: try exchange("identify", [:], with: made))
            let first = known.withLock { known in
                if known == nil { known = stated }
                return known
            }
            guard first == stated else { throw Complaint("it was started again and states another key") }
            try requireRoundTrip(made)
        } catch {
            made.end()
            throw error
        }
        child = made
        return made
    }

    private static func identity(in answer: JSONValue) throws(Complaint) -> Identity {
        if let error = answer["error"]?.text { throw Complaint(saying: error) }
        guard let text = answer["identity"]?.text, (1...256).contains(text.utf8.count) else {
            throw Complaint("it stated no identity of the key, a text of 1 to 256 bytes")
        }
        let provider = answer["provider"]?.text
        guard provider == nil || provider == Self.kms && text.hasPrefix("arn:") else {
            throw Complaint("it stated another provider than \(Self.kms) with a key's ARN as identity")
        }
        return Identity(text: text, isKMS: provider != nil)
    }

    /// Wraps a random key and opens it again. A program that may not wrap, or not open, says so with an error, which is no fault.
    private func requireRoundTrip(_ process: ChildProcess) throws(Complaint) {
        let trial: [UInt8]
        do throws(CryptographyError) { trial = try randomBytes(32) } catch { throw Complaint(error.description) }
        let context = JSONValue.object(["sluice": .string("trial")])
        let wrapped = try exchange(
            "wrap", ["context": context, "data_key": .string(base64(trial))], with: process)
        if wrapped["error"] != nil { return }
        let ciphertext = try Self.ciphertext(in: wrapped, of: trial)
        let opened = try exchange(
            "unwrap", ["context": context, "ciphertext": .string(base64(ciphertext))], with: process)
        if opened["error"] != nil { return }
        guard opened["data_key"]?.text == base64(trial) else {
            throw Complaint("it does not open what it wrapped itself")
        }
    }

    /// The provider of AWS KMS in a message.
    static let kms = "aws-kms"

    func wrap(_ dataKey: SecretKey, _ context: EncryptionContext) throws(SealingError) -> [UInt8] {
        try dataKey.withWipedCopy { plain throws(SealingError) in
            let text = base64(plain)
            let answer = try ask(
                "wrap", ["context": Self.document(context), "data_key": .string(text)], hiding: text)
            do throws(Complaint) { return try Self.ciphertext(in: answer, of: plain) } catch {
                throw failure(error.text)
            }
        }
    }

    /// The ciphertext of an answer, which must not have the key in clear.
    private static func ciphertext(in answer: JSONValue, of plain: [UInt8]) throws(Complaint) -> [UInt8] {
        guard let wrapped = answer["ciphertext"]?.text.flatMap({ bytes(base64: $0) }),
            (1...8192).contains(wrapped.count), !wrapped.indices.contains(where: { wrapped[$0...].starts(with: plain) })
        else { throw Complaint("it answered wrap without a ciphertext of 1 to 8,192 bytes of base64") }
        return wrapped
    }

    func unwrap(_ wrapped: [UInt8], _ context: EncryptionContext) throws(SealingError) -> SecretKey? {
        let answer = try ask("unwrap", ["context": Self.document(context), "ciphertext": .string(base64(wrapped))])
        if case .null? = answer["data_key"] { return nil }
        guard var opened = answer["data_key"]?.text.flatMap({ bytes(base64: $0) }) else {
            throw failure("it answered unwrap without data_key")
        }
        defer { wipe(&opened) }
        guard opened.count == 32 else { throw failure("it answered unwrap with a data key of another length than 32") }
        return SecretKey(copying: opened.span)
    }

    private static func document(_ context: EncryptionContext) -> JSONValue {
        .object(context.dictionary.mapValues { .string($0) })
    }

    private func failure(_ cause: String) -> SealingError {
        SealingError(.unavailable, "use the key plug-in", subject: "\(name) (\(command[0]))", cause: cause)
    }

    /// One question and its answer.
    ///
    /// - Parameter hiding: a text that must not appear in a message.
    private func ask(
        _ operation: String, _ members: [String: JSONValue], hiding secret: String? = nil
    ) throws(SealingError) -> JSONValue {
        let reply = child.withLock { child -> Result<JSONValue, Complaint> in
            Result { () throws(Complaint) in
                let process = try running(&child)
                do throws(Complaint) { return try exchange(operation, members, with: process) } catch {
                    process.end()
                    child = nil
                    throw error
                }
            }
        }
        do throws(Complaint) {
            let answer = try reply.get()
            guard let error = answer["error"]?.text else { return answer }
            throw Complaint(saying: secret.map { error.replacing($0, with: "(the data key)") } ?? error)
        } catch { throw failure(error.text) }
    }

    /// Asks a process; a complaint means that it is out of step, and must be ended.
    private func exchange(
        _ operation: String, _ members: [String: JSONValue], with process: ChildProcess
    ) throws(Complaint) -> JSONValue {
        var all = members
        let id: String
        do throws(CryptographyError) { id = hex(try randomBytes(8)) } catch { throw Complaint(error.description) }
        (all["v"], all["id"], all["op"], all["key"]) = (.integer(1), .string(id), .string(operation), .string(name))
        var line = Array(JSONValue.object(all).text(pretty: false).utf8) + [0x0A]
        defer { wipe(&line) }
        var bytes: [UInt8]
        do throws(ChildProcess.Silence) {
            bytes = try process.ask(line, max: Self.answerMax, seconds: Self.patience)
        } catch { throw Complaint(error) }
        defer { wipe(&bytes) }
        guard let answer = try? JSONValue.parse(bytes), answer["id"]?.text == id else {
            throw Complaint("it answered with something else than a JSON object with the id of the question")
        }
        return answer
    }

    /// Why a question has no answer.
    private struct Complaint: Error {
        let text: String

        init(_ text: String) { self.text = text }

        /// What the program says itself.
        init(saying error: String) { text = "it says: " + PrintableText.line(String(error.prefix(200))) }

        init(_ silence: ChildProcess.Silence) {
            text =
                switch silence {
                case .ended: "it ended without an answer"
                case .late: "it gave no line within \(Int(KeyPlugIn.patience)) seconds"
                case .tooLong: "its answer is longer than \(KeyPlugIn.answerMax) bytes"
                case .unasked: "it wrote another line than the one answer to each question"
                }
        }
    }
}

/// A recipient whose key a plug-in has.
struct PlugInWrappingKey: WrappingKey {
    let kind = "exec"
    let provider: [UInt8]
    let keyName: String
    let identity: [UInt8]
    private let plugIn: KeyPlugIn

    /// To seal: the program says first which key it has.
    init(identified plugIn: KeyPlugIn) throws(SealingError) {
        let known = try plugIn.identity()
        identity = SHA256.hash(Array("exec\0\(known.text)".utf8))
        (provider, keyName) = known.isKMS ? (Array(KeyPlugIn.kms.utf8), known.text) : (Self.ownProvider, plugIn.name)
        self.plugIn = plugIn
    }

    private static let ownProvider = Array("ingest-exec".utf8)

    var name: String { plugIn.name }

    func wrap(
        _ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]
    ) throws(SealingError) -> EncryptedDataKey {
        EncryptedDataKey(
            provider: provider, info: Array(keyName.utf8), ciphertext: try plugIn.wrap(dataKey, context))
    }

    func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) throws(SealingError) -> SecretKey? {
        guard wrapped.provider == provider, wrapped.info.elementsEqual(keyName.utf8) else { return nil }
        return try plugIn.unwrap(wrapped.ciphertext, context)
    }
}

/// The key of a plug-in in a ring: the program is not asked who it is before there is something for it to open.
struct LazyPlugInKey: WrappingKey {
    let kind = "exec"
    let provider: [UInt8] = []
    let identity: [UInt8] = []
    let plugIn: KeyPlugIn

    var name: String { plugIn.name }

    func wrap(
        _ dataKey: SecretKey, context: EncryptionContext, iv: [UInt8]
    ) throws(SealingError) -> EncryptedDataKey {
        try PlugInWrappingKey(identified: plugIn).wrap(dataKey, context: context, iv: iv)
    }

    func unwrap(_ wrapped: EncryptedDataKey, context: EncryptionContext) throws(SealingError) -> SecretKey? {
        guard ["ingest-exec", KeyPlugIn.kms].contains(String(decoding: wrapped.provider, as: UTF8.self)) else {
            return nil
        }
        return try PlugInWrappingKey(identified: plugIn).unwrap(wrapped, context: context)
    }
}

/// The plug-ins of a store, each with one process however often its key is used.
final class KeyPlugIns: Sendable {
    /// By name and command: datasets may have plug-ins of one name.
    private let all = Mutex<[[String]: KeyPlugIn]>([:])

    /// The plug-in of a recipient.
    func plugIn(_ name: String, _ command: [String]) -> KeyPlugIn {
        all.withLock { all in
            if let known = all[[name] + command] { return known }
            let made = KeyPlugIn(name: name, command: command)
            all[[name] + command] = made
            return made
        }
    }
}
