import Cryptography
package import Masking
package import Screening
package import Storage
import Tabular

/// Seals accepted rows. It takes masked blocks only, so the compiler forbids sealing a block that was not masked.
package struct ShardWriter: ~Copyable {
    private var writer: MessageWriter
    /// Rows written.
    package private(set) var rows = 0

    /// Starts a shard with its header (empty for JSON Lines).
    package init(
        to file: consuming StagedFile, header: [UInt8], context: [String: String], recipients: [any WrappingKey]
    ) throws(SealingError) {
        var writer = try MessageWriter(to: file, context: context, recipients: recipients)
        if !header.isEmpty { try writer.write(header.span) }
        self.writer = writer
    }

    /// Appends the rows of a block.
    package mutating func append(_ masked: MaskedBlock) throws(SealingError) {
        rows += masked.rows
        try writer.write(masked.text.span)
    }

    /// Seals the final frame.
    package consuming func finish() throws(SealingError) -> SealedFile { try writer.finish() }
}

/// Seals rows that were held back, unmasked and with their findings, as JSON Lines of `{row, offset, outcome, findings,
/// raw: base64}`; without `raw` for rejected rows if the contract says `rejectedRows: skip`.
package struct QuarantineWriter: ~Copyable {
    private var writer: MessageWriter
    /// The fields' names as JSON strings.
    private let names: [[UInt8]]
    private let keepsRejected: Bool
    /// Rows written.
    package private(set) var rows = 0

    /// Starts a quarantine shard; `fields` are the contract's field names, and `keepsRejected` says whether the bytes
    /// of rejected rows are kept.
    package init(
        to file: consuming StagedFile, fields: [String], keepsRejected: Bool = true, context: [String: String],
        recipients: [any WrappingKey]
    ) throws(SealingError) {
        writer = try MessageWriter(to: file, context: context, recipients: recipients)
        self.keepsRejected = keepsRejected
        names = fields.map { Array(JSONValue.string($0).text(pretty: false).utf8) }
    }

    /// Appends the rows of a block that were not released.
    ///
    /// Written byte by byte, without building documents, since a hostile supplier controls how many rows are held back.
    package mutating func append(_ screened: ScreenedBlock) throws(SealingError) {
        let batch = screened.batch
        var next = 0
        var out: [UInt8] = []
        // These rows are likely to contain personal data.
        defer { wipe(&out) }
        for row in 0..<batch.count where !screened.outcomes[row].isReleased {
            let number = batch.firstRow + row
            while next < screened.findings.count, batch.index(of: screened.findings[next]) < row { next += 1 }
            out += Self.head
            var length: UInt64 = 0
            var index = next
            while index < screened.findings.count, screened.findings[index].row == number {
                length = screened.findings[index].byteLength
                if index > next { out.append(0x2C) }
                append(screened.findings[index], &out)
                index += 1
            }
            let record = batch.records[row]
            out += "],\"offset\":\(batch.sourceRange(of: row).lowerBound),\"outcome\":\"".utf8
            out += screened.outcomes[row].name.utf8
            if keepsRejected || screened.outcomes[row] != .rejected {
                out += Self.raw
                out += base64(Array(batch.bytes[Int(record.start)..<Int(record.end)])).utf8
            }
            out += "\",\"row\":\(number)".utf8
            if length > UInt64(batch.sourceRange(of: row).count) { out += ",\"truncated_from\":\(length)".utf8 }
            out += [0x7D, 0x0A]
            rows += 1
            if out.count >= 1 << 18 {
                try writer.write(out.span)
                out.removeAll(keepingCapacity: true)
            }
        }
        try writer.write(out.span)
    }

    private static let head = Array("{\"findings\":[".utf8)
    private static let raw = Array("\",\"raw\":\"".utf8)

    private func append(_ finding: Finding, _ out: inout [UInt8]) {
        out += "{\"code\":\"\(finding.code.rawValue)\",\"outcome\":\"\(finding.outcome.name)\"".utf8
        if let field = finding.field {
            out += ",\"field\":".utf8
            out += names[field]
        }
        if let statistic = finding.statistic, statistic.isFinite { out += ",\"statistic\":\(statistic)".utf8 }
        if let threshold = finding.threshold, threshold.isFinite { out += ",\"threshold\":\(threshold)".utf8 }
        if let rule = finding.rule { out += ",\"rule\":\(JSONValue.string(rule).text(pretty: false))".utf8 }
        if !finding.contributors.isEmpty {
            out += ",\"contributors\":[".utf8
            for (index, field) in finding.contributors.enumerated() {
                if index > 0 { out.append(0x2C) }
                out += names[field]
            }
            out.append(0x5D)
        }
        out.append(0x7D)
    }

    /// Seals the final frame.
    package consuming func finish() throws(SealingError) -> SealedFile { try writer.finish() }
}
