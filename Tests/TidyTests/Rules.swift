/// The rules of the code base, as functions from one file to its violations.
enum Rules {
    /// Rings 0 to 2: no clock, no randomness, no environment.
    private static func isBelowRing3(_ room: String?) -> Bool {
        room.flatMap { Rings.ringOfRoom[$0] }.map { $0 < 3 } ?? false
    }

    /// Imports are those of Package.swift and the platform, and no others.
    static func imports(_ source: SourceText, manifest: [String: Set<String>]) -> [Violation] {
        guard let room = source.room, source.isSwift else { return [] }
        let allowed = (manifest[room] ?? []).union(Rings.platform).union(Rings.edges[room] ?? [])
        return each(source.code, source) { line in
            let pattern =
                #/
                ^\s* (?: @\w+ (?:\([^)]*\))? \s+ )*
                (?: (?:package|public|internal|private|fileprivate) \s+ )?
                import \s+ (?: (?:struct|class|enum|func|protocol|var|let|typealias) \s+ )? (\w+)
                /#
            guard let match = line.firstMatch(of: pattern), !allowed.contains(String(match.1)) else { return nil }
            return "\(room) may not import \(match.1)"
        }
    }

    /// The dependencies in Package.swift go down the rings.
    static func dependencies(_ manifest: [String: Set<String>]) -> [Violation] {
        manifest.sorted { $0.key < $1.key }.flatMap { room, modules in
            modules.sorted().filter { !Rings.allow(room, toImport: $0) }.map {
                Violation(path: "Package.swift", line: 0, message: "\(room) may not depend on \($0)")
            }
        }
    }

    /// `unsafe` is allowed in Storage, Cryptography, bindings and marked kernels.
    static func unsafe(_ source: SourceText) -> [Violation] {
        let isMarked = source.lines.prefix(12).contains {
            $0.contains(#/^//+ Marked kernel: \S/#)
        }
        let isAllowed = ["Storage", "Cryptography"].contains(source.room) || source.path.contains("/Bindings/")
        guard source.isSwift, source.room != nil, !isMarked, !isAllowed else { return [] }
        return each(source.code, source) { line in
            line.contains(#/\bunsafe\b/#) ? "unsafe outside Storage, Cryptography, Bindings and marked kernels" : nil
        }
    }

    /// Every `package` and `public` declaration has a documentation comment.
    static func documentation(_ source: SourceText) -> [Violation] {
        guard source.isSwift, source.room != nil else { return [] }
        let pattern =
            #/
            ^\s* (?: @?\w+ (?:\([^)]*\))? \s+ )*?
            (?:package|public) \s+ (?: \w+ (?:\([^)]*\))? \s+ )*?
            (?:func|var|let|struct|class|enum|actor|protocol|init|subscript|typealias) \b
            /#
        // An import of one declaration, and an extension, are not declarations.
        let exempt = #/\b(import|extension)\b/#
        return source.code.indices.compactMap { index in
            let line = source.code[index]
            guard line.contains(pattern), !line.contains(exempt) else { return nil }
            var above = index - 1
            // Attributes may stand between the comment and the declaration.
            while above >= 0, source.code[above].contains(#/^\s*@\w+(\([^)]*\))?\s*$/#) { above -= 1 }
            let comment = above >= 0 ? source.lines[above].drop { $0 == " " } : ""
            guard !comment.hasPrefix("///"), !comment.hasSuffix("*/") else { return nil }
            return Violation(path: source.path, line: index + 1, message: "no /// comment above a package declaration")
        }
    }

    /// Files have at most 500 lines, those of tests 600, unless a comment at their top gives a reason.
    static func fileLength(_ source: SourceText) -> [Violation] {
        let isExcused = source.lines.prefix(5).contains { $0.contains(#/^//+ Long file: \S/#) }
        let most = source.path.hasPrefix("Tests/") ? 600 : 500
        guard source.lines.count > most + 1, !isExcused else { return [] }
        return [
            Violation(path: source.path, line: most + 1, message: "\(source.lines.count) lines; split it or say why")
        ]
    }

    /// Functions have at most 70 lines, unless the comment above gives a reason.
    static func functionLength(_ source: SourceText) -> [Violation] {
        guard source.isSwift else { return [] }
        let start = #/^\s*(?:[@\w]+(?:\([^)]*\))?\s+)*(?:func\s+\S|init[?!]?\s*[<(]|deinit\b|subscript\s*[<(])/#
        var found: [Violation] = []
        for index in source.code.indices where source.code[index].contains(start) {
            guard let end = closingLine(from: index, in: source.code), end - index + 1 > 70 else { continue }
            var above = index - 1
            var isExcused = false
            while above >= 0, source.lines[above].contains(#/^\s*(//|@)/#) {
                isExcused = isExcused || source.lines[above].contains(#/// Long function: \S/#)
                above -= 1
            }
            guard !isExcused else { continue }
            found.append(
                Violation(path: source.path, line: index + 1, message: "a function of \(end - index + 1) lines"))
        }
        return found
    }

    /// The line of the brace that closes the first one opened at or after `start`; nil for a protocol requirement.
    private static func closingLine(from start: Int, in code: [String]) -> Int? {
        var depth = 0
        var parentheses = 0
        for index in start..<code.count {
            for character in code[index] {
                switch character {
                case "(", "[": parentheses += 1
                case ")", "]": parentheses -= 1
                case "{" where parentheses == 0 || depth > 0: depth += 1
                case "}" where parentheses == 0 || depth > 0:
                    depth -= 1
                    if depth <= 0 { return depth == 0 ? index : nil }
                default: break
                }
            }
            // A new declaration before any brace: this one has no body.
            if depth == 0, parentheses == 0, code[index].contains(#/\S/#), !continues(code, index) { return nil }
        }
        return nil
    }

    /// Whether a signature continues after line `index`.
    private static func continues(_ code: [String], _ index: Int) -> Bool {
        guard let next = code.indices.dropFirst(index + 1).first(where: { code[$0].contains(#/\S/#) }) else {
            return false
        }
        return code[next].contains(#/^\s*(->|where\b|throws\b|async\b|\{|\))/#)
            || code[index].contains(#/(,|->|where)\s*$/#)
    }

    /// No markers of unfinished work, no forced tries, and no traps without a message.
    static func unfinished(_ source: SourceText) -> [Violation] {
        let mark = "FIX" + "ME"
        var found = each(source.lines, source) { $0.contains(mark) ? "\(mark): finish it, or open an issue" : nil }
        guard source.isSwift else { return found }
        found += each(source.code, source) { line in
            if line.contains("try!") { return "a forced try: handle the error" }
            let isTrap = source.room != nil && line.contains(#/\bfatalError\(/#)
            return isTrap ? "fatalError in Sources: throw, or state a precondition" : nil
        }
        return found
    }

    /// Below ring 3, time, seeds and settings are passed as arguments.
    static func determinism(_ source: SourceText) -> [Violation] {
        guard source.isSwift, isBelowRing3(source.room) else { return [] }
        let random = ["SystemRandomNumberGenerator", ".random(", "arc4random", "getrandom("]
        let others = [
            "clock_gettime", "gettimeofday", "time(nil)", "Date()", "Date.now", "ContinuousClock", "SuspendingClock",
            "getenv", "ProcessInfo", "CommandLine.",
        ]
        let names = source.room == "Cryptography" ? others : others + random
        return each(source.code, source) { line in
            names.first(where: line.contains).map { "\($0) below ring 3: take it as an argument" }
        }
    }

    /// Only rooms that wait for something are asynchronous.
    static func asynchrony(_ source: SourceText) -> [Violation] {
        guard source.isSwift, let room = source.room, !["Ingestion", "Lineage", "Serving", "sluice"].contains(room)
        else { return [] }
        return each(source.code, source) { line in
            line.contains(#/\b(async|await)\b|\bactor\s+[A-Z]/#) ? "async or an actor in \(room)" : nil
        }
    }

    /// Lines have at most 140 columns.
    static func lineLength(_ source: SourceText) -> [Violation] {
        each(source.lines, source) { $0.count > 140 ? "\($0.count) columns, more than 140" : nil }
    }

    /// The top of the repository has only the planned names.
    static func topLevel(_ names: [String]) -> [Violation] {
        let allowed: Set = [
            "Package.swift", "Sources", "Tests", "schemas", "samples", "scripts", "README.md", "ARCHITECTURE.md",
            "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", ".ci", ".swift-format", ".gitignore",
        ]
        let ignored: (String) -> Bool = { $0 == ".git" || $0.hasPrefix(".build") || $0 == "Package.resolved" }
        let here = Set(names.filter { !ignored($0) })
        return here.subtracting(allowed).sorted().map { Violation(path: $0, line: 0, message: "not in the plan") }
            + allowed.subtracting(here).sorted().map { Violation(path: $0, line: 0, message: "missing") }
    }

    /// C is for kernels; other folders have headers only.
    static func languages(_ path: String) -> [Violation] {
        let endings = [".c", ".cc", ".cpp", ".cxx", ".m", ".mm", ".s", ".S", ".asm"]
        guard endings.contains(where: path.hasSuffix), !path.hasPrefix("Sources/CKernels/") else { return [] }
        return [Violation(path: path, line: 1, message: "compiled C outside CKernels")]
    }

    /// No path of the machine on which it was written.
    static func machinePaths(_ source: SourceText) -> [Violation] {
        each(source.lines, source) { line in
            // `store/work` is a folder of the store; a root folder for people's files at a path's start belongs to a
            // certain machine.
            line.contains(#/(?:^|[^\w.)}>\]*\/])\/(?:home|root|Users|mnt|opt|srv|work|farm)\//#)
                ? "a path of one machine" : nil
        }
    }

    private static func each(
        _ lines: [String], _ source: SourceText, _ check: (String) -> String?
    ) -> [Violation] {
        lines.enumerated().compactMap { index, line in
            check(line).map { Violation(path: source.path, line: index + 1, message: $0) }
        }
    }
}
