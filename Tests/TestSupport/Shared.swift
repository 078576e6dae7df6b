package import Foundation

/// The folder of outside suites: $SLUICE_SHARED, or "shared" beside the repository; nil, said once a test, when missing.
package func shared(_ path: String) -> URL? {
    var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    for _ in 0..<3 { root.deleteLastPathComponent() }
    let folder =
        ProcessInfo.processInfo.environment["SLUICE_SHARED"].map { URL(fileURLWithPath: $0) }
        ?? root.deletingLastPathComponent().appendingPathComponent("shared")
    let url = folder.appendingPathComponent(path)
    if FileManager.default.fileExists(atPath: url.path) { return url }
    print("skipped: \(url.path) is missing; set SLUICE_SHARED to the folder that has it")
    return nil
}

/// A JSON object.
package func json(_ url: URL) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
}
