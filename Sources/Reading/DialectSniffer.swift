package import Tabular

/// What a sample of a file tells about how it is written.
package struct SniffedDialect: Sendable {
    /// The dialect that explains the sample best.
    package var dialect: Dialect
    /// Complete rows of the sample, those with the usual number of cells, and that number.
    package var rows = 0, regular = 0, width = 0
    /// Share of cells that look like one value: a number, a date, a word.
    package var typed = 0.0
    /// How much better it is than the next best dialect that reads the sample otherwise: 0 no better, 1 no other one.
    package var confidence = 0.0
    /// That next best one.
    package var rival: Dialect?
    /// Why it has a header or not, in words without a value.
    package var headerReason = ""

    /// Below this two dialects explain a sample equally well, and nobody should choose for its owner.
    package static var leastConfidence: Double { 0.02 }
    /// Whether it may be used without being asked.
    package var isSure: Bool { confidence >= Self.leastConfidence }
}

/// Finds the dialect of a sample: every combination of marks reads it, and the one with the most regular rows of the most
/// plausible cells wins.
///
/// The score is that of van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type patterns"
/// (2019): Q = P · T, with P = 1/K Σ Nₖ (Lₖ − 1)/Lₖ over the K kinds of rows of Nₖ rows and Lₖ cells, and T the share of cells
/// of a known type; here with small weights for what a quote mostly is.
package struct DialectSniffer {
    private static let delimiters: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C, 0x3A, 0x5E, 0x7E, 0x1F]
    private static let comment: UInt8 = 0x23
    /// A sample of text is read so often that it should fit a core's cache.
    private static let sampleBytes = 1 << 17

    private struct Reading {
        var dialect: Dialect
        var score = 0.0
        var rows = 0, regular = 0, width = 0
        var typed = 0.0
        /// Names what the cells are, so that equal readings are known.
        var print: UInt64 = 0
        var first: [[UInt8]] = []
        var second: [[UInt8]] = []
    }

    /// Looks at the beginning of a file, in UTF-8 and without a mark; nil when no dialect makes columns of it.
    package static func sniff(_ bytes: Span<UInt8>, isWhole: Bool) -> SniffedDialect? {
        let sample = bytes.extracting(0..<min(bytes.count, sampleBytes))
        let isWhole = isWhole && sample.count == bytes.count
        var readings: [Reading] = []
        var seen: [UInt64: Int] = [:]
        for dialect in candidates(sample) {
            guard let reading = read(sample, isWhole, dialect) else { continue }
            // Of dialects that read the same, the first is the plainest.
            if seen.updateValue(readings.count, forKey: reading.print) != nil { continue }
            readings.append(reading)
        }
        let ranked = readings.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
        guard let best = ranked.first?.element, best.score > 0 else { return nil }
        var found = SniffedDialect(dialect: best.dialect)
        (found.rows, found.regular, found.width, found.typed) = (best.rows, best.regular, best.width, best.typed)
        let rival = ranked.dropFirst().first?.element
        found.rival = rival.flatMap { $0.score > 0 ? $0.dialect : nil }
        found.confidence = 1 - (rival?.score ?? 0) / best.score
        judgeHeader(best, &found)
        return found
    }

    /// Plainest first.
    private static func candidates(_ sample: Span<UInt8>) -> [Dialect] {
        var occurs = [Bool](repeating: false, count: 256)
        for at in sample.indices { occurs[Int(sample[at])] = true }
        var found: [Dialect] = []
        let isOldMac = occurs[0x0D] && !occurs[0x0A]
        let hasComments = sample.count > 0 && (sample[0] == comment || hasLine(sample, beginningWith: comment))
        for comments in hasComments ? [nil, comment] : [nil] {
            for delimiter in delimiters where occurs[Int(delimiter)] || delimiter == delimiters[0] {
                for quote in [0x22, 0x27, nil] as [UInt8?]
                where quote.map({ occurs[Int($0)] || $0 == 0x22 }) ?? occurs[0x22] {
                    for escape in [nil, 0x5C] as [UInt8?] where escape.map({ occurs[Int($0)] }) ?? true {
                        var dialect = Dialect()
                        dialect.delimiter = delimiter
                        dialect.quote = quote
                        dialect.escape = escape
                        dialect.doubleQuote = escape == nil
                        dialect.comment = comments
                        dialect.lineTerminator = isOldMac ? 0x0D : nil
                        found.append(dialect)
                        dialect.skipInitialSpace = true
                        if occurs[0x20] { found.append(dialect) }
                    }
                }
            }
        }
        return found
    }

    private static func hasLine(_ sample: Span<UInt8>, beginningWith byte: UInt8) -> Bool {
        for at in sample.indices.dropFirst()
        where sample[at] == byte && (sample[at - 1] == 0x0A || sample[at - 1] == 0x0D) {
            return true
        }
        return false
    }

    private static func read(_ sample: Span<UInt8>, _ isWhole: Bool, _ dialect: Dialect) -> Reading? {
        // A quote that was never closed must not swallow the sample.
        let limits = ScanLimits(maxRowBytes: 1 << 15, blockRows: .max, blockBytes: sample.count + 1)
        var block = RecordBlock(base: 0, width: 0)
        _ = DialectScanner(dialect, limits: limits).scan(sample, from: 0, isFinal: isWhole, into: &block)
        var reading = Reading(dialect: dialect)
        var widths: [Int: Int] = [:]
        var next = 0
        var known = 0
        var beginsQuoted = false
        var cells = 0
        var print = SplitMix(0x51CE)
        var isBad = [Bool](repeating: false, count: block.count)
        for problem in block.problems { isBad[problem.row] = true }
        var isDecoded = [Bool](repeating: false, count: block.cells.count)
        for index in block.decodedCells { isDecoded[index] = true }
        for (row, record) in block.records.enumerated() {
            if isBad[row] {
                print.add(UInt64(record.end) << 1 | 1)
                continue
            }
            let first = next
            while next < block.cells.count, block.cells[next].rawEnd <= Int(record.end) {
                let cell = block.cells[next]
                print.add(UInt64(cell.start) << 32 | UInt64(cell.end))
                let text = (Int(cell.start)..<Int(cell.end)).map { isDecoded[next] ? block.decoded[$0] : sample[$0] }
                if text.first == 0x22 { beginsQuoted = true }
                if isKnown(text, wasQuoted: cell.isQuoted) { known += 1 }
                cells += 1
                if row < 2 { row == 0 ? reading.first.append(text) : reading.second.append(text) }
                next += 1
            }
            widths[next - first, default: 0] += 1
        }
        guard cells > 0 else { return nil }
        reading.rows = block.count
        (reading.width, reading.regular) = widths.max { ($0.value, -$0.key) < ($1.value, -$1.key) } ?? (0, 0)
        reading.typed = Double(known) / Double(cells)
        let patterns = widths.reduce(0.0) { sum, kind in
            // A row of one cell says little; but something, or one column were no CSV. One that cannot be read says nothing.
            let share = kind.key > 1 ? Double(kind.key - 1) / Double(kind.key) : 1e-3
            return sum + Double(kind.value) * share
        }
        reading.score = patterns / Double(max(1, widths.count)) * max(reading.typed, 1e-9)
        // Rows that cannot be read speak against a dialect, but a few are in any file.
        let good = 1 - Double(block.problems.count) / Double(block.count)
        reading.score *= good * good * good * good
        // Marks that look like quotes mostly are, also where one was not closed; and an apostrophe mostly is none.
        switch dialect.quote {
        case nil: reading.score *= beginsQuoted ? 0.24 : 0.8
        case 0x27: reading.score *= 0.95
        default: break
        }
        reading.print = print.state
        return reading
    }

    /// Folds numbers into one.
    private struct SplitMix {
        var state: UInt64

        init(_ seed: UInt64) { state = seed }

        mutating func add(_ value: UInt64) {
            state = (state ^ value) &* 0x9E37_79B9_7F4A_7C15
            state ^= state >> 29
        }
    }

    /// Whether a text looks like one value. What holds another dialect's marks does not, unless it was quoted.
    private static func isKnown(_ text: [UInt8], wasQuoted: Bool) -> Bool {
        if wasQuoted { return true }
        guard let first = text.first, let last = text.last else { return true }
        if first == 0x20 || last == 0x20 { return false }
        for byte in text {
            switch byte {
            case 0x2C, 0x3B, 0x09, 0x7C, 0x5E, 0x7E, 0x22, 0x5C, 0..<0x20: return false
            case 0x27 where text.first == 0x27: return false
            default: continue
            }
        }
        // A colon is part of times and addresses; between words it may be a mark.
        guard let colon = text.firstIndex(of: 0x3A) else { return true }
        let isTime = colon > 0 && (0x30...0x39).contains(text[colon - 1])
        return isTime || text[colon...].starts(with: Array("://".utf8))
    }

    private static func judgeHeader(_ best: Reading, _ found: inout SniffedDialect) {
        func isNumber(_ text: [UInt8]) -> Bool {
            text.contains { (0x30...0x39).contains($0) }
                && text.allSatisfy {
                    (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x2C, 0x45, 0x65, 0x3A, 0x2F, 0x20].contains($0)
                }
        }
        let names = best.first
        if names.contains(where: \.isEmpty) || Set(names).count != names.count {
            found.headerReason = "the first row has empty or equal cells"
        } else if names.contains(where: isNumber) {
            found.headerReason = "the first row has a number or a date"
        } else if zip(names, best.second).contains(where: { isNumber($1) }) {
            found.headerReason = "the first row has words where the second has numbers"
            return
        } else {
            found.headerReason = "the first row has distinct words, so it is taken for one"
            return
        }
        found.dialect.headerRows = []
    }
}
