import Foundation
import Testing

/// Names from outside can neither move the cursor nor forge a line, whatever command prints them.
@Suite(.serialized) struct `what is printed` {
    private static let evil = "a\u{1B}[2J\n\u{7F}\u{85}\u{9B}\u{202E}\u{2066}\u{200B}\u{2028}\u{61C}\u{FEFF}\u{E0041}é"

    /// Characters that a terminal or a person would not see; line ends are allowed.
    private func hidden(_ text: String) -> [String] {
        text.unicodeScalars.filter { scalar in
            scalar != "\n"
                && (scalar.value < 0x20 || scalar.properties.isDefaultIgnorableCodePoint
                    || [.control, .format, .lineSeparator, .paragraphSeparator].contains(
                        scalar.properties.generalCategory))
        }.map { String($0.value, radix: 16) }
    }

    @Test func `commands that repeat a name show what is hidden in it`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let name = Self.evil
        let table = try harness.write(name + ".csv", "id,x\n1,2\n2,q\n")
        let contract = try harness.write(
            name + ".yaml", "name: d\nfields: [{ name: id, type: integer }, { name: x, type: integer }]\n")
        _ = try harness.run("init", "store")
        let taken = try harness.run(
            "ingest", Harness.sample("orders-good.csv"), "--store", "store", "--dataset", "orders", "--schema",
            Harness.schema("orders.schema.yaml"))
        #expect(taken.code <= 1, "\(taken.err)")
        let shard = try #require(
            harness.files(below: "store/accepted").first { $0.hasSuffix("1.sluice") || $0.hasSuffix("0.sluice") })
        let copy = harness.path(name + ".sluice")
        try FileManager.default.copyItem(atPath: harness.path("store/accepted/" + shard), toPath: copy)
        try Data().write(to: URL(filePath: harness.path("store/accepted/orders/" + name)))
        for verb in [
            ["schema", "check", contract], ["schema", "infer", table], ["validate", table, "--schema", contract],
            ["validate", table, "--schema", contract, "--format", "github"],
            ["validate", table, "--schema", contract, "--format", "junit"], ["scan", table, "--schema", contract],
            ["init", harness.path(name + "-store")], ["dialect", table], ["shard", "info", copy],
            ["shard", "verify", copy, "--key", harness.path("store/keys/main.kek")], ["status", "--store", "store"],
            ["doctor", "--store", "store"], ["lineage", "verify", "--files", "--store", "store"],
            ["schema", "diff", contract, Harness.schema("orders.schema.yaml")], ["schema", "check", name + "none"],
        ] {
            let outcome = try harness.run(verb, after: nil)
            #expect(hidden(outcome.out).isEmpty && hidden(outcome.err).isEmpty, "\(verb): \(outcome.out)\(outcome.err)")
        }
        let checked = try harness.run("schema", "check", contract)
        #expect(checked.code == 0 && checked.out.contains("\\x1b") && checked.out.split(separator: "\n").count == 1)
    }

    @Test func `documents parse to the very name`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let table = try harness.write(Self.evil + ".csv", "id,x\n1,q\n")
        try harness.write("c.yaml", "name: d\nfields: [{ name: id, type: integer }, { name: x, type: integer }]\n")
        for (format, key) in [("json", "name"), ("ndjson", "name"), ("frictionless", "place"), ("sarif", "name")] {
            let outcome = try harness.run("validate", table, "--schema", "c.yaml", "--format", format)
            #expect(hidden(outcome.out).isEmpty, "\(format)")
            let line = format == "ndjson" ? String(outcome.out.split(separator: "\n")[0]) : outcome.out
            let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
            #expect(texts(parsed, key).contains(table), "\(format)")
        }
        let sniffed = try harness.run("scan", table, "--schema", "c.yaml", "--format", "json")
        #expect(hidden(sniffed.out).isEmpty && sniffed.out.contains("\\udb40\\udc41"))
    }

    /// All texts under a key, at any depth.
    private func texts(_ value: Any, _ key: String) -> [String] {
        if let list = value as? [Any] { return list.flatMap { texts($0, key) } }
        guard let members = value as? [String: Any] else { return [] }
        return members.flatMap { $0 == key ? [$1 as? String].compactMap(\.self) : texts($1, key) }
    }
}
