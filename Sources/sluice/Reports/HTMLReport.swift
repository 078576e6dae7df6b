import Screening
import Tabular

/// A batch's report as one self-contained HTML page: verdict, drawings and remedies. It has no script, loads nothing,
/// and shows no value of the data.
///
/// Every text goes through `escaped`, since names come from suppliers.
struct HTMLReport {
    /// The kept report, without single findings.
    private let report: JSONValue
    /// The batch's `batch.judged` entry.
    private let judged: JSONValue
    private let pictures: JSONValue
    /// The knowledge of the tests when they judged the batch, or the reason why it is unavailable.
    private let learnt: JSONValue?

    init(_ report: JSONValue, _ judged: JSONValue, learnt: JSONValue? = nil) {
        self.report = report
        self.judged = judged
        self.learnt = learnt
        pictures = report["pictures"] ?? .null
    }

    /// Most fields and tests that are drawn; the JSON report has all.
    private static let drawn = 60

    /// The whole page.
    func page() -> String {
        let title = "\(text(report["dataset"])) \(text(report["batch"]))"
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title><style>\(Self.style)</style></head><body>
            \(header())
            \(section("Why", why()))
            \(section("What to do next", next()))
            \(section("Scores and thresholds", scores()))
            \(section("Labels", charts { $0 == "label-shift" }))
            \(section("Fields against the baseline", charts { $0 != "label-shift" }))
            \(section("Most frequent findings", findings()))
            \(section("Sources", sources()))
            \(section("Shadow contract", shadow()))
            \(section("Batch tests", tests()))
            \(section("Not tested", untested()))
            \(section("What was learnt, and what would still be detected", sight()))
            <footer>\(escaped(provenance()))</footer>
            </body></html>

            """
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1d2329;--soft:#66707a;--line:#d5dae0;--bg:#fff;--here:#2f6fb2;--before:#b8c2cc;\
        --bad:#b3261e;--warn:#b26a00;--good:#2e7d4f}
        @media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa5b1;--line:#3a424b;--bg:#15191d;--here:#6aa7e8;\
        --before:#56616d;--bad:#ff8a80;--warn:#ffb74d;--good:#81c995}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--bg);max-width:70rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--line)}
        .badge{display:inline-block;padding:.1rem .6rem;border-radius:1rem;color:var(--bg);font-weight:600;margin-left:.5rem}
        .good{background:var(--good)}.bad{background:var(--bad)}.warn{background:var(--warn)}
        .t-bad{color:var(--bad);font-weight:600}.t-warn{color:var(--warn);font-weight:600}.soft{color:var(--soft)}
        .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}
        figure{margin:0;border:1px solid var(--line);border-radius:.4rem;padding:.6rem}figcaption{font-size:.85rem}
        table{border-collapse:collapse;width:100%;font-size:.85rem}\
        td,th{text-align:left;padding:.2rem .5rem;border-bottom:1px solid var(--line)}
        td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;display:block}
        .here{fill:var(--here)}.before{fill:var(--before)}.limit{stroke:var(--bad);stroke-dasharray:3 2}\
        .mild{stroke:var(--warn);stroke-dasharray:3 2}
        svg text{font-size:9px;fill:var(--soft)}footer{margin-top:2rem;color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
        .bar{display:flex;height:1rem;border-radius:.3rem;overflow:hidden;margin:.6rem 0}.bar div{height:100%}
        """

    // MARK: Parts

    private func section(_ title: String, _ body: String) -> String {
        body.isEmpty ? "" : "<section><h2>\(title)</h2>\(body)</section>"
    }

    private func header() -> String {
        let status = text(report["status"])
        let tone = status == "accepted" ? "good" : "bad"
        let stats = report["stats"]
        var parts: [String] = []
        var bar = ""
        for (key, colour) in [
            ("accepted", "var(--good)"), ("flagged", "var(--here)"), ("quarantined", "var(--warn)"),
            ("rejected", "var(--bad)"),
        ] {
            let count = whole(stats?[key])
            parts.append("\(NumberText.number(count)) \(key)")
            let share = 100 * Double(count) / Double(max(1, whole(stats?["rows"])))
            bar +=
                "<div style=\"width:\(NumberText.short(share))%;background:\(colour)\" title=\"\(key) \(count)\"></div>"
        }
        return """
            <header><h1>\(escaped(text(report["dataset"])))<span class="badge \(tone)">\(escaped(status.uppercased()))</span></h1>
            <div class="soft">batch \(escaped(text(report["batch"]))) · from \(escaped(text(report["source"]))) · \
            \(escaped(text(judged["time"])))</div>
            <div class="bar">\(bar)</div>
            <div>\(NumberText.number(whole(stats?["rows"]))) rows, \(NumberText.number(whole(stats?["bytes"]))) bytes: \
            \(parts.joined(separator: ", "))\(status == "accepted" ? "" : " (none of it published)")</div></header>
            """
    }

    /// The reasons for the verdict.
    private func why() -> String {
        let lines = FindingText.causes(report["batchErrors"]?.items ?? []).map { finding -> String in
            let code = FindingCode(rawValue: text(finding["type"]))
            let isHolding = finding["outcome"]?.text != "flagged"
            var line = FindingText.summary(finding, isRolling: report["screening"]?["baseline"]?.text == nil)
            if finding["moved"] != nil, let others = FindingText.with(finding) { line += "; with it: \(others)" }
            return "<li><span class=\"\(isHolding ? "t-bad" : "t-warn")\">\(isHolding ? "holds it" : "remark")</span> "
                + "\(escaped(line))<br><span class=\"soft\">\(escaped(code.map { FindingCatalogue.entry($0).what } ?? ""))</span></li>"
        }
        return
            (lines.isEmpty ? "<p>There is no finding about the batch as a whole.</p>" : "<ul>\(lines.joined())</ul>")
            + waived()
    }

    /// The findings that a person waived when the batch was released.
    private func waived() -> String {
        let held = text(report["releases"])
        if held.isEmpty { return "" }
        let parts = (report["waived"]?.items ?? []).prefix(Self.drawn).map { finding in
            text(finding["type"]) + (finding["fieldName"]?.text.map { " (\($0))" } ?? "")
        }
        let rows = text(report["releasedRows"])
        let what = rows.isEmpty ? "held batch \(held)" : "rows \(rows) of batch \(held)"
        return
            "<p>A person released \(escaped(what)) as this one. Waived: "
            + "\(escaped(parts.isEmpty ? "nothing" : parts.joined(separator: ", "))).</p>"
    }

    /// The next steps, as commands.
    private func next() -> String {
        var steps: [String] = []
        if let incident = report["incident"], let batch = incident["batch"]?.text {
            steps.append(FindingText.incident(batch, since: text(incident["since"])))
        }
        for finding in report["batchErrors"]?.items ?? [] where finding["outcome"]?.text != "flagged" {
            if let code = FindingCode(rawValue: text(finding["type"])) {
                steps.append(
                    ReportText.cure(
                        code, ofBatch: text(report["batch"]), from: text(report["source"]),
                        isRejected: text(report["status"]) == "rejected"))
            }
        }
        let release = FindingText.release(text(report["batch"]))
        if text(report["status"]) == "held", !steps.contains(where: { $0.contains(release) }) {
            steps.append(
                "to release this batch once the contract, sluice.yaml or the standing of the source is corrected: "
                    + release)
        }
        for total in (report["totals"]?.items ?? []).prefix(3) {
            if let code = FindingCode(rawValue: text(total["type"])) {
                steps.append(
                    FindingCatalogue.entry(code).title + ": "
                        + FindingText.cure(code, ofBatch: text(report["batch"]), from: text(report["source"]))
                )
            }
        }
        steps.append("to see why a row got its outcome: sluice lineage explain \(text(report["batch"])):ROW")
        var seen = Set<String>()
        return "<ol>"
            + steps.filter { seen.insert($0).inserted }
            .map { "<li>\(escaped(NamedStore.completed($0)))</li>" }.joined() + "</ol>"
    }

    /// Histograms of scores with a logarithmic scale, since the few rows far out matter most.
    private func scores() -> String {
        var figures: [String] = []
        for entry in (pictures["deviations"]?.items ?? []).prefix(Self.drawn) {
            let bins = counts(entry["bins"])
            figures.append(
                figure(
                    histogram(bins, lines: [(10, "mild"), (20, "limit")]),
                    "<b>\(escaped(text(entry["fieldName"])))</b>: modified z of all rows; lines at the threshold "
                        + "\(NumberText.short(entry["threshold"]?.double ?? 0)) and at twice that; the last bar has all above"
                ))
        }
        if let paths = pictures["paths"], paths["bins"] != nil {
            let (flag, hold) = (paths["flag"]?.double ?? 0, paths["quarantine"]?.double ?? 0)
            figures.append(
                figure(
                    histogram(counts(paths["bins"]), lines: [(flag, "mild"), (hold, "limit")].filter { $0.0 > 0 }),
                    "<b>isolation forest</b>: mean path of all rows in quarter steps; a shorter path is an odder row, lines where rows are "
                        + "flagged and held back"))
        }
        return figures.isEmpty ? "" : "<div class=\"grid\">\(figures.joined())</div>"
    }

    /// Drawings of the fields that `isWanted` selects, beside the baseline.
    private func charts(_ isWanted: (String) -> Bool) -> String {
        let figures = (pictures["tests"]?.items ?? []).filter { isWanted(text($0["type"])) }.prefix(Self.drawn).map {
            test -> String in
            let outcome = text(test["outcome"])
            let tone = outcome == "quarantined" ? "t-bad" : outcome == "flagged" ? "t-warn" : "soft"
            var caption =
                "<b>\(escaped(text(test["fieldName"])))</b> <span class=\"\(tone)\">\(escaped(text(test["type"]))) "
                + "\(NumberText.short(test["effect"]?.double ?? 0, 3))</span> <span class=\"soft\">limits "
                + "\(NumberText.short(test["warn"]?.double ?? 0)) and \(test["hold"]?.double.map { NumberText.short($0) } ?? "none")</span>"
            var names = (test["labels"]?.items ?? []).compactMap(\.text)
            var (here, before) = (counts(test["here"]), counts(test["before"]))
            if !names.isEmpty {
                // The last bin holds all values that are not named; it is omitted if empty.
                if here.last == 0, before.last == 0 {
                    here.removeLast()
                    before.removeLast()
                } else {
                    names.append("others")
                }
                caption += "<br><span class=\"soft\">\(escaped(names.joined(separator: " · ")))</span>"
            }
            return figure(pairs(here, before), caption)
        }
        if figures.isEmpty { return "" }
        return
            "<p class=\"soft\">Shares of rows: the baseline in grey, this batch in blue. Numbers by the baseline's deciles.</p>"
            + "<div class=\"grid\">\(figures.joined())</div>"
    }

    /// The knowledge of the tests about each field, and the smallest changes that they detect.
    private func sight() -> String {
        guard let learnt else { return "" }
        if let why = learnt.text { return "<p class=\"soft\">\(escaped(why))</p>" }
        let rows = (learnt["fields"]?.items ?? []).prefix(4 * Self.drawn).map { field -> String in
            let form = field["form"]?.text.flatMap { ColumnForm(rawValue: $0) } ?? .unknown
            let name = text(field["name"]) + (field["kind"]?.text == "length" ? " (length)" : "")
            let known =
                [field["leftOut"]?.text].compactMap { $0 } + (field["tests"]?.items ?? []).compactMap(FeedText.learnt)
            return "<tr><td>\(escaped(name))</td><td>\(escaped(FeedText.form(form)))</td>"
                + "<td>\(known.map(escaped).joined(separator: "<br>"))</td><td>\(escaped(FeedText.wouldSee(field) ?? "–"))</td></tr>"
        }
        return
            "<p class=\"soft\">\(escaped(LearntText.head(learnt).map { $0.dropFirst(10) }.joined(separator: ". ")))</p>"
            + table(["field", "form", "learnt", "would still be detected"], numbers: [], Array(rows))
            + "<p class=\"soft\">\(escaped(FeedText.sight)).</p>"
    }

    /// The most frequent row findings, with their first rows.
    private func findings() -> String {
        let rows = FindingText.lines(ofTotals: report["totals"]?.items ?? []).prefix(Self.drawn).map { total in
            let outcome = text(total["outcome"])
            let tone = outcome == "flagged" || outcome == "accepted" ? "soft" : "t-bad"
            return "<tr><td class=\"\(tone)\">\(escaped(outcome))</td><td>\(escaped(text(total["type"])))</td>"
                + "<td>\(escaped(FindingText.place(total["fieldName"]?.text, total["rule"]?.text)))</td>"
                + "<td class=\"n\">\(NumberText.number(whole(total["count"])))</td>"
                + "<td>\((total["firstRows"]?.items ?? []).compactMap(\.whole).map(String.init).joined(separator: ", "))</td></tr>"
        }
        return rows.isEmpty
            ? "" : table(["outcome", "reason", "field or rule", "rows", "first rows"], numbers: [3], rows)
    }

    /// The values that sources confirm and contradict.
    private func sources() -> String {
        var out = ""
        if let vouched = report["vouched"], vouched != .null {
            let provenance = vouched["provenance"]
            out += "<p>standing: \(escaped(text(vouched["standing"])))"
            if let provenance {
                out +=
                    " · digest \(escaped(text(provenance["digest"]))) · signature \(escaped(text(provenance["signature"]))) "
                    + escaped(text(provenance["signer"]))
            }
            out += "</p>"
        }
        guard let cross = report["cross"], cross != .null else { return out }
        out +=
            "<p>\(NumberText.number(whole(cross["compared"]))) values compared, \(NumberText.number(whole(cross["conflicts"]))) not "
            + "confirmed; \(NumberText.number(whole(cross["shared"]))) of \(NumberText.number(whole(cross["rows"]))) rows have a key that "
            + "another source has too.</p>"
        let rows = (cross["sources"]?.items ?? []).map { source in
            "<tr><td>\(escaped(text(source["name"])))</td><td class=\"n\">\(NumberText.number(whole(source["agreed"])))</td>"
                + "<td class=\"n\">\(NumberText.number(whole(source["differed"])))</td>"
                + "<td>\(source["distrusted"]?.flag == true ? "<span class=\"t-bad\">not trusted</span>" : "")</td></tr>"
        }
        return out + (rows.isEmpty ? "" : table(["source", "confirmed", "contradicted", ""], numbers: [1, 2], rows))
    }

    /// The outcomes that a candidate contract would have changed.
    private func shadow() -> String {
        guard let shadow = report["shadow"], shadow != .null else { return "" }
        var out =
            "<p>\(escaped(text(shadow["contract"]))) \(shadow["would_hold"]?.flag == true ? "would" : "would not") hold the "
            + "batch.</p>"
        let rows = (shadow["changes"]?.items ?? []).map { change in
            "<tr><td class=\"n\">\(NumberText.number(whole(change["count"])))</td><td>\(escaped(text(change["now"])))</td>"
                + "<td>\(escaped(text(change["then"])))</td></tr>"
        }
        if !rows.isEmpty { out += table(["rows", "now", "then"], numbers: [0], rows) }
        return out
    }

    /// The batch tests with statistic and threshold.
    private func tests() -> String {
        func number(_ value: JSONValue?, _ places: Int = 3) -> String {
            value?.double.map { NumberText.short($0, places) } ?? "∞"
        }
        let rows = (report["screening"]?["tests"]?.items ?? []).prefix(4 * Self.drawn).map { test in
            let outcome = text(test["outcome"])
            let tone = outcome == "quarantined" ? "t-bad" : outcome == "flagged" ? "t-warn" : "soft"
            return "<tr><td>\(escaped(test["fieldName"]?.text ?? "–"))</td><td>\(escaped(text(test["type"])))</td>"
                + "<td class=\"n\">\(number(test["statistic"]))</td><td class=\"n\">\(number(test["critical"]))</td>"
                + "<td class=\"n\">\(number(test["effect"], 4))</td><td class=\"n\">\(number(test["warn"]))</td>"
                + "<td class=\"n\">\(number(test["hold"]))</td><td class=\"n\">\(whole(test["n"]))</td>"
                + "<td class=\"n\">\(whole(test["basis"]))</td><td class=\"\(tone)\">\(escaped(outcome))</td></tr>"
        }
        if rows.isEmpty { return "" }
        return table(
            ["field", "test", "statistic", "chance", "effect", "flag", "hold", "n", "basis", "outcome"],
            numbers: Set(2...8), rows)
    }

    /// The fields that were not tested, with the reasons.
    private func untested() -> String {
        let lines = (report["screening"]?["untested"]?.items ?? []).map { entry in
            let names = entry["fieldName"]?.text.map { [$0] } ?? []
            return "<li>\(escaped(FeedText.untested(names, text(entry["reason"]))))</li>"
        }
        return lines.isEmpty ? "" : "<ul>\(lines.joined())</ul>"
    }

    /// Digests, contract and baseline of the batch.
    private func provenance() -> String {
        let by = judged["judged_by"]?["name"]?.text.map { "baseline \($0)" } ?? "the last accepted batches"
        return
            "decision sha256 \(text(judged["decision_sha256"])) · judged by \(by) · pipeline \(text(judged["pipeline"])) · "
            + "contract sha256 \(text(report["contract"]?["sha256"])) · source sha256 \(text(report["stats"]?["sha256"]))"
    }

    // MARK: Reading

    /// Accessors for the report's members; an absent member is an empty text, 0 or an empty list.
    func text(_ value: JSONValue?) -> String { value?.text ?? "" }
    func whole(_ value: JSONValue?) -> Int { Int(value?.whole ?? 0) }
    func counts(_ value: JSONValue?) -> [Int] { (value?.items ?? []).map { whole($0) } }
    /// A text for HTML, without control characters; see `Terminal.markup`.
    func escaped(_ text: String) -> String { Terminal.markup(text) }
}
