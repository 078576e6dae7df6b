import Foundation
import Testing

/// The rules, applied to this source tree.
@Suite struct HouseTests {
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The text files below the given folders, by path.
    private static func files(_ tops: [String]) throws -> [SourceText] {
        var result: [SourceText] = []
        for top in tops {
            // A top that is a file has no paths below it and represents itself.
            let below = (try? FileManager.default.subpathsOfDirectory(atPath: root.appending(path: top).path)) ?? []
            let paths = below.isEmpty ? [top] : below.sorted().map { "\(top)/\($0)" }
            for path in paths where !path.contains("/.build") {
                // Folders and files that are not text have no lines to check.
                guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else { continue }
                result.append(SourceText(path: path, text: text))
            }
        }
        return result
    }

    private static let sources = Result { try files(["Sources"]) }
    private static let tests = Result { try files(["Tests"]) }

    private func sources() throws -> [SourceText] { try Self.sources.get() }
    private func all() throws -> [SourceText] { try Self.sources.get() + Self.tests.get() }
    private func code() throws -> [SourceText] {
        try all().filter { [".swift", ".c", ".h"].contains(where: $0.path.hasSuffix) } + Self.files(["Package.swift"])
    }
    private func manifest() throws -> [String: Set<String>] {
        Rings.manifest(try String(contentsOf: Self.root.appending(path: "Package.swift"), encoding: .utf8))
    }

    private func expectNone(_ violations: [Violation], _ location: Testing.SourceLocation = #_sourceLocation) {
        let list = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\n\(list)", sourceLocation: location)
    }

    @Test func `the tree is read`() throws {
        #expect(try sources().contains { $0.path == "Sources/Tabular/Outcome.swift" })
        #expect(try manifest().count > 10)
    }

    @Test func `dependencies go down the rings`() throws { expectNone(Rules.dependencies(try manifest())) }

    @Test func `imports are those of the manifest`() throws {
        let manifest = try manifest()
        expectNone(try sources().flatMap { Rules.imports($0, manifest: manifest) })
    }

    @Test func `unsafe code has its places`() throws { expectNone(try sources().flatMap(Rules.unsafe)) }

    @Test func `package declarations are documented`() throws {
        expectNone(try sources().flatMap(Rules.documentation))
    }

    @Test func `files are short`() throws { expectNone(try code().flatMap(Rules.fileLength)) }

    @Test func `functions are short`() throws { expectNone(try code().flatMap(Rules.functionLength)) }

    @Test func `calls read as sentences`() throws { expectNone(try sources().flatMap(Rules.signatures)) }

    @Test func `few functions have six parameters`() throws {
        let many = try all().filter(\.isSwift).flatMap(Signature.all).filter { $0.parameters >= 6 }
        #expect(many.count <= 12, "\(many.count) functions with six parameters or more")
    }

    @Test func `calls in tests read as sentences`() throws {
        for source in try Self.tests.get() where source.isSwift {
            for signature in Signature.all(in: source) where signature.unlabelled > 3 {
                Issue.record("\(source.path):\(signature.line): \(signature.unlabelled) parameters without a label")
            }
        }
    }

    @Test func `folders are small`() throws { expectNone(Rules.folderSize(try sources().map(\.path))) }

    @Test func `nothing is left unfinished`() throws { expectNone(try all().flatMap(Rules.unfinished)) }

    @Test func `stages know no clock, chance or environment`() throws {
        expectNone(try sources().flatMap(Rules.determinism))
    }

    @Test func `stages are synchronous`() throws { expectNone(try sources().flatMap(Rules.asynchrony)) }

    @Test func `lines fit the page`() throws { expectNone(try code().flatMap(Rules.lineLength)) }

    @Test func `the top level is the plan's`() throws {
        expectNone(Rules.topLevel(try FileManager.default.contentsOfDirectory(atPath: Self.root.path)))
    }

    @Test func `C is for kernels`() throws { expectNone(try all().map(\.path).flatMap(Rules.languages)) }

    @Test func `no path of one machine`() throws {
        let files = try Self.files([
            "Sources", "scripts", "schemas", ".ci", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
            "SECURITY.md",
        ])
        expectNone(files.flatMap(Rules.machinePaths))
    }
}
