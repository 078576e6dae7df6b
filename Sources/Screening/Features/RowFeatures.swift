import Schemas
import Sketches
package import Tabular
package import Validating

/// The features of one row: numbers, codes, and the tokens of its text.
package struct RowFeatures: Sendable {
    /// One number for each measure, then one length for each text; NaN for a missing one.
    package var numbers: [Double] = []
    /// One code for each category, 0 for a missing value, then one for the whole row; with text, also its MinHash
    /// signature.
    package var codes: [UInt64] = []
    /// The tokens of its text, ascending, each once.
    package var items: [UInt32] = []
    /// Scratch space that the next row reuses.
    fileprivate var scratch = TextItems()

    /// An empty row.
    package init() {}
}

/// Reads the features of the rows of checked blocks.
package struct FeatureReader: Sendable {
    /// Which fields are read.
    package let fields: ScreenedFields
    /// Reads the values that are compared with those of other suppliers, if the contract asks for it.
    package let assertions: AssertionReader?
    private let validator: Validator
    private let seed: UInt64
    private let salts: [UInt64]

    /// A reader for the fields of a contract; codes are keyed with the validator's secret.
    package init(_ fields: ScreenedFields, _ validator: Validator, assertions: AssertionReader? = nil) {
        self.fields = fields
        self.assertions = assertions
        self.validator = validator
        seed = validator.code(of: 0x7465_7874)
        // By name, so that words keep their codes if the contract gets another column in front.
        salts = fields.texts.map { field in
            validator.schema.fields[field].name.utf8.reduce(0xCBF2_9CE4_8422_2325) { hash, byte in
                (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            } << 8
        }
    }

    /// Codes of a row including its signature.
    package var textCodeCount: Int { fields.codeCount + TextItems.signatureWords }

    /// Reads the numbers of a row; the lengths of its texts only on request.
    package func readNumbers(
        _ batch: RowBlock, _ numbers: [[Double]], row: Int, withLengths: Bool = true, into features: inout RowFeatures
    ) {
        features.numbers.removeAll(keepingCapacity: true)
        for slot in fields.slots { features.numbers.append(numbers[slot][row]) }
        let bytes = batch.bytes.span
        for field in fields.texts {
            guard withLengths, let cell = validator.value(of: field, row: row, in: batch) else {
                features.numbers.append(.nan)
                continue
            }
            features.numbers.append(Double(TextItems.length(bytes, cell.range)))
        }
    }

    /// Reads the codes of a row; that of the whole row only on request.
    package func readCodes(_ batch: RowBlock, row: Int, withRow: Bool = true, into features: inout RowFeatures) {
        features.codes.removeAll(keepingCapacity: true)
        for field in fields.categories {
            features.codes.append(validator.code(of: field, row: row, in: batch) ?? 0)
        }
        guard withRow else { return features.codes.append(0) }
        features.codes.append(validator.code(ofAll: fields.content, row: row, in: batch))
    }

    /// The event time of a row; nil if the contract or the row has none.
    func moment(_ batch: RowBlock, row: Int) -> Double? {
        fields.eventTime.flatMap { validator.moment(of: $0, row: row, in: batch) }
    }

    /// The code of one category of a row; 0 for a missing value.
    func code(_ place: Int, _ batch: RowBlock, row: Int) -> UInt64 {
        validator.code(of: fields.categories[place], row: row, in: batch) ?? 0
    }

    /// Reads the tokens of a row's text, and appends its MinHash signature to the codes.
    ///
    /// - Parameters:
    ///   - isWhole: whether all tokens are read, and not only as many as a sample keeps.
    ///   - isTagged: as in `TextItems.begin`; false for decisions before format 6.
    package func readText(
        _ batch: RowBlock, row: Int, isWhole: Bool = false, isTagged: Bool = true, into features: inout RowFeatures
    ) {
        features.scratch.begin(seed: seed, isTagged: isTagged)
        let bytes = batch.bytes.span
        for (place, field) in fields.texts.enumerated() {
            guard let cell = validator.value(of: field, row: row, in: batch) else { continue }
            features.scratch.add(bytes, cell.range, salt: salts[place])
        }
        features.scratch.takeItems(&features.items, isWhole: isWhole)
        features.scratch.appendSignature(to: &features.codes)
    }
}
