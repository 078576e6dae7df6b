import Foundation
import Ingestion
import Lineage
import Reading
import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Testing

@Suite struct `the pipeline` {
    @Test(arguments: [64, 1000, 65_536, 1 << 20]) func `the size of slices changes nothing about the rows`(size: Int)
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write(
            "a.csv", Workshop.rows(3000) + "x,1,\n3001,2,\"a\nb\"\n3002,3,\"c\"\"d\"\n1,4,again\n3003\n")
        let report = try await shop.run(path, mode: .dryRun) { $0.sliceBytes = size }
        #expect(report.rows == 3005)
        #expect(report.counts.count(.rejected) == 3)
        let rejected = report.listed.filter { $0.outcome == .rejected }
        #expect(rejected.map(\.row) == [3001, 3004, 3005])
        #expect(rejected.map(\.code) == [.typeError, .uniqueError, .missingCell])
    }

    /// The number of rows is extrapolated from the first slice, and rows are skipped by it. Here the first rows are
    /// much shorter than the others.
    @Test func `the sample is whole when the first rows are like none of the others`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var text = Workshop.rows(110_000, note: "")
        let note = String(repeating: "long words ", count: 30)
        for id in 110_001...140_000 { text += "\(id),\(Double(id % 89) / 7),\(note)\n" }
        let path = try shop.write("a.csv", text)
        // Another slice size changes the draw; another number of workers does not.
        for size in [1 << 20, 16 << 20] {
            var seen: [[String]] = []
            for jobs in [1, 3] {
                let report = try await shop.run(path, mode: .dryRun) { ($0.sliceBytes, $0.jobs) = (size, jobs) }
                let thresholds = report.thresholds.map { "\($0)" }
                seen.append(thresholds + ["\(report.basisRows) \(report.findings.sorted)"])
                #expect(report.basisRows == Profile.sampleCapacity && !thresholds.isEmpty)
            }
            #expect(seen[0] == seen[1])
        }
    }

    @Test func `a row past the limit is one finding, however long, and the next row is read`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let long = "9001,1," + String(repeating: "y", count: 5_000_000) + "\n"
        let path = try shop.write("a.csv", Workshop.rows(100) + long + "9002,1,n\n")
        let report = try await shop.run(path)
        #expect(report.rows == 102)
        #expect(report.counts.count(.rejected) == 1)
        let finding = try #require(report.listed.first { $0.outcome == .rejected })
        #expect(finding.code == .rowTooLong)
        #expect(finding.row == 101)
        #expect(finding.byteLength >= 5_000_000)
    }

    /// `limits.maxCellBytes`, in every reader; the row's other cells and the next row are unchanged.
    @Test func `a value past the limit costs its row`() async throws {
        let (just, over) = (String(repeating: "y", count: 100), String(repeating: "z", count: 101))
        let csv = "id,x,note\n1,1,\(just)\n2,1,\(over)\n3,1,\"\(just)\"\n4,2,\"\(over)\"\n5,1,n\n"
        let lines = [just, over, "\\u0079" + over, "\\n" + just.dropLast(1)].enumerated().map {
            "{\"id\": \($0 + 1), \"x\": 1, \"note\": \"\($1)\"}\n"
        }
        var plain = try Workshop.contract(", limits: { maxCellBytes: 100 }, unknownFields: keep")
        for (name, text, engine, quote, rejected) in [
            ("a.csv", csv, CSVEngine.structural, UInt8(0x22), [2, 4]), ("b.csv", csv, .libcsv, 0x22, [2, 4]),
            ("c.csv", csv.replacing("\"", with: "'").replacing("\n", with: "|"), .structural, 0x27, [2, 4]),
            ("d.jsonl", lines.joined(), .structural, 0x22, [2, 3]),
            ("e.jsonl", "{\"id\":1,\"other\":\"\(over)\"}\n{\"id\":2,\"other\":\"\(just)\"}\n", .structural, 0x22, [1]),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            plain.schema.dialect = Dialect()
            plain.schema.dialect?.quote = quote
            if quote == 0x27 { plain.schema.dialect?.lineTerminator = 0x7C }
            var options = BatchOptions()
            options.engine = engine
            let report = try await Pipeline(store: shop.store, writes: true).run(
                BatchRequest(
                    BatchInput(file: try shop.write(name, text)), schema: plain.schema, contract: plain.document,
                    dataset: "numbers",
                    source: "", options: options))
            let found = report.listed.filter { $0.outcome == .rejected }
            #expect(
                found.compactMap(\.row) == rejected && found.allSatisfy { $0.code == .cellTooLong }, "\(name) \(found)")
            #expect(report.status == .accepted || rejected.count * 2 > report.rows, "\(name)")
        }
    }

    /// A label that only resembles the contract's, and one beside it with hidden characters.
    @Test func `hidden text in a header is told`() async throws {
        let rows = "1,1,n\n2,2,m\n"
        let lookalike = "id,x,n\u{043E}te\n" + rows
        let hidden = "id,x,note,no\u{200B}te\n" + rows.replacing("\n", with: ",z\n")
        for (text, policy, unknown, codes, status) in [
            (
                lookalike, "flag", "reject", [FindingCode.missingLabel, .extraLabel, .mixedScript],
                BatchReport.Status.held
            ),
            (lookalike, "allow", "reject", [.missingLabel, .extraLabel], .held),
            (hidden, "flag", "keep", [], .accepted), (hidden, "allow", "keep", [], .accepted),
            (hidden, "quarantine", "drop", [.hiddenText], .held), (hidden, "reject", "keep", [.hiddenText], .held),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            let made = try Workshop.contract(", hiddenText: \(policy), unknownFields: \(unknown)")
            for mode in [RunMode.ingest, .validate] {
                var options = BatchOptions()
                options.mode = mode
                let report = try await Pipeline(store: shop.store, writes: mode == .ingest).run(
                    BatchRequest(
                        BatchInput(file: try shop.write("a.csv", text)), schema: made.schema, contract: made.document,
                        dataset: "numbers",
                        source: "", options: options))
                let said = "\(policy) \(unknown) \(mode) \(report.batchFindings)"
                #expect(Set(report.batchFindings.map(\.code)) == Set(codes), "\(said)")
                if mode == .ingest { #expect(report.status == status, "\(said)") }
                // Whatever the outcome, the columns are named.
                let places = report.disguisedColumns.map { "\($0.column) \($0.code.rawValue)" }
                let wanted = policy == "allow" ? [] : [text == hidden ? "4 hidden-text" : "3 mixed-script"]
                #expect(places == wanted, "\(said)")
            }
        }
    }

    @Test func `an unclosed quote costs its own line and not the file`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", "id,x,note\n0,1,\"open\n" + Workshop.rows(200).dropFirst(10))
        let report = try await shop.run(path, mode: .validate)
        #expect(report.rows == 201)
        #expect(report.listed.map(\.code) == [.unclosedQuote])
    }

    @Test(arguments: ["another byte", "shorter", "longer", "the same"])
    func `a file that changes while it is read is held`(_ change: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", Workshop.rows(20_000))
        let size = try Data(contentsOf: URL(filePath: path)).count
        let report = try await shop.run(path) { options in
            options.sliceBytes = 1 << 16
            options.progress = { _, bytes, _ in
                // The second pass has begun.
                guard bytes > size, let handle = FileHandle(forUpdatingAtPath: path) else { return }
                switch change {
                case "another byte":
                    try? handle.seek(toOffset: UInt64(size - 2))
                    handle.write(Data("z".utf8))
                case "shorter": try? handle.truncate(atOffset: UInt64(size / 2))
                case "longer":
                    try? handle.seek(toOffset: UInt64(size))
                    handle.write(Data("90000,1,n\n".utf8))
                default: break
                }
                try? handle.close()
            }
        }
        let isSame = change == "the same"
        #expect(report.status == (isSame ? .accepted : .held))
        #expect(report.batchFindings.map(\.code).contains(.sourceChanged) != isSame)
    }

    @Test func `a header that does not fit holds the batch and publishes nothing`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", "id,y,note\n1,2,3\n")
        let report = try await shop.run(path)
        #expect(report.status == .held)
        #expect(Set(report.batchFindings.map(\.code)) == [.missingLabel, .extraLabel])
        #expect(report.published.count == 1)
    }

    @Test func `a later batch is judged by the accepted ones`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(first.basis == .firstContact)
        let second = try await shop.run(try shop.write("b.csv", Workshop.rows(4000, from: 5000)))
        #expect(second.basis == .baseline)
        #expect(second.basisRows == 4000)
        #expect(second.status == .accepted)
        var poisoned = Workshop.rows(4000, from: 10_000)
        for id in 20_000..<20_300 { poisoned += "\(id),9\(id),n\n" }
        let third = try await shop.run(try shop.write("c.csv", poisoned))
        #expect(third.status == .held)
        // The ledger records the thresholds' basis, also for a held batch.
        let judged = try LineageQuery(try shop.store.ledger()).batch(third.batch).first { $0.kind == "batch.judged" }
        let entries = judged?.body["baseline"]?.items?.compactMap(\.whole) ?? []
        let ledger = try shop.store.ledger()
        let published = try entries.compactMap { try ledger.entry(Int($0)) }
        #expect(published.map { $0.files.first { $0.role == .baseline }?.batch } == [second.batch, first.batch])
        // A held batch must not have moved the threshold.
        let fourth = try await shop.run(try shop.write("d.csv", Workshop.rows(4000, from: 30_000)))
        #expect(fourth.basisRows == 8000)
    }

    @Test func `a batch takes three entries and a few kilobytes of the record, however many batches it is judged by`()
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        var batch = ""
        for index in 0..<22 {
            batch = try await shop.run(try shop.write("a.csv", Workshop.rows(40, from: index))).batch
        }
        let entries = try LineageQuery(try shop.store.ledger()).run(batch)
        #expect(entries.map(\.kind) == ["batch.received", "batch.judged", "shard.published"])
        // Twenty batches of forty rows have fewer than twenty thousand rows.
        #expect(entries[1].body["baseline"]?.items?.count == 21)
        #expect(entries.map(\.bytes.count).reduce(0, +) < 3000)
    }

    @Test(arguments: [
        ("rejectedRows: quarantine", true, true), ("rejectedRows: skip", true, false),
        ("rejectedRows: fail", false, true),
        ("maxRejected: 2", true, true), ("maxRejected: 1", false, true),
    ]) func `the contract says what becomes of rejected rows`(rule: String, isAccepted: Bool, isKept: Bool) async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let contract = """
            fields: [{ name: id, type: integer }, { name: x, type: number }]
            sluice: { batch: { maxRejectedRate: 0.9, \(rule) } }
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", "id,x\n1,2\nword,3\n4,5\n6\n")),
                schema: Schema.digested(loaded),
                contract: loaded.document, dataset: "d", source: "s", options: BatchOptions()))
        #expect((report.status == .accepted) == isAccepted && report.counts.count(.rejected) == 2)
        #expect(report.batchFindings.map(\.code) == (isAccepted ? [] : [.tooManyRejectedRows]))
        let path = try #require(report.published.first { $0.hasSuffix("/0.sluice") && $0.hasPrefix("quarantine") })
        let lines = try shop.opened(path).split(separator: "\n").compactMap { try? JSONValue.parse(Array($0.utf8)) }
        #expect(lines.map { $0["row"]?.whole } == [2, 4] && lines.map { $0["offset"]?.whole } == [9, 20])
        #expect(lines.allSatisfy { ($0["raw"] != nil) == isKept && $0["findings"]?.items?.count == 1 })
    }

    /// A file in its own dialect is released as RFC 4180, including masked cells, with every slice size.
    @Test(arguments: [40, 1 << 20]) func `shards of any dialect are RFC 4180`(size: Int) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let contract = """
            fields:
              - { name: id x, type: integer, constraints: { required: true } }
              - { name: who, type: string, sluice: { pii: { entity: EMAIL_ADDRESS, operator: replace, replacement: "<a,b>" } } }
              - { name: note, type: string }
              - { name: gone, type: string, sluice: { pii: { entity: ID, operator: drop } } }
            sluice:
              dialect: { delimiter: ";", quoteChar: "'", escapeChar: '\\', doubleQuote: false, commentChar: "#",
                skipInitialSpace: true, headerRows: [2, 3], commentRows: [1], nullSequence: '\\N' }
              batch: { maxRejectedRate: 0.9 }
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        let text = """
            made by somebody
            id;who;note;gone
            x;;;gone
            1; a@b.example;'it\\'s; so';z
            # a remark
            2;\\N; \\N;z
            3;'c@d.example';say "hi", she said;z

            4;'it''s';bad;z
            5;x;a\\;b;z
            """
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", text)), schema: Schema.digested(loaded),
                contract: loaded.document, dataset: "d",
                source: "s",
                options: {
                    var o = BatchOptions(); o.sliceBytes = size; return o
                }()))
        #expect(report.status == .accepted && report.counts.count(.rejected) == 1 && report.rows == 5)
        #expect(report.listed.map(\.row) == [4] && report.listed.first?.code == .strayQuote)
        #expect(report.readers.contains("libcsv cannot"))
        var shards = ""
        for path in report.published where path.hasPrefix("accepted") {
            let lines = try shop.opened(path)
            #expect(lines.hasPrefix("id x,who,note\n"))
            shards += lines.dropFirst("id x,who,note\n".count)
        }
        #expect(
            shards == """
                1,"<a,b>","it's; so"
                2,,
                3,"<a,b>","say ""hi"", she said"
                5,"<a,b>",a;b

                """)
    }

    @Test func `many files take more entries, and each has its receipt`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(2000))) { $0.sliceBytes = 200 }
        let entries = try LineageQuery(try shop.store.ledger()).run(report.batch).filter { !$0.files.isEmpty }
        let files = entries.flatMap(\.files)
        #expect(entries.count > 1 && files.count > LedgerEntry.filesMax)
        #expect(entries.allSatisfy { $0.bytes.count < 65_536 })
        let text = try FileDescriptor.openRegular(shop.store.root + "/" + files[70].path + ".tlog-proof").readAll(
            max: 65_536)
        let ledger = try shop.store.ledger()
        let proof = try #require(TlogProof(text))
        #expect(proof.proves(body: files[70].entry.bytes, key: ledger.verifier))
        #expect(try shop.store.proving().audit().problems.isEmpty)
    }

    @Test func `a repeated key has its byte range, also when nothing but keys told it apart`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = Workshop.rows(3000)
        let path = try shop.write("a.csv", text + "7,1,again\n")
        let report = try await shop.run(path, mode: .validate) { $0.sliceBytes = 1000 }
        let finding = try #require(report.listed.first { $0.code == .uniqueError })
        #expect(finding.row == 3001)
        #expect(Int(finding.byteOffset) == text.utf8.count)
        #expect(finding.byteLength == 9)
    }

    @Test func `a file fits the contract inferred from it`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        // An address with an underscore in its last label is text to the contract's format, and so to inference.
        let text = "id,who,site,no\n1,a@b.gov_X,https://a.example/x y,007\n2,c@d.gov_Y,https://b.example,8\n"
        let path = try shop.write("a.csv", text)
        let (schema, document) = Schema.digested(try inferSchema(BatchInput(path), options: BatchOptions()))
        var options = BatchOptions()
        options.mode = .validate
        let report = try await Pipeline(store: nil, writes: false).run(
            BatchRequest(
                BatchInput(file: path), schema: schema, contract: document, dataset: "a", source: "", options: options))
        #expect(report.rows == 2)
        #expect(report.findings.sorted.allSatisfy { $0.kind.code == .undeclaredPII })
    }

    @Test func `more columns than the limit are refused by number`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let names = (0..<5000).map { "c\($0)" }.joined(separator: ",")
        let path = try shop.write("a.csv", names + "\n" + names + "\n")
        #expect {
            _ = try inferSchema(BatchInput(path), options: BatchOptions())
        } throws: { error in
            let error = error as? IngestionError
            return error?.code == .unreadableData && error?.description.contains("5000 columns") == true
        }
        let loaded = try Schema.load(
            Array("fields: [{ name: c1 }]\nsluice: { apiVersion: sluice/v1, unknownFields: keep }\n".utf8),
            name: "a.yaml")
        let (schema, document) = (Schema.digested(loaded), loaded.document)
        var options = BatchOptions()
        options.mode = .validate
        await #expect {
            _ = try await Pipeline(store: nil, writes: false).run(
                BatchRequest(
                    BatchInput(file: path), schema: schema, contract: document, dataset: "a", source: "",
                    options: options))
        } throws: { error in
            let error = error as? IngestionError
            return error?.code == .unreadableData && error?.description.contains("5000 columns") == true
        }
    }

    @Test func `statistical findings carry statistic, threshold and how many rows the line was made from`() async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", Workshop.rows(3000) + "9999,1e9,n\n")
        let report = try await shop.run(path, mode: .dryRun)
        let errors = report.listed.map(report.document)
        let deviated = try #require(errors.first { $0["type"]?.text == "deviated-value" })
        // The value that is a group of its own does not influence its threshold.
        #expect(deviated["n"]?.whole == 3000)
        #expect((deviated["statistic"]?.double ?? 0) > (deviated["threshold"]?.double ?? .infinity))
    }

    @Test(arguments: [
        ("a.csv", "7,1.5,jane@example.com\n8,2.5,joe@example.com\n"),
        ("a.jsonl", "{\"jane@example.com\": 1}\n{\"x\": 2}\n"),
    ]) func `labels that are data make no contract, and are not repeated`(name: String, text: String) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write(name, text)
        #expect {
            _ = try inferSchema(BatchInput(path), options: BatchOptions())
        } throws: { error in
            let error = error as? IngestionError
            return error?.code == .unreadableData && error?.description.contains("jane") == false
        }
    }
}

/// Table Schema's `fieldsMatch`: the columns that a file may have or lack.
@Suite struct `fields match` {
    @Test(arguments: [
        ("exact", "a,b\n1,2\n", [FindingCode]()), ("exact", "b,a\n1,2\n", [.incorrectLabel]),
        ("exact", "a,b,c\n1,2,3\n", [.extraLabel]), ("exact", "a\n1\n", [.missingLabel]),
        ("equal", "b,a\n1,2\n", []), ("equal", "b,a,c\n1,2,3\n", [.extraLabel]), ("[equal]", "b,a\n1,2\n", []),
        ("subset", "c,b,a\n1,2,3\n", []), ("subset", "c,b\n1,2\n", [.missingLabel]),
        ("superset", "a\n1\n", []), ("superset", "b\n1\n", [.missingLabel]), ("superset", "a,c\n1,2\n", [.extraLabel]),
        ("partial", "c,a\n1,2\n", []), ("partial", "c,d\n1,2\n", [.missingLabel]),
    ]) func `as the standard has it`(match: String, text: String, codes: [FindingCode]) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let contract = """
            fieldsMatch: \(match)
            fields: [{ name: a, type: integer, constraints: { required: true } }, { name: b, type: integer }]
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        #expect(loaded.warnings.isEmpty)
        var options = BatchOptions()
        options.mode = .validate
        let report = try await Pipeline(store: nil, writes: false).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", text)), schema: Schema.digested(loaded),
                contract: loaded.document, dataset: "d",
                source: "", options: options))
        #expect(report.batchFindings.map(\.code) == codes && report.counts.count(.rejected) == 0)
    }

    @Test func `contradictions are refused`() {
        for (match, unknown) in [("exact", "keep"), ("superset", "drop"), ("subset", "reject"), ("partial", "reject")] {
            let text = "fieldsMatch: \(match)\nfields: [{name: a}]\nsluice: {unknownFields: \(unknown)}\n"
            let error = #expect(throws: SchemaError.self) { try Schema.load(Array(text.utf8), name: "c.yaml") }
            #expect(error?.code == .inconsistent, "\(match) \(unknown)")
        }
    }
}
