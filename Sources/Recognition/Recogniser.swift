/// What a check says of a candidate that has the right form: `unlikely` counts only beside a context word, where a slip of the pen is
/// still somebody's number; `sure` is a second sign, such as a check digit that not all numbers have, and adds 0.3.
enum Verdict { case no, unlikely, yes, sure }

/// How one entity is recognised: its forms with their scores, a check of what was found, and words that make it likelier.
struct Recogniser: Sendable {
    /// A form (`Shape.ways`) and how sure it is, with its checksum where there is one.
    ///
    /// A checksum of one digit lets one number in ten through, so that bare digits with such a one score less than the usual 0.6 and
    /// count only beside a context word or in a column that is named so.
    typealias Form = (pattern: String, score: Double)

    let entity: Entity
    let forms: [Form]
    let context: [String]
    /// Words that as a column's name say it all: in such a column a value that is wholly of the form is that, however little the form says.
    let names: [String]
    /// Judges what has the form; nil when the form says it all.
    let check: (@Sendable (Symbols) -> Verdict)?

    /// Words that say something in a sentence, and nothing as the name of a column: driver_earnings, call_id, social_followers.
    private static let vagueNames: Set<String> = Set(
        """
        account accounts address auto bank business call called calls cap car card cell cep check checking company contact \
        contacts date debit \
        delivery dl driver drivers driving health id identity insurance link mail mailing medical mot national number org pass \
        patient permit plate plates portable practitioner praxis provider providers reg resident ring savings security shipping social ss \
        tax
        """.split(separator: " ").map(String.init))

    /// A recogniser; context words are separated by spaces and compared without case.
    ///
    /// - Parameter names: the same for columns, where context words also mean other things there.
    init(
        _ entity: Entity, _ forms: [Form], context: String = "", names: String? = nil,
        check: (@Sendable (Symbols) -> Verdict)? = nil
    ) {
        self.names = (names ?? context).split(separator: " ").map(String.init).filter { !Self.vagueNames.contains($0) }
        self.entity = entity
        self.forms = forms
        self.context = context.split(separator: " ").map(String.init)
        self.check = check
    }

    /// A recogniser whose check is yes or no.
    init(
        _ entity: Entity, _ forms: [Form], context: String, names: String? = nil,
        holds: @escaping @Sendable (Symbols) -> Bool
    ) {
        self.init(entity, forms, context: context, names: names) { holds($0) ? .yes : .no }
    }

    /// Every recogniser. Those without forms are written out by hand and stand here for their words.
    static let all: [Recogniser] =
        everywhere + americas + britain + southernEurope + germany + northernEurope + asia + elsewhere

    /// Entities none of whose forms count without a context word.
    static let needsContext: Set<Entity> = Set(
        all.filter { !$0.forms.isEmpty && $0.forms.allSatisfy { $0.score < 0.4 } }.map(\.entity) + [.dateOfBirth])

    /// Entities that are numbers, of which something else may have the like.
    static let numbers: EntitySet = EntitySet(
        all.filter { !$0.forms.isEmpty }.map(\.entity) + [.creditCard, .phoneNumber])

    /// Entities that a check tells from other numbers of their form.
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

    static let checks: [(@Sendable (Symbols) -> Verdict)?] = all.map(\.check)
}
