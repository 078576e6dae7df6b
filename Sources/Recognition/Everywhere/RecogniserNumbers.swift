/// The end of a payment card number at `at`, and whether prefix and length are those of an issuer; nil for none.
///
/// It has 12 to 19 digits with Luhn's check digit: in one run, in groups of four, or as 4-6-5 and 4-6-4, with single
/// spaces or dashes.
///
/// - Parameters:
///   - bytes: the buffer.
///   - at: the first digit.
///   - run: length of the first run of digits.
///   - view: the bytes that may be examined.
func matchCard(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> (end: Int, isIssued: Bool)? {
    if run >= 12 {
        guard run <= 19, view.endsNumber(bytes, at + run) else { return nil }
        let number = view.number(bytes, at, digits: run)
        return passesLuhn(number) ? (at + run, isIssued(number, run)) : nil
    }
    let separator = view[bytes, at + 4]
    guard run == 4, separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { return nil }
    var number = view.number(bytes, at, digits: 4)
    var count = 4
    var end = at + 4
    var isSixGrouped = false
    var best: (end: Int, isIssued: Bool)?
    while view[bytes, end] == separator {
        let length = view.digitRun(bytes, end + 1, limit: 7)
        if count == 4, length == 6 {
            isSixGrouped = true
        } else {
            guard length > 0, isSixGrouped ? length == 4 || length == 5 : length <= 4 else { break }
        }
        count += length
        guard count <= 19 else { break }
        for offset in 1...length { number = number * 10 + UInt64(view[bytes, end + offset] &- 0x30) }
        end += 1 + length
        if count >= 12, passesLuhn(number), view.endsNumber(bytes, end) {
            let isIssued = isIssued(number, count)
            if isIssued || !(best?.isIssued ?? false) { best = (end, isIssued) }
        }
        if isSixGrouped ? count > 10 : length < 4 { break }
    }
    return best
}

/// Whether a number of 13 or 14 digits also has the check digit of a GTIN: weights 3 and 1 from the right (GS1 General
/// Specifications, section 7.9).
func isArticleNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count == 13 || range.count == 14 else { return false }
    var (sum, weight) = (0, 1)
    for at in range.reversed() {
        guard isDigit(bytes[at]) else { return false }
        sum += Int(bytes[at] &- 0x30) * weight
        weight = 4 - weight
    }
    return sum % 10 == 0
}

/// Whether a number of `count` digits has an issuer's prefix and length. 19 digits fit 64 bits.
private func isIssued(_ number: UInt64, _ count: Int) -> Bool {
    var six = number
    for _ in 0..<(count - 6) { six /= 10 }
    return isIssuer(Int(six), count)
}

/// Luhn's sum (ISO/IEC 7812-1): every second digit from the right is doubled, and the digits sum to a multiple of ten.
func passesLuhn(_ number: UInt64) -> Bool {
    var rest = number
    var sum: UInt64 = 0
    var doubles = false
    while rest > 0 {
        let digit = rest % 10
        sum += doubles ? digit * 2 - (digit > 4 ? 9 : 0) : digit
        doubles.toggle()
        rest /= 10
    }
    return sum % 10 == 0
}

/// Whether cards with the six-digit prefix have `count` digits.
private func isIssuer(_ prefix: Int, _ count: Int) -> Bool {
    switch prefix {
    case 400_000...499_999: count == 13 || count == 16 || count == 19  // Visa
    case 510_000...559_999, 222_100...272_099: count == 16  // Mastercard
    case 340_000...349_999, 370_000...379_999: count == 15  // American Express
    case 300_000...305_999, 309_500...309_599, 360_000...369_999, 380_000...399_999:
        count == 14 || count == 16 || count == 19  // Diners Club
    case 601_100...601_199, 644_000...659_999: count == 16 || count == 19  // Discover
    case 352_800...358_999: count >= 16  // JCB
    case 620_000...629_999: count >= 16  // UnionPay
    case 220_000...220_499: count >= 16  // Mir
    case 600_000...609_999, 508_000...508_999, 810_000...829_999: count == 16  // RuPay
    case 500_000...509_999, 560_000...589_999, 630_000...639_999, 670_000...679_999: count >= 13  // Maestro, Dankort
    case 100_000...199_999: count == 15  // UATP
    default: false
    }
}

/// Length of an IBAN by country (SWIFT IBAN registry).
private let lengthOfCountry: [UInt16: Int] = {
    let registry = """
        AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 \
        ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 \
        LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 \
        PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 \
        YE30
        """
    var lengths: [UInt16: Int] = [:]
    for entry in registry.utf8.split(separator: UInt8(ascii: " ")) {
        let code = Array(entry)
        lengths[UInt16(code[0]) << 8 | UInt16(code[1])] = Int(code[2] - 0x30) * 10 + Int(code[3] - 0x30)
    }
    return lengths
}()

/// The end of an IBAN whose country letters are at `at`, and its score; nil for none (ISO 13616-1).
///
/// It has the country's length and is 1 modulo 97, optionally in groups between single spaces or dashes. Upper case or
/// groups of four raise the score, since chance hardly explains them.
func matchIBAN(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> (end: Int, score: Double)? {
    let (first, second) = (view[bytes, at], view[bytes, at + 1])
    guard isLetter(first), isLetter(second), !isWord(view[bytes, at - 1]) else { return nil }
    let country = UInt16(first & 0xDF) << 8 | UInt16(second & 0xDF)
    guard let length = lengthOfCountry[country] else { return nil }
    var position = at + 2
    let isApart = isGap(view[bytes, position])
    if isApart { position += 1 }
    guard view.hasDigits(bytes, position, 2) else { return nil }
    let check = Int(view[bytes, position] &- 0x30) * 10 + Int(view[bytes, position + 1] &- 0x30)
    position += 2
    var remainder = 0
    var (capitals, smalls) = (isCapital(first) ? 1 : 0, isCapital(first) ? 0 : 1)
    if isCapital(second) { capitals += 1 } else { smalls += 1 }
    func feed(_ byte: UInt8) {
        remainder =
            isDigit(byte) ? (remainder * 10 + Int(byte) - 48) % 97 : (remainder * 100 + Int(byte & 0xDF) - 55) % 97
    }
    var isRegular = !isApart
    for count in 4..<length {
        var byte = view[bytes, position]
        if isGap(byte) {
            if count % 4 != 0 { isRegular = false }
            position += 1
            byte = view[bytes, position]
        }
        if isCapital(byte) { capitals += 1 } else if isLetter(byte) { smalls += 1 }
        guard byte < 0x80, isLetter(byte) || isDigit(byte) else { return nil }
        feed(byte)
        position += 1
    }
    guard !isWord(view[bytes, position]) else { return nil }
    feed(first)
    feed(second)
    remainder = (remainder * 100 + check) % 97
    guard remainder == 1 else { return nil }
    if smalls == 0 { return (position, isRegular ? 1 : 0.8) }
    if capitals > 0 { return nil }
    // In prose, "no 93" is most likely a number of something.
    return (position, isRegular ? 0.8 : 0.4)
}

private func isGap(_ byte: UInt8) -> Bool { byte == 0x20 || byte == UInt8(ascii: "-") }
