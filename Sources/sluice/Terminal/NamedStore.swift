import ArgumentParser
import Ingestion
import Storage
import Synchronization
import Tabular

/// The store as the person named it. Commands and paths in messages are completed with it, so that they work as they stand
/// from where the person stands.
enum NamedStore {
    /// The folder for `--store`, nil where the store is found without it, and what stands before its paths.
    private struct Place {
        var option: String?
        var prefix = ""
    }
    private static let place = Mutex(Place())

    /// Remembers the folder given with `--store`.
    static func remember(_ folder: String) {
        place.withLock { $0 = Place(option: folder, prefix: folder.hasSuffix("/") ? folder : folder + "/") }
    }

    /// Remembers a folder that was found above the current one: commands find it again, its paths need it.
    static func remember(found folder: String, from current: String) {
        place.withLock { $0 = Place(prefix: folder == current ? "" : folder + "/") }
    }

    /// From now on the store goes by its absolute path: a daemon's log is read elsewhere.
    static func useAbsolutePath(of folder: String) throws(StorageError) {
        remember(folder.hasPrefix("/") ? folder : join(try currentFolder(), folder))
    }

    /// A path that works from where the person stands.
    ///
    /// - Parameter path: a path relative to the store.
    static func path(_ path: String) -> String { place.withLock { $0.prefix } + path }

    /// A text in which every suggested command that works on a store has its `--store`.
    static func completed(_ text: String) -> String {
        guard let folder = place.withLock({ $0.option }), text.contains("sluice ") else { return text }
        return SuggestedCommand.adding("--store \(PrintableText.shellWord(folder))", to: text)
    }
}

/// A command that a message suggests, such as in `see: sluice lineage show BATCH; …`.
///
/// Messages are written in rooms that know no command line, so what a command takes is read from its own help.
private struct SuggestedCommand {
    /// The position behind its last word.
    private(set) var end: Int
    /// Whether it names its store.
    private(set) var namesStore = false
    /// Whether a mark ends it, so that nothing behind it belongs to it.
    private var isOver = false

    /// The text with an option at the end of every command that works on a store.
    static func adding(_ option: String, to text: String) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        var out: [String] = []
        var at = 0
        while at < words.count {
            guard words[at] == "sluice", isIntroduced(at, in: words),
                let command = SuggestedCommand(at: at, in: words)
            else {
                out.append(words[at])
                at += 1
                continue
            }
            out += words[at..<command.end]
            at = command.end
            if command.namesStore { continue }
            let last = out.removeLast()
            let bare = bare(last)
            out.append("\(bare) \(option)\(last.dropFirst(bare.count))")
        }
        return out.joined(separator: " ")
    }

    /// Whether a command follows rather than the name of the program: at the beginning, behind a gap, a colon or an
    /// imperative.
    private static func isIntroduced(_ at: Int, in words: [String]) -> Bool {
        guard at > 0 else { return true }
        let before = words[at - 1]
        return before.isEmpty || before.hasSuffix(":") || ["run", "start", "then"].contains(before)
    }

    /// Words that never are an argument, and end a command in prose.
    private static let prose: Set<String> = ["or", "and", "to", "which", "again", "is"]

    /// Reads the command whose first word is at `start`; nil for one that works on no store, or is named without what it
    /// needs.
    private init?(at start: Int, in words: [String]) {
        var type: any ParsableCommand.Type = Sluice.self
        end = start + 1
        while !isOver, end < words.count {
            let word = Self.bare(words[end])
            guard let inner = type.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            type = inner
            take(words[end])
        }
        let help = Sluice.helpMessage(for: type, columns: 1000)
        guard end > start + 1, help.contains("--store <") else { return nil }
        let arguments = Self.arguments(in: help)
        var found = 0
        while !isOver, end < words.count {
            let word = Self.bare(words[end])
            if word.hasPrefix("--") {
                namesStore = namesStore || word == "--store"
                take(words[end])
                if !isOver, end < words.count, help.contains("\(word) <") { takeArgument(in: words) }
            } else if found < arguments.most, !word.isEmpty, !Self.prose.contains(word) {
                found += 1
                takeArgument(in: words)
            } else {
                break
            }
        }
        // `run sluice ingest or watch` says what helps, and is no command.
        if found < arguments.fewest { return nil }
    }

    private mutating func take(_ word: String) {
        end += 1
        isOver = Self.bare(word) != word
    }

    /// Takes an argument, which is several words between quotes where it has spaces.
    private mutating func takeArgument(in words: [String]) {
        var last = end
        if words[end].hasPrefix("'") {
            var isOpen = false
            last = words[end...].firstIndex { Self.endsQuotes($0, &isOpen) } ?? end
        }
        end = last
        take(words[last])
    }

    /// Whether no quote is open behind a word, as `PrintableText.shellWord` writes them.
    private static func endsQuotes(_ word: String, _ isOpen: inout Bool) -> Bool {
        var isEscaped = false
        for byte in word.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x27 {
                isOpen.toggle()
            } else if byte == 0x5C, !isOpen {
                isEscaped = true
            }
        }
        return !isOpen
    }

    /// How many arguments beside options a command must have, and may have, from its usage.
    private static func arguments(in help: String) -> (fewest: Int, most: Int) {
        let usage = help.split(separator: "\n").first { $0.hasPrefix("USAGE:") } ?? ""
        let words = usage.split(separator: " ")
        let own = zip(words, words.dropFirst()).filter { before, _ in !before.contains("--") }.map(\.1)
        let fewest = own.count { $0.hasPrefix("<") }
        return (fewest, fewest + own.count { $0.hasPrefix("[<") && $0 != "[<options>]" })
    }

    /// A word without the marks behind it.
    private static func bare(_ word: String) -> String {
        var word = Substring(word)
        while let last = word.last, ";,)".contains(last) { word.removeLast() }
        return String(word)
    }
}
