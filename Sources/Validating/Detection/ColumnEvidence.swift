package import Recognition

/// Counts of what the columns of some rows hold. They can be merged, and say which entity a column is.
package struct ColumnEvidence: Sendable, Equatable {
    /// For each column that is searched, its values.
    package var values: [Int: Int] = [:]
    /// For each column and entity, the values that are the entity as a whole.
    package var wholes: [Int: [Entity: Int]] = [:]
    /// For each column and entity, the values that contain it.
    package var inside: [Int: [Entity: Int]] = [:]
    /// For each column and entity, the values that have the same form as a value in which it was found.
    package var alike: [Int: [Entity: Int]] = [:]

    /// Evidence without rows.
    package init() {}

    /// Adds the counts of other rows.
    package mutating func merge(_ other: ColumnEvidence) {
        values.merge(other.values, uniquingKeysWith: +)
        wholes.merge(other.wholes) { $0.merging($1, uniquingKeysWith: +) }
        inside.merge(other.inside) { $0.merging($1, uniquingKeysWith: +) }
        alike.merge(other.alike) { $0.merging($1, uniquingKeysWith: +) }
    }

    /// The fewest values from which the kind of a column is told.
    package static let valuesMin = 100
    /// The share of a column's values that must be an entity for the column to be one.
    package static let shareMin = 0.2
    /// The share from which the column's other values are replaced too, since they are most likely misspelt entities.
    package static let shareToReplace = 0.8

    /// The share of a column's values that are an entity.
    package func share(of entity: Entity, in column: Int) -> Double {
        Double(wholes[column]?[entity] ?? 0) / Double(max(values[column] ?? 0, 1))
    }

    /// Whether most values of a column, however few, are wholly an entity.
    package func isColumn(of entity: Entity, _ column: Int) -> Bool { share(of: entity, in: column) > 0.5 }

    /// A batch is held from this many values of a key that are personal data, or from this share of them.
    private static let keysMin = 3, keysShareMin = 0.01

    /// The entity that is reported once for the column although there is too little evidence for `verdict`: of a key,
    /// from a few values on; of a quasi-identifier, when most values are that.
    package func kind(_ column: Int, isKey: Bool) -> Entity? {
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, best.value > 0 else { return nil }
        if isKey, best.value >= Self.keysMin || share(of: best.key, in: column) >= Self.keysShareMin { return best.key }
        return best.key.isQuasi && isColumn(of: best.key, column) ? best.key : nil
    }

    /// The entity of a column: the one that at least a fifth of at least a hundred values are.
    package func verdict(_ column: Int) -> Entity? {
        guard let count = values[column], count >= Self.valuesMin else { return nil }
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, Double(best.value) >= Self.shareMin * Double(count) else { return nil }
        return best.key
    }

    /// The fewest values of one form from which chance is judged.
    private static let alikeMin = 10
    /// The largest share of random numbers that passes a check digit.
    private static let chance = 0.1

    /// Whether the hits of an entity in a column are no more than chance gives among numbers of that form.
    ///
    /// A check digit passes a tenth of random numbers, and the number of hits is binomial; chance ends three standard
    /// deviations above its mean, plus one hit. In a key or a column whose name says something else, at least three
    /// hits are needed, and more than half of the values of their form.
    package func isChance(_ entity: Entity, in column: Int, isOfThings: Bool) -> Bool {
        let hits = (wholes[column]?[entity] ?? 0) + (inside[column]?[entity] ?? 0)
        let tries = alike[column]?[entity] ?? 0
        guard hits > 0, tries > 0, entity.mayBeChance else { return false }
        if isOfThings, hits < 3 || 2 * hits <= tries { return true }
        let expected = Self.chance * Double(tries)
        return tries >= Self.alikeMin
            && Double(hits) <= expected + 3 * (expected * (1 - Self.chance)).squareRoot() + 1
    }

    /// Removes an entity whose hits are chance.
    package mutating func forget(_ entity: Entity, in column: Int) {
        wholes[column]?[entity] = nil
        inside[column]?[entity] = nil
    }
}

/// The form of a short value: its signs, the places of its letters and digits, and the lengths of its runs above four.
/// Values of one form come from one numbering scheme.
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
            // Short runs vary in length within one scheme: 9.9.10.4.
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

/// Counts the values of a column that have a form in which an entity was found.
struct FormCounts {
    private var forms: [ValueForm: Set<Entity>] = [:]
    private(set) var counts: [Entity: Int] = [:]
    var isEmpty: Bool { forms.isEmpty }
    /// The most forms that are kept; a column with more has no form of its own.
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
