import Cryptography
import Foundation
import Ingestion
import Reading
import Schemas
import Sketches
import Storage
import Tabular
import Validating

/// Reads a file of scripts/bench.d/orders.py into typed columns on two threads, as in the first pass, but without the work
/// that data frame readers omit: no digest, no second reader, no search of the text. Prints MB/s, including file
/// access.
func benchmarkTyped(_ path: String) async throws {
    let contract = """
        fields:
          - { name: order_id, type: integer }
          - { name: customer_id, type: integer }
          - { name: created_at, type: datetime }
          - { name: name, type: string }
          - { name: email, type: string }
          - { name: phone, type: string }
          - { name: ssn, type: string }
          - { name: ip, type: string }
          - { name: country, type: string }
          - { name: postal_code, type: string }
          - { name: amount, type: number }
          - { name: quantity, type: integer }
          - { name: score, type: number }
          - { name: note, type: string }
          - { name: label, type: integer }
        sluice: { hiddenText: allow, undeclaredPii: allow, secrets: allow }
        """
    let schema = try Schema.load(Array(contract.utf8), name: "typed").schema
    let isCSV = path.hasSuffix(".csv")
    let plan = ReadingPlan(format: isCSV ? .csv : .jsonl, fieldNames: schema.fields.map(\.name))
    let validator = try Validator(schema, hash: KeyedHash(key: SHA256.hash(Array("bench".utf8))))
    var rates: [Double] = []
    for _ in 0..<5 {
        let start = Clock.monotonic()
        let (rows, bytes) = try await read(path, plan, validator)
        rates.append(Double(bytes) / (Clock.monotonic() - start) / 1e6)
        guard rows > 0 else { exit(70) }
    }
    report(isCSV ? "typed-csv" : "typed-jsonl", rates.sorted()[2], "MB/s")
}

/// Rows and bytes; every row must be sound.
private func read(_ path: String, _ plan: ReadingPlan, _ validator: Validator) async throws -> (Int, Int) {
    let file = try FileDescriptor.openRegular(path)
    var slicer = Slicer(plan)
    var (offset, rows, running) = (0, 0, 0)
    var carry: [UInt8] = []
    var layout: Layout?
    try await withThrowingTaskGroup(of: Int.self) { group in
        while true {
            let got = try file.read(upTo: 16 << 20, at: offset, into: &carry)
            offset += got
            var start = 0
            if layout == nil, let head = try readHead(carry.span, isWhole: got < 16 << 20, plan: plan) {
                layout = head.layout
                start = head.length
            }
            guard let layout else { exit(70) }
            let cut = slicer.cut(carry.span.extracting(start..<carry.count), isFinal: got < 16 << 20)
            let rest = Array(carry[(start + cut.end)...])
            if running == 2, let done = try await group.next() {
                rows += done
                running -= 1
            }
            var bytes = carry
            carry = rest
            bytes.removeLast(bytes.count - start - cut.end)
            if start > 0 { bytes.removeFirst(start) }
            let slice = SourceSlice(
                ordinal: 0, offset: 0, length: UInt64(bytes.count), firstRow: 1, rowCount: cut.rows, bytes: bytes)
            group.addTask {
                var reader = SliceReader(slice, layout: layout, plan: plan)
                var rows = 0
                while let batch = reader.next() { rows += validator.validate(batch).isValid.count { $0 } }
                precondition(rows == slice.rowCount, "every row is sound")
                return rows
            }
            running += 1
            if got < 16 << 20 { break }
        }
        while let done = try await group.next() { rows += done }
    }
    return (rows, offset)
}
