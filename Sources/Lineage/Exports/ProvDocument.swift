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
            "run:\(batch.id)", "sha256:\(batch.sourceDigest)", "sluice:source-\(batch.source)"
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

    /// Adds what a later entry says of published files: that they were removed, or have another form.
    package mutating func add(changes entry: LedgerEntry) {
        let time = entry.body["time"]?.text
        for file in entry.changedFiles {
            let was = file.body["was"]?.text ?? file.digest
            // Of a batch that is not in the document.
            if records["entity"]?["sha256:\(was)"] == nil { continue }
            if entry.event == .fileRemoved {
                relate("wasInvalidatedBy", ["prov:entity": "sha256:\(file.digest)", "prov:time": time])
            } else {
                let name = add(file)
                relate(
                    "wasDerivedFrom",
                    ["prov:generatedEntity": name, "prov:usedEntity": "sha256:\(was)", "prov:type": "prov:Revision"])
                relate("wasInvalidatedBy", ["prov:entity": "sha256:\(was)", "prov:time": time])
            }
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
