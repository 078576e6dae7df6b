import Cryptography
import Glibc
import Lineage
import Schemas
import Tabular

/// One entry of `sources:` in `sluice.yaml`: what a supplier must bring, and which keys may sign for it.
package struct SourceRecord: Sendable, Equatable {
    /// A sidecar that each file of the source must have.
    package enum Requirement: String, Sendable, CaseIterable {
        /// A SHA-256 digest of the file.
        case digest
        /// A signature by a trusted key.
        case signature
        /// A signed manifest, which binds the file to its dataset and to the order of deliveries.
        case manifest
    }

    /// The source's name, as `--source` gives it.
    package let name: String
    /// Owner, licence, way of collection, intended use and contact of the data, for the record only.
    package var owner = "", licence = "", collection = "", intendedUse = "", contact = ""
    /// Accepted batches that a new source must first deliver under review; 0 for none.
    package var probation = 3
    /// The sidecars that each file must have.
    package var required: [Requirement] = []
    /// The keys that may sign for it.
    package var keys: [TrustedKey] = []
    /// The namespace that ssh signatures must have been made for.
    package var namespace = "file"

    init(_ name: String) { self.name = name }

    /// Reads a member of `sources:`.
    init(_ name: String, _ cursor: Cursor) throws(SchemaError) {
        self.name = name
        let settings = try SettingReader(cursor, .supplier)
        owner = try settings.text("owner") ?? ""
        licence = try (settings["licence"] ?? settings["license"])?.text() ?? ""
        collection = try settings.text("collection") ?? ""
        intendedUse = try settings.text("intendedUse") ?? ""
        contact = try settings.text("contact") ?? ""
        probation = try settings.whole("probation") ?? 3
        namespace = try settings.text("namespace") ?? "file"
        if let list = settings["require"] {
            for item in list.value.text == nil ? try list.items() : [list] {
                required.append(try item.choice(Requirement.self, what: "requirement"))
            }
        }
        for item in try settings["keys"]?.items() ?? [] {
            let key = try SettingReader(item, .trustedKey)
            for format in TrustedKey.Format.allCases {
                guard let text = key[format.rawValue] else { continue }
                guard let key = TrustedKey(format, try text.text()) else {
                    throw text.error(
                        .outOfRange,
                        format == .minisign
                            ? "must be minisign's public key, the line of 56 letters of its .pub file"
                            : "must be an Ed25519 public key as in OpenSSH's .pub file: ssh-ed25519 AAAA…")
                }
                keys.append(key)
            }
        }
        if let signed = required.first(where: { $0 != .digest }), keys.isEmpty {
            throw cursor.error(
                .inconsistent, "require: \(signed.rawValue) needs keys: with who may sign", atKey: true)
        }
    }

    /// The entry as the ledger keeps it, without `contact`, which may name a person. `digest` covers the contact too.
    var document: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "owner": .string(owner), "licence": .string(licence),
            "collection": .string(collection), "intended_use": .string(intendedUse),
            "probation": .integer(Int64(probation)),
            "require": .array(required.map { .string($0.rawValue) }), "namespace": .string(namespace),
            "keys": .array(keys.map { .string("\($0.format.rawValue) \($0.fingerprint)") }),
        ]
        members["record_sha256"] = .string(hex(digest))
        return .object(members)
    }

    /// SHA-256 over all members, the contact included.
    var digest: [UInt8] {
        let all: [JSONValue] =
            [name, owner, licence, collection, intendedUse, contact, String(probation), namespace].map { .string($0) }
            + required.map { .string($0.rawValue) }
            + keys.map { .string($0.format.rawValue + " " + hex($0.publicKey)) }
        return SHA256.hash(JSONValue.array(all).canonicalBytes())
    }
}

/// A person's decision about a supplier.
package enum SourceStep: Sendable, CaseIterable {
    /// The supplier is trusted: its probation, or the distrust that it earned, ends.
    case trust
    /// The supplier's batches are rejected.
    case block
    /// The supplier's batches are held until enough of them have passed.
    case probation

    /// The ledger event that records the decision.
    var event: LedgerEvent {
        switch self {
        case .trust: .sourceTrusted
        case .block: .sourceBlocked
        case .probation: .sourceProbation
        }
    }
}

/// The current standing of a source, from configuration and proven record.
package struct SourceStanding: Sendable, Equatable {
    /// The treatment of a source's batches.
    package enum State: Equatable, Sendable {
        /// They are judged like any other.
        case trusted
        /// They are held until `of` batches have passed, or a person trusts the source.
        case probation(passed: Int, of: Int)
        /// They are rejected.
        case blocked
        /// They are held: `sluice.yaml` lists sources, and not this one.
        case unlisted

        /// The state's name in reports.
        package var name: String {
            switch self {
            case .trusted: "trusted"
            case .probation: "probation"
            case .blocked: "blocked"
            case .unlisted: "unlisted"
            }
        }
    }

    /// The treatment of its batches.
    package var state: State
    /// The sequence of the last `source.trusted` entry; nil for none. Contradictions that were recorded before it no
    /// longer count.
    package var trustedSince: Int?
    /// Digests of the files that passed during probation; the same file counts once.
    var observed: Set<String> = []
    /// When and why a person decided it; empty without a decision.
    package var time = "", reason = ""
}

extension Store {
    /// A source's standing by configuration and proven record.
    ///
    /// - Returns: nil when neither the configuration nor the record knows any source, so that nothing is required of
    ///   this one.
    package func standing(_ name: String) throws(IngestionError) -> SourceStanding? {
        let history = try proven().state.sources[name] ?? ProvenState.SourceHistory()
        let decided = SourceStep.allCases.first { $0.event.rawValue == history.decision }
        var standing = SourceStanding(state: .trusted)
        standing.time = history.time
        standing.reason = history.reason
        standing.trustedSince = history.trustedSince
        let record = configuration.sources[name]
        switch decided {
        case .trust: return standing
        case .block: standing.state = .blocked
        case .probation, nil:
            if decided == nil, configuration.sources.isEmpty { return nil }
            if decided == nil, record == nil {
                standing.state = configuration.holdsUnlisted ? .unlisted : .trusted
                return standing
            }
            let needed = decided == nil ? record?.probation ?? 0 : max(1, record?.probation ?? 3)
            standing.observed = history.observed
            let passed = standing.observed.count
            if passed < needed { standing.state = .probation(passed: passed, of: needed) }
        }
        return standing
    }

    /// The sources that are configured, or that a person decided about, sorted.
    package func knownSources() throws(IngestionError) -> [String] {
        try Set(configuration.sources.keys).union(proven().state.decidedSources).sorted()
    }
}

extension Recorder {
    /// Records a decision about a source, with the user's id and the reason.
    ///
    /// - Throws: `usage` for a name that is empty or longer than 256 bytes.
    package func take(_ step: SourceStep, source: String, reason: String) throws(IngestionError) {
        guard !source.isEmpty, source.utf8.count <= 256 else {
            throw IngestionError(.usage, "a source's name has 1 to 256 bytes")
        }
        let entry = JSONValue.object([
            "kind": .event(step.event), "v": .integer(1), "time": .string(Clock.text()),
            "source": .string(source), "uid": .integer(Int64(getuid())), "reason": .string(reason),
        ])
        try append([entry])
    }

    /// The ledger entries that a batch adds about its source: its record when that is new or changed, and a pass during
    /// probation.
    func entries(
        about attestation: Attestation, _ bodies: EntryBodies, passes: Bool
    ) throws(IngestionError) -> [JSONValue] {
        let (batch, time) = (bodies.batch, bodies.time)
        var entries: [JSONValue] = []
        if let record = attestation.record {
            if try store.proven().state.registered[record.name] != hex(record.digest) {
                var members = record.document.members ?? [:]
                members["kind"] = .event(.sourceRegistered)
                members["v"] = .integer(1)
                members["time"] = .string(time)
                entries.append(.object(members))
            }
        }
        let data = hex(batch.digest)
        if passes, case .probation(let passed, let needed) = attestation.standing?.state,
            attestation.standing?.observed.contains(data) == false
        {
            entries.append(
                .object([
                    "kind": .event(.sourceObserved), "v": .integer(1), "time": .string(time),
                    "source": .string(attestation.name), "batch": .string(batch.id), "data_hash": .string(data),
                    "passed": .integer(Int64(passed + 1)), "of": .integer(Int64(needed)),
                ]))
        }
        return entries
    }
}

/// The source of a batch, with its standing and the result of checking its sidecars.
struct Attestation: Sendable {
    let name: String
    let record: SourceRecord?
    let standing: SourceStanding?
    let provenance: Provenance

    /// A digest of everything about the source that can change the verdict, for the batch's identity: a file is judged
    /// anew once it is signed or its source is trusted. Empty when nothing is known of the source.
    var identity: [UInt8] {
        guard record != nil || standing != nil || !provenance.isSilent else { return [] }
        // The results and the requirements go in, not the sidecars' bytes: anyone could vary those and have the same
        // file judged again.
        let asked = (record?.required ?? []).map(\.rawValue) + (record?.keys ?? []).map { hex($0.publicKey) }
        let answers =
            [
                standing?.state.name ?? "", "\(standing?.trustedSince ?? -1)", provenance.digest.rawValue,
                provenance.signature.rawValue, provenance.signer,
            ] + (provenance.manifest.map { [$0.document.text(pretty: false)] } ?? [])
        return SHA256.hash(JSONValue.array((answers + asked).map { .string($0) }).canonicalBytes())
    }

    /// Findings about the whole batch.
    var findings: [Finding] {
        var found = provenance.findings
        switch standing?.state {
        case .blocked: found.append(Finding(.sourceBlocked, outcome: .rejected, at: .batch))
        case .unlisted: found.append(Finding(.sourceUnlisted, outcome: .quarantined, at: .batch))
        case .probation: found.append(Finding(.sourceProbation, outcome: .quarantined, at: .batch))
        case .trusted, nil: break
        }
        return found
    }

    /// The attestation as the report and the ledger state it; nil when nothing is known of the source.
    var document: JSONValue? {
        guard record != nil || standing != nil || !provenance.isSilent else { return nil }
        var members: [String: JSONValue] = ["standing": .string(standing?.state.name ?? "none")]
        if case .probation(let passed, let needed) = standing?.state {
            (members["passed"], members["needed"]) = (.integer(Int64(passed)), .integer(Int64(needed)))
        }
        if let record { members["record_sha256"] = .string(hex(record.digest)) }
        if let provenance = provenance.document { members["provenance"] = provenance }
        if let manifest = provenance.manifest { members["manifest"] = manifest.document }
        return .object(members)
    }
}
