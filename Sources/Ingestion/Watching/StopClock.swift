import Lineage
import Schemas
import Sealing
import Storage
import Synchronization
import Tabular

/// Decides when a daemon must stop: `grace` seconds after the first signal, at once after the second.
final class StopClock: Sendable {
    let signals: StopSignals
    private let grace: Double
    private let state = Mutex<(signal: Int32?, deadline: Double)>((nil, .infinity))

    init(_ signals: StopSignals, grace: Double) {
        self.signals = signals
        self.grace = grace
    }

    /// The first signal; nil before one.
    var signal: Int32? { state.withLock { $0.signal } }

    /// Checks for signals.
    ///
    /// - Returns: whether the file in work must be abandoned now.
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
