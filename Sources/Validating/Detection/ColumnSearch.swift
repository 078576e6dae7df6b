import Recognition
import Schemas
import Tabular

/// The settings of the search of one column for personal data and credentials.
struct ColumnSearch: Sendable {
    /// The contract's field; nil for a column outside the contract.
    let field: Int?
    private(set) var scanner: TextScanner
    /// The contract's own list of names; nil for none.
    let names: NameList?
    /// The treatment of undeclared personal data; nil where the contract declares it.
    let undeclared: UndeclaredPII?
    /// The outcome of a row with a credential.
    let secrets: Outcome
    /// Whether a row with any match is quarantined (operator `suppress`).
    let suppresses: Bool
    /// The entity that the contract declares for such a column.
    let whole: String?
    /// Whether values identify rows. Keys are never masked cell by cell, so only the column as a whole is judged.
    let isKey: Bool
    /// Whether values are numbers: only whole ones with at least `digitsMin` digits can be an entity.
    let isNumeric: Bool
    let digitsMin: Int

    /// Whether its numbers are probably those of things.
    var isOfThings: Bool { scanner.isOfThings || isKey }

    /// Whether its name implies an entity.
    func isCalled(_ entity: Entity) -> Bool { scanner.isNamed(entity) }

    /// The search of a field; nil when it is not searched.
    init?(_ schema: Schema, _ index: Int) {
        let own = schema.fields[index]
        let policy = own.undeclaredPII ?? schema.undeclaredPII
        let mayHold: Bool
        switch own.type {
        // A value that passes these types' checks can be nothing else, except that a date may be a date of birth.
        case .date, .datetime: mayHold = TextScanner.isCalled(.dateOfBirth, own.name)
        case .boolean, .time, .year, .yearmonth, .duration: mayHold = false
        default: mayHold = true
        }
        secrets = mayHold ? own.secrets ?? schema.secrets : .accepted
        isKey =
            own.role == .key || own.role == .subject || own.constraints.unique || schema.primaryKey.contains(own.name)
            || schema.uniqueKeys.contains { $0.contains(own.name) }
        field = index
        // Whoever declares a quasi-identifier or a list of values knows the content and keeps it on purpose.
        let isKnown = own.categories != nil || own.constraints.enumeration != nil || own.role == .quasiIdentifier
        suppresses = own.pii?.operation == .suppress
        whole = suppresses ? own.pii?.entity : nil
        names = own.pii?.names
        if let rule = own.pii {
            let named = rule.entities.compactMap { Entity(name: $0) }
            let sought = rule.scan ? named.isEmpty ? Entity.usual : Set(named) : []
            undeclared = nil
            guard !sought.isEmpty || secrets != .accepted || suppresses else { return nil }
            scanner = TextScanner(
                entities: sought, columnName: own.name, secrets: secrets != .accepted,
                thresholds: schema.personalData.thresholds)
        } else {
            undeclared = policy == .allow || isKnown || !mayHold ? nil : policy
            guard undeclared != nil || secrets != .accepted else { return nil }
            scanner = Self.scanner(own.name, undeclared: undeclared, secrets: secrets, schema)
        }
        isNumeric = own.isNumeric
        if isNumeric { scanner.isNumber = true }
        digitsMin = TextScanner.isCalledAny(own.name) ? 1 : 7
    }

    /// The search of a column that the contract does not name.
    init?(unknown name: String, _ schema: Schema) {
        undeclared = schema.undeclaredPII == .allow ? nil : schema.undeclaredPII
        secrets = schema.secrets
        field = nil
        isKey = false
        (isNumeric, digitsMin) = (false, 1)
        suppresses = false
        whole = nil
        names = nil
        guard undeclared != nil || secrets != .accepted else { return nil }
        scanner = Self.scanner(name, undeclared: undeclared, secrets: secrets, schema)
        // Nothing declares its values to be text or numbers.
        scanner.isNumber = true
    }

    /// A scanner with the thresholds of declared entities.
    private static func scanner(
        _ name: String, undeclared: UndeclaredPII?, secrets: Outcome, _ schema: Schema
    ) -> TextScanner {
        TextScanner(
            entities: undeclared == nil ? [] : Entity.usual, columnName: name, secrets: secrets != .accepted,
            thresholds: schema.personalData.thresholds)
    }
}
