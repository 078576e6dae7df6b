package import Tabular
package import Recognition

/// Counts of the entities in the columns of some rows, from which a column's entity is concluded. Merging is
/// commutative.
package struct ColumnEvidence: Sendable, Equatable {
    /// By searched column, the number of its values.
    package var values: [Int: Int] = [:]
    /// By column and entity, the values that are the entity as a whole.
    package var wholes: [Int: [Entity: Int]] = [:]
    /// By column and entity, the values that contain it.
    package var inside: [Int: [Entity: Int]] = [:]
    /// By column and entity, the values of the same form as a value in which it was found.
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

    /// Fewest values from which a column's entity is concluded.
    package static let valuesMin = 100
    /// Share of a column's values that must be an entity for the column to be one.
    package static let shareMin = 0.2
    /// Share from which the column's other values are replaced too, since they are probably misspelt.
    package static let shareToReplace = 0.8

    /// The share of a column's values that are an entity.
    package func share(of entity: Entity, in column: Int) -> Double {
        Double(wholes[column]?[entity] ?? 0) / Double(max(values[column] ?? 0, 1))
    }

    /// Whether most values of a column, however few, are wholly an entity.
    package func isColumn(of entity: Entity, _ column: Int) -> Bool { share(of: entity, in: column) > 0.5 }

    /// Number, or share, of a key's values that are personal data, from which a batch is held.
    private static let keysMin = 3, keysShareMin = 0.01

    /// The entity that is reported once for the column although `verdict` needs more evidence: of a key, from a few
    /// values on; of a quasi-identifier, from a majority on.
    package func kind(_ column: Int, isKey: Bool) -> Entity? {
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, best.value > 0 else { return nil }
        if isKey, best.value >= Self.keysMin || share(of: best.key, in: column) >= Self.keysShareMin { return best.key }
        return best.key.isQuasi && isColumn(of: best.key, column) ? best.key : nil
    }

    /// The entity of a column: at least a fifth of at least a hundred values are one.
    package func verdict(_ column: Int) -> Entity? {
        guard let count = values[column], count >= Self.valuesMin else { return nil }
        let best = wholes[column]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
        guard let best, Double(best.value) >= Self.shareMin * Double(count) else { return nil }
        return best.key
    }

    /// Fewest values of one form from which chance is judged.
    private static let alikeMin = 10
    /// The largest share of random numbers that passes a check digit.
    private static let chance = 0.1

    /// Whether the matches of an entity are no more than chance gives among numbers of that form.
    ///
    /// A check digit accepts a tenth of random numbers, so the number of matches is binomial. The bound is three
    /// standard deviations above its mean, plus one. In a key, or a column whose name means something else, at least
    /// three matches are needed, and more than half of the values of their form.
    ///
    /// - Parameters:
    ///   - entity: the entity.
    ///   - column: the column.
    ///   - isOfThings: whether the column is a key or named after things.
    package func isChance(_ entity: Entity, in column: Int, isOfThings: Bool) -> Bool {
        let hits = (wholes[column]?[entity] ?? 0) + (inside[column]?[entity] ?? 0)
        let tries = alike[column]?[entity] ?? 0
        guard hits > 0, tries > 0, entity.mayBeChance else { return false }
        if isOfThings, hits < 3 || 2 * hits <= tries { return true }
        let expected = Self.chance * Double(tries)
        return tries >= Self.alikeMin
            && Double(hits) <= expected + 3 * (expected * (1 - Self.chance)).squareRoot() + 1
    }

    /// Removes an entity whose matches are chance.
    package mutating func forget(_ entity: Entity, in column: Int) {
        wholes[column]?[entity] = nil
        inside[column]?[entity] = nil
    }
}

/// The form of a short value: its signs, the positions of letters and digits, and the lengths of runs above four.
/// Values of one form come from one numbering scheme.
struct ValueForm: Hashable {
    private let hash: UInt64

    /// Longer values are prose.
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
            // Short runs vary in length within a scheme: 9.9.10.4.
            hash = (hash ^ UInt64(kind)) &* 0x100_0000_01B3
            if kind < 3, run > 4 { hash = (hash ^ UInt64(run)) &* 0x100_0000_01B3 }
        }
        self.hash = hash
    }

    /// 1 for a digit, 2 for a letter, otherwise the byte.
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
    /// Most forms kept; a column with more has no form of its own.
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

extension ColumnEvidence: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(values)
        for counts in [wholes, inside, alike] { wire.append(counts) }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        values = try wire.read()
        (wholes, inside, alike) = (try wire.read(), try wire.read(), try wire.read())
    }
}
