// swift-tools-version: 6.3
import PackageDescription

// A separate package: its sources are compiled for libFuzzer and the address sanitizer, unlike the product's. The rooms
// are links to the product's; in one package they can access each other's `package` declarations.
let sanitized = ["-sanitize=fuzzer,address"]
let ours: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .unsafeFlags(sanitized + ["-O"]),
]

let package = Package(
    name: "fuzzing",
    targets: [
        .systemLibrary(name: "CLibCSV"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O2", "-fsanitize=address,fuzzer-no-link"])]),
        .target(name: "Tabular", swiftSettings: ours),
        .target(
            name: "Reading", dependencies: ["Tabular", "CKernels", "CLibCSV", "CZlib", "CZstd"], swiftSettings: ours),
        .executableTarget(
            name: "fuzz", dependencies: ["Reading", "Tabular"],
            swiftSettings: ours + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(sanitized)]),
    ],
    swiftLanguageModes: [.v6]
)
