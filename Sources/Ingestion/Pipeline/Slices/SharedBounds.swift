import Reading
import Screening
import Synchronization
import Tabular

/// Ranks that rows must not be behind: workers read them while the merging side lowers them.
final class SharedBounds: Sendable {
    private let bounds: Mutex<Profile.Bounds>

    init(_ bounds: Profile.Bounds) { self.bounds = Mutex(bounds) }

    var value: Profile.Bounds { bounds.withLock { $0 } }

    func lower(to other: Profile.Bounds) {
        bounds.withLock { bounds in
            bounds.sample = min(bounds.sample, other.sample)
            bounds.texts = min(bounds.texts, other.texts)
        }
    }

    /// Lowers them by the number of rows that the first slice, which was just cut, lets expect.
    func expect(_ empty: Profile, _ cutter: SliceCutter, _ source: InputFile) {
        let share = Double(cutter.bytesRead) / Double(source.size)
        lower(to: empty.bounds(expecting: Double(cutter.rows) / share))
    }
}
