import Foundation
import Storage

/// The program as a user runs it: a folder of its own, arguments, exit code and output.
struct Harness {
    let folder: String
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The built program beside the test bundle.
    static var program: URL {
        var candidates: [URL] = []
        #if DEBUG
        candidates.append(repository.appending(path: ".build/debug/sluice"))
        #else
        candidates.append(repository.appending(path: ".build/release/sluice"))
        #endif
        // With another scratch path, the bundle is beside the program.
        candidates.insert(
            URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "sluice"), at: 0)
        return candidates.first { FileManager.default.fileExists(atPath: $0.path) } ?? candidates[0]
    }

    struct Outcome {
        var code: Int32
        var out: String
        var err: String
        /// Whether it was ended by a signal.
        var wasSignalled = false
    }

    init() throws {
        folder = NSTemporaryDirectory() + "sluice-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        return path(name)
    }

    static func sample(_ name: String) -> String { repository.appending(path: "samples/" + name).path }
    static func schema(_ name: String) -> String { repository.appending(path: "schemas/" + name).path }

    /// Runs the program in the harness's folder.
    func run(_ arguments: String...) throws -> Outcome {
        try run(arguments, after: nil)
    }

    /// `input` is a file of the harness's folder that becomes standard input, `place` a folder in it to run in.
    func run(
        _ arguments: [String], in place: String? = nil, endedBy number: Int32 = SIGKILL, after: Double? = nil,
        input: String? = nil
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: place.map(path) ?? folder)
        // The pinned ledgers of this user are the harness's own.
        process.environment = ProcessInfo.processInfo.environment.merging(["XDG_CONFIG_HOME": path(".config")]) { $1 }
        // Files instead of pipes, so that nobody has to read while the program runs.
        let (outPath, errPath) = (path(".out-" + UUID().uuidString), path(".err-" + UUID().uuidString))
        _ = FileManager.default.createFile(atPath: outPath, contents: nil)
        _ = FileManager.default.createFile(atPath: errPath, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outPath))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errPath))
        process.standardInput =
            try input.map { try FileHandle(forReadingFrom: URL(filePath: path($0))) } ?? FileHandle.nullDevice
        try process.run()
        if let after {
            usleep(UInt32(after * 1e6))
            kill(process.processIdentifier, number)
        }
        process.waitUntilExit()
        func text(_ path: String) throws -> String {
            defer { try? FileManager.default.removeItem(atPath: path) }
            return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        }
        return Outcome(
            code: process.terminationStatus, out: try text(outPath), err: try text(errPath),
            wasSignalled: process.terminationReason == .uncaughtSignal)
    }

    /// Runs the program where standard output is a terminal.
    func runInTerminal(_ arguments: String...) throws -> Outcome {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/script")
        let words = ([Self.program.path] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
        process.arguments = ["-qec", words.joined(separator: " "), "/dev/null"]
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(["XDG_CONFIG_HOME": path(".config")]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(code: process.terminationStatus, out: text, err: "")
    }

    /// Every file below a folder, by its path within it.
    func files(below name: String) -> [String] {
        let walker = FileManager.default.enumerator(atPath: path(name))
        var found: [String] = []
        while let file = walker?.nextObject() as? String {
            let kind = try? FileManager.default.attributesOfItem(atPath: path(name) + "/" + file)[.type]
            if kind as? FileAttributeType == .typeRegular { found.append(file) }
        }
        return found.sorted()
    }

    /// A report as JSON.
    func report(_ outcome: Outcome) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any] ?? [:]
    }
}
