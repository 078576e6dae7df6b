import Lineage
import Schemas
import Sealing
import Storage
import Synchronization
import Tabular

/// When a daemon must stop: some time after the first signal, at once after the second.
final class StopClock: Sendable {
    let signals: StopSignals
    private let grace: Double
    private let state = Mutex<(signal: Int32?, deadline: Double)>((nil, .infinity))

    init(_ signals: StopSignals, grace: Double) {
        self.signals = signals
        self.grace = grace
    }

    /// The signal that came first.
    var signal: Int32? { state.withLock { $0.signal } }

    /// Looks for signals, and tells whether the time that a file in work may still take is over.
    func isOver() -> Bool {
        let received = signals.received()
        return state.withLock { state in
            if let received {
                state.deadline = state.signal == nil ? Clock.monotonic() + grace : 0
                state.signal = state.signal ?? received
            }
            return state.signal != nil && Clock.monotonic() >= state.deadline
        }
    }
}
