/// The restricted Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, replacements and
/// swaps of neighbouring scalars that turn one word into the other.
///
/// - Parameters:
///   - left: one word.
///   - right: the other.
///   - limit: the largest distance of interest.
/// - Returns: the distance, or `limit` + 1 when it is greater.
package func editDistance(_ left: String, _ right: String, limit: Int) -> Int {
    let a = Array(left.unicodeScalars)
    let b = Array(right.unicodeScalars)
    guard abs(a.count - b.count) <= limit else { return limit + 1 }
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        row.reserveCapacity(b.count + 1)
        for j in 1...b.count {
            let cost = a[i - 1] == b[j - 1] ? 0 : 1
            var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, beforeLast[j - 2] + 1) }
            row.append(best)
        }
        beforeLast = last
        last = row
    }
    return min(last[b.count], limit + 1)
}

/// The candidate that was probably meant: at most two edits away, ignoring case, and fewer than half its length; the
/// first of equals.
///
/// - Returns: nil when none is close enough.
package func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
    // The distance is quadratic, and nobody mistypes a known key into one this long.
    guard word.utf8.count <= 64 else { return nil }
    let lowered = word.lowercased()
    var best: (word: String, distance: Int)?
    for candidate in candidates where candidate != word {
        let distance = editDistance(lowered, candidate.lowercased(), limit: 2)
        guard distance <= 2, distance * 2 < candidate.unicodeScalars.count else { continue }
        if distance < best?.distance ?? 3 { best = (candidate, distance) }
    }
    return best?.word
}

/// `; did you mean "…"` for a message, or an empty string.
func didYouMean(_ word: String, among candidates: some Sequence<String>) -> String {
    suggestion(for: word, among: candidates).map { "; did you mean \(quoted($0))" } ?? ""
}
