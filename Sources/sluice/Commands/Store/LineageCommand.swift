import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice lineage`: queries and verifies the ledger.
struct LineageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage", abstract: "Query the ledger, trace rows and verify the record.",
        discussion: """
            Examples:
              sluice lineage log --dataset orders
              sluice lineage trace store/accepted/orders/BATCH/0.sluice --row 3
              sluice lineage verify --files --store store
            """,
        subcommands: [
            Log.self, Show.self, TraceRow.self, ImpactOf.self, Explain.self, Prove.self, Certificate.self, Export.self,
            Verify.self,
        ])

    /// The ledger, opened for reading.
    static func open(_ store: Store) throws -> Ledger { try store.readableLedger() }

    /// `sluice lineage log`: the newest entries.
    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log",
            abstract: "Print the newest entries of the ledger, newest first.",
            discussion: """
                Example: sluice lineage log --dataset orders --kind batch.judged --limit 5
                """)
        @Option(name: .long, help: "Number of entries.") var limit = 20
        @Option(name: .long, help: "Only entries of this dataset.") var dataset: String?
        @Option(name: .long, help: "Only entries of this kind, such as batch.judged.") var kind: String?
        @Option(name: .long, help: "Only entries that name this source.") var source: String?
        @Option(name: .long, help: "Only entries from this day or time on, in UTC: 2026-12-01 or 2026-12-01T08:30.")
        var since: String?
        @Option(name: .long, help: "Only entries up to this day or time, in UTC, which is included.") var until: String?
        @Flag(name: .long, help: "Print whole entries, one JSON document a line.") var json = false
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if let kind, !LedgerEvent.allCases.map(\.rawValue).contains(kind) {
                throw ValidationError(
                    "--kind \(kind) is not a kind of entry; use one of: \(LedgerEvent.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            for (option, time) in [("--since", since), ("--until", until)] {
                if let time, !Self.isTime(time) {
                    throw ValidationError(
                        "\(option) must be a day or time in UTC, such as 2026-12-01 or 2026-12-01T08:30")
                }
            }
        }

        /// Whether a text is a prefix of a time such as `2026-12-01T08:30:00.000Z`, with at least the day. Such texts
        /// sort as times do.
        static func isTime(_ text: String) -> Bool {
            let form = Array("dddd-dd-ddTdd:dd:dd.dddZ".utf8)
            let bytes = Array(text.utf8)
            guard [10, 16, 19, 20, 23, 24].contains(bytes.count) else { return false }
            // The Z may follow whole seconds.
            if bytes.count == 20 { return bytes[19] == 0x5A && isTime(String(text.dropLast())) }
            let isFormed = zip(bytes, form).allSatisfy { byte, kind in
                kind == 0x64 ? (0x30...0x39).contains(byte) : byte == kind
            }
            func number(_ place: Int) -> UInt8 { (bytes[place] - 0x30) * 10 + bytes[place + 1] - 0x30 }
            guard isFormed, (1...12).contains(number(5)), (1...31).contains(number(8)) else { return false }
            return bytes.count == 10 || number(11) < 24 && number(14) < 60
        }

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let query = LineageQuery(try LineageCommand.open(try store.require()))
                func plain(_ time: String?) -> String? { time.map { $0.utf8.count == 20 ? String($0.dropLast()) : $0 } }
                let found = try query.log(
                    limit: limit, dataset: dataset, kind: kind, source: source, times: (plain(since), plain(until)))
                if found.isEmpty { Terminal.remark("the ledger has no such entry") }
                for entry in found {
                    if json {
                        Terminal.json(entry.body, pretty: false)
                    } else {
                        Terminal.line(LineageText.line(entry))
                    }
                }
            }
        }
    }

    /// `sluice lineage show`: every entry of a batch, as JSON.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print every ledger entry of a batch, as JSON.",
            discussion: """
                Example: sluice lineage show BATCH --store store
                """)
        @Argument(help: "The id of the batch, the first 6 or more characters of it, or latest.") var batch: String
        @OptionGroup var store: StoreOptions

        /// Prints the entries of a batch. An unknown batch exits with 66.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require()
                let batch = try BatchID.resolve(batch, in: store)
                let query = LineageQuery(try LineageCommand.open(store))
                let entries = try query.batch(batch)
                if entries.isEmpty {
                    throw IngestionError(.noInput, "the ledger has no batch \(batch); see: sluice lineage log")
                }
                for entry in entries {
                    Terminal.json(entry.body, label: "#\(entry.sequence) ")
                }
            }
        }
    }

    /// `sluice lineage trace`: from a shard or row back to the bytes of its source.
    struct TraceRow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trace", abstract: "Trace a shard, or one row of it, back to its source file.",
            discussion: """
                Prints batch, source, record, bytes, contract, decision, masks and keys.

                Example: sluice lineage trace store/accepted/orders/BATCH/0.sluice --row 3
                """)
        @Argument(help: "The shard: its file, SHA-256 or message id.") var shard: String
        @Option(name: .long, help: "A data row of the shard, counted from 1 without the header.") var row: Int?
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Traces the shard by its digest, which a file's bytes give. The byte range of a row needs a key of the store.
        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let query = LineageQuery(try LineageCommand.open(store))
                let name = exists(shard) ? try fileDigest(shard) : shard
                guard let trace = try query.trace(shard: name, row: row) else {
                    throw IngestionError(
                        .noInput,
                        "the ledger has no shard \(shard): this store did not publish it, or it was changed; for a source file: "
                            + "sluice lineage impact FILE"
                    )
                }
                var range: Range<Int>?
                if let found = trace.row, let dataset = trace.shard.entry.body["dataset"]?.text {
                    range = try store.byteRange(
                        ofRow: found.sourceRow, batch: trace.shard.batch, dataset: dataset,
                        sourceEnd: Int(trace.sourceEnd))
                } else if row != nil {
                    throw IngestionError(.noInput, "\(shard): the shard has no row \(row ?? 0)")
                }
                if json {
                    Terminal.json(LineageText.document(trace, range))
                } else {
                    Terminal.report(LineageText.render(trace, range), indent: 10)
                }
            }
        }
    }

    /// `sluice lineage impact`: the batches and shards that came from a source.
    struct ImpactOf: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "impact", abstract: "List the batches and shards that came from a supplier or a source file.",
            discussion: """
                Example: sluice lineage impact shop-eu --store store
                """)
        @Argument(help: "The name of a source, a source file, or its SHA-256.") var source: String
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Prints the batches of a source, by its name, file or digest.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require().proving()
                let query = LineageQuery(try LineageCommand.open(store))
                let name = exists(source) ? try fileDigest(source) : source
                let found = try query.impact(ofSource: name)
                if json {
                    Terminal.json(
                        .array(
                            try found.map { impact in
                                let gone = try impact.files.map { try store.absence(of: $0)?.entry }
                                return LineageText.document(impact, gone: gone)
                            }))
                    return
                }
                if found.isEmpty {
                    throw IngestionError(.noInput, "the ledger has no source \(source); see: sluice source list")
                }
                for impact in found {
                    var verdict = impact.judged?.body["verdict"]?.text ?? "unknown"
                    if let by = try store.superseding(impact.batch) { verdict += ", superseded by \(by)" }
                    if let released = impact.released?.body {
                        verdict += ", rows \(released["rows"]?.text ?? "") of \(released["held"]?.text ?? "")"
                    }
                    let dataset = impact.received.body["dataset"]?.text ?? ""
                    Terminal.line(
                        "batch \(impact.batch)  \(dataset)  \(verdict)  \(NumberText.number(impact.acceptedRows)) rows released"
                    )
                    for file in impact.files {
                        guard let rows = file.body["rows"]?.text else { continue }
                        Terminal.line(
                            "  \(file.role?.rawValue ?? "unknown")  \(file.path)  source rows \(rows), "
                                + "\(NumberText.number(Int(file.body["row_count"]?.whole ?? 0))) in it")
                        if let absence = try store.absence(of: file) { Terminal.line("    \(absence.reason)") }
                    }
                }
            }
        }
    }

    /// `sluice lineage verify`: recomputes the ledger and compares it with its signed checkpoints.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verify the ledger: recompute it and compare it with the signed checkpoints.",
            discussion: """
                A receipt or checkpoint kept outside the store (--anchor) also shows whether the ledger was replaced by an older one, or \
                rewritten by someone with the signing key.

                Example: sluice lineage verify --files --anchor last-week.tlog-proof

                Exit codes: 0 intact · 1 tampered · 3 no anchor agrees and --require-anchor is set · 66/74 unreadable · 77 no \
                verifier key is known.
                """)
        @Option(name: .long, help: "A checkpoint or .tlog-proof file kept outside the store; may be repeated.")
        var anchor: [String] = []
        @Flag(name: .long, help: "End with exit code 3 if no anchor agrees.") var requireAnchor = false
        @Option(
            name: .long,
            help:
                "The key of a witness (name+id+base64, or a file with it): each anchor must have the cosignature of one; may be repeated."
        )
        var witness: [String] = []
        @Option(
            name: .long,
            help:
                "The ledger's verifier key (name+id+base64), or a file with it (default: the pinned one, else the signing key's)."
        )
        var vkey: String?
        @Option(
            name: .long,
            help:
                "The ledger's post-quantum verifier key, or a file with it (default: of the key that sluice.yaml names)."
        )
        var postQuantumVkey: String?
        @Flag(name: .long, help: "Also compare every published file with the record.") var files = false
        @Option(
            name: .long,
            help:
                "Check this proof or certificate instead, which needs no store, only the verifier key; may be repeated."
        )
        var proof: [String] = []
        @OptionGroup var store: StoreOptions

        /// The verifier key and its origin: `--vkey`, else the pinned key, else the store's signing key. The ledger's
        /// own statement never counts.
        ///
        /// - Parameters:
        ///   - store: the store.
        ///   - key: the store's signing key, where it is readable.
        /// - Throws: `notPermitted` when no key is known.
        private func verifier(_ store: Store, _ key: SigningKey?) throws -> (key: VerifierKey, from: String) {
            if let vkey { return (try VerifierOption.key(vkey), "given with --vkey") }
            let known = KnownLedgers()
            if let known, let pinned = try known.key(of: store.configuration.origin) {
                return (pinned, "pinned in \(known.path)")
            }
            guard let key else {
                throw IngestionError(
                    .notPermitted,
                    "no verifier key is known for this ledger, and its signing key is not here: give --vkey, as sluice keys list prints it"
                )
            }
            guard let found = VerifierKey(name: store.configuration.origin, publicKey: key.publicKey) else {
                throw IngestionError(
                    .configuration, "sluice.yaml: ledger.origin is not a valid name; restore it from a backup")
            }
            switch try store.pinning(try Ledger.openReadonly(path: store.ledgerPath)) {
            case .pinned: return (found, "the one pinned in \(known?.path ?? "")")
            case .new:
                return (
                    found,
                    "seen for the first time and pinned in \(known?.path ?? ""): compare it with a copy kept elsewhere"
                )
            case .unpinned(let reason): return (found, "not pinned outside the store (\(reason)); give it with --vkey")
            }
        }

        /// What verifies second signatures: `--post-quantum-vkey`, else the key that `sluice.yaml` names, where it is readable.
        private func secondVerifier(_ store: Store) throws -> PostQuantumKey? {
            guard let given = postQuantumVkey else { return try? store.postQuantumVerifier() }
            if let key = PostQuantumKey(try VerifierOption.line(given)) { return key }
            throw IngestionError(
                .usage, "--post-quantum-vkey is not such a key: give name+id+base64, as sluice keys list prints it")
        }

        /// Compares published files with a record that was verified.
        private func compareFiles(_ store: Store) -> StoreAudit {
            do throws(IngestionError) { return try store.proving().audit() } catch {
                return StoreAudit(problems: ["FILES were not compared: \(error.description)"])
            }
        }

        /// Prints how many checkpoints have a second signature.
        private func tellSecondSignatures(_ result: LedgerVerification, _ store: Store, isKnown: Bool) {
            if isKnown {
                Terminal.line(
                    "\(NumberText.count(result.secondSignatures, "checkpoint")) of \(NumberText.number(result.checkpoints)) with a "
                        + "post-quantum signature, \(postQuantumVkey == nil ? "by the key in keys/" : "given with --post-quantum-vkey")"
                )
            } else if store.configuration.postQuantumKey != nil {
                Terminal.line(
                    "post-quantum signatures were not checked: the key is not here; give --post-quantum-vkey, as sluice keys list "
                        + "prints it")
            }
        }

        /// Prints what agrees with the ledger outside of it.
        private func tellAnchors(_ result: LedgerVerification) {
            if result.anchors == 0 {
                Terminal.line(
                    "no anchor was checked, so an older ledger, or one rewritten with the signing key, would not be noticed; "
                        + "give a receipt or checkpoint kept elsewhere with --anchor FILE")
            } else {
                Terminal.line(
                    "\(NumberText.count(result.anchors, "anchor")) \(result.anchors == 1 ? "agrees" : "agree")")
                for seen in result.cosignatures {
                    Terminal.line(
                        "cosigned by \(seen.witness) on \(Clock.text(seen.seconds * 1000)), at "
                            + "\(NumberText.count(seen.size, "entry", "entries"))")
                }
            }
        }

        /// Verifies, prints every finding, and sets the exit code: 1 for damage, 3 with `--require-anchor` when no
        /// anchor was checked.
        func run() async throws {
            var code: Int32 = 0
            try await reporting {
                if !proof.isEmpty {
                    if files || requireAnchor || !anchor.isEmpty || !witness.isEmpty {
                        throw IngestionError(
                            .usage,
                            "--proof checks a file by itself: leave out --files, --anchor, --require-anchor and --witness"
                        )
                    }
                    return try LineageCommand.verifyProofs(proof, vkey)
                }
                let store = try store.require()
                let key = vkey == nil ? try? store.signingKey() : nil
                let (verifier, from) = try verifier(store, key)
                let second = try secondVerifier(store)
                var anchors: [TrustAnchor] = []
                for path in anchor {
                    anchors.append(
                        TrustAnchor(name: path, text: try FileDescriptor.openRegular(path).readAll(max: 1 << 20)))
                }
                let result = try Ledger.verify(
                    path: store.ledgerPath, key: verifier,
                    evidence: OutsideEvidence(
                        anchors: anchors, witnesses: try witness.map(VerifierOption.witness), postQuantum: second))
                for damage in result.damage { Terminal.line(damage.description) }
                if files {
                    let audit = compareFiles(store)
                    for line in audit.problems + audit.notes { Terminal.line(line) }
                    if audit.problems.isEmpty {
                        Terminal.line("every published file matches the ledger")
                    } else {
                        code = 1
                    }
                }
                if result.damage.isEmpty {
                    Terminal.line(
                        "intact: \(NumberText.number(result.rows)) entries, \(NumberText.number(result.checkpoints)) signed checkpoints, "
                            + "root \(base64(result.root))"
                    )
                } else {
                    Terminal.line(
                        "TAMPERED: \(NumberText.count(result.damage.count, "finding")) in \(NumberText.number(result.rows)) entries"
                    )
                    code = 1
                }
                Terminal.line("verifier key \(verifier), \(from)")
                tellSecondSignatures(result, store, isKnown: second != nil)
                if result.damage.isEmpty {
                    // Also compares folder and state with what is pinned outside the store.
                    do throws(IngestionError) { _ = try store.readableLedger() } catch {
                        Terminal.line("LEDGER \(error.description)")
                        code = 1
                    }
                }
                tellAnchors(result)
                if result.anchors == 0, requireAnchor, code == 0 { code = 3 }
            }
            if code != 0 { throw ExitCode(code) }
        }
    }
}

/// Parses a verifier key from the command line.
enum VerifierOption {
    /// The key itself, or the first line of a file that has it.
    static func key(_ given: String) throws -> VerifierKey {
        if let found = VerifierKey(try line(given)) { return found }
        throw IngestionError(.usage, "--vkey is not a verifier key: give name+id+base64, as sluice keys list prints it")
    }
    /// The key of a witness, in the same ways.
    static func witness(_ given: String) throws -> WitnessKey {
        if let found = WitnessKey(try line(given)) { return found }
        throw IngestionError(
            .usage,
            "--witness is not the Ed25519 key of a witness: give name+id+base64 of type 04, as the witness publishes it"
        )
    }

    static func line(_ given: String) throws -> String {
        var text = given
        if exists(text) {
            text = String(decoding: try FileDescriptor.openRegular(text).readAll(max: 8192), as: UTF8.self)
        }
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }
}
