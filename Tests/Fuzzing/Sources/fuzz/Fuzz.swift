// The entry point of libFuzzer: `fuzz TARGET [libFuzzer's arguments]`.
import Foundation

typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(_ argc: UnsafeMutablePointer<Int32>, _ argv: UnsafeMutableRawPointer, _ body: Body) -> Int32

/// The targets by name; each traps on a failure.
let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "csv": attackCSV, "dialect": attackDialect, "json": attackJSON, "sniff": attackSniffer, "document": attackDocument,
    "unpack": attackDecompressor, "canary": canary,
]

/// A failure that the fuzzer must find.
@Sendable func canary(_ bytes: [UInt8]) {
    if bytes.count > 3, bytes[0] == 0x42, bytes[1] == 0x55, bytes[2] == 0x47, bytes[3] == 0x21 { fatalError("caught") }
}

nonisolated(unsafe) var chosen: @Sendable ([UInt8]) -> Void = { _ in }

/// The function that libFuzzer calls with each input.
@c(LLVMFuzzerTestOneInput)
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    unsafe chosen([UInt8](UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// SwiftPM links with --defsym main=<module>_main.
@c(fuzz_main)
public func fuzzMain(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    let name = argc > 1 ? unsafe argv[1].map { unsafe String(cString: $0) } : nil
    guard let name, let body = targets[name] else {
        print("usage: fuzz \(targets.keys.sorted().joined(separator: "|")) [libFuzzer's arguments]")
        return 64
    }
    unsafe chosen = body
    // The target's name is removed from libFuzzer's arguments.
    unsafe argv[1] = argv[0]
    var count = argc - 1
    var rest = unsafe UnsafeMutableRawPointer(argv + 1)
    return unsafe runDriver(&count, &rest, fuzzOne)
}
