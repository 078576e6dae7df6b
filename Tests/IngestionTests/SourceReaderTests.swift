import Cryptography
import Foundation
import Lineage
import Reading
import Schemas
import Screening
import Tabular
import Testing

@testable import Ingestion

/// The text of the same rows through every compression and encoding.
@Suite struct `the source reader` {
    static func pack(_ tool: String, _ bytes: Data) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool, "-c"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        DispatchQueue.global().async {
            input.fileHandleForWriting.write(bytes)
            try? input.fileHandleForWriting.close()
        }
        let packed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return packed
    }

    /// A file in zstd's format without compression: one frame of raw blocks (RFC 8878, section 3.1.1).
    static func zstd(_ bytes: Data) -> Data {
        var out = Data([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58])
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            let end = min(bytes.count, start + 1000)
            let header = UInt32(end - start) << 3 | (end == bytes.count ? 1 : 0)
            out += Data([UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16 & 0xFF)])
            out += bytes[start..<end]
        }
        return out
    }

    static let text = Workshop.rows(3000) + "5000,x,bad\n5001,1,é€\n"

    @Test func `rows, findings and places are the same, however the file is packed`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let plain = Data(Self.text.utf8)
        let half = plain.count / 2
        let want = try await shop.run(try shop.write("a.csv", Self.text), mode: .validate)
        #expect(want.rows == 3002 && want.counts.count(.rejected) == 1)
        let packed = [
            ("one.csv.gz", try Self.pack("gzip", plain)),
            ("two.csv.gz", try Self.pack("gzip", plain.prefix(half)) + Self.pack("gzip", plain.dropFirst(half))),
            ("one.csv.zst", Self.zstd(plain)),
            ("two.csv.zst", Self.zstd(plain.prefix(half)) + Self.zstd(Data(plain.dropFirst(half)))),
            ("name.csv", Self.zstd(plain)),
        ]
        for (name, data) in packed {
            try data.write(to: URL(filePath: shop.folder + "/" + name))
            for sliceBytes in [700, 1 << 20] {
                let report = try await shop.run(shop.folder + "/" + name, mode: .validate) {
                    $0.sliceBytes = sliceBytes
                }
                #expect(report.rows == want.rows && report.counts == want.counts, "\(name)")
                #expect(report.listed.map(\.byteOffset) == want.listed.map(\.byteOffset), "\(name)")
                #expect(report.compression?.bytes == plain.count && report.bytes == data.count)
                #expect(report.dataHash == hex(SHA256.hash([UInt8](data))))
            }
        }
    }

    @Test func `offsets are those of the file in every encoding`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let line = "5000,x,bad\n"
        for (encoding, converter) in [
            (TextEncoding.utf16LE, String.Encoding.utf16LittleEndian), (.utf16BE, .utf16BigEndian),
            (.utf32LE, .utf32LittleEndian), (.windows1252, .windowsCP1252), (.latin1, .isoLatin1),
        ] {
            // Latin-1 lacks the euro sign.
            let text = encoding == .latin1 ? Self.text.replacing("€", with: "ß") : Self.text
            let mark = encoding.unit > 1 ? "\u{FEFF}" : ""
            let data = try #require((mark + text).data(using: converter))
            let before = try #require(
                (mark + text.prefix(upTo: text.range(of: line)!.lowerBound)).data(using: converter)
            ).count
            try data.write(to: URL(filePath: shop.folder + "/a.csv"))
            for sliceBytes in [700, 1 << 20] {
                let report = try await shop.run(shop.folder + "/a.csv", mode: .validate) {
                    $0.sliceBytes = sliceBytes
                    $0.encoding = encoding
                }
                #expect(report.rows == 3002 && report.counts.count(.rejected) == 1, "\(encoding)")
                let finding = try #require(report.listed.first)
                #expect(Int(finding.byteOffset) == before, "\(encoding)")
                #expect(Int(finding.byteLength) == (line.count - 1) * encoding.unit, "\(encoding)")
            }
        }
    }

    @Test func `a row is traced to its bytes in a packed file of another encoding`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = Workshop.rows(50, note: "é")
        let data = try #require(text.data(using: .utf16LittleEndian))
        try Self.pack("gzip", data).write(to: URL(filePath: shop.folder + "/a.csv.gz"))
        let report = try await shop.run(shop.folder + "/a.csv.gz") { $0.encoding = .utf16LE }
        #expect(report.status == .accepted)
        let query = LineageQuery(try shop.store.ledger())
        let file = try #require(try query.run(report.batch).flatMap(\.files).first { $0.role == .accepted })
        for row in [1, 7, 50] {
            let trace = try #require(try query.trace(shard: file.digest, row: row))
            let range = try #require(
                try shop.store.byteRange(
                    ofRow: row, batch: report.batch, dataset: report.dataset, sourceEnd: Int(trace.sourceEnd)))
            let found = String(data: data[range], encoding: .utf16LittleEndian)
            #expect(found == text.split(separator: "\n").map { $0 + "\n" }[row])
        }
    }

    @Test func `bombs, damage and stray bytes are refused with the reason`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let good = try Self.pack("gzip", Data(Self.text.utf8))
        var flipped = good
        flipped[good.count - 6] ^= 1
        let zeros = try Self.pack("gzip", Data(Self.text.utf8) + Data(count: 40 << 20))
        for (name, data, word) in [
            ("bomb", zeros, "times its size"), ("flip", flipped, "damaged"), ("cut", good.dropLast(9), "ends before"),
            ("more", good + Data("more".utf8), "bytes follow"),
            ("twice", try Self.pack("gzip", good), "compressed twice"),
            ("zcut", Self.zstd(Data(Self.text.utf8)).dropLast(5), "ends before"),
            // A frame that declares 106 bytes and has none: libzstd refuses it only if it sees all of it at once.
            ("zsize", Data([0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x6A, 0, 0, 0, 0, 0, 0, 1, 0, 0]), "damaged"),
            ("zmore", Self.zstd(Data(Self.text.utf8)) + Data("more".utf8), "bytes follow"),
        ] {
            let path = shop.folder + "/" + name + ".csv.gz"
            try data.write(to: URL(filePath: path))
            let error = await #expect(throws: IngestionError.self) { try await shop.run(path) }
            #expect(
                error?.code == .unreadableData && error?.description.contains(word) == true,
                "\(name): \(String(describing: error))")
        }
        let path = try shop.write("mark.csv", "\u{FEFF}id\n")
        for (encoding, word) in [(TextEncoding.latin1, "byte order mark says utf-8"), (.utf16, "says which")] {
            let error = await #expect(throws: IngestionError.self) {
                try await shop.run(path) { $0.encoding = encoding }
            }
            #expect(error?.description.contains(word) == true)
        }
    }

    static let contract = """
        fields: [{ name: id, type: integer, constraints: { required: true } }, { name: v, type: any }]
        sluice: { batch: { maxRejectedRate: 0.9 }, unknownFields: reject }
        """

    private func judge(_ shop: Workshop, _ name: String, _ data: Data, slice: Int = 1 << 20) async throws -> BatchReport
    {
        let path = shop.folder + "/" + name
        try data.write(to: URL(filePath: path))
        let loaded = try Schema.load(Array(Self.contract.utf8), name: "c.yaml")
        var options = BatchOptions()
        options.mode = .validate
        options.sliceBytes = slice
        return try await Pipeline(store: nil, writes: false).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                source: "",
                options: options
            ))
    }

    @Test func `one array of records is read like lines`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let rows = (1...200).map {
            $0 == 120 ? "{\"id\": \"x\"}" : "{\n  \"id\": \($0),\r\n  \"v\": [1, {\"a\": \"],[\\\"\"}]\n}"
        }
        let text = "\u{FEFF} [\n" + rows.joined(separator: " ,\n") + "\n]\n"
        let bad = try #require(text.range(of: rows[119]))
        let offset = text[..<bad.lowerBound].utf8.count
        for (name, data) in [
            ("a.json", Data(text.utf8)), ("b.json.gz", try Self.pack("gzip", Data(text.utf8))),
            ("c.jsonl", Data(text.utf8)),
        ] {
            for slice in [50, 333, 1 << 20] {
                let report = try await judge(shop, name, data, slice: slice)
                #expect(report.rows == 200 && report.counts.count(.rejected) == 1, "\(name) \(slice)")
                let finding = try #require(report.listed.first)
                #expect(finding.row == 120 && finding.code == .typeError)
                // Separators of elements, spaces included, belong to the row before or after them.
                #expect(abs(Int(finding.byteOffset) - offset) <= 2, "\(finding.byteOffset) \(offset)")
            }
        }
        #expect(try await judge(shop, "e.json", Data("[ ]".utf8)).rows == 0)
        let far = Data((String(repeating: " \n", count: 20_000) + "[{\"id\":1}]").utf8)
        #expect(try await judge(shop, "w.json", far).counts.count(.accepted) == 1)
        #expect(try await judge(shop, "w.json.gz", try Self.pack("gzip", far)).counts.count(.accepted) == 1)
        #expect(try await judge(shop, "o.json", Data("{\"id\":1}\n{\"id\":2}\n".utf8)).rows == 2)
    }

    /// Text that JSON does not allow is not read as JSON.
    @Test(arguments: [
        ("[{\"id\":1},]", 2, 1), ("[,{\"id\":1}]", 1, 1), ("[{\"id\":1},,{\"id\":2}]", 2, 1),
        ("[{\"id\":1} {\"id\":2}]", 1, 1),
        ("[1,{\"id\":1}]", 2, 1), ("[[{\"id\":1}]]", 1, 1),
        ("[{\"id\":1,\"v\":\"a\nb\"},{\"id\":2}]", 2, 1), ("[{\"id\":1]},{\"id\":2}]", 2, 1),
        ("[{\"id\":1},{\"id\":2}]", 2, 0),
    ]) func `arrays that are none`(text: String, rows: Int, rejected: Int) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await judge(shop, "a.json", Data(text.utf8))
        #expect(report.rows == rows && report.counts.count(.rejected) == rejected)
    }

    @Test(arguments: [
        ("[", "not closed"), ("[{\"id\":1}", "not closed"), ("[{\"id\":1},", "not closed"),
        ("[{\"id\":1},{\"id\":\"", "not closed"), ("[{\"id\":1},{\"id\":2}\n", "not closed"),
        ("[{\"id\":1}] {\"id\":2}", "text follows"), ("[{\"id\":1}]]", "text follows"), ("[]\n[]", "text follows"),
    ]) func `an array that is cut off, or is not all, is refused`(text: String, word: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for data in [Data(text.utf8), try Self.pack("gzip", Data(text.utf8))] {
            let error = await #expect(throws: IngestionError.self) { try await judge(shop, "a.json", data) }
            #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        }
    }
}
