import Reading
import Tabular
import Testing

/// The rows of a source do not depend on how it is cut, and the slicer counts them like the reader.
struct SlicingTests {
    static func everySplit(_ bytes: [UInt8], _ plan: ReadingPlan, from first: Int = 1) -> String? {
        let whole = read(bytes, plan)
        for size in first...max(first, bytes.count + 1) {
            if let fault = slicingFault(bytes, plan, sliceBytes: size, whole: whole) {
                return
                    "\(plan.format) \(plan.engine) \(shown(bytes)) in slices of \(size), limit \(plan.limits.maxRowBytes): \(fault)"
            }
        }
        return nil
    }

    @Test func `random CSV in every split`() {
        var random = Seeded(state: 0x5EED_0002)
        let letters = ["a", ",", "\"", "\n", "\r", "\r\n", "é", "\"\"", "\n", "\",", "aa", "aaa", "\0"].map {
            Array($0.utf8)
        }
        for _ in 0..<4_000 {
            let bytes = (0..<random.below(22)).flatMap { _ in random.pick(letters) }
            let limits = ScanLimits(
                maxRowBytes: random.pick([1, 2, 3, 4, 6, 9, 20]), blockRows: random.pick([1, 3, 2048]))
            for engine in [CSVEngine.structural, .libcsv] {
                if let fault = Self.everySplit(bytes, .csv(width: 1 + random.below(2), engine: engine, limits: limits))
                {
                    Issue.record("\(fault)")
                    return
                }
            }
        }
    }

    @Test func `random JSON Lines in every split`() {
        var random = Seeded(state: 0x5EED_0003)
        let pieces = [
            "{", "}", "\"", "\\", "\n", "\r", " ", "  ", "{}", "{}\n", "{\"a\":1}", "{\"a\":1}\n", "{\"a\":\"",
            "{\"a\":[\"", "[", "]",
            ",", ":", "1", "\\\n", "{\"b\":{}}\n", "é", "\t", "{\"a\":[1]}\r\n", "{\"a\":[\"\\\n", "    ", "\0",
        ].map { Array($0.utf8) }
        for _ in 0..<6_000 {
            let bytes = (0..<random.below(14)).flatMap { _ in random.pick(pieces) }
            let limits = ScanLimits(
                maxRowBytes: random.pick([1, 2, 3, 5, 7, 8, 12, 30]), blockRows: random.pick([1, 3, 2048]))
            if let fault = Self.everySplit(bytes, .json(["a"], rejects: random.below(2) == 0, limits: limits)) {
                Issue.record("\(fault)")
                return
            }
        }
    }

    @Test func `random arrays as rows in every split`() {
        var random = Seeded(state: 0x5EED_0008)
        let pieces = [
            "[", "]", "\"", "\\", "\n", "\r", " ", "[]", "[1]\n", "[\"a\"]", "[1,2]\n", "[[1],{\"a\":\"]\"}]\n", "{",
            "}", ",",
            "1", "true", "null", "\\u0041", "é", "[\"\\n\"]\n",
        ].map { Array($0.utf8) }
        for _ in 0..<4_000 {
            let bytes = (0..<random.below(14)).flatMap { _ in random.pick(pieces) }
            let limits = ScanLimits(
                maxRowBytes: random.pick([1, 2, 3, 5, 7, 8, 12, 30]), blockRows: random.pick([1, 3, 2048]))
            var plan = ReadingPlan.json(random.pick([["a"], ["a", "b"]]), limits: limits)
            plan.dialect.hasArrayItems = true
            plan.dialect.headerRows = []
            if let fault = Self.everySplit(bytes, plan) {
                Issue.record("\(fault)")
                return
            }
        }
    }

    /// Each of these has a row at the limit that decides about it.
    @Test(arguments: [
        "\"aa\nb\",c\nd,e\n", "\"aa\nbb\"\nd,e\n", "aaaa\r\nb,c\n", "aaaaaa\r\nb\n", "\"\n\"\n\"\n", "aaaaaaaaaaaaa",
        "\"aaaaaaaaaaaa",
        "\"a\n\n\n\n\n\n\n\n\n\n", "\n\n\n\r\n\n", "a\r", "a\n\r", "\"a\"\r",
        "aaaaaaaaaaaaaa\nb\n\"cccccccccccccccc\nd\n",
    ])
    func `CSV at the edges`(text: String) {
        for max in 1...12 {
            for engine in [CSVEngine.structural, .libcsv] {
                let plan = ReadingPlan.csv(width: 1, engine: engine, limits: ScanLimits(maxRowBytes: max))
                let fault = Self.everySplit(Array(text.utf8), plan)
                #expect(fault == nil)
            }
        }
    }

    @Test(arguments: [
        "{\"a\":[\"\\\n              ", "{\"a\":[\"\\\nxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n{}\n", "{}            \n{}\n",
        "            ",
        "{}          ", "           \n{}\n", "{\"a\":{\"\\\nxxxxxxxxxxxxxxxxxx\n", "{\"a\":\"\n\"}\n{}\n",
        "{}\r\n{}\r\n\r\n{}\r",
        "{\"a\":1",
    ])
    func `JSON Lines at the edges`(text: String) {
        for max in 1...14 {
            let plan = ReadingPlan.json(["a"], limits: ScanLimits(maxRowBytes: max))
            let fault = Self.everySplit(Array(text.utf8), plan)
            #expect(fault == nil)
        }
    }

    @Test func `a row past the limit is skipped in constant memory`() {
        let long = String(repeating: "x", count: 200_000)
        let limits = ScanLimits(maxRowBytes: 1_000)
        for text in ["a,b\n\(long)\nc,d\n", "a,b\n\"\(long)\nc,d\n", "a,b\n\(long)", "a,b\n\"x\"\(long)\nc,d\n"] {
            let plan = ReadingPlan.csv(width: 2, limits: limits)
            let whole = read(Array(text.utf8), plan)
            for size in [64, 1_000, 4_096, 65_536] {
                #expect(slicingFault(Array(text.utf8), plan, sliceBytes: size, whole: whole) == nil)
                let slices = cut(Array(text.utf8), plan, sliceBytes: size)
                #expect(slices.filter(\.isOverlong).allSatisfy { $0.bytes.count <= 65_536 })
            }
            #expect(whole.count { $0.cells == nil } == 1)
        }
    }
}
