import ArgumentParser
import Ingestion
import Screening
import Storage
import Tabular

extension BaselineCommand {
    /// `sluice baseline simulate`.
    struct Simulate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Judge the last accepted batches again under the settings of now, or under others: what would have been held?",
            discussion: """
                Each batch is judged beside those that were accepted before it, by the sealed sample of its released rows. Replayed: \
                drift, shares, new and missing values, number of rows, outliers, pairs, forest, triggers, copies and labels. Not \
                replayed, since it is not kept: the contract's own checks, credentials and personal data, keys, what sources say of the \
                same keys, slow drift and named baselines, rows that were held back when the batch came, and the rows beyond the \
                sample (up to 16,384 of a batch, 2,048 with their text). Nothing is written, and nothing is recorded.

                --set changes the contract for this run: baseline.learning=4, batch.maxQuarantinedRate=0.1, \
                fields.NAME.drift.fail=0.5, fields.NAME.form=measure. A changed contract is given with --schema.
                """)
        @Option(name: .long, help: "How many of the newest accepted batches.") var last = 20
        @Option(name: .long, help: "A setting under the contract's sluice:, as KEY=VALUE; may be repeated.")
        var set: [String] = []
        @OptionGroup var judged: Judged

        func validate() throws {
            if !(1...400).contains(last) { throw ValidationError("--last must be 1 to 400") }
        }

        func run() async throws {
            ignoreBrokenPipes()
            keepFreedMemory()
            try await reporting {
                let (store, dataset) = try judged.dataset.chosen()
                let contract = try judged.contract(of: dataset, in: store)
                let found = try store.simulate(dataset, last: last, contract: contract, settings: set)
                if judged.json { return Terminal.json(found.document) }
                Terminal.lines(Self.lines(found))
            }
        }

        private static func lines(_ found: Simulation) -> [String] {
            let held = found.batches.filter(\.isHeld)
            let (rows, rowsHeld) = (
                found.batches.reduce(0) { $0 + $1.sampled }, found.batches.reduce(0) { $0 + $1.rowsHeld }
            )
            var lines = [
                "dataset   \(found.dataset): \(found.batches.count) accepted batches judged again, each beside those before it, by "
                    + found.origin,
                "held      \(held.count) of \(found.batches.count) would have been held"
                    + (held.isEmpty ? "" : ": " + reasons(held, found.fields)),
                "rows      \(Words.number(rowsHeld)) of \(Words.number(rows)) sampled rows would have been held back"
                    + (rows > 0 ? " (\(Words.share(Double(rowsHeld) / Double(rows))))" : ""),
            ]
            let documents = found.document["batches"]?.items ?? []
            for (batch, document) in zip(found.batches, documents) {
                let verdict =
                    batch.isHeld
                    ? "HELD" : batch.before == 0 ? "first contact" : batch.isLearning ? "learning" : "accepted"
                lines.append(
                    "batch     \(batch.batch)  \(batch.time)  \(verdict)  \(Words.number(batch.rows)) rows, beside "
                        + (batch.before == 1 ? "1 batch" : "\(batch.before) batches"))
                for finding in Words.causes(document["findings"]?.items ?? []) {
                    let mark = finding["outcome"]?.text == Outcome.flagged.name ? "remark" : "why"
                    lines.append(
                        "  \(mark)  \(Words.message(finding, isRolling: true))")
                }
                for rows in batch.rowFindings where rows.held {
                    let field = found.fields.indices.contains(rows.field) ? " (\(found.fields[rows.field]))" : ""
                    lines.append(
                        "  rows  \(Words.number(rows.count)) would be held back: \(rows.code.rawValue)\(field)")
                }
            }
            if let named = found.named {
                lines.append(
                    "note      batches are judged by baseline \(named) in fact; this is about the last accepted batches alone"
                )
            }
            lines.append(
                "note      not replayed, since it is not kept: the contract's own checks, credentials, keys, what sources say of each "
                    + "other, rows that were held back then")
            return lines
        }

        /// What would have held them: each reason with how many batches have it.
        private static func reasons(_ held: [Simulation.Batch], _ fields: [String]) -> String {
            var counts: [String: Int] = [:]
            for batch in held {
                let codes = batch.findings.filter { $0.outcome >= .quarantined }.map { finding in
                    finding.code.rawValue
                        + (fields.indices.contains(finding.field) ? " (\(fields[finding.field]))" : "")
                }
                for code in Set(codes) { counts[code, default: 0] += 1 }
            }
            let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let shown = sorted.prefix(8).map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return shown + (sorted.count > 8 ? " and \(sorted.count - 8) more" : "")
        }
    }
}
