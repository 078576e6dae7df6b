package import Recognition
package import Schemas
package import Sketches
package import Tabular

/// A contract that cannot be used as it stands.
package struct UnusableContract: Error, Sendable {
    /// What is wrong, and where.
    package let reason: String
    /// The place in the contract, as a JSON Pointer, as far as it is known.
    package var pointer = ""
}

/// A block that was checked against the contract; only this room can make one.
package struct ValidatedBatch: Sendable {
    /// The rows.
    package let batch: Batch
    /// The reader's and the contract's findings, by row and field.
    package let findings: [Finding]
    /// For each row, whether it has no finding.
    package let isSound: [Bool]
    /// For each of `Validator.numericFields`, a value a row; NaN where there is none.
    package let numbers: [[Double]]
    /// For each key rule, the keys of the rows that have one: row number and hash.
    package let keys: [[RowKey]]
    /// Personal data in its cells: by column, then row, in order and without overlaps.
    package let sightings: [Sighting]
    /// JSON members that the contract does not name and that have personal data in them, as places in `Batch.extras`.
    package let sightedExtras: [Int]
    /// For each row, whether anything of that or a credential was seen.
    package let isSighted: [Bool]
    /// What the columns hold.
    package let evidence: ColumnEvidence

    /// The key of a row.
    package struct RowKey: Sendable {
        /// Data record number.
        package let row: Int
        /// Keyed hash of the value.
        package let hash: Hash128
    }

    fileprivate init(
        batch: Batch, findings: [Finding], isSound: [Bool], numbers: [[Double]], keys: [[RowKey]], found: SearchResult
    ) {
        sightings = found.sightings
        sightedExtras = found.extras
        isSighted = found.isSighted
        evidence = found.evidence
        self.batch = batch
        self.findings = findings
        self.isSound = isSound
        self.numbers = numbers
        self.keys = keys
    }
}

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

    /// What it makes of a row that breaks it.
    package var outcome: Outcome { if case .copies(let outcome) = purpose { outcome } else { .rejected } }

    /// The finding about a row that breaks it.
    package func finding(row: Int) -> Finding {
        var finding = Finding(code, outcome: outcome, row: row, field: fields.count == 1 ? fields[0] : -1)
        finding.rule = name
        return finding
    }
}

/// Checks blocks against one contract, column by column.
package struct Validator: Sendable {
    /// The contract.
    package let schema: Schema
    /// Contract fields whose numbers are handed on, in order.
    package let numericFields: [Int]
    /// The rules about keys, in the order of `ValidatedBatch.keys`.
    package let keyRules: [KeyRule]
    let checks: [FieldCheck]
    private let looksForHidden: Bool
    private let recordCheck: JSONSchemaCheck?
    private let recordColumns: JSONSchemaColumns?
    private let rules: [RuleCheck]
    private let slotOfField: [Int]
    /// How each field is searched for personal data and credentials.
    let searches: [Int: ColumnSearch]
    /// How what the contract does not name is searched.
    let unknownSearch: ColumnSearch?
    /// Entities that are passed over in a column, since the column as a whole told what they are.
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
        looksForHidden = checks.contains { $0.isText && $0.hiddenText != .accepted }
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

    /// A validator that passes over what a first look at all rows told to be no finding of a row: by column, entities.
    package func correcting(_ corrections: [Int: Set<Entity>]) -> Validator {
        var validator = self
        validator.corrections = corrections
        return validator
    }

    /// What the evidence of all rows corrects: chance hits in columns that nobody declared, and what is told once for a column rather than
    /// in each of its rows.
    package func corrections(_ evidence: ColumnEvidence, _ layout: Layout) -> (
        chance: [Int: Set<Entity>], once: [Int: Set<Entity>]
    ) {
        var (chance, once): ([Int: Set<Entity>], [Int: Set<Entity>]) = ([:], [:])
        for column in evidence.values.keys {
            let field = layout.fieldOfColumn[column]
            let search = field >= 0 ? searches[field] : ColumnSearch(unknown: layout.columns[column], schema)
            guard let search, search.undeclared != nil else { continue }
            let found = Set(evidence.wholes[column, default: [:]].keys).union(
                evidence.inside[column, default: [:]].keys)
            for entity in found {
                if !search.isCalled(entity), evidence.isChance(entity, in: column, isOfThings: search.isOfThings) {
                    chance[column, default: []].insert(entity)
                } else if entity.isQuasi, evidence.isColumn(of: entity, column) {
                    once[column, default: []].insert(entity)
                }
            }
        }
        return (chance, once)
    }

    /// Checks every row of a block: the first pass.
    package func validate(_ batch: Batch) -> ValidatedBatch {
        check(batch, RowSelection(wellFormed: batch), known: nil, sighted: nil, repeats: [])
    }

    /// Checks again only the rows that the first pass found wanting, and reads the numbers of the others.
    ///
    /// - Parameters:
    ///   - wasSound: the first pass's verdict of each row.
    ///   - wasSighted: the first pass's `isSighted`; nil to look again in every row.
    ///   - repeats: rows that break a key rule, as (index of the key rule, row index in the block).
    package func replay(
        _ batch: Batch, wasSound: [Bool], wasSighted: [Bool]? = nil, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBatch {
        let unsound = batch.isWellFormed.indices.filter { batch.isWellFormed[$0] && !wasSound[$0] }.map(UInt32.init)
        return check(batch, RowSelection(unsound), known: wasSound, sighted: wasSighted, repeats: repeats)
    }

    private func check(
        _ batch: Batch, _ selection: RowSelection, known: [Bool]?, sighted: [Bool]?, repeats: [(rule: Int, row: Int)]
    ) -> ValidatedBatch {
        var findings = batch.findings
        var isSound = batch.isWellFormed
        var numbers = numericFields.map { _ in [Double](repeating: .nan, count: batch.count) }
        for check in checks {
            let slot = slotOfField[check.index]
            if slot >= 0 {
                column(batch, check, selection, &findings, &isSound, &numbers[slot])
                if let known { readNumbers(batch, check, known, &numbers[slot]) }
            } else {
                var unused: [Double] = []
                column(batch, check, selection, &findings, &isSound, &unused)
            }
        }
        if let recordCheck { judge(batch, recordCheck, selection.rows, -1, &findings, &isSound) }
        look(batch, &findings, &isSound)
        let found = search(batch, sighted: sighted, &findings, &isSound)
        obey(batch, isReplay: known != nil, selection, &findings, &isSound)
        var keys: [[ValidatedBatch.RowKey]] = []
        if known == nil {
            for rule in keyRules { keys.append(self.keys(batch, rule, selection, &findings, &isSound)) }
        } else {
            for rule in keyRules where rule.code == .primaryKeyError {
                _ = self.keys(batch, rule, selection, &findings, &isSound)
            }
        }
        for (rule, row) in repeats {
            var finding = keyRules[rule].finding(row: batch.firstRow + row)
            let range = batch.sourceRange(of: row)
            (finding.byteOffset, finding.byteLength) = (range.lowerBound, UInt64(range.count))
            findings.append(finding)
            if finding.outcome == .rejected { isSound[row] = false }
        }
        return ValidatedBatch(
            batch: batch, findings: ordered(findings, batch), isSound: isSound, numbers: numbers, keys: keys,
            found: found)
    }

    /// Findings by row, then by field, code and rule: put into their rows first, since a row has few.
    private func ordered(_ findings: [Finding], _ batch: Batch) -> [Finding] {
        func isBefore(_ left: Int, _ right: Int) -> Bool {
            let (a, b) = (findings[left], findings[right])
            return (a.field, a.code, a.rule ?? "", left) < (b.field, b.code, b.rule ?? "", right)
        }
        // Where the findings of each row begin.
        var starts = [Int](repeating: 0, count: batch.count + 1)
        for finding in findings { starts[finding.row - batch.firstRow + 1] += 1 }
        for row in 0..<batch.count { starts[row + 1] += starts[row] }
        var places = [Int](repeating: 0, count: findings.count)
        var next = starts
        for (index, finding) in findings.enumerated() {
            let row = finding.row - batch.firstRow
            places[next[row]] = index
            next[row] += 1
        }
        for row in 0..<batch.count where starts[row + 1] - starts[row] > 1 {
            places[starts[row]..<starts[row + 1]].sort(by: isBefore)
        }
        return places.map { findings[$0] }
    }

    /// Looks at the text of every row that could be split, in both passes: what flags or quarantines a row leaves it sound.
    private func look(_ batch: Batch, _ findings: inout [Finding], _ isSound: inout [Bool]) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        if schema.hiddenText != .accepted { lookAtKeys(batch, &findings, &isSound) }
        let rows = looksForHidden ? rowsBeyondASCII(batch) : []
        var nested: [Int] = []
        for check in checks where check.isText {
            let column = batch.layout.columnOfField[check.index]
            if column < 0 { continue }
            nested.removeAll(keepingCapacity: true)
            for row in 0..<batch.count {
                let cell = cells[row &* width &+ column]
                if cell.start == cell.end { continue }
                if HiddenText.mayBeFormula(bytes[Int(cell.start)]) {
                    if !cell.isText || !HiddenText.isFormula(bytes, cell.range) { continue }
                    findings.append(batch.finding(.formulaStart, outcome: .accepted, at: row, field: check.index))
                } else if cell.isNested {
                    nested.append(row)
                }
            }
            if check.hiddenText == .accepted { continue }
            func note(_ kinds: HiddenText.Kinds, _ row: Int) {
                if kinds.isEmpty { return }
                for (kind, code) in HiddenText.codes where kinds.contains(kind) {
                    findings.append(batch.finding(code, outcome: check.hiddenText, at: row, field: check.index))
                }
                if check.hiddenText == .rejected { isSound[row] = false }
            }
            for row in rows {
                let cell = cells[row &* width &+ column]
                if cell.isText, HiddenText.hasHigh(bytes, cell.range) { note(HiddenText.kinds(bytes, cell.range), row) }
            }
            // Nested values are source text, in which escapes are not undone.
            for row in nested {
                let cell = cells[row &* width &+ column]
                if let plain = unescapedJSON(bytes, cell.range) {
                    if HiddenText.hasHigh(plain.span, 0..<plain.count) {
                        note(HiddenText.kinds(plain.span, 0..<plain.count), row)
                    }
                } else if HiddenText.hasHigh(bytes, cell.range) {
                    note(HiddenText.kinds(bytes, cell.range), row)
                }
            }
        }
    }

    /// Judges the rows that are sound by the rules: by those that only flag or quarantine in both passes, since they leave a row
    /// sound, and by those that reject only where the first pass has not found a row sound already.
    private func obey(
        _ batch: Batch, isReplay: Bool, _ selection: RowSelection, _ findings: inout [Finding], _ isSound: inout [Bool]
    ) {
        if rules.isEmpty { return }
        let wasSound = isSound
        for check in rules {
            let rows =
                isReplay && check.rule.action != .rejected
                ? (0..<UInt32(batch.count)).filter { wasSound[Int($0)] } : selection.rows.filter { wasSound[Int($0)] }
            for row in check.broken(batch, rows, checks) {
                var finding = batch.finding(.rowConstraint, outcome: check.rule.action, at: Int(row))
                finding.rule = check.rule.name
                findings.append(finding)
                if check.rule.action == .rejected { isSound[Int(row)] = false }
            }
        }
    }

    /// A key that only looks like one of the contract's is an unknown one, and may pass as such.
    private func lookAtKeys(_ batch: Batch, _ findings: inout [Finding], _ isSound: inout [Bool]) {
        let bytes = batch.bytes.span
        for key in batch.oddKeys where batch.isWellFormed[key.row] {
            let range = key.start + 1..<key.end - 1
            let plain = unescapedJSON(bytes, range)
            let kinds =
                plain.map { HiddenText.kinds($0.span, 0..<$0.count) } ?? HiddenText.kinds(bytes, range)
            for (kind, code) in HiddenText.codes where kinds.contains(kind) {
                findings.append(batch.finding(code, outcome: schema.hiddenText, at: key.row))
                if schema.hiddenText == .rejected { isSound[key.row] = false }
            }
        }
    }

    /// The rows in which anything can be hidden: most are ASCII. A JSON escape can decode to anything.
    private func rowsBeyondASCII(_ batch: Batch) -> [Int] {
        let bytes = batch.bytes.span
        let end = batch.records.last.map { Int($0.end) } ?? 0
        let isDecoded = HiddenText.hasHigh(bytes, end..<bytes.count)
        if !isDecoded, !HiddenText.hasHigh(bytes, 0..<end) { return [] }
        var rows: [Int] = []
        for (row, record) in batch.records.enumerated() where batch.isWellFormed[row] {
            if isDecoded || HiddenText.hasHigh(bytes, Int(record.start)..<Int(record.end)) { rows.append(row) }
        }
        return rows
    }

    /// Checks one column.
    private func column(
        _ batch: Batch, _ check: FieldCheck, _ selection: RowSelection, _ findings: inout [Finding],
        _ isSound: inout [Bool], _ numbers: inout [Double]
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        let column = batch.layout.columnOfField[check.index]
        guard column >= 0 else { return }
        if check.isOnlyRead {
            if numbers.isEmpty { return }
            for row in selection.rows {
                if let value = check.number(cells[Int(row) &* width &+ column], bytes) { numbers[Int(row)] = value }
            }
            return
        }
        if check.takesAnyText {
            // Whatever stands in a cell of CSV is a text.
            if batch.layout.format == .csv || check.type == .any { return }
            for row in selection.rows {
                let cell = cells[Int(row) &* width &+ column]
                if cell.isText || cell.isNothing { continue }
                findings.append(batch.finding(.typeError, outcome: .rejected, at: Int(row), field: check.index))
                isSound[Int(row)] = false
            }
            return
        }
        if check.isNumeric, check.pattern == nil {
            return self.numbers(batch, check, column, selection, &findings, &isSound, &numbers)
        }
        let required = check.required
        let refusesText = check.refusesJSONStrings && batch.layout.format == .jsonl
        let keepsNumbers = !numbers.isEmpty
        var present: [UInt32] = []
        for row in selection.rows {
            let cell = cells[Int(row) &* width &+ column]
            var code: FindingCode?
            if check.isMissing(cell, bytes) {
                if required { code = .requiredError }
            } else if refusesText, cell.isText {
                code = .typeError
            } else {
                var value = Double.nan
                code = check.complaint(cell, bytes, &value)
                if code == nil {
                    if keepsNumbers { numbers[Int(row)] = value }
                    if check.pattern != nil || check.jsonSchema != nil { present.append(row) }
                }
            }
            if let code {
                findings.append(batch.finding(code, outcome: .rejected, at: Int(row), field: check.index))
                isSound[Int(row)] = false
            }
        }
        if let pattern = check.pattern {
            patterns(batch, check, pattern, present, column, &findings, &isSound)
        }
        if let jsonSchema = check.jsonSchema {
            judge(batch, jsonSchema, present, check.index, &findings, &isSound)
        }
    }

    /// Checks a column of numbers: the loop above, for what most columns of data are.
    private func numbers(
        _ batch: Batch, _ check: FieldCheck, _ column: Int, _ selection: RowSelection, _ findings: inout [Finding],
        _ isSound: inout [Bool], _ numbers: inout [Double]
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        let required = check.required
        let refusesText = check.refusesJSONStrings && batch.layout.format == .jsonl
        for row in selection.rows {
            let cell = cells[Int(row) &* width &+ column]
            var code: FindingCode?
            if check.isMissing(cell, bytes) {
                if !required { continue }
                code = .requiredError
            } else if refusesText, cell.isText {
                code = .typeError
            } else if let value = check.number(cell, bytes) {
                code = check.bounds(value, cell, bytes)
                if code == nil { numbers[Int(row)] = value }
            } else {
                code = .typeError
            }
            if let code {
                findings.append(batch.finding(code, outcome: .rejected, at: Int(row), field: check.index))
                isSound[Int(row)] = false
            }
        }
    }

    /// Judges the values of a field by a JSON Schema, or, without a field, whole records.
    private func judge(
        _ batch: Batch, _ check: JSONSchemaCheck, _ rows: [UInt32], _ field: Int, _ findings: inout [Finding],
        _ isSound: inout [Bool]
    ) {
        let bytes = batch.bytes.span
        let column = field >= 0 ? batch.layout.columnOfField[field] : -1
        var tape = JSONTape()
        let session = JSONSchemaCheck.Session()
        var rows = rows
        if field < 0, batch.layout.format == .jsonl, let recordColumns {
            rows = check.suspects(batch, rows, recordColumns, session)
        }
        for row in rows {
            let index = Int(row)
            let record = batch.records[index]
            let range =
                column >= 0
                ? batch.cells[index * batch.width + column].range : Int(record.start)..<Int(record.end)
            var verdict = JSONSchemaCheck.Verdict.invalid
            if (try? tape.read(bytes, range)) != nil { verdict = check.verdict(tape, session) }
            if verdict == .valid { continue }
            var finding = batch.finding(
                verdict == .invalid ? .jsonSchemaError : .jsonSchemaBudget, outcome: .rejected, at: index, field: field)
            if verdict == .invalid, let first = check.violations(tape, limit: 1).first {
                finding.keyword = first.absoluteKeywordLocation
                // Of a record, the field that it is about, when it is one of the contract's.
                if field < 0, let member = first.instanceLocation.split(separator: "/").first {
                    finding.field = schema.fields.firstIndex { $0.name == member } ?? -1
                }
            }
            findings.append(finding)
            isSound[index] = false
        }
    }

    private func patterns(
        _ batch: Batch, _ check: FieldCheck, _ pattern: Pattern, _ rows: [UInt32], _ column: Int,
        _ findings: inout [Finding], _ isSound: inout [Bool]
    ) {
        let matcher = pattern.matcher()
        let bytes = batch.bytes.span
        for row in rows {
            let answer = matcher.answer(bytes, batch.cells[Int(row) * batch.width + column].range)
            if case .matches = answer { continue }
            var code = FindingCode.patternError
            if case .overBudget = answer { code = .patternBudget }
            findings.append(batch.finding(code, outcome: .rejected, at: Int(row), field: check.index))
            isSound[Int(row)] = false
        }
    }

    /// The numbers of rows known to be sound.
    private func readNumbers(_ batch: Batch, _ check: FieldCheck, _ known: [Bool], _ numbers: inout [Double]) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let column = batch.layout.columnOfField[check.index]
        guard column >= 0 else { return }
        for row in 0..<batch.count where known[row] {
            let cell = cells[row &* batch.width &+ column]
            if !check.isMissing(cell, bytes), let value = check.number(cell, bytes) { numbers[row] = value }
        }
    }

    /// Hashes the keys of the rows that have one; a row without a whole primary key is a finding. What is of another type has no
    /// value, and that was said already.
    private func keys(
        _ batch: Batch, _ rule: KeyRule, _ selection: RowSelection, _ findings: inout [Finding],
        _ isSound: inout [Bool]
    ) -> [ValidatedBatch.RowKey] {
        var keys: [ValidatedBatch.RowKey] = []
        keys.reserveCapacity(selection.rows.count)
        let bytes = batch.bytes.span
        let wrong = Set(
            findings.lazy.filter { $0.code == .typeError && rule.fields.contains($0.field) }.map {
                $0.row - batch.firstRow
            })
        for row in selection.rows where wrong.isEmpty || !wrong.contains(Int(row)) {
            var state = Hash128(high: 0, low: 0)
            var isWhole = true
            for field in rule.fields {
                let column = batch.layout.columnOfField[field]
                let check = checks[field]
                guard column >= 0 else {
                    if rule.code != .duplicateRow { isWhole = false }
                    continue
                }
                let cell = batch.cells[Int(row) * batch.width + column]
                if check.isMissing(cell, bytes) {
                    // Rows are alike where both have nothing, too.
                    if rule.code == .duplicateRow {
                        state = hash.hash(0x6E6F_6E65, state: state)
                    } else {
                        isWhole = false
                    }
                } else {
                    state = key(check, cell, bytes, state)
                }
            }
            if isWhole {
                keys.append(ValidatedBatch.RowKey(row: batch.firstRow + Int(row), hash: state))
            } else if rule.code == .primaryKeyError {
                let field = rule.fields.count == 1 ? rule.fields[0] : -1
                findings.append(batch.finding(.primaryKeyError, outcome: .rejected, at: Int(row), field: field))
                isSound[Int(row)] = false
            }
        }
        return keys
    }
}

extension Schema {
    /// What must be unique, and what must be somewhere else.
    fileprivate var keyRules: [KeyRule] {
        func places(_ names: [String]) -> [Int] {
            names.compactMap { name in fields.firstIndex { $0.name == name } }
        }
        var rules = fields.indices.filter { fields[$0].constraints.unique }
            .map { KeyRule(code: .uniqueError, fields: [$0]) }
        let key = places(primaryKey)
        // A primary key of one field that is unique anyway would say everything twice.
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
