import Cryptography
import Lineage
package import Sealing
import Storage
import Tabular

/// Tries whether a key that is kept elsewhere opens published files: an escrow that was never tried is none.
extension Recorder {
    /// The result of a drill.
    package struct Drill: Sendable, Equatable {
        /// Present files that are sealed for the key, how many of them were tried, and how many it opened to the end.
        package internal(set) var sealed = 0, tried = 0, opened = 0
        /// Places of tried files that it did not open, with the reason.
        package internal(set) var failures: [Failure] = []

        /// A file that was not opened.
        package struct Failure: Sendable, Equatable {
            /// Its place, and the reason.
            package let path: String, cause: String
        }
    }

    /// Opens a random sample of published files with one key alone, to their ends and without output, and records the
    /// result.
    ///
    /// - Parameters:
    ///   - key: the key, by the name under which files are sealed for it.
    ///   - count: the size of the sample.
    ///   - dataset: the dataset; nil for all.
    /// - Throws: `usage` when no present file is sealed for a key of this name.
    package func drill(_ key: any WrappingKey, count: Int, dataset: String? = nil) throws(IngestionError) -> Drill {
        var (drill, sample) = (Drill(), [PublishedFile]())
        try forEachPresentFile(of: dataset) { now throws(IngestionError) in
            guard now.recipients.contains(key.name) else { return }
            drill.sealed += 1
            // Algorithm R (Vitter 1985, Random Sampling with a Reservoir).
            if sample.count < count {
                sample.append(now)
            } else {
                let place = try draw(below: drill.sealed)
                if place < count { sample[place] = now }
            }
        }
        guard drill.sealed > 0 else {
            throw IngestionError(
                .usage,
                "no published file is sealed for a key named \(key.name); sluice shard info FILE says for which one is")
        }
        for file in sample {
            drill.tried += 1
            do throws(IngestionError) {
                try open(file, with: key)
                drill.opened += 1
            } catch { drill.failures.append(Drill.Failure(path: file.path, cause: error.description)) }
        }
        try append([
            .object([
                "kind": .event(.keyDrilled), "v": .integer(1), "time": .string(Clock.text()), "name": .string(key.name),
                "sealed": .integer(Int64(drill.sealed)), "tried": .integer(Int64(drill.tried)),
                "opened": .integer(Int64(drill.opened)), "uid": .integer(Int64(userNumber())),
            ])
        ])
        return drill
    }

    private func open(_ file: PublishedFile, with key: any WrappingKey) throws(IngestionError) {
        guard let path = recordedPath(file.path) else { return }
        let opened = try storing { () throws(StorageError) in try store.files.openRegular(at: path) }
        guard store.matches(try storing({ () throws(StorageError) in try sha256(of: opened) }), file) else {
            throw IngestionError(.damaged, "\(store.place(of: file)): it is not the file that the ledger records")
        }
        let reader: MessageReader
        do throws(SealingError) { reader = try MessageReader(.file(opened), keys: KeyRing([key])) } catch {
            throw refused(error, store.place(of: file))
        }
        _ = try readShard(reader, path: store.place(of: file)) { _ in }
    }

    /// A number below a bound that nobody can predict.
    private func draw(below bound: Int) throws(IngestionError) -> Int {
        do throws(CryptographyError) {
            let word = try randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            // The high half of the product (Lemire 2019); its bias is below bound / 2^64.
            return Int(word.multipliedFullWidth(by: UInt64(bound)).high)
        } catch { throw IngestionError(.software, error.description) }
    }
}
