import Cryptography
import Glibc

/// Time and unique names. No other file reads the wall clock, so stages stay deterministic.
package enum Clock {
    /// The wall clock: milliseconds since 1970-01-01 UTC.
    package static func milliseconds() -> Int {
        var now = timespec()
        // Sound: the call fills the struct it is given.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    /// Seconds of the monotonic clock, for durations and deadlines only.
    package static func monotonic() -> Double {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }

    /// A time as RFC 3339 in UTC with milliseconds.
    package static func text(_ milliseconds: Int = milliseconds()) -> String {
        let days = milliseconds / 86_400_000
        let rest = milliseconds % 86_400_000
        // Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"), exact for all days since
        // 1970.
        let z = days + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func pad(_ value: Int, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let clock =
            "\(pad(rest / 3_600_000)):\(pad(rest / 60_000 % 60)):\(pad(rest / 1000 % 60)).\(pad(rest % 1000, 3))Z"
        return "\(pad(year, 4))-\(pad(month))-\(pad(day))T\(clock)"
    }

    /// A time-ordered unique name: UUID version 7 (RFC 9562).
    ///
    /// - Throws: `software` when the system gives no random bytes.
    package static func identifier() throws(IngestionError) -> String {
        var bytes: [UInt8]
        do throws(CryptographyError) { bytes = try randomBytes(16) } catch {
            throw IngestionError(.software, error.description)
        }
        let now = UInt64(milliseconds())
        for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: now >> UInt64(40 - 8 * index)) }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = hex(bytes)
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { out.append("-") }
            out.append(digit)
        }
        return out
    }
}
