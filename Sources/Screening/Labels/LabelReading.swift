import Sketches
import Tabular

extension LabelCheck {
    init(_ kept: Kept) throws(Unreadable) {
        let judgesRows = try kept.flag("judges_rows")
        var view = NeighbourView.words(WordNeighbours())
        // Points are stored only if rows are judged by them.
        if let neighbours = try kept.some("neighbours") {
            view =
                neighbours.value["unit"] == nil
                ? .words(try WordNeighbours(neighbours)) : .fields(try LabelNeighbours(neighbours))
        } else if judgesRows {
            throw Unreadable()
        }
        self.init(
            view: view, tested: try kept.int("tested"), basis: try kept.int("basis"),
            flagRate: try kept.bits("flag_rate"), holdRate: try kept.bits("hold_rate"),
            flips: try kept.list("flips").map { (flip) throws(Unreadable) in
                Flip(
                    from: try flip.word("from"), to: try flip.word("to"), count: try flip.int("count"),
                    before: try flip.int("before"))
            },
            tests: [],
            blamed: try kept.list("blamed").map { (pair) throws(Unreadable) in
                (place: try pair.item(0).int(), code: try pair.item(1).word())
            },
            isExcessive: try kept.flag("excessive"), judgesRows: judgesRows)
    }
}

extension WordNeighbours {
    init(_ kept: Kept) throws(Unreadable) {
        var places: [UInt32: Int32] = [:]
        for pair in try kept.list("words") {
            places[try pair.item(0).number(UInt32.self)] = try pair.item(1).number(Int32.self)
        }
        func floats(_ key: String) throws(Unreadable) -> [Float] {
            try kept.list(key).map { (one) throws(Unreadable) in Float(try one.bits()) }
        }
        let (starts, postings) = (
            try kept.numbers("starts", Int32.self), try kept.numbers("postings", Int32.self)
        )
        let (weights, scales, labelOf) = (try floats("weights"), try floats("scales"), try kept.ints("label_of"))
        let labels = try kept.list("labels").map { (one) throws(Unreadable) in try one.word() }
        guard starts.count == weights.count + 1, zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }),
            starts.first == 0, Int(starts.last ?? 0) == postings.count, scales.count == labelOf.count,
            postings.allSatisfy({ labelOf.indices.contains(Int($0)) }),
            places.values.allSatisfy({ weights.indices.contains(Int($0)) }),
            labelOf.allSatisfy({ labels.indices.contains($0) })
        else { throw Unreadable() }
        self.init(
            places: places, weights: weights, lists: Lists(starts: starts, postings: postings), scales: scales,
            rows: RowLabels(labels: labels, places: labelOf))
    }
}

extension LabelNeighbours {
    init(_ kept: Kept) throws(Unreadable) {
        guard let scales = try kept.some("scales")?.scales() else { throw Unreadable() }
        let categories = try kept.ints("categories")
        let points = try kept.numbers("points", Int16.self)
        let labelOf = try kept.ints("label_of")
        let labels = try kept.list("labels").map { (one) throws(Unreadable) in try one.word() }
        var values: [[UInt64: Int16]] = []
        for table in try kept.list("values") {
            var places: [UInt64: Int16] = [:]
            for pair in try table.list() { places[try pair.item(0).word()] = try pair.item(1).number(Int16.self) }
            values.append(places)
        }
        guard values.count == categories.count, labelOf.allSatisfy({ labels.indices.contains($0) }),
            points.count == (labelOf.count + 15) / 16 * 16 * (scales.count + categories.count)
        else { throw Unreadable() }
        self.init(
            Space(scales: scales, categories: categories, values: values, unit: try kept.bits("unit")),
            points: points, rows: RowLabels(labels: labels, places: labelOf))
    }
}

extension LinearCheck {
    init(_ kept: Kept, _ screened: ScreenedFields) throws(Unreadable) {
        let judgesRows = try kept.flag("judges_rows")
        var (features, models, labels): (LinearFeatures, [LinearModel], [UInt64]) = (.init(), [], [])
        if let found = try kept.some("models") {
            guard let chosen = try found.some("features") else { throw Unreadable() }
            features = try LinearFeatures(chosen, screened)
            labels = try found.list("labels").map { (one) throws(Unreadable) in try one.word() }
            for text in try found.list("weights") {
                models.append(LinearModel(labels: labels.count, weights: try Self.weights(try text.text())))
            }
            let size = Int(features.count) * labels.count
            guard labels.count >= 2, models.count == 3, models.allSatisfy({ $0.weights.count == size }) else {
                throw Unreadable()
            }
        } else if judgesRows {
            // Weights are stored only if rows are judged by them.
            throw Unreadable()
        }
        self.init(
            features: features, models: models, labels: labels, share: try kept.bits("share"),
            isExcessive: try kept.flag("excessive"), doubtRate: try kept.bits("doubt_rate"), judgesRows: judgesRows,
            tests: [])
    }

    private static func weights(_ text: String) throws(Unreadable) -> [Int16] {
        var (word, count): (UInt16, Int) = (0, 0)
        var out: [Int16] = []
        for digit in text.utf8 {
            switch digit {
            case 0x30...0x39: word = word << 4 | UInt16(digit - 0x30)
            case 0x61...0x66: word = word << 4 | UInt16(digit - 0x61 + 10)
            default: throw Unreadable()
            }
            count += 1
            if count % 4 == 0 { out.append(Int16(bitPattern: word)) }
        }
        if count % 4 != 0 { throw Unreadable() }
        return out
    }
}

extension LinearFeatures {
    init(_ kept: Kept, _ screened: ScreenedFields) throws(Unreadable) {
        let measures = try kept.list("measures").map { (one) throws(Unreadable) in
            Measure(
                place: try one.int("place"), first: Int32(clamping: try one.int("first")),
                center: try one.bits("center"), deviation: try one.bits("deviation"),
                edges: try one.list("edges").map { (edge) throws(Unreadable) in try edge.bits() })
        }
        let categories = try kept.list("categories").map { (one) throws(Unreadable) in
            var values: [UInt64: Int32] = [:]
            for pair in try one.list("values") {
                values[try pair.item(0).word()] = try pair.item(1).number(Int32.self)
            }
            return (place: try one.int("place"), values: values)
        }
        var words: [UInt32: Int32] = [:]
        for pair in try kept.list("words") {
            words[try pair.item(0).number(UInt32.self)] = try pair.item(1).number(Int32.self)
        }
        let made = LinearFeatures(
            measures: measures, categories: categories, words: words, count: Int32(clamping: try kept.int("count")))
        guard let made, measures.allSatisfy({ (0..<screened.numberCount).contains($0.place) }),
            categories.allSatisfy({ screened.categories.indices.contains($0.place) })
        else { throw Unreadable() }
        self = made
    }
}
