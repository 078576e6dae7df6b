package import Schemas

/// An operation on cells of one column; the ledger keeps its count.
package struct MaskReceipt: Sendable, Hashable, Comparable {
    /// The contract's field.
    package var field: Int
    /// The entity's name.
    package var entity: String
    /// The operator that was applied.
    package var operation: MaskOperator

    /// Orders receipts by field, entity and operator.
    package static func < (left: MaskReceipt, right: MaskReceipt) -> Bool {
        (left.field, left.entity, left.operation.rawValue) < (right.field, right.entity, right.operation.rawValue)
    }
}

/// A contract whose masking rules cannot be applied.
package struct UnusableMask: Error, Sendable {
    /// Why, and the remedy.
    package let reason: String
    /// Whether the contract must change; otherwise a key is missing.
    package var isContract = false
}
