import Foundation
import Ingestion
import Lineage
import Schemas
import Storage
import Tabular
import Testing

/// A store and files in a folder of its own.
struct Workshop {
    let folder: String
    let store: Store

    /// The user's pinned ledgers must not depend on the tests.
    private static let settings: Void = {
        unsafe setenv("XDG_CONFIG_HOME", NSTemporaryDirectory() + "sluice-tests-" + UUID().uuidString, 1)
    }()

    init() throws {
        _ = Self.settings
        folder = NSTemporaryDirectory() + "sluice-ingestion-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try Store.create(folder + "/store")
    }

    /// The same folder with its store opened again.
    init(folder: String, store: Store) {
        self.folder = folder
        self.store = store
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String) throws -> String {
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    /// A contract with a key and a number.
    static func contract(_ more: String = "") throws -> (schema: Schema, document: JSONValue) {
        let text = """
            name: numbers
            fields:
              - { name: id, type: integer, constraints: { required: true, unique: true } }
              - { name: x, type: number }
              - { name: note, type: string }
            sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 0.5 }, baseline: { learning: 1 }\(more) }

            """
        let loaded = try Schema.load(Array(text.utf8), name: "numbers.schema.yaml")
        return (Schema.digested(loaded), loaded.document)
    }

    func run(_ path: String, mode: RunMode = .ingest, _ change: (inout BatchOptions) -> Void = { _ in }) async throws
        -> BatchReport
    {
        let (schema, document) = try Self.contract()
        var options = BatchOptions()
        options.mode = mode
        options.sliceBytes = 65_536
        change(&options)
        let pipeline = try Pipeline(store: store, writes: mode == .ingest)
        return try await pipeline.run(
            BatchRequest(
                BatchInput(file: path), schema: schema, contract: document, dataset: "numbers", source: "test",
                options: options)
        )
    }

    /// The text of a published file.
    func opened(_ path: String) throws -> String {
        let reader = try openShard(store.root + "/" + path, keys: try store.keyRing())
        var bytes: [UInt8] = []
        _ = try readShard(reader, path: path) { span in for at in span.indices { bytes.append(span[at]) } }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func rows(_ count: Int, from first: Int = 1, note: String = "n") -> String {
        var text = "id,x,note\n"
        for id in first..<first + count { text += "\(id),\(Double(id % 97) / 7),\(note)\n" }
        return text
    }

    /// The ledger verifies, every file is the recorded one, and nothing is left in `work/`.
    func expectSound() throws {
        let ledger = try store.ledger()
        #expect(try Ledger.verify(path: store.ledgerPath, key: ledger.verifier).damage.isEmpty)
        let problems = try Store(store.root).proving().audit().problems
        #expect(problems == [])
        #expect(try listFolder(store.workFolder).isEmpty)
    }
}

/// The error of a body; nil when it throws none of ours.
func failure(_ body: () async throws -> Void) async -> IngestionError? {
    do { try await body() } catch { return error as? IngestionError }
    return nil
}

/// Runs something to its end while the caller's thread waits, as another process would do it in the middle of a step.
///
/// It has threads of its own: the pool has one a processor, and the waiting callers may hold all of them.
func meanwhile(_ body: @escaping @Sendable () async -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task.detached(executorPreference: OwnThreads()) {
        await body()
        done.signal()
    }
    done.wait()
}

/// Runs each job on a new thread.
private final class OwnThreads: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = unsafe asUnownedTaskExecutor()
        Thread { unsafe job.runSynchronously(on: executor) }.start()
    }
}

/// Is set once, by whichever thread comes first.
final class Once: @unchecked Sendable {
    private let lock = NSLock()
    private var isSet = false

    /// - Returns: whether it was set before.
    func set() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        defer { isSet = true }
        return isSet
    }
}
