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
        let own: [String] =
            switch rule.operation {
            case .redact, .drop, .suppress: []
            case .replace: ["replacement"]
            case .encrypt: ["key", "prefix", "mode", "perSubject", "normalize", "country"]
            case .dateShift: ["key", "maxDays"]
            case .generalize: ["to", "bucket"]
            case .mask: ["maskChar", "keepFirst", "keepLast", "keepFormat"]
            case .truncate: ["keepFirst"]
            case .tokenize: ["key", "prefix", "normalize", "country"]
            }
        let common = ["entity", "scan", "entities", "dictionary", "dictionaryEntity", "operator", "validate"]
        let all = [
            "replacement", "maskChar", "keepFirst", "keepLast", "keepFormat", "key", "prefix", "mode", "perSubject",
            "maxDays", "to", "bucket", "normalize", "country",
        ]
        for key in all where !own.contains(key) {
            guard let stray = cursor[key] else { continue }
            throw stray.error(
                .inconsistent, "\(key) does not belong to operator \(rule.operation.rawValue); remove it", atKey: true)
        }
        try cursor.refuseKeys(besides: common + own)
        try loadEntities(cursor, into: &rule)
        rule.replacement = try cursor["replacement"].map { (text) throws(SchemaError) in try short(text, 256) }
        if let character = cursor["maskChar"] {
            rule.maskCharacter = try character.text()
            guard rule.maskCharacter.unicodeScalars.count == 1,
                rule.maskCharacter.unicodeScalars.allSatisfy({ $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) })
            else {
                throw character.error(.outOfRange, "maskChar must be one visible character")
            }
        }
        rule.keepFirst = try cursor["keepFirst"]?.whole(in: 0...10_000) ?? 0
        rule.keepLast = try cursor["keepLast"]?.whole(in: 0...10_000) ?? 0
        rule.key = try cursor["key"].map { (name) throws(SchemaError) in try keyName(name) }
        rule.prefix = try cursor["prefix"].map { (text) throws(SchemaError) in try short(text, 64) } ?? ""
        if [.tokenize, .encrypt, .dateShift].contains(rule.operation), rule.key == nil {
            throw cursor.error(
                .missing, "operator \(rule.operation.rawValue) needs key: with the name of a token key", atKey: true)
        }
        rule.keepsFormat = try cursor["keepFormat"]?.flag() ?? false
        rule.isRandom = try cursor["mode"]?.word(of: ["deterministic", "random"], what: "mode") == "random"
        rule.isPerSubject = try cursor["perSubject"]?.flag() ?? false
        try loadNormalisation(cursor, into: &rule)
        rule.maxDays = try cursor["maxDays"]?.whole(in: 1...36_500) ?? 90
        try loadCoarse(cursor, field, into: &rule)
        if rule.operation == .truncate, rule.keepFirst == 0 {
            throw cursor.error(.missing, "operator truncate needs keepFirst: of 1 or more; use redact to keep nothing")
        }
        if let check = cursor["validate"] {
            _ = try check.word(of: ["luhn", "mod97"], what: "check")
            try refuse(
                check,
                "validate is not carried out by this version: every value of the column is masked, whether its checksum holds or not; "
                    + "remove it")
        }
        return rule
    }

    /// Reads whether values are normalised before they are tokenised or encrypted.
    private mutating func loadNormalisation(_ cursor: Cursor, into rule: inout PIIRule) throws(SchemaError) {
        rule.normalizes = try cursor["normalize"]?.flag() ?? false
        if let country = cursor["country"] {
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
        if rule.operation == .tokenize, isSpelled, cursor["normalize"] == nil {
            warnings.append(
                cursor.warning(
                    "different spellings of one address or number get different tokens: add normalize: true, or normalize: false if "
                        + "earlier tokens must stay as they are"))
        }
    }

    private func loadOperator(_ cursor: Cursor) throws(SchemaError) -> MaskOperator {
        try cursor.choice(MaskOperator.self, what: "operator")
    }

    private func loadEntities(_ cursor: Cursor, into rule: inout PIIRule) throws(SchemaError) {
        rule.entity = try cursor["entity"]?.word(of: Entities.known, what: "entity")
        rule.scan = try cursor["scan"]?.flag() ?? false
        for item in try cursor["entities"]?.items() ?? [] {
            let name = try item.text()
            if Entities.known.contains(name), !Entities.scanned.contains(name) {
                throw item.error(
                    .unsupported,
                    "\(name) cannot be recognised in free text; declare the column that contains it")
            }
            rule.entities.append(try item.word(of: Entities.scanned, what: "entity"))
        }
        rule.dictionary = try cursor["dictionary"].map { (file) throws(SchemaError) in try short(file, 4096) }
        if let kind = cursor["dictionaryEntity"] {
            rule.dictionaryEntity = try kind.word(of: Entities.listed, what: "entity")
        }
        if rule.dictionary != nil, !rule.scan {
            throw cursor.error(
                .inconsistent, "dictionary belongs to scan: true: its names are looked for in text", atKey: true)
        }
        if cursor["dictionaryEntity"] != nil, rule.dictionary == nil {
            throw cursor.error(
                .inconsistent, "dictionaryEntity needs a dictionary; add one or remove it",
                atKey: true)
        }
        if rule.entity != nil, rule.scan {
            throw cursor.error(
                .inconsistent, "entity is for a column of one kind and scan: true for free text; keep one of them")
        }
        if rule.entity == nil, !rule.scan {
            throw cursor.error(.missing, "pii needs entity: for the whole column, or scan: true for free text")
        }
        if let entities = cursor["entities"], !rule.scan {
            throw entities.error(.inconsistent, "entities belongs to scan: true; use entity here", atKey: true)
        }
        if rule.scan, rule.operation == .drop {
            throw cursor.error(.inconsistent, "operator drop removes the whole column; leave scan out, name an entity")
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
