import Sketches
import Tabular

/// A stored document is malformed.
struct Unreadable: Error {}

/// A part of a stored document; its values are read with type checks.
struct Kept {
    let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    private func must<Found>(_ found: Found?) throws(Unreadable) -> Found {
        guard let found else { throw Unreadable() }
        return found
    }

    func some(_ key: String) throws(Unreadable) -> Kept? {
        let found = try must(value[key])
        return found == .null ? nil : Kept(found)
    }
    func list() throws(Unreadable) -> [Kept] { try must(value.items).map(Kept.init) }
    func list(_ key: String) throws(Unreadable) -> [Kept] { try Kept(must(value[key])).list() }
    func item(_ place: Int) throws(Unreadable) -> Kept {
        let items = try must(value.items)
        return Kept(try must(place < items.count ? items[place] : nil))
    }
    func text() throws(Unreadable) -> String { try must(value.text) }
    func text(_ key: String) throws(Unreadable) -> String { try must(value[key]?.text) }
    func flag() throws(Unreadable) -> Bool { try must(value.flag) }
    func flag(_ key: String) throws(Unreadable) -> Bool { try must(value[key]?.flag) }
    func outcome(_ key: String) throws(Unreadable) -> Outcome {
        let name = try text(key)
        return try must(Outcome.allCases.first { $0.name == name })
    }
    func int() throws(Unreadable) -> Int { Int(try must(value.whole)) }
    func int(_ key: String) throws(Unreadable) -> Int { Int(try must(value[key]?.whole)) }
    /// A field of the contract; nil where the document has -1.
    func field() throws(Unreadable) -> Int? {
        let field = try int("field")
        return field < 0 ? nil : field
    }
    func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(Unreadable) -> Number {
        try must(value.whole.flatMap { Number(exactly: $0) })
    }
    func ints(_ key: String) throws(Unreadable) -> [Int] {
        try list(key).map { (one) throws(Unreadable) in try one.int() }
    }
    func numbers<Number: FixedWidthInteger>(_ key: String, _ type: Number.Type) throws(Unreadable) -> [Number] {
        try list(key).map { (one) throws(Unreadable) in try one.number(type) }
    }
    func word() throws(Unreadable) -> UInt64 {
        try must(value.text.flatMap { $0.hasPrefix("0x") ? UInt64($0.dropFirst(2), radix: 16) : nil })
    }
    func word(_ key: String) throws(Unreadable) -> UInt64 { try Kept(must(value[key])).word() }
    func bits() throws(Unreadable) -> Double { Double(bitPattern: try word()) }
    func bits(_ key: String) throws(Unreadable) -> Double { Double(bitPattern: try word(key)) }

    /// First row, count, and so on.
    func rows() throws(Unreadable) -> RowSet {
        var set = RowSet()
        let runs = try list()
        for place in stride(from: 0, to: runs.count - 1, by: 2) {
            let (first, count) = (try runs[place].int(), try runs[place + 1].int())
            guard first >= 0, count >= 0, count < 1 << 40 else { throw Unreadable() }
            for row in first..<first + count { set.insert(row) }
        }
        return set
    }

    /// Feature, center, deviation.
    func scales() throws(Unreadable) -> [(feature: Int, center: Double, deviation: Double)] {
        try list().map { (scale) throws(Unreadable) in
            (try scale.item(0).int(), try scale.item(1).bits(), try scale.item(2).bits())
        }
    }
}
