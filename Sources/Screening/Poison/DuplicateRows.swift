import Sketches

extension Profile {
    /// The number of rows of the sample that repeat an earlier one, and the number of rows of the sample; nil if none
    /// repeats. Below the sample's capacity, the sample is the whole batch.
    package var copies: (rows: Int, of: Int)? {
        let width = sample.codeWidth
        guard width > 0, sample.count > 1 else { return nil }
        var known = Set<UInt64>(minimumCapacity: sample.count)
        var copies = 0
        for row in 0..<sample.count {
            let code = sample.codes[(row + 1) * width - 1]
            if code != 0, !known.insert(code).inserted { copies += 1 }
        }
        return copies > 0 ? (copies, sample.count) : nil
    }
}
