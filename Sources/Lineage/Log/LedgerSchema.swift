/// The tables of a ledger, exactly as in `vectors/ledger/schema.sql`: `verify` compares them character by character.
enum LedgerSchema {
    /// Marks the file as a ledger: "ILDG" in ASCII.
    static let applicationID: Int64 = 0x494C_4447
    /// The version of the tables.
    static let version: Int64 = 1

    /// The tables.
    static let tables = [
        "entry", "node", "checkpoint", "blob", "prov_entity", "prov_activity", "prov_edge", "inflight", "seen",
    ]

    /// The statements; a `\#` at the end of a line joins it with the next, since SQLite keeps line ends.
    static let sql = #"""
        PRAGMA application_id = 0x494C4447;          -- 'ILDG'
        PRAGMA user_version   = 1;
        -- The log. One row = one leaf. body is RFC 8785 (JCS) JSON bytes and is the ONLY truth; everything \#
        else is derived.
        CREATE TABLE entry(
          seq       INTEGER PRIMARY KEY CHECK(seq >= 0),
          body      BLOB NOT NULL CHECK(length(body) BETWEEN 2 AND 65535),   -- <= 65535: tlog-tiles entry \#
        bundle limit
          leaf_hash BLOB NOT NULL CHECK(length(leaf_hash) = 32),             -- SHA-256(0x00 || body)
          kind      TEXT NOT NULL                                            -- copy of body.kind for lookups; \#
        `verify` compares it
        ) STRICT;                                                            -- (no json_extract index: 3.40 \#
        refuses it under trusted_schema=OFF)
        -- RFC 6962 hashes of complete subtrees (level>0), so proofs are O(log n) reads. Derived, rebuildable.
        CREATE TABLE node(
          level INTEGER NOT NULL CHECK(level > 0), idx INTEGER NOT NULL, hash BLOB NOT NULL CHECK(length(hash) \#
        = 32),
          PRIMARY KEY(level, idx)) STRICT, WITHOUT ROWID;
        -- Signed tree heads, exact bytes of the C2SP signed note. One per committing transaction.
        CREATE TABLE checkpoint(
          size INTEGER PRIMARY KEY, root BLOB NOT NULL CHECK(length(root) = 32), note BLOB NOT NULL) STRICT;
        -- Large, non-searchable evidence named by hash from entry bodies (row maps, error summaries, policies, \#
        schemas).
        CREATE TABLE blob(
          sha256 BLOB PRIMARY KEY CHECK(length(sha256) = 32), media TEXT NOT NULL, data BLOB NOT NULL) STRICT, \#
        WITHOUT ROWID;
        -- Query side: PROV projection, derived from entry bodies (rebuilt and compared by `ledger verify`).
        CREATE TABLE prov_entity  (id TEXT PRIMARY KEY, kind TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES \#
        entry(seq)) STRICT, WITHOUT ROWID;
        CREATE TABLE prov_activity(id TEXT PRIMARY KEY, kind TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES \#
        entry(seq)) STRICT, WITHOUT ROWID;
        CREATE TABLE prov_edge(src TEXT NOT NULL, rel TEXT NOT NULL, dst TEXT NOT NULL, seq INTEGER NOT NULL \#
        REFERENCES entry(seq),
          PRIMARY KEY(src, rel, dst)) STRICT, WITHOUT ROWID;
        CREATE INDEX prov_edge_dst ON prov_edge(dst, rel);
        CREATE INDEX entry_kind ON entry(kind, seq);
        -- Mutable working state: NOT part of the log. Same file so that one COMMIT moves both.
        CREATE TABLE inflight(
          claim TEXT PRIMARY KEY, src TEXT NOT NULL, state TEXT NOT NULL CHECK(state \#
        IN('claimed','staged','publishing')),
          attempts INTEGER NOT NULL DEFAULT 0, sha256 BLOB, plan BLOB, updated_ms INTEGER NOT NULL) STRICT, \#
        WITHOUT ROWID;
        CREATE TABLE seen(                                   -- idempotency: content + the contract it was \#
        judged under
          key BLOB PRIMARY KEY CHECK(length(key) = 32), seq INTEGER NOT NULL REFERENCES entry(seq)) STRICT, \#
        WITHOUT ROWID;
        -- Guards against accidents and our own bugs (an attacker can drop them; `verify` compares \#
        sqlite_schema with this file).
        CREATE TRIGGER entry_next   BEFORE INSERT ON entry WHEN NEW.seq IS NOT (SELECT coalesce(max(seq)+1, 0) \#
        FROM entry) BEGIN SELECT RAISE(ABORT, 'ledger: seq not next'); END;
        CREATE TRIGGER entry_noupd  BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); \#
        END;
        CREATE TRIGGER entry_nodel  BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); \#
        END;
        CREATE TRIGGER node_noupd   BEFORE UPDATE ON node  BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); \#
        END;
        CREATE TRIGGER node_nodel   BEFORE DELETE ON node  BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); \#
        END;
        CREATE TRIGGER cp_noupd     BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'ledger: \#
        append-only'); END;
        CREATE TRIGGER cp_nodel     BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'ledger: \#
        append-only'); END;
        CREATE TRIGGER cp_grow      BEFORE INSERT ON checkpoint WHEN NEW.size <= (SELECT coalesce(max(size), \#
        -1) FROM checkpoint) BEGIN SELECT RAISE(ABORT, 'ledger: checkpoint not growing'); END;
        CREATE TRIGGER blob_noupd   BEFORE UPDATE ON blob BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); END;
        """#
}
