import Cryptography
import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sealing
import Storage
import Tabular

/// What identifies a batch. Dataset, content, contract and policy together decide whether the same batch was judged
/// before.
struct BatchIdentity: Sendable {
    /// The batch's unique name: that of the lease for a delivered file, else a UUID version 7.
    let id: String
    let dataset: String
    let source: String
    /// nil when neither the file's name nor the user states it.
    let format: SourceFormat?
    /// SHA-256 of the file, and of the contract's canonical form.
    let digest: [UInt8]
    let contractDigest: [UInt8]
    /// The contract with numbers written as text, as the ledger's canonical JSON needs them.
    let contract: JSONValue
    /// The contract as it was written and how the file was read; a replay needs both beside the decision.
    let document: JSONValue
    let reading: KeptPlan?
    let contractName: String
    let contractVersion: String
    /// SHA-256 of everything else that can change an outcome: pipeline version, slice size, keys, recipients, encoding;
    /// see `Plan.policyDigest`.
    let policyDigest: [UInt8]
    /// The key of the exact same judgement: content, contract, policy and attestation.
    let seenKey: [UInt8]
    /// The same key without the attestation: accepted content stays a duplicate, whichever sender delivers it again.
    let contentKey: [UInt8]
    /// The recipients that its shards are sealed for.
    let recipients: [any WrappingKey]
    let fields: [String]
    /// By field with a keyed operator, the fingerprint of its key.
    let keyFingerprints: [Int: String]
    /// The data that its foreign keys were checked against.
    let references: [Reference]
    /// The source with its standing and provenance; nil where nothing is known of sources.
    let attestation: Attestation?
    /// Whether the contract compares sources. The same content from another source is then a batch of its own.
    let comparesSources: Bool
    /// The id of the accepted batch that this one is to replace.
    let supersedes: String?
    /// Whether `--force` asks to judge it again.
    let isForced: Bool
    /// A person's decision to release a held batch as this one; nil otherwise.
    let waiver: Waiver?

    /// SHA-256 of the file's name as the supplier or user gave it.
    let nameHash: [UInt8]
    /// The file's inode, size and time when it was opened.
    let fileIdentity: Delivery.FileIdentity

    /// The identity of a delivered file that could not be judged: name, origin and digest, without contract and policy.
    ///
    /// - Parameters:
    ///   - lease: its lease; only a delivered file can be set aside.
    ///   - source: the supplier's name.
    ///   - file: the open file.
    ///   - digest: SHA-256 of the file.
    ///   - recipients: the recipients it is sealed for.
    init(unjudged lease: Lease, source: String, file: SourceFiles, digest: [UInt8], recipients: [any WrappingKey]) {
        guard let delivery = lease.delivery else { preconditionFailure("only a delivered file can be set aside") }
        id = lease.name
        dataset = delivery.dataset
        self.source = source
        format = delivery.format
        self.digest = digest
        contractDigest = []
        contract = .null
        document = .null
        reading = nil
        contractName = ""
        contractVersion = ""
        policyDigest = []
        seenKey = []
        contentKey = []
        self.recipients = recipients
        fields = []
        keyFingerprints = [:]
        references = []
        attestation = nil
        comparesSources = false
        (supersedes, waiver) = (nil, nil)
        isForced = false
        nameHash = delivery.nameHash
        fileIdentity = file.identity
    }

    /// The identity of a batch after its first pass.
    ///
    /// - Parameters:
    ///   - opened: the open batch.
    ///   - digest: SHA-256 of the file from the first pass.
    ///   - attestation: the source with its provenance.
    init(_ opened: OpenedBatch, digest: [UInt8], attestation: Attestation?) throws(IngestionError) {
        let (plan, file, lease) = (opened.plan, opened.source, opened.request.lease)
        let contract = opened.request.contract
        self.attestation = attestation
        if let lease { id = lease.name } else { id = try Clock.identifier() }
        waiver = plan.options.waiver
        nameHash =
            lease?.delivery?.nameHash ?? plan.options.waiver?.nameHash ?? SHA256.hash(Array(file.path.utf8))
        fileIdentity = file.identity
        dataset = plan.dataset
        source = plan.source
        format = plan.reading.format
        self.digest = digest
        contractDigest = plan.schema.digest
        self.contract = wholeNumbered(contract)
        document = contract
        reading = KeptPlan(plan)
        contractName = plan.schema.name
        contractVersion = plan.schema.version
        policyDigest = plan.policyDigest
        recipients = plan.recipients
        fields = plan.fieldNames
        keyFingerprints = Dictionary(
            uniqueKeysWithValues: plan.schema.fields.enumerated().compactMap { index, field in
                field.pii?.key.flatMap { name in plan.tokenKeys[name].map { (index, $0.fingerprint(name: name)) } }
            })
        references = plan.references
        comparesSources = plan.reader.assertions != nil
        supersedes = plan.options.supersedes
        isForced = plan.options.force
        var key = SHA256()
        key.update(Array("ingest/seen/v1".utf8).span)
        key.update(SHA256.hash(Array(plan.dataset.utf8)).span)
        for part in [digest, contractDigest, policyDigest] { key.update(part.span) }
        // Where sources are compared with each other, equal content from another source is an independent statement.
        if plan.reader.assertions != nil { key.update(SHA256.hash(Array(plan.source.utf8)).span) }
        if plan.options.force { key.update(Array(id.utf8).span) }
        contentKey = key.digest()
        let vouched = attestation?.identity ?? []
        key.update(vouched.span)
        seenKey = key.digest()
    }

    /// The content that may be accepted only once in the ledger.
    var content: LedgerChange.Content {
        LedgerChange.Content(dataset: dataset, digest: hex(digest), source: comparesSources ? source : nil)
    }

    /// The keys that the judgement records in the table of known batches.
    func seenKeys(isAccepted: Bool) -> [[UInt8]] {
        let keys = isAccepted && contentKey != seenKey ? [seenKey, contentKey] : [seenKey]
        return isAccepted && waiver != nil ? keys + [releaseKey] : keys
    }

    /// The additional authenticated data of every shard of the batch, in clear: names, digests and media type.
    func context(_ origin: String) -> [String: String] {
        var context = [
            "v": "1", "origin": origin, "batch-id": id, "dataset": dataset, "source-sha256": hex(digest),
            "media-type": format?.mediaType ?? "application/octet-stream",
        ]
        if !contractDigest.isEmpty { context["schema-sha256"] = hex(contractDigest) }
        if !policyDigest.isEmpty { context["policy-sha256"] = hex(policyDigest) }
        return context
    }
}
