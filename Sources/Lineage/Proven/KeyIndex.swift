import Tabular

/// Maps 32-byte keys to the entries that record them: a sorted list, which comes from a cache, and a dictionary of
/// later additions.
///
/// It stores only the first 8 bytes of each key, since the caller reads the entry and compares the whole key.
struct KeyIndex: Sendable, Equatable {
    private var keys: [UInt64] = []
    private var sequences: [UInt32] = []
    private var added: [UInt64: [UInt32]] = [:]

    /// Number of keys.
    var count: Int { keys.count + added.values.reduce(0) { $0 + $1.count } }

    private static func word(_ key: [UInt8]) -> UInt64 { key.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// The entries that may record a key, oldest first.
    func candidates(_ key: [UInt8]) -> [Int] {
        let word = Self.word(key)
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < word { low = middle + 1 } else { high = middle }
        }
        var found: [Int] = []
        while low < keys.count, keys[low] == word {
            found.append(Int(sequences[low]))
            low += 1
        }
        return found + (added[word] ?? []).map(Int.init)
    }

    mutating func add(_ key: [UInt8], _ sequence: Int) {
        added[Self.word(key), default: []].append(UInt32(clamping: sequence))
    }

    /// 12 bytes for each key, sorted by key.
    func encoded() -> [UInt8] {
        var pairs = Array(zip(keys, sequences))
        for (key, sequences) in added { pairs += sequences.map { (key, $0) } }
        pairs.sort { ($0.0, $0.1) < ($1.0, $1.1) }
        var out: [UInt8] = []
        out.reserveCapacity(12 * pairs.count)
        for (key, sequence) in pairs {
            for shift in stride(from: 56, through: 0, by: -8) {
                out.append(UInt8(truncatingIfNeeded: key >> UInt64(shift)))
            }
            for shift in stride(from: 24, through: 0, by: -8) {
                out.append(UInt8(truncatingIfNeeded: sequence >> UInt32(shift)))
            }
        }
        return out
    }

    init() {}

    init?(encoded bytes: [UInt8]) {
        guard bytes.count.isMultiple(of: 12) else { return nil }
        keys.reserveCapacity(bytes.count / 12)
        sequences.reserveCapacity(bytes.count / 12)
        for at in stride(from: 0, to: bytes.count, by: 12) {
            var (key, sequence): (UInt64, UInt32) = (0, 0)
            for place in at..<at + 8 { key = key << 8 | UInt64(bytes[place]) }
            for place in at + 8..<at + 12 { sequence = sequence << 8 | UInt32(bytes[place]) }
            keys.append(key)
            sequences.append(sequence)
        }
    }
}
