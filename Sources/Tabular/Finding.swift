/// One thing that is wrong with a row, a cell or a batch, and its place; never the value itself.
package struct Finding: Sendable, Equatable {
    /// The kind of the finding.
    package var code: FindingCode
    /// The outcome that it gives the row.
    package var outcome: Outcome
    /// What it is about.
    package var location: Location
    /// Where the row lies in the source file, without its line end; nil for the whole batch, or where it is unknown.
    package var bytes: Range<UInt64>?
    /// The statistic that was compared, for statistical findings.
    package var statistic: Double?
    /// The threshold that the statistic was compared with.
    package var threshold: Double?
    /// The contract fields that contribute most, strongest first; for multivariate findings.
    package var contributors: [Int]
    /// The JSON Schema keyword that failed: a location in the schema, never one in the data.
    package var keyword: String?
    /// The name of the contract's rule that failed, where there can be several.
    package var rule: String?
    /// For a finding about the whole batch: what changed, and how much it usually varies.
    package var movement: Movement?

    /// Makes a finding.
    ///
    /// - Parameters:
    ///   - location: what it is about.
    ///   - bytes: where the row lies in the source file.
    package init(_ code: FindingCode, outcome: Outcome, at location: Location, bytes: Range<UInt64>? = nil) {
        self.code = code
        self.outcome = outcome
        self.location = location
        self.bytes = bytes
        contributors = []
    }

    /// The row that it is about, if any; see ``Location/row``.
    package var row: Int? { location.row }
    /// The contract's field that it is about, if any; see ``Location/field``.
    package var field: Int? { location.field }
    /// The offset of the row's first byte in the source file, as reports state it: 0 where it is unknown.
    package var byteOffset: UInt64 { bytes?.lowerBound ?? 0 }
    /// The length of the row in source bytes, as reports state it: 0 where it is unknown.
    package var byteLength: UInt64 { bytes.map { $0.upperBound - $0.lowerBound } ?? 0 }

    /// The same finding with a statistic and its threshold.
    ///
    /// - Parameter contributors: the contract fields that contribute most, strongest first.
    package consuming func measuring(
        _ statistic: Double?, against threshold: Double?, contributors: [Int] = []
    ) -> Finding {
        self.statistic = statistic
        self.threshold = threshold
        self.contributors = contributors
        return self
    }

    /// The same finding with the name of the rule, trigger or supplier that it concerns.
    package consuming func naming(_ rule: String) -> Finding {
        self.rule = rule
        return self
    }
}

extension Finding {
    /// What a finding is about: the batch, one of its columns, one of its rows, or one cell.
    package enum Location: Sendable, Hashable, Comparable {
        /// The whole batch.
        case batch
        /// The contract's field with this index, in all rows.
        case column(Int)
        /// The data record with this number, all fields.
        case row(Int)
        /// One field of one row.
        case cell(row: Int, field: Int)

        /// A location from its parts, of which either may be missing.
        ///
        /// - Parameters:
        ///   - row: the number of the data record, from 1; nil for all rows.
        ///   - field: the index of the contract's field; nil for all fields.
        package init(row: Int? = nil, field: Int?) {
            switch (row, field) {
            case (nil, nil): self = .batch
            case (nil, let field?): self = .column(field)
            case (let row?, nil): self = .row(row)
            case (let row?, let field?): self = .cell(row: row, field: field)
            }
        }

        /// The number of the data record in its file, from 1; the header is not counted. Nil when it is about no single
        /// row.
        package var row: Int? {
            switch self {
            case .batch, .column: nil
            case .row(let row), .cell(let row, _): row
            }
        }

        /// The index of the contract's field; nil when it is about no single field.
        package var field: Int? {
            switch self {
            case .batch, .row: nil
            case .column(let field), .cell(_, let field): field
            }
        }

        /// Orders locations by row, then field; the whole comes before its parts.
        package static func < (left: Location, right: Location) -> Bool {
            // Rows count from 1, fields from 0.
            (left.row ?? 0, left.field ?? -1) < (right.row ?? 0, right.field ?? -1)
        }
    }
}

extension [String] {
    /// The name of a field of the contract whose field names these are; nil for no field, or one of another contract.
    package func name(ofField field: Int?) -> String? {
        guard let field, indices.contains(field) else { return nil }
        return self[field]
    }
}
