package import Tabular

/// Which CSV reader splits the rows.
package enum CSVEngine: String, Sendable {
    /// Our structural scanner.
    case structural
    /// libcsv alone.
    case libcsv
}

/// What lies between a source's bytes and its text.
package struct SourceCoding: Sendable, Equatable {
    /// The text's encoding, as declared.
    package var encoding = TextEncoding.utf8
    /// Whether the text may be one JSON array of records, which is then read as JSON Lines.
    package var mayBeArray = false
    /// Whether its records are arrays.
    package var hasArrayItems = false
    /// Whether such a text is a list, and no line for each record, as far as its name tells.
    package var isList: Bool?
    /// The names of the members that lead to that array when the text is a document around it.
    package var property: [String] = []
    /// How many times its size a compressed file may have; SECURITY.md 5.
    package var maxRatio = 100
    /// Bytes that a file may decompress to.
    package var maxUnpackedBytes = 10 << 30

    /// Plain UTF-8.
    package init() {}
}

/// How a source is read: everything the reader is told by the contract and the command line.
package struct ReadingPlan: Sendable, Equatable {
    /// The format of the rows.
    package var format: SourceFormat
    /// The contract's field names, in order.
    package var fieldNames: [String]
    /// The fields that a header may lack.
    package var optionalFields: Set<Int> = []
    /// Whether a header must name the fields in their order.
    package var isOrdered = false
    /// What the contract says of columns by their position.
    package var places = ColumnPlaces()
    /// For JSON, the tokens of the JSON Pointer of each field that has one; empty when none has.
    package var fieldPaths: [[String]?] = []
    /// Whether members or columns outside the contract make a row or file bad.
    package var rejectsUnknown: Bool
    /// Whether they are noted, to be dropped later.
    package var notesUnknown: Bool
    /// How rows of CSV are written.
    package var dialect = Dialect()
    /// The CSV reader.
    package var engine: CSVEngine
    /// Limits.
    package var limits: ScanLimits
    /// Compression and encoding.
    package var coding = SourceCoding()

    /// A plan with a comma, and the structural scanner.
    package init(
        format: SourceFormat, fieldNames: [String], rejectsUnknown: Bool = true, notesUnknown: Bool = false,
        delimiter: UInt8 = 0x2C, engine: CSVEngine = .structural, limits: ScanLimits = ScanLimits()
    ) {
        self.format = format
        self.fieldNames = fieldNames
        self.rejectsUnknown = rejectsUnknown
        self.notesUnknown = notesUnknown
        dialect.delimiter = delimiter
        self.engine = engine
        self.limits = limits
    }
}

/// One of the scanners, chosen once a slice.
enum AnyScanner: ~Copyable {
    case structural(StructuralScanner)
    case libcsv(LibCSVScanner)
    case dialect(DialectScanner)
    case json(JSONLinesScanner)

    init(_ plan: ReadingPlan, _ limits: ScanLimits) {
        if plan.format == .jsonl {
            self = .json(
                JSONLinesScanner(
                    fields: plan.fieldNames, paths: plan.fieldPaths, dialect: plan.dialect,
                    rejectsUnknown: plan.rejectsUnknown, notesUnknown: plan.notesUnknown, limits: limits))
        } else if let quote = plan.dialect.quote, plan.dialect.isStructural {
            if plan.engine == .libcsv {
                self = .libcsv(LibCSVScanner(delimiter: plan.dialect.delimiter, quote: quote, limits: limits))
            } else {
                self = .structural(
                    StructuralScanner(delimiter: plan.dialect.delimiter, quote: quote, limits: limits))
            }
        } else {
            self = .dialect(DialectScanner(plan.dialect, limits: limits))
        }
    }

    mutating func scan(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock) -> Int {
        switch consume self {
        case .structural(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .structural(scanner)
            return next
        case .libcsv(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .libcsv(scanner)
            return next
        case .dialect(let scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .dialect(scanner)
            return next
        case .json(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .json(scanner)
            return next
        }
    }
}

/// Cuts a stream of bytes at record ends, without keeping more than the bytes it is shown.
package struct Slicer: ~Copyable {
    private var scanner: AnyScanner
    private let limits: ScanLimits

    /// Where a buffer may be cut.
    package struct Cut: Sendable, Equatable {
        /// First byte that does not belong to a complete record.
        package var end: Int
        /// Records before `end`.
        package var rows: Int
        /// Whether the row at `end` is past the row limit: skip to its line end.
        package var isOverlong: Bool
    }

    /// A slicer for one source.
    package init(_ plan: ReadingPlan) {
        limits = plan.limits
        let boundaries = ScanLimits(
            maxRowBytes: plan.limits.maxRowBytes, maxDepth: plan.limits.maxDepth, blockRows: .max, blockBytes: 1 << 26)
        scanner = AnyScanner(plan, boundaries)
    }

    /// The last record end in `bytes`, which start at a record.
    package mutating func cut(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut {
        var block = RecordBlock(base: 0, width: 0, keepsCells: false)
        let end = scanner.scan(bytes, from: 0, isFinal: isFinal, into: &block)
        let isOverlong = !isFinal && bytes.count - end > limits.maxRowBytes + 1
        return Cut(end: end, rows: block.count, isOverlong: isOverlong)
    }
}

/// Reads the blocks of one slice, in order.
package struct SliceReader: ~Copyable {
    private let slice: SourceSlice
    private let layout: Layout
    private let plan: ReadingPlan
    private var limits: ScanLimits
    private var scanner: AnyScanner
    private var position = 0
    /// Where `position` is in the source.
    private var sourceOffset: UInt64
    private var row: Int

    /// A reader of `slice`.
    package init(_ slice: SourceSlice, layout: Layout, plan: ReadingPlan) {
        self.slice = slice
        self.layout = layout
        self.plan = plan
        row = slice.firstRow
        sourceOffset = slice.offset
        // Thousands of columns must not make a block larger than the slice it comes from.
        limits = plan.limits
        limits.blockRows = max(1, min(limits.blockRows, Self.blockCells / max(1, layout.columns.count)))
        scanner = AnyScanner(plan, limits)
    }

    /// Cells of one block, give or take a row; a table of 256 columns or fewer never comes to it.
    private static let blockCells = 1 << 19

    /// The next block, or nil behind the last.
    package mutating func next() -> Batch? {
        if position >= slice.bytes.count { return nil }
        if slice.isOverlong {
            position = slice.bytes.count
            let finding = Finding(
                .rowTooLong, outcome: .rejected, row: slice.firstRow, bytes: slice.offset..<slice.offset + slice.length)
            let rows = Batch.Rows(
                cells: layout.columns.map { _ in .absent }, records: [RecordRange(start: 0, end: slice.bytes.count)],
                isWellFormed: [false], findings: [finding])
            return Batch(
                layout: layout, bytes: slice.bytes, rows: rows,
                origin: .init(firstRow: slice.firstRow, baseOffset: slice.offset))
        }
        let start = position
        let bytes = slice.bytes
        var block = RecordBlock(
            base: start, width: layout.columns.count, expecting: limits.blockRows,
            maxCellBytes: limits.maxCellBytes)
        position = scanner.scan(bytes.span, from: start, isFinal: true, into: &block)
        if layout.hasEmptyLast { block.requireEmptyLast() }
        precondition(position > start, "a scanner made no progress on a final slice")
        // A block of blank lines only.
        if block.count == 0 {
            sourceOffset += UInt64(plan.coding.encoding.sourceLength(of: bytes.span.extracting(start..<position)))
            return next()
        }
        let first = row
        row += block.count
        let offset = sourceOffset
        sourceOffset += UInt64(plan.coding.encoding.sourceLength(of: bytes.span.extracting(start..<position)))
        let remarks =
            plan.format == .csv
            ? block.remarks(bytes.span, end: position, firstRow: first, plan.dialect) : nil
        var batch = block.batch(
            bytes.span, end: position, layout: layout, firstRow: first, sourceOffset: offset,
            encoding: plan.coding.encoding, knowsExtras: plan.format == .jsonl && plan.notesUnknown)
        if let remarks { batch.remarks = remarks }
        return batch
    }
}
