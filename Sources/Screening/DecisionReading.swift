import CKernels
package import Schemas
import Sketches
package import Tabular

/// Reads a decision back from the document that was kept: the same bits, and so the same rows.
extension Decision {
    /// nil when the document is none of this version's, or damaged.
    ///
    /// - Parameters:
    ///   - schema: the contract that the batch was judged by.
    ///   - screened: what statistics look at, by that contract.
    package init?(_ document: JSONValue, schema: Schema, screened: ScreenedFields) {
        do throws(Unreadable) {
            let kept = Kept(document)
            let version = try kept.int("v")
            guard (4...6).contains(version), try kept.ints("screened") == screened.fields,
                try kept.ints("texts") == screened.texts, try kept.ints("categories") == screened.categories,
                let basis = Basis(rawValue: try kept.text("basis"))
            else { return nil }
            self.basis = basis
            basisRows = try kept.int("basis_rows")
            self.screened = screened
            poisoning = schema.poisoning
            (floodAction, triggerAction) = (poisoning.duplicates.action, poisoning.triggers.action)
            // Decisions of the fourth form go by the contract alone.
            if version > 4 {
                (floodAction, triggerAction) = (try kept.outcome("flood_action"), try kept.outcome("trigger_action"))
            }
            copyAction = document["copy_action"] == nil ? poisoning.duplicates.action : try kept.outcome("copy_action")
            waivesStatistics = document["waives_statistics"]?.flag ?? false
            (flagRateZ, flagRatePairs) = (try kept.bits("flag_rate_z"), try kept.bits("flag_rate_pairs"))
            alpha = try kept.bits("alpha")
            keyErrors = try kept.list("key_errors").map { (runs) throws(Unreadable) in try runs.rows() }
            rules = try kept.list("rules").map(ModifiedZ.init)
            pairs = try kept.list("pairs").map(ResidualPair.init)
            forest = try kept.some("forest").map(ForestLines.init)
            // Before, every mark was held or none, and words were not told from phrases.
            tagsWords = version >= 6
            triggers = try kept.list("triggers").map { (one) throws(Unreadable) in try Trigger(one, version) }
            wordTriggers = try kept.list("word_triggers").map { (one) throws(Unreadable) in try Trigger(one, version) }
            for entry in version >= 6 ? try kept.list("trigger_power") : [] {
                triggerPower.append((try entry.item(0).text(), try entry.item(1).int(), try entry.item(2).int()))
            }
            floods = try kept.list("floods").map(Flood.init)
            textFloods = try kept.list("text_floods").map(Flood.init)
            rowItems = try kept.some("row_items").map(RowItems.init)
            floodItems = try kept.some("flood_items").map { (items) throws(Unreadable) in
                FloodItems(scales: try items.scales(), codeCount: screened.codeCount, label: screened.label)
            }
            copied = Copies(codes: try kept.list("copied").map { (code) throws(Unreadable) in try code.word() })
            cross = try kept.some("cross").map(CrossCheck.init)
            for pair in try kept.list("source_names") {
                sourceNames[try pair.item(0).word()] = try pair.item(1).text()
            }
            for pair in try kept.list("mark_sources") {
                markSources[try pair.item(0).word()] = try pair.item(1).word()
            }
            tests = try kept.list("tests").map(BatchTest.init)
            labels = try kept.list("labels").map { (check) throws(Unreadable) in
                try LabelCheck(check, label: screened.label ?? 0)
            }
            // Those of the fifth, by neighbours alone.
            if version > 5 {
                linear = try kept.some("linear").map { (check) throws(Unreadable) in
                    try LinearCheck(check, screened)
                }
            }
            for entry in try kept.list("untested") { untested.append((try entry.int("field"), try entry.text("why"))) }
        } catch {
            return nil
        }
    }
}

/// Something is not as it was written.
private struct Unreadable: Error {}

/// A part of a kept document.
private struct Kept {
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

    /// First row, how many, and so on.
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

extension ModifiedZ {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        field = try kept.int("field")
        usesLog = try kept.flag("log1p")
        center = try kept.bits("center")
        (scaleBelow, scaleAbove) = (try kept.bits("scale_below"), try kept.bits("scale_above"))
        threshold = try kept.bits("threshold")
        count = try kept.int("n")
        isConstant = try kept.flag("constant")
        exceptions = try kept.int("exceptions")
        // Decisions of the fourth form have none.
        if let found = kept.value["reach"], found != .null {
            let reach = Kept(found)
            func pair(_ place: Int) throws(Unreadable) -> (Double, Double) {
                (try reach.item(place).bits(), try reach.item(place + 1).bits())
            }
            self.reach = RowReach(
                centers: try pair(0), scales: try pair(2), accepted: try pair(4), remark: try pair(6), hold: try pair(8)
            )
        }
        if let found = kept.value["gap"], found != .null {
            let gap = Kept(found)
            self.gap = ValueGap(low: try gap.item(0).bits(), high: try gap.item(1).bits(), count: try gap.item(2).int())
        }
    }
}

extension ResidualPair {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        guard let rule = try kept.some("rule") else { throw Unreadable() }
        self.init(
            from: try kept.int("from"), to: try kept.int("to"), logFrom: try kept.flag("log_from"),
            logTo: try kept.flag("log_to"), slope: try kept.bits("slope"), intercept: try kept.bits("intercept"),
            rule: try ModifiedZ(rule))
    }
}

extension ForestLines {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
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
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        let dimensions = try kept.int("dimensions")
        var (narrow, wide): ([NarrowNode], [WideNode]) = ([], [])
        for node in try kept.list("nodes") {
            func number<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) throws(Unreadable) -> Number {
                try node.item(place).number(type)
            }
            if dimensions == 1 {
                narrow.append(
                    NarrowNode(
                        feature: try number(0, Int16.self), threshold: try number(1, Int16.self),
                        value: try number(2, Int16.self), right: try number(3, UInt16.self)))
            } else {
                wide.append(
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
            trees: try kept.int("trees"), sampleSize: try kept.int("sample_size"), dimensions: dimensions,
            fields: try kept.ints("fields"), quantisers: quantisers, narrow: narrow, wide: wide,
            roots: try kept.numbers("roots", UInt32.self))
        guard let made else { throw Unreadable() }
        self = made
    }
}

extension Trigger {
    fileprivate init(_ kept: Kept, _ version: Int) throws(Unreadable) {
        self.init(
            item: try kept.word("item"), count: try kept.int("count"), pure: try kept.int("pure"),
            z: try kept.bits("z"),
            critical: try kept.bits("critical"), before: try kept.int("before"), basis: try kept.int("basis"),
            label: try kept.word("label"))
        guard version >= 6 else { return }
        (isHeld, isPooled) = (try kept.flag("held"), try kept.flag("pooled"))
        (batches, here) = (try kept.int("batches"), try kept.int("here"))
    }
}

extension Flood {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        self.init(item: try kept.word("item"), count: try kept.int("count"), before: try kept.int("before"))
    }
}

extension RowItems {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        let tails = try kept.list("tails").map { (pair) throws(Unreadable) in
            (low: try pair.item(0).bits(), high: try pair.item(1).bits())
        }
        let known = try kept.list("known").map { (one) throws(Unreadable) in try one.flag() }
        let measures = try kept.int("measures")
        guard tails.count == measures, known.count == measures else { throw Unreadable() }
        self.init(measures: measures, tails: tails, isKnown: known, values: try kept.ints("values"))
    }
}

extension CrossCheck {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        self.init()
        conflicts = try kept.list("conflicts").map { (one) throws(Unreadable) in
            Conflict(
                row: try one.item(0).int(), field: try one.item(1).int(), support: try one.item(2).bits(),
                sources: try one.item(3).int())
        }
        (rows, self.kept) = (try kept.int("rows"), try kept.int("kept"))
        (shared, compared) = (try kept.int("shared"), try kept.int("compared"))
        for pair in try kept.list("distrusted") {
            distrust(try pair.item(0).word(), try pair.item(1).bits())
        }
        let name = try kept.text("action")
        guard let action = Outcome.allCases.first(where: { $0.name == name }) else { throw Unreadable() }
        self.action = action
        batchSource = try kept.word("batch_source")
    }
}

extension LabelCheck {
    fileprivate init(_ kept: Kept, label: Int) throws(Unreadable) {
        let judgesRows = try kept.flag("judges_rows")
        var view = NeighbourView.words(
            WordNeighbours(places: [:], weights: [], starts: [0], postings: [], scales: [], labelOf: [], labels: []))
        // Points are kept only where rows are judged by them.
        if let neighbours = try kept.some("neighbours") {
            view =
                neighbours.value["unit"] == nil
                ? .words(try WordNeighbours(neighbours)) : .fields(try LabelNeighbours(neighbours, label: label))
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
    fileprivate init(_ kept: Kept) throws(Unreadable) {
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
            places: places, weights: weights, starts: starts, postings: postings, scales: scales, labelOf: labelOf,
            labels: labels)
    }
}

extension LabelNeighbours {
    fileprivate init(_ kept: Kept, label: Int) throws(Unreadable) {
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
            scales: scales, categories: categories, label: label, unit: try kept.bits("unit"), points: points,
            values: values, labelOf: labelOf, labels: labels)
    }
}

extension LinearCheck {
    fileprivate init(_ kept: Kept, _ screened: ScreenedFields) throws(Unreadable) {
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
            // Weights are kept only where rows are judged by them.
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
    fileprivate init(_ kept: Kept, _ screened: ScreenedFields) throws(Unreadable) {
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

extension BatchTest {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        guard let code = FindingCode(rawValue: try kept.text("type")) else { throw Unreadable() }
        self.init(
            code: code, field: try kept.int("field"), statistic: try kept.bits("statistic"),
            critical: try kept.bits("critical"), effect: try kept.bits("effect"), warn: try kept.bits("warn"),
            hold: try kept.bits("hold"), count: try kept.int("n"), basis: try kept.int("basis"))
        source = try kept.word("source")
        if kept.value["low"] != nil {
            let (low, high) = (try kept.bits("low"), try kept.bits("high"))
            guard low <= high else { throw Unreadable() }
            range = low...high
        }
        // Since the sixth form; what moved only where the test is beyond its line.
        if let told = kept.value["usual"] { usual = try Kept(told).bits() }
        if let moved = kept.value["moved"] { movement = try Movement(Kept(moved)) }
        companions = (kept.value["with"]?.items ?? []).compactMap(\.whole).map { Int($0) }
    }
}

extension Movement {
    fileprivate init(_ kept: Kept) throws(Unreadable) {
        guard let kind = Kind(rawValue: try kept.item(0).text()), let unit = Unit(rawValue: try kept.item(1).text())
        else { throw Unreadable() }
        self.init(
            kind, in: unit, now: try kept.item(2).bits(),
            usually: (try kept.item(3).bits(), try kept.item(4).bits()), batches: try kept.item(8).int())
        let usual = try kept.item(5)
        self.usual = usual.value == .null ? nil : try usual.bits()
        (kinds, mostKinds) = (try kept.item(6).int(), try kept.item(7).int())
    }
}
