import Tabular

/// Runs a pass over slices on this machine: at most `jobs` at a time, the next slice is cut only when one is done.
///
/// Results come back in any order; whoever takes them merges commutatively or sorts by ordinal.
struct LocalRunner: Sendable {
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
