/// The end of an IPv4 address at `at`, including a valid `/prefix`; nil for none, and for longer dotted numbers.
func matchIPv4(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    if view[bytes, at - 1] == UInt8(ascii: "."), isWord(view[bytes, at - 2]) { return nil }
    guard let end = dottedQuadEnd(bytes, at, &view), !followsVersionWord(bytes, at, &view) else { return nil }
    return prefixEnd(bytes, end, largest: 32, &view)
}

/// The score of a dotted number as an address, by its parts and surroundings.
///
/// Version and section numbers count up from 1, so four small numbers need a port, prefix, scheme or context word.
/// Loopback, all zeros and all ones belong to nobody.
func scoreIPv4(_ bytes: Span<UInt8>, _ range: Range<Int>, _ view: inout ScanWindow) -> Double {
    var parts: [Int] = [0]
    var end = range.lowerBound
    while end < range.upperBound, bytes[end] != UInt8(ascii: "/") {
        if bytes[end] == UInt8(ascii: ".") {
            parts.append(0)
        } else {
            parts[parts.count - 1] = parts[parts.count - 1] * 10 + Int(bytes[end] &- 0x30)
        }
        end += 1
    }
    if parts[0] == 127 || parts == [0, 0, 0, 0] || parts == [255, 255, 255, 255] { return 0.1 }
    // Every private network of 10/8 begins with these.
    let isPrivate = parts[0] == 10 && parts[1] == 0 && parts[2] == 0
    guard parts.allSatisfy({ $0 < smallMax }), !isPrivate else { return 0.7 }
    let before = view[bytes, range.lowerBound - 1]
    let hasPort = view[bytes, end] == UInt8(ascii: ":") && isDigit(view[bytes, end + 1])
    let hasScheme = before == UInt8(ascii: "/") && view[bytes, range.lowerBound - 2] == UInt8(ascii: "/")
    return hasPort || hasScheme || end < range.upperBound || before == UInt8(ascii: "@") ? 0.7 : 0.45
}

/// Largest usual part of version and section numbers.
private let smallMax = 30

/// The score of an IPv6 address. Array slices, C++ scopes and times also have double colons, so a shortened address
/// counts by itself only in an allocated range (IANA: 2000::/3, fc00::/7, fe80::/10, ff00::/8, 64:ff9b::/96,
/// ::ffff:0:0/96).
func scoreIPv6(_ bytes: Span<UInt8>, _ range: Range<Int>, _ view: inout ScanWindow) -> Double {
    let start = range.lowerBound
    let before = view[bytes, start - 1]
    if before == UInt8(ascii: "[") {
        let holder = view[bytes, start - 2]
        if isWord(holder) || holder == UInt8(ascii: "]") || holder == UInt8(ascii: ")") || holder == UInt8(ascii: "_") {
            return 0.1
        }
    }
    func word(_ at: Int) -> (value: Int, length: Int) {
        var (value, length) = (0, 0)
        while length < 4, isHex(view[bytes, at + length]) {
            let byte = view[bytes, at + length]
            value = value << 4 | Int(isDigit(byte) ? byte &- 0x30 : (byte | 0x20) &- 0x57)
            length += 1
        }
        return (value, length)
    }
    var (groups, isShort, hasWord) = (1, false, false)
    for at in range {
        if bytes[at] == UInt8(ascii: ":") {
            if view[bytes, at + 1] == UInt8(ascii: ":") { isShort = true } else { groups += 1 }
            let next = word(at + 1)
            if next.length == 4, (1...4).contains(where: { isHexLetter(view[bytes, at + $0]) }) { hasWord = true }
        } else if bytes[at] == UInt8(ascii: "/") || bytes[at] == UInt8(ascii: "%") {
            break
        }
    }
    let (first, length) = word(start)
    if length == 0 {
        let (second, count) = word(start + 2)
        return count == 4 && second == 0xFFFF ? 0.7 : 0.1
    }
    let isGiven =
        length == 4
        && (0x2000...0x3FFF ~= first || 0xFC00...0xFDFF ~= first || 0xFE80...0xFEBF ~= first || first >= 0xFF00)
    if isGiven || first == 0x64 && word(start + 3).value == 0xFF9B { return 0.7 }
    if hasWord { return 0.7 }
    return isShort ? (groups >= 5 ? 0.45 : 0.1) : range.count > 20 ? 0.7 : 0.3
}

/// The end of `d.d.d.d` with octets up to 255 and no adjacent word; nil for none.
private func dottedQuadEnd(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var position = at
    for part in 0..<4 {
        var octet = 0
        var length = 0
        while length < 4, isDigit(view[bytes, position + length]) {
            octet = octet * 10 + Int(view[bytes, position + length] &- 0x30)
            length += 1
        }
        guard length > 0, length < 4, octet < 256 else { return nil }
        position += length
        if part < 3 {
            guard view[bytes, position] == UInt8(ascii: ".") else { return nil }
            position += 1
        }
    }
    let next = view[bytes, position]
    if isWord(next) || next == UInt8(ascii: ".") && isDigit(view[bytes, position + 1]) { return nil }
    return position
}

/// Words after which `1.2.3.4` is a version or section.
private let countedWords: Set<[UInt8]> = Set(
    [
        "v", "ver", "version", "firmware", "build", "release", "rev", "revision", "section", "sec", "chapter", "clause",
        "paragraph", "kernel", "sdk", "patch", "os", "android", "ios", "chrome", "firefox", "safari", "article", "wbs",
        "toc",
        "tariff",
    ]
    .map { Array($0.utf8) })

/// Enzyme classes and object identifiers, whose first part is one digit.
private let numberedThings: Set<[UInt8]> = Set(["ec", "enzyme", "oid"].map { Array($0.utf8) })

/// Whether a column's name implies version numbers, by its last word: `build_no` and `version2`, not `build_log`.
func isVersionName(_ column: String) -> Bool {
    let words = column.lowercased().split { !$0.isLetter && !$0.isNumber }
    if words.contains(where: { ["ip", "ipv4", "ipv6", "host", "addr", "address"].contains($0) }) { return false }
    let plain = ["no", "nr", "num", "number", "id", "code", "str", "string", "name", "tag"]
    let last = words.last { word in !plain.contains { $0 == word } && !word.allSatisfy(\.isNumber) }
    guard let last else { return false }
    let name = last.prefix { !$0.isNumber }
    return numberedThings.contains(Array(last.utf8))
        || last.dropFirst(name.count).allSatisfy(\.isNumber) && countedWords.contains(Array(name.utf8))
}

/// Whether a value is one word that begins with the dotted number at `start`: a version, in a column of versions.
func isVersion(_ bytes: Span<UInt8>, _ whole: Range<Int>, _ start: Int) -> Bool {
    start == whole.lowerBound && whole.allSatisfy { bytes[$0] > 0x20 }
}

/// Whether the preceding word implies that a dotted number is no address.
private func followsVersionWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    // The word may also be the name of a member, or be followed by a sign.
    var end = at
    while at - end < 4, [0x20, 0x22, 0x27, 0x2D, 0x2F, 0x3A, 0x3D, 0x5F].contains(view[bytes, end - 1]) { end -= 1 }
    if end == at { return false }
    var word: [UInt8] = []
    while word.count <= 9, isLetter(view[bytes, end - 1 - word.count]) {
        word.append(view[bytes, end - 1 - word.count] | 0x20)
    }
    let name = Array(word.reversed())
    return countedWords.contains(name) || view[bytes, at + 1] == UInt8(ascii: ".") && numberedThings.contains(name)
}

/// The end including `/digits` up to `largest`, if they end as a word; otherwise `end`.
private func prefixEnd(_ bytes: Span<UInt8>, _ end: Int, largest: Int, _ view: inout ScanWindow) -> Int {
    guard view[bytes, end] == UInt8(ascii: "/") else { return end }
    let length = view.digitRun(bytes, end + 1, limit: 4)
    guard length > 0, length < 4 else { return end }
    var value = 0
    for offset in 1...length { value = value * 10 + Int(view[bytes, end + offset] &- 0x30) }
    return value <= largest && !isWord(view[bytes, end + 1 + length]) ? end + 1 + length : end
}

/// The end of an IPv6 address at `start` (RFC 4291, section 2.2): eight groups, or fewer around one `::`, the last two
/// optionally as IPv4; then a zone and a prefix length. nil for none.
///
/// Times, MAC addresses and C++ names look alike, so it needs eight groups or `::`, and at least one digit; eight pairs
/// are an EUI-64.
func matchIPv6(_ bytes: Span<UInt8>, _ start: Int, _ view: inout ScanWindow) -> Int? {
    let colon = UInt8(ascii: ":")
    let before = view[bytes, start - 1]
    if isWord(before) || before == colon { return nil }
    var at = start
    var groups = 0
    var pairs = 0
    var isCompressed = false
    var hasDigit = false
    if view[bytes, at] == colon {
        guard view[bytes, at + 1] == colon, view[bytes, at + 2] != colon else { return nil }
        isCompressed = true
        at += 2
    }
    while groups < 8 {
        var length = 0
        while length < 5, isHex(view[bytes, at + length]) {
            hasDigit = hasDigit || isDigit(view[bytes, at + length])
            length += 1
        }
        if length == 0 { break }
        if view[bytes, at + length] == UInt8(ascii: "."), isDigit(view[bytes, at + length + 1]) {
            guard groups <= 6, let end = dottedQuadEnd(bytes, at, &view) else { return nil }
            groups += 2
            at = end
            break
        }
        guard length < 5 else { return nil }
        groups += 1
        if length == 2 { pairs += 1 }
        at += length
        guard view[bytes, at] == colon else { break }
        if view[bytes, at + 1] == colon {
            if isCompressed || view[bytes, at + 2] == colon { return nil }
            isCompressed = true
            at += 2
        } else if isHex(view[bytes, at + 1]) {
            if groups == 8 { return nil }
            at += 1
        } else {
            break
        }
    }
    guard hasDigit, isCompressed ? groups > 0 && groups < 8 : groups == 8 && pairs < 8 else { return nil }
    guard !isWord(view[bytes, at]) else { return nil }
    return prefixEnd(bytes, zoneEnd(bytes, at, &view), largest: 128, &view)
}

/// The end of the unspecified address `::`, including its prefix length.
func matchUnspecified(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    let before = view[bytes, at - 1]
    let next = view[bytes, at + 2]
    guard view[bytes, at + 1] == UInt8(ascii: ":"), !isWord(before), before != UInt8(ascii: ":"), !isWord(next),
        next != UInt8(ascii: ":")
    else { return nil }
    return prefixEnd(bytes, at + 2, largest: 128, &view)
}

/// The end including a zone such as `%eth0` of at most 16 bytes.
private func zoneEnd(_ bytes: Span<UInt8>, _ end: Int, _ view: inout ScanWindow) -> Int {
    guard view[bytes, end] == UInt8(ascii: "%") else { return end }
    var at = end + 1
    while at - end <= 16, isWord(view[bytes, at]) { at += 1 }
    return at > end + 1 && at - end <= 16 ? at : end
}

/// The start of the hexadecimal word that contains or ends before `at`, across letters only; nil when it exceeds the
/// length of a group.
func hexWordStart(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var start = at
    while isHexLetter(view[bytes, start - 1]) {
        start -= 1
        if at - start > 4 { return nil }
    }
    return start
}
