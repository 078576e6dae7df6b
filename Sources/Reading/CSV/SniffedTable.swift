import Tabular

/// A sample read by one dialect.
struct SniffedTable {
    struct Cell {
        let form: CellForm
        let isQuoted: Bool
        /// Plausibility as a single value, from 0 to 1.
        let plausibility: Double
        /// Hash of the text, to find equal cells.
        let hash: UInt64
        let text: [UInt8]
    }

    struct Row {
        var cells: [Cell] = []
        /// Why the row could not be split; nil when it could.
        var fault: FindingCode?
        var filled: Int { cells.count { $0.form != .empty } }
    }

    let dialect: Dialect
    private(set) var rows: [Row] = []
    /// The most frequent number of cells.
    private(set) var width = 0
    /// Rows before the first one of that width.
    private(set) var leading = 0
    /// Rows of that width, from `leading` on.
    private(set) var regular = 0
    /// Hash of rows and cells, ignoring spaces around them; equal for dialects that yield the same cells.
    private(set) var print = SplitMix(0x51CE)
    private(set) var nulls = 0

    /// Bytes kept of a text, to compare headers with values.
    private static let textBytes = 256
    /// Most rows before a table.
    static let leadingMax = 32

    init(_ sample: Span<UInt8>, isWhole: Bool, _ dialect: Dialect, others: Set<UInt8>) {
        self.dialect = dialect
        // An unclosed quote must not consume the sample.
        let limits = ScanLimits(maxRowBytes: 1 << 15, blockRows: .max, blockBytes: sample.count + 1)
        var block = RecordBlock(base: 0, width: 0)
        _ = DialectScanner(dialect, limits: limits).scan(sample, from: 0, isFinal: isWhole, into: &block)
        var faults: [Int: FindingCode] = [:]
        for problem in block.problems { faults[problem.row] = problem.code }
        var isDecoded = [Bool](repeating: false, count: block.cells.count)
        for index in block.decodedCells { isDecoded[index] = true }
        var next = 0
        rows.reserveCapacity(block.count)
        for (index, record) in block.records.enumerated() {
            var row = Row()
            row.fault = faults[index]
            if row.fault == nil {
                while next < block.cells.count, block.cells[next].rawEnd <= Int(record.end) {
                    let cell = block.cells[next]
                    let range = Int(cell.start)..<Int(cell.end)
                    let text = range.map { isDecoded[next] ? block.decoded[$0] : sample[$0] }
                    add(text, isQuoted: cell.isQuoted, others: others, to: &row)
                    next += 1
                }
            }
            print.add(UInt64(record.end) << 20 | UInt64(row.cells.count) << 1 | (row.fault == nil ? 0 : 1))
            rows.append(row)
        }
        settleWidth()
    }

    private mutating func add(_ text: [UInt8], isQuoted: Bool, others: Set<UInt8>, to row: inout Row) {
        var hash = SplitMix(UInt64(text.count))
        for byte in text { hash.add(UInt64(byte)) }
        if !isQuoted, text == [0x5C, 0x4E] { nulls += 1 }
        let form = CellForm(text)
        var (first, last) = (0, text.count)
        while first < last, text[first] == 0x20 { first += 1 }
        while last > first, text[last - 1] == 0x20 { last -= 1 }
        for at in first..<last { print.add(UInt64(text[at])) }
        print.add(0x1_0000)
        row.cells.append(
            Cell(
                form: form, isQuoted: isQuoted,
                plausibility: Self.plausibility(of: text, as: form, isQuoted: isQuoted, others: others),
                hash: hash.state, text: Array(text.prefix(Self.textBytes))))
    }

    /// Plausibility of a text as a single value, from 0 to 1. Delimiters of other dialects lower it, unless the text
    /// was quoted or they punctuate a sentence.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - form: its form.
    ///   - isQuoted: whether it was quoted.
    ///   - others: delimiters of other dialects.
    private static func plausibility(
        of text: [UInt8], as form: CellForm, isQuoted: Bool, others: Set<UInt8>
    ) -> Double {
        if isQuoted || form == .empty || form == .missing { return 1 }
        guard let first = text.first, let last = text.last else { return 1 }
        if first == 0x22 || last == 0x22 { return 0.1 }
        var worst = first == 0x20 || last == 0x20 ? 0.6 : 1
        for (at, byte) in text.enumerated() where byte != 0x3A && others.contains(byte) || byte < 0x20 {
            let isProse = (byte == 0x2C || byte == 0x3B) && at + 1 < text.count && text[at + 1] == 0x20
            let isNumber = byte == 0x2C && form == .number
            worst = min(worst, isProse ? 0.85 : isNumber ? 0.8 : byte == 0x09 ? 0.05 : 0.3)
        }
        return form.isTelling ? worst : min(worst, 0.95)
    }

    private mutating func settleWidth() {
        var widths: [Int: Int] = [:]
        for row in rows where row.fault == nil { widths[row.cells.count, default: 0] += 1 }
        func weight(_ width: Int, _ count: Int) -> Double {
            Double(count) * (width > 1 ? Double(width - 1) / Double(width) : 1e-3)
        }
        width = widths.max { (weight($0.key, $0.value), -$0.key) < (weight($1.key, $1.value), -$1.key) }?.key ?? 0
        regular = widths[width] ?? 0
        guard width > 1 else { return }
        let place = rows.firstIndex { $0.fault == nil && $0.cells.count == width } ?? 0
        // Rows above a table are narrower and fewer than its own.
        guard place > 0, place <= Self.leadingMax, place <= max(1, regular - 2) else { return }
        guard rows[..<place].allSatisfy({ $0.cells.count < width }), !isShortHeader(place) else { return }
        leading = place
    }

    /// Whether the row above the first regular one is a header that lacks one label: rows end with a delimiter or begin
    /// with a name.
    private func isShortHeader(_ place: Int) -> Bool {
        let labels = rows[place - 1]
        guard labels.fault == nil, labels.cells.count == width - 1, width > 2 || labels.cells.count == 1 else {
            return false
        }
        guard labels.cells.allSatisfy({ $0.form == .text }), width > 2 else { return false }
        return rows[place].cells.contains { $0.form.isTelling }
    }

    /// The share of regular rows from the table on.
    var fit: Double { Double(regular) / Double(max(1, rows.count - leading)) }
    /// Whether every row has the same number of cells, and more than one.
    var isRegular: Bool { width > 1 && regular == rows.count }

    /// The average plausibility of the cells.
    var typed: Double {
        var (sum, count) = (0.0, 0)
        for row in rows[leading...] where row.cells.count == width {
            for cell in row.cells { sum += cell.plausibility }
            count += row.cells.count
        }
        return count == 0 ? 0 : sum / Double(count)
    }

    /// The rows of the table.
    var body: [Row] { rows[leading...].filter { $0.fault == nil && $0.cells.count == width } }
}

/// Mixes numbers into a hash, as SplitMix64 does (Steele, Lea, Flood 2014). Not secure, and not meant to be.
struct SplitMix {
    private(set) var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func add(_ value: UInt64) {
        state = (state ^ value) &* 0x9E37_79B9_7F4A_7C15
        state ^= state >> 29
    }
}
