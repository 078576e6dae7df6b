import CKernels
import Tabular

extension ForestThresholds {
    init(_ kept: Kept) throws(Unreadable) {
        guard let forest = try kept.some("forest") else { throw Unreadable() }
        self.forest = try IsolationForest(forest)
        (inputs, rarities, unseen) = ([], [:], [:])
        for input in try kept.list("inputs") {
            let place = try input.item(1).int()
            switch try input.item(0).text() {
            case "measure": inputs.append(.measure(place))
            case "missing": inputs.append(.missing(place))
            case "rarity":
                inputs.append(.rarity(place))
                var table: [UInt64: Double] = [:]
                for pair in try input.item(2).list() { table[try pair.item(0).word()] = try pair.item(1).bits() }
                rarities[place] = table
                unseen[place] = try input.item(3).bits()
            default: throw Unreadable()
            }
        }
        flagBelow = try Kept(kept.value["flag_below"] ?? .null).number(UInt32.self)
        quarantineBelow = try Kept(kept.value["quarantine_below"] ?? .null).number(UInt32.self)
        flagRate = try kept.bits("flag_rate")
        guard inputs.count == self.forest.fields.count else { throw Unreadable() }
    }
}

extension IsolationForest {
    init(_ kept: Kept) throws(Unreadable) {
        let dimensions = try kept.int("dimensions")
        var nodes = Nodes()
        nodes.roots = try kept.numbers("roots", UInt32.self)
        if kept.value["leaves"] != nil { try nodes.read(kept, isWide: dimensions > 1) }
        // Decisions of earlier versions have a list of nodes.
        for node in kept.value["leaves"] == nil ? try kept.list("nodes") : [] {
            func number<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) throws(Unreadable) -> Number {
                try node.item(place).number(type)
            }
            if dimensions == 1 {
                nodes.narrow.append(
                    NarrowNode(
                        feature: try number(0, Int16.self), threshold: try number(1, Int16.self),
                        value: try number(2, Int16.self), right: try number(3, UInt16.self)))
            } else {
                nodes.wide.append(
                    WideNode(
                        w: (try number(0, Int16.self), try number(1, Int16.self), try number(2, Int16.self)),
                        f: (try number(3, UInt8.self), try number(4, UInt8.self), try number(5, UInt8.self)),
                        leaf: try number(6, UInt8.self), threshold: try number(7, Int16.self),
                        value: try number(8, Int16.self), right: try number(9, UInt16.self)))
            }
        }
        let quantisers = try kept.list("quantisers").map { (pair) throws(Unreadable) in
            Quantiser(center: try pair.item(0).bits(), scale: try pair.item(1).bits())
        }
        let made = IsolationForest(
            nodes,
            shape: Shape(
                trees: try kept.int("trees"), sampleSize: try kept.int("sample_size"), dimensions: dimensions),
            fields: try kept.ints("fields"), quantisers: quantisers)
        guard let made else { throw Unreadable() }
        self = made
    }
}
