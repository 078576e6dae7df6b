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
    func expect(_ empty: Profile, _ cutter: SliceCutter, _ source: Source) {
        let share = Double(cutter.bytesRead) / Double(source.size)
        lower(to: empty.bounds(expecting: Double(cutter.rows) / share))
    }
}

/// Samples the rows once more, by no expectation: a file whose first rows are like none of the others, or one with few sound rows.
///
/// - Parameter draws: what was drawn in each slice the first time.
func resample(
    _ source: Source, _ places: [SlicePlace], _ plan: Plan, _ layout: Layout, draws: [SliceDraw?]
) async throws(IngestionError) -> Profile {
    var profile = Profile(plan.reader, keyRules: 0)
    let bounds = SharedBounds(Profile.Bounds())
    let replayer = try SliceReplayer(source, places: places, plan.reading.coding, hashes: false)
    try await LocalRunner(jobs: plan.options.jobs).run(
        next: { () throws(IngestionError) in try replayer.next() },
        work: { slice throws(IngestionError) in
            var part = try survey(slice, plan, layout, bounds: bounds.value, draw: draws[slice.ordinal]).profile
            part.keys = []
            return part
        },
        take: { part in
            profile.merge(part)
            bounds.lower(to: profile.bounds)
        })
    return profile
}
