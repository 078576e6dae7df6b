import Ingestion
import Masking
import Schemas
import Screening
import Sketches
import Tabular

/// The parts of the report about suppliers and a candidate contract.
extension ReportText {
    /// The supplier, its standing, and the result of checking sidecars.
    static func vouched(_ report: BatchReport) -> [String] {
        guard let attestation = report.attestation else { return [] }
        var parts: [String] = []
        if let standing = attestation["standing"]?.text, standing != "none" {
            let passed =
                attestation["passed"]?.whole.map { " (\($0) of \(attestation["needed"]?.whole ?? 0) batches passed)" }
                ?? ""
            parts.append(standing + passed)
        }
        if let provenance = attestation["provenance"] {
            let digest = provenance["digest"]?.text ?? "absent"
            if digest != "absent" { parts.append("digest \(digest) (\(provenance["digest_from"]?.text ?? ""))") }
            let signature = provenance["signature"]?.text ?? "absent"
            let signer = provenance["signer"]?.text ?? ""
            if signature == "unchecked" {
                parts.append("signature not checked: no key is listed for the source")
            } else if signature != "absent" {
                parts.append("signature \(signature)" + (signer.isEmpty ? "" : " (\(signer))"))
            }
        }
        return parts.isEmpty ? [] : ["  from  \(report.source): " + parts.joined(separator: ", ")]
    }

    /// The cross-check with other sources.
    static func crossing(_ report: BatchReport) -> [String] {
        guard let cross = report.cross else { return [] }
        var lines = [
            "  cross \(NumberText.number(cross.compared)) values compared with other sources,"
                + " \(NumberText.number(cross.conflicts)) not confirmed;"
                + " \(NumberText.number(cross.shared)) of \(NumberText.number(cross.rows)) rows have a key that another source has too"
        ]
        if cross.kept < cross.rows {
            lines.append(
                "        only \(NumberText.number(cross.kept)) rows were compared: a sample by hash of the key")
        }
        for source in cross.sources where source.isDistrusted {
            lines.append(
                "        \(source.name): \(NumberText.number(source.agreed)) confirmed, \(NumberText.number(source.differed)) contradicted"
            )
        }
        for earlier in cross.contradicted.prefix(4) {
            lines.append(
                "        \(NumberText.number(earlier.values)) released values of batch \(earlier.batch) are contradicted now"
            )
        }
        return lines
    }

    /// The outcomes that the candidate contract would change.
    static func shadow(_ report: BatchReport) -> [String] {
        guard let shadow = report.shadow else { return [] }
        let head = "  shadow \(shadow.contract) (\(shadow.digest.prefix(12))…): "
        if let failure = shadow.failure { return [head + "the file could not be judged by it: \(failure)"] }
        if shadow.isSame { return [head + "no difference"] }
        var lines: [String] = []
        if shadow.wouldHold != shadow.isHeld {
            let why = shadow.reasons.isEmpty ? "" : ": " + shadow.reasons.prefix(6).joined(separator: ", ")
            lines.append(head + (shadow.wouldHold ? "would hold the batch" + why : "would not hold the batch"))
        } else {
            lines.append(head + "the same verdict")
        }
        for change in shadow.changes {
            lines.append(
                "         \(NumberText.number(change.count)) rows \(change.now.name) now would be \(change.then.name), first: "
                    + change.firstRows.map(String.init).joined(separator: ", "))
        }
        for finding in shadow.findings.prefix(8) {
            let field = finding.field.isEmpty ? "" : " \(finding.field)"
            lines.append(
                "         \(finding.code)\(field): \(NumberText.number(finding.now)) now, \(NumberText.number(finding.then)) then"
            )
        }
        return lines
    }
}
