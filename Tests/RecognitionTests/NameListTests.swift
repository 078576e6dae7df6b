import Testing

@testable import Recognition

@Suite struct NameListTests {
    private func list(_ text: String) -> NameList? {
        let bytes = Array(text.utf8)
        return NameList(bytes.span, entity: .person)
    }

    private func found(_ text: String, _ names: String, _ earlier: [EntityMatch] = []) throws -> [String] {
        let names = try #require(list(names))
        let bytes = Array(text.utf8)
        var matches = earlier
        names.find(bytes.span, bytes.indices, into: &matches)
        return matches.map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    private static let people = "# people\n\nMark\nann lee\nJean-Luc O'Neil\nJosé García Márquez\r\nJ. R. Tolkien\n"

    @Test func `whole words, the longest name, and the marks between`() throws {
        #expect(try found("ask Mark, MARK or mark; Markus not", Self.people) == ["Mark", "MARK"])
        #expect(
            try found("ann lee, Ann Lee, ANN-LEE, ann  lee, ann leer", Self.people) == [
                "ann lee", "Ann Lee", "ANN-LEE",
            ])
        #expect(try found("Jean Luc O'Neil and jean-luc o'neil", Self.people) == ["Jean Luc O'Neil"])
        #expect(try found("von José García Márquez.", Self.people) == ["José García Márquez"])
        #expect(try found("by J. R. Tolkien", Self.people) == ["J. R. Tolkien"])
        #expect(try found("", Self.people).isEmpty && found("...", Self.people).isEmpty)
        #expect(try found("Ann", "Ann\nAnn Lee\n") == ["Ann"] && found("Ann Lee", "Ann\nAnn Lee\n") == ["Ann Lee"])
    }

    @Test func `what was found by form goes first, and all stay in order`() throws {
        let mail = EntityMatch(entity: .emailAddress, start: 5, end: 19, score: 1)
        #expect(try found("Mark Mark@mail.test Mark", Self.people, [mail]) == ["Mark", "Mark@mail.test", "Mark"])
    }

    @Test func `a list that cannot be meant is refused`() throws {
        #expect(list("---\n") == nil)
        #expect(list("a b c d e f g h i\n") == nil)
        let first = try #require(list("Ann\nBob\n"))
        let second = try #require(list("Bob\nAnn"))
        let third = try #require(list("Bob\nann"))
        #expect(first.fingerprint == second.fingerprint && first.fingerprint != third.fingerprint && first.count == 2)
    }
}
