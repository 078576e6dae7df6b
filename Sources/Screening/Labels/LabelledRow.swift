import Sketches

/// What neighbours and models read of a row: its numbers, its codes, and the tokens of its text.
struct LabelledRow {
    let numbers: ArraySlice<Double>
    let codes: ArraySlice<UInt64>
    let tokens: ArraySlice<UInt32>

    /// A row of a sample.
    init(_ row: Int, of sample: RowSample) {
        self.init(numbers: sample.numbers(of: row), codes: sample.codes(of: row), tokens: sample.tokens(of: row))
    }

    init(numbers: ArraySlice<Double>, codes: ArraySlice<UInt64>, tokens: ArraySlice<UInt32>) {
        (self.numbers, self.codes, self.tokens) = (numbers, codes, tokens)
    }

    /// The code at a place.
    func code(_ place: Int) -> UInt64 { codes[codes.startIndex + place] }
}

extension LabelledRow {
    /// The rows of a sample with what stands in their text, in the order of their ranks, and the place of each.
    static func forEach(
        _ sample: RowSample, _ texts: RowSample, most: Int, _ body: (LabelledRow, _ place: Int) -> Void
    ) {
        var text = 0
        for row in 0..<min(sample.count, most) {
            while text < texts.count, texts.ranks[text] < sample.ranks[row] { text += 1 }
            let hasText = text < texts.count && texts.ranks[text] == sample.ranks[row]
            body(
                LabelledRow(
                    numbers: sample.numbers(of: row), codes: sample.codes(of: row),
                    tokens: hasText ? texts.tokens(of: text) : []), row)
        }
    }
}
