import GRDB

/// The second signatures of checkpoints. The newest checkpoint must have one, which covers every entry; from the first that has one on,
/// none may be missing.
struct PostQuantumCheck {
    /// Valid signatures.
    private(set) var valid = 0

    /// Checks every stored checkpoint, and adds what is wrong.
    mutating func run(_ key: PostQuantumKey, in db: Database, _ damage: inout DamageList) throws {
        var (valid, missing) = (0, [Int]())
        try db.forEach("SELECT size, note FROM checkpoint ORDER BY size", []) { row in
            switch key.signed(row.bytes(1)) {
            case true?: valid += 1
            case false?: damage.add(.checkpoint, "at \(row.integer(0)) rows: its post-quantum signature is wrong")
            case nil where valid > 0: missing.append(row.integer(0))
            case nil: break
            }
        }
        for size in missing { damage.add(.checkpoint, "at \(size) rows: its post-quantum signature was removed") }
        if valid == 0 { damage.add(.checkpoint, "no checkpoint has a post-quantum signature by the given key") }
        self.valid = valid
    }
}
