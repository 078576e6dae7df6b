package import Schemas
package import Tabular

/// One file that is to be judged, and under what.
package struct BatchRequest: Sendable {
    /// The file as messages call it, and where its bytes are unless a lease or a release says otherwise.
    package let file: String
    /// The contract, compiled.
    package let schema: Schema
    /// The contract as it was written.
    package let contract: JSONValue
    /// The dataset that the file belongs to.
    package let dataset: String
    /// Who sent it: the word of `--source`; empty when nobody is named.
    package let source: String
    /// How far it may go, and how it is read.
    package var options: BatchOptions
    /// The lease on a file that `watch` took: the bytes are those of the delivered file, and the lease ends with the batch.
    var lease: Lease?

    /// A request to judge `file`.
    package init(
        _ file: String, schema: Schema, contract: JSONValue, dataset: String, source: String, options: BatchOptions
    ) {
        self.file = file
        self.schema = schema
        self.contract = contract
        self.dataset = dataset
        self.source = source
        self.options = options
    }

    /// The format that was asked for, or the one that the file's name says.
    ///
    /// - Throws: `usage` when neither says it.
    func format() throws(IngestionError) -> SourceFormat { try options.format(ofFile: file) }
}

extension BatchOptions {
    /// The format that was asked for, or the one that a file's name says.
    ///
    /// - Throws: `usage` when neither says it.
    func format(ofFile path: String) throws(IngestionError) -> SourceFormat {
        if let format = format ?? SourceFormat(ofFile: path) { return format }
        throw IngestionError(
            .usage, "\(path): the file name does not show whether it is CSV or JSON; add --input-format csv or jsonl")
    }
}
