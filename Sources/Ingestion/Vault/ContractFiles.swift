import Cryptography
import Lineage
package import Schemas
import Sealing
import Recognition
import Sketches
import Storage
package import Tabular
import Validating

/// Loads a contract from a file, with the documents and name lists that it refers to.
///
/// - Throws: `configuration` with the place of the error, also for a contract that loads and cannot be compiled.
package func loadContract(_ path: String) throws(IngestionError) -> LoadedSchema {
    var loaded = try convert(path) { (document, others) throws(SchemaError) in
        var loaded = try Schema.load(document, documents: others)
        for index in loaded.schema.foreignKeys.indices {
            guard case .file(let file) = loaded.schema.foreignKeys[index].source else { continue }
            loaded.schema.foreignKeys[index].source = .file(beside(path, file))
        }
        // Compiled here, so that the error appears with its place and not with the first file.
        do throws(UnusableContract) { _ = try Validator(loaded.schema, hash: KeyedHash(key: Array(1...32))) } catch {
            throw document.cursor.at(pointer: error.pointer).error(.inconsistent, error.reason)
        }
        return loaded
    }
    for (index, field) in loaded.schema.fields.enumerated() {
        guard let rule = field.pii, let file = rule.dictionary else { continue }
        let text = try smallFile(beside(path, file), max: 64 << 20)
        guard let names = NameList(text.span, entity: Entity(name: rule.dictionaryEntity) ?? .person) else {
            throw IngestionError(
                .unreadableData,
                "\(path): field \(field.name): a line of its dictionary \(file) has no word, or more than \(NameList.wordsLimit)"
            )
        }
        loaded.schema.fields[index].pii?.names = names
    }
    return loaded
}

/// A path in a contract: a relative one starts at the contract's folder.
private func beside(_ contract: String, _ path: String) -> String {
    path.hasPrefix("/") ? path : join(split(contract).folder, path)
}

/// Reads a contract of any kind with the documents that its JSON Schemas refer to, and passes them to `body`.
///
/// - Parameters:
///   - path: the file.
///   - body: gets the document, and the bytes of the others by path.
package func convert<Result>(
    _ path: String, _ body: (Document, [String: [UInt8]]) throws(SchemaError) -> Result
) throws(IngestionError) -> Result {
    let bytes = try smallFile(path)
    let document: Document
    let files: [String: String]
    do throws(SchemaError) {
        document = try loadDocument(bytes, name: path)
        files = try Schema.referencedDocuments(document)
    } catch {
        throw IngestionError(error, in: bytes)
    }
    var others: [String: [UInt8]] = [:]
    for (identifier, file) in files { others[identifier] = try smallFile(beside(path, file)) }
    do throws(SchemaError) { return try body(document, others) } catch { throw IngestionError(error, in: bytes) }
}

/// Loads a dialect from a file of its own.
package func loadDialect(_ path: String) throws(IngestionError) -> Dialect {
    let bytes = try smallFile(path)
    do throws(SchemaError) { return try Dialect.load(bytes, name: path) } catch {
        throw IngestionError(error, in: bytes)
    }
}

/// Reads a small file.
///
/// - Throws: when it is larger than `max` bytes.
private func smallFile(_ path: String, max: Int = 1 << 20) throws(IngestionError) -> [UInt8] {
    try storing(reading: true) { () throws(StorageError) in
        try FileDescriptor.openRegular(path).readAll(max: max)
    }
}
