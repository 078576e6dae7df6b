import Cryptography
import Schemas

/// What a keyed operator needs of one column: a class, because contexts of keys are neither copied nor shared.
final class ColumnKeys {
    private let key: SecretKey
    private let kind: MaskOperator
    private let isRandom: Bool, isPerSubject: Bool
    private var codes: HMACSHA256
    private var cipher: ValueCipher?
    private var owner: [UInt8]?
    /// Whom the row at hand is about; nil when nobody says.
    var subject: [UInt8]?

    init(_ key: SecretKey, _ kind: MaskOperator, isRandom: Bool, isPerSubject: Bool) {
        self.key = key
        self.kind = kind
        self.isRandom = isRandom
        self.isPerSubject = isPerSubject
        codes = HMACSHA256(key: key)
    }

    /// What the operator asks for (`ValueOperator.apply`); empty when it cannot be made, so that the value is replaced by its name.
    func code(of text: Span<UInt8>) -> [UInt8] {
        switch kind {
        case .tokenize: return codes.code(of: text)
        case .dateShift: return subject.map { codes.code(of: $0.span) } ?? []
        case .encrypt: return text.isEmpty ? [] : (try? sealed(text)) ?? []
        default: return []
        }
    }

    private func sealed(_ text: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        if isPerSubject {
            guard let subject else { return [] }
            if owner != subject || cipher == nil {
                cipher = try ValueCipher(key, subject: subject)
                owner = subject
            }
        } else if cipher == nil {
            cipher = try ValueCipher(key)
        }
        let nonce = isRandom ? try randomBytes(16) : nil
        return try cipher?.seal(text, nonce: nonce) ?? []
    }
}
