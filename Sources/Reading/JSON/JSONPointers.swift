import Tabular

/// The nested values that become cells: JSON Pointers (RFC 6901) as a tree of their tokens.
struct JSONPointers: Sendable {
    /// A node of the tree.
    struct Node: Sendable {
        /// The contract's field; -1 for a node that only leads to others.
        var field = -1
        /// Child nodes by token; elements of an array go by their index.
        var children: [[UInt8]: Int] = [:]
    }

    /// The nodes of the tree; roots are members of the record.
    private(set) var nodes: [Node] = []
    /// Nodes of the members with nested fields, by name.
    private(set) var roots: [[UInt8]: Int] = [:]
    private let rejectsUnknown: Bool
    private let notesUnknown: Bool

    /// A tree of the pointers with more than one token; a pointer with one token is an ordinary member.
    init(_ paths: [[String]?], rejectsUnknown: Bool, notesUnknown: Bool) {
        self.rejectsUnknown = rejectsUnknown
        self.notesUnknown = notesUnknown
        for (field, path) in paths.enumerated() {
            guard let path, path.count > 1 else { continue }
            let tokens = path.map { Array($0.utf8) }
            var at = place(tokens[0], in: nil)
            for token in tokens.dropFirst() { at = place(token, in: at) }
            nodes[at].field = field
        }
    }

    private mutating func place(_ token: [UInt8], in parent: Int?) -> Int {
        let known = parent.map { nodes[$0].children[token] } ?? roots[token]
        if let known { return known }
        nodes.append(Node())
        if let parent { nodes[parent].children[token] = nodes.count - 1 } else { roots[token] = nodes.count - 1 }
        return nodes.count - 1
    }

    /// The part of a value that the contract names.
    enum Part {
        /// All of it, or the rest may remain.
        case known
        /// Nothing in it: it is refused or dropped as a whole.
        case unknown
        /// Part of it, and the rest must be refused, since it cannot be dropped by itself.
        case refused
    }

    /// Puts nested values into the cells of the current row.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the enclosing value, which is valid JSON.
    ///   - place: its node.
    ///   - isCovered: whether a field holds the value as a whole, so that nothing in it is unknown.
    ///   - block: the block with the current row at its end.
    func lift(
        _ bytes: Span<UInt8>, in range: Range<Int>, at place: Int, isCovered: Bool, into block: inout RecordBlock
    ) -> Part {
        let (start, end) = (range.lowerBound, range.upperBound)
        let node = nodes[place]
        if node.field >= 0 { assign(bytes, in: range, to: node.field, of: &block) }
        if node.children.isEmpty { return .known }
        let isCovered = isCovered || node.field >= 0
        let isObject = bytes[start] == 0x7B
        guard isObject || bytes[start] == 0x5B else {
            // A null on the way holds nothing; any other scalar is an unnamed value.
            return isCovered || JSONSkimmer.scalarKind(bytes, start, end) == .null ? .known : .unknown
        }
        var at = start + 1
        var index = 0
        var (hasKnown, hasUnknown) = (false, false)
        while true {
            at = skip(bytes, at, end)
            if at >= end - 1 { break }
            if bytes[at] == 0x2C {
                at += 1
                continue
            }
            let member = at
            var token = Array(String(index).utf8)
            if isObject {
                let close = endOfString(bytes, at)
                token = []
                _ = decodeJSONString(bytes, at + 1..<close, into: &token)
                at = skip(bytes, close + 1, end)
                at = skip(bytes, at + 1, end)
            }
            let last = endOfValue(bytes, at, end)
            var part = isCovered ? Part.known : .unknown
            if let child = node.children[token] {
                part = lift(bytes, in: at..<last, at: child, isCovered: isCovered, into: &block)
            }
            switch part {
            case .known: hasKnown = true
            case .refused: return .refused
            case .unknown:
                hasUnknown = true
                if isObject {
                    if rejectsUnknown { return .refused }
                    if notesUnknown { block.addExtra(from: member, to: last) }
                }
            }
            at = last
            index += 1
        }
        // An element has no key and cannot be left out by itself; an array of unknown elements is left out as a whole.
        if isObject || !hasUnknown || !(rejectsUnknown || notesUnknown) { return .known }
        return hasKnown ? .refused : .unknown
    }

    /// Makes the value in `range` the cell of a field of the current row.
    private func assign(_ bytes: Span<UInt8>, in range: Range<Int>, to field: Int, of block: inout RecordBlock) {
        let (start, end) = (range.lowerBound, range.upperBound)
        let origin = block.base
        let place = block.cells.count - block.width + field
        var (first, last) = (start - origin, end - origin)
        var kind = CellKind.quoted
        switch bytes[start] {
        case 0x22:
            (first, last) = (first + 1, last - 1)
            var hasEscape = false
            for at in start..<end where bytes[at] == 0x5C { hasEscape = true }
            if hasEscape {
                first = block.decoded.count
                _ = decodeJSONString(bytes, start + 1..<end - 1, into: &block.decoded)
                last = block.decoded.count
                block.decodedCells.append(place)
            }
        case 0x7B: kind = .object
        case 0x5B: kind = .array
        default: kind = JSONSkimmer.scalarKind(bytes, start, end) ?? .absent
        }
        block.cells[place] = Cell(
            kind: kind, start: first, end: last, rawStart: start - origin, rawEnd: end - origin)
    }

    private func skip(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x09 || bytes[at] == 0x0D { at += 1 }
        return at
    }

    /// The closing quote of the string that begins at an offset.
    private func endOfString(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while bytes[at] != 0x22 { at += bytes[at] == 0x5C ? 2 : 1 }
        return at
    }

    /// The end of a valid JSON value.
    private func endOfValue(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var depth = 0
        var at = start
        while at < end {
            switch bytes[at] {
            case 0x22:
                at = endOfString(bytes, at)
                if depth == 0 { return at + 1 }
            case 0x7B, 0x5B: depth += 1
            case 0x7D, 0x5D:
                if depth == 0 { return at }
                depth -= 1
                if depth == 0 { return at + 1 }
            case 0x2C, 0x20, 0x09, 0x0D:
                if depth == 0 { return at }
            default: break
            }
            at += 1
        }
        return at
    }
}
