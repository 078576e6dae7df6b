import Cryptography
import Schemas

/// The keyed contexts of one column. A class, since they are neither copied nor shared.
final class ColumnKeys {
    private let key: SecretKey
    private let kind: MaskOperator
    private let isRandom: Bool, isPerSubject: Bool
    private var codes: HMACSHA256
    private var cipher: ValueCipher?
    private var owner: [UInt8]?
    private let salts: (any SubjectSalts)?
    /// The subject of the current row; nil if the row has none.
    var subject: [UInt8]?

    init(_ key: SecretKey, of rule: ColumnRule, salts: (any SubjectSalts)?) {
        self.key = key
        self.salts = salts
        kind = rule.kind
        isRandom = rule.isRandom
        isPerSubject = rule.isPerSubject
        codes = HMACSHA256(key: key)
    }

    /// The code that the operator needs (`ValueOperator.apply`); empty if it cannot be computed: then the entity's name
    /// replaces the value.
    func code(of text: Span<UInt8>) -> [UInt8] {
        switch kind {
        case .tokenize: return codes.code(of: text)
        case .dateShift: return subject.map { codes.code(of: $0.span) } ?? []
        case .encrypt: return text.isEmpty ? [] : (try? sealed(text)) ?? []
        default: return []
        }
    }

    /// The code of a value that becomes a token.
    func token(of text: Span<UInt8>) -> InlineArray<32, UInt8> { codes.inlineCode(of: text) }

    private func sealed(_ text: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        if isPerSubject {
            guard let subject else { return [] }
            if owner != subject || cipher == nil {
                cipher = try ValueCipher(key, subject: subject, salt: try salts?.salt(of: subject))
                owner = subject
            }
        } else if cipher == nil {
            cipher = try ValueCipher(key)
        }
        let nonce = isRandom ? try randomBytes(16) : nil
        return try cipher?.seal(text, nonce: nonce) ?? []
    }
}
