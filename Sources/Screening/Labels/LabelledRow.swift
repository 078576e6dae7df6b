import Sketches

/// The features of a row that neighbours and models use: its numbers, its codes, and the tokens of its text.
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
    /// Iterates over the rows of a sample with the tokens of their text, in the order of their ranks.
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
