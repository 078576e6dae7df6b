import Testing

/// Each rule is tested with snippets that satisfy it and snippets that violate it: a rule that cannot fail is
/// worthless.
@Suite struct RuleTests {
    private func lines(_ rule: (SourceText) -> [Violation], _ text: String, _ path: String) -> [Int] {
        rule(SourceText(path: path, text: text)).map(\.line)
    }

    private let stage = "Sources/Masking/X.swift"

    @Test func `comments and texts are not code, interpolations are`() {
        let text = """
            let a = "x // \\" unsafe" // unsafe
            /* unsafe /* nested */ unsafe */ let b = 1
            let c = #"raw "quoted" \\(unsafe)"# + "\\(unsafe f(")"))"
            """
        let code = SourceText(path: "x.swift", text: text).code
        #expect(code[0].contains("let a =") && !code[0].contains("unsafe"))
        #expect(code[1].contains("let b = 1") && !code[1].contains("unsafe"))
        #expect(code[2].ranges(of: "unsafe").count == 1 && code[2].contains("unsafe f("))
        #expect(code[0].count == text.split(separator: "\n")[0].count)
    }

    @Test func `braces of a regular expression are not the code's`() {
        let code = SourceText(path: "x.swift", text: "a(#/[{]\"/#) {").code
        #expect(code == ["a(        ) {"])
    }

    @Test func `a multi-line text hides its lines`() {
        let text = "let a = \"\"\"\n    try! \"quoted\"\n    \"\"\"\ntry! f()"
        #expect(lines(Rules.unfinished, text, stage) == [4])
    }

    @Test func `the manifest is understood and its rings are checked`() {
        let text = """
            // room("Ghost", ["sluice"]),
            room("Tabular", []),
            room("Lineage", ["Tabular", grdb]),
            room(
                "Masking",
                [
                    "Tabular", "Screening",
                ]),
            .executableTarget(
                name: "sluice",
                dependencies: ["Masking", arguments],
            """
        let manifest = Rings.manifest(text)
        #expect(manifest.keys.sorted() == ["Lineage", "Masking", "Tabular", "sluice"])
        #expect(manifest["Lineage"] == ["Tabular", "GRDB"] && manifest["sluice"] == ["Masking", "ArgumentParser"])
        #expect(Rules.dependencies(manifest).isEmpty)
        let wrong: [String: Set<String>] = [
            "Tabular": ["Schemas"], "Screening": ["Masking"], "Reading": ["Masking"], "Lineage": ["Ingestion"],
            "Masking": ["NIO"], "Cryptography": ["Storage"],
        ]
        #expect(Rules.dependencies(wrong).count == 6)
    }

    @Test func `imports`() {
        let manifest: [String: Set<String>] = ["Masking": ["Tabular"], "sluice": ["Tabular"]]
        let good = "import Tabular\npackage import Tabular\nimport Synchronization\n// import Foundation\n"
        #expect(lines({ Rules.imports($0, manifest: manifest) }, good, stage) == [])
        let bad =
            "import Foundation\n@preconcurrency import Sealing\n@testable import struct Lineage.Ledger\nimport Dispatch"
        #expect(lines({ Rules.imports($0, manifest: manifest) }, bad, stage) == [1, 2, 3, 4])
        #expect(lines({ Rules.imports($0, manifest: manifest) }, "import Foundation", "Sources/sluice/A.swift") == [])
        #expect(lines({ Rules.imports($0, manifest: manifest) }, "import Foundation", "Tests/A.swift") == [])
    }

    @Test func `unsafe`() {
        let text = "let a = 1 // unsafe\nlet b = unsafe f()\nnonisolated(unsafe) var c = 1\nlet unsafely = 1\n"
        #expect(lines(Rules.unsafe, text, stage) == [2, 3])
        #expect(lines(Rules.unsafe, text, "Sources/Storage/A.swift") == [])
        #expect(lines(Rules.unsafe, text, "Sources/Reading/Bindings/A.swift") == [])
        #expect(lines(Rules.unsafe, "// Marked kernel: bounds checked once above the loop\n" + text, stage) == [])
        #expect(lines(Rules.unsafe, "// Marked kernel:\n" + text, stage) == [3, 4])
    }

    @Test func `documentation`() {
        let good = """
            /// A.
            package struct A {
                /// B.
                @inline(always)
                @discardableResult
                package static func b() {}
                package extension C {}
                private(set) var d = 1
                func e() {}
            }
            """
        #expect(lines(Rules.documentation, good, stage) == [])
        let bad = """
            package struct A {
                // B.
                package func b() {}
                /// C.

                package private(set) var c = 1
                package init() {}
                @inline(always) package static func d() {}
                public typealias E = Int
                package mutating func f() {}
            }
            """
        #expect(lines(Rules.documentation, bad, stage) == [1, 3, 6, 7, 8, 9, 10])
        #expect(lines(Rules.documentation, bad, "Tests/X.swift") == [])
    }

    @Test func `file length`() {
        let long = String(repeating: "a\n", count: 501)
        #expect(lines(Rules.fileLength, String(repeating: "a\n", count: 500), stage) == [])
        #expect(lines(Rules.fileLength, long, stage) == [501])
        #expect(lines(Rules.fileLength, "// Long file: one table\n" + long, stage) == [])
        #expect(lines(Rules.fileLength, "// Long file:\n" + long, stage) == [501])
    }

    @Test func `function length`() {
        let body = String(repeating: "        f({ [1] })\n", count: 69)
        let short = "    func a(\n        b: Int = { 1 }()\n    ) -> Int {\n        f()\n    }\n"
        #expect(lines(Rules.functionLength, short, stage) == [])
        let long = "struct A {\n    func a() {\n\(body)    }\n    init() {\n\(body)    }\n}\n"
        #expect(lines(Rules.functionLength, long, stage) == [2, 73])
        let split = "    static func a(\n        b: Int\n    )\n        -> Int\n    {\n\(body)    }\n"
        #expect(lines(Rules.functionLength, split, stage) == [1])
        #expect(
            lines(Rules.functionLength, "    // Long function: one table\n    @inline(never)\n" + split, stage) == [])
        let requirement = "protocol P {\n    func a() -> Int\n    func b()\n}\nstruct B {\n\(body)}\n"
        #expect(lines(Rules.functionLength, requirement, stage) == [])
        #expect(lines(Rules.functionLength, String(long.dropLast(11)) + "    }\n}\n", stage) == [2, 73])
    }

    @Test func `signatures`() {
        let few = "func a(_ b: Int, _ c: [Int], _ d: (Int, Int) -> Int, e: Int = 1, f: Int, g: Int) {}\n"
        #expect(lines(Rules.signatures, few, stage) == [])
        #expect(lines(Rules.signatures, "func a(_ b: Int, _ c: Int, _ d: Int,\n    _ e: Int) {}\n", stage) == [1])
        let many = "    init(a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int) {}\n"
        #expect(lines(Rules.signatures, "struct A {\n" + many + "}\n", stage) == [2])
        #expect(lines(Rules.signatures, "struct A {\n    // Many parameters: a header\n" + many + "}\n", stage) == [])
        #expect(lines(Rules.signatures, "func a(_ b: inout Int, c: inout [Int]) {}\n", stage) == [1])
        #expect(
            lines(Rules.signatures, "func a(_ b: inout Int, c: [Int]) {}\nself.init(1, 2, 3, 4, 5, 6, 7)\n", stage)
                == [])
        let paths = (1...21).map { "Sources/A/\($0).swift" }
        #expect(Rules.folderSize(paths).map(\.path) == ["Sources/A"])
        #expect(Rules.folderSize(paths.dropLast() + ["Sources/A/B/1.swift"]).isEmpty)
    }

    @Test func `unfinished work`() {
        let mark = "FIX" + "ME"
        #expect(lines(Rules.unfinished, "// \(mark) later\nlet a = try! f()\nfatalError()\n", stage) == [1, 2, 3])
        #expect(lines(Rules.unfinished, "fatalError()\n// try! nothing\n", "Tests/X.swift") == [])
        #expect(lines(Rules.unfinished, "try! f()", "Tests/X.swift") == [1])
    }

    @Test func `determinism`() {
        let text =
            "clock_gettime(a)\nlet d = Date()\nInt.random(in: a)\ngetenv(x)\nf(Update())\n// Date()\n"
        #expect(lines(Rules.determinism, "let d = Date()", stage) == [1])
        #expect(lines(Rules.determinism, text, stage).prefix(4) == [1, 2, 3, 4])
        #expect(lines(Rules.determinism, text, "Sources/Ingestion/A.swift") == [])
        #expect(!lines(Rules.determinism, text, "Sources/Cryptography/A.swift").contains(3))
        #expect(lines(Rules.determinism, "let d = time(nil)", "Sources/Lineage/A.swift") == [1])
    }

    @Test func `asynchrony`() {
        let text = "func a() async {}\nawait a()\nactor Bee {}\nlet actor = 1\n// async\nlet asynchronous = 1\n"
        #expect(lines(Rules.asynchrony, text, stage) == [1, 2, 3])
        #expect(lines(Rules.asynchrony, text, "Sources/Lineage/A.swift") == [])
    }

    @Test func `line length`() {
        let line = String(repeating: "é", count: 140)
        #expect(lines(Rules.lineLength, line + "\n" + line + "x\n", stage) == [2])
    }

    @Test func `the top level`() {
        let plan = [
            "Package.swift", "Sources", "Tests", "schemas", "samples", "scripts", "README.md", "ARCHITECTURE.md",
            "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", ".ci", ".swift-format", ".gitignore",
        ]
        #expect(Rules.topLevel(plan + [".git", ".build", ".build-x", "Package.resolved"]).isEmpty)
        #expect(Rules.topLevel(plan + ["notes.txt"]).map(\.path) == ["notes.txt"])
        #expect(Rules.topLevel(plan.filter { $0 != "LICENSE" }).map(\.path) == ["LICENSE"])
    }

    @Test func `languages`() {
        #expect(Rules.languages("Sources/CKernels/a.c").isEmpty && Rules.languages("Sources/CPosix/shim.h").isEmpty)
        #expect(Rules.languages("Sources/Reading/a.c").count == 1 && Rules.languages("Tests/a.cpp").count == 1)
    }

    @Test func `machine paths`() {
        let bad = "x /home/me\n\"/root/shared\"\n/opt/a\ncp /srv/x y\nsee /mnt/x\n"
        #expect(lines(Rules.machinePaths, bad, stage) == [1, 2, 3, 4, 5])
        #expect(
            lines(Rules.machinePaths, "store/work/<claim>\n\"\\(store)/opt/a\"\nnetwork/\n/etc/passwd\n", stage)
                == [])
    }
}
