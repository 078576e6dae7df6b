/// Where the rows that a foreign key refers to are.
package enum ReferenceSource: Sendable, Hashable {
    /// The rows of the same file.
    case itself
    /// A file, by its path; a relative one is the contract's neighbour.
    case file(String)
    /// What a dataset of the store has accepted.
    case dataset(String)
}

/// A foreign key: values that must occur in other rows.
package struct ForeignKey: Sendable, Hashable {
    /// The fields here.
    package var fields: [String]
    /// The fields there, as many.
    package var reference: [String]
    /// The standard's name of the place: a resource; empty for the file itself.
    package var resource: String
    /// The place.
    package var source: ReferenceSource

    /// What reports call it.
    package var name: String {
        let place = resource.isEmpty ? "" : resource + "."
        return "\(fields.joined(separator: "+")) → \(place)\(reference.joined(separator: "+"))"
    }
}
