/// A list of names that is searched for as whole words: people, places and other entities without a form.
///
/// A name with an initial capital matches only where the text has one too, so that *Mark* does not match `mark`; one in
/// lower case matches in any case. Between the words of a name a space, dash, apostrophe or full stop is allowed. Only
/// hashes of names are kept.
package struct NameList: Sendable, Equatable {
    /// The entity of the names.
    package let entity: Entity
    /// Number of names.
    package let count: Int
    /// A hash of all names, independent of their order, for the batch's identity.
    package var fingerprint: UInt64 { names.sorted().reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01B3 } }
    private let heads: Set<UInt64>
    private let names: Set<UInt64>
    private let wordsMax: Int
    /// Most words of a name.
    package static let wordsLimit = 8

    /// Reads a list in UTF-8, one name a line. Empty lines and lines that begin with `#` are skipped. nil when a name
    /// has no word, or more than `wordsLimit`.
    package init?(_ text: Span<UInt8>, entity: Entity) {
        self.entity = entity
        var heads: Set<UInt64> = []
        var names: Set<UInt64> = []
        var (longest, count) = (1, 0)
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0x0A { end += 1 }
            defer { start = end + 1 }
            var first = start
            while first < end, text[first] <= 0x20 { first += 1 }
            if first == end || text[first] == UInt8(ascii: "#") { continue }
            var state: UInt64?
            var words = 0
            var at = first
            while let word = Self.word(text, from: at, below: end) {
                if state == nil {
                    state = isCapital(text[word.lowerBound]) ? 1 : 2
                    heads.insert(Self.step(state ?? 0, text, word))
                }
                state = Self.step(state ?? 0, text, word)
                words += 1
                at = word.upperBound
            }
            guard let state, words <= Self.wordsLimit else { return nil }
            names.insert(state)
            longest = max(longest, words)
            count += 1
        }
        (self.heads, self.names, wordsMax, self.count) = (heads, names, longest, count)
    }

    /// The next run of letters and digits; nil at the end.
    private static func word(_ text: Span<UInt8>, from start: Int, below end: Int) -> Range<Int>? {
        var first = start
        while first < end, !isWord(text[first]) { first += 1 }
        var last = first
        while last < end, isWord(text[last]) { last += 1 }
        return first < last ? first..<last : nil
    }

    /// Continues an FNV-1a hash over a word without case.
    private static func step(_ state: UInt64, _ text: Span<UInt8>, _ word: Range<Int>) -> UInt64 {
        var hash = (state ^ 0x20) &* 0x100_0000_01B3 ^ 0xCBF2_9CE4_8422_2325
        for at in word {
            let byte = text[at]
            hash = (hash ^ UInt64(isCapital(byte) ? byte | 0x20 : byte)) &* 0x100_0000_01B3
        }
        return hash
    }

    /// Adds the names in `range` to `matches`, which stay in order and without overlaps. A match by form takes
    /// precedence.
    package func find(_ bytes: Span<UInt8>, _ range: Range<Int>, into matches: inout [EntityMatch]) {
        var found = search(bytes, range)
        if let folded = FoldedText(bytes, range) {
            let text = folded.bytes
            found.unite(since: 0, with: folded.placed(search(text.span, text.indices)))
        }
        if found.isEmpty { return }
        let known = matches
        matches += found.filter { name in !known.contains { $0.start < name.end && name.start < $0.end } }
        matches.sort { $0.start < $1.start }
    }

    /// The names in a range, in order and without overlaps; the longest name at a word wins.
    private func search(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [EntityMatch] {
        var found: [EntityMatch] = []
        var at = range.lowerBound
        while let word = Self.word(bytes, from: at, below: range.upperBound) {
            at = word.upperBound
            var end: Int?
            for seed: UInt64 in [1, 2] where seed == 2 || isCapital(bytes[word.lowerBound]) {
                guard heads.contains(Self.step(seed, bytes, word)) else { continue }
                if let stop = nameEnd(bytes, word, below: range.upperBound, seed), stop > end ?? 0 { end = stop }
            }
            guard let end else { continue }
            found.append(EntityMatch(entity: entity, start: word.lowerBound, end: end, score: 0.85))
            at = end
        }
        return found
    }

    /// The end of the longest name that begins with a word; nil for none.
    private func nameEnd(_ bytes: Span<UInt8>, _ first: Range<Int>, below limit: Int, _ seed: UInt64) -> Int? {
        var state = Self.step(seed, bytes, first)
        var end = first.upperBound
        var best = names.contains(state) ? end : nil
        for _ in 1..<max(wordsMax, 2) {
            guard end + 1 < limit, " -'.".utf8.contains(bytes[end]) else { break }
            // A full stop after an initial may be followed by a space.
            let start = bytes[end] == UInt8(ascii: ".") && bytes[end + 1] == 0x20 ? end + 2 : end + 1
            guard let word = Self.word(bytes, from: start, below: limit), word.lowerBound == start else { break }
            state = Self.step(state, bytes, word)
            end = word.upperBound
            if names.contains(state) { best = end }
        }
        return best
    }
}
