import Tabular

extension SchemaLoader {
    /// Reads the settings of `date-shift` and `generalize`, and checks that the field's type has the part to keep.
    ///
    /// - Parameters:
    ///   - settings: the `pii:` mapping.
    ///   - field: the field.
    ///   - rule: gets the settings.
    func loadCoarse(_ settings: SettingReader, _ field: Field, into rule: inout PIIRule) throws(SchemaError) {
        let cursor = settings.cursor
        let isDate: Bool =
            switch field.type {
            case .date, .datetime, .string, .any: true
            default: false
            }
        if rule.operation == .dateShift || rule.operation == .generalize, rule.scan {
            throw cursor.error(
                .inconsistent,
                "operator \(rule.operation.rawValue) is for a whole column; name its entity instead of scan",
                atKey: true)
        }
        if rule.operation == .dateShift, !isDate {
            throw cursor.error(.inconsistent, "operator date-shift needs a field of type date or datetime", atKey: true)
        }
        if rule.operation == .dateShift { try requireParts(["Yy", "mbB", "d"], of: field, cursor, "date-shift") }
        guard rule.operation == .generalize else { return }
        rule.part = try settings.choice("to", PIIRule.Part.self, what: "part")
        rule.bucket = try settings.number("bucket")
        guard (rule.part == nil) != (rule.bucket == nil) else {
            throw cursor.error(
                .missing, "operator generalize needs to: year, month or country, or bucket: with a width", atKey: true)
        }
        if rule.bucket != nil, !field.isNumeric {
            throw cursor.error(.inconsistent, "bucket needs a field of type integer or number", atKey: true)
        }
        if let bucket = rule.bucket, field.type == .integer, bucket != bucket.rounded() {
            throw (cursor["bucket"] ?? cursor).error(
                .inconsistent, "the bucket of an integer field is a whole number: its edges are values of the field")
        }
        if rule.part == .country, !["PHONE_NUMBER", "IBAN_CODE"].contains(rule.entity ?? "") {
            throw cursor.error(.inconsistent, "to: country needs entity PHONE_NUMBER or IBAN_CODE", atKey: true)
        }
        if rule.part == .year || rule.part == .month, !isDate {
            throw cursor.error(.inconsistent, "to: year and month need a field of type date or datetime", atKey: true)
        }
        if rule.part == .year { try requireParts(["Yy"], of: field, cursor, "to: year") }
        if rule.part == .month { try requireParts(["Yy", "mbB"], of: field, cursor, "to: month") }
    }

    /// Refuses an operator on dates whose format lacks the parts that it works with.
    private func requireParts(
        _ parts: [String], of field: Field, _ cursor: Cursor, _ what: String
    ) throws(SchemaError) {
        let pattern: String
        switch field.type {
        case .date(.pattern(let text)), .datetime(.pattern(let text)): pattern = text
        default: return
        }
        var (directives, isDirective) = ("", false)
        for scalar in pattern.unicodeScalars {
            if isDirective { directives.unicodeScalars.append(scalar) }
            isDirective = !isDirective && scalar == "%"
        }
        guard let missing = parts.first(where: { !directives.contains(where: $0.contains) }) else { return }
        throw cursor.error(
            .inconsistent,
            "\(what) needs \(listed(missing.map { "%\($0)" })) in the field's format, which is \(quoted(pattern)); choose another "
                + "operator", atKey: true)
    }
}
