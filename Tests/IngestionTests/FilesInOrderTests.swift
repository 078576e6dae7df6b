import Cryptography
import Foundation
import Lineage
import Reading
import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Several files as one batch.
@Suite struct `files in order` {
    /// Rows with line ends in quotes, and one past the slice size.
    static func records(_ count: Int) -> [String] {
        (1...count).map { id in
            let note =
                id % 13 == 0 ? "\"a\n\"\"\(id)\"" : id % 97 == 0 ? String(repeating: "n", count: 3000) : "n\(id % 5)"
            return "\(id),\(Double(id * 31 % 97) / 7),\(note)"
        }
    }

    /// Writes rows into a folder, as several files.
    private func split(
        _ records: [String], into name: String, _ counts: [Int], in shop: Workshop, lineEnd: String = "\n",
        _ change: (Int, String) throws -> (name: String, data: Data) = { ("part-\(100 + $0).csv", Data($1.utf8)) }
    ) throws -> String {
        let folder = shop.folder + "/" + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        var rest = records[...]
        for (place, count) in counts.enumerated() {
            let rows = rest.prefix(count)
            rest = rest.dropFirst(count)
            let text = (["id,x,note"] + rows).map { $0 + lineEnd }.joined()
            let made = try change(place, text)
            try made.data.write(to: URL(filePath: folder + "/" + made.name))
        }
        #expect(rest.isEmpty)
        return folder
    }

    /// Judges an input as a batch of the dataset `numbers`.
    private func run(
        _ shop: Workshop, _ input: BatchInput, mode: RunMode = .ingest, rule: String = "",
        _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let (schema, document) = try Workshop.contract(rule)
        var options = BatchOptions()
        options.mode = mode
        options.sliceBytes = 16_384
        change(&options)
        return try await Pipeline(store: Store(shop.store.root), writes: mode == .ingest).run(
            BatchRequest(
                input, schema: schema, contract: document, dataset: "numbers", source: "test", options: options))
    }

    /// The rows of a batch's shards, in order, without their headers.
    private func released(_ shop: Workshop, _ report: BatchReport) throws -> String {
        try report.published.filter { $0.hasPrefix("accepted/") }.map { path in
            let text = try shop.opened(path)
            return String(text[(text.firstIndex(of: "\n").map { text.index(after: $0) } ?? text.endIndex)...])
        }.joined()
    }

    @Test(arguments: [16_384, 700, 1 << 20])
    func `rows, outcomes and places are those of one file`(slice: Int) async throws {
        let (one, many) = (try Workshop(), try Workshop())
        defer { one.remove() }
        defer { many.remove() }
        var records = Self.records(900)
        records[450] = "x,1,bad"
        records[700] = "701,1e9,n1"
        let path = try one.write("all.csv", (["id,x,note"] + records).map { $0 + "\n" }.joined())
        // Empty files but for their header, one of one row, line ends of Windows, no last line end, a byte order mark,
        // compressed ones.
        let counts = [100, 0, 1, 250, 300, 149, 100]
        let folder = try split(records, into: "parts", counts, in: many) { place, text in
            let data = Data(text.utf8)
            switch place {
            case 3: return ("part-103.csv.gz", try `the source reader`.pack("gzip", data))
            case 4: return ("part-104.csv", Data(text.dropLast().utf8))
            case 5: return ("part-105.csv", Data(("\u{FEFF}" + text).utf8))
            case 6: return ("part-106.csv.zst", `the source reader`.zstd(data))
            default: return ("part-10\(place).csv", data)
            }
        }
        func change(_ options: inout BatchOptions) {
            options.seed = 7
            options.sliceBytes = slice
        }
        let want = try await run(one, BatchInput(path), change)
        let found = try await run(many, BatchInput(folder), change)
        #expect(want.status == .accepted && found.status == .accepted, "\(found.batchFindings)")
        for outcome in Outcome.allCases { #expect(found.counts.count(outcome) == want.counts.count(outcome)) }
        #expect(found.totals == want.totals && found.rows == 900)
        #expect(found.listed.map(\.row) == want.listed.map(\.row))
        #expect(found.listed.map(\.code) == want.listed.map(\.code))
        #expect(found.listed.contains { $0.row == 451 })
        let (text, wanted) = (try released(many, found), try released(one, want))
        #expect(text == wanted)
        // Row 451 is the 100th of the fifth file.
        let place = try #require(found.place(ofRow: 451))
        #expect(place.file.shortName == "part-104.csv" && place.row == 100)
        #expect(found.files.map(\.rows) == counts)
        #expect(found.place(ofRow: 900)?.row == 100 && found.place(ofRow: 901) == nil && want.place(ofRow: 451) == nil)
        let replay = try many.store.proving().replay(found.batch, row: 451, file: BatchInput(folder))
        #expect(replay.isReplayed && replay.isSame && replay.agreed == 900, "\(replay.differing)")
        #expect(replay.place?.file == 5 && replay.place?.of == 7 && replay.place?.row == 100)
        try many.expectSound()
    }

    @Test func `any split gives the slices of one text, and a later pass the same ones`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &generator)
        var random = SplitMix64(seed: seed)
        var plan = ReadingPlan(format: .csv, fieldNames: ["id", "x", "note"])
        plan.dialect = Dialect()
        for trial in 0..<60 {
            let records = Self.records(1 + Int(random.next() % 300))
            var (counts, rest) = ([Int](), records.count)
            while rest > 0 {
                counts.append(min(rest, Int(random.next() % 90)))
                rest -= counts[counts.count - 1]
            }
            counts.append(0)
            let lineEnd = random.next() % 4 == 0 ? "\r\n" : "\n"
            var lacking: [Bool] = []
            let folder = try split(records, into: "t\(trial)", counts, in: shop, lineEnd: lineEnd) { place, text in
                let lacks = random.next() % 3 == 0
                // What follows a header is no row.
                lacking.append(lacks && counts[place] > 0)
                let bytes = Array(text.utf8)
                return ("\(1000 + place).csv", Data(lacks ? Array(bytes.dropLast(lineEnd.utf8.count)) : bytes))
            }
            let slice = [300, 2000, 1 << 20][Int(random.next() % 3)]
            let source = try SourceFiles(BatchInput(folder))
            let cutter = try SliceCutter(source, plan: plan, sliceBytes: slice)
            var (slices, text): ([SourceSlice], [UInt8]) = ([], [])
            while let next = try cutter.next() {
                if let last = slices.last {
                    #expect(next.firstRow == last.firstRow + last.rowCount && next.ordinal == last.ordinal + 1)
                }
                slices.append(next)
                text += next.bytes + (next.bytes.last == 0x0A ? [] : [0x0A])
            }
            let want = records.map { $0 + "\n" }.joined()
            let got = String(decoding: text, as: UTF8.self).replacing("\r\n", with: "\n")
            #expect(got == want, "seed \(seed), trial \(trial)")
            #expect(cutter.rows == records.count && cutter.files.map(\.rows) == counts, "seed \(seed), trial \(trial)")
            #expect(try cutter.digest().whole == source.digest().whole)
            #expect(cutter.files.map(\.lacksLineEnd) == lacking, "seed \(seed), trial \(trial)")
            let replayer = try SliceReplayer(source, cutter.text, plan.coding)
            var again: [SourceSlice] = []
            while let next = try replayer.next() { again.append(next) }
            #expect(again.map(\.bytes) == slices.map(\.bytes), "seed \(seed), trial \(trial)")
            // Single slices are found without reading those before them.
            var some = cutter.text
            some.places = some.places.filter { $0.ordinal % 3 == 1 }
            let picking = try SliceReplayer(source, some, plan.coding)
            for place in some.places { #expect(try picking.next()?.bytes == slices[place.ordinal].bytes) }
        }
    }

    @Test func `a quote that a file leaves open swallows nothing of the next`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let folder = try split(Self.records(60), into: "parts", [20, 20, 20], in: shop) { place, text in
            ("part-\(place).csv", Data((place == 1 ? text.dropLast(3) + "\"open\n" : text).utf8))
        }
        let report = try await run(shop, BatchInput(folder), mode: .validate)
        #expect(report.rows == 60 && report.files.map(\.rows) == [20, 20, 20])
        #expect(report.listed.allSatisfy { $0.row == 40 }, "\(report.listed.map(\.row))")
    }

    @Test func `JSON lines and lists are read in order too`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for (ending, list) in [(".jsonl", false), (".json", true)] {
            let folder = shop.folder + "/" + (list ? "lists" : "lines")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            for part in 0..<4 {
                let rows = (1...50).map { "{\"id\":\(part * 50 + $0),\"x\":1,\"note\":\"n\"}" }
                let text = list ? "[" + rows.joined(separator: ",\n") + "]" : rows.joined(separator: "\n")
                try Data(text.utf8).write(to: URL(filePath: folder + "/p\(part)\(ending)"))
            }
            let report = try await run(shop, BatchInput(folder), mode: .validate)
            #expect(report.rows == 200 && report.isClean, "\(report.listed.map(\.code))")
            #expect(report.files.map(\.rows) == [50, 50, 50, 50])
        }
    }

    @Test func `the digest is that of the list, and of one file its own`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let folder = try split(Self.records(40), into: "parts", [20, 20], in: shop)
        let report = try await run(shop, BatchInput(folder))
        let parts = try ["part-100.csv", "part-101.csv"].map { try Data(contentsOf: URL(filePath: folder + "/" + $0)) }
        let list = parts.map { "{\"bytes\":\($0.count),\"sha256\":\"\(hex(SHA256.hash([UInt8]($0))))\"}" }
        #expect(report.dataHash == hex(SHA256.hash(Array("[\(list.joined(separator: ","))]".utf8))))
        let entries = try shop.store.proving().proven().log.run(report.batch)
        #expect(entries.first { $0.event == .batchReceived }?.body["files"]?.whole == 2)
        // The same files again are the same batch, as a folder or by name; in another order they are not.
        #expect(try await run(shop, BatchInput(folder)).status == .duplicate)
        let names = ["part-100.csv", "part-101.csv"].map { folder + "/" + $0 }
        #expect(try await run(shop, BatchInput(names)).status == .duplicate)
        #expect(
            try SourceFiles(BatchInput(names.reversed())).digest().whole
                != SourceFiles(BatchInput(names)).digest().whole)
        try FileManager.default.removeItem(atPath: names[1])
        let single = try await run(shop, BatchInput(folder), mode: .dryRun)
        #expect(single.dataHash == hex(SHA256.hash([UInt8](parts[0]))) && single.files.isEmpty)
    }

    @Test func `files with other columns, and folders with other things, are refused by name`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        func refused(
            _ name: String, _ code: IngestionError.Code, naming words: [String], _ prepare: (String) throws -> Void
        )
            async throws
        {
            let folder = try split(Self.records(40), into: name, [20, 20], in: shop)
            try prepare(folder)
            let error = await failure { _ = try await run(shop, BatchInput(folder)) }
            #expect(error?.code == code, "\(name)")
            for word in words {
                #expect(error?.description.contains(word) == true, "\(name): \(error?.description ?? "")")
            }
        }
        func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
        try await refused("swapped", .unreadableData, naming: ["part-2.csv", "part-100.csv", "column 2 differs"]) {
            try put("id,note,x\n1,n,1\n", $0 + "/part-2.csv")
        }
        try await refused("more", .unreadableData, naming: ["part-2.csv", "unknown"]) {
            try put("id,x,note,y\n1,1,n,1\n", $0 + "/part-2.csv")
        }
        try await refused("empty", .unreadableData, naming: ["part-2.csv", "empty"]) { try put("", $0 + "/part-2.csv") }
        try await refused("strange", .usage, naming: ["notes.txt", "sha256sum"]) { try put("x", $0 + "/notes.txt") }
        try await refused("mixed", .usage, naming: ["b.jsonl", "formats"]) { try put("{}", $0 + "/b.jsonl") }
        try await refused("nested", .usage, naming: ["day=1", "folder"]) {
            try FileManager.default.createDirectory(atPath: $0 + "/day=1", withIntermediateDirectories: false)
        }
        try await refused("listed", .usage, naming: ["a.batch", "itself"]) { try put("x", $0 + "/a.batch") }
        try await refused("missing", .noInput, naming: ["SHA256SUMS", "part-102.csv"]) {
            try put(String(repeating: "0", count: 64) + "  part-102.csv\n", $0 + "/SHA256SUMS")
        }
        try await refused("dotted", .noInput, naming: ["SHA256SUMS", "part-102.csv"]) {
            try put(String(repeating: "0", count: 64) + "  ./part-102.csv\n", $0 + "/SHA256SUMS")
        }
        try await refused("delimiter", .unreadableData, naming: ["part-2.csv", "delimiter"]) {
            try put("id;x;note\n1;1;n\n", $0 + "/part-2.csv")
        }
        // Markers and hidden files are no data.
        let folder = try split(Self.records(40), into: "spark", [20, 20], in: shop)
        try put("", folder + "/_SUCCESS")
        try put("x", folder + "/.part-100.csv.crc")
        #expect(try await run(shop, BatchInput(folder)).status == .accepted)
        let none = shop.folder + "/none"
        try FileManager.default.createDirectory(atPath: none, withIntermediateDirectories: false)
        #expect(await failure { _ = try BatchInput(none) }?.code == .noInput)
        #expect(await failure { _ = try BatchInput([folder, none]) }?.code == .usage)
        let twice = [folder + "/part-100.csv", folder + "/../spark/part-100.csv"]
        #expect(await failure { _ = try SourceFiles(BatchInput(twice)) }?.code == .usage)
    }

    @Test func `a list states order and digests`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let folder = try split(Self.records(40), into: "parts", [20, 20], in: shop)
        func line(_ name: String) throws -> String {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + name)))
            return "\(hex(SHA256.hash(bytes)))  parts/\(name)\n"
        }
        let list = try shop.write("day.batch", line("part-101.csv") + line("part-100.csv"))
        let input = try BatchInput(list)
        #expect(input.files.map { $0.suffix(12) } == ["part-101.csv", "part-100.csv"])
        let report = try await run(shop, input)
        #expect(report.status == .accepted && report.attestation?["provenance"]?["digest"]?.text == "confirmed")
        let wrong = try shop.write(
            "wrong.batch", line("part-100.csv") + String(repeating: "0", count: 64) + "  parts/part-101.csv\n")
        let refused = try await run(shop, BatchInput(wrong))
        #expect(refused.status != .accepted && refused.batchFindings.contains { $0.code == .digestMismatch })
        for (text, word) in [
            ("", "empty"), ("nonsense\n", "line 1"), (try line("part-100.csv") + line("part-100.csv"), "line 2"),
            (String(repeating: "0", count: 64) + "  ../a.csv\n", "line 1"),
            (String(repeating: "0", count: 64) + "  /a.csv\n", "line 1"),
            (String(repeating: "0", count: 64) + "\n", "line 1"),
        ] {
            let path = try shop.write("bad.batch", text)
            let error = await failure { _ = try BatchInput(path) }
            #expect(error?.code == .unreadableData && error?.description.contains(word) == true, "\(text)")
        }
    }

    /// A `SHA256SUMS` of the folder, and sidecars of single files, are compared with every file.
    @Test func `a digest counts for a batch only when every file has it`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let folder = try split(Self.records(60), into: "parts", [20, 20, 20], in: shop)
        func digest(_ name: String) throws -> String {
            hex(SHA256.hash([UInt8](try Data(contentsOf: URL(filePath: folder + "/" + name)))))
        }
        let names = ["part-100.csv", "part-101.csv", "part-102.csv"]
        func put(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        func answer() async throws -> (String?, BatchReport) {
            let report = try await run(shop, BatchInput(folder), mode: .dryRun)
            return (report.attestation?["provenance"]?["digest"]?.text, report)
        }
        #expect(try await answer().0 == nil)
        try put(digest(names[1]), names[1] + ".sha256")
        #expect(try await answer().0 == nil, "the others have none")
        try put(names.map { try digest($0) + "  " + $0 + "\n" }.joined(), "SHA256SUMS")
        #expect(try await answer().0 == "confirmed")
        try put(String(repeating: "0", count: 64), names[2] + ".sha256")
        let (found, report) = try await answer()
        #expect(found == "refuted" && report.batchFindings.contains { $0.code == .digestMismatch })
    }

    /// Found by a reader: the lists of several folders were mixed, by base name and in a random order.
    @Test func `the digest list of a folder is about that folder's files only`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var list = ""
        for folder in ["x", "y"] {
            let made = try split(
                Self.records(40).map { folder == "x" ? $0 : "9" + $0 }, into: folder, [40], in: shop
            ) { _, text in ("p.csv", Data(text.utf8)) }
            let sum = hex(SHA256.hash([UInt8](try Data(contentsOf: URL(filePath: made + "/p.csv")))))
            list += "\(sum)  \(folder)/p.csv\n"
            _ = try shop.write(folder + "/SHA256SUMS", "\(sum)  p.csv\n")
        }
        let path = try shop.write("both.batch", list)
        let files = ["x", "y"].map { shop.folder + "/\($0)/p.csv" }
        for input in [try BatchInput(path), try BatchInput(files)] {
            let report = try await run(shop, input, mode: .dryRun)
            #expect(report.attestation?["provenance"]?["digest"]?.text == "confirmed", "\(report.batchFindings)")
        }
        let zeros = String(repeating: "0", count: 64)
        for folder in ["y", "x"] {
            let right = try String(contentsOfFile: shop.folder + "/\(folder)/SHA256SUMS", encoding: .utf8)
            _ = try shop.write(folder + "/SHA256SUMS", zeros + "  p.csv\n")
            for input in [files, files.reversed()] {
                let report = try await run(shop, BatchInput(input), mode: .dryRun)
                let wrong = report.batchFindings.first { $0.code == .digestMismatch }
                #expect(wrong?.rule == "file \(input[0].contains("/\(folder)/") ? 1 : 2) of 2")
            }
            _ = try shop.write(folder + "/SHA256SUMS", right)
        }
        // `validate` has no sources, and compares what a list states.
        let bad = try shop.write("bad.batch", zeros + list.dropFirst(64))
        let checked = try await run(shop, BatchInput(bad), mode: .validate)
        #expect(checked.batchFindings.contains { $0.code == .digestMismatch })
    }

    @Test func `lines are read as sha256sum means them`() throws {
        let sum = String(repeating: "ab", count: 32)
        for (line, exact) in [
            ("\(sum)  a.csv", "a.csv"), ("\(sum) *a.csv", "a.csv"), ("\(sum)   lead.csv", " lead.csv"),
            ("\(sum)\ta.csv", "a.csv"), ("SHA256 (a b.csv) = \(sum)", "a b.csv"),
            ("\\\(sum)  a\\nb\\\\c.csv", "a\nb\\c.csv"),
        ] {
            #expect(DigestLine(line)?.exact == exact, "\(line)")
        }
        let windows = Array("\(sum)  a.csv\r\n\(sum)  b.csv\r\n".utf8)
        #expect(try FileList(windows, name: "l.batch").entries.map(\.name) == ["a.csv", "b.csv"])
        let nested = Array("\(sum)  other.batch\n".utf8)
        #expect(throws: IngestionError.self) { try FileList(nested, name: "l.batch") }
    }

    @Test func `a held batch keeps its files as they came, and is released as one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var records = Self.records(400)
        for row in 100..<400 { records[row] = "x,\(row),bad" }
        let folder = try split(records, into: "parts", [150, 100, 150], in: shop) { place, text in
            let data = Data(text.utf8)
            return place == 1
                ? ("part-1.csv.gz", try `the source reader`.pack("gzip", data)) : ("part-\(place).csv", data)
        }
        // What came with the files is kept for the release.
        for name in ["part-0.csv", "part-1.csv.gz", "part-2.csv"] {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + name)))
            _ = try shop.write("parts/\(name).sha256", hex(SHA256.hash(bytes)))
        }
        let held = try await run(shop, BatchInput(folder))
        #expect(held.status == .held && held.attestation?["provenance"]?["digest"]?.text == "confirmed")
        let store = try Store(shop.store.root).proving()
        let entries = try store.proven().log.run(held.batch)
        let file = try #require(entries.flatMap(\.files).first { $0.role == .source })
        let source = try store.heldSource(file)
        let sourceDigest = hex(try source.digest().whole)
        #expect(source.parts.count == 3 && sourceDigest == held.dataHash)
        // Every tar reads it.
        let sealed = try openShard(store.root + "/" + file.path, keys: try store.keyRing())
        var archive = Data()
        _ = try readShard(sealed, path: file.path) { span in for at in span.indices { archive.append(span[at]) } }
        let path = shop.folder + "/held.tar"
        try archive.write(to: URL(filePath: path))
        let out = shop.folder + "/out"
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "-xf", path, "-C", out]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        for (name, given) in [("000001", "part-0.csv"), ("000002.gz", "part-1.csv.gz"), ("000003", "part-2.csv")] {
            let (one, other) = (out + "/" + name, folder + "/" + given)
            #expect(FileManager.default.contentsEqual(atPath: one, andPath: other), "\(name)")
        }
        let replay = try store.replay(held.batch, row: 160, file: nil)
        #expect(replay.isReplayed && replay.isSame && replay.place?.file == 2 && replay.place?.row == 10)
        // Under a contract that allows these rows it is released, with the places of its files.
        var request = Pipeline.ReleaseRequest(held.batch, reason: "ids are texts now")
        let text = String(decoding: Array(try Workshop.contract().document.text(pretty: false).utf8), as: UTF8.self)
            .replacing("\"integer\"", with: "\"string\"")
        request.contract = try Schema.load(
            Array(text.replacing("\"unique\":true", with: "\"unique\":false").utf8), name: "n.json")
        let release = try await Pipeline(store: Store(shop.store.root), writes: true).release(
            request, options: BatchOptions())
        guard case .judged(let report) = release else {
            Issue.record("\(release)")
            return
        }
        #expect(report.status == .accepted && report.rows == 400 && report.files.map(\.rows) == [150, 100, 150])
        #expect(report.dataHash == held.dataHash)
        #expect(report.attestation?["provenance"]?["digest"]?.text == "confirmed")
        try shop.expectSound()
    }
}
