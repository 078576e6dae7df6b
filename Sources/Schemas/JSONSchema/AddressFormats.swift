/// Mailboxes and IP addresses.
extension TextReader {
    /// A mailbox (RFC 5321, section 4.1.2), or an internationalised one (RFC 6531).
    mutating func mailbox(ascii: Bool) -> Bool {
        if skip("\"") {
            while let byte = next, byte != 0x22 {
                if byte == 0x5C { at += 1 }
                guard at < end, bytes[at] >= 0x20, !ascii || bytes[at] < 0x7F else { return false }
                at += 1
            }
            guard skip("\"") else { return false }
        } else {
            var hasAtom = false
            while let byte = next, byte != 0x40 {
                if byte == 0x2E {
                    guard hasAtom else { return false }
                    hasAtom = false
                } else {
                    guard
                        isLetter(byte) || isDigit(byte) || (byte >= 0x80 && !ascii)
                            || Array("!#$%&'*+-/=?^_`{|}~".utf8).contains(byte)
                    else { return false }
                    hasAtom = true
                }
                at += 1
            }
            guard hasAtom else { return false }
        }
        guard skip("@") else { return false }
        guard skip("[") else { return hostname(ascii: ascii) }
        guard end > at, bytes[end - 1] == 0x5D else { return false }
        var inner = TextReader(bytes[at..<end - 1])
        if inner.word("IPv6:") { return inner.ipv6() && inner.isAtEnd }
        return inner.ipv4() && inner.isAtEnd
    }

    /// An IPv4 address in dotted decimal (RFC 2673, section 3.2), without leading zeros.
    mutating func ipv4() -> Bool {
        for part in 0..<4 {
            if part > 0, !skip(".") { return false }
            let first = at
            while let byte = next, isDigit(byte), at - first < 4 { at += 1 }
            let count = at - first
            guard count >= 1, count <= 3, count == 1 || bytes[first] != 0x30 else { return false }
            var value = 0
            for place in first..<at { value = value * 10 + Int(bytes[place] - 0x30) }
            if value > 255 { return false }
        }
        return true
    }

    /// An IPv6 address (RFC 4291, section 2.2): groups, at most one gap, optionally IPv4 at the end.
    mutating func ipv6() -> Bool {
        var groups = 0
        var hasGap = false
        if word("::") {
            hasGap = true
            if isAtEnd { return true }
        }
        while true {
            let first = at
            while let byte = next, isHex(byte) { at += 1 }
            if next == 0x2E {
                at = first
                return ipv4() && (hasGap ? groups <= 5 : groups == 6)
            }
            guard at > first, at - first <= 4 else { return false }
            groups += 1
            if isAtEnd || next != 0x3A { break }
            if word("::") {
                if hasGap { return false }
                hasGap = true
                if isAtEnd { break }
                continue
            }
            at += 1
        }
        return hasGap ? groups <= 7 : groups == 8
    }
}
