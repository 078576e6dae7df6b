package import Recognition

/// What the columns of some rows hold: counts that can be added up, from which it is told what a column is.
package struct ColumnEvidence: Sendable, Equatable {
    /// For each column that is searched, its values.
    package var values: [Int: Int] = [:]
    /// For each column and entity, values that are wholly that.
    package var wholes: [Int: [Entity: Int]] = [:]
    /// For each column and entity, values with such a thing in them.
    package var inside: [Int: [Entity: Int]] = [:]
    /// For each column and entity, values that have the form of those in which it was found, whether it was found in
    /// them or not.
    package var alike: [Int: [Entity: Int]] = [:]

    /// Evidence of nothing.
    package init() {}

    /// Adds other rows'.
    package mutating func merge(_ other: ColumnEvidence) {
        values.merge(other.values, uniquingKeysWith: +)
        wholes.merge(other.wholes) { $0.merging($1, uniquingKeysWith: +) }
        inside.merge(other.inside) { $0.merging($1, uniquingKeysWith: +) }
        alike.merge(other.alike) { $0.merging($1, uniquingKeysWith: +) }
    }

    /// Values that a verdict needs (FEATURES 7.9).
    package static let valuesMin = 100
    /// Share of a column's values that make it what they are.
    package static let shareMin = 0.2
    /// Share from which also the values that are something else are replaced: they are most likely written badly.
    package static let shareToReplace = 0.8

    /// The share of a column's values that are an entity.
    package func share(of entity: Entity, in column: Int) -> Double {
        Double(wholes[column]?[entity] ?? 0) / Double(max(values[column] ?? 0, 1))
    }

    /// Whether most values of a column, however few, are wholly an entity.
    package func isColumn(of entity: Entity, _ column: Int) -> Bool { share(of: entity, in: column) > 0.5 }

    /// Values of a key that are somebody's, from which on the batch waits, and their share.
    private static let keysMin = 3, keysShareMin = 0.01

    /// What a column is that is told of as a whole, below what a verdict needs: a key some of whose values are
    /// somebody's, and one that is told once rather than in its rows.
    package func kind(_ column: Int, isKey: Bool) -> Entity? {
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, best.value > 0 else { return nil }
        if isKey, best.value >= Self.keysMin || share(of: best.key, in: column) >= Self.keysShareMin { return best.key }
        return best.key.isQuasi && isColumn(of: best.key, column) ? best.key : nil
    }

    /// What a column is: the entity that at least a fifth of at least a hundred values are.
    package func verdict(_ column: Int) -> Entity? {
        guard let count = values[column], count >= Self.valuesMin else { return nil }
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, Double(best.value) >= Self.shareMin * Double(count) else { return nil }
        return best.key
    }

    /// Values of one form that a judgement about all of them needs.
    private static let alikeMin = 10
    /// The share of all numbers that a check digit lets through, at most.
    private static let chance = 0.1

    /// Whether what was found of an entity in a column is no more than chance finds among numbers of that form: then it
    /// is none.
    ///
    /// A check digit lets a tenth of all numbers through, and the number of hits is binomial: three standard deviations
    /// above that, and one more. In a column that is called like something else, or is a key, what is found must be
    /// most of its form, and three at least.
    package func isChance(_ entity: Entity, in column: Int, isOfThings: Bool) -> Bool {
        let hits = (wholes[column]?[entity] ?? 0) + (inside[column]?[entity] ?? 0)
        let tries = alike[column]?[entity] ?? 0
        guard hits > 0, tries > 0, entity.mayBeChance else { return false }
        if isOfThings, hits < 3 || 2 * hits <= tries { return true }
        let expected = Self.chance * Double(tries)
        return tries >= Self.alikeMin
            && Double(hits) <= expected + 3 * (expected * (1 - Self.chance)).squareRoot() + 1
    }

    /// Without what turned out to be chance.
    package mutating func forget(_ entity: Entity, in column: Int) {
        wholes[column]?[entity] = nil
        inside[column]?[entity] = nil
    }
}

/// The form of a short value: its signs, where its letters and digits are, and how long its long runs are. Values of
/// one form are numbered by one hand.
struct ValueForm: Hashable {
    private let hash: UInt64

    /// Longer ones are prose.
    private static let lengthMax = 48

    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty, range.count <= Self.lengthMax else { return nil }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var at = range.lowerBound
        while at < range.upperBound {
            let (kind, start) = (Self.kind(bytes[at]), at)
            at += 1
            if kind < 3 { while at < range.upperBound, Self.kind(bytes[at]) == kind { at += 1 } }
            let run = at - start
            // Short runs are counted up, and grow: 9.9.10.4.
            hash = (hash ^ UInt64(kind)) &* 0x100_0000_01B3
            if kind < 3, run > 4 { hash = (hash ^ UInt64(run)) &* 0x100_0000_01B3 }
        }
        self.hash = hash
    }

    /// 1 for a digit, 2 for a letter, else the byte itself.
    private static func kind(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return 1 }
        return (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 ? 2 : max(byte, 3)
    }
}

/// How many values of a column have the forms in which entities were found.
struct FormCounts {
    private var forms: [ValueForm: Set<Entity>] = [:]
    private(set) var counts: [Entity: Int] = [:]
    var isEmpty: Bool { forms.isEmpty }
    /// Forms that are remembered; a column with more is of no one form.
    private static let limit = 32

    mutating func note(_ form: ValueForm?, _ entity: Entity) {
        guard let form, forms.count < Self.limit || forms[form] != nil else { return }
        forms[form, default: []].insert(entity)
    }

    mutating func count(_ form: ValueForm?) {
        guard let form, let entities = forms[form] else { return }
        for entity in entities { counts[entity, default: 0] += 1 }
    }
}
