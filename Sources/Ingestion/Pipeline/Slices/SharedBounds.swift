import Reading
import Screening
import Synchronization
import Tabular

/// The highest ranks that can still enter the samples. Workers read them while the merging side lowers them; a value
/// that is out of date only lets some rows be copied in vain.
final class SharedBounds: Sendable {
    private let bounds: Mutex<Profile.Bounds>

    init(_ bounds: Profile.Bounds) { self.bounds = Mutex(bounds) }

    var value: Profile.Bounds { bounds.withLock { $0 } }

    /// Lowers each bound to the other's where that is lower. Bounds never rise.
    func lower(to other: Profile.Bounds) {
        bounds.withLock { bounds in
            bounds.sample = min(bounds.sample, other.sample)
            bounds.texts = min(bounds.texts, other.texts)
        }
    }

    /// Lowers the bounds by the number of rows to expect in the whole file, extrapolated from the first slice.
    func expect(_ empty: Profile, _ cutter: SliceCutter, _ source: SourceFiles) {
        let share = Double(cutter.bytesRead) / Double(source.size)
        lower(to: empty.bounds(expecting: Double(cutter.rows) / share))
    }
}
