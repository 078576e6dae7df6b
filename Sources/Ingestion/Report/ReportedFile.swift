import Screening
package import Tabular

/// One of several files of a batch, as reports name it.
package struct ReportedFile: Sendable {
    /// The file's path.
    let path: String
    /// The path as reports may show it, without personal data that the supplier put into it.
    package let name: String
    /// The number of its first row in the batch, and how many rows it has.
    package let firstRow: Int, rows: Int
    /// Where its text stands in that of the batch.
    let text: FileText

    /// The files of a source; none for a single file, which the report names itself.
    ///
    /// - Parameters:
    ///   - source: the files.
    ///   - paths: their paths, where they can be read again.
    ///   - texts: where their texts stand.
    static func all(_ source: SourceFiles, at paths: [String], _ texts: [FileText]) -> [ReportedFile] {
        guard source.parts.count > 1 else { return [] }
        var row = 1
        return zip(source.parts, texts).enumerated().map { place, file in
            defer { row += file.1.rows }
            return ReportedFile(
                path: paths.count == texts.count ? paths[place] : "", name: shownName(file.0.path), firstRow: row,
                rows: file.1.rows, text: file.1)
        }
    }

    /// Its name without the folder, for a line that names several rows.
    package var shortName: String { name.split(separator: "/").last.map(String.init) ?? name }
}

extension BatchReport {
    /// The file that has a row, and the row's number in it; nil where the batch is a single file.
    package func place(ofRow row: Int) -> (file: ReportedFile, row: Int)? {
        var (low, high) = (0, files.count)
        while low < high {
            let middle = (low + high) / 2
            if files[middle].firstRow + files[middle].rows <= row { low = middle + 1 } else { high = middle }
        }
        guard low < files.count, files[low].firstRow <= row else { return nil }
        return (files[low], row - files[low].firstRow + 1)
    }

    /// The name of the file that has a finding's row, or of the whole batch.
    package func fileName(of finding: Finding) -> String {
        finding.row.flatMap { place(ofRow: $0) }?.file.name ?? name
    }

    /// Offset of a finding's row in its own file; see `Finding.byteOffset`.
    package func fileOffset(of finding: Finding) -> UInt64 {
        guard let text = finding.row.flatMap({ place(ofRow: $0) })?.file.text else { return finding.byteOffset }
        return finding.byteOffset &- text.source.start &+ text.source.head
    }
}
