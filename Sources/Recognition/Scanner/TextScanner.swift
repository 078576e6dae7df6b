/// Finds personal data and credentials in text in one pass, without regular expressions or allocation, in linear time
/// on any input.
///
/// `CandidateMap` marks the places to examine, and a recogniser examines a bounded window around each. A match is
/// scored by its form, a checksum, and the words around it or in the column's name.
package struct TextScanner: Sendable {
    let sought: EntitySet
    /// Entities that the column's name mentions, and those that it states so plainly that a whole value is one.
    private(set) var named: EntitySet, called: EntitySet
    /// Entities that the words of its name would imply in a sentence.
    private(set) var spoken = EntitySet()
    /// The column's name, if it names a credential.
    private(set) var credential: [UInt8]?
    /// Whether values are numbers rather than text.
    package var isNumber = false
    /// Whether the column's name implies that dotted numbers are versions.
    package private(set) var isVersion = false
    /// Whether the column's name implies numbers of things: orders, parcels, goods.
    package private(set) var isOfThings = false
    /// Whether credentials are searched for.
    package let findsSecrets: Bool
    let rules: Rules

    /// Tables that do not depend on the column. They are behind one reference, since a scanner is copied for each
    /// value.
    final class Rules: Sendable {
        /// The lowest score by entity, and that for a whole value of a column that states the entity.
        let least: [Double], leastWhereCalled: [Double]
        let index = Recogniser.index
        let words = ContextWords.all

        init(least: [Double], leastWhereCalled: [Double]) {
            self.least = least
            self.leastWhereCalled = leastWhereCalled
        }
    }

    /// Whether a column's name states any entity.
    package static func isCalledAny(_ columnName: String) -> Bool { !ContextWords.names.called(columnName).isEmpty }

    /// Whether a column's name states an entity.
    package static func isCalled(_ entity: Entity, _ columnName: String) -> Bool {
        ContextWords.names.called(columnName).contains(entity)
    }

    /// A scanner.
    ///
    /// - Parameters:
    ///   - entities: the entities to find.
    ///   - columnName: the column's name, whose words are context for all its values.
    ///   - secrets: whether credentials are searched for.
    ///   - minimumScore: the lowest score of a match, instead of each entity's threshold; a whole value of a column
    ///     that states the entity still counts at the threshold.
    ///   - thresholds: the lowest score by entity, instead of either.
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

    /// The hint that the name of an object's member gives about its value.
    package enum Name: Sendable {
        /// It states an entity: the value is searched as in a column of that name.
        case telling(TextScanner)
        /// Nothing, so that the object's own name applies: `number`, `home`, `0`.
        case plain
        /// Something else, although a word of it may imply an entity: `ssn_of_customer`.
        case other(TextScanner)
    }

    /// The hint that a member's name gives.
    package func member(_ name: String) -> Name {
        var scanner = self
        (scanner.named, scanner.called, scanner.credential) = (EntitySet(), EntitySet(), nil)
        (scanner.isVersion, scanner.isOfThings) = (false, false)
        scanner.hear(name)
        if scanner.isTelling { return .telling(scanner) }
        return ContextWords.isPlain(name) ? .plain : .other(scanner)
    }

    /// A scanner that also counts the words of the enclosing object's name as context.
    package func inside(_ outer: TextScanner) -> TextScanner {
        var scanner = self
        scanner.named.formUnion(outer.named)
        return scanner
    }

    /// Whether the column's name states an entity or a credential.
    package var isTelling: Bool { !called.isEmpty || credential != nil || isVersion }

    /// Whether the column's name implies an entity.
    package func isNamed(_ entity: Entity) -> Bool { named.contains(entity) || spoken.contains(entity) }

    /// Adds what a column's name implies.
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

    /// Appends the matches in a range, in order and without overlaps.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the text.
    ///   - matches: gets the matches.
    /// - Returns: the first credential; nil for none.
    @discardableResult
    package func scan(_ bytes: Span<UInt8>, range: Range<Int>, into matches: inout [EntityMatch]) -> SecretKind? {
        scan(bytes, range: range, anchors: CandidateMap(bytes, range), into: &matches)
    }

    /// The same with a given map of candidates: the texts of a block share one.
    @discardableResult
    package func scan(
        _ bytes: Span<UInt8>, range: Range<Int>, anchors: borrowing CandidateMap, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        if range.isEmpty { return nil }
        let first = matches.count
        var found = find(bytes, in: range, anchors: anchors, into: &matches)
        if anchors.holdsOdd(in: range), let folded = FoldedText(bytes, range) {
            found = find(folded, since: first, besides: found, into: &matches)
        }
        guard let credential, found == nil || found == .namedKey else { return found }
        return Secrets.inColumn(credential, bytes, range) ?? found
    }

    /// Searches the second view of a text. Overlaps with matches of the first view take the better one, extended over
    /// both.
    private func find(
        _ folded: FoldedText, since first: Int, besides found: SecretKind?, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        var more: [EntityMatch] = []
        let range = folded.bytes.indices
        if range.isEmpty { return found }
        let other = find(folded.bytes.span, in: range, anchors: CandidateMap(folded.bytes.span, range), into: &more)
        matches.unite(since: first, with: folded.placed(more))
        return found == nil || found == .namedKey ? other ?? found : found
    }

    /// Searches one view of a text.
    ///
    /// - Returns: the first credential; nil for none.
    private func find(
        _ bytes: Span<UInt8>, in range: Range<Int>, anchors: borrowing CandidateMap, into matches: inout [EntityMatch]
    ) -> SecretKind? {
        // Decoded texts are adjacent in a block: the end of one must not hide where a run begins in the next.
        let low = range.lowerBound
        let before = low > 0 ? bytes[low - 1] : 0
        let isSplit = isDigit(before) && isDigit(bytes[low]) || before == UInt8(ascii: "-") && bytes[low] == before
        let isDash = isSplit && before == UInt8(ascii: "-")
        let at =
            isSplit
            ? min(low + (isDash ? 1 : 0), range.upperBound)
            : range.count < digitsMatter
                ? anchors.nextSign(from: low, below: range.upperBound)
                : anchors.next(from: low, below: range.upperBound)
        if at == range.upperBound { return nil }
        return search(bytes, in: range, from: at, anchors: anchors, into: &matches).secret
    }

    /// Number of byte accesses of a scan, for the test of linearity.
    func cost(_ bytes: Span<UInt8>, _ range: Range<Int>, _ matches: inout [EntityMatch]) -> Int {
        let anchors = CandidateMap(bytes, range)
        let start = anchors.next(from: range.lowerBound, below: range.upperBound)
        let state = search(bytes, in: range, from: start, anchors: anchors, into: &matches)
        return state.view.accesses + range.count
    }

    /// Appends the matches of one view of a text, from the anchor `start` on.
    ///
    /// - Returns: the scan's state at its end.
    @inline(__always)
    private func search(
        _ bytes: Span<UInt8>, in range: Range<Int>, from start: Int, anchors: borrowing CandidateMap,
        into matches: inout [EntityMatch]
    ) -> ScanState {
        var state = ScanState(bytes, range, since: matches.count)
        var at = start
        while at < range.upperBound {
            state.best = nil
            state.context = nil
            state.beside = nil
            let next = candidate(bytes, at, &state)
            if let best = state.best {
                add(best, since: state.first, to: &matches)
                at = anchors.next(from: max(next, best.end), below: range.upperBound)
            } else {
                at = anchors.next(from: next, below: range.upperBound)
            }
        }
        return state
    }

    /// Appends a match. Of overlapping matches the better stays and covers both, since the rest of an address after a
    /// number inside it would match again. The scan moves forward, so a match can only overlap the last ones.
    private func add(_ match: EntityMatch, since first: Int, to matches: inout [EntityMatch]) {
        var match = match
        while matches.count > first, let last = matches.last, last.end > match.start {
            match = match.united(with: last)
            matches.removeLast()
        }
        matches.append(match)
    }
}
