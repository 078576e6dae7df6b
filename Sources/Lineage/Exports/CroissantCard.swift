package import Tabular

/// The accepted shards of a dataset as a card in Croissant 1.1: each file with its digest, and the columns with the types that the
/// contracts declare.
package struct CroissantCard {
    private let dataset: String, origin: String, version: String
    private var files: [(file: PublishedFile, isCSV: Bool)] = []
    private var columns: [Column] = []
    private var suppliers: Set<String> = [], licences: Set<String> = [], pipelines: Set<String> = []
    private var contract = "0", newest = ""

    private struct Column {
        let name: String, path: String?
        var kind: String
        var isMasked: Bool
    }

    /// An empty card.
    ///
    /// - Parameters:
    ///   - dataset: the name of the dataset.
    ///   - origin: the origin of the ledger.
    ///   - version: this program's version.
    package init(of dataset: String, origin: String, version: String) {
        (self.dataset, self.origin, self.version) = (dataset, origin, version)
    }

    /// Whether no file was added: such a card describes nothing.
    package var isEmpty: Bool { files.isEmpty }

    /// Adds a batch with its accepted files as they are now.
    ///
    /// - Parameters:
    ///   - batch: the batch.
    ///   - present: its files.
    ///   - licence: the licence that its supplier's description states; nil for none.
    package mutating func add(_ batch: RecordedBatch, files present: [PublishedFile], licence: String?) {
        files += present.map { ($0, batch.arrival.body["format"]?.text == "csv") }
        suppliers.insert(batch.source)
        if let licence, !licence.isEmpty { licences.insert(licence) }
        if let pipeline = batch.judged?.body["pipeline"]?.text { pipelines.insert(pipeline) }
        newest = max(newest, batch.judged?.body["time"]?.text ?? "")
        contract = batch.contract?.version ?? contract
        for (field, isMasked) in batch.contract?.released(masked: Set(batch.masks.keys)) ?? [] {
            let kind = isMasked ? "sc:Text" : Self.kinds[field.type] ?? "sc:Text"
            guard let place = columns.firstIndex(where: { $0.name == field.name }) else {
                columns.append(Column(name: field.name, path: field.path, kind: kind, isMasked: isMasked))
                continue
            }
            let both = Set([columns[place].kind, kind])
            columns[place].kind = both.count == 1 ? kind : both == ["sc:Integer", "sc:Float"] ? "sc:Float" : "sc:Text"
            columns[place].isMasked = columns[place].isMasked || isMasked
        }
    }

    /// Types of Frictionless Table Schema as Croissant names them; all others are text.
    private static let kinds = [
        "integer": "sc:Integer", "year": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean", "date": "sc:Date",
        "datetime": "sc:DateTime", "time": "sc:Time",
    ]

    /// The card.
    ///
    /// - Parameter checkpoint: the number of entries of the ledger, which is the snapshot that the card describes.
    package func document(checkpoint: Int) -> JSONValue {
        let masked = columns.filter(\.isMasked).map(\.name).sorted()
        return .members([
            "@context": Self.context, "@type": .string("sc:Dataset"), "name": .string(dataset),
            "description": .string(
                "Accepted rows of \(dataset), masked and sealed. The ledger \(origin) records each file; checkpoint \(checkpoint)."
            ),
            "conformsTo": .string("http://mlcommons.org/croissant/1.1"),
            "license": licences.isEmpty ? nil : .array(licences.sorted().map { .string($0) }),
            "url": .string("sluice://\(origin)/accepted/\(dataset)"), "version": .string("\(checkpoint).0.0"),
            "datePublished": .string(String(newest.prefix(10))), "isLiveDataset": .bool(true),
            "creator": .array(
                suppliers.sorted().map { .object(["@type": .string("sc:Organization"), "name": .string($0)]) }),
            "rai:dataCollection": .string("delivered by " + suppliers.sorted().joined(separator: ", ")),
            "rai:personalSensitiveInformation": masked.isEmpty
                ? nil : .array(masked.map { .string("\($0): masked before it was stored") }),
            "rai:dataPreprocessingProtocol": .array([
                .string(
                    "sluice \(version), pipeline \(pipelines.sorted().joined(separator: ", ")), contract version \(contract)"
                )
            ]), "distribution": .array(distribution),
            "recordSet": columns.isEmpty ? nil : .array(forms.map(recordSet)),
        ])
    }

    /// A form of shards.
    private enum Form: String {
        case csv, json

        var media: String { self == .csv ? "text/csv" : "application/jsonl" }
    }

    /// The forms that there are. Each has a set of files and one of records, since columns are found otherwise in each.
    private var forms: [Form] {
        [Form.csv, .json].filter { form in files.contains { $0.isCSV == (form == .csv) } }
    }

    private var distribution: [JSONValue] {
        func formats(_ form: Form) -> JSONValue {
            .array([.string("application/vnd.sluice.shard"), .string(form.media)])
        }
        let objects = files.enumerated().map { place, one -> JSONValue in
            .object([
                "@type": .string("cr:FileObject"), "@id": .string("shard-\(place)"), "name": .string("shard-\(place)"),
                "description": .string("batch \(one.file.batch)"), "contentUrl": .string(one.file.path),
                "contentSize": .string("\(one.file.body["bytes"]?.whole ?? 0) B"),
                "encodingFormat": formats(one.isCSV ? .csv : .json), "sha256": .string(one.file.digest),
            ])
        }
        let sets = forms.map { form -> JSONValue in
            let own = files.indices.filter { files[$0].isCSV == (form == .csv) }
            return .object([
                "@type": .string("cr:FileSet"), "@id": .string("shards-\(form.rawValue)"),
                "name": .string("shards-\(form.rawValue)"), "description": .string("every shard of this form"),
                "encodingFormat": formats(form), "includes": .string("accepted/\(dataset)/*/*.sluice"),
                "containedIn": .array(own.map { .object(["@id": .string("shard-\($0)")]) }),
            ])
        }
        return objects + sets
    }

    private func recordSet(_ form: Form) -> JSONValue {
        .object([
            "@type": .string("cr:RecordSet"), "@id": .string("rows-\(form.rawValue)"),
            "name": .string("rows-\(form.rawValue)"),
            "field": .array(
                columns.map { column in
                    .object([
                        "@type": .string("cr:Field"),
                        "@id": .string("rows-\(form.rawValue)/\(percentEncoded(column.name))"),
                        "name": .string(column.name), "description": .string(column.isMasked ? "masked" : "as it came"),
                        "dataType": .string(column.kind),
                        "source": .object([
                            "fileSet": .object(["@id": .string("shards-\(form.rawValue)")]),
                            "extract": .object(
                                form == .csv
                                    ? ["column": .string(column.name)] : ["jsonPath": .string(Self.jsonPath(column))]),
                        ]),
                    ])
                }),
        ])
    }

    /// Where a column stands in a JSON record, as a JSONPath (RFC 9535).
    private static func jsonPath(_ column: Column) -> String {
        var parts = [column.name]
        if let path = column.path {
            parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part -> String in
                String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            }
        }
        return parts.reduce("$") { path, name in
            let isPlain = name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
            }
            return isPlain && !(name.utf8.first.map { (0x30...0x39).contains($0) } ?? true)
                ? "\(path).\(name)"
                : "\(path)['\(name.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))']"
        }
    }

    /// The context of Croissant 1.1, with the vocabulary for responsible AI.
    private static let context: JSONValue = {
        var members: [String: JSONValue] = [
            "@language": .string("en"), "@vocab": .string("https://schema.org/"),
            "cr": .string("http://mlcommons.org/croissant/"), "rai": .string("http://mlcommons.org/croissant/RAI/"),
            "dct": .string("http://purl.org/dc/terms/"), "sc": .string("https://schema.org/"),
            "conformsTo": .string("dct:conformsTo"),
            "dataType": .object(["@id": .string("cr:dataType"), "@type": .string("@vocab")]),
            "data": .object(["@id": .string("cr:data"), "@type": .string("@json")]),
            "examples": .object(["@id": .string("cr:examples"), "@type": .string("@json")]),
        ]
        for name in [
            "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field",
            "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath",
            "key",
            "md5", "parentField", "path", "readLines", "recordSet", "references", "regex", "repeated", "replace",
            "samplingRate", "separator", "sha256", "source", "subField", "transform", "unArchive", "value",
        ] { members[name] = .string("cr:\(name)") }
        return .object(members)
    }()
}
