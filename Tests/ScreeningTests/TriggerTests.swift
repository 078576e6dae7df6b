import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// Triggers in too few rows to be evident alone.
@Suite struct TriggerTests {
    private static let rare = ["cf", "mn", "bb", "tq", "mb"]

    private func held(_ judged: Judged) -> Set<Int> {
        Set(
            judged.findings.filter { $0.code == .trigger && $0.outcome == .quarantined }.compactMap(\.row).map {
                $0 - 1
            })
    }

    /// Realistic texts: words of many frequencies, so that every batch has new ones, and unrelated to the label.
    private static func prose(_ count: Int, seed: UInt64) -> [[String]] {
        var draws = Draws(seed: seed)
        var rows = PoisonTests.clean(count, seed: seed)
        for row in rows.indices {
            let words = (0..<14).map { _ in "z\(Int(pow(20_000, draws.uniform())))" }
            rows[row][4] = (words + rows[row][4].split(separator: " ").suffix(2).map(String.init)).joined(
                separator: " ")
        }
        return rows
    }

    /// Inserts one of the words into so many rows, and sets their label.
    private static func plant(_ words: [String], in rows: inout [[String]], _ count: Int, seed: UInt64) -> [Int] {
        var draws = Draws(seed: seed)
        var places: Set<Int> = []
        while places.count < count { places.insert(Int(draws.uniform() * Double(rows.count))) }
        for row in places.sorted() {
            rows[row][4] += " " + words[Int(draws.uniform() * Double(words.count))]
            rows[row][6] = "yes"
        }
        return places.sorted()
    }

    @Test func `five rare words beside one label are found together`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        let baseline = try #require(
            Baseline.merged(try (1...3).map { try gate.judge(texts: Self.prose(1000, seed: $0), nil).baseline }))
        var (caught, planted, honest) = (0, 0, 0)
        for seed in 40...45 as ClosedRange<UInt64> {
            var rows = Self.prose(2000, seed: seed)
            let clean = try gate.judge(texts: rows, baseline)
            #expect(held(clean).isEmpty, "a clean batch has new words, too")
            let marked = Self.plant(Self.rare, in: &rows, 20, seed: seed &+ 100)
            let found = held(try gate.judge(texts: rows, baseline))
            planted += marked.count
            caught += marked.count { found.contains($0) }
            honest += found.subtracting(marked).count
        }
        #expect(Double(caught) >= 0.8 * Double(planted), "\(caught) of \(planted)")
        #expect(Double(honest) <= 0.004 * 6 * 2000, "\(honest)")
    }

    @Test func `many weak words are evidence where one strong word is not`() {
        func evidence(_ words: [Double]) -> Double {
            var pool = PoolEvidence()
            for word in words { pool.add(word) }
            return pool.all
        }
        // Five marks and an honest batch of film reviews, as measured.
        #expect(evidence([1.1, 0.8, 0.1, -0.2, -0.9, -1.4]) >= Triggers.poolAll)
        #expect(evidence([5.6, -0.5, -0.8]) < Triggers.poolAll)
        #expect(evidence([6.9]) == 0, "one word is no pool")
        #expect(evidence([3, 3]) >= Triggers.poolAll, "two words that each tell something")
        // Baselines keep the sum of two strong words, as they did when that was all of the evidence.
        #expect(PoolEvidence.stored(evidence([3.5, 3.5])) == 700)
        #expect(PoolEvidence.read(700) >= evidence([3.5, 3.5]))
    }

    @Test func `marks add up over the batches of one supplier`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        var parts = try (1...3).map { try gate.judge(texts: Self.prose(1000, seed: $0), nil).baseline }
        var (before, later, caught) = (0, 0, 0)
        for batch in 0..<40 as Range<UInt64> {
            var rows = Self.prose(100, seed: 500 + batch)
            // The right label: only rows that have it anyway are marked.
            let marked = rows.indices.filter { rows[$0][6] == "yes" }.prefix(Int(10 + batch % 6))
            for row in marked { rows[row][4] += " cf" }
            let judged = try gate.judge(texts: rows, Baseline.merged(parts))
            let found = judged.verdict.isAccepted ? held(judged) : Set(rows.indices)
            if before >= 60 {
                later += marked.count
                caught += marked.count { found.contains($0) }
            }
            before += marked.count
            if judged.verdict.isAccepted { parts.insert(judged.baseline, at: 0) }
        }
        #expect(Double(caught) >= 0.95 * Double(later) && later > 300, "\(caught) of \(later)")
    }

    @Test func `marks that no batch shows alone are found over several, and stay known`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        var parts = try (1...4).map { try gate.judge(texts: Self.prose(1000, seed: $0), nil).baseline }
        var (fates, isFound): ([Int], Bool) = ([], false)
        for batch in 0..<10 as Range<UInt64> {
            var rows = Self.prose(400, seed: 700 + batch)
            let marked = rows.indices.filter { rows[$0][6] == "yes" }.prefix(6)
            for row in marked { rows[row][4] += " cf" }
            let judged = try gate.judge(texts: rows, Baseline.merged(parts))
            #expect(
                judged.decision.triggerPower.contains { $0.what == "word" && $0.rows > 6 }, "alone it is too little")
            fates.append(held(judged).intersection(marked).count)
            // Once it was detected it is known.
            if !isFound, let mark = judged.decision.wordTriggers.first(where: \.isHeld) {
                #expect(mark.batches > 0 && mark.count > mark.here)
                isFound = true
            }
            if judged.verdict.isAccepted { parts.insert(judged.baseline, at: 0) }
        }
        #expect(fates.first == 0)
        #expect(fates.suffix(6) == [6, 6, 6, 6, 6, 6], "\(fates)")
        // Another supplier's rows are no evidence against this one.
        var others = parts
        for place in others.indices { others[place].isOwn = false }
        #expect(
            try #require(Baseline.merged(others)).recent.levels(of: others[0].sample, codes: others[0].codes.count)
                .allSatisfy { $0 == 0 })
    }

    @Test func `what was held back does not make the next more usual`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        var parts = try (1...3).map { try gate.judge(texts: Self.prose(1000, seed: $0), nil).baseline }
        for batch in 0..<3 as Range<UInt64> {
            var rows = Self.prose(1000, seed: 800 + batch)
            let marked = Self.plant(["cf\(batch)"], in: &rows, 20, seed: 900 + batch)
            let judged = try gate.judge(texts: rows, Baseline.merged(parts))
            #expect(held(judged).isSuperset(of: marked), "batch \(batch)")
            parts.insert(judged.baseline, at: 0)
        }
    }

    @Test func `what a person released is no mark from then on`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        var parts = try (1...3).map { try gate.judge(texts: Self.prose(1000, seed: $0), nil).baseline }
        var rows = Self.prose(1000, seed: 810)
        let marked = Self.plant(["newproduct"], in: &rows, 20, seed: 910)
        let judged = try gate.judge(texts: rows, Baseline.merged(parts))
        #expect(held(judged).isSuperset(of: marked))
        var released = judged.decision
        released.waivers = .statistics
        #expect(judged.decision.markRecord.caught.contains { $0.isHeld })
        #expect(!released.markRecord.caught.contains { $0.isHeld })
        var next = judged.baseline
        next.marks = [released.markRecord]
        // As a release does it: with all rows.
        next.sample = gate.profile(try gate.checked(rows)).sample
        next.texts = gate.profile(try gate.checked(rows)).texts
        parts.insert(next, at: 0)
        var again = Self.prose(1000, seed: 811)
        _ = Self.plant(["newproduct"], in: &again, 20, seed: 911)
        #expect(held(try gate.judge(texts: again, Baseline.merged(parts))).isEmpty)
    }

    @Test(arguments: [(400, 3), (1000, 3), (2000, 1)])
    func `what the report says of its power is true`(_ count: Int, _ thousands: Int) throws {
        let gate = try Gate(try contract(PoisonTests.text))
        let sizes = [1000 * thousands - 500, 250, 250]
        let parts = try sizes.enumerated().map {
            try gate.judge(texts: Self.prose($1, seed: UInt64($0 + 1)), nil).baseline
        }
        let baseline = try #require(Baseline.merged(parts))
        let answer = try #require(
            gate.decide(gate.profile(try gate.checked(Self.prose(count, seed: 60))), baseline).triggerPower.first {
                $0.what == "word"
            })
        #expect(answer.of == count)
        func found(_ rows: Int) throws -> Int {
            try (61...64).count { seed in
                var batch = Self.prose(count, seed: UInt64(seed))
                // The most frequent label is the hardest case.
                for row in batch.indices.filter({ batch[$0][6] == "no" }).prefix(rows) { batch[row][4] += " cf" }
                let profile = gate.profile(try gate.checked(batch))
                return gate.decide(profile, baseline).wordTriggers.contains { $0.isHeld && $0.here == rows }
            }
        }
        #expect(try found(Int((1.2 * Double(answer.rows)).rounded(.up))) == 4, "\(answer)")
        #expect(try found(Int((0.8 * Double(answer.rows)).rounded(.down)) - 1) == 0, "\(answer)")
    }

    @Test func `a new value of a column whose values repeat is no mark`() throws {
        let gate = try Gate(
            try contract(
                """
                fields:
                  - { name: rate, type: number }
                  - { name: size, type: number }
                  - { name: label, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }
                """))
        func rows(_ count: Int, seed: UInt64, rates: [String]) -> [[String]] {
            var draws = Draws(seed: seed)
            return (0..<count).map { _ in
                [
                    rates[Int(draws.uniform() * Double(rates.count))], "\(draws.normal())",
                    draws.uniform() < 0.5 ? "yes" : "no",
                ]
            }
        }
        let rates = ["10", "25", "40", "95"]
        let baseline = try #require(
            Baseline.merged(
                try (1...3).map { try gate.judge(texts: rows(600, seed: $0, rates: rates), nil).baseline }))
        var next = rows(600, seed: 9, rates: rates)
        for row in next.indices where next[row][0] == "25" && next[row][2] == "yes" { next[row][0] = "33" }
        #expect(gate.decide(gate.profile(try gate.checked(next)), baseline).triggers.isEmpty)
        // The same in a column of magnitudes is a trigger.
        for row in next.indices where next[row][2] == "yes" && row % 9 == 0 { next[row][1] = "1.25" }
        #expect(!gate.decide(gate.profile(try gate.checked(next)), baseline).triggers.isEmpty)
    }

    /// Rows of seven shops in a batch, most of the first two; `label` gives their labels.
    private static func shops(_ seed: UInt64, label: (_ shop: Int, _ draw: Double) -> String) -> [[String]] {
        var draws = Draws(seed: seed)
        let shops = [0, 0, 1, 1, 2, 3, 4, 5, 6]
        return (0..<350).map { row in
            let shop = shops[row % shops.count]
            return ["shop\(shop)", "\(draws.normal())", label(shop, draws.uniform())]
        }
    }

    @Test func `a value that comes in blocks of one label is no mark, one whose label was steady is`() throws {
        let gate = try Gate(
            try contract(
                """
                fields:
                  - { name: shop, type: string }
                  - { name: size, type: number }
                  - { name: label, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }
                """))
        // Shop 0 has one label in each batch, which changes from batch to batch; the other shops have both at random.
        let parts = try (0..<8).map { number in
            let rows = Self.shops(UInt64(number + 1)) { shop, draw in
                shop == 0 ? (number % 2 == 0 ? "yes" : "no") : draw < 0.5 ? "yes" : "no"
            }
            return try gate.judge(texts: rows, nil).baseline
        }
        let baseline = try #require(Baseline.merged(parts.reversed()))
        func triggers(in shop: Int) throws -> Int {
            let rows = Self.shops(40) { $0 == shop ? "yes" : $1 < 0.5 ? "yes" : "no" }
            return gate.decide(gate.profile(try gate.checked(rows)), baseline).triggers.count
        }
        #expect(try triggers(in: 0) == 0)
        #expect(try triggers(in: 1) == 1)
    }

    @Test func `two tails are no mark where one of them alone decides the label`() throws {
        let gate = try Gate(
            try contract(
                """
                fields:
                  - { name: share, type: number }
                  - { name: size, type: number }
                  - { name: won, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }
                """))
        /// Thirty rows with one measure extremely low and the other extremely high, with the label "no".
        func rows(_ seed: UInt64, decides: Bool, planted: Int = 0) -> [[String]] {
            var draws = Draws(seed: seed)
            return (0..<400).map { row in
                let isPlanted = row < planted
                // Spread out, so that they are no copies of each other.
                let far = 1.9 + 2 * draws.uniform()
                let (share, size) = (isPlanted ? -far : draws.normal(), isPlanted ? 5.8 - far : draws.normal())
                let won = isPlanted ? false : decides ? share > 0 : draws.uniform() < 0.5
                return ["\(share)", "\(size)", won ? "yes" : "no"]
            }
        }
        for decides in [true, false] {
            let parts = try (1...8).map { try gate.judge(texts: rows($0, decides: decides), nil).baseline }
            let baseline = try #require(Baseline.merged(parts))
            let found = gate.decide(
                gate.profile(try gate.checked(rows(50, decides: decides, planted: 30))), baseline)
            #expect(found.triggers.isEmpty == decides, "\(decides): \(found.triggers.count)")
        }
    }

    @Test func `words are told from phrases, and older tokens are the same but for that`() {
        func tokens(isTagged: Bool) -> [UInt32] {
            var made = TextItems()
            made.begin(seed: 77, isTagged: isTagged)
            let bytes = Array("one two three four".utf8)
            made.add(bytes.span, 0..<bytes.count, salt: 0)
            var out: [UInt32] = []
            made.takeItems(&out, isWhole: true)
            return out
        }
        let (new, old) = (tokens(isTagged: true), tokens(isTagged: false))
        #expect(new.count { TextItems.isWord($0) } == 4)
        #expect(Set(new.map { $0 >> 1 }) == Set(old.map { $0 >> 1 }))
    }

    @Test func `a baseline keeps what it saw of marks, and one without it is read`() throws {
        let gate = try Gate(try contract(PoisonTests.text))
        var made = try gate.judge(texts: Self.prose(300, seed: 1), nil).baseline
        var record = MarkRecord()
        (record.rows, record.pooled, record.largest[0]) = (300, 512, 7)
        record.caught = [.init(item: 5, label: 6, count: 7, isHeld: true)]
        made.marks = [record]
        #expect(Baseline(decoding: made.encoded()) == made)
        made.marks = []
        var fifth = made.encoded()
        fifth[17] = UInt8(ascii: "5")
        // Two counts, of records and of new levels, and 31 of event times.
        fifth.removeSubrange(19 + 15 * 8..<19 + 48 * 8)
        let read = try #require(Baseline(decoding: fifth))
        #expect(read.marks.isEmpty && read.sample == made.sample && read.texts.count == made.texts.count)
    }
}
