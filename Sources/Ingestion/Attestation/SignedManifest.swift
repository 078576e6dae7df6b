import Cryptography
import Tabular

/// A supplier's signed statement about one file: its dataset, its supplier, and its number in the order of deliveries.
///
/// A signature of the file alone can be replayed, also into another dataset. A manifest binds the file to its place, so
/// a replay is found.
///
/// `FILE.manifest` is a JSON object with `sha256` and any of `dataset`, `supplier` and `sequence`. Its signature is
/// `FILE.manifest.minisig` or `FILE.manifest.sig`. `FILE.minisig` and `FILE.sig` may sign the manifest instead of the
/// file, since the manifest holds the file's digest.
package struct SignedManifest: Sendable, Equatable {
    /// The dataset and the supplier that the manifest names; nil where it names none.
    package let dataset: String?, supplier: String?
    /// The file's number among the supplier's deliveries to the dataset; nil where it has none.
    package let sequence: Int64?
    /// Whether a member has an impossible value: a sequence that is not a whole number from 0 to 2^53 - 1, or a name
    /// that is not a text.
    package let isMalformed: Bool
    /// The signer: format and fingerprint of the key.
    package let signer: String

    /// Reads a manifest.
    ///
    /// - Parameters:
    ///   - sidecars: the file's sidecars.
    ///   - sha256: the file's digest from the first pass.
    ///   - rule: the source's trusted keys.
    /// - Returns: nil unless the manifest states this digest and a trusted key signed it.
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

    /// The trusted key that signed a text; nil when none did.
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

    /// The manifest as the report and the ledger state it.
    var document: JSONValue {
        // Dataset and supplier equal those of the batch, or the batch is rejected, so the supplier's text is not
        // repeated here.
        var members: [String: JSONValue] = ["signer": .string(signer)]
        members["sequence"] = sequence.map { .integer($0) }
        return .object(members)
    }
}

extension Attestation {
    /// Findings about a delivery that does not fit its manifest. A wrong dataset or supplier always counts; the
    /// sequence number must rise where the source is required to send manifests.
    ///
    /// - Parameters:
    ///   - dataset: the dataset that the file was delivered to.
    ///   - last: the highest sequence number accepted from this supplier in this dataset; nil for none.
    func bindingFindings(dataset: String, last: Int64?) -> [Finding] {
        func reject(_ code: FindingCode) -> Finding { Finding(code, outcome: .rejected, at: .batch) }
        // A manifest of a single file with a number of its own is about a delivery of that file alone.
        let misplaced = provenance.manifests.first { _, manifest in
            manifest.isMalformed || manifest.sequence != nil || manifest.dataset.map { $0 != dataset } ?? false
                || manifest.supplier.map { $0 != name } ?? false
        }
        if let misplaced { return [reject(.manifestMismatch).naming("file \(misplaced.file)")] }
        let isRequired = record?.required.contains(.manifest) == true
        guard let manifest = provenance.manifest else { return isRequired ? [reject(.manifestMissing)] : [] }
        if manifest.isMalformed { return [reject(.manifestMismatch)] }
        var found: [Finding] = []
        // A signed statement that contradicts the delivery is a finding even where no manifest is required.
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
