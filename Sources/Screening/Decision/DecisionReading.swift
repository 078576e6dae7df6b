package import Schemas
import Sketches
package import Tabular

/// Reads a sealed decision: the same bits, and so the same outcomes.
extension Decision {
    /// nil if the document is damaged, or of another version.
    ///
    /// - Parameters:
    ///   - schema: the contract that the batch was judged by.
    ///   - screened: the columns that statistics use, by that contract.
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
            waivers = Waivers(document["waives_statistics"])
            alpha = try kept.bits("alpha")
            keyErrors = try kept.list("key_errors").map { (runs) throws(Unreadable) in try runs.rows() }
            tests = try kept.list("tests").map(BatchTest.init)
            for entry in try kept.list("untested") { untested.append((try entry.field(), try entry.text("why"))) }
            for detector in Detector.allCases { try detector.read(kept, version: version, into: &self) }
        } catch {
            return nil
        }
    }
}

extension ModifiedZ {
    init(_ kept: Kept) throws(Unreadable) {
        field = try kept.int("field")
        usesLog = try kept.flag("log1p")
        center = try kept.bits("center")
        (scaleBelow, scaleAbove) = (try kept.bits("scale_below"), try kept.bits("scale_above"))
        threshold = try kept.bits("threshold")
        count = try kept.int("n")
        isConstant = try kept.flag("constant")
        exceptions = try kept.int("exceptions")
        // Decisions of format 4 have none.
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
    init(_ kept: Kept) throws(Unreadable) {
        guard let rule = try kept.some("rule") else { throw Unreadable() }
        self.init(
            from: try kept.int("from"), to: try kept.int("to"), logFrom: try kept.flag("log_from"),
            logTo: try kept.flag("log_to"), slope: try kept.bits("slope"), intercept: try kept.bits("intercept"),
            rule: try ModifiedZ(rule))
    }
}

extension Trigger {
    init(_ kept: Kept, _ version: Int) throws(Unreadable) {
        let rows = Rows(
            count: try kept.int("count"), pure: try kept.int("pure"), before: try kept.int("before"),
            basis: try kept.int("basis"))
        self.init(
            item: try kept.word("item"), label: try kept.word("label"), rows: rows, z: try kept.bits("z"),
            critical: try kept.bits("critical"))
        guard version >= 6 else { return }
        (isHeld, isPooled) = (try kept.flag("held"), try kept.flag("pooled"))
        (batches, here) = (try kept.int("batches"), try kept.int("here"))
    }
}

extension Flood {
    init(_ kept: Kept) throws(Unreadable) {
        self.init(item: try kept.word("item"), count: try kept.int("count"), before: try kept.int("before"))
    }
}

extension RowItems {
    init(_ kept: Kept) throws(Unreadable) {
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
    init(_ kept: Kept) throws(Unreadable) {
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

extension BatchTest {
    init(_ kept: Kept) throws(Unreadable) {
        guard let code = FindingCode(rawValue: try kept.text("type")) else { throw Unreadable() }
        self.init(
            code, field: try kept.field(),
            chance: .init(try kept.bits("statistic"), beyond: try kept.bits("critical")),
            effect: .init(try kept.bits("effect"), warn: try kept.bits("warn"), hold: try kept.bits("hold")),
            rows: .init(try kept.int("n"), before: try kept.int("basis")))
        let source = try kept.word("source")
        self.source = source == 0 ? nil : source
        if kept.value["low"] != nil {
            let (low, high) = (try kept.bits("low"), try kept.bits("high"))
            guard low <= high else { throw Unreadable() }
            range = low...high
        }
        // Since format 6; the movement is present only if the test exceeds its threshold.
        if let stored = kept.value["usual"] { usual = try Kept(stored).bits() }
        if let moved = kept.value["moved"] { movement = try Movement(Kept(moved)) }
        companions = (kept.value["with"]?.items ?? []).compactMap(\.whole).map { Int($0) }
    }
}

extension Movement {
    init(_ kept: Kept) throws(Unreadable) {
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
