/// The e-mail address around the `@` at `at`; nil for none.
///
/// RFC 5321 allows 64 bytes before and 255 after the `@`, which bounds the search on both sides. It stops at another
/// `@`, so runs of them cost nothing.
func matchEmail(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard let start = localStart(bytes, at, &view), var end = domainEnd(bytes, at + 1, &view) else { return nil }
    if isRepository(bytes, start..<end, sign: at, &view) { return nil }
    // A file extension is no top-level domain, but the text before it may be one: ann@example.com.json.
    while isFileEnding(bytes, end, &view) {
        while view[bytes, end - 1] != UInt8(ascii: ".") { end -= 1 }
        end -= 1
        var last = end
        while last > at + 1, view[bytes, last - 1] != UInt8(ascii: ".") { last -= 1 }
        guard last > at + 1, end - last >= 2, (last..<end).allSatisfy({ isLetter(view[bytes, $0]) }) else { return nil }
    }
    return start..<end
}

/// Whether it is a repository and not a mailbox: git@host:path, ssh://git@host/path (git-clone, "GIT URLS").
private func isRepository(
    _ bytes: Span<UInt8>, _ range: Range<Int>, sign at: Int, _ view: inout ScanWindow
) -> Bool {
    let start = range.lowerBound
    guard at - start == 3, view[bytes, start] == UInt8(ascii: "g"), view[bytes, start + 1] == UInt8(ascii: "i"),
        view[bytes, start + 2] == UInt8(ascii: "t")
    else { return false }
    switch view[bytes, range.upperBound] {
    case UInt8(ascii: ":"):
        return view[bytes, range.upperBound + 1] > 0x20 && view[bytes, start - 1] != UInt8(ascii: ":")
    case UInt8(ascii: "/"): return view[bytes, start - 1] == UInt8(ascii: "/")
    default: return false
    }
}

/// Whether a domain that ends at `end` looks like a file name.
private func isFileEnding(_ bytes: Span<UInt8>, _ end: Int, _ view: inout ScanWindow) -> Bool {
    var ending: UInt64 = 0
    var last = end
    while end - last < 5, isLetter(view[bytes, last - 1]) {
        last -= 1
        ending |= UInt64(view[bytes, last] | 0x20) << UInt64(8 * (end - last - 1))
    }
    return view[bytes, last - 1] == UInt8(ascii: ".") && fileEndings.contains(ending)
}

/// File extensions that are no top-level domains, as little-endian letters.
private let fileEndings: Set<UInt64> = Set(
    """
    tgz gz tar bz png jpg jpeg svg gif webp json jsonl yaml yml toml txt csv tsv xml css html htm js jsx tsx pdf exe dll log tmp bak whl jar
    """.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | UInt64($1) } })

/// Whether a byte may be part of a local part: the common ones of RFC 5322's `atext`, and dots.
private func isLocal(_ byte: UInt8) -> Bool {
    if isWord(byte) { return true }
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "'"), UInt8(ascii: "&"):
        return true
    default: return false
    }
}

/// The beginning of the local part before the `@` at `at`; nil when it is empty or too long.
private func localStart(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var start = at
    // The beginning of the ASCII part. In a script without spaces, text may touch an address and exceed the length of a
    // local part; then only the ASCII part is the address.
    var plain = at
    while at - start <= 64 {
        let byte = view[bytes, start - 1]
        guard isLocal(byte) else { break }
        start -= 1
        if byte < 0x80, plain == start + 1 { plain = start }
    }
    if at - start > 64 {
        guard at - plain <= 64 else { return nil }
        start = plain
    }
    // Leading quotes and punctuation belong to the sentence.
    while start < at, !isWord(view[bytes, start]), view[bytes, start] != UInt8(ascii: "_") { start += 1 }
    return start < at ? start : nil
}

/// The end of the longest dotted name that ends in a top-level domain; nil for none.
private func domainEnd(_ bytes: Span<UInt8>, _ start: Int, _ view: inout ScanWindow) -> Int? {
    var labelStart = start
    var labels = 0
    var best: Int?
    while labelStart - start <= 255 {
        var at = labelStart
        var letters = 0
        // The end of the letters before its first hyphen: in ann@example.com-old the rest follows the address.
        var hyphen: Int?
        // The end of the letters before its first digit.
        var digit: Int?
        // The end of the label without trailing hyphens.
        var solid = labelStart
        while at - labelStart <= 63 {
            let byte = view[bytes, at]
            guard isWord(byte) || byte == UInt8(ascii: "-") && at > labelStart else { break }
            if byte == UInt8(ascii: "-"), hyphen == nil, letters == at - labelStart { hyphen = at }
            if isDigit(byte), letters == at - labelStart { digit = digit ?? at }
            at += 1
            if byte != UInt8(ascii: "-") { solid = at }
            if isLetter(byte) || byte >= 0x80 { letters += 1 }
        }
        guard at > labelStart, at - labelStart <= 63, at - start <= 255 else { break }
        labels += 1
        let isPunycode = at - labelStart > 4 && startsPunycode(bytes, labelStart, &view)
        let length = solid - labelStart
        if labels > 1, length >= 2, letters == length || isPunycode {
            best = solid
        } else if labels > 1, let hyphen, hyphen - labelStart >= 2 {
            best = hyphen
        } else if labels > 1, let digit, isUsual(bytes, labelStart..<digit, &view) {
            best = digit
        }
        guard solid == at, view[bytes, at] == UInt8(ascii: ".") else { break }
        labelStart = at + 1
    }
    return best
}

/// Whether letters are a top-level domain that is common in addresses; before digits, any other is probably part of a
/// host name.
private func isUsual(_ bytes: Span<UInt8>, _ label: Range<Int>, _ view: inout ScanWindow) -> Bool {
    if label.count > 4 { return false }
    return usualDomains.contains(label.reduce(0) { $0 << 8 | UInt64(view[bytes, $1] | 0x20) })
}

private let usualDomains: Set<UInt64> = Set(
    """
    com org net edu gov mil int info biz io ai app dev at au be br ca ch cn cz de dk es eu fi fr ie in it jp kr mx nl no nz pl pt ru se uk \
    us
    """.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | UInt64($1) } })

/// Whether a label begins with `xn--` (RFC 5890).
private func startsPunycode(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    view[bytes, at] | 0x20 == UInt8(ascii: "x") && view[bytes, at + 1] | 0x20 == UInt8(ascii: "n")
        && view[bytes, at + 2] == UInt8(ascii: "-") && view[bytes, at + 3] == UInt8(ascii: "-")
}
