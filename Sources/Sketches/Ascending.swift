// Marked kernel: medians and quantiles of every column of every batch begin with a sorted column.

extension [Double] {
    /// Fewer values are sorted by comparison.
    private static let radixMin = 128

    /// The values in ascending order: −0 before +0; NaN at the end that its sign bit gives.
    ///
    /// Radix sort, least significant byte first (Knuth 5.2.5). It needs no comparisons, whose branches would be
    /// mispredicted half of the time.
    package func ascending() -> [Double] {
        if count < Self.radixMin { return sorted { Self.key($0) < Self.key($1) } }
        var keys = map(Self.key)
        var other = [UInt64](repeating: 0, count: count)
        var counts = [Int](repeating: 0, count: 8 * 256)
        for key in keys {
            for byte in 0..<8 { counts[byte << 8 | Int(truncatingIfNeeded: key >> UInt64(8 * byte)) & 255] += 1 }
        }
        for byte in 0..<8 {
            let shift = UInt64(8 * byte)
            // A byte that is equal in all keys does not affect the order.
            if counts[byte << 8 | Int(truncatingIfNeeded: keys[0] >> shift) & 255] == count { continue }
            var next = 0
            for place in byte << 8..<(byte + 1) << 8 { (counts[place], next) = (next, next + counts[place]) }
            unsafe keys.withUnsafeBufferPointer { keys in
                unsafe other.withUnsafeMutableBufferPointer { other in
                    unsafe counts.withUnsafeMutableBufferPointer { counts in
                        for place in 0..<keys.count {
                            let key = unsafe keys[place]
                            let bucket = byte << 8 | Int(truncatingIfNeeded: key >> shift) & 255
                            // Each index is below the number of keys: the bucket counts sum to it.
                            unsafe other[counts[bucket]] = key
                            unsafe counts[bucket] += 1
                        }
                    }
                }
            }
            swap(&keys, &other)
        }
        return keys.map(Self.value)
    }

    /// An integer with the same order as the value.
    @inline(__always)
    private static func key(_ value: Double) -> UInt64 {
        let bits = value.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    @inline(__always)
    private static func value(_ key: UInt64) -> Double {
        Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key)
    }
}
