import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// An alarm says what changed, and how much it usually varies.
@Suite struct MovementTests {
    private static let text = """
        fields:
          - { name: price, type: number }
          - { name: total, type: number }
          - { name: shop, type: string }
        """

    /// The change that is planted in a batch.
    private struct Change {
        var factor = 1.0, shift = 0.0, spread = 1.0, missing = 0.0
        var shops = 5, lead = 0.0
    }

    private func day(_ number: Int, center: Double, _ change: Change = Change(), rows: Int = 400) -> [[String]] {
        var draws = Draws(seed: UInt64(number + 1))
        let level = center + 2 * draws.uniform()
        return (0..<rows).map { _ in
            let price = change.factor * (level + 10 * change.spread * draws.normal()) + change.shift
            let shop = draws.uniform() < change.lead ? 0 : Int(draws.uniform() * Double(change.shops))
            let isMissing = draws.uniform() < change.missing
            return [isMissing ? "" : "\(price)", isMissing ? "" : "\(3 * price + draws.normal())", "shop\(shop)"]
        }
    }

    /// The findings about a day after twelve ordinary ones, and the decision.
    private func judge(_ change: Change, center: Double = 100) throws -> Judged {
        let gate = try Gate(try contract(Self.text))
        var parts: [Baseline] = []
        for number in 0..<12 {
            parts.append(try gate.judge(texts: day(number, center: center), Baseline.merged(parts.reversed())).baseline)
        }
        return try gate.judge(texts: day(40, center: center, change), Baseline.merged(parts.reversed()))
    }

    private func moved(_ judged: Judged, _ code: FindingCode, field: Int) throws -> Movement {
        let finding = try #require(judged.verdict.findings.first { $0.code == code && $0.field == field })
        return try #require(finding.movement)
    }

    @Test func `a centre moves by a share of itself, and by spreads where it is near zero`() throws {
        let dear = try judge(Change(factor: 1.24))
        let price = try moved(dear, .distributionDrift, field: 0)
        #expect(price.kind == .center && price.unit == .relative && price.batches == 12)
        #expect((0.2...0.28).contains(price.now) && price.least < 0 && price.most > 0 && price.most < 0.02, "\(price)")
        #expect(price.usual != nil)
        // Both fields changed, and each names the other.
        let finding = try #require(dear.verdict.findings.first { $0.code == .distributionDrift && $0.field == 0 })
        #expect(finding.contributors == [1])
        let near = try judge(Change(shift: 30), center: -1)
        let other = try moved(near, .distributionDrift, field: 0)
        #expect(other.kind == .center && other.unit == .spreads && (2.5...3.5).contains(other.now), "\(other)")
    }

    @Test func `spreads, missing values, shares, new values and rows are told as what they are`() throws {
        let wide = try moved(try judge(Change(spread: 4)), .distributionDrift, field: 0)
        #expect(wide.kind == .spread && wide.unit == .multiple && (3...5).contains(wide.now), "\(wide)")
        let missing = try moved(try judge(Change(missing: 0.3)), .missingDrift, field: 0)
        #expect(missing.kind == .missing && (0.25...0.35).contains(missing.now) && missing.most == 0, "\(missing)")
        let lead = try moved(try judge(Change(lead: 0.5)), .categoryDrift, field: 2)
        #expect(lead.kind == .share && (0.5...0.7).contains(lead.now) && lead.most < 0.3, "\(lead)")
        let shops = try judge(Change(shops: 9))
        let new = try moved(shops, .newCategories, field: 2)
        #expect(new.kind == .new && new.kinds == 4 && new.mostKinds == 0 && (0.3...0.6).contains(new.now), "\(new)")
        let few = try judge(Change(), center: 100)
        #expect(few.verdict.findings.allSatisfy { $0.movement == nil || $0.outcome > .accepted })
    }

    @Test func `what moved is kept with the decision, and decisions of before are read`() throws {
        let gate = try Gate(try contract(Self.text))
        let judged = try judge(Change(factor: 1.24))
        let document = try JSONValue.parse(judged.decision.document().canonicalBytes())
        #expect(document["v"]?.whole == 6)
        let read = try #require(Decision(document, schema: gate.schema, screened: gate.screened))
        #expect(
            read.tests.map { [$0.movement?.document.text(pretty: false)] }
                == judged.decision.tests.map { [$0.movement?.document.text(pretty: false)] })
        #expect(read.tests.map(\.companions) == judged.decision.tests.map(\.companions))
        #expect(read.tests.map(\.usual) == judged.decision.tests.map(\.usual))
        #expect(read.tests.contains { $0.movement != nil && !$0.companions.isEmpty && $0.usual != nil })
        // Format 5 lacks it.
        var members = document.members ?? [:]
        members["v"] = .integer(5)
        members["tests"] = .array(
            (document["tests"]?.items ?? []).map { test in
                var test = test.members ?? [:]
                for key in ["usual", "moved", "with"] { test[key] = nil }
                return .object(test)
            })
        let old = try #require(Decision(.object(members), schema: gate.schema, screened: gate.screened))
        #expect(old.tests.count == read.tests.count && old.tests.allSatisfy { $0.movement == nil })
        #expect(Movement(judged.decision.tests.compactMap(\.movement).first?.document) != nil)
    }
}
