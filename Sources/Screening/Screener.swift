import Schemas
import Sketches
package import Tabular
package import Validating

/// Applies a decision to checked blocks: every row gets exactly one outcome, with its reasons.
package struct Screener: Sendable {
    let decision: Decision
    let reader: FeatureReader
    /// By field, the contract's action for rows with an outlier.
    let actions: [Int: Outcome]
    /// Triggers by their items: in the fields, and in the text.
    let triggers: [UInt64: Trigger], words: [UInt64: Trigger]
    /// Clusters of copies by their items: in the fields, and in the text.
    let floods: [UInt64: Flood], textFloods: [UInt64: Flood]

    /// A screener for one batch.
    package init(_ decision: Decision, _ reader: FeatureReader, actions: [Int: Outcome]) {
        self.decision = decision
        self.reader = reader
        self.actions = actions
        func byItem<Mark>(_ marks: [Mark], _ item: KeyPath<Mark, UInt64>) -> [UInt64: Mark] {
            Dictionary(marks.map { ($0[keyPath: item], $0) }, uniquingKeysWith: { first, _ in first })
        }
        triggers = byItem(decision.triggers, \.item)
        words = byItem(decision.wordTriggers, \.item)
        floods = byItem(decision.floods, \.item)
        textFloods = byItem(decision.textFloods, \.item)
    }

    /// Screens a block.
    package func screen(_ validated: ValidatedBlock) -> ScreenedBlock {
        var screening = BlockScreening(validated, by: self)
        let codes = decision.needsCodes ? codes(validated) : []
        for detector in Detector.allCases { screening.apply(detector, codes) }
        return screening.finish()
    }

    /// The codes of all valid rows, rows × codes.
    private func codes(_ validated: ValidatedBlock) -> [UInt64] {
        let width = decision.screened.codeCount
        var out = [UInt64](repeating: 0, count: validated.batch.count * width)
        var features = RowFeatures()
        // Without triggers and clusters, only the forest's categories are needed.
        let asked =
            decision.hasMarks
            ? [] : decision.forest?.categories ?? []
        for row in 0..<validated.batch.count where validated.isValid[row] {
            for place in asked { out[row * width + place] = reader.code(place, validated.batch, row: row) }
            if !asked.isEmpty { continue }
            reader.readCodes(validated.batch, row: row, withRow: decision.needsRowCode, into: &features)
            for code in 0..<width { out[row * width + code] = features.codes[code] }
        }
        return out
    }
}
