import Cryptography
import Sketches
import Storage
import Tabular

/// A subject as a store names it: 64 bits of a keyed hash of the value of the field with `role: subject`.
///
/// Equal values have equal tags in all batches of a store, and without the store's key none can be computed. Among 10^9
/// rows, another subject has a given tag with a probability below 10^-10.
struct SubjectTag: Sendable, Hashable, Comparable {
    let word: UInt64

    /// Separates these hashes from those of keys and values, which are made with the same secret.
    private static let label = Hash128(high: 0x736C_7569_6365_2F73, low: 0x7562_6A65_6374_2F31)

    init(word: UInt64) { self.word = word }

    /// The tag of a value: bytes `range` of a text.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, _ hash: KeyedHash) {
        word = hash.hash(bytes, range, state: Self.label).high
    }

    static func < (left: SubjectTag, right: SubjectTag) -> Bool { left.word < right.word }

    /// The subject's name in the ledger: an HMAC of the tag, so that who reads the ledger learns no tag.
    func recorded(secret: [UInt8]) -> String {
        let message = Array("sluice/subject/v1\0\(word)".utf8)
        return hex(Array(hmacSHA256(key: SecretKey(copying: secret.span), message.span).prefix(16)))
    }
}

/// The form of a batch's accepted shards, as far as it is needed to find a row and its subject in them.
struct ShardForm: Sendable, Equatable {
    let format: SourceFormat
    /// Between the cells of CSV.
    let delimiter: UInt8
    /// The bytes of the header.
    let headerCount: Int
    /// The names that lead to the subject's value: the column, or the member of each JSON object.
    let path: [String]

    init(format: SourceFormat, delimiter: UInt8, headerCount: Int, path: [String]) {
        (self.format, self.delimiter, self.headerCount, self.path) = (format, delimiter, headerCount, path)
    }

    fileprivate var line: [UInt8] {
        JSONValue.object([
            "format": .string(format.rawValue), "delimiter": .integer(Int64(delimiter)),
            "header_bytes": .integer(Int64(headerCount)), "path": .array(path.map { .string($0) }),
        ]).canonicalBytes() + [0x0A]
    }

    fileprivate init?(_ line: [UInt8]) {
        guard let document = try? JSONValue.parse(line), let delimiter = document["delimiter"]?.whole,
            let format = document["format"]?.text.flatMap({ SourceFormat(rawValue: $0) }),
            let header = document["header_bytes"]?.whole, header >= 0, let own = UInt8(exactly: delimiter)
        else { return nil }
        self.init(
            format: format, delimiter: own, headerCount: Int(header),
            path: (document["path"]?.items ?? []).compactMap(\.text))
    }
}

/// The subjects of the rows of one slice.
struct SubjectRows: Sendable {
    /// The rows of each subject, ascending; numbers are those of the source.
    private(set) var entries: [(tag: SubjectTag, row: Int)] = []
    /// Rows that could not be split into values, so that their subject is not known.
    private(set) var unreadable: [Int] = []

    var isEmpty: Bool { entries.isEmpty && unreadable.isEmpty }

    /// A row of a subject.
    mutating func append(_ tag: SubjectTag, row: Int) { entries.append((tag, row)) }

    /// A row whose subject is not known.
    mutating func append(unreadable row: Int) { unreadable.append(row) }

    /// The rows that have one of these tags.
    func rows(of tags: Set<SubjectTag>) -> Set<Int> { Set(entries.lazy.filter { tags.contains($0.tag) }.map(\.row)) }

    /// Without these rows.
    func removing(_ isRemoved: (Int) -> Bool) -> SubjectRows {
        var left = self
        left.entries.removeAll { isRemoved($0.row) }
        left.unreadable.removeAll(where: isRemoved)
        return left
    }

    /// The stored form: its length (32 bits, little-endian), then for each subject the tag and the rows, ascending by
    /// tag. Numbers are LEB128 varints; of rows the first is written, then differences.
    func encoded() -> [UInt8] {
        var out: [UInt8] = [0, 0, 0, 0]
        func rows(_ list: some Collection<Int>) {
            Varint.append(UInt64(list.count), to: &out)
            var last = 0
            for row in list {
                Varint.append(UInt64(row - last), to: &out)
                last = row
            }
        }
        let sorted = entries.sorted { ($0.tag, $0.row) < ($1.tag, $1.row) }
        var groups: [(tag: SubjectTag, rows: [Int])] = []
        for (tag, row) in sorted {
            if groups.last?.tag == tag {
                groups[groups.count - 1].rows.append(row)
            } else {
                groups.append((tag, [row]))
            }
        }
        Varint.append(UInt64(groups.count), to: &out)
        for group in groups {
            for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: group.tag.word >> UInt64(8 * shift))) }
            rows(group.rows)
        }
        rows(unreadable)
        for shift in 0..<4 { out[shift] = UInt8(truncatingIfNeeded: (out.count - 4) >> (8 * shift)) }
        return out
    }

    /// Reads the stored form without its length; nil if it is damaged.
    init?(decoding bytes: [UInt8]) {
        var at = 0
        func rows() -> [Int]? {
            guard let count = Varint.read(bytes, at: &at), count <= UInt64(bytes.count) else { return nil }
            var (found, last): ([Int], UInt64) = ([], 0)
            for _ in 0..<count {
                guard let step = Varint.read(bytes, at: &at), step < 1 << 48 else { return nil }
                last += step
                found.append(Int(last))
            }
            return found
        }
        guard let count = Varint.read(bytes, at: &at), count <= UInt64(bytes.count) else { return nil }
        for _ in 0..<count {
            guard at + 8 <= bytes.count else { return nil }
            var word: UInt64 = 0
            for shift in 0..<8 { word |= UInt64(bytes[at + shift]) << UInt64(8 * shift) }
            at += 8
            guard let list = rows() else { return nil }
            for row in list { entries.append((SubjectTag(word: word), row)) }
        }
        guard let rest = rows(), at == bytes.count else { return nil }
        unreadable = rest
    }

    init() {}
}

/// The stored index of a batch: `sluice-subjects-v1`, the form of its shards as a line of JSON, and the subjects of each
/// slice, in any order. It is read piece by piece: that of a large batch need not fit in memory.
struct SubjectIndexReader {
    static let magic = Array("sluice-subjects-v1\n".utf8)
    /// Most bytes of the line, and of a slice's part.
    private static let lineMax = 1 << 20, partMax = 1 << 30

    /// The form of the shards; nil until it was read.
    private(set) var form: ShardForm?
    private var waiting: [UInt8] = []
    private let path: String

    /// The beginning of an index.
    static func beginning(_ form: ShardForm) -> [UInt8] { magic + form.line }

    /// - Parameter path: where the index is, for messages.
    init(calling path: String) { self.path = path }

    /// Takes the next bytes, and gives each part that is complete.
    ///
    /// - Throws: `damaged` for bytes that are no index.
    mutating func read(
        _ piece: Span<UInt8>, _ body: (SubjectRows) throws(IngestionError) -> Void
    ) throws(IngestionError) {
        waiting.append(copying: piece)
        if form == nil, try !readBeginning() { return }
        var at = 0
        while waiting.count - at >= 4 {
            let length = (0..<4).reduce(0) { $0 | Int(waiting[at + $1]) << (8 * $1) }
            guard length <= Self.partMax else { throw damaged }
            guard waiting.count - at - 4 >= length else { break }
            guard let rows = SubjectRows(decoding: Array(waiting[at + 4..<at + 4 + length])) else { throw damaged }
            try body(rows)
            at += 4 + length
        }
        waiting.removeFirst(at)
    }

    /// - Throws: `damaged` when bytes are left, or nothing was read.
    func finish() throws(IngestionError) {
        if form == nil || !waiting.isEmpty { throw damaged }
    }

    /// - Returns: false when more bytes are needed.
    private mutating func readBeginning() throws(IngestionError) -> Bool {
        let start = Self.magic.count
        guard waiting.count > start, let end = waiting[start...].firstIndex(of: 0x0A) else {
            if waiting.count > start + Self.lineMax
                || !waiting.prefix(start).elementsEqual(Self.magic.prefix(waiting.count))
            {
                throw damaged
            }
            return false
        }
        guard waiting.starts(with: Self.magic), let read = ShardForm(Array(waiting[start..<end])) else { throw damaged }
        form = read
        waiting.removeFirst(end + 1)
        return true
    }

    private var damaged: IngestionError {
        IngestionError(.damaged, "\(path): it is no index of subjects that this version reads")
    }
}
