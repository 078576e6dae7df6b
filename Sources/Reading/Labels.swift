import Tabular

/// Distinct column names from the labels of a header: a blank label is replaced by its position, a repeated one gets a
/// number.
struct Labels {
    private let labels: [String]
    /// The names, all distinct.
    private(set) var names: [String]
    /// Columns without a label, and columns that repeat an earlier label.
    private(set) var blank: [Int] = []
    private(set) var doubled: [Int] = []
    /// The comparison of labels: by canonical equivalence (Unicode Standard Annex 15), as Swift compares strings.
    private let comparison: Comparison

    struct Comparison: Sendable {
        let isCaseSensitive: Bool
        let isTrimmed: Bool

        /// A key that equal labels share.
        func key(_ label: String) -> String {
            let text = isTrimmed ? trimmed(label) : label
            return isCaseSensitive ? text : text.lowercased()
        }
    }

    init(_ labels: [String], _ comparison: Comparison) {
        self.comparison = comparison
        self.labels = labels
        names = labels
        var taken = Set(labels.map(comparison.key))
        var seen: Set<String> = []
        func free(_ name: (Int) -> String, from first: Int) -> String {
            var number = first
            while taken.contains(comparison.key(name(number))) { number += 1 }
            taken.insert(comparison.key(name(number)))
            return name(number)
        }
        for (place, label) in labels.enumerated() {
            if trimmed(label).isEmpty {
                blank.append(place)
                let name = "column \(place + 1)"
                names[place] = taken.insert(comparison.key(name)).inserted ? name : free({ "\(name) (\($0))" }, from: 2)
            } else if !seen.insert(comparison.key(label)).inserted {
                doubled.append(place)
                names[place] = free({ "\(label) \($0)" }, from: 2)
            }
        }
    }

    /// Whether a field goes by the label of this column and another column has the same label.
    func isContested(_ place: Int, _ fields: Set<String>, _ byPlace: Set<Int>) -> Bool {
        let key = comparison.key(labels[place])
        guard fields.contains(key) else { return false }
        return labels.indices.count { !byPlace.contains($0) && comparison.key(labels[$0]) == key } > 1
    }

    /// Whether every label is usable as it stands.
    var areNames: Bool { blank.isEmpty && doubled.isEmpty }
}

/// The text without surrounding white space (Unicode), and with single spaces inside.
func trimmed(_ text: String) -> String {
    text.unicodeScalars.split { $0.properties.isWhitespace || $0 == "\u{FEFF}" || $0 == "\u{200B}" }
        .map { String($0) }.joined(separator: " ")
}

/// The difference between a label and the field name that it nearly equals, with the remedy.
enum NearLabel {
    case letterCase, spaces, both

    /// nil when the two differ in more than case and spaces.
    init?(_ label: String, _ name: String) {
        if trimmed(label) == trimmed(name) {
            self = .spaces
        } else if label.lowercased() == name.lowercased() {
            self = .letterCase
        } else if trimmed(label).lowercased() == trimmed(name).lowercased() {
            self = .both
        } else {
            return nil
        }
    }

    /// The reason in a finding, without the label.
    func reason(column: Int) -> String {
        switch self {
        case .letterCase:
            "column \(column) differs from it in case only: write caseSensitiveHeader: false in sluice.dialect"
        case .spaces: "column \(column) differs from it in spaces only: write sluice.trimLabels: true"
        case .both:
            "column \(column) differs from it in case and spaces only: write sluice.trimLabels: true, and caseSensitiveHeader: false "
                + "in sluice.dialect"
        }
    }
}

/// The columns that a contract names by position.
package struct ColumnPlaces: Sendable, Equatable {
    /// By field its column, from 1; nil where it goes by its label. Empty when all do.
    package var ofFields: [Int?] = []
    /// Columns, from 1, that are read and dropped.
    package var dropped: Set<Int> = []
    /// Whether rows end with a delimiter, so that the last column has neither a label nor values.
    package var hasTrailingDelimiter = false
    /// Whether spaces around labels are ignored.
    package var trimsLabels = false
    /// Whether the positions were inferred from this file, so that its labels are still reported on.
    package var areInferred = false

    /// All fields go by their labels.
    package init() {}

    /// The column of a field, from 0, if the contract states it.
    func place(_ field: Int) -> Int? {
        ofFields.indices.contains(field) ? ofFields[field].map { $0 - 1 } : nil
    }
    /// Whether it states nothing.
    var isEmpty: Bool { ofFields.isEmpty && dropped.isEmpty && !hasTrailingDelimiter }
}
