import Foundation

/// A cell in the common form of all readers; offsets are into the source.
struct SeenCell: Equatable {
    var value: [UInt8]
    var isQuoted: Bool
    var rawStart: Int
    var rawEnd: Int
}

/// A row in the common form of all readers; a bad row has no cells.
struct SeenRow: Equatable, CustomStringConvertible {
    var start: Int
    var end: Int
    var cells: [SeenCell]?

    var description: String {
        guard let cells else { return "[\(start)..<\(end) bad]" }
        return "[\(start)..<\(end) \(cells.map { String(decoding: $0.value, as: UTF8.self) })]"
    }
}

/// The grammar of `StructuralScanner` as a simple reader, byte by byte, for comparison with both engines.
///
/// A record is decided on its first `maxRowBytes + 2` bytes. If it has not ended there, it is too long and ends at the
/// next line feed; or, inside quotes, its quote is unclosed and it ends at its first line feed.
struct ReferenceCSV {
    let bytes: [UInt8]
    let width: Int
    var delimiter: UInt8 = 0x2C
    var quote: UInt8 = 0x22
    var maxRowBytes = 1 << 20

    private enum Ending {
        case complete(end: Int, next: Int, [SeenCell])
        case bad(searchFrom: Int)
    }

    func rows() -> [SeenRow] {
        var rows: [SeenRow] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x0A {
                at += 1
                continue
            }
            if bytes[at] == 0x0D, at + 1 < bytes.count, bytes[at + 1] == 0x0A {
                at += 2
                continue
            }
            switch record(at) {
            case .complete(let end, let next, let cells):
                rows.append(SeenRow(start: at, end: end, cells: isGood(at, end, cells) ? cells : nil))
                at = next
            case .bad(let from):
                var feed = from
                while feed < bytes.count, bytes[feed] != 0x0A { feed += 1 }
                var end = feed
                if feed < bytes.count, feed > at, bytes[feed - 1] == 0x0D { end -= 1 }
                rows.append(SeenRow(start: at, end: end, cells: nil))
                at = min(feed + 1, bytes.count)
            }
        }
        return rows
    }

    private func isGood(_ start: Int, _ end: Int, _ cells: [SeenCell]) -> Bool {
        if cells.count != width || end - start > maxRowBytes { return false }
        for byte in bytes[start..<end] where byte < 0x20 && byte != 9 && byte != 10 && byte != 13 && byte != delimiter {
            return false
        }
        return String(validating: bytes[start..<end], as: UTF8.self) != nil
    }

    private func isMark(_ byte: UInt8) -> Bool { byte == delimiter || byte == 0x0A || byte == 0x0D }

    private func record(_ start: Int) -> Ending {
        let limit = min(start + maxRowBytes + 2, bytes.count)
        let isEnd = limit == bytes.count
        var cells: [SeenCell] = []
        var at = start
        while true {
            let raw = at
            var value: [UInt8] = []
            let isQuoted = at < limit && bytes[at] == quote
            if isQuoted {
                at += 1
                while true {
                    if at == limit { return .bad(searchFrom: raw) }
                    if bytes[at] == quote {
                        if at + 1 < limit, bytes[at + 1] == quote { at += 1 } else { break }
                    }
                    value.append(bytes[at])
                    at += 1
                }
                at += 1
                // It ends with its own line if the field spans lines: the quote was never closed.
                if at < limit, !isMark(bytes[at]) { return .bad(searchFrom: raw) }
            } else {
                while at < limit, !isMark(bytes[at]) {
                    if bytes[at] == quote { return .bad(searchFrom: at) }
                    value.append(bytes[at])
                    at += 1
                }
            }
            cells.append(SeenCell(value: value, isQuoted: isQuoted, rawStart: raw, rawEnd: at))
            if at == limit { return isEnd ? .complete(end: at, next: at, cells) : .bad(searchFrom: limit) }
            if bytes[at] == 0x0A { return .complete(end: at, next: at + 1, cells) }
            if bytes[at] == 0x0D {
                if at + 1 < limit, bytes[at + 1] == 0x0A { return .complete(end: at, next: at + 2, cells) }
                // A carriage return at the very end of the file is half a line end.
                return .bad(searchFrom: at + 1 < limit || isEnd ? at : limit)
            }
            at += 1
        }
    }
}

/// SplitMix64, so that every run draws the same cases.
struct Seeded {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}
