import Ingestion
import Screening
import Sketches
import Tabular

/// Sentences about findings: what they are about, what moved in the batch, and what to do. They state relative figures and counts, never
/// a value of the data.
enum FindingText {
    /// What a finding is about: a field, a rule, or a rule of a field. A rule that merely repeats the field is omitted.
    static func place(_ field: String?, _ rule: String?) -> String {
        guard let rule, rule != field else { return field ?? "–" }
        return field.map { "\($0): \(rule)" } ?? rule
    }

    /// Row numbers of a batch; where it has several files, each with its file and the row's number there.
    static func rows(_ rows: [Int], _ report: BatchReport) -> String {
        rows.map { row in
            "\(row)" + (report.place(ofRow: row).map { " (\($0.file.shortName):\($0.row))" } ?? "")
        }.joined(separator: ", ")
    }

    /// What to do about a finding of a batch that is held, with its name where the batch's stands for any.
    static func cure(_ code: FindingCode, ofBatch batch: String, from source: String) -> String {
        let cure = FindingCatalogue.entry(code).cure.replacing("review release BATCH", with: "review release \(batch)")
        if source.isEmpty { return cure }
        let name = PrintableText.shellWord(source)
        return cure.replacing("source show NAME", with: "source show \(name)").replacing(
            "source trust NAME", with: "source trust \(name)")
    }

    /// The command that releases a held batch.
    static func release(_ batch: String) -> String { "sluice review release \(batch) --reason TEXT" }

    /// The command that also judges the later batches of the incident again.
    static func releaseWithEchoes(_ batch: String) -> String {
        "sluice review release \(batch) --echoes --reason TEXT"
    }

    /// The reference to the first batch of an incident.
    static func incident(_ batch: String, since time: String) -> String {
        "batch \(batch), held on \(time.prefix(10)), shows the same change; if the change is sound, one command releases that batch "
            + "and judges the later ones again: " + releaseWithEchoes(batch)
    }

    /// One sentence about a finding on the whole batch: its title, its field, and the movement compared with the usual
    /// one.
    ///
    /// - Parameters:
    ///   - finding: the finding as reports state it.
    ///   - isRolling: whether the baseline is the last accepted batches, and not a named one.
    static func summary(_ finding: JSONValue, isRolling: Bool = true) -> String {
        let code = finding["type"]?.text.flatMap { FindingCode(rawValue: $0) }
        var text = code.map { FindingCatalogue.entry($0).title } ?? finding["type"]?.text ?? ""
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
            "\(NumberText.share(value)) of the rows (limit \(NumberText.share(limit)))"
        case .tooManyRejectedRows: "\(NumberText.short(value, 0)) rows (limit \(NumberText.short(limit, 0)))"
        case .tooFewRows: "\(NumberText.short(value, 0)) rows (at least \(NumberText.short(limit, 0)) are needed)"
        default: "\(NumberText.short(value, 4)) (limit \(NumberText.short(limit, 4)))"
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

    /// One sentence about a batch finding, including other fields that moved in the same way.
    static func message(_ finding: JSONValue, isRolling: Bool) -> String {
        let others = finding["moved"] == nil ? nil : with(finding)
        return summary(finding, isRolling: isRolling) + (others.map { "; with it: \($0)" } ?? "")
    }

    /// The other fields that moved with it; nil for none.
    static func with(_ finding: JSONValue) -> String? {
        let names = (finding["contributors"]?.items ?? []).compactMap(\.text)
        if names.isEmpty { return nil }
        let shown = 6
        return names.prefix(shown).joined(separator: ", ")
            + (names.count > shown ? " and \(names.count - shown) more" : "")
    }

    /// The findings to report: of fields that moved in the same way only the one furthest beyond its threshold. A
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
        var reported = Set<String>()
        return findings.compactMap { finding in
            guard let key = key(finding) else { return finding }
            return reported.insert(key).inserted ? first[key] : nil
        }
    }

    /// The movement of a field compared with its usual movement.
    static func sentence(_ moved: Movement, isRolling: Bool = true) -> String {
        let count = isRolling && moved.batches == 1 ? "" : NumberText.number(moved.batches) + " "
        let batches =
            (isRolling ? "the last " : "") + count + (moved.batches == 1 ? "accepted batch" : "accepted batches")
        switch moved.kind {
        case .center:
            let way = moved.now < 0 ? "below" : "above"
            if moved.unit == .relative {
                return
                    "centre \(NumberText.share(abs(moved.now))) \(way) \(batches), which differed by \(range(moved, signed: true)) %"
            }
            return "centre \(NumberText.short(abs(moved.now), 1)) spreads \(way) \(batches), which differed by "
                + "\(signed(moved.least)) to \(signed(moved.most)) (1 spread is the usual spread inside a batch)"
        case .spread: return multiple("spread", "that of \(batches)", moved)
        case .lowerTail: return multiple("lower tail reaches", "as far from the centre as in \(batches)", moved)
        case .upperTail: return multiple("upper tail reaches", "as far from the centre as in \(batches)", moved)
        case .shape: return "another shape than in \(batches), around the same centre"
        case .share: return "one value in \(NumberText.share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        case .shares:
            return "\(NumberText.share(moved.now)) of the rows have another value than in the nearest of \(batches)"
        case .replaced: return "nearly all rows have a value that did not occur in \(batches)"
        case .missing: return "missing in \(NumberText.share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        case .new:
            return
                "\(NumberText.number(moved.kinds)) new \(moved.kinds == 1 ? "value" : "values") "
                + "in \(NumberText.share(moved.now)) of the rows; "
                + "at most \(NumberText.number(moved.mostKinds)) in \(NumberText.share(moved.most)) of the rows of \(batches)"
        case .rows: return multiple("", "as many rows as usual in \(batches)", moved)
        case .remarks: return "\(NumberText.share(moved.now)) of the rows; \(range(moved)) % in \(batches)"
        }
    }

    /// A factor compared with the usual factors.
    private static func multiple(_ what: String, _ than: String, _ moved: Movement) -> String {
        let (least, most) = (NumberText.short(moved.least, 1), NumberText.short(moved.most, 1))
        return (what.isEmpty ? "" : what + " ")
            + "\(NumberText.short(moved.now, 1)) times \(than), which had \(least == most ? least : "\(least) to \(most)") times the usual"
    }

    /// The distance to the nearest accepted batch, the usual distances, and the threshold; nil without a statistic.
    private static func tested(_ moved: Movement, _ statistic: Double?, _ line: Double?) -> String? {
        guard let statistic, let line else { return nil }
        switch moved.kind {
        case .center, .spread, .lowerTail, .upperTail, .shape:
            return "\(NumberText.short(statistic, 1)) spreads from the nearest batch; "
                + (moved.usual.map { "accepted batches were at most \(NumberText.short($0, 1)) away on arrival; " }
                    ?? "")
                + "the threshold is \(NumberText.short(line, 1))"
        case .shares:
            return
                (moved.usual.map { "accepted batches differed in at most \(NumberText.share($0)) on arrival; " } ?? "")
                + "the threshold is \(NumberText.share(line))"
        case .missing, .new,
            .remarks where line <= 1:
            return "the threshold is \(NumberText.share(line))"
        default: return nil
        }
    }

    /// The usual range of a movement, such as `1 to 4`.
    private static func range(_ moved: Movement, signed isSigned: Bool = false) -> String {
        func one(_ value: Double) -> String {
            isSigned && value > 0 ? "+" + NumberText.digits(value) : NumberText.digits(value)
        }
        let (least, most) = (one(moved.least), one(moved.most))
        return least == most ? least : "\(least) to \(most)"
    }

    /// A number with its sign, also when it is positive.
    private static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + NumberText.short(value, 1) }

    /// A report's totals as lines for people: marks and copies of all kinds are one line each, with their number.
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
            made[same]["rule"] = .string("\(NumberText.number(clusters[same] ?? 1)) of them; --format json lists each")
            made[same]["count"] = .integer((made[same]["count"]?.whole ?? 0) + (total["count"]?.whole ?? 0))
            let rows = Set(
                ((made[same]["firstRows"]?.items ?? []) + (total["firstRows"]?.items ?? [])).compactMap(\.whole))
            made[same]["firstRows"] = .array(rows.sorted().prefix(FindingCounts.rowsKept).map { .integer($0) })
        }
        return made.map { .object($0) }
    }
}
