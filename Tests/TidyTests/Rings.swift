/// The rings of ARCHITECTURE.md: who may import whom.
enum Rings {
    /// The ring of every room; imports go to a lower ring, or along `pipeline` inside ring 2.
    static let ringOfRoom: [String: Int] = [
        "CLibCSV": 0, "COpenSSL": 0, "CPCRE2": 0, "CZlib": 0, "CZstd": 0, "CPosix": 0, "CKernels": 0, "GRDB": 0,
        "GRDBSQLite": 0,
        "Yams": 0, "Crypto": 0,
        "ArgumentParser": 0, "Logging": 0, "Tabular": 1, "Sketches": 1, "Cryptography": 1, "Storage": 1, "Schemas": 1,
        "Recognition": 1,
        "Reading": 2, "Validating": 2, "Screening": 2, "Masking": 2, "Sealing": 2, "Lineage": 2, "Ingestion": 3,
        "Serving": 3, "sluice": 4, "Benchmarks": 4, "TestSupport": 0,
    ]
    /// The order inside rings 1 and 2: a room may import those before it in its own list.
    static let pipelines = [
        ["Tabular", "Sketches"], ["Tabular", "Storage"], ["Tabular", "Recognition", "Schemas"],
        ["Cryptography", "Recognition"],
        ["Reading"],
        ["Validating", "Screening", "Masking", "Sealing"], ["Ingestion", "Serving"],
    ]
    /// Modules of the platform that every room may use.
    static let platform: Set<String> = ["Synchronization", "Glibc", "Musl", "Swift"]
    /// Modules of the platform for rooms that wait, or interact with people.
    static let edges: [String: Set<String>] = [
        "sluice": ["Foundation", "FoundationEssentials", "Dispatch"], "Benchmarks": ["Foundation"],
        "TestSupport": ["Foundation"],
        "Serving": ["Dispatch"],
        // swift-crypto takes and gives Data.
        "Cryptography": ["FoundationEssentials"],
        // GRDB passes blobs as Data, so the one file that uses it imports FoundationEssentials.
        "Ingestion": ["Dispatch"], "Lineage": ["Dispatch", "FoundationEssentials"],
    ]

    /// Whether the rings let `room` import `module`.
    static func allow(_ room: String, toImport module: String) -> Bool {
        guard let from = ringOfRoom[room], let target = ringOfRoom[module] else { return false }
        if target < from { return true }
        return pipelines.contains { pipeline in
            guard let here = pipeline.firstIndex(of: room), let there = pipeline.firstIndex(of: module) else {
                return false
            }
            return there < here
        }
    }

    /// The rooms of Package.swift with their dependencies, from its `room(` calls and its executable target.
    static func manifest(_ text: String) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        let flat = text.split(separator: "\n").filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") }
            .joined(separator: " ")
        for part in flat.matches(of: #/room\(\s*"(\w+)",\s*\[([^\]]*)\]/#) {
            result[String(part.1)] = names(in: part.2)
        }
        for part in flat.matches(of: #/executableTarget\(\s*name:\s*"(\w+)",\s*dependencies:\s*\[([^\]]*)\]/#) {
            result[String(part.1)] = names(in: part.2)
        }
        return result
    }

    /// The product constants that the manifest declares.
    private static let products = [
        "grdb": "GRDB", "sqlite": "GRDBSQLite", "crypto": "Crypto", "arguments": "ArgumentParser", "logging": "Logging",
    ]

    /// Quoted names, and product constants.
    private static func names(in list: Substring) -> Set<String> {
        var result: Set<String> = []
        for item in list.split(separator: ",") {
            let word = item.filter { $0 != " " && $0 != "\"" }
            if word.isEmpty { continue }
            result.insert(products[String(word)] ?? String(word))
        }
        return result
    }
}
