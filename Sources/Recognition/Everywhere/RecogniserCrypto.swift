import Cryptography

/// The end of a coin address at `at`: Bitcoin's in base58 or bech32, verified by its checksum, or Ethereum's forty
/// hexadecimal digits. nil for none.
func matchCrypto(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    let first = view[bytes, at]
    switch first {
    case UInt8(ascii: "1"), UInt8(ascii: "3"), UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "0"): break
    default: return nil
    }
    guard startsWord(bytes, at, &view) else { return nil }
    // Most candidates are plain numbers and end here.
    for offset in 1..<26 where !isLetter(view[bytes, at + offset]) && !isDigit(view[bytes, at + offset]) { return nil }
    var end = at + 26
    while end - at <= 90, isLetter(view[bytes, end]) || isDigit(view[bytes, end]) { end += 1 }
    guard endsWord(bytes, end, &view) else { return nil }
    let length = end - at
    switch first {
    case UInt8(ascii: "0"):
        guard length == 42, view[bytes, at + 1] == UInt8(ascii: "x") else { return nil }
        for place in at + 2..<end where !isHex(view[bytes, place]) { return nil }
        return end
    case UInt8(ascii: "1"), UInt8(ascii: "3"): return length <= 35 && isBase58Check(bytes, at..<end) ? end : nil
    default:
        guard view[bytes, at + 1] | 0x20 == UInt8(ascii: "c"), view[bytes, at + 2] == UInt8(ascii: "1") else {
            return nil
        }
        return isBech32(bytes, at..<end) ? end : nil
    }
}

/// Base58Check: 25 bytes, of which the last four begin the double SHA-256 of the others.
private func isBase58Check(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var number = [UInt8](repeating: 0, count: 25)
    for at in range {
        guard let digit = base58.firstIndex(of: bytes[at]) else { return false }
        var carry = digit
        for place in number.indices.reversed() {
            carry += Int(number[place]) * 58
            number[place] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
        }
        if carry > 0 { return false }
    }
    let sum = SHA256.hash(SHA256.hash(Array(number[..<21])))
    return Array(sum.prefix(4)) == Array(number[21...])
}

private let base58 = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

/// Bech32 and bech32m (BIP 173, BIP 350): the checksum polynomial over `bc` and the data is 1 or bech32m's constant.
private func isBech32(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    var check: UInt32 = 1
    func step(_ value: UInt32) {
        let top = check >> 25
        check = (check & 0x1FF_FFFF) << 5 ^ value
        for (bit, generator) in [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3 as UInt32].enumerated()
        where top >> UInt32(bit) & 1 == 1 { check ^= generator }
    }
    for value in [3, 3, 0, 2, 3] as [UInt32] { step(value) }
    var isSmall = false
    var isBig = false
    for at in range.lowerBound + 3..<range.upperBound {
        let byte = bytes[at]
        if isCapital(byte) { isBig = true } else if isLetter(byte) { isSmall = true }
        guard let value = alphabet.firstIndex(of: isCapital(byte) ? byte | 0x20 : byte) else { return false }
        step(UInt32(value))
    }
    return !(isSmall && isBig) && (check == 1 || check == 0x2BC8_30A3)
}
