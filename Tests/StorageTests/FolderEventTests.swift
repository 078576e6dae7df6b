import Glibc
import Testing

@testable import Storage

@Suite struct `folders that are watched` {
    @Test func `events of folders are understood, lost ones too`() throws {
        func event(_ watch: Int32, _ mask: Int32, _ name: String = "") -> [UInt8] {
            var bytes: [UInt8] = []
            let padded = name.isEmpty ? 0 : (name.utf8.count / 16 + 1) * 16
            for word in [UInt32(bitPattern: watch), UInt32(bitPattern: mask), 0, UInt32(padded)] {
                for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(8 * shift))) }
            }
            return bytes + Array(name.utf8) + [UInt8](repeating: 0, count: padded - name.utf8.count)
        }
        let bytes =
            event(1, Int32(IN_CLOSE_WRITE), "a.csv") + event(-1, Int32(IN_Q_OVERFLOW))
            + event(2, Int32(IN_MOVED_TO), "b\n.csv") + event(2, Int32(IN_MOVED_TO | IN_ISDIR), "folder")
            + event(2, Int32(IN_UNMOUNT)) + event(2, Int32(IN_IGNORED))
            + event(1, Int32(IN_CLOSE_WRITE), "cut.csv").prefix(20)
        var found: [FolderEvent] = []
        FolderEvents.parse(bytes[...], into: &found)
        func name(_ text: String) throws -> FileName { try #require(FileName(Array(text.utf8))) }
        #expect(
            try found == [
                .arrived(watch: 1, name: name("a.csv")), .overflowed, .arrived(watch: 2, name: name("b\n.csv")),
                .gone(watch: 2), .arrived(watch: 1, name: name("cut.")),
            ])
    }

    @Test(arguments: [
        ([0x61, 0x0A, 0x1B] as [UInt8], "a\\x0a\\x1b"), ([0x61, 0xFF], "a\\xff"), (Array("é\u{202E}".utf8), "é\\x202e"),
    ]) func `names are shown so that they forge nothing`(bytes: [UInt8], shown: String) throws {
        #expect(try #require(FileName(bytes)).description == shown)
        for wrong in [[], [0x2E], [0x2E, 0x2E], [0x61, 0x2F], [0x61, 0]] as [[UInt8]] {
            #expect(FileName(wrong) == nil)
        }
    }
}
