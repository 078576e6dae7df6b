import Lineage
import Masking
import Recognition
import Schemas
import Screening
import Sketches
package import Tabular

/// The report as a JSON document.
extension BatchReport {
    /// The report with its findings one by one. They are rendered while the document is written, since there may be
    /// millions.
    ///
    /// - Parameter summary: the other members, where they differ from `summary`.
    package func outline(_ summary: [String: JSONValue]? = nil) -> JSONOutline {
        JSONOutline(summary ?? self.summary, adding: ["errors": .list(AnySequence(listed.lazy.map(document)))])
    }

    /// The report without single findings. Shape and error names follow Frictionless where it has them; no cell is
    /// included.
    package var summary: [String: JSONValue] {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        var members: [String: JSONValue] = [
            "valid": .bool(isClean), "status": .string(status.rawValue), "batch": .string(batch),
            "dataset": .string(dataset), "source": .string(source), "name": .string(self.name),
            "stats": .object([
                "bytes": whole(bytes), "sha256": .string(dataHash), "rows": whole(counts.total),
                "fields": whole(fields.count), "accepted": whole(counts.count(.accepted)),
                "flagged": whole(counts.count(.flagged)), "quarantined": whole(counts.count(.quarantined)),
                "rejected": whole(counts.count(.rejected)), "seconds": .number(seconds),
            ]),
            "coding": codingDocument,
            "contract": .object(["sha256": .string(contractHash), "inferred": .bool(isInferred)]),
            "totals": .array(totals),
            "partial": .bool(listed.count < findings.sorted.reduce(0) { $0 + $1.tally.count }),
            "batchErrors": .array(batchFindings.map(document)),
            "unknownColumns": .array(unknownColumns.map { .integer(Int64($0)) }),
            "disguisedColumns": .array(
                disguisedColumns.map {
                    .object(["column": .integer(Int64($0.column)), "type": .string($0.code.rawValue)])
                }),
            "screening": screeningDocument, "vouched": attestation ?? .null, "cross": cross?.document ?? .null,
            "shadow": shadow?.document ?? .null,
            "anonymity": anonymity.map { found in
                .object([
                    "k": whole(found.smallest), "l": found.fewest.map(whole) ?? .null, "classes": whole(found.classes),
                    "wanted": whole(minimumClass), "shareBelow": .number(found.shareBelow),
                    "sampled": .number(found.sampled),
                ])
            } ?? .null,
            "masked": .array(
                masks.map { receipt, count in
                    .object([
                        "fieldName": fieldName(receipt.field), "entity": .string(receipt.entity),
                        "operator": .string(receipt.operation.rawValue), "count": whole(count),
                    ])
                }),
            "duplicateRows": copies.map { .object(["rows": whole($0.rows), "of": whole($0.of)]) } ?? .null,
            "notMasked": .array(
                unmasked.map {
                    .object([
                        "name": .string($0.label), "entity": .string($0.entity.name),
                        "share": .number(($0.share * 10_000).rounded() / 10_000),
                    ])
                }),
            "published": .array(published.map { .string($0) }), "duplicateOf": .string(duplicateOf),
            "supersedes": .string(supersedes), "isRefusedReplacement": .bool(isRefusedReplacement),
            "incident": incident.map { .object(["batch": .string($0.batch), "since": .string($0.since)]) } ?? .null,
            "releases": .string(releases), "isRefusedRelease": .bool(isRefusedRelease), "waived": waivedDocument,
            "readers": .string(readers),
        ]
        // Written only when there is something to report.
        if remarks.skippedLines > 0 { members["skippedLines"] = whole(remarks.skippedLines) }
        if !releasedRows.isEmpty { members["releasedRows"] = .string(releasedRows) }
        if lacksLineEnd != nil { members["lacksLineEnd"] = .bool(true) }
        if !files.isEmpty {
            members["files"] = .array(
                files.map {
                    .object(["file": .string($0.name), "firstRow": whole($0.firstRow), "rows": whole($0.rows)])
                })
        }
        return members
    }

    /// The number of findings by kind, strictest first.
    package var totals: [JSONValue] {
        findings.sorted.map { kind, tally in
            var members: [String: JSONValue] = [
                "type": .string(kind.code.rawValue), "fieldName": fieldName(kind.field),
                "outcome": .string(kind.outcome.name), "severity": .string(kind.outcome.severity),
                "stage": .string(kind.code.stage.rawValue), "count": .integer(Int64(tally.count)),
                "firstRows": .array(tally.firstRows.map { .integer(Int64($0)) }),
            ]
            if let rule = kind.rule { members["rule"] = .string(rule) }
            return .object(members)
        }
    }

    /// The name of a field; null for a whole row or batch.
    private func fieldName(_ field: Int?) -> JSONValue { fields.name(ofField: field).map { .string($0) } ?? .null }

    /// One finding as a document.
    package func document(_ finding: Finding) -> JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        var members: [String: JSONValue] = [
            "type": .string(finding.code.rawValue), "outcome": .string(finding.outcome.name),
            "severity": .string(finding.outcome.severity), "stage": .string(finding.code.stage.rawValue),
            "rowNumber": .integer(Int64(finding.row ?? 0)), "fieldName": fieldName(finding.field),
            "byteOffset": .integer(Int64(fileOffset(of: finding))), "byteLength": .integer(Int64(finding.byteLength)),
        ]
        if let place = finding.row.flatMap({ place(ofRow: $0) }) {
            (members["file"], members["fileRow"]) = (.string(place.file.name), whole(place.row))
        }
        if finding.code.stage == .screen, let basis { members["baseline"] = .string(basis.rawValue) }
        if let statistic = finding.statistic, statistic.isFinite { members["statistic"] = .number(statistic) }
        if let threshold = finding.threshold, threshold.isFinite { members["threshold"] = .number(threshold) }
        if let keyword = finding.keyword { members["keywordLocation"] = .string(keyword) }
        if let rule = finding.rule { members["rule"] = .string(rule) }
        if let moved = finding.movement { members["moved"] = moved.document }
        if !finding.contributors.isEmpty { members["contributors"] = .array(finding.contributors.map(fieldName)) }
        if finding.code == .deviatedValue, let field = finding.field, let rows = thresholdRows[field] {
            members["n"] = whole(rows)
        } else if finding.code == .isolatedRow {
            members["n"] = whole(basisRows)
        }
        return .object(members)
    }

    /// Line numbers, from 1, of the rows with listed findings in their files. There are none where offsets are not those
    /// of text lines: compressed files and UTF-16 or UTF-32.
    package func lines() -> FindingLines {
        var found = FindingLines()
        guard compression == nil, [.utf8, .latin1, .windows1252].contains(encoding), !listed.isEmpty else {
            return found
        }
        var wanted = listed.indices.compactMap { listed.byteOffset(of: $0) }[...]
        wanted.sort()
        if files.isEmpty {
            found.add(wanted, in: file, at: FileText())
            return found
        }
        for (place, file) in files.enumerated() {
            let end = place + 1 < files.count ? files[place + 1].text.source.start : .max
            let own = wanted.prefix { $0 < end }
            wanted = wanted[own.endIndex...]
            if !own.isEmpty { found.add(own, in: file.path, at: file.text) }
        }
        return found
    }

    /// Thresholds, tests and rates as a document.
    var screeningDocument: JSONValue {
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        return .object([
            "baseline": baseline.map { .string($0) } ?? .null,
            "basis": basis.map { .string($0.rawValue) } ?? .null, "basisRows": whole(basisRows),
            "falseAlarmRate": .object([
                "modifiedZ": .number(falseAlarmRates.modifiedZ), "forest": .number(falseAlarmRates.forest),
                "labelFlip": labelFlipRate.map { .number($0) } ?? .null,
            ]),
            "thresholds": .array(
                thresholds.map {
                    .object([
                        "fieldName": fieldName($0.field), "threshold": .number($0.threshold), "n": whole($0.count),
                        "log1p": .bool($0.log),
                    ])
                }),
            "tests": .array(
                tests.map { test in
                    var members: [String: JSONValue] = [
                        "type": .string(test.code.rawValue), "fieldName": fieldName(test.field),
                        "statistic": number(test.statistic),
                        "critical": number(test.critical), "effect": number(test.effect), "warn": number(test.warn),
                        "hold": number(test.hold), "n": whole(test.count), "basis": whole(test.basis),
                        "usual": test.usual.map(number) ?? .null, "outcome": .string(test.outcome.name),
                    ]
                    if let range = test.range {
                        (members["low"], members["high"]) = (number(range.lowerBound), number(range.upperBound))
                    }
                    return .object(members)
                }),
            "learning": learning.map(whole) ?? .null,
            "untested": .array(
                untested.map { .object(["fieldName": fieldName($0.field), "reason": .string($0.reason)]) }),
            "power": .array(
                triggerPower.map {
                    .object(["type": .string($0.what), "rows": whole($0.rows), "of": whole($0.of)])
                }),
        ])
    }

    /// The waived findings as documents.
    var waivedDocument: JSONValue {
        .array(
            waived.map {
                .object([
                    "type": .string($0.code.rawValue), "fieldName": fieldName($0.field),
                    "rows": .integer(Int64($0.rows)),
                ])
            })
    }

    /// Encoding and compression as a document.
    var codingDocument: JSONValue {
        var members: [String: JSONValue] = ["encoding": .string(encoding.rawValue), "offsets": .string("file")]
        if let compression {
            members["compression"] = .string(compression.name)
            members["decompressedBytes"] = .integer(Int64(compression.bytes))
            members["offsets"] = .string("decompressed")
        }
        return .object(members)
    }
}
