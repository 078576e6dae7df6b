/// A text with the form of an entity, before its surroundings are examined.
struct Candidate {
    let entity: Entity
    let range: Range<Int>
    /// The score of its form, 0 to 1.
    let score: Double
    /// Whether it needs an adjacent context word.
    let besideOnly: Bool

    @inline(__always)
    init(_ entity: Entity, _ range: Range<Int>, score: Double, besideOnly: Bool = false) {
        self.entity = entity
        self.range = range
        self.score = score
        self.besideOnly = besideOnly
    }
}

extension TextScanner {
    /// The state of one scan.
    struct ScanState {
        var view: ScanWindow
        /// Number of matches that existed before.
        let first: Int
        var secret: SecretKind?
        /// The end of the last word that was examined as a credential.
        var tokenEnd: Int
        /// The end of the last word of a key with base64's signs, and the beginning of that key.
        var partsEnd: Int
        var partsStart = -1
        /// The end of the last word that was examined as a host.
        var hostEnd: Int
        /// The best match of the current candidate.
        var best: EntityMatch?
        /// Entities that the surrounding words imply, once they are looked up.
        var context: (range: Range<Int>, entities: EntitySet)?
        /// The adjacent words, once they are looked up.
        var beside: (range: Range<Int>, words: ContextWords.Beside)?

        /// The value without surrounding white space.
        let whole: Range<Int>

        init(_ bytes: Span<UInt8>, _ range: Range<Int>, since first: Int) {
            view = ScanWindow(range)
            whole = trimmed(bytes, range)
            self.first = first
            // A shorter credential is found beside its name only, at the sign between them.
            tokenEnd = range.count < Secrets.tokenMin ? range.upperBound : range.lowerBound
            partsEnd = range.lowerBound
            hostEnd = range.lowerBound
        }
    }
}

// The score of a candidate.
extension TextScanner {
    /// Below this score a form is weak evidence: it needs an adjacent context word, not just one of the five on either
    /// side.
    private static let weak = 0.15

    /// Scores a candidate by its surroundings and keeps it if it is the best.
    func offer(_ candidate: Candidate, _ bytes: Span<UInt8>, _ state: inout ScanState) {
        let (entity, range, base) = (candidate.entity, candidate.range, candidate.score)
        guard sought.contains(entity) else { return }
        var score = base
        if base < 1 || isOfThings {
            if isNamed(candidate, bytes, whole: state.whole) || isSpoken(candidate, bytes, &state) {
                // The constants of Presidio's LemmaContextAwareEnhancer.
                score = min(1, max(base + 0.35, 0.4))
            } else if candidate.besideOnly {
                return
            } else if isOfThings, Recogniser.numbers.contains(entity) {
                score = base - 0.35
            }
        }
        let isCalled = called.contains(entity) && range == state.whole
        guard score >= (isCalled ? rules.leastWhereCalled : rules.least)[Int(entity.rawValue)] else { return }
        let match = EntityMatch(entity: entity, start: range.lowerBound, end: range.upperBound, score: score)
        if state.best.map({ match.outranks($0) }) ?? true { state.best = match }
    }

    /// Whether the column's name implies the candidate's entity. A weak form must be the whole value, or at least lie
    /// outside an object, whose members have their own names.
    private func isNamed(_ candidate: Candidate, _ bytes: Span<UInt8>, whole: Range<Int>) -> Bool {
        let saysLittle = candidate.besideOnly || candidate.score < Self.weak
        guard (saysLittle ? called : named).contains(candidate.entity) else { return false }
        if candidate.range == whole || !saysLittle { return true }
        let first = bytes[whole.lowerBound]
        return candidate.besideOnly && first != UInt8(ascii: "{") && first != UInt8(ascii: "[")
    }

    /// Whether the surrounding words imply the candidate's entity. A weak form needs an adjacent one. A number directly
    /// after the name of something else belongs to that.
    private func isSpoken(_ candidate: Candidate, _ bytes: Span<UInt8>, _ state: inout ScanState) -> Bool {
        let (entity, range) = (candidate.entity, candidate.range)
        guard context(of: range, bytes, &state).contains(entity) else { return false }
        if candidate.score >= 0.6 { return true }
        let words: ContextWords.Beside
        if let known = state.beside, known.range == range {
            words = known.words
        } else {
            words = rules.words.beside(range, bytes, &state.view)
            state.beside = (range, words)
        }
        if words.areOfThings, Recogniser.numbers.contains(entity) { return false }
        if !candidate.besideOnly, candidate.score >= Self.weak { return true }
        return words.before.contains(entity) || entity == .phoneNumber && words.after.contains(entity)
    }

    /// Entities that the surrounding words imply; candidates of the same range share the look-up.
    private func context(of range: Range<Int>, _ bytes: Span<UInt8>, _ state: inout ScanState) -> EntitySet {
        if let known = state.context, known.range == range { return known.entities }
        let found = rules.words.near(range, bytes, &state.view)
        state.context = (range, found)
        return found
    }
}
