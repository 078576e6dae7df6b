import Sketches
import Tabular
import Testing

@testable import Lineage

/// Two readers that understand a body differently would open an attack: what the fast one accepts must equal what the
/// strict one reads.
@Suite struct EntryBodyTests {
    private let body = """
        {"batch":"b","commit":3,"contract_sha256":"aa","data_hash":"0f","files":[{"bytes":1,"file_sha256":"0a","role":"accepted"},\
        {"file_sha256":"0b\\u00e9","rows":"1-2"}],"findings":{},"kind":"shard.published","rowmap_sha256":"cc","seen":["00ff","x"],\
        "v":1}
        """

    private func same(_ taped: TapedBody, _ tree: JSONValue) -> Bool {
        let names = Array((tree.members ?? [:]).keys) + ["kind", "none", ""]
        if taped.text != tree.text || taped.whole != tree.whole || taped.items?.count != tree.items?.count {
            return false
        }
        for (one, other) in zip(taped.items ?? [], tree.items ?? []) where !same(one, other) { return false }
        for name in names {
            let (one, other) = (taped[name], tree[name])
            if (one == nil) != (other == nil) { return false }
            if let one, let other, !same(one, other) { return false }
        }
        return true
    }

    @Test func `a canonical body is taken, and means the same`() throws {
        let bytes = Array(body.utf8)
        let taped = try #require(EntryBodyReader().read(bytes))
        let tree = try JSONValue.parse(bytes)
        #expect(same(taped, tree))
        #expect(ProvenanceRow.rows(of: taped).rows == ProvenanceRow.rows(of: tree).rows)
        #expect(ProvenanceRow.rows(of: taped).rows.count == 2)
        #expect(SeenKeys.recorded(in: taped) == [[0, 0xFF]])
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"b":1,"a":2}"#, #"{"x":{"k":1,"k":2}}"#, #"{"a":1.0}"#, #"{"a":-1}"#,
        #"{"a":12345678901234567890}"#,
        #"{"é":1}"#, "[1,]", "", "{} {}", #"{"a":"\ud800"}"#, "\u{FEFF}{}", #"{"a":01}"#, "{\"a\":\"\u{1}\"}",
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
    ]) func `what may mean two things goes to the strict reader`(text: String) {
        #expect(EntryBodyReader().read(Array(text.utf8)) == nil)
    }

    @Test func `whatever bytes are changed, the two agree or the quick one declines`() throws {
        var random = SplitMix64(seed: 7)
        let reader = EntryBodyReader()
        var (taken, declined) = (0, 0)
        let interesting = Array("\"\\{}[]:,0123456789-.eE truefalsnu\u{0}\u{1F}".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<20_000 {
            var bytes = Array(body.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let byte = interesting.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = byte
                case 1: bytes.insert(byte, at: at)
                default: bytes.remove(at: at)
                }
            }
            guard let taped = reader.read(bytes) else {
                declined += 1
                continue
            }
            taken += 1
            let tree = try? JSONValue.parse(bytes)
            #expect(tree.map { same(taped, $0) } == true, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(taken > 500 && declined > 500, "\(taken) taken, \(declined) declined")
    }
}
