import CKernels
import Tabular

/// A forest in a decision. It is most of a small batch's evidence, so it is stored by column, and without what follows
/// from the rest: nodes stand in preorder, so the right child of a node is the one after its left subtree.
///
/// `leaves` has a digit for each node, 1 for a leaf. `values` has the values of the leaves, and every other member the
/// numbers of the inner nodes, as 16-bit numbers of four hexadecimal digits.
extension IsolationForest {
    var document: JSONValue {
        var members: [String: JSONValue] = [
            "trees": whole(trees), "sample_size": whole(sampleSize), "dimensions": whole(dimensions),
            "fields": .array(fields.map(whole)),
            "quantisers": .array(quantisers.map { .array([bits($0.center), bits($0.scale)]) }),
            "roots": .array(roots.map { whole(Int($0)) }),
        ]
        let isLeaf = dimensions == 1 ? narrow.map { $0.feature < 0 } : wide.map { $0.leaf != 0 }
        members["leaves"] = .string(String(decoding: isLeaf.map { $0 ? 0x31 : 0x30 } as [UInt8], as: UTF8.self))
        if dimensions == 1 {
            let inner = narrow.filter { $0.feature >= 0 }
            members["values"] = words(narrow.filter { $0.feature < 0 }.map(\.value))
            members["feature"] = words(inner.map(\.feature))
            members["threshold"] = words(inner.map(\.threshold))
        } else {
            let inner = wide.filter { $0.leaf == 0 }
            members["values"] = words(wide.filter { $0.leaf != 0 }.map(\.value))
            members["w0"] = words(inner.map(\.w.0))
            members["w1"] = words(inner.map(\.w.1))
            members["w2"] = words(inner.map(\.w.2))
            members["f0"] = words(inner.map { Int16($0.f.0) })
            members["f1"] = words(inner.map { Int16($0.f.1) })
            members["f2"] = words(inner.map { Int16($0.f.2) })
            members["threshold"] = words(inner.map(\.threshold))
        }
        return .object(members)
    }
}

extension IsolationForest.Nodes {
    /// Reads the nodes of a document by column; `roots` is known.
    mutating func read(_ kept: Kept, isWide: Bool) throws(Unreadable) {
        let leaves = Array(try kept.text("leaves").utf8)
        let rights = try rightChildren(leaves)
        var values = try kept.words("values").makeIterator()
        var columns: [IndexingIterator<[Int16]>] = []
        for name in isWide ? ["w0", "w1", "w2", "f0", "f1", "f2", "threshold"] : ["feature", "threshold"] {
            columns.append(try kept.words(name).makeIterator())
        }
        func must(_ number: Int16?) throws(Unreadable) -> Int16 {
            guard let number else { throw Unreadable() }
            return number
        }
        for (digit, right) in zip(leaves, rights) {
            if digit == 0x31 {
                let value = try must(values.next())
                if isWide {
                    wide.append(WideNode(w: (0, 0, 0), f: (0, 0, 0), leaf: 1, threshold: 0, value: value, right: 0))
                } else {
                    narrow.append(NarrowNode(feature: -1, threshold: 0, value: value, right: 0))
                }
                continue
            }
            var numbers: [Int16] = []
            for place in columns.indices { numbers.append(try must(columns[place].next())) }
            if isWide {
                guard numbers[3...5].allSatisfy({ (0...255).contains($0) }) else { throw Unreadable() }
                wide.append(
                    WideNode(
                        w: (numbers[0], numbers[1], numbers[2]),
                        f: (UInt8(numbers[3]), UInt8(numbers[4]), UInt8(numbers[5])), leaf: 0, threshold: numbers[6],
                        value: 0, right: right))
            } else {
                guard numbers[0] >= 0 else { throw Unreadable() }
                narrow.append(NarrowNode(feature: numbers[0], threshold: numbers[1], value: 0, right: right))
            }
        }
    }

    /// For each node the place of its right child in its tree; 0 for leaves.
    private func rightChildren(_ leaves: [UInt8]) throws(Unreadable) -> [UInt16] {
        var rights = [UInt16](repeating: 0, count: leaves.count)
        for tree in roots.indices.dropLast() {
            let (first, end) = (Int(roots[tree]), Int(roots[tree + 1]))
            guard first < end, end <= leaves.count else { throw Unreadable() }
            // Inner nodes whose left subtree is being read: each leaf ends the left subtree of the last of them.
            var waiting: [Int] = []
            for at in first..<end {
                guard leaves[at] == 0x31 || leaves[at] == 0x30, at - first < 1 << 15 else { throw Unreadable() }
                if leaves[at] == 0x30 {
                    waiting.append(at)
                } else if let inner = waiting.popLast() {
                    rights[inner] = UInt16(at + 1 - first)
                } else if at + 1 < end {
                    throw Unreadable()
                }
            }
            if !waiting.isEmpty { throw Unreadable() }
        }
        return rights
    }
}

extension Kept {
    /// 16-bit numbers of four hexadecimal digits each.
    fileprivate func words(_ key: String) throws(Unreadable) -> [Int16] {
        let digits = Array(try text(key).utf8)
        guard digits.count.isMultiple(of: 4) else { throw Unreadable() }
        var words: [Int16] = []
        words.reserveCapacity(digits.count / 4)
        for place in stride(from: 0, to: digits.count, by: 4) {
            var word: UInt16 = 0
            for digit in digits[place..<place + 4] {
                guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { throw Unreadable() }
                word = word << 4 | UInt16(value)
            }
            words.append(Int16(bitPattern: word))
        }
        return words
    }
}

/// 16-bit numbers as four hexadecimal digits each.
private func words(_ numbers: [Int16]) -> JSONValue {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(4 * numbers.count)
    for number in numbers {
        let word = UInt16(bitPattern: number)
        for shift in [12, 8, 4, 0] { text.append(digits[Int(word >> UInt16(shift) & 15)]) }
    }
    return .string(String(decoding: text, as: UTF8.self))
}
