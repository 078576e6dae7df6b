import Foundation
import Masking
import Testing

/// The cases of Presidio's own recogniser tests for our six entities, when the suite's folder is there.
///
/// Ours is deliberately stricter in places (whole words, no telephone numbers of unnamed countries), so the figures are
/// held to the floors measured when this was written, not to perfection.
@Suite struct PresidioCaseTests {
    private struct Case: Decodable {
        let entities: [String]
        let text: String
        let spans: [[Int]]?
        let expectedLength: Int?
        let params: Params

        struct Params: Decodable {
            let scores: [[Score]]?
            enum CodingKeys: String, CodingKey { case scores = "expected_score_ranges" }
        }

        /// A number, or the word `max`.
        struct Score: Decodable {
            let value: Double

            init(from decoder: any Decoder) throws {
                value = (try? decoder.singleValueContainer().decode(Double.self)) ?? 1
            }
        }

        enum CodingKeys: String, CodingKey {
            case entities, text, spans, params
            case expectedLength = "expected_len"
        }
    }

    private struct Tally {
        var right = 0
        var wrong = 0
        var missed = 0
        var precision: Double { Double(right) / Double(max(1, right + wrong)) }
        var recall: Double { Double(right) / Double(max(1, right + missed)) }
    }

    /// `SLUICE_SHARED`, or `shared` beside the repository.
    private static let suite: String = {
        var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let shared = ProcessInfo.processInfo.environment["SLUICE_SHARED"] ?? root.path + "/shared"
        return shared + "/suites/pii/presidio_cases.json"
    }()

    /// Floors of precision and recall.
    private static let floors: [Entity: (Double, Double)] = [
        .emailAddress: (1, 1), .phoneNumber: (0.96, 0.86), .socialSecurity: (1, 1), .creditCard: (1, 1),
        .ipAddress: (1, 0.98), .bankAccount: (1, 1),
    ]

    @Test(.enabled(if: FileManager.default.fileExists(atPath: suite)))
    func `precision and recall`() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.suite))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        for entity in Entity.allCases {
            var tally = Tally()
            var differences: [String] = []
            for given in cases where given.entities.contains(entity.rawValue) {
                // Some cases tell only the count.
                guard let spans = given.spans, spans.count == given.expectedLength else { continue }
                // Presidio's matches below 0.4 are guesses that its users filter out.
                var expected: [Range<Int>] = []
                for (index, span) in spans.enumerated() {
                    let best =
                        given.params.scores.flatMap { index < $0.count ? $0[index].map(\.value).max() : nil } ?? 1
                    if best > 0.4 { expected.append(span[0]..<span[1]) }
                }
                let actual = ranges(of: entity, in: given.text)
                tally.right += actual.filter(expected.contains).count
                tally.wrong += actual.filter { !expected.contains($0) }.count
                tally.missed += expected.filter { !actual.contains($0) }.count
                if actual != expected { differences.append("  \(given.text) expected \(expected), found \(actual)") }
            }
            print(entity.rawValue, "precision", tally.precision, "recall", tally.recall, tally)
            for difference in differences { print(difference) }
            let floor = try #require(Self.floors[entity])
            #expect(tally.precision >= floor.0 && tally.recall >= floor.1, "\(entity.rawValue) \(tally)")
        }
    }

    /// Offsets in characters of the text, as the suite counts them.
    private func ranges(of entity: Entity, in text: String) -> [Range<Int>] {
        let bytes = Array(text.utf8)
        var matches: [EntityMatch] = []
        TextScanner(entities: [entity]).scan(bytes.span, range: bytes.indices, into: &matches)
        func offset(_ at: Int) -> Int { String(decoding: bytes[..<at], as: UTF8.self).unicodeScalars.count }
        return matches.map { offset($0.start)..<offset($0.end) }
    }
}
