import ArgumentParser
import Ingestion
import Lineage
import Sealing
import Storage
import Tabular

extension KeysCommand {
    /// `sluice keys rotate`: a new wrapping key takes the place of one.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Replace a wrapping key by a new one; the old one only opens what was sealed before.",
            discussion: """
                The new key gets the next name (main-2 after main), and the ledger records both. New files are sealed for it wherever \
                sluice.yaml names the old one. To make the old key unnecessary, wrap its files for the new one: sluice keys rewrap.

                Example: sluice keys rotate main

                Exit codes: 0 replaced · 64 no such key, or replaced before · 77 the key is missing.
                """)
        @Argument(help: "The name of a key of kind kek.") var name: String
        @OptionGroup var store: StoreOptions

        /// Makes the key, and records it.
        func run() async throws {
            try await reporting {
                let made = try Recorder(try store.require()).rotateKey(name)
                Terminal.line(
                    "made keys/\(made.name).kek, fingerprint \(made.fingerprint): new files are sealed for it")
                Terminal.line("copy it to a safe place now: lost keys are lost data")
                Terminal.line("keys/\(name).kek still opens what was sealed before")
                Terminal.line(NamedStore.completed("next  sluice keys rewrap --from \(name) --to \(made.name)"))
            }
        }
    }

    /// `sluice keys rewrap`: published files are wrapped for another key.
    struct Rewrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rewrap",
            abstract: "Wrap published files for another key; what is in them stays byte for byte.",
            discussion: """
                Only the header of each file is written anew, and its other recipients stay. The ledger records the new digest and the one \
                before (shard.rewrapped). An interrupted run is taken up by the same command. Copies and backups made before still open \
                with the old key. Both keys are of kind kek, or exec recipients of sluice.yaml.

                Example: sluice keys rewrap --from main --to main-2

                Exit codes: 0 done · 1 a file is missing or damaged, the others are done · 64 no such key · 75 a backup \
                or another change of published files runs, or a batch was in work and is \
                left · 77 a key is missing.
                """)
        @Option(name: .long, help: "The key that opens the files today.") var from: String
        @Option(name: .long, help: "The key that takes its place (default: the one that replaced it).") var to: String?
        @Option(name: .long, help: "Only this dataset.") var dataset: String?
        @Option(name: .long, help: "Files worked on at the same time, 1 to 256 (default: the number of processors).")
        var jobs: Int?
        @Flag(name: [.short, .long], help: "Print nothing but errors.") var quiet = false
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if let jobs, !(1...256).contains(jobs) {
                throw ValidationError("--jobs must be a whole number from 1 to 256")
            }
        }

        /// Wraps the files, and prints how many.
        func run() async throws {
            ignoreBrokenPipes()
            var code: Int32 = 0
            try await reporting {
                let store = try store.require(dataset: dataset)
                let recorder = try Recorder(store)
                var request = try recorder.rewrapping(from: from, to: to, dataset: dataset)
                request.jobs = max(1, jobs ?? processorCount())
                let done = try await recorder.rewrap(request)
                if done.waiting > 0 {
                    code = IngestionError.Code.tryAgain.rawValue
                    Terminal.complain(
                        "\(NumberText.batches(done.waiting)) in work and left: run the same command again later")
                }
                for failure in done.failures { Terminal.complain(failure) }
                if !done.failures.isEmpty {
                    code = 1
                    Terminal.complain(
                        "\(NumberText.count(done.failures.count, "file")) could not be wrapped anew and stayed as before; see: "
                            + "sluice doctor"
                    )
                }
                if quiet { return }
                Terminal.line(
                    done.files == 0
                        ? "no published file is sealed for \(from)"
                        : "wrapped \(NumberText.count(done.files, "file")) of \(NumberText.batches(done.batches)) anew, "
                            + "\(NumberText.number(done.bytes)) bytes")
            }
            if code != 0 { throw ExitCode(code) }
        }
    }

    /// `sluice keys shred`: destroys a wrapping key.
    struct Shred: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "shred",
            abstract: "Destroy a wrapping key, and with it the content of every file that it alone opens.",
            discussion: """
                The ledger records who destroyed it and why; then its file is overwritten and removed. Every copy of a file that only this \
                key opens is unreadable from then on, also in backups. Copies of the key must be destroyed too. What flash memory and \
                copy-on-write file systems keep of overwritten blocks is out of reach: have keys/ on an encrypted disk. Run it again if \
                it was interrupted.

                Example: sluice keys shred main --reason "replaced by main-2"

                Exit codes: 0 destroyed · 64 no such key, new files are sealed for it, or another number of files · 75 a backup or another \
                change of published files runs.
                """)
        @Argument(help: "The name of a key of kind kek.") var name: String
        @Option(name: .long, help: "Why, 1 to 1,024 bytes; the ledger records it, so give no personal data.")
        var reason: String
        @Option(
            name: .long,
            help: "The number of files that become unreadable, if any do; without it the command says how many.")
        var files = 0
        @OptionGroup var store: StoreOptions

        /// Destroys the key, and says what became unreadable.
        func run() async throws {
            try await reporting {
                let use = try Recorder(try store.require()).shredKey(name, reason: reason, files: files)
                Terminal.line(
                    "destroyed keys/\(name).kek"
                        + (use.alone > 0
                            ? ": \(NumberText.count(use.alone, "file")) can never be opened here again" : "")
                        + (use.elsewhere > 0
                            ? ", \(NumberText.number(use.elsewhere)) of them by keys kept elsewhere" : "")
                        + (use.shared > 0
                            ? "; \(NumberText.count(use.shared, "file")) still open with other keys" : ""))
                Terminal.line("destroy its copies too: who has one can still open what it opened")
            }
        }
    }

    /// `sluice keys drill`: tries whether a key kept elsewhere opens published files.
    struct Drill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drill",
            abstract: "Try whether a key that is kept elsewhere opens published files, and record the result.",
            discussion: """
                Opens a random sample with this key alone, to the end and without output. An escrow that was never tried is none: do it \
                after setting one up, and once a year.

                Example: sluice keys drill --private-key escrow-2026=/media/usb/escrow-2026.pem

                Exit codes: 0 it opened all · 1 it did not open some · 64 no key, or no file is sealed for it · 77 its file cannot be used.
                """)
        @Option(name: .long, help: "An RSA private key, as NAME=FILE.pem with the recipient's name in sluice.yaml.")
        var privateKey: String?
        @Option(name: .long, help: "Or a .xwing file, or a copy of a .kek file.") var key: String?
        @Option(name: .long, help: "The size of the sample.") var count = 20
        @Option(name: .long, help: "Only this dataset.") var dataset: String?
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if !(1...100_000).contains(count) {
                throw ValidationError("--count must be a whole number from 1 to 100,000")
            }
            if (privateKey == nil) == (key == nil) { throw ValidationError("give either --private-key or --key") }
        }

        /// Reads the key, opens the sample, and prints what failed.
        func run() async throws {
            var isWhole = true
            try await reporting {
                let drill = try Recorder(try store.require()).drill(try wrappingKey(), count: count, dataset: dataset)
                for failure in drill.failures { Terminal.line("FAIL  \(failure.cause)") }
                Terminal.line(
                    "opened \(NumberText.number(drill.opened)) of \(NumberText.count(drill.tried, "file")) tried, "
                        + "\(NumberText.number(drill.sealed)) are sealed for the key")
                isWhole = drill.failures.isEmpty
            }
            if !isWhole { throw ExitCode(1) }
        }

        private func wrappingKey() throws -> any WrappingKey {
            if let key { return try GivenKey.read(key) }
            return try GivenKey.read(rsa: privateKey ?? "")
        }
    }
}
