import Sketches

/// The generated sample that `selftest` changes: the same on every machine for a given seed.
struct SelftestSample {
    /// One row.
    struct Row {
        /// Unique in all batches of a seed, so that keys never repeat.
        var id: Int
        /// The key by which sources are compared: each ticket has one row from each source.
        var ticket: Int
        /// The provenance column.
        var source: String
        /// Depends on the label, and equal in all three sources.
        var amount: Double
        /// Approximately normal, with a mean that depends on the label.
        var seconds: Double
        /// Words that go with the label, mixed with common ones.
        var text: String
        var label: String
    }

    /// The sample's contract.
    static let contract = """
        name: selftest
        version: 1.0.0
        primaryKey: [id]
        fields:
          - { name: id, type: integer, constraints: { required: true, unique: true }, sluice: { role: key } }
          - { name: ticket, type: integer, constraints: { required: true }, sluice: { role: key } }
          - { name: source, type: string, constraints: { enum: [north, south, west] }, sluice: { role: provenance } }
          - { name: amount, type: number, constraints: { minimum: 0 } }
          - { name: seconds, type: number }
          - { name: text, type: string, sluice: { role: text, pii: { scan: true, operator: replace } } }
          - { name: label, type: string, constraints: { enum: [billing, bug, praise] }, sluice: { role: label } }
        sluice:
          apiVersion: sluice/v1
          batch: { maxQuarantinedRate: 0.2 }
          poisoning:
            crossVerify: { key: [ticket], fields: { amount: { tolerance: 0.001 } }, minSources: 3 }

        """

    static let labels = ["billing", "bug", "praise"]
    static let sources = ["north", "south", "west"]
    private static let topics: [[String]] = [
        ["invoice", "charged", "refund", "payment", "price", "receipt", "bank"],
        ["crash", "error", "screen", "broken", "freeze", "install", "login"],
        ["thanks", "great", "love", "helpful", "friendly", "quick", "perfect"],
    ]
    private static let filler = [
        "the", "my", "with", "order", "today", "please", "account", "again", "after", "before", "when", "it", "was",
        "we",
        "team", "app", "yesterday", "phone", "still", "just", "then", "once", "week", "new", "old", "page", "here",
        "there",
    ]

    private(set) var rows: [Row] = []
    private var random: SplitMix64

    /// Clean rows: all three sources describe every ticket alike.
    init(rows count: Int, seed: UInt64) {
        random = SplitMix64(seed: seed)
        let base = Int(seed % 1_000_000) * 1_000_000
        var ticket = base
        while rows.count < count {
            ticket += 1
            let kind = random.below(10) < 5 ? 0 : random.below(2) + 1
            let amount = (100 * (1 + 3 * unit() * unit()) * [1.0, 2.0, 0.5][kind]).rounded()
            for source in Self.sources where rows.count < count {
                var words: [String] = []
                for _ in 0..<(6 + random.below(8)) {
                    words.append(random.below(3) == 0 ? pick(Self.topics[kind]) : pick(Self.filler))
                }
                rows.append(
                    Row(
                        id: rows.count + 1 + base, ticket: ticket, source: source, amount: amount,
                        seconds: ((normal() * 20 + 200 + 40 * Double(kind)) * 100).rounded() / 100,
                        text: words.joined(separator: " "), label: Self.labels[kind]))
            }
        }
    }

    private mutating func unit() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    /// About normal: twelve uniform numbers.
    private mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }
    private mutating func pick(_ words: [String]) -> String { words[random.below(words.count)] }

    /// Changes rows chosen at random.
    ///
    /// - Parameters:
    ///   - count: number of rows.
    ///   - isWanted: the rows that may be chosen.
    ///   - change: changes a row; gets the number of rows changed before.
    /// - Returns: the numbers of the changed rows, from 1.
    mutating func plant(
        _ count: Int, where isWanted: (Row) -> Bool = { _ in true }, _ change: (inout Row, Int) -> Void
    ) -> Set<Int> {
        var usable = rows.indices.filter { isWanted(rows[$0]) }
        var planted = Set<Int>()
        while planted.count < count, !usable.isEmpty {
            let place = usable.remove(at: random.below(usable.count))
            change(&rows[place], planted.count)
            planted.insert(place + 1)
        }
        return planted
    }

    /// The sample as CSV.
    var csv: String {
        var out = "id,ticket,source,amount,seconds,text,label\n"
        for row in rows {
            out += "\(row.id),\(row.ticket),\(row.source),\(row.amount),\(row.seconds),\(row.text),\(row.label)\n"
        }
        return out
    }
}
