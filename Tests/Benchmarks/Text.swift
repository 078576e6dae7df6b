import Foundation
import Recognition

/// Searches a text of many lines for all entities and credentials, line by line, as the pipeline does: anchors for the
/// block, then each text. Prints MB/s of one core, and the number of matches.
func benchmarkText(_ path: String) throws {
    let text = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var best = Double.infinity
    var found: [String: Int] = [:]
    for _ in 0..<5 {
        let scanner = TextScanner(entities: Set(Entity.allCases), secrets: true)
        var anchors = CandidateMap()
        var matches: [EntityMatch] = []
        var secrets = 0
        let clock = ContinuousClock()
        let time = clock.measure {
            var start = 0
            while start < text.count {
                var end = min(start + 512 << 10, text.count)
                while end < text.count, text[end - 1] != 0x0A { end += 1 }
                anchors.fill(text.span, start..<end)
                var line = start
                while line < end {
                    var stop = line
                    while stop < end, text[stop] != 0x0A { stop += 1 }
                    if scanner.scan(text.span, range: line..<stop, anchors: anchors, into: &matches) != nil {
                        secrets += 1
                    }
                    line = stop + 1
                }
                start = end
            }
        }
        best = min(best, Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
        found = Dictionary(matches.map { ($0.entity.name, 1) }, uniquingKeysWith: +)
        found["SECRET"] = secrets
    }
    report("pii-text", Double(text.count) / best / 1e6, "MB/s")
    for (name, count) in found.sorted(by: { $0.key < $1.key }) { report("pii-text-" + name, Double(count), "found") }
}
