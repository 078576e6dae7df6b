import Cryptography
import Foundation
import Lineage
import Reading
import Screening
import Tabular
import Testing

@testable import Ingestion

/// What the same rows become through every compression and encoding.
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

    /// A file of zstd's format that is not compressed: one frame of raw blocks (RFC 8878 3.1.1).
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
        let want = try await shop.run(try shop.write("a.csv", Self.text), doors: .validate)
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
                let report = try await shop.run(shop.folder + "/" + name, doors: .validate) {
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
            // Latin-1 has no euro sign.
            let text = encoding == .latin1 ? Self.text.replacing("€", with: "ß") : Self.text
            let mark = encoding.unit > 1 ? "\u{FEFF}" : ""
            let data = try #require((mark + text).data(using: converter))
            let before = try #require(
                (mark + text.prefix(upTo: text.range(of: line)!.lowerBound)).data(using: converter)
            ).count
            try data.write(to: URL(filePath: shop.folder + "/a.csv"))
            for sliceBytes in [700, 1 << 20] {
                let report = try await shop.run(shop.folder + "/a.csv", doors: .validate) {
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
        let file = try #require(try query.run(report.batch).flatMap(\.files).first { $0.role == "accepted" })
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
}
