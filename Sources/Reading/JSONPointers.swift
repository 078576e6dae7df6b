import Tabular

/// The values inside nested members that become cells: JSON Pointers (RFC 6901) as a tree of their tokens.
struct JSONPointers: Sendable {
    /// One token's place in the tree.
    struct Node: Sendable {
        /// The contract's field that is this value; -1 when it is only on the way to one.
        var field = -1
        /// Places of the tokens below it, by their text; an array's elements go by their index.
        var children: [[UInt8]: Int] = [:]
    }

    /// The tree; the roots are members of the record.
    private(set) var nodes: [Node] = []
    /// Places of the members that have something lifted out of them.
    private(set) var roots: [[UInt8]: Int] = [:]
    private let rejectsUnknown: Bool
    private let notesUnknown: Bool

    /// A tree of the pointers of more than one token; the others are members like any.
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

    /// What a value is to the contract.
    enum Part {
        /// All of it is named, or may stay.
        case known
        /// Nothing in it is: it is refused or dropped as a whole.
        case unknown
        /// It has what must be refused, because it cannot be dropped by itself.
        case refused
    }

    /// Puts what is lifted out of a value, which is known to be JSON, into the cells of a row.
    ///
    /// - Parameter covered: whether a field of the contract holds the value as a whole, so that nothing in it is unknown.
    func lift(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, at place: Int, covered: Bool, row: Int,
        into block: inout RecordBlock
    ) -> Part {
        let node = nodes[place]
        if node.field >= 0 { assign(bytes, start, end, node.field, row, &block) }
        if node.children.isEmpty { return .known }
        let covered = covered || node.field >= 0
        let isObject = bytes[start] == 0x7B
        guard isObject || bytes[start] == 0x5B else {
            // Nothing, where something was to be lifted from, is nothing; another value is one that nobody named.
            return covered || JSONSkimmer.scalarKind(bytes, start, end) == .null ? .known : .unknown
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
            var part = covered ? Part.known : .unknown
            if let child = node.children[token] {
                part = lift(bytes, at, last, at: child, covered: covered, row: row, into: &block)
            }
            switch part {
            case .known: hasKnown = true
            case .refused: return .refused
            case .unknown:
                hasUnknown = true
                if isObject {
                    if rejectsUnknown { return .refused }
                    if notesUnknown { block.addExtra(member, last) }
                }
            }
            at = last
            index += 1
        }
        // An element has no key, so it cannot be left out: with nothing known beside it the whole array is.
        if isObject || !hasUnknown || !(rejectsUnknown || notesUnknown) { return .known }
        return hasKnown ? .refused : .unknown
    }

    private func assign(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ field: Int, _ row: Int, _ block: inout RecordBlock
    ) {
        let origin = block.base
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
                block.decodedCells.append(row + field)
            }
        case 0x7B: kind = .object
        case 0x5B: kind = .array
        default: kind = JSONSkimmer.scalarKind(bytes, start, end) ?? .absent
        }
        block.cells[row + field] = Cell(
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

    /// Where a value ends that is known to be JSON.
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
