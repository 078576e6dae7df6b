/// Words that make a bare run of digits what it looks like, compared without case as whole words.
///
/// Each word is packed into one integer, so that looking needs no memory.
struct ContextWords: Sendable {
    private let packed: [UInt128]

    init(_ words: [String]) {
        packed = words.map { word in word.utf8.reduce(0) { $0 << 8 | UInt128($1 | 0x20) } }
    }

    /// Words near a telephone number.
    static let phone = ContextWords([
        "phone", "phones", "telephone", "tel", "mobile", "mob", "cell", "cellphone", "cellular", "fax", "call", "calls",
        "called", "dial", "ring", "sms", "whatsapp", "landline", "hotline", "voicemail",
    ])
    /// Words near a social security number.
    static let socialSecurity = ContextWords(["ssn", "ssns", "social", "security", "ss", "itin", "taxpayer"])

    /// Tokens on either side that count as near (FEATURES 7.9).
    private static let nearness = 5
    /// Bytes on either side that are looked at, so that a wall of letters costs no more than a sentence.
    private static let reach = 80

    /// Whether one of the words is among the tokens of a column's name.
    func isNamed(in column: String) -> Bool {
        var token: UInt128 = 0
        var wasSmall = false
        for byte in column.utf8 {
            // `phone_number` and `phoneNumber` alike.
            if !isLetter(byte) || isCapital(byte) && wasSmall {
                if packed.contains(token) { return true }
                token = 0
            }
            if isLetter(byte) { token = token << 8 | UInt128(byte | 0x20) }
            wasSmall = isLetter(byte) && !isCapital(byte)
        }
        return packed.contains(token)
    }

    /// Whether one of the words stands within five tokens of `range`, before or after.
    func stand(near range: Range<Int>, _ bytes: Span<UInt8>, _ view: inout ScanWindow) -> Bool {
        look(bytes, from: range.lowerBound - 1, step: -1, &view) || look(bytes, from: range.upperBound, step: 1, &view)
    }

    private func look(_ bytes: Span<UInt8>, from start: Int, step: Int, _ view: inout ScanWindow) -> Bool {
        var tokens = 0
        var token: UInt128 = 0
        var length = 0
        for distance in 0...Self.reach {
            let byte = view[bytes, start + distance * step]
            if isWord(byte), distance < Self.reach {
                // Backwards, the letters arrive last first.
                if length < 16 {
                    let letter = UInt128(isDigit(byte) ? 0 : byte | 0x20)
                    token = step > 0 ? token << 8 | letter : token | letter << UInt128(8 * length)
                }
                length += 1
                continue
            }
            if length > 0 {
                if length <= 16, distance < Self.reach, packed.contains(token) { return true }
                tokens += 1
                if tokens == Self.nearness { return false }
            }
            if byte == 0, start + distance * step < view.low || start + distance * step >= view.high { return false }
            token = 0
            length = 0
        }
        return false
    }
}
