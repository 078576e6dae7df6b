"""Datasets: what is handed out, what is refused, what is recorded."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from conftest import PROGRAM, ROOT, SAMPLES, SCHEMAS, ingest, sluice, vkey

import sluice as package
from sluice import Damaged, Dataset, NotFound, NotPermitted, NotRecordedWarning, UsageError


SOURCES = ROOT / "Sources/Python/src"


def opened(store: Path, dataset: str = "orders", **more: Any) -> Dataset:
    return package.open(store, dataset, **{"vkey": vkey(store), "reason": "test", **more})


def log(store: Path) -> list[str]:
    return [line for line in sluice("lineage", "log", "--store", store).splitlines() if "shard.opened" in line]


def cat(store: Path, dataset: Dataset) -> str:
    return sluice("shard", "cat", *(store / shard.path for shard in dataset.shards), "--reason", "test", "--store", store)


def test_rows(store: Path) -> None:
    for name in ("orders", "sensors", "tickets"):
        dataset = opened(store, name)
        rows, table = list(dataset), dataset.to_arrow()
        assert len(rows) == len(dataset) == table.num_rows > 0
        assert dataset.to_pandas().shape == dataset.to_polars().shape == (table.num_rows, table.num_columns)
        of_table = table.to_pylist()
        for row in of_table:
            if "meta" in row and row["meta"] is not None:
                row["meta"] = json.loads(row["meta"])
        assert of_table == rows
        if name != "tickets":
            cells = list(csv.reader(io.StringIO(cat(store, dataset), newline="")))
            assert len(cells) == len(rows) + 1 and cells[0] == table.column_names
    assert str(opened(store).to_arrow().schema.field("created_at").type) == "timestamp[us, tz=UTC]"
    assert opened(store).to_arrow().schema.field("email").type == "string"


def test_access_is_recorded_first_and_once(store: Path) -> None:
    dataset = opened(store, reason="training v7")
    assert not log(store) and not dataset.recorded
    rows = iter(dataset)
    next(rows)
    assert dataset.recorded and len(log(store)) == 1
    assert "800 rows" in log(store)[0] and log(store)[0].endswith("training v7")
    list(dataset), dataset.to_arrow(), list(dataset.batches())
    assert len(log(store)) == 1
    list(opened(store))
    assert len(log(store)) == 2


def count(dataset: Dataset, found: Any) -> None:
    found.put(sum(1 for _ in dataset))


def test_a_process_that_is_started_has_the_keys(store: Path) -> None:
    dataset = opened(store)
    next(iter(dataset))
    context = multiprocessing.get_context("spawn")
    found: Any = context.Queue()
    process = context.Process(target=count, args=(dataset, found))
    process.start()
    assert found.get(timeout=60) == 800 and len(log(store)) == 1
    process.join()


def test_a_copy_on_disk_has_no_key(store: Path) -> None:
    dataset = opened(store)
    rows = list(dataset)
    raw = pickle.dumps(dataset)
    assert dataset._data_keys and not any(key in raw for key in dataset._data_keys.values())
    copy = pickle.loads(raw)
    assert list(copy) == rows and copy.checkpoint == dataset.checkpoint and len(log(store)) == 2


def test_threads_record_once(store: Path) -> None:
    dataset = opened(store)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: sum(1 for _ in dataset), range(4))) == [800] * 4
    assert len(log(store)) == 1


def test_fails_closed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="reason"):
        package.open(store, "orders", vkey=vkey(store))
    with pytest.raises(UsageError, match="personal"):
        list(opened(store, reason="for jane.doe@example.com"))
    with pytest.raises(NotPermitted, match="not there"):
        list(opened(store, binary="/nowhere/sluice"))
    keys = vkey(store)
    monkeypatch.setenv("SLUICE", "/nowhere/sluice")
    with pytest.raises(NotPermitted), pytest.warns(NotRecordedWarning):
        list(opened(store, vkey=keys, record="try", keys={}))
    with pytest.warns(NotRecordedWarning):
        dataset = opened(store, vkey=keys, record="try")
        assert len(list(dataset)) == 800 and not dataset.recorded
    with pytest.warns(NotRecordedWarning):
        assert len(list(opened(store, vkey=keys, record="never", keys=[store / "keys/main.kek"]))) == 800
    with pytest.warns(NotRecordedWarning), pytest.raises(NotPermitted, match="it is for main"):
        list(opened(store, vkey=keys, record="never", keys={"main": bytes(32)}))
    shutil.rmtree(store / "keys")
    monkeypatch.undo()
    with pytest.raises(package.SluiceError):
        list(package.open(store, "orders", vkey=keys, reason="test"))


@pytest.mark.parametrize("record", ["require", "never"])
@pytest.mark.filterwarnings("ignore::sluice.NotRecordedWarning")
def test_changed_files(store: Path, record: str) -> None:
    first, second = (store / shard.path for shard in opened(store).shards)
    raw = first.read_bytes()
    for changed in (raw[:-1], raw + b"x", raw[:600] + bytes([raw[600] ^ 1]) + raw[601:], second.read_bytes(), b""):
        first.write_bytes(changed)
        with pytest.raises(Damaged):
            list(opened(store, record=record))
    # A changed name of a recipient looks like a file for other keys, and is no less damaged.
    place = raw.index(b"main")
    first.write_bytes(raw[:place] + b"niam" + raw[place + 4 :])
    with pytest.raises(Damaged):
        list(opened(store, record=record))
    first.unlink()
    with pytest.raises(Damaged, match="records it"):
        list(opened(store, record=record))
    first.write_bytes(raw)
    assert len(list(opened(store, record=record))) == 800
    # Another sealed file of the same batch, under the right key.
    quarantined = next(store.glob("accepted/orders/*/evidence/decision.sluice"))
    first.write_bytes(quarantined.read_bytes())
    with pytest.raises(Damaged):
        list(opened(store, record=record))


def test_selection(store: Path) -> None:
    dataset = opened(store)
    first, second = dataset.shards
    assert [one.path for one in opened(store, since=first.entry + 1).shards] == [second.path]
    assert [one.path for one in opened(store, since=second.batch.time).shards] == [second.path]
    assert [one.path for one in opened(store, at=second.entry).shards] == [first.path]
    assert [one.path for one in opened(store, batches=[second.batch.id]).shards] == [second.path]
    assert not opened(store, since=second.entry + 1).shards
    received = datetime.fromisoformat(second.batch.time)
    for since in (
        received, received.astimezone(timezone(timedelta(hours=9))), received.astimezone(timezone(timedelta(hours=-9))).isoformat(),
        f"{received:%Y%m%dT%H%M%S.%fZ}",
    ):  # fmt: skip
        assert [one.path for one in opened(store, since=since).shards] == [second.path], since
    assert len(opened(store, since=f"{received:%Y-%m-%d}").shards) == 2
    assert not opened(store, since=received + timedelta(microseconds=1)).shards
    for wrong in ("yesterday", "9", 1.5, True, 10_000):
        with pytest.raises(UsageError, match="since"):
            opened(store, since=wrong)
    for more in ({"at": "5"}, {"batches": second.batch.id}, {"keys": "main.kek"}, {"reason": "a\0b"}, {"record": "try", "reason": None}):
        with pytest.raises(UsageError):
            opened(store, **more)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="anchor"):
        opened(store, anchors=["/nowhere/anchor"])
    for more in ({"batches": ["none"]}, {"dataset": "none"}):
        with pytest.raises(NotFound):
            opened(store, **more)  # type: ignore[arg-type]
    for more in ({"at": 10_000}, {"types": {"none": "string"}}, {"types": {"amount": "decimal"}}, {"record": "maybe"}):
        with pytest.raises(UsageError):
            opened(store, **more)  # type: ignore[arg-type]


def test_types(store: Path) -> None:
    row = next(iter(opened(store, types={"amount": "string", "quantity": "number"})))
    assert isinstance(row["amount"], str) and isinstance(row["quantity"], float)


def test_erased_and_wrapped_again(store: Path) -> None:
    before = opened(store)
    size, rows = before.checkpoint["size"], list(before)
    first = before.shards[0]
    # Other keys: the same rows in other files.
    sluice("keys", "rotate", "main", "--store", store)
    sluice("keys", "rewrap", "--from", "main", "--to", "main-2", "--store", store)
    again = opened(store)
    assert again.shards[0].sha256 != first.sha256 and list(again) == rows
    assert list(opened(store, at=size)) == rows
    with pytest.warns(NotRecordedWarning):
        assert list(opened(store, record="never")) == rows
    # An erased person: the rows of today, and no way back.
    person = str(rows[3]["customer_id"])
    sluice("subject", "erase", person, "--reason", "test", "--store", store)
    erased = list(opened(store))
    assert erased == [row for row in rows if str(row["customer_id"]) != person] and len(erased) < len(rows)
    with pytest.raises(NotFound, match="lost"):
        opened(store, at=size)
    # A snapshot from after the erasure stays readable, also in yet another form.
    size = opened(store).checkpoint["size"]
    sluice("keys", "rotate", "main-2", "--store", store)
    sluice("keys", "rewrap", "--from", "main-2", "--store", store)
    assert list(opened(store, at=size)) == erased


def test_changed_by_the_gate_while_it_is_read(store: Path) -> None:
    dataset, untouched = opened(store), opened(store)
    rows = iter(dataset)
    next(rows)
    sluice("keys", "rotate", "main", "--store", store)
    sluice("keys", "rewrap", "--from", "main", "--store", store)
    with pytest.raises(NotFound, match="open it again"):
        list(rows)
    with pytest.raises(NotFound):
        list(untouched)
    assert len(list(opened(store))) == 800


def test_replaced(store: Path) -> None:
    before = opened(store, "sensors")
    old, size, rows = before.shards[0].batch.id, before.checkpoint["size"], list(before)
    ingest(store, SAMPLES / "sensors-good-2.csv", "sensors", SCHEMAS / "sensors.schema.yaml", "--supersede", old)
    today = opened(store, "sensors")
    assert [shard.batch.id for shard in today.shards] not in ([], [old]) and len(today.shards) == 1
    assert list(opened(store, "sensors", at=size)) == rows


def test_removed(store: Path) -> None:
    faketime = shutil.which("faketime")
    with open(store / "sluice.yaml", "a") as file:
        file.write("\nretention:\n  accepted: 1d\n")
    size = opened(store).checkpoint["size"]
    if faketime is None:
        pytest.skip("faketime is not installed, so retention cannot be waited for")
    later = (datetime.now() + timedelta(days=3)).strftime("%Y-%m-%d %H:%M:%S")
    subprocess.run([faketime, later, PROGRAM, "prune", "--store", str(store)], check=True)
    with pytest.raises(NotFound):
        opened(store, at=size)
    assert len(opened(store)) == 0


def test_provenance_and_parquet(store: Path, tmp_path: Path) -> None:
    dataset = opened(store)
    path = tmp_path / "orders.parquet"
    dataset.to_parquet(path)
    read = pq.read_table(path)
    assert read.equals(dataset.to_arrow()) and pq.ParquetFile(path).num_row_groups == 2
    stated = json.loads(pq.read_schema(path).metadata[b"sluice.provenance"])
    assert stated == dataset.provenance() and stated["recorded"] and stated["rows"] == 800
    assert [one["shards"][0]["sha256"] for one in stated["batches"]] == [shard.sha256 for shard in dataset.shards]
    with pytest.raises(UsageError, match="exists"):
        dataset.to_parquet(path)
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith("part")] == []
    for more in ({"encryption": {}}, {"encryption": {"footer": b"short"}}, {"compression": "none such"}):
        with pytest.raises(UsageError):
            dataset.to_parquet(tmp_path / "other.parquet", **more)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no column nobody"):
        dataset.to_parquet(tmp_path / "other.parquet", encryption={"footer": bytes(16), "columns": {"nobody": bytes(16)}})
    with pytest.raises(NotFound, match="folder"):
        dataset.to_parquet(tmp_path / "none/other.parquet")
    assert not (tmp_path / "other.parquet").exists()
    empty = opened(store, since=dataset.checkpoint["size"])
    empty.to_parquet(tmp_path / "empty.parquet")
    assert b"sluice.provenance" in pq.read_schema(tmp_path / "empty.parquet").metadata


def test_killed_while_it_writes(store: Path, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, sluice\n"
        f"dataset = sluice.open({str(store)!r}, 'orders', vkey={vkey(store)!r}, reason='test')\n"
        "tables = dataset._tables\n"
        "def until_killed():\n"
        "    yield next(tables())\n"
        "    print('wrote', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "dataset._tables = until_killed\n"
        f"dataset.to_parquet({str(tmp_path / 'out.parquet')!r})\n"
    )
    before = set(tmp_path.iterdir())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=SOURCES)
    assert done.returncode == -9 and "wrote" in done.stdout, done.stderr
    assert set(tmp_path.iterdir()) == before


def test_encrypted_parquet(store: Path, tmp_path: Path) -> None:
    dataset = opened(store)
    keys = {"footer": bytes(range(32)), "columns": {"email": bytes(range(1, 33))}}
    uniform = {"footer": bytes(range(32))}
    # Whole tokens are looked for: a few given bytes may stand in ciphertext by chance.
    tokens = [value.encode() for value in dataset.to_arrow()["email"].to_pylist() if value][:100]
    assert all(token.startswith(b"em_") and len(token) > 12 for token in tokens)
    dataset.to_parquet(tmp_path / "plain", compression="none")
    assert all(token in (tmp_path / "plain").read_bytes() for token in tokens)
    for given, name in ((keys, "columns"), (uniform, "uniform")):
        path = tmp_path / name
        dataset.to_parquet(path, compression="none", encryption=given)
        read = pq.read_table(path, decryption_properties=package.parquet_decryption(given))
        assert read.equals(dataset.to_arrow())
        with pytest.raises(OSError):
            pq.read_table(path)
        sealed = path.read_bytes()
        assert not any(token in sealed for token in tokens)
    with pytest.raises(NotPermitted):
        pq.read_table(tmp_path / "uniform", decryption_properties=package.parquet_decryption({"footer": bytes(32)}))
    with pytest.raises(UsageError, match="bytes"):
        dataset.to_parquet(tmp_path / "short", encryption={"footer": b"short"})
    assert not (tmp_path / "short").exists()


def test_encryption_covers_every_column(made: Callable[..., Path], tmp_path: Path) -> None:
    contract = (
        "fields:\n  - { name: a, type: string }\n  - { name: b, type: string }\n  - { name: l, type: list }\n"
        "sluice: { undeclaredPii: allow, secrets: allow, batch: { minRows: 1 } }\n"
    )
    store = made(contract, 'a,b,l\nfirst column,second column,"one item,other item"\n')
    dataset = opened(store, "data")
    dataset.to_parquet(tmp_path / "plain", compression="none")
    words = (b"first column", b"second column", b"other item")
    assert all(word in (tmp_path / "plain").read_bytes() for word in words)
    for columns in ({}, {"b": bytes(range(1, 33))}, {"l": bytes(range(1, 33))}, {name: bytes(range(1, 33)) for name in "abl"}):
        keys, path = {"footer": bytes(range(32)), "columns": columns}, tmp_path / "".join(["sealed", *columns])
        dataset.to_parquet(path, compression="none", encryption=keys)
        assert not any(word in path.read_bytes() for word in words)
        assert pq.read_table(path, decryption_properties=package.parquet_decryption(keys)).equals(dataset.to_arrow())


def test_new_batches_are_there_when_opened_again(store: Path) -> None:
    dataset = opened(store)
    ingest(store, SAMPLES / "sensors-good-2.csv", "sensors", SCHEMAS / "sensors.schema.yaml")
    before = opened(store, "sensors", at=dataset.checkpoint["size"])
    assert len(before) < len(opened(store, "sensors")) == len(before) + opened(store, "sensors").shards[1].rows
