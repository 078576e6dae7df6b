/// What moved in a batch, beside how much it usually moves: relative figures and counts, never a value of the data.
package struct Movement: Sendable, Equatable {
    /// What moved.
    package enum Kind: String, Sendable, CaseIterable {
        /// The middle of the values, how far they are spread, and where their outer parts lie.
        case center, spread
        case lowerTail = "lower-tail"
        case upperTail = "upper-tail"
        /// How values are distributed, in no one of these ways.
        case shape
        /// The share of rows that have one value, and the shares of many values a little each.
        case share, shares
        /// Nearly all rows have another value than in every accepted batch.
        case replaced
        /// The share of rows without a value, and that of rows with a value that was never there before.
        case missing
        case new = "new-values"
        /// How many rows there are.
        case rows
        /// The share of rows that a detector remarks on.
        case remarks
    }

    /// What the figures are.
    package enum Unit: String, Sendable, CaseIterable {
        /// Differences from the middle of the accepted batches, as shares of that middle: 0.24 is 24 % above it.
        case relative
        /// The same differences in spreads inside accepted batches, where a share of the middle says nothing.
        case spreads
        /// Multiples of what is usual in accepted batches.
        case multiple
        /// Shares of rows.
        case share
        /// Counts.
        case count
    }

    /// What moved.
    package var kind: Kind
    /// What the figures are.
    package var unit: Unit
    /// This batch's figure.
    package var now: Double
    /// The smallest and the largest of the accepted batches' figures.
    package var least: Double, most: Double
    /// Of new values: how many different ones, and how many at most in an accepted batch.
    package var kinds = 0, mostKinds = 0
    /// How far accepted batches were from the nearest one before them at most; nil where no distance is tested.
    package var usual: Double?
    /// Accepted batches that it was compared with.
    package var batches: Int

    /// What moved, and how far.
    package init(
        _ kind: Kind, in unit: Unit, now: Double, usually range: (least: Double, most: Double), batches: Int
    ) {
        self.kind = kind
        self.unit = unit
        self.now = Self.cut(now)
        (least, most) = (Self.cut(range.least), Self.cut(range.most))
        self.batches = batches
    }

    /// Of a shape: no single figure describes it.
    package init(shapeIn batches: Int) {
        self.init(.shape, in: .spreads, now: 0, usually: (0, 0), batches: batches)
    }
}

extension Movement {
    /// As reports have it.
    package var document: JSONValue {
        var members: [String: JSONValue] = [
            "what": .string(kind.rawValue), "unit": .string(unit.rawValue), "batches": .integer(Int64(batches)),
        ]
        func add(_ key: String, _ value: Double?) {
            if let value, value.isFinite { members[key] = .number(value) }
        }
        add("now", now)
        add("least", least)
        add("most", most)
        add("usualDistance", usual)
        if kind == .new {
            members["kinds"] = .integer(Int64(kinds))
            members["mostKinds"] = .integer(Int64(mostKinds))
        }
        return .object(members)
    }

    /// Reads such a document; nil when it is none.
    package init?(_ document: JSONValue?) {
        guard let document, let kind = document["what"]?.text.flatMap({ Kind(rawValue: $0) }),
            let unit = document["unit"]?.text.flatMap({ Unit(rawValue: $0) }), let batches = document["batches"]?.whole
        else { return nil }
        func figure(_ key: String) -> Double { document[key]?.double ?? .infinity }
        self.init(
            kind, in: unit, now: figure("now"), usually: (figure("least"), figure("most")), batches: Int(batches))
        usual = document["usualDistance"]?.double
        kinds = Int(document["kinds"]?.whole ?? 0)
        mostKinds = Int(document["mostKinds"]?.whole ?? 0)
    }

    /// Four digits behind the point: a report needs no more, and fewer digits say less of the values behind them.
    package static func cut(_ value: Double) -> Double {
        abs(value) < 1e11 ? (value * 10_000).rounded() / 10_000 : value
    }
}
