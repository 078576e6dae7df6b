import Cryptography
import Tabular

/// A batch as the log records it: what arrived, what was decided, and what was published. The exports are made of it.
package struct RecordedBatch: Sendable {
    /// The batch's id.
    package let id: String
    /// The entry `batch.received`, or `batch.failed` of a file that could not be judged.
    package let arrival: LedgerEntry
    /// The entry `batch.judged`; nil for a file that could not be judged.
    package let judged: LedgerEntry?
    /// The batch whose rows this one releases; nil for a delivered one.
    package let releases: String?
    /// The files that were published with the verdict.
    package let files: [PublishedFile]
    /// The entries of the batch's commit, in order.
    package let entries: [Int]
    /// The contract that judged it; nil for a file that could not be judged.
    package let contract: RecordedContract?

    /// The dataset.
    package var dataset: String { arrival.body["dataset"]?.text ?? "" }
    /// The supplier.
    package var source: String { arrival.body["source"]?.text ?? "" }
    /// The SHA-256 of the delivered bytes, hexadecimal.
    package var sourceDigest: String { arrival.body["data_hash"]?.text ?? "" }
    /// Whether its rows were released.
    package var isAccepted: Bool { judged?.body["verdict"]?.text == "accepted" }

    /// The files of a role.
    package func files(_ role: FileRole) -> [PublishedFile] { files.filter { $0.role == role } }

    /// The codes of everything that was found, in rows and in the batch as a whole.
    var findings: Set<String> { Set((judged?.body["findings"]?.members ?? [:]).keys).union(batchFindings) }

    /// The codes of what the batch was held for; none for an accepted one.
    var blocking: Set<String> {
        if isAccepted { return [] }
        let stated = Set((judged?.body["held_for"]?.items ?? []).compactMap { $0["code"]?.text })
        // Earlier versions did not state it apart.
        return stated.isEmpty ? batchFindings : stated
    }

    private var batchFindings: Set<String> { Set((judged?.body["batch_findings"]?.items ?? []).compactMap(\.text)) }

    /// The masks that were applied: by column the entity, the operator, and how many values.
    var masks: [String: [Mask]] {
        var found: [String: [Mask]] = [:]
        for column in judged?.body["columns"]?.items ?? [] {
            guard let name = column["field"]?.text, !name.isEmpty else { continue }
            found[name] = (column["masks"]?.items ?? []).map { mask in
                Mask(
                    entity: mask["entity"]?.text ?? "", operation: mask["operator"]?.text ?? "",
                    count: Int(mask["count"]?.whole ?? 0))
            }
        }
        return found
    }

    /// A kind of mask in a column.
    struct Mask: Sendable, Equatable {
        let entity: String, operation: String
        let count: Int
    }
}

/// A contract as the log keeps it.
package struct RecordedContract: Sendable {
    /// Its SHA-256, hexadecimal.
    package let digest: String
    /// Its name and version.
    package let name: String, version: String
    /// Its fields in order; none for a JSON Schema, which declares no columns.
    package let fields: [Field]

    /// A declared field.
    package struct Field: Sendable, Equatable {
        /// The name.
        package let name: String
        /// The declared type, as Frictionless Table Schema names it.
        package let type: String
        /// The operator that the contract declares for all values of the field; nil for none.
        package let masking: String?
        /// Where it stands in a JSON record, as a JSON Pointer (RFC 6901); nil for the member of its name.
        package let path: String?
    }

    init(_ document: JSONValue, digest: String) {
        self.digest = digest
        name = document["name"]?.text ?? "unnamed"
        version = document["version"]?.text ?? "0"
        fields = (document["fields"]?.items ?? []).compactMap { field in
            guard let name = field["name"]?.text else { return nil }
            let pii = field["sluice"]?["pii"]
            return Field(
                name: name, type: field["type"]?.text ?? "any", masking: pii.map { $0["operator"]?.text ?? "replace" },
                path: field["sluice"]?["path"]?.text)
        }
    }

    /// The columns of what leaves the gate, as far as the log names them: declared fields without those that are dropped, and columns that
    /// are not declared and were masked. Masked values are text.
    func released(masked: Set<String>) -> [(field: Field, isMasked: Bool)] {
        let others = masked.subtracting(fields.map(\.name)).sorted()
        return fields.filter { $0.masking != "drop" }.map { ($0, $0.masking != nil || masked.contains($0.name)) }
            + others.map { (Field(name: $0, type: "string", masking: nil, path: nil), true) }
    }
}

extension ProvenLog {
    /// Gives every batch that entries from `first` on record, in order. Each entry is proven, so that none is left out.
    ///
    /// - Parameters:
    ///   - first: the entry to begin with.
    ///   - limit: the most batches.
    ///   - change: takes an entry that says what became of published files or of a batch since.
    ///   - use: takes a batch, once all entries of its commit are read.
    /// - Returns: the number of the entry to go on with.
    @discardableResult
    package func forEachBatch(
        from first: Int = 0, limit: Int = .max, change: (LedgerEntry) -> Void = { _ in }, _ use: (RecordedBatch) -> Void
    ) throws(LedgerError) -> Int {
        let end = try state().size
        var contracts: [String: RecordedContract] = [:]
        var run: [LedgerEntry] = []
        var count = 0
        func close() throws(LedgerError) {
            if let batch = try batch(of: run, &contracts) {
                use(batch)
                count += 1
            }
            run = []
        }
        for sequence in stride(from: max(0, first), to: end, by: 1) {
            let entry = try entry(sequence)
            if entry.event == .batchReceived || entry.event == .batchFailed || entry.beginsCommit { try close() }
            if count >= limit { return sequence }
            if run.isEmpty {
                if entry.event == .batchReceived || entry.event == .batchFailed { run = [entry] }
            } else if entry.body["batch"] == run[0].body["batch"] {
                run.append(entry)
            }
            if !entry.changedFiles.isEmpty || entry.event == .batchSuperseded { change(entry) }
        }
        try close()
        return end
    }

    /// The record of one batch; nil if the log has none of this id.
    package func recordedBatch(_ id: String) throws(LedgerError) -> RecordedBatch? {
        var contracts: [String: RecordedContract] = [:]
        let run = try run(id)
        guard let start = run.firstIndex(where: { $0.event == .batchReceived || $0.event == .batchFailed }) else {
            return nil
        }
        return try batch(of: Array(run[start...]), &contracts)
    }

    private func batch(
        of run: [LedgerEntry], _ contracts: inout [String: RecordedContract]
    ) throws(LedgerError) -> RecordedBatch? {
        guard let arrival = run.first, let id = arrival.body["batch"]?.text else { return nil }
        let judged = run.first { $0.event == .batchJudged }
        // A batch is judged in the commit that records its arrival.
        guard arrival.event == .batchFailed || judged != nil else { return nil }
        var contract: RecordedContract?
        if let digest = arrival.body["contract_sha256"]?.text {
            contract = contracts[digest]
            if contract == nil { contract = try recordedContract(digest) }
            contracts[digest] = contract
        }
        return RecordedBatch(
            id: id, arrival: arrival, judged: judged,
            releases: run.first { $0.event == .batchReleased }?.body["held"]?.text, files: run.flatMap(\.files),
            entries: run.map(\.sequence), contract: contract)
    }

    private func recordedContract(_ digest: String) throws(LedgerError) -> RecordedContract {
        guard let name = bytes(hex: digest), let blob = try ledger.blob(sha256: name),
            let document = try? JSONValue.parse(blob.data)
        else {
            throw LedgerError(
                .damaged, "read ledger", subject: ledger.path,
                cause: "the contract \(digest) is missing; run sluice lineage verify")
        }
        return RecordedContract(document, digest: digest)
    }
}

extension JSONValue {
    /// An object of the members that have a value.
    static func members(_ members: [String: JSONValue?]) -> JSONValue { .object(members.compactMapValues { $0 }) }
}
