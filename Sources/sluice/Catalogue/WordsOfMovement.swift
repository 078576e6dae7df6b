import Ingestion
import Screening
import Sketches
import Tabular

/// Sentences about what changed in a batch and what the tests have learnt about a feed. They have relative figures and
/// counts, never a value of the data.
extension Words {
    /// One sentence about a finding on the whole batch: its title, its field, and the change compared with the usual
    /// variation.
    ///
    /// - Parameters:
    ///   - finding: the finding as reports state it.
    ///   - isRolling: whether the baseline is the last accepted batches, and not a named one.
    static func told(_ finding: JSONValue, isRolling: Bool = true) -> String {
        let code = finding["type"]?.text.flatMap { FindingCode(rawValue: $0) }
        var text = code.map { meaning($0).title } ?? finding["type"]?.text ?? ""
        if let field = finding["fieldName"]?.text { text += " (\(field))" }
        if let rule = finding["rule"]?.text { text += ", \(rule)" }
        if let row = finding["rowNumber"]?.whole, row > 0 { text += ", row \(row)" }
        let (statistic, threshold) = (finding["statistic"]?.double, finding["threshold"]?.double)
        if let moved = Movement(finding["moved"]) {
            text += ": " + sentence(moved, isRolling: isRolling)
            if let tested = tested(moved, statistic, threshold) { text += "; " + tested }
        } else if let statistic, let threshold {
            text += ": " + limited(code, statistic, threshold)
        }
        return text
    }

    /// A statistic of the whole batch with its limit, in the unit of the finding.
    private static func limited(_ code: FindingCode?, _ value: Double, _ limit: Double) -> String {
        switch code {
        case .tooManyRejected, .tooManyQuarantined, .outlierExcess, .pairExcess, .isolationExcess, .outlierGroup,
            .labelFlipExcess, .targetedFlip, .copyExcess:
            "\(share(value)) of the rows (limit \(share(limit)))"
        case .tooManyRejectedRows: "\(short(value, 0)) rows (limit \(short(limit, 0)))"
        case .tooFewRows: "\(short(value, 0)) rows (at least \(short(limit, 0)) are needed)"
        default: "\(short(value, 4)) (limit \(short(limit, 4)))"
        }
    }

    /// A report whose batch findings have a `message` each.
    static func messaged(_ report: JSONValue) -> JSONValue {
        var members = report.members ?? [:]
        let isRolling = report["screening"]?["baseline"]?.text == nil
        members["batchErrors"] = .array(
            (report["batchErrors"]?.items ?? []).map { messaged(finding: $0, isRolling: isRolling) })
        return .object(members)
    }

    /// A batch's report with such messages, and with its row findings one by one.
    static func messaged(_ report: BatchReport) -> JSONOutline {
        report.outline(messaged(.object(report.summary)).members)
    }

    /// One batch finding with its `message`.
    static func messaged(finding: JSONValue, isRolling: Bool) -> JSONValue {
        var members = finding.members ?? [:]
        members["message"] = .string(message(finding, isRolling: isRolling))
        return .object(members)
    }

    /// The message of a report's finding.
    static func message(_ finding: Finding, _ report: BatchReport) -> String {
        message(report.document(finding), isRolling: report.baseline == nil)
    }

    /// One sentence about a batch finding, including other fields that changed in the same way.
    static func message(_ finding: JSONValue, isRolling: Bool) -> String {
        let others = finding["moved"] == nil ? nil : with(finding)
        return told(finding, isRolling: isRolling) + (others.map { "; with it: \($0)" } ?? "")
    }

    /// The other fields that changed with it; nil for none.
    static func with(_ finding: JSONValue) -> String? {
        let names = (finding["contributors"]?.items ?? []).compactMap(\.text)
        if names.isEmpty { return nil }
        let shown = 6
        return names.prefix(shown).joined(separator: ", ")
            + (names.count > shown ? " and \(names.count - shown) more" : "")
    }

    /// The findings to report: of fields that changed in the same way, only the one furthest beyond its threshold. A
    /// finding that holds comes before one that flags.
    static func causes(_ findings: [JSONValue]) -> [JSONValue] {
        func key(_ finding: JSONValue) -> String? {
            let code = finding["type"]?.text.flatMap { FindingCode(rawValue: $0) }
            // Only findings with a common cause are grouped; others stand alone.
            guard let cause = code?.cause, finding["moved"] != nil else { return nil }
            return "\(cause)"
        }
        func weight(_ finding: JSONValue) -> Double {
            let holds = finding["outcome"]?.text == Outcome.flagged.name ? 0.0 : 1e9
            guard let statistic = finding["statistic"]?.double, let line = finding["threshold"]?.double, line > 0
            else { return holds }
            return holds + min(statistic / line, 1e6)
        }
        var first: [String: JSONValue] = [:]
        for finding in findings {
            guard let key = key(finding) else { continue }
            if let known = first[key], weight(known) >= weight(finding) { continue }
            first[key] = finding
        }
        var told = Set<String>()
        return findings.compactMap { finding in
            guard let key = key(finding) else { return finding }
            return told.insert(key).inserted ? first[key] : nil
        }
    }

    /// The change of a field compared with its usual variation.
    static func sentence(_ moved: Movement, isRolling: Bool = true) -> String {
        let count = isRolling && moved.batches == 1 ? "" : number(moved.batches) + " "
        let batches =
            (isRolling ? "the last " : "") + count + (moved.batches == 1 ? "accepted batch" : "accepted batches")
        switch moved.kind {
        case .center:
            let way = moved.now < 0 ? "below" : "above"
            if moved.unit == .relative {
                return
                    "centre \(share(abs(moved.now))) \(way) \(batches), which differed by \(range(moved, signed: true)) %"
            }
            return "centre \(short(abs(moved.now), 1)) spreads \(way) \(batches), which differed by "
                + "\(signed(moved.least)) to \(signed(moved.most)) (1 spread is the usual spread inside a batch)"
        case .spread: return multiple("spread", "that of \(batches)", moved)
        case .lowerTail: return multiple("lower tail reaches", "as far from the centre as in \(batches)", moved)
        case .upperTail: return multiple("upper tail reaches", "as far from the centre as in \(batches)", moved)
        case .shape: return "another shape than in \(batches), around the same centre"
        case .share: return "one value in \(share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        case .shares: return "\(share(moved.now)) of the rows have another value than in the nearest of \(batches)"
        case .replaced: return "nearly all rows have a value that did not occur in \(batches)"
        case .missing: return "missing in \(share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        case .new:
            return
                "\(number(moved.kinds)) new \(moved.kinds == 1 ? "value" : "values") in \(share(moved.now)) of the rows; "
                + "at most \(number(moved.mostKinds)) in \(share(moved.most)) of the rows of \(batches)"
        case .rows: return multiple("", "as many rows as usual in \(batches)", moved)
        case .remarks: return "\(share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        }
    }

    /// A factor compared with the usual factors.
    private static func multiple(_ what: String, _ than: String, _ moved: Movement) -> String {
        let (least, most) = (short(moved.least, 1), short(moved.most, 1))
        return (what.isEmpty ? "" : what + " ")
            + "\(short(moved.now, 1)) times \(than), which had \(least == most ? least : "\(least) to \(most)") times the usual"
    }

    /// The distance to the nearest accepted batch, the usual distances, and the threshold; nil without a statistic.
    private static func tested(_ moved: Movement, _ statistic: Double?, _ line: Double?) -> String? {
        guard let statistic, let line else { return nil }
        switch moved.kind {
        case .center, .spread, .lowerTail, .upperTail, .shape:
            return "\(short(statistic, 1)) spreads from the nearest batch; "
                + (moved.usual.map { "accepted batches were at most \(short($0, 1)) away on arrival; " } ?? "")
                + "the threshold is \(short(line, 1))"
        case .shares:
            return (moved.usual.map { "accepted batches differed in at most \(share($0)) on arrival; " } ?? "")
                + "the threshold is \(share(line))"
        case .missing, .new,
            .remarks where line <= 1:
            return "the threshold is \(share(line))"
        default: return nil
        }
    }

    /// A share as a percentage, with as many digits as make it visible.
    static func share(_ value: Double) -> String { digits(value) + " %" }

    /// A share in per cent, with at least one significant digit.
    private static func digits(_ value: Double) -> String {
        let percent = abs(value) * 100
        return short(value * 100, percent == 0 || percent >= 9.95 ? 0 : percent >= 0.95 ? 1 : 2)
    }

    /// The usual range of a change, such as `1 to 4`.
    private static func range(_ moved: Movement, signed isSigned: Bool = false) -> String {
        func one(_ value: Double) -> String { isSigned && value > 0 ? "+" + digits(value) : digits(value) }
        let (least, most) = (one(moved.least), one(moved.most))
        return least == most ? least : "\(least) to \(most)"
    }

    /// A number with its sign, also when it is positive.
    private static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + short(value, 1) }
}

/// Reasons that are reported together.
extension Words {
    /// A report's totals as lines for people: triggers and copies of all kinds share one line each, with their number.
    static func lines(ofTotals totals: [JSONValue]) -> [JSONValue] {
        var made: [[String: JSONValue]] = []
        var clusters: [Int: Int] = [:]
        for total in totals {
            let code = total["type"]?.text.flatMap { FindingCode(rawValue: $0) }
            let isCluster = code == .trigger || code == .floodedRow
            let same = made.firstIndex {
                isCluster && $0["type"] == total["type"] && $0["outcome"] == total["outcome"]
                    && $0["fieldName"] == total["fieldName"]
            }
            guard let same else {
                made.append(total.members ?? [:])
                continue
            }
            clusters[same, default: 1] += 1
            made[same]["rule"] = .string("\(number(clusters[same] ?? 1)) of them; --format json lists each")
            made[same]["count"] = .integer((made[same]["count"]?.whole ?? 0) + (total["count"]?.whole ?? 0))
            let rows = Set(
                ((made[same]["firstRows"]?.items ?? []) + (total["firstRows"]?.items ?? [])).compactMap(\.whole))
            made[same]["firstRows"] = .array(rows.sorted().prefix(FindingCounts.rowsKept).map { .integer($0) })
        }
        return made.map { .object($0) }
    }
}

/// Sentences about what the tests have learnt about a feed.
extension Words {
    /// The statistical form of a column.
    static func form(_ form: ColumnForm) -> String {
        switch form {
        case .key: "key: all values are different"
        case .counter: "counter or clock: counts up, or has new values in each batch"
        case .constant: "constant: one value in nearly all rows, always the same"
        case .batchConstant: "constant per batch: one value in nearly all rows, another one in another batch"
        case .twoValued: "one-hot: at most two values, judged by their share"
        case .code: "code: few whole numbers, judged by their shares"
        case .sparse: "sparse: one value in more than half of the rows, the others judged by themselves"
        case .category: "category: repeating values, judged by their shares and by new ones"
        case .text: "text: judged by lengths and by what stands in it"
        case .measure: "measure: judged by its distribution"
        case .unknown: "too few values to say what it is"
        }
    }

    /// The knowledge of a test about a field, in words; nil for none.
    static func learnt(_ test: JSONValue) -> String? {
        guard let kind = test["what"]?.text.flatMap({ Movement.Kind(rawValue: $0) }),
            let usual = test["usual"]?.double, let line = test["line"]?.double
        else { return nil }
        switch kind {
        case .shape:
            return
                "accepted batches were at most \(short(usual)) spreads away on arrival; the threshold is \(short(line))"
        case .shares:
            return
                "accepted batches differed in at most \(share(usual)) of the rows on arrival; the threshold is \(share(line))"
        case .missing:
            return "values were missing in at most \(share(usual)) of the rows; the threshold is \(share(line))"
        case .new: return "new values were in at most \(share(usual)) of the rows; the threshold is \(share(line))"
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
            "\(short(size, 1)) deviations" + (part.map { " (\(share($0)) of the centre)" } ?? "")
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
        case (let up?, nil): parts.append("a shift of " + shift(up, figure("shiftUpOfCenter")) + " up, and none down")
        case (nil, let down?):
            parts.append("a shift of " + shift(down, figure("shiftDownOfCenter")) + " down, and none up")
        case (nil, nil): if isShape { parts.append("no shift of up to 12 deviations") }
        }
        if let more = figure("oneValueMore") { parts.append("one value in \(share(more)) more of the rows") }
        if let new = figure("newValues"), let kinds = figure("newKinds").map({ Int($0) }) {
            let what = kinds < 2 ? "a new value" : "\(number(kinds)) new values or more"
            parts.append("\(what) in \(share(new)) of the rows")
        }
        if let missing = figure("missing") { parts.append("missing values in \(share(missing)) of the rows") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// The thresholds from which rows are held back for a field; nil for none.
    static func rowLines(_ field: JSONValue) -> String? {
        guard let lines = field["rowLines"] else { return nil }
        func figure(_ key: String) -> String { lines[key]?.double.map { short($0, 1) } ?? "none" }
        return
            "rows are flagged from \(figure("remarkBelow")) spreads below and \(figure("remarkAbove")) above the usual centres, "
            + "and quarantined from \(figure("holdBelow")) and \(figure("holdAbove"))"
    }

    /// Explains the size of a detectable change.
    static let sight =
        "each figure is the smallest change that would be detected in half of the batches of the usual size; a deviation is the "
        + "usual spread inside a batch"
}
