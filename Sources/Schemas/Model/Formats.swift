/// The string formats of Table Schema, written by hand. Validation and inference share them, so that they agree.
package enum Formats {
    @inline(__always)
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 <= 25 }

    /// An address `local@domain.tld`: the dot-atom of RFC 5322 without comments and quoting, as HTML forms accept it.
    package static func isEmail(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        guard range.count <= 254 else { return false }
        while at < end, bytes[at] != 0x40 {
            let byte = bytes[at]
            guard isAlphanumeric(byte) || byte >= 0x80 || isAtomMark(byte) else { return false }
            if byte == 0x2E, at == range.lowerBound || (at + 1 < end && bytes[at + 1] == 0x2E) { return false }
            at &+= 1
        }
        let local = at - range.lowerBound
        guard at < end, local >= 1, local <= 64, bytes[at - 1] != 0x2E else { return false }
        at &+= 1
        var label = 0
        var labels = 0
        var hasLetter = false
        while at < end {
            let byte = bytes[at]
            if byte == 0x2E {
                guard label > 0, bytes[at - 1] != 0x2D else { return false }
                labels += 1
                label = 0
                hasLetter = false
            } else {
                guard isAlphanumeric(byte) || byte >= 0x80 || (byte == 0x2D && label > 0) else { return false }
                label &+= 1
                if label > 63 { return false }
                if byte &- 0x30 > 9, byte != 0x2D { hasLetter = true }
            }
            at &+= 1
        }
        return labels >= 1 && label >= 2 && hasLetter && bytes[end - 1] != 0x2D
    }

    private static func isAtomMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x2F, 0x3D, 0x3F, 0x5E, 0x5F, 0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// A URI (RFC 3986): a scheme, a colon, and allowed bytes only.
    package static func isURI(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        guard at < end, (bytes[at] | 0x20) &- 0x61 <= 25 else { return false }
        while at < end, bytes[at] != 0x3A {
            let byte = bytes[at]
            guard isAlphanumeric(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E else { return false }
            at &+= 1
        }
        guard at < end, end - at > 1 else { return false }
        at &+= 1
        while at < end {
            switch bytes[at] {
            case 0...0x20, 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B, 0x7C, 0x7D, 0x7F: return false
            case 0x25:
                guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return false }
            default: break
            }
            at &+= 1
        }
        return true
    }

    @inline(__always)
    private static func isHex(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 <= 5 }

    /// A UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits.
    package static func isUUID(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == 36 else { return false }
        for offset in 0..<36 {
            let byte = bytes[range.lowerBound + offset]
            if offset == 8 || offset == 13 || offset == 18 || offset == 23 {
                if byte != 0x2D { return false }
            } else if !isHex(byte) {
                return false
            }
        }
        return true
    }

    /// Number of Unicode scalars in valid UTF-8.
    package static func scalars(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        for at in range where bytes[at] & 0xC0 != 0x80 { count &+= 1 }
        return count
    }

    /// Base64 with padding (RFC 4648, section 4), the format `binary`.
    package static func isBase64(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count % 4 == 0 else { return false }
        var end = range.upperBound
        for _ in 0..<2 where end > range.lowerBound && bytes[end - 1] == 0x3D { end -= 1 }
        for at in range.lowerBound..<end {
            let byte = bytes[at]
            let isWord = byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x2B || byte == 0x2F
            if !isWord { return false }
        }
        return true
    }
}
