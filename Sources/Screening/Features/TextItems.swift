import Sketches

/// The tokens of a row's text, as keyed hashes, and its MinHash signature. Tokens are words, pairs and triples of
/// words, the first and last words, and hidden characters.
///
/// A word is a run of letters, digits and non-ASCII bytes, in lower case, or a run of other visible characters.
struct TextItems {
    /// Slots of the signature (Broder 1997), filled by one permutation (Li, Owen, Zhang 2012), two in a code.
    static let slots = 128
    /// Number of codes that hold the signature.
    static let signatureWords = slots / 2
    /// Most items kept of a row.
    static let itemsMax = 1024
    /// Words of a shingle; or its bytes, if there are few words.
    private static let shingle = 5
    /// Below this many words, shingles consist of bytes.
    private static let wordsMin = 20
    /// A text with fewer parts between spaces, and with fewer bytes of a script without spaces, is not prose:
    /// sequential numbers, addresses and times are similar to each other by nature.
    private static let partsMin = 4, wideMin = 36
    /// Most bytes of a text that are read.
    private static let bytesMax = 65_536

    private var seed: UInt64 = 0
    private var isTagged = true
    private var singles: [UInt32] = []
    private var slots = [UInt32](repeating: .max, count: slots)
    private var isMarked = false
    private var words: [UInt64] = []
    /// Parts between spaces, and non-ASCII bytes, which distinguish prose from a number or an address.
    private var parts = 0, wide = 0

    /// Begins a row.
    ///
    /// - Parameter isTagged: whether the lowest bit distinguishes words (0) from phrases and positions (1); false for
    ///   decisions before format 6.
    mutating func begin(seed: UInt64, isTagged: Bool = true) {
        self.seed = seed
        self.isTagged = isTagged
        singles.removeAll(keepingCapacity: true)
        for slot in 0..<Self.slots { slots[slot] = .max }
        isMarked = false
    }

    /// The length of a text in Unicode scalars.
    static func length(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        let part = bytes.extracting(range)
        var count = 0
        for at in 0..<part.count where part[at] & 0xC0 != 0x80 { count &+= 1 }
        return count
    }

    @inline(__always)
    private func item(_ kind: UInt64, _ hash: UInt64, isWord: Bool = false) -> UInt32 {
        let made = UInt32(truncatingIfNeeded: SplitMix64.mix(hash ^ seed &+ kind &* 0x9E37_79B9_7F4A_7C15) >> 16)
        return !isTagged ? made : isWord ? made & ~1 : made | 1
    }

    /// Whether a token is a word, not a phrase or a position in the text.
    static func isWord(_ token: UInt32) -> Bool { token & 1 == 0 }

    /// Adds the text of one field; `salt` distinguishes equal words of different fields.
    mutating func add(_ bytes: Span<UInt8>, _ range: Range<Int>, salt: UInt64) {
        let range = range.prefix(Self.bytesMax)
        split(bytes, range)
        for word in words { singles.append(item(salt, word, isWord: true)) }
        for place in 0..<min(3, words.count) {
            singles.append(item(salt | UInt64(2 + place), words[place]))
            singles.append(item(salt | UInt64(5 + place), words[words.count - 1 - place]))
        }
        for index in words.indices.dropFirst() {
            let pair = words[index - 1] &* 0x9E37_79B9_7F4A_7C15 &+ words[index]
            singles.append(item(salt | 1, pair))
            // A phrase of usual words is rare only as a whole; each pair of its words may occur in honest rows too.
            guard index + 1 < words.count else { break }
            singles.append(item(salt | 8, pair &* 0x9E37_79B9_7F4A_7C15 &+ words[index + 1]))
        }
        if words.count >= Self.wordsMin {
            for first in 0...(words.count - Self.shingle) {
                var hash = salt
                for index in first..<first + Self.shingle { hash = (hash ^ words[index]) &* 0xA076_1D64_78BD_642F }
                mark(hash)
            }
        } else if parts >= Self.partsMin || wide >= Self.wideMin {
            markBytes(bytes, range, salt)
        }
    }

    /// Splits into words and appends their hashes to `words`. Hidden characters are items of their own.
    private mutating func split(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        words.removeAll(keepingCapacity: true)
        (parts, wide) = (0, 0)
        var (hash, kind): (UInt64, UInt8) = (0, 0)
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            let now = Self.kinds[Int(byte)]
            if now != kind, kind != 0 {
                words.append(SplitMix64.mix(hash))
                hash = 0
            }
            if kind == 0, now != 0 { parts += 1 }
            kind = now
            if byte >= 0x80 { wide += 1 }
            if byte >= 0xC2, let length = Self.hidden(bytes, at, range.upperBound) {
                var scalar: UInt64 = 0
                for offset in 0..<length { scalar = scalar << 8 | UInt64(bytes[at + offset]) }
                singles.append(item(0xFF, scalar, isWord: true))
                at += length
                continue
            }
            if now != 0 {
                let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
                hash = (hash ^ UInt64(lower)) &* 0x0000_0100_0000_01B3 &+ 0x9E37_79B9
            }
            at += 1
        }
        if kind != 0, hash != 0 { words.append(SplitMix64.mix(hash)) }
    }

    /// 0 for spaces and control characters, 1 for letters, digits and non-ASCII bytes, 2 for others.
    private static let kinds: [UInt8] = (0..<256).map { byte in
        if byte <= 0x20 || byte == 0x7F { return 0 }
        let isWord = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte >= 0x80
        return isWord ? 1 : 2
    }

    /// The length of an invisible character: soft hyphen, zero-width characters, direction marks, tags.
    private static func hidden(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> Int? {
        let first = bytes[at]
        if first == 0xC2 { return at + 1 < end && bytes[at + 1] == 0xAD ? 2 : nil }
        if first == 0xE2, at + 2 < end {
            let (second, third) = (bytes[at + 1], bytes[at + 2])
            if second == 0x80, (0x8B...0x8F).contains(third) || (0xAA...0xAE).contains(third) { return 3 }
            if second == 0x81, (0xA0...0xAF).contains(third) { return 3 }
        }
        if first == 0xEF, at + 2 < end, bytes[at + 1] == 0xBB, bytes[at + 2] == 0xBF { return 3 }
        if first == 0xF3, at + 3 < end, bytes[at + 1] == 0xA0, bytes[at + 2] & 0xFE == 0x80 { return 4 }
        return nil
    }

    /// Adds shingles of bytes, in lower case with single spaces.
    private mutating func markBytes(_ bytes: Span<UInt8>, _ range: Range<Int>, _ salt: UInt64) {
        var window: UInt64 = 0
        var (count, wasSpace) = (0, true)
        for at in range {
            let byte = bytes[at]
            let isSpace = byte <= 0x20
            if isSpace && wasSpace { continue }
            wasSpace = isSpace
            let plain = isSpace ? 0x20 : byte &- 0x41 < 26 ? byte | 0x20 : byte
            window = (window << 8 | UInt64(plain)) & 0xFF_FFFF_FFFF
            count += 1
            if count >= Self.shingle { mark(window ^ salt << 40) }
        }
        if count > 0, count < Self.shingle { mark(window ^ salt << 40) }
    }

    @inline(__always)
    private mutating func mark(_ shingle: UInt64) {
        let hash = SplitMix64.mix(shingle ^ seed)
        let slot = Int(hash >> 57)
        // The largest value means an empty slot.
        let value = min(UInt32(truncatingIfNeeded: hash), .max - 1)
        if value < slots[slot] { slots[slot] = value }
        isMarked = true
    }

    /// Returns the items, ascending, each once.
    ///
    /// - Parameter isWhole: whether all items are returned. Otherwise, of a long text, those with the smallest hashes.
    ///   The secret determines which, so a supplier cannot hide a word among others; and the choice is the same in
    ///   every row, so that rows of all batches can be compared. The price: in a text of n items, a word is kept with
    ///   probability 1,024 / n, in all such rows or in none, so a supplier who saw one trigger pass can use it again.
    ///   Texts of up to about 250 words are kept whole, and items that were found are searched in all of every text.
    mutating func takeItems(_ items: inout [UInt32], isWhole: Bool) {
        singles.sort()
        items.removeAll(keepingCapacity: true)
        for item in singles where items.last != item {
            if !isWhole, items.count == Self.itemsMax { break }
            items.append(item)
        }
    }

    /// Appends the signature, two slots in a code. An empty slot takes the value of the next filled one, changed by the
    /// distance (Shrivastava and Li 2014). All codes are 0 without text.
    mutating func appendSignature(to codes: inout [UInt64]) {
        guard isMarked else {
            codes.append(contentsOf: repeatElement(0, count: Self.signatureWords))
            return
        }
        // The value that the last slots take from the first ones.
        var slot = 0
        while slots[slot] == .max { slot &+= 1 }
        var value = slots[slot]
        var step = UInt32(truncatingIfNeeded: slot)
        slot = Self.slots
        while slot > 0 {
            slot &-= 1
            if slots[slot] == .max {
                step &+= 1
                slots[slot] = value &+ step &* 0x9E37_79B1
            } else {
                (value, step) = (slots[slot], 0)
            }
        }
        for word in 0..<Self.signatureWords {
            codes.append(UInt64(slots[2 &* word]) << 32 | UInt64(slots[2 &* word &+ 1]))
        }
    }
}
