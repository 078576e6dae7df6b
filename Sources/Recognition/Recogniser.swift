/// The result of checking a candidate of the right form. `unlikely` counts only beside a context word: there, a number
/// with a typing error still identifies a person. `sure` means further evidence, such as an optional check digit, and
/// adds 0.3 to the score.
enum Plausibility { case no, unlikely, yes, sure }

/// The recognition of one entity: forms with scores, a check, and context words.
struct Recogniser: Sendable {
    /// A form (`Shape.ways`) with its score, which includes the checksum where there is one.
    ///
    /// A check digit accepts one number in ten. Bare digits with one therefore score below the threshold of 0.6 and
    /// need a context word or a column of that name.
    typealias Form = (pattern: String, score: Double)

    let entity: Entity
    let forms: [Form]
    let context: [String]
    /// Column names that suffice: in such a column a whole value of the form is a match, however weak the form.
    let names: [String]
    /// Checks a candidate of the right form; nil when the form suffices.
    let check: (@Sendable (Symbols) -> Plausibility)?

    /// Context words that are ambiguous in column names: driver_earnings, call_id, social_followers.
    private static let vagueNames: Set<String> = Set(
        """
        account accounts address auto bank business call called calls cap car card cell cep check checking company contact \
        contacts date debit \
        delivery dl driver drivers driving health id identity insurance link mail mailing medical mot national number org pass \
        patient permit plate plates portable practitioner praxis provider providers reg resident ring savings security shipping social ss \
        tax
        """.split(separator: " ").map(String.init))

    /// A recogniser.
    ///
    /// - Parameters:
    ///   - entity: the entity.
    ///   - forms: its forms with their scores.
    ///   - context: context words, separated by spaces, in any case.
    ///   - names: column names, if they differ from the context words.
    ///   - check: the check of a candidate.
    init(
        _ entity: Entity, _ forms: [Form], context: String = "", names: String? = nil,
        check: (@Sendable (Symbols) -> Plausibility)? = nil
    ) {
        self.names = (names ?? context).split(separator: " ").map(String.init).filter { !Self.vagueNames.contains($0) }
        self.entity = entity
        self.forms = forms
        self.context = context.split(separator: " ").map(String.init)
        self.check = check
    }

    /// A recogniser whose check is yes or no.
    ///
    /// - Parameters:
    ///   - entity: the entity.
    ///   - forms: its forms with their scores.
    ///   - context: context words, separated by spaces.
    ///   - names: column names, if they differ.
    ///   - holds: the check of a candidate.
    init(
        _ entity: Entity, _ forms: [Form], context: String, names: String? = nil,
        holds: @escaping @Sendable (Symbols) -> Bool
    ) {
        self.init(entity, forms, context: context, names: names) { holds($0) ? .yes : .no }
    }

    /// Every recogniser, including those that are functions, for their context words.
    static let all: [Recogniser] =
        everywhere + americas + britain + southernEurope + germany + northernEurope + asia + elsewhere

    /// Entities all of whose forms need a context word.
    static let needsContext: Set<Entity> = Set(
        all.filter { !$0.forms.isEmpty && $0.forms.allSatisfy { $0.score < 0.4 } }.map(\.entity) + [.dateOfBirth])

    /// Entities that are numbers, whose form other numbers may have.
    static let numbers: EntitySet = EntitySet(
        all.filter { !$0.forms.isEmpty }.map(\.entity) + [.creditCard, .phoneNumber])

    /// Entities whose check distinguishes them from other numbers of their form.
    static let checked: EntitySet = EntitySet(
        all.filter { $0.check != nil }.map(\.entity) + [.creditCard, .ibanCode, .crypto, .ipAddress])

    /// The shapes of all recognisers.
    static let index: ShapeIndex = {
        var ways: [ShapeIndex.Way] = []
        for (place, recogniser) in all.enumerated() {
            for form in recogniser.forms {
                ways += Shape.ways(form.pattern).map { (recogniser.entity, form.score, $0, place) }
            }
        }
        return ShapeIndex(ways)
    }()

    static let checks: [(@Sendable (Symbols) -> Plausibility)?] = all.map(\.check)
}
