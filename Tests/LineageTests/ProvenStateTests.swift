import Tabular
import Testing

@testable import Lineage

/// The state folded from the log.
@Suite struct `the state that entries prove` {
    @Test func `the last number of a supplier's manifests never goes down`() {
        var state = ProvenState()
        for (place, number) in [7, 5, 8, 3].enumerated() {
            let batch = JSONValue.string("b\(place)")
            let manifest = JSONValue.object(["manifest": .object(["sequence": .integer(Int64(number))])])
            let received = JSONValue.object([
                "kind": .string("batch.received"), "batch": batch, "dataset": .string("d"), "source": .string("s"),
                "data_hash": .string("00"), "vouched": manifest,
            ])
            let judged = JSONValue.object([
                "kind": .string("batch.judged"), "batch": batch, "verdict": .string("accepted"),
            ])
            state.add(received, sequence: 2 * place)
            state.add(judged, sequence: 2 * place + 1)
        }
        #expect(state.lastNumber(dataset: "d", supplier: "s") == 8)
    }
}
