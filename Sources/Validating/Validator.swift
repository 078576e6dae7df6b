package import Recognition
package import Schemas
package import Sketches
package import Tabular

/// A contract that was loaded but cannot be compiled.
package struct UnusableContract: Error, Sendable {
    /// The defect and its place, as a sentence.
    package let reason: String
    /// The place in the contract as a JSON Pointer (RFC 6901); empty where it is unknown.
    package var pointer = ""
}

/// A block that was checked against the contract. Only this module can make one, so later stages cannot receive
/// unchecked rows.
package struct ValidatedBlock: Sendable {
    /// The rows.
    package let batch: RowBlock
    /// The reader's and the contract's findings, by row and field.
    package let findings: [Finding]
    /// For each row, whether no finding rejects it.
    package let isValid: [Bool]
    /// For each of `Validator.numericFields` one value a row, NaN for none.
    package let numbers: [[Double]]
    /// For each key rule, the keys of the rows that have one.
    package let keys: [[RowKey]]
    /// Personal data in its cells, by column and row, without overlaps.
    package let detections: [Detection]
    /// JSON members outside the contract with personal data, as indices in `RowBlock.extras`.
    package let sightedExtras: [Int]
    /// For each row, whether personal data or a credential was found in it.
    package let hasDetection: [Bool]
    /// For each row, whether hidden text or a formula was found in its cells.
    package let hasHiddenText: [Bool]
    /// Counts of entities in the columns.
    package let evidence: ColumnEvidence

    /// The key of a row.
    package struct RowKey: Sendable {
        /// Data row, from 1.
        package let row: Int
        /// Keyed hash of the key.
        package let hash: Hash128
    }

    fileprivate init(
        _ findings: BlockFindings, numbers: [[Double]], keys: [[RowKey]], hasHiddenText: [Bool], found: SearchResult
    ) {
        self.hasHiddenText = hasHiddenText
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

/// A compiled contract, which checks blocks column by column. It is immutable and shared by workers.
package struct Validator: Sendable {
    /// The contract.
    package let schema: Schema
    /// The fields whose numbers are passed on, in order.
    package let numericFields: [Int]
    /// The key rules, in the order of `ValidatedBlock.keys`.
    package let keyRules: [KeyRule]
    let checks: [FieldCheck]
    let recordCheck: JSONSchemaCheck?
    /// The record's JSON Schema by columns, where that is possible.
    let recordColumns: JSONSchemaColumns?
    let rules: [RuleCheck]
    /// By field, its index in `numericFields`.
    let slotOfField: [Int?]
    /// By field, how it is searched for personal data and credentials.
    let searches: [Int: ColumnSearch]
    /// The search of members and columns outside the contract; nil for none.
    let unknownSearch: ColumnSearch?
    /// By column, entities that are skipped because the evidence of all rows explains them.
    private(set) var corrections: [Int: Set<Entity>] = [:]
    /// The keyed hash of keys and values.
    package let hash: KeyedHash

    /// Compiles a contract.
    ///
    /// - Parameters:
    ///   - schema: the contract.
    ///   - hash: the keyed hash of values.
    /// - Throws: `UnusableContract` when a constraint, pattern or rule cannot be compiled.
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
        // If a field is part of a member, its cell is not the member.
        let hasPaths = schema.fields.contains { $0.path != nil }
        recordColumns = hasPaths ? nil : recordCheck?.columns(schema.fields.map(\.name))
        numericFields = schema.fields.indices.filter { schema.fields[$0].isNumeric }
        var slots = [Int?](repeating: nil, count: schema.fields.count)
        for (slot, field) in numericFields.enumerated() { slots[field] = slot }
        slotOfField = slots
        keyRules = schema.keyRules
        searches = Dictionary(
            uniqueKeysWithValues: checks.compactMap { check in
                ColumnSearch(schema, check.index).map { (check.index, $0) }
            })
        unknownSearch = ColumnSearch(unknown: "", schema)
    }

    /// A validator that skips `corrections`: by column, the entities that the evidence of all rows explains.
    package func correcting(_ corrections: [Int: Set<Entity>]) -> Validator {
        var validator = self
        validator.corrections = corrections
        return validator
    }

    /// Checks every row of a block: the first pass.
    package func validate(_ batch: RowBlock) -> ValidatedBlock {
        check(batch, RowSelection(wellFormed: batch), known: nil, repeats: [])
    }

    /// What the first pass found about the rows of a block.
    package struct Known: Sendable {
        /// As in `ValidatedBlock`.
        let isValid: [Bool]
        /// As in `ValidatedBlock`; nil to search every row again.
        let hasDetection: [Bool]?, hasHiddenText: [Bool]?

        /// The first pass's verdicts, with the rows to search again.
        package init(isValid: [Bool], hasDetection: [Bool]? = nil, hasHiddenText: [Bool]? = nil) {
            (self.isValid, self.hasDetection, self.hasHiddenText) = (isValid, hasDetection, hasHiddenText)
        }
    }

    /// Checks a block in the second pass: only rows that the first found invalid are checked again, and the numbers of
    /// the others are read.
    ///
    /// - Parameters:
    ///   - batch: the block.
    ///   - known: what the first pass found.
    ///   - repeats: rows that violate a key rule, as (index of the rule, index of the row in the block).
    package func replay(
        _ batch: RowBlock, known: Known, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBlock {
        let unsound = batch.isWellFormed.indices.filter { batch.isWellFormed[$0] && !known.isValid[$0] }
        return check(batch, RowSelection(unsound.map(UInt32.init)), known: known, repeats: repeats)
    }

    /// Checks a block in either pass.
    ///
    /// - Parameters:
    ///   - batch: the block.
    ///   - selection: the rows to check.
    ///   - known: in the second pass, what the first found; nil in the first.
    ///   - repeats: rows that violate a key rule.
    private func check(
        _ batch: RowBlock, _ selection: RowSelection, known: Known?, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBlock {
        var findings = BlockFindings(batch)
        var numbers = numericFields.map { _ in [Double]() }
        for check in checks {
            let slot = slotOfField[check.index]
            var column = ColumnCheck(check, values: slot == nil ? 0 : batch.count)
            column.check(selection.rows, of: batch, into: &findings)
            guard let slot else { continue }
            if let known { column.readNumbers(of: batch, where: known.isValid) }
            numbers[slot] = column.numbers
        }
        if let recordCheck { judgeRecords(selection.rows, of: batch, by: recordCheck, into: &findings) }
        let hasHiddenText = scanHiddenText(in: batch, known: known?.hasHiddenText, into: &findings)
        var search = PersonalDataSearch(batch, by: self, numbers: numbers, detectedRows: known?.hasDetection)
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
            let finding = keyRules[rule].finding(row: batch.firstRow + row, bytes: batch.sourceRange(of: row))
            findings.add(finding, at: row)
        }
        return ValidatedBlock(
            findings, numbers: numbers, keys: keys, hasHiddenText: hasHiddenText, found: search.result)
    }
}
