import Foundation
import TestSupport
import Testing

/// Real tables, as CSV and as JSON Lines with numbers where cells look like numbers.
@Suite struct `real data` {
    /// Records of a CSV file by a simple reading: quotes toggle, a line end outside quotes ends a record, empty lines
    /// are skipped.
    private static func records(_ bytes: [UInt8]) -> [[String]] {
        var (records, fields, cell) = ([[String]](), [String](), [UInt8]())
        var (isQuoted, wasQuoted) = (false, false)
        func endRecord() {
            let isBlank = fields.isEmpty && cell.isEmpty && !wasQuoted
            if !isBlank { records.append(fields + [String(decoding: cell, as: UTF8.self)]) }
            (fields, cell, wasQuoted) = ([], [], false)
        }
        for (at, byte) in bytes.enumerated() {
            switch byte {
            case 0x22:
                if isQuoted, at + 1 < bytes.count, bytes[at + 1] == 0x22 { cell.append(0x22) }
                isQuoted.toggle()
                wasQuoted = true
            case 0x2C where !isQuoted:
                fields.append(String(decoding: cell, as: UTF8.self))
                cell = []
            case 0x0A where !isQuoted: endRecord()
            case 0x0D where !isQuoted: break
            default: cell.append(byte)
            }
        }
        if !cell.isEmpty || !fields.isEmpty { endRecord() }
        return records
    }

    private static func json(_ records: [[String]]) throws -> String {
        try records.dropFirst().map { record in
            let members = zip(records[0], record).map { name, cell -> (String, Any) in
                (name, Double(cell).flatMap { $0.isFinite ? NSDecimalNumber(string: cell) : nil } ?? cell)
            }
            let document = Dictionary(members, uniquingKeysWith: { first, _ in first })
            return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
        }.joined(separator: "\n") + "\n"
    }

    private static let folders = ["suites/tables", "suites/anomaly"]

    @Test(.enabled(if: folders.allSatisfy { shared($0) != nil }, "scripts/suites does not fetch these data sets"))
    func `tables of others go through without a surprise`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        var files: [String] = []
        for folder in Self.folders {
            let place = try #require(shared(folder)).path
            let walker = FileManager.default.enumerator(atPath: place)
            while let name = walker?.nextObject() as? String {
                if name.hasSuffix(".csv") { files.append(place + "/" + name) }
            }
        }
        #expect(files.count >= 31)
        for (number, file) in files.sorted().enumerated() {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
            let records = Self.records(bytes)
            try harness.write("\(number).csv", String(decoding: bytes, as: UTF8.self))
            try harness.write("\(number).jsonl", try Self.json(records))
            for name in ["\(number).csv", "\(number).jsonl"] {
                let checked = try harness.run("validate", "--infer", "--json", name)
                let stats = try harness.report(checked)["stats"] as? [String: Any]
                #expect(stats?["rows"] as? Int == records.count - 1, "\(file) as \(name)")
                // A contract inferred from a file accepts that file.
                #expect(checked.code == 0 && stats?["rejected"] as? Int == 0, "\(file) as \(name)")
                let taken = try harness.run(
                    "ingest", "--infer", "--json", name, "--dataset", "d\(number)\(name.suffix(3))", "--store", "store")
                #expect(taken.code == 0, "\(file) as \(name): \(taken.err)")
            }
        }
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
    }
}
