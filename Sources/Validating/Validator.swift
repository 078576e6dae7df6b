package import Recognition
package import Schemas
package import Sketches
package import Tabular

/// A contract that cannot be used as it stands.
package struct UnusableContract: Error, Sendable {
    /// What is wrong, and where.
    package let reason: String
    /// The place in the contract as a JSON Pointer (RFC 6901); empty where it is not known.
    package var pointer = ""
}

/// A block that was checked against the contract; only this room can make one.
package struct ValidatedBlock: Sendable {
    /// The rows.
    package let batch: RowBlock
    /// The reader's and the contract's findings, by row and field.
    package let findings: [Finding]
    /// For each row, whether no finding rejects it.
    package let isValid: [Bool]
    /// For each of `Validator.numericFields`, a value a row; NaN where there is none.
    package let numbers: [[Double]]
    /// For each key rule, the keys of the rows that have one: row number and hash.
    package let keys: [[RowKey]]
    /// Personal data in its cells: by column, then row, in order and without overlaps.
    package let detections: [Detection]
    /// JSON members that the contract does not name and that have personal data in them, as places in `RowBlock.extras`.
    package let sightedExtras: [Int]
    /// For each row, whether personal data or a credential was found in it.
    package let hasDetection: [Bool]
    /// What the columns hold.
    package let evidence: ColumnEvidence

    /// The key of a row.
    package struct RowKey: Sendable {
        /// Data record number.
        package let row: Int
        /// Keyed hash of the value.
        package let hash: Hash128
    }

    fileprivate init(_ findings: BlockFindings, numbers: [[Double]], keys: [[RowKey]], found: SearchResult) {
        batch = findings.batch
        self.findings = findings.ordered()
        isValid = findings.isValid
        self.numbers = numbers
        self.keys = keys
        detections = found.detections
        sightedExtras = found.extras
        hasDetection = found.hasDetection
        evidence = found.evidence
    }
}

/// Checks blocks against one contract, column by column.
package struct Validator: Sendable {
    /// The contract.
    package let schema: Schema
    /// Contract fields whose numbers are handed on, in order.
    package let numericFields: [Int]
    /// The rules about keys, in the order of `ValidatedBlock.keys`.
    package let keyRules: [KeyRule]
    let checks: [FieldCheck]
    let recordCheck: JSONSchemaCheck?
    /// The record's JSON Schema column by column, where it can be judged so.
    let recordColumns: JSONSchemaColumns?
    let rules: [RuleCheck]
    private let slotOfField: [Int]
    /// How each field is searched for personal data and credentials.
    let searches: [Int: ColumnSearch]
    /// How members and columns that the contract does not name are searched.
    let unknownSearch: ColumnSearch?
    /// Entities that are passed over in a column, since the evidence of the whole column says what they are.
    private(set) var corrections: [Int: Set<Entity>] = [:]
    let hash: KeyedHash

    /// Compiles a contract; `hash` is keyed with a secret of the run.
    package init(_ schema: Schema, hash: KeyedHash) throws(UnusableContract) {
        self.schema = schema
        self.hash = hash
        var checks: [FieldCheck] = []
        for index in schema.fields.indices { checks.append(try FieldCheck(schema, index)) }
        self.checks = checks
        recordCheck = try schema.recordSchema.map { (made) throws(UnusableContract) in try JSONSchemaCheck(made) }
        rules = try schema.rules.enumerated().map { (index, rule) throws(UnusableContract) in
            do throws(UnusableContract) { return try RuleCheck(rule) } catch {
                throw UnusableContract(reason: error.reason, pointer: "/sluice/rules/\(index)")
            }
        }
        // Where a field is a part of a member, its cell is not the member.
        let hasPaths = schema.fields.contains { $0.path != nil }
        recordColumns = hasPaths ? nil : recordCheck?.columns(schema.fields.map(\.name))
        numericFields = schema.fields.indices.filter { schema.fields[$0].isNumeric }
        var slots = schema.fields.map { _ in -1 }
        for (slot, field) in numericFields.enumerated() { slots[field] = slot }
        slotOfField = slots
        keyRules = schema.keyRules
        searches = Dictionary(
            uniqueKeysWithValues: checks.compactMap { check in
                ColumnSearch(schema, check.index).map { (check.index, $0) }
            })
        unknownSearch = ColumnSearch(unknown: "", schema)
    }

    /// A validator that passes over `corrections`: by column, the entities that the evidence of all rows explains, so
    /// that they are no finding of a row.
    package func correcting(_ corrections: [Int: Set<Entity>]) -> Validator {
        var validator = self
        validator.corrections = corrections
        return validator
    }

    /// Checks every row of a block: the first pass.
    package func validate(_ batch: RowBlock) -> ValidatedBlock {
        check(batch, RowSelection(wellFormed: batch), known: nil, sighted: nil, repeats: [])
    }

    /// Checks again only the rows that the first pass found unsound, and reads the numbers of the others.
    ///
    /// - Parameters:
    ///   - wasSound: the first pass's `isValid`.
    ///   - wasSighted: the first pass's `hasDetection`; nil to search every row again.
    ///   - repeats: rows that break a key rule, as (index of the key rule, row index in the block).
    package func replay(
        _ batch: RowBlock, wasValid: [Bool], hadDetection: [Bool]? = nil, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBlock {
        let unsound = batch.isWellFormed.indices.filter { batch.isWellFormed[$0] && !wasValid[$0] }.map(UInt32.init)
        return check(batch, RowSelection(unsound), known: wasValid, sighted: hadDetection, repeats: repeats)
    }

    private func check(
        _ batch: RowBlock, _ selection: RowSelection, known: [Bool]?, sighted: [Bool]?, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBlock {
        var findings = BlockFindings(batch)
        var numbers = numericFields.map { _ in [Double]() }
        for check in checks {
            let slot = slotOfField[check.index]
            var column = ColumnCheck(check, values: slot >= 0 ? batch.count : 0)
            column.check(selection.rows, of: batch, into: &findings)
            if slot < 0 { continue }
            if let known { column.readNumbers(of: batch, where: known) }
            numbers[slot] = column.numbers
        }
        if let recordCheck { judgeRecords(selection.rows, of: batch, by: recordCheck, into: &findings) }
        scanHiddenText(in: batch, into: &findings)
        var search = PersonalDataSearch(batch, by: self, sighted: sighted)
        search.run(into: &findings)
        applyRowRules(to: batch, selection, isReplay: known != nil, into: &findings)
        var keys: [[ValidatedBlock.RowKey]] = []
        if known == nil {
            for rule in keyRules { keys.append(self.keys(of: selection.rows, in: batch, by: rule, into: &findings)) }
        } else {
            for rule in keyRules where rule.code == .primaryKeyError {
                _ = self.keys(of: selection.rows, in: batch, by: rule, into: &findings)
            }
        }
        for (rule, row) in repeats {
            var finding = keyRules[rule].finding(row: batch.firstRow + row)
            let range = batch.sourceRange(of: row)
            (finding.byteOffset, finding.byteLength) = (range.lowerBound, UInt64(range.count))
            findings.add(finding, at: row)
        }
        return ValidatedBlock(findings, numbers: numbers, keys: keys, found: search.result)
    }
}
