import Tabular

/// The scanner of a slice, chosen once, so that rows are not dispatched dynamically.
enum AnyScanner: ~Copyable {
    case structural(StructuralScanner)
    case libcsv(LibCSVScanner)
    case dialect(DialectScanner)
    case json(JSONLinesScanner)

    init(_ plan: ReadingPlan, _ limits: ScanLimits) {
        if plan.format == .jsonl {
            self = .json(JSONLinesScanner(plan, limits: limits))
        } else if let quote = plan.dialect.quote, plan.dialect.isStructural {
            if plan.engine == .libcsv {
                self = .libcsv(LibCSVScanner(delimiter: plan.dialect.delimiter, quote: quote, limits: limits))
            } else {
                self = .structural(
                    StructuralScanner(delimiter: plan.dialect.delimiter, quote: quote, limits: limits))
            }
        } else {
            self = .dialect(DialectScanner(plan.dialect, limits: limits))
        }
    }

    mutating func scan(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock) -> Int {
        switch consume self {
        case .structural(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .structural(scanner)
            return next
        case .libcsv(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .libcsv(scanner)
            return next
        case .dialect(let scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .dialect(scanner)
            return next
        case .json(var scanner):
            let next = scanner.scan(bytes, from: start, isFinal: isFinal, into: &block)
            self = .json(scanner)
            return next
        }
    }
}
