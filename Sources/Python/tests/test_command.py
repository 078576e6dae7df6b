"""`python -m sluice`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import vkey

from sluice.__main__ import main


def test_commands(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinned = ["--vkey", vkey(store)]
    receipt = next(store.glob("accepted/orders/*/*.tlog-proof"))
    assert main(["verify", str(store), *pinned, "--anchor", str(receipt)]) == 0
    assert json.loads(capsys.readouterr().out)["anchors"] == 1
    assert main(["list", str(store), *pinned]) == 0
    assert "orders  2 batches  2 shards  800 rows" in capsys.readouterr().out
    assert main(["list", str(store), "orders", *pinned]) == 0
    assert capsys.readouterr().out.count("400 rows") == 2
    assert main(["cat", str(store), "orders", *pinned, "--reason", "test"]) == 0
    assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 800
    output = tmp_path / "orders.parquet"
    assert main(["to-parquet", str(store), "orders", str(output), *pinned, "--reason", "test"]) == 0
    assert pq.read_table(output).num_rows == 800


def test_errors(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "/nowhere"]) == 66
    assert main(["verify", str(store)]) == 64
    assert main(["cat", str(store), "none", "--vkey", vkey(store), "--reason", "test"]) == 66
    assert main(["list", str(store), "none", "--vkey", vkey(store)]) == 66
    assert main(["verify", str(store), "--vkey", vkey(store), "--anchor", "/nowhere/anchor"]) == 66
    assert main(["cat", str(store), "orders", "--vkey", vkey(store), "--reason", "test", "--since", "2026"]) == 64
    assert main(["to-parquet", str(store), "orders", "/nowhere/out", "--vkey", vkey(store), "--reason", "test"]) == 66
    # A reason is no option.
    assert main(["cat", str(store), "orders", "--vkey", vkey(store), "--reason=--store"]) == 0
    messages = capsys.readouterr().err
    with open(store / "ledger.sqlite", "r+b") as file:
        file.truncate(8192)
    assert main(["verify", str(store), "--vkey", "a+b+c"]) == 64
    lines = (messages + capsys.readouterr().err).splitlines()
    assert len(lines) == 8 and all(line.startswith("sluice: ") for line in lines)


def test_values_that_json_does_not_have(made: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    contract = (
        "fields:\n  - { name: n, type: number }\n  - { name: at, type: datetime }\n  - { name: d, type: date }\n"
        "sluice: { undeclaredPii: allow, secrets: allow, batch: { minRows: 1 } }\n"
    )
    store = made(contract, "n,at,d\nNaN,2026-01-31T10:00:00Z,2026-01-31\n")
    assert main(["cat", str(store), "data", "--vkey", vkey(store), "--reason", "test"]) == 0

    def refuse(text: str) -> None:
        raise ValueError(text)

    row = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert row == {"n": "nan", "at": "2026-01-31T10:00:00+00:00", "d": "2026-01-31"}
