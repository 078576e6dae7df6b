/// An error in a contract or configuration: kind, place and remedy.
package struct SchemaError: Error, Sendable, Equatable {
    /// The kind of mistake, as a stable string for reports and scripts.
    package enum Code: String, Sendable, CaseIterable {
        /// The bytes are not UTF-8 text.
        case encoding = "document-encoding"
        /// The text is not YAML or JSON.
        case syntax = "document-syntax"
        /// The document is larger or more deeply nested than `DocumentLimits`.
        case limit = "document-limit"
        /// Anchors, aliases and tags, which contracts do without.
        case alias = "document-alias"
        /// A key is written twice in one mapping.
        case duplicateKey = "duplicate-key"
        /// A required key or value is absent.
        case missing = "missing-property"
        /// A value of the wrong kind, such as a number where text is needed.
        case wrongKind = "wrong-kind"
        /// An unknown key where none is allowed.
        case unknownKey = "unknown-key"
        /// A word that is none of the allowed ones.
        case unknownValue = "unknown-value"
        /// A number beyond its bounds, or a text that is too long.
        case outOfRange = "out-of-range"
        /// Part of the standard or the design that this version does not implement.
        case unsupported = "not-supported"
        /// A JSON Schema that cannot be compiled.
        case unusableSchema = "unusable-json-schema"
        /// A row rule that is no expression, or whose types do not fit.
        case unusableRule = "unusable-rule"
        /// Two parts of the document contradict each other.
        case inconsistent = "inconsistent"
    }

    /// The kind of mistake.
    package var code: Code
    /// The document's name, usually its file.
    package var subject: String
    /// Line, from 1; 0 when the whole document is meant.
    package var line: Int
    /// Column in Unicode scalars, from 1; 0 when the whole document is meant.
    package var column: Int
    /// The path in the structure, such as `fields[3].constraints.minimum`; empty at the top.
    package var path: String
    /// The defect and its remedy, as a sentence.
    package var message: String

    /// Makes an error.
    package init(_ code: Code, subject: String, line: Int = 0, column: Int = 0, path: String = "", message: String) {
        self.code = code
        self.subject = subject
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }
}

extension SchemaError {
    /// The line that the error is about, with a caret below the place.
    ///
    /// - Returns: nil without a place. Also nil when the document hardly resembles a contract: it may be data given by
    ///   mistake, which must not be shown.
    package func excerpt(of bytes: [UInt8]) -> String? {
        guard line > 0, column > 0, !path.isEmpty, code != .syntax, code != .encoding else { return nil }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard line <= lines.count else { return nil }
        let scalars = Array(String(decoding: lines[line - 1], as: UTF8.self).unicodeScalars).filter { $0 != "\r" }
        guard column <= scalars.count + 1 else { return nil }
        // A window of eighty columns of a long line.
        let first = max(0, min(column - 40, scalars.count - 80))
        let shown = scalars[first..<min(scalars.count, first + 80)].map { $0.value < 0x20 ? " " : $0 }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: shown)
        return "\(String(text))\n\(String(repeating: " ", count: column - 1 - first))^"
    }
}

extension SchemaError: CustomStringConvertible {
    /// `file:line:column: path: message`.
    package var description: String {
        located(subject: subject, line: line, column: column, path: path, message: message)
    }
}

/// A remark on a contract that loads: something probably unintended, or not enforced by this version.
package struct SchemaWarning: Sendable, Equatable {
    /// The document's name, usually its file.
    package var subject: String
    /// Line, from 1.
    package var line: Int
    /// Column in Unicode scalars, from 1.
    package var column: Int
    /// The path in the structure.
    package var path: String
    /// The remark.
    package var message: String
}

extension SchemaWarning: CustomStringConvertible {
    /// `file:line:column: path: message`.
    package var description: String {
        located(subject: subject, line: line, column: column, path: path, message: message)
    }
}

/// The common form of errors and warnings: `file:line:column: path: message`, without the parts that are unknown.
private func located(subject: String, line: Int, column: Int, path: String, message: String) -> String {
    let position = line > 0 ? "\(subject):\(line):\(column): " : "\(subject): "
    return position + (path.isEmpty ? "" : "\(path): ") + message
}

/// A part of the document in quotes, shortened and without control characters, for messages.
func quoted(_ text: String) -> String {
    var result = "\""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == 60 { return result + "…\"" }
        let isControl = scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return result + "\""
}
