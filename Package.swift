// swift-tools-version: 6.3
import PackageDescription

/// Settings of every Swift target of ours: Swift 6 mode, strict memory safety, warnings are errors.
let ours: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]
let oursC: [CSetting] = [
    .treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra"),
    .unsafeFlags(["-O3"], .when(configuration: .release)),
]
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// Statistics go over thousands of rows for each batch, and a signature takes thousands of multiplications: without optimisation their
/// tests and a debug daemon take minutes. Every check stays in.
let optimised = ours + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// One room of the house and what it may import; TidyTests hold the same rule against the sources.
func room(_ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = ours) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: ours)
}

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Ring 0: system libraries, header-only shims, kernels.
        .systemLibrary(name: "CLibCSV", providers: [.apt(["libcsv-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CPosix"),
        .target(name: "CKernels", cSettings: oursC),
        // Ring 1: values, documents, statistics, primitives.
        room("Tabular", []),
        room("Sketches", ["Tabular"], optimised),
        room("Cryptography", ["COpenSSL", crypto], optimised),
        room("Storage", ["Tabular", "CPosix"]),
        room("Schemas", ["Tabular", "Recognition", "Yams"]),
        room("Recognition", ["Tabular", "Cryptography", "CKernels"], optimised),
        // Ring 2: the stages, and the record.
        room("Reading", ["Tabular", "CKernels", "CLibCSV", "CZlib", "CZstd"]),
        room("Validating", ["Tabular", "Schemas", "Sketches", "Recognition", "CPCRE2"]),
        room("Screening", ["Tabular", "Schemas", "Sketches", "Validating", "CKernels"], optimised),
        room("Masking", ["Tabular", "Sketches", "Schemas", "Cryptography", "Recognition", "Validating", "Screening"]),
        room("Sealing", ["Tabular", "Cryptography", "Storage", "Screening", "Masking"]),
        room("Lineage", ["Tabular", "Cryptography", "Storage", grdb, sqlite]),
        // Ring 3 and 4.
        room(
            "Ingestion",
            [
                "Tabular", "Sketches", "Cryptography", "Storage", "Recognition", "Schemas", "Reading", "Validating",
                "Screening",
                "Masking", "Sealing", "Lineage",
            ]),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Tabular", "Sketches", "Cryptography", "Storage", "Recognition", "Schemas", "Reading", "Validating",
                "Screening",
                "Masking", "Sealing", "Lineage", "Ingestion", arguments, logging,
            ],
            swiftSettings: ours),
        tests("TabularTests", ["TestSupport", "Sketches", "Tabular"]),
        tests("SketchesTests", ["Sketches", "Tabular"]),
        tests("CryptographyTests", ["Cryptography", "TestSupport"]),
        tests("StorageTests", ["Storage"]),
        tests("SchemasTests", ["TestSupport", "Schemas", "Tabular"]),
        tests("RecognitionTests", ["TestSupport", "Recognition", "Sketches", "Tabular"]),
        tests("ReadingTests", ["TestSupport", "Reading", "Tabular"]),
        tests("ValidatingTests", ["TestSupport", "Validating", "Reading", "Schemas", "Sketches", "Tabular"]),
        tests("ScreeningTests", ["CKernels", "Screening", "Validating", "Reading", "Schemas", "Sketches", "Tabular"]),
        tests(
            "MaskingTests",
            [
                "Masking", "Screening", "Validating", "Reading", "Recognition", "Schemas", "Sketches", "Cryptography",
                "Tabular",
            ]),
        tests("SealingTests", ["TestSupport", "Sealing", "Cryptography", "Storage", "Tabular"]),
        tests("LineageTests", ["TestSupport", "Lineage", "Cryptography", "Sketches", "Storage", "Tabular", grdb]),
        tests(
            "IngestionTests",
            [
                "Ingestion", "Reading", "Screening", "Sketches", "Lineage", "Sealing", "Cryptography", "Storage",
                "Schemas", "Validating",
                "Tabular", grdb,
            ]),
        tests("CommandTests", ["TestSupport", "Storage", grdb]),
        tests("TidyTests", []),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: ours),
        // Not a test and not shipped: one-core figures for scripts/bench.
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Cryptography", "Ingestion", "Lineage", "Masking", "Reading", "Recognition", "Schemas", "Screening",
                "Sealing",
                "Sketches",
                "Storage", "Tabular", "Validating",
            ],
            path: "Tests/Benchmarks",
            swiftSettings: ours),
    ],
    swiftLanguageModes: [.v6]
)
