/// A kind of personal data that can be recognised by its form alone; the names are Presidio's.
package enum Entity: String, Sendable, CaseIterable {
    /// An e-mail address.
    case emailAddress = "EMAIL_ADDRESS"
    /// A telephone number: North American, or international with `+`.
    case phoneNumber = "PHONE_NUMBER"
    /// A United States social security number.
    case socialSecurity = "US_SSN"
    /// A payment card number, checked by Luhn's sum.
    case creditCard = "CREDIT_CARD"
    /// An Internet address, version 4 or 6, with its prefix length if it has one.
    case ipAddress = "IP_ADDRESS"
    /// An international bank account number, checked modulo 97.
    case bankAccount = "IBAN_CODE"

    /// Whether a match passed a checksum, so that chance hardly explains it.
    var isChecksummed: Bool { self == .creditCard || self == .bankAccount }

    /// The entity's bit in an `EntitySet`.
    var bit: UInt8 {
        switch self {
        case .emailAddress: 1
        case .phoneNumber: 2
        case .socialSecurity: 4
        case .creditCard: 8
        case .ipAddress: 16
        case .bankAccount: 32
        }
    }
}

/// A set of entities in one byte, because membership is asked at every candidate.
struct EntitySet: Sendable, Equatable {
    private var bits: UInt8 = 0

    init(_ entities: some Sequence<Entity>) { for entity in entities { bits |= entity.bit } }

    /// Whether `entity` is a member.
    func contains(_ entity: Entity) -> Bool { bits & entity.bit != 0 }
}

/// Where an entity was found in the scanned bytes, and how sure that is.
package struct EntityMatch: Sendable, Equatable {
    /// What was found.
    package var entity: Entity
    /// Its first byte.
    package var start: Int
    /// The first byte past it.
    package var end: Int
    /// Confidence: 1 with a checksum or a context word, at least 0.6 otherwise.
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

    /// Which of two overlapping matches stays: with a checksum first, then the longer, then the earlier.
    func outranks(_ other: EntityMatch) -> Bool {
        if entity.isChecksummed != other.entity.isChecksummed { return entity.isChecksummed }
        if end - start != other.end - other.start { return end - start > other.end - other.start }
        return start < other.start
    }
}
