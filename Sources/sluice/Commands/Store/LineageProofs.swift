import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice lineage prove` and `sluice lineage certificate`: proofs that leave the store.
extension LineageCommand {
    /// A place to write to.
    struct ProofOutput: ParsableArguments {
        @Option(name: .shortAndLong, help: "Write to this new file (default: standard output).") var output: String?

        func write(_ text: String) throws {
            guard let output else { return Terminal.document(text) }
            if exists(output) {
                throw IngestionError(.cannotCreate, "\(output) exists already; remove it, or choose another name")
            }
            try writeDurably(output, Array(text.utf8).span)
            Terminal.line("wrote \(output)")
        }
    }

    /// `sluice lineage prove`: what the ledger records of one row, for somebody without the store.
    struct Prove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prove",
            abstract: "Prove what became of one row of a source, in a file that can be checked without the store.",
            discussion: """
                The file shows the digest of the source, the record's number, contract, decision, outcome and shard of the row, and what \
                happened afterwards as far as it is recorded. It is a C2SP tlog-proof under the newest signed checkpoint. It has no value \
                of the data; with it go the outcomes of the batch's other rows, by number.

                Example: sluice lineage prove BATCH:17 --output row-17.tlog-proof

                Exit codes: 0 written · 64 no row is named · 66 no such batch or row.
                """)
        @Argument(
            help:
                "BATCH:ROW, the row counted from 1 in the source; BATCH is an id, 6 or more characters of it, or latest."
        )
        var target: String
        @OptionGroup var output: ProofOutput
        @OptionGroup var store: StoreOptions

        /// Writes the proof.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let parts = target.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, let row = Int(parts[1]), row >= 1 else {
                    throw IngestionError(.usage, "\(target): write BATCH:ROW with a row number from 1")
                }
                let store = try store.require().proving()
                let batch = try BatchID.resolve(String(parts[0]), in: store)
                guard let proof = try store.proof(ofBatch: batch, row: row) else {
                    throw IngestionError(
                        .noInput,
                        "the ledger has no judged batch \(batch) with a row \(row); see: sluice lineage show \(batch)")
                }
                try output.write(String(decoding: proof.proof.text, as: UTF8.self))
            }
        }
    }

    /// `sluice lineage certificate`: what the ledger records of a batch, for people and programs.
    struct Certificate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "certificate",
            abstract: "Write a certificate of a batch that can be checked without the store.",
            discussion: """
                It states the digest of the source, supplier, contract, decision, verdict, counts, published files with their digests, and \
                what happened afterwards as far as it is recorded, and carries the proof of all of it. JSON, or one HTML page for people; \
                sluice lineage verify --proof checks both.

                Example: sluice lineage certificate latest --html --output batch.html

                Exit codes: 0 written · 66 no such batch.
                """)
        @Argument(help: "The id of the batch, the first 6 or more characters of it, or latest.") var batch: String
        @Flag(name: .long, help: "Write one HTML page (default: JSON).") var html = false
        @OptionGroup var output: ProofOutput
        @OptionGroup var store: StoreOptions

        /// Writes the certificate.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require().proving()
                let batch = try BatchID.resolve(batch, in: store)
                guard let proof = try store.proof(ofBatch: batch, row: nil) else {
                    throw IngestionError(.noInput, "the ledger has no judged batch \(batch); see: sluice lineage log")
                }
                let certificate = CertificateText(proof, try store.verifier())
                try output.write(html ? certificate.page : certificate.json)
            }
        }
    }

    /// Checks proofs that were kept elsewhere.
    ///
    /// - Parameters:
    ///   - paths: the files.
    ///   - given: `--vkey`; nil for the key that is pinned for the ledger's origin.
    /// - Throws: `damaged` for one that does not hold, `notPermitted` when no key is known.
    static func verifyProofs(_ paths: [String], _ given: String?) throws {
        for path in paths {
            let text = try FileDescriptor.openRegular(path).readAll(max: 64 << 20)
            guard let proof = RecordProof(text) else {
                throw IngestionError(
                    .unreadableData,
                    "\(path): it is no proof that sluice lineage prove, sluice lineage certificate or sluice subject erase wrote"
                )
            }
            let (key, from) = try key(for: proof, given)
            let head: Checkpoint
            do throws(RecordProof.Fault) { head = try proof.verify(key) } catch {
                throw IngestionError(.damaged, "\(path): the proof does not hold: \(cause(error, key))")
            }
            // What a certificate states beside its proof must be what the proof says.
            let certificate = CertificateText(proof, key)
            guard
                text == proof.proof.text || text == Array(certificate.json.utf8) || text == Array(certificate.page.utf8)
            else {
                throw IngestionError(
                    .damaged,
                    "\(path): its proof holds, but the text around it is not what this version states of it: it was changed, or another "
                        + "version wrote it; have a new one made")
            }
            Terminal.report(CertificateText.lines(proof.claim), indent: 12)
            Terminal.line(
                "holds: \(NumberText.count(proof.entryCount, "entry", "entries")) under the signed checkpoint of "
                    + "\(NumberText.number(head.size)) entries"
            )
            Terminal.line("verifier key \(key), \(from)")
        }
    }

    private static func key(for proof: RecordProof, _ given: String?) throws -> (key: VerifierKey, from: String) {
        if let given { return (try VerifierOption.key(given), "given with --vkey") }
        let known = KnownLedgers()
        if let known, let pinned = try known.key(of: proof.origin) { return (pinned, "pinned in \(known.path)") }
        throw IngestionError(
            .notPermitted,
            "no verifier key is known for the ledger \(proof.origin): give --vkey, as sluice keys list prints it in its store"
        )
    }

    private static func cause(_ fault: RecordProof.Fault, _ key: VerifierKey) -> String {
        switch fault {
        case .unsigned: "its checkpoint is not signed by \(key)"
        case .notIncluded(let index): "entry \(index) is not under its checkpoint"
        case .otherRowMap: "its row map is not the one that the entry names"
        case .otherClaim: "what it claims does not follow from its entries"
        }
    }
}
