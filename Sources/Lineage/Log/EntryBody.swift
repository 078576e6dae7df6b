import Tabular

/// The members of an entry's body that the checks read, whether it was parsed into a tree or is on a tape: one function
/// derives the rows from both.
protocol EntryBody {
    /// The member of an object, else nil.
    subscript(key: String) -> Self? { get }
    /// The text of a string, else nil.
    var text: String? { get }
    /// The value of an integer, else nil.
    var whole: Int64? { get }
    /// The elements of an array, else nil.
    var items: [Self]? { get }
}

extension JSONValue: EntryBody {}

/// Parses bodies one after the other without building trees, since trees took most of a verification's time.
final class EntryBodyReader {
    fileprivate var tape = JSONTape()

    /// The body in these bytes, valid until the next call. nil if they are not JSON, or if only the strict reader can
    /// judge them: keys that are not in canonical order, so that one may be repeated, and numbers other than short
    /// integers.
    func read(_ bytes: [UInt8]) -> TapedBody? {
        guard (try? UTF8Span(validating: bytes.span)) != nil,
            (try? tape.read(bytes.span, bytes.indices, maxDepth: 64)) != nil, isCanonical
        else { return nil }
        return TapedBody(reader: self, place: 0)
    }

    private var isCanonical: Bool {
        let (values, text) = (tape.values, tape.text)
        func isPlain(_ value: JSONTape.Value) -> Bool {
            value.range.count <= 18 && value.range.allSatisfy { (0x30...0x39).contains(text[$0]) }
        }
        for place in values.indices {
            switch values[place].kind {
            case .number: if !isPlain(values[place]) { return false }
            case .object:
                var (at, last) = (place + 1, 0..<0)
                while at < Int(values[place].next) {
                    let key = values[at].range
                    // Keys that differ in bytes may be canonically equivalent in Unicode.
                    guard text[key].allSatisfy({ $0 < 0x80 }),
                        at == place + 1 || text[last].lexicographicallyPrecedes(text[key])
                    else { return false }
                    (last, at) = (key, Int(values[at + 1].next))
                }
            default: break
            }
        }
        return true
    }
}

/// A value on a tape.
struct TapedBody: EntryBody {
    fileprivate let reader: EntryBodyReader
    fileprivate let place: Int

    subscript(key: String) -> TapedBody? {
        guard reader.tape.values[place].kind == .object else { return nil }
        return reader.tape.member(key, of: place).map { TapedBody(reader: reader, place: $0) }
    }

    var text: String? { reader.tape.values[place].kind == .string ? reader.tape.string(place) : nil }

    var whole: Int64? {
        reader.tape.values[place].kind == .number
            ? Int64(String(decoding: reader.tape.text[reader.tape.values[place].range], as: UTF8.self)) : nil
    }

    var items: [TapedBody]? {
        reader.tape.values[place].kind == .array
            ? reader.tape.places(in: place).map { TapedBody(reader: reader, place: $0) } : nil
    }
}
