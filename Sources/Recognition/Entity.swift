import Tabular
/// A kind of personal data that is recognised by its form, a checksum or the words around it. Names follow Presidio's.
package enum Entity: UInt8, Sendable, CaseIterable {
    // Everywhere.
    case emailAddress, phoneNumber, creditCard, ibanCode, ipAddress, macAddress, url, crypto
    /// Dates and times: only searched for if the contract names them, since nearly every table has some.
    case dateTime
    /// A date beside a word such as `born`; not one of Presidio's.
    case dateOfBirth
    /// A postal code beside a word such as `zip`; not one of Presidio's.
    case postalCode
    /// Latitude and longitude; not one of Presidio's.
    case coordinates
    // The Americas.
    case usSsn, usItin, usPassport, usDriverLicense, usBankNumber, abaRoutingNumber, medicalLicense, usNpi, usMbi
    case caSin, brCpf, brCnpj
    // Europe.
    case ukNhs, ukNino, ukPassport, ukPostcode, ukDrivingLicence, ukVehicleRegistration
    case esNif, esNie, esPassport
    case itFiscalCode, itVatCode, itDriverLicense, itIdentityCard, itPassport
    case deTaxId, deTaxNumber, deIdCard, dePassport, deSocialSecurity, deHealthInsurance, deVatId, deFuehrerschein
    case deKfz, deLanr, deBsnr, dePlz, deHandelsregister
    case frNir, plPesel, fiPersonalIdentityCode, sePersonnummer, seOrganisationsnummer, trNationalId, trLicensePlate
    // Asia, Africa and Australia.
    case inAadhaar, inPan, inPassport, inVoter, inVehicleRegistration, inGstin
    case sgNricFin, sgUen, krRrn, krFrn, krBrn, krPassport, krDriverLicense, jpMyNumber, thTnin, phTin
    case ngNin, ngVehicleRegistration, zaIdNumber
    case auAbn, auAcn, auTfn, auMedicare
    // Without a form: found by lists of names only.
    case person, location, organization, nrp

    /// The entity's name, such as `EMAIL_ADDRESS`: the case's name with an underscore before each capital.
    package var name: String { Self.names[Int(rawValue)] }

    /// Number of entities.
    package static let count = allCases.count

    /// The entity with a name; nil for an unknown one.
    package init?(name: String) {
        guard let index = Self.names.firstIndex(of: name) else { return nil }
        self = Self.allCases[index]
    }

    private static let names: [String] = allCases.map { entity in
        String(describing: entity).reduce(into: "") { name, letter in
            if letter.isUppercase { name.append("_") }
            name.append(contentsOf: letter.uppercased())
        }
    }

    /// Whether it has no form, so that only a list of names finds it.
    package var isListed: Bool { [.person, .location, .organization, .nrp].contains(self) }

    /// Whether it is recognised by a form.
    package var hasForm: Bool { !isListed }

    /// The default: all but dates and URLs, which seldom identify a person.
    package static let usual: Set<Entity> = Set(allCases.filter { !$0.isListed }).subtracting([.dateTime, .url])

    /// Whether other numbers of its form may match by chance, which its check then distinguishes.
    package var mayBeChance: Bool { Recogniser.checked.contains(self) }

    /// Entities that are numbers, whose form other numbers may have.
    package static let numbers: Set<Entity> = Set(allCases.filter { Recogniser.numbers.contains($0) })

    /// Whether a value alone identifies nobody, so that a column of them is reported once instead of in each row:
    /// postal codes and coordinates.
    package var isQuasi: Bool { [.postalCode, .ukPostcode, .dePlz, .coordinates].contains(self) }

    /// The lowest score of a match: 0.6, or 0.4 for a form that counts only beside a context word.
    package var threshold: Double { Recogniser.needsContext.contains(self) ? 0.4 : 0.6 }
}

/// A set of entities in a 128-bit integer, since membership is tested for every candidate.
struct EntitySet: Sendable, Equatable {
    private(set) var bits: UInt128 = 0

    init() {}
    init(_ entities: some Sequence<Entity>) { for entity in entities { insert(entity) } }

    /// Whether `entity` is a member.
    @inline(__always)
    func contains(_ entity: Entity) -> Bool { (bits &>> UInt128(entity.rawValue)) & 1 == 1 }

    mutating func insert(_ entity: Entity) { bits |= 1 &<< UInt128(entity.rawValue) }

    /// Marks filler words between a number and its context word: `is`, `no`.
    static let filler = EntitySet(bit: 126)
    /// Marks words for things that have numbers: orders, parcels, goods.
    static let thing = EntitySet(bit: 127)

    private init(bit: UInt128) { bits = 1 &<< bit }
    /// The set without the two marks.
    var entities: EntitySet {
        var set = self
        set.bits &= ~(Self.filler.bits | Self.thing.bits)
        return set
    }
    var isFiller: Bool { bits & Self.filler.bits != 0 }
    var isThing: Bool { bits & Self.thing.bits != 0 }
    mutating func formUnion(_ other: EntitySet) { bits |= other.bits }
    var isEmpty: Bool { bits == 0 }
}

/// A match: the entity, its place in the scanned bytes, and a score.
package struct EntityMatch: Sendable, Equatable {
    /// The entity.
    package var entity: Entity
    /// Offset of its first byte.
    package var start: Int
    /// Offset past its last byte.
    package var end: Int
    /// The score: 1 with a strong checksum, 0.35 more beside a context word, at least the entity's threshold.
    package var score: Double

    /// Makes a match.
    package init(entity: Entity, start: Int, end: Int, score: Double) {
        self.entity = entity
        self.start = start
        self.end = end
        self.score = score
    }

    /// The bytes it covers.
    package var range: Range<Int> { start..<end }

    /// The better of two overlapping matches, extended to cover both.
    package func united(with other: EntityMatch) -> EntityMatch {
        var best = outranks(other) ? self : other
        (best.start, best.end) = (min(start, other.start), max(end, other.end))
        return best
    }

    /// Whether this match wins over an overlapping one: a score of 1 first, then length, then score, then the earlier
    /// start.
    package func outranks(_ other: EntityMatch) -> Bool {
        if (score >= 1) != (other.score >= 1) { return score >= 1 }
        if end - start != other.end - other.start { return end - start > other.end - other.start }
        if score != other.score { return score > other.score }
        return start < other.start
    }
}

extension [EntityMatch] {
    /// Merges matches in any order into those from `first` on, which are in order. Overlaps take the better match,
    /// extended over both.
    package mutating func unite(since first: Int, with more: [EntityMatch]) {
        if more.isEmpty { return }
        let all = (self[first...] + more).sorted { ($0.start, $1.end) < ($1.start, $0.end) }
        removeLast(count - first)
        for match in all {
            if count > first, self[count - 1].end > match.start {
                self[count - 1] = match.united(with: self[count - 1])
            } else {
                append(match)
            }
        }
    }
}

extension Entity: WireValue {}
