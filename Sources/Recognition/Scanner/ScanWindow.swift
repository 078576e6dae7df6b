/// The bytes that a recogniser may examine. Outside the window it reads NUL, which ends every word, and likewise for
/// non-ASCII bytes that belong to no letter.
///
/// It counts accesses, so that a test can show that the work is linear in the length of the text.
struct ScanWindow {
    let low: Int
    let high: Int
    private(set) var accesses = 0

    init(_ range: Range<Int>) {
        low = range.lowerBound
        high = range.upperBound
    }

    /// The window's range in the bytes.
    var range: Range<Int> { low..<high }

    /// The byte at `at`; NUL outside the window.
    subscript(_ bytes: Span<UInt8>, _ at: Int) -> UInt8 {
        @inline(__always) mutating get {
            accesses &+= 1
            guard at >= low, at < high else { return 0 }
            let byte = bytes[at]
            return byte < 0x80 || isForeignLetter(bytes, at, low: low, high: high) ? byte : 0
        }
    }

    /// Counts accesses to bytes that bypassed the window.
    @inline(__always)
    mutating func count(_ more: Int) { accesses &+= more }

    /// Whether a number that ends before `at` ends as a word: no letter, digit or further part follows.
    mutating func endsNumber(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let next = self[bytes, at]
        if isWord(next) { return false }
        return !(next == UInt8(ascii: "-") || next == UInt8(ascii: ".")) || !isDigit(self[bytes, at + 1])
    }

    /// Whether a number may begin at `at`: it is not part of a word, a decimal fraction or a longer dashed number.
    mutating func startsNumber(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let before = self[bytes, at - 1]
        if isWord(before) { return false }
        return !(before == UInt8(ascii: "-") || before == UInt8(ascii: ".")) || !isDigit(self[bytes, at - 2])
    }

    /// Whether `count` digits begin at `at`.
    mutating func hasDigits(_ bytes: Span<UInt8>, _ at: Int, _ count: Int) -> Bool {
        for offset in 0..<count where !isDigit(self[bytes, at + offset]) { return false }
        return true
    }

    /// Number of digits from `at` on, at most `limit`.
    mutating func digitRun(_ bytes: Span<UInt8>, _ at: Int, limit: Int) -> Int {
        var count = 0
        while count < limit, isDigit(self[bytes, at + count]) { count += 1 }
        return count
    }

    /// The number that `count` digits from `at` on form.
    mutating func number(_ bytes: Span<UInt8>, _ at: Int, digits count: Int) -> UInt64 {
        var number: UInt64 = 0
        for offset in 0..<count { number = number * 10 + UInt64(self[bytes, at + offset] &- 0x30) }
        return number
    }
}

/// A value without surrounding ASCII white space.
package func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, bytes[low] <= 0x20 { low += 1 }
    while low < high, bytes[high - 1] <= 0x20 { high -= 1 }
    return low..<high
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// A–Z and a–z.
@inline(__always)
func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

@inline(__always)
func isCapital(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }

/// Whether a byte is part of a word. Bytes from 0x80 on that `ScanWindow` shows count as letters, so that no match
/// begins or ends inside a word of another script or splits a UTF-8 sequence.
@inline(__always)
func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte >= 0x80 }

@inline(__always)
func isHexLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 6 }

@inline(__always)
func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || isHexLetter(byte) }

/// Whether a byte separates groups of a telephone number.
@inline(__always)
func isPhoneSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
}

/// Whether a non-ASCII byte belongs to a letter of a script that separates words by spaces; only such letters join
/// their neighbours to a word. Punctuation, spaces, symbols and emoji end words, as in ASCII. Chinese, Japanese, Korean
/// and Thai text may touch numbers and addresses.
@inline(never)
func isForeignLetter(_ bytes: Span<UInt8>, _ at: Int, low: Int, high: Int) -> Bool {
    var lead = at
    while lead > low, at - lead < 3, bytes[lead] & 0xC0 == 0x80 { lead -= 1 }
    let second = lead + 1 < high ? bytes[lead + 1] : 0
    switch bytes[lead] {
    case 0xC2: return second == 0xAA || second == 0xB5 || second == 0xBA
    case 0xC3: return second != 0x97 && second != 0xB7
    case 0xE0: return !(0xB8...0xBB ~= second)
    case 0xE2: return second >= 0xB0
    case 0xE3...0xEF: return false
    case 0xF0: return second < 0x9D
    case 0xF1...0xF7: return false
    default: return true
    }
}

/// Whether no word continues across the beginning at `at`.
func startsWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool { !isWord(view[bytes, at - 1]) }

/// Whether no word continues across the end at `at`.
func endsWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool { !isWord(view[bytes, at]) }
