"""The signed record: what was forged, rolled back or cut off is noticed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from conftest import sluice, vkey

import sluice as package
from sluice import CacheWarning, Damaged, NotFound, TryAgain, UnpinnedWarning, UsageError
from sluice.__main__ import main
from sluice._note import Frontier, VerifierKey
from sluice._record import Record


def names(store: Path, **more: object) -> list[str]:
    return [shard.path for shard in package.open(store, "orders", vkey=vkey(store), reason="test", **more).shards]  # type: ignore[arg-type]


def change(store: Path, *statements: str) -> None:
    """Changes the ledger as somebody who has the disk: its triggers are in the way only of mistakes."""
    db = sqlite3.connect(store / "ledger.sqlite")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def cache() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "sluice"


def test_roots_of_rfc_6962() -> None:
    # The example of certificate-transparency's reference code: leaves "", 00, 10, 2021, …
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
    roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ]
    import hashlib

    frontier = Frontier()
    for leaf, root in zip(leaves, roots, strict=True):
        frontier.add(hashlib.sha256(b"\x00" + leaf).digest())
        assert frontier.root().hex() == root


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '\"row_count\":400', '\"row_count\":399') AS BLOB)",
        "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
        "DELETE FROM entry WHERE seq = 5",
        "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)",
        "DELETE FROM checkpoint",
        "INSERT INTO entry SELECT seq + 1, body, leaf_hash, kind FROM entry ORDER BY seq DESC LIMIT 1",
        "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), 'sluice.local', 'sluice.other') AS BLOB)",
    ],
)
@pytest.mark.parametrize("is_warm", [False, True])
def test_changed_ledger(store: Path, statement: str, is_warm: bool) -> None:
    key = vkey(store)
    before = Record(store, key).checkpoint.size if is_warm else 0
    change(store, statement)
    if is_warm and ("row_count" in statement or "seq = 5" in statement):
        # What was verified is not read again, so a change of it has no effect, unless somebody asks.
        assert Record(store, key).checkpoint.size == before
        with pytest.raises(Damaged):
            Record(store, key, afresh=True)
        assert main(["verify", str(store), "--vkey", key]) == 1
        shutil.rmtree(cache())
    with pytest.raises(Damaged):
        Record(store, key)


def test_replaced_signature(store: Path) -> None:
    key = vkey(store)
    change(
        store,
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 3) WHERE size = (SELECT max(size) FROM checkpoint)",
    )
    with pytest.raises(Damaged):
        Record(store, key)


def test_older_copy(store: Path, tmp_path: Path) -> None:
    key = vkey(store)
    shutil.copytree(store, tmp_path / "older")
    anchor = store / "kept"
    anchor.write_bytes(Record(store, key).note())
    sluice(
        "source", "block", "someone", "--reason", "test", "--store", store
    )
    newer = Record(store, key).note()
    assert names(store, anchors=[anchor, newer]) == names(store)
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (store / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "older/ledger.sqlite", store / "ledger.sqlite")
    # This user has seen the newer one.
    for afresh in (False, True):
        with pytest.raises(Damaged, match="older copy"):
            Record(store, key, afresh=afresh)
    # Another user has not, and notices by the anchor alone.
    shutil.rmtree(cache())
    assert Record(store, key, [anchor.read_bytes()]).checkpoint.size > 0
    with pytest.raises(Damaged, match="older copy"):
        Record(store, key, [newer])


def test_what_another_version_saw_counts(store: Path, tmp_path: Path) -> None:
    shutil.rmtree(cache(), ignore_errors=True)
    key = vkey(store)
    shutil.copy(store / "ledger.sqlite", tmp_path / "older.sqlite")
    sluice("source", "block", "someone", "--reason", "test", "--store", store)
    Record(store, key)
    with sqlite3.connect(next(cache().glob("record-*"))) as db:
        db.execute("PRAGMA user_version = 1")
    shutil.copy(tmp_path / "older.sqlite", store / "ledger.sqlite")
    with pytest.raises(Damaged, match="older copy"):
        Record(store, key)


def test_receipt_as_anchor(store: Path) -> None:
    receipt = next(store.glob("accepted/orders/*/*.tlog-proof"))
    assert names(store, anchors=[receipt])
    with pytest.raises(Damaged):
        names(store, anchors=[receipt.read_bytes().replace(b"\n\n", b"\n\nx", 1)])


def test_keys(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    sluice("init", other)
    with pytest.raises(Damaged, match="pinned key"):
        Record(store, vkey(other))
    for text in ("", "a+b", vkey(store).replace("+", "+0", 1), vkey(store)[:-4] + "AAAA"):
        with pytest.raises(UsageError):
            Record(store, text)
    # Another user has not seen this ledger.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with pytest.raises(UsageError, match="sluice keys list"):
        package.open(store, "orders", reason="test")
    with pytest.warns(UnpinnedWarning):
        package.open(store, "orders", reason="test", vkey=package.UNPINNED)
    sluice("lineage", "verify", "--store", store)
    assert len(package.open(store, "orders", reason="test")) == 800


def test_pinned_state(store: Path) -> None:
    """What the program saw counts, although this package did not see it."""
    sluice("lineage", "verify", "--store", store)
    known = Path(os.environ["XDG_CONFIG_HOME"]) / "sluice/known-ledgers"
    before = known.read_text()
    size = Record(store, vkey(store)).checkpoint.size
    line = next(one for one in before.splitlines() if str(store) in one)
    try:
        known.write_text(before.replace(line, " ".join([*line.split(" ")[:-2], str(size + 5), line.split(" ")[-1]])))
        with pytest.raises(Damaged, match="saw before"):
            package.open(store, "orders", reason="test")
    finally:
        known.write_text(before)


def test_cache(store: Path) -> None:
    shutil.rmtree(cache(), ignore_errors=True)
    key = vkey(store)
    first = Record(store, key)
    assert list(cache().glob("record-*"))
    sluice("source", "block", "someone", "--reason", "test", "--store", store)
    again = Record(store, key)
    assert again.checkpoint.size == first.checkpoint.size + 1
    expected = again.shards("orders")
    for path in cache().glob("record-*"):
        path.write_bytes(b"SQLite format 3\0 and nothing else")
    with pytest.warns(CacheWarning, match="damaged"):
        assert Record(store, key).shards("orders") == expected
    # It is made anew, and counts again.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Record(store, key).shards("orders") == expected
    for path in cache().glob("record-*"):
        raw = bytearray(path.read_bytes())
        raw[4096:] = bytes(len(raw) - 4096)
        path.write_bytes(raw)
    with pytest.warns(CacheWarning, match="damaged"):
        Record(store, key, afresh=True)
    with pytest.warns(CacheWarning, match="damaged"):
        assert Record(store, key).shards("orders") == expected
    shutil.rmtree(cache())
    cache().mkdir(mode=0o777)
    cache().chmod(0o777)
    # Others could write there: nothing is kept, and that is said.
    with pytest.warns(CacheWarning, match="written by others"):
        assert Record(store, key).shards("orders") == expected
    assert not list(cache().iterdir())
    shutil.rmtree(cache())


def test_a_cache_that_cannot_be_opened_is_said(store: Path) -> None:
    shutil.rmtree(cache(), ignore_errors=True)
    key = vkey(store)
    Record(store, key)
    path = next(cache().glob("record-*"))
    path.unlink()
    path.mkdir()
    with pytest.warns(CacheWarning, match="cannot be used"):
        assert Record(store, key).checkpoint.size > 0
    path.rmdir()


def test_busy_is_not_damaged(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(cache(), ignore_errors=True)
    key = vkey(store)
    Record(store, key)
    monkeypatch.setattr("sluice._record._PATIENCE", 0.1)
    for path in (store / "ledger.sqlite", next(cache().glob("record-*"))):
        held = sqlite3.connect(path, isolation_level=None)
        held.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryAgain, match="another process"):
            Record(store, key)
        held.execute("ROLLBACK")
        held.close()
        assert Record(store, key).checkpoint.size > 0


def test_a_writer_that_was_stopped(store: Path) -> None:
    key, path = vkey(store), store / "ledger.sqlite"
    # A transaction that spills to the file before it ends, so that its journal is hot.
    program = (
        "import os, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1'); db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('CREATE TABLE spill(x)')\n"
        "for _ in range(200): db.execute('INSERT INTO spill VALUES(zeroblob(4000))')\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    journal = Path(f"{path}-journal")
    assert journal.exists() and journal.stat().st_size > 0
    # A reader that may not write cannot put it in order.
    with pytest.raises(TryAgain, match="sluice status"):
        Record(store, key)
    sluice("status", "--store", store, code=None)
    assert Record(store, key).checkpoint.size > 0


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        package.open(tmp_path / "none", "orders", reason="test")
    with pytest.warns(UnpinnedWarning), pytest.raises(NotFound, match="no ledger"):
        package.open(tmp_path, "orders", reason="test", vkey=package.UNPINNED)


@pytest.mark.parametrize("interpreter", [None, "/nowhere/python"])
def test_signatures_checked_by_another_process(store: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str | None) -> None:
    monkeypatch.setattr("sluice._record._MANY", 0)
    if interpreter is not None:
        monkeypatch.setattr("sys.executable", interpreter)
    key = vkey(store)
    assert VerifierKey(key).signed_all([]) == (interpreter is None)
    assert Record(store, key, afresh=True).checkpoint.size > 0
    with sqlite3.connect(store / "ledger.sqlite") as db:
        sizes = [size for (size,) in db.execute("SELECT size FROM checkpoint ORDER BY size")]
    assert len(sizes) > 5
    # One of the oldest, whose signature is not the newest one's, and one that is filed under another size.
    first = f"(SELECT note FROM checkpoint WHERE size = {sizes[1]})"
    change(
        store,
        f"UPDATE checkpoint SET note = CAST(substr(CAST({first} AS TEXT), 1, length(CAST({first} AS TEXT)) - 12) || 'AAAAAAAAAA=' || char(10) AS BLOB)"
        f" WHERE size = {sizes[1]}",
    )
    with pytest.raises(Damaged, match=f"checkpoint at {sizes[1]}"):
        Record(store, key, afresh=True)
