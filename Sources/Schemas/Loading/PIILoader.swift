import Recognition
import Tabular

/// The names of personal-data entities in contracts, which follow Presidio's.
package enum Entities {
    /// Names that may be declared for a column, including those that only people can recognise.
    package static let known = Entity.allCases.map(\.name) + ["AGE", "ID"]
    /// Names that can be searched for in text.
    package static let scanned = Entity.allCases.filter { !$0.isListed }.map(\.name)
    /// Names that only a list of names finds.
    static let listed = Entity.allCases.filter(\.isListed).map(\.name)
}

extension SchemaLoader {
    /// Reads `pii:` of a field.
    mutating func loadPII(_ cursor: Cursor, _ field: Field) throws(SchemaError) -> PIIRule {
        guard cursor.value.members != nil else { throw cursor.wrongKind("a mapping with entity: or scan:") }
        var rule = PIIRule()
        // The operator first: if it is unknown, complaints about its keys would mislead.
        if let word = cursor["operator"] { rule.operation = try loadOperator(word) }
        let own = SettingGroup.fieldPII(rule.operation)
        for key in SettingGroup.fieldPII.keys where own[key] == nil {
            guard let stray = cursor[key] else { continue }
            throw stray.error(
                .inconsistent, "\(key) does not belong to operator \(rule.operation.rawValue); remove it", atKey: true)
        }
        // From here on a key that another operator has is known to be absent.
        _ = try SettingReader(cursor, own)
        let settings = try SettingReader(cursor, .fieldPII)
        try loadEntities(settings, into: &rule)
        rule.replacement = try settings["replacement"].map { (text) throws(SchemaError) in try short(text, 256) }
        if let character = settings["maskChar"] {
            rule.maskCharacter = try character.text()
            guard rule.maskCharacter.unicodeScalars.count == 1,
                rule.maskCharacter.unicodeScalars.allSatisfy({ $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) })
            else {
                throw character.error(.outOfRange, "maskChar must be one visible character")
            }
        }
        rule.keepFirst = try settings.whole("keepFirst") ?? 0
        rule.keepLast = try settings.whole("keepLast") ?? 0
        rule.key = try settings["key"].map { (name) throws(SchemaError) in try keyName(name) }
        rule.prefix = try settings["prefix"].map { (text) throws(SchemaError) in try short(text, 64) } ?? ""
        if [.tokenize, .encrypt, .dateShift].contains(rule.operation), rule.key == nil {
            throw cursor.error(
                .missing, "operator \(rule.operation.rawValue) needs key: with the name of a token key", atKey: true)
        }
        rule.keepsFormat = try settings.flag("keepFormat") ?? false
        rule.isRandom = try settings.word("mode", what: "mode") == "random"
        rule.isPerSubject = try settings.flag("perSubject") ?? false
        try loadNormalisation(settings, into: &rule)
        rule.maxDays = try settings.whole("maxDays") ?? 90
        try loadCoarse(settings, field, into: &rule)
        if rule.operation == .truncate, rule.keepFirst == 0 {
            throw cursor.error(.missing, "operator truncate needs keepFirst: of 1 or more; use redact to keep nothing")
        }
        if let check = settings["validate"] {
            _ = try settings.word("validate", what: "check")
            try refuse(
                check,
                "validate is not carried out by this version: every value of the column is masked, whether its checksum holds or not; "
                    + "remove it")
        }
        return rule
    }

    /// Reads whether values are normalised before they are tokenised or encrypted.
    private mutating func loadNormalisation(_ settings: SettingReader, into rule: inout PIIRule) throws(SchemaError) {
        rule.normalizes = try settings.flag("normalize") ?? false
        if let country = settings["country"] {
            let name = try country.text()
            guard PhonePlan.knows(name) else {
                throw country.error(
                    .outOfRange,
                    "no numbering plan of this country is known; give its two capitals (ISO 3166), such as DE")
            }
            guard rule.normalizes else {
                throw country.error(.inconsistent, "country says how numbers are normalised; add normalize: true")
            }
            rule.country = name
        }
        let isSpelled = rule.scan || rule.entity == Entity.emailAddress.name || rule.entity == Entity.phoneNumber.name
        if rule.operation == .tokenize, isSpelled, settings["normalize"] == nil {
            warnings.append(
                settings.cursor.warning(
                    "different spellings of one address or number get different tokens: add normalize: true, or normalize: false if "
                        + "earlier tokens must stay as they are"))
        }
    }

    private func loadOperator(_ cursor: Cursor) throws(SchemaError) -> MaskOperator {
        try cursor.choice(MaskOperator.self, what: "operator")
    }

    private func loadEntities(_ settings: SettingReader, into rule: inout PIIRule) throws(SchemaError) {
        rule.entity = try settings["entity"]?.word(of: Entities.known, what: "entity")
        rule.scan = try settings.flag("scan") ?? false
        for item in try settings["entities"]?.items() ?? [] {
            let name = try item.text()
            if Entities.known.contains(name), !Entities.scanned.contains(name) {
                throw item.error(
                    .unsupported,
                    "\(name) cannot be recognised in free text; declare the column that contains it")
            }
            rule.entities.append(try item.word(of: Entities.scanned, what: "entity"))
        }
        rule.dictionary = try settings["dictionary"].map { (file) throws(SchemaError) in try short(file, 4096) }
        rule.dictionaryEntity = try settings.word("dictionaryEntity", what: "entity") ?? rule.dictionaryEntity
        if rule.dictionary != nil, !rule.scan {
            throw settings.cursor.error(
                .inconsistent, "dictionary belongs to scan: true: its names are looked for in text", atKey: true)
        }
        if settings["dictionaryEntity"] != nil, rule.dictionary == nil {
            throw settings.cursor.error(
                .inconsistent, "dictionaryEntity needs a dictionary; add one or remove it",
                atKey: true)
        }
        if rule.entity != nil, rule.scan {
            throw settings.cursor.error(
                .inconsistent, "entity is for a column of one kind and scan: true for free text; keep one of them")
        }
        if rule.entity == nil, !rule.scan {
            throw settings.cursor.error(.missing, "pii needs entity: for the whole column, or scan: true for free text")
        }
        if let entities = settings["entities"], !rule.scan {
            throw entities.error(.inconsistent, "entities belongs to scan: true; use entity here", atKey: true)
        }
        if rule.scan, rule.operation == .drop {
            throw settings.cursor.error(
                .inconsistent, "operator drop removes the whole column; leave scan out, name an entity")
        }
    }

    private func keyName(_ cursor: Cursor) throws(SchemaError) -> String {
        let text = try cursor.text()
        let isPlain = text.utf8.allSatisfy {
            isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        guard isPlain, (1...64).contains(text.utf8.count) else {
            throw cursor.error(.outOfRange, "a key name has 1 to 64 letters, digits, - and _")
        }
        return text
    }

    /// A text of at most `limit` bytes without control characters.
    func short(_ cursor: Cursor, _ limit: Int) throws(SchemaError) -> String {
        let text = try cursor.text()
        guard text.utf8.count <= limit, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw cursor.error(.outOfRange, "must be at most \(limit) bytes without control characters")
        }
        return text
    }
}
