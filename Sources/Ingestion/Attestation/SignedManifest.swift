import Cryptography
import Tabular

/// What a supplier says of a file and signs: which dataset it is for, who sends it, and its place in the order of deliveries. A file that
/// is signed by itself can be sent again, and to anywhere; one that is bound by its manifest cannot.
///
/// `FILE.manifest` is a JSON object with `sha256`, and any of `dataset`, `supplier` and `sequence`. Its signature is
/// `FILE.manifest.minisig` or `FILE.manifest.sig`; `FILE.minisig` or `FILE.sig` may be of the manifest as well, since that has the
/// file's digest.
package struct SignedManifest: Sendable, Equatable {
    /// The dataset that the file is for, and who sends it, where it says so.
    package let dataset: String?, supplier: String?
    /// Its number among the supplier's deliveries to the dataset.
    package let sequence: Int64?
    /// Whether it says something that cannot be: a number that is no whole one from 0 to 2^53 - 1, a name that is no text.
    package let isMalformed: Bool
    /// Who signed it, as the key's fingerprint.
    package let signer: String

    /// Reads a manifest; nil unless it names the file's digest and a trusted key signed it.
    init?(_ sidecars: Sidecars, sha256: [UInt8], _ rule: SourceRecord?) throws(IngestionError) {
        guard let text = sidecars.files[.manifest], let document = try? JSONValue.parse(text),
            document["sha256"]?.text.map({ $0.lowercased() == hex(sha256) }) == true
        else { return nil }
        var signer: TrustedKey?
        for kind in Sidecars.Kind.allCases where kind.isSignature {
            guard signer == nil, let made = sidecars.files[kind].flatMap({ DetachedSignature($0) }) else { continue }
            signer = try Self.signer(made, of: text, rule)
        }
        guard let signer else { return nil }
        dataset = document["dataset"]?.text
        supplier = document["supplier"]?.text
        let number = document["sequence"]?.whole
        sequence = number.flatMap { (0..<1 << 53).contains($0) ? $0 : nil }
        isMalformed =
            document["sequence"] != nil && sequence == nil || document["dataset"] != nil && dataset == nil
            || document["supplier"] != nil && supplier == nil
        self.signer = "\(signer.format.rawValue) \(signer.fingerprint)"
    }

    private static func signer(
        _ made: DetachedSignature, of text: [UInt8], _ rule: SourceRecord?
    ) throws(IngestionError) -> TrustedKey? {
        var signed = text
        if let function = made.function {
            do throws(CryptographyError) {
                var digest = try MessageDigest(function)
                digest.update(text.span)
                signed = digest.finish()
            } catch { throw IngestionError(.software, error.description) }
        }
        return made.signer(signed, rule?.keys ?? [], namespace: rule?.namespace ?? "file")
    }

    /// What the report and the record say.
    var document: JSONValue {
        // Dataset and supplier are the batch's own, or the batch is rejected: a supplier's words are not repeated.
        var members: [String: JSONValue] = ["signer": .string(signer)]
        members["sequence"] = sequence.map { .integer($0) }
        return .object(members)
    }
}

extension Attestation {
    /// What is wrong with the delivery as its manifest binds it.
    ///
    /// - Parameter last: the last number that was accepted of this supplier in this dataset.
    func bindingFindings(dataset: String, last: Int64?) -> [Finding] {
        func reject(_ code: FindingCode) -> Finding { Finding(code, outcome: .rejected, row: 0) }
        let isRequired = record?.required.contains(.manifest) == true
        guard let manifest = provenance.manifest else { return isRequired ? [reject(.manifestMissing)] : [] }
        if manifest.isMalformed { return [reject(.manifestMismatch)] }
        var found: [Finding] = []
        // What is signed and says otherwise is wrong, whether it was asked for or not.
        if manifest.dataset.map({ $0 != dataset }) ?? isRequired {
            found.append(reject(.manifestMismatch))
        } else if manifest.supplier.map({ $0 != name }) ?? false {
            found.append(reject(.manifestMismatch))
        }
        guard isRequired else { return found }
        guard let sequence = manifest.sequence else { return found + [reject(.manifestMissing)] }
        if let last, sequence <= last { found.append(reject(.manifestReplayed)) }
        return found
    }
}
