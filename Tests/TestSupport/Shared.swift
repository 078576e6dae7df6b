package import Foundation

/// A file or folder from outside the project; nil if it is absent. It is searched below $SLUICE_SHARED, else in
/// `shared` beside the repository. A path that begins with `suites/` is searched in $SLUICE_SUITES first, and also in
/// `.build-suites`, where `scripts/suites` puts it. A test that needs one has `.enabled(if: shared(path) != nil, "run
/// scripts/suites")`: without it, the test is skipped and does not pass.
package func shared(_ path: String) -> URL? {
    let environment = ProcessInfo.processInfo.environment
    var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    for _ in 0..<3 { root.deleteLastPathComponent() }
    let beside =
        environment["SLUICE_SHARED"].map { URL(fileURLWithPath: $0) }
        ?? root.deletingLastPathComponent().appendingPathComponent("shared")
    var places = [beside.appendingPathComponent(path)]
    if path.hasPrefix("suites/") {
        let name = String(path.dropFirst("suites/".count))
        if let suites = environment["SLUICE_SUITES"] {
            places.insert(URL(fileURLWithPath: suites).appendingPathComponent(name), at: 0)
        }
        places.append(root.appendingPathComponent(".build-suites").appendingPathComponent(name))
    }
    return places.first { FileManager.default.fileExists(atPath: $0.path) }
}

/// A JSON object.
package func json(_ url: URL) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
}
