package import Tabular

/// The place of a value in its document and its spelling there; a tree of the value's own shape.
///
/// It is a tree and not a table by path, since the paths of a hostile document can be far longer than the document.
package struct Place: Sendable, Equatable {
    /// Line of the value, from 1.
    package var line: Int
    /// Column of the value in Unicode scalars, from 1.
    package var column: Int
    /// Line of the key that names the value; the value's own line when there is none.
    package var keyLine: Int
    /// Column of the key that names the value.
    package var keyColumn: Int
    /// The text of a scalar as written, without quotes; nil for mappings and lists.
    package var lexeme: String?
    /// Places of a list's elements.
    package var elements: [Place] = []
    /// Places of a mapping's members.
    package var members: [String: Place] = [:]

    /// A place without inner ones.
    package init(line: Int, column: Int, lexeme: String? = nil) {
        self.line = line
        self.column = column
        self.keyLine = line
        self.keyColumn = column
        self.lexeme = lexeme
    }
}

/// A parsed YAML or JSON document with the places of its parts.
package struct Document: Sendable, Equatable {
    /// The document's name in messages, usually its file.
    package let name: String
    /// Its value.
    package let root: JSONValue
    /// The places of its parts.
    package let place: Place

    /// A cursor at the root, for typed access with located errors.
    package var cursor: Cursor { Cursor(document: name, value: root, place: place, path: "") }
}

/// Limits that no real contract or configuration reaches; they bound the work on hostile documents.
package enum DocumentLimits {
    /// Largest document, in bytes.
    package static let bytesMax = 1_048_576
    /// Deepest nesting of mappings and lists.
    package static let depthMax = 32
}

/// Parses a document: strict JSON (RFC 8259) when the name ends in `.json`, else YAML 1.2 with the core schema.
///
/// Dates, yes/no words and sexagesimal numbers stay text. Anchors, aliases, tags and duplicate keys are refused.
///
/// - Parameters:
///   - bytes: the document in UTF-8.
///   - name: its name in messages.
package func loadDocument(_ bytes: [UInt8], name: String) throws(SchemaError) -> Document {
    guard bytes.count <= DocumentLimits.bytesMax else {
        throw SchemaError(
            .limit, subject: name,
            message: "the document has \(bytes.count) bytes, more than \(DocumentLimits.bytesMax); "
                + "a contract or configuration is small, so check that this is the right file")
    }
    // A byte order mark is permitted; kept, it would become part of the first key.
    let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    guard let text = String(validating: content, as: UTF8.self) else {
        throw SchemaError(.encoding, subject: name, message: "the document is not UTF-8 text; save it as UTF-8")
    }
    let located =
        name.hasSuffix(".json")
        ? try parseJSON(Array(content), name: name) : try parseYAML(text, name: name)
    return Document(name: name, root: located.value, place: located.place)
}

/// A value with its places, as a parser returns it.
struct Located {
    var value: JSONValue
    var place: Place
}

/// The error for nesting beyond the limit.
func tooDeep(_ name: String, line: Int, column: Int) -> SchemaError {
    SchemaError(
        .limit, subject: name, line: line, column: column,
        message: "nested deeper than \(DocumentLimits.depthMax) levels; flatten it")
}

/// The error for a key that is written twice.
func repeatedKey(_ key: String, _ name: String, first: (Int, Int), second: (Int, Int)) -> SchemaError {
    SchemaError(
        .duplicateKey, subject: name, line: second.0, column: second.1,
        message: "key \(quoted(key)) is already at line \(first.0), column \(first.1); remove one of the two")
}

extension Cursor {
    /// The value as JSON text, with numbers as they are written.
    func json() -> [UInt8] {
        var out: [UInt8] = []
        write(value, place, &out)
        return out
    }

    /// Appends one value and, recursively, its parts. The depth is bounded by the parser.
    private func write(_ value: JSONValue, _ place: Place, _ out: inout [UInt8]) {
        switch value {
        case .array(let values):
            out.append(0x5B)
            for (index, inner) in values.enumerated() {
                if index > 0 { out.append(0x2C) }
                write(inner, place.elements[index], &out)
            }
            out.append(0x5D)
        case .object(let members):
            out.append(0x7B)
            for (index, key) in members.keys.sorted().enumerated() {
                if index > 0 { out.append(0x2C) }
                out += Array(JSONValue.string(key).text(pretty: false).utf8)
                out.append(0x3A)
                if let inner = members[key] { write(inner, place.members[key] ?? place, &out) }
            }
            out.append(0x7D)
        case .integer, .number:
            // A YAML number such as `.5` or `0x10` is not valid JSON.
            let lexeme = Array((place.lexeme ?? "").utf8)
            var tape = JSONTape()
            let isJSON = (try? tape.read(lexeme.span, 0..<lexeme.count)) != nil
            out += isJSON ? lexeme : Array(value.text(pretty: false).utf8)
        case .null, .bool, .string: out += Array(value.text(pretty: false).utf8)
        }
    }

    /// Follows a JSON Pointer (RFC 6901) as far as it leads.
    package func at(pointer: String) -> Cursor {
        var found = self
        for token in pointer.split(separator: "/") {
            let key = token.replacing("~1", with: "/").replacing("~0", with: "~")
            if let inner = found[String(key)] {
                found = inner
            } else if let index = Int(key), let items = try? found.items(), items.indices.contains(index) {
                found = items[index]
            } else {
                break
            }
        }
        return found
    }

    /// Compiles the value as a JSON Schema.
    ///
    /// - Throws: a located error when it is not a usable schema.
    func jsonSchema(_ surroundings: JSONSchema.Surroundings = JSONSchema.Surroundings()) throws(SchemaError)
        -> JSONSchema
    {
        do throws(JSONSchemaError) { return try JSONSchema.compile(json(), surroundings) } catch {
            throw at(pointer: error.pointer ?? "").error(.unusableSchema, error.reason)
        }
    }
}
