"""Moves of somebody who can write into a store's folder, or into a backup, and who holds no key."""
import base64, hashlib, json, os, re, shutil, sqlite3, uuid

from forging import look, tree
from stage import ODD

# What no command names, and why that is no loss.
HARMLESS = {
    "blob-changed": "a blob is looked up by the digest that a signed entry gives, and must have it; one that no entry names decides nothing",
    "file-times": "times of files are no part of the record, and nothing is decided by them",
    "file-hard-link": "the bytes are the recorded ones; a later change of them is named like any",
    "folder-empty": "an empty folder holds nothing that anyone reads",
    "journal-link": "SQLite reads no write-ahead log of a ledger that keeps a rollback journal",
    "journal-pipe": "SQLite reads no write-ahead log of a ledger that keeps a rollback journal",
    "restore:older-ledger": "any older backup is an older signed state; only a checkpoint kept elsewhere tells",
    "restore:tail-removed": "any older backup is an older signed state; only a checkpoint kept elsewhere tells",
    "ledger-vacuum": "the same rows in other pages",
    "ledger-page-flip": "it fell on a place of the file that no row uses",
    "journal-garbage": "SQLite finds no transaction in it and lets it be",
    "status-board": "it is what a daemon says of itself; nothing is decided by it, and the next daemon writes it anew",
    "config-comment": "the same settings",
    "config-recipient": "settings are the operator's own; each batch names its keys, and the first use of one is an entry",
    "contract-loosened": "contracts are the operator's own; each batch names the digest of the one it was judged by",
    "key-planted": "no recipient names it, and what it opens is not in the record",
    "inbox-planted": "who can write there can deliver, and what is delivered is judged",
    "claim-dataset": "as if it had been delivered to that dataset's inbox: it is judged by that contract",
    "claim-attempts": "it only makes the gate set a file aside, sealed and recorded",
    "claim-plan-edited": "a plan that names neither batch nor files has none to be believed: where they go follows from signed entries",
    "claim-name": "a supplier's name for a file decides nothing",
    "contract-title-edited": "contracts are the operator's own, and what a dataset has accepted stays known under any of them",
    "config-sources-removed": "settings are the operator's own, and who is blocked stands in the record",
    "config-odd": "settings are the operator's own: what they say is what counts, wherever they are kept",
    "status-made-a-link": "nothing is decided by it, and it is not followed",
}

KINDS = {}


class Kind:
    def __init__(self, family, act, words, probes, options):
        self.family, self.act, self.words, self.probes = family, act, words, probes
        self.name = act.__name__.replace("_", "-")
        self.template = options.get("template", "plain")
        # Taken back before anybody verifies: what was decided meanwhile is all there is to see.
        self.passing = options.get("passing", False)
        # A sound batch is accepted on unproven ground too: its keys or its baseline are not the recorded ones.
        self.tampered = options.get("tampered", False)
        # Hands over as part of a backup, too.
        self.backup = options.get("backup", False)
        # A refusal is not enough: writers that merely stop leave people without a cause.
        self.told = options.get("told", False)


def move(words, probes, **options):
    """A move of the hostile writer: words of which `verify` or `doctor` must say one, and what is tried afterwards."""
    def register(act):
        kind = Kind("writer", act, words.split("|"), probes.split(), options)
        assert kind.name not in KINDS, kind.name
        KINDS[kind.name] = kind
        return act
    return register


RECORD = "row|root|entry|projection|checkpoint|tail|node|blob|damage|tamper|file|index|ledger"
MAIN = "poison blocked again good"


def changed(source, value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + source.choice([1, -1, 1000])
    if isinstance(value, str):
        place = source.randrange(len(value)) if value else 0
        return value[:place] + ("0" if value[place:place + 1] != "0" else "1") + value[place + 1:]
    if isinstance(value, list):
        return value[:-1] if value else [0]
    return {"changed": 1}


def edit_row(case, source, kinds=(), rehash=False):
    with case.book() as book:
        place, body = source.choice(book.bodies(*kinds))
        key = source.choice([each for each in body if each != "kind"])
        body[key] = changed(source, body[key])
        book.write(place, body, rehash)
        case.note("entry %d (%s): another %s%s" % (place, body["kind"], key, ", leaf hash made anew" if rehash else ""))


@move(RECORD, MAIN + " cat", backup=True)
def row_edited(case, source):
    edit_row(case, source)


@move(RECORD, MAIN + " backup", backup=True)
def row_edited_and_hashed(case, source):
    edit_row(case, source, rehash=True)


@move(RECORD, MAIN, backup=True)
def row_edited_tree_regrown(case, source):
    edit_row(case, source, rehash=True)
    with case.book() as book:
        book.regrow()


@move(RECORD, "again good cat", backup=True)
def verdict_flipped(case, source):
    with case.book() as book:
        place, body = source.choice([each for each in book.bodies("batch.judged") if each[1]["verdict"] != "accepted"])
        body["verdict"] = "accepted"
        book.write(place, body, source.random() < 0.7)
        case.note("entry %d: accepted" % place)


@move(RECORD, "cat again good poison backup", backup=True)
def path_edited(case, source):
    """A published file is said to lie elsewhere: backup and restore go where it says."""
    with case.book() as book:
        place, body = source.choice(book.bodies("shard.published"))
        to = source.choice(["../victim/plain.txt", "../victim/new/x.sluice", case.victim + "/sub/deep.txt", "../../x.sluice",
                            "accepted/../../victim/made.sluice", "keys/main.kek", "sluice.yaml", "accepted/d/../d/x.sluice", ".."])
        source.choice(body["files"])["path"] = to
        book.write(place, body, True)
        if source.random() < 0.4:
            book.regrow()
        case.note("entry %d: a file's path is %s" % (place, to))


def lift_block(case, source, how):
    with case.book() as book:
        place, body = book.bodies("source.blocked")[-1]
        old = book("SELECT body, leaf_hash, kind FROM entry WHERE seq=?", place)[0]
        if how in ("body", "body and hash"):
            body["kind"] = source.choice(["source.trusted", "source.probation"]) if how == "body" else "source.trusted"
            book.write(place, body, how == "body and hash")
        elif how == "source":
            body["source"] = "nobody"
            book.write(place, body, source.random() < 0.5)
        elif how == "kind":
            book("UPDATE entry SET kind='source.was' WHERE seq=?", place)
        case.note("entry %d, the block of shady: %s changed" % (place, how))

    def undo():
        with case.book() as book:
            book("UPDATE entry SET body=?, leaf_hash=?, kind=? WHERE seq=?", *old, place)
    return undo


@move(RECORD, "blocked", passing=True)
def block_lifted_for_one_ingest(case, source):
    return lift_block(case, source, source.choice(["body", "source"]))


@move(RECORD, "blocked", passing=True)
def block_lifted_and_hashed_for_one_ingest(case, source):
    return lift_block(case, source, "body and hash")


@move(RECORD, "blocked", passing=True)
def block_hidden_by_kind_for_one_ingest(case, source):
    return lift_block(case, source, "kind")


@move(RECORD, "blocked good", backup=True)
def block_hidden_by_kind(case, source):
    lift_block(case, source, "kind")


@move(RECORD, "blocked newcomer", passing=True)
def trust_by_kind_of_another_row(case, source):
    """A row that happens to name the source is called a word of trust."""
    with case.book() as book:
        name = source.choice(["shady", "newcomer"])
        place, body = next(each for each in book.bodies("batch.received") if each[1]["source"] == name)
        book("UPDATE entry SET kind='source.trusted' WHERE seq=?", place)
        if name == "shady":
            blocked = book.bodies("source.blocked")[-1][0]
            book("UPDATE entry SET kind='source.was' WHERE seq=?", blocked)
        case.note("entry %d of %s is called source.trusted" % (place, name))

    def undo():
        with case.book() as book:
            for seq, body in book.bodies():
                book("UPDATE entry SET kind=? WHERE seq=? AND kind<>?", body["kind"], seq, body["kind"])
    return undo


def hole(case, kind):
    """The index over kinds loses rows while its definition reads as ever: look-ups by kind pass them over."""
    path = case.store + "/ledger.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    sql = db.execute("SELECT sql FROM sqlite_schema WHERE name='entry_kind'").fetchone()[0]
    db.execute("DROP INDEX entry_kind")
    db.execute("CREATE INDEX entry_kind ON entry(kind, seq) WHERE kind <> '%s'" % kind)
    db.execute("PRAGMA writable_schema=ON")
    db.execute("UPDATE sqlite_schema SET sql=? WHERE name='entry_kind'", (sql,))
    db.close()
    case.note("the index over kinds holds no %s" % kind)

    def undo():
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("DROP INDEX entry_kind")
        db.execute(sql)
        db.close()
    return undo


@move(RECORD, MAIN + " newcomer pinned", backup=True)
def index_with_a_hole(case, source):
    hole(case, source.choice(["source.blocked", "shard.published", "baseline.pinned", "batch.judged", "batch.received"]))


@move(RECORD, "blocked", passing=True)
def block_hidden_by_index_for_one_ingest(case, source):
    return hole(case, "source.blocked")


@move(RECORD, "poison delivered pinned", passing=True)
def baselines_hidden_by_kind_for_one_ingest(case, source):
    with case.book() as book:
        kinds = source.choice([("shard.published",), ("shard.published", "batch.judged"), ("baseline.pinned",)])
        for kind in kinds:
            book("UPDATE entry SET kind=? WHERE kind=?", kind + ".was", kind)
        case.note("entries of kinds", *kinds, "are called otherwise")

    def undo():
        with case.book() as book:
            for kind in kinds:
                book("UPDATE entry SET kind=? WHERE kind=?", kind, kind + ".was")
    return undo


@move(RECORD, "poison delivered pinned liar", passing=True)
def baselines_hidden_by_body_for_one_ingest(case, source):
    """Roles or batches of the files are other ones while a batch is judged."""
    with case.book() as book:
        old = book("SELECT body, leaf_hash, seq FROM entry")
        for place, body in book.bodies("shard.published"):
            for file in body["files"]:
                if file["role"] in ("baseline", "claims"):
                    file["role"] = "accepted"
            book.write(place, body, source.random() < 0.5)
        case.note("no file of the record is called a baseline")

    def undo():
        with case.book() as book:
            for row in old:
                book("UPDATE entry SET body=?, leaf_hash=? WHERE seq=?", *row)
    return undo


@move(RECORD, MAIN, backup=True)
def row_deleted(case, source):
    with case.book() as book:
        place = source.choice(book.bodies())[0]
        book("PRAGMA foreign_keys=OFF")
        book("DELETE FROM entry WHERE seq=?", place)
        case.note("entry %d deleted" % place)


@move(RECORD, MAIN, backup=True)
def rows_swapped(case, source):
    with case.book() as book:
        one, other = source.sample([place for place, _ in book.bodies()], 2)
        for place, there in [(one, 10**6), (other, one), (10**6, other)]:
            book("UPDATE entry SET seq=? WHERE seq=?", there, place)
        case.note("entries %d and %d swapped" % (one, other))


@move(RECORD + "|not recorded|seen|receipt", MAIN, backup=True)
def tail_removed(case, source):
    """Back to an older signed state; files of the time since are still there."""
    with case.book() as book:
        sizes = [size for size, in book("SELECT size FROM checkpoint WHERE size BETWEEN 6 AND ? ORDER BY size", case.size - 8)]
        size = source.choice(sizes)
        for table in ("prov_entity", "prov_activity", "prov_edge", "seen", "entry"):
            book("DELETE FROM %s WHERE seq >= ?" % table, size)
        book("DELETE FROM checkpoint WHERE size > ?", size)
        book("DELETE FROM node WHERE ((idx + 1) << level) > ?", size)
        case.note("everything from entry %d on removed" % size)


@move(RECORD + "|not recorded", MAIN, backup=True)
def older_ledger(case, source):
    shutil.copy(case.root + "/older.sqlite", case.at("ledger.sqlite"))
    case.note("an older copy of the ledger")


@move(RECORD, MAIN + " newcomer", backup=True)
def row_appended(case, source):
    with case.book() as book:
        name = source.choice(["shady", "newcomer"])
        body = {"kind": "source.trusted", "v": 1, "time": "2026-11-30T00:00:00.000Z", "source": name, "uid": 0, "reason": "x"}
        place = book.append(body)
        how = source.choice(["nothing", "tree", "own key"])
        if how != "nothing":
            book.regrow()
        if how == "own key":
            _, roots = tree([bytes(leaf) for leaf, in book("SELECT leaf_hash FROM entry ORDER BY seq")])
            book("INSERT INTO checkpoint VALUES(?,?,?)", place + 1, roots[-1], case.stage.signer.note(place + 1, roots[-1]))
        case.note("entry %d: %s is trusted, with %s" % (place, name, how))


@move(RECORD, "blocked newcomer", passing=True)
def row_appended_for_one_ingest(case, source):
    name = source.choice(["shady", "newcomer"])
    with case.book() as book:
        place = book.append({"kind": "source.trusted", "v": 1, "time": "2026-11-30T00:00:00.000Z", "source": name, "uid": 0, "reason": "x"})
    case.note("entry %d: %s is trusted, unsigned, while a batch is judged" % (place, name))

    def undo():
        with case.book() as book:
            book("PRAGMA foreign_keys=OFF")
            book("DELETE FROM entry WHERE seq=?", place)
    return undo


def resign(case, source, edit=True):
    with case.book() as book:
        for place, body in book.bodies():
            if body["kind"] == "genesis" and source.random() < 0.8:
                body["vkey"] = case.stage.signer.text
                book.write(place, body)
            elif edit and body["kind"] == "source.blocked":
                body["kind"] = "source.trusted"
                book.write(place, body)
        book.regrow(case.stage.signer)
    case.note("the whole record rewritten, and signed with a key of one's own")


@move(RECORD + "|verifier|key", MAIN + " cat", backup=True)
def resigned(case, source):
    resign(case, source)


@move("verifier|signing|key|pinned|tamper", MAIN + " cat backup", tampered=True, backup=True)
def resigned_and_key_replaced(case, source):
    resign(case, source, edit=source.random() < 0.7)
    shutil.copy(case.root + "/foreign/keys/ledger.signing", case.at("keys/ledger.signing"))
    if source.random() < 0.6:
        with case.book() as book:
            leaves = [bytes(leaf) for leaf, in book("SELECT leaf_hash FROM entry ORDER BY seq")]
            for place, body in book.bodies("shard.published"):
                for file in body["files"]:
                    case.write(file["path"] + ".tlog-proof", receipt(case.stage.signer, leaves, place), note=False)
        case.note("receipts made anew")


def receipt(signer, leaves, place):
    """A tlog-proof of an entry under a checkpoint of one's own."""
    hashes, level, index = [], list(leaves), place

    def root(part):
        return tree(part)[1][-1]

    def path(index, part):
        if len(part) == 1:
            return []
        half = 1 << (len(part) - 1).bit_length() - 1
        return (path(index, part[:half]) + [root(part[half:])] if index < half else path(index - half, part[half:]) + [root(part[:half])])
    hashes = path(index, level)
    lines = ["c2sp.org/tlog-proof@v1", "index %d" % place] + [base64.b64encode(each).decode() for each in hashes]
    return ("\n".join(lines) + "\n\n").encode() + signer.note(len(leaves), root(leaves))


@move("verifier|signing|key|origin|" + RECORD, MAIN, tampered=True, backup=True)
def foreign_ledger(case, source):
    shutil.copy(case.root + "/foreign/ledger.sqlite", case.at("ledger.sqlite"))
    case.note("another store's ledger")
    if source.random() < 0.5:
        shutil.copy(case.root + "/foreign/keys/ledger.signing", case.at("keys/ledger.signing"))
        text = case.read("sluice.yaml").decode()
        with open(case.root + "/foreign/sluice.yaml") as file:
            origin = re.search(r"origin: (\S+)", file.read())[1]
        case.write("sluice.yaml", text.replace(case.stage.origin, origin))


@move(RECORD, MAIN, backup=True)
def node_changed(case, source):
    with case.book() as book:
        level, place, _ = source.choice(book("SELECT * FROM node"))
        how = source.choice(["edited", "removed", "added"])
        if how == "edited":
            book("UPDATE node SET hash=? WHERE level=? AND idx=?", source.randbytes(32), level, place)
        elif how == "removed":
            book("DELETE FROM node WHERE level=? AND idx=?", level, place)
        else:
            book("INSERT INTO node VALUES(?,?,?)", level, place + 4096, source.randbytes(32))
        case.note("node %d/%d %s" % (level, place, how))


@move("checkpoint", "good again backup", backup=True)
def checkpoint_removed(case, source):
    with case.book() as book:
        sizes = [size for size, in book("SELECT size FROM checkpoint ORDER BY size")][:-1]
        gone = source.sample(sizes, source.randint(1, len(sizes)))
        for size in gone:
            book("DELETE FROM checkpoint WHERE size=?", size)
        case.note("%d older checkpoints removed, such as %d" % (len(gone), gone[0]))


@move("checkpoint|root|tail", "good again blocked", backup=True)
def checkpoint_changed(case, source):
    with case.book() as book:
        size, root, note = source.choice(book("SELECT size, root, note FROM checkpoint"))
        how = source.choice(["root", "note", "size", "own key", "empty"])
        if how == "root":
            book("UPDATE checkpoint SET root=? WHERE size=?", source.randbytes(32), size)
        elif how == "size":
            book("UPDATE OR REPLACE checkpoint SET size=? WHERE size=?", size + 1, size)
        else:
            text = {"note": bytes(note)[:-9] + b"AAAAAAA=\n", "own key": case.stage.signer.note(size, bytes(root)), "empty": b""}[how]
            book("UPDATE checkpoint SET note=? WHERE size=?", text, size)
        case.note("checkpoint %d: another %s" % (size, how))


@move("schema|cp_|entry_|node_|blob_|prov_|added|missing|changed|_version|application", "good blocked", backup=True)
def tables_changed(case, source):
    db = sqlite3.connect(case.at("ledger.sqlite"), isolation_level=None)
    sql = source.choice([
        "DROP TRIGGER entry_noupd", "DROP TRIGGER cp_grow", "DROP INDEX entry_kind", "DROP INDEX prov_edge_dst",
        "CREATE TABLE more(x)", "CREATE VIEW sight AS SELECT * FROM entry", "CREATE INDEX extra ON entry(leaf_hash)",
        "PRAGMA user_version=2", "PRAGMA application_id=7",
        "CREATE TRIGGER quiet AFTER INSERT ON entry BEGIN DELETE FROM seen; END",
        "CREATE TRIGGER skip BEFORE INSERT ON seen BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER plan AFTER INSERT ON entry BEGIN INSERT INTO inflight VALUES('../../victim','d','claimed',1,NULL,NULL,0); END"])
    db.execute(sql)
    db.close()
    case.note(sql)


@move("blob", "good cat again", backup=True)
def blob_changed(case, source):
    with case.book() as book:
        sha, media, data = source.choice(book("SELECT * FROM blob"))
        how = source.choice(["data", "media", "removed", "added", "swapped"])
        if how == "data":
            book("UPDATE blob SET data=? WHERE sha256=?", bytes(data)[:-1] + b"?", sha)
        elif how == "media":
            book("UPDATE blob SET media=? WHERE sha256=?", source.choice(["text/plain", "application/json", "", media + " "]), sha)
        elif how == "removed":
            book("DELETE FROM blob WHERE sha256=?", sha)
        elif how == "added":
            extra = source.randbytes(40)
            name = hashlib.sha256(extra).digest()
            book("INSERT INTO blob VALUES(?,?,?)", name, "application/schema+json", extra)
            case.harmless = True
        else:
            other = next(each for each in book("SELECT sha256, data FROM blob") if each[0] != sha)
            book("UPDATE blob SET data=? WHERE sha256=?", other[1], sha)
        case.note("blob %s: %s" % (bytes(sha).hex()[:12], how))


@move("projection|prov", "good", backup=True)
def provenance_changed(case, source):
    with case.book() as book:
        table = source.choice(["prov_entity", "prov_activity", "prov_edge"])
        columns = book("SELECT * FROM " + table)
        how = source.choice(["edited", "removed", "added"] if columns else ["added"])
        if how == "edited":
            row = source.choice(columns)
            first, column = (("src", "dst") if table == "prov_edge" else ("id", "kind"))
            book("UPDATE OR REPLACE %s SET %s='changed' WHERE %s=?" % (table, column, first), row[0])
        elif how == "removed":
            book("DELETE FROM %s WHERE seq=?" % table, source.choice(columns)[-1])
        else:
            book("INSERT INTO %s VALUES(%s)" % (table, "'x','y','z',1" if table == "prov_edge" else "'x','y',1"))
        case.note("%s: a row %s" % (table, how))


@move(RECORD + "|page|malformed|readable", MAIN, backup=True)
def ledger_page_flip(case, source):
    data = bytearray(case.read("ledger.sqlite"))
    place = source.randrange(len(data))
    data[place] ^= 1 << source.randrange(8)
    case.write("ledger.sqlite", bytes(data))
    case.note("bit of byte %d" % place)
    db = sqlite3.connect(":memory:")
    db.deserialize(bytes(data))
    try:
        sound = db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        sound = False
    # Where it fell on unused space, or on a counter that SQLite mends, the record is what it was.
    case.harmless = sound and look(case.at("ledger.sqlite")) == case.stage.honest


@move(RECORD + "|not a|readable|malformed|file", MAIN, backup=True)
def ledger_cut(case, source):
    data = case.read("ledger.sqlite")
    how = source.choice(["empty", "half", "garbage", "removed", "folder"])
    os.remove(case.at("ledger.sqlite"))
    if how == "folder":
        os.mkdir(case.at("ledger.sqlite"))
    elif how != "removed":
        case.write("ledger.sqlite", {"empty": b"", "half": data[:len(data) // 2], "garbage": source.randbytes(5000)}[how])
    case.note("ledger.sqlite:", how)


@move("unused", "good again")
def ledger_vacuum(case, source):
    db = sqlite3.connect(case.at("ledger.sqlite"), isolation_level=None)
    db.execute("VACUUM")
    db.close()
    case.harmless = True
    case.note("VACUUM")


@move("ledger|link|plain", "good again", backup=True)
def ledger_link(case, source):
    os.makedirs(case.victim, exist_ok=True)
    place = case.victim + "/ledger.sqlite"
    shutil.copy(case.at("ledger.sqlite"), place)
    case.link("ledger.sqlite", source.choice([place, "../victim/ledger.sqlite"]))


@move("journal|link|ledger", "good again watch", backup=True)
def journal_link(case, source):
    end = source.choice(["-journal", "-journal", "-wal", "-shm"])
    case.harmless = end != "-journal"
    case.link("ledger.sqlite" + end,
              source.choice(["../victim/plain.txt", "../victim/empty", "../victim/not-there", case.victim + "/sub/deep.txt"]))


@move("wal|link|ledger", "good again", backup=True)
def wal_link(case, source):
    """The file says that it has a write-ahead log; the log's name leads outside."""
    data = bytearray(case.read("ledger.sqlite"))
    data[18:20] = b"\x02\x02"
    case.write("ledger.sqlite", bytes(data))
    for end in source.choice([("-wal",), ("-shm",), ("-wal", "-shm")]):
        case.link("ledger.sqlite" + end, "../victim/" + source.choice(["plain.txt", "made" + end]))


@move("journal|ledger|pipe|fifo|folder|wal", "good watch", backup=True)
def journal_pipe(case, source):
    end = source.choice(["-journal", "-wal"])
    path = case.at("ledger.sqlite" + end)
    case.harmless = end == "-wal"
    if os.path.exists(path):
        os.remove(path)
    how = source.choice(["pipe", "folder"])
    os.mkfifo(path) if how == "pipe" else os.mkdir(path)
    case.note(os.path.basename(path), "is a", how)


@move("journal|ledger", "good again")
def journal_garbage(case, source):
    case.write("ledger.sqlite-journal", source.choice([source.randbytes(700), b"\x00" * 512, b"x"]))
    case.harmless = True


# MARK: Tables that change

CLAIMS = ["../../victim", "../../victim/sub", "..", ".", "", "../accepted", "../keys", "../baselines/d", "a/../../../victim", "/", "x\0y",
          "A" * 5000, "\u202eevil", "esc\x1b[2J", "%s/victim", "../inbox", "NUL", "sub/../..", "..\\..\\victim", "..%2f..%2fvictim"]


@move("inflight|claim|work", "good watch status", backup=True)
def claim_planted(case, source):
    claim = source.choice(CLAIMS).replace("%s", case.root)
    state = source.choice(["claimed", "staged", "publishing"])
    plan = source.choice([None, b"{}", b"not json", b'{"batch":"x","files":[]}', b'{"files":[{"from":"../../victim/plain.txt","to":"x"}]}',
                          b'{"batch":"%s","files":[]}' % uuid.UUID(int=source.getrandbits(128)).hex.encode()])
    with case.book() as book:
        book("INSERT INTO inflight VALUES(?,?,?,1,NULL,?,0)", claim, "d", state, plan)
    case.note("inflight: claim %r, %s, plan %r" % (claim[:40], state, plan))


def identifier(source):
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def outside_place(case, source):
    return source.choice(["../victim/plain.txt", case.victim + "/plain.txt", "../victim/data.csv", case.victim + "/data.csv",
                          "work/../../victim/data.csv", "../victim/link", "../victim/sub", "../drop/a1.csv"])


@move("inflight|claim|work", "good watch", backup=True)
def claim_that_moves_files(case, source):
    """Staged files go where a plan says: over keys, out of the store, in from outside."""
    claim = identifier(source) if source.random() < 0.7 else source.choice([".", "../../victim", "../accepted/d"])
    batch = source.choice([identifier(source), case.stage.facts[case.pick(source)]["batch"], "../../victim"])
    files = [source.choice([
        {"from": "x", "to": "../victim/new.txt"}, {"from": "x", "to": case.victim + "/new.txt"},
        {"from": "x", "to": "../victim/made/deep/x"}, {"from": "x", "to": "accepted/d/forged.sluice"},
        {"from": "x", "to": "keys/evil.kek"}, {"from": "../../../victim/plain.txt", "to": "accepted/d/stolen.sluice"},
        {"from": case.victim + "/plain.txt", "to": "accepted/d/stolen.sluice"},
        {"from": "../../keys/main.kek", "to": "accepted/d/k.sluice"},
        {"from": "../../%s" % case.pick(source, "accepted"), "to": "work/gone"}]) for _ in range(source.randint(1, 3))]
    if re.fullmatch("[0-9a-f-]{36}", claim):
        case.write("work/%s/x" % claim, b"planted")
    with case.book() as book:
        plan = json.dumps({"batch": batch, "files": files}).encode()
        book("INSERT INTO inflight VALUES(?,?,?,1,NULL,?,0)", claim, "d", "publishing", plan)
    case.note("inflight: claim %s, batch %s, %s" % (claim, batch, json.dumps(files)))


@move("inflight|claim|work|source", "watch good", backup=True)
def claim_that_takes_a_file(case, source):
    """A delivery that stands outside: judged, moved or removed by whoever finishes the claim."""
    place = outside_place(case, source)
    inbox = source.choice(["inbox/d", "../victim", case.victim + "/sub"])
    delivery = {"dataset": source.choice(["d", "s"]), "inbox": inbox, "place": place,
                "name_sha256": hashlib.sha256(b"x").hexdigest(), "format": "csv"}
    if source.random() < 0.5:
        delivery["archive"] = source.choice(["../victim/sub", "done", case.victim])
    real = os.path.join(case.store, place)
    if source.random() < 0.5 and os.path.exists(real):
        status = os.stat(real)
        delivery |= {"inode": str(status.st_ino), "size": str(status.st_size), "modified_ns": str(status.st_mtime_ns)}
    state = source.choice(["publishing", "claimed"])
    batch = source.choice([identifier(source), case.stage.facts[case.pick(source)]["batch"]])
    plan = {"delivery": delivery} if state == "claimed" else {"batch": batch, "files": [], "delivery": delivery}
    with case.book() as book:
        book("INSERT INTO inflight VALUES(?,?,?,1,NULL,?,0)", identifier(source), "d", state, json.dumps(plan).encode())
    case.note("inflight: %s, %s" % (state, json.dumps(delivery)))


@move("inflight|claim", "good watch", backup=True)
def claim_without_entries(case, source):
    with case.book() as book:
        plan = json.dumps({"batch": identifier(source), "files": [{"from": "x", "to": "accepted/d/%s/0.sluice" % identifier(source)}]})
        book("INSERT INTO inflight VALUES(?,?,?,1,?,?,0)", identifier(source), "d", "publishing", source.randbytes(32), plan.encode())
    case.note("inflight: a batch that is published and that no entry knows")


def genuine(case, source, state, edit):
    """Changes a row that the program made; in a plain store one is made up."""
    with case.book() as book:
        found = book("SELECT claim, plan FROM inflight WHERE state=?", state)
        if not found:
            raise LookupError("no claim to change")
        claim, plan = found[0]
        plan = json.loads(bytes(plan))
        told = edit(book, claim, plan)
        if told != "removed":
            book("UPDATE inflight SET plan=? WHERE claim=?", json.dumps(plan, sort_keys=True).encode(), claim)
        case.note("claim %s (%s): %s" % (claim, state, told))


@move("inflight|claim|work|source", "watch good", template="claims")
def claim_place_edited(case, source):
    def edit(book, claim, plan):
        plan["delivery"]["place"] = outside_place(case, source)
        real = os.path.join(case.store, plan["delivery"]["place"])
        if os.path.exists(real):
            status = os.stat(real)
            plan["delivery"] |= {"inode": str(status.st_ino), "size": str(status.st_size), "modified_ns": str(status.st_mtime_ns)}
        if source.random() < 0.6:
            plan["delivery"].pop("archive", None)
        return json.dumps(plan["delivery"])
    genuine(case, source, source.choice(["publishing", "publishing", "claimed"]), edit)


@move("inflight|claim|work|archive|inbox", "watch good", template="claims")
def claim_target_edited(case, source):
    def edit(book, claim, plan):
        key = source.choice(["archive", "inbox"])
        plan["delivery"][key] = source.choice(["../victim/sub", case.victim, "../victim/made", "accepted/d", "keys"])
        if key == "inbox":
            plan["delivery"]["size"] = "1"
        return "%s is %s" % (key, plan["delivery"][key])
    genuine(case, source, "publishing", edit)


@move("inflight|claim|work", "watch good again", template="claims")
def claim_plan_edited(case, source):
    def edit(book, claim, plan):
        known, known_batch = "files" in plan, "batch" in plan
        plan.setdefault("files", [{"from": "x", "to": "accepted/w/x.sluice"}])
        how = source.choice(["batch", "files", "no files", "claim", "state"])
        case.harmless = not known and "files" in how or not known_batch and how == "batch"
        if how == "batch":
            plan["batch"] = case.stage.facts[case.pick(source)]["batch"]
        elif how == "files":
            for file in plan["files"]:
                file["to"] = source.choice(["../victim/", "quarantine/d/", "keys/"]) + os.path.basename(file["to"])
        elif how == "no files":
            plan["files"] = []
        elif how == "state":
            book("UPDATE inflight SET state='claimed' WHERE claim=?", claim)
        else:
            book("UPDATE inflight SET claim=? WHERE claim=?", source.choice(["..", "../../victim", "x"]), claim)
        return how
    genuine(case, source, "publishing", edit)


@move("inflight|claim|work|source", "good watch", template="claims")
def claim_removed(case, source):
    def edit(book, claim, plan):
        book("DELETE FROM inflight WHERE claim=?", claim)
        return "removed"
    genuine(case, source, source.choice(["publishing", "claimed"]), edit)


@move("claim|dataset", "watch", template="claims")
def claim_dataset(case, source):
    def edit(book, claim, plan):
        plan["delivery"]["dataset"] = "d"
        return "dataset d"
    genuine(case, source, "claimed", edit)
    case.harmless = True


@move("claim|attempt", "watch", template="claims")
def claim_attempts(case, source):
    def edit(book, claim, plan):
        book("UPDATE inflight SET attempts=99 WHERE claim=?", claim)
        return "attempts 99"
    genuine(case, source, "claimed", edit)
    case.harmless = True


@move("claim|name", "watch", template="claims")
def claim_name(case, source):
    for name in sorted(os.listdir(case.at("work"))):
        if name.endswith(".source"):
            odd = source.choice(["../../victim/plain.txt", "a/b", "esc\x1b[31m.csv", "", "A" * 400, "..", "x\0y"])
            case.write("work/" + name[:-7] + ".name", odd)
    case.harmless = True


@move("seen", "again poison good again-e", backup=True)
def seen_emptied(case, source):
    with case.book() as book:
        if source.random() < 0.5:
            book("DELETE FROM seen")
            case.note("seen: emptied")
        else:
            place = next(place for place, body in book.bodies("batch.judged"))
            book("DELETE FROM seen WHERE seq=?", place)
            case.note("seen: the keys of entry %d removed" % place)


@move("seen", "again poison good again-e", backup=True)
def seen_pointed_elsewhere(case, source):
    with case.book() as book:
        kinds = source.choice([("batch.judged",), ("genesis", "contract.registered"), ("batch.received",)])
        places = [place for place, body in book.bodies(*kinds)]
        accepted = source.choice(places)
        keys = book("SELECT key FROM seen")
        for key, in keys if source.random() < 0.5 else source.sample(keys, 2):
            book("UPDATE seen SET seq=? WHERE key=?", accepted, key)
        case.note("seen: keys point to entry %d" % accepted)


@move("seen", "poison good again", backup=True)
def seen_planted(case, source):
    """Content that is to come is known already, and was accepted; or a key points beyond the end, or is nearly one that is known."""
    how = source.choice(["to come", "to come", "beyond the end", "another tail"])
    with case.book() as book:
        place = next(place for place, body in book.bodies("batch.judged") if body["verdict"] == "accepted")
        names = source.choice([["poison", "good"], ["poison"], ["good"]])
        keys = [key for name in names for key in case.stage.coming[name]]
        _, received = book.bodies("batch.received")[0]
        for name in names:
            content = hashlib.sha256(case.read(case.drop + "/%s.csv" % name)).digest()
            for parts in [[content, bytes.fromhex(received["contract_sha256"]), bytes.fromhex(received["policy_sha256"])], [content]]:
                for version in (b"ingest/seen/v1", b"ingest/seen/v2"):
                    keys.append(hashlib.sha256(version + hashlib.sha256(b"d").digest() + b"".join(parts)).digest())
        if how == "beyond the end":
            place = book("SELECT max(seq) FROM entry")[0][0] + source.choice([1, 7, 1 << 40])
        elif how == "another tail":
            # Indices keep the first bytes of a key.
            known, place = source.choice(book("SELECT key, seq FROM seen"))
            keys = [bytes(known)[:8] + source.randbytes(24)]
            names = ["a key with another tail"]
        for key in keys:
            book("INSERT OR IGNORE INTO seen VALUES(?,?)", key, place)
        case.note("seen: %s are batch %d (%s)" % (" and ".join(names), place, how))


# MARK: Files

def spoil(case, source, path, how):
    """Does something to a file of the store; gives what it did."""
    place, data = case.at(path), case.read(path)
    os.remove(place)
    if how == "cut":
        case.write(path, data[:source.randrange(len(data))], note=False)
    elif how == "longer":
        case.write(path, data + b"x" * source.randint(1, 99), note=False)
    elif how == "flip":
        bit = source.randrange(len(data))
        case.write(path, data[:bit] + bytes([data[bit] ^ 1 << source.randrange(8)]) + data[bit + 1:], note=False)
    elif how in ("link", "hard link"):
        case.write(case.victim + "/copy-of-it", data, note=False)
        os.chmod(case.victim + "/copy-of-it", 0o600)
        os.symlink(case.victim + "/copy-of-it", place) if how == "link" else os.link(case.victim + "/copy-of-it", place)
    elif how == "pipe":
        os.mkfifo(place)
    elif how == "folder":
        os.mkdir(place)
    case.must.append(path.removesuffix(".tlog-proof"))
    case.note(how, path)


HOWS = ["removed", "cut", "longer", "flip", "link", "pipe", "folder"]


def spoiler(name, roles, probes, tampered=False, words="file|missing|not the|receipt|damage|recorded|link|pipe|folder"):
    def act(case, source):
        spoil(case, source, case.pick(source, *roles), source.choice(HOWS))
    act.__name__ = name
    move(words, probes, backup=True, tampered=tampered)(act)


spoiler("shard_spoilt", ["accepted"], "cat again good backup")
spoiler("quarantine_spoilt", ["quarantine", "source"], "again good backup")
spoiler("evidence_spoilt", ["decision", "rows", "provenance"], "again good backup")


@move("file|baseline|missing|not the|recorded|link|pipe|folder", "poison delivered", backup=True)
def baseline_spoilt(case, source):
    spoil(case, source, case.pick(source, "baseline", dataset="d"), source.choice(HOWS))


@move("file|baseline|missing", "poison delivered", backup=True)
def baselines_removed(case, source):
    how = source.choice(["files", "folder", "all", "emptied", "newest"])
    folder = case.at("baselines/d")
    names = sorted(each for each in os.listdir(folder) if each.endswith(".sluice"))
    if how == "folder":
        shutil.rmtree(folder)
    elif how == "all":
        shutil.rmtree(case.at("baselines"))
        os.mkdir(case.at("baselines"), 0o700)
    else:
        for name in names[-1:] if how == "newest" else names:
            os.remove(folder + "/" + name)
            if how == "emptied":
                case.write("baselines/d/" + name, b"", note=False)
    case.note("baselines of d:", how)


@move("file|baseline|missing|link|folder|recorded", "poison delivered good", backup=True)
def baselines_moved(case, source):
    """The names change, and the bytes do not."""
    folder = case.at("baselines/d")
    names = sorted(each for each in os.listdir(folder) if each.endswith(".sluice"))
    how = source.choice(["renamed", "folder renamed", "hidden", "link to a copy", "link to nothing", "swapped", "of another dataset"])
    if how in ("renamed", "hidden"):
        for name in names:
            os.rename(folder + "/" + name, folder + "/" + (name[:-7] + ".was" if how == "renamed" else "." + name))
    elif how == "swapped":
        one, other = (folder + "/" + each for each in source.sample(names, 2))
        os.rename(one, one + "x"), os.rename(other, one), os.rename(one + "x", other)
    elif how == "of another dataset":
        for name in names:
            os.remove(folder + "/" + name)
        for name in os.listdir(case.at("baselines/e")):
            if name.endswith(".sluice"):
                shutil.copy(case.at("baselines/e/" + name), folder + "/" + name)
    else:
        os.rename(folder, case.at("baselines/d2") if how == "folder renamed" else case.victim + "/baselines")
        if how != "folder renamed":
            os.symlink("../../victim/" + ("baselines" if how == "link to a copy" else "nothing"), folder)
    case.note("baselines of d:", how)


@move("file|baseline|claims|missing|not the|recorded|link|pipe|folder", "liar", backup=True)
def claims_spoilt(case, source):
    paths = [path for path, fact in sorted(case.stage.facts.items()) if fact["role"] == "claims" and fact["dataset"] == "e"]
    if source.random() < 0.5:
        shutil.rmtree(case.at("baselines/e/claims"))
        case.note("the folder of claims removed")
    else:
        how = source.choice(HOWS)
        for path in paths:
            spoil(case, source, path, how)


@move("file|baseline|missing|not the|recorded", "pinned", backup=True)
def pinned_baseline_spoilt(case, source):
    how = source.choice(HOWS)
    for path, fact in sorted(case.stage.facts.items()):
        if fact["role"] == "baseline" and fact["dataset"] == "p":
            spoil(case, source, path, how)


@move("not recorded|unrecorded|recorded", "poison delivered good", backup=True)
def baseline_planted(case, source):
    """A genuine baseline of another batch or dataset, or one that somebody made, under a name of its own."""
    name = source.choice([identifier(source), "ffffffff-ffff-7fff-bfff-ffffffffffff", "zz"])
    roles = ["baseline", "accepted", "decision"]
    path = case.pick(source, source.choice(roles), dataset=source.choice(["e", "p"]))
    data = source.choice([case.read(path), source.randbytes(900), b""])
    if source.random() < 0.3:
        foreign = case.root + "/foreign/baselines/d"
        data = case.read(foreign + "/" + sorted(each for each in os.listdir(foreign) if each.endswith(".sluice"))[0])
    case.write("baselines/d/%s.sluice" % name, data)
    case.must.append(name)


@move("receipt|tlog-proof|proof", "good again backup", backup=True)
def receipt_spoilt(case, source):
    path = case.pick(source) + ".tlog-proof"
    how = source.choice(HOWS + ["of another", "own key"])
    if how == "of another":
        paths = sorted(case.stage.facts)
        # Files of one entry have one receipt.
        other = next(each for each in source.sample(paths, len(paths)) if case.read(each + ".tlog-proof") != case.read(path))
        case.write(path, case.read(other + ".tlog-proof"))
        case.must.append(path.removesuffix(".tlog-proof"))
    elif how == "own key":
        case.must.append(path.removesuffix(".tlog-proof"))
        leaves = [bytes(row[2]) for row in case.stage.honest["entry"]]
        case.write(path, receipt(case.stage.signer, leaves, source.randrange(len(leaves))))
    else:
        spoil(case, source, path, how)


@move("file|not the|recorded", "cat again backup good", backup=True)
def files_swapped(case, source):
    role = source.choice(["accepted", "decision", "baseline", "rows"])
    paths = [path for path, fact in sorted(case.stage.facts.items()) if fact["role"] == role]
    one, other = (case.at(each) for each in source.sample(paths, 2))
    with_receipts = source.random() < 0.5
    for end in ("", ".tlog-proof") if with_receipts else ("",):
        os.rename(one + end, one + "x"), os.rename(other + end, one + end), os.rename(one + "x", other + end)
    case.note("swapped", one.replace(case.root, ""), other.replace(case.root, ""), "with receipts" if with_receipts else "")


@move("file|link", "good again", backup=True)
def file_hard_link(case, source):
    spoil(case, source, case.pick(source), "hard link")
    case.harmless = True


@move("file", "good again poison")
def file_times(case, source):
    for path in source.sample(sorted(case.stage.facts), 5):
        os.utime(case.at(path), (source.randrange(2**31),) * 2)
    case.harmless = True
    case.note("times of five files")


@move("folder", "good again", backup=True)
def folder_empty(case, source):
    name = source.choice(["accepted/x", "accepted/d/x", "quarantine/new", "baselines/new", "accepted/d/%s" % identifier(source)])
    os.makedirs(case.at(name))
    case.harmless = True
    case.note("mkdir", name)


@move("stray|recorded|unrecorded|link|not a", "good again backup cat", backup=True)
def unrecorded(case, source):
    """What nobody recorded, under any name, of any kind, wherever readers look."""
    batch = os.path.dirname(case.pick(source, "accepted"))
    folder = source.choice([batch, batch + "/evidence", "accepted/d", "accepted", "quarantine/d", "baselines/d", "baselines",
                            "baselines/e/claims"])
    stem = "stray%d" % source.randrange(1000)
    case.must.append(stem)
    name = source.choice([stem + ".sluice", stem + ".SLUICE", stem + ".csv", "." + stem, stem, stem + ".part", stem + ".sluice.tlog-proof",
                          stem + ".tmp", "." + stem + ".sluice", stem + source.choice(ODD), source.choice(ODD) + stem + ".sluice",
                          stem + ".jsonl.gz"])
    path = case.at(folder + "/" + name)
    how = source.choice(["file", "file", "copy", "link", "link to a folder", "pipe", "folder", "dead link"])
    if how == "folder":
        os.mkdir(path)
        name = name + "/inside"
        case.write(folder + "/" + name, b"x", note=False)
    elif how == "pipe":
        os.mkfifo(path)
    elif "link" in how:
        os.symlink({"link": "../../../victim/plain.txt", "dead link": "nothing"}.get(how, case.at("quarantine/d")), path)
    else:
        case.write(folder + "/" + name, b"x" if how == "file" else case.read(case.pick(source, "accepted")), note=False)
    case.note(how, repr(folder + "/" + name))


@move("link|folder|missing|recorded|not a", "good again watch backup cat", backup=True)
def folder_made_a_link(case, source):
    """A folder of the store becomes a link to one outside, with or without what it held."""
    path = source.choice(["accepted", "accepted/d", "quarantine", "quarantine/d", "baselines", "baselines/d", "work",
                          "schemas", os.path.dirname(case.pick(source, "accepted", "source"))])
    target = case.victim + "/" + source.choice(["empty", "moved"])
    if target.endswith("moved"):
        os.rename(case.at(path), target)
    elif os.path.isdir(case.at(path)):
        shutil.rmtree(case.at(path))
    case.link(path, target)


@move("link|inbox|folder", "watch good")
def inbox_made_a_link(case, source):
    """The daemon would take what lies outside, and remove it."""
    path = source.choice(["inbox/d", "inbox/s", "inbox"])
    if path == "inbox":
        os.makedirs(case.victim + "/sub/d")
        shutil.copy(case.victim + "/data.csv", case.victim + "/sub/d/data.csv")
        case.link(path, "../victim/sub")
    else:
        case.link(path, "../../victim")


@move("link|archive|folder|done", "watch good")
def archive_made_a_link(case, source):
    """An archive that sluice.yaml names inside the store leads out of it."""
    case.link("done", source.choice(["../victim/empty", case.victim + "/sub"]))


@move("inbox", "watch good")
def inbox_planted(case, source):
    inbox = case.at("inbox/d")
    for name in source.sample(["a.csv", "b.jsonl", "odd\x1b[31m.csv", "bidi\u202e.csv", "line\n.csv", "c.csv.sha256", "d.csv.sig"], 3):
        path = inbox + "/" + name
        how = source.choice(["link", "folder", "pipe", "garbage", "link to a folder"])
        if how == "folder":
            os.mkdir(path)
        elif how == "pipe":
            os.mkfifo(path)
        elif how == "garbage":
            case.write(path, source.randbytes(200), note=False)
        else:
            os.symlink("../../../victim" + ("/data.csv" if how == "link" else ""), path)
        case.note(how, repr(name))
    case.harmless = True


# MARK: work/

@move("work|stray|claim", "good watch status backup", told=True)
def work_stray(case, source):
    stem = "stray%d" % source.randrange(1000)
    claim = source.choice([stem, identifier(source), ".", "..."])
    name = source.choice([claim, claim + ".lock", claim + ".source", claim + ".name", claim + ".sidecars", "." + stem,
                          stem + source.choice(ODD), claim + ".x", stem + ".part"])
    if name.startswith(".") and stem not in name:
        name = stem
    case.must.append(stem if stem in name else claim)
    path = case.at("work/" + name)
    how = source.choice(["file", "link", "link to a folder", "dead link", "pipe", "folder", "full folder"])
    if "folder" in how and "link" not in how:
        os.mkdir(path)
        if how == "full folder":
            os.symlink(case.victim, path + "/leads-out")
            case.write(path + "/x", b"x", note=False)
    elif how == "pipe":
        os.mkfifo(path)
    elif "link" in how:
        os.symlink({"link": "../../victim/plain.txt", "link to a folder": "../../victim", "dead link": "../../victim/made"}[how], path)
    else:
        case.write(path, b"x", note=False)
    case.note(how, repr("work/" + name))


@move("work|link|claim|lock|source", "watch good", template="claims")
def work_of_a_claim_made_links(case, source):
    names = sorted(os.listdir(case.at("work")))
    for name in source.sample(names, min(len(names), 2)):
        case.link("work/" + name, source.choice(["../../victim/plain.txt", "../../victim/data.csv", "../../victim", "../../victim/made"]))
    for claim in sorted({each.split(".")[0] for each in names}):
        if source.random() < 0.5:
            case.link("work/" + claim, "../../victim")


@move("work|rights|missing|folder", "good watch")
def work_gone(case, source):
    shutil.rmtree(case.at("work"))
    how = source.choice(["removed", "file", "pipe"])
    if how == "file":
        case.write("work", b"")
    elif how == "pipe":
        os.mkfifo(case.at("work"))
    case.note("work:", how)


@move("watch.|link|lock|status", "watch status good")
def status_made_a_link(case, source):
    name = source.choice(["watch.lock", "watch.status"])
    case.link(name, source.choice(["../victim/plain.txt", "../victim/made", case.victim + "/sub/deep.txt"]))
    case.harmless = True


@move("watch.|status", "status watch")
def status_board(case, source):
    name = source.choice(["watch.lock", "watch.status"])
    if source.random() < 0.3:
        os.remove(case.at(name)) if os.path.exists(case.at(name)) else None
        os.mkfifo(case.at(name))
    else:
        case.write(name, source.choice([b"1\n", b"99999999999999999999\n", b"{}", "\x1b[31m\u202e\u2028".encode(), source.randbytes(300),
                                        b'{"dataset":"esc\x1b[2J"}']))
    case.harmless = True


# MARK: Keys and settings

KEYED = "key|fingerprint"


@move(KEYED, "good first keys", tampered=True, backup=True)
def wrapping_key_foreign(case, source):
    shutil.copy(case.root + "/foreign/keys/main.kek", case.at("keys/main.kek"))
    case.note("a foreign key as main.kek")


@move(KEYED, "good first keys", tampered=True, backup=True)
def token_key_foreign(case, source):
    shutil.copy(case.root + "/foreign/keys/tokens.token", case.at("keys/tokens.token"))
    case.note("a foreign key as tokens.token")


@move(KEYED, "good first keys", tampered=True, backup=True)
def store_key_foreign(case, source):
    shutil.copy(case.root + "/foreign/keys/store.store", case.at("keys/store.store"))
    case.note("a foreign key as store.store")


@move(KEYED + "|verifier|sign", "good first keys", tampered=True, backup=True)
def signing_key_foreign(case, source):
    shutil.copy(case.root + "/foreign/keys/ledger.signing", case.at("keys/ledger.signing"))
    case.note("a foreign key as ledger.signing")


@move(KEYED, "good first keys", tampered=True, backup=True)
def wrapping_key_of_another_name(case, source):
    """A key of this very store under a name that is not its own."""
    os.replace(case.at("keys/other.kek"), case.at("keys/main.kek"))
    case.note("other.kek becomes main.kek")


@move(KEYED + "|link|plain|missing|restore", "good first keys cat", tampered=True)
def key_file_odd(case, source):
    name = source.choice(["main.kek", "tokens.token", "store.store", "ledger.signing"])
    path = case.at("keys/" + name)
    how = source.choice(["link", "pipe", "folder", "removed", "cut", "emptied", "huge", "link to a foreign one"])
    data = case.read("keys/" + name)
    os.remove(path)
    if how == "link":
        case.write(case.victim + "/key", data, note=False)
        os.chmod(case.victim + "/key", 0o600)
        os.symlink(case.victim + "/key", path)
    elif how == "link to a foreign one":
        os.symlink(case.root + "/foreign/keys/" + name, path)
    elif how == "pipe":
        os.mkfifo(path, 0o600)
    elif how == "folder":
        os.mkdir(path, 0o700)
    elif how != "removed":
        case.write(path, {"cut": data[:-9], "emptied": b"", "huge": data + b"#" * (8 << 20)}[how], note=False)
        os.chmod(path, 0o600)
    case.tampered = how not in ("link", "huge")
    case.note("keys/" + name, how)


@move(KEYED + "|link|folder", "good first keys", tampered=True)
def key_folder_link(case, source):
    os.rename(case.at("keys"), case.victim + "/keys")
    target = source.choice([case.victim + "/keys", case.root + "/foreign/keys"])
    case.link("keys", target)
    case.tampered = "foreign" in target


@move(KEYED + "|rights|chmod|open", "good keys", tampered=True)
def key_modes(case, source):
    name = source.choice(["keys", "keys/main.kek", "keys/tokens.token", "keys/store.store", "keys/ledger.signing"])
    os.chmod(case.at(name), source.choice([0o777, 0o755, 0o711] if name == "keys" else [0o644, 0o640, 0o606, 0o666]))
    case.note("chmod", oct(os.stat(case.at(name)).st_mode & 0o777), name)


@move(KEYED, "good first keys", backup=True)
def key_planted(case, source):
    for name in source.sample(["main.kek", "tokens.token"], source.randint(1, 2)):
        text = case.read(case.root + "/foreign/keys/" + name).replace(b"name: main", b"name: evil").replace(b"name: tokens", b"name: evil")
        case.write("keys/evil." + name.split(".")[1], text)
        os.chmod(case.at("keys/evil." + name.split(".")[1]), 0o600)
    case.harmless = True


@move("title", "again again-e")
def contract_title_edited(case, source):
    """Nothing about the rows: the same file must not go through a second time."""
    for name in ("rows", "cross"):
        text = case.read("schemas/%s.schema.yaml" % name).decode()
        how = source.choice(["title", "name", "description", "version", "space", "field title", "homepage"])
        text = {"title": text.replace("rows of a shop", "rows of the shop"), "name": text.replace("name: rows", "name: rows2"),
                "description": text + "description: more words\n", "version": text + "version: 2.0.0\n", "space": text + "\n\n# more\n",
                "field title": text.replace("{ name: size,", "{ name: size, title: Size,"),
                "homepage": text + "homepage: https://example.com\n"}[how]
        case.write("schemas/%s.schema.yaml" % name, text)
        case.note("contract %s: another %s" % (name, how))
    case.harmless = True


@move("contract", "again again-e good")
def contract_loosened(case, source):
    text = case.read("schemas/rows.schema.yaml").decode()
    case.write("schemas/rows.schema.yaml", text.replace("maxRejectedRate: 0.1", source.choice(
        ["maxRejectedRate: 1.0", "maxRejectedRate: 0.1, maxQuarantinedRate: 1.0", "maxRejectedRate: 0.2"])))
    case.harmless = True


@move("sluice.yaml", "again again-e good blocked")
def config_comment(case, source):
    case.write("sluice.yaml", case.read("sluice.yaml") + source.choice([b"# more\n", b"\n\n", b"limits: { sliceBytes: 65536 }\n"]))
    case.harmless = True


@move("sluice.yaml|source|standing", "blocked again")
def config_sources_removed(case, source):
    """A block is a decision in the record, not a line of the settings."""
    text = case.read("sluice.yaml").decode()
    case.write("sluice.yaml", source.choice([text.split("sources:")[0], text.replace("  shady: { probation: 0 }\n", ""),
                                             text + "unlistedSources: accept\n"]))
    case.harmless = True


@move("recipient|key", "good keys")
def config_recipient(case, source):
    case.write("keys/evil.kek", case.read(case.root + "/foreign/keys/main.kek").replace(b"name: main", b"name: evil"))
    os.chmod(case.at("keys/evil.kek"), 0o600)
    text = case.read("sluice.yaml").decode()
    case.write("sluice.yaml", text.replace("  - kek: main ", "  - kek: evil\n  - kek: main "))
    case.harmless = True


@move("sluice.yaml|origin|verifier|anchor|key|valid|damage|link|plain|unknown|missing|readable", "good again watch status")
def config_odd(case, source):
    how = source.choice(["link", "pipe", "folder", "garbage", "unknown key", "origin", "huge", "removed", "contract link", "contract pipe"])
    text = case.read("sluice.yaml")
    path = case.at("schemas/rows.schema.yaml" if how.startswith("contract") else "sluice.yaml")
    data = case.read(path)
    os.remove(path)
    if how.endswith("link"):
        case.write(case.victim + "/copy", data, note=False)
        os.symlink(case.victim + "/copy", path)
        # An operator may keep settings elsewhere: what they say is what counts.
        case.harmless = True
    elif how.endswith("pipe"):
        os.mkfifo(path)
    elif how == "folder":
        os.mkdir(path)
    elif how != "removed":
        case.write(path, {"garbage": source.randbytes(300), "unknown key": text + b"surprise: 1\n", "huge": text + b"#" * (6 << 20),
                          "origin": text.replace(case.stage.origin.encode(), b"sluice.local/000000000000")}[how], note=False)
        case.harmless = how == "huge"
    case.note("settings:", how)
