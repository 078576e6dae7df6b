import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice prune`: removes sealed files whose retention ended.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove the sealed files that have been kept as long as retention in sluice.yaml says.",
        discussion: """
            The ledger records every removal, so verify, doctor and backup know that it was lawful; sluice watch does the same once a day. \
            Statistics that later batches are compared with stay, and so does what explains a held batch whose file is still there. \
            Backups and copies made before still have the files.

            Example: sluice prune --dry-run

            Exit codes: 0 removed, or nothing to remove · 1 a file is missing or not the recorded one, and was left · 75 a \
            backup or another removal runs, or a batch was in work and is left.
            """)

    @Option(name: .long, help: "Only this dataset.") var dataset: String?
    @Flag(name: .long, help: "List what would be removed, and remove nothing.") var dryRun = false
    @Flag(name: .long, help: "Print JSON.") var json = false
    @OptionGroup var store: StoreOptions

    /// Lists the files by dataset and rule, and removes them.
    func run() async throws {
        ignoreBrokenPipes()
        var code: Int32 = 0
        try await reporting {
            let store = try store.require(dataset: dataset)
            if dryRun {
                let expired = try store.proving().expiredFiles(of: dataset)
                if json { return Terminal.json(document(expired, nil)) }
                tell(expired, "would be removed", in: store)
                return
            }
            let recorder = try Recorder(store)
            let expired = try recorder.expiredFiles(of: dataset)
            let removed = try recorder.remove(expired)
            if removed.waiting > 0 { code = IngestionError.Code.tryAgain.rawValue }
            if !removed.strange.isEmpty { code = 1 }
            let gone = expired.filter { !removed.strange.contains($0.file.path) }
            if json { return Terminal.json(document(gone, removed)) }
            tell(gone, "removed", in: store)
            for path in removed.strange {
                Terminal.complain(
                    "\(path): it is missing, or not the file that the ledger records, and was left; see: sluice doctor")
            }
            if removed.waiting > 0 {
                Terminal.complain(
                    "\(NumberText.number(removed.waiting)) of these batches are in work and were left: run sluice prune again later"
                )
            }
        }
        if code != 0 { throw ExitCode(code) }
    }

    /// Files of one dataset that one rule ends.
    private struct Group {
        var files = 0, bytes = 0, holds = 0
        var batches = Set<String>()
        var oldest = ""
    }

    private func grouped(_ expired: [ExpiredFile]) -> [(dataset: String, rule: String, group: Group)] {
        var groups: [String: [String: Group]] = [:]
        for one in expired {
            var group = groups[one.dataset, default: [:]][one.rule] ?? Group()
            group.files += 1
            group.bytes += one.bytes
            group.holds += one.endsHold ? 1 : 0
            group.batches.insert(one.file.batch)
            if group.oldest.isEmpty || one.time < group.oldest { group.oldest = one.time }
            groups[one.dataset, default: [:]][one.rule] = group
        }
        return groups.sorted { $0.key < $1.key }.flatMap { dataset, rules in
            rules.sorted { $0.key < $1.key }.map { (dataset, $0.key, $0.value) }
        }
    }

    private func tell(_ expired: [ExpiredFile], _ done: String, in store: Store) {
        if expired.isEmpty {
            return Terminal.line(
                store.configuration.retainsEverything
                    ? "nothing to remove: sluice.yaml names no retention, so everything is kept"
                    : "nothing to remove: no sealed file has been kept as long as its retention says")
        }
        for (dataset, rule, group) in grouped(expired) {
            var line =
                "\(done)  \(dataset)  \(rule)  \(NumberText.count(group.files, "file")) of "
                + "\(NumberText.batches(group.batches.count))  "
                + "\(NumberText.number(group.bytes)) bytes  oldest \(group.oldest.prefix(10))"
            if group.holds > 0 { line += "  ends \(NumberText.count(group.holds, "hold")) that nobody decided about" }
            Terminal.line(line)
        }
    }

    private func document(_ expired: [ExpiredFile], _ removed: Recorder.Removed?) -> JSONValue {
        .object([
            "removed": .bool(removed != nil),
            "left_in_work": .integer(Int64(removed?.waiting ?? 0)),
            "not_the_recorded_ones": .array((removed?.strange ?? []).map { .string($0) }),
            "rules": .array(
                grouped(expired).map { dataset, rule, group in
                    .object([
                        "dataset": .string(dataset), "rule": .string(rule), "files": .integer(Int64(group.files)),
                        "batches": .integer(Int64(group.batches.count)), "bytes": .integer(Int64(group.bytes)),
                        "holds_ended": .integer(Int64(group.holds)), "oldest": .string(group.oldest),
                    ])
                }),
        ])
    }
}
