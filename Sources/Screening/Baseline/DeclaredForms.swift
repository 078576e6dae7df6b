import Schemas

/// The forms that a contract declares, and the reports about columns that are left out.
extension ColumnForm {
    /// The form of a column of numbers, or of a text's lengths: the declared one where there are values enough to go
    /// by.
    func declared(_ form: DeclaredForm?, _ batches: [BatchSummary.Measure], isLength: Bool) -> ColumnForm {
        guard let form, self != .unknown else { return self }
        switch form {
        case .key: return .key
        case .category: return self
        case .measure: return isLength ? self : .measure
        // Shares need the values one by one, of which few are kept.
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

    /// Why a column is left out of the statistics, and what would put it in; nil for one that is compared, or has too
    /// few values to say.
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
