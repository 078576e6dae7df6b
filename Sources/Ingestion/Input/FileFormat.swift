package import Tabular
import Reading

/// The format that a file's name implies.
extension SourceFormat {
    /// The format by the name's ending; nil when the ending implies none.
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

/// Whether a JSON file's name implies one document (true) or one record a line (false); nil when it implies neither.
func isDocument(_ path: String) -> Bool? {
    let name = plainName(path)
    if name.hasSuffix(".json") { return true }
    return name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") ? false : nil
}

/// A file's name in lower case, without the ending of its compression.
func plainName(_ path: String) -> String {
    var name = path.lowercased()
    // bzip2 and xz are not read; their first bytes are refused with the command that decompresses them.
    if let packed = (Compression.all.flatMap(\.suffixes) + [".bz2", ".xz"]).first(where: name.hasSuffix) {
        name.removeLast(packed.count)
    }
    return name
}
