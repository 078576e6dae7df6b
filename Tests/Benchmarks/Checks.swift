import Cryptography
import Foundation
import Ingestion
import Reading
import Schemas
import Sketches
import Tabular
import Validating

/// Checks every row of a file against a contract on one thread, including uniqueness, and times the checks alone: each
/// block is checked right after it was read, as in the first pass. Prints seconds without and with reading, and rows
/// per second.
func benchmarkChecks(_ path: String, contract: String) throws {
    var schema = try loadContract(contract).schema
    // Only the contract's checks are timed: the rival programs do not search personal data either.
    (schema.undeclaredPII, schema.secrets) = (.allow, .accepted)
    let isCSV = path.hasSuffix(".csv")
    var plan = ReadingPlan(
        format: isCSV ? .csv : .jsonl, fieldNames: schema.fields.map(\.name),
        rejectsUnknown: schema.unknownFields == .reject, notesUnknown: schema.recordSchema != nil)
    plan.limits.maxCellBytes = schema.limits.maxCellBytes
    let validator = try Validator(schema, hash: KeyedHash(key: SHA256.hash(Array("bench".utf8))))
    let text = bytes(path)
    guard let head = try readHead(text.span, isWhole: true, plan: plan), let layout = head.layout else { exit(65) }
    let pieces = slices(text, plan)
    var (times, wholes): ([Double], [Double]) = ([], [])
    var (rows, findings) = (0, 0)
    for _ in 0..<5 {
        let whole = Clock.monotonic()
        var seconds = 0.0
        (rows, findings) = (0, 0)
        var keys = validator.keyRules.map { _ in DistinctKeys() }
        for piece in pieces {
            let slice = SourceSlice(
                ordinal: 0, offset: 0, length: UInt64(piece.count), firstRow: 1 + rows, rowCount: 0, bytes: piece)
            var reader = SliceReader(slice, layout: layout, plan: plan)
            while let batch = reader.next() {
                let start = Clock.monotonic()
                let checked = validator.validate(batch)
                for (rule, found) in checked.keys.enumerated() {
                    for key in found { keys[rule].add(key.hash, row: key.row) }
                }
                findings += checked.findings.count
                seconds += Clock.monotonic() - start
                rows += batch.count
            }
        }
        let start = Clock.monotonic()
        for rule in keys { findings += rule.duplicates().count }
        times.append(seconds + Clock.monotonic() - start)
        wholes.append(Clock.monotonic() - whole)
    }
    let median = times.sorted()[2]
    report("checks", median, "s")
    report("read-and-check", wholes.sorted()[2], "s")
    report("checks-rows", Double(rows) / median, "rows/s, \(findings) findings")
}
