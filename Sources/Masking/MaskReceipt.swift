package import Schemas

/// What was done to cells of one column; counted, and kept in the ledger.
package struct MaskReceipt: Sendable, Hashable, Comparable {
    /// The contract's field.
    package var field: Int
    /// The entity's name.
    package var entity: String
    /// What was done.
    package var operation: MaskOperator

    /// Orders receipts by field, entity and operator.
    package static func < (left: MaskReceipt, right: MaskReceipt) -> Bool {
        (left.field, left.entity, left.operation.rawValue) < (right.field, right.entity, right.operation.rawValue)
    }
}

/// Masking that cannot be done as the contract wants it.
package struct UnusableMask: Error, Sendable {
    /// What is wrong, and the cure.
    package let reason: String
    /// Whether the contract is to be changed, not a key to be had.
    package var isContract = false
}
