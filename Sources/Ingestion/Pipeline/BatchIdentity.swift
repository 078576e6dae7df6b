import Cryptography
import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sealing
import Storage
import Tabular

/// Who a batch is: dataset, content, contract and policy decide whether it was judged before.
struct BatchIdentity: Sendable {
    let id: String
    let dataset: String
    let source: String
    /// nil when the name does not say and nobody else did.
    let format: SourceFormat?
    let digest: [UInt8]
    let contractDigest: [UInt8]
    let contract: JSONValue
    /// The contract with its numbers as they are, and how the file was read: what a replay needs beside the decision.
    let document: JSONValue
    let reading: KeptPlan?
    let contractName: String
    let contractVersion: String
    let policyDigest: [UInt8]
    let seenKey: [UInt8]
    /// The same whoever brings it and whatever vouches for it: what was accepted once is a duplicate for good.
    let contentKey: [UInt8]
    /// Who can open its files.
    let recipients: [WrappingKey]
    let fields: [String]
    /// For each field with a keyed operator, the fingerprint of its key.
    let keyFingerprints: [Int: String]
    /// What foreign keys referred to.
    let references: [Reference]
    /// Who brings it, and what vouches for it.
    let attestation: Attestation?
    /// Whether the same words from another source are words of their own.
    let comparesSources: Bool
    /// The accepted batch that it shall replace.
    let supersedes: String?
    /// Whether it is judged again although the same was judged before.
    let isForced: Bool
    /// The held batch that a person lets out as this one, and why.
    let waiver: Waiver?

    /// SHA-256 of the file's name as its supplier or user gave it.
    let nameHash: [UInt8]
    /// The file as it was when it was opened.
    let fileIdentity: Delivery.FileIdentity

    /// A delivered file that could not be judged: it has a name, an origin and a digest, and neither contract nor policy.
    init(unjudged lease: Lease, source: String, file: InputFile, digest: [UInt8], recipients: [WrappingKey]) {
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

    /// A file that was read once.
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
        comparesSources = plan.reader.claims != nil
        supersedes = plan.options.supersedes
        isForced = plan.options.force
        var key = SHA256()
        key.update(Array("ingest/seen/v1".utf8).span)
        key.update(SHA256.hash(Array(plan.dataset.utf8)).span)
        for part in [digest, contractDigest, policyDigest] { key.update(part.span) }
        // Where sources are held against each other, the same words from another one are words of their own.
        if plan.reader.claims != nil { key.update(SHA256.hash(Array(plan.source.utf8)).span) }
        if plan.options.force { key.update(Array(id.utf8).span) }
        contentKey = key.digest()
        let vouched = attestation?.identity ?? []
        key.update(vouched.span)
        seenKey = key.digest()
    }

    /// What is accepted once.
    var content: LedgerChange.Content {
        LedgerChange.Content(dataset: dataset, digest: hex(digest), source: comparesSources ? source : nil)
    }

    /// The keys that its judgement records.
    func seenKeys(isAccepted: Bool) -> [[UInt8]] {
        let keys = isAccepted && contentKey != seenKey ? [seenKey, contentKey] : [seenKey]
        return isAccepted && waiver != nil ? keys + [releaseKey] : keys
    }

    /// What every shard of the batch carries in clear, authenticated.
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
