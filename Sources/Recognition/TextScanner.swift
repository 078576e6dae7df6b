/// Finds personal data and credentials in text: one pass, no regular expressions, no memory, linear time on any input.
///
/// `AnchorMap` says where to look; a recogniser then looks at a bounded window around that place. What is found counts by its
/// score: of the form, of a checksum, and of the words around it or in the column's name.
package struct TextScanner: Sendable {
    private let sought: EntitySet
    /// What the column's name already says, and what it says so plainly that a whole value is that.
    private var named: EntitySet, called: EntitySet
    /// What the words of its name speak of in a sentence.
    private var spoken = EntitySet()
    /// The column's name, where that is one of a credential.
    private var credential: [UInt8]?
    /// Whether values are numbers rather than text.
    package var isNumber = false
    /// Whether the name says that dotted numbers are no addresses.
    package private(set) var isVersion = false
    /// Whether the name says that numbers are those of something else: orders, parcels, goods.
    package private(set) var isOfThings = false
    /// Whether credentials are looked for.
    package let findsSecrets: Bool
    private let rules: Rules

    /// What does not depend on the name: behind one reference, since a scanner is handed on for each value.
    private final class Rules: Sendable {
        /// What a match of each entity must score, and what it must as a whole value of a column that is called so.
        let least: [Double], leastWhereCalled: [Double]
        let index = Recogniser.index
        let words = ContextWords.all

        init(least: [Double], leastWhereCalled: [Double]) {
            self.least = least
            self.leastWhereCalled = leastWhereCalled
        }
    }

    /// Whether a column's name says that it holds any entity.
    package static func isCalledAny(_ columnName: String) -> Bool { !ContextWords.names.called(columnName).isEmpty }

    /// Whether a column's name says that it holds an entity.
    package static func isCalled(_ entity: Entity, _ columnName: String) -> Bool {
        ContextWords.names.called(columnName).contains(entity)
    }

    /// A scanner for `entities`; words in `columnName` count as context of everything in the column.
    ///
    /// - Parameters:
    ///   - minimumScore: what a match must score to count, instead of each entity's own threshold; a whole value of a column that is
    ///     called so still counts at that.
    ///   - thresholds: what it must score instead of either.
    package init(
        entities: Set<Entity>, columnName: String = "", secrets: Bool = false, minimumScore: Double? = nil,
        thresholds: [Entity: Double] = [:]
    ) {
        sought = EntitySet(entities)
        (named, called) = (EntitySet(), EntitySet())
        findsSecrets = secrets
        let least = Entity.allCases.map { thresholds[$0] ?? minimumScore ?? $0.threshold }
        rules = Rules(
            least: least,
            leastWhereCalled: zip(Entity.allCases, least).map { entity, least in
                thresholds[entity] ?? min(least, entity.threshold)
            })
        hear(columnName)
    }

    /// What the name of a member of an object says of its value.
    package enum Name: Sendable {
        /// What is in it: it is searched like a column of that name.
        case telling(TextScanner)
        /// Nothing, so that the object's own name holds: `number`, `home`, `0`.
        case plain
        /// Something else, of which a word may speak all the same: `ssn_of_customer`.
        case other(TextScanner)
    }

    /// What a member's name says.
    package func member(_ name: String) -> Name {
        var scanner = self
        (scanner.named, scanner.called, scanner.credential) = (EntitySet(), EntitySet(), nil)
        (scanner.isVersion, scanner.isOfThings) = (false, false)
        scanner.hear(name)
        if scanner.isTelling { return .telling(scanner) }
        return ContextWords.isPlain(name) ? .plain : .other(scanner)
    }

    /// A scanner to which also the words of an outer object's name speak.
    package func inside(_ outer: TextScanner) -> TextScanner {
        var scanner = self
        scanner.named.formUnion(outer.named)
        return scanner
    }

    /// Whether the column's name says that a value is an entity or a credential.
    package var isTelling: Bool { !called.isEmpty || credential != nil || isVersion }

    /// Whether the column's name speaks of an entity.
    package func isNamed(_ entity: Entity) -> Bool { named.contains(entity) || spoken.contains(entity) }

    /// Learns from a name.
    private mutating func hear(_ name: String) {
        if isVersionName(name) { isVersion = true }
        if ContextWords.names.namesThings(name) { isOfThings = true }
        let more = ContextWords.names.called(name)
        called.formUnion(more)
        named.formUnion(more)
        named.formUnion(ContextWords.names.named(in: name))
        spoken = ContextWords.all.named(in: name)
        if findsSecrets, let name = Secrets.name(in: name) { credential = name }
    }

    /// Appends what is found in `range` of `bytes` to `matches`: in order, without overlaps. Returns the first credential.
    @discardableResult
    package func scan(_ bytes: Span<UInt8>, range: Range<Int>, into matches: inout [EntityMatch]) -> SecretKind? {
        scan(bytes, range: range, anchors: AnchorMap(bytes, range), into: &matches)
    }

    /// The same with anchors that were found before, for a block whose texts are scanned one after the other.
    @discardableResult
    package func scan(
        _ bytes: Span<UInt8>, range: Range<Int>, anchors: borrowing AnchorMap, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        if range.isEmpty { return nil }
        let first = matches.count
        var found = find(bytes, range, anchors, &matches)
        if anchors.holdsOdd(in: range), let folded = FoldedText(bytes, range) {
            found = find(folded, since: first, found, &matches)
        }
        guard let credential, found == nil || found == .namedKey else { return found }
        return Secrets.inColumn(credential, bytes, range) ?? found
    }

    /// Looks through the second view of a text. Of matches that overlap those of the first the better stand for both.
    private func find(
        _ folded: FoldedText, since first: Int, _ found: SecretKind?, _ matches: inout [EntityMatch]
    ) -> SecretKind? {
        var more: [EntityMatch] = []
        let range = folded.bytes.indices
        if range.isEmpty { return found }
        let other = find(folded.bytes.span, range, AnchorMap(folded.bytes.span, range), &more)
        matches.unite(since: first, with: folded.placed(more))
        return found == nil || found == .namedKey ? other ?? found : found
    }

    private func find(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ anchors: borrowing AnchorMap, _ matches: inout [EntityMatch]
    ) -> SecretKind? {
        // Decoded texts stand back to back in a block: what the one before ends with must not hide where a run begins here.
        let low = range.lowerBound
        let before = low > 0 ? bytes[low - 1] : 0
        let isSplit = isDigit(before) && isDigit(bytes[low]) || before == UInt8(ascii: "-") && bytes[low] == before
        let isDash = isSplit && before == UInt8(ascii: "-")
        let at =
            isSplit ? min(low + (isDash ? 1 : 0), range.upperBound) : anchors.next(from: low, below: range.upperBound)
        if at == range.upperBound { return nil }
        var look = Look(bytes, range, matches.count)
        search(bytes, range, at, anchors, &look, &matches)
        return look.secret
    }

    /// How many bytes a scan looks at, counting each look.
    func cost(_ bytes: Span<UInt8>, _ range: Range<Int>, _ matches: inout [EntityMatch]) -> Int {
        let anchors = AnchorMap(bytes, range)
        var look = Look(bytes, range, matches.count)
        search(bytes, range, anchors.next(from: range.lowerBound, below: range.upperBound), anchors, &look, &matches)
        return look.view.looks + range.count
    }

    /// What one scan knows of itself.
    struct Look {
        var view: ScanWindow
        /// Matches that were there before.
        let first: Int
        var secret: SecretKind?
        /// Where the last word that might be a credential ends.
        var tokenEnd: Int
        /// Where the last word of a key with signs in it ends, and where that key begins.
        var partsEnd: Int
        var partsStart = -1
        /// Where the last word that might be a host ends.
        var hostEnd: Int
        /// The best match of the candidate at hand.
        var best: EntityMatch?
        /// The words around the candidate at hand, once they were looked up.
        var context: (range: Range<Int>, entities: EntitySet)?
        /// The words right beside it, likewise.
        var beside: (range: Range<Int>, words: ContextWords.Beside)?

        /// The value without white space around it.
        let whole: Range<Int>

        init(_ bytes: Span<UInt8>, _ range: Range<Int>, _ first: Int) {
            view = ScanWindow(range)
            whole = trimmed(bytes, range)
            self.first = first
            // No credential is shorter but beside its name, which is asked at the sign between them.
            tokenEnd = range.count < Secrets.tokenMin ? range.upperBound : range.lowerBound
            partsEnd = range.lowerBound
            hostEnd = range.lowerBound
        }
    }

    private func search(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ start: Int, _ anchors: borrowing AnchorMap, _ look: inout Look,
        _ matches: inout [EntityMatch]
    ) {
        var at = start
        while at < range.upperBound {
            look.best = nil
            look.context = nil
            look.beside = nil
            let next = candidate(bytes, at, &look)
            if let best = look.best {
                add(best, look.first, &matches)
                at = anchors.next(from: max(next, best.end), below: range.upperBound)
            } else {
                at = anchors.next(from: next, below: range.upperBound)
            }
        }
    }

    /// Asks the recognisers of the byte at `at`; returns where to go on.
    private func candidate(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) -> Int {
        switch bytes[at] {
        case UInt8(ascii: "@"):
            if sought.contains(.emailAddress), let range = matchEmail(bytes, at, &look.view) {
                offer(.emailAddress, range, 0.9, bytes, &look)
            }
        case UInt8(ascii: ":"): colon(bytes, at, &look)
        case UInt8(ascii: "="): if findsSecrets { note(Secrets.equals, bytes, at, &look) }
        case UInt8(ascii: "-"):
            if look.view[bytes, at - 1] == UInt8(ascii: "-") {
                if findsSecrets { note(Secrets.dashes, bytes, at - 1, &look) }
            } else if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &look.view) {
                offer(.macAddress, range, 0.6, bytes, &look)
            }
        case 0x30...0x39:
            var next = at + 1
            while next < look.view.high, isDigit(bytes[next]) { next += 1 }
            look.view.count(next - at)
            if at >= look.tokenEnd, token(bytes, at, &look) { return look.tokenEnd }
            if !sought.isEmpty { number(bytes, at, run: next - at, &look) }
            return next
        case _ where look.view[bytes, at - 1] == UInt8(ascii: "."):
            if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &look.view) {
                offer(.macAddress, range, 0.6, bytes, &look)
            } else if sought.contains(.url), at >= look.hostEnd {
                let host = hostWord(bytes, at, &look.view)
                look.hostEnd = host.upperBound
                if let range = matchBareURL(bytes, host, &look.view) { offer(.url, range, 0.5, bytes, &look) }
            }
        default:
            guard findsSecrets else { break }
            note(Secrets.accessKey, bytes, at, &look)
            // The sixteenth letter of a word that may be a token without a digit.
            if at >= look.tokenEnd, token(bytes, at, &look) { return look.tokenEnd }
        }
        return at + 1
    }

    private func colon(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) {
        if look.view[bytes, at + 1] == UInt8(ascii: "/") {
            if findsSecrets { note(Secrets.colon, bytes, at, &look) }
            if sought.contains(.url), let range = matchURL(bytes, at, &look.view) {
                offer(.url, range, 0.6, bytes, &look)
            }
            return
        }
        if findsSecrets { note(Secrets.named, bytes, at, &look) }
        if sought.contains(.ipAddress), let end = matchUnspecified(bytes, at, &look.view) {
            offer(.ipAddress, at..<end, 0.1, bytes, &look)
        }
        guard isHex(look.view[bytes, at - 1]) || look.view[bytes, at + 1] == UInt8(ascii: ":") else { return }
        if sought.contains(.macAddress), let range = matchMAC(bytes, at - 2, &look.view) {
            offer(.macAddress, range, 0.6, bytes, &look)
        }
        if sought.contains(.ipAddress), let start = hexWordStart(bytes, at, &look.view),
            let end = matchIPv6(bytes, start, &look.view)
        {
            offer(.ipAddress, start..<end, scoreIPv6(bytes, start..<end, &look.view), bytes, &look)
        }
    }

    /// Remembers the first credential.
    private func note(
        _ find: (Span<UInt8>, Int) -> SecretKind?, _ bytes: Span<UInt8>, _ at: Int, _ look: inout Look
    ) {
        if let secret = look.secret, secret != .namedKey { return }
        let found = find(bytes.extracting(look.view.low..<look.view.high), at - look.view.low)
        if let found { look.secret = found }
    }

    /// Looks at the whole word around a digit. Returns whether it is a UUID, whose digits are nothing else; otherwise it may be a
    /// credential.
    private func token(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) -> Bool {
        let word = Secrets.word(bytes, at, look.view.low, look.view.high)
        look.view.count(word.count)
        look.tokenEnd = word.upperBound
        // A key in base64 may have signs in it that part it into short words.
        if findsSecrets, word.lowerBound - 1 > look.partsEnd || look.partsEnd == look.view.low,
            let start = Secrets.start(ofParts: word, bytes, look.view.low, look.view.high)
        {
            if start != look.partsStart { note(Secrets.introduced, bytes, start, &look) }
            look.partsStart = start
        }
        look.partsEnd = word.upperBound
        if word.count < Secrets.tokenMin { return false }
        if Secrets.isUUID(bytes, word) { return true }
        guard findsSecrets else { return false }
        note(Secrets.introduced, bytes, word.lowerBound, &look)
        for place in word {
            switch bytes[place] {
            case 0x5F, 0x2D, 0x2E, UInt8(ascii: "K"), UInt8(ascii: "S"), UInt8(ascii: "z"):
                note(Secrets.inside, bytes, place, &look)
            default: continue
            }
        }
        return false
    }

    /// What the run of digits at `at` begins, or belongs to.
    private func number(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        let before = look.view[bytes, at - 1]
        if sought.contains(.ibanCode), run >= 2, isLetter(before) || run == 2 && isLetter(look.view[bytes, at - 2]) {
            let start = isLetter(before) ? at - 2 : at - 3
            if let (end, score) = matchIBAN(bytes, start, &look.view) {
                offer(.ibanCode, start..<end, score, bytes, &look)
            }
        }
        if run <= 4 { addresses(bytes, at, run: run, before, &look) }
        var letters = 0
        while letters < 8, isLetter(look.view[bytes, at - 1 - letters]) { letters += 1 }
        let start = at - letters
        if sought.contains(.crypto), letters <= 2, let end = matchCrypto(bytes, start, &look.view) {
            offer(.crypto, start..<end, 1, bytes, &look)
        }
        guard startsWord(bytes, start, &look.view) else { return }
        if letters >= 2, !isCapital(before) { glued(bytes, at, run: run, &look) }
        shapes(bytes, at, run: run, letters: letters, &look)
        guard letters == 0, look.view.startsNumber(bytes, at) || before == UInt8(ascii: "(") else { return }
        phones(bytes, at, run: run, before, &look)
        if sought.contains(.creditCard), run >= 12 || run == 4, let card = matchCard(bytes, at, run: run, &look.view) {
            // Thirteen digits are seldom a card's any more, and often something else's.
            let isArticle = isArticleNumber(bytes, at..<card.end)
            let base = card.isIssued ? isArticle ? 0.45 : run == 13 ? 0.65 : 1 : 0.3
            offer(.creditCard, at..<card.end, base, besideOnly: !card.isIssued || isArticle, bytes, &look)
        }
        if run <= 4 {
            if sought.contains(.dateOfBirth) || sought.contains(.dateTime) { dates(bytes, at, run: run, &look) }
            if sought.contains(.deKfz), let range = matchPlate(bytes, at, run: run, &look.view) {
                offer(.deKfz, range, 0.3, bytes, &look)
            }
        }
        if run <= 3, sought.contains(.coordinates), let range = matchCoordinates(bytes, at, run: run, &look.view) {
            offer(.coordinates, range, 0.45, bytes, &look)
        }
    }

    /// Internet and hardware addresses that the digits at `at` are a part of.
    private func addresses(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ before: UInt8, _ look: inout Look) {
        if sought.contains(.ipAddress) {
            if let start = hexWordStart(bytes, at, &look.view), let end = matchIPv6(bytes, start, &look.view) {
                offer(.ipAddress, start..<end, scoreIPv6(bytes, start..<end, &look.view), bytes, &look)
            }
            if !isWord(before), run <= 3, !isVersion || !Recognition.isVersion(bytes, look.whole, at),
                let end = matchIPv4(bytes, at, &look.view)
            {
                offer(.ipAddress, at..<end, scoreIPv4(bytes, at..<end, &look.view), bytes, &look)
            }
        }
        if sought.contains(.macAddress), let start = hexWordStart(bytes, at, &look.view),
            let range = matchMAC(bytes, start, &look.view)
        {
            offer(.macAddress, range, 0.6, bytes, &look)
        }
    }

    private func phones(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ before: UInt8, _ look: inout Look) {
        guard sought.contains(.phoneNumber) else { return }
        if called.contains(.phoneNumber), at - look.whole.lowerBound <= 2,
            isDialled(bytes, look.whole, isNumber: isNumber)
        {
            offer(.phoneNumber, look.whole, 0.3, bytes, &look)
        }
        let sign = before == UInt8(ascii: "(") ? look.view[bytes, at - 2] : before
        if sign == UInt8(ascii: "+") || before == 0x20 && look.view[bytes, at - 2] == UInt8(ascii: "+") {
            let plus = before == UInt8(ascii: "+") ? at - 1 : at - 2
            guard !isWord(look.view[bytes, plus - 1]), let end = matchInternational(bytes, plus, &look.view) else {
                return
            }
            // What is opened before the sign is closed behind the calling code, and belongs to the number.
            let isOpen = look.view[bytes, plus - 1] == UInt8(ascii: "(") && bytes[end - 1] != UInt8(ascii: ")")
            let closes = isOpen && (plus..<end).contains { bytes[$0] == UInt8(ascii: ")") }
            offer(.phoneNumber, (closes ? plus - 1 : plus)..<end, before == 0x20 ? 0.4 : 0.75, bytes, &look)
            return
        }
        let start = before == UInt8(ascii: "(") ? at - 1 : at
        if start < at, isDigit(look.view[bytes, at - 2]) { return }
        if start == at, let (end, isGrouped) = matchPrefixed(bytes, at, &look.view) {
            offer(.phoneNumber, at..<end, isGrouped ? 0.5 : 0.4, bytes, &look)
            return
        }
        var northAmerican = start < at || run == 3 ? matchNorthAmerican(bytes, start, &look.view) : nil
        if run == 1, bytes[at] == UInt8(ascii: "1"), start == at {
            let area = isPhoneSeparator(look.view[bytes, at + 1]) ? at + 2 : at + 1
            northAmerican = matchNorthAmerican(bytes, area, &look.view)
        }
        if let northAmerican { return offer(.phoneNumber, start..<northAmerican, 0.7, bytes, &look) }
        // A bare number of less than nine digits may count telephones.
        if let dialled = matchDialled(bytes, start, &look.view), !isNumber || dialled.end - start >= 9 {
            let base = dialled.isUsual ? 0.4 : 0.3
            offer(.phoneNumber, start..<dialled.end, base, besideOnly: !dialled.isUsual, bytes, &look)
        }
    }

    private func dates(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        guard let range = matchDate(bytes, at, run: run, &look.view) else { return }
        // A date beside a word such as `born` is that rather than any date.
        offer(.dateTime, range, 0.6, bytes, &look)
        offer(.dateOfBirth, range, 0.3, bytes, &look)
    }

    /// Compares the candidate with the shapes that begin like it.
    private func shapes(_ bytes: Span<UInt8>, _ at: Int, run: Int, letters: Int, _ look: inout Look) {
        let next = look.view[bytes, at + run]
        for place in rules.index.starting(letters: letters, digits: run, before: next) {
            compare(place, bytes, at, &look)
        }
        if isWord(next) || letters > 0 {
            var end = at + run
            while end - at <= Symbols.limit, isWord(look.view[bytes, end]) { end += 1 }
            let length = end - at + letters
            for place in rules.index.words(of: length) { compare(place, bytes, at - letters, &look) }
        } else if run >= 8 {
            for place in rules.index.numbers(of: run) { compare(place, bytes, at, &look) }
        }
        if letters == 0 {
            let before = look.view[bytes, at - 1]
            if before == 0x20 || before == UInt8(ascii: "-"), isLetter(look.view[bytes, at - 2]) {
                for place in rules.index.apart(digits: run) { compare(place, bytes, at, &look) }
            }
        }
    }

    /// A number that chance hardly explains may stand right behind a word.
    private func glued(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        let next = look.view[bytes, at + run]
        for place in rules.index.starting(letters: 0, digits: run, before: next)
        where rules.index.shapes[place].score >= 0.9 {
            compare(place, bytes, at, isGlued: true, &look)
        }
    }

    private func compare(_ place: Int, _ bytes: Span<UInt8>, _ at: Int, isGlued: Bool = false, _ look: inout Look) {
        let shape = rules.index.shapes[place]
        guard sought.contains(shape.entity) else { return }
        let start = at - Int(shape.lead)
        let end = start + Int(shape.count)
        guard start >= look.view.low, end <= look.view.high else { return }
        look.view.count(end - start)
        guard rules.index.stands(shape, bytes, start) else { return }
        if !isGlued {
            let starts =
                isDigit(bytes[start]) ? look.view.startsNumber(bytes, start) : startsWord(bytes, start, &look.view)
            if !starts { return }
        }
        guard isDigit(bytes[end - 1]) ? look.view.endsNumber(bytes, end) : endsWord(bytes, end, &look.view) else {
            return
        }
        var score = shape.score
        if let check = Recogniser.checks[Int(shape.recogniser)] {
            switch check(Symbols(bytes, start..<end)) {
            case .no: return
            case .unlikely: score = min(score, 0.3)
            case .yes: break
            case .sure: score = min(1, score + 0.3)
            }
        }
        offer(shape.entity, start..<end, score, bytes, &look)
    }

    /// Below this a form says next to nothing: only a word right beside it counts, not one of the five around.
    private static let weak = 0.15

    /// Scores a candidate by the words around it, and keeps it when it is the best.
    ///
    /// - Parameter besideOnly: whether it is nothing at all without a word right beside it.
    private func offer(
        _ entity: Entity, _ range: Range<Int>, _ base: Double, besideOnly: Bool = false, _ bytes: Span<UInt8>,
        _ look: inout Look
    ) {
        guard sought.contains(entity) else { return }
        var score = base
        if base < 1 || isOfThings {
            if isNamed(entity, range, base, besideOnly: besideOnly, bytes, look)
                || isSpoken(entity, range, base, isNear: !besideOnly, bytes, &look)
            {
                // Presidio's constants.
                score = min(1, max(base + 0.35, 0.4))
            } else if besideOnly {
                return
            } else if isOfThings, Recogniser.numbers.contains(entity) {
                score = base - 0.35
            }
        }
        let isCalled = called.contains(entity) && range == look.whole
        guard score >= (isCalled ? rules.leastWhereCalled : rules.least)[Int(entity.rawValue)] else { return }
        let match = EntityMatch(entity: entity, start: range.lowerBound, end: range.upperBound, score: score)
        if look.best.map({ match.outranks($0) }) ?? true { look.best = match }
    }

    /// Whether the column's name speaks of an entity, as plainly as the form wants it: what says little must be the whole value, or
    /// at least stand in no object, whose members have names of their own.
    private func isNamed(
        _ entity: Entity, _ range: Range<Int>, _ base: Double, besideOnly: Bool, _ bytes: Span<UInt8>,
        _ look: Look
    ) -> Bool {
        let saysLittle = besideOnly || base < Self.weak
        guard (saysLittle ? called : named).contains(entity) else { return false }
        if range == look.whole || !saysLittle { return true }
        let first = bytes[look.whole.lowerBound]
        return besideOnly && first != UInt8(ascii: "{") && first != UInt8(ascii: "[")
    }

    /// Whether the words around a candidate speak of an entity: what says little by itself wants one right beside it, and a number right
    /// behind the name of something else is a number of that.
    private func isSpoken(
        _ entity: Entity, _ range: Range<Int>, _ base: Double, isNear: Bool, _ bytes: Span<UInt8>, _ look: inout Look
    ) -> Bool {
        guard context(of: range, bytes, &look).contains(entity) else { return false }
        if base >= 0.6 { return true }
        let words: ContextWords.Beside
        if let known = look.beside, known.range == range {
            words = known.words
        } else {
            words = rules.words.beside(range, bytes, &look.view)
            look.beside = (range, words)
        }
        if words.areOfThings, Recogniser.numbers.contains(entity) { return false }
        if isNear, base >= Self.weak { return true }
        return words.before.contains(entity) || entity == .phoneNumber && words.after.contains(entity)
    }

    /// The words around a candidate; candidates that begin or end alike share them.
    private func context(of range: Range<Int>, _ bytes: Span<UInt8>, _ look: inout Look) -> EntitySet {
        if let known = look.context, known.range == range { return known.entities }
        let found = rules.words.near(range, bytes, &look.view)
        look.context = (range, found)
        return found
    }

    /// Appends a match. Of those that overlap the better stays, and takes the other's place as well: what is left of an address behind a
    /// number that is in it would be an address. Overlaps are rare and only with the last ones, since the scan moves forward.
    private func add(_ match: EntityMatch, _ first: Int, _ matches: inout [EntityMatch]) {
        var match = match
        while matches.count > first, let last = matches.last, last.end > match.start {
            match = match.united(with: last)
            matches.removeLast()
        }
        matches.append(match)
    }
}
