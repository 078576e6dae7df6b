import Schemas
import Tabular
import Testing

/// Whether the first row of a file is a header: its labels compared with the values below.
@Suite struct LabelTests {
    /// The column that the judgement names, from 1; 0 if the first row is a header.
    private func judged(_ rows: [[String]]) -> Int {
        var inference = SchemaInference(columns: rows[0])
        for row in rows.dropFirst() {
            for (index, cell) in row.enumerated() {
                let bytes = Array(cell.utf8)
                inference.add(column: index, kind: .bare, bytes: bytes.span, range: 0..<bytes.count)
            }
            inference.endRow()
        }
        return (inference.columnWithDataForLabel ?? -1) + 1
    }

    @Test(arguments: [
        [["id", "2021", "2022"], ["1", "5", "7"], ["2", "6", "8"]],
        [["country", "2021", "2022"], ["France", "5", "7"], ["Spain", "2021", "8"]],
        [["Item", "Unit Price (USD)"], ["foo", "1.5"]], [["id", "1", "2", "3"], ["7", "a", "b", "c"]],
        [["Timestamp", "How old are you?", "What do you like, and why?"], ["1/5/2024 10:00:00", "33", "I like it"]],
        [["How old are you?"], ["33"], ["44"]], [["When were you born, please?"], ["1970-01-01"]],
        [["label", "text"], ["ham", "ok lar"], ["spam", "win now"], ["ham", "see you"]],
        [["id", "name"], ["1", "a"], ["id", "name"], ["2", "b"]], [["name", "city"], ["a", "b"], ["name", "city"]],
        [["#", "name"], ["1", "a"]], [["@timestamp", "msg"], ["2020-01-01T00:00:00Z", "hello there"]],
        [["q1", "q2"], ["a1", "b2"]], [["Reason for leaving the program"], ["moved away"], ["was ill"]],
        [["Province/State", "Lat", "1/22/20", "2020-01-23"], ["", "15.5", "2", "3"]], [["a", "b"]],
        [["First Name", "City"], ["John Smith", "Paris"]], [["2019", "2020", "2021"], ["5", "6", "7"]],
        [["name", "note"], ["a", ""], ["b", ""]],
    ])
    func `an ordinary header is one`(rows: [[String]]) {
        #expect(judged(rows) == 0, "\(rows[0])")
    }

    @Test(arguments: [
        ([["ham", "Please call John at home"], ["spam", "Win now"]], 2),
        ([["2001-01-01T10:00:00", "a"], ["2001-01-02T10:00:00", "b"]], 1),
        ([["2001-01-01", "a"], ["x", "b"]], 1), ([["1", "2"], ["3", "4"]], 1), ([["x", "5"], ["y", "6"]], 2),
        ([["n", "0.5"], ["1", "0.7"]], 2), ([["true", "x"], ["false", "y"]], 1),
        ([["ham", "ok lar"], ["spam", "win now"], ["ham", "see you"]], 1),
        ([["Jane Doe", "London"], ["John Smith", "Paris"], ["Mary Major", "Rome"]], 1),
        ([["AB-1234", "red"], ["AB-1235", "blue"]], 1), ([["France", "2021", "2022"], ["Spain", "5", "8"]], 2),
        ([["I never want to see this again!", "bad"], ["Good", "good"]], 1),
        ([["これはとても良い映画だと思いましたまた見たい", "好"], ["つまらない", "悪"]], 1),
        ([["id", "123456789"], ["1", "2020-01-01"]], 2), ([["10:00:00", "a"], ["11:00:00", "b"]], 1),
        ([["123e4567-e89b-12d3-a456-426614174000", "a"], ["x", "b"]], 1),
    ])
    func `a row of data is none`(rows: [[String]], column: Int) {
        #expect(judged(rows) == column, "\(rows[0])")
    }
}

/// Work must grow linearly with the document.
@Suite(.serialized) struct GrowthTests {
    /// The shortest of three runs.
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<3 {
            let took = try ContinuousClock().measure { try body() }
            best = min(best, Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18)
        }
        return best
    }

    private func text(_ count: Int, _ line: (Int) -> String, _ more: String = "") -> String {
        "name: t\nfields:\n" + (0..<count).map { "  - { \(line($0)) }\n" }.joined() + more
    }

    /// Four times the size takes about four times as long; quadratic work would take sixteen times.
    private func grows(_ make: (Int) throws -> () throws -> Void) throws {
        let (small, large) = (try make(1000), try make(4000))
        let ratio = try seconds(large) / max(try seconds(small), 1e-3)
        #expect(ratio < 9, "\(ratio)")
    }

    @Test func `a diff of renamed fields`() throws {
        try grows { count in
            let old = try contract(text(count) { "name: old\($0), type: integer" }).schema
            let new = try contract(text(count) { "name: new\($0), type: integer" }).schema
            return { #expect(old.changes(to: new).count == 2 * count) }
        }
    }

    @Test func `fields with places, and a key of all of them`() throws {
        try grows { count in
            let names = (0..<count).map { "f\($0)" }.joined(separator: ", ")
            let places = text(count, { "name: f\($0), sluice: { path: /a/b\($0) }" }, "primaryKey: [\(names)]\n")
            let document = try loadDocument(Array(places.utf8), name: "t.yaml")
            return { _ = try Schema.load(document) }
        }
    }

    @Test func `lists of missing values and categories`() throws {
        try grows { count in
            let words = (0..<5 * count).map { "w\($0)" }.joined(separator: ", ")
            let lists = text(1, { _ in "name: a, type: string, categories: [\(words)]" }, "missingValues: [\(words)]\n")
            let document = try loadDocument(Array(lists.utf8), name: "t.yaml")
            return { _ = try Schema.load(document) }
        }
    }

    @Test func `too many rules are refused before any is read`() throws {
        let rules = (0..<5000).map { "    - f0 >= \($0)\n" }.joined()
        #expect(throws: SchemaError.self) {
            try contract(
                text(1, { "name: f\($0), type: integer" }, "sluice:\n  apiVersion: sluice/v1\n  rules:\n" + rules))
        }
    }
}
