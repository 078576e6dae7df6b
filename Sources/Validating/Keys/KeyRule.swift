import Schemas
package import Tabular

/// A rule about keys: the values of some fields together, in every row that has all of them.
package struct KeyRule: Sendable, Equatable {
    /// The demand of a rule on its keys.
    package enum Purpose: Sendable, Equatable {
        /// Keys must be distinct.
        case unique
        /// Keys must occur among those of another rule of the contract.
        case among(rule: Int)
        /// Keys must occur among those that `Schema.foreignKeys[reference]` refers to, outside the file.
        case outside(reference: Int)
        /// Nothing; other rules refer to these keys.
        case target
        /// A row with the same key as an earlier one is its copy.
        case copies(Outcome)
    }

    /// The code of its findings.
    package let code: FindingCode
    /// The contract's fields.
    package let fields: [Int]
    /// The rule's demand.
    package var purpose = Purpose.unique
    /// Its name in reports, where its fields do not suffice.
    package var name: String?

    /// The outcome of a row that violates it.
    package var outcome: Outcome { if case .copies(let outcome) = purpose { outcome } else { .rejected } }

    /// Its field, where it has only one.
    var onlyField: Int? { fields.count == 1 ? fields[0] : nil }

    /// The finding about such a row.
    ///
    /// - Parameters:
    ///   - row: the number of the row in its file.
    ///   - bytes: where it lies in the source.
    package func finding(row: Int, bytes: Range<UInt64>?) -> Finding {
        var finding = Finding(
            code, outcome: outcome, at: Finding.Location(row: row, field: onlyField), bytes: bytes)
        finding.rule = name
        return finding
    }
}

extension Schema {
    /// The key rules of a contract: unique fields, primary and unique keys, foreign keys, copies of rows.
    var keyRules: [KeyRule] {
        func places(_ names: [String]) -> [Int] {
            names.compactMap { name in fields.firstIndex { $0.name == name } }
        }
        var rules = fields.indices.filter { fields[$0].constraints.unique }
            .map { KeyRule(code: .uniqueError, fields: [$0]) }
        let key = places(primaryKey)
        // A primary key of one unique field would duplicate every finding.
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
