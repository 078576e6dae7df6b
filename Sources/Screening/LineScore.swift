package import Tabular
package import Validating

/// A statistic of one row, with its threshold.
package struct LineScore: Sendable, Equatable {
    /// The code of the finding that it gives beyond the threshold.
    package var code: FindingCode
    /// The contract's field; nil for the whole row.
    package var field: Int?
    /// The statistic, and the threshold.
    package var statistic: Double, line: Double
}

extension Screener {
    /// All statistics of a row of a checked block, whether beyond their thresholds or not, for an explanation.
    package func scores(_ validated: ValidatedBlock, row: Int) -> [LineScore] {
        guard validated.isValid[row] else { return [] }
        var scores: [LineScore] = []
        let screened = decision.screened
        func number(_ feature: Int) -> Double { validated.numbers[screened.slots[feature]][row] }
        for rule in decision.rules where !rule.isConstant {
            guard let feature = screened.fields.firstIndex(of: rule.field), !number(feature).isNaN else { continue }
            scores.append(
                LineScore(
                    code: .deviatedValue, field: rule.field, statistic: rule.score(number(feature)),
                    line: rule.threshold))
        }
        for pair in decision.pairs {
            scores.append(
                LineScore(
                    code: .pairResidual, field: pair.rule.field,
                    statistic: pair.score(number(pair.from), number(pair.to)), line: pair.rule.threshold))
        }
        guard let lines = decision.forest else { return scores }
        var features = RowFeatures()
        reader.readCodes(validated.batch, row: row, withRow: false, into: &features)
        let values = lines.inputs.map { (input) -> Double in
            switch input {
            case .measure(let place): number(place)
            case .missing(let place): number(place).isNaN ? 1 : 0
            case .rarity(let place): lines.rarity(place, features.codes[place])
            }
        }
        let sum = lines.forest.sums(values.map { [$0] })[0]
        scores.append(
            LineScore(
                code: .isolatedRow, field: nil, statistic: lines.forest.score(sum),
                line: lines.forest.score(lines.flagBelow)))
        return scores
    }
}
