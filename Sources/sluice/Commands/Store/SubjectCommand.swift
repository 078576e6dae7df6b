import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice subject`: finds and erases what the store has of one person.
struct SubjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subject",
        abstract: "Find and erase the rows of one person, or other subject, in all batches of a store.",
        discussion: """
            Whose a row is says the field with role: subject of the contract. Each batch has a sealed index of keyed hashes of its values.

            Example:
              sluice subject find customer-4711
              sluice subject erase customer-4711 --reason "request 2026-118" --output erased.json
            """,
        subcommands: [Find.self, Erase.self, Certificate.self])

    /// The subject.
    struct Name: ParsableArguments {
        @Argument(
            help:
                """
                The value of the field with role: subject, exactly as suppliers write it; - reads one line from standard input, so that \
                it is in no list of processes.
                """
        )
        var value: String
        @Flag(
            name: .long,
            help: "The value is a token: what a masking operator put in its place, as accepted shards have it.")
        var token = false
        @Option(name: .long, help: "Only this dataset.") var dataset: String?

        func subject() throws -> SubjectName {
            let text = value == "-" ? readLine() ?? "" : value
            if text.isEmpty { throw IngestionError(.usage, "the value that names the subject is empty") }
            // What is not UTF-8 was replaced in reading, and no accepted row has it.
            if text.contains("\u{FFFD}") {
                throw IngestionError(.usage, "the value that names the subject is not UTF-8; give it in that encoding")
            }
            return token ? .token(text) : .value(text)
        }
    }

    /// `sluice subject find`: which rows of which files are somebody's.
    struct Find: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "find",
            abstract: "List the batches, rows and files that have rows of a subject.",
            discussion: """
                The ledger records the search, with an HMAC in the place of the value. Row numbers count from 1 in the source. Batches of \
                earlier versions, and of contracts without a field with role: subject, have no index; the command says how many.

                Example: sluice subject find customer-4711

                Exit codes: 0 searched, whatever was found · 1 a file could not be read · 64 an empty value, an unknown dataset, or a \
                token that no shard has or that stands for several values.
                """)
        @OptionGroup var name: Name
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Prints what is found.
        func run() async throws {
            ignoreBrokenPipes()
            var failed = false
            try await reporting {
                let subject = try name.subject()
                let store = try store.require(dataset: name.dataset)
                let report = try Recorder(store).findSubject(subject, dataset: name.dataset)
                failed = !report.failures.isEmpty
                if json {
                    Terminal.json(SubjectText.document(report))
                } else {
                    SubjectText.lines(report).forEach { Terminal.line($0) }
                }
                report.failures.forEach { Terminal.complain($0) }
            }
            if failed { throw ExitCode(1) }
        }
    }

    /// `sluice subject erase`: takes somebody's rows out of every file of the store.
    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "erase",
            abstract: "Erase the rows of a subject from all sealed files, with a certificate.",
            discussion: """
                Accepted shards, rows that were held back, held files, assertions and indexes are written anew without the rows. The \
                ledger records the new digests and the numbers of the rows; proofs of all other rows stay valid. Run it again if it was \
                interrupted: the certificate is of everything since the subject was erased before. Backups, copies outside the store, \
                statistics of baselines and trained models are out of reach: the certificate says so.

                Example: sluice subject erase customer-4711 --reason "request 2026-118" --output erased.json

                Exit codes: 0 erased, or nothing to erase · 1 a file could not be written anew, and its batch was left · 64 as in find, or \
                the reason names a person · 66, 73 the certificate cannot be written there; nothing was erased · 75 a batch is in work \
                and was left, or a backup or another change of published files runs · 77 a key is missing.
                """)
        @OptionGroup var name: Name
        @Option(name: .long, help: "Why, 1 to 1,024 bytes; the ledger records it, so give no personal data.")
        var reason: String
        @Flag(name: .long, help: "List what would be erased, and erase nothing; recorded as a search.") var dryRun =
            false
        @Flag(name: .long, help: "Write the certificate as one HTML page (default: JSON).") var html = false
        @Option(name: .shortAndLong, help: "Write the certificate to this new file (default: none).")
        var output: String?
        @OptionGroup var store: StoreOptions

        /// Erases the rows, and writes the certificate.
        func run() async throws {
            ignoreBrokenPipes()
            var code: Int32 = 0
            try await reporting {
                if let output { try requireWritable(output) }
                let subject = try name.subject()
                let recorder = try Recorder(try store.require(dataset: name.dataset))
                if dryRun {
                    let report = try recorder.findSubject(subject, dataset: name.dataset)
                    SubjectText.lines(report).forEach { Terminal.line($0) }
                    report.failures.forEach { Terminal.complain($0) }
                    if !report.failures.isEmpty { code = 1 }
                    return
                }
                let erased = try await recorder.eraseSubject(subject, dataset: name.dataset, reason: reason)
                Terminal.line(
                    "erased \(NumberText.count(erased.rows, "row")) of \(NumberText.batches(erased.replaced.batches)); "
                        + "\(NumberText.count(erased.replaced.files, "file")) written anew")
                for name in erased.dropped.sorted() {
                    Terminal.line(
                        "not sealed for \(name) any more, which sluice.yaml does not name among the recipients")
                }
                SubjectText.unsearched(erased.report).forEach { Terminal.line($0) }
                code = tell(erased)
                guard let entry = erased.entry, let proof = try store.require().proving().proof(ofErasure: entry) else {
                    return
                }
                let (rows, batches) = (proof.claim["rows"]?.whole ?? 0, proof.claim["batches"]?.whole ?? 0)
                Terminal.line(
                    "recorded as entry #\(entry): \(NumberText.count(Int(rows), "row")) of \(NumberText.batches(Int(batches))) since this "
                        + "subject was erased before, if ever")
                guard let output else {
                    return Terminal.line("its certificate: sluice subject certificate \(entry) --output FILE")
                }
                try writeDurably(output, Array(try SubjectText.certificate(proof, html, in: store).utf8).span)
                Terminal.line("wrote \(output)")
            }
            if code != 0 { throw ExitCode(code) }
        }

        /// Refuses a place where the certificate could not be written, before anything is erased.
        private func requireWritable(_ output: String) throws {
            if exists(output) {
                throw IngestionError(.cannotCreate, "\(output) exists already; remove it, or choose another name")
            }
            let folder = split(output).folder
            guard (try? fileStatus(folder.isEmpty ? "." : folder))?.kind == .folder else {
                throw IngestionError(.noInput, "\(output): there is no folder \(folder); nothing was erased")
            }
        }

        /// Says what is left to do.
        ///
        /// - Returns: the exit code.
        private func tell(_ erased: Recorder.Erased) -> Int32 {
            let failures = erased.replaced.failures + erased.report.failures
            failures.forEach { Terminal.complain($0) }
            if !failures.isEmpty {
                Terminal.complain(
                    "the erasure is not complete: what is named above could not be written anew, so those batches stayed as they were; put "
                        + "it right and run the same command again")
                return 1
            }
            if erased.replaced.waiting > 0 {
                Terminal.complain(
                    "the erasure is not complete: \(NumberText.batches(erased.replaced.waiting)) in work and left; "
                        + "run the same command again later")
                return IngestionError.Code.tryAgain.rawValue
            }
            return 0
        }
    }
}

extension SubjectCommand {
    /// `sluice subject certificate`: the certificate of an erasure that is recorded.
    struct Certificate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "certificate",
            abstract: "Write the certificate of an erasure that the ledger records.",
            discussion: """
                It states which rows of which files were erased, by number, and what was not searched, and carries the proof. JSON, or one \
                HTML page for people; sluice lineage verify --proof checks both.

                Example: sluice subject certificate 86 --html --output erased.html

                Exit codes: 0 written · 66 the entry is no erasure; see sluice lineage log --kind subject.erased.
                """)
        @Argument(help: "The number of the entry subject.erased.") var entry: Int
        @Flag(name: .long, help: "Write one HTML page (default: JSON).") var html = false
        @OptionGroup var output: LineageCommand.ProofOutput
        @OptionGroup var store: StoreOptions

        /// Writes the certificate.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                guard let proof = try store.require().proving().proof(ofErasure: entry) else {
                    throw IngestionError(
                        .noInput, "entry \(entry) records no erasure; see: sluice lineage log --kind subject.erased")
                }
                try output.write(try SubjectText.certificate(proof, html, in: store))
            }
        }
    }
}

/// What a search for a subject found, for people and programs.
enum SubjectText {
    /// The certificate of an erasure.
    static func certificate(_ proof: RecordProof, _ html: Bool, in store: StoreOptions) throws -> String {
        let certificate = CertificateText(proof, try store.require().verifier())
        return html ? certificate.page : certificate.json
    }

    /// Lines for a terminal.
    static func lines(_ report: SubjectReport) -> [String] {
        var lines = report.batches.flatMap { batch in
            [
                "\(batch.dataset)  \(batch.batch)  \(batch.verdict)  \(NumberText.count(batch.rows.count, "row")): "
                    + batch.rows.text(first: 20)
            ] + batch.files.map { "    \($0.path)  \(NumberText.count($0.rows, "row"))" }
        }
        lines.append(
            report.batches.isEmpty
                ? "no row of this subject was found"
                : "\(NumberText.count(report.rowCount, "row")) in \(NumberText.batches(report.batches.count))")
        return lines + unsearched(report)
    }

    /// What was not searched.
    static func unsearched(_ report: SubjectReport) -> [String] {
        var lines = report.withoutIndex.sorted { $0.key < $1.key }.map { dataset, count in
            "not searched: \(NumberText.batches(count)) of \(dataset), without an index of subjects: the contract had no field with role: "
                + "subject, the file did not have it, or an earlier version judged it"
        }
        lines += report.unread.sorted { $0.key < $1.key }.map { dataset, count in
            "not searched: \(NumberText.count(count, "file")) of \(dataset), set aside because they could not be read; see: "
                + "sluice lineage log --kind batch.failed"
        }
        if report.unsearchedRows > 0 {
            lines.append(
                "not searched: \(NumberText.count(report.unsearchedRows, "row")) that could not be split into values")
        }
        return lines
    }

    /// The same as a document.
    static func document(_ report: SubjectReport) -> JSONValue {
        func numbers(_ counts: [String: Int]) -> JSONValue { .object(counts.mapValues { .integer(Int64($0)) }) }
        return .object([
            "subject": .string(report.subject), "rows": .integer(Int64(report.rowCount)),
            "batches": .array(
                report.batches.map { batch in
                    .object([
                        "batch": .string(batch.batch), "dataset": .string(batch.dataset),
                        "verdict": .string(batch.verdict), "rows": .string(batch.rows.text),
                        "files": .array(
                            batch.files.map { file in
                                .object([
                                    "path": .string(file.path), "role": .string(file.role.rawValue),
                                    "rows": .integer(Int64(file.rows)),
                                ])
                            }),
                    ])
                }),
            "not_searched": .object([
                "batches_without_index": numbers(report.withoutIndex), "files_unread": numbers(report.unread),
                "rows_unread": .integer(Int64(report.unsearchedRows)),
            ]),
            "failures": .array(report.failures.map { .string($0) }),
        ])
    }
}
