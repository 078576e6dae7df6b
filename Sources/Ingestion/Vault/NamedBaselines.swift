import Cryptography
import Glibc
import Lineage
import Screening
import Tabular

/// A named baseline: a list of accepted batches that is recorded in the ledger and nowhere else.
package struct NamedBaseline: Sendable, Equatable {
    /// Its name, unique in its dataset.
    package let name: String
    /// The dataset.
    package let dataset: String
    /// Its accepted batches, newest first.
    package let batches: [String]
    /// By batch, SHA-256 of its sealed baseline, hexadecimal.
    let files: [String]
    /// SHA-256 over name, dataset and the digests of the sealed baselines, hexadecimal.
    package let digest: String
    /// The time at which it was built.
    package let time: String
    /// Whether it is the anchor that drift is measured against: the one approved last and not retired.
    package fileprivate(set) var isAnchor = false
    /// Whether it is pinned, so that batches are judged by it alone.
    package fileprivate(set) var isPinned = false
    /// Whether it is retired and no longer used.
    package fileprivate(set) var isRetired = false

    /// The bytes of `digest`.
    var digestBytes: [UInt8] { bytes(hex: digest) ?? [] }
}

/// A step in the life of a named baseline.
package enum BaselineStep: Sendable, CaseIterable {
    /// It becomes the anchor.
    case approve
    /// Batches are compared with it alone.
    case pin
    /// It is no longer used.
    case retire

    /// The ledger event that records the step.
    var event: LedgerEvent {
        switch self {
        case .approve: .baselineApproved
        case .pin: .baselinePinned
        case .retire: .baselineRetired
        }
    }
}

extension Store {
    /// The named baselines of a dataset, or of all, by the proven record, in the order of their last step.
    package func namedBaselines(dataset: String? = nil) throws(IngestionError) -> [NamedBaseline] {
        let (log, state) = try proven()
        var entries: [LedgerEntry] = []
        for sequence in state.baselineSteps {
            entries.append(try recording { () throws(LedgerError) in try log.entry(sequence) })
        }
        var found: [NamedBaseline] = []
        for entry in entries {
            guard let name = entry.body["name"]?.text, let of = entry.body["dataset"]?.text,
                dataset == nil || of == dataset
            else { continue }
            if entry.event == .baselineBuilt {
                found.append(
                    NamedBaseline(
                        name: name, dataset: of, batches: (entry.body["batches"]?.items ?? []).compactMap(\.text),
                        files: (entry.body["files"]?.items ?? []).compactMap(\.text),
                        digest: entry.body["digest"]?.text ?? "", time: entry.body["time"]?.text ?? ""))
                continue
            }
            guard let place = found.firstIndex(where: { $0.name == name && $0.dataset == of }) else { continue }
            var one = found.remove(at: place)
            switch BaselineStep.allCases.first(where: { $0.event == entry.event }) {
            case .approve:
                for index in found.indices where found[index].dataset == of { found[index].isAnchor = false }
                one.isAnchor = true
            case .pin:
                for index in found.indices where found[index].dataset == of { found[index].isPinned = false }
                one.isPinned = true
            case .retire: (one.isAnchor, one.isPinned, one.isRetired) = (false, false, true)
            case nil: break
            }
            found.append(one)
        }
        return found
    }
}

extension Recorder {
    /// Builds a baseline from accepted batches and records it. It has no effect until it is approved or pinned.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - dataset: the dataset.
    ///   - batches: ids of the batches; nil for the newest.
    ///   - limit: how many of the newest.
    /// - Throws: `usage` for a name that is taken or a batch that was not accepted.
    package func buildBaseline(
        _ name: String, dataset: String, batches: [String]?, limit: Int
    ) throws(IngestionError) -> NamedBaseline {
        guard isUsableName(name) else {
            throw IngestionError(.usage, "a baseline's name has 1 to 64 letters, digits, dots, dashes and underscores")
        }
        if try store.namedBaselines(dataset: dataset).contains(where: { $0.name == name }) {
            throw IngestionError(.usage, "dataset \(dataset) has a baseline \(name) already; choose another name")
        }
        let (log, state) = try store.proven()
        let recorded = try recording { () throws(LedgerError) in
            try log.files(.baseline, in: state.publications(dataset, role: .baseline).reversed())
        }
        let files = recorded.filter { !state.excluded.contains($0.batch) }
        let chosen: [PublishedFile]
        if let batches {
            chosen = try batches.map { (batch) throws(IngestionError) in
                guard let file = files.first(where: { $0.batch == batch }) else {
                    throw IngestionError(
                        .usage, "batch \(batch) is not an accepted batch of dataset \(dataset) with statistics")
                }
                return file
            }
        } else {
            chosen = Array(files.prefix(limit))
        }
        guard !chosen.isEmpty, chosen.count <= Self.baselineBatchesMax else {
            throw IngestionError(
                .usage,
                chosen.isEmpty
                    ? "dataset \(dataset) has accepted no batch with statistics yet"
                    : "a baseline has at most \(Self.baselineBatchesMax) batches; give fewer")
        }
        let time = Clock.text()
        let document = JSONValue.object([
            "name": .string(name), "dataset": .string(dataset), "files": .array(chosen.map { .string($0.digest) }),
        ])
        let digest = hex(SHA256.hash(document.canonicalBytes()))
        let entry = JSONValue.object([
            "kind": .event(.baselineBuilt), "v": .integer(1), "time": .string(time), "name": .string(name),
            "dataset": .string(dataset), "uid": .integer(Int64(getuid())), "digest": .string(digest),
            "batches": .array(chosen.map { .string($0.batch) }),
            "files": .array(chosen.map { .string($0.digest) }),
        ])
        try append([entry])
        return NamedBaseline(
            name: name, dataset: dataset, batches: chosen.map(\.batch), files: chosen.map(\.digest), digest: digest,
            time: time)
    }

    /// Most batches of a baseline: its entry must not exceed 65,535 bytes.
    private static var baselineBatchesMax: Int { 400 }

    /// Records an approval, pin or retirement, with the user's id and the reason.
    ///
    /// - Parameters:
    ///   - step: the step.
    ///   - name: the baseline.
    ///   - dataset: its dataset.
    ///   - reason: why.
    /// - Throws: `usage` when there is no such baseline, or it is retired.
    package func take(
        _ step: BaselineStep, _ name: String, dataset: String, reason: String
    ) throws(IngestionError) {
        guard let found = try store.namedBaselines(dataset: dataset).first(where: { $0.name == name }) else {
            throw IngestionError(
                .usage, "dataset \(dataset) has no baseline \(name); see: sluice baseline list")
        }
        if found.isRetired, step != .retire {
            throw IngestionError(
                .usage, "baseline \(name) was retired; build another: sluice baseline build NAME --dataset \(dataset)")
        }
        let entry = JSONValue.object([
            "kind": .event(step.event), "v": .integer(1), "time": .string(Clock.text()), "name": .string(name),
            "dataset": .string(dataset), "digest": .string(found.digest), "uid": .integer(Int64(getuid())),
            "reason": .string(reason),
        ])
        try append([entry])
    }

    /// Excludes a batch's baseline and claims from all comparisons, with the user's id and the reason. It is meant for
    /// a batch whose file is lost, or that should not have been accepted.
    package func excludeBaseline(of batch: String, dataset: String, reason: String) throws(IngestionError) {
        let (log, state) = try store.proven()
        let run = try recording { () throws(LedgerError) in try log.run(batch) }
        guard run.flatMap(\.files).contains(where: { $0.role == .baseline || $0.role == .claims }),
            run.contains(where: { $0.body["dataset"]?.text == dataset })
        else {
            throw IngestionError(
                .usage,
                "dataset \(dataset) has no baseline of a batch \(batch); see: sluice lineage log --dataset \(dataset)")
        }
        if state.excluded.contains(batch) {
            throw IngestionError(.usage, "the baseline of batch \(batch) is already excluded")
        }
        let entry = JSONValue.object([
            "kind": .event(.baselineExcluded), "v": .integer(1), "time": .string(Clock.text()),
            "dataset": .string(dataset), "batch": .string(batch), "uid": .integer(Int64(getuid())),
            "reason": .string(reason),
        ])
        try append([entry])
    }

    private func isUsableName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || [0x2D, 0x2E, 0x5F].contains($0)
            }
    }
}
