import Glibc
import Sketches

/// The evidence that words are a pool, from the evidence of each.
///
/// A word's evidence is corrected for the number of novel words. By chance, about e^f words of a batch have evidence above
/// -f. So many words slightly below 0 are evidence together. One word far above 0 is not, since an honest new subject has
/// one too.
struct PoolEvidence {
    private var many = 0.0, manyCount = 0
    private var strong = 0.0, strongCount = 0

    /// Adds a word that has rows of its own.
    mutating func add(_ evidence: Double) {
        many += Triggers.poolFloor + min(evidence, Triggers.poolCap)
        manyCount += 1
        guard evidence >= 0 else { return }
        strong += min(evidence, Triggers.critical)
        strongCount += 1
    }

    /// Evidence as baselines keep it: hundredths of the sum that was all of it before pipeline 18, rounded up.
    static func stored(_ evidence: Double) -> Int {
        Int((evidence * Triggers.poolStrong / Triggers.poolAll * 100).rounded(.up))
    }

    /// Evidence from what a baseline keeps.
    static func read(_ stored: Int) -> Double { Double(stored) / 100 * Triggers.poolAll / Triggers.poolStrong }

    /// The evidence of all words: that of many weak ones or of a few strong ones, on one scale.
    var all: Double {
        max(
            manyCount > Triggers.poolMin ? many : 0,
            strongCount >= Triggers.poolMin ? Triggers.poolAll / Triggers.poolStrong * strong : 0)
    }
}

/// Several rare words with one label, none of which is evidence alone (BadNets, Gu et al. 2017; Kurita et al. 2020).
extension TriggerSearch {
    /// Calls the closure with each word of a row, as an item.
    typealias WordsOfRow = (_ row: Int, _ body: (UInt64) -> Void) -> Void

    /// The words of the strongest pool, and their total evidence; none if there is no pool.
    ///
    /// The evidence of each novel word has two parts. One is how unlikely it is that all of its rows have the label by
    /// chance, among equally many novel words. The other is how much better the other words of its rows fit all labels
    /// than this one, since an attacker inserts the trigger into any row and sets its label.
    ///
    func pool(_ words: WordsOfRow) -> (marks: [Trigger], evidence: Double) {
        var isWord: Set<UInt64> = []
        for row in 0..<now.count { words(row) { if counts.index.find($0) >= 0 { isWord.insert($0) } } }
        var novel: [Candidate] = []
        for (item, place) in items where isWord.contains(item) {
            guard let one = candidate(item, place), basis > 0,
                isRarer(one.before, of: basis, than: one.count, of: now.count)
            else { continue }
            novel.append(one)
        }
        var best: (marks: [Trigger], evidence: Double) = ([], 0)
        for label in labels.indices where novel.contains(where: { $0.label == label && $0.pure == $0.count }) {
            let pool = pool(of: novel, with: label, words)
            if pool.evidence > best.evidence { best = pool }
        }
        return best
    }

    /// The words of the pool with one label, and their total evidence; no words where the evidence is too small.
    private func pool(
        of novel: [Candidate], with label: Int, _ words: WordsOfRow
    ) -> (marks: [Trigger], evidence: Double) {
        let own = Dictionary(
            uniqueKeysWithValues: novel.filter {
                $0.label == label && $0.purity >= Triggers.purityMin && $0.count * Triggers.rareRows <= now.count
            }.map {
                ($0.item, $0)
            })
        guard own.count >= Triggers.poolMin else { return ([], 0) }
        let misfit = misfits(of: label, words)
        var rows: [UInt64: [Int]] = [:]
        for row in 0..<now.count { words(row) { if own[$0] != nil { rows[$0, default: []].append(row) } } }
        let scored = own.values.map { one -> (one: Candidate, evidence: Double) in
            let others = novel.count { $0.count >= one.count }
            let chance = Significance.binomialTail(one.pure, of: one.count, priors[label])
            let fit = (rows[one.item] ?? []).reduce(0.0) { $0 + misfit[$1] }
            return (one, -log(max(chance, 1e-300)) + fit - log(Double((others + 1) * labels.count)))
        }.sorted { $0.evidence != $1.evidence ? $0.evidence > $1.evidence : $0.one.item < $1.one.item }
        var (marks, pool, covered): ([Trigger], PoolEvidence, Set<Int>) = ([], PoolEvidence(), [])
        for (one, evidence) in scored where evidence >= -Triggers.poolFloor {
            let own = rows[one.item] ?? []
            // Two words of the same rows are one observation.
            guard 2 * own.count(where: covered.contains) <= own.count else { continue }
            covered.formUnion(own)
            pool.add(evidence)
            guard evidence >= -Triggers.poolEach else { continue }
            var mark = trigger(one, evidence)
            (mark.z, mark.isPooled) = (evidence, true)
            marks.append(mark)
        }
        // A pool without marks must not displace the pool of another label, nor raise the threshold of later batches.
        guard marks.count >= Triggers.poolMin else { return ([], 0) }
        guard pool.all >= Triggers.poolAll else { return ([], pool.all) }
        for place in marks.indices { (marks[place].z, marks[place].critical) = (pool.all, Triggers.poolAll) }
        return (marks, pool.all)
    }

    /// For each row, how much better its words fit any row than a row of the label: logarithms of likelihood ratios.
    private func misfits(of label: Int, _ words: WordsOfRow) -> [Double] {
        var weights: [UInt64: Double] = [:]
        for (item, place) in items {
            let there = counts.before(place)
            guard there.total >= 2 else { continue }
            let with = Double(there[there.startIndex + label + 1])
            weights[item] = with
        }
        let (own, others) = (Double(counts.labelled(label)), Double(basis - counts.labelled(label)))
        guard own >= 30, others >= 30 else { return Array(repeating: 0, count: now.count) }
        for (item, place) in items {
            guard let with = weights[item] else { continue }
            let without = Double(counts.before(place).total) - with
            weights[item] = log((with + 1) / (own + 2)) - log((without + 1) / (others + 2))
        }
        let scores = (0..<now.count).map { row in
            var sum = 0.0
            words(row) { sum += weights[$0] ?? 0 }
            return sum
        }
        func law(_ isOwn: Bool) -> (center: Double, scale: Double)? {
            let part = scores.indices.filter { (now.labels[$0] == labels[label]) == isOwn }.map { scores[$0] }.sorted()
            guard part.count >= 30 else { return nil }
            let center = Robust.median(part)
            return (center, max(0.1, 1.4826 * Robust.median(part.map { abs($0 - center) }.sorted())))
        }
        guard let mine = law(true), let theirs = law(false) else { return Array(repeating: 0, count: now.count) }
        func density(_ score: Double, _ law: (center: Double, scale: Double)) -> Double {
            let z = (score - law.center) / law.scale
            return exp(-z * z / 2) / law.scale + 1e-3
        }
        return scores.map { score in
            let (a, b) = (density(score, mine), density(score, theirs))
            return log((priors[label] * a + (1 - priors[label]) * b) / a)
        }
    }
}
