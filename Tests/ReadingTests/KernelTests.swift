import CKernels
import Testing

/// Each kernel compared with its scalar version, bit for bit.
struct KernelTests {
    struct Index: Equatable {
        var positions: [UInt32]
        var high: [UInt64]
        var control: [UInt64]
        var escape: [UInt64] = []
        var seen: UInt32
    }

    static func csv(_ bytes: [UInt8], from: Int, delimiter: UInt8, scalar: Bool) -> Index {
        let size = bytes.count - from
        let words = (size + 63) / 64
        var positions = [UInt32](repeating: 0, count: size + 64)
        var high = [UInt64](repeating: 7, count: words)
        var control = high
        var seen: UInt32 = 0
        let count = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            let kernel = unsafe scalar ? sluice_csv_index_scalar : sluice_csv_index
            return unsafe kernel(start + from, size, delimiter, 0x22, &positions, &high, &control, &seen)
        }
        return Index(positions: Array(positions.prefix(count)), high: high, control: control, seen: seen)
    }

    static func json(_ bytes: [UInt8], from: Int, scalar: Bool) -> Index {
        let size = bytes.count - from
        let words = (size + 63) / 64
        var positions = [UInt32](repeating: 0, count: size + 64)
        var high = [UInt64](repeating: 7, count: words)
        var (control, escape) = (high, high)
        var seen: UInt32 = 0
        let count = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            let kernel = unsafe scalar ? sluice_json_index_scalar : sluice_json_index
            return unsafe kernel(start + from, size, &positions, &high, &control, &escape, &seen)
        }
        return Index(
            positions: Array(positions.prefix(count)), high: high, control: control, escape: escape, seen: seen)
    }

    /// The CSV index by its definition.
    static func plainCSV(_ bytes: ArraySlice<UInt8>, delimiter: UInt8) -> [UInt32] {
        var inside = false
        return bytes.enumerated().compactMap { offset, byte in
            if byte == 0x22 { inside.toggle() }
            let isMark = !inside && (byte == delimiter || byte == 0x0A || byte == 0x0D)
            return byte == 0x22 || isMark ? UInt32(offset) : nil
        }
    }

    /// The JSON index by its definition.
    static func plainJSON(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
        var escaped = false
        return bytes.enumerated().compactMap { offset, byte in
            let isQuote = byte == 0x22 && !escaped
            escaped = byte == 0x5C && !escaped
            return isQuote || byte == 0x0A ? UInt32(offset) : nil
        }
    }

    @Test func `structural twins agree at every length and start`() {
        var random = Seeded(state: 0x5EED_0005)
        let letters: [UInt8] = Array("\"\\{}[]:,;\n\r\t a".utf8) + [0, 0x1F, 0x7F, 0x80, 0xFF, 0x22, 0x5C, 0x5C]
        for length in 0...300 {
            for round in 0..<6 {
                let from = random.below(40)
                let bytes = (0..<from + length).map { _ in
                    round == 0
                        ? UInt8(random.below(256)) : round == 1 && random.below(3) > 0 ? 0x5C : random.pick(letters)
                }
                if bytes.isEmpty { continue }
                let delimiter = random.pick([0x2C, 0x3B, 0x09, 0x20, 0x01] as [UInt8])
                let csv = Self.csv(bytes, from: from, delimiter: delimiter, scalar: false)
                #expect(csv == Self.csv(bytes, from: from, delimiter: delimiter, scalar: true))
                #expect(csv.positions == Self.plainCSV(bytes[from...], delimiter: delimiter))
                let json = Self.json(bytes, from: from, scalar: false)
                #expect(json == Self.json(bytes, from: from, scalar: true))
                #expect(json.positions == Self.plainJSON(bytes[from...]))
            }
        }
    }

    static func lines(_ bytes: [UInt8], from: Int, scalar: Bool) -> [Int] {
        var end = 0
        let rows = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            let kernel = unsafe scalar ? sluice_line_rows_scalar : sluice_line_rows
            return unsafe kernel(start + from, bytes.count - from, &end)
        }
        return [rows, end]
    }

    @Test func `line counting twins agree with each other and with a plain count`() {
        var random = Seeded(state: 0x5EED_0007)
        let pieces = ["{}\n", "{\"a\":1}\r\n", "x", "yy y\n", "\n", " z\n", "\t", "\r\n", "\0a\n"].map {
            Array($0.utf8)
        }
        var (clean, doubtful) = (0, 0)
        for round in 0..<10_000 {
            let from = random.below(40)
            let text = (0..<random.below(80)).flatMap { _ in
                round % 2 == 0 ? pieces[random.below(4)] : random.pick(pieces)
            }
            let bytes = [UInt8](repeating: 0x61, count: from) + text
            if bytes.isEmpty { continue }
            let counted = Self.lines(bytes, from: from, scalar: false)
            #expect(counted == Self.lines(bytes, from: from, scalar: true))
            let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
            if lines.contains(where: { $0.first.map { $0 <= 0x20 } ?? false })
                || lines.dropLast().contains(where: \.isEmpty)
            {
                doubtful += 1
                #expect(counted == [0, 0], "\(shown(text))")
            } else {
                clean += 1
                #expect(counted == [lines.count - 1, text.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0], "\(shown(text))")
            }
        }
        #expect(clean > 1_000 && doubtful > 1_000)
    }

    static func rows(_ bytes: [UInt8], from: Int, delimiter: UInt8, scalar: Bool) -> [Int] {
        var end = 0
        let rows = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            let kernel = unsafe scalar ? sluice_csv_rows_scalar : sluice_csv_rows
            return unsafe kernel(start + from, bytes.count - from, delimiter, 0x22, &end)
        }
        return [rows, end]
    }

    @Test func `row counting twins agree with each other and with the grammar`() {
        var random = Seeded(state: 0x5EED_0006)
        let good = ["a", ",", "\n", "\r\n", "\"\"", ",\"x\"\"y\",", "\n\"\n,\r\"\n", "bb,cc\n", "\n\n"].map {
            Array($0.utf8)
        }
        let any = good + ["\"", "\r", "a\"", "\"a"].map { Array($0.utf8) }
        var (clean, broken) = (0, 0)
        for round in 0..<20_000 {
            let from = random.below(40)
            let letters = round % 2 == 0 ? good : any
            let text = (0..<random.below(60)).flatMap { _ in random.pick(letters) }
            let bytes = [UInt8](repeating: 0x22, count: from) + text
            if bytes.isEmpty { continue }
            let counted = Self.rows(bytes, from: from, delimiter: 0x2C, scalar: false)
            #expect(counted == Self.rows(bytes, from: from, delimiter: 0x2C, scalar: true))
            if counted[1] == 0 {
                broken += 1
                continue
            }
            // Everything up to the end must be valid for the reference, in which all rows have the same width.
            clean += 1
            let head = Array(text.prefix(counted[1]))
            let widths = (1...130).lazy.map { width in
                ReferenceCSV(bytes: head, width: width).rows().count { $0.cells != nil }
            }
            var sound = 0
            for width in widths where sound < counted[0] { sound += width }
            #expect(sound == counted[0], "\(shown(text))")
            #expect(ReferenceCSV(bytes: head, width: 1).rows().count == counted[0], "\(shown(text))")
        }
        #expect(clean > 3_000 && broken > 3_000)
    }

    struct Grower {
        var random: Seeded
        var narrow: [SluiceNode] = []
        var wide: [SluiceWideNode] = []

        mutating func word() -> Int16 {
            // Extreme values as often as others.
            random.pick([Int16.min, .max, 0, 1, -1, Int16(truncatingIfNeeded: Int(random.next() & 0xFFFF))])
        }

        mutating func growNarrow(_ depth: Int, _ features: Int, root: Int) {
            let at = narrow.count
            let value = Int16(random.below(512))
            narrow.append(SluiceNode(feature: -1, threshold: 0, value: value, right: 0))
            guard depth > 0, random.below(5) > 0 else { return }
            narrow[at].feature = Int16(random.below(features))
            narrow[at].threshold = word()
            growNarrow(depth - 1, features, root: root)
            narrow[at].right = UInt16(narrow.count - root)
            growNarrow(depth - 1, features, root: root)
        }

        mutating func growWide(_ depth: Int, _ features: Int, root: Int) {
            let at = wide.count
            wide.append(
                SluiceWideNode(
                    w: (word(), word(), word()), f: (feature(features), feature(features), feature(features)), leaf: 1,
                    threshold: word(), value: Int16(random.below(512)), right: 0))
            guard depth > 0, random.below(5) > 0 else { return }
            wide[at].leaf = 0
            growWide(depth - 1, features, root: root)
            wide[at].right = UInt16(wide.count - root)
            growWide(depth - 1, features, root: root)
        }

        mutating func feature(_ features: Int) -> UInt8 { UInt8(random.below(features)) }
    }

    @Test func `forest twins agree on random trees`() {
        for seed in 0..<60 {
            var grower = Grower(random: Seeded(state: UInt64(seed)))
            let features = 1 + grower.random.below(12)
            let blocks = 1 + grower.random.below(35)
            let trees = 1 + grower.random.below(100)
            let columns = (0..<blocks * features * 64).map { _ in grower.word() }
            var (narrowRoots, wideRoots): ([UInt32], [UInt32]) = ([], [])
            for _ in 0..<trees {
                narrowRoots.append(UInt32(grower.narrow.count))
                grower.growNarrow(8, features, root: grower.narrow.count)
                wideRoots.append(UInt32(grower.wide.count))
                grower.growWide(8, features, root: grower.wide.count)
            }
            narrowRoots.append(UInt32(grower.narrow.count))
            wideRoots.append(UInt32(grower.wide.count))
            var fast = [UInt16](repeating: 1, count: blocks * 64)
            var slow = [UInt16](repeating: 2, count: blocks * 64)
            unsafe sluice_forest(columns, blocks, Int32(features), grower.narrow, narrowRoots, Int32(trees), &fast)
            unsafe sluice_forest_scalar(
                columns, blocks, Int32(features), grower.narrow, narrowRoots, Int32(trees), &slow)
            #expect(zip(fast, slow).allSatisfy { $0 == $1 }, "narrow \(seed)")
            unsafe sluice_forest_wide(columns, blocks, Int32(features), grower.wide, wideRoots, Int32(trees), &fast)
            unsafe sluice_forest_wide_scalar(
                columns, blocks, Int32(features), grower.wide, wideRoots, Int32(trees), &slow)
            #expect(zip(fast, slow).allSatisfy { $0 == $1 }, "wide \(seed)")
        }
    }
}
