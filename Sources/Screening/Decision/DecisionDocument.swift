import CKernels
import Schemas
import Sketches
package import Tabular

/// The decision as a document, which is sealed and hashed into the ledger. Doubles and hashes are written as
/// hexadecimal bit patterns, so reading them back is exact.
extension Decision {
    /// The document.
    package func document() -> JSONValue {
        var members: [String: JSONValue] = [
            "v": .integer(6), "basis": .string(basis.rawValue), "basis_rows": whole(basisRows), "alpha": bits(alpha),
            "screened": .array(screened.fields.map(whole)), "texts": .array(screened.texts.map(whole)),
            "categories": .array(screened.categories.map(whole)),
            "key_errors": .array(keyErrors.map { .array(runs(of: $0).map(whole)) }),
            "untested": .array(
                untested.map { .object(["field": place(ofField: $0.field), "why": .string($0.reason)]) }),
            "tests": .array(tests.map(\.document)),
        ]
        for detector in Detector.allCases { members.merge(detector.document(of: self)) { _, own in own } }
        members["waives_statistics"] = waivers.document
        return .object(members)
    }

    /// The rows of a set as runs: first row, count, and so on.
    private func runs(of rows: RowSet) -> [Int] {
        var out: [Int] = []
        for row in rows {
            if let first = out.dropLast().last, let count = out.last, first + count == row {
                out[out.count - 1] += 1
            } else {
                out += [row, 1]
            }
        }
        return out
    }
}

/// A field in a document, -1 for none; `Kept.field` reads it.
func place(ofField field: Int?) -> JSONValue { whole(field ?? -1) }
/// An integer in a document; `Kept.int` reads it.
func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
/// A word of 64 bits in a document; `Kept.word` reads it.
func hex(_ word: UInt64) -> JSONValue { .string("0x" + String(word, radix: 16)) }
/// The bits of a number in a document; `Kept.bits` reads them.
func bits(_ value: Double) -> JSONValue { hex(value.bitPattern) }

extension ModifiedZ {
    var document: JSONValue {
        .object([
            "field": whole(field), "log1p": .bool(usesLog), "center": bits(center), "scale_below": bits(scaleBelow),
            "scale_above": bits(scaleAbove), "threshold": bits(threshold), "n": whole(count),
            "constant": .bool(isConstant), "exceptions": whole(exceptions),
            "reach": reach.map { reach in
                .array(
                    [
                        reach.lowCenter, reach.highCenter, reach.scaleBelow, reach.scaleAbove, reach.lowest,
                        reach.highest,
                        reach.remarkBelow, reach.remarkAbove, reach.holdBelow, reach.holdAbove,
                    ].map(bits))
            } ?? .null,
            "gap": gap.map { .array([bits($0.low), bits($0.high), whole($0.count)]) } ?? .null,
        ])
    }
}

extension ResidualPair {
    var document: JSONValue {
        .object([
            "from": whole(from), "to": whole(to), "log_from": .bool(logFrom), "log_to": .bool(logTo),
            "slope": bits(slope), "intercept": bits(intercept), "rule": rule.document,
        ])
    }
}

extension ForestThresholds {
    var document: JSONValue {
        func table(_ codes: [UInt64: Double]) -> JSONValue {
            .array(codes.keys.sorted().map { .array([hex($0), bits(codes[$0] ?? 0)]) })
        }
        return .object([
            "inputs": .array(
                inputs.map { input in
                    switch input {
                    case .measure(let place): .array([.string("measure"), whole(place)])
                    case .missing(let place): .array([.string("missing"), whole(place)])
                    case .rarity(let place):
                        .array([
                            .string("rarity"), whole(place), table(rarities[place] ?? [:]), bits(unseen[place] ?? 0),
                        ])
                    }
                }),
            "flag_below": whole(Int(flagBelow)), "quarantine_below": whole(Int(quarantineBelow)),
            "flag_rate": bits(flagRate), "forest": forest.document,
        ])
    }
}

extension Trigger {
    var document: JSONValue {
        .object([
            "item": hex(item), "count": whole(count), "pure": whole(pure), "z": bits(z), "critical": bits(critical),
            "before": whole(before), "basis": whole(basis), "label": hex(label), "held": .bool(isHeld),
            "batches": whole(batches), "pooled": .bool(isPooled), "here": whole(here),
        ])
    }
}

extension Flood {
    var document: JSONValue {
        .object([
            "item": hex(item), "count": whole(count), "before": whole(before),
        ])
    }
}

extension CrossCheck {
    var document: JSONValue {
        .object([
            "conflicts": .array(
                conflicts.map { .array([whole($0.row), whole($0.field), bits($0.support), whole($0.sources)]) }),
            "rows": whole(rows), "kept": whole(kept), "shared": whole(shared), "compared": whole(compared),
            "distrusted": .array(distrusted.map { .array([hex($0), bits(trust(of: $0))]) }),
            "action": .string(action.name), "batch_source": hex(batchSource),
        ])
    }
}

extension RowItems {
    var document: JSONValue {
        .object([
            "measures": whole(measures), "known": .array(isKnown.map { .bool($0) }),
            "values": .array(values.map(whole)),
            "tails": .array(tails.map { .array([bits($0.low), bits($0.high)]) }),
        ])
    }
}

extension FloodItems {
    var document: JSONValue {
        .array(scales.map { .array([whole($0.feature), bits($0.center), bits($0.deviation)]) })
    }
}

extension LabelCheck {
    var document: JSONValue {
        .object([
            "tested": whole(tested), "basis": whole(basis), "flag_rate": bits(flagRate), "hold_rate": bits(holdRate),
            "judges_rows": .bool(judgesRows), "excessive": .bool(isExcessive),
            "flips": .array(
                flips.map {
                    .object([
                        "from": hex($0.from), "to": hex($0.to), "count": whole($0.count), "before": whole($0.before),
                    ])
                }),
            "blamed": .array(blamed.map { .array([whole($0.place), hex($0.code)]) }),
            // Thousands of points, so only if rows are judged by them.
            "neighbours": judgesRows ? view.document : .null,
        ])
    }
}

extension NeighbourView {
    fileprivate var document: JSONValue {
        switch self {
        case .fields(let neighbours): neighbours.document
        case .words(let neighbours): neighbours.document
        }
    }
}

extension WordNeighbours {
    fileprivate var document: JSONValue {
        .object([
            "labels": .array(rows.labels.map(hex)), "label_of": .array(rows.places.map(whole)),
            "words": .array(
                places.keys.sorted().map { .array([whole(Int($0)), whole(Int(places[$0] ?? 0))]) }),
            "weights": .array(weights.map { bits(Double($0)) }), "scales": .array(scales.map { bits(Double($0)) }),
            "starts": .array(starts.map { whole(Int($0)) }), "postings": .array(postings.map { whole(Int($0)) }),
        ])
    }
}

extension LabelNeighbours {
    fileprivate var document: JSONValue {
        .object([
            "unit": bits(space.unit), "count": whole(count), "labels": .array(rows.labels.map(hex)),
            "categories": .array(space.categories.map(whole)),
            "scales": .array(space.scales.map { .array([whole($0.feature), bits($0.center), bits($0.deviation)]) }),
            "label_of": .array(rows.places.map(whole)),
            "values": .array(
                space.values.map { places in
                    .array(places.keys.sorted().map { .array([hex($0), whole(Int(places[$0] ?? -1))]) })
                }),
            "points": .array(blocks.flatMap { block in (0..<16).map { whole(Int(block[$0])) } }),
        ])
    }
}

extension LinearCheck {
    var document: JSONValue {
        .object([
            "share": bits(share), "excessive": .bool(isExcessive), "doubt_rate": bits(doubtRate),
            "judges_rows": .bool(judgesRows),
            // Thousands of weights, so only if rows are judged by them.
            "models": judgesRows
                ? .object([
                    "labels": .array(labels.map(hex)), "features": features.document,
                    "weights": .array(models.map { .string(Self.text(of: $0.weights)) }),
                ]) : .null,
        ])
    }

    /// Four hexadecimal digits for each weight.
    private static func text(of weights: [Int16]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(4 * weights.count)
        for weight in weights {
            let word = UInt16(bitPattern: weight)
            for shift in [12, 8, 4, 0] as [UInt16] { out.append(digits[Int(word >> shift & 15)]) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension LinearFeatures {
    fileprivate var document: JSONValue {
        .object([
            "count": whole(Int(count)),
            "measures": .array(
                measures.map { measure in
                    .object([
                        "place": whole(measure.place), "first": whole(Int(measure.first)),
                        "center": bits(measure.center), "deviation": bits(measure.deviation),
                        "edges": .array(measure.edges.map(bits)),
                    ])
                }),
            "categories": .array(
                categories.map { category in
                    .object([
                        "place": whole(category.place),
                        "values": .array(
                            category.values.keys.sorted().map {
                                .array([hex($0), whole(Int(category.values[$0] ?? 0))])
                            }),
                    ])
                }),
            "words": .array(words.keys.sorted().map { .array([whole(Int($0)), whole(Int(words[$0] ?? 0))]) }),
        ])
    }
}

extension BatchTest {
    /// The test as a document.
    package var document: JSONValue {
        var members: [String: JSONValue] = [
            "type": .string(code.rawValue), "field": place(ofField: field), "statistic": bits(statistic),
            "critical": bits(critical), "effect": bits(effect), "warn": bits(warn), "hold": bits(hold),
            "n": whole(count), "basis": whole(basis), "source": hex(source ?? 0),
        ]
        if let range { (members["low"], members["high"]) = (bits(range.lowerBound), bits(range.upperBound)) }
        if let usual { members["usual"] = bits(usual) }
        if let movement {
            // A decision stores fractions as bit patterns only.
            members["moved"] = .array([
                .string(movement.kind.rawValue), .string(movement.unit.rawValue), bits(movement.now),
                bits(movement.least), bits(movement.most), movement.usual.map(bits) ?? .null, whole(movement.kinds),
                whole(movement.mostKinds), whole(movement.batches),
            ])
        }
        if !companions.isEmpty { members["with"] = .array(companions.map(whole)) }
        return .object(members)
    }
}
