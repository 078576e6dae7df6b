// One-core figures of the rooms, for scripts/bench: each line is `name value unit`.
//
// usage: Benchmarks FOLDER, which holds orders_1m.csv, orders_1m.jsonl and matrix_1m_x10.npy of scripts/bench.d/orders.py.
//        Benchmarks typed FILE, one of these or their clean twins, which is read into typed columns on two threads.
//        Benchmarks checks FILE CONTRACT, which checks one of these against a contract on one thread.
//        Benchmarks text FILE, which searches a text file for personal data line by line.
//        Benchmarks forest FILE, which fits a forest to the matrix of these and scores its rows.
//        Benchmarks alarms ROWS BATCHES, which counts false alarms over clean batches of that many rows.
//        Benchmarks proof FOLDER BATCHES, which makes a record of that many batches and proves what a decision asks of it
//        Benchmarks ledger FOLDER ENTRIES, which makes a ledger of that many entries in FOLDER, if there is none, and verifies it.
import Cryptography
import Foundation
import Ingestion
import Masking
import Reading
import Recognition
import Screening
import Sealing
import Sketches
import Storage
import Tabular

if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "proof", let count = Int(CommandLine.arguments[3]) {
    try benchmarkProof(CommandLine.arguments[2], batches: count)
    exit(0)
}
if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "ledger", let count = Int(CommandLine.arguments[3]) {
    try benchmarkLedger(CommandLine.arguments[2], entries: count)
    exit(0)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "typed" {
    keepFreedMemory()
    try await benchmarkTyped(CommandLine.arguments[2])
    exit(0)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "text" {
    try benchmarkText(CommandLine.arguments[2])
    exit(0)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "forest" {
    keepFreedMemory()
    benchmarkForest(CommandLine.arguments[2])
    exit(0)
}
if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "checks" {
    keepFreedMemory()
    try benchmarkChecks(CommandLine.arguments[2], contract: CommandLine.arguments[3])
    exit(0)
}
if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "alarms", let rows = Int(CommandLine.arguments[2]),
    let batches = Int(CommandLine.arguments[3])
{
    try countAlarms(rows: rows, batches: batches)
    exit(0)
}
guard CommandLine.arguments.count == 2 else {
    print(
        "usage: Benchmarks FOLDER | typed FILE | forest FILE | checks FILE CONTRACT | alarms ROWS BATCHES | "
            + "ledger FOLDER ENTRIES | proof FOLDER BATCHES"
    )
    exit(64)
}
let folder = CommandLine.arguments[1]
// As the gate does.
keepFreedMemory()

/// The bytes of a file.
func bytes(_ path: String) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
        print("no \(path): make it with scripts/bench.d/orders.py")
        exit(66)
    }
    return [UInt8](data)
}

/// The median time of three runs, in seconds.
func time(_ body: () -> Void) -> Double {
    var times: [Double] = []
    for _ in 0..<3 {
        let start = Clock.monotonic()
        body()
        times.append(Clock.monotonic() - start)
    }
    return times.sorted()[1]
}

func report(_ name: String, _ value: Double, _ unit: String) {
    print("\(name) \((value * 100).rounded() / 100) \(unit)")
}

/// The slices of a file, cut as the pipeline cuts them, without its header.
func slices(_ text: [UInt8], _ plan: ReadingPlan) -> [[UInt8]] {
    guard let head = try? readHead(text.span, isWhole: true, plan: plan) else { exit(70) }
    var slicer = Slicer(plan)
    var pieces: [[UInt8]] = []
    var start = head.length
    while start < text.count {
        let end = min(start + 16 << 20, text.count)
        let cut = slicer.cut(text.span.extracting(start..<end), isFinal: end == text.count)
        pieces.append(Array(text[start..<start + cut.end]))
        start += cut.end
    }
    return pieces
}

/// Scans all of a file into blocks, with or without cells.
func scan(_ text: [UInt8], _ plan: ReadingPlan, keepsCells: Bool) -> Double {
    let pieces = keepsCells ? slices(text, plan) : []
    let rate = time {
        if keepsCells {
            guard let head = try? readHead(text.span, isWhole: true, plan: plan), let layout = head.layout else {
                exit(70)
            }
            var rows = 0
            for piece in pieces {
                let slice = SourceSlice(
                    ordinal: 0, offset: 0, length: UInt64(piece.count), firstRow: 1, rowCount: 0, bytes: piece)
                var reader = SliceReader(slice, layout: layout, plan: plan)
                while let batch = reader.next() { rows += batch.count }
            }
            precondition(rows == 1_000_000)
        } else {
            var slicer = Slicer(plan)
            var start = 0
            // As the cutter does: sixteen mebibytes at a time.
            while start < text.count {
                let end = min(start + 16 << 20, text.count)
                let cut = slicer.cut(text.span.extracting(start..<end), isFinal: end == text.count)
                start += cut.end
            }
        }
    }
    return Double(text.count) / rate / 1e6
}

let csv = bytes(folder + "/orders_1m.csv")
let csvPlan = ReadingPlan(format: .csv, fieldNames: [], rejectsUnknown: false)
report("csv-boundaries", scan(csv, csvPlan, keepsCells: false), "MB/s")
report("csv-cells", scan(csv, csvPlan, keepsCells: true), "MB/s")

let lines = bytes(folder + "/orders_1m.jsonl")
let names = [
    "order_id", "customer_id", "created_at", "name", "email", "phone", "ssn", "ip", "country", "postal_code", "amount",
    "quantity", "score", "note", "label",
]
report(
    "jsonl-cells", scan(lines, ReadingPlan(format: .jsonl, fieldNames: names, rejectsUnknown: false), keepsCells: true),
    "MB/s")

let scanner = TextScanner(entities: Set(Entity.usual))
let scanned = time {
    var matches: [EntityMatch] = []
    var at = 0
    while at < csv.count {
        let end = min(at + 120, csv.count)
        scanner.scan(csv.span, range: at..<end, into: &matches)
        at = end
    }
}
report("pii-scan", Double(csv.count) / scanned / 1e6, "MB/s")

// One block of rows again and again: in the pipeline, too, a block is still in the cache when it is sealed, and so is
// the buffer of `openssl speed`.
let key = try SecretKey(random: 32)
let block = Array(csv[..<min(512 << 10, csv.count)])
let rounds = csv.count / block.count
for hashing in [false, true] {
    let sealed = time {
        guard
            var sealer = try? MessageSealer(
                context: ["dataset": "bench"], recipients: [AESWrappingKey(name: "bench", key: key)],
                frameLength: MessageLimits.frameLength, secrets: nil, hashing: hashing)
        else { exit(70) }
        sealer.reserveOutput(1 << 20)
        for _ in 0..<rounds {
            try? sealer.write(block.span)
            sealer.discardOutput()
        }
        _ = try? sealer.finish()
    }
    report(hashing ? "seal-and-hash" : "seal", Double(rounds * block.count) / sealed / 1e6, "MB/s")
}
let digest = time { _ = SHA256.hash(csv) }
report("sha256", Double(csv.count) / digest / 1e6, "MB/s")

benchmarkForest(folder + "/matrix_1m_x10.npy")
