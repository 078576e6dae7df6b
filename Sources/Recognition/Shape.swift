/// One fixed way to write an entity: a class for every byte.
struct Shape: Sendable {
    let entity: Entity
    /// How sure the form alone is, or the form with its checksum where the recogniser has one.
    let score: Double
    /// A class for every byte.
    let classes: [UInt8]
    /// Bytes before the first digit; 0 for a word in which letters and digits may stand for each other there.
    let lead: Int
    /// How many digits stand there; 0 for such a word.
    let digits: Int
    /// Whether the bytes before the first digit begin in a word before it.
    let isApart: Bool
    /// Where it is in the recognisers' list.
    let recogniser: Int

    init(entity: Entity, score: Double, classes: [UInt8], recogniser: Int) {
        self.entity = entity
        self.score = score
        self.classes = classes
        self.recogniser = recogniser
        func isDigitClass(_ item: UInt8) -> Bool { item == Class.digit || isDigit(item) }
        let first = classes.firstIndex(where: isDigitClass) ?? classes.count
        let end = classes[first...].firstIndex { !isDigitClass($0) } ?? classes.count
        let isOpen = classes[..<min(end + 1, classes.count)].contains(Class.either)
        lead = isOpen ? 0 : first
        digits = isOpen ? 0 : end - first
        isApart = classes[..<lead].contains { $0 != Class.letter && !isLetter($0) }
    }

    /// Classes of a byte; a value from 0x20 on is that very byte, small letters being letters of any case.
    enum Class {
        static let digit: UInt8 = 1
        static let letter: UInt8 = 2
        static let either: UInt8 = 3
    }

    /// The ways that a pattern stands for.
    ///
    /// `9` is a digit, `A` a letter, `X` either; small letters are letters of any case, other characters stand for themselves.
    /// `#` is a space or a dash, `~` a space, a dash or nothing, the same each time; `*` is a space or nothing, each by itself;
    /// `{m,n}` after `9` or `A` repeats it.
    static func ways(_ pattern: String) -> [[UInt8]] {
        var ways: [[UInt8]] = []
        for counted in repeats(Array(pattern.utf8)[...]) {
            let needs = counted.contains(UInt8(ascii: "#"))
            let allows = counted.contains(UInt8(ascii: "~"))
            var separators: [[UInt8]] = needs || allows ? [[0x20], [0x2D]] : [[]]
            if allows, !needs { separators.append([]) }
            for separator in separators {
                var open: [[UInt8]] = [[]]
                for byte in counted {
                    switch byte {
                    case UInt8(ascii: "#"), UInt8(ascii: "~"): for way in open.indices { open[way] += separator }
                    case UInt8(ascii: "*"): open += open.map { $0 + [0x20] }
                    case UInt8(ascii: "9"): for way in open.indices { open[way].append(Class.digit) }
                    case UInt8(ascii: "A"): for way in open.indices { open[way].append(Class.letter) }
                    case UInt8(ascii: "X"): for way in open.indices { open[way].append(Class.either) }
                    default: for way in open.indices { open[way].append(byte) }
                    }
                }
                ways += open
            }
        }
        return ways
    }

    /// A pattern with its first `{m,n}` written out, and the rest of them.
    private static func repeats(_ pattern: ArraySlice<UInt8>) -> [[UInt8]] {
        guard let open = pattern.firstIndex(of: UInt8(ascii: "{")),
            let close = pattern.firstIndex(of: UInt8(ascii: "}"))
        else { return [Array(pattern)] }
        let numbers = String(decoding: pattern[(open + 1)..<close], as: UTF8.self).split(separator: ",").compactMap {
            Int($0)
        }
        precondition(numbers.count == 2 && numbers[0] <= numbers[1] && open > pattern.startIndex)
        let rest = repeats(pattern[(close + 1)...])
        return (numbers[0]...numbers[1]).flatMap { count in
            rest.map { pattern[..<(open - 1)] + [UInt8](repeating: pattern[open - 1], count: count) + $0 }
        }
    }

    /// Whether the bytes from `at` on are of the classes.
    @inline(__always)
    func stands(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        for index in classes.indices {
            let byte = bytes[at &+ index]
            switch classes[index] {
            case Class.digit: if !isDigit(byte) { return false }
            case Class.letter: if !isLetter(byte) { return false }
            case Class.either: if !isDigit(byte), !isLetter(byte) { return false }
            case let other:
                if byte != other, !isLetter(other) || byte | 0x20 != other { return false }
            }
        }
        return true
    }
}

/// Shapes by what the first digits of a candidate look like, so that only a few are compared.
struct ShapeIndex: Sendable {
    private static let lettersMax = 7, digitsMax = 20, followers = 4
    private var byStart: [[Shape]]
    private var byLength: [[Shape]]
    private var apart: [[Shape]]

    init(_ shapes: [Shape]) {
        byStart = Array(repeating: [], count: (Self.lettersMax + 1) * (Self.digitsMax + 1) * Self.followers)
        byLength = Array(repeating: [], count: Symbols.limit + 1)
        apart = Array(repeating: [], count: Self.digitsMax + 1)
        for shape in shapes { add(shape) }
    }

    private mutating func add(_ shape: Shape) {
        let classes = shape.classes
        let end = shape.lead + shape.digits
        if shape.digits == 0 {
            precondition(
                classes.allSatisfy { $0 <= Shape.Class.either || isWord($0) },
                "letters and digits stand for each other in one word only")
            byLength[classes.count].append(shape)
            return
        }
        if shape.isApart {
            apart[min(shape.digits, Self.digitsMax)].append(shape)
            return
        }
        let next = end < classes.count ? Self.follower(classes[end] == Shape.Class.letter ? 0x41 : classes[end]) : nil
        // A shape that ends here may be followed by anything that ends a word, and by scripts without spaces.
        for follower in 0..<Self.followers where next.map({ $0 == follower }) ?? true {
            byStart[Self.slot(letters: shape.lead, digits: shape.digits, follower)].append(shape)
        }
    }

    private static func follower(_ byte: UInt8) -> Int {
        switch byte {
        case 0x20: 1
        case UInt8(ascii: "-"): 2
        case _ where isWord(byte): 3
        default: 0
        }
    }

    private static func slot(letters: Int, digits: Int, _ follower: Int) -> Int {
        (min(letters, lettersMax) * (digitsMax + 1) + min(digits, digitsMax)) * followers + follower
    }

    /// Shapes that begin with so many letters and digits before `follower`.
    @inline(__always)
    func starting(letters: Int, digits: Int, before follower: UInt8) -> [Shape] {
        byStart[Self.slot(letters: letters, digits: digits, Self.follower(follower))]
    }

    /// Shapes of one word of so many letters and digits, in some of whose places either may stand.
    func words(of length: Int) -> [Shape] { length <= Symbols.limit ? byLength[length] : [] }

    /// Shapes whose first digits are so many, and which begin in a word before.
    func apart(digits: Int) -> [Shape] { apart[min(digits, Self.digitsMax)] }
}
