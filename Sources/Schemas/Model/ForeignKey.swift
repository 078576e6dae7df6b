/// The rows that a foreign key refers to.
package enum ReferenceSource: Sendable, Hashable {
    /// The rows of the same file.
    case itself
    /// A file; a relative path starts at the contract's folder.
    case file(String)
    /// The accepted rows of a dataset in the store.
    case dataset(String)
}

/// A foreign key: its values must occur in the referenced rows.
package struct ForeignKey: Sendable, Hashable {
    /// The referring fields.
    package var fields: [String]
    /// The referenced fields, in the same order.
    package var reference: [String]
    /// The standard's name of the resource; empty for the file itself.
    package var resource: String
    /// The referenced rows.
    package var source: ReferenceSource

    /// Its name in reports.
    package var name: String {
        let place = resource.isEmpty ? "" : resource + "."
        return "\(fields.joined(separator: "+")) → \(place)\(reference.joined(separator: "+"))"
    }
}
