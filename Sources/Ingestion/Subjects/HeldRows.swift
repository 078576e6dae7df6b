import Cryptography
import Reading
import Storage
import Tabular

/// Rows of the sealed source of a held batch, read as it was read when it was judged.
struct HeldRows {
    /// By file, in order.
    private let files: [HeldFile]

    /// The rows that were asked for: their numbers, and their bytes in the decompressed file that has them, with what
    /// stands between them and the next row.
    var rows: [(number: Int, text: InputFile, bytes: Range<Int>)] {
        files.flatMap { file in file.rows.map { ($0.number, file.text, $0.bytes) } }
    }

    /// Finds rows.
    ///
    /// - Parameters:
    ///   - source: the source as it is sealed.
    ///   - plan: how it was read.
    ///   - folder: the folder of files without a name.
    ///   - isWanted: whether a row is asked for, by its number in what is sealed today.
    /// - Throws: `damaged` for a list of JSON that is not UTF-8.
    init(
        _ source: SourceFiles, _ plan: Plan, in folder: String, where isWanted: (Int) -> Bool
    ) throws(IngestionError) {
        var (files, before): ([HeldFile], Int) = ([], 0)
        for part in source.parts {
            files.append(try HeldFile(part, plan, in: folder) { isWanted(before + $0) }.numbered(after: before))
            before += files[files.count - 1].count
        }
        self.files = files
    }

    /// Gives the source without these rows, as it is sealed.
    ///
    /// - Returns: its digest, and how many bytes were given.
    func forEachPiece(
        _ body: (Span<UInt8>) throws(IngestionError) -> Void
    ) throws(IngestionError) -> (digest: [UInt8], bytes: Int) {
        var (digest, count) = (SourceDigest(), 0)
        func give(_ bytes: [UInt8]) throws(IngestionError) {
            count += bytes.count
            try body(bytes.span)
        }
        for (place, file) in files.enumerated() {
            var padding = 0
            if files.count > 1 {
                let begun = FileArchive.header(FileArchive.name(place), size: file.size)
                padding = begun.padding
                try give(begun.header)
            }
            let part = try file.forEachPiece(body)
            count += part.bytes
            digest.parts.append((part.bytes, part.digest))
            try give([UInt8](repeating: 0, count: padding))
        }
        if files.count > 1 { try give(FileArchive.end) }
        return (digest.whole, count)
    }
}

/// Rows of one file of the sealed source of a held batch.
private struct HeldFile {
    /// The decompressed file.
    let text: InputFile
    /// The rows that were asked for, with their bytes and what stands between them and the next row.
    private(set) var rows: [(number: Int, bytes: Range<Int>)]
    /// How many rows it has.
    let count: Int
    /// The bytes to leave out, ascending, so that the other rows are left.
    let gaps: [Range<Int>]
    /// Its size without them.
    var size: Int { gaps.reduce(text.size) { $0 - $1.count } }

    init(
        _ source: InputFile, _ plan: Plan, in folder: String, where isWanted: (Int) -> Bool
    ) throws(IngestionError) {
        text = try Self.decompressed(source, plan.reading.coding, in: folder)
        let cutter = try SliceCutter(text, plan: plan.reading, sliceBytes: plan.options.sliceBytes)
        guard let layout = cutter.head.layout else {
            throw IngestionError(.damaged, "\(source.path): its header does not fit the contract that it was judged by")
        }
        let work = SliceWork(plan: plan, layout: layout)
        var cut = RowCut()
        var found: [(number: Int, start: Int, next: Int?)] = []
        while let slice = try cutter.next() {
            if cutter.isFramed, plan.reading.coding.encoding != .utf8 {
                throw IngestionError(
                    .damaged,
                    "\(source.path): rows of a JSON list in \(plan.reading.coding.encoding.rawValue) cannot be taken out; "
                        + "reject the batch, and let its retention end")
            }
            var blocks = work.blocks(of: slice)
            while let block = blocks.next() {
                for row in 0..<block.count {
                    let place = block.placeInText(of: row, isItem: cutter.isFramed)
                    if let last = found.indices.last, found[last].next == nil { found[last].next = place.lowerBound }
                    let isFound = isWanted(block.firstRow + row)
                    if isFound { found.append((block.firstRow + row, place.lowerBound, nil)) }
                    cut.add(place, isRemoved: isFound)
                }
            }
        }
        let size = text.size
        rows = found.map { ($0.number, $0.start..<($0.next ?? size)) }
        count = cutter.rows
        gaps = cutter.isFramed ? cut.items(size: size) : cut.lines(size: size)
    }

    /// The file with its rows numbered as those of a source whose earlier files have `before` rows.
    func numbered(after before: Int) -> Self {
        var file = self
        for place in rows.indices { file.rows[place].number += before }
        return file
    }

    /// The file as text in its own encoding.
    private static func decompressed(
        _ source: InputFile, _ coding: SourceCoding, in folder: String
    ) throws(IngestionError) -> InputFile {
        var plain = SourceCoding()
        (plain.maxRatio, plain.maxUnpackedBytes) = (coding.maxRatio, coding.maxUnpackedBytes)
        let reader = try SourceReader(source, plain, hashes: false)
        if reader.compression == nil { return source }
        let file = try storing { () throws(StorageError) in
            try FileDescriptor.unnamed(in: folder, calling: "the held source")
        }
        var (length, buffer): (Int, [UInt8]) = (0, [])
        while true {
            buffer.removeAll(keepingCapacity: true)
            let got = try reader.read(upTo: 1 << 20, into: &buffer)
            try storing { () throws(StorageError) in try file.append(buffer.span, at: length) }
            length += got
            if got < 1 << 20 { break }
        }
        return try InputFile(file, calling: source.path)
    }

    /// Gives the bytes of the other rows, in order.
    ///
    /// - Returns: their SHA-256, and their number.
    func forEachPiece(
        _ body: (Span<UInt8>) throws(IngestionError) -> Void
    ) throws(IngestionError) -> (digest: [UInt8], bytes: Int) {
        var hasher = SHA256()
        var (count, at) = (0, 0)
        var buffer: [UInt8] = []
        defer { wipe(&buffer) }
        for gap in gaps + [text.size..<text.size] {
            while at < gap.lowerBound {
                buffer.removeAll(keepingCapacity: true)
                let got = try text.read(upTo: min(1 << 20, gap.lowerBound - at), at: at, into: &buffer)
                if got == 0 { break }
                hasher.update(buffer.span)
                try body(buffer.span)
                count += got
                at += got
            }
            at = gap.upperBound
        }
        return (hasher.digest(), count)
    }
}

extension RowBlock {
    /// The bytes of the source that a row stands in; for an item of a list without the white space around it.
    fileprivate func placeInText(of row: Int, isItem: Bool) -> Range<Int> {
        let place = sourceRange(of: row)
        var (start, end) = (Int(place.lowerBound), Int(place.upperBound))
        guard isItem else { return start..<end }
        var record = Int(records[row].start)..<Int(records[row].end)
        while let first = record.first, bytes[first] <= 0x20 { (record, start) = (record.dropFirst(), start + 1) }
        while let last = record.last, bytes[last] <= 0x20 { (record, end) = (record.dropLast(), end - 1) }
        return start..<max(start, end)
    }
}

/// Runs of rows that go, with the rows around them.
struct RowCut {
    private struct Run {
        /// Where the row before ends that stays; nil when none does.
        let after: Int?
        /// Where its rows begin and end, and where the next row that stays begins.
        let start: Int
        var end: Int
        var next: Int?
    }

    private var runs: [Run] = []
    private var lastEnd: Int?
    private var isInRun = false

    init() {}

    /// The next row.
    mutating func add(_ place: Range<Int>, isRemoved: Bool) {
        if isRemoved {
            if isInRun {
                runs[runs.count - 1].end = place.upperBound
            } else {
                runs.append(Run(after: lastEnd, start: place.lowerBound, end: place.upperBound, next: nil))
            }
        } else {
            if isInRun { runs[runs.count - 1].next = place.lowerBound }
            lastEnd = place.upperBound
        }
        isInRun = isRemoved
    }

    /// What goes where rows end with a line end: up to the next row.
    func lines(size: Int) -> [Range<Int>] { runs.map { $0.start..<($0.next ?? size) } }

    /// What goes from a list: the items with the commas before them, or after the first ones; a list of which no item
    /// stays goes as a whole.
    func items(size: Int) -> [Range<Int>] {
        runs.map { run in
            if let after = run.after { return after..<run.end }
            if let next = run.next { return run.start..<next }
            return 0..<size
        }
    }
}
