/// A change in a batch, with its usual variation: relative figures and counts, never a value of the data.
package struct Movement: Sendable, Equatable {
    /// The kind of a change.
    package enum Kind: String, Sendable, CaseIterable {
        /// The centre of the values, their spread, and the position of their tails.
        case center, spread
        case lowerTail = "lower-tail"
        case upperTail = "upper-tail"
        /// The shape of the distribution, in a way that no other kind describes.
        case shape
        /// The share of rows with one value; small changes in the shares of many values.
        case share, shares
        /// Nearly all rows have a value that no accepted batch had.
        case replaced
        /// The share of rows without a value; the share of rows with a value that was never seen before.
        case missing
        case new = "new-values"
        /// The number of rows.
        case rows
        /// The share of rows that a detector flags.
        case remarks
    }

    /// The unit of the figures.
    package enum Unit: String, Sendable, CaseIterable {
        /// Differences from the centre of the accepted batches, as shares of that centre: 0.24 is 24 % above it.
        case relative
        /// The same differences in spreads inside accepted batches, for centres near zero.
        case spreads
        /// Multiples of what is usual in accepted batches.
        case multiple
        /// Shares of rows.
        case share
        /// Counts.
        case count
    }

    /// The kind of change.
    package var kind: Kind
    /// The unit of the figures.
    package var unit: Unit
    /// This batch's figure.
    package var now: Double
    /// The smallest and the largest of the accepted batches' figures.
    package var least: Double, most: Double
    /// For new values: the number of different ones, and the largest such number in an accepted batch.
    package var kinds = 0, mostKinds = 0
    /// The largest distance of an accepted batch from the nearest one before it; nil if no distance is tested.
    package var usual: Double?
    /// Number of accepted batches that the batch was compared with.
    package var batches: Int

    /// A change with its figures.
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
    /// The document that reports have.
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

    /// Reads such a document; nil if it is malformed.
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

    /// Four decimals: a report needs no more, and fewer digits reveal less about the values.
    package static func cut(_ value: Double) -> Double {
        abs(value) < 1e11 ? (value * 10_000).rounded() / 10_000 : value
    }
}
