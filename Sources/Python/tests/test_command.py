"""`python -m sluice`."""

from __future__ import annotations

import json
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
    with open(store / "ledger.sqlite", "r+b") as file:
        file.truncate(8192)
    assert main(["verify", str(store), "--vkey", "a+b+c"]) == 64
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all(line.startswith("sluice: ") for line in lines)
