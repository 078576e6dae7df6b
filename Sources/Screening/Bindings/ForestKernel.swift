import CKernels

/// A node of a classical tree, as the kernel reads it.
typealias NarrowNode = SluiceNode
/// A node of an extended tree.
typealias WideNode = SluiceWideNode

/// Rows in the kernel's layout: features in 16 bits, in blocks of 64 rows, feature-major within a block.
struct QuantisedRows {
    /// Blocks × features × 64.
    var columns: [Int16]
    let blocks: Int, features: Int

    /// `count` rows whose features are all 0.
    init(_ count: Int, features: Int) {
        blocks = (count + 63) / 64
        self.features = features
        columns = [Int16](repeating: 0, count: blocks * 64 * features)
    }
}

/// Sums of leaf values of trees over blocks of 64 rows: the C kernel behind checked bounds.
enum ForestKernel {
    /// Quantises one feature of the rows to 16 bits and stores it in each block of 64 rows.
    static func quantise(
        _ values: [Double], _ quantiser: IsolationForest.Quantiser, feature: Int, of features: Int,
        into columns: inout [Int16]
    ) {
        precondition(feature < features && columns.count == (values.count + 63) / 64 * features * 64)
        // Sound: the size was checked above; the feature's blocks begin at its place in the first one.
        unsafe columns.withUnsafeMutableBufferPointer { columns in
            guard let base = columns.baseAddress else { return }
            unsafe sluice_forest_quantise(
                values, values.count, quantiser.center, quantiser.scale, Int32(features), base + feature * 64)
        }
    }

    /// Each row's sum over all classical trees, in groups of trees whose sums fit 16 bits.
    ///
    /// - Parameters:
    ///   - roots: the index of each tree's first node, then the number of nodes.
    ///   - isScalar: whether the portable version is used; its results are bit-identical.
    ///   - isScalar: uses the variant without vector instructions, which has the same bits.
    static func narrow(
        _ rows: QuantisedRows, _ nodes: [NarrowNode], roots: [UInt32], isScalar: Bool = false
    ) -> [UInt32] {
        unsafe sums(rows, nodes, roots: roots, by: isScalar ? sluice_forest_scalar : sluice_forest)
    }

    /// The same for extended trees.
    static func wide(
        _ rows: QuantisedRows, _ nodes: [WideNode], roots: [UInt32], isScalar: Bool = false
    ) -> [UInt32] {
        unsafe sums(rows, nodes, roots: roots, by: isScalar ? sluice_forest_wide_scalar : sluice_forest_wide)
    }

    /// A kernel: columns, blocks, features, nodes, the group's first root, the number of trees, and the sums that it
    /// writes.
    private typealias Kernel<Node> = (
        UnsafePointer<Int16>?, Int, Int32, UnsafePointer<Node>?, UnsafePointer<UInt32>?, Int32,
        UnsafeMutablePointer<UInt16>?
    ) -> Void

    private static func sums<Node>(
        _ rows: QuantisedRows, _ nodes: [Node], roots: [UInt32], by kernel: Kernel<Node>
    ) -> [UInt32] {
        let (blocks, features) = (rows.blocks, rows.features)
        precondition(rows.columns.count == blocks * features * 64 && roots.last.map(Int.init) == nodes.count)
        return grouped(blocks: blocks, trees: roots.count - 1) { first, count, out in
            // Sound: sizes were checked above; `roots` holds one entry past the group's last tree.
            unsafe roots.withUnsafeBufferPointer { roots in
                guard let base = roots.baseAddress else { return }
                unsafe kernel(rows.columns, blocks, Int32(features), nodes, base + first, Int32(count), &out)
            }
        }
    }

    private static func grouped(
        blocks: Int, trees: Int, _ body: (_ first: Int, _ count: Int, _ out: inout [UInt16]) -> Void
    ) -> [UInt32] {
        var sums = [UInt32](repeating: 0, count: blocks * 64)
        var part = [UInt16](repeating: 0, count: blocks * 64)
        var first = 0
        while first < trees {
            let count = min(100, trees - first)
            body(first, count, &part)
            for index in sums.indices { sums[index] &+= UInt32(part[index]) }
            first += count
        }
        return sums
    }
}
