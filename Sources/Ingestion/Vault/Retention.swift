package import Lineage
import Schemas
import Tabular

/// How long the sealed files of a dataset are kept. What it does not name is kept for good.
package struct Retention: Sendable, Equatable {
    /// What a period is about.
    package enum Kind: String, Sendable, CaseIterable {
        /// The shards of accepted batches.
        case accepted
        /// Rows that were held back from accepted batches.
        case quarantine
        /// Held and unreadable files, sealed whole. A held batch that nobody decided about ends with it.
        case held
        /// Decisions, reports and what vouched for the file.
        case decision
        /// Statistics of accepted batches that no later batch is compared with any more.
        case baseline
        /// Shards, held back rows and statistics of batches that were replaced, from then on.
        case superseded
    }

    /// Milliseconds by kind; nil in a dataset's own settings where it is kept for good whatever the store says.
    private(set) var periods: [Kind: Period] = [:]

    /// A period as it was written.
    struct Period: Sendable, Equatable {
        /// The text, such as `90d`.
        let text: String
        /// Its length in milliseconds; nil for `forever`.
        let milliseconds: Int?

        /// Reads a duration or `forever`; nil for any other text, and for no time at all.
        init?(_ text: String) {
            self.text = text
            // Who writes 6m means six months, and would lose everything that is older than six minutes.
            if text.hasSuffix("m") { return nil }
            milliseconds = duration(text)
            if milliseconds == nil && text != "forever" || milliseconds == 0 { return nil }
        }
    }

    /// Nothing is ever removed.
    init() {}

    /// Reads `retention:`.
    init(_ settings: SettingReader) throws(SchemaError) {
        for kind in Kind.allCases {
            guard let text = try settings.text(kind.rawValue), let cursor = settings[kind.rawValue] else {
                continue
            }
            guard let period = Period(text) else {
                throw cursor.error(
                    .unknownValue,
                    "a period is a number with h, d, w or y (of 365 days), such as 90d, or the word forever; m is refused: it may mean "
                        + "months"
                )
            }
            periods[kind] = period
        }
    }

    /// These periods, and the others' where these name none.
    func over(_ others: Retention) -> Retention {
        var both = self
        both.periods.merge(others.periods) { own, _ in own }
        return both
    }

    /// The latest time, as RFC 3339, of what has been kept long enough; nil where it is kept for good.
    func limit(_ kind: Kind, _ now: Int) -> String? {
        periods[kind]?.milliseconds.map { Clock.text(max(0, now - $0)) }
    }

    /// The rule as it is recorded.
    func rule(_ kind: Kind) -> String { "\(kind.rawValue) \(periods[kind]?.text ?? "")" }
}

extension SettingGroup {
    /// `retention:`.
    static let retention = SettingGroup(
        Retention.Kind.allCases.map { kind in
            Setting(
                kind.rawValue, .text("such as `12h`, `90d`, `8w`, `2y`, or `forever`"), default: "`forever`",
                kind.what)
        })
}

extension Retention.Kind {
    fileprivate var what: String {
        switch self {
        case .accepted: "how long shards of accepted batches are kept"
        case .quarantine: "how long rows that were held back from accepted batches are kept, and can be released"
        case .held: "how long held and unreadable files are kept; a held batch that nobody decided about ends then"
        case .decision: "how long decisions, reports and sidecars are kept, without which a verdict cannot be explained"
        case .baseline: "how long statistics are kept that no batch is compared with any more"
        case .superseded: "how long the rows of a replaced batch are kept after it was replaced"
        }
    }
}

extension Configuration {
    /// The retention of a dataset: its own, over the store's.
    func retention(of dataset: String) -> Retention { (datasets[dataset]?.retention ?? Retention()).over(retention) }

    /// Whether anything is ever removed.
    package var retainsEverything: Bool {
        ([retention] + datasets.values.map(\.retention)).allSatisfy { one in
            one.periods.values.allSatisfy { $0.milliseconds == nil }
        }
    }
}

/// A sealed file that has been kept long enough.
package struct ExpiredFile: Sendable {
    /// The recorded file.
    package let file: PublishedFile
    /// The rule that ends it.
    package let kind: Retention.Kind
    /// The rule as it is recorded, such as `held 90d`.
    package let rule: String
    /// Whether it is the sealed source of a held batch that nobody decided about.
    package let endsHold: Bool

    /// Its length in bytes.
    package var bytes: Int { Int(file.body["bytes"]?.whole ?? 0) }
    /// Its dataset.
    package var dataset: String { file.entry.body["dataset"]?.text ?? "" }
    /// The time at which it was published.
    package var time: String { file.entry.body["time"]?.text ?? "" }
}

/// Finds the files that have been kept long enough, by the proven record.
struct ExpirySearch {
    private let store: Store
    private let log: ProvenLog
    private let state: ProvenState
    private let now: Int
    /// Entries whose statistics later batches are compared with.
    private var comparedWith = Set<Int>()
    /// SHA-256 of statistics that a named baseline lists.
    private var named = Set<String>()
    private var heldBatches: [String: Bool] = [:]
    /// Batches whose sealed source, or last held back rows, end in this search.
    private var ended = Set<String>()
    private let openHolds: Set<String>
    private var replacedAt: [String: String] = [:]

    init(_ store: Store, at now: Int) throws(IngestionError) {
        (self.store, self.now) = (store, now)
        (log, state) = try store.proven()
        openHolds = Set(state.openHolds.map(\.batch))
        for role in [FileRole.baseline, .claims] {
            for dataset in state.datasets(with: role) {
                let recorded = state.publications(dataset, role: role)
                comparedWith.formUnion(recorded.suffix(Store.baselineFilesMax))
                // Each supplier's batches are compared with its own.
                for source in state.suppliers(of: dataset, role: role) {
                    comparedWith.formUnion(
                        state.publications(dataset, role: role, source: source).suffix(Store.baselineFilesMax))
                }
            }
        }
        for one in try store.namedBaselines() where !one.isRetired { named.formUnion(one.files) }
    }

    /// The files of a dataset, or of all, that have been kept long enough, oldest first.
    mutating func everything(of dataset: String?) throws(IngestionError) -> [ExpiredFile] {
        var (found, evidence): ([ExpiredFile], [ExpiredFile]) = ([], [])
        var next = 0
        while true {
            let from = next
            let entries = try recording { [log] () throws(LedgerError) in
                try log.ledger.unindexedEntries(kind: LedgerEvent.shardPublished.rawValue, from: from, limit: 1000)
            }
            guard let last = entries.last else { break }
            next = last.sequence + 1
            for entry in entries where dataset == nil || entry.body["dataset"]?.text == dataset {
                for one in try expired(in: entry) {
                    if one.file.role == .source || one.file.role == .quarantine { ended.insert(one.file.batch) }
                    if one.kind == .decision { evidence.append(one) } else { found.append(one) }
                }
            }
        }
        // What explains a held batch, and vouches for it, is needed as long as its file; and to release rows that were held
        // back as long as these.
        for one in evidence {
            if !ended.contains(one.file.batch), try hasKeptRows(one.file) { continue }
            found.append(one)
        }
        return found + (try lonelyIndexes(of: dataset, besides: found))
    }

    /// The indexes of subjects of batches that have no file with rows left, once these files are removed.
    private func lonelyIndexes(
        of dataset: String?, besides expired: [ExpiredFile]
    ) throws(IngestionError) -> [ExpiredFile] {
        var rules: [String: ExpiredFile] = [:]
        for one in expired where FileRole.withRows.contains(one.file.role) { rules[one.file.batch] = one }
        let gone = Set(expired.map(\.file.path))
        var found: [ExpiredFile] = []
        for (_, last) in rules.sorted(by: { $0.key < $1.key }) {
            let files = try run(of: last.file)
            guard let index = files.first(where: { $0.role == .subjects }) else { continue }
            var isNeeded = false
            for file in files where FileRole.withRows.contains(file.role) && !gone.contains(file.path) {
                if try recording({ () throws(LedgerError) in try log.standing(of: file) }).file != nil {
                    isNeeded = true
                }
            }
            let standing = try recording { () throws(LedgerError) in try log.standing(of: index) }
            if !isNeeded, standing.file != nil {
                found.append(ExpiredFile(file: index, kind: last.kind, rule: last.rule, endsHold: false))
            }
        }
        return found
    }

    /// The files of an entry that have been kept long enough. Which they are is decided by the proven entry; the table
    /// only says where to look.
    private mutating func expired(in entry: LedgerEntry) throws(IngestionError) -> [ExpiredFile] {
        let retention = store.configuration.retention(of: entry.body["dataset"]?.text ?? "")
        if retention == Retention() { return [] }
        var found: [ExpiredFile] = []
        var proven: LedgerEntry?
        for file in entry.files {
            guard let kind = try kind(of: file, retention) else { continue }
            if proven == nil { proven = try recording { () throws(LedgerError) in try log.entry(entry.sequence) } }
            let standing = try recording { () throws(LedgerError) in try log.standing(of: file) }
            guard proven == entry, standing.file != nil else { continue }
            found.append(
                ExpiredFile(
                    file: file, kind: kind, rule: retention.rule(kind),
                    endsHold: file.role == .source && openHolds.contains(file.batch)))
        }
        return found
    }

    /// The rule by which a file's time is over; nil while it is kept.
    private mutating func kind(
        of file: PublishedFile, _ retention: Retention
    ) throws(IngestionError) -> Retention.Kind? {
        let time = file.entry.body["time"]?.text ?? "9"
        func isOver(_ kind: Retention.Kind, since time: String) -> Bool {
            retention.limit(kind, now).map { time <= $0 } ?? false
        }
        if let by = state.superseded[file.batch], retention.limit(.superseded, now) != nil,
            [.accepted, .quarantine, .rows, .baseline, .claims].contains(file.role), !named.contains(file.digest),
            isOver(.superseded, since: try replacementTime(of: file.batch, by: by))
        {
            return .superseded
        }
        switch file.role {
        case .accepted, .rows: return isOver(.accepted, since: time) ? .accepted : nil
        case .source: return isOver(.held, since: time) ? .held : nil
        case .quarantine:
            let (asHeld, asRows) = (isOver(.held, since: time), isOver(.quarantine, since: time))
            if !asHeld, !asRows { return nil }
            return try isHeld(file) ? (asHeld ? .held : nil) : (asRows ? .quarantine : nil)
        case .decision, .provenance: return isOver(.decision, since: time) ? .decision : nil
        case .baseline, .claims:
            let isFree =
                state.superseded[file.batch] != nil || state.excluded.contains(file.batch)
                || !comparedWith.contains(file.entry.sequence)
            return isFree && !named.contains(file.digest) && isOver(.baseline, since: time) ? .baseline : nil
        // An index goes with the last file that it is about. Later batches need the keys of subjects.
        case .subjects, .subjectKeys, nil: return nil
        }
    }

    /// Whether a file is of a batch whose whole source was sealed.
    private mutating func isHeld(_ file: PublishedFile) throws(IngestionError) -> Bool {
        if let known = heldBatches[file.batch] { return known }
        let found = try run(of: file).contains { $0.role == .source }
        heldBatches[file.batch] = found
        return found
    }

    /// Whether the sealed source of a file's batch, or rows that were held back from it, are still there.
    private func hasKeptRows(_ file: PublishedFile) throws(IngestionError) -> Bool {
        for kept in try run(of: file) where kept.role == .source || kept.role == .quarantine {
            if try recording({ () throws(LedgerError) in try log.standing(of: kept) }).file != nil { return true }
        }
        return false
    }

    private func run(of file: PublishedFile) throws(IngestionError) -> [PublishedFile] {
        try recording { () throws(LedgerError) in
            try log.run(around: file.entry.sequence, file.batch).flatMap(\.files)
        }
    }

    /// When a batch was replaced: both entries were made by one commit.
    private mutating func replacementTime(of batch: String, by other: String) throws(IngestionError) -> String {
        if let known = replacedAt[batch] { return known }
        let run = try recording { [log] () throws(LedgerError) in try log.run(other) }
        let time = run.first?.body["time"]?.text ?? "9"
        replacedAt[batch] = time
        return time
    }
}

extension Store {
    /// The sealed files that have been kept long enough by `retention:` of `sluice.yaml`, oldest first.
    ///
    /// - Parameters:
    ///   - dataset: the dataset; nil for all.
    ///   - now: the time, in milliseconds since 1970.
    package func expiredFiles(
        of dataset: String? = nil, at now: Int = Clock.milliseconds()
    ) throws(IngestionError) -> [ExpiredFile] {
        if configuration.retainsEverything { return [] }
        var search = try ExpirySearch(self, at: now)
        return try search.everything(of: dataset)
    }
}

/// The milliseconds of a duration such as `90d`: a number up to a million with `s`, `m`, `h`, `d`, `w` or `y` (of 365
/// days); nil for any other text.
package func duration(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000]
    let digits = text.dropLast()
    guard let unit = text.last.flatMap({ units[$0] }), (1...7).contains(digits.count),
        digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(digits), count <= 1_000_000
    else { return nil }
    return count * unit * 1000
}
