import Cryptography
import Foundation
import Lineage
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Recipients whose keys are not in `keys/`.
@Suite struct `recipients with keys elsewhere` {
    /// A store with one more recipient in front.
    private func shop(_ shop: Workshop, with recipient: String) throws -> Workshop {
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("  - kek: main ", with: recipient + "\n  - kek: main ").utf8)
            .write(to: URL(filePath: path))
        return Workshop(folder: shop.folder, store: try Store(shop.store.root))
    }

    private func recorder(_ shop: Workshop) throws -> Recorder { try Recorder(Store(shop.store.root)) }

    private func bad(_ shop: Workshop) throws -> [Diagnosis] {
        try Store(shop.store.root).examine(.success(shop.store.readableLedger()), readFiles: true)
            .filter { $0.grade == .bad }
    }

    @Test func `a post-quantum key opens every file alone, also after the other key was replaced`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let outside = plain.folder + "/usb"
        try makeFolder(outside)
        let secret = outside + "/escrow.xwing"
        let made = try recorder(plain).generatePair("escrow", privatePath: secret)
        let shop = try shop(plain, with: "  - xwing: escrow\n    publicKey: \(made.publicFile)")
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        let key = try XWingWrappingKey(privateHalf: try KeyFile.read(secret, kind: .xwing))
        func opens() throws -> Bool {
            let drill = try recorder(shop).drill(key, count: 1000)
            return drill.sealed > 0 && drill.opened == drill.sealed
        }
        #expect(try opens())
        let before = try shop.opened(shard)
        #expect(
            try shop.store.proving().proven().state.keys.contains { $0.key.kind == "xwing" && $0.key.name == "escrow" })
        let writer = try recorder(shop)
        _ = try writer.rotateKey("main")
        #expect(try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil)).files > 0)
        #expect(try opens() && shop.opened(shard) == before)
        try shop.expectSound()
        let found = try bad(shop)
        #expect(found.isEmpty, "\(found)")

        // Another public half under the name is refused, and so is a pair of a name that was used.
        let again = await failure {
            _ = try recorder(shop).generatePair("escrow", privatePath: outside + "/escrow.xwing")
        }
        #expect(again?.code == .notPermitted, "\(again as Any)")
        try FileManager.default.removeItem(atPath: shop.store.root + "/" + made.publicFile)
        _ = try XWingKeyFile.generate(
            name: "escrow", created: "", publicPath: shop.store.root + "/" + made.publicFile,
            privatePath: outside + "/other")
        let swapped = await failure { _ = try await shop.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001))) }
        #expect(swapped?.code == .notPermitted && swapped?.description.contains("escrow") == true, "\(swapped as Any)")
        #expect(try !bad(shop).isEmpty)
    }

    @Test func `a private half is not made inside the store`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for path in ["/keys/e.xwing", "/e.xwing", "/accepted/../keys/e.xwing", "/e.pem"] {
            let refused = await failure {
                _ = try recorder(shop).generatePair("e", privatePath: shop.store.root + path)
            }
            #expect(refused?.code == .usage, "\(path) \(refused as Any)")
        }
        for name in ["é", "../e", "", "a b", String(repeating: "e", count: 65)] {
            let refused = await failure {
                _ = try recorder(shop).generatePair(name, privatePath: shop.folder + "/\(name).xwing")
            }
            #expect(refused?.code == .usage, "\(name) \(refused as Any)")
        }
        let wide = shop.folder + "/wide"
        try makeFolder(wide, mode: 0o755)
        let open = await failure { _ = try recorder(shop).generatePair("e", privatePath: wide + "/e.xwing") }
        #expect(open?.code == .notPermitted && open?.description.contains("chmod 700") == true, "\(open as Any)")
        #expect(try listFolder(wide).isEmpty)
        let taken = await failure {
            _ = try recorder(shop).generatePair("main", privatePath: shop.folder + "/main.xwing")
        }
        #expect(taken?.code == .notPermitted)
        #expect(try listFolder(shop.store.keysFolder).allSatisfy { !$0.contains("xwing") })
    }

    /// A plug-in: XOR with a pad, bound to the context by a digest. `BEHAVIOUR` is a file whose word changes what it does.
    private static let plugIn = """
        #!/usr/bin/env python3
        import base64, hashlib, json, os, sys, time
        place = os.path.dirname(os.path.abspath(__file__))
        def seal(data, context):
            pad = hashlib.sha256(json.dumps(context, sort_keys=True).encode() + b"secret").digest()
            return bytes(a ^ b for a, b in zip(data, pad))
        for line in sys.stdin:
            asked = json.loads(line)
            if asked.get("context") != {"sluice": "trial"}:
                with open(place + "/asked", "a") as log: log.write(asked["op"] + "\\n")
            word = open(place + "/behaviour").read() if os.path.exists(place + "/behaviour") else ""
            if word == "end": sys.exit(1)
            if word == "noise": print("no json", flush=True); continue
            if word == "error": print(json.dumps({"id": asked["id"], "error": "vault is sealed\\x1b[2J"}), flush=True); continue
            if asked["op"] == "identify" and word in ["kms", "azure"]:
                answer = {"identity": "arn:aws:kms:eu:1:key/2", "provider": "aws-" + word if word == "kms" else word}
            elif asked["op"] == "identify": answer = {"identity": "key " + ("two" if word == "two" else "one")}
            elif asked["op"] == "wrap":
                answer = {"ciphertext": base64.b64encode(seal(base64.b64decode(asked["data_key"]), asked["context"])).decode()}
            elif word == "deny": answer = {"data_key": None}
            else:
                answer = {"data_key": base64.b64encode(seal(base64.b64decode(asked["ciphertext"]), asked["context"])).decode()}
            answer["id"] = asked["id"]
            text = json.dumps(answer)
            if word == "bad" and asked["op"] == "wrap": text = json.dumps({"id": answer["id"], "ciphertext": "AAAA"})
            if asked["op"] == "identify" or asked["context"] == {"sluice": "trial"} and word in ["twice", "early", "stale"]: pass
            elif word == "twice": text += "\\n" + text
            elif word == "early": text = "INFO renewed\\n" + text
            elif word == "stale":
                text = last if "last" in globals() else json.dumps({"id": "0", "ciphertext": "AAAA"})
                last = json.dumps(answer)
            if word == "echo" and asked["op"] == "wrap": text = json.dumps({"id": answer["id"], "ciphertext": asked["data_key"]})
            if word == "tell" and asked["op"] == "wrap": text = json.dumps({"id": answer["id"], "error": "no " + asked["data_key"]})
            if word == "short" and asked["op"] == "unwrap": text = json.dumps({"id": answer["id"], "data_key": "YWJj"})
            print(text, flush=True)
        """

    /// A store whose shards are sealed for a plug-in and for `main`.
    private func plugged(_ plain: Workshop) throws -> (
        shop: Workshop, behave: (String?) throws -> Void, asked: () throws -> [String]
    ) {
        let program = plain.folder + "/plug-in.py"
        try Data(Self.plugIn.utf8).write(to: URL(filePath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program)
        let folder = plain.folder
        return (
            try shop(plain, with: "  - exec: vault\n    command: [\(program)]"),
            { word in
                try? FileManager.default.removeItem(atPath: folder + "/behaviour")
                if let word { try Data(word.utf8).write(to: URL(filePath: folder + "/behaviour")) }
            },
            {
                let text = (try? String(contentsOfFile: folder + "/asked", encoding: .utf8)) ?? ""
                return text.split(separator: "\n").map(String.init)
            }
        )
    }

    @Test func `a program wraps and unwraps, and is asked only where no key here opens`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, behave, asked) = try plugged(plain)
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        #expect(try asked().contains("wrap") && !asked().contains("unwrap"))
        let before = try shop.opened(shard)
        #expect(try !asked().contains("unwrap"))
        let found = try bad(shop)
        #expect(found.isEmpty, "\(found)")
        // The store's own key is elsewhere: the program opens it.
        let own = shop.store.keysFolder + "/main.kek"
        try FileManager.default.moveItem(atPath: own, toPath: plain.folder + "/main.kek")
        let bare = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        #expect(try bare.opened(shard) == before && asked().contains("unwrap"))
        try behave("deny")
        #expect(throws: (any Error).self) { try bare.opened(shard) }
        try behave("short")
        let short = await failure {
            _ = try openShard(bare.store.root + "/" + shard, keys: try bare.store.keyRing())
        }
        #expect(short?.code == .tryAgain && short?.description.contains("length") == true, "\(short as Any)")
        try behave("error")
        let silent = await failure {
            _ = try openShard(bare.store.root + "/" + shard, keys: try bare.store.keyRing())
        }
        #expect(
            silent?.code == .tryAgain && silent?.description.contains("vault is sealed\\x1b[2J") == true,
            "\(silent as Any)")
        try behave(nil)
        #expect(try bare.opened(shard) == before)
    }

    @Test func `data keys of AWS KMS stand in the file as its readers look for them`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, behave, _) = try plugged(plain)
        try behave("azure")
        let other = await failure { _ = try await shop.run(try shop.write("a.csv", Workshop.rows(4000))) }
        #expect(other?.code == .tryAgain && other?.description.contains("another provider") == true, "\(other as Any)")
        try behave("kms")
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        let writer = try recorder(shop)
        _ = try writer.rotateKey("main")
        _ = try await writer.rewrap(try writer.rewrapping(from: "main", to: nil, dataset: nil))
        let info = try MessageReader.inspect(.file(.openRegular(shop.store.root + "/" + shard)))
        let recipients = info.recipients.map { "\($0.provider) \($0.keyName)" }.sorted()
        #expect(recipients == ["aws-kms arn:aws:kms:eu:1:key/2", "ingest main-2"])
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/main.kek")
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/main-2.kek")
        let bare = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        #expect(try bare.opened(shard).hasPrefix("id,x,note"))
    }

    @Test func `files move from a key of the store to a service and back`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let report = try await plain.run(try plain.write("a.csv", Workshop.rows(4000)))
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        let before = try plain.opened(shard)
        let (shop, _, _) = try plugged(plain)
        let there = try recorder(shop)
        let moved = try await there.rewrap(try there.rewrapping(from: "main", to: "vault", dataset: nil))
        #expect(moved.files > 0 && moved.failures.isEmpty)
        func recipients() throws -> [String] {
            try MessageReader.inspect(.file(.openRegular(shop.store.root + "/" + shard))).recipients.map(\.keyName)
        }
        let (service, read) = (try recipients(), try shop.opened(shard))
        #expect(service == ["vault"] && read == before)
        try shop.expectSound()
        let found = try bad(shop)
        #expect(found.isEmpty, "\(found)")
        let back = try recorder(shop)
        #expect(
            try await back.rewrap(try back.rewrapping(from: "vault", to: "main", dataset: nil)).files == moved.files)
        let (own, again) = (try recipients(), try shop.opened(shard))
        #expect(own == ["main"] && again == before)

        let outside = plain.folder + "/usb"
        try makeFolder(outside)
        let made = try back.generatePair("escrow", privatePath: outside + "/escrow.xwing")
        let both = try self.shop(shop, with: "  - xwing: escrow\n    publicKey: \(made.publicFile)")
        for (from, to) in [("main", "escrow"), ("escrow", "main")] {
            let refused = await failure { _ = try recorder(both).rewrapping(from: from, to: to, dataset: nil) }
            #expect(
                refused?.code == .usage && refused?.description.contains("kept elsewhere") == true, "\(refused as Any)")
        }
    }

    @Test func `without a program that opens them baselines are not passed over`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, _, _) = try plugged(plain)
        let taken = await failure { _ = try recorder(shop).generateKey(.kek, "vault") }
        #expect(taken?.code == .notPermitted, "\(taken as Any)")
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let lone = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("  - kek: main")
        }
        try Data(lone.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        let only = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        #expect(try await only.run(try shop.write("a.csv", Workshop.rows(4000))).status == .accepted)
        // No key is left here, and the program is not named.
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/main.kek")
        let outside = plain.folder + "/usb"
        try makeFolder(outside)
        let made = try recorder(only).generatePair("escrow", privatePath: outside + "/escrow.xwing")
        let start = try #require(lone.firstIndex { $0.hasPrefix("  - exec: vault") })
        var other = lone.map(String.init)
        other.replaceSubrange(start...start + 1, with: ["  - xwing: escrow", "    publicKey: \(made.publicFile)"])
        try Data(other.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        let blind = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        let refused = await failure {
            _ = try await blind.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001)))
        }
        #expect(refused?.code == .notPermitted && refused?.description.contains("vault") == true, "\(refused as Any)")
    }

    @Test func `a key that a service stands in for is destroyed without loss`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, _, _) = try plugged(plain)
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        let writer = try recorder(shop)
        _ = try writer.rotateKey("main")
        let use = try writer.use(ofKey: "main")
        #expect(use.alone == 0 && use.shared > 0)
        #expect(try shop.opened(shard).hasPrefix("id,x,note"))
    }

    @Test func `another program under the name of a recorded key is asked who it is`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, _, _) = try plugged(plain)
        #expect(try await shop.run(try shop.write("a.csv", Workshop.rows(4000))).status == .accepted)
        let place = plain.folder + "/other"
        try makeFolder(place)
        try FileManager.default.copyItem(atPath: plain.folder + "/plug-in.py", toPath: place + "/plug-in.py")
        try Data("two".utf8).write(to: URL(filePath: place + "/behaviour"))
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let dataset = "datasets:\n  numbers: { recipients: [{ exec: vault, command: [\(place)/plug-in.py] }] }"
        try Data(text.replacing("datasets:", with: dataset).utf8).write(to: URL(filePath: path))
        let store = try Store(shop.store.root)
        _ = try store.recipients(of: "")
        let refused = await failure { _ = try store.proving().recipients(of: "numbers") }
        #expect(refused?.code == .notPermitted && refused?.description.contains("vault") == true, "\(refused as Any)")
    }

    @Test func `without its program a batch waits, and nothing of it is published`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let (shop, behave, _) = try plugged(plain)
        let file = try shop.write("a.csv", Workshop.rows(4000))
        for word in ["end", "noise", "error", "twice", "early", "stale", "echo", "bad"] {
            try behave(word)
            let refused = await failure { _ = try await shop.run(file) }
            #expect(
                refused?.code == .tryAgain && refused?.description.contains("vault") == true,
                "\(word) \(refused as Any)")
            #expect(try listFolder(shop.store.root + "/accepted").isEmpty, "\(word)")
        }
        try behave("tell")
        let told = await failure { _ = try await shop.run(file) }
        #expect(told?.code == .tryAgain && told?.description.contains("no (the data key)") == true, "\(told as Any)")
        try behave(nil)
        #expect(try await shop.run(file).status == .accepted)
        try shop.expectSound()
        // The same store: the process is started again, and has another key now.
        try behave("twice")
        _ = await failure { _ = try await shop.run(try shop.write("s.csv", Workshop.rows(4000, from: 29001))) }
        try behave("two")
        let changed = await failure {
            _ = try await shop.run(try shop.write("s.csv", Workshop.rows(4000, from: 29001)))
        }
        #expect(changed?.code == .tryAgain && changed?.description.contains("another key") == true, "\(changed as Any)")
        // Another key under the name is refused. The store is opened again: the program says once who it is.
        try behave("two")
        let other = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        let swapped = await failure {
            _ = try await other.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001)))
        }
        #expect(swapped?.code == .notPermitted && swapped?.description.contains("vault") == true, "\(swapped as Any)")
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("/plug-in.py", with: "/none.py").utf8).write(to: URL(filePath: path))
        let gone = Workshop(folder: shop.folder, store: try Store(shop.store.root))
        let missing = await failure {
            _ = try await gone.run(try shop.write("c.csv", Workshop.rows(4000, from: 19001)))
        }
        #expect(
            missing?.code == .tryAgain && missing?.description.contains("cannot be started") == true,
            "\(missing as Any)")
    }

    @Test func `keys are taken from the credentials of a service, if nobody else may use them`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let credentials = plain.folder + "/credentials"
        try makeFolder(credentials)
        for name in ["main.kek", "ledger.signing", "store.store"] {
            try FileManager.default.moveItem(
                atPath: plain.store.keysFolder + "/" + name, toPath: credentials + "/" + name)
        }
        var store = try Store(plain.store.root)
        store.keyFolders.credentials = credentials
        let shop = Workshop(folder: plain.folder, store: store)
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        #expect(try store.keyNames(.kek) == ["main"])
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        #expect(try shop.opened(shard).hasPrefix("id,x,note"))
        let writer = try Recorder(store)
        _ = try writer.rotateKey("main")
        #expect(try listFolder(store.keysFolder).contains("main-2.kek"))
        let copied = await failure { _ = try await Backup.make(of: writer, in: plain.folder + "/bk", withKeys: true) }
        #expect(
            copied?.code == .notPermitted && copied?.description.contains("keys export") == true, "\(copied as Any)")
        // In both places it would outlive its destruction.
        try FileManager.default.copyItem(
            atPath: credentials + "/main.kek", toPath: store.keysFolder + "/main.kek")
        let both = await failure { _ = try writer.shredKey("main", reason: "x", files: 0) }
        #expect(both?.code == .usage && both?.description.contains("credential of systemd") == true, "\(both as Any)")
        try FileManager.default.removeItem(atPath: store.keysFolder + "/main.kek")
        let kept = await failure { _ = try writer.shredKey("main", reason: "x", files: 0) }
        #expect(kept?.code == .usage && kept?.description.contains("credential of systemd") == true, "\(kept as Any)")
        // Modes as systemd gives them with an access list, and modes that let others read or write.
        for (mode, isGood) in [
            (0o400, true), (0o440, true), (0o600, true), (0o444, false), (0o460, false), (0o620, false),
        ] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: credentials + "/main.kek")
            let refused = await failure { _ = try store.keyRing() }
            #expect((refused == nil) == isGood, "\(String(mode, radix: 8)) \(refused as Any)")
        }
        let without = await failure {
            _ = try await plain.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001)))
        }
        #expect(without?.code == .notPermitted, "\(without as Any)")
    }

    @Test func `a second key signs every commit, and nothing is recorded without it`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        _ = try recorder(plain).generateKey(.mldsa, "ledger-pq")
        let path = plain.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("  # postQuantumKey:", with: "  postQuantumKey:").utf8).write(to: URL(filePath: path))
        let shop = Workshop(folder: plain.folder, store: try Store(plain.store.root))
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        let second = try #require(try shop.store.postQuantumVerifier())
        let ledger = try shop.store.readableLedger()
        let result = try Ledger.verify(
            path: shop.store.ledgerPath, key: ledger.verifier, evidence: OutsideEvidence(postQuantum: second))
        #expect(result.damage.isEmpty && result.secondSignatures > 0, "\(result.damage)")
        try shop.expectSound()
        #expect(try bad(shop).isEmpty)

        let file = shop.store.keysFolder + "/ledger-pq.mldsa"
        try FileManager.default.moveItem(atPath: file, toPath: plain.folder + "/kept")
        let size = try ledger.size()
        let missing = await failure { _ = try await shop.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001))) }
        #expect(
            missing?.code == .notPermitted && missing?.description.contains("ledger-pq") == true, "\(missing as Any)")
        try Store.generateKey(in: shop.store.keysFolder, kind: .mldsa, name: "ledger-pq")
        let swapped = await failure { _ = try await shop.run(try shop.write("b.csv", Workshop.rows(4000, from: 9001))) }
        #expect(swapped?.code == .notPermitted, "\(swapped as Any)")
        #expect(try ledger.size() == size)
        #expect(try !bad(shop).isEmpty)
    }

    @Test func `keys in escrow bring a store back, and no foreign key comes in`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let outside = plain.folder + "/usb"
        try makeFolder(outside)
        let made = try recorder(plain).generatePair("escrow", privatePath: outside + "/escrow.xwing")
        let shop = try shop(plain, with: "  - xwing: escrow\n    publicKey: \(made.publicFile)")
        let report = try await shop.run(try shop.write("a.csv", Workshop.rows(4000)))
        let shard = try #require(report.published.first { $0.hasPrefix("accepted/") })
        let before = try shop.opened(shard)
        _ = try recorder(shop).rotateKey("main")
        let file = plain.folder + "/keys.sluice"
        for name in ["main", "other"] {
            let refused = await failure { _ = try recorder(shop).exportKeys(for: name, to: file) }
            #expect(refused?.code == .usage && !exists(file), "\(refused as Any)")
        }
        let written = try recorder(shop).exportKeys(for: "escrow", to: file)
        #expect(Set(written) == ["main.kek", "main-2.kek", "ledger.signing", "tokens.token", "store.store"])
        let again = await failure { _ = try recorder(shop).exportKeys(for: "escrow", to: file) }
        #expect(again?.code == .cannotCreate)
        for inside in ["/k.sluice", "/keys/more.token"] {
            let refused = await failure {
                _ = try recorder(shop).exportKeys(for: "escrow", to: shop.store.root + inside)
            }
            #expect(refused?.code == .usage && !exists(shop.store.root + inside), "\(refused as Any)")
        }
        for name in ["tokens.token", "main.kek"] {
            try FileManager.default.moveItem(atPath: shop.store.keysFolder + "/" + name, toPath: outside + "/kept")
            let lacking = await failure { _ = try recorder(shop).exportKeys(for: "escrow", to: plain.folder + "/less") }
            #expect(lacking?.code == .notPermitted && lacking?.description.contains(name) == true, "\(lacking as Any)")
            try FileManager.default.moveItem(atPath: outside + "/kept", toPath: shop.store.keysFolder + "/" + name)
        }
        #expect(!exists(plain.folder + "/less"))
        let bytes = try Data(contentsOf: URL(filePath: file))
        let entry = try #require(
            try shop.store.ledger().entries(from: 0, limit: 100).last { $0.kind == "key.exported" })
        #expect(entry.body["file_sha256"]?.text == hex(SHA256.hash(Array(bytes))))
        for name in written {
            let text = try String(contentsOfFile: shop.store.keysFolder + "/" + name, encoding: .utf8)
            let digits = try #require(text.split(separator: "\n").last?.split(separator: ":").last)
            #expect(bytes.range(of: Data(digits.utf8)) == nil && !entry.body.text(pretty: false).contains(digits))
        }

        let key = try XWingWrappingKey(privateHalf: try KeyFile.read(outside + "/escrow.xwing", kind: .xwing))
        #expect(try Store(shop.store.root).proving().importKeys(file, with: key).isEmpty)
        for name in written { try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/" + name) }
        let stranger = XWingWrappingKey(name: "escrow", key: try XWingKey(seed: SecretKey(random: 32)))
        let closed = await failure { _ = try Store(shop.store.root).proving().importKeys(file, with: stranger) }
        #expect(closed?.code == .notPermitted && listFolderNames(shop).allSatisfy { !$0.hasSuffix(".kek") })
        #expect(try Set(Store(shop.store.root).proving().importKeys(file, with: key)) == Set(written))
        #expect(try Workshop(folder: shop.folder, store: Store(shop.store.root)).opened(shard) == before)
        try shop.expectSound()
        #expect(try bad(shop).isEmpty)

        // Sealed for the same recipient by somebody else: its public half is no secret.
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/tokens.token")
        let planted = Array("token tokens \(base64URL(try randomBytes(32)))\n".utf8)
        let origin = shop.store.configuration.origin
        for (context, word) in [
            (["origin": origin, "role": "keys"], "not a key that the ledger records"), (["origin": "x"], "context"),
        ] {
            let forged = try sealMessage(planted.span, context: context, recipients: [key]).bytes
            try Data(forged).write(to: URL(filePath: file))
            let refused = await failure { _ = try Store(shop.store.root).proving().importKeys(file, with: key) }
            #expect(refused?.description.contains(word) == true, "\(refused as Any)")
            #expect(!exists(shop.store.keysFolder + "/tokens.token"))
        }
    }

    private func listFolderNames(_ shop: Workshop) -> [String] { (try? listFolder(shop.store.keysFolder)) ?? [] }
}
