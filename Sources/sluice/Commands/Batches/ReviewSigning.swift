import ArgumentParser
import Foundation
import Ingestion
import Storage

/// The signature of a decision, where `review:` of `sluice.yaml` asks for one.
struct SigningOptions: ParsableArguments {
    @Option(
        name: .customLong("sign-with"),
        help: "Sign the decision with this ssh key, by ssh-keygen -Y sign (default: not signed).")
    var key: String?
    @Option(name: .long, help: "The signature over the decision, as ssh-keygen -Y sign wrote it.")
    var signature: String?
    @Option(name: .long, help: "Only write the decision to this new file, to be signed elsewhere.")
    var document: String?

    /// Refuses options that exclude each other.
    func validate() throws {
        if [key, signature, document].compactMap({ $0 }).count > 1 {
            throw ValidationError("give one of --sign-with, --signature and --document")
        }
    }

    /// Writes the decision, if only that was asked for.
    ///
    /// - Returns: whether it was.
    func writes(_ decision: ReviewDecision) throws -> Bool {
        guard let document else { return false }
        if exists(document) {
            throw IngestionError(.cannotCreate, "\(document) exists already; remove it, or choose another name")
        }
        try writeDurably(document, decision.document.span)
        Terminal.line("wrote \(document)")
        Terminal.line("sign it with: ssh-keygen -Y sign -n \(ReviewDecision.namespace) -f KEYFILE \(document)")
        Terminal.line("then give the same command with --signature \(document).sig in the place of --document")
        return true
    }

    /// The signature over a decision; nil where none was asked for.
    ///
    /// - Throws: `notPermitted` when `ssh-keygen` does not sign.
    func signature(of decision: ReviewDecision) throws -> [UInt8]? {
        if let signature { return try FileDescriptor.openRegular(signature).readAll(max: 1 << 16) }
        guard let key else { return nil }
        let signer = Process()
        signer.executableURL = URL(filePath: "/usr/bin/env")
        signer.arguments = ["ssh-keygen", "-q", "-Y", "sign", "-n", ReviewDecision.namespace, "-f", key]
        let (input, output) = (Pipe(), Pipe())
        (signer.standardInput, signer.standardOutput) = (input, output)
        do {
            try signer.run()
            try input.fileHandleForWriting.write(contentsOf: Data(decision.document))
            try input.fileHandleForWriting.close()
            let made = try output.fileHandleForReading.readToEnd() ?? Data()
            signer.waitUntilExit()
            if signer.terminationStatus == 0 { return [UInt8](made) }
        } catch {
            throw IngestionError(
                .notPermitted, "--sign-with: ssh-keygen could not be run: \(error.localizedDescription)")
        }
        throw IngestionError(
            .notPermitted,
            "--sign-with \(key): ssh-keygen did not sign (exit code \(signer.terminationStatus)); Debian has it in openssh-client"
        )
    }
}

extension SigningOptions {
    /// Says that a decision was approved and waits for other people.
    static func tellApproved(missing: Int, _ command: String) {
        let command = NamedStore.completed(command)
        Terminal.line(
            "approved; \(NumberText.count(missing, "other person", "other people")) must approve it too, with the same options: \(command)"
        )
    }
}
