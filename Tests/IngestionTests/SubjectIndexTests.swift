import Tabular
import Testing

@testable import Ingestion

/// The stored form of an index of subjects, and how rows are cut out of a text.
@Suite struct `indexes of subjects` {
    @Test func `an index is read as it was written, in pieces of any size, and damage is noticed`() throws {
        let form = ShardForm(format: .csv, delimiter: 0x3B, headerCount: 12, path: ["who", "id"])
        var parts: [SubjectRows] = []
        for part in 0..<5 {
            var rows = SubjectRows()
            for row in 0..<(part * 40) {
                if row % 7 == 0 {
                    rows.append(unreadable: part * 1000 + row)
                } else {
                    rows.append(SubjectTag(word: UInt64(row % 5) &* 0x9E37_79B9_7F4A_7C15), row: part * 1000 + row)
                }
            }
            parts.append(rows)
        }
        let bytes = SubjectIndexReader.beginning(form) + parts.flatMap { $0.encoded() }
        for size in [1, 3, 64, 1 << 20] {
            var (reader, found): (SubjectIndexReader, [SubjectRows]) = (SubjectIndexReader(calling: "x"), [])
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(bytes.count, start + size)])
                try reader.read(piece.span) { found.append($0) }
            }
            try reader.finish()
            #expect(reader.form == form && found.count == 5)
            for (made, read) in zip(parts, found) {
                #expect(made.unreadable == read.unreadable)
                #expect(
                    made.entries.sorted { ($0.tag, $0.row) < ($1.tag, $1.row) }.map(\.row) == read.entries.map(\.row))
                let tag = SubjectTag(word: 0x9E37_79B9_7F4A_7C15)
                #expect(made.rows(of: [tag]) == read.rows(of: [tag]))
            }
        }
        // Truncated at the end, in the head, or another file.
        for bad in [Array(bytes.dropLast()), Array(bytes.prefix(30)), Array("sluice-rows-v1\nabc\n".utf8), []] {
            var reader = SubjectIndexReader(calling: "x")
            #expect(throws: IngestionError.self) {
                try reader.read(bad.span) { _ in }
                try reader.finish()
            }
        }
        // No single changed byte is a trap.
        for place in bytes.indices {
            var bad = bytes
            bad[place] ^= 0x55
            var reader = SubjectIndexReader(calling: "x")
            _ = try? reader.read(bad.span) { _ in }
        }
    }

    @Test func `rows are cut out of lines and of lists, wherever they stand`() {
        let text = "[0,1,2,3,4,5]"
        for mask in 0..<64 {
            var (items, lines) = (RowCut(), RowCut())
            for row in 0..<6 {
                let isRemoved = mask >> row & 1 == 1
                items.add(1 + 2 * row..<2 + 2 * row, isRemoved: isRemoved)
                lines.add(2 * row..<2 * row + 1, isRemoved: isRemoved)
            }
            let kept = (0..<6).filter { mask >> $0 & 1 == 0 }
            let list = Array(text.utf8).without(items.items(size: 13))
            #expect(
                String(decoding: list, as: UTF8.self)
                    == (kept.isEmpty ? "" : "[" + kept.map { "\($0)" }.joined(separator: ",") + "]"))
            let plain = Array("0\n1\n2\n3\n4\n5".utf8).without(lines.lines(size: 11))
            let ended = kept.map { $0 < 5 ? "\($0)\n" : "5" }.joined()
            #expect(String(decoding: plain, as: UTF8.self) == ended)
        }
    }
}
