import Foundation
import Storage
import Tabular
import Testing

@testable import Ingestion

/// The status that a daemon leaves for `sluice status`.
@Suite struct `the status of a daemon` {
    @Test func `a trouble names nobody, wherever its message has the name of the file`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let name = "jane.roe@example.org.csv"
        let error = IngestionError(
            .notPermitted, "cannot move s/inbox/numbers/\(name) to s/work/7.source: operation not permitted")
        var troubles = Troubles()
        troubles.add(.claim("7"), error, of: name)
        StatusBoard(in: shop.store.files).show(WatchTally(), waiting: 1, working: nil, troubles)
        let path = join(shop.store.root, "watch.status")
        let bytes = try FileDescriptor.openRegular(path).readAll(max: 65_536)
        let answer = try #require(try JSONValue.parse(bytes)["last_error"]?["message"]?.text)
        #expect(!answer.contains("jane.roe") && answer.contains("EMAIL_ADDRESS"), "\(answer)")
        #expect(answer.hasSuffix("to s/work/7.source: operation not permitted"), "\(answer)")
    }

    @Test func `work that took less than a second is in the status at once`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let board = StatusBoard(in: shop.store.files)
        func held() throws -> Int? {
            let bytes = try FileDescriptor.openRegular(join(shop.store.root, "watch.status")).readAll(max: 65_536)
            return try JSONValue.parse(bytes)["held"]?.whole.map { Int($0) }
        }
        // A daemon that wakes for a file shows that it has no work, then works, then waits for the next file.
        var tally = WatchTally()
        board.show(tally, waiting: 0, working: nil, Troubles())
        board.show(tally, waiting: 1, working: "a.csv", Troubles())
        tally.held = 1
        board.show(tally, waiting: 0, working: nil, Troubles())
        #expect(try held() == 1)
    }
}
