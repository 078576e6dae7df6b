/// One fixed notation of an entity: a class for every byte, in `ShapeIndex.classes`. It holds numbers only, so that
/// comparing many costs no reference counting.
struct Shape: Sendable {
    let entity: Entity
    /// The score of the form, including the checksum where the recogniser has one.
    let score: Double
    /// The beginning and number of its classes.
    let first: Int32, count: Int32
    /// Bytes before the first digit; 0 for a word in which letters and digits may replace each other there.
    let lead: Int32
    /// The index of its recogniser.
    let recogniser: Int32

    /// Classes of bytes. A value from 0x20 on is that byte itself; a lower-case letter matches either case.
    enum Class {
        static let digit: UInt8 = 1
        static let letter: UInt8 = 2
        static let either: UInt8 = 3
    }

    /// The notations of a pattern.
    ///
    /// `9` is a digit, `A` a letter, `X` either; lower-case letters match either case, and other characters stand for
    /// themselves. `#` is a space or a dash, `~` a space, a dash or nothing, equal throughout the notation; `*` is a
    /// space or nothing, independently; `{m,n}` repeats the preceding `9` or `A`.
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

    /// A pattern with its first `{m,n}` expanded, and the remaining repetitions.
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
}

/// Shapes by the first digits of a candidate, so that only a few are compared.
struct ShapeIndex: Sendable {
    private static let lettersMax = 7, digitsMax = 20, followers = 4
    /// Shapes of all lists; a shape on several lists is repeated.
    private(set) var shapes: [Shape] = []
    private(set) var classes: [UInt8] = []
    private var byStart: [Range<Int>] = []
    private var byLength: [Range<Int>] = []
    private var byDigits: [Range<Int>] = []
    private var apart: [Range<Int>] = []

    /// One notation of a recogniser, before it is placed.
    typealias Way = (entity: Entity, score: Double, classes: [UInt8], recogniser: Int)

    init(_ ways: [Way]) {
        var byStart: [[Shape]] = Array(
            repeating: [], count: (Self.lettersMax + 1) * (Self.digitsMax + 1) * Self.followers)
        var byLength: [[Shape]] = Array(repeating: [], count: Symbols.limit + 1)
        var apart: [[Shape]] = Array(repeating: [], count: Self.digitsMax + 1)
        for way in ways {
            let (first, digits, isOpen) = Self.start(way.classes)
            let shape = Shape(
                entity: way.entity, score: way.score, first: Int32(classes.count), count: Int32(way.classes.count),
                lead: isOpen ? 0 : Int32(first), recogniser: Int32(way.recogniser))
            classes += way.classes
            let end = first + digits
            if isOpen {
                precondition(
                    way.classes.allSatisfy { $0 <= Shape.Class.either || isWord($0) },
                    "letters and digits stand for each other in one word only")
                byLength[way.classes.count].append(shape)
            } else if way.classes[..<first].contains(where: { $0 != Shape.Class.letter && !isLetter($0) }) {
                // The bytes before the first digit begin in the preceding word.
                apart[min(digits, Self.digitsMax)].append(shape)
            } else {
                let next =
                    end < way.classes.count
                    ? Self.follower(way.classes[end] == Shape.Class.letter ? 0x41 : way.classes[end]) : nil
                // A shape that ends here may be followed by anything that ends a word, and by scripts without spaces.
                for follower in 0..<Self.followers where next.map({ $0 == follower }) ?? true {
                    byStart[Self.slot(letters: first, digits: digits, follower)].append(shape)
                }
            }
        }
        self.byStart = byStart.map { append($0) }
        self.byLength = byLength.map { append($0) }
        self.byDigits = byLength.map { shapes in
            append(
                shapes.filter { shape in
                    classes[Int(shape.first)..<Int(shape.first + shape.count)].allSatisfy {
                        $0 == Shape.Class.digit || $0 == Shape.Class.either || isDigit($0)
                    }
                })
        }
        self.apart = apart.map { append($0) }
    }

    /// Appends a list of shapes.
    ///
    /// - Returns: its range in `shapes`.
    private mutating func append(_ list: [Shape]) -> Range<Int> {
        let start = shapes.count
        shapes += list
        return start..<shapes.count
    }

    /// The position and number of the first digits, and whether letters may replace digits there.
    private static func start(_ classes: [UInt8]) -> (first: Int, digits: Int, isOpen: Bool) {
        func isDigitClass(_ item: UInt8) -> Bool { item == Shape.Class.digit || isDigit(item) }
        let first = classes.firstIndex(where: isDigitClass) ?? classes.count
        let end = classes[first...].firstIndex { !isDigitClass($0) } ?? classes.count
        return (first, end - first, classes[..<min(end + 1, classes.count)].contains(Shape.Class.either))
    }

    /// The class of a byte that follows the first digits, which narrows down the shapes.
    private static func follower(_ byte: UInt8) -> Int {
        switch byte {
        case 0x20: 1
        case UInt8(ascii: "-"): 2
        case _ where isWord(byte): 3
        default: 0
        }
    }

    /// The index of a list in `byStart`.
    private static func slot(letters: Int, digits: Int, _ follower: Int) -> Int {
        (min(letters, lettersMax) * (digitsMax + 1) + min(digits, digitsMax)) * followers + follower
    }

    /// The shapes that begin with so many letters and digits, before `follower`.
    @inline(__always)
    func starting(letters: Int, digits: Int, before follower: UInt8) -> Range<Int> {
        byStart[Self.slot(letters: letters, digits: digits, Self.follower(follower))]
    }

    /// The shapes of one word with this many letters and digits, in which either may occur at some position.
    @inline(__always)
    func words(of length: Int) -> Range<Int> { length <= Symbols.limit ? byLength[length] : 0..<0 }

    /// Those among them that may be digits only.
    @inline(__always)
    func numbers(of length: Int) -> Range<Int> { length <= Symbols.limit ? byDigits[length] : 0..<0 }

    /// The shapes with so many first digits that begin in the preceding word.
    @inline(__always)
    func apart(digits: Int) -> Range<Int> { apart[min(digits, Self.digitsMax)] }

    /// Whether the bytes from `at` on match a shape.
    @inline(__always)
    func stands(_ shape: Shape, _ bytes: Span<UInt8>, _ at: Int) -> Bool {
        var place = Int(shape.first)
        for index in at..<at &+ Int(shape.count) {
            let byte = bytes[index]
            switch classes[place] {
            case Shape.Class.digit: if !isDigit(byte) { return false }
            case Shape.Class.letter: if !isLetter(byte) { return false }
            case Shape.Class.either: if !isDigit(byte), !isLetter(byte) { return false }
            case let other: if byte != other, !isLetter(other) || byte | 0x20 != other { return false }
            }
            place &+= 1
        }
        return true
    }
}
