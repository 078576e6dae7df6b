package import Recognition
package import Schemas
import Tabular

/// Personal data in one cell of a block.
package struct Sighting: Sendable, Equatable {
    /// The column of the layout.
    package var column: Int
    /// Row of the block.
    package var row: Int
    /// What, and where in the block's bytes; in an object or array with escapes, where in its text without them.
    package var match: EntityMatch
    /// Whether it is the latter.
    package var isUnescaped: Bool
    /// Whether no contract speaks of it: what happens then is `undeclaredPii`'s to say.
    package var isUndeclared: Bool
}

/// How one column is searched.
struct ColumnSearch: Sendable {
    let field: Int
    private(set) var scanner: TextScanner
    /// The user's own list of names.
    let names: NameList?
    /// What undeclared personal data does; nil where a rule of the contract says what is done.
    let undeclared: UndeclaredPII?
    /// What a credential does.
    let secrets: Outcome
    /// Whether a row with anything of the kind is kept back, and the entity of the whole column, where it is one.
    let suppresses: Bool
    /// Whether values tell rows apart: then chance hits must not make them alike, and only the column as a whole is judged.
    let isKey: Bool
    let whole: String?
    /// Whether its numbers are most likely those of something else.
    var isOfThings: Bool { scanner.isOfThings || isKey }

    /// Whether its name speaks of an entity.
    func isCalled(_ entity: Entity) -> Bool { scanner.isNamed(entity) }

    /// Whether values are numbers: of these only whole ones can be anything, and only with so many digits.
    let isNumeric: Bool
    let digitsMin: Int

    /// How a field is searched; nil when it is not.
    init?(_ schema: Schema, _ index: Int) {
        let own = schema.fields[index]
        let policy = own.undeclaredPII ?? schema.undeclaredPII
        let mayHold: Bool
        switch own.type {
        // What passes their checks is nothing else, but for a date that is somebody's.
        case .date, .datetime: mayHold = TextScanner.isCalled(.dateOfBirth, own.name)
        case .boolean, .time, .year, .yearmonth, .duration: mayHold = false
        default: mayHold = true
        }
        secrets = mayHold ? own.secrets ?? schema.secrets : .accepted
        isKey =
            own.role == .key || own.role == .subject || own.constraints.unique || schema.primaryKey.contains(own.name)
            || schema.uniqueKeys.contains { $0.contains(own.name) }
        field = index
        // Who calls a field a quasi-identifier knows what it holds, and keeps it on purpose.
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
            scanner = Self.scanner(undeclared, own.name, secrets, schema)
        }
        isNumeric = own.isNumeric
        if isNumeric { scanner.isNumber = true }
        digitsMin = TextScanner.isCalledAny(own.name) ? 1 : 7
    }

    /// How a column is searched that the contract does not name.
    init?(unknown name: String, _ schema: Schema) {
        undeclared = schema.undeclaredPII == .allow ? nil : schema.undeclaredPII
        secrets = schema.secrets
        field = -1
        isKey = false
        (isNumeric, digitsMin) = (false, 1)
        suppresses = false
        whole = nil
        names = nil
        guard undeclared != nil || secrets != .accepted else { return nil }
        scanner = Self.scanner(undeclared, name, secrets, schema)
        // Nobody said whether it is text or counts something.
        scanner.isNumber = true
    }

    /// The same rule as for what somebody asked for.
    private static func scanner(
        _ undeclared: UndeclaredPII?, _ name: String, _ secrets: Outcome, _ schema: Schema
    ) -> TextScanner {
        TextScanner(
            entities: undeclared == nil ? [] : Entity.usual, columnName: name, secrets: secrets != .accepted,
            thresholds: schema.personalData.thresholds)
    }
}

/// What one search of a block found.
struct SearchResult {
    var sightings: [Sighting] = []
    var evidence = ColumnEvidence()
    /// Whether anything was seen in a row.
    var isSighted: [Bool]
    /// Extras with personal data, as places in `Batch.extras`.
    var extras: [Int] = []
    /// What was remarked on extras: row, code and kind.
    var told: Set<String> = []
}

extension Validator {
    /// What undeclared personal data does in a field (-1 for columns that the contract does not name); nil where it is declared, or
    /// nobody looks.
    package func undeclaredPolicy(ofField field: Int) -> UndeclaredPII? {
        guard field >= 0 else { return unknownSearch?.undeclared }
        // A key that is masked joins nothing any more: such a batch waits until somebody declares it.
        if let own = searches[field], own.isKey, own.undeclared == .mask { return .quarantine }
        return searches[field]?.undeclared
    }

    /// Whether a field's values tell rows apart.
    package func isKey(_ field: Int) -> Bool { searches[field]?.isKey ?? false }

    /// Looks for personal data and credentials, each text once.
    ///
    /// - Parameter sighted: rows in which the first pass saw something; nil when this is the first.
    func search(
        _ batch: Batch, sighted: [Bool]?, _ findings: inout [Finding], _ isSound: inout [Bool]
    ) -> SearchResult {
        var result = SearchResult(isSighted: [Bool](repeating: false, count: batch.count))
        let rows = (0..<batch.count).filter { batch.isWellFormed[$0] && sighted?[$0] ?? true }
        if rows.isEmpty || searches.isEmpty && unknownSearch == nil { return result }
        let bytes = batch.bytes.span
        let anchors = AnchorMap(bytes, 0..<bytes.count)
        let hasEscapes = AnchorMap.holds(0x5C, in: bytes)
        var members = MemberNames()
        for column in batch.layout.columns.indices {
            let field = batch.layout.fieldOfColumn[column]
            let own: ColumnSearch?
            if field >= 0 {
                own = searches[field]
            } else {
                let isDropped = schema.unknownFields == .drop || batch.layout.dropped.contains(column)
                own = isDropped ? nil : ColumnSearch(unknown: batch.layout.columns[column], schema)
            }
            guard let own else { continue }
            search(batch, column, own, rows, anchors, hasEscapes, &result, &findings, &isSound)
        }
        if let own = unknownSearch, schema.unknownFields == .keep {
            for (index, extra) in batch.extras.enumerated()
            where batch.isWellFormed[extra.row] && sighted?[extra.row] ?? true {
                var matches: [EntityMatch] = []
                let range = extra.start..<extra.end
                let secret = own.find(
                    inDocument: bytes, range, unescapedJSON(bytes, range), anchors, &members, into: &matches)
                if !matches.isEmpty { result.extras.append(index) }
                note(batch, extra.row, own, secret, matches[...], &result, &findings, &isSound)
            }
        }
        return result
    }

    private func search(
        _ batch: Batch, _ column: Int, _ own: ColumnSearch, _ rows: [Int], _ anchors: borrowing AnchorMap,
        _ hasEscapes: Bool, _ result: inout SearchResult, _ findings: inout [Finding], _ isSound: inout [Bool]
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        var members = MemberNames()
        var matches: [EntityMatch] = []
        var (values, forms) = (0, FormCounts())
        let passed = corrections[column] ?? []
        var (wholes, inside) = ([Int](repeating: 0, count: Entity.count), [Int](repeating: 0, count: Entity.count))
        for row in rows {
            let cell = cells[row &* batch.width &+ column]
            let range = cell.range
            if let whole = own.whole, !checks[own.field].isMissing(cell, bytes) {
                var finding = batch.finding(.suppressedRow, outcome: .quarantined, at: row, field: own.field)
                finding.rule = whole
                findings.append(finding)
                result.isSighted[row] = true
            }
            if range.isEmpty { continue }
            values &+= 1
            let secret: SecretKind?
            var whole = range
            if !matches.isEmpty { matches.removeAll(keepingCapacity: true) }
            let isDocument = cell.isNested || isJSONText(bytes, range)
            let unescaped = isDocument ? unescapedJSON(bytes, range) : nil
            if isDocument {
                if let unescaped { whole = 0..<unescaped.count }
                secret = own.find(inDocument: bytes, range, unescaped, anchors, &members, into: &matches)
            } else {
                secret = own.find(
                    inValue: bytes, range, isNumber: own.isNumeric || !cell.isText, hasEscapes, anchors, into: &matches)
            }
            if !passed.isEmpty { matches.removeAll { passed.contains($0.entity) } }
            if matches.isEmpty, secret == nil { continue }
            if !own.isKey || own.undeclared == nil {
                for match in matches {
                    result.sightings.append(
                        Sighting(
                            column: column, row: row, match: match, isUnescaped: unescaped != nil,
                            isUndeclared: own.undeclared != nil))
                }
            }
            let isWhole = matches.count == 1 && (matches[0].range == whole || matches[0].range == trimmed(bytes, whole))
            if own.undeclared != nil {
                for match in matches { forms.note(ValueForm(bytes, range), match.entity) }
            }
            if isWhole {
                wholes[Int(matches[0].entity.rawValue)] &+= 1
            } else {
                for (index, match) in matches.enumerated()
                where !matches[..<index].contains(where: { $0.entity == match.entity }) {
                    inside[Int(match.entity.rawValue)] &+= 1
                }
            }
            let told = own.isKey && own.undeclared != nil && !isWhole ? [] : matches[...]
            note(batch, row, own, column: column, secret, told, &result, &findings, &isSound)
        }
        result.evidence.values[column] = values
        if !forms.isEmpty {
            for row in rows { forms.count(ValueForm(bytes, cells[row &* batch.width &+ column].range)) }
            result.evidence.alike[column] = forms.counts
        }
        for entity in Entity.allCases {
            let (whole, part) = (wholes[Int(entity.rawValue)], inside[Int(entity.rawValue)])
            if whole > 0 { result.evidence.wholes[column, default: [:]][entity] = whole }
            if part > 0 { result.evidence.inside[column, default: [:]][entity] = part }
        }
    }

    /// Remarks on what was found in one value. Where it is in a column that the contract does not name, its place is told; a member's
    /// name may be anything, so that a row has one remark of a kind for all of them.
    private func note(
        _ batch: Batch, _ row: Int, _ own: ColumnSearch, column: Int? = nil, _ secret: SecretKind?,
        _ matches: ArraySlice<EntityMatch>, _ result: inout SearchResult, _ findings: inout [Finding],
        _ isSound: inout [Bool]
    ) {
        func add(_ code: FindingCode, _ outcome: Outcome, _ rule: String) {
            if outcome == .rejected { isSound[row] = false }
            let place = own.field < 0 ? column.map { "column \($0 + 1): \(rule)" } ?? rule : rule
            if own.field < 0, column == nil, !result.told.insert("\(row) \(code.rawValue) \(rule)").inserted { return }
            var finding = batch.finding(code, outcome: outcome, at: row, field: own.field)
            finding.rule = place
            findings.append(finding)
        }
        if secret != nil || !matches.isEmpty { result.isSighted[row] = true }
        if let secret, own.secrets != .accepted {
            add(.secret, secret == .namedKey ? min(own.secrets, .flagged) : own.secrets, secret.rawValue)
        }
        if own.suppresses, let first = matches.first { add(.suppressedRow, .quarantined, first.entity.name) }
        guard let policy = own.undeclared else { return }
        for index in matches.indices
        where !matches[..<index].contains(where: { $0.entity == matches[index].entity }) {
            let match = matches[index]
            // A key is never changed, since it would join nothing any more: its row is told of.
            add(.undeclaredPII, own.isKey ? min(policy.outcome, .flagged) : policy.outcome, match.entity.name)
        }
    }
}
