// The standard library's normalisation is SPI only.
@_spi(_Unicode) import Swift

/// The words that make a form more likely to be an entity, matched as whole words without case.
///
/// One table serves all entities, so the surroundings of a candidate are looked up once.
struct ContextWords: Sendable {
    private var keys: [UInt64]
    private var values: [EntitySet]
    /// By first byte a bit for each length of its words; most look-ups end here.
    private var lengths: [UInt32]

    /// The context words of every recogniser.
    static let all = ContextWords(Recogniser.all, \.context)
    /// The words that, as a column's name, state its content.
    static let names = ContextWords(Recogniser.all, \.names)

    private init(_ recognisers: [Recogniser], _ list: (Recogniser) -> [String]) {
        var words: [UInt64: EntitySet] = [:]
        var lengths = [UInt32](repeating: 0, count: 256)
        func addForm(_ form: some Collection<UInt8>, _ meaning: EntitySet) {
            guard let first = form.first else { return }
            var hash = Self.seed
            for byte in form { hash = Self.step(hash, byte) }
            words[hash, default: EntitySet()].formUnion(meaning)
            lengths[Int(Self.folded(first))] |= 1 << UInt32(min(form.count, 31))
        }
        func add(_ word: String, _ meaning: EntitySet) {
            // The hash ignores the case of ASCII letters, so that most words have one form. This table is made at each start.
            if word.utf8.allSatisfy({ $0 < 0x80 }) { return addForm(word.utf8, meaning) }
            // Non-ASCII letters in both cases and decomposed (normalisation form D).
            for form in Set([word, word.uppercased(), word.lowercased()].flatMap { [Array($0.utf8), marksApart($0)] }) {
                addForm(form, meaning)
            }
        }
        for recogniser in recognisers {
            for word in list(recogniser) { add(word, EntitySet([recogniser.entity])) }
        }
        for word in Self.fillers { add(word, .filler) }
        for word in Self.things { add(word, .thing) }
        self.lengths = lengths
        let capacity = 4096
        keys = [UInt64](repeating: 0, count: capacity)
        values = [EntitySet](repeating: EntitySet(), count: capacity)
        for (key, value) in words {
            var slot = Int(truncatingIfNeeded: key) & (capacity - 1)
            while keys[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            keys[slot] = key
            values[slot] = value
        }
    }

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325
    /// FNV-1a over bytes without case.
    @inline(__always)
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(folded(byte))) &* 0x100_0000_01B3
    }
    @inline(__always)
    private static func folded(_ byte: UInt8) -> UInt8 { isCapital(byte) ? byte | 0x20 : byte }

    /// The entities that a word implies.
    @inline(__always)
    private func entities(_ bytes: Span<UInt8>, _ range: Range<Int>) -> EntitySet {
        let first = Self.folded(bytes[range.lowerBound])
        if (lengths[Int(first)] &>> UInt32(min(range.count, 31))) & 1 == 0 { return EntitySet() }
        var hash = Self.seed
        for at in range { hash = Self.step(hash, bytes[at]) }
        var slot = Int(truncatingIfNeeded: hash) & (keys.count &- 1)
        while keys[slot] != 0 {
            if keys[slot] == hash { return values[slot] }
            slot = (slot &+ 1) & (keys.count &- 1)
        }
        return EntitySet()
    }

    /// Words between a number and its name.
    private static let fillers = """
        is are was at on to no nr num number numbers numero número numéro nº n nummer me us my your our his her the a an of and or under
        unter über via by with new old please i you also s ist und oder e o y et ou est es der die das le la el il
        """.split { $0 == " " || $0 == "\n" }.map(String.init)
    /// Things that have numbers of their own.
    private static let things = """
        order orders orderid invoice invoices ticket tickets case cases ref refs reference tracking trackingnumber parcel parcels shipment
        consignment waybill awb sku skus ean ean8 ean13 gtin gtin8 gtin12 gtin13 gtin14 upc isbn isbn10 isbn13 issn barcode barcodes serial
        serials imei iccid part product products article item items batch lot model version build receipt transaction txn booking
        reservation quote voucher coupon catalog asset bestellung bestellnummer bestellnr rechnung rechnungsnummer rechnungsnr auftrag
        auftragsnummer artikel artikelnummer artikelnr sendung sendungsnummer commande facture pedido factura ordine fattura
        zamówienie faktura bestelling factuur
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    /// Whether a column's name means things with numbers, by its last meaningful word: `customer_order_id`, not
    /// `order_note`.
    func namesThings(_ column: String) -> Bool {
        let last = Self.tokens(of: column).last { token in
            !Self.plainEnds.contains(token.map(Self.folded)) && !token.allSatisfy(isDigit)
        }
        return last.map { entities($0.span, 0..<$0.count).isThing } ?? false
    }

    /// Words on either side that count as near, as in Presidio's LemmaContextAwareEnhancer (`context_prefix_count` is
    /// 5).
    private static let nearness = 5
    /// Numbers on either side that do not count as words.
    private static let numbersMax = 2
    /// Bytes examined on either side, which bounds the cost of a long word.
    private static let reach = 80

    /// Meaningless endings of column names, and last words for a place or use.
    private static let plainEnds = bytes("no nr num number code id value text str")
    private static let plainPlaces = bytes(
        "home work private business main primary secondary other personal office local raw e164")

    private static func bytes(_ words: String) -> Set<[UInt8]> {
        Set(words.split(separator: " ").map { Array($0.utf8) })
    }

    /// The entities that a column's name states, as a whole or by its last words: `zip_code`, not `zip_population`.
    /// Meaningless endings may be separate or not: `phone_1`, `passportnumber`, `phone_home`.
    func called(_ column: String) -> EntitySet {
        var tokens = Self.tokens(of: column)
        var found = EntitySet()
        func add(_ count: Int) {
            let word = Array(tokens.suffix(count).joined())
            if tokens.count >= count, !word.isEmpty { found.formUnion(entities(word.span, 0..<word.count)) }
        }
        for _ in 0..<3 {
            for count in 1...3 { add(count) }
            guard let last = tokens.last?.map(Self.folded) else { break }
            let isMany = last.count > 3 && last.last == UInt8(ascii: "s")
            let single = isMany ? last.dropLast() : last[...]
            let end = Self.plainEnds.map { single.suffix($0.count).elementsEqual($0) ? $0.count : 0 }.max() ?? 0
            // A plural may be a count, except of numbers.
            let length =
                Self.plainPlaces.contains(last)
                ? last.count
                : end > 0 ? end + (isMany ? 1 : 0) : last.reversed().prefix(while: isDigit).count
            if length == 0 { break }
            tokens[tokens.count - 1].removeLast(length)
            if length == last.count { tokens.removeLast() }
        }
        return found.entities
    }

    /// Further member names without meaning.
    private static let plainNames = plainEnds.union(plainPlaces).union(
        bytes("current data meta v val k key default first last latest"))

    /// Whether a member's name has no meaning by itself.
    static func isPlain(_ name: String) -> Bool {
        tokens(of: name).allSatisfy { plainNames.contains($0.map(folded)) || $0.allSatisfy(isDigit) }
    }

    /// The words of a column's name, in lower case.
    static func words(of column: String) -> [String] {
        tokens(of: column).map { String(decoding: $0, as: UTF8.self).lowercased() }
    }

    /// The words of a column's name.
    private static func tokens(of column: String) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        var token: [UInt8] = []
        var wasSmall = false
        for byte in column.utf8 {
            if !isWord(byte) || isCapital(byte) && wasSmall {
                if !token.isEmpty { tokens.append(token) }
                token.removeAll()
            }
            if isWord(byte) { token.append(byte) }
            wasSmall = isWord(byte) && !isCapital(byte)
        }
        return token.isEmpty ? tokens : tokens + [token]
    }

    /// The entities that a column's name mentions: `phone_number`, `phoneNumber` and `PHONE` alike.
    func named(in column: String) -> EntitySet {
        var found = EntitySet()
        for token in Self.tokens(of: column) { found.formUnion(entities(token.span, 0..<token.count)) }
        let whole = Array(column.utf8.filter { isWord($0) })
        if !whole.isEmpty { found.formUnion(entities(whole.span, 0..<whole.count)) }
        return found.entities
    }

    /// Whether a byte is part of a word, also in scripts without spaces, whose words lie between punctuation.
    @inline(__always)
    private static func isPart(_ bytes: Span<UInt8>, _ at: Int, _ view: ScanWindow) -> Bool {
        let byte = bytes[at]
        if byte < 0x80 { return isWord(byte) }
        if isForeignLetter(bytes, at, low: view.low, high: view.high) { return true }
        var lead = at
        while lead > view.low, at - lead < 3, bytes[lead] & 0xC0 == 0x80 { lead -= 1 }
        // U+3000 to U+303F are punctuation of Chinese, Japanese and Korean.
        return 0xE3...0xED ~= bytes[lead] && !(bytes[lead] == 0xE3 && lead + 1 < view.high && bytes[lead + 1] == 0x80)
    }

    /// The words adjacent to a number.
    struct Beside {
        /// Entities that the two words before it imply, without fillers and numbers.
        var before = EntitySet()
        /// Entities that the word after it implies.
        var after = EntitySet()
        /// Whether the first word before it is a thing with numbers.
        var areOfThings = false
    }

    /// The words adjacent to `range`.
    func beside(_ range: Range<Int>, _ bytes: Span<UInt8>, _ view: inout ScanWindow) -> Beside {
        var found = Beside()
        var at = range.lowerBound
        let low = max(view.low, at - Self.reach)
        var (tokens, words) = (0, 0)
        while at > low, tokens < 8, words < 2 {
            // A quote ends the value: beyond it is another value or a member's name.
            while at > low, !Self.isPart(bytes, at - 1, view), bytes[at - 1] != 0x22 { at -= 1 }
            let end = at
            while at > low, Self.isPart(bytes, at - 1, view) { at -= 1 }
            if at == end || at == low && low > view.low { break }
            tokens += 1
            if isDigit(bytes[at]) { continue }
            let meaning = entities(bytes, at..<end)
            if meaning.isThing {
                if words == 0 { found.areOfThings = true }
                break
            }
            if meaning.isFiller { continue }
            words += 1
            found.before.formUnion(meaning)
        }
        view.count(range.lowerBound - at)
        at = range.upperBound
        let high = min(view.high, at + Self.reach)
        while at < high, !Self.isPart(bytes, at, view), bytes[at] != 0x22 { at += 1 }
        let start = at
        while at < high, Self.isPart(bytes, at, view) { at += 1 }
        if start < at, at < high || high == view.high { found.after = entities(bytes, start..<at) }
        view.count(at - range.upperBound)
        return found
    }

    /// The entities that the five words before and after `range` imply.
    func near(_ range: Range<Int>, _ bytes: Span<UInt8>, _ view: inout ScanWindow) -> EntitySet {
        var found = EntitySet()
        var at = range.lowerBound
        let low = max(view.low, at - Self.reach)
        var (tokens, numbers) = (0, 0)
        while at > low, tokens < Self.nearness {
            while at > low, !Self.isPart(bytes, at - 1, view) { at -= 1 }
            let end = at
            while at > low, Self.isPart(bytes, at - 1, view) { at -= 1 }
            // A word cut off by the limit is not looked up.
            if at < end, at > low || low == view.low { found.formUnion(entities(bytes, at..<end)) }
            // The first few numbers do not count as words.
            if at < end, isDigit(bytes[at]), numbers < Self.numbersMax { numbers += 1 } else { tokens += 1 }
        }
        view.count(range.lowerBound - at)
        at = range.upperBound
        let high = min(view.high, at + Self.reach)
        (tokens, numbers) = (0, 0)
        while at < high, tokens < Self.nearness {
            while at < high, !Self.isPart(bytes, at, view) { at += 1 }
            let start = at
            while at < high, Self.isPart(bytes, at, view) { at += 1 }
            if start < at, at < high || high == view.high { found.formUnion(entities(bytes, start..<at)) }
            if start < at, isDigit(bytes[start]), numbers < Self.numbersMax { numbers += 1 } else { tokens += 1 }
        }
        view.count(at - range.upperBound)
        return found
    }
}

/// A word in normalisation form D.
private func marksApart(_ word: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in word._nfd { bytes += Array(String(Character(scalar)).utf8) }
    return bytes
}
