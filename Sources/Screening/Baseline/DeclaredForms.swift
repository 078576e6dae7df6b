import Schemas

/// The forms that a contract declares, and the reports about columns that are left out.
extension ColumnForm {
    /// The form of a column of numbers, or of a text's lengths: the declared form, if there are enough values.
    func declared(_ form: DeclaredForm?, _ batches: [BatchSummary.Measure], isLength: Bool) -> ColumnForm {
        guard let form, self != .unknown else { return self }
        switch form {
        case .key: return .key
        case .category: return self
        case .measure: return isLength ? self : .measure
        // Shares need individual counts, which are kept only for a few values.
        case .code: return batches.allSatisfy { $0.present == 0 || !$0.values.isEmpty } ? .code : .measure
        }
    }

    /// The form of a column of codes.
    func declared(_ form: DeclaredForm?) -> ColumnForm {
        if self == .unknown { return self }
        switch form {
        case .key: return .key
        case .category: return .category
        default: return self
        }
    }

    /// Why a column is left out of statistics, and how to include it; nil for a column that is compared, or has too few
    /// values.
    package func reason(isNumber: Bool) -> String? {
        let why: String
        switch self {
        case .key: why = "all values are different: not screened"
        case .counter: why = "counts up, or has new values in each batch: not screened"
        case .constant: why = "one value in nearly all rows, always the same: only another one is told"
        case .batchConstant: why = "one value in nearly all rows of a batch, another one in another batch: not screened"
        default: return nil
        }
        return "\(why); to screen it set sluice: { form: \(isNumber ? "measure" : "category") } in the field"
    }
}
