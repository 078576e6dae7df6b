package import Tabular
import Reading

/// What a file's name says of its contents.
extension SourceFormat {
    /// The format of a file, by its name; nil when the name does not say.
    package init?(ofFile path: String) {
        let name = plainName(path)
        if name.hasSuffix(".csv") || name.hasSuffix(".tsv") {
            self = .csv
        } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") || name.hasSuffix(".json") {
            self = .jsonl
        } else {
            return nil
        }
    }
}

/// Whether a JSON file's name says that it is one document, or lines; nil when it says neither.
func isDocument(_ path: String) -> Bool? {
    let name = plainName(path)
    if name.hasSuffix(".json") { return true }
    return name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") ? false : nil
}

/// A file's name in small letters, without the ending that says how it is compressed.
func plainName(_ path: String) -> String {
    var name = path.lowercased()
    // bzip2 and xz are not read; their first bytes are refused with the command that helps.
    if let packed = (Compression.all.flatMap(\.suffixes) + [".bz2", ".xz"]).first(where: name.hasSuffix) {
        name.removeLast(packed.count)
    }
    return name
}
