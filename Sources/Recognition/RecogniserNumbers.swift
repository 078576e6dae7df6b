/// The end of a card number of 13 to 19 digits at `at`, whose first run of digits is `run` long: in one run, in groups
/// of four, or 4-6-5 and 4-6-4, between single spaces or dashes.
func matchCard(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> Int? {
    if run >= 13 {
        guard run <= 19, view.endsNumber(bytes, at + run) else { return nil }
        return isCard(digits(bytes, at, run, &view), run) ? at + run : nil
    }
    let separator = view[bytes, at + 4]
    guard run == 4, separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { return nil }
    var number = digits(bytes, at, 4, &view)
    var count = 4
    var end = at + 4
    var isSixGrouped = false
    var best: Int?
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
        if count >= 13, isCard(number, count), view.endsNumber(bytes, end) { best = end }
        if isSixGrouped ? count > 10 : length < 4 { break }
    }
    return best
}

private func digits(_ bytes: Span<UInt8>, _ at: Int, _ count: Int, _ view: inout ScanWindow) -> UInt64 {
    var number: UInt64 = 0
    for offset in 0..<count { number = number * 10 + UInt64(view[bytes, at + offset] &- 0x30) }
    return number
}

/// Whether a number of `count` digits has an issuer's prefix and length and Luhn's check digit. 19 digits fit 64 bits.
private func isCard(_ number: UInt64, _ count: Int) -> Bool {
    var six = number
    for _ in 0..<(count - 6) { six /= 10 }
    return isIssuer(Int(six), count) && passesLuhn(number)
}

/// Luhn's sum (ISO/IEC 7812): every second digit from the right doubled, digits summed, a multiple of ten.
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

/// Whether cards beginning with the six digits `prefix` have `count` digits.
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

/// Length of the whole number by country (SWIFT IBAN registry).
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

/// The end of an IBAN whose two country letters start at `at`: capitals and digits, perhaps in groups of four between
/// single spaces or dashes, of the country's length, one modulo 97.
func matchIBAN(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    let (first, second) = (view[bytes, at], view[bytes, at + 1])
    guard isCapital(first), isCapital(second), !isWord(view[bytes, at - 1]) else { return nil }
    guard let length = lengthOfCountry[UInt16(first) << 8 | UInt16(second)], view.hasDigits(bytes, at + 2, 2) else {
        return nil
    }
    var remainder = 0
    func feed(_ byte: UInt8) {
        let isCapital = isCapital(byte)
        remainder = (remainder * (isCapital ? 100 : 10) + Int(byte) - (isCapital ? 55 : 48)) % 97
    }
    var position = at + 4
    for count in 4..<length {
        var byte = view[bytes, position]
        if count % 4 == 0, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") {
            position += 1
            byte = view[bytes, position]
        }
        guard isCapital(byte) || isDigit(byte) else { return nil }
        feed(byte)
        position += 1
    }
    guard !isWord(view[bytes, position]) else { return nil }
    for offset in 0..<4 { feed(view[bytes, at + offset]) }
    return remainder == 1 ? position : nil
}
