package import Tabular

/// Finds the values of a column that need not be scanned, for whole columns at once: a call for each value would cost
/// more than most values need.
extension TextScanner {
    /// Bytes that a text needs before its digits matter: none where entities are sought, else those of a token.
    @inline(__always)
    var digitsMatter: Int { sought.isEmpty ? Secrets.tokenMin : 0 }

    /// Whether a text without anchors is never a match: only a column that is called a credential, or whose numbers
    /// are read by its name, has other ones.
    private var needsAnchors: Bool { credential == nil && (!isTelling || sought.isEmpty) }

    /// Appends the rows whose texts may hold something.
    ///
    /// - Parameters:
    ///   - column: the column.
    ///   - block: the block, without escaped line ends.
    ///   - rows: the rows to look at.
    ///   - anchors: the candidates in the block's bytes.
    ///   - found: gets the rows.
    /// - Returns: the number of values that are not empty.
    package func candidates(
        inTexts column: Int, of block: RowBlock, among rows: [Int], anchors: borrowing CandidateMap,
        into found: inout [Int]
    ) -> Int {
        let (cells, bytes, width) = (block.cells.span, block.bytes.span, block.width)
        let (needsAnchors, digitsMatter) = (needsAnchors, digitsMatter)
        var values = 0
        for row in rows {
            let cell = cells[row &* width &+ column]
            let range = cell.range
            if range.isEmpty { continue }
            values &+= 1
            guard needsAnchors, cell.isText else {
                found.append(row)
                continue
            }
            let (first, before) = (bytes[range.lowerBound], range.lowerBound > 0 ? bytes[range.lowerBound &- 1] : 0)
            // A document, or a text directly behind another decoded one, from which its first run is split.
            let mayBeDocument = first | 0x20 == 0x7B || first <= 0x20 || first == 0xEF
            let mayBeSplit = isDigit(before) || before == UInt8(ascii: "-")
            let next =
                range.count < digitsMatter
                ? anchors.nextSign(from: range.lowerBound, below: range.upperBound)
                : anchors.next(from: range.lowerBound, below: range.upperBound)
            if next < range.upperBound || mayBeDocument || mayBeSplit || anchors.holdsOdd(in: range) {
                found.append(row)
            }
        }
        return values
    }

    /// Appends the rows whose numbers may be something: whole numbers of enough digits, without those of a
    /// `silentLength`.
    ///
    /// - Parameters:
    ///   - column: a column of numbers without group marks.
    ///   - block: the block.
    ///   - rows: the rows to look at.
    ///   - numbers: the column's numbers, one a row; NaN for a value that is none, which may be anything.
    ///   - digitsMin: fewest digits of an entity.
    ///   - found: gets the rows.
    /// - Returns: the number of values that are not empty.
    package func candidates(
        inNumbers column: Int, of block: RowBlock, among rows: [Int], numbers: [Double], atLeast digitsMin: Int,
        into found: inout [Int]
    ) -> Int {
        let (cells, width, silent) = (block.cells.span, block.width, silentLengths)
        let least = Self.powers[min(max(digitsMin, 1), Self.powers.count) - 1]
        var values = 0
        for row in rows {
            let (count, value) = (cells[row &* width &+ column].range.count, numbers[row])
            if count == 0 { continue }
            values &+= 1
            if value.magnitude < 0x1p53 {
                let whole = Double(Int64(value))
                if whole != value || count < digitsMin && value.magnitude < least { continue }
                // Its text is these digits and nothing else.
                if count < Self.powers.count, silent &>> UInt32(count) & 1 == 1, value >= Self.powers[count &- 1],
                    value < Self.powers[count]
                {
                    continue
                }
            }
            found.append(row)
        }
        return values
    }

    /// Powers of ten from 1 on.
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

    /// Lengths, one bit each, of texts of digits alone, the first one not zero, in which nothing can be found: no form
    /// of so many digits scores enough without a word beside it.
    var silentLengths: UInt32 {
        guard called.isEmpty, named.isEmpty, credential == nil else { return 0 }
        // A dialled number without other signs scores 0.4.
        if sought.contains(.phoneNumber), rules.least[Int(Entity.phoneNumber.rawValue)] <= 0.4 { return 0 }
        var silent: UInt32 = 0
        // Up to four digits are parts of dates and addresses, twelve may be a card's.
        for length in 5...11 {
            var places = Array(rules.index.starting(letters: 0, digits: length, before: 0))
            if length >= 8 { places += rules.index.numbers(of: length) }
            let isSilent = places.allSatisfy { place in
                let shape = rules.index.shapes[place]
                guard sought.contains(shape.entity), shape.lead == 0, Int(shape.count) == length else { return true }
                let isChecked = Recogniser.checks[Int(shape.recogniser)] != nil
                let most = isChecked ? min(1, shape.score + Self.sureBonus) : shape.score
                return most < rules.least[Int(shape.entity.rawValue)]
            }
            if isSilent { silent |= 1 &<< UInt32(length) }
        }
        return silent
    }
}
