import Tabular

/// What becomes of keys that the loader does not read.
extension SchemaLoader {
    /// Refuses a setting that this version does not carry out although somebody would rely on it. In a recorded contract it
    /// is a warning: the batch was judged without the setting.
    mutating func refuse(_ setting: Cursor, _ message: String) throws(SchemaError) {
        guard isRecorded else { throw setting.error(.unsupported, message, atKey: true) }
        warnings.append(setting.warning(message))
    }

    /// Warns about written settings without effect, and refuses protections that this version does not give.
    mutating func checkEffects(of settings: SettingReader) throws(SchemaError) {
        for (setting, value) in try settings.written() {
            switch setting.kind {
            case .refused where value.value.flag != false:
                try refuse(value, "\(setting.key) is not carried out by this version: \(setting.what)")
            case .refused:
                warnings.append(value.warning("\(setting.key): false has no effect: \(setting.what)"))
            case .unenforced: warnings.append(value.warning("\(setting.key) has no effect: \(setting.what)"))
            default: continue
            }
        }
    }

    /// Refuses or warns about keys beside the known ones.
    ///
    /// A key that is one slip away from one with an effect is refused. Other unknown keys pass, because the standard allows
    /// additional properties; a warning names a known key that is near.
    ///
    /// - Parameters:
    ///   - cursor: the mapping.
    ///   - known: the keys that are read.
    ///   - unread: keys without effect, with the warning that says what holds instead.
    mutating func checkKeys(
        of cursor: Cursor, known: [String], unread: [String: String] = [:]
    ) throws(SchemaError) {
        for key in try cursor.keys() {
            guard let member = cursor[key] else { continue }
            if let message = unread[key] {
                warnings.append(member.warning(message))
            } else if !known.contains(key), let meant = suggestion(for: key, among: known + unread.keys.sorted()) {
                let isProtection = Self.neverMissed.contains(meant) || cursor.path.hasSuffix("constraints")
                if isProtection || isMistyped(key, for: meant) {
                    try refuseKey(
                        member, isFirm: isProtection,
                        "unknown key \(quoted(key)); did you mean \(quoted(meant))? it would be ignored as it stands")
                } else {
                    warnings.append(
                        member.warning(
                            "\(quoted(key)) is not a property of the standard and is ignored; did you mean \(quoted(meant))?"
                        ))
                }
            }
        }
    }

    /// Keys that are never missed by two letters without an error.
    private static let neverMissed = [
        "sluice", "constraints", "primaryKey", "uniqueKeys", "foreignKeys", "missingValues",
    ]

    /// Keys that only describe, so that nothing is lost with them.
    private static let descriptive = [
        "title", "description", "example", "examples", "rdfType", "$schema", "default", "deprecated", "readOnly",
        "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "id",
    ]

    /// Whether an unknown key is so near to one with an effect that no other can be meant: one letter too many, too few or
    /// wrong, two neighbours swapped, or another case.
    func isMistyped(_ key: String, for meant: String) -> Bool {
        !Self.descriptive.contains(meant) && editDistance(key.lowercased(), meant.lowercased(), limit: 1) <= 1
    }

    /// Refuses a misspelt key. Earlier versions warned about some of them, so a recorded contract may have those.
    ///
    /// - Parameters:
    ///   - member: the value of the key.
    ///   - isFirm: whether earlier versions refused it too.
    ///   - message: what is wrong.
    mutating func refuseKey(_ member: Cursor, isFirm: Bool = false, _ message: String) throws(SchemaError) {
        guard isRecorded, !isFirm else { throw member.error(.unknownKey, message, atKey: true) }
        warnings.append(member.warning(message))
    }
}
