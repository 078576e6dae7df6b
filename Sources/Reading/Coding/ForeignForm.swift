import Tabular

/// A file format that is not read: its name, and the remedy.
struct ForeignForm {
    let reason: String

    private init(_ what: String, _ cure: String) {
        reason = "the file is \(what), not CSV or JSON Lines: \(cure)"
    }

    /// The format by its first bytes; nil when they may be the text of a table.
    init?(_ bytes: Span<UInt8>) {
        func begins(_ text: String, at start: Int = 0) -> Bool {
            let wanted = Array(text.utf8)
            return bytes.count >= start + wanted.count
                && wanted.indices.allSatisfy { bytes[start + $0] == wanted[$0] }
        }
        func begins(_ wanted: [UInt8]) -> Bool {
            bytes.count >= wanted.count && wanted.indices.allSatisfy { bytes[$0] == wanted[$0] }
        }
        if begins([0x1F, 0x8B]) || begins([0x28, 0xB5, 0x2F, 0xFD]) {
            self.init("compressed twice", "decompress it once before it is sent")
        } else if begins([0x50, 0x4B, 3, 4]) {
            self.init(
                "a zip archive or a spreadsheet (.xlsx, .ods)", "unpack it, or export the sheet as CSV")
        } else if begins([0xD0, 0xCF, 0x11, 0xE0]) {
            self.init("an old spreadsheet (.xls)", "export the sheet as CSV")
        } else if begins("PAR1") {
            self.init("a Parquet file", "write it as CSV or JSON Lines first")
        } else if begins("ARROW1") {
            self.init("an Arrow file", "write it as CSV or JSON Lines first")
        } else if begins("BZh"), bytes.count > 9, begins("1AY&SY", at: 4) {
            self.init(
                "compressed with bzip2", "decompress it first (bunzip2), or send it in gzip or zstd")
        } else if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) {
            self.init("compressed with xz", "decompress it first (unxz), or send it in gzip or zstd")
        } else if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) {
            self.init("a 7z archive", "unpack it first")
        } else if begins("SQLite format 3\0") {
            self.init("a SQLite database", "export the table as CSV")
        } else if begins("%PDF-") {
            self.init("a PDF document", "have the table sent as CSV")
        } else if begins("version https://git-lfs.github.com/spec/") {
            self.init(
                "a Git LFS pointer, which stands for the file", "fetch the file itself: git lfs pull")
        } else {
            self.init(markup: bytes)
        }
    }

    /// HTML and XML, after white space.
    private init?(markup bytes: Span<UInt8>) {
        var at = bytes.count > 2 && bytes[0] == 0xEF ? 3 : 0
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
        guard at < bytes.count, bytes[at] == 0x3C else { return nil }
        let start = String(decoding: (at..<min(at + 64, bytes.count)).map { bytes[$0] }, as: UTF8.self)
            .lowercased()
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") || start.hasPrefix("<head") {
            self.init(
                "an HTML page",
                "it may be a sign-in or error page; open the link in a browser, and send the file that it leads to"
            )
        } else if start.hasPrefix("<?xml") {
            self.init(
                "an XML document", "it may be the error message of a store of files; send the table as CSV")
        } else {
            return nil
        }
    }
}

/// Why text cannot be read as rows; nil when it can.
func unreadableText(_ bytes: Span<UInt8>, from start: Int, _ plan: ReadingPlan) -> String? {
    if plan.format == .csv {
        guard plan.dialect.lineTerminator == nil else { return nil }
        var returns = 0
        for at in start..<min(bytes.count, start + 1 << 16) {
            if bytes[at] == 0x0A { return nil }
            if bytes[at] == 0x0D { returns += 1 }
        }
        guard returns > 1 else { return nil }
        return
            "its lines end with a carriage return alone: give --dialect auto, or write lineTerminator: \"\\r\" in sluice.dialect"
    }
    return prettyJSON(bytes, from: start)
}

/// Reports one JSON document over several lines where each line should be a record.
private func prettyJSON(_ bytes: Span<UInt8>, from start: Int) -> String? {
    var at = start
    while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    guard at < bytes.count, bytes[at] == 0x7B else { return nil }
    let first = at
    var (depth, lines) = (0, 1)
    var (isText, isEscaped) = (false, false)
    while at < bytes.count {
        let byte = bytes[at]
        if isText {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                isText = false
            }
            if byte == 0x0A { return nil }
        } else if byte == 0x22 {
            isText = true
        } else if byte == 0x7B || byte == 0x5B {
            depth += 1
        } else if byte == 0x7D || byte == 0x5D {
            depth -= 1
            if depth == 0 { break }
        } else if byte == 0x0A {
            lines += 1
        }
        at += 1
    }
    guard lines > 1, depth >= 0 else { return nil }
    let shown = (first..<min(at + 1, bytes.count)).map { bytes[$0] }
    // A document longer than the sample is judged by its beginning.
    if depth > 0 {
        guard bytes.count - first > 1 << 16, lines > 8 else { return nil }
    } else if (try? JSONValue.parse(shown)) == nil {
        return nil
    }
    return
        "its first JSON object goes over \(lines) lines, and one record a line is wanted: write it so (jq -c .), or, if the records are in "
        + "a list inside it, name that list with property: NAME in sluice.dialect"
}

/// The East Asian encoding that bytes seem to be in when they are not UTF-8; nil for none.
///
/// All of them use two bytes for a character: either runs of high bytes have even lengths (EUC, GBK), or lead bytes
/// occur that European texts lack.
package func eastAsianEncoding(_ bytes: Span<UInt8>) -> String? {
    if bytes.count < 8 || firstInvalidUTF8(bytes, 0..<bytes.count - 3) == nil { return nil }
    var (pairs, odd, at) = (0, 0, 0)
    var (shiftJIS, shiftFaults, kana, big5, bigFaults, low) = (0, 0, 0, 0, 0, 0)
    let end = bytes.count - 1
    while at < end {
        guard bytes[at] >= 0x80 else {
            at += 1
            continue
        }
        var run = at
        while run < bytes.count, bytes[run] >= 0x80 { run += 1 }
        if run < bytes.count { (run - at) % 2 == 0 ? (pairs += (run - at) / 2) : (odd += 1) }
        var place = at
        while place < run, place < end {
            let (lead, trail) = (bytes[place], bytes[place + 1])
            let isLead = (0x81...0x9F).contains(lead) || (0xE0...0xEA).contains(lead)
            if isLead, (0x40...0xFC).contains(trail), trail != 0x7F {
                shiftJIS += 1
                if lead == 0x82 || lead == 0x83 { kana += 1 }
                place += 2
            } else if (0xA1...0xDF).contains(lead) {
                place += 1
            } else {
                shiftFaults += 1
                place += 1
            }
        }
        place = at
        while place < run, place < end {
            let (lead, trail) = (bytes[place], bytes[place + 1])
            if (0xA1...0xF9).contains(lead),
                (0x40...0x7E).contains(trail) || (0xA1...0xFE).contains(trail)
            {
                big5 += 1
                if trail < 0x80 { low += 1 }
                place += 2
            } else {
                bigFaults += 1
                place += 1
            }
        }
        at = max(run, place)
    }
    if shiftJIS >= 4, shiftFaults == 0, 3 * kana >= shiftJIS { return "Shift-JIS" }
    if pairs >= 4, odd == 0 { return "an East Asian encoding (EUC-JP, EUC-KR, GBK or Big5)" }
    if big5 >= 4, bigFaults == 0, 5 * low >= big5, 2 * pairs >= odd { return "Big5" }
    return nil
}

/// Whether all lines have the same number of words, numbers among them: columns separated by spaces.
package func hasColumnsOfSpaces(_ bytes: Span<UInt8>) -> Bool {
    let end = bytes.indices.prefix(1 << 16).last { bytes[$0] == 0x0A } ?? min(bytes.count, 1 << 16)
    let lines = bytes.indices.prefix(end).map { bytes[$0] }.split { $0 == 0x0A || $0 == 0x0D }
    guard lines.count > 2 else { return false }
    let rows = lines.map { $0.split(separator: 0x20) }
    guard rows[0].count > 1, rows.allSatisfy({ $0.count == rows[0].count }) else { return false }
    return rows[0].indices.contains { column in
        rows.dropFirst().allSatisfy { CellForm(Array($0[column])).isTelling }
    }
}
