// The standard library's normalisation forms are SPI.
@_spi(_Unicode) import Swift
package import Recognition

/// A value in its canonical spelling, which is equal for all spellings of one address or number.
///
/// An e-mail address becomes lower case without surrounding spaces. A telephone number becomes E.164 if its form or the
/// country gives its calling code. The number of an account, card or document becomes its letters and digits in upper
/// case. These values are folded first (`FoldedText`). Any other value is converted to Unicode normalisation form C
/// with single spaces, and keeps its case.
package func oneSpelling(_ bytes: Span<UInt8>, _ range: Range<Int>, of entity: Entity?, country: String?) -> [UInt8] {
    guard let entity, entity.hasForm else { return singleSpaced(composed(range.map { bytes[$0] })) }
    let text = FoldedText(bytes, range)?.bytes ?? range.map { bytes[$0] }
    switch entity {
    case .emailAddress, .ipAddress, .macAddress:
        return Array(String(decoding: singleSpaced(composed(text)), as: UTF8.self).lowercased().utf8)
    case .phoneNumber: return PhonePlan.normalised(text, country: country)
    case .crypto, .url, .dateTime, .dateOfBirth, .coordinates: return singleSpaced(composed(text))
    default:
        let plain = text.filter { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 >= 0x80 }
        return Array(String(decoding: plain, as: UTF8.self).uppercased().utf8)
    }
}

/// Text in normalisation form C (Unicode Standard Annex 15); bytes that are not UTF-8 are kept.
private func composed(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(where: { $0 >= 0x80 }), let string = String(validating: text, as: UTF8.self) else {
        return text
    }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: string._nfc)
    return Array(String(scalars).utf8)
}

/// Text without surrounding white space, with each run of white space inside replaced by one space.
private func singleSpaced(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for byte in text {
        if byte > 0x20 { out.append(byte) } else if let last = out.last, last != 0x20 { out.append(0x20) }
    }
    if out.last == 0x20 { out.removeLast() }
    return out
}
