import Cryptography
package import Tabular

/// The log as a document of W3C PROV in PROV-JSON (W3C member submission of 24 April 2013): sources, contracts and sealed files are
/// entities, the judging of a batch is an activity, suppliers and this program are agents.
///
/// Names are those of the ledger's projection: `sha256:` and `run:`.
package struct ProvDocument {
    private var records: [String: [String: JSONValue]] = [:]
    private var relations = 0
    private let gate = "sluice:gate"

    /// An empty document.
    ///
    /// - Parameters:
    ///   - origin: the origin of the ledger.
    ///   - version: this program's version.
    package init(origin: String, version: String) {
        records["agent"] = [
            gate: .object([
                "prov:type": Self.name("prov:SoftwareAgent"), "prov:label": .string("sluice \(version)"),
                "sluice:ledger": .string(origin),
            ])
        ]
    }

    /// The document.
    package var document: JSONValue {
        var members = records.mapValues { JSONValue.object($0) }
        members["prefix"] = .object([
            "sluice": .string("https://sluice.local/ns#"), "sha256": .string("https://sluice.local/sha256/"),
            "run": .string("https://sluice.local/run/"),
        ])
        return .object(members)
    }

    /// Adds what a batch's commit records.
    package mutating func add(_ batch: RecordedBatch) {
        let (run, source, supplier) = (
            "run:\(batch.id)", "sha256:\(batch.sourceDigest)", "sluice:source-\(percentEncoded(batch.source))"
        )
        set("agent", supplier, ["prov:type": Self.name("prov:Organization"), "prov:label": .string(batch.source)])
        set(
            "entity", source,
            [
                "prov:type": .string("batch"), "sluice:bytes": batch.arrival.body["bytes"],
                "sluice:format": batch.arrival.body["format"],
            ])
        set(
            "activity", run,
            [
                "prov:startTime": batch.arrival.body["time"],
                "prov:endTime": (batch.judged ?? batch.arrival).body["time"],
                "sluice:dataset": .string(batch.dataset), "sluice:rows": batch.judged?.body["rows"],
                "sluice:verdict": batch.judged?.body["verdict"] ?? .string("failed"),
            ])
        relate("used", ["prov:activity": run, "prov:entity": source])
        relate("wasAttributedTo", ["prov:entity": source, "prov:agent": supplier])
        relate("wasAssociatedWith", ["prov:activity": run, "prov:agent": gate])
        if let contract = batch.contract {
            let name = "sha256:\(contract.digest)"
            set(
                "entity", name,
                ["prov:type": .string("contract"), "prov:label": .string("\(contract.name) \(contract.version)")])
            relate("used", ["prov:activity": run, "prov:entity": name, "prov:role": "contract"])
        }
        if let held = batch.releases {
            relate("wasInformedBy", ["prov:informed": run, "prov:informant": "run:\(held)"])
        }
        for file in batch.files {
            let name = add(file)
            relate(
                "wasGeneratedBy",
                [
                    "prov:entity": name, "prov:activity": run,
                    "prov:time": (batch.judged ?? batch.arrival).body["time"]?.text,
                ])
            relate("wasDerivedFrom", ["prov:generatedEntity": name, "prov:usedEntity": source, "prov:activity": run])
        }
    }

    /// Adds what a later entry says of published files or of a batch: that they were removed, have another form, or were replaced. What it
    /// is about need not be in the document.
    package mutating func add(change entry: LedgerEntry) {
        let time = entry.body["time"]?.text
        if entry.event == .batchSuperseded, let old = entry.body["batch"]?.text, let new = entry.body["by"]?.text {
            for run in [old, new] where records["activity"]?["run:\(run)"] == nil { set("activity", "run:\(run)", [:]) }
            relate(
                "wasInformedBy",
                ["prov:informed": "run:\(new)", "prov:informant": "run:\(old)", "prov:type": "sluice:supersedes"])
        }
        for file in entry.changedFiles {
            let was = "sha256:\(file.body["was"]?.text ?? file.digest)"
            if records["entity"]?[was] == nil {
                set("entity", was, ["prov:type": file.body["role"], "prov:location": .string(file.path)])
            }
            if entry.event != .fileRemoved {
                let name = add(file)
                relate(
                    "wasDerivedFrom",
                    ["prov:generatedEntity": name, "prov:usedEntity": was, "prov:type": "prov:Revision"])
            }
            relate("wasInvalidatedBy", ["prov:entity": was, "prov:time": time])
        }
    }

    private mutating func add(_ file: PublishedFile) -> String {
        let name = "sha256:\(file.digest)"
        set(
            "entity", name,
            [
                "prov:type": file.body["role"], "prov:location": .string(file.path), "sluice:bytes": file.body["bytes"],
                "sluice:rows": file.body["row_count"],
            ])
        return name
    }

    private mutating func set(_ kind: String, _ name: String, _ members: [String: JSONValue?]) {
        records[kind, default: [:]][name] = .members(members)
    }

    private mutating func relate(_ kind: String, _ members: [String: String?]) {
        relations += 1
        var found: [String: JSONValue] = [:]
        for case (let key, let value?) in members {
            found[key] = key == "prov:type" ? Self.name(value) : .string(value)
        }
        records[kind, default: [:]]["_:r\(relations)"] = .object(found)
    }

    /// A name as a value.
    private static func name(_ text: String) -> JSONValue {
        .object(["$": .string(text), "type": .string("xsd:QName")])
    }
}

/// The text with every other character than letters, digits, dot, dash and underscore of ASCII percent-encoded: for names in IRIs.
func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: String(decoding: [byte], as: UTF8.self)
        default: "%" + hex([byte]).uppercased()
        }
    }.joined()
}
