package import Tabular

/// The statistical findings that a person waived: they flag rows and the batch, but hold nothing back. No other finding
/// is ever waived.
package struct Waivers: Sendable, Equatable {
    /// Findings of one code, about one field or any.
    package struct Listed: Sendable, Equatable {
        /// Their code.
        package let code: FindingCode
        /// The field's index in the contract; nil for any, and for findings about none.
        package let field: Int?

        /// Findings of this code about this field; about any for nil.
        package init(_ code: FindingCode, field: Int?) {
            self.code = code
            self.field = field
        }
    }

    /// The waived findings; nil for all that are statistical.
    package let listed: [Listed]?

    /// Nothing is waived.
    package static let none = Waivers(listed: [])
    /// Every statistical finding is.
    package static let statistics = Waivers(listed: nil)

    /// Waives the listed findings, or every statistical one for nil.
    package init(listed: [Listed]?) { self.listed = listed }

    /// Whether nothing is waived.
    package var isEmpty: Bool { listed?.isEmpty ?? false }

    /// Whether a finding of this code about this field is waived.
    package func covers(_ code: FindingCode, field: Int?) -> Bool {
        guard code.isStatistical else { return false }
        return listed?.contains { $0.code == code && ($0.field == nil || $0.field == field) } ?? true
    }

    /// As a decision keeps them: true for all, else `[code, field]` with -1 for any field; nil for none.
    package var document: JSONValue? {
        guard let listed else { return .bool(true) }
        if listed.isEmpty { return nil }
        return .array(listed.map { .array([.string($0.code.rawValue), place(ofField: $0.field)]) })
    }

    /// Reads what a decision keeps.
    init(_ document: JSONValue?) {
        if document?.flag == true {
            self = .statistics
            return
        }
        listed = (document?.items ?? []).compactMap { pair in
            guard let code = pair.items?.first?.text.flatMap({ FindingCode(rawValue: $0) }) else { return nil }
            let field = pair.items?.last?.whole ?? -1
            return Listed(code, field: field < 0 ? nil : Int(field))
        }
    }
}
