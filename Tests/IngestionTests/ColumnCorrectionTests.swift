import Foundation
import Ingestion
import Reading
import Recognition
import Schemas
import Screening
import Sketches
import Tabular
import Testing

/// The evidence of all rows of a column corrects the judgement of its cells.
@Suite struct ColumnCorrectionTests {
    /// A random number of `count` digits that begins with `head`; about one in ten has Luhn's check digit.
    private static func number(_ count: Int, head: String, _ state: inout UInt64) -> String {
        var digits = head
        while digits.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            digits += String((state >> 33) % 10)
        }
        return digits
    }

    private static func luhn(_ number: String) -> Bool {
        var sum = 0
        for (place, digit) in number.reversed().enumerated() {
            let value = (digit.wholeNumberValue ?? 0) * (place % 2 + 1)
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0
    }

    private func run(
        _ shop: Workshop, _ contract: String, _ text: String, mode: RunMode = .ingest, name: String = "a.csv"
    ) async throws -> BatchReport {
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        var options = BatchOptions()
        options.mode = mode
        options.sliceBytes = 65_536
        let pipeline = try Pipeline(store: mode == .ingest ? shop.store : nil, writes: mode == .ingest)
        return try await pipeline.run(
            BatchRequest(
                BatchInput(file: shop.write(name, text)), schema: Schema.digested(loaded), contract: loaded.document,
                dataset: "d",
                source: "s",
                options: options))
    }

    private func count(_ report: BatchReport, _ code: FindingCode) -> Int {
        report.findings.sorted.reduce(0) { $0 + ($1.kind.code == code ? $1.tally.count : 0) }
    }

    @Test(arguments: [("ref", 16, 300), ("code", 13, 300), ("order_ref", 16, 8), ("id", 16, 60)])
    func `numbers of one form are no cards when no more of them pass than chance lets`(
        _ column: String, _ length: Int, _ rows: Int
    ) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var state: UInt64 = 2_026
        var text = "line,\(column)\n"
        var valid = 0
        for row in 0..<rows {
            var value = Self.number(length, head: "4", &state)
            // At least one match, even in a short column.
            while row == 0, !Self.luhn(value) { value = Self.number(length, head: "4", &state) }
            if Self.luhn(value) { valid += 1 }
            text += "L\(row),\(value)\n"
        }
        #expect(valid > 0)
        let contract = "name: d\nfields:\n  - { name: line }\n  - { name: \(column) }\n"
        let report = try await run(shop, contract, text)
        #expect(report.status == .accepted && report.masks.isEmpty && count(report, .undeclaredPII) == 0)
        let checked = try await run(shop, contract, text, mode: .validate)
        #expect(checked.counts.count(.accepted) == rows)
        #expect(checked.columns.allSatisfy { $0.wholes.isEmpty && $0.inside.isEmpty })
        // Replaying the kept decision gives the same outcomes.
        let replay = try shop.store.replay(report.batch, row: nil, file: BatchInput(shop.folder + "/a.csv"))
        #expect(replay.isSame)
    }

    @Test func `cards stay cards`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var state: UInt64 = 5
        func cards(_ share: Int, of rows: Int, _ column: String) -> String {
            var text = "line,\(column)\n"
            for row in 0..<rows {
                var value = Self.number(16, head: "4", &state)
                while row % 10 < share, !Self.luhn(value) { value = Self.number(16, head: "4", &state) }
                text += "L\(row),\(value)\n"
            }
            return text
        }
        for (share, rows, column) in [
            (10, 200, "value"), (5, 200, "value"), (10, 3, "order_ref"), (1, 100, "card_number"), (10, 1, "value"),
        ] {
            let contract = "name: d\nfields:\n  - { name: line }\n  - { name: \(column) }\n"
            let report = try await run(shop, contract, cards(share, of: rows, column), mode: .validate)
            #expect(count(report, .undeclaredPII) >= rows * share / 10, "\(share) \(rows) \(column)")
        }
        // Prose has no common form: a tenth of its numbers may well be real cards.
        var text = "line,note\n"
        for row in 0..<100 {
            var value = Self.number(16, head: "4", &state)
            while row % 10 == 0, !Self.luhn(value) { value = Self.number(16, head: "4", &state) }
            let mood = String(repeating: "very ", count: row % 7 + row % 11)
            text += "L\(row),customer \(mood)angry about \(value)\(row % 3 == 0 ? " again" : "")\n"
        }
        let report = try await run(
            shop, "name: d\nfields:\n  - { name: line }\n  - { name: note }\n", text, mode: .validate)
        #expect(count(report, .undeclaredPII) >= 10)
    }

    @Test func `versions with a large part now and then are versions`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text =
            "n,os\n" + (0..<120).map { "\($0),\($0 % 9).\($0 % 7).\($0 % 20).\($0 % 40 == 0 ? 101 : 3)\n" }.joined()
        let contract = "name: d\nfields:\n  - { name: n, type: integer }\n  - { name: os }\n"
        #expect(try await count(run(shop, contract, text, mode: .validate), .undeclaredPII) == 0)
        let real = "n,origin\n" + (0..<120).map { "\($0),203.0.\($0).17\n" }.joined()
        let other = contract.replacing("os }", with: "origin }")
        #expect(try await count(run(shop, other, real, mode: .validate), .undeclaredPII) >= 120)
    }

    @Test func `a column of postal codes is told of once and stays as it is`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text =
            "n,zip,coordinates\n"
            + (0..<40).map { "\($0),\(10_001 + $0),\"40.\(71_000 + $0), -74.\(10_000 + $0)\"\n" }.joined()
        let contract =
            "name: d\nfields:\n  - { name: n, type: integer }\n  - { name: zip }\n  - { name: coordinates }\n"
        let report = try await run(shop, contract, text)
        #expect(report.status == .accepted && report.masks.isEmpty)
        #expect(report.counts.count(.accepted) == 40)
        let answer = report.batchFindings.filter { $0.code == .undeclaredColumn }.compactMap(\.rule)
        #expect(Set(answer) == ["POSTAL_CODE", "COORDINATES"])
        #expect(report.unmasked.map(\.label) == ["zip", "coordinates"])
        // A stricter contract lets none pass.
        let held = try await run(
            shop, contract + "sluice: { undeclaredPii: quarantine }\n", text.replacing("10001", with: "10099"),
            name: "b.csv")
        #expect(held.status == .held)
    }

    @Test func `addresses among keys are told of, and hold the batch from a few on`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        func text(_ rows: Int, _ addresses: Int) -> String {
            "user,x\n"
                + (0..<rows).map { "\($0 < addresses ? "ann\($0)@example.com" : "u-\($0)"),\($0 % 7)\n" }.joined()
        }
        let contract = """
            name: d
            fields:
              - { name: user, sluice: { role: key } }
              - { name: x, type: integer }

            """
        for (rows, addresses, isHeld) in [
            (1000, 2, false), (1000, 3, true), (99, 99, true), (1, 1, true), (500, 0, false),
        ] {
            let report = try await run(shop, contract, text(rows, addresses), mode: .dryRun)
            #expect(count(report, .undeclaredPII) == addresses, "\(rows) \(addresses)")
            #expect(
                report.batchFindings.contains { $0.code == .undeclaredColumn && $0.outcome == .quarantined } == isHeld,
                "\(rows) \(addresses)")
            #expect(report.masks.isEmpty)
        }
    }

    @Test func `what is somebody's by name, and what of it is not masked, is told`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text =
            "full_name,iban,city,status,email\n"
            + (0..<200).map { row in
                "Person \(row),\(row < 2 ? "DE89370400440532013000" : "unknown \(row)"),Town,ok,a\(row)@example.com\n"
            }.joined()
        let contract = """
            name: d
            fields:
              - { name: full_name }
              - { name: iban }
              - { name: city, sluice: { pii: { entity: LOCATION, operator: replace } } }
              - { name: status }
              - { name: email }

            """
        let report = try await run(shop, contract, text)
        #expect(
            report.unmasked.map { "\($0.label) \($0.entity.name) \($0.share)" } == [
                "full_name PERSON 1.0", "iban IBAN_CODE 0.99",
            ])
    }
}
