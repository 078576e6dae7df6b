import Cryptography
import Tabular

extension ProvenState {
    /// The state as a document, for the cache.
    func document() -> JSONValue {
        func texts(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }
        func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }
        func entry(_ sequence: Int?) -> JSONValue { .integer(Int64(sequence ?? -1)) }
        return .object([
            "v": .integer(7), "size": .integer(Int64(size)), "root": .string(hex(root)),
            "sources": .object(
                sources.mapValues { source in
                    .object([
                        "decision": .string(source.decision), "sequence": entry(source.sequence),
                        "time": .string(source.time), "reason": .string(source.reason),
                        "trusted": entry(source.trustedSince), "observed": texts(source.observed.sorted()),
                    ])
                }),
            "registered": .object(registered.mapValues { .string($0) }), "baselines": numbers(baselineSteps),
            "superseded": .object(superseded.mapValues { .string($0) }), "excluded": texts(excluded.sorted()),
            "spent": .object(spent.mapValues { .string("\($0)") }),
            "keys": .array(
                keys.sorted { ($0.key.kind, $0.key.name) < ($1.key.kind, $1.key.name) }.map { name, key in
                    .object([
                        "kind": .string(name.kind), "name": .string(name.name), "fingerprint": .string(key.fingerprint),
                        "identity": .string(key.identity), "sequence": .integer(Int64(key.sequence)),
                    ])
                }),
            "rotations": .object(rotations.mapValues { .string($0) }),
            "shredded": .object(shredded.mapValues { .integer(Int64($0)) }),
            "uses": .object(uses.mapValues { .integer(Int64($0)) }),
            "configuration": configuration.map {
                .object(["sha256": .string($0.digest), "sequence": .integer(Int64($0.sequence))])
            } ?? .null,
            "contracts": texts(contracts.sorted()),
            "numbers": .object(sequences.mapValues { .integer($0) }),
            "published": .object(published.mapValues { .object($0.mapValues(Self.compact)) }),
            "holds": .array(openHolds.map(\.document)),
            "rejected": .object(rejected.mapValues { .integer(Int64($0)) }),
            "rejected_contents": .object(rejectedContents.mapValues { .integer(Int64($0)) }),
            "released": .object(
                releasedRows.mapValues { list in
                    .array(list.map { .array([.string($0.rows), .string($0.batch)]) })
                }),
            "released_contents": .object(
                releasedContents.mapValues { list in
                    .array(list.map { .array([.string($0.source), .string($0.batch)]) })
                }),
            "erased": .object(erasedRows.mapValues(texts)),
            "changed": .string(base64(changedFiles.encoded())),
            "accepted": .string(base64(accepted.encoded())), "judged": .string(base64(judged.encoded())),
        ])
    }

    /// Reads a cached document; nil for another version or form.
    init?(_ document: JSONValue) {
        guard document["v"]?.whole == 7, let size = document["size"]?.whole,
            let root = document["root"]?.text.flatMap({ bytes(hex: $0) }),
            let accepted = document["accepted"]?.text.flatMap({ bytes(base64: $0) }).flatMap({ KeyIndex(encoded: $0) }),
            let judged = document["judged"]?.text.flatMap({ bytes(base64: $0) }).flatMap({ KeyIndex(encoded: $0) }),
            let changed = document["changed"]?.text.flatMap({ bytes(base64: $0) }).flatMap({ KeyIndex(encoded: $0) })
        else { return nil }
        func texts(_ value: JSONValue?) -> [String] { (value?.items ?? []).compactMap(\.text) }
        func numbers(_ value: JSONValue?) -> [Int] { (value?.items ?? []).compactMap { $0.whole.map { Int($0) } } }
        func entry(_ value: JSONValue?) -> Int? { value?.whole.flatMap { $0 < 0 ? nil : Int($0) } }
        func words(_ value: JSONValue?) -> [String: String] { (value?.members ?? [:]).compactMapValues(\.text) }
        (self.size, self.root, self.accepted, self.judged) = (Int(size), root, accepted, judged)
        changedFiles = changed
        sources = (document["sources"]?.members ?? [:]).mapValues { source in
            var history = SourceHistory()
            history.decision = source["decision"]?.text ?? ""
            history.sequence = entry(source["sequence"])
            (history.time, history.reason) = (source["time"]?.text ?? "", source["reason"]?.text ?? "")
            history.trustedSince = entry(source["trusted"])
            history.observed = Set(texts(source["observed"]))
            return history
        }
        registered = words(document["registered"])
        baselineSteps = numbers(document["baselines"])
        superseded = words(document["superseded"])
        excluded = Set(texts(document["excluded"]))
        spent = words(document["spent"]).compactMapValues { UInt64($0) }
        for key in document["keys"]?.items ?? [] {
            keys[KeyName(kind: key["kind"]?.text ?? "", name: key["name"]?.text ?? "")] = RecordedKey(
                fingerprint: key["fingerprint"]?.text ?? "", identity: key["identity"]?.text ?? "",
                sequence: Int(key["sequence"]?.whole ?? -1))
        }
        rotations = words(document["rotations"])
        shredded = (document["shredded"]?.members ?? [:]).compactMapValues { $0.whole.map { Int($0) } }
        uses = (document["uses"]?.members ?? [:]).compactMapValues { $0.whole.map { Int($0) } }
        if let digest = document["configuration"]?["sha256"]?.text {
            configuration = (digest, Int(document["configuration"]?["sequence"]?.whole ?? -1))
        }
        contracts = Set(texts(document["contracts"]))
        sequences = (document["numbers"]?.members ?? [:]).compactMapValues(\.whole)
        published = (document["published"]?.members ?? [:]).mapValues { roles in
            (roles.members ?? [:]).mapValues(Self.published)
        }
        rejected = (document["rejected"]?.members ?? [:]).compactMapValues { $0.whole.map { Int($0) } }
        rejectedContents = (document["rejected_contents"]?.members ?? [:]).compactMapValues {
            $0.whole.map { Int($0) }
        }
        releasedRows = (document["released"]?.members ?? [:]).mapValues { list in
            (list.items ?? []).map { pair in
                let texts = (pair.items ?? []).map { $0.text ?? "" }
                return ReleasedRows(rows: texts.first ?? "", batch: texts.last ?? "")
            }
        }
        releasedContents = (document["released_contents"]?.members ?? [:]).mapValues { list in
            (list.items ?? []).map { pair in
                let texts = (pair.items ?? []).map { $0.text ?? "" }
                return ReleasedContent(source: texts.first ?? "", batch: texts.last ?? "")
            }
        }
        erasedRows = (document["erased"]?.members ?? [:]).mapValues { texts($0) }
        for hold in (document["holds"]?.items ?? []).map({ Hold($0) }) { holds[hold.content, default: []].append(hold) }
    }

    /// The entries of a role in compact form, since there may be a million: differences of sequence numbers, and
    /// indices into a list of supplier names.
    private static func compact(_ list: [Published]) -> JSONValue {
        var (names, places) = ([String](), [String: UInt32]())
        var (steps, sources): ([UInt8], [UInt8]) = ([], [])
        var last = 0
        for each in list {
            let place = places[each.source] ?? UInt32(names.count)
            if place == names.count {
                names.append(each.source)
                places[each.source] = place
            }
            Varint.append(UInt64(each.sequence - last), to: &steps)
            Varint.append(UInt64(place), to: &sources)
            last = each.sequence
        }
        return .object([
            "names": .array(names.map { .string($0) }), "steps": .string(base64(steps)),
            "sources": .string(base64(sources)),
        ])
    }

    private static func published(_ document: JSONValue) -> [Published] {
        let names = (document["names"]?.items ?? []).compactMap(\.text)
        func numbers(_ member: String) -> [UInt64] {
            let encoded = document[member]?.text.flatMap { bytes(base64: $0) } ?? []
            var (found, at) = ([UInt64](), 0)
            while let number = Varint.read(encoded, at: &at) { found.append(number) }
            return found
        }
        var last = 0
        return zip(numbers("steps"), numbers("sources")).map { step, source in
            last += Int(step)
            return Published(sequence: last, source: names.indices.contains(Int(source)) ? names[Int(source)] : "")
        }
    }
}

extension ProvenState.Hold {
    fileprivate var document: JSONValue {
        .object([
            "batch": .string(batch), "dataset": .string(dataset), "sequence": .integer(Int64(sequence)),
            "source": .string(source), "digest": .string(digest), "compares": .bool(comparesSources),
        ])
    }

    fileprivate init(_ document: JSONValue) {
        self.init(
            batch: document["batch"]?.text ?? "", dataset: document["dataset"]?.text ?? "",
            sequence: Int(document["sequence"]?.whole ?? -1), source: document["source"]?.text ?? "",
            digest: document["digest"]?.text ?? "", comparesSources: document["compares"]?.flag ?? false)
    }
}
