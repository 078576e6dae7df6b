import Cryptography
import Sealing
import Synchronization
import Tabular

/// A program that wraps and unwraps data keys, such as the client of a vault: the wrapping key never comes here.
///
/// One process answers one JSON line with one JSON line, in order, until its input ends:
///
/// - `{"v":1,"op":"identify","key":NAME}` → `{"identity":TEXT}`: a text that stays the same for this key and no other, such as its ARN.
///   With `"provider":"aws-kms"` the identity is the ARN of a key of AWS KMS, and the ciphertexts are that service's: the AWS Encryption
///   SDK opens such messages with its KMS keyring.
/// - `{"v":1,"op":"wrap","key":NAME,"context":{…},"data_key":BASE64}` → `{"ciphertext":BASE64}`.
/// - `{"v":1,"op":"unwrap","key":NAME,"context":{…},"ciphertext":BASE64}` → `{"data_key":BASE64}`, or `{"data_key":null}` where this key
///   does not open it.
///
/// `{"error":TEXT}` answers any of them. The context is the message's encryption context; a plug-in binds the ciphertext to it.
final class KeyPlugIn: Sendable {
    let name: String
    private let command: [String]
    private let child = Mutex<ChildProcess?>(nil)
    private let known = Mutex<Identity?>(nil)

    /// What the program says of its key.
    struct Identity: Sendable {
        /// A text that only this key has.
        let text: String
        /// Whether it is a key of AWS KMS, and the text its ARN.
        let isKMS: Bool
    }

    /// Seconds that one answer may take, and its longest size.
    private static let patience = 30.0, answerMax = 65_536

    /// The program is started when it is first asked.
    init(name: String, command: [String]) { (self.name, self.command) = (name, command) }

    /// The identity that the program states; it is asked once.
    func identity() throws(SealingError) -> Identity {
        if let identity = known.withLock({ $0 }) { return identity }
        let answer = try ask("identify", [:])
        guard let text = answer["identity"]?.text, (1...256).contains(text.utf8.count) else {
            throw failure("it stated no identity of the key, a text of 1 to 256 bytes")
        }
        let provider = answer["provider"]?.text
        guard provider == nil || provider == Self.kms && text.hasPrefix("arn:") else {
            throw failure("it stated another provider than \(Self.kms) with a key's ARN as identity")
        }
        let identity = Identity(text: text, isKMS: provider != nil)
        known.withLock { $0 = identity }
        return identity
    }

    /// The provider of AWS KMS in a message.
    static let kms = "aws-kms"

    func wrap(_ dataKey: SecretKey, _ context: EncryptionContext) throws(SealingError) -> [UInt8] {
        var plain = dataKey.withBytes { span in span.indices.map { span[$0] } }
        defer { wipe(&plain) }
        let answer = try ask("wrap", ["context": Self.document(context), "data_key": .string(base64(plain))])
        guard let wrapped = answer["ciphertext"]?.text.flatMap({ bytes(base64: $0) }),
            (1...8192).contains(wrapped.count)
        else { throw failure("it answered wrap without a ciphertext of 1 to 8,192 bytes of base64") }
        return wrapped
    }

    func unwrap(_ wrapped: [UInt8], _ context: EncryptionContext) throws(SealingError) -> SecretKey? {
        let answer = try ask("unwrap", ["context": Self.document(context), "ciphertext": .string(base64(wrapped))])
        if case .null? = answer["data_key"] { return nil }
        guard var opened = answer["data_key"]?.text.flatMap({ bytes(base64: $0) }) else {
            throw failure("it answered unwrap without data_key")
        }
        defer { wipe(&opened) }
        return SecretKey(copying: opened.span)
    }

    private static func document(_ context: EncryptionContext) -> JSONValue {
        .object(context.dictionary.mapValues { .string($0) })
    }

    private func failure(_ cause: String) -> SealingError {
        SealingError(.unavailable, "use the key plug-in", subject: "\(name) (\(command[0]))", cause: cause)
    }

    /// One request and its answer. A program that failed is started anew for the next request.
    private func ask(_ operation: String, _ members: [String: JSONValue]) throws(SealingError) -> JSONValue {
        var all = members
        (all["v"], all["op"], all["key"]) = (.integer(1), .string(operation), .string(name))
        var line = Array(JSONValue.object(all).text(pretty: false).utf8) + [0x0A]
        defer { wipe(&line) }
        enum Reply { case answer([UInt8]), notStarted(Int32), silent }
        let reply = child.withLock { child -> Reply in
            if child == nil { child = ChildProcess(command) }
            guard let asked = child else { return .notStarted(lastError()) }
            if let answer = asked.ask(line, max: Self.answerMax, seconds: Self.patience) { return .answer(answer) }
            asked.end()
            child = nil
            return .silent
        }
        switch reply {
        case .notStarted(let number):
            throw failure("it cannot be started: \(systemReason(number))")
        case .silent: throw failure("it ended, or gave no line within \(Int(Self.patience)) seconds")
        case .answer(var bytes):
            defer { wipe(&bytes) }
            guard let answer = try? JSONValue.parse(bytes), answer.members != nil else {
                throw failure("it answered with something else than a JSON object")
            }
            if let error = answer["error"]?.text {
                throw failure("it says: " + PrintableText.line(String(error.prefix(200))))
            }
            return answer
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
