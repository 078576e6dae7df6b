import Tabular

/// Runs a pass over slices, on this machine or on several.
///
/// Results come back in any order. The folds that take them merge commutatively or sort by ordinal.
protocol SliceRunner: Sendable {
    /// Runs one pass.
    ///
    /// - Parameters:
    ///   - next: cuts the next slice; nil at the end. It is never called concurrently.
    ///   - work: judges one slice; several calls run at the same time.
    ///   - take: folds one result; it is never called concurrently.
    /// - Throws: the first error of any of the three.
    func run<Result: Sendable>(
        next: () throws(IngestionError) -> SourceSlice?,
        work: @escaping @Sendable (SourceSlice) throws(IngestionError) -> Result,
        take: (Result) throws(IngestionError) -> Void
    ) async throws(IngestionError)
}

/// Runs a pass on this machine with at most `jobs` slices at a time. The next slice is cut only once a worker is free,
/// so at most `jobs` + 1 are in memory.
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
