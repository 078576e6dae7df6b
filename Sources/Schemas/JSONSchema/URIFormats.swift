/// URIs and IRIs (RFC 3986, RFC 3987), URI templates (RFC 6570) and JSON Pointers (RFC 6901).
extension TextReader {
    /// A URI or IRI, or a reference (RFC 3986, RFC 3987).
    ///
    /// - Parameters:
    ///   - needsScheme: whether a scheme is required; false for references.
    ///   - ascii: whether only ASCII is allowed; false for IRIs.
    mutating func uri(needsScheme: Bool, ascii: Bool) -> Bool {
        let first = at
        if let byte = next, isLetter(byte) {
            while let byte = next, isLetter(byte) || isDigit(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E {
                at += 1
            }
        }
        var hasScheme = false
        if at > first, skip(":") { hasScheme = true } else { at = first }
        if needsScheme, !hasScheme { return false }
        if word("//") {
            guard authority(ascii) else { return false }
            if let byte = next, byte != 0x2F, byte != 0x3F, byte != 0x23 { return false }
        } else if !hasScheme {
            // In a relative reference the first segment must not contain a colon (RFC 3986, section 4.2).
            var place = at
            while place < end, bytes[place] != 0x2F, bytes[place] != 0x3F, bytes[place] != 0x23 {
                if bytes[place] == 0x3A { return false }
                place += 1
            }
        }
        while let byte = next, byte != 0x3F, byte != 0x23 { if !skip("/"), !character(":@", ascii) { return false } }
        if skip("?") {
            while let byte = next, byte != 0x23 { if !skip("/?"), !character(":@", ascii) { return false } }
        }
        if skip("#") { while !isAtEnd { if !skip("/?"), !character(":@", ascii) { return false } } }
        return isAtEnd
    }

    /// `authority` (RFC 3986, section 3.2): user information, host and port.
    private mutating func authority(_ ascii: Bool) -> Bool {
        var close = at
        while close < end, bytes[close] != 0x2F, bytes[close] != 0x3F, bytes[close] != 0x23 { close += 1 }
        if let sign = (at..<close).first(where: { bytes[$0] == 0x40 }) {
            while at < sign { if !character(":", ascii) { return false } }
            at += 1
        }
        if skip("[") {
            guard let bracket = (at..<close).first(where: { bytes[$0] == 0x5D }) else { return false }
            var inner = TextReader(bytes[at..<bracket])
            if inner.skip("vV") {
                let version = inner.at
                while let byte = inner.next, isHex(byte) { inner.at += 1 }
                guard inner.at > version, inner.skip("."), !inner.isAtEnd else { return false }
                while !inner.isAtEnd { if !inner.character(":", ascii) { return false } }
            } else if !(inner.ipv6() && inner.isAtEnd) {
                return false
            }
            at = bracket + 1
        } else {
            while at < close, bytes[at] != 0x3A { if !character("", ascii) { return false } }
        }
        if at < close {
            guard skip(":") else { return false }
            while at < close {
                if !isDigit(bytes[at]) { return false }
                at += 1
            }
        }
        return true
    }

    /// One character of RFC 3986's `unreserved` and `sub-delims`, a percent-encoded byte, or one of `more`; any
    /// non-ASCII one in an IRI.
    private mutating func character(_ more: StaticString, _ ascii: Bool) -> Bool {
        guard let byte = next else { return false }
        if byte == 0x25 {
            guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return false }
            at += 3
            return true
        }
        if byte >= 0x80 {
            guard !ascii else { return false }
            at += 1
            return true
        }
        guard
            isLetter(byte) || isDigit(byte) || Array("-._~!$&'()*+,;=".utf8).contains(byte)
                || more.description.utf8.contains(byte)
        else { return false }
        at += 1
        return true
    }

    /// A URI template (RFC 6570), all levels.
    mutating func template() -> Bool {
        while let byte = next {
            if byte == 0x7B {
                at += 1
                _ = skip("+#./;?&=,!@|")
                repeat {
                    var count = 0
                    while let byte = next {
                        if isLetter(byte) || isDigit(byte) || byte == 0x5F || byte >= 0x80 {
                            at += 1
                        } else if byte == 0x2E, count > 0, bytes[at - 1] != 0x2E {
                            at += 1
                        } else if byte == 0x25, at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) {
                            at += 3
                        } else {
                            break
                        }
                        count += 1
                    }
                    if count == 0 { return false }
                    if skip(":") {
                        let first = at
                        while let byte = next, isDigit(byte) { at += 1 }
                        guard at > first, at - first <= 4, bytes[first] != 0x30 else { return false }
                    } else {
                        _ = skip("*")
                    }
                } while skip(",")
                guard skip("}") else { return false }
            } else if byte == 0x25 {
                guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return false }
                at += 3
            } else {
                guard byte > 0x20, byte != 0x7F, !Array("\"<>\\^`|}".utf8).contains(byte) else { return false }
                at += 1
            }
        }
        return true
    }

    // MARK: JSON Pointers (RFC 6901)

    /// A JSON Pointer (RFC 6901, section 3), not percent-encoded.
    mutating func pointer() -> Bool {
        guard skip("/") else { return false }
        while let byte = next {
            at += 1
            if byte == 0x7E, !skip("01") { return false }
        }
        return true
    }

    /// A Relative JSON Pointer (draft-handrews-relative-json-pointer-01): a count, then `#` or a pointer.
    mutating func relativePointer() -> Bool {
        let first = at
        while let byte = next, isDigit(byte) { at += 1 }
        guard at > first, at == first + 1 || bytes[first] != 0x30 else { return false }
        if isAtEnd { return true }
        return skip("#") ? isAtEnd : pointer()
    }
}
