import Cryptography
package import Masking
package import Screening
package import Storage
import Tabular

/// Seals accepted rows. It takes masked blocks only, so the compiler forbids sealing what was not masked.
package struct ShardWriter: ~Copyable {
    private var writer: MessageWriter
    /// Rows written.
    package private(set) var rows = 0

    /// Starts a shard with its header (empty for JSON Lines).
    package init(
        to file: consuming StagedFile, header: [UInt8], context: [String: String], recipients: [WrappingKey]
    ) throws(SealingError) {
        var writer = try MessageWriter(to: file, context: context, recipients: recipients)
        if !header.isEmpty { try writer.write(header.span) }
        self.writer = writer
    }

    /// Appends the rows of a block.
    package mutating func append(_ masked: MaskedBatch) throws(SealingError) {
        rows += masked.rows
        try writer.write(masked.text.span)
    }

    /// Seals the last frame.
    package consuming func finish() throws(SealingError) -> SealedFile { try writer.finish() }
}

/// Seals rows that were held back, raw and with their findings: JSON Lines of
/// `{row, offset, outcome, findings, raw: base64}`.
package struct QuarantineWriter: ~Copyable {
    private var writer: MessageWriter
    private let fields: [String]
    /// Rows written.
    package private(set) var rows = 0

    /// Starts a quarantine shard; `fields` are the contract's field names.
    package init(
        to file: consuming StagedFile, fields: [String], context: [String: String], recipients: [WrappingKey]
    ) throws(SealingError) {
        writer = try MessageWriter(to: file, context: context, recipients: recipients)
        self.fields = fields
    }

    /// Appends the rows of a block that were not released.
    package mutating func append(_ screened: ScreenedBatch) throws(SealingError) {
        let batch = screened.batch
        var next = 0
        for row in 0..<batch.count where !screened.outcomes[row].isReleased {
            let number = batch.firstRow + row
            while next < screened.findings.count, screened.findings[next].row < number { next += 1 }
            var findings: [JSONValue] = []
            var length: UInt64 = 0
            var index = next
            while index < screened.findings.count, screened.findings[index].row == number {
                length = screened.findings[index].byteLength
                findings.append(document(screened.findings[index]))
                index += 1
            }
            let record = batch.records[row]
            let raw = Array(batch.bytes[Int(record.start)..<Int(record.end)])
            var members: [String: JSONValue] = [
                "row": .integer(Int64(number)),
                "offset": .integer(Int64(batch.baseOffset) + Int64(record.start)),
                "outcome": .string(screened.outcomes[row].name), "findings": .array(findings),
                "raw": .string(base64(raw)),
            ]
            if length > UInt64(raw.count) { members["truncated_from"] = .integer(Int64(length)) }
            var line = Array(JSONValue.object(members).text(pretty: false).utf8)
            line.append(0x0A)
            try writer.write(line.span)
            rows += 1
        }
    }

    private func document(_ finding: Finding) -> JSONValue {
        var members: [String: JSONValue] = [
            "code": .string(finding.code.rawValue), "outcome": .string(finding.outcome.name),
        ]
        if finding.field >= 0 { members["field"] = .string(fields[finding.field]) }
        if let statistic = finding.statistic, statistic.isFinite { members["statistic"] = .number(statistic) }
        if let threshold = finding.threshold, threshold.isFinite { members["threshold"] = .number(threshold) }
        if !finding.contributors.isEmpty {
            members["contributors"] = .array(finding.contributors.map { .string(fields[$0]) })
        }
        return .object(members)
    }

    /// Seals the last frame.
    package consuming func finish() throws(SealingError) -> SealedFile { try writer.finish() }
}
