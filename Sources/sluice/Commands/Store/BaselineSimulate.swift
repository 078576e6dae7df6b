import ArgumentParser
import Ingestion
import Screening
import Storage
import Tabular

extension BaselineCommand {
    /// `sluice baseline simulate`: judges the last accepted batches again, each against those before it.
    struct Simulate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "simulate",
            abstract:
                "Judge the last accepted batches again, under current or other settings, and show which would have been held.",
            discussion: """
                Each batch is compared with the batches accepted before it, using the sealed sample of its released rows (up to 16,384 \
                rows, 2,048 with their text). Replayed are drift, shares, new and missing values, number of rows, outliers, pairs, \
                forest, triggers, copies and labels. Not replayed, because the data for it is not kept: checks of the contract, \
                credentials, personal data, keys, cross-verification of sources, slow drift, named baselines, and rows that were held \
                back then. Nothing is written or recorded.

                --set changes the contract for this run: baseline.learning=4, batch.maxQuarantinedRate=0.1, \
                fields.NAME.drift.fail=0.5, fields.NAME.form=measure. Use --schema for a changed contract.

                Example: sluice baseline simulate --dataset orders --set baseline.learning=4
                """)
        @Option(name: .long, help: "Number of newest accepted batches to judge, 1 to 400.") var last = 20
        @Option(name: .long, help: "A setting under sluice: in the contract, as KEY=VALUE; may be repeated.")
        var set: [String] = []
        @OptionGroup var judged: Judged

        /// Checks the range of `--last`.
        func validate() throws {
            if !(1...400).contains(last) { throw ValidationError("--last must be 1 to 400") }
        }

        /// Simulates under the contract with `--set` applied. Nothing is written, and no batch changes.
        func run() async throws {
            ignoreBrokenPipes()
            keepFreedMemory()
            try await reporting {
                let (store, dataset) = try judged.dataset.chosen()
                let contract = try judged.contract(of: dataset, in: store)
                let found = try store.simulate(dataset, last: last, contract: contract, settings: set)
                if judged.json { return Terminal.json(found.document) }
                Terminal.report(Self.lines(found), indent: 10)
            }
        }

        /// The simulated verdicts as lines, oldest first.
        private static func lines(_ found: Simulation) -> [String] {
            let held = found.batches.filter(\.isHeld)
            let (rows, rowsHeld) = (
                found.batches.reduce(0) { $0 + $1.sampled }, found.batches.reduce(0) { $0 + $1.rowsHeld }
            )
            var lines = [
                "dataset   \(found.dataset): \(found.batches.count) accepted batches judged again, each against those before it, by "
                    + found.origin,
                "held      \(held.count) of \(found.batches.count) would have been held"
                    + (held.isEmpty ? "" : ": " + reasons(held, found.fields)),
                "rows      \(NumberText.number(rowsHeld)) of \(NumberText.number(rows)) sampled rows would have been held back"
                    + (rows > 0 ? " (\(NumberText.share(Double(rowsHeld) / Double(rows))))" : ""),
            ]
            let documents = found.document["batches"]?.items ?? []
            for (batch, document) in zip(found.batches, documents) {
                let verdict =
                    batch.isHeld
                    ? "HELD" : batch.before == 0 ? "cold start" : batch.isLearning ? "learning" : "accepted"
                lines.append(
                    "batch     \(batch.batch)  \(batch.time)  \(verdict)  \(NumberText.number(batch.rows)) rows, against "
                        + (batch.before == 1 ? "1 batch" : "\(batch.before) batches"))
                for finding in FindingText.causes(document["findings"]?.items ?? []) {
                    let mark = finding["outcome"]?.text == Outcome.flagged.name ? "remark" : "why"
                    lines.append(
                        "  \(mark)  \(FindingText.message(finding, isRolling: true))")
                }
                for rows in batch.rowFindings where rows.held {
                    let field = found.fields.name(ofField: rows.field).map { " (\($0))" } ?? ""
                    lines.append(
                        "  rows  \(NumberText.number(rows.count)) would be held back: \(rows.code.rawValue)\(field)")
                }
            }
            if let named = found.named {
                lines.append(
                    "note      real batches are judged by baseline \(named); this simulation uses the last accepted batches"
                )
            }
            lines.append(
                "note      not replayed, since it is not kept: checks of the contract, credentials, keys, cross-verification of "
                    + "sources, rows that were held back then")
            return lines
        }

        /// The reasons for which they would have been held, each with its number of batches.
        private static func reasons(_ held: [Simulation.JudgedBatch], _ fields: [String]) -> String {
            var counts: [String: Int] = [:]
            for batch in held {
                let codes = batch.findings.filter { $0.outcome >= .quarantined }.map { finding in
                    finding.code.rawValue
                        + (fields.name(ofField: finding.field).map { " (\($0))" } ?? "")
                }
                for code in Set(codes) { counts[code, default: 0] += 1 }
            }
            let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let shown = sorted.prefix(8).map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return shown + (sorted.count > 8 ? " and \(sorted.count - 8) more" : "")
        }
    }
}
