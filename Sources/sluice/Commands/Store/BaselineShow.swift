import ArgumentParser
import Ingestion
import Screening
import Storage
import Tabular

extension BaselineCommand {
    /// `sluice baseline show`: the composition of a baseline, and what the tests have learnt from it.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract:
                "Show what a baseline consists of and what the gate has learnt from it; no value of the data is shown.",
            discussion: """
                For each field: its form and where that is set, how far accepted batches were from each other, the threshold, the number \
                of rows and batches, and the smallest change that would be detected in half of the batches of the usual size. The last \
                figure is found by running the tests on accepted batches with growing changes. All figures are relative to the accepted \
                batches.

                Example: sluice baseline show 2026q3 --dataset orders --store store
                """)
        @Argument(help: "A named baseline, a batch, or rolling: the last accepted batches.") var name = "rolling"
        @OptionGroup var judged: Judged

        /// Prints the composition, and below it what each field's tests have learnt.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let (store, dataset) = try judged.dataset.chosen()
                var members = try store.describeBaseline(name, dataset: dataset).members ?? [:]
                var why: String?
                do throws(IngestionError) {
                    members["learnt"] =
                        try store.describeLearnt(
                            name, dataset: dataset, judged.contract(of: dataset, in: store)) ?? .null
                } catch {
                    // Early versions kept no contract with their decisions; the composition can be shown all the same.
                    guard judged.schema == nil, error.code == .usage || error.code == .unreadableData else {
                        throw error
                    }
                    why = error.description
                }
                if judged.json { return Terminal.json(.object(members)) }
                Terminal.report(Self.lines(.object(members)), indent: 10)
                if let why { Terminal.remark("cannot show what was learnt: \(why)") }
            }
        }

        /// The baseline as lines for people.
        private static func lines(_ document: JSONValue) -> [String] {
            func whole(_ value: JSONValue?) -> String { NumberText.number(Int(value?.whole ?? 0)) }
            let remarks = document["remarks"]
            var lines = [
                "baseline  \(document["name"]?.text ?? "") of dataset \(document["dataset"]?.text ?? ""): "
                    + "\(NumberText.number(document["batches"]?.items?.count ?? 0)) batches, \(whole(document["rows"])) rows, "
                    + "\(whole(document["sampledRows"])) of them sampled, \(whole(document["sampledTexts"])) with their text",
                "findings  in \(whole(remarks?["tested"])) rows: \(whole(remarks?["deviated"])) outliers, "
                    + "\(whole(remarks?["isolated"])) isolated, \(whole(remarks?["apart"])) with inconsistent values, "
                    + "\(whole(remarks?["withheld"])) held back by the forest",
            ]
            guard let learnt = document["learnt"], learnt != .null else {
                for field in document["fields"]?.items ?? [] {
                    lines.append(
                        "field     \(field["name"]?.text ?? "")  \(field["kind"]?.text ?? ""): \(whole(field["values"])) values, "
                            + "\(whole(field["missing"])) missing")
                }
                return lines
            }
            lines += LearntText.head(learnt)
            for field in learnt["fields"]?.items ?? [] { lines += LearntText.lines(field) }
            lines.append("note      \(FeedText.sight)")
            lines.append(
                "set       form of a field: sluice: { form: measure, code or key } for a number, { form: category or key } for a text; "
                    + "threshold: sluice: { drift: { warn: …, fail: … } }; no comparison: sluice: { drift: { enabled: false } }"
            )
            lines.append(
                "next      to see what these settings would have held: sluice baseline simulate --dataset "
                    + (document["dataset"]?.text ?? ""))
            return lines
        }
    }
}

/// The knowledge of the tests about a feed, as lines.
enum LearntText {
    /// The lines on the feed as a whole.
    static func head(_ learnt: JSONValue) -> [String] {
        func whole(_ key: String) -> Int { Int(learnt[key]?.whole ?? 0) }
        let isLearning = learnt["isLearning"]?.flag == true
        var lines = [
            "learning  "
                + (isLearning
                    ? "\(whole("batches")) of \(whole("learning")) batches: differences are reported and do not hold a batch yet"
                    : "done: \(whole("batches")) batches, \(whole("learning")) were needed; a difference holds a batch")
                + "; a batch usually has \(NumberText.number(whole("rows"))) rows"
        ]
        if let season = season(learnt["season"]) { lines.append("season    " + season) }
        for rate in learnt["rates"]?.items ?? [] {
            guard let code = rate["type"]?.text.flatMap({ FindingCode(rawValue: $0) }),
                let usual = rate["usual"]?.double, let line = rate["line"]?.double
            else { continue }
            lines.append(
                "rate      \(FindingCatalogue.entry(code).title): at most \(NumberText.share(usual)) of the rows of an accepted batch; "
                    + "the threshold is "
                    + NumberText.share(line))
        }
        return lines
    }

    /// Whether batches are compared within their weekday or hour, or could be; nil for neither.
    private static func season(_ season: JSONValue?) -> String? {
        guard let season, let kind = season["kind"]?.text else { return nil }
        let fields = (season["fields"]?.items ?? []).compactMap(\.text)
        let named = fields.prefix(8).joined(separator: ", ") + (fields.count > 8 ? " and \(fields.count - 8) more" : "")
        if season["isSet"]?.flag == true {
            return fields.isEmpty
                ? "\(kind): no field differs enough by \(kind), so a batch is compared with all others"
                : "\(kind): in \(named) a batch is compared only with batches of the same \(kind)"
        }
        return
            "batches differ by \(kind) in \(named); to compare a batch only with batches of the same \(kind), write "
            + "sluice: { baseline: { season: \(kind) } } into the contract"
    }

    /// The lines on one field.
    static func lines(_ field: JSONValue) -> [String] {
        let form = field["form"]?.text.flatMap { ColumnForm(rawValue: $0) } ?? .unknown
        let isLength = field["kind"]?.text == "length"
        let name = (field["name"]?.text ?? "") + (isLength ? " (length of its text)" : "")
        let declared = field["declared"]?.flag == true ? ", as the contract says" : ""
        let counts =
            "\(NumberText.number(Int(field["batches"]?.whole ?? 0))) batches, \(NumberText.number(Int(field["rows"]?.whole ?? 0))) rows"
        var lines = ["field     \(name)  \(FeedText.form(form))\(declared); \(counts)"]
        if let leftOut = field["leftOut"]?.text { lines.append("          " + leftOut) }
        lines += (field["tests"]?.items ?? []).compactMap(FeedText.learnt).map { "          " + $0 }
        if let rows = FeedText.rowLines(field) { lines.append("          " + rows) }
        if let sees = FeedText.wouldSee(field) { lines.append("          would still detect: " + sees) }
        return lines
    }
}
