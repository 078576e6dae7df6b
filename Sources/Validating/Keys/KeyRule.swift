import Schemas
package import Tabular

/// Fields whose values together are a key of every row that has them all.
package struct KeyRule: Sendable, Equatable {
    /// What the keys are for.
    package enum Purpose: Sendable, Equatable {
        /// No two rows may have the same.
        case unique
        /// They must be among the keys of another rule of the same contract.
        case among(rule: Int)
        /// They must be among the keys that `Schema.foreignKeys[reference]` refers to, outside the file.
        case outside(reference: Int)
        /// Others refer to them.
        case target
        /// A row that has the same as one before it is its copy.
        case copies(Outcome)
    }

    /// The finding's code.
    package let code: FindingCode
    /// The contract's fields.
    package let fields: [Int]
    /// What they are for.
    package var purpose = Purpose.unique
    /// What reports call the rule, where its fields do not say enough.
    package var name: String?

    /// The outcome of a row that breaks it.
    package var outcome: Outcome { if case .copies(let outcome) = purpose { outcome } else { .rejected } }

    /// The finding about a row that breaks it.
    package func finding(row: Int) -> Finding {
        var finding = Finding(code, outcome: outcome, row: row, field: fields.count == 1 ? fields[0] : -1)
        finding.rule = name
        return finding
    }
}

extension Schema {
    /// The rules about keys: unique fields, primary and unique keys, foreign keys, copies of rows.
    var keyRules: [KeyRule] {
        func places(_ names: [String]) -> [Int] {
            names.compactMap { name in fields.firstIndex { $0.name == name } }
        }
        var rules = fields.indices.filter { fields[$0].constraints.unique }
            .map { KeyRule(code: .uniqueError, fields: [$0]) }
        let key = places(primaryKey)
        // A primary key of one unique field would repeat every finding.
        if !key.isEmpty, !rules.contains(where: { $0.fields == key }) {
            rules.append(KeyRule(code: .primaryKeyError, fields: key))
        }
        for key in uniqueKeys.map(places) where !rules.contains(where: { $0.fields == key }) {
            rules.append(KeyRule(code: .uniqueError, fields: key))
        }
        for (reference, key) in foreignKeys.enumerated() {
            var purpose = KeyRule.Purpose.outside(reference: reference)
            if key.source == .itself {
                let target = places(key.reference)
                let known = rules.firstIndex { $0.fields == target && ($0.purpose == .unique || $0.purpose == .target) }
                if known == nil {
                    rules.append(KeyRule(code: .foreignKeyError, fields: target, purpose: .target))
                }
                purpose = .among(rule: known ?? rules.count - 1)
            }
            rules.append(
                KeyRule(code: .foreignKeyError, fields: places(key.fields), purpose: purpose, name: key.name))
        }
        if let copies = batch.duplicateRows {
            rules.append(
                KeyRule(code: .duplicateRow, fields: Array(fields.indices), purpose: .copies(copies.outcome)))
        }
        return rules
    }
}
