import Cryptography
import Foundation
import Sealing
import Storage
import Testing

/// Searches bytes in all writable memory of this process. It allocates everything that it needs before they are
/// released, since freed memory may be reused by the next allocation.
private struct OwnMemory {
    private var needle: [UInt8]
    private var chunk = [UInt8](repeating: 0, count: 1 << 20)
    private let file: Int32
    private var ranges: [Range<UInt>] = []

    /// Bytes that occur nowhere else; they are searched by their first 32.
    static func pattern(_ count: Int, _ salt: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: (($0 &* $0 &* 31 &+ $0 &* 7 &+ salt) ^ ($0 >> 3)) &* 113) }
    }

    init(lookingFor salt: Int) throws {
        needle = Self.pattern(32, salt)
        file = unsafe Glibc.open("/proc/self/mem", O_RDONLY)
        try #require(file >= 0)
    }

    /// Lists the memory ranges while the bytes are still held.
    mutating func map() throws {
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        ranges = maps.split(separator: "\n").filter { $0.contains(" rw") }.compactMap { line in
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 ? ends[0]..<ends[1] : nil
        }
    }

    /// Number of copies of a pattern's first bytes, without those of this search.
    mutating func copies() -> Int {
        var found = 0
        for range in ranges {
            var at = range.lowerBound
            while at < range.upperBound {
                let wanted = min(Int(range.upperBound - at), chunk.count)
                let (file, needle) = (file, needle)
                found += unsafe chunk.withUnsafeMutableBytes { buffer in
                    let got = unsafe pread(file, buffer.baseAddress, wanted, off_t(at))
                    return unsafe got > 0 ? Self.matches(buffer, got, from: at, needle) : 0
                }
                // Includes those across two chunks.
                at += UInt(wanted == chunk.count ? wanted - 31 : wanted)
            }
        }
        return found
    }

    /// Ends the search and wipes the patterns, so that the next search does not find them.
    mutating func close() {
        wipe(&chunk)
        wipe(&needle)
        _ = Glibc.close(file)
    }

    private static func matches(
        _ buffer: UnsafeMutableRawBufferPointer, _ count: Int, from start: UInt, _ needle: [UInt8]
    ) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        return unsafe needle.withUnsafeBytes { needle in
            guard let wanted = needle.baseAddress else { return 0 }
            let own = [
                UInt(bitPattern: base)..<UInt(bitPattern: base) + UInt(buffer.count),
                UInt(bitPattern: wanted)..<UInt(bitPattern: wanted) + UInt(needle.count),
            ]
            var (found, at) = (0, 0)
            while at + needle.count <= count,
                let match = unsafe memchr(base + at, Int32(needle[0]), count - at - needle.count + 1)
            {
                at = unsafe UnsafeRawPointer(match) - UnsafeRawPointer(base)
                let place = start + UInt(at)
                if unsafe memcmp(match, wanted, needle.count) == 0, !own.contains(where: { $0.contains(place) }) {
                    found += 1
                }
                at += 1
            }
            return found
        }
    }
}

@Suite(.serialized) struct `What a message leaves in memory` {
    private static let key = Result { try SecretKey(random: 32) }
    private func recipients() throws -> [any WrappingKey] { [AESWrappingKey(name: "k", key: try Self.key.get())] }

    /// Writes patterns in parts, since a growing buffer leaves copies behind, and the heap itself overwrites the first
    /// one.
    private func writePatterns(from first: Int, _ write: (Span<UInt8>) throws -> Void) throws {
        for salt in first..<first + 40 {
            var bytes = OwnMemory.pattern(500, salt)
            try write(bytes.span)
            wipe(&bytes)
        }
    }

    @Test func `a sealer that is dropped unfinished wipes what it held`() throws {
        var memory = try OwnMemory(lookingFor: 1007)
        defer { memory.close() }
        func begin() throws {
            var sealer = try MessageSealer(context: [:], recipients: recipients())
            try writePatterns(from: 1000) { try sealer.write($0) }
            try memory.map()
            #expect(memory.copies() == 1, "it is there before")
            #expect(sealer.output.count > 0)
        }
        try begin()
        #expect(memory.copies() == 0)
    }

    @Test func `a writer that is dropped unfinished does, too`() throws {
        try withFolder { folder in
            var memory = try OwnMemory(lookingFor: 2007)
            defer { memory.close() }
            func begin() throws {
                var writer = try MessageWriter(
                    to: try StagedFile(in: folder, name: "a"), context: [:], recipients: recipients())
                try writePatterns(from: 2000) { try writer.write($0) }
                try memory.map()
                #expect(memory.copies() == 1, "it is there before")
                try writer.write([0].span)
            }
            try begin()
            #expect(memory.copies() == 0)
        }
    }

    @Test func `a reader leaves nothing of any frame, also where the last is shorter`() throws {
        var bytes = OwnMemory.pattern(5000, 3003)
        // The pattern is beyond the part that the second frame overwrites.
        var whole = [UInt8](repeating: 0, count: 2000) + bytes
        wipe(&bytes)
        let (message, _) = try sealMessage(
            whole.span, context: [:], recipients: recipients(), frameLength: 6990)
        wipe(&whole)
        var memory = try OwnMemory(lookingFor: 3003)
        defer { memory.close() }
        let reader = try MessageReader(.bytes(message), keys: KeyRing(try recipients()))
        var frames = 0
        let count = try reader.decrypt { _ in
            if frames == 0 { try memory.map() }
            frames += 1
        }
        #expect(count == 7000 && frames == 2)
        #expect(memory.copies() == 0)
    }
}
