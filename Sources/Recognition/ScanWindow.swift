/// The part of the bytes that a recogniser may look at. Beyond its edges there is a NUL, which ends every word.
///
/// It counts the looks, so that a test can show that work grows with the length of the text and no faster.
struct ScanWindow {
    let low: Int
    let high: Int
    private(set) var looks = 0

    init(_ range: Range<Int>) {
        low = range.lowerBound
        high = range.upperBound
    }

    /// The byte at `at`, or NUL outside the window.
    subscript(_ bytes: Span<UInt8>, _ at: Int) -> UInt8 {
        @inline(__always) mutating get {
            looks &+= 1
            guard at >= low, at < high else { return 0 }
            return bytes[at]
        }
    }

    /// Counts looks that were taken past the window's own reading.
    @inline(__always)
    mutating func count(_ more: Int) { looks &+= more }

    /// Whether a number that ends before `at` ends there as a word: no letter, digit or further part follows.
    mutating func endsNumber(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let next = self[bytes, at]
        if isWord(next) { return isUnspaced(next) }
        return !(next == UInt8(ascii: "-") || next == UInt8(ascii: ".")) || !isDigit(self[bytes, at + 1])
    }

    /// Whether a number may start at `at`: it is no part of a word, a decimal fraction or a longer dashed number.
    mutating func startsNumber(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let before = self[bytes, at - 1]
        if isWord(before) { return before >= 0x80 && isUnspaced(self[bytes, at - 3]) }
        return !(before == UInt8(ascii: "-") || before == UInt8(ascii: ".")) || !isDigit(self[bytes, at - 2])
    }

    /// Whether `count` digits lie from `at` on.
    mutating func hasDigits(_ bytes: Span<UInt8>, _ at: Int, _ count: Int) -> Bool {
        for offset in 0..<count where !isDigit(self[bytes, at + offset]) { return false }
        return true
    }

    /// How many digits lie from `at` on, at most `limit`.
    mutating func digitRun(_ bytes: Span<UInt8>, _ at: Int, limit: Int) -> Int {
        var count = 0
        while count < limit, isDigit(self[bytes, at + count]) { count += 1 }
        return count
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// A–Z and a–z.
@inline(__always)
func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

@inline(__always)
func isCapital(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }

/// Part of a word. Bytes from 0x80 on count as letters, so that no match begins or ends inside a foreign word, and
/// none can split a UTF-8 scalar.
@inline(__always)
func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte >= 0x80 }

@inline(__always)
func isHexLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 6 }

@inline(__always)
func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || isHexLetter(byte) }

/// What may stand between the parts of a telephone number.
@inline(__always)
func isPhoneSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
}

/// The first byte of a scalar of Chinese, Japanese or Korean writing, which sets numbers right beside words.
@inline(__always)
func isUnspaced(_ byte: UInt8) -> Bool { byte >= 0xE3 && byte <= 0xED }

/// Whether nothing before `at` belongs to the same word.
func startsWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    let before = view[bytes, at - 1]
    return !isWord(before) || before >= 0x80 && isUnspaced(view[bytes, at - 3])
}

/// Whether nothing from `at` on belongs to the word before.
func endsWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    let next = view[bytes, at]
    return !isWord(next) || isUnspaced(next)
}
