import Foundation
import Testing

/// Tables in European and American notations: the contract inferred from one accepts the file, and reads its values as
/// they were meant.
@Suite(.serialized) struct `inferred contracts of tables in many habits` {
    /// A way of writing dates, numbers and files.
    private struct Habit {
        var delimiter: String
        var date: String
        var dateFormat: String?
        var group: String
        var decimal: String
        var sign: String
        var missing: String
    }

    private static let habits = [
        Habit(
            delimiter: ",", date: "m/d/Y", dateFormat: "\"%m/%d/%Y\"", group: ",", decimal: ".", sign: "$",
            missing: "N/A"),
        Habit(
            delimiter: ";", date: "d.m.Y", dateFormat: "\"%d.%m.%Y\"", group: ".", decimal: ",", sign: " €",
            missing: "-"),
        Habit(
            delimiter: ";", date: "d/m/Y", dateFormat: "\"%d/%m/%Y\"", group: "\u{202F}", decimal: ",", sign: " €",
            missing: "None"),
        Habit(delimiter: ",", date: "Y-m-d", dateFormat: nil, group: "", decimal: ".", sign: "", missing: "NaN"),
        Habit(
            delimiter: "\t", date: "d-b-Y", dateFormat: "\"%d-%b-%Y\"", group: "'", decimal: ".", sign: " CHF",
            missing: "\\N"),
    ]

    /// Numbers that are the same every time.
    private struct Draw {
        var state: UInt64
        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func grouped(_ value: Int, _ group: String) -> String {
        var (text, rest) = ("", value)
        while rest >= 1000, !group.isEmpty {
            let part = rest % 1000
            text = group + String(repeating: "0", count: part < 10 ? 2 : part < 100 ? 1 : 0) + "\(part)" + text
            rest /= 1000
        }
        return "\(rest)" + text
    }

    private static func date(_ habit: Habit, day: Int, month: Int, year: Int) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return String(
            habit.date.flatMap { letter -> [Character] in
                switch letter {
                case "d": Array(padded(day))
                case "m": Array(padded(month))
                case "b": Array(months[month - 1])
                case "Y": Array("\(year)")
                default: [letter]
                }
            })
    }

    private static func table(_ number: Int, _ habit: Habit) -> String {
        var draw = Draw(state: UInt64(number) &* 977 &+ 5)
        func amount(_ cents: Int) -> String {
            let fraction = habit.decimal + padded(cents % 100)
            let value = grouped(cents / 100, habit.group) + fraction
            return habit.sign == "$" ? "$" + value : value + habit.sign
        }
        var lines = [
            ["order_id", "placed", "amount", "units", "rate", "branch_code", "status", "ref"].joined(
                separator: habit.delimiter)
        ]
        for row in 0..<(150 + 10 * (number % 10)) {
            let missing = draw.below(12) == 0
            let cells = [
                "\(10_000 + 3 * row + draw.below(3))",
                date(habit, day: 1 + draw.below(28), month: 1 + draw.below(12), year: 2025),
                amount(10_000 + draw.below(990_000)),
                missing ? habit.missing : grouped(300 + draw.below(4000), habit.group),
                "\(draw.below(90))" + habit.decimal + "\(1 + draw.below(9))", "0\(100 + draw.below(40))",
                ["open", "paid", "closed"][draw.below(3)], "R\(number)-\(row)-\(draw.below(90))",
            ]
            lines.append(
                cells.map { $0.contains(habit.delimiter) ? "\"\($0)\"" : $0 }.joined(separator: habit.delimiter))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// At cold start statistics flag rows that are far from the others, but never because of columns that identify
    /// rows.
    private func expectNoIdentifiers(_ harness: Harness) throws {
        let judged = try harness.run(
            "ingest", "t.csv", "--schema", "c.yaml", "--dataset", "t", "--source", "s", "--store", "store", "--dry-run",
            "--format", "json")
        let report = try harness.report(judged)
        #expect(report["status"] as? String == "checked", "\(judged.err)")
        let errors = report["errors"] as? [[String: Any]] ?? []
        let named = Set(errors.compactMap { $0["fieldName"] as? String })
        #expect(named.isDisjoint(with: ["order_id", "ref", "branch_code", "placed"]), "\(named)")
        #expect(errors.allSatisfy { $0["outcome"] as? String == "flagged" }, "\(judged.out.prefix(2000))")
    }

    @Test func `fifty of them pass their own contracts, and identifiers are not screened`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        var (rows, flagged) = (0, 0)
        for number in 0..<50 {
            let habit = Self.habits[number % Self.habits.count]
            try harness.write("t.csv", Self.table(number, habit))
            let made = try harness.run("schema", "infer", "t.csv", "--delimiter", habit.delimiter)
            #expect(made.code == 0, "\(number): \(made.err)")
            try harness.write("c.yaml", made.out)
            func field(_ name: String) -> String {
                let lines = made.out.split(separator: "\n").drop { $0 != "  - name: \(name)" }.dropFirst()
                return lines.prefix { !$0.hasPrefix("  - name:") && $0.hasPrefix("    ") }
                    .filter { !$0.hasPrefix("    #") }.joined(separator: "\n")
            }
            #expect(
                field("order_id").contains("role: key") && field("ref").contains("role: key"), "\(number): \(made.out)")
            #expect(
                field("placed").contains("type: date") && field("placed").contains("role: event-time"), "\(made.out)")
            if let format = habit.dateFormat { #expect(field("placed").contains("format: \(format)"), "\(made.out)") }
            #expect(field("amount").contains("type: number") && field("rate").contains("type: number"), "\(made.out)")
            #expect(field("units").contains("type: integer") && field("units").contains("missingValues"), "\(made.out)")
            #expect(field("branch_code").contains("type: string"), "\(made.out)")
            #expect(field("status").contains("form: category"), "\(made.out)")
            #expect(field("amount").contains("bareNumber: false") == !habit.sign.isEmpty, "\(made.out)")
            let judged = try harness.run("validate", "t.csv", "--schema", "c.yaml", "--format", "json")
            let report = try harness.report(judged)
            #expect(
                judged.code == 0 && report["valid"] as? Bool == true,
                "\(number): \(judged.out.prefix(2000))\(judged.err)")
            let counts = report["stats"] as? [String: Any] ?? [:]
            rows += counts["rows"] as? Int ?? 0
            flagged += (counts["rows"] as? Int ?? 0) - (counts["accepted"] as? Int ?? 0)
            if number % 10 < Self.habits.count, number >= 40 { try expectNoIdentifiers(harness) }
        }
        #expect(rows > 9000 && Double(flagged) <= 0.001 * Double(rows), "\(flagged) of \(rows)")
    }
}
