import Cryptography
package import Lineage
import Storage
package import Tabular

/// The version of this program.
package let programVersion = "0.1.0"

/// Which batches an export is about.
package struct ExportScope: Sendable {
    /// Only batches of this dataset; nil for all.
    package var dataset: String?
    /// Only this batch; nil for all.
    package var batch: String?
    /// Only batches that entries of the ledger from this one on record.
    package var since = 0
    /// The most batches.
    var limit = Int.max

    /// Every batch, or those that are named.
    package init(dataset: String? = nil, batch: String? = nil, since: Int = 0) {
        (self.dataset, self.batch, self.since) = (dataset, batch, since)
    }
}

/// What the ledger records, in formats of other systems.
extension Store {
    /// Writes the log as tiles (C2SP tlog-tiles), for monitors and witnesses.
    ///
    /// - Throws: `usage` for a folder inside the store; `damaged` when it has another log.
    package func exportTiles(to folder: String) throws(IngestionError) -> LogTiles.Written {
        let log = try proven().log
        // Before it is made: its folder is there.
        guard !isOwn(exists(folder) ? folder : split(folder).folder) else {
            throw IngestionError(.usage, "\(folder) is inside the store; choose a folder outside it")
        }
        if !exists(folder) { try storing { () throws(StorageError) in try makeFolder(folder) } }
        let opened = try storing { () throws(StorageError) in try OpenFolder(folder) }
        do throws(LedgerError) { return try LogTiles.export(log, to: opened) } catch {
            throw error.code == .damaged ? IngestionError(.damaged, error.description) : IngestionError(error)
        }
    }

    /// Gives the run events of OpenLineage of each batch, in order.
    ///
    /// - Returns: the number of the entry to go on with.
    @discardableResult
    package func forEachOpenLineageEvent(
        of scope: ExportScope, _ use: (JSONValue) -> Void
    ) throws(IngestionError) -> Int {
        let events = OpenLineageEvents(origin: configuration.origin, version: programVersion)
        return try forEachBatch(of: scope) { events.events(of: $0).forEach(use) }
    }

    /// The batches and what became of their files as a document of W3C PROV (PROV-JSON).
    package func provDocument(of scope: ExportScope) throws(IngestionError) -> JSONValue {
        var document = ProvDocument(origin: configuration.origin, version: programVersion)
        var changes: [LedgerEntry] = []
        try forEachBatch(of: scope, change: { changes.append($0) }) { document.add($0) }
        for change in changes { document.add(change: change) }
        return document.document
    }

    /// Gives a signed in-toto statement on each batch that was judged, in a DSSE envelope: one line of JSON.
    ///
    /// - Parameters:
    ///   - scope: which batches.
    ///   - name: a signing key of the store, which is not the ledger's.
    ///   - use: takes an envelope.
    /// - Throws: `usage` for the key that signs the ledger; `notPermitted` when there is no such key.
    package func forEachStatement(
        of scope: ExportScope, signedWith name: String, _ use: (String) -> Void
    ) throws(IngestionError) {
        guard name != configuration.signingKey else {
            throw IngestionError(
                .usage,
                "--sign-with: \(name) signs the ledger, and a key signs one kind of document only; make another with: "
                    + "sluice keys generate --kind signing --name attest")
        }
        let key = try signingKey(named: name)
        var failure: CryptographyError?
        try forEachBatch(of: scope) { batch in
            guard failure == nil, let statement = GateStatement(batch, origin: configuration.origin) else { return }
            do throws(CryptographyError) { use(try statement.envelope(signedWith: key)) } catch { failure = error }
        }
        if let failure { throw IngestionError(.software, failure.description) }
    }

    /// The accepted shards of a dataset as a Croissant card.
    ///
    /// - Throws: `noInput` when it has none.
    package func croissantCard(of dataset: String) throws(IngestionError) -> JSONValue {
        let (log, state) = try proven()
        var card = CroissantCard(of: dataset, origin: configuration.origin, version: programVersion)
        let files = Dictionary(grouping: try acceptedShards(of: dataset), by: \.batch)
        for (id, files) in files.sorted(by: { $0.value[0].entry.sequence < $1.value[0].entry.sequence }) {
            guard let batch = try recording({ () throws(LedgerError) in try log.recordedBatch(id) }) else { continue }
            card.add(batch, files: files, licence: configuration.sources[batch.source]?.licence)
        }
        guard !card.isEmpty else {
            throw IngestionError(.noInput, "no batch of \(dataset) is accepted, so there is nothing to describe")
        }
        return card.document(checkpoint: state.size)
    }

    @discardableResult
    private func forEachBatch(
        of scope: ExportScope, change: (LedgerEntry) -> Void = { _ in }, _ use: (RecordedBatch) -> Void
    ) throws(IngestionError) -> Int {
        let log = try proven().log
        if let id = scope.batch {
            var changes: [Int: LedgerEntry] = [:]
            guard let batch = try recording({ () throws(LedgerError) in try log.recordedBatch(id) }) else {
                throw IngestionError(
                    .noInput, "the ledger has no judged or failed batch \(id); see: sluice lineage log")
            }
            use(batch)
            let state = try proven().state
            for file in batch.files {
                for sequence in state.changes(ofFile: file.path).reversed() {
                    let entry = try recording { () throws(LedgerError) in try log.entry(sequence) }
                    if entry.changedFiles.contains(where: { $0.path == file.path }) { changes[sequence] = entry }
                }
            }
            for entry in changes.sorted(by: { $0.key < $1.key }) { change(entry.value) }
            return state.size
        }
        return try recording { () throws(LedgerError) in
            try log.forEachBatch(
                from: scope.since, limit: scope.limit,
                change: { if scope.dataset == nil || $0.body["dataset"]?.text == scope.dataset { change($0) } }
            ) { batch in
                if scope.dataset == nil || batch.dataset == scope.dataset { use(batch) }
            }
        }
    }
}
