import Tabular

/// Runs a pass over slices: on this machine or on others.
///
/// Results come back in any order; the folds that take them merge commutatively or sort by ordinal.
protocol SliceRunner: Sendable {
    /// Cuts slices with `next`, works on them with `work` at the same time, and hands each result to `take`, one at a time.
    func run<Result: Sendable>(
        next: () throws(IngestionError) -> SourceSlice?,
        work: @escaping @Sendable (SourceSlice) throws(IngestionError) -> Result,
        take: (Result) throws(IngestionError) -> Void
    ) async throws(IngestionError)
}

/// Runs a pass on this machine: at most `jobs` slices at a time; the next one is cut only when one is done.
struct LocalRunner: SliceRunner {
    let jobs: Int

    func run<Result: Sendable>(
        next: () throws(IngestionError) -> SourceSlice?,
        work: @escaping @Sendable (SourceSlice) throws(IngestionError) -> Result,
        take: (Result) throws(IngestionError) -> Void
    ) async throws(IngestionError) {
        do {
            try await withThrowingTaskGroup(of: Result.self) { group in
                var running = 0
                while let slice = try next() {
                    if running >= jobs, let result = try await group.next() {
                        running -= 1
                        try take(result)
                    }
                    group.addTask { try work(slice) }
                    running += 1
                }
                while let result = try await group.next() { try take(result) }
            }
        } catch let error as IngestionError {
            throw error
        } catch {
            throw IngestionError(.software, "internal error: \(error); please report it")
        }
    }
}
