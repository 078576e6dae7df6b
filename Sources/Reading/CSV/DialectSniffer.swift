package import Tabular

/// The result of detecting a CSV dialect from a sample.
package struct SniffedDialect: Sendable {
    /// The dialect that fits the sample best.
    package var dialect: Dialect
    /// Complete rows, rows with the usual number of cells, and that number.
    package var rows = 0, regular = 0, width = 0
    /// The average plausibility of the cells as single values: numbers, dates, words.
    package var typed = 0.0
    /// The margin over the best dialect that yields other cells, from 0 (none) to 1 (no other one).
    package var confidence = 0.0
    /// That second-best dialect; nil when there is none.
    package var rival: Dialect?
    /// Why a header was found or not, without values.
    package var headerReason = ""
    /// The reason why each row has one cell more than the first, if so.
    package var shortHeader: ShortHeader?

    /// Why the header may have one cell less than each row.
    package enum ShortHeader: Sendable {
        /// Rows end with a delimiter, and the header does not.
        case rowsEndWithDelimiter
        /// A column lacks a label, as R's `write.table` writes row names.
        case columnHasNoLabel
    }

    /// The margin below which two dialects explain a sample equally well, so that a person must choose.
    package static var leastConfidence: Double { 0.05 }
    /// Whether the dialect may be used without asking.
    package var isSure: Bool { confidence >= Self.leastConfidence }
    /// Whether most rows fit it.
    package var explains: Bool { 2 * regular > rows - dialect.leadingRows }
}

/// Detects the dialect of a sample by scoring how well all rows fit each candidate.
///
/// After van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type patterns" (2019), a
/// dialect's score is the regularity of its rows times the share of cells that look like single values. In addition, a
/// dialect with further marks than delimiter and quotes must justify each by rows that the plain reading cannot split.
package struct DialectSniffer {
    private static let plain: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C]
    private static let unusual: [UInt8] = [0x3A, 0x5E, 0x7E, 0x1F]
    private static let comment: UInt8 = 0x23
    /// The sample is read once for each candidate, so it should fit a core's cache.
    private static let sampleBytes = 1 << 17

    private struct Reading {
        let table: SniffedTable
        let score: Double

        var dialect: Dialect { table.dialect }
    }

    private let sample: [UInt8]
    private let isWhole: Bool
    private let occurs: [Bool]

    private init(_ sample: [UInt8], isWhole: Bool) {
        self.sample = sample
        self.isWhole = isWhole
        var occurs = [Bool](repeating: false, count: 256)
        for byte in sample { occurs[Int(byte)] = true }
        self.occurs = occurs
    }

    /// Detects the dialect from the beginning of a file.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 without a byte order mark.
    ///   - isWhole: whether these are all bytes of the file.
    /// - Returns: nil when there are no rows.
    package static func sniff(_ bytes: Span<UInt8>, isWhole: Bool) -> SniffedDialect? {
        let sample = bytes.extracting(0..<min(bytes.count, sampleBytes))
        let isAll = isWhole && sample.count == bytes.count
        return DialectSniffer(sample.indices.map { sample[$0] }, isWhole: isAll).found()
    }

    /// The best reading of all candidates, with its margin over the next best.
    private func found() -> SniffedDialect? {
        let ranked = distinct(readings()).sorted { $0.score > $1.score }
        guard let best = ranked.first, best.score > 0 else { return nil }
        let table = refined(best.table)
        var found = SniffedDialect(dialect: table.dialect)
        (found.rows, found.regular, found.width, found.typed) = (
            table.rows.count, table.regular, table.width, table.typed
        )
        let rival = ranked.dropFirst().first
        found.rival = rival?.dialect
        found.confidence = 1 - (rival?.score ?? 0) / best.score
        // Two rows that fit both dialects are too little evidence.
        if let rival, best.table.isRegular, rival.table.isRegular, best.table.rows.count < 3 { found.confidence = 0 }
        placeHeader(HeaderEvidence(table), table, &found)
        return found
    }

    /// Drops readings with the same cells as an earlier, plainer one.
    private func distinct(_ readings: [Reading]) -> [Reading] {
        var seen: [UInt64: Int] = [:]
        var kept: [Reading] = []
        for reading in readings where seen[reading.table.print.state] == nil {
            seen[reading.table.print.state] = kept.count
            kept.append(reading)
        }
        return kept
    }

    /// The candidate readings. If a plain delimiter splits all rows alike, only such readings compete.
    private func readings() -> [Reading] {
        let bases = (Self.plain + Self.unusual).filter { $0 == Self.plain[0] || occurs[Int($0)] }.map { read(base($0)) }
        let regular = bases.filter { $0.isRegular && Self.plain.contains($0.dialect.delimiter) }
        if !regular.isEmpty {
            let others = bases.filter {
                $0.isRegular && $0.dialect.delimiter != 0x3A && Self.unusual.contains($0.dialect.delimiter)
            }
            return (regular + others).map { Reading(table: $0, score: score($0)) }
        }
        let all = bases.flatMap { table in
            [Reading(table: table, score: score(table))] + (table.isRegular ? [] : variants(of: table))
        }
        // A reading that fits from the first row needs no preamble.
        let whole = all.filter { $0.table.isRegular && $0.dialect.delimiter != 0x3A }
        return whole.isEmpty ? all : whole
    }

    private func base(_ delimiter: UInt8) -> Dialect {
        var dialect = Dialect()
        dialect.delimiter = delimiter
        dialect.lineTerminator = occurs[0x0D] && !occurs[0x0A] ? 0x0D : nil
        return dialect
    }

    private func read(_ dialect: Dialect) -> SniffedTable {
        let others = (Self.plain + Self.unusual).filter { $0 != dialect.delimiter && occurs[Int($0)] }
        return SniffedTable(sample.span, isWhole: isWhole, dialect, others: Set(others))
    }

    /// Readings with further marks for a sample that does not fit as it stands. Marks that make all of it fit are
    /// justified.
    private func variants(of table: SniffedTable) -> [Reading] {
        let plain = quotings(of: table)
        guard hasComments else { return plain }
        var dialect = table.dialect
        dialect.comment = Self.comment
        let commented = read(dialect)
        guard commented.fit >= table.fit, commented.width > 1 else { return plain }
        return plain + [Reading(table: commented, score: earned(commented))]
            + (commented.isRegular ? [] : quotings(of: commented))
    }

    /// Variants with other quotes, escapes, and spaces before quotes.
    private func quotings(of table: SniffedTable) -> [Reading] {
        let strayQuotes = table.rows.count { $0.fault == .strayQuote }
        let mayLackQuotes = strayQuotes > 1 && !hasQuotedCell(table)
        var quotes: [UInt8?] = [0x22]
        if occurs[0x27] { quotes.append(0x27) }
        var found: [Reading] = []
        for escape in occurs[0x5C] ? [nil, 0x5C] : [nil] as [UInt8?] {
            for skips in occurs[0x20] && occurs[0x22] ? [false, true] : [false] {
                for quote in quotes + (mayLackQuotes && escape == nil ? [nil] : []) {
                    if escape == nil, !skips, quote == 0x22 { continue }
                    var dialect = table.dialect
                    dialect.escape = escape
                    dialect.doubleQuote = escape == nil
                    dialect.skipInitialSpace = skips
                    dialect.quote = quote
                    let other = read(dialect)
                    guard other.fit > table.fit || other.isRegular, other.width > 1 else { continue }
                    found.append(Reading(table: other, score: earned(other) * (quote == nil ? 0.9 : 1)))
                }
            }
        }
        return found
    }

    /// The score of a reading with further marks. It is lowered, little if everything fits, so that a plainer reading
    /// wins a tie.
    private func earned(_ table: SniffedTable) -> Double {
        score(table) * (table.isRegular || table.fit == 1 ? 0.99 : 0.8)
    }

    private var hasComments: Bool {
        sample.indices.contains { at in
            sample[at] == Self.comment && (at == 0 || sample[at - 1] == 0x0A || sample[at - 1] == 0x0D)
        }
    }

    /// Whether a cell begins with a quote. Then quote characters are quotes, and one that is never closed is an error,
    /// not text.
    private func hasQuotedCell(_ table: SniffedTable) -> Bool {
        sample.indices.contains { at in
            guard sample[at] == 0x22 else { return false }
            if at == 0 { return true }
            let before = sample[at - 1]
            return before == table.dialect.delimiter || before == 0x0A || before == 0x0D
        }
    }

    /// The score of a reading: the fourth power of its regularity, times plausibility and width. A preamble and unusual
    /// delimiters lower it.
    private func score(_ table: SniffedTable) -> Double {
        let fit = table.fit * table.fit
        // Any text is regular as a single column.
        let columns = table.width > 1 ? Double(table.width - 1) / Double(table.width) : 0.02
        var score = fit * fit * table.typed * columns
        if table.leading > 0 { score *= 0.95 }
        switch table.dialect.delimiter {
        case 0x3A: score *= colonsAreTimes ? 0 : 0.3
        case 0x5E, 0x7E, 0x1F: score *= 0.9
        default: break
        }
        return score
    }

    /// Whether most colons belong to times, addresses and sentences.
    private var colonsAreTimes: Bool {
        var (all, timed) = (0, 0)
        func isDigit(_ at: Int) -> Bool { sample.indices.contains(at) && (sample[at] &- 0x30) < 10 }
        for at in sample.indices where sample[at] == 0x3A {
            all += 1
            let isTime = isDigit(at - 1) && isDigit(at + 1) && isDigit(at + 2) && !isDigit(at + 3)
            let next = sample.indices.contains(at + 1) ? sample[at + 1] : 0x0A
            if isTime || next == 0x2F || next == 0x20 { timed += 1 }
        }
        return 2 * timed > all
    }

    /// Refines a reading without moving cells: apostrophes around a column's values, a null sequence, spaces after
    /// delimiters.
    private func refined(_ table: SniffedTable) -> SniffedTable {
        var table = table
        if table.dialect.quote == 0x22, occurs[0x27] {
            let (isWrapped, isSplit) = apostrophes(table)
            var dialect = table.dialect
            dialect.quote = 0x27
            let other = isWrapped || isSplit ? read(dialect) : table
            if other.width == table.width,
                other.regular == other.rows.count || isWrapped && other.regular >= table.regular
            {
                table = other
            }
        }
        if table.width > 1, !table.dialect.skipInitialSpace, isIndented(table) {
            var dialect = table.dialect
            dialect.skipInitialSpace = true
            let other = read(dialect)
            if other.regular >= table.regular, other.width == table.width { table = other }
        }
        if table.nulls > 0 {
            var dialect = table.dialect
            dialect.nullSequence = [0x5C, 0x4E]
            table = read(dialect)
        }
        return table
    }

    /// Whether apostrophes enclose all values of a column, and whether as many cells open with one as others close with
    /// one.
    private func apostrophes(_ table: SniffedTable) -> (isWrapped: Bool, isSplit: Bool) {
        let rows = table.body.dropFirst()
        func opens(_ cell: SniffedTable.Cell) -> Bool {
            !cell.isQuoted && cell.text.count > 1 && cell.text.first == 0x27
        }
        func closes(_ cell: SniffedTable.Cell) -> Bool {
            !cell.isQuoted && cell.text.count > 1 && cell.text.last == 0x27
        }
        let isWrapped = (0..<table.width).contains { column in
            let cells = rows.map { $0.cells[column] }.filter { $0.form != .empty }
            return cells.count > 1 && cells.allSatisfy { opens($0) && closes($0) }
        }
        let cells = rows.flatMap(\.cells)
        let opened = cells.count { opens($0) && !closes($0) }
        return (isWrapped, opened > 1 && opened == cells.count { closes($0) && !opens($0) })
    }

    /// Whether every value after a delimiter begins with a space.
    private func isIndented(_ table: SniffedTable) -> Bool {
        let cells = table.body.dropFirst().flatMap { $0.cells.dropFirst() }.filter { !$0.text.isEmpty }
        return cells.count > 1 && cells.allSatisfy { !$0.isQuoted && $0.text.first == 0x20 }
    }

    /// Whether all rows have one cell more than the first, and why.
    private func shortHeader(_ first: SniffedTable.Row, _ table: SniffedTable) -> SniffedDialect.ShortHeader? {
        let rows = table.rows[table.leading...].dropFirst()
        guard first.cells.count + 1 == table.width, !rows.isEmpty,
            rows.allSatisfy({ $0.fault == nil && $0.cells.count == table.width })
        else { return nil }
        return rows.allSatisfy { $0.cells.last?.form == .empty } ? .rowsEndWithDelimiter : .columnHasNoLabel
    }

    private func placeHeader(_ evidence: HeaderEvidence, _ table: SniffedTable, _ found: inout SniffedDialect) {
        found.headerReason = evidence.reason
        if let first = table.rows[table.leading...].first, first.cells.count != table.width {
            found.headerReason = "the first row has another number of cells than most, so it is taken for one"
            found.shortHeader = shortHeader(first, table)
            return
        }
        let last = table.leading + (evidence.header.max() ?? evidence.above.count - 1) + 1
        // Rows among them that do not fit would shift the others.
        let isWhole = table.rows[table.leading..<min(last, table.rows.count)].allSatisfy {
            $0.fault == nil && $0.cells.count == table.width
        }
        guard isWhole else { return }
        found.dialect.headerRows = evidence.header.map { table.leading + $0 + 1 }
        let above = table.leading + (evidence.header.min() ?? evidence.above.count)
        if above > 0 { found.dialect.commentRows = Array(1...above) }
    }
}
