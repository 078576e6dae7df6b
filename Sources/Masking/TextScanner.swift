/// Finds personal data in text: one pass over the bytes, no regular expressions, no memory, linear time on any input.
///
/// Everything sought holds a digit, `+`, `(`, `:` or `@`, so that the scanner runs over letters and spaces and asks a
/// recogniser only there. Each recogniser looks at a bounded window around that place.
package struct TextScanner: Sendable {
    private let sought: EntitySet
    /// Bit `b - 0x28` says whether byte `b` makes the scanner stop.
    private let triggers: UInt32
    /// Whether the column's name already says that numbers in it are telephone or social security numbers.
    private let isPhoneColumn: Bool
    private let isSecurityColumn: Bool

    /// A scanner for `entities`; words in `columnName` count as context of every number in the column.
    package init(entities: Set<Entity>, columnName: String = "") {
        self.init(
            entities: entities, isPhoneColumn: ContextWords.phone.isNamed(in: columnName),
            isSecurityColumn: ContextWords.socialSecurity.isNamed(in: columnName))
    }

    private init(entities: Set<Entity>, isPhoneColumn: Bool, isSecurityColumn: Bool) {
        sought = EntitySet(entities)
        self.isPhoneColumn = isPhoneColumn
        self.isSecurityColumn = isSecurityColumn
        var stops: [UInt8] = []
        if entities.contains(.emailAddress) { stops += [UInt8(ascii: "@")] }
        if entities.contains(.phoneNumber) { stops += [UInt8(ascii: "+"), UInt8(ascii: "(")] }
        if entities.contains(.ipAddress) { stops += [UInt8(ascii: ":")] }
        if entities.contains(where: { $0 != .emailAddress }) { stops += Array(0x30...0x39) }
        triggers = stops.reduce(0) { $0 | 1 << UInt32($1 - 0x28) }
    }

    /// Whether the whole of `range` is one `entity`, as in a column declared to hold it.
    package static func validate(_ entity: Entity, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        // The longest form is an e-mail address: 64 + 1 + 255 bytes.
        guard !range.isEmpty, range.count <= 320 else { return false }
        var matches: [EntityMatch] = []
        let scanner = TextScanner(entities: [entity], isPhoneColumn: true, isSecurityColumn: true)
        scanner.scan(bytes, range: range, into: &matches)
        return matches.count == 1 && matches[0].range == range
    }

    /// Appends what is found in `range` of `bytes` to `matches`: in order, without overlaps.
    package func scan(_ bytes: Span<UInt8>, range: Range<Int>, into matches: inout [EntityMatch]) {
        _ = search(bytes, range, &matches)
    }

    /// The scan; returns how many bytes were looked at, counting each look.
    func search(_ bytes: Span<UInt8>, _ range: Range<Int>, _ matches: inout [EntityMatch]) -> Int {
        var view = ScanWindow(range)
        let first = matches.count
        let triggers = triggers
        let end = range.upperBound
        var at = range.lowerBound
        while at < end {
            let offset = UInt32(bytes[at]) &- 0x28
            if offset > 0x18 || (triggers &>> offset) & 1 == 0 {
                at &+= 1
                continue
            }
            at = candidate(bytes, at, &view, first, &matches)
        }
        return view.looks + range.count
    }

    /// Asks the recognisers of the byte at `at`; returns where to go on.
    @inline(never)
    private func candidate(
        _ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow, _ first: Int, _ matches: inout [EntityMatch]
    ) -> Int {
        var found: EntityMatch?
        var next = at + 1
        switch bytes[at] {
        case UInt8(ascii: "@"):
            if let range = matchEmail(bytes, at, &view) {
                found = EntityMatch(entity: .emailAddress, start: range.lowerBound, end: range.upperBound, score: 0.9)
            }
        case UInt8(ascii: "+"):
            if !isWord(view[bytes, at - 1]), let end = matchInternational(bytes, at, &view) {
                found = phone(bytes, at..<end, base: 0.75, &view)
            }
        case UInt8(ascii: "("):
            if !isDigit(view[bytes, at - 1]), let end = matchNorthAmerican(bytes, at, &view) {
                found = phone(bytes, at..<end, base: 0.7, &view)
            }
        case UInt8(ascii: ":"):
            if let start = hexWordStart(bytes, at, &view), let end = matchIPv6(bytes, start, &view) {
                found = EntityMatch(entity: .ipAddress, start: start, end: end, score: 0.7)
            }
        default:
            while next < view.high, isDigit(view[bytes, next]) { next += 1 }
            found = number(bytes, at, run: next - at, &view)
        }
        guard let found else { return next }
        add(found, first, &matches)
        return max(next, found.end)
    }

    /// What the run of digits at `at` begins, or belongs to.
    private func number(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> EntityMatch? {
        var best: EntityMatch?
        func offer(_ entity: Entity, _ start: Int, _ end: Int?, _ score: Double) {
            guard let end else { return }
            let match = EntityMatch(entity: entity, start: start, end: end, score: score)
            if best.map({ match.outranks($0) }) ?? true { best = match }
        }
        let before = view[bytes, at - 1]
        if sought.contains(.bankAccount), isCapital(before), run >= 2 {
            offer(.bankAccount, at - 2, matchIBAN(bytes, at - 2, &view), 1)
        }
        if sought.contains(.ipAddress), run <= 4 {
            if let start = hexWordStart(bytes, at, &view) {
                offer(.ipAddress, start, matchIPv6(bytes, start, &view), 0.7)
            }
            if !isWord(before), run <= 3 { offer(.ipAddress, at, matchIPv4(bytes, at, &view), 0.7) }
        }
        guard view.startsNumber(bytes, at) else { return best }
        if sought.contains(.creditCard), run >= 13 || run == 4 {
            offer(.creditCard, at, matchCard(bytes, at, run: run, &view), 1)
        }
        if sought.contains(.socialSecurity) {
            if run == 3, let end = matchSocialSecurity(bytes, at, &view) {
                let isNamed = isSecurityColumn || ContextWords.socialSecurity.stand(near: at..<end, bytes, &view)
                offer(.socialSecurity, at, end, isNamed ? 1 : 0.65)
            } else if run == 9, let end = matchBareSocialSecurity(bytes, at, &view),
                isSecurityColumn || ContextWords.socialSecurity.stand(near: at..<end, bytes, &view)
            {
                offer(.socialSecurity, at, end, 0.75)
            }
        }
        if sought.contains(.phoneNumber), let match = domesticPhone(bytes, at, run: run, &view) {
            offer(.phoneNumber, at, match.end, match.score)
        }
        return best
    }

    private func domesticPhone(
        _ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow
    ) -> EntityMatch? {
        switch run {
        case 3:
            guard let end = matchNorthAmerican(bytes, at, &view) else { return nil }
            return phone(bytes, at..<end, base: 0.7, &view)
        case 1 where view[bytes, at] == UInt8(ascii: "1"):
            let area = isPhoneSeparator(view[bytes, at + 1]) ? at + 2 : at + 1
            guard let end = matchNorthAmerican(bytes, area, &view) else { return nil }
            return phone(bytes, at..<end, base: 0.7, &view)
        case 10, 11:
            guard let end = matchBarePhone(bytes, at, run: run, &view) else { return nil }
            let match = phone(bytes, at..<end, base: 0.4, &view)
            return match.score > 0.6 ? match : nil
        default: return nil
        }
    }

    /// A telephone number, 0.35 surer beside a context word (Presidio's constant).
    private func phone(
        _ bytes: Span<UInt8>, _ range: Range<Int>, base: Double, _ view: inout ScanWindow
    ) -> EntityMatch {
        let isNamed = isPhoneColumn || ContextWords.phone.stand(near: range, bytes, &view)
        return EntityMatch(
            entity: .phoneNumber, start: range.lowerBound, end: range.upperBound,
            score: isNamed ? min(1, base + 0.35) : base)
    }

    /// Appends a match unless one that it overlaps outranks it; removes those that it outranks. Overlaps are rare and
    /// only with the last ones, since the scan moves forward.
    private func add(_ match: EntityMatch, _ first: Int, _ matches: inout [EntityMatch]) {
        var keep = matches.count
        while keep > first, matches[keep - 1].end > match.start {
            if !match.outranks(matches[keep - 1]) { return }
            keep -= 1
        }
        matches.removeLast(matches.count - keep)
        matches.append(match)
    }
}
