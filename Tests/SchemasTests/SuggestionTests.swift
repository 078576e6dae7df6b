import Schemas
import Testing

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("role", "role", 0), ("rloe", "role", 1), ("rol", "role", 1), ("roles", "role", 1), ("rule", "role", 1),
        ("", "ab", 2), ("abc", "", 3), ("ca", "abc", 3), ("é", "e", 1),
    ])
    func `the distance counts inserts, deletes, replacements and swaps`(left: String, right: String, distance: Int) {
        #expect(editDistance(left, right, limit: 5) == distance)
        #expect(editDistance(right, left, limit: 5) == distance)
    }

    @Test func `the distance stops at its limit`() {
        #expect(editDistance("completely", "different!", limit: 2) == 3)
        #expect(editDistance(String(repeating: "x", count: 100_000), "y", limit: 2) == 3)
    }

    @Test func `a suggestion is near, and short words need to be nearer`() {
        let words = ["role", "pii", "anomaly", "unknownFields"]
        #expect(suggestion(for: "roel", among: words) == "role")
        #expect(suggestion(for: "anomoly", among: words) == "anomaly")
        #expect(suggestion(for: "unknownfields", among: words) == "unknownFields")
        #expect(suggestion(for: "xx", among: words) == nil)
        #expect(suggestion(for: "zebra", among: words) == nil)
        #expect(suggestion(for: "pia", among: words) == "pii")
    }
}
