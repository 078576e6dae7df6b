import Foundation
import Storage

/// The layout of lines on a terminal: folding and colour. A pipe or file gets each line as it is.
enum Screen {
    private static let isTerminal = StandardStream.output.isTerminal
    private static let environment = ProcessInfo.processInfo.environment

    /// Whether to use colour: on a terminal that supports it, unless `NO_COLOR` is set (no-color.org).
    private static let isColoured =
        isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && (environment["TERM"] ?? "dumb") != "dumb"

    /// The width in columns: `COLUMNS`, else 80, and at least 40.
    private static let width = max(40, Int(environment["COLUMNS"] ?? "") ?? 80)

    /// A line as lines of the terminal's width, broken at spaces. Words stay whole: digests and paths are copied.
    static func folded(_ line: String, indent: Int) -> [String] {
        guard isTerminal, line.count > width else { return [line] }
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var current = ""
        for (place, word) in line.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            let isBlank = current.allSatisfy { $0 == " " }
            if !isBlank, !word.isEmpty, current.count + 1 + word.count > width {
                lines.append(current.trimmedEnd())
                current = margin
            } else if place > 0 {
                current += " "
            }
            current += String(word)
        }
        lines.append(current)
        return lines
    }

    /// Beginnings of lines and words in them, each with its colour (ECMA-48, select graphic rendition).
    private static let beginnings = [
        ("  WHY  ", "1;31"), ("  note ", "33"), ("  next ", "1"), ("  exit ", "33"), ("  rejected ", "31"),
        ("ok  ", "32"),
        ("RISK", "33"), ("BAD ", "1;31"),
    ]
    private static let verdicts = [
        ("  ACCEPTED", "1;32"), ("  VALID", "1;32"), ("  HELD", "1;31"), ("  REJECTED", "1;31"),
        ("  NOT VALID", "1;31"),
        ("  DUPLICATE", "1;33"),
    ]

    /// A line with its mark in colour.
    static func painted(_ line: String) -> String {
        guard isColoured else { return line }
        if let (mark, colour) = beginnings.first(where: { line.hasPrefix($0.0) }) {
            return "\u{1B}[\(colour)m\(mark)\u{1B}[0m\(line.dropFirst(mark.count))"
        }
        if !line.hasPrefix(" "), let (word, colour) = verdicts.first(where: { line.contains($0.0) }) {
            return line.replacingOccurrences(of: word, with: "\u{1B}[\(colour)m\(word)\u{1B}[0m")
        }
        return line
    }
}
