package import Cryptography
package import Recognition
package import Schemas
package import Sketches
package import Tabular

/// Masks the released rows of screened blocks with the contract's rules.
package struct Masker: Sendable {
    let rules: [ColumnRule]
    /// The column whose value is the row's subject: the person whom the row is about.
    let subjectColumn: Int?
    let subjectMissing: [[UInt8]]
    /// The label of that column.
    package let subjectLabel: String?
    /// Columns that together may identify a person, and the sensitive one, which is the label.
    let quasiIdentifiers: [Int], sensitive: Int?
    let hash: KeyedHash
    /// Rules for columns without a declared rule, used in blocks in which personal data was found there.
    let undeclared: [Int: ColumnRule]
    let dropped: [Int]
    let droppedEntities: [Int: String]
    /// Number of dropped columns before the first column that is kept.
    let leading: Int
    /// Between the cells of a CSV shard.
    package let delimiter: UInt8
    /// Whether rows are rewritten, since their bytes are neither RFC 4180 nor JSON objects.
    let rewrites: Bool
    /// The columns' names as keys of JSON, with the colon.
    let members: [[UInt8]]
    let format: SourceFormat
    let dropsExtras: Bool
    /// The column that lists the masked spans, if the contract asks for it.
    let spanColumn: SpanColumn?
    /// The salts of subjects with keys of their own; nil derives such a key from the token key alone, as earlier versions did.
    package var salts: (any SubjectSalts)?
    /// Whether a rule gives each subject a key of its own.
    package var hasSubjectKeys: Bool { rules.contains { $0.isPerSubject } }
    /// Whether simple operators write their texts in place; false compares the two ways in tests.
    package var writesPlainValues = true
    /// The header of a shard, with its line end; empty for JSON Lines.
    package let header: [UInt8]
    /// Which fields of the contract the columns of a CSV shard are; nil where each column is a field and has its name.
    package let columnFields: String?

    /// Prepares the rules of a contract for one layout.
    ///
    /// - Parameters:
    ///   - keys: token keys by name.
    ///   - hash: hashes the quasi-identifiers of rows.
    ///   - kinds: undeclared columns of personal data, in which the entity's name replaces all values.
    /// - Throws: if a key is missing, since there is no unkeyed fallback; if an operator needs a subject and the file
    ///   has none; if no column is left.
    package init(
        _ schema: Schema, layout: Layout, dialect: Dialect = Dialect(), keys: [String: SecretKey], hash: KeyedHash,
        kinds: [Int: Entity] = [:]
    ) throws(UnusableMask) {
        self.hash = hash
        func columns(_ role: FieldRole) -> [Int] {
            schema.fields.indices.filter { schema.fields[$0].role == role && schema.fields[$0].pii?.operation != .drop }
                .compactMap { layout.columnOfField[$0] }
        }
        quasiIdentifiers = columns(.quasiIdentifier)
        sensitive = columns(.label).first
        subjectColumn = schema.fields.firstIndex { $0.role == .subject }.flatMap { layout.columnOfField[$0] }
        subjectLabel = subjectColumn.map { layout.columns[$0] }
        subjectMissing =
            schema.fields.firstIndex { $0.role == .subject }.map { schema.missingValues(of: $0).map { Array($0.utf8) } }
            ?? []
        var rules: [ColumnRule] = []
        var dropped: [Int] = []
        var droppedEntities: [Int: String] = [:]
        for (index, field) in schema.fields.enumerated() {
            guard let pii = field.pii, let column = layout.columnOfField[index] else { continue }
            if pii.operation == .drop {
                dropped.append(column)
                droppedEntities[column] = pii.entity ?? ""
            } else {
                if subjectColumn == nil { try Self.refuseSubject(pii, of: field) }
                rules.append(try ColumnRule(pii, of: index, in: schema, column: column, keys: keys))
            }
        }
        dropped += layout.dropped
        if schema.unknownFields == .drop {
            dropped += layout.fieldOfColumn.indices.filter {
                layout.fieldOfColumn[$0] == nil && !layout.dropped.contains($0)
            }
        }
        var undeclared: [Int: ColumnRule] = [:]
        for (column, field) in layout.fieldOfColumn.enumerated() where !dropped.contains(column) {
            if let field, schema.fields[field].pii != nil { continue }
            let kind = kinds[column]
            let rule = ColumnRule(undeclared: kind, field: field, in: schema, column: column)
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
        header = Self.header(layout, without: Set(dropped), delimiter: delimiter, spans: spanColumn)
        columnFields = Self.columnFields(layout, schema, without: Set(dropped), hasSpans: spanColumn != nil)
    }

    /// The fields of a shard's columns, in order: `A+N` are N fields from the one with index A on, `-N` are N columns that
    /// are no field of the contract.
    ///
    /// A reader cannot find this out: labels are compared in several ways, fields go by position, and columns are dropped.
    private static func columnFields(
        _ layout: Layout, _ schema: Schema, without dropped: Set<Int>, hasSpans: Bool
    ) -> String? {
        guard layout.format == .csv else { return nil }
        let kept = layout.columns.indices.filter { !dropped.contains($0) }
        let isPlain = kept.allSatisfy { column in
            layout.fieldOfColumn[column].map {
                schema.fields[$0].name.utf8.elementsEqual(layout.columns[column].utf8)
            } ?? false
        }
        if isPlain, !hasSpans { return nil }
        var runs: [(field: Int?, count: Int)] = []
        for field in kept.map({ layout.fieldOfColumn[$0] }) + (hasSpans ? [nil] : []) {
            if let last = runs.last, field == last.field.map({ $0 + last.count }) {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((field, 1))
            }
        }
        return runs.map { run in run.field.map { "\($0)+\(run.count)" } ?? "-\(run.count)" }.joined(separator: ",")
    }

    /// Refuses a rule that needs the row's subject, which the file does not have.
    private static func refuseSubject(_ pii: PIIRule, of field: Field) throws(UnusableMask) {
        guard pii.operation == .dateShift || pii.isPerSubject else { return }
        throw UnusableMask(
            reason:
                "field \(field.name): \(pii.operation.rawValue) asks whom a row is about, and the file has no field with "
                + "role: subject")
    }

    /// The header of a shard, with its line end.
    private static func header(
        _ layout: Layout, without dropped: Set<Int>, delimiter: UInt8, spans: SpanColumn?
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
}
