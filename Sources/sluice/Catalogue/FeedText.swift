import Screening
import Tabular

/// Sentences about what the tests know of a feed, and what they could not test.
enum FeedText {
    /// The statistical form of a column.
    static func form(_ form: ColumnForm) -> String {
        switch form {
        case .key: "key: all values are different"
        case .counter: "counter or clock: counts up, or has new values in each batch"
        case .constant: "constant: one value in nearly all rows, always the same"
        case .batchConstant: "constant per batch: one value in nearly all rows, another one in another batch"
        case .twoValued: "two values: compared by their shares"
        case .code: "code: few whole numbers, judged by their shares"
        case .sparse: "sparse: one value in more than half of the rows, the others judged by themselves"
        case .category: "category: repeating values, judged by their shares and by new ones"
        case .text: "text: compared by lengths, words and characters"
        case .measure: "measure: judged by its distribution"
        case .unknown: "too few values to say what it is"
        }
    }

    /// What a test of a field has learnt; nil for nothing.
    static func learnt(_ test: JSONValue) -> String? {
        guard let kind = test["what"]?.text.flatMap({ Movement.Kind(rawValue: $0) }),
            let usual = test["usual"]?.double, let line = test["line"]?.double
        else { return nil }
        switch kind {
        case .shape:
            return
                "accepted batches were at most \(NumberText.short(usual)) spreads away on arrival; "
                + "the threshold is \(NumberText.short(line))"
        case .shares:
            return
                "accepted batches differed in at most \(NumberText.share(usual)) of the rows on arrival; "
                + "the threshold is \(NumberText.share(line))"
        case .missing:
            return
                "values were missing in at most \(NumberText.share(usual)) of the rows; the threshold is \(NumberText.share(line))"
        case .new:
            return
                "new values were in at most \(NumberText.share(usual)) of the rows; the threshold is \(NumberText.share(line))"
        default: return nil
        }
    }

    /// The smallest change of a field that would still be detected in a batch of usual size; nil where nothing is
    /// compared.
    static func wouldSee(_ field: JSONValue) -> String? {
        guard let sees = field["wouldSee"] else { return nil }
        var parts: [String] = []
        func figure(_ key: String) -> Double? { sees[key]?.double }
        func shift(_ size: Double, _ part: Double?) -> String {
            "\(NumberText.short(size, 1)) deviations" + (part.map { " (\(NumberText.share($0)) of the centre)" } ?? "")
        }
        let isShape = (field["tests"]?.items ?? []).contains { $0["what"]?.text == Movement.Kind.shape.rawValue }
        switch (figure("shiftUp"), figure("shiftDown")) {
        case (let up?, let down?) where max(up, down) <= 1.2 * min(up, down):
            parts.append(
                "a shift of " + shift(max(up, down), figure(up > down ? "shiftUpOfCenter" : "shiftDownOfCenter")))
        case (let up?, let down?):
            parts.append(
                "a shift of " + shift(up, figure("shiftUpOfCenter")) + " up or "
                    + shift(down, figure("shiftDownOfCenter")) + " down")
        case (let up?, nil):
            parts.append("a shift of " + shift(up, figure("shiftUpOfCenter")) + " up; no shift down would be detected")
        case (nil, let down?):
            parts.append(
                "a shift of " + shift(down, figure("shiftDownOfCenter")) + " down; no shift up would be detected")
        case (nil, nil): if isShape { parts.append("no shift of up to 12 deviations") }
        }
        if let more = figure("oneValueMore") { parts.append("one value in \(NumberText.share(more)) more of the rows") }
        if let new = figure("newValues"), let kinds = figure("newKinds").map({ Int($0) }) {
            let what = kinds < 2 ? "a new value" : "\(NumberText.number(kinds)) new values or more"
            parts.append("\(what) in \(NumberText.share(new)) of the rows")
        }
        if let missing = figure("missing") {
            parts.append("missing values in \(NumberText.share(missing)) of the rows")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// The thresholds from which rows are held back for a field; nil for none.
    static func rowLines(_ field: JSONValue) -> String? {
        guard let lines = field["rowLines"] else { return nil }
        func figure(_ key: String) -> String { lines[key]?.double.map { NumberText.short($0, 1) } ?? "none" }
        return
            "rows are flagged from \(figure("remarkBelow")) spreads below and \(figure("remarkAbove")) above the usual centres, "
            + "and quarantined from \(figure("holdBelow")) and \(figure("holdAbove"))"
    }

    /// Explains the size of a detectable change.
    static let sight =
        "each figure is the smallest change that would be detected in half of the batches of the usual size; a deviation is the "
        + "usual spread inside a batch"

    /// The text for a test that was not made: the test, the fields and the reason.
    static func untested(_ fields: [String], _ reason: String) -> String {
        let shown = fields.prefix(6).joined(separator: ", ") + (fields.count > 6 ? " and \(fields.count - 6) more" : "")
        // Decisions of earlier versions are sealed with older texts, which are translated here.
        if shown.isEmpty {
            return reason.replacing(
                "what differs is remarked on, and holds nothing yet",
                with: "differences are noted, but hold no batch yet")
        }
        // "labels: reason" of the field "label" becomes "labels (label): reason".
        for test in ["copies", "drift", "labels", "statistics", "triggers"] where reason.hasPrefix(test + ": ") {
            return "\(test) (\(shown))\(reason.dropFirst(test.count))"
        }
        return "\(shown): \(reason)"
    }

    /// The power of the trigger search: the smallest triggers that it would have found.
    static func power(_ power: [(what: String, rows: Int, of: Int)]) -> String {
        "detectable triggers: "
            + power.map {
                "a \($0.what) in \(NumberText.number($0.rows)) or more of \(NumberText.number($0.of)) rows with one label"
            }
            .joined(separator: ", ")
    }
}
