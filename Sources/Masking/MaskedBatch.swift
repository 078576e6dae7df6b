package import Cryptography
package import Recognition
package import Schemas
package import Screening
package import Sketches
package import Tabular
import Validating

/// Released rows with personal data masked, in the batch's own format; only this room can make one.
package struct MaskedBatch: Sendable {
    /// The rows, each with its line end. Cells that were not touched are the source's bytes, unless the source is in a dialect
    /// that is not RFC 4180: then all are written anew.
    package let text: [UInt8]
    /// Rows in `text`.
    package let rows: Int
    /// What was masked.
    package let receipts: [MaskReceipt: Int]
    /// For each row, hashes of what its quasi-identifiers are after masking, and of the label; empty when the contract names none.
    package let classKeys: [(identity: UInt64, sensitive: UInt32)]

    fileprivate init(
        text: [UInt8], rows: Int, receipts: [MaskReceipt: Int], classKeys: [(identity: UInt64, sensitive: UInt32)]
    ) {
        self.classKeys = classKeys
        self.text = text
        self.rows = rows
        self.receipts = receipts
    }
}

/// Masks the released rows of screened blocks: the contract's rules made ready.
package struct Masker: Sendable {
    private final class ColumnRule: Sendable {
        let field: Int
        let column: Int
        let entity: String
        let operation: ValueOperator
        let kind: MaskOperator
        /// Whether it changes what was found in a value rather than the value.
        let isScanned: Bool
        let key: SecretKey?
        /// Whether an encrypted value is different each time, and whether each subject has a key of its own.
        let isRandom: Bool, isPerSubject: Bool
        let missing: [[UInt8]]
        /// Whether what it writes for a number is a number.
        var keepsNumbers: Bool { kind == .generalize }
        /// Whether it asks for the row's subject.
        var needsSubject: Bool { kind == .dateShift || isPerSubject }

        init(
            field: Int, column: Int, entity: String, operation: ValueOperator, kind: MaskOperator,
            isScanned: Bool, key: SecretKey?, missing: [[UInt8]], isRandom: Bool = false,
            isPerSubject: Bool = false
        ) {
            self.isRandom = isRandom
            self.isPerSubject = isPerSubject
            self.field = field
            self.column = column
            self.entity = entity
            self.operation = operation
            self.kind = kind
            self.isScanned = isScanned
            self.key = key
            self.missing = missing
        }
    }

    private let rules: [ColumnRule]
    /// The column whose value says whom a row is about.
    private let subjectColumn: Int?
    private let subjectMissing: [[UInt8]]
    /// Columns that together may tell a person, and the one whose value nobody should learn of her: the label.
    private let quasiIdentifiers: [Int], sensitive: Int?
    private let hash: KeyedHash
    /// Rules for what the contract does not speak of, by column; used in blocks in which some was found.
    private let undeclared: [Int: ColumnRule]
    private let dropped: [Int]
    private let droppedEntities: [Int: String]
    /// How many columns are dropped before the first that stays.
    private let leading: Int
    private let delimiter: UInt8
    /// Whether rows are written anew, since their bytes are neither RFC 4180 nor JSON objects.
    private let rewrites: Bool
    /// The columns' names as keys of JSON, with the colon.
    private let members: [[UInt8]]
    private let format: SourceFormat
    private let dropsExtras: Bool
    /// The column that says what was masked where, when the contract asks for it.
    private let spanColumn: SpanColumn?
    /// The header of a shard, with its line end; empty for JSON Lines.
    package let header: [UInt8]

    /// Makes the rules of a contract ready for one layout.
    ///
    /// - Parameter hash: for telling rows apart by their quasi-identifiers.
    /// - Parameter kinds: columns that hold personal data and are not declared: all their values are replaced by the entity's name.
    /// - Throws: when a token key is missing: there is no unkeyed hash to fall back to.
    package init(
        _ schema: Schema, layout: Layout, dialect: Dialect = Dialect(), keys: [String: SecretKey], hash: KeyedHash,
        kinds: [Int: Entity] = [:]
    ) throws(UnusableMask) {
        self.hash = hash
        func columns(_ role: FieldRole) -> [Int] {
            schema.fields.indices.filter { schema.fields[$0].role == role && schema.fields[$0].pii?.operation != .drop }
                .map { layout.columnOfField[$0] }.filter { $0 >= 0 }
        }
        quasiIdentifiers = columns(.quasiIdentifier)
        sensitive = columns(.label).first
        let subject = schema.fields.firstIndex { $0.role == .subject }.map { layout.columnOfField[$0] }
        subjectColumn = subject.flatMap { $0 >= 0 ? $0 : nil }
        subjectMissing =
            schema.fields.firstIndex { $0.role == .subject }.map { schema.missingValues(of: $0).map { Array($0.utf8) } }
            ?? []
        var rules: [ColumnRule] = []
        var dropped: [Int] = []
        var droppedEntities: [Int: String] = [:]
        for (index, field) in schema.fields.enumerated() {
            let column = layout.columnOfField[index]
            guard let pii = field.pii, column >= 0 else { continue }
            if pii.operation == .drop {
                dropped.append(column)
                droppedEntities[column] = pii.entity ?? ""
            } else {
                rules.append(try Self.rule(field, index, column, pii, schema, keys, hasSubject: subjectColumn != nil))
            }
        }
        dropped += layout.dropped
        if schema.unknownFields == .drop {
            dropped += layout.fieldOfColumn.indices.filter {
                layout.fieldOfColumn[$0] < 0 && !layout.dropped.contains($0)
            }
        }
        var undeclared: [Int: ColumnRule] = [:]
        for (column, field) in layout.fieldOfColumn.enumerated() where !dropped.contains(column) {
            if field >= 0, schema.fields[field].pii != nil { continue }
            let kind = kinds[column]
            let rule = ColumnRule(
                field: field, column: column, entity: kind?.name ?? "", operation: ValueOperator(PIIRule()),
                kind: .replace,
                isScanned: kind == nil, key: nil,
                missing: field >= 0 ? schema.missingValues(of: field).map { Array($0.utf8) } : [[]])
            if kind != nil { rules.append(rule) } else { undeclared[column] = rule }
        }
        self.undeclared = undeclared
        self.rules = rules.sorted { $0.column < $1.column }
        self.dropped = dropped.sorted()
        self.droppedEntities = droppedEntities
        leading = zip(self.dropped, 0...).count { $0 == $1 }
        guard layout.format == .jsonl || dropped.count < layout.columns.count else {
            throw UnusableMask(reason: "every column of the file is dropped, so that nothing is left to release")
        }
        delimiter = dialect.isVerbatim ? dialect.delimiter : 0x2C
        rewrites = layout.format == .csv ? !dialect.isVerbatim : dialect.hasArrayItems
        members = layout.columns.map { name in
            var key: [UInt8] = []
            appendJSONString(Array(name.utf8), &key)
            return key + [0x3A]
        }
        format = layout.format
        dropsExtras = schema.unknownFields == .drop
        spanColumn = try SpanColumn(schema, layout, delimiter: layout.format == .csv ? delimiter : nil)
        header = Self.header(layout, without: Set(dropped), delimiter, spanColumn)
    }

    /// The rule of a field, with its key.
    private static func rule(
        _ field: Field, _ index: Int, _ column: Int, _ pii: PIIRule, _ schema: Schema, _ keys: [String: SecretKey],
        hasSubject: Bool
    ) throws(UnusableMask) -> ColumnRule {
        if pii.operation == .dateShift || pii.isPerSubject, !hasSubject {
            throw UnusableMask(
                reason:
                    "field \(field.name): \(pii.operation.rawValue) asks whom a row is about, and the file has no field with "
                    + "role: subject")
        }
        if let name = pii.key, keys[name] == nil {
            throw UnusableMask(
                reason:
                    "field \(field.name) needs the key \(name) for \(pii.operation.rawValue), which is not in the store; "
                    + "make it with: sluice keys generate --kind token --name \(name)")
        }
        return ColumnRule(
            field: index, column: column, entity: pii.entity ?? "", operation: ValueOperator(pii, of: field),
            kind: pii.operation,
            isScanned: pii.scan, key: pii.key.flatMap { keys[$0] },
            missing: schema.missingValues(of: index).map { Array($0.utf8) }, isRandom: pii.isRandom,
            isPerSubject: pii.isPerSubject)
    }

    private static func header(
        _ layout: Layout, without dropped: Set<Int>, _ delimiter: UInt8, _ spans: SpanColumn?
    ) -> [UInt8] {
        if layout.header.isEmpty || dropped.isEmpty && spans == nil || layout.format == .jsonl { return layout.header }
        var out: [UInt8] = []
        for (column, name) in layout.columns.enumerated() where !dropped.contains(column) {
            if !out.isEmpty { out.append(delimiter) }
            appendCSV(Array(name.utf8), wasQuoted: false, delimiter, &out)
        }
        if let spans { out += [delimiter] + spans.label }
        return out + [0x0A]
    }

    /// A range of the patch bytes; negative for a cell that stays.
    private struct Piece {
        var start: Int32
        var end: Int32
    }

    /// One replacement of source text.
    private struct Edit {
        var start: Int
        var end: Int
        var text: Piece
        /// A JSON member that goes with its comma.
        var removesMember = false
    }

    /// Masks and writes the released rows of a block.
    package func mask(_ screened: ScreenedBatch) -> MaskedBatch {
        let batch = screened.batch
        let (count, width) = (batch.count, batch.width)
        // Asked of each cell of each masked column, so it is worked out once.
        let released = screened.outcomes.map(\.isReleased)
        let found = byColumn(screened.sightings)
        let rules = rules(of: found)
        var work = Work(
            pieces: [Piece](repeating: Piece(start: -1, end: -1), count: rules.count * count),
            spans: [[MaskedSpan]](repeating: [], count: spanColumn == nil ? 0 : count))
        for (index, rule) in rules.enumerated() {
            let sightings = rule.isScanned ? screened.sightings[found[rule.column] ?? 0..<0] : []
            replace(batch, released, rule, sightings, index, &work)
        }
        var receipts = work.receipts.filter { $0.value > 0 }
        let (patch, patches) = (work.patch, work.pieces)
        let columns = rules.map(\.column)
        let removes =
            !dropped.isEmpty || !screened.sightedExtras.isEmpty || batch.extras.contains { dropsExtras || $0.isLeftOut }
        let sightedExtras = Set(screened.sightedExtras)
        for extra in sightedExtras where released[batch.extras[extra].row] {
            receipts[MaskReceipt(field: -1, entity: "", operation: .drop), default: 0] += 1
        }
        let isUnordered = format == .jsonl
        for column in dropped where batch.layout.fieldOfColumn[column] >= 0 {
            let field = batch.layout.fieldOfColumn[column]
            let removed = screened.outcomes.indices.count { row in
                screened.outcomes[row].isReleased && !batch.cells[row &* width &+ column].isAbsent
            }
            if removed == 0 { continue }
            receipts[MaskReceipt(field: field, entity: droppedEntities[column] ?? "", operation: .drop)] = removed
        }
        var out: [UInt8] = []
        out.reserveCapacity(batch.bytes.count + patch.count / 2 + 64)
        var rows = 0
        var classKeys: [(identity: UInt64, sensitive: UInt32)] = []
        var edits: [Edit] = []
        var extra = 0
        for row in 0..<batch.count {
            edits.removeAll(keepingCapacity: true)
            while extra < batch.extras.count, batch.extras[extra].row < row { extra += 1 }
            guard released[row] else { continue }
            if !quasiIdentifiers.isEmpty { classify(batch, row, columns, patches, patch, &classKeys) }
            for index in columns.indices {
                let text = patches[index &* count &+ row]
                if text.start < 0 { continue }
                let cell = batch.cells[row &* width &+ columns[index]]
                edits.append(Edit(start: Int(cell.rawStart), end: cell.rawEnd, text: text))
            }
            if removes, !rewrites { removals(batch, row, extra, sightedExtras, &edits) }
            if isUnordered, !edits.isEmpty { order(&edits) }
            let rowStart = out.count
            if rewrites {
                rewrite(batch, row, columns, patches, patch, &out)
            } else {
                write(batch, row, edits, patch, &out)
            }
            if let spanColumn {
                spanColumn.append(work.spans[row], rowStart: rowStart, to: &out)
            } else if out.count == rowStart {
                // An empty line would be read as no row at all.
                out.append(contentsOf: [0x22, 0x22])
            }
            out.append(0x0A)
            rows += 1
        }
        return MaskedBatch(text: out, rows: rows, receipts: receipts, classKeys: classKeys)
    }

    /// Adds a row to the class of its quasi-identifiers, as they leave the gate.
    private func classify(
        _ batch: Batch, _ row: Int, _ columns: [Int], _ patches: [Piece], _ patch: [UInt8],
        _ keys: inout [(identity: UInt64, sensitive: UInt32)]
    ) {
        var state = Hash128(high: 0, low: 0)
        func value(_ column: Int) -> Hash128 {
            if let rule = columns.firstIndex(of: column) {
                let text = patches[rule * batch.count + row]
                if text.start >= 0 { return hash.hash(patch.span, Int(text.start)..<Int(text.end), state: state) }
            }
            return hash.hash(batch.bytes.span, batch.cells[row * batch.width + column].range, state: state)
        }
        for column in quasiIdentifiers { state = value(column) }
        let key = state.high
        state = Hash128(high: 0, low: 0)
        keys.append((key, sensitive.map { UInt32(truncatingIfNeeded: value($0).high) } ?? 0))
    }

    /// Where the sightings of each column stand: they come by column.
    private func byColumn(_ sightings: [Sighting]) -> [Int: Range<Int>] {
        var found: [Int: Range<Int>] = [:]
        var start = 0
        while start < sightings.count {
            let column = sightings[start].column
            var end = start + 1
            while end < sightings.count, sightings[end].column == column { end += 1 }
            found[column] = start..<end
            start = end
        }
        return found
    }

    /// The rules that a block needs: the contract's, and those of columns in which undeclared personal data was found.
    private func rules(of found: [Int: Range<Int>]) -> [ColumnRule] {
        let more = found.keys.compactMap { undeclared[$0] }
        return more.isEmpty ? rules : (rules + more).sorted { $0.column < $1.column }
    }

    /// What masking a block has made so far.
    private struct Work {
        /// Source text of replaced cells.
        var patch: [UInt8] = []
        /// Rules × rows: where in `patch` each cell's text is; negative where a cell stays.
        var pieces: [Piece]
        var receipts: [MaskReceipt: Int] = [:]
        /// What was masked in each row; empty when nobody asks.
        var spans: [[MaskedSpan]]
    }

    /// The new source text of the cells of the rule at `index`.
    private func replace(
        _ batch: Batch, _ released: [Bool], _ rule: ColumnRule, _ sightings: ArraySlice<Sighting>, _ index: Int,
        _ work: inout Work
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let (width, column, missing) = (batch.width, rule.column, rule.missing)
        let base = index * batch.count
        let onlyEmptyIsMissing = missing == [[]]
        // One keyed context for the whole column: keying costs as much as hashing a short value.
        let keys = rule.key.map { ColumnKeys($0, rule.kind, isRandom: rule.isRandom, isPerSubject: rule.isPerSubject) }
        func code(_ text: Span<UInt8>) -> [UInt8] { keys?.code(of: text) ?? [] }
        func meet(_ row: Int) {
            guard rule.needsSubject, let keys, let subjectColumn else { return }
            let cell = cells[row &* width &+ subjectColumn]
            let isNobody = cell.isNothing || isMissing(cell, bytes, subjectMissing)
            keys.subject = isNobody ? nil : cell.range.map { bytes[$0] }
        }
        if rule.isScanned {
            // A number, or the source of an object, is searched like text; what is found makes it a string.
            var rest = sightings
            while let row = rest.first?.row {
                let here = rest.prefix { $0.row == row }
                rest = rest.dropFirst(here.count)
                let cell = cells[row &* width &+ column]
                guard released[row], onlyEmptyIsMissing || !isMissing(cell, bytes, missing) else { continue }
                meet(row)
                work.pieces[base + row] = replaceFound(bytes, cell, here.map(\.match), row, rule, code, &work)
            }
            return
        }
        let isConstant = rule.kind == .replace || rule.kind == .redact
        var constants = [Piece?](repeating: nil, count: 2)
        var value: [UInt8] = []
        // Values that the operator could do nothing with are counted as what they became.
        var (touched, replaced) = (0, 0)
        for row in 0..<batch.count where released[row] {
            let cell = cells[row &* width &+ column]
            if cell.isNothing || cell.start == cell.end { continue }
            if !onlyEmptyIsMissing, isMissing(cell, bytes, missing) { continue }
            var done = rule.kind
            if isConstant, let same = constants[cell.isQuoted ? 1 : 0] {
                work.pieces[base + row] = same
            } else {
                value.removeAll(keepingCapacity: true)
                meet(row)
                done = rule.operation.apply(
                    bytes, cell.range, entity: rule.entity, isNative: cell.isNumber, into: &value, code: code)
                let piece = written(value, rule, cell, &work.patch)
                work.pieces[base + row] = piece
                if isConstant { constants[cell.isQuoted ? 1 : 0] = piece }
            }
            if done == rule.kind { touched += 1 } else { replaced += 1 }
            if !work.spans.isEmpty { note([(rule.entity, 0..<value.count, done)], in: value, row, rule, &work) }
        }
        for (kind, count) in [(rule.kind, touched), (.replace, replaced)] where count > 0 {
            work.receipts[MaskReceipt(field: rule.field, entity: rule.entity, operation: kind), default: 0] += count
        }
    }

    /// The new source text of a cell in which something was found.
    private func replaceFound(
        _ bytes: Span<UInt8>, _ cell: Cell, _ matches: [EntityMatch], _ row: Int, _ rule: ColumnRule,
        _ code: (Span<UInt8>) -> [UInt8], _ work: inout Work
    ) -> Piece {
        for match in matches {
            let receipt = MaskReceipt(field: rule.field, entity: match.entity.name, operation: rule.kind)
            work.receipts[receipt, default: 0] += 1
        }
        var placed: [(entity: String, range: Range<Int>, done: MaskOperator)] = []
        func place(_ match: EntityMatch, _ range: Range<Int>, _ done: MaskOperator) {
            placed.append((match.entity.name, range, done))
        }
        defer {
            for (entity, _, done) in placed where done != rule.kind {
                work.receipts[MaskReceipt(field: rule.field, entity: entity, operation: rule.kind), default: 0] -= 1
                work.receipts[MaskReceipt(field: rule.field, entity: entity, operation: done), default: 0] += 1
            }
        }
        // Letters that were escaped are written as they are; what must be escaped in a string still is.
        let isDocument = cell.isNested || isJSONText(bytes, cell.range)
        let plain = isDocument ? unescapedJSON(bytes, cell.range) : nil
        if isDocument,
            let text = plain.map({ maskedJSON($0.span, 0..<$0.count, matches, rule.operation, code, note: place) })
                ?? maskedJSON(bytes, cell.range, matches, rule.operation, code, note: place)
        {
            note(placed, in: text, row, rule, &work)
            if !cell.isNested { return written(text, rule, cell, &work.patch) }
            work.patch += text
            return Piece(start: Int32(work.patch.count - text.count), end: Int32(work.patch.count))
        }
        placed = []
        var value: [UInt8] = []
        if let plain {
            rule.operation.apply(plain.span, 0..<plain.count, matches: matches, into: &value, code: code, note: place)
        } else {
            rule.operation.apply(bytes, cell.range, matches: matches, into: &value, code: code, note: place)
        }
        note(placed, in: value, row, rule, &work)
        return written(value, rule, cell, &work.patch)
    }

    /// Keeps what was masked in a value, when somebody asks.
    private func note(
        _ placed: [(entity: String, range: Range<Int>, done: MaskOperator)], in value: [UInt8], _ row: Int,
        _ rule: ColumnRule,
        _ work: inout Work
    ) {
        if work.spans.isEmpty { return }
        work.spans[row] += zip(placed, SpanColumn.scalars(value, placed.map(\.range))).map { place, range in
            MaskedSpan(column: rule.column, range: range, entity: place.entity, operation: place.done)
        }
    }

    /// Writes a value as a cell of the batch's format.
    private func written(_ value: [UInt8], _ rule: ColumnRule, _ cell: Cell, _ patch: inout [UInt8]) -> Piece {
        let start = patch.count
        if format == .csv {
            appendCSV(value, wasQuoted: cell.isQuoted, delimiter, &patch)
        } else if rule.keepsNumbers, !cell.isText, value.first.map({ $0 != UInt8(ascii: "<") }) ?? false {
            patch += value
        } else if rule.kind == .redact, !rule.isScanned {
            patch.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
        } else {
            appendJSONString(value, &patch)
        }
        return Piece(start: Int32(start), end: Int32(patch.count))
    }

    private func isMissing(_ cell: Cell, _ bytes: Span<UInt8>, _ missing: [[UInt8]]) -> Bool {
        let range = cell.range
        if range.isEmpty { return true }
        // As the contract's check has it: only text can be a missing value.
        if !cell.isText { return false }
        for token in missing where token.count == range.count {
            if token.indices.allSatisfy({ bytes[range.lowerBound + $0] == token[$0] }) { return true }
        }
        return false
    }

    /// The edits that leave dropped columns and unknown members out.
    private func removals(_ batch: Batch, _ row: Int, _ firstExtra: Int, _ sighted: Set<Int>, _ edits: inout [Edit]) {
        if format == .csv {
            for column in dropped {
                let cell = batch.cells[row * batch.width + column]
                // The delimiter that goes is the one before, unless no column before it is kept.
                let isLeading = column < leading
                edits.append(
                    Edit(
                        start: Int(cell.rawStart) - (isLeading ? 0 : 1), end: cell.rawEnd + (isLeading ? 1 : 0),
                        text: Piece(start: 0, end: 0)))
            }
        } else {
            for column in dropped {
                let cell = batch.cells[row * batch.width + column]
                if cell.isAbsent { continue }
                let start = keyStart(batch.bytes.span, before: Int(cell.rawStart))
                edits.append(Edit(start: start, end: cell.rawEnd, text: Piece(start: 0, end: 0), removesMember: true))
            }
            var index = firstExtra
            while index < batch.extras.count, batch.extras[index].row == row {
                let extra = batch.extras[index]
                if dropsExtras || extra.isLeftOut || sighted.contains(index) {
                    edits.append(
                        Edit(start: extra.start, end: extra.end, text: Piece(start: 0, end: 0), removesMember: true))
                }
                index += 1
            }
        }
        order(&edits)
    }

    /// Puts edits in source order: members of an object may come in any.
    private func order(_ edits: inout [Edit]) {
        var isOrdered = true
        for index in edits.indices.dropFirst() where edits[index].start < edits[index - 1].start { isOrdered = false }
        if !isOrdered { edits.sort { $0.start < $1.start } }
    }

    /// The opening quote of the key before a value of a well-formed object.
    private func keyStart(_ bytes: Span<UInt8>, before value: Int) -> Int {
        var at = value - 1
        while bytes[at] != 0x3A { at -= 1 }
        while bytes[at] != 0x22 { at -= 1 }
        at -= 1
        while true {
            while bytes[at] != 0x22 { at -= 1 }
            var slashes = 0
            while bytes[at - 1 - slashes] == 0x5C { slashes += 1 }
            if slashes % 2 == 0 { return at }
            at -= 1
        }
    }

    /// Writes a row as RFC 4180 or as a JSON object, whatever it was.
    private func rewrite(
        _ batch: Batch, _ row: Int, _ columns: [Int], _ patches: [Piece], _ patch: [UInt8], _ out: inout [UInt8]
    ) {
        let isCSV = format == .csv
        var isFirst = true
        var rule = 0
        var gone = 0
        if !isCSV { out.append(0x7B) }
        for column in 0..<batch.width {
            while rule < columns.count, columns[rule] < column { rule += 1 }
            while gone < dropped.count, dropped[gone] < column { gone += 1 }
            if gone < dropped.count, dropped[gone] == column { continue }
            if !isFirst { out.append(isCSV ? delimiter : 0x2C) }
            isFirst = false
            if !isCSV { out.append(contentsOf: members[column]) }
            if rule < columns.count, columns[rule] == column {
                let text = patches[rule * batch.count + row]
                if text.start >= 0 {
                    out.append(contentsOf: patch[Int(text.start)..<Int(text.end)])
                    continue
                }
            }
            let cell = batch.cells[row * batch.width + column]
            if !isCSV {
                out.append(contentsOf: batch.bytes[Int(cell.rawStart)..<cell.rawEnd])
            } else if !cell.isNothing {
                appendCSV(Array(batch.bytes[cell.range]), wasQuoted: cell.isQuoted, delimiter, &out)
            }
        }
        if !isCSV { out.append(0x7D) }
    }

    private func write(_ batch: Batch, _ row: Int, _ edits: [Edit], _ patch: [UInt8], _ out: inout [UInt8]) {
        let record = batch.records[row]
        let rowStart = out.count
        var at = Int(record.start)
        for edit in edits {
            out.append(contentsOf: batch.bytes[at..<edit.start])
            at = edit.end
            if edit.removesMember {
                var next = at
                while isSpace(batch.bytes[next]) { next += 1 }
                if batch.bytes[next] == 0x2C {
                    at = next + 1
                } else {
                    while let last = out.last, out.count > rowStart, isSpace(last) { out.removeLast() }
                    if out.count > rowStart, out.last == 0x2C { out.removeLast() }
                }
            } else {
                out.append(contentsOf: patch[Int(edit.text.start)..<Int(edit.text.end)])
            }
        }
        out.append(contentsOf: batch.bytes[at..<Int(record.end)])
    }
}

/// White space inside a JSON line.
private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
