package import Tabular
package import Schemas

/// An operation on cells of one column; the ledger keeps its count.
package struct MaskReceipt: Sendable, Hashable, Comparable {
    /// The contract's field; nil for members outside the contract.
    package var field: Int?
    /// The entity's name.
    package var entity: String
    /// The operator that was applied.
    package var operation: MaskOperator

    /// Orders receipts by field, entity and operator.
    package static func < (left: MaskReceipt, right: MaskReceipt) -> Bool {
        let (first, second) = (left.field ?? -1, right.field ?? -1)
        return (first, left.entity, left.operation.rawValue) < (second, right.entity, right.operation.rawValue)
    }
}

/// A contract whose masking rules cannot be applied.
package struct UnusableMask: Error, Sendable {
    /// Why, and the remedy.
    package let reason: String
    /// Whether the contract must change; otherwise a key is missing.
    package var isContract = false
}

extension MaskReceipt: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(field)
        wire.append(entity)
        wire.append(operation.rawValue)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        let (field, entity, name) = (try wire.read(Int?.self), try wire.read(String.self), try wire.read(String.self))
        guard let operation = MaskOperator(rawValue: name) else { throw WireError() }
        self.init(field: field, entity: entity, operation: operation)
    }
}
