/// A set of texts for look-ups by byte range: a list when small, else a hash table with open addressing.
struct TextSet: Sendable {
    private let texts: [[UInt8]]
    /// Indices in `texts` plus one, by hash; empty when the set is small.
    private let slots: [Int32]

    init(_ texts: [String]) {
        self.texts = texts.map { Array($0.utf8) }
        guard texts.count > 8 else {
            slots = []
            return
        }
        var size = 16
        while size < 2 * texts.count { size *= 2 }
        var slots = [Int32](repeating: 0, count: size)
        for (index, text) in self.texts.enumerated() {
            var at = Int(truncatingIfNeeded: Self.hash(text.span, 0..<text.count)) & (size - 1)
            while slots[at] != 0 { at = (at + 1) & (size - 1) }
            slots[at] = Int32(index + 1)
        }
        self.slots = slots
    }

    /// FNV-1a, 64 bits, unkeyed: the words come from the contract, not from the data.
    private static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for at in range { hash = (hash ^ UInt64(bytes[at])) &* 0x100_0000_01B3 }
        return hash ^ hash >> 29
    }

    /// Whether the text in `range` is in the set.
    func contains(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        if slots.isEmpty {
            for text in texts where FieldCheck.equal(bytes, range, text) { return true }
            return false
        }
        var at = Int(truncatingIfNeeded: Self.hash(bytes, range)) & (slots.count - 1)
        while slots[at] != 0 {
            if FieldCheck.equal(bytes, range, texts[Int(slots[at]) - 1]) { return true }
            at = (at + 1) & (slots.count - 1)
        }
        return false
    }
}
