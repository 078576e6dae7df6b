/// The proleptic Gregorian calendar, and its months in English.
extension Dates {
    /// Days since 1970-01-01 of a date, nil when it does not exist (Howard Hinnant's `days_from_civil`).
    package static func days(_ year: Int, _ month: Int, _ dayOfMonth: Int) -> Int64? {
        guard month >= 1, month <= 12, dayOfMonth >= 1 else { return nil }
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let lengths =
            month == 2 ? (isLeap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
        guard dayOfMonth <= lengths else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + dayOfMonth - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// The date of a day since 1970-01-01 (Howard Hinnant's `civil_from_days`).
    package static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// The month of an English name, in full or abbreviated to three letters; nil for others.
    static func monthNumber(_ name: String) -> Int? {
        let name = name.lowercased()
        return (months.firstIndex(of: name) ?? fullMonths.firstIndex(of: name)).map { $0 + 1 }
    }

    /// The English name of a month, abbreviated to three letters for `%b`.
    package static func monthName(_ month: Int64, isShort: Bool) -> String {
        (isShort ? months : fullMonths)[Int(month) - 1]
    }

    static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    static let fullMonths = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
}
