package import Schemas
import Storage
package import Tabular

/// A request to judge one file, or several files in order, under one contract.
package struct BatchRequest: Sendable {
    /// The files, unless a lease or a waiver provides the bytes.
    let input: BatchInput
    /// The input's name in messages.
    package var file: String { input.name }
    /// The contract, compiled.
    package let schema: Schema
    /// The contract as it was written.
    package let contract: JSONValue
    /// The dataset that the file belongs to.
    package let dataset: String
    /// The supplier, as `--source` names it; empty when none is named.
    package let source: String
    /// How far the batch may go, and how the file is read.
    package var options: BatchOptions
    /// The lease of a file that `watch` took. It provides the bytes, and ends with the batch.
    var lease: Lease?

    /// A request to judge `input`.
    ///
    /// - Parameters:
    ///   - input: the file or files.
    ///   - schema: the contract, compiled.
    ///   - contract: the contract as it was written.
    ///   - dataset: the dataset that the file belongs to.
    ///   - source: the supplier; empty when none is named.
    ///   - options: how far the batch may go, and how the file is read.
    package init(
        _ input: BatchInput, schema: Schema, contract: JSONValue, dataset: String, source: String, options: BatchOptions
    ) {
        self.input = input
        self.schema = schema
        self.contract = contract
        self.dataset = dataset
        self.source = source
        self.options = options
    }

    /// The requested format, or the one that the file's name implies.
    ///
    /// - Throws: `usage` when neither is known.
    func format() throws(IngestionError) -> SourceFormat { try options.format(ofFile: input.files[0]) }
}

extension BatchOptions {
    /// The requested format, or the one that a file's name implies.
    ///
    /// - Throws: `usage` when neither is known, and `noInput` for what is no file.
    func format(ofFile path: String) throws(IngestionError) -> SourceFormat {
        if let format = format ?? SourceFormat(ofFile: path) { return format }
        try refuseFolder(path)
        if path != StandardInput.name, !exists(path) {
            throw IngestionError(.noInput, "cannot open \(path): no such file or directory; check the path")
        }
        throw IngestionError(
            .usage, "\(path): the file name does not show whether it is CSV or JSON; add --input-format csv or jsonl")
    }
}
