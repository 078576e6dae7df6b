import Cryptography
import Recognition
import Schemas
import Tabular

/// The masking rule of one column, prepared for use.
///
/// A class, since it is passed for each cell.
final class ColumnRule: Sendable {
    /// The contract's field; nil for a column outside the contract.
    let field: Int?
    let column: Int
    /// The entity's name.
    let entity: String
    let operation: ValueOperator
    let kind: MaskOperator
    /// Whether it changes the matches inside a value rather than the whole value.
    let isScanned: Bool
    let key: SecretKey?
    /// Whether an encrypted value is different each time, and whether each subject has a key of its own.
    let isRandom: Bool, isPerSubject: Bool
    /// Texts that mean "no value", which are not masked.
    let missing: [[UInt8]]
    /// Whether it replaces a number by a number.
    var keepsNumbers: Bool { kind == .generalize }
    /// Whether it needs the row's subject.
    var needsSubject: Bool { kind == .dateShift || isPerSubject }

    /// The rule that a contract declares for the field at `index`.
    ///
    /// - Throws: when the store has no key of its name.
    init(
        _ pii: PIIRule, of index: Int, in schema: Schema, column: Int, keys: [String: SecretKey]
    ) throws(UnusableMask) {
        let field = schema.fields[index]
        if let name = pii.key, keys[name] == nil {
            throw UnusableMask(
                reason:
                    "field \(field.name) needs the key \(name) for \(pii.operation.rawValue), which is not in the store; "
                    + "copy it back from your copy of keys/, or if it never existed make it with: "
                    + "sluice keys generate --kind token --name \(name)")
        }
        self.field = index
        self.column = column
        entity = pii.entity ?? ""
        operation = ValueOperator(pii, of: field)
        kind = pii.operation
        isScanned = pii.scan
        key = pii.key.flatMap { keys[$0] }
        missing = schema.missingValues(of: index).map { Array($0.utf8) }
        isRandom = pii.isRandom
        isPerSubject = pii.isPerSubject
    }

    /// The rule for undeclared personal data: the entity's name replaces each value of a column of that entity, or, if
    /// `entity` is nil, each match.
    init(undeclared entity: Entity?, field: Int?, in schema: Schema, column: Int) {
        self.field = field
        self.column = column
        self.entity = entity?.name ?? ""
        operation = ValueOperator(PIIRule())
        kind = .replace
        isScanned = entity == nil
        key = nil
        missing = field.map { schema.missingValues(of: $0).map { Array($0.utf8) } } ?? [[]]
        isRandom = false
        isPerSubject = false
    }
}

/// A rule applied to one block.
struct ColumnWork {
    let rule: ColumnRule
    /// Its index among the block's rules.
    let index: Int
    /// One keyed context for the whole column: keying costs as much as hashing a short value.
    private let keys: ColumnKeys?

    init(_ rule: ColumnRule, at index: Int, salts: (any SubjectSalts)?) {
        self.rule = rule
        self.index = index
        keys = rule.key.map { ColumnKeys($0, of: rule, salts: salts) }
    }

    /// The keyed code of a value (`ValueOperator.apply`); empty without a key.
    func code(_ text: Span<UInt8>) -> [UInt8] { keys?.code(of: text) ?? [] }

    /// The keyed code of a value that becomes a token; nil without a key.
    func token(_ text: Span<UInt8>) -> InlineArray<32, UInt8>? { keys?.token(of: text) }

    /// Whether the subject of the current row must be set before a value is masked.
    var needsSubject: Bool { rule.needsSubject && keys != nil }

    /// Sets the subject of the current row; nil if the row has none.
    func setSubject(_ subject: [UInt8]?) { keys?.subject = subject }
}
