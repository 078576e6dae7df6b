import Recognition

/// Caches what names of members imply about their values: most imply nothing, and making a scanner is expensive.
struct MemberNames {
    private var known: [UInt64: TextScanner.Name] = [:]
    /// Most cached names, since a supplier may invent any number of them.
    private static let limit = 4096

    /// The hint that a name gives.
    ///
    /// - Parameters:
    ///   - column: the scanner of the column.
    ///   - outer: what the enclosing object's name implies.
    ///   - bytes: the text.
    ///   - name: the name in it.
    mutating func says(
        _ column: TextScanner, in outer: TextScanner.Name, _ bytes: Span<UInt8>, _ name: Range<Int>
    ) -> TextScanner.Name {
        // FNV-1a is not collision-resistant. A supplier who makes two names collide only has their own values searched
        // by the wrong name.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for at in name { hash = (hash ^ UInt64(bytes[at])) &* 0x100_0000_01B3 }
        let says: TextScanner.Name
        if let old = known[hash] {
            says = old
        } else {
            if known.count == Self.limit { known.removeAll(keepingCapacity: true) }
            says = column.member(String(decoding: name.map { bytes[$0] }, as: UTF8.self))
            known[hash] = says
        }
        switch (says, outer) {
        case (.plain, _): return outer
        case (.other(let own), .telling(let outer)), (.other(let own), .other(let outer)):
            return .other(own.inside(outer))
        default: return says
        }
    }
}
