package import Schemas

/// The fields that statistics use, with their roles. All of it follows from the contract, nothing from the file.
package struct ScreenedFields: Sendable, Equatable {
    /// The contract's fields that are measures, in the order of the sample's numbers.
    package let fields: [Int]
    /// The index of each in `ValidatedBlock.numbers`.
    package let slots: [Int]
    /// Measures that the forest uses, as indices into `fields`.
    package let forest: [Int]
    /// Categories that the forest uses, as indices into `categories`: those with a declared list of values.
    package let forestCategories: [Int]
    /// The contract's fields whose words are searched; their lengths are the numbers after the measures.
    package let texts: [Int]
    /// The contract's fields whose values are compared as a whole, in the order of the sample's codes.
    package let categories: [Int]
    /// The label, the supplier and the annotator, as indices into `categories`.
    package let label: Int?, source: Int?, annotator: Int?
    /// The fields that make two rows copies of each other. Left out are fields that identify rows, the sender, and
    /// columns of personal data, which are released masked: a copy under another name is still a copy.
    package let content: [Int]
    /// The field with a row's event time, if there is one.
    package let eventTime: Int?

    /// Numbers of a sampled row.
    package var numberCount: Int { fields.count + texts.count }
    /// Codes of a sampled row: the categories, then one for the whole row.
    package var codeCount: Int { categories.count + 1 }
    /// Whether no field is used.
    package var isEmpty: Bool { fields.isEmpty && texts.isEmpty && categories.isEmpty }

    /// Chooses by contract: every number that is not a key, a label, personal data or unique, unless the contract says
    /// otherwise.
    package init(_ schema: Schema, numericFields: [Int]) {
        let primaryKey = Set(schema.primaryKey)
        let forestFields = Set(schema.forest.fields)
        let tellsApart = schema.fields.map { field in
            field.constraints.unique || primaryKey.contains(field.name)
                || [.key, .subject, .eventTime].contains(field.role)
        }
        let candidates = numericFields.enumerated().filter { _, index in
            let field = schema.fields[index]
            if forestFields.contains(field.name) { return true }
            guard field.anomaly.enabled, field.pii == nil, !field.constraints.unique,
                !primaryKey.contains(field.name)
            else { return false }
            return field.role == nil || field.role == .measure
        }
        fields = candidates.map(\.element)
        slots = candidates.map(\.offset)
        let chosen = fields
        let named = forestFields
        let forest =
            schema.forest.enabled
            ? chosen.indices.filter { named.isEmpty || named.contains(schema.fields[chosen[$0]].name) } : []
        self.forest = Array(forest.prefix(IsolationForest.featuresMax))
        let alike = schema.fields.indices.filter { !tellsApart[$0] }
        let sent = alike.filter { schema.fields[$0].role != .provenance }
        let lasting = sent.filter { schema.fields[$0].pii?.entity == nil }
        content = lasting.isEmpty ? sent : lasting
        eventTime = schema.fields.indices.first {
            schema.fields[$0].role == .eventTime && schema.fields[$0].type.isMoment && schema.fields[$0].pii == nil
        }
        texts = alike.filter { schema.fields[$0].isScreenedText }
        let categories = alike.filter { schema.fields[$0].isScreenedCategory }
        self.categories = categories
        forestCategories =
            schema.forest.enabled
            ? categories.indices.filter { place in
                let field = schema.fields[categories[place]]
                return named.contains(field.name)
                    || named.isEmpty && field.role == nil && (field.isListed || field.type == .boolean)
            } : []
        func place(_ role: FieldRole) -> Int? { categories.firstIndex { schema.fields[$0].role == role } }
        (label, source, annotator) = (place(.label), place(.provenance), place(.annotator))
    }

    /// The names of the sample's numbers: those of the measures, and tagged ones for the lengths of texts.
    package func numberNames(_ names: [String]) -> [String] {
        fields.map { names[$0] } + texts.map { "\0length:" + names[$0] }
    }

    /// The names of the sample's codes.
    package func codeNames(_ names: [String]) -> [String] { categories.map { names[$0] } + ["\0row"] }
}

extension Field {
    private var isPlainString: Bool { if case .string(let format) = type { format == .default } else { false } }
    /// Whether the values are from a declared list.
    fileprivate var isListed: Bool { categories != nil || constraints.enumeration != nil }

    /// Whether its words are searched: fields of text, and undeclared strings. A column of personal data is not.
    fileprivate var isScreenedText: Bool {
        guard isPlainString, pii?.entity == nil, anomaly.enabled else { return false }
        return role == .text || role == nil && !isListed
    }

    /// Whether its values are compared as a whole.
    fileprivate var isScreenedCategory: Bool {
        switch role {
        case .label, .provenance, .annotator, .synthetic: return true
        case nil: break
        default: return false
        }
        guard pii?.entity == nil, anomaly.enabled else { return false }
        return type == .boolean || isPlainString
    }
}
