import Recognition
import Schemas
import Tabular

/// Searches one block for personal data and credentials; each text is scanned once.
struct PersonalDataSearch {
    private let validator: Validator
    private let batch: RowBlock
    /// The rows that are searched.
    private let rows: [Int]
    private let anchors: CandidateMap
    private let hasEscapes: Bool
    /// For each of `Validator.numericFields` the block's numbers, as in `ValidatedBlock`.
    private let numbers: [[Double]]
    /// The result so far.
    private(set) var result: SearchResult
    /// Findings on extras so far (row, code and kind), so that none is repeated.
    private var remarks: Set<String> = []

    /// A search of a block.
    ///
    /// - Parameters:
    ///   - batch: the block.
    ///   - validator: the compiled contract.
    ///   - numbers: for each of the contract's numeric fields one value a row, NaN for none.
    ///   - detectedRows: the rows in which the first pass found something; nil to search all.
    init(_ batch: RowBlock, by validator: Validator, numbers: [[Double]], detectedRows: [Bool]?) {
        (self.validator, self.batch, self.numbers) = (validator, batch, numbers)
        result = SearchResult(hasDetection: [Bool](repeating: false, count: batch.count))
        let wanted = (0..<batch.count).filter { batch.isWellFormed[$0] && detectedRows?[$0] ?? true }
        rows = validator.searches.isEmpty && validator.unknownSearch == nil ? [] : wanted
        let bytes = batch.bytes.span
        if rows.isEmpty {
            anchors = CandidateMap()
        } else if detectedRows != nil, rows.count * 2 < batch.count {
            // Decoded texts lie after the records.
            let parts = rows.map { Int(batch.records[$0].start)..<Int(batch.records[$0].end) }
            let end = batch.records.last.map { Int($0.end) } ?? 0
            anchors = CandidateMap(bytes, parts: parts + [end..<bytes.count])
        } else {
            anchors = CandidateMap(bytes, 0..<bytes.count)
        }
        hasEscapes = !rows.isEmpty && CandidateMap.holds(0x5C, in: bytes)
    }

    /// Searches the columns, then the members outside the contract.
    mutating func run(into findings: inout BlockFindings) {
        if rows.isEmpty { return }
        let schema = validator.schema
        for column in batch.layout.columns.indices {
            let own: ColumnSearch?
            if let field = batch.layout.fieldOfColumn[column] {
                own = validator.searches[field]
            } else {
                let isDropped = schema.unknownFields == .drop || batch.layout.dropped.contains(column)
                own = isDropped ? nil : ColumnSearch(unknown: batch.layout.columns[column], schema)
            }
            if let own { search(column, by: own, into: &findings) }
        }
        if let own = validator.unknownSearch, schema.unknownFields == .keep {
            searchExtras(by: own, into: &findings)
        }
    }

    /// Searches members outside the contract.
    private mutating func searchExtras(by own: ColumnSearch, into findings: inout BlockFindings) {
        let (batch, anchors) = (batch, anchors)
        let bytes = batch.bytes.span
        var isWanted = [Bool](repeating: false, count: batch.count)
        for row in rows { isWanted[row] = true }
        var search = ValueSearch(own)
        for (index, extra) in batch.extras.enumerated() where isWanted[extra.row] {
            search.matches.removeAll(keepingCapacity: true)
            let range = extra.start..<extra.end
            let secret = search.find(
                inDocument: range, of: bytes, unescaped: unescapedJSON(bytes, range), anchors: anchors)
            if !search.matches.isEmpty { result.extras.append(index) }
            let place = Place(row: extra.row, column: nil)
            remark(on: search.matches[...], secret: secret, of: own, at: place, into: &findings)
        }
    }

    /// Searches a column.
    private mutating func search(_ column: Int, by own: ColumnSearch, into findings: inout BlockFindings) {
        let (batch, anchors) = (batch, anchors)
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let passed = validator.corrections[column] ?? []
        var search = ValueSearch(own)
        var tally = ColumnTally()
        if own.whole != nil { suppress(column, by: own, into: &findings) }
        var candidates: [Int] = []
        tally.values = collect(&candidates, of: column, by: own)
        for row in candidates {
            let cell = cells[row &* batch.width &+ column]
            let range = cell.range
            if !search.matches.isEmpty { search.matches.removeAll(keepingCapacity: true) }
            let isDocument = cell.isNested || isJSONText(bytes, range)
            let unescaped = isDocument ? unescapedJSON(bytes, range) : nil
            let secret: SecretKind?
            var whole = range
            if isDocument {
                if let unescaped { whole = 0..<unescaped.count }
                secret = search.find(inDocument: range, of: bytes, unescaped: unescaped, anchors: anchors)
            } else {
                secret = search.find(
                    inValue: range, of: bytes, isNumber: own.isNumeric || !cell.isText, hasEscapes: hasEscapes,
                    anchors: anchors)
            }
            if !passed.isEmpty { search.matches.removeAll { passed.contains($0.entity) } }
            if search.matches.isEmpty, secret == nil { continue }
            let matches = search.matches[...]
            if !own.isKey || own.undeclared == nil {
                for match in matches {
                    result.detections.append(
                        Detection(
                            column: column, row: row, match: match, isUnescaped: unescaped != nil,
                            isUndeclared: own.undeclared != nil))
                }
            }
            let isWhole = matches.count == 1 && (matches[0].range == whole || matches[0].range == trimmed(bytes, whole))
            if own.undeclared != nil { tally.note(ValueForm(bytes, range), of: matches) }
            tally.count(matches, isWhole: isWhole)
            let reported = own.isKey && own.undeclared != nil && !isWhole ? [] : matches
            remark(on: reported, secret: secret, of: own, at: Place(row: row, column: column), into: &findings)
        }
        if !tally.forms.isEmpty {
            for row in rows { tally.forms.count(ValueForm(bytes, cells[row &* batch.width &+ column].range)) }
        }
        tally.add(to: &result.evidence, column: column)
    }

    /// Holds back the rows with a value in a column that the contract suppresses.
    private mutating func suppress(_ column: Int, by own: ColumnSearch, into findings: inout BlockFindings) {
        guard let whole = own.whole, let field = own.field else { return }
        let (batch, check) = (batch, validator.checks[field])
        for row in rows where !check.isMissing(batch.cells[row * batch.width + column], batch.bytes.span) {
            findings.add(.suppressedRow, .quarantined, at: row, field: field, rule: whole)
            result.hasDetection[row] = true
        }
    }

    /// Collects the rows in whose values something may be found.
    ///
    /// - Returns: the number of values that are not empty.
    private func collect(_ found: inout [Int], of column: Int, by own: ColumnSearch) -> Int {
        let scanner = own.scanner
        if own.isNumeric {
            if let field = own.field, let slot = validator.slotOfField[field], validator.checks[field].isPlainNumber {
                return scanner.candidates(
                    inNumbers: column, of: batch, among: rows, numbers: numbers[slot], atLeast: own.digitsMin,
                    into: &found)
            }
        } else if own.names == nil, !hasEscapes {
            return scanner.candidates(inTexts: column, of: batch, among: rows, anchors: anchors, into: &found)
        }
        found = rows.filter { !batch.cells[$0 * batch.width + column].range.isEmpty }
        return found.count
    }

    /// The place of a value; members outside the contract have no column.
    private struct Place {
        let row: Int
        let column: Int?
    }

    /// Adds the findings about one value.
    ///
    /// Those in a column outside the contract name the column's position. A member's name may be anything, so a row has
    /// one finding of a kind for all of its members.
    ///
    /// - Parameters:
    ///   - matches: the entities in the value.
    ///   - secret: the credential in it; nil for none.
    ///   - own: how the column is searched.
    ///   - place: the value's place.
    ///   - findings: gets the findings.
    private mutating func remark(
        on matches: ArraySlice<EntityMatch>, secret: SecretKind?, of own: ColumnSearch, at place: Place,
        into findings: inout BlockFindings
    ) {
        if secret != nil || !matches.isEmpty { result.hasDetection[place.row] = true }
        if let secret, own.secrets != .accepted {
            let outcome = secret == .namedKey ? min(own.secrets, .flagged) : own.secrets
            let finding = finding(.secret, outcome, about: secret.rawValue, of: own, at: place)
            if let finding { findings.add(finding, at: place.row) }
        }
        if own.suppresses, let first = matches.first {
            let finding = finding(.suppressedRow, .quarantined, about: first.entity.name, of: own, at: place)
            if let finding { findings.add(finding, at: place.row) }
        }
        guard let policy = own.undeclared else { return }
        // A key is never masked, since it would no longer join; its row is flagged instead.
        let outcome = own.isKey ? min(policy.outcome, .flagged) : policy.outcome
        for index in matches.indices
        where !matches[..<index].contains(where: { $0.entity == matches[index].entity }) {
            let finding = finding(.undeclaredPII, outcome, about: matches[index].entity.name, of: own, at: place)
            if let finding { findings.add(finding, at: place.row) }
        }
    }

    /// A finding about a value; nil when the row already has the same one of another member.
    @inline(__always)
    private mutating func finding(
        _ code: FindingCode, _ outcome: Outcome, about kind: String, of own: ColumnSearch, at place: Place
    ) -> Finding? {
        var finding = batch.finding(code, outcome: outcome, at: place.row, field: own.field)
        finding.rule = kind
        if own.field != nil { return finding }
        if let column = place.column {
            finding.rule = "column \(column + 1): \(kind)"
            return finding
        }
        return remarks.insert("\(place.row) \(code.rawValue) \(kind)").inserted ? finding : nil
    }
}

/// Counts of the entities in one column.
private struct ColumnTally {
    var values = 0
    var forms = FormCounts()
    private var wholes = [Int](repeating: 0, count: Entity.count)
    private var inside = [Int](repeating: 0, count: Entity.count)

    /// Notes the form of a value in which entities were found.
    mutating func note(_ form: ValueForm?, of matches: ArraySlice<EntityMatch>) {
        for match in matches { forms.note(form, match.entity) }
    }

    /// Counts a value: under its entity if it is one as a whole, else once for each entity inside.
    mutating func count(_ matches: ArraySlice<EntityMatch>, isWhole: Bool) {
        if isWhole {
            wholes[Int(matches[0].entity.rawValue)] &+= 1
            return
        }
        for (index, match) in matches.enumerated()
        where !matches[..<index].contains(where: { $0.entity == match.entity }) {
            inside[Int(match.entity.rawValue)] &+= 1
        }
    }

    /// Adds the counts to the evidence.
    func add(to evidence: inout ColumnEvidence, column: Int) {
        evidence.values[column] = values
        if !forms.isEmpty { evidence.alike[column] = forms.counts }
        for entity in Entity.allCases {
            let (whole, part) = (wholes[Int(entity.rawValue)], inside[Int(entity.rawValue)])
            if whole > 0 { evidence.wholes[column, default: [:]][entity] = whole }
            if part > 0 { evidence.inside[column, default: [:]][entity] = part }
        }
    }
}
