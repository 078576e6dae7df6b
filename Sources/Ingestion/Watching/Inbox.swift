import Storage

/// The rule by which a file in an inbox counts as delivered.
package enum Readiness: String, Sendable, CaseIterable {
    /// No process has it open for writing, as far as the kernel can tell. Where it cannot tell: a marker stands beside
    /// it, or size and time were unchanged for the settle time.
    case auto
    /// At once: the supplier writes under another name and renames.
    case rename
    /// `NAME.done` is in the same folder and is not older than the file.
    case marker
    /// Size and time were unchanged for the settle time.
    case stable
}

/// A file waiting in an inbox.
struct Candidate {
    let name: FileName
    var identity: Delivery.FileIdentity
    /// Since when it is unchanged, on the monotonic clock.
    var stillSince: Double
    /// When to examine it next, on the monotonic clock.
    var checkAt = 0.0
}

/// Whether a candidate can be taken now.
enum Settling {
    /// It can be taken.
    case ready
    /// It is to be examined again at this time of the monotonic clock.
    case notBefore(Double)
    /// It is gone.
    case gone
    /// It can never be taken, for this reason.
    case refused(String)
}

/// One dataset's inbox: the open folder, the queue of its candidates, and what was refused.
final class Inbox {
    let dataset: String
    let path: String
    private let store: Store
    /// The folder as the configuration names it.
    private let place: String
    private(set) var folder: OpenFolder?
    /// The inotify watch descriptor; nil when the folder is not watched.
    private(set) var watch: Int32?
    private var candidates: [FileName: Candidate] = [:]
    /// Inodes of files that were refused, so that each is reported once.
    private var refused: [FileName: UInt64] = [:]
    /// The lists in it, by their names, with the paths that they name; an error for one that is none.
    private var lists: [FileName: FoundList] = [:]
    private typealias FoundList = (
        identity: Delivery.FileIdentity, found: Result<ListedFiles, IngestionError>, paths: [RelativePath]
    )
    /// Why lists wait, so that each reason is reported once.
    private var waiting: [FileName: String] = [:]
    /// The files that lists name, which are not taken by themselves.
    private var listed = Set<FileName>()
    /// Whether the last scan found more candidates than the queue may hold.
    private(set) var isTruncated = false

    init(of dataset: String, in store: Store) {
        self.dataset = dataset
        self.store = store
        place = store.inboxPath(of: dataset)
        path = store.inbox(of: dataset)
    }

    /// Creates the folder where it is missing.
    func make() throws(IngestionError) {
        try storing { () throws(StorageError) in _ = try store.openPlace(place, making: true) }
    }

    var count: Int { candidates.count }
    func holds(_ name: FileName) -> Bool { candidates[name] != nil }
    var refusedCount: Int { refused.count }

    /// Opens and watches the folder and takes its lock, so that two daemons, even of two stores, never share an inbox.
    ///
    /// - Throws: when the folder cannot be watched, or another daemon holds the lock.
    func open(_ events: borrowing FolderEvents) throws(IngestionError) {
        try storing { () throws(StorageError) in
            let opened = try store.openPlace(place)
            guard try opened.tryLock() else {
                throw StorageError(
                    .inputOutput, "watch", path, errno: 0,
                    cause: "another daemon watches it; one inbox belongs to one store")
            }
            // Watch before scanning, so that no file is missed in between.
            watch = try events.add(path)
            folder = opened
        }
    }

    /// Closes a folder that was removed, moved or unmounted. Its candidates are forgotten; a later scan finds them
    /// again.
    func close(_ events: borrowing FolderEvents) {
        if let watch { events.remove(watch) }
        watch = nil
        folder = nil
        candidates = [:]
        refused = [:]
        lists = [:]
    }

    /// The list of this name; nil when it is a file like others.
    func list(_ name: FileName) -> ListedFiles? { try? lists[name]?.found.get() }

    /// Why a list cannot be taken: it is none, or files that it names are not there yet.
    ///
    /// - Parameters:
    ///   - name: the list.
    ///   - device: the file system of the store.
    /// - Returns: nil for one that can be taken, and for any other file.
    func obstacle(to name: FileName, device: UInt64?) -> String? {
        read(name)
        guard let folder, let known = lists[name] else { return nil }
        do throws(IngestionError) {
            let listed = try known.found.get()
            if (try? folder.status())?.device != device {
                return "the files of a list are taken only where inbox and store are on one file system; give it to "
                    + "sluice ingest"
            }
            return listed.waits(in: folder)
        } catch {
            return error.description
        }
    }

    /// Notes why a list waits.
    ///
    /// - Returns: whether that is news.
    func isNews(_ reason: String, of name: FileName) -> Bool { waiting.updateValue(reason, forKey: name) != reason }

    /// Reads a list, unless it is known as it is.
    private func read(_ name: FileName) {
        guard FileList.isName(name), let status = try? folder?.status(of: name), status.kind == .regular,
            lists[name]?.identity != Delivery.FileIdentity(status)
        else { return }
        let bytes = try? folder?.openRegular(name).readAll(max: FileList.bytesMax)
        let found = Result { () throws(IngestionError) in
            guard let bytes else { throw IngestionError(.unreadableData, "the list cannot be read, or is too long") }
            return try ListedFiles(bytes, name: name.description)
        }
        // Also what a damaged list names is not taken by itself: it would be judged without what the list says.
        let named = DigestLine.all(bytes ?? []).flatMap { line in Set([line.name, line.exact]) }
        let paths = named.compactMap { RelativePath($0.hasPrefix("./") ? String($0.dropFirst(2)) : $0) }
        lists[name] = (Delivery.FileIdentity(status), found, paths)
    }

    /// Drops what lists name from the queue.
    ///
    /// - Parameter inWork: files of lists that were taken, and are still to be.
    private func passOver(_ inWork: Set<FileName>) {
        // A folder of such files is passed over, too.
        listed = inWork.union(lists.values.flatMap(\.paths).map { $0.names[0] })
        for name in listed { candidates[name] = nil }
    }

    /// Whether the path still leads to the open folder.
    func isCurrent() -> Bool {
        guard let open = try? folder?.status(), let now = try? store.openPlace(place).status() else { return false }
        return open.inode == now.inode && open.device == now.device
    }

    /// Names that are no deliveries: hidden files, names that tools give to unfinished files, markers and sidecars.
    static func isIgnored(_ name: FileName) -> Bool {
        let ends = [
            ".part", ".tmp", ".temp", ".filepart", ".crdownload", ".partial", ".lock", ".swp", "~", ".done", ".sha256",
            ".sig", ".minisig", ".manifest",
        ]
        // A hidden file of a lease that the ledger does not know is a delivery again.
        if name.bytes.starts(with: Array(".sluice-".utf8)), name.bytes.ends(with: Array(".source".utf8)) {
            return false
        }
        if name.bytes[0] == 0x2E || Sidecars.listNames.contains(name.description) { return true }
        let lower = name.bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return ends.contains { lower.ends(with: Array($0.utf8)) }
    }

    /// Scans the folder and keeps the oldest `limit` candidates.
    ///
    /// The queue holds only what can be taken: no refused files, and none without a marker where a marker decides.
    ///
    /// - Parameters:
    ///   - limit: most candidates.
    ///   - now: the monotonic time.
    ///   - claimed: leases that are in work, whose hidden files are skipped.
    ///   - inWork: files of lists that were taken, and are still to be.
    ///   - readiness: the rule of delivery.
    func scan(
        limit: Int, now: Double, claimed: Set<String>, inWork: Set<FileName>, _ readiness: Readiness
    ) throws(IngestionError) {
        var (names, markers, sidecars): ([FileName], Set<FileName>, [(name: FileName, base: FileName)]) = ([], [], [])
        try storing { () throws(StorageError) in
            try folder?.forEachName { name in
                if !Self.isIgnored(name) {
                    names.append(name)
                } else if let base = Self.base(ofMarker: name) {
                    markers.insert(base)
                } else if let base = Sidecars.base(of: name) {
                    sidecars.append((name, base))
                }
            }
        }
        let there = Set(names)
        for name in markers where !there.contains(name) { removeStray(marker(of: name), after: 60) }
        // Sidecars whose file was taken long ago would contradict the next file of that name.
        for (name, base) in sidecars where !there.contains(base) { removeStray(name, after: 3600) }
        lists = lists.filter { there.contains($0.key) }
        waiting = waiting.filter { there.contains($0.key) }
        names.forEach(read)
        passOver(inWork)
        names.removeAll(where: listed.contains)
        if readiness == .marker { names.removeAll { !markers.contains($0) } }
        candidates = candidates.filter { there.contains($0.key) }
        refused = refused.filter { there.contains($0.key) }
        for name in names where !isClaimed(name, claimed) { note(name, now: now) }
        isTruncated = candidates.count > limit
        if isTruncated {
            let kept = candidates.values.sorted { $0.identity.modifiedNanoseconds < $1.identity.modifiedNanoseconds }
            candidates = Dictionary(
                kept.prefix(limit).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Whether a hidden name in the inbox is the file of a lease that is in work.
    private func isClaimed(_ name: FileName, _ claimed: Set<String>) -> Bool {
        guard name.bytes[0] == 0x2E else { return false }
        return claimed.contains(String(decoding: name.bytes.dropFirst(8).prefix(36), as: UTF8.self))
    }

    /// Adds one name to the queue, to be examined at once.
    private func note(_ name: FileName, now: Double) {
        guard !Self.isIgnored(name), !listed.contains(name), let status = try? folder?.status(of: name) else { return }
        let identity = Delivery.FileIdentity(status)
        var candidate = Candidate(name: name, identity: identity, stillSince: now)
        if let known = candidates[name], known.identity == identity { candidate.stillSince = known.stillSince }
        if status.kind != .regular, refused[name] == status.inode { return }
        candidates[name] = candidate
    }

    /// The file that a marker is for; nil when the name is not that of a marker.
    private static func base(ofMarker name: FileName) -> FileName? {
        let ending = Array(".done".utf8)
        return name.bytes.ends(with: ending) ? FileName(Array(name.bytes.dropLast(ending.count))) : nil
    }

    /// Removes a marker or sidecar whose file is gone, once it is older than `seconds`: a younger one may have come
    /// before its file.
    private func removeStray(_ name: FileName?, after seconds: Int) {
        guard let name, let status = try? folder?.status(of: name), status.kind == .regular,
            Clock.milliseconds() - status.modifiedNanoseconds / 1_000_000 > 1000 * seconds
        else { return }
        try? folder?.remove(name)
    }

    /// Handles the event of a file or of its marker.
    ///
    /// - Parameters:
    ///   - name: the name in the event.
    ///   - limit: most candidates.
    ///   - now: the monotonic time.
    func notice(_ name: FileName, limit: Int, now: Double) {
        let name = Self.base(ofMarker: name) ?? name
        if candidates.count >= limit {
            isTruncated = true
        } else if name.bytes[0] != 0x2E {
            if FileList.isName(name) {
                read(name)
                passOver(listed)
            }
            note(name, now: now)
        }
    }

    /// The candidates to examine now, unordered, and the time at which the next one is due.
    func due(_ now: Double) -> (candidates: [Candidate], next: Double) {
        var (due, next) = ([Candidate](), Double.infinity)
        for candidate in candidates.values {
            if candidate.checkAt <= now { due.append(candidate) } else { next = min(next, candidate.checkAt) }
        }
        return (due, next)
    }

    /// Whether a candidate may become ready within the settle time.
    func isSettling(_ now: Double, settle: Double) -> Bool {
        candidates.values.contains { $0.checkAt < .infinity && now - $0.stillSince < settle + 0.5 }
    }

    /// Examines a candidate again at this time, or earlier when an event names it.
    func postpone(_ name: FileName, to time: Double) { candidates[name]?.checkAt = time }

    func forget(_ name: FileName) { candidates[name] = nil }

    /// Notes that a file was refused.
    ///
    /// - Returns: false when that was noted before, so that it is not reported twice.
    func refuse(_ candidate: Candidate) -> Bool {
        candidates[candidate.name] = nil
        return refused.updateValue(candidate.identity.inode, forKey: candidate.name) != candidate.identity.inode
    }

    /// Whether a candidate can be taken now.
    ///
    /// - Parameters:
    ///   - candidate: the candidate.
    ///   - readiness: the rule of delivery.
    ///   - settle: seconds that size and time must be unchanged.
    ///   - now: the monotonic time.
    func settling(of candidate: Candidate, _ readiness: Readiness, settle: Double, now: Double) -> Settling {
        guard let status = try? folder?.status(of: candidate.name) else { return .gone }
        guard status.kind == .regular else {
            return .refused(
                status.kind == .folder
                    ? "it is a folder; its files are taken once a list beside it names them: sha256sum FOLDER/* > NAME.batch"
                    : "it is a \(status.kind.rawValue), but only plain files are ingested; remove it")
        }
        var writers = WriterState.unknown
        do throws(StorageError) {
            writers = try folder?.openRegular(candidate.name).writerState() ?? .unknown
        } catch {
            return error.code == .notFound ? .gone : .refused(error.cause)
        }
        // A marker older than the file belongs to an earlier file of that name.
        let marked = marker(of: candidate.name).flatMap { try? folder?.status(of: $0) }
        let hasMarker =
            marked.map { $0.kind == .regular && $0.modifiedNanoseconds >= status.modifiedNanoseconds } ?? false
        switch readiness {
        case .rename: return .ready
        case .marker: return hasMarker ? .ready : .notBefore(.infinity)
        // A file that is open for writing is not delivered, whatever a marker says. Its close is an event; polling
        // serves file systems without events.
        case .auto where writers == .writing: return .notBefore(now + settle)
        case .auto where hasMarker || writers == .none: return .ready
        case .auto, .stable: break
        }
        let identity = Delivery.FileIdentity(status)
        if identity != candidate.identity {
            candidates[candidate.name] = Candidate(name: candidate.name, identity: identity, stillSince: now)
            return .notBefore(now + settle)
        }
        return now - candidate.stillSince >= settle ? .ready : .notBefore(candidate.stillSince + settle)
    }

    /// Whether a required sidecar is missing beside a file.
    func lacks(_ required: [SourceRecord.Requirement], beside name: FileName) -> Bool {
        let there = Sidecars.Kind.allCases.filter { kind in
            (Sidecars.name(kind, of: name).flatMap { try? folder?.status(of: $0) }?.size ?? 0) > 0
        }
        return required.contains { requirement in
            // A manifest counts only with its signature, which may arrive after it.
            if requirement == .manifest, !there.contains(where: \.isSignature) { return true }
            return !there.contains { $0.serves(requirement) }
        }
    }

    /// Removes the marker of a file that was taken, unless a new file of that name is there.
    func removeMarker(of name: FileName) {
        guard let folder, let marker = marker(of: name), (try? folder.status(of: marker))?.kind == .regular,
            (try? folder.status(of: name)) == nil
        else { return }
        // Failure is harmless: without permission to remove it, the file could not have been taken.
        try? folder.remove(marker)
    }

    /// The name of a file's marker; nil when it would be too long for one.
    func marker(of name: FileName) -> FileName? { FileName(name.bytes + Array(".done".utf8)) }
}

extension Array where Element == UInt8 {
    fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
