"""The verified record of a store: what its signed ledger says of accepted shards."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ._errors import CacheWarning, Damaged, NotFound, SluiceError, TryAgain, UsageError, warn
from ._note import Checkpoint, Frontier, VerifierKey, note_of, parsed

# Canonical JSON (RFC 8785) has no spaces, so an entry of these kinds contains one of these texts.
_ASKED = re.compile(
    rb'"kind":"(?:genesis|batch\.received|batch\.judged|shard\.published|batch\.superseded'
    rb'|file\.removed|shard\.rewrapped|shard\.rewritten|key\.shredded|key\.recorded)"'
)

_PATIENCE = 30.0
"""Seconds to wait for another process."""

_MANY = 4000
"""Checkpoints that are worth another process, which needs 0.1 s to start."""

_TABLES = """
CREATE TABLE batch(id TEXT PRIMARY KEY, dataset TEXT, source TEXT, time TEXT, contract TEXT, data_hash TEXT, format TEXT,
  received INTEGER, verdict TEXT, masked TEXT, replaced_by TEXT, replaced INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE shard(path TEXT PRIMARY KEY, batch TEXT NOT NULL, dataset TEXT NOT NULL, number INTEGER NOT NULL,
  published INTEGER NOT NULL, published_sha256 TEXT NOT NULL, published_rows INTEGER NOT NULL, sha256 TEXT NOT NULL,
  rows INTEGER NOT NULL, message_id TEXT, commitment TEXT, keys TEXT NOT NULL, changed INTEGER, erased INTEGER,
  removed INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX shard_dataset ON shard(dataset, published, number);
CREATE TABLE key(name TEXT PRIMARY KEY, recorded INTEGER, shredded INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE signed(size INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT;
CREATE TABLE head(size INTEGER NOT NULL, subtrees BLOB NOT NULL, verifier TEXT NOT NULL) STRICT;
PRAGMA user_version = 2;
"""


@dataclass(frozen=True)
class Batch:
    """An accepted batch."""

    id: str
    dataset: str
    source: str
    time: str
    contract_sha256: str
    data_hash: str
    format: str
    masked: frozenset[str]
    """Columns in which values were masked."""
    replaced_by: str | None
    """The batch that replaced it."""


@dataclass(frozen=True)
class Shard:
    """An accepted shard as the record says it is now."""

    batch: Batch
    number: int
    path: str
    """Relative to the store."""
    sha256: str
    rows: int
    message_id: str | None
    commitment: str | None
    entry: int
    """The ledger entry that published it."""
    keys: tuple[str, ...]
    """The recipients that can open it."""
    erased_rows: int
    """Rows that were erased since it was published."""
    erased: int | None
    """The ledger entry by which rows were erased last."""
    changed: int | None
    """The ledger entry that gave it its present form, if it is not the first one."""
    removed: int | None
    """The ledger entry by which it was removed."""


class Record:
    """The record of one store, verified with a pinned key.

    Every entry is hashed into the RFC 6962 tree, and every signed checkpoint is compared with it. What was verified is kept in a cache of
    this user, so that later only new entries are read; a ledger that is older than what was seen, or differs from it, is refused.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        vkey: str,
        anchors: Sequence[bytes] = (),
        seen: tuple[int, bytes] | None = None,
        cache: Path | None = None,
        afresh: bool = False,
    ) -> None:
        """Reads and verifies the ledger.

        Args:
            store: the folder of the store.
            vkey: the pinned verifier key.
            anchors: checkpoints or receipts that were kept elsewhere.
            seen: size and root of a state that `sluice` saw.
            cache: the folder of the cache; by default `$XDG_CACHE_HOME/sluice`.
            afresh: read every entry again. Of the cache only the state counts that was verified before.

        Raises:
            Damaged: the ledger is not what was signed, anchored or seen.
            NotFound: there is no ledger.
            TryAgain: another process keeps the ledger or the cache.
        """
        self.store = Path(store)
        self.verifier = VerifierKey(vkey)
        self._ledger_path = self.store / "ledger.sqlite"
        if not self._ledger_path.is_file():
            raise NotFound(f"{self._ledger_path}: there is no ledger; is {self.store} a store of sluice?")
        self._ledger = sqlite3.connect(
            f"file:{_quoted(self._ledger_path)}?mode=ro", uri=True, timeout=_PATIENCE, check_same_thread=False, isolation_level=None
        )
        path = self._cache_path(cache, seen is not None and seen[0] > 0)
        self._seen_before: tuple[int, bytes] | None = None
        facts = self._facts_at(path)
        before = self._head_in(facts) if afresh else None
        before = before or self._seen_before
        self._facts = _in_memory() if afresh else facts
        try:
            self._verify(anchors, seen, before)
        except sqlite3.Error as error:
            if path is None or afresh or "locked" in str(error):
                raise self._unreadable(error) from None
            self._replace_cache(path, anchors, seen, error)

    def _replace_cache(
        self, path: Path, anchors: Sequence[bytes], seen: tuple[int, bytes] | None, error: sqlite3.Error
    ) -> None:
        """Makes the cache anew, if it and not the ledger is damaged."""
        self._facts.close()
        self._facts = _in_memory()
        try:
            self._verify(anchors, seen, None)
            warn(
                f"{path}: the cache of what was verified is damaged ({error}) and made anew; an older copy of the ledger in its place would not "
                "have been noticed this time, unless by anchors= or by what sluice saw",
                CacheWarning,
            )
            path.unlink(missing_ok=True)
            self._facts = self._cache_at(path)
            self._verify(anchors, seen, None)
        except sqlite3.Error as second:
            raise self._unreadable(second) from None

    def _facts_at(self, path: Path | None) -> sqlite3.Connection:
        """The cache at this place; in memory where it cannot be kept."""
        if path is None:
            return _in_memory()
        try:
            return self._cache_at(path)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise TryAgain(f"{path}: another process keeps it; try again") from None
            reason = str(error)
        except sqlite3.Error as error:
            warn(f"{path}: the cache of what was verified is damaged ({error}) and made anew", CacheWarning)
            path.unlink(missing_ok=True)
            return self._cache_at(path)
        except OSError as error:
            reason = error.strerror or str(error)
        warn(
            f"{path}: the cache of what was verified cannot be used ({reason}), so an older copy of the ledger is noticed by an anchor or by what "
            "sluice saw only",
            CacheWarning,
        )
        return _in_memory()

    def _unreadable(self, error: Exception) -> SluiceError:
        text = str(error)
        if "locked" in text or "busy" in text:
            return TryAgain(f"{self._ledger_path}: another process keeps the ledger; try again")
        if Path(f"{self._ledger_path}-journal").exists():
            return TryAgain(
                f"{self._ledger_path}: a program that wrote the ledger was stopped in the middle; sluice puts it in order: run sluice status "
                f"--store {self.store}, and try again"
            )
        return Damaged(f"{self._ledger_path}: it cannot be read ({text}); see: sluice lineage verify")

    def __getstate__(self) -> dict[str, Any]:
        """Without the open files: a copy in another process has the checkpoint, and answers no more questions."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_ledger", "_facts")}

    # Verification

    def _verify(
        self, anchors: Sequence[bytes], seen: tuple[int, bytes] | None, before: tuple[int, bytes] | None
    ) -> None:
        known = [self.verifier.opened(note_of(one), f"anchor {place + 1}") for place, one in enumerate(anchors)]
        wanted = [(one.size, one.root, f"anchor {place + 1}") for place, one in enumerate(known)]
        if seen is not None and seen[0] > 0:
            wanted.append((*seen, "the state that sluice saw before"))
        if before is not None and before[0] > 0:
            wanted.append((*before, "what was verified before"))
        with _transaction(self._ledger, "BEGIN"), _transaction(self._facts, "BEGIN IMMEDIATE"):
            frontier, newest = self._known(), self._newest()
            if frontier.size:
                wanted.append((frontier.size, frontier.root(), "what was verified before"))
            for size, _, what in wanted:
                if size > newest.size:
                    raise Damaged(
                        f"{self._ledger_path}: it has {newest.size} signed entries, and {what} {size}: an older copy is in its place, or it "
                        "was rewritten; see: sluice lineage verify"
                    )
            self._walk(frontier, newest)
            for size, root, what in wanted:
                row = self._facts.execute("SELECT root FROM signed WHERE size = ?", (size,)).fetchone()
                if size and (row is None or bytes(row[0]) != root):
                    raise Damaged(f"{self._ledger_path}: at {size} entries it is not the ledger of {what}; see: sluice lineage verify")
        self.checkpoint = newest

    def _newest(self) -> Checkpoint:
        row = self._ledger.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        if row is None:
            raise Damaged(f"{self._ledger_path}: it has no signed checkpoint; see: sluice lineage verify")
        return self.verifier.opened(bytes(row[0]), "the newest checkpoint")

    def _walk(self, frontier: Frontier, newest: Checkpoint) -> None:
        """Hashes every entry after the known ones, and compares each checkpoint on the way."""
        begin = frontier.size
        if self._ledger.execute("SELECT max(seq) FROM entry").fetchone() != (newest.size - 1,):
            raise Damaged(f"{self._ledger_path}: its last entries are not signed; see: sluice lineage verify")
        notes = {
            size: bytes(note)
            for size, note in self._ledger.execute("SELECT size, note FROM checkpoint WHERE size > ?", (begin,))
        }
        facts, leaf, roots = _Facts(self._facts), hashlib.sha256, []
        with ThreadPoolExecutor(1) as pool:
            # Signatures are checked beside the hashing: of many checkpoints most in another process.
            pending = sorted(notes.items())
            elsewhere = len(pending) * 4 // 5 if len(pending) > _MANY else 0
            check = pool.submit(self._check_elsewhere, pending[:elsewhere])
            for sequence, body in self._ledger.execute("SELECT seq, body FROM entry WHERE seq >= ? ORDER BY seq", (begin,)):
                if sequence != frontier.size:
                    raise Damaged(f"{self._ledger_path}: entry {frontier.size} is missing")
                frontier.add(leaf(b"\x00" + body).digest())
                if _ASKED.search(body):
                    facts.add(sequence, _parsed(body, sequence))
                if (note := notes.get(frontier.size)) is not None:
                    root = frontier.root()
                    if parsed(note, f"the checkpoint at {frontier.size}").root != root:
                        raise Damaged(f"{self._ledger_path}: its entries are not those that were signed at {frontier.size}")
                    roots.append((frontier.size, root))
            self._check_notes(pending[elsewhere:])
            check.result()
        if frontier.size != newest.size or frontier.root() != newest.root:
            raise Damaged(f"{self._ledger_path}: its entries are not those that were signed at {newest.size}")
        facts.finish()
        self._facts.executemany("INSERT INTO signed VALUES(?, ?)", roots)
        self._facts.execute("DELETE FROM head")
        self._facts.execute(
            "INSERT INTO head VALUES(?, ?, ?)", (frontier.size, b"".join(frontier.subtrees), self.verifier.text)
        )

    def _check_elsewhere(self, notes: list[tuple[int, bytes]]) -> None:
        claims = []
        for size, note in notes:
            checkpoint, *claim = self.verifier.claimed(note, f"the checkpoint at {size}")
            if checkpoint.size != size:
                raise Damaged(f"the checkpoint at {size}: it is filed under another size")
            claims.append((claim[0], claim[1]))
        if claims and not self.verifier.signed_all(claims):
            # One is wrong, which the check here names, or there is no other process.
            self._check_notes(notes)

    def _check_notes(self, notes: list[tuple[int, bytes]]) -> None:
        for size, note in notes:
            if self.verifier.opened(note, f"the checkpoint at {size}").size != size:
                raise Damaged(f"the checkpoint at {size}: it is filed under another size")

    # The cache

    def _cache_path(self, folder: Path | None, is_seen: bool) -> Path | None:
        """Where the cache of this ledger is; None where it cannot be kept, which is said unless `sluice` itself saw a state."""
        if folder is None:
            named = os.environ.get("XDG_CACHE_HOME", "")
            folder = (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "sluice"
        place = hashlib.sha256(f"{self.verifier.text}\0{self.store.resolve()}".encode()).hexdigest()[:32]
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.stat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                reason = "it belongs to or can be written by others"
            elif not os.access(folder, os.W_OK):
                reason = "it cannot be written"
            else:
                return folder / f"record-{place}.sqlite"
        except OSError as error:
            reason = error.strerror or "it cannot be made"
        if not is_seen:
            warn(
                f"{folder}: {reason}, so what was verified is not kept, and an older copy of the ledger would not be noticed the next time; give "
                "anchors=, or set XDG_CACHE_HOME to a folder of your own",
                CacheWarning,
            )
        return None

    def _head_in(self, facts: sqlite3.Connection) -> tuple[int, bytes] | None:
        """Size and root of what was verified before."""
        try:
            row = facts.execute("SELECT size, subtrees, verifier FROM head").fetchone()
        except sqlite3.Error as error:
            warn(
                f"{self._ledger_path}: the cache of what was verified before is damaged ({error}), so an older copy of the ledger is noticed by "
                "an anchor or by what sluice saw only",
                CacheWarning,
            )
            return None
        if row is None or row[2] != self.verifier.text:
            return None
        frontier = _frontier(row[0], bytes(row[1]))
        return frontier.size, frontier.root()

    def _cache_at(self, path: Path) -> sqlite3.Connection:
        if not path.exists():
            # Made apart and renamed: two processes may begin at the same time.
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                made = sqlite3.connect(Path(folder) / "made")
                made.executescript(_TABLES)
                made.close()
                os.rename(Path(folder) / "made", path)
        cache = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
        if cache.execute("PRAGMA user_version").fetchone() != (2,):
            # Of another version: what it saw still counts.
            self._seen_before = self._head_in(cache) or self._seen_before
            cache.close()
            path.unlink()
            return self._cache_at(path)
        return cache

    def _known(self) -> Frontier:
        row = self._facts.execute("SELECT size, subtrees, verifier FROM head").fetchone()
        if row is None or row[2] != self.verifier.text:
            self._forget()
            return Frontier()
        return _frontier(row[0], bytes(row[1]))

    def _forget(self) -> None:
        for table in ("batch", "shard", "key", "signed", "head"):
            self._facts.execute(f"DELETE FROM {table}")

    # Questions

    def datasets(self) -> list[tuple[str, int, int, int]]:
        """Name, batches, shards and rows of each dataset, without what was replaced or removed."""
        return self._facts.execute(
            "SELECT shard.dataset, count(DISTINCT batch), count(*), sum(rows) FROM shard JOIN batch ON batch.id = shard.batch"
            " WHERE removed IS NULL AND replaced_by IS NULL GROUP BY shard.dataset ORDER BY shard.dataset"
        ).fetchall()

    def shards(self, dataset: str, since: int | str | datetime | None = None, at: int | None = None) -> list[Shard]:
        """The accepted shards of a dataset, in the order in which they were published.

        Args:
            dataset: its name.
            since: only shards of entries from this number on, or of batches received at this ISO 8601 time or later.
            at: as of this number of entries. Batches that were replaced later are included.
        """
        if isinstance(at, bool) or not isinstance(at, int | None):
            raise UsageError(f"at={at!r}: write the size of a checkpoint, a whole number")
        if isinstance(since, bool) or not isinstance(since, int | str | datetime | None):
            raise UsageError(f"since={since!r}: write the number of a ledger entry, or a time in ISO 8601")
        end = self.checkpoint.size if at is None else at
        if not 0 <= end <= self.checkpoint.size:
            raise UsageError(f"at={end}: the ledger has {self.checkpoint.size} entries")
        query = (
            "SELECT number, path, sha256, rows, message_id, commitment, published, keys, published_rows, erased, changed, removed,"
            " id, batch.dataset, source, time, contract, data_hash, format, masked, replaced_by FROM shard JOIN batch ON batch.id = shard.batch"
            " WHERE shard.dataset = ? AND published < ? AND (replaced_by IS NULL OR replaced >= ?)"
        )
        values: list[Any] = [dataset, end, end]
        if isinstance(since, int):
            if since > self.checkpoint.size:
                raise UsageError(f"since={since}: the ledger has {self.checkpoint.size} entries")
            query, values = query + " AND published >= ?", [*values, since]
        elif since is not None:
            query, values = query + " AND time >= ?", [*values, _instant(since)]
        rows = self._facts.execute(query + " ORDER BY published, number", values)
        batches: dict[str, Batch] = {}
        return [_shard(row, batches) for row in rows]

    def shredded(self, names: Sequence[str]) -> bool:
        """Whether every key of the store among these recipients was destroyed, and there is one."""
        found = [
            row[0] is not None
            for name in names
            for row in self._facts.execute("SELECT shredded FROM key WHERE name = ? AND recorded IS NOT NULL", (name,))
        ]
        return bool(found) and all(found)

    def contract(self, sha256: str) -> dict[str, Any]:
        """A recorded contract, compared with its digest."""
        row = self._ledger.execute("SELECT data FROM blob WHERE sha256 = ?", (bytes.fromhex(sha256),)).fetchone()
        if row is None or hashlib.sha256(row[0]).hexdigest() != sha256:
            raise Damaged(f"{self._ledger_path}: the contract {sha256[:12]} is missing or changed; see: sluice lineage verify")
        document: dict[str, Any] = json.loads(row[0])
        return document

    def document(self) -> dict[str, Any]:
        """The checkpoint as JSON: origin, size, root (Base64) and verifier key."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": base64.b64encode(self.checkpoint.root).decode(),
            "vkey": self.verifier.text,
        }

    def note(self) -> bytes:
        """The signed text of the newest checkpoint, to be kept elsewhere as an anchor."""
        row = self._ledger.execute("SELECT note FROM checkpoint WHERE size = ?", (self.checkpoint.size,)).fetchone()
        return bytes(row[0])


def _frontier(size: int, subtrees: bytes) -> Frontier:
    return Frontier(size, [subtrees[at : at + 32] for at in range(0, len(subtrees), 32)])


def _in_memory() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    made.executescript(_TABLES)
    return made


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


class _Facts:
    """Folds entries into the tables of the cache."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.received: list[tuple[Any, ...]] = []
        self.judged: list[tuple[Any, ...]] = []
        self.published: list[tuple[Any, ...]] = []

    def add(self, sequence: int, body: dict[str, Any]) -> None:
        kind = body["kind"]
        if kind == "batch.received":
            self.received.append(
                (
                    body["batch"], body["dataset"], body.get("source", ""), body["time"], body.get("contract_sha256", ""),
                    body.get("data_hash", ""), body.get("format", ""), sequence,
                )
            )
        elif kind == "batch.judged":
            masked = tuple(one["field"] for one in body.get("columns", []) if one.get("masks"))
            self.judged.append((body["verdict"], _listed(masked), body["batch"]))
        elif kind == "shard.published":
            self.published += self._files(sequence, body)
        elif kind in ("shard.rewrapped", "shard.rewritten", "file.removed"):
            self.finish()
            self._change(sequence, body, kind)
        elif kind == "batch.superseded":
            self.finish()
            self.db.execute("UPDATE batch SET replaced_by = ?, replaced = ? WHERE id = ?", (body.get("by", ""), sequence, body["batch"]))
        elif kind == "key.recorded":
            for key in body.get("keys", []):
                if key.get("kind") == "kek":
                    self.db.execute("INSERT OR IGNORE INTO key VALUES(?, ?, NULL)", (key["name"], sequence))
        elif kind == "key.shredded":
            self.db.execute("UPDATE key SET shredded = ? WHERE name = ?", (sequence, body["name"]))

    def _files(self, sequence: int, body: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        keys = _listed(tuple(body.get("keys", [])))
        for file in body["files"]:
            if file.get("role") == "accepted":
                yield (
                    file["path"], body["batch"], body["dataset"], file["shard"], sequence, file["file_sha256"], file["row_count"],
                    file["file_sha256"], file["row_count"], file.get("message_id"), file.get("commitment"), keys,
                )

    def _change(self, sequence: int, body: dict[str, Any], kind: str) -> None:
        for file in body["files"]:
            if kind == "file.removed":
                self.db.execute("UPDATE shard SET removed = ? WHERE path = ?", (sequence, file["path"]))
                continue
            self.db.execute(
                "UPDATE shard SET sha256 = ?, rows = coalesce(?, rows), message_id = ?, commitment = ?, keys = ?, changed = ?, erased = coalesce(?, erased)"
                " WHERE path = ?",
                (
                    file["file_sha256"], file.get("row_count"), file.get("message_id"), file.get("commitment"),
                    json.dumps(body.get("keys", [])), sequence, sequence if kind == "shard.rewritten" else None, file["path"],
                ),
            )

    def finish(self) -> None:
        """Writes what was collected."""
        self.db.executemany(
            "INSERT OR IGNORE INTO batch(id, dataset, source, time, contract, data_hash, format, received) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            self.received,
        )
        self.db.executemany("UPDATE batch SET verdict = ?, masked = ? WHERE id = ?", self.judged)
        self.db.executemany(
            "INSERT OR IGNORE INTO shard VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)", self.published
        )
        self.received, self.judged, self.published = [], [], []


def _instant(since: str | datetime) -> str:
    """A time as the ledger writes it. One without a zone is in UTC."""
    if isinstance(since, str):
        try:
            since = datetime.fromisoformat(since)
        except ValueError:
            raise UsageError(f"since={since!r}: write a time in ISO 8601, such as 2026-11-30T09:00:00+01:00, or the number of a ledger entry") from None
    try:
        since = since.replace(tzinfo=timezone.utc) if since.tzinfo is None else since.astimezone(timezone.utc)
    except OverflowError:
        raise UsageError("since: there is no such time") from None
    return f"{since:%Y-%m-%dT%H:%M:%S}.{-(-since.microsecond // 1000):03d}Z" if since.microsecond <= 999_000 else _instant(
        since.replace(microsecond=0) + timedelta(seconds=1)
    )


@functools.lru_cache
def _listed(texts: tuple[str, ...]) -> str:
    """As JSON. The same few lists come again and again."""
    return json.dumps(texts)


def _shard(row: tuple[Any, ...], batches: dict[str, Batch]) -> Shard:
    (number, path, sha256, rows, message_id, commitment, published, keys, published_rows, erased, changed, removed, *of_batch) = row
    identifier, dataset, source, time, contract, data_hash, format_, masked, replaced_by = of_batch
    batch = batches.get(identifier)
    if batch is None:
        batch = Batch(
            identifier, dataset, source, time, contract, data_hash, format_, frozenset(json.loads(masked or "[]")), replaced_by
        )
        batches[identifier] = batch
    return Shard(
        batch, number, path, sha256, rows, message_id, commitment, published, tuple(json.loads(keys)), published_rows - rows, erased, changed,
        removed,
    )


def _parsed(body: bytes, sequence: int) -> dict[str, Any]:
    try:
        # Of bytes the reader would first find out the encoding, each time.
        document = json.loads(str(body, "utf-8"))
        if not isinstance(document, dict):
            raise ValueError
    except ValueError:
        raise Damaged(f"entry {sequence} of the ledger is no JSON object") from None
    return document


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def known_key(store: Path) -> tuple[str, int, str] | None:
    """The verifier key that `sluice` pinned for a store's ledger, with the newest state it saw: size and root in Base64.

    The file is `$XDG_CONFIG_HOME/sluice/known-ledgers`, one line a ledger: key, folder, size, root.
    """
    # A relative folder does not count, as for sluice itself.
    named = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(named) if os.path.isabs(named) else Path.home() / ".config"
    try:
        lines = (folder / "sluice/known-ledgers").read_text().splitlines()
    except OSError:
        return None
    real = str(store.resolve())
    found = None
    for line in lines:
        key, _, rest = line.partition(" ")
        parts = rest.split(" ")
        place, state = rest, ("0", "")
        if len(parts) >= 3 and parts[-2].isdigit():
            place, state = " ".join(parts[:-2]), (parts[-2], parts[-1])
        if place == real:
            found = (key, int(state[0]), state[1])
    return found


def own_key(store: Path) -> str:
    """The verifier key that the ledger states of itself, unproven."""
    path = store / "ledger.sqlite"
    if not path.is_file():
        raise NotFound(f"{path}: there is no ledger; is {store} a store of sluice?")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT body FROM entry WHERE seq = 0").fetchone()
            return str(json.loads(row[0])["vkey"])
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise Damaged(f"{path}: it cannot be read ({error}); see: sluice lineage verify") from None
        raise TryAgain(f"{path}: another process keeps the ledger; try again") from None
    except (sqlite3.Error, TypeError, KeyError, ValueError):
        raise Damaged(f"{path}: its first entry cannot be read; see: sluice lineage verify") from None
