import Tabular

/// The apparent form of a sampled cell, for detecting dialects and headers.
enum CellForm: UInt8, Sendable {
    case empty, missing, number, moment, truth, address, text

    /// Whether a value of this form cannot be a word.
    var isTelling: Bool { self == .number || self == .moment || self == .truth || self == .address }

    /// Words for a missing value.
    private static let missingWords: Set<[UInt8]> = Set(
        ["na", "n/a", "#n/a", "null", "nil", "none", "nan", "-", "--", "?", ".", "..", "\\n", "<na>", "missing"].map {
            Array($0.utf8)
        })
    private static let truths: Set<[UInt8]> = Set(
        ["true", "false", "yes", "no", "t", "f", "y", "n"].map { Array($0.utf8) })

    init(_ text: [UInt8]) {
        let bytes = text[...].trimmingSpaces()
        guard let first = bytes.first else {
            self = .empty
            return
        }
        if bytes.count <= 7 {
            let lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            if Self.missingWords.contains(lower) {
                self = .missing
                return
            }
            if Self.truths.contains(lower) {
                self = .truth
                return
            }
        }
        let isNumeric = bytes.contains { ($0 &- 0x30) < 10 }
        if isNumeric, bytes.count <= 40 {
            if Self.isNumber(bytes) {
                self = .number
                return
            }
            if (first &- 0x30) < 10 || Self.isNamedDay(bytes), Self.isMoment(bytes) {
                self = .moment
                return
            }
        }
        self = Self.isAddress(bytes) ? .address : .text
    }

    /// Whether a text is a number in a common notation: sign, groups, either decimal mark, exponent, per cent, or a
    /// currency.
    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var bytes = text
        func isCurrency(_ byte: UInt8) -> Bool { byte == 0x24 || byte >= 0x80 }
        while let first = bytes.first,
            first == 0x2B || first == 0x2D || first == 0x28 || isCurrency(first) || first == 0x20
        {
            bytes.removeFirst()
        }
        while let last = bytes.last, last == 0x25 || last == 0x29 || isCurrency(last) || last == 0x20 {
            bytes.removeLast()
        }
        guard let first = bytes.first, let last = bytes.last else { return false }
        guard (first &- 0x30) < 10 || first == 0x2E || first == 0x2C, (last &- 0x30) < 10 || last == 0x2E else {
            return false
        }
        var marks = 0
        var hasExponent = false
        for at in bytes.indices {
            let byte = bytes[at]
            switch byte {
            case 0x30...0x39: continue
            case 0x2E, 0x2C, 0x27, 0x20:
                // Groups have three digits; after a decimal mark any number may follow.
                marks += 1
                let run = bytes[(at + 1)...].prefix { ($0 &- 0x30) < 10 }.count
                if run == 0, byte == 0x20 || byte == 0x27 || byte == 0x2C { return false }
                if byte == 0x20 || byte == 0x27, run != 3 { return false }
                if marks > 1, run != 3, bytes[(at + 1)...].contains(where: { $0 == 0x2E || $0 == 0x2C || $0 == 0x20 }) {
                    return false
                }
            case 0x45, 0x65:
                if hasExponent || at == bytes.startIndex { return false }
                hasExponent = true
            case 0x2B, 0x2D:
                guard at > bytes.startIndex, bytes[at - 1] | 0x20 == 0x65 else { return false }
            case 0xC2, 0xA0, 0xE2, 0x80, 0xAF, 0x89: continue
            default: return false
            }
        }
        // Four groups of digits are a version or an IP address.
        return marks <= 1 || !isDotted(bytes)
    }

    private static func isDotted(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count { $0 == 0x2E } > 1 && bytes.split(separator: 0x2E).dropFirst().contains { $0.count != 3 }
    }

    private static let months: Set<[UInt8]> = Set(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"].map { Array($0.utf8) })

    private static func isNamedDay(_ bytes: ArraySlice<UInt8>) -> Bool {
        months.contains(bytes.prefix(3).map { $0 | 0x20 })
    }

    /// Whether a text is a date, a time, or both.
    private static func isMoment(_ bytes: ArraySlice<UInt8>) -> Bool {
        var digits = 0
        var groups = 0
        var marks = 0
        var letters: [UInt8] = []
        var wasDigit = false
        for byte in bytes {
            if (byte &- 0x30) < 10 {
                digits += 1
                if !wasDigit { groups += 1 }
                wasDigit = true
                continue
            }
            wasDigit = false
            switch byte {
            case 0x2D, 0x2F, 0x2E, 0x3A: marks += 1
            case 0x20, 0x2C, 0x2B: continue
            case let byte where (byte | 0x20) &- 0x61 < 26: letters.append(byte | 0x20)
            default: return false
            }
        }
        let words = String(decoding: letters, as: UTF8.self)
        let isWorded = letters.count >= 3 && months.contains(Array(letters.prefix(3)))
        guard letters.isEmpty || isWorded || ["t", "z", "tz", "am", "pm", "tutc", "utc", "gmt"].contains(words) else {
            return false
        }
        if isWorded { return groups >= 2 && digits <= 14 }
        return groups >= 2 && groups <= 8 && digits >= 3 && marks >= 1 && marks + 1 >= groups / 2
    }

    private static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.contains(0x20) { return false }
        if let at = bytes.firstIndex(of: 0x40) {
            return at > bytes.startIndex && bytes[at...].contains(0x2E)
        }
        guard let colon = bytes.firstIndex(of: 0x3A), colon > bytes.startIndex else { return false }
        return bytes[colon...].starts(with: [0x3A, 0x2F, 0x2F])
    }
}

extension ArraySlice<UInt8> {
    fileprivate func trimmingSpaces() -> ArraySlice<UInt8> {
        var slice = self
        while slice.first == 0x20 || slice.first == 0x09 { slice.removeFirst() }
        while slice.last == 0x20 || slice.last == 0x09 { slice.removeLast() }
        return slice
    }
}
